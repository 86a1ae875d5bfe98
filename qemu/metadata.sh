# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Step 2: the Rust metadata that Debian's header packages lack, rebuilt from the
# packaged source with the packaged configuration and compiler, and proven to
# be that of the packaged kernel by its exported Rust symbols.  User-Mode Linux is
# built as a whole, from the same source.

# need_kernel KERNEL: sets KERNEL_DIR, the prepared source tree, and KERNEL_MAKE, the
# command that builds modules for it, beside what need_root sets.  RELEASE is
# this kernel's then.
need_kernel() {
	local packaged config key
	need_root "${KERNEL_ROOT[$1]}"
	packaged=$RELEASE
	case ${KERNEL_ARCH[$1]} in
	um)
		RELEASE=${packaged%-*}-$1
		config=$({
			cd "$QEMU_DIR" || exit
			# shellcheck disable=SC2086 # Words.
			cat uml.config ${KERNEL_CONFIG[$1]} uml-ftrace.patch make-uml unpack compiler
			printf '%s' "${KERNEL_CFLAGS[$1]-}"
		} | digest)
		;;
	*) config=$(digest <"$ROOT_DIR/usr/src/linux-headers-$RELEASE/.config") ;;
	esac
	# The build root is part of the key, because rustc's metadata belong to one rustc.
	key=$RELEASE-$VERSION-$config-${ROOT_KEY##*-}
	KERNEL_DIR=$CACHE/kernels/$key
	case ${KERNEL_ARCH[$1]} in
	um) cached "kernels/$key" "User-Mode Linux $RELEASE" make_tree make-uml "$packaged" "$1" ;;
	*) cached "kernels/$key" "Rust metadata of kernel $RELEASE" make_tree make-metadata "$packaged" "$1" ;;
	esac
	KERNEL_MAKE=(make -C /kernel "ARCH=${KERNEL_ARCH[$1]}" "CC=$(<"$KERNEL_DIR/.shim6-compiler")")
	# With clang come its linker and the rest.
	[[ ${KERNEL_MAKE[-1]} != CC=clang ]] || KERNEL_MAKE+=(LLVM=1)
}

# The tree is at /kernel in the build root wherever it is in the cache, so that
# no path in it changes when it is renamed into place.
make_tree() {
	local script=$1 packaged=$2 source=${ROOT_KERNEL[${KERNEL_ROOT[$3]}]} into=$4
	local -a configs
	read -ra configs <<<"${KERNEL_CONFIG[$3]-}"
	enter "$ROOT_DIR" "$into:/kernel" "$QEMU_DIR:/src:ro" -- \
		env --chdir=/kernel ${KERNEL_CFLAGS[$3]:+"KCFLAGS=${KERNEL_CFLAGS[$3]}"} bash "/src/$script" "$packaged" "/usr/src/linux-source-$source.tar.xz" "$(nproc)" "$RELEASE" "${configs[@]/#//src/}"
}
