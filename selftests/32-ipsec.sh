#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# IPsec is above the shim (RFC 5533 section 16.1): ESP transport mode between
# the ULIDs works before and after a switch, and the wire has
# locators | payload header | ESP.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

readonly KEY=0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f

# esp HOST OURS PEER SPI-OUT SPI-IN
esp() {
	local algorithms=(enc 'cbc(aes)' "$KEY" auth-trunc 'hmac(sha256)' "$KEY" 128)

	on "$1" ip xfrm state add src "$2" dst "$3" proto esp spi "$4" mode transport \
		"${algorithms[@]}" &&
		on "$1" ip xfrm state add src "$3" dst "$2" proto esp spi "$5" mode transport \
			"${algorithms[@]}" &&
		on "$1" ip xfrm policy add src "$2" dst "$3" dir out \
			tmpl proto esp mode transport &&
		on "$1" ip xfrm policy add src "$3" dst "$2" dir in \
			tmpl proto esp mode transport
}

# on_wire NAME FILTER: packets in a capture.
on_wire() {
	tcpdump -n -r "$TOPO_DIR/$1.pcap" "$2" 2>/dev/null | wc -l
}

traffic_over() {
	once tcp -n 200000 -s 65536 A1 B1 && once udp -n 5 -i 2 -s 3000 A1 B1 && topo_reaches A1 B1
}

topo_up direct
trouble=$(esp A "$A1" "$B1" 0x100 0x200 2>&1 && esp B "$B1" "$A1" 0x200 0x100 2>&1) || {
	echo "1..0 # SKIP this kernel has no ESP: ${trouble//$'\n'/ }"
	exit "$KSFT_SKIP"
}
tap_begin
topo_contexts || die "contexts"
serve B

stat_mark A B
topo_capture plain A up1
check "ESP on the ULIDs" traffic_over
topo_capture_stop
holds "the wire has ESP" "$(on_wire plain 'ip6 proto 50') > 50"
is "and no payload header" "$(on_wire plain 'ip6 proto 140')" 0

flow_start stream tcp -s 2000 -i 2 A1 B1 || die "no stream"
topo_switch_both A2 B2 || die "switch"
check "a connection goes on after a switch" flow_goes stream 100000
check_flow "it is whole" stream

topo_capture shim A up2
check "ESP on other locators" traffic_over
topo_capture_stop
# The next header of the payload header is ESP, or Fragment and then ESP.
holds "the wire has ESP behind payload headers" \
	"$(on_wire shim 'ip6 proto 140 and ip6[40] == 50') > 50"
holds "and fragments of ESP" \
	"$(on_wire shim 'ip6 proto 140 and ip6[40] == 44 and ip6[48] == 50') > 10"
is "and nothing else" "$(on_wire shim \
	'ip6 proto 140 and ip6[40] != 50 and not (ip6[40] == 44 and ip6[48] == 50)')" 0
is "and no ESP in front of them" "$(on_wire shim 'ip6 proto 50')" 0
holds "packets wait for IPsec first" "$(stat_since A OutXfrmPending) > 0"
for host in A B; do
	is "$host: IPsec counts no error" \
		"$(on $host grep Error /proc/net/xfrm_stat | grep -v '[[:space:]]0$')" ""
	is "$host: nothing is dropped" "$(stat_drops $host)" ""
done
tap_end
