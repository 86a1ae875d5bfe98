#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The connection of a context's TCP packets is looked up once, and anew when some connection was closed. They
# are given to those that IPv6 would give them to, and nothing that IPv6 asks before is left out.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"
. "$(dirname "$0")/lib/trace.sh"

# Octets in a packet, and how many of them make the answer sure.
readonly SIZE=100 PACKETS=50

# lookups: how often hosts have looked a connection up since trace_forget, for packets of a context.
lookups() {
	grep -c '__inet6_lookup_established <-look_socket_up' "$TRACE/trace"
}

# by_ipv6: the same for others.
by_ipv6() {
	grep '__inet6_lookup_established <-' "$TRACE/trace" | grep -vc look_socket_up
}

# goes_on NAME: a flow goes on for some packets, which is all that is traced.
goes_on() {
	trace_forget && flow_goes "$1" $((SIZE * PACKETS))
}

# owned: packets to B that a firewall there found to be of somebody's socket.
owned() {
	on B nft -j list counter inet host owned | jq '.nftables[].counter.packets? // empty'
}

# found ADDRESSES...: a connection; 1 if the firewall found its socket.
found() {
	on B nft reset counters >/dev/null
	once tcp -n $((SIZE * 5)) -s $SIZE "$@" >/dev/null || echo failed
	echo "$(($(owned) > 0))"
}

# finds WHAT EXPECTED: what the firewall finds, of addresses without a context and of those with one,
# plain and translated; a case.
finds() {
	local all

	all=$(found A2 B2)
	topo_switch_both A1 B1
	all+=" $(found A1 B1)"
	topo_switch_both A2 B2
	all+=" $(found A1 B1)"
	is "$1" "$all" "$2"
}

tap_begin
topo_up direct
topo_contexts || die "contexts"
serve B
trace_begin || die "no tracefs"
{ echo __inet6_lookup_established >"$TRACE/set_ftrace_filter" && echo function >"$TRACE/current_tracer"; } ||
	die "no tracer of functions"

flow_start other tcp -s $SIZE -i 2 A2 B2 || die "no connection"
check "a connection without a context" goes_on other
holds "  each packet is looked up" "$(by_ipv6) >= 2 * $PACKETS"
is "  none by the shim" "$(lookups)" 0
check_flow "  it is whole" other

flow_start stream tcp -s $SIZE -i 2 A1 B1 || die "no connection"
check "a connection between ULIDs" goes_on stream
check "and further on" goes_on stream
holds "  one in a while is looked up" "$(lookups) <= 2 * $(nproc)"
holds "  IPv6 looks none up" "$(by_ipv6) <= $PACKETS / 5"
topo_switch_both A2 B2
check "the same, translated" goes_on stream
check "and further on" goes_on stream
holds "  one in a while is looked up" "$(lookups) <= 2 * $(nproc)"
holds "  IPv6 looks none up" "$(by_ipv6) <= $PACKETS / 5"

trace_forget
check_not "another connection, of the host with itself, is refused" on A traffic tcp -n 1 ::1 ::1 9
check "the first one goes on" flow_goes stream $((SIZE * PACKETS))
holds "  both ends are looked up anew" "$(lookups) >= 2"
check "and further on" goes_on stream
holds "  one in a while is looked up" "$(lookups) <= 2 * $(nproc)"
check_flow "all of it came back" stream

# As many as that find no place of their own.
for ((i = 0; i < 20; i++)); do
	flow_start "s$i" tcp -s $SIZE -i 5 A1 B1 || die "connection $i"
done
check "many connections at once" flow_goes s19 $((SIZE * PACKETS))
for ((i = 0; i < 20; i++)); do
	check_flow "  what connection $i sent came back to it" "s$i"
done

on B nft -f - <<-END || die "nftables"
	table inet host {
	    counter owned { }
	    chain input {
	        type filter hook input priority filter;
	        tcp dport $PORT meta skuid 0 counter name owned
	    }
	}
END
finds "a firewall knows whose socket a packet is for" '1 1 1'
on B sysctl -qw net.ipv4.tcp_early_demux=0
finds "where TCP's sockets are not to be looked up early it does not" '0 0 0'
on B sysctl -qw net.ipv4.tcp_early_demux=1 net.ipv4.ip_early_demux=0
finds "nor where none are" '0 0 0'
on B sysctl -qw net.ipv4.ip_early_demux=1
finds "and again" '1 1 1'
tap_end
