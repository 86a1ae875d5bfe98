# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Step 2: the Rust metadata that Debian's header packages lack, rebuilt from the
# packaged source with the packaged configuration and compiler, and proven to
# be that of the packaged kernel by its exported Rust symbols.

# need_kernel KERNEL: sets KERNEL_DIR, the prepared source tree, beside what need_root sets.
need_kernel() {
	local kernel=$1 root=${KERNEL_ROOT[$1]} config
	need_root "$root"
	config=$(digest <"$ROOT_DIR/usr/src/linux-headers-$RELEASE/.config")
	# The build root is part of the key, because rustc's metadata belong to one rustc.
	KERNEL_DIR=$CACHE/kernels/$RELEASE-$VERSION-$config-${ROOT_KEY##*-}
	cached "kernels/${KERNEL_DIR##*/}" "Rust metadata of kernel $RELEASE" make_metadata "$kernel"
}

# The tree is at /kernel in the build root wherever it is in the cache, so that
# no path in it changes when it is renamed into place.
make_metadata() {
	local kernel=$1 into=$2
	enter "$ROOT_DIR" "$into:/kernel" "$QEMU_DIR:/src:ro" -- \
		bash /src/make-metadata "$RELEASE" "/usr/src/linux-source-$kernel.tar.xz" "$(nproc)"
}
