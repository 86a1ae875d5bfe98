#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A ULID outlives its interface: the address is deleted or the link goes down,
# the context stays and connections go on over other locators, also where the
# host has no other route to the peer's ULID (the route of last resort).

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

# has HOST: the context is there.
has() {
	local tag=TAG_$1

	on "$1" shim6 context show --tag-local "${!tag}"
}

goes_on() {
	flow_goes stream 300000 30 && flow_goes datagrams 10 30
}

tap_begin
# The main routing tables know the first provider only.
topo_up single
topo_contexts || die "contexts"
serve B
topo_switch_both A2 B2 || die "switch"
flow_start stream tcp -s 65536 -i 10 A1 B1 || die "no stream"
flow_start datagrams udp -l -w 60 -i 10 A1 B1 || die "no datagrams"

ip -6 -n "$(topo_ns A)" address del "$A1/64" dev up1
check "A's ULID is deleted: traffic goes on" goes_on
check "A's context stays" has A
check "A's link goes down" topo_link A 1 down
check "traffic goes on" goes_on
check "B's link goes down, its ULID with it" topo_link B 1 down
# An unconnected UDP server cannot answer from an address that is gone.
check "TCP goes on between two ULIDs that no interface has" flow_goes stream 300000 30
check "A's context stays" has A
check "B's context stays" has B

topo_link A 1 up
topo_link B 1 up
check "after the links came back traffic goes on" goes_on
check "and moves back to the ULIDs" topo_switch_both A1 B1
check "where it goes on" goes_on

topo_switch_both A2 B2
topo_carrier A 1 down
check "carrier lost at A: traffic goes on" goes_on
topo_carrier A 1 up

check_flow "the stream is whole" stream
check_flow "the datagrams are whole" datagrams
check "no checksum error on either host" no_csum_errors

on A shim6 context del --tag-local "$TAG_A"
is "with the context its route of last resort goes" \
	"$(ip -6 -n "$(topo_ns A)" route show table 140 2>/dev/null)" ""
tap_end
