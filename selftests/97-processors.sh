#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What several processors do at the same time: connections and datagrams in both directions
# as fast as they go, while netlink makes, shows, moves and deletes contexts, sockets have
# preferences and forks, settings and statistics are written and read, addresses come and
# go, and hosts that know each other establish and forget. On a kernel that looks for data
# races it is this that they are looked for in.
#
# LENGTH (default: 10) is how many seconds that takes.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"

readonly LENGTH=${LENGTH:-10}

# while_it_lasts NAME COMMAND...: again and again; says in the end how often it went well.
while_it_lasts() {
	local name=$1 well=0
	shift

	while [[ ! -e $TOPO_DIR/over ]]; do
		if "$@" >/dev/null 2>&1; then
			well=$((well + 1))
		else
			pause 0.01
		fi
	done
	echo "$well" >"$TOPO_DIR/well-$name"
}

# The context of A1 and B1, which has the traffic.
moves() {
	topo_switch_both A2 B2 && topo_switch A A1 B2 && topo_switch B B1 A2 && topo_switch_both A1 B1
}

# Contexts of other peers, by the hundred.
netlink() {
	on A scale add "$A2" 0 100
	on A shim6 context show --json
	on A scale del 0 100
}

# Hosts that establish one between their other addresses.
establishes() {
	on A shim6 context start --ulid-local "$A2" --ulid-peer "$B2"
	on B shim6 context start --ulid-local "$B2" --ulid-peer "$A2"
	in_state A ESTABLISHED A2 B2 && on A shim6 probe
	on B shim6 context del --ulid-local "$B2" --ulid-peer "$A2"
	on A shim6 context del --ulid-local "$A2" --ulid-peer "$B2"
}

# Sockets with settings of their own.
commands() {
	local i

	for ((i = 0; i < 20; i++)); do
		cat <<-END
			connect 1 udp $A1 $B1 $PORT
			connect 2 tcp $A1 $B1 $PORT
			prefer 1 peer $B2
			prefer 2 local $A2
			locators 1
			associated 2
			send 1 100
			send 2 100
			used 1 peer
			through 1 local $A2 100
			standby 2 $((i % 2))
			disable 1 peer
			dontshim 1 1
			send 1 100
			close 1
			close 2
		END
	done
}

sockets_come() {
	on A sockets <"$TOPO_DIR/commands"
}

settings() {
	local word=on

	((RANDOM % 2)) || word=off
	setting A establish_packets $((RANDOM % 100 + 1)) && setting A hot_standby "$word" &&
		on A cat /proc/net/shim6_stat && on B shim6 stats && on B cat /proc/net/shim6_stat
}

addresses() {
	ip -6 -n "$(topo_ns A)" address add 2001:db8:a:1::77/64 dev up1 nodad &&
		ip -6 -n "$(topo_ns A)" address del 2001:db8:a:1::77/64 dev up1
}

tap_begin
dmesg_mark
topo_up direct
for host in A B; do identity $host || die "identity"; done
topo_contexts || die "contexts"
serve B
commands >"$TOPO_DIR/commands"
flow_start stream tcp -s 3000 -i 1 -w 120 A1 B1 || die "no stream"
flow_start datagrams udp -l -s 3000 -i 1 A1 B1 || die "no datagrams"
for i in 1 2 3 4; do
	flow_start "fast$i" tcp -s 65536 -w 120 A1 B1 || die "no connection"
done

pids=()
for worker in moves netlink establishes sockets_come settings addresses; do
	while_it_lasts $worker $worker &
	pids+=($!)
done
pause "$LENGTH"
touch "$TOPO_DIR/over"
wait "${pids[@]}"
for i in 1 2 3 4; do
	check_flow "connection $i, as fast as it goes, is whole" "fast$i"
done

for worker in moves netlink establishes sockets_come settings addresses; do
	holds "$worker: so it was" "$(<"$TOPO_DIR/well-$worker") > 0"
	note "$worker: $(<"$TOPO_DIR/well-$worker") times"
done
topo_switch_both A2 B2 || die "switch"
check "the stream goes on" flow_goes stream 30000 120
check_flow "the stream is whole" stream
check_flow "no datagram that came back was damaged" datagrams
holds "packets were translated" "$(stat_get A OutTranslated) > 0"
check "the kernel's log is clean" dmesg_clean
tap_end
