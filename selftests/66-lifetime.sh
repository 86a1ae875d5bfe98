#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# From the first event to the last: contexts are explained while they live, end when
# nobody needs them (RFC 5533, Section 9), and go with their namespace.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/loss.sh"
. "$(dirname "$0")/lib/module.sh"
. "$(dirname "$0")/lib/wide.sh"

need python3

readonly WIDE=12

eventually() {
	check "$1" wait_until 25 "${@:2}"
}

# saw HOST FILTER: an event was seen that `jq FILTER` selects.
saw() {
	[[ -n $(jq -c "select($2)" "$TOPO_DIR/events-$1") ]]
}

# refused WHAT SENTENCE HOST COMMAND...: the command fails, with this in its words.
refused() {
	local what=$1 sentence=$2 host=$3 words status

	shift 3
	words=$(on "$host" "$@" 2>&1)
	status=$?
	# What the command itself does not understand has another status.
	if ((status == ${STATUS:-1})) && [[ $words == *"$sentence"* ]]; then
		pass "$what"
	else
		fail "$what" "exit status $status, should be ${STATUS:-1}"$'\n'"$words"$'\n'"should say: $sentence"
	fi
}

names() {
	on "$1" shim6 identity show --json | jq -r '[.[].name] | join(" ")'
}

prefixes() {
	on "$1" shim6 policy show --json | jq -r '[.[].prefix] | join(" ")'
}

tap_begin
dmesg_mark
topo_up
for host in A B; do
	{ identity $host && timers $host 20 && setting $host idle_timeout 60000; } || die "host $host"
done
serve B

# Events and what `show` says.
for host in A B; do monitor_start $host || die "no monitor"; done
check "a context" establish
is "its pair is that of the ULIDs" "$(shows A .pair_reason)" ulids
is "A began it, B answered" "$(shows A .origin) $(shows B .origin)" "initiator responder"
is "both used their identity" "$(shows A .identity) $(shows B .identity)" "hostA hostB"
is "no timer runs" "$(shows A '[.timer_ms, .retries, .update_outstanding] | @json')" "[null,0,false]"
is "the history of A's context, from the first event on" \
	"$(shows A '[.history | reverse[] | select(.event == "added" or .event == "state") | .event + " " + .state] | join(", ")')" \
	"added I1-SENT, state I2-SENT, state ESTABLISHED"
check "the pair is changed" topo_switch_both A2 B2
is "the reason is known" "$(shows A .pair_reason) $(shows B .pair_reason)" "admin admin"
check "and back" topo_switch_both A1 B1
is "the administrator's word again" "$(shows A .pair_reason)" admin
on A shim6 context flush
eventually "A saw the end" saw A '.event == "removed" and .cause == "admin"'
for event in '.event == "added" and .cause == "admin" and .state == "I1-SENT"' \
	'.event == "state" and .state == "I2-SENT" and .cause == "message"' \
	'.event == "peer" and .tag_peer != null' \
	'.event == "state" and .state == "ESTABLISHED" and .cause == "message"' \
	".event == \"pair\" and .cause == \"admin\" and .current_peer == \"$B2\""; do
	check "A saw $event" saw A "$event"
done
check "B saw that a message made its context" saw B '.event == "added" and .cause == "message"'
on B shim6 context flush

# A handshake that gets no answer.
lose all || die "nftables"
start A
# The worker does what is asked for.
check "no answer: A waits for one" comes_to A I1-SENT
is "a timer runs" "$(shows A '.timer_ms != null | tostring')" true
eventually "A gave up" saw A '.event == "removed" and .cause == "timeout"'
refused "and does not ask at once" "the peer did not answer lately" A \
	shim6 context start --ulid-local "$A1" --ulid-peer "$B1"
lose_none
on A shim6 context flush

# S110
cat >"$TOPO_DIR/hold.py" <<'PY'
import socket, sys, time

kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
s = socket.socket(socket.AF_INET6, kind)
s.bind((sys.argv[2], 0))
s.connect((sys.argv[3], int(sys.argv[4])))
print("held", flush=True)
time.sleep(1000)
PY
# quiet: no packet of A's context for ten times idle_timeout, and longer than
# the time between two looks before it was set.
quiet() {
	local ms

	ms=$(shows A '[.last_tx_ms, .last_rx_ms] | map(. // 1000000) | min')
	((${ms:-10001} > 10000))
}

