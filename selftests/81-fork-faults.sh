#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Forks of contexts when both ends want one, when the peer does not answer, when there are
# too many, when a path fails, and when the peer has forgotten all
# (draft-ietf-shim6-multihome-shim-api-03, Section 9 and Appendix A; scenario S97).

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/sockets.sh"
. "$(dirname "$0")/lib/loss.sh"

# refused WORDS COMMAND...: it fails and says that.
refused() {
	local words=$1

	shift
	! "$@" >"$TOPO_DIR/refused" && grep -q "$words" "$TOPO_DIR/refused"
}

# silence: nothing with a Shim6 header passes the core, until speech.
silence() {
	on core nft "add chain inet topo silence { type filter hook forward priority 0; };
		add rule inet topo silence ip6 nexthdr 140 drop"
}

speech() {
	on core nft delete chain inet topo silence
}

# works N: both ends are content with the fork of A's socket.
works() {
	local fii

	fii=$(fork_of A "$1" .fii)
	[[ $(fork_of A "$1" .reap) == operational &&
		$(forks B "select(.fii == $fii) | .reap") == operational ]]
}

# tries N: something from A arrives.
tries() {
	ask A send "$1" 100 && takes B "$1" 100
}

tap_begin
dmesg_mark
sockets_up || die "hosts"
payload_watch || die "no watch"
establish || die "no context"
ask B listen 0 "$B1" 7000 >/dev/null || die "no listener"
# The socket that wants nothing.
connected 1

# S97
connected 2
topo_netem A 1 delay 100ms || die "no delay"
check "S97: A's end prefers A2" ask A prefer 2 local "$A2"
check "S97: B's end prefers B2 before it has heard of A's fork" ask B prefer 2 local "$B2"
check "S97: both have two forks" wait_until 15 has_forks A 2
check "S97: both have two forks" wait_until 15 has_forks B 2
is "S97 #100: with two FIIs" "$(forks A .fii | sort -u | wc -l)" 2
is "S97: that are the same for both" "$(forks A .fii | sort)" "$(forks B .fii | sort)"
is "S97: of which one is A's and one is B's" \
	"$(fork_of A 2 .origin) $(fork_of B 2 .origin)" "initiator initiator"
topo_netem A 1
is "S97: each sends by its own" "$(used A 2), $(used B 2)" "A2 B1, B2 A1"
is "S97: on the wire" "$(pairs_of talk 2 2)" "A2-B1 B2-A1 "
is "S97 #101: the other socket by the default" "$(pairs_of talk 1 1)" "A1-B1 B1-A1 "
for host in A B; do ask $host close 2; done
for host in A B; do
	setting $host idle_timeout 500
	check "S97: no forks when the sockets are closed, on $host" \
		wait_until 15 says "" forks $host .fii
	setting $host idle_timeout 300000
done

# A-33
connected 3
setting A i1_retries_max 1
silence || die "no silence"
stat_mark A B
check "A-33: a socket prefers A2, and the peer does not answer" ask A prefer 3 local "$A2"
is "A-33: it stays where it is" "$(used A 3)" "A1 B1"
check "A-33: and talks" talk 3 3
check "A-33: the fork fails" wait_until 15 counted A ForkFailed 1
check "A-33: which nobody need know" wait_until 10 says "" forks A .fii
is "A-33: it stays where it is" "$(used A 3), $(default_pair A)" "A1 B1, A1 B1"
check "A-33: and talks" talk 3 3
speech
setting A i1_retries_max 4
check "A-33: it prefers B2, and the peer answers" ask A prefer 3 peer "$B2"
check "A-33: so it gets a fork" wait_until 20 has_forks A 1
check "A-33: with all that it ever wanted" wait_until 10 comes_to_use "A2 B2" A 3 3 3
is "A-33: on the wire" "$(pairs_of talk 3 3)" "A2-B2 B1-A1 "

# What is disabled stays (choice A-15).
check "a preference is disabled" ask A disable 3 local
is "and nothing moves" "$(used A 3)" "A2 B2"

