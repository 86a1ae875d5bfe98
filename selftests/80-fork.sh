#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Contexts are forked for sockets whose settings are their own, and hosts answer by the
# fork that their peer sends by (draft-ietf-shim6-multihome-shim-api-03, Section 9 and
# Appendix A; scenarios S92 to S97). #n is the number in the checklist of the draft.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/sockets.sh"

# Control messages only, so that payload does not keep a capture from ending.
capture() {
	topo_capture "$1" A up1 'ip6[6] = 140 and ip6[42] < 128'
}

# messages_fii NAME: the FII options of I1 and I2 in a capture, one a line.
messages_fii() {
	messages "$1" | awk '$4 == "I1" || $4 == "I2"' | grep -o '000e0004........' | cut -c 9-
}

tap_begin
dmesg_mark
sockets_up || die "hosts"
payload_watch || die "no watch"
establish || die "no context"
ask B listen 0 "$B1" 7000 >/dev/null || die "no listener"

# S92
connected 1
stat_mark A B
check "S92: it prefers local locator A2" ask A prefer 1 local "$A2"
is "S92: which the default context uses" "$(default_pair A), $(used A 1)" "A2 B1, A2 B1"
is "S92: in place: nothing was asked of the peer" \
	"$(stat_since A OutI1) $(forks A .fii)" "0 "
check "S92: it talks" talk 1 1

# A-32
connected 2
check "A-32: so the first one gets a fork" wait_until 10 has_forks A 1
is "A-32: with its pair, and the default has its own again" \
	"$(fork_pair A 1), $(default_pair A)" "A2 B1, A1 B1"
is "A-32: as both are told" "$(used A 1), $(used A 2)" "A2 B1, A1 B1"
check "A-32: both talk" talk 1 1
check "A-32: both talk" talk 2 2
is "A-32: counted" "$(stat_since A ForkMoved) $(stat_since A ForkEstablished)" "1 1"

# S94
check "S94: the socket is closed" ask A close 1
ask B close 1
check "S94 #103: and its fork gone" wait_until 15 says "" forks A .fii
setting B idle_timeout 1000
check "S94: the peer's too after its idle time" wait_until 15 says "" forks B .fii
setting B idle_timeout 300000

# S93
connected 3
capture s93 || die "no capture"
stat_mark A B
check "S93: a socket prefers the peer's locator B2" ask A prefer 3 peer "$B2"
check "S93 #99: the shim forks" wait_until 10 has_forks A 1
# What is in use is asked for at once.
check "S93: it talks" talk 3 3
check "S93: it prefers its locator A2" ask A prefer 3 local "$A2"
check "S93: which it uses when the peer has answered from B2" \
	wait_until 10 comes_to_use "A2 B2" A 3 3 3
topo_capture_stop
is "S93 #111: by the ordinary exchange, begun by who forks" \
	"$(types s93 | grep -oE '\b[IR][12](bis)?\b' | paste -sd ' ')" "I1 R1 I2 R2"
fii=$(fork_of A 3 .fii)
is "S93 #99: with the FII option" "$(messages_fii s93 | sort -u)" "$(printf %08x "$fii")"
holds "S93 #100: which is not 0" "${fii:-0} != 0"
is "S93: as the peer has it" "$(forks B .fii)" "$fii"
is "S93 #112: the fork is that socket's" "$(forks A .owner_inode)" "$(ask A inode 3)"
is "S93 #98: two pairs" "$(fork_pair A 3), $(default_pair A)" "A2 B2, A1 B1"
is "S93 #98: each socket is told its own" "$(used A 3), $(used A 2)" "A2 B2, A1 B1"
is "S93 #98: on the wire the one socket's" "$(pairs_of talk 3 3)" "A2-B2 B1-A1 "
is "S93 #101 #118: and the other's" "$(pairs_of talk 2 2)" "A1-B1 B1-A1 "

# S96
stat_mark A B
talk 2 2
is "S96 #113: B answers the default by the default" "$(stat_since B OutForked)" 0
talk 3 3
holds "S96 #113: and the fork by the fork" "$(stat_since B OutForked) > 0"
holds "S96: which A receives by it" "$(stat_since A InForked) > 0"
check "S96 #114: B's socket prefers B2" ask B prefer 3 local "$B2"
check "S96 #114: to A2" ask B prefer 3 peer "$A2"
check "S96 #114: it is told so" wait_until 10 comes_to_use "B2 A2" B 3 3 3
is "S96 #114: and the other one is not" "$(used B 2)" "B1 A1"
is "S96 #114: within the fork that is there" "$(forks B .fii) $(stat_since B OutI1)" "$fii 0"
is "S96 #114: both directions on the other pair" "$(pairs_of talk 3 3)" "A2-B2 B2-A2 "
is "S96 #113: the other socket's on the first" "$(pairs_of talk 2 2)" "A1-B1 B1-A1 "

# Packets of a fork have the header, even from ULID to ULID.
check "a fork back on the ULIDs" ask A prefer 3 peer "$B1"
check "a fork back on the ULIDs" ask A prefer 3 local "$A1"
stat_mark A B
check "it talks" talk 3 3
holds "with the header" \
	"$(stat_since A OutForked) > 0 && $(stat_since A OutUlids) == 0 && $(stat_since B InForked) > 0"

