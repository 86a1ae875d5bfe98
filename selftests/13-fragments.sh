#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Datagrams that are too long for the path are fragmented above the shim: every
# fragment has a payload header of its own, in front of the Fragment header
# (RFC 5533 section 1.6), and is put together again above the shim.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

checked() {
	pcapcheck "$TOPO_DIR/$1.pcap" "$TAG_B=$A1,$B1" "$TAG_A=$B1,$A1"
}

# fragments NAME TAG: fragments with that tag, and datagrams that were whole.
fragments() {
	checked "$1" | awk -v tag="$2" '$1 == tag && $4 == "udp" { print $6, $7, $8 }'
}

tap_begin
topo_up direct
for host in A B; do on $host ethtool -K up2 tx off >/dev/null; done
topo_contexts || die "contexts"
serve B
topo_switch_both A2 B2 || die "switch"
stat_mark A B

check "UDP datagrams of 4000 octets" once udp -n 10 -s 4000 -i 2 A1 B1
check "UDP datagrams of 60000 octets" once udp -n 3 -s 60000 -i 20 A1 B1
holds "fragmented above the shim on host A" "$(stat_since A OutFragmented) >= 13"
is "not below it" "$(stat_since A OutFragmentedBelow)" 0
is "nothing is dropped on A" "$(stat_drops A)" ""
is "nothing is dropped on B" "$(stat_drops B)" ""

topo_capture long A up2
# 4008 octets of UDP: 1492 - 40 - 8 leave 1440 for a fragment, so three.
check "captured: UDP datagrams of 4000 octets" once udp -n 5 -s 4000 -i 2 A1 B1
topo_capture_stop
check "every fragment has its header, every datagram its checksum over ULIDs" checked long
is "three fragments a datagram from A" "$(fragments long "$TAG_B")" "fragments=15 good=5 bad=0"
is "three fragments a datagram from B" "$(fragments long "$TAG_A")" "fragments=15 good=5 bad=0"
is "no Fragment header in front of the payload header" \
	"$(tcpdump -n -r "$TOPO_DIR/long.pcap" 'ip6 proto 44' 2>/dev/null | wc -l)" 0

# 1492 octets are 40 + 8 + 1444.
topo_capture edge A up2
check "datagrams that just fit" once udp -n 5 -s 1444 -i 2 A1 B1
check "datagrams one octet longer" once udp -n 5 -s 1445 -i 2 A1 B1
topo_capture_stop
is "the first are whole, the second two fragments" "$(fragments edge "$TAG_B")" \
	"fragments=10 good=10 bad=0"

output=$(once udp -n 3 -s 1445 -i 2 -w 2 -D A1 B1)
is "IPV6_DONTFRAG: one octet too long is refused with EMSGSIZE" "$(value refused <<<"$output")" 3
check "IPV6_DONTFRAG: what fits is sent" once udp -n 3 -s 1444 -i 2 -D A1 B1
is "IPV6_MTU of the socket is the path's less 8" "$(value mtu <<<"$output")" 1492
check "no checksum error on either host" no_csum_errors
tap_end
