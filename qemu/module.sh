# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Step 3: the module for one kernel, the selftests' programs and the tools, all
# compiled inside the build roots and put under build/ of the checkout:
#
#   build/KERNEL/module/  the sources as copied for this kernel, and its objects
#   build/KERNEL/stage/   what the guest sees as /opt/shim6
#   build/selftests/      the selftests' programs
#   build/cargo/          whatever cargo makes

# build_all KERNEL: everything that a guest needs.
build_all() {
	build_programs
	build_module "$1"
	stage "$1"
}

# locked NAME COMMAND...: two builds of one checkout must not write the same files.
locked() {
	local name=$1
	shift
	mkdir -p "$BUILD"
	(
		flock 8
		"$@"
	) 8>"$BUILD/.lock-$name"
}

build_module() {
	need_kernel "$1"
	locked "$1" step "module for kernel $RELEASE" make_module "$1"
	# A module that builds with warnings builds; they must be seen all the same.
	sed -nE '/^warning|: warning: /,/^$|^make|^  [A-Z]+ /{ /^make|^  [A-Z]+ /!p }' "$(log_of "module for kernel $RELEASE")" >&2
}

make_module() {
	kbuild "$BUILD/$1/module"
}

# kbuild TREE [VARIABLE=VALUE]...: the kernel's build of the sources, copied to TREE.
kbuild() {
	local tree=$1
	shift
	copy_sources "$tree" Kbuild rust uapi
	enter "$ROOT_DIR" "$KERNEL_DIR:/kernel:ro" "$tree:/src" -- \
		"${KERNEL_MAKE[@]}" M=/src "-j$(nproc)" "$@" modules
}

# copy_sources TREE PATH...: each kernel's objects live beside a copy of the sources, so
# kernels never clobber each other and the paths in messages are those of the checkout.
copy_sources() {
	local tree=$1
	local -a list
	mkdir -p "$tree"
	cd "$TOP" || exit
	find "${@:2}" -name target -prune -o -type f ! -name '.*' \
		! -name '*.o' ! -name '*.ko' ! -name '*.mod' ! -name '*.mod.c' ! -name '*.rmeta' \
		! -path rust/bindings/generated.rs -print | sort >"$tree/.files.new"
	if [[ -e $tree/.files ]]; then
		comm -23 "$tree/.files" "$tree/.files.new" | (cd "$tree" && xargs -r -d '\n' rm -f)
	fi
	mapfile -t list <"$tree/.files.new"
	cp -u --preserve=mode,timestamps --parents "${list[@]}" "$tree"
	mv "$tree/.files.new" "$tree/.files"
}

# What does not depend on a kernel.
build_programs() {
	need_root stable
	QEMU_ROOT=$ROOT_DIR
	mkdir -p "$BUILD"/{selftests,cargo}
	locked programs make_programs
}

make_programs() {
	step "selftest programs" enter "$QEMU_ROOT" "$TOP:/src:ro" "$BUILD/selftests:/out" -- \
		make -C /src/selftests O=/out UAPI=/src/uapi "-j$(nproc)"
	step "shim6 command" in_cargo build --release --locked --manifest-path /src/tools/shim6/Cargo.toml
}

# in_cargo ARGUMENT...: cargo in the first build root, with the checkout at /src.
in_cargo() {
	enter "$QEMU_ROOT" "$TOP:/src:ro" "$BUILD/cargo:/out" -- \
		env CARGO_TARGET_DIR=/out CARGO_TERM_COLOR=never cargo "$@"
}

# test_crate CRATE: the tests of one host crate.
test_crate() {
	local -a options
	read -ra options <<<"${HOST_TEST_OPTIONS[$1]}"
	in_cargo test --no-fail-fast --locked "${options[@]}" --manifest-path "/src/$1/Cargo.toml"
}

# A file is replaced, never rewritten: a machine may be using the old one.
stage() {
	locked "$1" fill_stage "$1"
}

fill_stage() {
	local into=$BUILD/$1/stage file
	mkdir -p "$into"/{bin,lib,selftests,ynl/lib,doc}
	for file in "$BUILD/$1/module/shim6.ko" "$BUILD"/selftests/* "$BUILD/cargo/release/shim6"; do
		[[ -f $file && -x $file || $file == *.ko ]] || continue
		case $file in
		*.ko) install_new "$file" "$into/shim6.ko" ;;
		*) install_new "$file" "$into/bin/${file##*/}" ;;
		esac
	done
	# The kernel's netlink client, and our specification.
	for file in "$KERNEL_DIR"/tools/net/ynl/pyynl/{cli.py,lib/*.py} \
		"$TOP"/Documentation/netlink/specs/shim6.yaml; do
		case $file in
		*/pyynl/lib/*) install_new "$file" "$into/ynl/lib/${file##*/}" ;;
		*) install_new "$file" "$into/ynl/${file##*/}" ;;
		esac
	done
	# What people read, of which tests run the examples.
	for file in "$TOP"/{README.md,Documentation/{wireshark.md,shim6.schema.json,man/shim6.8}}; do
		install_new "$file" "$into/doc/${file##*/}"
	done
	for file in "$TOP"/tools/trace/*; do
		[[ -e $file ]] || continue
		install_new "$file" "$into/bin/${file##*/}"
	done
}

install_new() {
	if [[ ! -e $2 ]] || ! cmp -s "$1" "$2"; then
		cp -p "$1" "$2.new"
		mv -f "$2.new" "$2"
	fi
}

# check_symbols KERNEL: every symbol that the module wants must be exported by that kernel.
check_symbols() {
	need_kernel "$1"
	step "symbols for kernel $RELEASE" enter "$ROOT_DIR" "$KERNEL_DIR:/kernel:ro" \
		"$BUILD/$1/stage:/out:ro" "$QEMU_DIR:/src:ro" -- bash /src/symbols /out/shim6.ko /kernel/Module.symvers
}