# Limits
connected 4
stat_mark A B
setting A max_forks_user 1
check "a user has so many forks: ENOBUFS" refused "error 105" ask A prefer 4 local "$A2"
setting A max_forks_user 256
setting A max_forks 1
check "all have so many forks: ENOBUFS" refused "error 105" ask A prefer 4 local "$A2"
setting A max_forks 4096
is "both are counted" "$(stat_since A ForkUserLimited) $(stat_since A ForkTableFull)" "1 1"
is "and nothing has moved" "$(used A 4) $(stat_since A OutI1)" "A1 B1 0"
setting B max_forks_peer 1
setting A i2_retries_max 0
setting A i1_retries_max 0
check "the peer has so many forks of this host" ask A prefer 4 local "$A2"
check "so it refuses another" wait_until 10 counted B ForkPeerLimited 1
check "which fails" wait_until 15 counted A ForkFailed 1
check "and the socket talks" talk 4 4
setting A i2_retries_max 2
setting A i1_retries_max 4
setting B max_forks_peer 256

# Failure detection of a fork is its own.
for host in A B; do setting $host send_timeout 1000; done
# Timers that ran before may expire at once.
check "a fork works" wait_until 20 works 3
check "it is back on its pair" ask A prefer 3 local "$A2"
check "it is back on its pair" ask A prefer 3 peer "$B2"
check "it is there" wait_until 20 comes_to_use "A2 B2" A 3 3 3
check "it works" wait_until 20 works 3
switches=$(shows A .switches)
topo_break A2 B2 both
check "its pair fails, and what is sent arrives" tries 3
check "it works" wait_until 20 works 3
holds "by another pair" "$(fork_of A 3 '.history | map(select(.event == "exploring")) | length') > 0"
check_not "by another pair" says "A2 B2" fork_pair A 3
is "while the default has never moved" "$(default_pair A) $(shows A .switches)" "A1 B1 $switches"
check "the other socket talks" talk 1 1
topo_heal
for host in A B; do setting $host send_timeout 15000; done
check "the fork works" wait_until 20 works 3

# The peer forgets.
fii=$(fork_of A 3 .fii)
stat_mark A B
on B shim6 context flush
check "the peer forgot all, and a socket talks" tries 3
check "because its fork was recovered" wait_until 10 says "$fii" forks B .fii
holds "by R1bis and I2bis" "$(stat_since A InR1bis) >= 1 && $(stat_since A ContextRecovered) >= 1"
is "as that socket's" "$(fork_of A 3 .fii)" "$fii"

# A fork while the default context is recovered. What tells A that B forgot it may be its data,
# or an Update Request that A still owes. It goes on with I2bis for as long as that is lost.
setting A i2bis_retries_max 32
topo_switch A A2 B2
lose I2bis
stat_mark A B
on B shim6 context flush
ask A send 1 100
check "the default is to be recovered" comes_to A I2BIS-SENT
check "a socket wants a fork meanwhile" ask A prefer 4 local "$A1"
check "the fork is established" wait_until 20 says ESTABLISHED fork_of A 4 .state
is "on both ends" "$(forks B .fii)" "$(fork_of A 4 .fii)"
is "before the default is recovered" \
	"$(state A) $(state B), $(stat_since A ContextRecovered)" "I2BIS-SENT IDLE, 0"
lose_none
check "the default is recovered" comes_to A ESTABLISHED 30
check "the default is recovered" comes_to B ESTABLISHED
holds "both by themselves" \
	"$(stat_since A ContextRecovered) >= 1 && $(stat_since A ForkEstablished) == 1"
is "each with its pair" "$(default_pair A), $(fork_pair A 4)" "A2 B2, A1 B2"
check "all talk" takes B 1 100
check "all talk" talk 4 4

for host in A B; do stop "${SOCKETS_PID[$host]}"; done
check "the module has no users" wait_until 10 says 0 cat /sys/module/shim6/refcnt
check "the kernel has nothing to complain about" dmesg_clean
tap_end
