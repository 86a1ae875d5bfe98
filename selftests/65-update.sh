#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Hosts tell each other about preferences, and about addresses that come and go
# (RFC 5533, Sections 1.5 and 10); several contexts between two hosts, long lists, and
# hosts with one address.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/loss.sh"
. "$(dirname "$0")/lib/wide.sh"

need python3

# Control messages only, so that payload does not keep a capture from ending.
capture() {
	topo_capture "$@" 'ip6[6] = 140 and ip6[42] < 128'
}

# locator HOST LIST ADDRESS FILTER: about a locator in a list of the context.
locator() {
	shows "$1" ".locator_$2[] | select(.address == \"$(topo_address "$3")\") | $4"
}

locator_is() {
	[[ $(locator "${@:1:4}") == "$5" ]]
}

# eventually WHAT COMMAND...: in time.
eventually() {
	check "$1" wait_until 10 "${@:2}"
}

set_local() {
	local host=$1 peer=B locators=() locator

	[[ $host == B ]] && peer=A
	for locator in "${@:2}"; do locators+=(--locator-local "$(topo_address "${locator%%,*}"),${locator#*,}"); done
	on "$host" shim6 context set --ulid-local "$(topo_address "${host}1")" \
		--ulid-peer "$(topo_address "${peer}1")" "${locators[@]}"
}

announced() {
	[[ $(shows "$1" .update_outstanding) == false ]]
}

# nonces NAME: Request Nonces of the Update Requests of a capture, in order.
nonces() {
	messages "$1" | awk '$4 == "Update" { print substr($6, 25, 8) }'
}

# lose_acks: the core drops Update Acknowledgements.
lose_acks() {
	lose_none
	on core nft -f - <<-END
		table inet loss {
		    chain forward {
		        type filter hook forward priority 0;
		        meta l4proto 140 @th,16,8 65 counter drop
		    }
		}
	END
}

up() {
	local host

	topo_up "$@"
	for host in A B; do
		[[ "$host $*" == "B t2" ]] || identity $host || return
		timers $host 20 && setting $host idle_timeout 300000 || return
	done
	serve B
}

has() {
	[[ $(shows "$1" "[.locator_$2[].address] | index(\"$(topo_address "$3")\") != null") == true ]]
}

has_not() {
	! has "$@"
}

# address VERB NAME
address() {
	ip -6 -n "$(topo_ns "${2:0:1}")" address "$1" "$(topo_address "$2")/64" dev "up${2:1:1}" nodad
}

tap_begin
dmesg_mark
up || die "hosts"

# Both ULIDs have been used, and then there is no context while addresses change.
{ establish && on A shim6 context flush && on B shim6 context flush; } || die "no context"
address del A2
address del A1 && address add A1
check "an address was deleted while there was no context" establish
is "A does not tell of it" "$(has A local A2 || has B peer A2 || echo no)" no
address add A2
eventually "it is back: B knows" has B peer A2
is "the ULID was away while there was no context: that is forgotten" "$(state A)" ESTABLISHED

flow_start stream tcp -s 5000 -i 10 A1 B1 || die "no stream"

# S70
generation=$(shows A .generation_peer)
check "S70: B has preferences" set_local B B1,priority=10,weight=3 B2,priority=5,weight=7,transient
eventually "A knows the priority of B1" locator_is A peer B1 .priority 10
is "and all about B1 and B2" \
	"$(shows A '[.locator_peer[] | .priority, .weight, .broken, .transient] | @csv')" \
	"10,3,false,false,5,7,false,true"
is "for the same list" "$(shows A .generation_peer)" "$generation"
eventually "B knows that A knows" announced B
is "the last event of B" "$(shows B '.history[0].event')" acknowledged

# S71
check "S71: B's B1, in use, is broken" set_local B B1,broken
eventually "A knows" locator_is A peer B1 .broken true
uses_peer() {
	[[ $(shows A .current_peer) == "$1" ]]
}
eventually "A finds out that B2 works, and leaves B1" uses_peer "$B2"
check "traffic goes on" flow_goes stream 50000
set_local B B1,priority=0
eventually "A knows that B1 is not broken any more" locator_is A peer B1 .broken false
topo_switch_both A1 B1

