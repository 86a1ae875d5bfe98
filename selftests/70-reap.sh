#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Hosts notice by themselves that a pair of locators has failed, find another one and
# move there, while connections go on (RFC 5534). The Send Timeout is one second.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/reap.sh"

tap_begin
dmesg_mark
reap_up || die "hosts"
is "a context that works" "$(reap A) $(reap B)" "operational operational"
reap_capture s20 A up2 || die "no capture"

# S20
monitor_start A || die "no monitor"
monitor=$SPAWNED
topo_kill A1
survives "S20: the pair in use dies: the stream goes on"
topo_capture_stop
# probes EVENT: the pairs that the monitor told it of, as names.
probes() {
	names "$(jq -r "select(.event == \"$1\") | .probed_local + \" \" + .probed_peer" "$TOPO_DIR/events-A" |
		sort -u | paste -sd ,)"
}
answered() {
	[[ $(probes probe-reported) == "A2 B2" ]]
}
tried() {
	[[ $(probes probe-sent) == *"A1 B1"*"A2 B2"* ]]
}
check "the monitor tells what the peer has answered: the pair in use now" wait_until 5 answered
check "and what was tried before that" tried
stop "$monitor"
is "A and B use the other pair" "$(pair A), $(pair B)" "A2 B2, B2 A2"
is "because of a probe" "$(shows A .pair_reason) $(shows B .pair_reason)" "probed probed"
holds "A explored once, and moved once" \
	"$(stat_since A Explored) <= 1 && $(stat_since A PairSwitched) == 1"
is "only Probes were needed" "$(types s20 | tr ' ' '\n' | sort -u)" Probe
is "what was tried is known" \
	"$(shows A '[.history[].event | select(. == "exploring" or . == "operational")] | unique | join(" ")')" \
	"exploring operational"
back

# S21. What B sends to A1 still gets there.
topo_break A1 B1
survives "S21: A does not reach B any more, over the ULIDs"
holds "A moved" "$(stat_since A PairSwitched) == 1"
check_not "away from that pair" uses A "A1 B1"
back

# S23
for survivor in "A2 B1" "A1 B2" "A2 B2"; do
	read -r a b <<<"$survivor"
	topo_only "$a" "$b"
	topo_only "$b" "$a"
	survives "S23: only $survivor works"
	is "A and B use it" "$(pair A), $(pair B)" "$a $b, $b $a"
	back
done

# S25
topo_only A1 B2
topo_only B1 A2
survives "S25: each direction has a pair of its own"
is "they use these" "$(pair A), $(pair B)" "A1 B2, B1 A2"

# S26
topo_heal
topo_kill B2 A2
survives "S26: the ULIDs work again, and what was used dies"
is "they use the ULIDs" "$(pair A), $(pair B)" "A1 B1, B1 A1"
check_flow "the stream is whole" stream
check "tshark finds all checksums right" tshark_checksums s20
check "the kernel's log is clean" dmesg_clean
tap_end
