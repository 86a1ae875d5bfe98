#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Control messages reach protocol 140 behind INPUT, so an administrator can
# filter them; each is counted, and none is answered with Parameter Problem,
# which would say that this host does not know Shim6. Payload behind an outer
# Fragment header comes the same way and is accepted (RFC 5533 section 4.6).

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

# The test vectors have these messages, with right checksums.
readonly I1=3b010100ecf41a2b3c4d5e6f11111111
readonly UPDATE_ACK=3b014100a44e00c0ffee123466666666
readonly KEEPALIVE=3b014200ce161a2b3c4d5e6f00000000
readonly PROBE=3b0643001da41a2b3c4d5e6f0140000020010db8000b000124b7330dd41fc54820010db8000a0001087b88954bd314927000000100000000
readonly TYPE_100=3b0164008e017fedcba9876500000000
readonly CRITICAL=3b024000b8bc7fedcba98765686868682469000401020304

send() {
	local mac

	mac=$(ip -n "$(topo_ns A)" -j link show up2 | jq -r '.[0].address')
	on B inject up2 "$mac"
}

message() {
	echo "$B2 $A2 140 $1"
}

counted() {
	(($(stat_since A "$1") >= $2))
}

# counts WHAT COUNTER HEX: host A counts one such message.
counts() {
	stat_mark A
	message "$3" | send >/dev/null || die "inject"
	check "$1 is counted as $2" wait_until 5 counted "$2" 1
}

tap_begin
topo_up direct
topo_contexts || die "contexts"
dmesg_mark
topo_capture answers B up2 "icmp6 and ip6[40] == 4"

counts "I1" InI1 $I1
counts "Update Acknowledgement" InUpdateAcknowledgement $UPDATE_ACK
counts "Keepalive" InKeepalive $KEEPALIVE
counts "Probe" InProbe $PROBE
counts "an unknown type" Drop_unknown_type $TYPE_100
counts "an unknown critical option" Drop_option_critical $CRITICAL
counts "a wrong checksum" Drop_checksum "${I1:0:8}0000${I1:12}"
counts "HIP (S = 1)" Drop_not_shim6 "${I1:0:6}01${I1:8}"
counts "a Hdr Ext Len beyond the packet" Drop_truncated "${I1:0:2}07${I1:4}"
counts "an option cut off" Drop_checksum "${PROBE:0:32}${PROBE:0:80}"

stat_mark A
{
	message -
	for ((n = 2; n <= ${#PROBE}; n += 2)); do message "${PROBE:0:n}"; done
} >"$TOPO_DIR/cut"
send <"$TOPO_DIR/cut" >/dev/null
check "a Probe of every length: the whole one only is good" \
	wait_until 5 counted Drop_truncated $((${#PROBE} / 2))
is "and counted as such" "$(stat_since A InProbe)" 1

filter() {
	on A nft -f - <<-'END'
		table inet host {
		    chain input {
		        type filter hook input priority filter;
		        ip6 nexthdr 140 counter drop
		    }
		}
	END
}

filtered() {
	on A nft list table inet host | grep -q 'packets 1 '
}

filter || die "nftables"
stat_mark A
message $I1 | send >/dev/null
check "an administrator filters a control message in INPUT" wait_until 5 filtered
is "it is not counted" "$(stat_since A InControl)" 0
on A nft flush ruleset
counts "one that is not filtered" InControl $KEEPALIVE

# 16 octets behind an outer Fragment header, in two fragments: the payload
# header, then what it carries.
ours=$(hex_payload 253 "$TAG_A")
serve A
topo_switch A A2 B2
stat_mark A
{
	echo "$B2 $A2 44 8c00000100005555$ours"
	echo "$B2 $A2 44 8c00000800005555""4142434445464748"
} | send >/dev/null
check "payload behind an outer Fragment header is translated" \
	wait_until 5 counted InTranslatedLate 1
check "and delivered: the echo goes back through the context" \
	wait_until 5 counted OutTranslated 1

topo_capture_stop
is "no Parameter Problem was sent" \
	"$(tcpdump -n -r "$TOPO_DIR/answers.pcap" 2>/dev/null | wc -l)" 0
check "the kernel's log is clean" dmesg_clean
tap_end
