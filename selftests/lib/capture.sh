# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Captures on the links of a topology. Part of topology.sh, which sources it.

TOPO_CAPTURES=()

# topo_capture NAME NODE IF [FILTER...]: tcpdump into $TOPO_DIR/NAME.pcap.
# Returns when it is listening.
topo_capture() {
	local name=$1 node=$2 dev=$3 log=$TOPO_DIR/$1.log

	shift 3
	spawn "$node" tcpdump -i "$dev" -s 0 -B 16384 -U --immediate-mode -Z root \
		-w "$TOPO_DIR/$name.pcap" "$@" 2>"$log"
	TOPO_CAPTURES+=("$SPAWNED")
	wait_until 10 grep -q 'listening on' "$log"
}

# topo_capture_all NAME: every uplink of the hosts, NAME-A1.pcap and so on.
topo_capture_all() {
	local host i

	for host in $(topo_hosts); do
		for i in $(topo_uplinks "$host"); do
			topo_capture "$1-$host$i" "$host" "up$i" ip6 || return
		done
	done
}

# topo_capture_stop: end all captures, after everything captured is in its file. What a
# capture is to have must come to an end before, or this fails.
topo_capture_stop() {
	local size last=-1 looks=0

	[[ ${#TOPO_CAPTURES[@]} -gt 0 ]] || return 0
	until size=$(stat -c %s "$TOPO_DIR"/*.pcap 2>/dev/null); [[ $size == "$last" ]]; do
		((++looks <= 150)) || die "captures do not come to an end: $(wc -c "$TOPO_DIR"/*.pcap)"
		last=$size
		pause 0.2
	done
	stop "${TOPO_CAPTURES[@]}"
	TOPO_CAPTURES=()
}
