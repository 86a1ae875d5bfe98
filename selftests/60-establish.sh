#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Hosts establish a context when something asks for it, and then by I1, R1, I2 and
# R2 in two round trips (RFC 5533 sections 4 and 7). Scenarios S01 and S02;
# what sockets have to do with it is in 60-socket.sh.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/loss.sh"

# octets HEX AT N
octets() {
	echo "${1:$2 * 2:$3 * 2}"
}

# options HEX AT: its options from octet AT on, as TYPE:LENGTH (section 5.15).
options() {
	local at=$2 type length words=()

	while ((at * 2 < ${#1})); do
		type=$((16#$(octets "$1" "$at" 2) >> 1))
		length=$((16#$(octets "$1" $((at + 2)) 2)))
		words+=("$type:$length")
		at=$((at + 11 + length - (length + 3) % 8))
	done
	echo "${words[*]}"
}

# first NAME TYPE: the first message of a type in a capture, hexadecimal.
first() {
	messages "$1" | awk -v type="$2" '$4 == type { print $6; exit }'
}

# packets NAME FILTER
packets() {
	tcpdump -n -r "$TOPO_DIR/$1.pcap" "$2" 2>/dev/null | wc -l
}

# lasting LOCAL PEER: older and with more packets than what needs to get a context
# by itself. Traffic between two addresses is counted together.
lasting() {
	once tcp -n 60000 -s 500 -i 10 "$@"
}

short() {
	once tcp -n 1000 -s 500 A1 B1
}

forget() {
	on A shim6 context flush && on B shim6 context flush
}

# asks_not WHAT COMMAND...: the command does not make A send anything.
asks_not() {
	stat_mark A
	check "$1" "${@:2}"
	is "  asks for no context" "$(stat_since A OutI1) $(stat_get A Contexts)" "0 0"
}

tap_begin
topo_up
serve B
dmesg_mark
is "contexts are established on request" "$(on A cat /proc/sys/net/shim6/establish)" on-request
check_not "the setting takes known words only" setting A establish sometimes

# Nobody asks.
topo_capture quiet A up1 ip6
asks_not "on request: a connection that lasts" lasting A1 B1
setting A establish auto
asks_not "auto, without an identity: a connection that lasts" lasting A2 B2
identity A || die "identity"
identity B || die "identity"
asks_not "auto: a short exchange" short
setting A establish_age 60000
asks_not "auto: many packets, but a young connection" lasting A1 B2
setting A establish_age 1000
setting A establish_packets 1000
asks_not "auto: an old connection, but few packets" lasting A2 B1
setting A establish_packets 50
topo_capture_stop
is "no Shim6 packet is on the wire (S02)" "$(packets quiet 'ip6[6] = 140')" 0
holds "the connections are" "$(packets quiet tcp) > 300"

# A connection that is worth it.
topo_capture s01 A up1 ip6
stat_mark A B
flow_start bulk tcp -i 20 -s 500 A1 B1 || die "no connection"
check "auto: A has a context" comes_to A ESTABLISHED
check "B has a context" comes_to B ESTABLISHED
check "the connection goes on" flow_goes bulk 5000
check_flow "everything came back" bulk
topo_capture_stop
is "I1, R1, I2, R2, once each" "$(types s01)" "I1 R1 I2 R2"
is "A sends two, B sends two" "$(types s01 A), $(types s01 B)" "I1 I2, R1 R2"
is "between the ULIDs" "$(messages s01 | cut -d ' ' -f 2,3 | sort -u | tr '\n' ' ')" \
	"$A1 $B1 $B1 $A1 "
is "sizes" "$(messages s01 | cut -d ' ' -f 5 | tr '\n' ' ')" "16 40 232 208 "
is "packets of the connection have no payload header" \
	"$(packets s01 'ip6[6] = 140 and ip6[42] >= 128')" 0
holds "they are there" "$(packets s01 tcp) > 50"

i1=$(first s01 I1) r1=$(first s01 R1) i2=$(first s01 I2) r2=$(first s01 R2)
for message in "$i1" "$r1" "$i2" "$r2"; do
	is "type $(octets "$message" 2 1): No Next Header, Hdr Ext Len, S bit" \
		"$(octets "$message" 0 2) $(octets "$message" 3 1)" \
		"$(printf '3b%02x 00' $((${#message} / 16 - 1)))"
done
is "I1 has no options" "$(options "$i1" 16)" ""
is "R1: validator" "$(options "$r1" 16)" 1:16
is "I2: validator, two locators, CGA parameters" "$(options "$i2" 24)" "1:16 2:44 4:127"
is "R2: two locators, CGA parameters" "$(options "$r2" 16)" "2:44 4:135"
nonce=$(octets "$i1" 12 4)
is "R1, I2 and R2 have the Initiator Nonce" \
	"$(octets "$r1" 8 4) $(octets "$i2" 12 4) $(octets "$r2" 12 4)" "$nonce $nonce $nonce"
is "I2 has the Responder Nonce" "$(octets "$i2" 16 4)" "$(octets "$r1" 12 4)"
is "I2 has the validator" "$(octets "$i2" 24 24)" "$(octets "$r1" 16 24)"
is "Reserved2 of R1 and I2 is zero" "$(octets "$r1" 6 2) $(octets "$i2" 20 4)" "0000 00000000"
is "both locators are to be verified as HBA" "$(octets "$i2" 57 2) $(octets "$r2" 25 2)" "0101 0101"
is "I2 lists A1 and A2" "$(octets "$i2" 64 32)" "$(octets "${PDS[A]}" 16 8)$(
	octets "$i2" 72 8)$(octets "${PDS[A]:0-32}" 8 8)$(octets "$i2" 88 8)"
is "I2 has A's CGA parameters" "$(octets "$i2" 100 127)" "${PDS[A]}"
is "R2 has B's CGA parameters" "$(octets "$r2" 68 135)" "${PDS[B]}"

tag_a=$(octets "$i1" 6 6) tag_b=$(octets "$r2" 6 6)
holds "the tags are two, of 47 bits" \
	"0x$tag_a != 0x$tag_b && 0x$tag_a < 1 << 47 && 0x$tag_b < 1 << 47"
is "I2 has the tag of I1" "$(octets "$i2" 6 6)" "$tag_a"
is "A knows both tags" "$(shows A '"\(.tag_local) \(.tag_peer)"')" "$tag_a $tag_b"
is "B knows both tags" "$(shows B '"\(.tag_local) \(.tag_peer)"')" "$tag_b $tag_a"
is "who began" "$(shows A .origin) $(shows B .origin)" "initiator responder"
for host in A B; do
	is "$host has verified both locators of its peer" \
		"$(shows $host '[.locator_peer[] | select(.verified)] | length')" 2
	is "$host uses the ULID pair" "$(shows $host .pair_reason)" ulids
	is "$host has one context" "$(stat_get $host Contexts)" 1
done

# B keeps nothing for an I1.
setting A establish on-request
forget || die "flush"
lose I2 || die "nftables"
stat_mark B
start A
check "A has its R1" comes_to A I2-SENT
is "B answered, and has no context before I2" "$(stat_since B OutR1) $(stat_get B Contexts)" "1 0"
lose_none
forget

# Hosts that do not want to.
setting B establish off
stat_mark B
start A
check "an I1 to a host that is off" wait_until 5 counted B InControlIgnored 1
is "is not answered" "$(stat_since B OutR1)" 0
is "and no Parameter Problem is, either" "$(mib B Icmp6OutParmProblems)" 0
is "A waits" "$(state A)" I1-SENT
setting B establish on-request
forget

# Policy.
check "the policy wants contexts with 2001:db8:b:1::/64" on A shim6 policy add 2001:db8:b:1::/64
asks_not "an echo to another prefix" topo_reaches A2 B2
asks_not "an echo where \"auto\" counted packets" topo_reaches A1 B2
setting A establish off
asks_not "off: an echo to that prefix" topo_reaches A1 B1
setting A establish on-request
stat_mark A
check "an echo to that prefix" topo_reaches A1 B1
check "establishes one" comes_to A ESTABLISHED
is "by one I1" "$(stat_since A OutI1)" 1
forget
check "no policy any more" on A shim6 policy del 2001:db8:b:1::/64
asks_not "an echo after that" topo_reaches A1 B1

# Addresses that mean nothing elsewhere.
setting A establish auto
setting A establish_packets 1
setting A establish_age 0
on A shim6 policy add ::/0
asks_not "a loopback address" on A ping -q -c 3 -i 0.2 ::1
asks_not "a link-local address" on A ping -q -c 3 -i 0.2 fe80::1%up1
asks_not "a multicast address" on A ping -q -c 3 -i 0.2 -I up1 ff02::1
stat_mark A
topo_reaches A1 B1
check "a global address" wait_until 5 counted A OutI1 1
on A shim6 policy del ::/0
setting A establish on-request
check_not "nobody can ask for a link-local one" start A A1 fe80::1
forget

# What tshark says; and that it can say no.
check "tshark finds all checksums right" tshark_checksums s01
topo_capture bad A up1 'ip6 proto 140'
echo "$A1 $B1 140 3b010100ecf51a2b3c4d5e6f11111111" | on A inject >/dev/null
wait_until 5 test -s "$TOPO_DIR/bad.pcap"
topo_capture_stop
check_not "and finds a wrong one" tshark_checksums bad
check "the kernel's log is clean" dmesg_clean
tap_end
