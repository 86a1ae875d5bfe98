#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# How long a connection stands still when a provider dies.
#
#	bench_gaps.sh OUT.json [ROUNDS] [CANDIDATE]...	(default 20 rounds, all)
#
# A stream of 1000 octets each 5 ms goes from A to B over T1, 20 ms there and
# back. Then the core drops everything from and to A1 ("core"), or the link between
# A and its provider loses its carrier ("link"). Measured is the longest time in
# which nothing new arrives at B; "behind" is the longest time that it went on after
# TCP's retransmission timer had expired. In each round every candidate has its turn
# in a topology of its own, in the same boot, and the cut comes at a random time.
# Plain TCP has no other path: there the fault is mended after 10 seconds.
#
# Prints a table, and writes every sample to OUT.json. Exit status 0 if every
# stream ended whole and could be measured, whatever came out.

. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/candidates.sh"

readonly OUT=${1:?"usage: bench_gaps.sh OUT.json [ROUNDS] [CANDIDATE]..."}
readonly ROUNDS=${2:-20}
[[ $ROUNDS =~ ^[1-9][0-9]*$ ]] || die "not a number of rounds: $ROUNDS"
readonly GAP_PORT=7100 PIECE=1000 MENDED_AFTER_MS=10000 PATIENCE=150

# NAME PROTOCOL CUT WORDS: what is compared.
readonly CANDIDATES='
tcp                tcp   core plain TCP, mended after 10 s
shim6-rfc          tcp   core Shim6, all as in the RFC (Send Timeout 15 s)
shim6-1s           tcp   core Shim6, Send Timeout 1 s
shim6-tcp          tcp   core Shim6, retransmissions of TCP as feedback
shim6-standby      tcp   core Shim6, hot standby, Send Timeout 1 s
shim6-standby-tcp  tcp   core Shim6, hot standby and feedback of TCP
mptcp-fullmesh     mptcp core MPTCP, fullmesh
mptcp-backup       mptcp core MPTCP, second path is backup
sctp               sctp  core SCTP, both addresses bound
tcp-link           tcp   link plain TCP, mended after 10 s
shim6-link         tcp   link Shim6, all as in the RFC
mptcp-link         mptcp link MPTCP, fullmesh
sctp-link          sctp  link SCTP, both addresses bound
'

# shim6 NAME=VALUE...: a context between A1 and B1, settings on both hosts.
shim6_context() {
	local host pair

	for host in A B; do
		identity $host || return
		for pair; do setting $host "${pair%=*}" "${pair#*=}" || return; done
	done
	establish
}

# stands_by HOST: it has a second pair that works.
stands_by() {
	[[ -n $(shows "$1" '.failure_detection.standby_local // empty') ]]
}

# Paths of MPTCP from both addresses of A to both of B.
mptcp_paths() {
	local host

	for host in A B; do
		on $host sysctl -q net.mptcp.enabled=1 && ip -n "$(topo_ns $host)" mptcp limits set subflow 8 add_addr_accepted 8 || return
	done
	ip -n "$(topo_ns A)" mptcp endpoint add "$A2" dev up2 subflow "$@" &&
		ip -n "$(topo_ns B)" mptcp endpoint add "$B2" dev up2 signal
}

# SCTP takes the source address of a path from the route to its destination.
sctp_paths() {
	ip -6 -n "$(topo_ns A)" route add 2001:db8:b:2::/64 via fe80::1 dev up2 src "$A2" &&
		ip -6 -n "$(topo_ns B)" route add 2001:db8:a:2::/64 via fe80::1 dev up2 src "$B2"
}

mptcp_has_two() {
	(($(on A ss -Htn "dport = $GAP_PORT" | wc -l) >= 2))
}

prepare() {
	case $1 in
	tcp*) ;;
	shim6-rfc | shim6-link) shim6_context tcp_retransmits=0 ;;
	shim6-1s) shim6_context tcp_retransmits=0 send_timeout=1000 ;;
	shim6-tcp) shim6_context tcp_retransmits=1 ;;
	shim6-standby) shim6_context tcp_retransmits=0 send_timeout=1000 hot_standby=on standby_interval=1000 ;;
	shim6-standby-tcp) shim6_context tcp_retransmits=1 send_timeout=1000 hot_standby=on standby_interval=1000 ;;
	mptcp-backup) mptcp_paths backup ;;
	mptcp*) mptcp_paths fullmesh ;;
	sctp*) sctp_paths ;;
	*) die "no candidate $1" ;;
	esac
}

# settled NAME: it has what it needs beside the path in use.
settled() {
	case $1 in
	*standby*) stands_by A && stands_by B ;;
	mptcp*) mptcp_has_two ;;
	esac
}

