#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Messages that are lost, cross, or are not answered at all (RFC 5533 sections 7.4,
# 7.5 and 7.8 to 7.19). Scenarios S04 to S09 and S68, with times of a tenth or a
# twentieth; 92-unanswered.sh has one of the RFC's own.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/loss.sh"

CAPTURED=()

# An emulated machine may be late by so many milliseconds, never early but by the
# rounding of a timer tick.
readonly LATE=150 EARLY=5

# watch NAME: begin to capture at both hosts.
watch() {
	topo_capture "$1-A" A up1 'ip6 proto 140' && topo_capture "$1-B" B up1 'ip6 proto 140' &&
		CAPTURED+=("$1-A" "$1-B")
}

forget() {
	on A shim6 context flush && on B shim6 context flush
}

# times N WORD: the word so often.
times() {
	local i

	for ((i = 0; i < $1; i++)); do printf '%s ' "$2"; done
}

# gaps NAME TYPE: milliseconds between messages of a type in a capture.
gaps() {
	messages "$1" | awk -v type="$2" '$4 == type { if (n++) print $1 - last; last = $1 }'
}

# jittered WHAT NAME TYPE NOMINAL: times between these messages are NOMINAL, twice
# that and so on, each by 0.5 to 1.5 (RFC 5533 section 14).
jittered() {
	local gap nominal=$4 n=0

	while read -r gap; do
		holds "$1: $((++n)). after $gap of $nominal ms" \
			"$gap >= $nominal / 2 - $EARLY && $gap <= $nominal * 3 / 2 + $LATE"
		nominal=$((nominal * 2))
	done < <(gaps "$2" "$3")
	((n > 0)) || fail "$1: is sent again"
}

# tags NAME TYPE: how many different tags these messages have.
tags() {
	messages "$1" | awk -v type="$2" '$4 == type { print substr($6, 13, 12) }' | sort -u | wc -l
}

tags_agree() {
	[[ $(shows A '"\(.tag_local) \(.tag_peer)"') == "$(shows B '"\(.tag_peer) \(.tag_local)"')" ]]
}

# both_have_one WHAT
both_have_one() {
	check "$1: both are ESTABLISHED" comes_to B ESTABLISHED
	is "$1: one context each" "$(stat_get A Contexts) $(stat_get B Contexts)" "1 1"
	check "$1: of the same tags" tags_agree
}

# Each of the four is lost once, and twice.
loses() {
	local type=$1 n=$2 name=$1-$2 what="$1 lost once"
	local i1=1 r1=1 i2=1 r2=1 again=I1

	((n == 1)) || what="$type lost twice"
	case $type in
	I1) i1=$((n + 1)) ;;
	R1) i1=$((n + 1)) r1=$((n + 1)) ;;
	I2) i2=$((n + 1)) again=I2 ;;
	R2) i2=$((n + 1)) r2=$((n + 1)) again=I2 ;;
	esac
	forget || die "flush"
	lose "$type" "$n" || die "nftables"
	watch "$name" || die "tcpdump"
	stat_mark A B
	start A
	check "$what: A is ESTABLISHED" comes_to A ESTABLISHED
	both_have_one "$what"
	topo_capture_stop
	is "$what: the core dropped them" "$(lost)" "$n"
	is "$what: A sends" "$(types "$name-A" A) " "$(times $i1 I1)$(times $i2 I2)"
	is "$what: B sends" "$(types "$name-B" B) " "$(times $r1 R1)$(times $r2 R2)"
	is "$what: A counts what it sent again" "$(stat_since A OutRetransmitted)" "$n"
	is "$what: R2 always has the same tag" "$(tags "$name-B" R2)" 1
	jittered "$what" "$name-A" $again 400
}

scaled() {
	timers A "$1" || die "timers"
	timers B "$1" || die "timers"
}

tap_begin
topo_up
serve B
dmesg_mark
identity A || die "identity"
identity B || die "identity"

# S04.
scaled 10
for type in I1 R1 I2 R2; do
	loses $type 1
	loses $type 2
done
forget

# S05: nobody answers, while a connection goes on that wants a context.
scaled 20
lose all
watch S05
on A shim6 policy add "$B1/128"
flow_start bulk tcp -i 20 -s 500 A1 B1 || die "no connection"
check "no answer: E-FAILED" comes_to A E-FAILED 20
is "no answer: I1 five times" "$(types S05-A)" "I1 I1 I1 I1 I1"
jittered "no answer" S05-A I1 200
is "no answer: no context" "$(stat_get A Contexts)" 0
check_not "no answer: asking again is refused" start A
lose_none
check "the connection goes on" flow_goes bulk 2000
check "no answer: later a try works" comes_to A ESTABLISHED 20
check_flow "the connection has not noticed" bulk
topo_capture_stop
is "no answer: six I1 in all" "$(types S05-A A)" "I1 I1 I1 I1 I1 I1 I2"
held=$(gaps S05-A I1 | tail -n 1)
holds "no answer: $held ms to the sixth I1, the peer was left alone for its time" \
	"$held >= 3200 / 2 + 3000 - $EARLY"
on A shim6 policy del "$B1/128"
forget

# S06: the module is there for all hosts of this machine, so B's kernel cannot say
# that it does not know protocol 140. A firewall drops what it gets, and what it
# would say then (RFC 4443 section 3.4) is made from the I1.
unaware() {
	on B nft 'table inet unaware {
		chain input { type filter hook input priority 0; meta l4proto 140 drop; }
	}'
}

