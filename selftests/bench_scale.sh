#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What many contexts cost, and what many strangers do.
#
#	bench_scale.sh OUT.json [PART]...	(default: table flood establish locators switch)
#
#	table		static contexts by netlink, up to a million: made, found, read
#			and deleted
#	flood		I1 messages from senders that do not exist
#	establish	contexts with HBA, two locators at each end: how many in a second,
#			what an idle one takes
#	locators	the same with longer lists of locators, for what one of them costs
#	switch		all contexts in use lose one uplink
#
# SCALE_CONTEXTS (default 1000000), SCALE_HOSTS (default 320) and ROUNDS (default 7)
# make it smaller: so many static contexts; so many addresses of each host, whose
# square is the number of contexts that are established.
#
# Prints a table, and writes every sample, the figures and the targets to OUT.json.
# Exit status 0 if everything could be measured, whatever came out.

. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/wide.sh"
. "$(dirname "$0")/lib/scale.sh"

readonly OUT=${1:?"usage: bench_scale.sh OUT.json [PART]..."}
readonly CONTEXTS=${SCALE_CONTEXTS:-1000000} HOSTS=${SCALE_HOSTS:-320} ROUNDS=${ROUNDS:-7}
shift
[[ $CONTEXTS =~ ^[1-9][0-9]*$ && $HOSTS =~ ^[1-9][0-9]*$ && $ROUNDS =~ ^[1-9][0-9]*$ ]] ||
	die "SCALE_CONTEXTS, SCALE_HOSTS and ROUNDS are numbers"
: >"$OUT" || die "cannot write $OUT"

SAMPLES=$(mktemp)
at_exit rm -f "$SAMPLES"

# sample FIGURE VALUE: one measurement.
sample() {
	[[ $2 =~ ^-?[0-9]+(\.[0-9]+)?$ ]] || die "no measurement of $1: $2"
	echo "$1 $2" >>"$SAMPLES"
	printf '%-26s %12s\n' "$1" "$2"
}

# alone: a host by itself, whose packets go to a device that drops them.
alone() {
	scale_alone A || die "a host by itself"
	setting A max_contexts $((CONTEXTS + 1)) || die "settings"
}

part_table() {
	local count before held between i done=0

	alone
	# The first time pays for what stays: caches, pages of slabs.
	result=$(on A scale add $SCALE_LOCAL 0 1000 && on A scale del 0 1000) || die "contexts: $result"
	for count in 1 1000 100000 "$CONTEXTS"; do
		((count <= CONTEXTS)) && lookups "plain_$count" "$count"
	done
	held=$(held_memory)
	before=$(used_memory)
	for count in 1 1000 100000 "$CONTEXTS"; do
		((count > done && count <= CONTEXTS)) || continue
		result=$(on A scale add $SCALE_LOCAL "$done" "$count") || die "add: $result"
		echo "# $result"
		# The last step is the one with most of them.
		((count < CONTEXTS)) || sample longest_addition "$(value longest <<<"$result")"
		done=$count
		lookups "lookup_$count" "$count"
		lookups "same_$count" 1
	done
	sample static_octets "$(octets_each "$before" "$done")"
	result=$(quiet_dump) || die "dump: $result"
	echo "# $result"
	[[ $(value messages <<<"$result") == "$done" ]] || die "a dump of $done contexts: $result"
	sample dump_ms "$(value milliseconds <<<"$result")"
	result=$(on A scale del 0 "$done") || die "del: $result"
	echo "# $result"
	pause 5
	sample left_held_kilobytes $(($(held_memory) - held))
	wait_until 60 memory_is_back "$before" || echo "# memory is not back"
	sample left_kilobytes $(($(used_memory) - before))
	for ((i = 0; i < 3; i++)); do
		between=$(now_ms)
		result=$(on A scale add $SCALE_LOCAL 0 "$CONTEXTS" && on A scale del 0 "$CONTEXTS") ||
			die "contexts: $result"
		sample create_delete_ms $(($(now_ms) - between))
	done
	topo_down
}

# lost: control messages that found no room in the queue of either host.
lost() {
	echo $(($(stat_get A ControlQueueFull) + $(stat_get B ControlQueueFull)))
}

# lookups FIGURE PEERS: nanoseconds that a datagram takes.
lookups() {
	local i

	for ((i = 0; i < ROUNDS; i++)); do
		result=$(on A scale send $SCALE_LOCAL 200000 "$2") || die "send: $result"
		sample "$1" "$(value nanoseconds <<<"$result")"
	done
}

# A and B on a wire; what B sends to the strangers goes to a device that drops it. The
# same flood once to a firewall before the module, once to the module, in turns.
part_flood() {
	local i result before count=500000

	scale_wire 1 || die "two hosts"
	{
		echo "link add nowhere type dummy"
		echo "link set nowhere up"
		# By a router: strangers are not neighbours.
		echo "route add 3fff::/32 via fe80::1 dev nowhere"
	} | on B ip -6 -batch - || die "a device that drops"
	generous B || die "settings"
	on B nft -f - <<-'END' || die "nftables"
		table ip6 bench {
			chain first { type filter hook prerouting priority -600; }
		}
	END
	for ((i = 0; i < ROUNDS; i++)); do
		on B nft add rule ip6 bench first ip6 nexthdr 140 drop || die "nftables"
		result=$(on A flood -n $count i1 3fff:: "$SCALE_TO") || die "flood: $result"
		sample i1_dropped "$(nanoseconds_each "$result")"
		on B nft flush chain ip6 bench first || die "nftables"
		before=$(stat_get B OutR1)
		result=$(on A flood -n $count i1 3fff:: "$SCALE_TO") || die "flood: $result"
		sample i1_answered "$(nanoseconds_each "$result")"
		sample i1_unanswered $((count - $(stat_get B OutR1) + before))
	done
	(($(stat_get B Contexts) == 0)) || die "I1 left contexts behind"
	topo_down
}

