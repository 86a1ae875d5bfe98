# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # for whoever sources this.
#
# What DKMS has made of the packages' sources, for the tests that install them.

VERSION=$(dpkg-parsechangelog -l /src/debian/changelog -S Version)
RELEASE=$(basename /lib/modules/*)

# built: DKMS says that the module of this version is installed for the kernel.
built() {
	dkms status shim6 | grep -q "^shim6/$VERSION, $RELEASE, x86_64: installed"
}

# module: kernel symbols and the release of the module that DKMS installed are right.
module() {
	xz -dc "/lib/modules/$RELEASE/updates/dkms/shim6.ko.xz" >/tmp/shim6.ko &&
		bash /src/qemu/symbols /tmp/shim6.ko "/usr/src/linux-headers-$RELEASE/Module.symvers" &&
		[[ $(modinfo -F vermagic /tmp/shim6.ko) == "$RELEASE "* ]]
}