# first_packet NAME: of a capture, hexadecimal, from the IPv6 header on.
first_packet() {
	tcpdump -n -x -c 1 -r "$TOPO_DIR/$1.pcap" 2>/dev/null |
		awk '/0x/ { for (i = 2; i <= NF; i++) printf "%s", $i }'
}

captured() {
	[[ -n $(first_packet "$1") ]]
}

# parameter_problem HEX: the ICMPv6 message about the Next Header of a packet.
parameter_problem() {
	local body=00000006$1 octets sum=0 i

	octets=${1:48:32}${1:16:32}$(printf '%08x0000003a' $((${#body} / 2 + 4)))0401$body
	for ((i = 0; i < ${#octets}; i += 4)); do sum=$((sum + 16#${octets:i:4})); done
	sum=$(((sum & 0xffff) + (sum >> 16)))
	sum=$(((sum & 0xffff) + (sum >> 16)))
	printf '0401%04x%s' $((~sum & 0xffff)) "$body"
}

unaware || die "nftables"
# No second I1 before the answer, and a holddown that outlasts what is looked at.
setting A i1_timeout 4000
topo_capture S06 B up1 'ip6 proto 140'
stat_mark A B
on A shim6 policy add "$B1/128"
flow_start bulk tcp -i 20 -s 500 A1 B1 || die "no connection"
check "a peer without Shim6: gets an I1" wait_until 10 captured S06
echo "$B1 $A1 58 $(parameter_problem "$(first_packet S06)")" | on B inject >/dev/null
check "a peer without Shim6: NO-SUPPORT" comes_to A NO-SUPPORT
is "a peer without Shim6: A's stack found the error's checksum right" \
	"$(mib A Icmp6InCsumErrors) $(mib A Icmp6InParmProblems)" "0 1"
check "a peer without Shim6: the connection goes on" flow_goes bulk 5000
check "a peer without Shim6: still" in_state A NO-SUPPORT
is "a peer without Shim6: one I1" "$(stat_since A OutI1)" 1
is "a peer without Shim6: no context" "$(stat_get A Contexts) $(stat_get B Contexts)" "0 0"
check_not "a peer without Shim6: asking again is refused" start A
check_flow "the connection has heard of no error" bulk
on B nft delete table inet unaware
topo_capture_stop
is "a peer without Shim6: one I1 on the wire" "$(types S06)" I1
on A shim6 policy del "$B1/128"
check "until an administrator has all forgotten" forget
start A
check "then it can be asked" comes_to A ESTABLISHED
forget

# S07, S08: messages cross. The path is long against what commands take, the
# timers are longer.
scaled 1
topo_netem A 1 delay 400ms || die "netem"
watch S07
start A &
start B
wait $!
check "crossing I1: A is ESTABLISHED" comes_to A ESTABLISHED
both_have_one "crossing I1"
topo_capture_stop
is "crossing I1: A needs no R1" "$(types S07-A A), $(types S07-A B)" "I1 R2, I1 R2"
forget

topo_netem A 1 delay 800ms || die "netem"
watch S08
stat_mark A B
start A
wait_until 10 counted B OutR1 1
start B
check "I1 crosses R1: B waits, too" comes_to B I1-SENT
check "I1 crosses R1: A is ESTABLISHED" comes_to A ESTABLISHED
both_have_one "I1 crosses R1"
topo_capture_stop
is "I1 crosses R1: figure 5 of the RFC, A" "$(types S08-A A)" "I1 I2 R2"
is "I1 crosses R1: figure 5 of the RFC, B" "$(types S08-B B)" "R1 I1 R2"
is "I1 crosses R1: each was established once" \
	"$(stat_since A ContextEstablished) $(stat_since B ContextEstablished)" "1 1"
topo_netem A 1
forget

# S09: back to I1 when I2 is not answered, three times.
scaled 20
lose I2
watch S09
stat_mark A B
start A
check "all I2 lost: E-FAILED in the end" comes_to A E-FAILED 20
topo_capture_stop
is "all I2 lost: three rounds" "$(types S09-A)" \
	"I1 R1 I2 I2 I2 I1 R1 I2 I2 I2 I1 R1 I2 I2 I2"
is "all I2 lost: B kept nothing" "$(stat_get B Contexts)" 0
lose_none
forget

# S68: B loses its context while A uses the other pair, and R2 is lost after
# I2bis: that is sent three times, then A begins anew.
scaled 10
start A
check "I2bis: a context to begin with" comes_to A ESTABLISHED
topo_switch A A2 B2
on B shim6 context flush
lose R2 3
topo_capture S68 A any 'ip6 proto 140'
stat_mark A B
check_not "an echo is lost" topo_reaches A1 B1
check "R2 lost after I2bis: B sends four" wait_until 20 counted B OutR2 4
check "R2 lost after I2bis: A is ESTABLISHED again" comes_to A ESTABLISHED
both_have_one "R2 lost after I2bis"
topo_capture_stop
is "R2 lost after I2bis: R1bis and I2bis three times, then I1" \
	"$(messages S68 | awk '{ printf "%s ", $4 }')" "R1bis I2bis I2bis I2bis I1 R2 "
lose_none
check "echoes go on" topo_reaches A1 B1

check "tshark finds all checksums right" tshark_checksums "${CAPTURED[@]}"
check "the kernel's log is clean" dmesg_clean
tap_end
