# SPDX-License-Identifier: GPL-2.0
#
#	make                     the module, against KDIR (default: the running kernel)
#	make KERNEL=7.3          the module, selftests and tools for a stock kernel that
#	                         is fetched with its build root; see qemu/kernels.sh
#	make help                everything else

KDIR ?= /lib/modules/$(shell uname -r)/build
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' tools/shim6/Cargo.toml)
CARGO_TARGET_DIR ?= $(CURDIR)/build/host
SHIM6 = '$(CARGO_TARGET_DIR)/release/shim6'
export KDIR CARGO_TARGET_DIR

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/shim6
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
IPROUTE2DIR ?= $(SYSCONFDIR)/iproute2
INSTALL = install -D

# Of the module's directories, what only host crates and their tests need.
DKMS_WITHOUT = \( -path 'rust/*/target' -o -path rust/proto/tests -o -path rust/proto/fuzz \)
DKMS_FILES = ! -name '*.o' ! -name '*.ko' ! -name '*.mod' ! -name '*.mod.c' ! -name '*.rmeta' \
	! -name '.*' ! -name generated.rs

ifdef KERNEL
RUN_KERNEL := --kernel $(KERNEL)
endif

# The kernel's build reads the Kbuild file; this is for everything around it.
modules:
ifdef KERNEL
	@qemu/build $(RUN_KERNEL)
else
	@qemu/preflight '$(KDIR)'
	@$(MAKE) -C '$(KDIR)' M='$(CURDIR)' modules
endif

demo:
	@qemu/demo $(RUN_KERNEL)

test:
	@qemu/test $(RUN_KERNEL) $(if $(PART),--part '$(PART)')

test-stock:
	@qemu/test --kernel 7.3

test-debug:
	@qemu/test --kernel uml-debug

test-races:
	@qemu/test --kernel kcsan

test-nics:
	@qemu/test nics

SEEDS ?= 1000
sim:
	@qemu/sim '$(SEEDS)'

bench:
	@qemu/bench $(RUN_KERNEL)

check:
	@qemu/check

clippy:
	@qemu/check clippy

fmt:
	@qemu/check fmt

shell:
	@qemu/run $(RUN_KERNEL)

# The archive is looked at once; this looks again, and renews what has changed.
update:
	@qemu/setup --update

tools:
	@cargo build --release --locked --manifest-path tools/shim6/Cargo.toml

# What a packager needs one by one: DESTDIR goes before everything, PREFIX=/usr with
# SYSCONFDIR=/etc is a distribution's.
install: install-module install-utils install-dev

install-module: modules
	@$(MAKE) -C '$(KDIR)' M='$(CURDIR)' INSTALL_MOD_PATH='$(DESTDIR)' modules_install
	@$(INSTALL) -m 644 system/modules-load.conf '$(DESTDIR)$(PREFIX)/lib/modules-load.d/shim6.conf'

install-utils: tools
	@$(INSTALL) -m 755 $(SHIM6) '$(DESTDIR)$(PREFIX)/sbin/shim6'
	@$(INSTALL) -m 644 Documentation/man/shim6.7 '$(DESTDIR)$(MANDIR)/man7/shim6.7'
	@$(INSTALL) -m 644 Documentation/man/shim6.8 '$(DESTDIR)$(MANDIR)/man8/shim6.8'
	@$(INSTALL) -m 644 Documentation/shim6.schema.json '$(DESTDIR)$(DOCDIR)/shim6.schema.json'
	@$(INSTALL) -m 644 system/shim6.toml '$(DESTDIR)$(DOCDIR)/examples/shim6.toml'
	@$(INSTALL) -m 644 system/sysctl.conf '$(DESTDIR)$(SYSCONFDIR)/sysctl.d/shim6.conf'
	@$(INSTALL) -m 644 system/rt_protos.conf '$(DESTDIR)$(IPROUTE2DIR)/rt_protos.d/shim6.conf'
	@$(INSTALL) -m 644 system/rt_protos.conf '$(DESTDIR)$(IPROUTE2DIR)/rt_addrprotos.d/shim6.conf'
	@install -d -m 755 '$(DESTDIR)$(SYSCONFDIR)/shim6' build
	@sed 's:@sbindir@:$(PREFIX)/sbin:' system/shim6.service.in >build/shim6.service
	@$(INSTALL) -m 644 build/shim6.service '$(DESTDIR)$(PREFIX)/lib/systemd/system/shim6.service'
	@$(SHIM6) completion bash >build/completion.bash
	@$(SHIM6) completion zsh >build/completion.zsh
	@$(SHIM6) completion fish >build/completion.fish
	@$(INSTALL) -m 644 build/completion.bash '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/shim6'
	@$(INSTALL) -m 644 build/completion.zsh '$(DESTDIR)$(ZSHDIR)/_shim6'
	@$(INSTALL) -m 644 build/completion.fish '$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/shim6.fish'

