#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ICMPv6 errors about what established contexts send over locators (RFC 5533,
# Section 8): sockets hear of them with ULIDs, and of a path MTU less 8.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"

need python3

# errors OCTETS SOURCE DESTINATION PORT: sends a datagram from the host that has
# SOURCE, and prints the error that its socket gets: TYPE CODE INFO ADDRESS PORT, of
# the destination that it was for. INFO is the MTU of Packet Too Big.
errors() {
	on "${2:0:1}" python3 - "$1" "$(topo_address "$2")" "$(topo_address "$3")" "$4" <<-'PY'
		import select, socket, struct, sys

		size, source, destination, port = sys.argv[1:]
		IPV6_RECVERR, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO = 25, 23, 2
		s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
		s.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
		s.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO)
		s.bind((source, 0))
		s.sendto(bytes(int(size)), (destination, int(port)))
		poll = select.poll()
		poll.register(s, 0)
		if not poll.poll(5000):
		    sys.exit("no error")
		_, control, _, about = s.recvmsg(100, 200, socket.MSG_ERRQUEUE)
		for level, kind, data in control:
		    if (level, kind) == (socket.IPPROTO_IPV6, IPV6_RECVERR):
		        _, origin, type, code, _, info, _ = struct.unpack("=IBBBBII", data[:16])
		        assert origin == 3, "not from ICMPv6"
		        print(type, code, info, about[0], about[1])
	PY
}

mtu_of() {
	once udp -n 1 "$@" | value mtu
}

is_connected() {
	[[ -n $(on A ss -Htn state established "dport = $PORT") ]]
}

moves() {
	topo_switch_both "$1" "$2" && flow_goes stream 300000
}

tap_begin
topo_up
dmesg_mark
for host in A B; do
	{ identity $host && setting $host idle_timeout 300000; } || die "host $host"
done
serve B
# Routers send one error a second to a host, and a stream that fails has it.
on core bash -c 'echo 0 >/proc/sys/net/ipv6/icmp/ratelimit' || die "rate of errors"
check "a context" establish
is "a closed port of B says so, on the ULIDs" "$(errors 10 A1 B1 9)" "1 4 0 $B1 9"

# S80
topo_mtu A 2 1400
topo_switch_both A2 B1 || die "switch"
stat_mark A
is "S80: too long for the other pair: the socket hears of its MTU less 8, and of B's ULID" \
	"$(errors 1380 A1 B1 "$PORT")" "2 0 1392 $B1 $PORT"
is "the error was about a packet between locators" "$(stat_since A InIcmpTranslated)" 1
is "a socket sees 1392" "$(mtu_of A1 B1)" 1392
flow_start stream tcp -s 65536 -i 10 A1 B1 || die "no stream"
topo_mtu B 2 1280
check "a stream moves to a pair with a link of 1280 octets" moves A2 B2
is "a socket is never told less than 1280" "$(mtu_of A1 B1)" 1280

# S81
stat_mark A
is "S81: a closed port of B: the socket hears it of B's ULID" "$(errors 10 A1 B1 9)" "1 4 0 $B1 9"
ip -6 -n "$(topo_ns core)" route replace unreachable 2001:db8:b:2::/64
is "S81: no route to B2: of B's ULID, too" "$(errors 10 A1 B1 "$PORT")" "1 0 0 $B1 $PORT"
holds "that error was about packets between locators" "$(stat_since A InIcmpTranslated) > 0"
check "the connection is not reset by that" is_connected
ip -6 -n "$(topo_ns core)" route replace 2001:db8:b:2::/64 via fe80::2 dev b2
check "with a route the stream goes on" flow_goes stream 300000 60
check_flow "the stream is whole" stream
check "the kernel's log is clean" dmesg_clean
tap_end
