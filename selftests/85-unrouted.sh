#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A peer whose ULID no route leads to: without a context nothing can be sent to it, and
# that is told at once; with one that was there first, all goes over other locators
# (draft-ietf-shim6-multihome-shim-api-03, Section 5.12; choice A-25). #n is the number
# in the checklist of the draft.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

# unroute: A has routes to B2 and to no other address of B.
unroute() {
	local i

	for i in 1 2; do
		ip -6 -n "$(topo_ns A)" -batch - <<-END || return
			route del default dev up$i
			route del default dev up$i table 10$i
			route add 2001:db8:b:2::/64 via fe80::1 dev up$i metric ${i}00
			route add 2001:db8:b:2::/64 via fe80::1 dev up$i table 10$i
		END
	done
}

# unreachable: A's connection to B's ULID fails, because the network is unreachable.
unreachable() {
	! once tcp -S -n 1000 A1 B1 2>"$TOPO_DIR/error" && grep -q "unreachable" "$TOPO_DIR/error"
}

tap_begin
dmesg_mark
topo_up
serve B
check "there is a route" once tcp -n 1000 A1 B1
check "the route goes" unroute
stat_mark A
since=$(now_ms)
check "#70: without a context a connection fails, though it would have one at once" unreachable
holds "#70: without waiting" "$(now_ms) - $since < 2000"
is "#70: there is nowhere to send I1 to" "$(stat_since A OutI1)" 0

# An administrator knows where else the peer is.
topo_forget_pairs
topo_contexts || die "contexts"
topo_switch_both A2 B2 || die "switch"
check "#70: with a context that was established first it is made" once tcp -n 100000 A1 B1
check "#70: and datagrams go" once udp -n 10 A1 B1
holds "#70: over other locators" "$(topo_pair A2 B2) > 0 && $(topo_pair A1 B1) == 0"
on A shim6 context del --tag-local "$TAG_A"
check "#70: and when the context goes, nothing is sent again" unreachable
check "the kernel has nothing to complain about" dmesg_clean
tap_end