install-dev:
	@$(INSTALL) -m 644 uapi/linux/shim6.h '$(DESTDIR)$(PREFIX)/include/linux/shim6.h'
	@$(INSTALL) -m 644 uapi/linux/shim6_netlink.h '$(DESTDIR)$(PREFIX)/include/linux/shim6_netlink.h'
	@mkdir -p build
	@sed 's:@prefix@:$(PREFIX):; s:@version@:$(VERSION):' system/shim6.pc.in >build/shim6.pc
	@$(INSTALL) -m 644 build/shim6.pc '$(DESTDIR)$(PREFIX)/share/pkgconfig/shim6.pc'

# The sources as DKMS takes them, with the version in dkms.conf; then
# `dkms install shim6/$(VERSION)`.
DKMSDIR = $(DESTDIR)/usr/src/shim6-$(VERSION)
install-dkms:
	@install -d -m 755 '$(DKMSDIR)/dkms'
	@find Kbuild COPYING uapi rust $(DKMS_WITHOUT) -prune -o -type f $(DKMS_FILES) \
		-exec cp --parents -t '$(DKMSDIR)' {} +
	@install -m 755 dkms/metadata dkms/build qemu/make-metadata qemu/unpack qemu/compiler qemu/preflight '$(DKMSDIR)/dkms'
	@sed 's/#MODULE_VERSION#/$(VERSION)/' dkms.conf >'$(DKMSDIR)/dkms.conf'
	@$(INSTALL) -m 644 system/modules-load.conf '$(DESTDIR)$(PREFIX)/lib/modules-load.d/shim6.conf'

# Packages in build/packages, made in a Debian system of their own.
deb:
	@qemu/packages build

test-packages:
	@qemu/packages test

clean:
	@[ ! -e '$(KDIR)/Makefile' ] || $(MAKE) -C '$(KDIR)' M='$(CURDIR)' clean
	rm -rf build

help:
	@echo 'make [KDIR=...]        the module against a kernel tree (default: the running kernel)'
	@echo 'make KERNEL=7.3|7.2    module, selftests and tools for a stock kernel'
	@echo 'make demo              a download changes its provider, in a virtual machine'
	@echo 'make test              all tests; the last line counts them'
	@echo 'make test PART=1/16    all tests, and a sixteenth of what takes long'
	@echo 'make test KERNEL=7.2   all selftests on one kernel of qemu/kernels.sh'
	@echo 'make test-stock        all selftests on the stock kernel'
	@echo 'make test-debug        what User-Mode Linux can run, on one with KASAN, lockdep, kmemleak ...'
	@echo 'make test-races        those in which processors meet, on a kernel that looks for data races'
	@echo 'make test-nics         two machines, and every emulated NIC between them'
	@echo 'make sim SEEDS=N|A..B  hosts made of the protocol code, with every fault there is'
	@echo 'make bench             throughput, contexts a second, and how long connections stand still when a'
	@echo '                       provider dies, as text and as files in build/; see qemu/bench'
	@echo 'make check             formatting, lints and host tests'
	@echo 'make fmt, make clippy  format the sources; lints alone'
	@echo 'make shell             a shell in the virtual machine, module loaded'
	@echo 'make update            look for newer packages of build roots, kernels and image'
	@echo 'make tools             the shim6 command, with the cargo of this machine'
	@echo 'make install           module, headers, manual and shim6 command on this machine; DESTDIR=, PREFIX='
	@echo 'make install-dkms      sources for DKMS instead of the module'
	@echo 'make deb               Debian packages, in build/packages'
	@echo 'make test-packages     installs, uses and removes them in virtual machines with systemd'
	@echo 'make clean             what was built in this checkout (the cache stays)'

.PHONY: modules demo test test-stock test-debug test-races test-nics sim bench check clippy fmt shell update tools \
	install install-module install-utils install-dev install-dkms deb test-packages clean help
