#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make install` against a tree with Rust metadata, that which DKMS made, as on a distribution
# whose headers have them. Run by qemu/packages in the Debian system with
# the packages installed, with the sources at /share/source.

. "$(dirname "$0")/../lib/tap.sh"

diag_dump() { :; }

# The command is built already.
make_install() {
	make -C /tmp/checkout -o tools CARGO_TARGET_DIR=/out "KDIR=/var/cache/shim6/$RELEASE" \
		DESTDIR=/tmp/into PREFIX=/usr SYSCONFDIR=/etc install
}

tap_begin
RELEASE=$(basename /lib/modules/*)
headers=/usr/src/linux-headers-$RELEASE
cp -r /share/source /tmp/checkout

check "make install" make_install
is "the module" "$(cd /tmp/into && find lib usr/lib/modules-load.d -type f -name '*shim6*' | sort)" "lib/modules/$RELEASE/updates/shim6.ko.xz
usr/lib/modules-load.d/shim6.conf"
is "the command" "$(/tmp/into/usr/sbin/shim6 --version | cut -d' ' -f1)" shim6
check "headers" test -f /tmp/into/usr/include/linux/shim6.h
is "the module is that of the kernel" "$(modinfo -F vermagic "/tmp/into/lib/modules/$RELEASE/updates/shim6.ko.xz" | cut -d' ' -f1)" "$RELEASE"

# What make says where it cannot: a sentence each, with a command.
check_not "make refuses headers without metadata" make -C /tmp/checkout "KDIR=$headers"
said=$(make -C /tmp/checkout "KDIR=$headers" 2>&1 | grep '^preflight: ')
is "because of them alone" "$(grep -c . <<<"$said")" 2
is "and says so" "$(grep -c "lacks the Rust metadata" <<<"$said")" 1
is "what DKMS needs is here" "$(bash /src/qemu/preflight --rebuild "$headers" 2>&1)" ""
is "a compiler of another version is named" \
	"$(RUSTC=/bin/true bash /src/qemu/preflight --rebuild "$headers" 2>&1 | grep -c "^preflight: the kernel was built with 'rustc ")" 1
mkdir /tmp/few
ln -s /usr/bin/* /tmp/few/
rm /tmp/few/bison
is "and a program that is not there" "$(PATH=/tmp/few bash /src/qemu/preflight --rebuild "$headers" 2>&1)" \
	"preflight: there is no bison: apt install bison"
tap_end
