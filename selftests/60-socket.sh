#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A socket sees when its context is there, and may ask for one with its first packet,
# which waits for nothing (RFC 5533 sections 4 and 7). Scenario S03.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"

# One way, in the core; large against what an emulated machine takes to compute.
readonly DELAY=150

# when NAME FILTER: milliseconds of the first such packet of a capture.
when() {
	tcpdump -n -tt -r "$TOPO_DIR/$1.pcap" "$2" 2>/dev/null |
		awk '{ printf "%d\n", $1 * 1000; exit }'
}

# Event times of `shim6 monitor`: milliseconds from the first event whose FILTER
# holds to the next one for which the other does.
between_events() {
	local from to

	from=$(jq -r "select($2) | .time" <"$1" | head -n 1)
	to=$(jq -r "select($3) | .time" <"$1" | head -n 1)
	echo $(($(date -d "$to" +%s%3N) - $(date -d "$from" +%s%3N)))
}

tap_begin
topo_up
serve B
dmesg_mark
identity A || die "identity"
identity B || die "identity"

# A connection that is worth it.
setting A establish auto
flow_start bulk tcp -i 20 -s 500 A1 B1 || die "no connection"
check "auto: A has a context" comes_to A ESTABLISHED
check "the connection goes on" flow_goes bulk 5000
check_flow "everything came back" bulk
flow=$(cat "$TOPO_DIR/bulk.out")
is "the socket had no context at first, then one (SHIM_ASSOCIATED)" \
	"$(value associated_first <<<"$flow") $(value associated <<<"$flow")" "0 1"
setting A establish on-request
on A shim6 context flush && on B shim6 context flush

# A socket that does not want to wait, and time.
topo_netem A 1 delay ${DELAY}ms || die "netem"
topo_capture s03 A up1 ip6
monitor_start A || die "no monitor"
check "a connection that asks at once" once tcp -S -n 3000 -s 500 -i 200 A1 B1
check "has a context" comes_to A ESTABLISHED
topo_capture_stop
syn=$(when s03 'ip6[6] = 6 and ip6[53] = 2') syn_ack=$(when s03 'ip6[6] = 6 and ip6[53] = 18')
i1=$(when s03 'ip6[6] = 140 and ip6[42] = 1') r2=$(when s03 'ip6[6] = 140 and ip6[42] = 4')
holds "I1 leaves with the SYN #17 #68" "$i1 - $syn < $DELAY && $syn - $i1 < $DELAY"
holds "which is answered after one round trip #18 #69" "$syn_ack - $syn < 3 * $DELAY"
holds "R2 comes two round trips after I1" \
	"$r2 - $i1 >= 4 * $DELAY - 1 && $r2 - $i1 < 6 * $DELAY"
note "from I1 to R2 it took $((r2 - i1)) ms, with a round trip of $((2 * DELAY)) ms"
check "the monitor has seen it" wait_until 5 grep -q ESTABLISHED "$TOPO_DIR/events-A"
took=$(between_events "$TOPO_DIR/events-A" '.event == "added"' '.state == "ESTABLISHED"')
holds "and A is ESTABLISHED two round trips after it began" \
	"$took >= 4 * $DELAY - $DELAY / 5 && $took < 6 * $DELAY"
note "it took $took ms"
is "I1, R1, I2, R2, once each" "$(types s03)" "I1 R1 I2 R2"
check "tshark finds all checksums right" tshark_checksums s03
check "the kernel's log is clean" dmesg_clean
tap_end
