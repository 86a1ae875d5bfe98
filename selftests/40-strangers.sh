#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shim6 packets that are not for this host are nobody's business: routers and
# bridges that have the module, even a context with the very same tag, pass
# them on octet by octet.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

# stranger NODE: a context there whose own tag is the one in packets to B.
stranger() {
	ip -6 -n "$(topo_ns "$1")" address replace 2001:db8:c::1/128 dev lo || return
	on "$1" shim6 context add --ulid-local 2001:db8:c::1 --ulid-peer 2001:db8:e::1 \
		--tag-local "$TAG_B" --tag-peer 0x1234 \
		--locator-local 2001:db8:c::1 --locator-peer 2001:db8:e::1
}

# bodies NAME: packets of a capture from their IPv6 source address on: without
# the hop limit, which routers lower.
bodies() {
	tcpdump -n -t -x -r "$TOPO_DIR/$1.pcap" 2>/dev/null | awk '
		/^IP6/ { if (line) print line; line = "" ; next }
		/0x0000:/ { $5 = substr($5, 1, 2) }
		{ $1 = ""; line = line $0 }
		END { print line }'
}

content() {
	once tcp -n 2000000 -s 65536 A1 B1 && once udp -n 5 -i 2 -s 3000 A1 B1 && no_csum_errors
}

# passes WHAT NODE IN OUT: traffic between the hosts through a node.
passes() {
	local what=$1 node=$2

	stranger "$node" || die "context in $node"
	stat_mark "$node"
	check "$what: content" content
	is "$what: nothing is translated" \
		"$(stat_since "$node" InTranslated) $(stat_since "$node" OutTranslated)" "0 0"
	is "$what: nothing is dropped" "$(stat_drops "$node")" ""
	# Small packets, one by one: nothing that offloads would cut anew.
	topo_capture in "$node" "$3" "src $A2 and ip6 proto 140"
	topo_capture out "$node" "$4" "src $A2 and ip6 proto 140"
	once raw -n 20 -i 5 A1 B1 >/dev/null
	topo_capture_stop
	holds "$what: both sides captured" "$(bodies in | wc -l) == 20"
	is "$what: packets are the same, octet by octet" "$(bodies out)" "$(bodies in)"
}

tap_begin
topo_up
topo_contexts || die "contexts"
serve B
topo_switch_both A2 B2 || die "switch"
passes "router" core a2 b2
for option in tso gro tx; do
	on core ethtool -K b2 $option off >/dev/null
	check "router with $option off" content
done
topo_down

modprobe br_netfilter 2>/dev/null
topo_up bridge
if on br test -e /proc/sys/net/bridge/bridge-nf-call-ip6tables; then
	on br bash -c 'echo 1 >/proc/sys/net/bridge/bridge-nf-call-ip6tables'
	# conntrack would put fragments together again, and is not what is tested.
	topo_contexts || die "contexts"
	serve B
	topo_switch_both A2 B2 || die "switch"
	passes "bridge with br_netfilter" br a2 b2
else
	skip "bridge with br_netfilter" "no br_netfilter"
fi
tap_end
