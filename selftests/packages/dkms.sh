#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs the packages (at /share) into a build root, in which DKMS builds the module. What
# the kernel's headers lack is at /kernel. Run by qemu/packages, with the checkout at /src.

. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/built.sh"

diag_dump() { :; }

install_packages() {
	dpkg --install /share/*.deb
}

tap_begin
export DEBIAN_FRONTEND=noninteractive SHIM6_PREPARED=/kernel

# depmod(8) reads all modules whenever one comes or goes; those of devices are no concern here.
rm -rf "/lib/modules/$RELEASE/kernel"/{drivers,fs,sound}
check "the packages are installed" install_packages
check "DKMS built the module and installed it" built
check "the kernel exports all symbols that it needs" module
check "the alias of the generic netlink family is known" \
	grep -q '^alias net-pf-16-proto-16-family-shim6 shim6$' "/lib/modules/$RELEASE/modules.alias"
is "nothing is left half configured" "$(dpkg --audit)" ""
check "the packages are removed" dpkg --purge shim6-dkms shim6-utils libshim6-dev
is "the module is gone" "$(find "/lib/modules/$RELEASE" -name 'shim6*')" ""
tap_end
