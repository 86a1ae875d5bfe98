# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Step 4: what a machine boots.  The userland is one read-only image for all kernels;
# of a kernel there are its modules, if it has any, as a second image and an
# initramfs with just what is needed to mount both.

# What the initramfs must load before it can mount the images and the host's directories.
BOOT_MODULES=(virtio_blk squashfs overlay 9pnet_virtio 9p)

# need_image: sets IMAGE.  The build root's key in its name makes a new look at
# the archive (`make update`) renew both.
need_image() {
	local name
	need_root stable
	QEMU_ROOT=$ROOT_DIR
	name=images/$(printf '%s\n' 1 "$IMAGE_SUITE" "${IMAGE_PACKAGES[@]}" "$ROOT_KEY" | digest)
	IMAGE=$CACHE/$name/image.squashfs
	cached "$name" "QEMU image (Debian $IMAGE_SUITE)" make_image
}

make_image() {
	local into=$1
	need_mmdebstrap
	bootstrap "$IMAGE_SUITE" "$(IFS=, && printf '%s' "${IMAGE_PACKAGES[*]}")" |
		enter "$QEMU_ROOT" "$into:/out" -- \
			sqfstar -comp lz4 -Xhc -processors "$(nproc)" -quiet -no-progress /out/image.squashfs \
			'dev/*' 'var/cache/*' 'boot/*'
}

# need_system: sets SYSTEM, a directory with the same Debian system as a tree and as
# image.squashfs, beside what need_root sets for the default kernel.
need_system() {
	local name packages
	need_root "${KERNEL_ROOT[$DEFAULT_KERNEL]}"
	packages=$(IFS=, && printf '%s' "${SYSTEM_PACKAGES[*]},${SYSTEM_KERNEL[*]/%/=$VERSION}")
	packages+=,${ROOT_PINNED[${KERNEL_ROOT[$DEFAULT_KERNEL]}]// /,}
	name=systems/$(printf '%s\n' 1 "$IMAGE_SUITE" "$packages" "$ROOT_KEY" | digest)
	SYSTEM=$CACHE/$name
	cached "$name" "Debian system (Debian $IMAGE_SUITE, kernel $RELEASE)" make_system "$packages"
}

make_system() {
	local packages=$1 into=$2
	need_mmdebstrap
	mkdir "$into/tree"
	# Lists stay: apt has to know, without a network, that there is nothing newer.
	bootstrap "$IMAGE_SUITE $IMAGE_SUITE-backports" "$packages" --skip=cleanup/apt/lists >"$into/tar"
	unpack_root "$into/tree" <"$into/tar"
	make_squashfs "$into" <"$into/tar"
	rm "$into/tar"
}

# make_squashfs INTO: an image of the tar on standard input.
make_squashfs() {
	enter "$ROOT_DIR" "$1:/out" -- \
		sqfstar -comp lz4 -processors "$(nproc)" -quiet -no-progress /out/image.squashfs 'dev/*' 'var/cache/*'
}

# need_boot KERNEL: sets BOOT, a directory with modules.squashfs and initramfs,
# beside what need_root sets, or need_kernel for a kernel that is built as a whole.
need_boot() {
	local name
	local -a modules=("${BOOT_MODULES[@]}")
	need_image
	if is_built "$1"; then
		need_kernel "$1" && modules=()
	else
		need_root "${KERNEL_ROOT[$1]}"
	fi
	name=boot/$RELEASE-$({
		printf '%s\n' "$ROOT_KEY" "${modules[@]}"
		cat "$QEMU_DIR/guest/init" "$QEMU_DIR/make-boot"
	} | digest)
	BOOT=$CACHE/$name
	cached "$name" "initramfs of kernel $RELEASE" make_boot "${modules[@]}"
}

# busybox and squashfs-tools are in QEMU's root, the kernel may be in another.
make_boot() {
	local -a modules=("${@:1:$#-1}")
	enter "$QEMU_ROOT" "${*: -1}:/out" "$QEMU_DIR:/src:ro" "$ROOT_DIR/usr/lib/modules:/kernel:ro" -- \
		bash /src/make-boot "$RELEASE" "$(nproc)" "${modules[@]}"
}

# set_up KERNEL...: everything outside the checkout, side by side where one part
# does not need the other.
set_up() {
	local kernel start=${EPOCHREALTIME/[.,]/}
	local -a jobs=(need_image)
	for kernel; do
		jobs+=(--- need_kernel "$kernel")
	done
	# Once, not in each job: it may have something to say.
	namespace_command
	parallel "${jobs[@]}"
	for kernel; do
		need_boot "$kernel"
	done
	report "$start" "set-up complete for kernel $*"
}
