#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Hosts that do more than sit at the end of a wire: one forwards for a guest behind it,
# one has its second uplink in a bridge: their contexts work as elsewhere, and what is not
# theirs passes as it is. One has its uplinks in a VRF, whose addresses are no locators: all
# works there as if there were no shim.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"

# anew: hosts with contexts, nothing switched yet.
anew() {
	topo_up direct && topo_contexts && serve B && stat_mark A B
}

# works WHAT: the contexts do what they are for, by both pairs.
works() {
	topo_switch_both A2 B2 || die "switch"
	stat_mark A B
	check "$1: TCP over the second provider" once tcp -n 300000 A1 B1
	check "$1: datagrams in fragments, too" once udp -n 5 -i 2 -s 4000 A1 B1
	holds "  by the context" "$(stat_since A OutTranslated) > 10 && $(stat_since A InTranslated) > 10"
	is "  without a drop" "$(stat_drops A)" ""
	topo_switch_both A1 B1 || die "switch"
	check "$1: between the ULIDs" once tcp -n 100000 A1 B1
}

#
# A forwards
#

# guest: a namespace behind A, which B knows the way to.
guest() {
	topo_guest A && ip -6 -n "$(topo_ns B)" route add 2001:db8:5:1::/64 via fe80::2 dev up2
}

tap_begin
dmesg_mark
anew || die "hosts"
guest || die "a guest"
works "a host that forwards"
topo_switch_both A2 B2
stat_mark A B
check "the guest reaches B" on guest ping -q -c 3 -i 0.1 "$B1"
check "  and a connection of it works" on guest traffic tcp -n 100000 "$GUEST" "$B1" "$PORT"
is "  A has nothing to do with that" \
	"$(stat_since A OutTranslated) $(stat_since A OutUlids) $(stat_since A InTranslated)" "0 0 0"
is "  nor has B's context" "$(stat_since B OutTranslated) $(stat_since B InTranslated)" "0 0"
topo_down
ip netns del "$TOPO-guest"

#
# A's second uplink is a port of a bridge
#

bridged() {
	on A ip -6 -batch - <<-END
		link add br0 type bridge
		link set br0 addrgenmode none
		link set up2 master br0
		link set br0 up
		address del $A2/64 dev up2
		address del fe80::2/64 dev up2
		address add $A2/64 dev br0 nodad
		address add fe80::2/64 dev br0 nodad
		route replace 2001:db8:a:2::/64 dev br0 table 102
		route replace default via fe80::1 dev br0 table 102
		route replace default via fe80::1 dev br0 metric 200
	END
}

anew || die "hosts"
bridged || die "a bridge"
works "a host with a bridge"
if on A test -e /proc/sys/net/bridge/bridge-nf-call-ip6tables; then
	on A bash -c 'echo 1 >/proc/sys/net/bridge/bridge-nf-call-ip6tables'
	works "with br_netfilter"
else
	skip "with br_netfilter" "no br_netfilter"
fi
topo_down

#
# A's uplinks are in a VRF
#

vrf() {
	on A ip -6 -batch - <<-END
		link add red type vrf table 500
		link set red up
		link set up1 master red
		link set up2 master red
		address replace fe80::2/64 dev up1 nodad
		address replace fe80::2/64 dev up2 nodad
		address replace $A1/64 dev up1 nodad
		address replace $A2/64 dev up2 nodad
		route replace 2001:db8:b:2::/64 via fe80::1 dev up2 table 500
		route replace default via fe80::1 dev up1 table 500
	END
}

# within: a connection from A's VRF to B's echo server.
within() {
	on A python3 - "$A1" "$B1" "$PORT" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"red")
		s.settimeout(10)
		s.bind((sys.argv[1], 0))
		s.connect((sys.argv[2], int(sys.argv[3])))
		for _ in range(50):
		    s.sendall(b"x" * 1000)
		    got = 0
		    while got < 1000:
		        got += len(s.recv(1000)) or sys.exit(1)
	END
}

{ anew && on A shim6 context del --tag-local "$TAG_A" && on B shim6 context del --tag-local "$TAG_B"; } || die "hosts"
vrf || die "a VRF"
identity B && setting B i1_timeout 200
stat_mark A
check "in a VRF a connection works" within
start B
check "B asks for a context: A does not give its VRF's addresses one" comes_to B E-FAILED 60
is "  and has counted each of its questions" "$(stat_since A InControlIgnored)" 5
check "the connection works as before" within
is "  without a context, nor a trace of one" \
	"$(stat_get A Contexts) $(stat_since A OutTranslated) $(stat_since A InTranslated)" "0 0 0"
check "the kernel's log is clean" dmesg_clean
tap_end