# Another fork of the same pair
connected 4
check "another socket prefers A2" ask A prefer 4 local "$A2"
check "and gets a fork" wait_until 10 has_forks A 2
is "#100: with another FII" "$(forks A .fii | sort -u | wc -l)" 2
is "#101: without the first one's pair" "$(fork_pair A 4), $(fork_pair A 3)" "A2 B1, A1 B1"
check "#101: all talk" talk 4 4
check "#101: all talk" talk 3 3
check "#101: all talk" talk 2 2

# S91
check "S91: a socket is opted out" ask A dontshim 2 1
is "S91: it has no context" "$(ask A associated 2) $(ask A associated 3)" "0 1"
stat_mark A B
check "S91: it talks" talk 2 2
is "S91: past the shim" "$(stat_since A OutUlids) $(stat_since A OutForked)" "0 0"
ask A dontshim 2 0

# Datagrams
ask B open 10 udp "$B1" 7001 || die "no socket"
for n in 5 6; do
	connection $n udp 7001 || die "no socket"
done
check "UDP: a socket prefers A2" ask A prefer 6 local "$A2"
check "UDP: and gets a fork" wait_until 10 has_forks A 3
check "UDP: it talks" talk 6 10
check "UDP: it prefers B2" ask A prefer 6 peer "$B2"
check "UDP: and uses it" wait_until 10 comes_to_use "A2 B2" A 6 6 10
is "UDP: to one socket of the peer" "$(pairs_of talk 6 10)" "A2-B2 B1-A1 "
stat_mark A B
is "#107: a socket is asked, so that ancillary data is served" "$(ask A associated 5)" 1
check "#107: a datagram has a locator of its own" ask A through 5 local "$A2" 100
check "#107: it arrives" takes B 10 100
is "#107: and no fork was asked for" "$(stat_since A OutI1) $(fork_of A 5 .fii)" "0 "
stat_mark A B
check "UDP: the default" talk 5 10
is "UDP: is answered by the default" "$(stat_since B OutForked)" 0
check "UDP: the fork" talk 6 10
is "UDP: by the fork" "$(stat_since B OutForked)" 1
check "UDP: fragments too" talk 6 10 4000
holds "UDP: by the fork" "$(stat_since B OutForked) >= 2 && $(stat_since B OutFragmented) > 0"
is "UDP: on the fork's pair" "$(pairs_of talk 6 10 4000)" "A2-B2 B1-A1 "

# All that a socket can want for itself
check "#118: a socket has a Send Timeout of its own" ask A timeout 5 20
check "#118: and gets a fork" wait_until 10 has_forks A 4
check "#118: with a hot standby" ask A standby 5 1
check "#118: it talks" talk 5 10
ask A close 5
check "#103: which is gone with the socket" wait_until 15 has_forks A 3

# Raw sockets have no ports.
ask B open 11 raw "$B1" 0 || die "no socket"
connection 7 raw 0 || die "no socket"
check "raw: a socket prefers A2" ask A prefer 7 local "$A2"
check "raw: and gets a fork" wait_until 10 has_forks A 4
stat_mark A B
ask A send 7 100 && takes B 11 100
holds "raw: by the fork" "$(stat_since A OutForked) > 0 && $(stat_since B InForked) > 0"
for n in 6 7; do ask A close $n; done
for n in 10 11; do ask B close $n; done

# From the SYN to the child
# The first SYN is lost; the next one finds the fork.
on core nft "insert rule inet topo faults tcp dport 7002 drop"
ask B listen 12 "$B1" 7002 || die "no listener"
ask A begin 8 "$A1" "$B1" 7002 || die "no socket"
stat_mark A B
check "a socket that connects prefers A2" ask A prefer 8 local "$A2"
check "it connects" ask A finish 8
holds "by a fork" "$(stat_since A OutForked) > 0"
holds "the peer answers its SYN by the fork" "$(stat_since B OutForked) > 0"
stat_mark B
check "the peer accepts" ask B accept 8 12
ask B send 8 100
check "and speaks first" takes A 8 100
holds "by the fork" "$(stat_since B OutForked) > 0"
ask A close 8

# Life
setting A idle_timeout 1000
setting B idle_timeout 1000
# What is over for B is not for A, whose socket is there.
check "#105: a fork that the peer hears nothing of is gone there" \
	wait_until 20 says "" forks B .fii
check "#102: it lives as long as its socket" wait_until 15 has_forks A 2
check "the peer hears of it again" talk 3 3
check "the peer has it again" wait_until 10 has_forks B 1
stat_mark A B
ask A close 4
check "S94 #103: a socket is closed, and its fork gone" wait_until 15 has_forks A 1
is "#106: the peer is not told" \
	"$(stat_since A OutUpdateRequest) $(stat_since A OutError)" "0 0"

# S95
kill -9 "${SOCKETS_PID[A]}"
check "S95 #104: the process dies, and all forks are gone" wait_until 15 says "" forks A .fii
check "S95: the peer's when it hears nothing more" wait_until 20 says "" forks B .fii
stop "${SOCKETS_PID[B]}"
check "the module has no users" wait_until 10 says 0 cat /sys/module/shim6/refcnt
check "the kernel has nothing to complain about" dmesg_clean
tap_end
