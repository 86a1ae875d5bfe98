#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Hosts notice by themselves that a pair of locators has failed, find another one and
# move there, while connections go on (RFC 5534). The Send Timeout is one second,
# except where it is the RFC's.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"

need python3

# Control messages only, so that payload does not keep a capture from ending.
capture() {
	topo_capture "$@" 'ip6[6] = 140 and ip6[42] < 128'
}

# pair HOST: the current pair, as names.
pair() {
	local pair name

	pair=$(shows "$1" '.current_local + " " + .current_peer')
	for name in A1 A2 B1 B2; do pair=${pair//${!name}/$name}; done
	echo "$pair"
}

reap() {
	shows "$1" .reap
}

is_operational() {
	[[ $(reap A) == operational && $(reap B) == operational ]]
}

counted() {
	(($(stat_since "$1" "$2") >= $3))
}

# up: both hosts with a context and a stream over the ULIDs.
up() {
	local host

	topo_up "$@"
	for host in A B; do
		identity $host && timers $host 20 && setting $host idle_timeout 300000 &&
			setting $host send_timeout 1000 || return
	done
	serve B && establish && stat_mark A B &&
		flow_start stream tcp -s 5000 -i 10 A1 B1 && flow_goes stream 100000
}

# heal: everything works, and both are back at the ULIDs.
back() {
	topo_heal && wait_until 30 is_operational && topo_switch_both A1 B1 && flow_goes stream 100000 &&
		stat_mark A B
}

# survives WHAT [SECONDS]: the stream goes on, and both ends are content.
survives() {
	local since=$EPOCHREALTIME

	check "$1" flow_goes stream 50000 "${2:-20}"
	note "after $(awk -v a="$since" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }') s"
	check "  both ends are operational" wait_until 20 is_operational
}

# one_way: datagrams from A1 to B1, where nobody answers them. The sender is $sender.
one_way() {
	cat >"$TOPO_DIR/one-way.py" <<-'PY'
		import socket, sys, time

		s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
		s.bind((sys.argv[2], 9))
		if sys.argv[1] == "receive":
		    print("ready", flush=True)
		    while True:
		        s.recv(2000)
		s.connect((sys.argv[3], 9))
		while True:
		    s.send(bytes(100))
		    time.sleep(0.02)
	PY
	spawn B python3 "$TOPO_DIR/one-way.py" receive "$B1" >"$TOPO_DIR/ready"
	wait_until 10 grep -q ready "$TOPO_DIR/ready" || return
	spawn A python3 "$TOPO_DIR/one-way.py" send "$A1" "$B1"
	sender=$SPAWNED
}

tap_begin
dmesg_mark
up || die "hosts"
is "a context that works" "$(reap A) $(reap B)" "operational operational"
capture s20 A up2 || die "no capture"

# S20
topo_kill A1
survives "S20: the pair in use dies: the stream goes on"
topo_capture_stop
is "A and B use the other pair" "$(pair A), $(pair B)" "A2 B2, B2 A2"
is "because of a probe" "$(shows A .pair_reason) $(shows B .pair_reason)" "probed probed"
holds "A explored once, and moved once" \
	"$(stat_since A Explored) <= 1 && $(stat_since A PairSwitched) == 1"
is "only Probes were needed" "$(types s20 | tr ' ' '\n' | sort -u)" Probe
is "what was tried is known" \
	"$(shows A '[.history[].event | select(. == "exploring" or . == "operational")] | unique | join(" ")')" \
	"exploring operational"
check "both are back" back

# S21
topo_break A1 B1
survives "S21: A does not reach B any more, over the ULIDs"
holds "A moved" "$(stat_since A PairSwitched) >= 1"
check "both are back" back

# S23
for survivor in "A2 B1" "A1 B2" "A2 B2"; do
	read -r a b <<<"$survivor"
	topo_only "$a" "$b"
	topo_only "$b" "$a"
	survives "S23: only $survivor works"
	is "A and B use it" "$(pair A), $(pair B)" "$a $b, $b $a"
	check "both are back" back
done

# S25
topo_only A1 B2
topo_only B1 A2
survives "S25: each direction has a pair of its own"
is "they use these" "$(pair A), $(pair B)" "A1 B2, B1 A2"

# S26
topo_heal
topo_kill B2 A2
survives "S26: the ULIDs work again, and what was used dies"
is "they use the ULIDs" "$(pair A), $(pair B)" "A1 B1, B1 A1"
topo_heal

# S33
stat_mark A B
topo_switch_both A2 B1
flow_goes stream 50000
ip -6 -n "$(topo_ns A)" address del "$A2/64" dev up2
survives "S33: A's current locator is deleted"
is "A uses the other one" "$(pair A | cut -d ' ' -f 1)" A1
is "the cause is known" \
	"$(shows A '[.history[] | select(.event == "exploring")][0].cause')" local-lost
ip -6 -n "$(topo_ns A)" address add "$A2/64" dev up2 nodad

# S34
check "both are back" back
topo_carrier A 1 down
survives "S34: A's link loses its carrier"
is "A uses the other one" "$(pair A | cut -d ' ' -f 1)" A2
topo_carrier A 1 up
check_flow "the stream is whole" stream
check "tshark finds all checksums right" tshark_checksums s20
check "the kernel's log is clean" dmesg_clean
topo_down

# S28, S29, S30
up || die "hosts"
flow_stop stream
for host in A B; do setting $host send_timeout 3000; done
on A shim6 context flush
on B shim6 context flush
establish || die "no context"
capture s28 B up1 || die "no capture"
stat_mark A B
one_way || die "no sender"
check "S28: one way only: B sends Keepalives" wait_until 20 counted B OutKeepalive 7
is "A never probes" "$(stat_since A OutProbe)" 0
stop "$sender"
topo_capture_stop
is "nothing but Keepalives" "$(all_types s28 B | tr ' ' '\n' | sort -u)" Keepalive
mapfile -t gaps < <(messages s28 | awk '$4 == "Keepalive" { if (n++) print $1 - last; last = $1 }')
mapfile -t gaps < <(printf '%s\n' "${gaps[@]}" | sort -n)
note "times between them: ${gaps[*]} ms"
# An emulated machine may be late with some.
holds "never sooner than a fifth before the interval of 1000 ms" "${gaps[0]} >= 780"
holds "in the middle ${gaps[${#gaps[@]} / 2]} ms" "${gaps[${#gaps[@]} / 2]} <= 1200"
quiet() {
	local before

	before=$(stat_get B OutKeepalive)
	pause 3
	(($(stat_get B OutKeepalive) == before))
}
check "S29, S30: without payload there are no more" wait_until 20 quiet
is "and no Probes" "$(stat_since A OutProbe) $(stat_since B OutProbe)" "0 0"
topo_down

# S38. A is the one who notices.
up || die "hosts"
setting B send_timeout 15000
setting A hot_standby on
setting A standby_interval 1000
topo_switch A A1 B1
stands_by() {
	[[ $(shows A '[.history[] | select(.event == "standby")] | length') -gt 0 ]]
}
check "S38: A has a hot standby" wait_until 20 stands_by
stat_mark A
topo_kill B1
survives "the pair in use dies"
is "the standby took over" "$(stat_since A SwitchedStandby)" 1
check_flow "the stream is whole" stream
topo_down

# S20 with the times of the RFC.
topo_up
for host in A B; do identity $host || die "identity"; done
serve B
establish && flow_start stream tcp -s 5000 -i 10 A1 B1 && flow_goes stream 100000 || die "no stream"
began=$(now_ms)
topo_kill A1
check "S20, RFC 5534's times: the stream goes on" flow_goes stream 20000 60
took=$(($(now_ms) - began))
holds "after $took ms: the Send Timeout of 15 s and the first probes" "$took >= 14000 && $took <= 25000"
check_flow "the stream is whole" stream
check "the kernel's log is clean" dmesg_clean
tap_end
