#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Hosts know of a failure before the Send Timeout: from TCP's retransmission timer,
# and from ICMPv6 errors (RFC 5534, Section 4.1). Neither moves what works.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/reap.sh"

# The Send Timeout has nothing to do with what happens here.
begin() {
	reap_hosts 60000 && flow_start stream tcp -w 60 -s 5000 -i 10 A1 B1 && flow_goes stream 100000
}

why() {
	shows A '[.history[] | select(.event == "exploring")][0].cause'
}

# unasked NAME: octets of payload packets that A sent in a capture before any came.
unasked() {
	tcpdump -n -v -r "$TOPO_DIR/$1.pcap" 2>/dev/null |
		awk -v from="$A2" '
			!match($0, /payload length: [0-9]+/) { next }
			!index($0, from " >") { exit }
			{ octets += substr($0, RSTART + 16, RLENGTH - 16) }
			END { print octets + 0 }'
}

timed_out() {
	(($(mib A TcpExtTCPTimeouts) >= timeouts + $1))
}

tap_begin
dmesg_mark
begin || die "hosts"

timeouts=$(mib A TcpExtTCPTimeouts)
topo_kill A1
check "TCP's retransmission timer expires" wait_until 20 timed_out 3
is "net.shim6.tcp_retransmits is 0: nothing follows from that" "$(stat_since A Explored)" 0
setting A tcp_retransmits 4
survives "it is 4: A looks for another pair"
is "because of TCP" "$(why) $(pair A)" "tcp-timeout A2 B2"
holds "A explored once" "$(stat_since A Explored) == 1"

# One timeout is enough, and what the switch has TCP retransmit is not another one.
back
setting A tcp_retransmits 1
topo_capture moved A up2 'ip6[6] = 140 and ip6[42] >= 128'
topo_kill B1
survives "it is 1: A looks for another pair"
is "because of TCP" "$(why) $(pair A)" "tcp-timeout A2 B2"
holds "A explored once, and moved once" \
	"$(stat_since A Explored) == 1 && $(stat_since A PairSwitched) == 1"
check_flow "the stream is whole" stream
topo_capture_stop
holds "TCP began with more than one segment over the new pair" "$(unasked moved) > 3000"

# One connection is stuck, and others are not.
check "both are back" eval 'topo_heal && wait_until 30 is_operational && topo_switch_both A1 B1'
flow_start stream tcp -w 60 -s 5000 -i 10 A1 B1 || die "no stream"
flow_start stuck tcp -w 60 -s 5000 -i 10 A1 B1 || die "no stream"
stat_mark A B
stuck=$(on A ss -Htnp state established "dport = $PORT" |
	awk -v pid="pid=${FLOW_PID[stuck]}," 'index($0, pid) { n = split($3, a, ":"); print a[n] }')
on B nft -f - <<-END || die "nftables"
	table inet stuck {
	    chain in {
	        type filter hook input priority filter;
	        tcp sport $stuck drop
	    }
	}
END
check "one connection does not get through: A looks" wait_until 20 counted A Explored 1
check "both ends are operational" wait_until 20 is_operational
is "A stays where others get through" "$(pair A) $(stat_since A PairSwitched)" "A1 B1 0"
check "these go on" flow_goes stream 50000
on B nft delete table inet stuck
flow_stop stuck

# ICMPv6 errors, about packets over the ULIDs and over others.
setting A tcp_retransmits 0
on core bash -c 'echo 0 >/proc/sys/net/ipv6/icmp/ratelimit' || die "rate of errors"
unreachable() {
	on core nft -f - <<-END
		table inet unreachable {
		    chain forward {
		        type filter hook forward priority filter;
		        ip6 saddr $1 ip6 daddr $2 reject with icmpv6 no-route
		    }
		}
	END
}
for from in "A1 B1" "A2 B2"; do
	read -r a b <<<"$from"
	check "both use $from" eval "topo_switch_both $a $b && flow_goes stream 50000"
	stat_mark A B
	unreachable "${!a}" "${!b}" || die "nftables"
	survives "an ICMPv6 error says that $b cannot be reached from $a"
	is "that was why" "$(why)" icmp-error
	holds "A moved" "$(stat_since A PairSwitched) == 1"
	on core nft delete table inet unreachable
done
check_flow "the stream is whole" stream
check "the kernel's log is clean" dmesg_clean
tap_end
