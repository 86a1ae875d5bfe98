# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Step 2: the Rust metadata that Debian's header packages lack, rebuilt from the
# packaged source with the packaged configuration and compiler, and proven to
# be that of the packaged kernel by its exported Rust symbols.  Or a kernel of our own,
# which is built as a whole from the same source.

# need_kernel KERNEL: sets KERNEL_DIR, the prepared source tree, and KERNEL_MAKE, the
# command that builds modules for it, beside what need_root sets.  RELEASE is
# this kernel's then.
need_kernel() {
	local packaged arch=${KERNEL_ARCH[$1]} config key
	need_root "${KERNEL_ROOT[$1]}"
	packaged=$RELEASE
	if is_built "$1"; then
		RELEASE=${packaged%-*}-$1
		config=$({
			cd "$QEMU_DIR" || exit
			# shellcheck disable=SC2046 # Words.
			cat $(configs "$1") "${ARCH_PATCH[$arch]}" make-kernel unpack compiler
			printf '%s' "${KERNEL_CFLAGS[$1]-}"
		} | digest)
	else
		config=$(digest <"$ROOT_DIR/usr/src/linux-headers-$RELEASE/.config")
	fi
	# The build root is part of the key, because rustc's metadata belong to one rustc.
	key=$RELEASE-$VERSION-$config-${ROOT_KEY##*-}
	KERNEL_DIR=$CACHE/kernels/$key
	if is_built "$1"; then
		cached "kernels/$key" "kernel $RELEASE" make_tree make-kernel "$packaged" "$1"
	else
		cached "kernels/$key" "Rust metadata of kernel $RELEASE" make_tree make-metadata "$packaged" "$1"
	fi
	KERNEL_MAKE=(make -C /kernel "ARCH=$arch" "CC=$(<"$KERNEL_DIR/.shim6-compiler")")
	# With clang come its linker and the rest.
	[[ ${KERNEL_MAKE[-1]} != CC=clang ]] || KERNEL_MAKE+=(LLVM=1)
}

# is_built KERNEL: whether it is not the packaged one.
is_built() {
	[[ -n ${KERNEL_CONFIG[$1]-} ]]
}

# configs KERNEL: the files that such a kernel is made of, a line each.
configs() {
	# shellcheck disable=SC2086 # Words.
	printf '%s\n' kernel.config "${ARCH_CONFIG[${KERNEL_ARCH[$1]}]}" ${KERNEL_CONFIG[$1]}
}

# The tree is at /kernel in the build root wherever it is in the cache, so that
# no path in it changes when it is renamed into place.
make_tree() {
	local script=$1 packaged=$2 source=${ROOT_KERNEL[${KERNEL_ROOT[$3]}]} arch=${KERNEL_ARCH[$3]} into=$4
	local -a more=()
	if is_built "$3"; then
		mapfile -t more < <(configs "$3")
		more=("$RELEASE" "$arch" "/src/${ARCH_PATCH[$arch]}" "${more[@]/#//src/}")
	fi
	enter "$ROOT_DIR" "$into:/kernel" "$QEMU_DIR:/src:ro" -- \
		env --chdir=/kernel ${KERNEL_CFLAGS[$3]:+"KCFLAGS=${KERNEL_CFLAGS[$3]}"} bash "/src/$script" "$packaged" "/usr/src/linux-source-$source.tar.xz" "$(nproc)" "${more[@]}"
}
