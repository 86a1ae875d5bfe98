#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs the packages (at /share) with the commands of the README into a fresh Debian
# system, without a network; DKMS builds the module. Run by qemu/packages in that
# system, which keeps what is written, with the checkout at /src.

. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/readme.sh"
. "$(dirname "$0")/built.sh"

diag_dump() { :; }

# run_part WHERE: WHAT
run_part() {
	readme_part /src/README.md "$1" >/tmp/part && (cd /share && bash -e /tmp/part)
}

tap_begin
export DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none
series=$(cut -d. -f1,2 <<<"$RELEASE")
source=$(dpkg-query -W -f '${source:Version}' "linux-source-$series")

# The archive, in the file and the form in which Debian's installer leaves it.
sed -nE 's:^deb \[signed-by=(.*)\] (.*) trixie main$:Types\: deb\nURIs\: \2\nSuites\: trixie trixie-updates\nComponents\: main\nSigned-By\: \1:p' \
	/etc/apt/sources.list >/etc/apt/sources.list.d/debian.sources
rm /etc/apt/sources.list
check "the kernel of the README is there already" run_part "a and b: kernel"
is "and it is the one that is booted here" "$(basename /lib/modules/*)" "$RELEASE"

# Without the source of the kernel, and nothing kept of an earlier build.
: >/tmp/empty
mount --bind /tmp/empty "/usr/src/linux-source-$series.tar.xz"
SHIM6_CACHE=/tmp/nothing run_part "a and b: install" >/tmp/said 2>&1 && fail "there is no source to build from"
is "apt shows in one sentence what is missing, and how to get it" "$(grep '^shim6-dkms:' /tmp/said)" \
	"shim6-dkms: the headers of kernel $RELEASE lack the Rust metadata, and the source to rebuild them from is not installed: apt install linux-source-$series=$source"
umount "/usr/src/linux-source-$series.tar.xz"
check_not "no module was built" built

start=$SECONDS
check "the packages are installed" run_part "a and b: install"
note "$((SECONDS - start)) s"
check "DKMS built the module and installed it" built
check "the kernel exports all symbols that it needs" module
is "nothing is left half configured" "$(dpkg --audit)" ""
is "headers of no package: what is missing, in one sentence" \
	"$(cd /tmp && "/usr/src/shim6-$VERSION/dkms/metadata" 7.9.9-other "/usr/src/linux-headers-$RELEASE" 2>&1)" \
	"shim6: the headers of kernel 7.9.9-other come from no package linux-headers-7.9.9-other, so their source is not known; use a kernel of Debian, or one whose headers have rust/libkernel.rmeta"
check "the service is enabled" systemctl is-enabled shim6.service
check "the alias of the generic netlink family is known" \
	grep -q '^alias net-pf-16-proto-16-family-shim6 shim6$' "/lib/modules/$RELEASE/modules.alias"
tap_end