for kind in tcp udp; do
	check "a context" establish
	spawn A python3 "$TOPO_DIR/hold.py" $kind "$A1" "$B1" "$PORT" >"$TOPO_DIR/held"
	holder=$SPAWNED
	wait_until 10 grep -q held "$TOPO_DIR/held" || die "no socket"
	# Not before, for the socket takes its time.
	for host in A B; do setting $host idle_timeout 1000; done
	eventually "S110: a connected $kind socket says nothing for ten times idle_timeout" quiet
	is "the context is kept" "$(state A)" ESTABLISHED
	stat_mark A
	stop "$holder"
	eventually "without the socket it goes" in_state A IDLE
	holds "and is counted" "$(stat_since A ContextIdle) > 0"
	eventually "B's goes, too" in_state B IDLE
	for host in A B; do setting $host idle_timeout 60000; done
done
check "A saw why" saw A '.event == "removed" and .cause == "idle"'
is "both hosts have nothing left" "$(stat_get A Contexts) $(stat_get B Contexts)" "0 0"
is "all that was made is gone" "$(stat_get A ContextAdded)" "$(stat_get A ContextDeleted)"
is "no route of last resort is left" \
	"$(for host in A B; do ip -6 -n "$(topo_ns $host)" route show table 140 2>/dev/null; done)" ""

# Identities while contexts exist.
check "a context" establish
check "A's identity goes" on A shim6 identity del hostA
is "its context stays" "$(state A)" ESTABLISHED
is "and knows who it was" "$(shows A .identity)" hostA
check "traffic over it goes on, over the other pair" eval \
	'topo_switch_both A2 B2 && once tcp -n 100000 A1 B1'
on A shim6 context flush
on B shim6 context flush
check "without it there is a context, too" establish
is "with one locator" "$(shows B '.locator_peer | length')" 1
check "A's identity is back" identity A
is "it is there" "$(names A)" hostA
on A shim6 context flush
check "the next context" establish
is "has two" "$(shows B '.locator_peer | length')" 2

# Wrong input.
file=$TOPO_DIR/identity-A
refused "identity add: name in use" "there is an identity of this name already" A \
	shim6 identity add hostA "$file"
STATUS=2 refused "identity add: a name of 32 octets" "a name has 1 to 31 characters" A \
	shim6 identity add 12345678901234567890123456789012 "$file"
refused "identity del: no such name" "there is no identity of this name" A \
	shim6 identity del nobody
pem "${PDS[A]:0:100}" >"$TOPO_DIR/short"
check_not "identity add: half a PDS" on A shim6 identity add half "$TOPO_DIR/short"
is "nothing came of it" "$(names A)" hostA
check "policy add" on A shim6 policy add 2001:db8:b::/48
is "policy show" "$(prefixes A)" 2001:db8:b::/48
refused "policy add: there already" "this prefix is there already" A \
	shim6 policy add 2001:db8:b::/48
refused "policy del: not there" "there is no such prefix" A shim6 policy del 2001:db8:c::/48
STATUS=2 refused "policy del: bits behind the prefix" "bits behind the prefix are set" A \
	shim6 policy del 2001:db8:b::/47
for ((i = 1; i < 64; i++)); do on A shim6 policy add "2001:db8:$i::/64"; done
refused "policy add: 65 prefixes" "there are too many prefixes" A shim6 policy add 2001:db8:ffff::/64
for prefix in $(prefixes A); do on A shim6 policy del "$prefix"; done
is "policy del of all" "$(prefixes A)" ""
refused "context start: there already" "there is a context with these ULIDs already" A \
	shim6 context start --ulid-local "$A1" --ulid-peer "$B1"
refused "context start: ULID of another host" "is no address of this network namespace" A \
	shim6 context start --ulid-local "$B2" --ulid-peer "$B1"
STATUS=2 refused "context start: link-local" "is a link-local address" A \
	shim6 context start --ulid-local "$A1" --ulid-peer fe80::1