# S72
eventually "B is quiet" announced B
for name in update_timeout=100 max_update_timeout=800; do setting B "${name%=*}" "${name#*=}"; done
lose_acks || die "nftables"
capture s72 B up1 || die "no capture"
stat_mark A B
set_local B B2,priority=9
eventually "S72: without Acks the Update Request is sent again and again" counted B OutRetransmitted 6
is "A knows nevertheless" "$(locator A peer B2 .priority)" 9
is "B does not know that" "$(shows B '.update_outstanding')" true
holds "B counts retransmissions" "$(shows B .retries) >= 6"
lose_none
eventually "with Acks it comes to its end" announced B
topo_capture_stop
is "all with the same nonce" "$(nonces s72 | sort -u | wc -l)" 1
nominal=100
while read -r gap; do
	# An emulated machine may be late.
	holds "after $gap of $nominal ms" "$gap >= $nominal / 2 - 5 && $gap <= $nominal * 3 / 2 + 300"
	((nominal = nominal < 800 ? nominal * 2 : 800))
done < <(messages s72 | awk '$4 == "Update" { if (n++) print $1 - last; last = $1 }')

# S73
lose_acks
capture s73 B up1 || die "no capture"
stat_mark A B
set_local B B1,priority=21
eventually "S73: an Update Request is under way" counted B OutUpdateRequest 1
set_local B B2,priority=22
eventually "another one takes its place" counted B OutUpdateRequest 2
lose_none
eventually "it is acknowledged" announced B
topo_capture_stop
# The one that was abandoned may have arrived last, so what is new is told once more.
is "with another nonce, and once more with a third" "$(nonces s73 | sort -u | wc -l)" 3
is "A knows all" "$(shows A '[.locator_peer[].priority] | @csv')" 21,22

topo_netem B 1 delay 300ms
setting B update_timeout 4000
stat_mark A B
set_local B B1,priority=31
eventually "an Update Request is under way for long" counted B OutUpdateRequest 1
set_local B B2,priority=32
eventually "another one overtakes its Ack" counted B OutUpdateRequest 2
eventually "the Ack of the first one is ignored" counted B Discard_nonce 1
eventually "that of the second one counts" announced B
is "A knows all" "$(shows A '[.locator_peer[].priority] | @csv')" 31,32
topo_netem B 1

# Addresses come and go.
generation=$(shows B .generation_peer)
topo_switch A A1 B2
address del A2
eventually "A's A2 is deleted: A drops it" has_not A local A2
eventually "B drops it" has_not B peer A2
holds "with a new generation" "$(shows B .generation_peer) != $generation"
eventually "A knows that B knows" announced A
address add A2
eventually "A2 is back: B knows" has B peer A2
is "B has proof" "$(locator B peer A2 .verified)" true
topo_link A 2 down
eventually "A's link 2 goes down: B knows" has_not B peer A2
topo_link A 2 up
eventually "and up: B knows" has B peer A2
is "A sends from it again only with B's word" "$(locator A local A2 .acknowledged)" true
ip -6 -n "$(topo_ns A)" address change "$A1/64" dev up1 preferred_lft 0 valid_lft 3000
check "S76: A1, the ULID, is deprecated: traffic goes on" flow_goes stream 100000
is "the context stays" "$(state A)" ESTABLISHED
topo_link A 1 down
topo_link A 1 up
is "S114: the ULID's link goes down and up: the context stays" "$(state A)" ESTABLISHED
check "traffic goes on" flow_goes stream 100000

# The interval is that of 1 s, scaled by 5, as the flapping of 1 Hz is.
setting A update_interval 200
setting A update_timeout 2000
stat_mark A B
began=$(now_ms)
for ((i = 0; i < 40; i++)); do
	address del A2
	pause 0.05
	address add A2
	pause 0.05
done
took=$(($(now_ms) - began))
requests=$(stat_since A OutUpdateRequest)
holds "S114: an address comes and goes for $took ms: at most one Update Request in 200 ms" \
	"$requests >= 2 && $requests <= $took / 200 + 2"
eventually "then B has the address" has B peer A2
eventually "and A knows that" announced A
check_flow "the stream is whole" stream

