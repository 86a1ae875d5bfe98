# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Host B alone with a peer that is played by hand: programs of peer/, in Python.

. "${BASH_SOURCE[0]%/*}/establish.sh"

# peer_up: host B of a topology without routers, with its identity. The addresses
# of A are gone from A, so that nobody there answers but the program.
peer_up() {
	local i

	topo_up direct && identity B || return
	for i in 1 2; do
		ip -6 -n "$(topo_ns A)" address del "$(topo_address "A$i")/64" dev "up$i" || return
	done
}

# mac HOST N: the address of an uplink.
mac() {
	ip -n "$(topo_ns "$1")" -j link show "up$2" | jq -r '.[0].address'
}

# play PROGRAM: one case for each verdict of a program. That it comes to its end is
# a case, too.
play() {
	local verdict what why status

	while IFS=$'\t' read -r verdict what why; do
		case $verdict in
		ok) pass "$what" ;;
		'not ok') fail "$what" "$why" ;;
		'end of program') status=$what ;;
		*) comment <<<"$verdict $what $why" ;;
		esac
	done < <(
		on A python3 -B "$SELFTESTS/peer/$1" "/run/netns/$(topo_ns B)" "$(mac B 1)" "$(mac B 2)" 2>&1
		printf 'end of program\t%s\n' $?
	)
	is "$1 came to its end" "$status" 0
}
