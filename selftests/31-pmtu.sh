#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Path MTU: locator paths with a smaller MTU further on are no black hole, with
# firewalls that drop what conntrack calls invalid on both hosts. Sockets see
# the path's MTU less the 8 octets of the payload header.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

# mtu_of SOURCE DESTINATION: IPV6_MTU of a socket.
mtu_of() {
	once udp -n 1 "$@" | value mtu
}

# datagrams SIZE...: a few of each.
datagrams() {
	local size

	for size; do
		once udp -n 3 -i 2 -s "$size" A1 B1 || return
	done
}

tap_begin
topo_up
for host in A B; do
	on $host nft -f - <<-'END' || die "nftables"
		table inet host {
		    chain input {
		        type filter hook input priority filter;
		        ct state invalid counter drop
		    }
		}
	END
done
topo_contexts || die "contexts"
serve B
topo_switch_both A2 B2 || die "switch"

check "TCP on a path of 1500" once tcp -n 3000000 -s 65536 A1 B1
is "a socket sees 1492" "$(mtu_of A1 B1)" 1492

# What a sender goes by may be less than what the path takes: its segments are shorter, and fit.
on A ip -6 route add "$B1/128" via fe80::1 dev up1 table 101 mtu lock 1400 || die "route"
stat_mark A B
check "TCP of a host whose own route has less than the path" once tcp -n 3000000 -s 65536 A1 B1
is "a socket sees that" "$(mtu_of A1 B1)" 1400
holds "super-packets leave as such" "$(stat_since A OutSoftwareGso) + $(stat_since A OutWhole) > 0"
is "nothing is cut anew, fragmented or dropped" \
	"$(stat_since A OutResegmented) $(stat_since A OutFragmented)$(stat_drops A)$(stat_drops B)" "0 0"
on A ip -6 route del "$B1/128" table 101 || die "route"
is "a socket sees 1492 again" "$(mtu_of A1 B1)" 1492

flow_start stream tcp -s 65536 -i 10 A1 B1 || die "no stream"
stat_mark A B
topo_mtu A 2 1400
check "in mid-stream a router's MTU falls to 1400: TCP goes on" flow_goes stream 3000000 30
holds "A was told and translated the message" "$(stat_since A InIcmpTranslated) > 0"
is "sockets see 1392" "$(mtu_of A1 B1)" 1392
check_flow "the stream is whole" stream
check "a new connection" once tcp -n 3000000 -s 65536 A1 B1
check "the other way" once udp -n 20 -i 2 -s 3000 -l A1 B1
check "UDP of 1300 to 1400 octets" datagrams 1300 1344 1345 1352 1400

flow_start stream tcp -s 65536 -i 10 A1 B1 || die "no stream"
topo_mtu A 2 1280
check "it falls to 1280: TCP goes on" flow_goes stream 3000000 30
check_flow "the stream is whole" stream
check "a new connection" once tcp -n 3000000 -s 65536 A1 B1
stat_mark A B
# The first datagrams may be lost to discovery.
once udp -n 10 -i 20 -s 1232 -l A1 B1 >/dev/null
check "UDP of 1184 octets, which fit with the header" once udp -n 5 -i 2 -s 1184 A1 B1
check "UDP of 1225 to 1232 octets, which fit without it" datagrams 1225 1230 1232
holds "those are fragmented below the shim" "$(stat_since A OutFragmentedBelow) >= 9"
holds "and accepted with the Fragment header in front" "$(stat_since B InTranslatedLate) >= 9"
check "UDP of 4000 octets" once udp -n 5 -i 5 -s 4000 A1 B1

topo_mtu A 2 1500
topo_switch_both A1 B1
topo_mtu A 2 1350
flow_start stream tcp -s 65536 -i 10 A1 B1 || die "no stream"
check "a stream on the ULIDs with 1500" flow_goes stream 1000000
topo_switch_both A2 B2
check "moves to a path of less in mid-stream" flow_goes stream 3000000 30
check_flow "the stream is whole" stream
check "no checksum error on either host" no_csum_errors
tap_end