part_establish() {
	local count=$((HOSTS * HOSTS)) before result i

	scale_wire "$HOSTS" || die "two hosts"
	{ generous A && generous B; } || die "settings"
	# What the first ones need stays.
	result=$(head -n 64 "$TOPO_DIR/pairs" | on A scale start 60) || die "contexts: $result"
	{ on A shim6 context flush && on B shim6 context flush; } || die "flush"
	before=$(used_memory)
	for ((i = 0; i < ROUNDS; i++)); do
		result=$(head -n 20000 "$TOPO_DIR/pairs" | on A scale start 120) ||
			die "not all were established: $result"
		sample established "$(rate_of "$result")"
		{ on A shim6 context flush && on B shim6 context flush; } || die "flush"
	done
	wait_until 60 memory_is_back "$before" || echo "# memory is not back"
	before=$(used_memory)
	result=$(on A scale start 300 <"$TOPO_DIR/pairs") || die "not all were established: $result"
	sample established_all "$(rate_of "$result")"
	sample established_lost "$(lost)"
	wait_until 120 silent || die "they do not become silent"
	# Both ends are here.
	sample idle_octets "$(octets_each "$before" $((2 * count)))"
	topo_down
}

# The same, with lists of 2 and of 9 locators in turns: what one of them takes. Up to 9 of them, CGA
# parameters are so long that Hash1 takes three steps of SHA-1. What an exchange takes changes more
# from time to time than a locator adds to it, so this takes many turns.
part_locators() {
	local many i
	local -A ms=()

	scale_wire 60 2 9 || die "two hosts"
	{ generous A && generous B; } || die "settings"
	for ((i = 0; i < 3 * ROUNDS; i++)); do
		for many in $((i % 2 ? 2 : 9)) $((i % 2 ? 9 : 2)); do
			result=$(on A scale start 60 <"$TOPO_DIR/pairs-$many") ||
				die "not all were established: $result"
			ms[$many]=$(value milliseconds <<<"$result")
			sample "established_with_$many" "$(rate_of "$result")"
			{ on A shim6 context flush && on B shim6 context flush; } || die "flush"
		done
		# Of each host, for each of 3,600 contexts seven more.
		sample locator_us "$(awk -v a="${ms[2]}" -v b="${ms[9]}" -v cpus="$(nproc)" \
			'BEGIN { printf "%.3f", (b - a) * 1000 * cpus / (2 * 3600 * 7) }')"
	done
	topo_down
}

part_switch() {
	local count=$((HOSTS * HOSTS)) watcher mover talker result cut before

	scale_wire "$HOSTS" || die "two hosts"
	{ generous A && generous B; } || die "settings"
	result=$(on A scale start 300 <"$TOPO_DIR/pairs") || die "not all were established: $result"
	spawn B many serve 7200 >"$TOPO_DIR/serve" 2>&1
	wait_until 10 grep -q serving "$TOPO_DIR/serve" || die "no server: $(<"$TOPO_DIR/serve")"
	# All are in use, in the middle of a conversation.
	spawn A many talk 7200 20000 120 <"$TOPO_DIR/pairs" >"$TOPO_DIR/talk" 2>&1
	talker=$SPAWNED
	pause 25
	spawn A scale watch 60 Explored "$count" OutProbe >"$TOPO_DIR/explored"
	watcher=$SPAWNED
	spawn A scale watch 90 PairSwitched "$count" OutUpdateRequest >"$TOPO_DIR/switched"
	mover=$SPAWNED
	wait_until 5 grep -q watching "$TOPO_DIR/explored" || die "nobody watches"
	wait_until 5 grep -q watching "$TOPO_DIR/switched" || die "nobody watches"
	before=$(lost)
	cut=$(now_ms)
	# Only this end sees it.
	on br ip link set a1 down || die "cut"
	wait "$watcher" || echo "# not all explored"
	wait "$mover" || echo "# not all switched"
	result=$(<"$TOPO_DIR/explored")
	echo "# explored: $result"
	sample exploring_ms $(($(value last <<<"$result") - $(value first <<<"$result")))
	sample noticed_ms $(($(value first <<<"$result") - cut))
	sample probes_in_50_ms "$(value most <<<"$result")"
	result=$(<"$TOPO_DIR/switched")
	echo "# switched: $result"
	sample switched_ms $(($(value last <<<"$result") - cut))
	sample switched_percent $((100 * $(value rose <<<"$result") / count))
	sample switch_lost $(($(lost) - before))
	stop "$talker"
	topo_down
}

(($#)) || set -- table flood establish locators switch
for part; do
	declare -F "part_$part" >/dev/null || die "there is no part '$part'"
	"part_$part"
done
scale_report "$SAMPLES" "$CONTEXTS" "$HOSTS" >"$OUT" || die "jq"
echo
scale_table "$OUT"
