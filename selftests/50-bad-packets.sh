#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packets that no honest peer sends: counted under their names, never
# delivered, and harmless.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

# Straight to A's second link, past B's own stack.
send() {
	local mac

	mac=$(ip -n "$(topo_ns A)" -j link show up2 | jq -r '.[0].address')
	on B inject up2 "${1:-$mac}"
}

# counts WHAT COUNTER NEXT-HEADER HEX: host A counts one such packet.
counts() {
	local what=$1 counter=$2

	stat_mark A
	send <<<"$B2 $A2 $3 $4" >/dev/null || die "inject"
	check "$what is counted as $counter" wait_until 5 counted "$counter" 1
}

# The packets before it are through when this one, with an unknown tag, is
# counted. It does not forget the mark.
sentinel() {
	local before

	before=$(stat_since A InUnknownTag)
	echo "$B2 $A2 140 $(hex_payload 253 0x77)$data" | send >/dev/null || die "inject"
	check "$1" wait_until 5 counted InUnknownTag $((before + 1))
}

counted() {
	(($(stat_since A "$1") >= $2))
}

# answers: what A has sent so far between the ULIDs. It answers each packet with
# protocol 253 that is delivered, and nothing else here.
answers() {
	stat_get A OutUlids
}

answered() {
	(($(answers) >= $1))
}

tap_begin
topo_up direct
topo_contexts || die "contexts"
serve A
before=$(answers)
dmesg_mark
ours=$(hex_payload 253 "$TAG_A")
data=4142434445464748

counts "a payload header with Hdr Ext Len 1" Drop_payload_length 140 "fd01${ours:4}$data$data"
counts "a payload header with Hdr Ext Len 255" Drop_payload_length 140 "fdff${ours:4}$data"
counts "a payload header behind a payload header" Drop_payload_nested 140 "8c00${ours:4}$ours$data"
counts "a packet of 0 octets of Shim6" Drop_truncated 140 -
counts "a packet of 4 octets of Shim6" Drop_truncated 140 "${ours:0:8}"
counts "a packet of 7 octets of Shim6" Drop_truncated 140 "${ours:0:14}"
counts "an unknown tag" InUnknownTag 140 "$(hex_payload 253 0x123)$data"
counts "tag 0" InUnknownTag 140 "$(hex_payload 253 0)$data"
counts "the peer's own tag" InUnknownTag 140 "$(hex_payload 253 "$TAG_B")$data"
is "none of these is delivered" "$(answers)" "$before"

# Right tag, any source: delivered (RFC 5533 section 12.2). The checksum decides.
stat_mark A
{
	echo "$B2 $A2 140 $ours$data"
	echo "2001:db8:ffff::1 $A2 140 $ours$data"
	echo "$B2 $A1 140 $ours$data"
} | send >/dev/null
check "the right tag is translated, from whatever source" wait_until 5 counted InTranslated 3
check "and delivered" wait_until 5 answered $((before + 3))

counts "one behind Destination Options is taken late" InTranslatedLate 60 "8c00010400000000$ours$data"
counts "one behind a Routing header with nothing left" InTranslated 43 "8c00040000000000$ours$data"

# To a group that A is in: a payload header must not make unicast of it.
before=$(answers)
stat_mark A
echo "$B2 ff02::1 140 $ours$data" | send 33:33:00:00:00:01 >/dev/null
sentinel "what comes after payload to a multicast address is counted"
is "payload to a multicast address is not translated" \
	"$(stat_since A InTranslated) $(stat_since A InTranslatedLate)" "0 0"
is "nor delivered" "$(answers)" "$before"
is "but counted as Drop_address" "$(stat_since A Drop_address)" 1

# Headers that lie about themselves and what follows.
chain=
for ((i = 0; i < 12; i++)); do chain+=3c00010400000000; done
stat_mark A
{
	echo "# 13 Destination Options headers, the last one names 140"
	echo "$B2 $A2 60 ${chain}8c00010400000000$ours$data"
	echo "# extension headers that are longer than the packet"
	echo "$B2 $A2 60 8cff010400000000$ours"
	echo "$B2 $A2 43 8cff040000000000$ours"
	echo "$B2 $A2 0 8cff010400000000$ours"
	echo "# hop-by-hop options in the wrong place"
	echo "$B2 $A2 60 0000010400000000""8c00010400000000$ours$data"
	echo "# a routing header on its way to somebody else"
	echo "$B2 $A2 43 8c02030100000000""20010db8000f00000000000000000001""$ours$data"
	echo "# right tag, nonsense behind it"
	for next in 0 6 17 43 44 50 51 58 59 60 135 255; do
		echo "$B2 $A2 140 $(hex_payload $next "$TAG_A")"
		echo "$B2 $A2 140 $(hex_payload $next "$TAG_A")ff"
		echo "$B2 $A2 140 $(hex_payload $next "$TAG_A")ffffffffffffffffff"
	done
	echo "# Payload Length that is not the true one"
	echo "$B2 $A2 140 $ours$data =0"
	echo "$B2 $A2 140 $ours$data =4"
	echo "$B2 $A2 140 $ours$data =7"
	echo "$B2 $A2 140 $ours$data =8"
	echo "$B2 $A2 140 $ours$data =17"
	echo "$B2 $A2 140 $ours$data =65535"
	echo "# addresses that are none"
	echo ":: $A2 140 $ours$data"
	echo "::1 $A2 140 $ours$data"
	echo "ff02::1 $A2 140 $ours$data"
	echo "::ffff:192.0.2.1 $A2 140 $ours$data"
} | send >/dev/null
sentinel "after lying headers a plain mistake is counted"

# Noise behind each of the numbers that lead to us.
noise() {
	local line next=(140 60 43 0 44)

	while read -r line; do
		echo "$B2 $A2 ${next[$((RANDOM % 5))]} $line"
		echo "$B2 $A2 140 $(hex_payload $((RANDOM % 256)) "$TAG_A")$line"
	done < <(head -c 24000 /dev/urandom | xxd -p -c $((RANDOM % 40 + 40)))
}
noise >"$TOPO_DIR/noise"
check "noise is sent" send <"$TOPO_DIR/noise"
sentinel "after noise a plain mistake is counted"

check "A still answers on the ULIDs" topo_reaches B1 A1
topo_switch_both A2 B2
check "and on other locators" topo_reaches B1 A1
check "the kernel's log is clean" dmesg_clean
tap_end