# S75
monitor_start A || die "no monitor"
monitor=$SPAWNED
flow_start stream tcp -s 5000 -i 10 A1 B1 || die "no stream"
ip -6 -n "$(topo_ns A)" address change "$A1/64" dev up1 preferred_lft 1 valid_lft 2
eventually "S75: A1, the ULID, is not valid any more: A has no context" in_state A IDLE
eventually "the cause is known" grep -q '"ulid-gone"' "$TOPO_DIR/events-A"
stalled() {
	local before

	before=$(flow_count stream)
	pause 1
	(($(flow_count stream) == before))
}
eventually "the connection does not go on" stalled
stop "$monitor"
check "the kernel's log is clean" dmesg_clean
check "tshark finds all checksums so far right" tshark_checksums s72 s73
topo_down

# S77
up t2 || die "hosts"
capture s77 A up1 || die "no capture"
check "S77: B has one address and no proof" establish
topo_capture_stop
is "the messages" "$(types s77)" "I1 R1 I2 R2"
is "R2 has no options" "$(messages s77 | awk '$4 == "R2" { print $5 }')" 16
is "B has one locator" "$(shows A '[.locator_peer[].address] | join(" ")')" "$B1"
is "A has two, with proof" "$(shows B '[.locator_peer[].verified] | @csv')" "true,true"
flow_start stream tcp -s 5000 -i 10 A1 B1 || die "no stream"
topo_switch A A2 B1
topo_switch B B1 A2
topo_kill A1
check "A has alternatives" flow_goes stream 100000
topo_heal
check_flow "the stream is whole" stream
check "tshark finds all checksums of that right" tshark_checksums s77
topo_down

# S78
up || die "hosts"
start A A1 B1
start A A2 B2
established() {
	[[ $(state "$@") == ESTABLISHED ]]
}
for pair in "A A1 B1" "A A2 B2" "B B1 A1" "B B2 A2"; do
	read -r host ours theirs <<<"$pair"
	eventually "S78: $host has a context $ours $theirs" established "$host" "$ours" "$theirs"
done
is "each host has two, with tags of their own" \
	"$(for host in A B; do on $host shim6 context show --json; done |
		jq -r '.[].tag_local' | sort -u | wc -l)" 4
flow_start one tcp -s 5000 -i 10 A1 B1 || die "no stream"
flow_start two tcp -s 5000 -i 10 A2 B2 || die "no stream"
both_go() {
	flow_goes one 100000 && flow_goes two 100000
}
# move LOCAL PEER: both contexts of A to the same pair, those of B to its reverse.
move() {
	local i

	for i in 1 2; do
		on A shim6 context set --ulid-local "$(topo_address "A$i")" --ulid-peer "$(topo_address "B$i")" \
			--current-local "$(topo_address "$1")" --current-peer "$(topo_address "$2")" &&
			on B shim6 context set --ulid-local "$(topo_address "B$i")" \
				--ulid-peer "$(topo_address "A$i")" \
				--current-local "$(topo_address "$2")" --current-peer "$(topo_address "$1")" ||
			return
	done
}
for pair in "A2 B1" "A1 B1" "A2 B2"; do
	read -r ours theirs <<<"$pair"
	check "both contexts on $ours and $theirs" move "$ours" "$theirs"
	check "both streams go on" both_go
done
check_flow "the first stream is whole" one
check_flow "the second one, too" two

topo_down

# S79
topo_up direct
for host in A B; do
	wide $host 32 || die "sets of addresses"
	{ timers $host 20 && setting $host idle_timeout 300000; } || die "timers"
done
# The first addresses of the sets: they share no prefix.
read -r ours <"$TOPO_DIR/addresses-A"
read -r theirs <"$TOPO_DIR/addresses-B"
capture s79 A up1 || die "no capture"
capture s79b A up2 || die "no capture"
check "S79: ULIDs with 32 addresses each" start A "$ours" "$theirs"
eventually "A has a context" established A "$ours" "$theirs"
topo_capture_stop
is "A knows 32 locators with proof" \
	"$(shows A '[.locator_peer[] | select(.verified)] | length' "$ours" "$theirs")" 32
is "so does B" "$(shows B '[.locator_peer[] | select(.verified)] | length' "$theirs" "$ours")" 32
length=$({ messages s79; messages s79b; } | awk '$5 > most { most = $5 } END { print most + 40 }')
holds "no packet is longer than 1280 octets: $length" "$length > 700 && $length <= 1280"
check "tshark finds all checksums right" tshark_checksums s79 s79b
check "the kernel's log is clean" dmesg_clean
tap_end
