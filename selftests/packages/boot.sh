#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In a Debian system that systemd booted, with the packages and the configuration of
# configure.sh: what has to be in force after boot is, and what has to happen on demand
# does. Run by qemu/packages.

. "$(dirname "$0")/../lib/tap.sh"

diag_dump() {
	systemctl --no-pager --full status shim6 systemd-modules-load systemd-sysctl
	ip -6 -br address
	ip -6 rule
}

# at_rest: systemd has done what it has to do; prints how that ended.
at_rest() {
	systemctl is-system-running --wait
}

setting() {
	cat "/proc/sys/net/shim6/$1"
}

# Name and value of each setting, as the module has it and as sysctl.d has it in comments.
of_the_module() {
	(cd /proc/sys/net/shim6 && grep -H . -- *) | sed 's/:/ = /' | sort
}

of_the_file() {
	sed -n 's/^#\{0,1\}net\.shim6\.//p' /etc/sysctl.d/shim6.conf | sort
}

has_address() {
	ip -6 -br address show dev up1 |
		grep -qF "$(shim6 hba show /etc/shim6/boot.hba | sed -n '/^ *address/,$p' | grep -o '2001:db8:a:1:.*')/64"
}

# The rules say who made them, in words.
has_rules() {
	ip -6 rule | grep -q 'from 2001:db8:a:1::/64 lookup .* proto shim6-hba'
}

# The service is asked for a file anew: it has taken it when the command returns.
policy_is() {
	shim6 policy show | grep -q "$1"
}

tap_begin
dmesg_mark
is "nothing failed at boot" "$(at_rest)$(systemctl --no-legend list-units --failed)" "running"
check "the module was loaded" test -d /sys/module/shim6
is "from where DKMS put it" "$(modinfo -n shim6)" "/lib/modules/$(uname -r)/updates/dkms/shim6.ko.xz"
check "the service runs" systemctl is-active shim6
is "and says how it is" "$(systemctl show -P StatusText shim6 | cut -d';' -f1)" "1 identities, 2 addresses"
check "the identity of the file is in force" shim6 identity show boot
check "the policy of the file is in force" policy_is 2001:db8:b::/48
is "a setting of sysctl.d is in force" "$(setting send_timeout)" 7000
is "settings and defaults are those of sysctl.d" "$(of_the_module | grep -v '^tag_bits')" "$(of_the_file)"

# The prefix appears while the service runs.
ip link add up1 type dummy
ip link set up1 up
ip address add 2001:db8:a:1::2/64 dev up1 nodad
check "the address goes where its prefix is" wait_until 20 has_address
check "ip knows by name who assigned it" grep -q 'proto shim6-hba' <(ip -6 address show dev up1)
ip -6 route add default via fe80::1 dev up1
check "it gets a way out by its router" wait_until 20 has_rules
is "and who made it" "$(ip -6 route show table all proto shim6-hba)" "$(ip -6 route show table all proto 141)"

# Another file, by the manager.
sed -i 's:2001\:db8\:b\:\:/48:2001\:db8\:c\:\:/48:' /etc/shim6/shim6.toml
check "a reload is done when systemctl says so" systemctl reload shim6
check "and is in force" policy_is 2001:db8:c::/48

# The sandbox lets it write settings.
printf '\n[settings]\nsend_timeout = 5000\n' >>/etc/shim6/shim6.toml
systemctl reload shim6
is "settings of the file" "$(setting send_timeout)" 5000
check "the unit is without objections of systemd" systemd-analyze --man=no verify shim6.service

# On demand: the first command that speaks to the family.
systemctl stop shim6
check "addresses stay when the service ends" has_address
rmmod shim6 || die "the module is in use"
check "the command loads the module" shim6 context show
check "it is loaded" test -d /sys/module/shim6
check "the kernel has nothing to say" dmesg_clean
tap_end
