#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The route of translated datagrams to an address of this host is looked up once, and anew when
# routing, rules or what a firewall made of them say something else: as with packets that the
# module does not touch. That of those which leave is as new as the last change of routes, and
# super-packets stay whole as long as the device that it leads to keeps them in memory.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"
. "$(dirname "$0")/lib/trace.sh"

readonly DATAGRAMS=50
# Nobody's, and in the same place of the cache as B1, which ends with the same octet.
readonly ELSEWHERE=2001:db8:cc::${B1: -2}

# exchange WHAT: datagrams there and back, a case. LOOKUPS is how often B looked into the table of
# local addresses meanwhile, for what came to it by a device.
exchange() {
	trace_forget
	check "$1" once udp -n $DATAGRAMS -i 2 A1 B1
	LOOKUPS=$(grep -c " fib6_table_lookup: table 255 .* -> $B1/" "$TRACE/trace") || true
}

# counted NAME: packets that a named counter of B saw.
counted() {
	on B nft -j list counter inet host "$1" | jq '.nftables[].counter?.packets // empty'
}

# send N: N datagrams from A to B that need no answer.
send() {
	on A traffic udp -n "$1" -i 2 -w 1 "$A1" "$B1" "$PORT" >"$TOPO_DIR/sent" 2>&1 || true
}

# compare WHAT COUNTER: datagrams pass a counter of B, without locators and with them.
compare() {
	local plain

	topo_switch_both A1 B1
	on B nft reset counters >/dev/null
	send 5
	plain=$(counted "$2")
	topo_switch_both A2 B2
	on B nft reset counters >/dev/null
	send 5
	is "$1, plain and translated" "$plain $(counted "$2")" '5 5'
}

tap_begin
topo_up direct
topo_contexts || die "contexts"
serve B
trace_begin || die "no tracefs"
# What a host sends comes by no device, or by the loopback one.
echo 'iif > 1' >"$TRACE/events/fib6/fib6_table_lookup/filter" || die "no tracepoint of routing"
echo 1 >"$TRACE/events/fib6/fib6_table_lookup/enable" || die "no tracepoint of routing"

exchange "datagrams between ULIDs"
holds "  each is looked up" "$LOOKUPS >= $DATAGRAMS"
topo_switch_both A2 B2
exchange "translated datagrams"
holds "  one in a while is looked up" "$LOOKUPS <= $(nproc) + 2"
exchange "the same again"
is "  none is looked up" "$LOOKUPS" 0

on B ip addr add 2001:db8:b:1::77/128 dev up1
exchange "after another address came"
holds "  one in a while is looked up" "$LOOKUPS <= $(nproc) + 2"

on B sysctl -qw net.ipv6.conf.all.forwarding=1
on B ip -6 route add "$ELSEWHERE/128" via fe80::2 dev up1 || die "route"
on B nft -f - <<-END || die "nftables"
	table inet host {
	    counter in_ulid { }
	    counter in_mark { }
	    counter elsewhere { }
	    chain change {
	        type filter hook prerouting priority raw;
	    }
	    chain input {
	        type filter hook input priority filter;
	        ip6 daddr $B1 udp dport $PORT counter name in_ulid
	        ip6 daddr $B1 udp dport $PORT mark 7 counter name in_mark
	    }
	    chain forward {
	        type filter hook forward priority filter;
	        ip6 daddr $ELSEWHERE udp dport $PORT counter name elsewhere
	    }
	}
END
compare "datagrams come in" in_ulid
on B nft add rule inet host change udp dport $PORT ip6 daddr set "$ELSEWHERE"
compare "those with another destination are forwarded" elsewhere
on B nft flush chain inet host change
compare "and again not" in_ulid

on B nft add rule inet host change udp dport $PORT meta mark set 7
on B ip -6 rule add pref 5 fwmark 7 blackhole
compare "a rule behind that of local addresses is not asked" in_mark
on B ip -6 rule add pref 100 lookup local
on B ip -6 rule del pref 0
send 5
topo_switch_both A1 B1
send 5
is "one before it is, plain and translated" "$(counted in_mark)" 5
on B nft flush chain inet host change
compare "other datagrams are not in its way" in_ulid
topo_switch_both A2 B2
exchange "where another rule is first"
holds "  each is looked up" "$LOOKUPS >= $DATAGRAMS"
on B ip -6 rule add pref 0 lookup local
on B ip -6 rule del pref 100
exchange "where it is first again"
holds "  one in a while is looked up" "$LOOKUPS <= $(nproc) + 2"

on B ip -6 rule add pref 0 from "$A1" ipproto udp blackhole
on B ip -6 rule del pref 0 lookup local
on B ip -6 rule add pref 0 lookup local
on B nft reset counters >/dev/null
send 5
is "a rule without a mark that is before it" "$(counted in_ulid)" 0
on B ip -6 rule del pref 0 from "$A1" ipproto udp blackhole
compare "and is gone" in_ulid

# two: datagrams from A1, over the locators. A route is remembered for the second.
two() {
	echo one >"/dev/udp/$B1/9"
	echo two >"/dev/udp/$B1/9"
}

topo_switch_both A2 B2
on A nft -f - <<-END || die "nftables"
	table inet host {
	    counter up1 { }
	    counter up2 { }
	    chain leave {
	        type filter hook postrouting priority filter;
	        ip6 saddr $A2 ip6 daddr $B2 oifname up1 counter name up1
	        ip6 saddr $A2 ip6 daddr $B2 oifname up2 counter name up2
	    }
	}
END

# other_way add|del [OPTION...]: another route to the locator, by the other device.
other_way() {
	ip -6 -n "$(topo_ns A)" route "$1" "$B2/128" via fe80::1 dev up1 table 102 "${@:2}" || die "route $*"
}

# ways: by which devices how many left since the last time.
ways() {
	on A nft -j reset counters |
		jq -r '[.nftables[].counter? | select(.packets > 0) | "\(.name)=\(.packets)"] | join(" ")'
}

# Where time travels, this takes none: it is all in one tick.
went=''
for ((i = 0; i < 5; i++)); do
	visit A two
	other_way add
	visit A two
	other_way del
	went+="$(ways) "
done
is "the first packet after a change of routes goes by the new one" "$went" "$(printf 'up1=2 up2=2 %.0s' 1 2 3 4 5)"
other_way add expires 1
visit A two
pause 1.5
visit A two
is "nor does one go by a route whose time is over" "$(ways)" "up1=2 up2=2"

# in_memory: super-packets go through the context; 1 for whole ones, 1 for those that were left to software.
in_memory() {
	stat_mark A
	once tcp -n 500000 -s 65536 A1 B1 >/dev/null || echo failed
	echo "$(($(stat_since A OutWhole) > 0)) $(($(stat_since A OutSoftwareGso) > 0))"
}

is "what stays in memory stays whole" "$(in_memory)" "1 0"
ip -n "$(topo_ns B)" link add link up2 name other type macvlan || die "macvlan"
is "but not if another device takes it over there" "$(in_memory)" "0 1"
ip -n "$(topo_ns B)" link del other
is "until that is gone" "$(in_memory)" "1 0"
tap_end
