#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# All at once, while a stream and datagrams go from A to B: contexts are asked for and
# forgotten, links, addresses and routes of A come and go, namespaces with traffic of
# their own are made and deleted by several workers, and somebody tries to unload the
# module, and does. In the end the hosts meet as if nothing had been.
#
# ROUNDS (default: 1) says how often each does its part, WORKERS (2) how many make
# namespaces.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/module.sh"

readonly ROUNDS=${ROUNDS:-1} WORKERS=${WORKERS:-2} LATER=70

# log NAME: what happened to a worker, a word a line.
log() {
	echo "$2" >>"$TOPO_DIR/storm-$1"
}

did() {
	grep -cx "$2" "$TOPO_DIR/storm-$1" || true
}

# Two namespaces, a context between them, traffic, and away with them in the middle of it.
namespaces() {
	local name=$TOPO-w$1 round pids

	for ((round = 0; round < ROUNDS; round++)); do
		ip -batch - <<-END || { log "$name" failed; return; }
			netns add $name-l
			netns add $name-r
			link add w netns $name-l type veth peer name w netns $name-r
		END
		for side in l:1:2 r:2:1; do
			IFS=: read -r side own other <<<"$side"
			ip -n "$name-$side" -6 -batch - <<-END
				link set lo up
				link set w up
				address add 2001:db8:f:1::$own/64 dev w nodad
				address add 2001:db8:f:2::$own/64 dev w nodad
			END
			# While the module is away there is no context, and that is all right.
			ip netns exec "$name-$side" shim6 context add --tag-local "$own" --tag-peer "$other" \
				--ulid-local "2001:db8:f:1::$own" --ulid-peer "2001:db8:f:1::$other" \
				--locator-local "2001:db8:f:1::$own" --locator-local "2001:db8:f:2::$own" \
				--locator-peer "2001:db8:f:1::$other" --locator-peer "2001:db8:f:2::$other" \
				--current-local "2001:db8:f:2::$own" --current-peer "2001:db8:f:2::$other" \
				2>/dev/null && log "$name" context
		done
		ip netns exec "$name-l" ping -q -i 0.002 2001:db8:f:1::2 >/dev/null 2>&1 &
		pids=$!
		ip netns exec "$name-r" ping -q -i 0.003 2001:db8:f:1::1 >/dev/null 2>&1 &
		pids+=" $!"
		pause "0.$((RANDOM % 40 + 10))"
		ip netns del "$name-l"
		pause 0.01
		ip netns del "$name-r"
		# shellcheck disable=SC2086 # words.
		stop $pids
		log "$name" round
	done
}

# One uplink of A at a time loses what it has in one of several ways, and gets it back.
flaps() {
	local round i

	for ((round = 0; round < ROUNDS; round++)); do
		i=$((round % 2 + 1))
		case $((RANDOM % 4)) in
		0) ip -n "$(topo_ns A)" link set "up$i" down ;;
		1) ip -6 -n "$(topo_ns A)" address del "$(topo_address "A$i")/64" dev "up$i" ;;
		2) ip -6 -n "$(topo_ns A)" route del default dev "up$i" ;;
		3) ip -6 -n "$(topo_ns A)" route flush table "10$i" ;;
		esac
		pause "0.$((RANDOM % 50 + 10))"
		on A ip -6 -batch - <<<"$(topo_uplink A "$i")" >/dev/null 2>&1
		log flaps round
		pause "0.$((RANDOM % 30 + 10))"
	done
}

# Contexts are asked for from both sides, and forgotten.
contexts() {
	local round host

	for ((round = 0; round < ROUNDS; round++)); do
		for host in A B; do
			identity "$host" 2>/dev/null
			start "$host" 2>/dev/null && log contexts asked
		done
		pause "0.$((RANDOM % 60 + 20))"
		[[ $(state A 2>/dev/null) != ESTABLISHED ]] || log contexts established
		on A shim6 context set --ulid-local "$A1" --ulid-peer "$B1" \
			--current-local "$A2" --current-peer "$B2" 2>/dev/null && log contexts switched
		pause "0.$((RANDOM % 60 + 20))"
		((RANDOM % 3)) || on B shim6 context flush 2>/dev/null
		((RANDOM % 3)) || on A shim6 context flush 2>/dev/null
		log contexts round
	done
}

# Netlink from several sides: dumps, settings, statistics.
looks() {
	local round

	for ((round = 0; round < ROUNDS; round++)); do
		on A shim6 context show >/dev/null 2>&1
		on B shim6 stats >/dev/null 2>&1
		setting A hot_standby $((round % 2)) 2>/dev/null
		log looks round
		pause "0.$((RANDOM % 30 + 5))"
	done
}

unloads() {
	local round

	for ((round = 0; round < ROUNDS; round++)); do
		pause "0.$((RANDOM % 90 + 10))"
		if rmmod shim6 2>/dev/null; then
			log unloads gone
			pause "0.0$((RANDOM % 9))"
			insmod "$MODULE" || { log unloads failed; return; }
		else
			log unloads refused
		fi
	done
}

module_need
tap_begin
at_exit load
dmesg_mark
topo_up direct
serve B
flow_start stream tcp -s 3000 -i 10 -w 120 A1 B1 || die "no stream"
flow_start datagrams udp -l -s 3000 -i 20 A1 B1 || die "no datagrams"
pids=()
for worker in flaps contexts looks unloads; do
	: >"$TOPO_DIR/storm-$worker"
	$worker &
	pids+=($!)
done
for ((i = 0; i < WORKERS; i++)); do
	: >"$TOPO_DIR/storm-$TOPO-w$i"
	namespaces "$i" &
	pids+=($!)
done
wait "${pids[@]}"

for worker in flaps contexts looks; do
	is "$worker: $ROUNDS rounds" "$(did $worker round)" "$ROUNDS"
done
holds "unloads: $ROUNDS attempts" "$(did unloads gone) + $(did unloads refused) == $ROUNDS"
for ((i = 0; i < WORKERS; i++)); do
	is "namespaces, worker $i: $ROUNDS rounds" "$(did "$TOPO-w$i" round)" "$ROUNDS"
	note "contexts of worker $i: $(did "$TOPO-w$i" context)"
done
note "unloaded $(did unloads gone) times, contexts asked for $(did contexts asked) times," \
	"established $(did contexts established), switched $(did contexts switched)"
# In few rounds it may happen that there was no time for it.
((ROUNDS < 10)) || holds "the module was unloaded, contexts were established and used" \
	"($(did unloads gone) > 0) * ($(did contexts asked) > 0) * ($(did contexts switched) > 0)"

gone() {
	! loaded || rmmod shim6
}
# What the worker of a namespace has put off ($LINGER of rust/context/hooking.rs at the most) would
# run in code that is not there any more, if it outlived the namespace.
later() {
	pause "$LATER" && ! loaded
}
check "nobody holds the module" gone
check "nothing of it runs $LATER seconds later" later
check "it can be loaded" load
for i in 1 2; do on A ip -6 -batch - <<<"$(topo_uplink A $i)" >/dev/null 2>&1; done
check "the stream goes on" flow_goes stream 30000 120
check_flow "the stream is whole" stream
check_flow "no datagram that came back was damaged" datagrams
meet() {
	local host

	for host in A B; do
		identity "$host" 2>/dev/null
		on "$host" shim6 context flush
	done
	establish
}
check "the hosts meet" meet
check "and translate" eval 'topo_switch A A2 B2 && topo_reaches A1 B1'
check "the kernel's log is clean" dmesg_clean
tap_end
