#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A socket with SHIM_DONTSHIM stays on the ULIDs, dies with their path, and
# comes back with it; others move and go on (shim-api draft section 5.2).

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

stands_still() {
	local before

	before=$(flow_count "$1")
	# The other stream is the clock: it gets on while this one must not.
	flow_goes moving 3000000 || return
	(($(flow_count "$1") == before))
}

tap_begin
topo_up
topo_contexts || die "contexts"
serve B
flow_start moving tcp -s 65536 -i 10 A1 B1 || die "no stream"
flow_start staying tcp -d -w 60 -s 1000 -i 2 A1 B1 || die "no stream with SHIM_DONTSHIM"

topo_switch A A2 B2 || die "switch"
before=$(topo_pair A1 B1)
check "after a switch the stream goes on" flow_goes moving 1000000
check "so does the one with SHIM_DONTSHIM" flow_goes staying 100000
holds "its packets still go from ULID to ULID #20 #32" "$(topo_pair A1 B1) > $before"
holds "those of the other from A2 to B2" "$(topo_pair A2 B2) > 0"

topo_break A1 B1
check "when the ULIDs' path is broken, the one that moved goes on" flow_goes moving 1000000
pause 1
check "the one with SHIM_DONTSHIM stands still" stands_still staying
topo_heal
check "and goes on when the path is back" flow_goes staying 10000 60

check_flow "the stream that moved is whole" moving
check_flow "the stream that stayed is whole" staying
tap_end
