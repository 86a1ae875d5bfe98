# SPDX-License-Identifier: GPL-2.0
#
#	make                     the module, against KDIR (default: the running kernel)
#	make KERNEL=7.3          the module, selftests and tools for a stock kernel that
#	                         is fetched with its build root; see qemu/kernels.sh
#	make help                everything else

KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr/local
export KDIR

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
	@qemu/test

test-stock:
	@qemu/test stock

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
	@cargo build --release --locked --manifest-path tools/shim6/Cargo.toml --target-dir build/host

install: modules tools
	@$(MAKE) -C '$(KDIR)' M='$(CURDIR)' modules_install
	install -D -m 644 uapi/linux/shim6.h '$(DESTDIR)$(PREFIX)/include/linux/shim6.h'
	install -D -m 644 uapi/linux/shim6_netlink.h '$(DESTDIR)$(PREFIX)/include/linux/shim6_netlink.h'
	install -D -m 644 Documentation/man/shim6.7 '$(DESTDIR)$(PREFIX)/share/man/man7/shim6.7'
	install -D -m 644 Documentation/man/shim6.8 '$(DESTDIR)$(PREFIX)/share/man/man8/shim6.8'
	install -D -m 755 build/host/release/shim6 '$(DESTDIR)$(PREFIX)/sbin/shim6'

clean:
	@[ ! -e '$(KDIR)/Makefile' ] || $(MAKE) -C '$(KDIR)' M='$(CURDIR)' clean
	rm -rf build

help:
	@echo 'make [KDIR=...]        the module against a kernel tree (default: the running kernel)'
	@echo 'make KERNEL=7.3|7.2    module, selftests and tools for a stock kernel'
	@echo 'make demo              a download changes its provider, in a virtual machine'
	@echo 'make test              all tests; the last line counts them'
	@echo 'make test-stock        all selftests on the stock kernel'
	@echo 'make test-nics         two machines, and every emulated NIC between them'
	@echo 'make sim SEEDS=N|A..B  hosts made of the protocol code, with every fault there is'
	@echo 'make bench             throughput, contexts a second, and how long connections stand still when a'
	@echo '                       provider dies, as text and as files in build/; see qemu/bench'
	@echo 'make check             formatting, lints and host tests'
	@echo 'make fmt, make clippy  format the sources; lints alone'
	@echo 'make shell             a shell in the virtual machine, module loaded'
	@echo 'make update            look for newer packages of build roots, kernels and image'
	@echo 'make tools             the shim6 command, with the cargo of this machine'
	@echo 'make install           module, headers, manual and shim6 command on this machine'
	@echo 'make clean             what was built in this checkout (the cache stays)'

.PHONY: modules demo test test-stock test-nics sim bench check clippy fmt shell update tools install clean help
