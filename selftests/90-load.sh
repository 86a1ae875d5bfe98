#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Load, unload, reload: what the module brings, that it leaves nothing behind,
# that it refuses to go while a socket needs it, and that connections survive.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"
. "$(dirname "$0")/lib/module.sh"


# traces: all that the module adds anywhere, as the kernel shows it.
traces() {
	local node

	nft list hooks ip6 | grep -v '^#'
	genl ctrl list 2>/dev/null | grep 'Name:'
	cut -d ' ' -f 1 /sys/kernel/tracing/enabled_functions
	cut -d ' ' -f 1,2 /sys/kernel/tracing/set_event 2>/dev/null
	for node in A B; do
		echo "$node"
		on $node bash -c 'echo /proc/net/*; echo /proc/sys/net/*'
		ip -6 -n "$(topo_ns $node)" rule
		ip -6 -n "$(topo_ns $node)" route show table all | sed 's/ expires.*//'
	done
	awk '$1 ~ /shim6/' /proc/slabinfo /proc/modules
	ls -d /sys/module/shim6 /sys/kernel/debug/shim6* 2>/dev/null
	# Whatever has a name of ours is a trace, wherever it is.
	grep -E 'shim6' /proc/kallsyms | head -n 3
}

has_stat() {
	on "$1" test -r /proc/net/shim6_stat
}

refuses() {
	! rmmod shim6 2>"$TOPO_DIR/refusal" && grep -i "in use" "$TOPO_DIR/refusal"
}

hooked() {
	on A nft list hooks ip6 | grep shim6
}

module_need
tap_begin
at_exit load
dmesg_mark
topo_up direct
load || die "insmod"

check "unload" rmmod shim6
traces >"$TOPO_DIR/before"
serve B
flow_start early tcp -s 1000 -i 2 A1 B1 || die "no stream without the module"

check "load" insmod "$MODULE"
for host in A B; do
	check "host $host has /proc/net/shim6_stat, in a namespace older than the module" has_stat $host
	check "host $host has net.shim6" on $host test -d /proc/sys/net/shim6
done
check "a namespace made after it has them, too" \
	unshare -n bash -c 'test -r /proc/net/shim6_stat && test -d /proc/sys/net/shim6'
check_not "loading it twice is refused" insmod "$MODULE"
check_not "it has no hooks as long as nothing needs them" hooked

topo_contexts || die "contexts"
check "nft names its hooks" hooked
topo_switch_both A2 B2 || die "switch"
check "a connection older than the module moves to other locators" flow_goes early 100000
holds "by the shim" "$(stat_get A OutTranslated) > 10"
flow_start late tcp -s 1000 -i 2 A1 B1 || die "no stream with the module"

check "unload with contexts, sockets and traffic" rmmod shim6
check "the older connection goes on over the ULIDs" flow_goes early 100000 60
check "the newer one, too" flow_goes late 100000 60
check_flow "the older is whole" early
check_flow "the newer is whole" late
traces >"$TOPO_DIR/after"
check "no trace is left: hooks, families, files, settings, rules, routes, symbols" \
	diff "$TOPO_DIR/before" "$TOPO_DIR/after"

check "reload" insmod "$MODULE"
topo_contexts || die "contexts"
topo_switch_both A2 B2 || die "switch"
check "it works again" once tcp -n 100000 A1 B1

flow_start staying tcp -d -s 1000 -i 2 A1 B1 || die "no stream with SHIM_DONTSHIM"
check "in use by a socket with SHIM_DONTSHIM it refuses to go" refuses
check "and goes on working" once tcp -n 100000 A1 B1
check_flow "the stream of that socket is whole" staying
check "after its end it goes" wait_until 10 rmmod shim6
traces >"$TOPO_DIR/after"
check "no trace is left" diff "$TOPO_DIR/before" "$TOPO_DIR/after"
check "load for those that come after" insmod "$MODULE"
check "the kernel's log is clean" dmesg_clean
tap_end
