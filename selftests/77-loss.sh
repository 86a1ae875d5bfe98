#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Failures on paths that lose and reorder packets, and under datagrams that are larger
# than the path.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/reap.sh"

tap_begin
dmesg_mark

# S39
reap_up || die "hosts"
flow_start large udp -l -w 60 -s 4000 -i 20 A1 B1 || die "no datagrams"
topo_kill A1
survives "S39: the pair dies"
check "datagrams of 4000 octets go on" flow_goes large 20
# Each fragment has a header of ours before its own: 140, then 44.
topo_capture fragments A up2 'ip6[6] = 140 and ip6[40] = 44' || die "no capture"
check "over the other pair" flow_goes large 20
# A capture is not over before nothing more comes.
flow_stop large
topo_capture_stop
fragments=$(tcpdump -n -r "$TOPO_DIR/fragments.pcap" 2>/dev/null | wc -l)
holds "each fragment has a payload header of its own: $fragments" "$fragments >= 40"
back

# S37
for i in 1 2; do topo_netem A $i delay 5ms reorder 5% loss 5% || die "netem"; done
check "the stream goes on with loss and reordering" flow_goes stream 10000 30
stat_mark A B
topo_kill A1
survives "S37: the pair dies" 60
check "and goes on" flow_goes stream 20000 60
holds "no flapping: A moved $(stat_since A PairSwitched) times, B $(stat_since B PairSwitched)" \
	"$(stat_since A PairSwitched) <= 3 && $(stat_since B PairSwitched) <= 3"
check_flow "the stream is whole" stream
check "the kernel's log is clean" dmesg_clean
tap_end