refused "context del: not there" "there is no such context" A \
	shim6 context del --ulid-local "$A1" --ulid-peer "$B2"
refused "context set: a locator that is none of A's" "is not one of the local locators" A \
	shim6 context set --ulid-local "$A1" --ulid-peer "$B1" --current-local 2001:db8:a:2::9
topo_down

# S110, S111, S112: what hosts keep goes with the contexts, the module, the namespace.
# memory: KiB that the kernel has in its slabs and cannot give back.
memory() {
	awk '$1 == "SUnreclaim:" { print $2 }' /proc/meminfo
}

# churn TIMES: all contexts of the wide hosts are established and forgotten.
churn() {
	local i

	for ((i = 0; i < $1; i++)); do
		wide_pairs "" | on A starts 60 && on A shim6 context flush && on B shim6 context flush || return
	done
}

topo_up direct
for host in A B; do
	{
		wide $host $WIDE && setting $host r1_rate 10000000 &&
			setting $host answer_rate_peer 10000000
	} || die "host $host"
done
# What is allocated once, and what the kernel keeps ready, is there after this.
check "S110: $((WIDE * WIDE)) contexts are established and forgotten" churn 2
before=$(memory)
added=$(stat_get A ContextAdded)
check "again and again" churn 5
is "that were many" $(($(stat_get A ContextAdded) - added)) $((5 * WIDE * WIDE))
# A context takes more than 1 KiB on each of the two hosts. What is freed after
# grace periods takes its time.
memory_is_back() {
	(($(memory) - before < 5 * WIDE * WIDE))
}
check "S110: without them the memory is what it was" wait_until 20 memory_is_back
note "before $before KiB, after $(memory) KiB, $((2 * 5 * WIDE * WIDE)) contexts"
topo_down

# comes_into STATE LOSE: a context of A is in a state, since messages are lost.
comes_into() {
	topo_up && identity A && identity B && timers A 1 || return
	case $1 in
	ESTABLISHED | I2BIS-SENT)
		establish && serve B && flow_start stream tcp -s 65536 -i 10 A1 B1 &&
			topo_switch_both A2 B2 && flow_goes stream 500000 || return
		;;
	esac
	[[ $2 == none ]] || lose "$2" || return
	case $1 in
	ESTABLISHED) ;;
	I2BIS-SENT) on B shim6 context flush && comes_to A I2BIS-SENT ;;
	*) start A && comes_to A "$1" ;;
	esac
}

# S112
# leaves STATE LOSE: A's namespace is deleted when its context is in a state.
leaves() {
	comes_into "$@" || return
	ip netns del "$(topo_ns A)"
	[[ -z ${FLOW_PID[stream]-} ]] || stop "${FLOW_PID[stream]}"
	unset 'FLOW_PID[stream]'
	stat_get B InI1 && on B shim6 context show && topo_down
}
for round in "I1-SENT all" "I2-SENT I2" "ESTABLISHED none" "I2BIS-SENT I2bis"; do
	read -r state lost <<<"$round"
	leaves "$state" "$lost" >"/tmp/$TOPO.round" 2>&1
	is "S112: namespace deleted in $state" $? 0 || comment <"/tmp/$TOPO.round"
done

# S111
# unloads STATE LOSE: the same with the module.
unloads() {
	local status

	leaves_nothing "$@"
	status=$?
	load || return
	return $status
}
leaves_nothing() {
	comes_into "$@" || return
	rmmod shim6 || return
	if [[ -n ${FLOW_PID[stream]-} ]]; then
		flow_goes stream 500000 && flow_stop stream || return
		unset 'FLOW_PID[stream]'
	fi
	topo_down
}
for round in "I1-SENT all" "I2-SENT I2" "ESTABLISHED none" "I2BIS-SENT I2bis"; do
	read -r state lost <<<"$round"
	unloads "$state" "$lost" >"/tmp/$TOPO.round" 2>&1
	is "S111: module unloaded in $state" $? 0 || comment <"/tmp/$TOPO.round"
done
rm -f "/tmp/$TOPO.round"
check "the kernel's log is clean" dmesg_clean
tap_end
