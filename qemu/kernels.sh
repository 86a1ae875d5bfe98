# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The one table that says which kernels we build for and where they come from.
# To follow Debian to the next kernel or release, change it here only.

# The kernel used when nobody says otherwise.
DEFAULT_KERNEL=7.3
# The one that runs the selftests at the speed of the host, without its waiting.
NATIVE_KERNEL=uml
# The one for measurements of speed: it runs at that of the host, and is compiled as the stock one is.
SPEED_KERNEL=uml-speed
# The one for measurements of what is very many: the same on several processors.
SCALE_KERNEL=uml-smp
# The one for the time that connections stand still, beside SCTP.
GAPS_KERNEL=uml-gaps
# The one that looks for mistakes in the module while it runs them.
DEBUG_KERNEL=uml-debug
# The one that looks for data races in it, on several emulated processors.
RACES_KERNEL=kcsan
# The one that also gets the load and data-path tests, by `make test`.
OTHER_KERNEL=7.2

# KERNEL -> build root that it comes from.
declare -A KERNEL_ROOT=(
	[7.3]=stable
	[7.2]=testing
	[uml]=stable
	[uml-gaps]=stable
	[uml-smp]=stable
	[uml-speed]=stable
	[uml-debug]=stable
	[kcsan]=stable
)

# KERNEL -> architecture: x86 is emulated, um (User-Mode Linux) is a process.
declare -A KERNEL_ARCH=([7.3]=x86 [7.2]=x86 [uml]=um [uml-gaps]=um [uml-smp]=um [uml-speed]=um [uml-debug]=um [kcsan]=x86)
# Those that are built as a whole, from the source of their root's kernel, with kernel.config,
# what their machine needs, and these.
declare -A KERNEL_CONFIG=(
	[uml]=uml-travel.config
	[uml-gaps]="uml-travel.config uml-gaps.config"
	[uml-smp]=uml-smp.config
	[uml-speed]=uml-speed.config
	[uml-debug]=uml-debug.config
	[kcsan]=kcsan.config
)
# Architecture -> what its machine needs, and what the source lacks: function tracing, by which the
# module redirects calls, in User-Mode Linux; Rust in KCSAN.
declare -A ARCH_CONFIG=([um]=uml.config [x86]=pc.config)
declare -A ARCH_PATCH=([um]=uml-ftrace.patch [x86]=kcsan-rust.patch)
# User-Mode Linux is compiled in the large code model. clang puts what it compiles so into sections
# (.ltext, .lbss ...) that its linker script does not know: lockdep takes locks there for
# unregistered ones, kmemleak does not look there. What is at 0x60000000 needs no large model.
declare -A KERNEL_CFLAGS=([uml-debug]=-mcmodel=small)

# Packaged KERNEL -> extended regular expression of its image packages without
# "linux-image-"; the highest version wins.
declare -A KERNEL_RELEASES=(
	[7.3]='7\.3\.[0-9]+\+deb13-amd64'
	[7.2]='7\.2\.[0-9]+\+deb14-amd64'
)

# Build root -> its kernel, its suites (the first is the base), and what must
# be taken from a suite that apt would not prefer by itself.
declare -A ROOT_KERNEL=([stable]=7.3 [testing]=7.2)
declare -A ROOT_SUITES=([stable]="trixie trixie-backports" [testing]="forky")
declare -A ROOT_PINNED=([stable]="linux-base/trixie-backports" [testing]="")

# What every build root needs to build the kernel's Rust metadata and the module.
ROOT_PACKAGES=(
	bc bindgen bison build-essential ca-certificates clang cpio dwarves flex
	git kmod libclang-dev libelf-dev libssl-dev lld llvm make python3 rsync
	rust-clippy rust-src rustc rustfmt xz-utils
)

# What only the first one needs: the build of tools and Debian packages, the checks, QEMU and its image.
declare -A ROOT_EXTRA=(
	[stable]="busybox-static cargo debhelper dh-dkms dkms lintian pkgconf qemu-system-x86 shellcheck squashfs-tools"
	[testing]=""
)

# Python modules for `make check`: what the kernel's generator of netlink code needs.
CHECK_PYTHON=(python3-jsonschema python3-yaml)

# The userland of the QEMU image, beside Debian's minimal base.
IMAGE_SUITE=trixie
IMAGE_PACKAGES=(
	conntrack curl ethtool iperf3 iproute2 iputils-ping jq kmod netbase nftables
	procps python3 python3-yaml socat strace tcpdump trace-cmd tshark xxd
)

# A Debian system as a user has it, of IMAGE_SUITE and its backports, with the default
# kernel: here the Debian packages are installed and tried.  What they depend on
# must be here, for nothing is fetched then; debian/control has the same names.
SYSTEM_PACKAGES=(
	bindgen bison bc bpftrace build-essential ca-certificates cpio dkms
	flex iproute2 iputils-ping kmod libelf-dev libssl-dev man-db nftables
	openssh-client openssh-server pkgconf procps python3 rust-src rustc systemd-sysv udev
	xz-utils
)
# These with the version of that kernel, and with its own linux-base.
SYSTEM_KERNEL=(linux-headers-amd64 linux-image-amd64 linux-libc-dev linux-source)

# The crates that are built and tested on the host, with the options of their
# tests: the protocol is tested as in the kernel, with overflow checks; the others as they are built.
HOST_CRATES=(rust/proto tools/shim6 tools/model tools/sim)
declare -A HOST_TEST_OPTIONS=([rust/proto]="" [tools/shim6]="--release" [tools/model]="--release" [tools/sim]="--release")
