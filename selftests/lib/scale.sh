# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Hosts with very many contexts, what they take of memory, and how figures compare with
# targets. Beside establish.sh.

# The address of a host by itself; the peers of `scale` are below 2001:db8:3::/64.
readonly SCALE_LOCAL=2001:db8:1::a

# scale_alone HOST: the host by itself. What it sends is dropped by a device, behind a router:
# as neighbours, a million peers would be a million entries of IPv6 as well.
scale_alone() {
	TOPO_DIR=$(mktemp -d) || return
	export TOPO_FORM=direct
	at_exit topo_down
	ip netns add "$TOPO-$1" || return
	{
		echo "link set lo up"
		echo "link add nowhere type dummy"
		echo "link set nowhere up"
		echo "address add $SCALE_LOCAL/128 dev nowhere nodad"
		echo "route add 2001:db8:3::/64 via fe80::1 dev nowhere"
	} | on "$1" ip -6 -batch -
}

# scale_wire N [LOCATORS]...: A and B with two uplinks each, through the bridges of node br,
# and for each LOCATORS (2 unless said otherwise) N sets of so many addresses. Each set has
# prefixes of its own, for a host is known by its /64; every second one is on the second uplink.
# $TOPO_DIR/pairs-LOCATORS has all pairs of first addresses of such sets, $TOPO_DIR/pairs those
# of the first kind, $SCALE_TO is one of B's. Gateways take the place of N neighbours.
scale_wire() {
	local n=$1 host digit peer far i most=0

	shift
	(($#)) || set -- 2
	topo_up bridge || return
	for i; do ((i <= most)) || most=$i; done
	for host in A B; do
		digit=${host,}
		[[ $host == A ]] && peer=b far=fe80::b || peer=a far=fe80::a
		scale_sets $host "$n" "$@" || return
		{
			for i in 1 2; do echo "address add fe80::$digit/64 dev up$i nodad"; done
			for ((i = 1; i <= most; i++)); do
				printf 'route add 2001:db8:%x%s::/48 via %s dev up%d\n' "$i" "$peer" "$far" $((2 - i % 2))
			done
		} >>"$TOPO_DIR/batch-$host"
		on "$host" ip -6 -batch - <"$TOPO_DIR/batch-$host" || return
		for ((i = 1; i <= n * $#; i++)); do
			on "$host" shim6 identity add "set$i" "$TOPO_DIR/set-$host-$i" || return
		done
	done
	export SCALE_TO
	read -r SCALE_TO <"$TOPO_DIR/addresses-B-$1"
	for i; do wide_pairs "-$i" >"$TOPO_DIR/pairs-$i" || return; done
	ln -s "pairs-$1" "$TOPO_DIR/pairs"
}

# scale_sets HOST N LOCATORS...: those sets, with their first addresses and what `ip` is to do.
scale_sets() {
	local host=$1 n=$2 k=0 last=0 i locators prefixes address

	for locators in "${@:3}"; do
		last=$((last + n))
		while ((k++ < last)); do
			prefixes=()
			for ((i = 1; i <= locators; i++)); do
				prefixes+=(--prefix "$(printf '2001:db8:%x%s:%x::/64' "$i" "${host,}" "$k")")
			done
			shim6 hba generate "${prefixes[@]}" --output "$TOPO_DIR/set-$host-$k" \
				>"$TOPO_DIR/set" || return
			head -n 1 "$TOPO_DIR/set" >>"$TOPO_DIR/addresses-$host-$locators"
			i=0
			while read -r address; do
				echo "address add $address/128 dev up$((1 + i++ % 2)) nodad"
			done <"$TOPO_DIR/set" >>"$TOPO_DIR/batch-$host"
		done
		k=$last
	done
}

# generous HOST: no rate that slows strangers down, room for all, and nothing goes away
# while it is looked at.
generous() {
	setting "$1" r1_rate 10000000 && setting "$1" answer_rate_peer 10000000 &&
		setting "$1" idle_timeout 86400000 && setting "$1" max_contexts 2000000
}

# sent_messages: control messages that both hosts have sent.
sent_messages() {
	local host line sum=0

	for host in A B; do
		stat_load $host || return
		for line in "${STAT_LINES[@]}"; do
			case ${line%% *} in
			OutI1 | OutR1 | OutI2 | OutR2 | OutR1bis | OutI2bis | OutUpdateRequest | \
				OutUpdateAcknowledgement | OutKeepalive | OutProbe | OutError) sum=$((sum + ${line##* })) ;;
			esac
		done
	done
	echo $sum
}

# silent: no control message for six seconds.
silent() {
	local before

	before=$(sent_messages)
	pause 6
	(($(sent_messages) == before))
}

# used_memory: kilobytes of this machine that the kernel holds and cannot drop. Programs have
# memory of their own (AnonPages), and more of it the more shells a script has begun. What
# the allocators keep for the next one to ask is free: slabs without objects, which they give
# back when told to, and pages that wait for one processor (count: in zoneinfo).
used_memory() {
	local cache

	sync
	echo 3 >/proc/sys/vm/drop_caches
	for cache in /sys/kernel/slab/*/shrink; do
		{ echo 1 >"$cache"; } 2>/dev/null || :
	done
	awk '$1 == "MemTotal:" { used += $2 }
		$1 == "MemFree:" || $1 == "Buffers:" || $1 == "Cached:" { used -= $2 }
		$1 == "AnonPages:" || $1 == "PageTables:" || $1 == "KernelStack:" { used -= $2 }
		# Pages of 4 KiB.
		$1 == "count:" { used -= 4 * $2 }
		END { printf "%d\n", used }' /proc/meminfo /proc/zoneinfo
}

# held_memory: the same with what the allocators keep.
held_memory() {
	echo 3 >/proc/sys/vm/drop_caches
	awk '$1 == "MemTotal:" { used += $2 }
		$1 == "MemFree:" || $1 == "Buffers:" || $1 == "Cached:" { used -= $2 }
		END { print used }' /proc/meminfo
}

# memory_is_back KILOBYTES: not more is used than that, but for a per cent or a megabyte.
memory_is_back() {
	local allowance=$(($1 / 100))

	((allowance > 1024)) || allowance=1024
	(($(used_memory) <= $1 + allowance))
}

# quiet_dump: what `scale dump` says on A when nothing has come between. A table that has
# just grown may still be moving, and says so.
quiet_dump() {
	local result i

	for ((i = 0; i < 100; i++)); do
		result=$(on A scale dump) || return
		[[ $(value interrupted <<<"$result") != 0 ]] || break
		pause 0.1
	done
	echo "$result"
}

# octets_each BEFORE CONTEXTS: what one takes, of the kilobytes used since.
octets_each() {
	echo $((($(used_memory) - $1) * 1024 / $2))
}

# rate_of RESULT: contexts a second and processor; each has two ends here.
rate_of() {
	awk -v n="$(value contexts <<<"$1")" -v ms="$(value milliseconds <<<"$1")" -v cpus="$(nproc)" \
		'BEGIN { printf "%.0f", 2 * n * 1000 / ms / cpus }'
}

# nanoseconds_each RESULT: of `flood`.
nanoseconds_each() {
	awk -v n="$(value sent <<<"$1")" -v s="$(value seconds <<<"$1")" \
		'BEGIN { printf "%.0f", s * 1e9 / n }'
}

# scale_report SAMPLES CONTEXTS HOSTS: all as JSON, with what follows from it.
scale_report() {
	jq -L "$SELFTESTS/lib" -R -s --arg kernel "$(uname -r)" --arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
		--argjson contexts "$2" --argjson hosts "$3" --argjson processors "$(nproc)" '
		include "statistics";
		(split("\n") | map(select(. != "") | split(" "))) as $all |
		(reduce $all[] as $one ({}; .[$one[0]] += [$one[1] | tonumber])) as $samples |
		($samples | map_values(median)) as $m |
		($samples.locator_us | if . then estimate else null end) as $locator |
		def lookup(n): $m["lookup_\(n)"] - $m["plain_\(n)"];
		def figure(name; value; unit; target; met): try (value |
			{name: name, value: (. * 100 | round / 100), unit: unit, target: target, met: met}) catch empty;
		{
			kernel: $kernel, date: $date, processors: $processors,
			contexts: $contexts, established: ($hosts * $hosts), samples: $samples, medians: $m,
			figures: [
				figure("datagram to one peer, \($contexts) contexts, against 1";
					$m["same_\($contexts)"] / $m.same_1; "times"; "<= 1.5"; . <= 1.5),
				figure("datagram to all peers, \($contexts) contexts, against 1";
					$m["lookup_\($contexts)"] / $m.lookup_1; "times"; "<= 1.5"; . <= 1.5),
				figure("what the module adds to it, 1 context"; lookup(1); "ns"; ""; null),
				figure("what the module adds to it, 1000 contexts"; lookup(1000); "ns"; ""; null),
				figure("what the module adds to it, 100000 contexts"; lookup(100000); "ns"; ""; null),
				figure("what the module adds to it, \($contexts) contexts"; lookup($contexts); "ns"; ""; null),
				figure("memory of an established idle context"; $m.idle_octets; "octets"; "<= 768"; . <= 768),
				figure("memory of a static context"; $m.static_octets; "octets"; ""; null),
				figure("contexts established"; $m.established; "a second and core"; ">= 10000"; . >= 10000),
				figure("control messages lost in full queues meanwhile"; $m.established_lost; ""; ""; null),
				(figure("one more locator, told, read and verified"; $locator.measured; "us"; "<= 1";
					$locator | verdict(. <= 1)) + ($locator | {from, to})),
				figure("\($contexts) contexts made and deleted"; $m.create_delete_ms / 1000; "s"; "<= 20"; . <= 20),
				figure("memory left behind by them"; $m.left_kilobytes; "kB"; "<= 1024"; . <= 1024),
				figure("the same with what the allocators keep"; $m.left_held_kilobytes; "kB"; ""; null),
				figure("longest time that 100 of them took to make"; $m.longest_addition; "ms"; ""; null),
				figure("dump of \($contexts) contexts"; $m.dump_ms / 1000; "s"; ""; null),
				figure("I1 answered"; 1e9 / ($m.i1_answered - $m.i1_dropped); "a second and core";
					">= 500000"; . >= 500000),
				figure("I1 sent, received and answered"; 1e9 / $m.i1_answered; "a second and core"; ""; null),
				figure("\($hosts * $hosts) contexts exploring after"; $m.exploring_ms; "ms"; "<= 1000"; . <= 1000),
				figure("Probes in 50 ms at most"; $m.probes_in_50_ms; ""; ""; null),
				figure("control messages lost in full queues meanwhile"; $m.switch_lost; ""; ""; null),
				figure("all of them switched after"; $m.switched_ms; "ms"; ""; null)
			]
		}' "$1"
}

# scale_table FILE: the figures for people.
scale_table() {
	jq -r '.figures[] | [.name, "\(.value) \(.unit)", .target,
		if .target == "" then "" elif .met == null then "not decided: \(.from) to \(.to)"
		elif .met then "met" else "missed" end] | join("|")' "$1" |
		while IFS='|' read -r name value target met; do
			printf '%-58s %26s  %-9s %s\n' "$name" "$value" "$target" "$met"
		done
}
