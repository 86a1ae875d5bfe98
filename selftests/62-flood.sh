#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A host under a flood of I1 from senders that do not exist keeps nothing for them,
# answers no more than it is set to, and still establishes contexts with others
# (RFC 5533 sections 4.4 and 16). I2 that prove nothing are dropped before they cost
# anything, and a peer that may ask does not keep others from it. Scenario S12.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"

readonly MANY=40000
# 3fff::/20 is for documentation.
readonly NOBODY=3fff:f00::

# The senders do not exist; answers to them end in the core without a word.
up() {
	topo_up
	identity A || die "identity"
	identity B || die "identity"
	ip -6 -n "$(topo_ns core)" route add blackhole "$NOBODY/32" || die "route"
}

flood() {
	on core flood "$@"
}

# memory: octets that the kernel has in its slabs and cannot give back.
memory() {
	awk '$1 == "SUnreclaim:" { print $2 * 1024 }' /proc/meminfo
}

# Much less than the smallest object for each message would be; the kernel frees
# what it has freed a while later.
as_before() {
	(($(memory) - before < MANY * 16))
}

flooding() {
	spawn core flood -n 0 "$@" >"$TOPO_DIR/flood"
	FLOOD=$SPAWNED
}

calm() {
	stop "$FLOOD"
}

tap_begin
up
dmesg_mark

# Answers are so few that most I1 find none left.
readonly RATE=100
setting B r1_rate $RATE || die "setting"
# What the first messages allocate once is not counted.
flood -n 5000 i1 $NOBODY "$B1" >/dev/null || die "flood"
topo_capture flood B up1 'ip6 proto 140 and ip6[42] == 2'
before=$(memory)
stat_mark B
began=$(now_ms)
seconds=$(flood -n $MANY i1 $NOBODY "$B1" | value seconds) || die "flood"
check "all I1 arrive" wait_until 10 counted B InI1 $MANY
took=$(($(now_ms) - began))
note "$MANY I1 in $seconds s"
is "no context" "$(stat_get B Contexts)" 0
is "the queue is not used" "$(stat_since B ControlQueueFull)" 0
answered=$(stat_since B OutR1)
holds "some are answered, at most $RATE a second" \
	"$answered > 0 && $answered <= $RATE + $RATE * ($took + 100) / 1000"
is "all others are counted" \
	"$((answered + $(stat_since B AnswerLimitedPeer) + $(stat_since B AnswerLimitedHost)))" $MANY
topo_capture_stop
is "so many R1 are on the wire" "$(tcpdump -n -r "$TOPO_DIR/flood.pcap" 2>/dev/null | wc -l)" "$answered"
check "no memory is kept" wait_until 20 as_before
note "$((($(memory) - before) / 1024)) KiB more than before"

# One sender cannot have R1 sent to it, or to whom it says it is, at will.
rate=$(on B cat /proc/sys/net/shim6/answer_rate_peer)
stat_mark B
began=$(now_ms)
flood -n 2000 copy "${NOBODY}1" "$B1" 3b010100ecf41a2b3c4d5e6f11111111 >/dev/null || die "flood"
check "I1 of one sender arrive" wait_until 10 counted B InI1 2000
answered=$(stat_since B OutR1)
holds "some are answered, at most $rate a second" \
	"$answered > 0 && $answered <= $rate + $rate * ($(now_ms) - $began + 100) / 1000"
is "all others are counted" "$((answered + $(stat_since B AnswerLimitedPeer)))" 2000

# One of many senders is real.
setting B r1_rate 100000
flooding i1 $NOBODY "$B1"
stat_mark B
wait_until 10 counted B InI1 1000
start A
check "a real peer gets its context during the flood" comes_to A ESTABLISHED 30
note "B heard $(stat_since B InI1) I1, answered $(stat_since B OutR1)"
check "which goes on" kill -0 "$FLOOD"
calm
check "both have it" comes_to B ESTABLISHED
is "B has no other" "$(stat_get B Contexts)" 1
check "no memory is kept for those who were answered, either" wait_until 20 as_before

# I2 that nobody was invited to.
stat_mark B
before=$(memory)
flood -n $((MANY / 2)) i2 $NOBODY "$B1" >/dev/null || die "flood"
check "I2 with validators that are not B's are dropped" \
	wait_until 10 counted B InBadValidator $((MANY / 2))
is "none is answered, none gets into the queue" \
	"$(stat_since B OutR2) $(stat_since B ControlQueueFull)" "0 0"
is "B has no other context" "$(stat_get B Contexts)" 1
check "no memory is kept" wait_until 20 as_before

# noisy: A1 sends its good I2 over and over, more than B can take, while A2 wants a
# context with B2.
noisy() {
	local i2 status

	topo_capture noise A up1 'ip6 proto 140' || return
	establish || return
	topo_capture_stop
	i2=$(messages noise | awk '$4 == "I2" { print $6; exit }')
	flooding copy "$A1" "$B1" "$i2"
	stat_mark A B
	wait_until 10 counted B ControlQueueFull 1000 && start A A2 B2 &&
		wait_until 3 in_state A ESTABLISHED A2 B2
	status=$?
	calm
	return $status
}

# Two prefixes of 64 are in one bucket of the queue by chance; in another
# namespace they are so in another one.
fair() {
	noisy && return
	topo_down
	up
	noisy
}

on A shim6 context flush
on B shim6 context flush
if fair; then
	pass "a noisy peer does not keep another one from its context"
else
	fail "a noisy peer does not keep another one from its context"
fi
holds "the noisy one filled its part of the queue" "$(stat_since B ControlQueueFull) > 1000"
is "the other one sent nothing twice" "$(stat_since A OutRetransmitted)" 0
is "B has these two contexts" "$(stat_get B Contexts)" 2
check "tshark finds all checksums right" tshark_checksums noise
check "the kernel's log is clean" dmesg_clean
tap_end
