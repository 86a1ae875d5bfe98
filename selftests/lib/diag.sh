# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the network looked like when a case failed.

# diag_dump: state of the hosts of the topology, if there is one. The first
# failures tell the story; later ones are mostly their consequence.
diag_dump() {
	local host

	[[ -n ${TOPO_DIR:-} ]] && ((TAP_FAILED <= 2)) || return 0
	for host in $(topo_hosts); do
		echo "== host $host: counters of the shim that are not zero"
		on "$host" grep -v ' 0$' /proc/net/shim6_stat
		echo "== host $host: counters of the stack"
		on "$host" nstat -as | awk '/Csum|Errors|Discards|NoRoutes|Fails|Retrans|Timeout|TooBig|Frag/ && $2 != 0 { print $1, $2 }'
		echo "== host $host: contexts"
		on "$host" shim6 context show | head -n 400
		echo "== host $host: TCP sockets"
		on "$host" ss -Htin
		echo "== host $host: rules, routes, addresses, neighbours"
		ip -6 -n "$(topo_ns "$host")" rule
		ip -6 -n "$(topo_ns "$host")" route show table all |
			grep -v '^ff00\|^fe80\|^local\|^multicast\|^anycast'
		ip -6 -br -n "$(topo_ns "$host")" address
		ip -6 -s -n "$(topo_ns "$host")" neighbour
	done
	diag_captures
}

# The last packets of the captures that are running or were just stopped.
diag_captures() {
	local file

	for file in "$TOPO_DIR"/*.pcap; do
		[[ -s $file ]] || continue
		echo "== last packets of ${file##*/}"
		tcpdump -n -t -r "$file" 2>/dev/null | tail -n 8 | cut -c 1-160
	done
}
