#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Firewalls and conntrack of a host see ULIDs and ports in both directions,
# while the wire has locators and a payload header.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

# counted HOST NAME: packets that a named counter saw.
counted() {
	on "$1" nft -j list counter inet host "$2" | jq '.nftables[].counter?.packets // empty'
}

need conntrack
tap_begin
topo_up direct
topo_contexts || die "contexts"

# A lets in what belongs to its connections, B also what opens one to PORT.
for host in A B; do
	ours=${host}1 peer=A1
	new="meta l4proto { tcp, udp } th dport $PORT ct state new accept"
	[[ $host == A ]] && peer=B1 new=
	on $host nft -f - <<-END || die "nftables"
		table inet host {
		    counter in_ulid { }
		    counter out_ulid { }
		    counter out_port { }
		    counter established { }
		    counter invalid { }
		    counter locators { }
		    counter shim { }
		    counter after_invalid { }
		    counter after_untracked { }
		    counter nat { }
		    chain input {
		        type filter hook input priority filter; policy drop;
		        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		        ip6 nexthdr 140 counter name shim
		        ct state invalid counter name invalid drop
		        ip6 saddr ${!peer} ip6 daddr ${!ours} counter name in_ulid
		        ip6 saddr { $A2, $B2 } counter name locators
		        ct state established,related counter name established accept
		        $new
		    }
		    chain output {
		        type filter hook output priority filter;
		        ct state invalid counter name invalid
		        ip6 saddr ${!ours} ip6 daddr ${!peer} counter name out_ulid
		        meta l4proto { tcp, udp } th dport $PORT counter name out_port
		        ip6 nexthdr 140 counter name shim
		        ip6 daddr { $A2, $B2 } meta l4proto != icmpv6 counter name locators
		    }
		    chain after {
		        type filter hook postrouting priority 150;
		        ip6 nexthdr 140 ct state invalid counter name after_invalid
		        ip6 nexthdr 140 ct state untracked counter name after_untracked
		    }
		    chain nat {
		        type nat hook postrouting priority srcnat;
		        ip6 nexthdr 140 counter name nat snat to 2001:db8::bad
		    }
		}
	END
done
serve B
topo_switch_both A2 B2 || die "switch"

flow_start stream tcp -s 10000 -i 2 A1 B1 || die "no stream through the firewalls"
pass "TCP passes firewalls that accept established connections only"
check "it goes on" flow_goes stream 300000
for host in A B; do
	entry=$(on $host conntrack -L -f ipv6 -p tcp 2>/dev/null)
	is "conntrack of $host: ULIDs and port, both directions, established" \
		"$(grep -c "ESTABLISHED src=$A1 dst=$B1 .*dport=$PORT src=$B1 dst=$A1 sport=$PORT .*ASSURED" <<<"$entry")" 1
	is "conntrack of $host: no entry with locators" \
		"$(on $host conntrack -L -f ipv6 2>/dev/null | grep -c -e "$A2" -e "$B2")" 0
done
check_flow "the stream is whole" stream
check "UDP passes, too" once udp -n 10 -i 2 A1 B1
for host in A B; do
	holds "$host: input rules see the ULIDs" "$(counted $host in_ulid) > 50"
	holds "$host: input rules see established connections" "$(counted $host established) > 50"
	holds "$host: output rules see the ULIDs" "$(counted $host out_ulid) > 50"
	is "$host: rules see no locators" "$(counted $host locators)" 0
	is "$host: rules see no Shim6 header" "$(counted $host shim)" 0
	is "$host: nothing is invalid" "$(counted $host invalid)" 0
	holds "$host: behind the shim, packets are untracked" "$(counted $host after_untracked) > 50"
	is "$host: and not invalid" "$(counted $host after_invalid)" 0
	is "$host: and no business of NAT" "$(counted $host nat)" 0
done
holds "A: output rules see the port" "$(counted A out_port) > 50"

flow_start stream tcp -s 10000 -i 2 A1 B1 || die "no stream"
topo_switch_both A1 B1
check "a switch to the ULIDs keeps the connection" flow_goes stream 300000
topo_switch_both A2 B1
check "as does one away from them" flow_goes stream 300000
entries=$(on A conntrack -L -f ipv6 -p tcp --state ESTABLISHED 2>/dev/null)
is "conntrack has one entry for it, with ULIDs" \
	"$(wc -l <<<"$entries") $(grep -c "src=$A1 dst=$B1 .*dport=$PORT" <<<"$entries")" "1 1"
check_flow "the stream is whole" stream

on B nft insert rule inet host input udp dport $PORT counter drop
check_not "a port that B drops is dropped for shimmed packets" once udp -n 5 -i 2 -w 1 A1 B1
check "others are not" once tcp -n 10000 A1 B1
on A nft insert rule inet host output tcp dport $PORT drop
check_not "a port that A drops on its way out is dropped" \
	on A timeout 2 traffic tcp -n 1000 -w 1 "$A1" "$B1" "$PORT"
tap_end
