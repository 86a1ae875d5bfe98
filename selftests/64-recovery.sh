#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# One host loses its contexts, or both do (RFC 5533, Sections 7.5 and 7.15): they
# find back to each other, and a tag that was given out twice confuses nobody.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/loss.sh"
. "$(dirname "$0")/lib/wide.sh"

# hex ADDRESS: the 32 digits of an address that has all its groups.
hex() {
	local group

	for group in $(topo_address "$1" | tr : ' '); do
		printf '%04x' "0x$group"
	done
}

# capture NAME HOST IF: control messages only, so that payload that goes on does
# not keep the capture from ending.
capture() {
	topo_capture "$@" 'ip6[6] = 140 and ip6[42] < 128'
}

# recovery NAME: the types of these messages, but only the first R1bis: payload
# that is on its way when it comes brings others.
recovery() {
	types "$1" | tr ' ' '\n' | awk '$1 != "R1bis" || !n++' | paste -sd ' '
}

# has_ulids NAME: the I2bis has the pair of A1 and B1 in it.
has_ulids() {
	messages "$1" | grep " I2bis " | grep -q "$(hex A1)$(hex B1)"
}

# fresh: no contexts, no flows over them, the shortest way again.
fresh() {
	local host

	for host in A B; do
		on "$host" shim6 context flush || return
	done
	topo_heal && establish
}

has_recovered() {
	(($(stat_since A ContextRecovered) > 0)) && [[ $(state A) == ESTABLISHED ]]
}

recovers() {
	wait_until 10 has_recovered && comes_to B ESTABLISHED
}

tap_begin
dmesg_mark
topo_up
for host in A B; do
	{ identity $host && timers $host 20 && setting $host idle_timeout 300000; } || die "host $host"
done
serve B

# S60
fresh || die "no context"
flow_start stream tcp -s 65536 -i 10 A1 B1 || die "no stream"
check "S60: the stream goes over the other pair" \
	eval 'topo_switch_both A2 B2 && flow_goes stream 300000'
capture s60 A up2 || die "no capture"
stat_mark A B
old=$(shows A .tag_peer)
on B shim6 context flush
check "B forgets its context, and A recovers" recovers
check "the stream goes on" flow_goes stream 300000
topo_capture_stop
is "the messages, on the pair in use" "$(recovery s60)" "R1bis I2bis R2"
is "they went between A2 and B2 only" \
	"$(messages s60 | awk '{ print $2, $3 }' | sort -u)" "$(printf '%s\n' "$A2 $B2" "$B2 $A2" | sort)"
check "I2bis has the ULID pair" has_ulids s60
holds "the peer's tag is another one" "0x$(shows A .tag_peer) != 0x$old"
is "both sides know the new tags" "$(shows A '.tag_local + .tag_peer')" \
	"$(shows B '.tag_peer + .tag_local')"
is "A sends over the same pair as before" "$(shows A '.current_local + " " + .current_peer')" "$A2 $B2"

# S69
stat_mark A B
# What A sends meanwhile would bring an answer without an identity.
topo_kill A2
on B shim6 context flush
on B shim6 identity del hostB
check "S69: B forgets who it is, and is told again" identity B
topo_heal
check "A recovers" recovers
check "the stream goes on" flow_goes stream 300000
is "B proves its locators again" "$(shows A '[.locator_peer[] | .verified] | all')" true
check_flow "the stream is whole" stream

# S61
fresh || die "no context"
flow_start stream tcp -s 65536 -i 10 A1 B1 || die "no stream"
on B shim6 context flush
check "S61: B forgets while the ULIDs are in use: nobody notices" flow_goes stream 300000
is "A thinks that all is well" "$(state A)" ESTABLISHED
topo_kill A1 B1
capture s61 A up2 || die "no capture"
stat_mark A B
check "the ULIDs' paths die, A moves to the other pair" topo_switch A A2 B2
check "payload there is answered with R1bis there, and A recovers" recovers
check "B answers from the pair that works" flow_goes stream 300000
topo_capture_stop
is "the messages of the recovery" "$(recovery s61)" "R1bis I2bis R2"
topo_heal
check_flow "the stream is whole" stream

# S62
fresh || die "no context"
old=$(shows A .tag_peer)
monitor_start A || die "no monitor"
monitor=$SPAWNED
capture s62 A up1 || die "no capture"
on B shim6 context flush
check "S62: B forgets and asks by itself" start B
check "B has a context" comes_to B ESTABLISHED
tag_is_new() {
	[[ $(shows A .tag_peer) != "$old" ]]
}
check "A takes the new tag" wait_until 5 tag_is_new
topo_capture_stop
stop "$monitor"
is "the messages" "$(types s62)" "I1 R1 I2 R2"
is "both sides know the new tags" "$(shows A '.tag_local + .tag_peer')" \
	"$(shows B '.tag_peer + .tag_local')"
is "A told of nothing but ESTABLISHED" \
	"$(jq -r '.state // empty' "$TOPO_DIR/events-A" | sort -u)" ESTABLISHED
