#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What is in the packages (at /share) and what `make install` puts where. Run by
# qemu/packages in the Debian system, with the checkout at /src.

. "$(dirname "$0")/../lib/tap.sh"

diag_dump() { :; }

# files PACKAGE: files and links of it, without documentation that every package has.
files() {
	dpkg-deb --fsys-tarfile /share/"$1"_*.deb | tar -t | sed -n 's:^\.\(/.*[^/]\)$:\1:p' |
		grep -vE '^/usr/share/doc/[^/]+/(changelog|copyright)|^/usr/share/lintian/' | sort
}

control() {
	dpkg-deb -f /share/"$1"_*.deb "$2"
}

# make_install ARGUMENT...: into an empty directory; what is there then.
make_install() {
	rm -rf /tmp/into
	make -C /tmp/checkout -o tools CARGO_TARGET_DIR=/out "$@" DESTDIR=/tmp/into >/tmp/make.log 2>&1 ||
		{ cat /tmp/make.log; return 1; }
	(cd /tmp/into && find . ! -type d -printf '/%P\n' | sort)
}

UTILS="/etc/sysctl.d/shim6.conf
/usr/lib/systemd/system/shim6.service
/usr/sbin/shim6
/usr/share/bash-completion/completions/shim6
/usr/share/doc/shim6-utils/examples/shim6.toml
/usr/share/doc/shim6-utils/shim6.schema.json
/usr/share/fish/vendor_completions.d/shim6.fish
/usr/share/iproute2/rt_addrprotos.d/shim6.conf
/usr/share/iproute2/rt_protos.d/shim6.conf
/usr/share/man/man7/shim6.7.gz
/usr/share/man/man8/shim6.8.gz
/usr/share/zsh/vendor-completions/_shim6"
DEV="/usr/include/linux/shim6.h
/usr/include/linux/shim6_netlink.h
/usr/share/pkgconfig/shim6.pc"
LOCAL="/etc/iproute2/rt_addrprotos.d/shim6.conf
/etc/iproute2/rt_protos.d/shim6.conf
/etc/sysctl.d/shim6.conf
/usr/local/include/linux/shim6.h
/usr/local/include/linux/shim6_netlink.h
/usr/local/lib/systemd/system/shim6.service
/usr/local/sbin/shim6
/usr/local/share/bash-completion/completions/shim6
/usr/local/share/doc/shim6/examples/shim6.toml
/usr/local/share/doc/shim6/shim6.schema.json
/usr/local/share/fish/vendor_completions.d/shim6.fish
/usr/local/share/man/man7/shim6.7
/usr/local/share/man/man8/shim6.8
/usr/local/share/pkgconfig/shim6.pc
/usr/local/share/zsh/site-functions/_shim6"

tap_begin
version=$(dpkg-parsechangelog -l /src/debian/changelog -S Version)

check "lintian has nothing to say" \
	lintian --allow-root --fail-on error,warning --tag-display-limit 0 /share/shim6_"$version"_amd64.changes
is "files of shim6-utils" "$(files shim6-utils)" "$UTILS"
is "files of libshim6-dev" "$(files libshim6-dev)" "$DEV"
is "files of shim6-dkms beside the sources" \
	"$(files shim6-dkms | grep -v "^/usr/src/shim6-$version/")" "/usr/lib/modules-load.d/shim6.conf"
is "what DKMS runs" "$(files shim6-dkms | sed -n "s:^/usr/src/shim6-$version/dkms/::p" | sort | paste -sd' ')" \
	"build compiler make-metadata metadata preflight unpack"
is "among them nothing that is only for tests" \
	"$(files shim6-dkms | grep -E '/(tests|fuzz|target|selftests)/')" ""
is "the service is that of this package" \
	"$(dpkg-deb --fsys-tarfile /share/shim6-utils_*.deb | tar -xO ./usr/lib/systemd/system/shim6.service | grep ExecStart)" \
	"ExecStart=/usr/sbin/shim6 watch"
is "the example is a valid file but for the identity that it names" \
	"$(dpkg -x /share/shim6-utils_*.deb /tmp/utils && /tmp/utils/usr/sbin/shim6 apply --check /tmp/utils/usr/share/doc/shim6-utils/examples/shim6.toml 2>&1 | wc -l)" 1
is "the command has the version of the packages" "$(/tmp/utils/usr/sbin/shim6 --version)" "shim6 $version"

# A program of the README, against the installed headers alone.
dpkg -x /share/libshim6-dev_*.deb /tmp/dev
export PKG_CONFIG_PATH=/tmp/dev/usr/share/pkgconfig PKG_CONFIG_SYSROOT_DIR=/tmp/dev
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
is "pkg-config knows the version" "$(pkg-config --modversion shim6)" "$version"
# shellcheck disable=SC2016 # of awk.
awk '/^```c/ { code = 1; next } /^```/ { code = 0 } code' /src/README.md >/tmp/readme.c
# shellcheck disable=SC2046 # words.
check "the program of the README is compiled with it" \
	gcc -Wall -Wno-unused-function -Werror -c $(pkg-config --cflags shim6) -o /tmp/readme.o /tmp/readme.c

cp -r /share/source /tmp/checkout
is "make install-utils install-dev, for this host" \
	"$(make_install install-utils install-dev)" "$LOCAL"
is "the service is that of the prefix" \
	"$(grep ExecStart /tmp/into/usr/local/lib/systemd/system/shim6.service)" "ExecStart=/usr/local/sbin/shim6 watch"
tap_end
