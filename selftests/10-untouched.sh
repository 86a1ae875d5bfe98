#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A context whose locators are its ULIDs changes nothing: packets leave octet by
# octet as they do without a context, and carry no payload header (RFC 5533
# section 5.2).

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

# One packet of every sort, all octets given. The kernel adds nothing to them.
sorts() {
	local ping=80000000000100014142434445464748

	echo "$A1 $B1 58 $ping"
	echo "$A1 $B1 17 13881389000c00004142434445464748"
	echo "$A1 $B1 253 4142434445464748"
	echo "# hop-by-hop options, then a fragment, then two more headers"
	echo "$A1 $B1 0 fd00010400000000""4142434445464748"
	echo "$A1 $B1 44 fd00000100000001""4142434445464748"
	echo "$A1 $B1 60 2c00010400000000""fd00000000000002""4142434445464748"
	echo "# no next header"
	echo "$A1 $B1 59 -"
}

# seen NAME: the octets of what host A sent from A1 to B1.
seen() {
	tcpdump -n -t -x -r "$TOPO_DIR/$1.pcap" "src $A1 and dst $B1" 2>/dev/null
}

# B answers some of them, and A's stack complains about answers that nobody waits for.
injected() {
	topo_capture "$1" A up1 \
		"src $A1 and dst $B1 and not tcp and not (icmp6 and ip6[40] < 128)" || return
	sorts | on A inject || return
	topo_capture_stop
}

everything() {
	once tcp -n 300000 A1 B1 && once udp -n 5 -i 1 A1 B1 && once raw -n 5 -i 1 A1 B1 &&
		topo_reaches A1 B1
}

# echoes: three from A1 to B1.
echoes() {
	on A ping -q -c 3 -i 0.2 -W 2 -I "$A1" "$B1" >/dev/null
}

# vrf: B's first uplink is in one.
vrf() {
	on B ip -6 -batch - <<-END
		link add red type vrf table 500
		link set red up
		link set up1 master red
		address replace fe80::1/64 dev up1 nodad
		address replace $B1/64 dev up1 nodad
		route replace default via fe80::2 dev up1 table 500
	END
}

tap_begin
topo_up direct
serve B

stat_mark A B
check "without a context: TCP, UDP, raw, echo" everything
is "without a context nothing is counted as sent" "$(stat_since A OutUlids)" 0
is "without a context nothing is counted as received" "$(stat_since A InUlids)" 0
check "capture without a context" injected without
holds "the capture has all seven sorts" "$(seen without | grep -c '^IP6') == 7"

topo_contexts || die "contexts"
stat_mark A B
check "capture with a context on the ULID pair" injected with
is "packets are the same, octet by octet" "$(seen with)" "$(seen without)"

topo_capture flow A up1
check "with a context on the ULID pair: TCP, UDP, raw, echo" everything
topo_capture_stop
is "no payload header on the wire" \
	"$(tcpdump -n -r "$TOPO_DIR/flow.pcap" 'ip6 proto 140' 2>/dev/null | wc -l)" 0
holds "sent packets are counted as OutUlids" "$(stat_since A OutUlids) > 10"
holds "received packets are counted as InUlids" "$(stat_since B InUlids) > 10"
is "none is counted as translated" "$(stat_since A OutTranslated)" 0
is "nothing is dropped on A" "$(stat_drops A)" ""
is "nothing is dropped on B" "$(stat_drops B)" ""

stat_mark B
check "echoes" echoes
is "each is counted once where it came" "$(stat_since B InUlids)" 3
on B nft -f - <<-'END' || die "nftables"
	table ip6 host {
	    chain input {
	        type filter hook input priority filter;
	        icmpv6 type echo-request drop
	    }
	}
END
stat_mark B
check "echoes are dropped in INPUT" eval '! echoes'
is "they are counted all the same: the path works" "$(stat_since B InUlids)" 3
on B nft delete table ip6 host
vrf || die "a VRF"
stat_mark B
check "echoes to an address in a VRF" echoes
is "each is counted once, though it passes PRE_ROUTING twice" "$(stat_since B InUlids)" 3
tap_end