holds "A told of the new peer" "$(jq -c 'select(.event == "peer")' "$TOPO_DIR/events-A" | wc -l) > 0"

# S63
for pair in "A1 B1" "A2 B2"; do
	read -r a b <<<"$pair"
	fresh || die "no context"
	flow_start stream tcp -s 65536 -i 10 A1 B1 || die "no stream"
	topo_switch_both "$a" "$b"
	check "S63: the stream goes over $a and $b" flow_goes stream 300000
	# The second one must not hear from the first one in between.
	lose all || die "nftables"
	for host in A B; do on $host shim6 context flush; done
	is "both forget" "$(state A) $(state B)" "IDLE IDLE"
	lose_none
	check "the stream goes on between the ULIDs" flow_goes stream 300000
	check_flow "the stream is whole" stream
done
check "no checksum error on either host" no_csum_errors
check "tshark finds all checksums right" tshark_checksums s60 s61 s62
topo_down

# S64
WIDE=5

contexts() {
	on "$1" shim6 context show --json
}

# all_up: every ULID pair has its context, known to both.
all_up() {
	local host

	for host in A B; do
		(($(contexts "$host" | jq '[.[] | select(.state == "ESTABLISHED")] | length') == WIDE * WIDE)) ||
			return
	done
}

# ask_all HOST: for every ULID pair that the host has no context for.
ask_all() {
	local a b ours theirs

	for a in "${WIDE_A[@]}"; do
		for b in "${WIDE_B[@]}"; do
			[[ $1 == A ]] && ours=$a theirs=$b || ours=$b theirs=$a
			on "$1" shim6 context start --ulid-local "$ours" --ulid-peer "$theirs" 2>/dev/null
		done
	done
	return 0
}

# confused HOST: tags that two contexts think a peer locator has given them.
confused() {
	contexts "$1" | jq '[.[] | select(.state == "ESTABLISHED" or .state == "I2BIS-SENT")
		| .tag_peer as $tag | .locator_peer[].address + " " + $tag] | group_by(.)
		| map(select(length > 1)) | length'
}

# move_all HOST: every context to a pair of locators that are not its ULIDs.
move_all() {
	local tag ours theirs

	while read -r tag ours theirs; do
		# It may have gone since; then there is nothing to move.
		on "$1" shim6 context set --tag-local "$tag" --current-local "$ours" \
			--current-peer "$theirs" 2>/dev/null
	done < <(contexts "$1" | jq -r '.[] | select(.state == "ESTABLISHED") |
		.ulid_local as $l | .ulid_peer as $p |
		[.tag_local, ([.locator_local[].address | select(. != $l)][0]),
		 ([.locator_peer[].address | select(. != $p)][0])] | join(" ")')
}

topo_up direct
for host in A B; do
	{
		wide $host $WIDE && timers $host 20 && setting $host idle_timeout 300000 &&
			setting $host tag_bits 7 && setting $host answer_rate 100000 &&
			setting $host answer_rate_peer 100000
	} || die "host $host"
done
mapfile -t WIDE_A <"$TOPO_DIR/addresses-A"
mapfile -t WIDE_B <"$TOPO_DIR/addresses-B"
serve B
ask_all A
check "S64: $((WIDE * WIDE)) ULID pairs with tags of 7 bits" wait_until 20 all_up
is "no tag has more than 7 bits" "$(for host in A B; do
	contexts $host; done | jq -r '.[].tag_local' | grep -cv '^0000000000[0-7]')" 0

flows=()
for ((i = 0; i < WIDE; i++)); do
	spawn A traffic udp -l -n 0 -i 20 -s 500 -f "$TOPO_DIR/wide$i.flow" "${WIDE_A[i]}" "${WIDE_B[i]}" \
		"$PORT" >"$TOPO_DIR/wide$i.out" 2>&1
	flows+=("$SPAWNED")
done
stat_mark A B
RANDOM=6
confusions=0
for ((round = 0; round < 4; round++)); do
	move_all A
	move_all B
	host=A
	((RANDOM % 2)) && host=B
	on $host shim6 context flush
	ask_all $host
	for host in A B; do ((confusions += $(confused $host))); done
done
is "flushed at random four times: never two contexts with the same tag of a locator" $confusions 0
holds "tags did collide" "$(stat_since A ContextConfused) + $(stat_since B ContextConfused) > 0"
ask_all A
ask_all B
wait_until 20 all_up || ask_all A
check "all ULID pairs have their contexts in the end" wait_until 20 all_up
for host in A B; do
	is "no tag is given twice, seen from $host" "$(confused $host)" 0
done
for ((i = 0; i < WIDE; i++)); do
	kill "${flows[i]}"
	wait "${flows[i]}"
	is "flow $i has only its own datagrams" "$? $(value bad <"$TOPO_DIR/wide$i.out")" "0 0"
done
check "the kernel's log is clean" dmesg_clean
tap_end
