#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every transport, both ways, over locators that are not the ULIDs. Programs and
# sockets see ULIDs only.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

# translated WHAT COMMAND...: works, and went through the shim both ways.
translated() {
	local what=$1 host

	shift
	stat_mark A B
	check "$what" "$@" || return
	for host in A B; do
		holds "$what: host $host sent and received translated packets" \
			"$(stat_since $host OutTranslated) > 0 && $(stat_since $host InTranslated) > 0"
		is "$what: host $host sent nothing on the ULIDs, dropped nothing" \
			"$(stat_since $host OutUlids) $(stat_drops $host)" "0 "
	done
}

tap_begin
topo_up direct
topo_contexts || die "contexts"
serve B
topo_switch_both A2 B2 || die "switch"

translated "TCP, 5 MB both ways" once tcp -n 5000000 -s 65536 A1 B1
translated "UDP" once udp -n 20 -i 2 A1 B1
translated "raw socket" once raw -n 20 -i 2 A1 B1
translated "UDP behind hop-by-hop options" once udp -n 10 -i 2 -o A1 B1
translated "ICMPv6 echo" topo_reaches A1 B1
# Not earlier: two echo servers would answer each other's raw packets for ever.
serve A
translated "TCP opened by the other host" once tcp -n 1000000 -s 65536 B1 A1
translated "UDP opened by the other host" once udp -n 20 -i 2 B1 A1

flow_start stream tcp -s 200 -i 2 A1 B1
is "the peer's socket names ULIDs" \
	"$(on B ss -Htn state established | grep -F "[$A1]:" | grep -cF "[$B1]:")" 1
check_flow "the stream is whole" stream
check "no checksum error on either host" no_csum_errors

# mac HOST: the link-layer address of its second uplink.
mac() {
	on "$1" ip -j link show up2 | jq -r '.[].address'
}

on B nft -f - <<-END || die "nftables"
	table inet host {
	    counter framed { }
	    chain input {
	        type filter hook input priority filter;
	        ip6 saddr $A1 udp dport $PORT ether saddr $(mac A) ether daddr $(mac B) ether type ip6 counter name framed
	    }
	}
END
once udp -n 10 -i 2 A1 B1 >/dev/null
is "a firewall sees the link-layer header in front of the packet" \
	"$(on B nft -j list counter inet host framed | jq '.nftables[].counter.packets? // empty')" 10
on B nft delete table inet host

# Both copies of a packet share its headers until one is changed.
on A tc qdisc add dev up2 root netem duplicate 100% || die "netem"
twice=$(once udp -n 10 -i 2 A1 B1)
is "of datagrams that come twice, both copies are translated" \
	"$(value received <<<"$twice") of $(value sent <<<"$twice"), $(value bad <<<"$twice") bad" "20 of 10, 0 bad"
stat_mark A B
check "a stream of which each segment comes twice" once tcp -n 200000 A1 B1
is "both copies of those are translated as well" \
	"$(stat_since B InTranslated)" $((2 * $(stat_since A OutTranslated)))
on A tc qdisc del dev up2 root

stat_mark A
check "other address pairs are left alone" once tcp -n 100000 A2 B2
is "and not counted" "$(stat_since A OutTranslated)" 0

on A shim6 context del --tag-local "$TAG_A" || die "del"
on B shim6 context del --tag-local "$TAG_B" || die "del"
stat_mark A B
check "after the contexts are deleted the ULIDs are used again" once tcp -n 100000 A1 B1
is "nothing is translated then" "$(stat_since A OutTranslated)" 0
tap_end
