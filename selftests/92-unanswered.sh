#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A peer that does not answer, with the times of RFC 5533 section 14: I1 at nominal
# 0, 4, 12, 28 and 60 s, E-FAILED at 124 s, and none for 60 s more. Scenario S05; it
# takes three to five minutes.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/loss.sh"

# Milliseconds that an emulated machine may be late, or a rounded timer early.
readonly LATE=300 EARLY=5

gaps() {
	messages "$1" | awk '$4 == "I1" { if (n++) print $1 - last; last = $1 }'
}

tap_begin
topo_up
serve B
dmesg_mark
identity A || die "identity"
identity B || die "identity"
lose all || die "nftables"
topo_capture unanswered A up1 'ip6 proto 140' || die "tcpdump"
on A shim6 policy add "$B1/128"
flow_start bulk tcp -i 100 -s 500 A1 B1 || die "no connection"
check "E-FAILED in the end" comes_to A E-FAILED 200
is "after five I1" "$(types unanswered)" "I1 I1 I1 I1 I1"
lose_none
check "A is ESTABLISHED when it has left B alone for its time" comes_to A ESTABLISHED 80
check_flow "the connection has not noticed" bulk
topo_capture_stop

nominal=4000
while read -r gap; do
	if ((nominal <= 32000)); then
		holds "I1 again after $gap of $nominal ms" \
			"$gap >= $nominal / 2 - $EARLY && $gap <= $nominal * 3 / 2 + $LATE"
	else
		# The wait for an answer to the last one, then NO_R1_HOLDDOWN_TIME, then a
		# packet of the connection.
		holds "the sixth after $gap ms" \
			"$gap >= $nominal / 2 + 60000 - $EARLY && $gap <= $nominal * 3 / 2 + 60000 + 200 + $LATE"
	fi
	nominal=$((nominal * 2))
done < <(gaps unanswered)
is "six I1, then one I2" "$(types unanswered A)" "I1 I1 I1 I1 I1 I1 I2"
check "tshark finds all checksums right" tshark_checksums unanswered
check "the kernel's log is clean" dmesg_clean
tap_end