received() {
	local octets=0

	read -r octets <"$TOPO_DIR/octets" 2>/dev/null
	echo $((10#${octets:-0}))
}

# past OCTETS: so much has arrived.
past() {
	(($(received) > $1))
}

# measure NAME: a line "NAME MS [BEHIND]", or what went wrong. BEHIND is how long the
# gap went on after TCP's retransmission timer had expired.
measure() {
	local name=$1 protocol cut receiver sender at before gap end timeout sent got bad i
	local here=$A1 there=$B1

	protocol=$(field "$name" 2) cut=$(field "$name" 3)
	[[ $protocol != sctp ]] || here=$A1,$A2 there=$B1,$B2
	# Where topology.sh has its namespaces.
	export TOPO=gap-$name
	topo_up || return
	for i in 1 2; do
		topo_netem A $i delay 5ms && topo_netem B $i delay 5ms || return
	done
	prepare "$name" || return
	spawn B gap receive "$protocol" -f "$TOPO_DIR/octets" "$there" $GAP_PORT >"$TOPO_DIR/receiver" 2>&1
	receiver=$SPAWNED
	wait_until 10 grep -q listening "$TOPO_DIR/receiver" || return
	spawn A gap send "$protocol" -s $PIECE "$here" "$B1" $GAP_PORT >"$TOPO_DIR/sender" 2>&1
	sender=$SPAWNED
	wait_until 20 past $((100 * PIECE)) && wait_until 20 settled "$name" || return
	pause "$(printf '0.%03d' $((RANDOM % 500)))"

	at=$(now_ms)
	case $cut in
	core) topo_kill A1 ;;
	link) topo_carrier A 1 down ;;
	esac || return
	if [[ $name == tcp* ]]; then
		while (($(now_ms) - at < MENDED_AFTER_MS)); do pause 0.05; done
		case $cut in
		core) topo_heal ;;
		link) topo_carrier A 1 up ;;
		esac || return
	fi
	# What was on its way arrives yet.
	pause 0.1
	before=$(received)
	wait_until $PATIENCE past $((before + 200 * PIECE)) || return
	kill "$sender" && wait "$sender" && wait "$receiver"
	read -r gap end < <(awk -v at="$at" '$1 == "gap" && $2 > at && $3 > most { most = $3; end = $2 }
		END { print most + 0, end + 0 }' "$TOPO_DIR/receiver")
	timeout=$(awk -v at="$at" '$1 == "timeout" && $2 > at { print $2; exit }' "$TOPO_DIR/sender")
	sent=$(awk '$1 == "sent" { print $2 }' "$TOPO_DIR/sender")
	read -r got bad < <(awk '$1 == "received" { print $2, $4 }' "$TOPO_DIR/receiver")
	if [[ -z $sent || $sent != "$got" || $bad != 0 ]]; then
		echo "$name: sent ${sent:-?} octets, received ${got:-?}, wrong ${bad:-?}" >&2
		return 1
	fi
	echo "$name $gap ${timeout:+$((end - timeout))}"
}

# one NAME: in a shell of its own; what went wrong with what explains it.
one() (
	at_exit_anew
	measure "$1" >>"$SAMPLES" && exit
	{
		echo "$1: not measured"
		tail -n 5 "$TOPO_DIR"/{sender,receiver} 2>/dev/null
		. "$(dirname "$0")/lib/diag.sh"
		diag_dump
	} >&2
	exit 1
)

report() {
	jq -R -s --arg kernel "$(uname -r)" --arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
		--arg processor "$(sed -n 's/^model name[^:]*: //p; T; q' /proc/cpuinfo)" \
		--argjson rounds "$ROUNDS" --arg candidates "$CANDIDATES" '
	def at(p): sort | .[((length - 1) * p) | round];
	(split("\n") | map(select(. != "") | split(" "))) as $samples |
	{
		kernel: $kernel, date: $date, processor: $processor, rounds: $rounds, unit: "ms",
		results: [$candidates | split("\n")[] | select(. != "") | [splits(" +")] | {
			name: .[0], protocol: .[1], cut: .[2], what: (.[3:] | join(" "))
		} | .name as $name
		  | .samples = [$samples[] | select(.[0] == $name)[1] | tonumber]
		  | .behind_timeout = [$samples[] | select(.[0] == $name)[2] // empty | select(. != "") | tonumber]
		  | select(.samples | length > 0)
		  | .median = (.samples | at(0.5)) | .p90 = (.samples | at(0.9)) | .max = (.samples | max)
		  | .behind = (.behind_timeout | if length > 0 then max else null end)]
	}' "$SAMPLES"
}

: >"$OUT" || die "cannot write $OUT"
SAMPLES=$(mktemp)
at_exit rm -f "$SAMPLES"
choose_candidates "${@:3}"
failed=0
for ((round = 1; round <= ROUNDS; round++)); do
	began=$(now_ms)
	# One after the other: the kernel tells of lost carriers once a second, for all of them.
	for name in "${names[@]}"; do
		one "$name" || failed=$((failed + 1))
	done
	echo "round $round of $ROUNDS: $((($(now_ms) - began) / 1000)) s"
done
report >"$OUT" || die "jq"
echo
echo "Longest time without new data when the first provider dies, $ROUNDS runs each, in one boot of $(uname -r):"
printf '%-20s %-5s %9s %9s %9s %9s  %s\n' candidate cut median p90 max behind what
jq -r '.results[] | [.name, .cut, .median, .p90, .max, (.behind | if . then "\(.) ms" else "-" end), .what] | map(tostring) | join("\t")' "$OUT" |
	while IFS=$'\t' read -ra cells; do
		printf '%-20s %-5s %6s ms %6s ms %6s ms %9s  %s\n' "${cells[@]}"
	done
((failed == 0)) || die "$failed runs could not be measured"
