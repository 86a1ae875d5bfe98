# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Flows of checked traffic (programs/traffic.c) between the nodes of a
# topology, which go on while a test does something to the network.

. "${BASH_SOURCE[0]%/*}/topology.sh"

PORT=5001
declare -A FLOW_PID

# serve NODE: the echo server. Returns when it listens.
serve() {
	spawn "$1" traffic serve "$PORT"
	wait_until 10 served "$1"
}

served() {
	[[ -n $(on "$1" ss -Hltn "sport = $PORT") ]]
}

# once KIND [OPTION]... SOURCE DESTINATION: a flow from start to end, from the
# host that has SOURCE (a name like A1).
once() {
	local kind=$1 args=("${@:2}") n=$#

	on "${args[n - 3]:0:1}" traffic "$kind" "${args[@]:0:n-3}" \
		"$(topo_address "${args[n - 3]}")" "$(topo_address "${args[n - 2]}")" "$PORT"
}

# flow_start NAME KIND [OPTION]... SOURCE DESTINATION: the same in the
# background, until flow_stop. Returns when something came back.
flow_start() {
	local name=$1 kind=$2 args=("${@:3}") n=$(($# - 1))

	: >"$TOPO_DIR/$name.flow"
	spawn "${args[n - 3]:0:1}" traffic "$kind" -n 0 -f "$TOPO_DIR/$name.flow" \
		"${args[@]:0:n-3}" "$(topo_address "${args[n - 3]}")" \
		"$(topo_address "${args[n - 2]}")" "$PORT" >"$TOPO_DIR/$name.out" 2>&1
	FLOW_PID[$name]=$SPAWNED
	wait_until 10 flow_past "$name" 0
}

# flow_count NAME: octets or datagrams that came back so far.
flow_count() {
	local count=0

	read -r count <"$TOPO_DIR/$1.flow"
	echo $((10#${count:-0}))
}

flow_past() {
	(($(flow_count "$1") > $2))
}

# flow_goes NAME UNITS [SECONDS]: so much more comes back in time.
flow_goes() {
	wait_until "${3:-20}" flow_past "$1" $(($(flow_count "$1") + $2))
}

# flow_stop NAME: stop sending, wait for what is outstanding. Returns the
# client's exit status. Not in a subshell, which could not wait.
flow_stop() {
	kill "${FLOW_PID[$1]}" 2>/dev/null
	wait "${FLOW_PID[$1]}"
}

# check_flow WHAT NAME: a case that passes if everything came back as it was.
check_flow() {
	local status

	flow_stop "$2"
	status=$?
	check "$1" flow_verdict "$2" $status
}

flow_verdict() {
	cat "$TOPO_DIR/$1.out"
	return "$2"
}

# value NAME <<<WORDS: the number in "name=number".
value() {
	sed -n "s/.*\<$1=\([0-9.]*\).*/\1/p"
}

# no_csum_errors: no checksum error on either host since the topology exists.
no_csum_errors() {
	local host

	for host in $(topo_hosts); do
		{ enter "$host" && exec nstat -as; } | awk -v host="$host" '/Csum/ && $2 != 0 {
			print "host", host, $1, $2; bad = 1 } END { exit bad }' || return
	done
}

# hex_payload NEXT-HEADER TAG: a payload extension header.
hex_payload() {
	printf '%02x00%012x' "$1" $(($2 | 1 << 47))
}
