#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A namespace goes away in the middle of translated traffic: with its contexts,
# without a trace in the log, and the other end survives.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

round() {
	local name

	topo_up direct && topo_contexts && serve B && topo_switch_both A2 B2 || return
	flow_start stream tcp -s 65536 -i 10 A1 B1 || return
	spawn A traffic udp -n 0 -l -i 1 -s 3000 "$A1" "$B1" "$PORT" >/dev/null
	flow_goes stream 500000 || return
	# The name and the devices go first; the flows hold the rest.
	ip netns del "$(topo_ns A)"
	for name in "${FLOW_PID[stream]}" "$SPAWNED"; do
		kill -KILL "$name"
		wait "$name" 2>/dev/null
	done
	# The far end lives on.
	stat_get B InTranslated && on B shim6 context show && topo_down
}

tap_begin
dmesg_mark
for i in 1 2 3; do
	# Not by check: flows are children of this shell.
	round >"/tmp/$TOPO.round" 2>&1
	is "namespace deleted under traffic, round $i" $? 0
	rm -f "/tmp/$TOPO.round"
done
check "the kernel's log is clean" dmesg_clean
tap_end
