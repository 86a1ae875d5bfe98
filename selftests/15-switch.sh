#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The locator pair changes in mid-stream, each direction on its own, in either
# order, over all four pairs, and back to the ULIDs; TCP does not notice.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

readonly ENOUGH=500000

# moving HOST: pairs on which the core gets packets from a host, while the
# stream goes on.
moving() {
	local source destination packets
	declare -A before

	while read -r source destination packets; do
		before[$source $destination]=$packets
	done < <(topo_pairs)
	flow_goes stream "$ENOUGH" || return
	while read -r source destination packets; do
		[[ $source == 2001:db8:${1,}:* ]] || continue
		((packets == ${before[$source $destination]:-0})) || echo "$source $destination"
	done < <(topo_pairs)
}

# moves HOST LOCAL PEER: after a switch the stream goes on, and the packets of
# that host take that pair and no other.
moves() {
	topo_switch "$1" "$2" "$3" || return
	# What was on its way gets there.
	flow_goes stream "$ENOUGH" || return
	[[ $(moving "$1") == "${!2} ${!3}" ]] || { moving "$1"; return 1; }
}

tap_begin
topo_up
topo_contexts || die "contexts"
serve B
flow_start stream tcp -s 65536 -i 10 A1 B1 || die "no stream"
flow_start datagrams udp -i 20 -l A1 B1 || die "no datagrams"

for pair in "A2 B2" "A1 B2" "A2 B1" "A1 B1"; do
	read -r a b <<<"$pair"
	check "A moves to $a, $b first, B still elsewhere" moves A "$a" "$b"
	check "then B moves to $b, $a" moves B "$b" "$a"
done
for pair in "A2 B2" "A1 B1"; do
	read -r a b <<<"$pair"
	check "B moves to $b, $a first, A still elsewhere" moves B "$b" "$a"
	check "then A moves to $a, $b" moves A "$a" "$b"
done
stat_mark A
check "on the ULIDs the stream goes on" flow_goes stream "$ENOUGH"
is "and the payload header is gone" "$(stat_since A OutTranslated)" 0

check "four quick switches in a row" eval \
	'topo_switch_both A2 B2 && topo_switch_both A1 B2 && topo_switch_both A2 B1 && topo_switch_both A1 B1'
check "the stream goes on" flow_goes stream "$ENOUGH"

topo_switch A A2 B1
topo_switch B B2 A1
check "the two directions use different pairs for good" flow_goes stream "$ENOUGH"
holds "A sends from A2 to B1" "$(topo_pair A2 B1) > 0"
holds "B sends from B2 to A1" "$(topo_pair B2 A1) > 0"

check_flow "the stream is whole" stream
check_flow "datagrams are whole" datagrams
lost=$(($(value sent <"$TOPO_DIR/datagrams.out") - $(value received <"$TOPO_DIR/datagrams.out")))
is "no datagram was lost by a switch" $lost 0
check "no checksum error on either host" no_csum_errors
tap_end
