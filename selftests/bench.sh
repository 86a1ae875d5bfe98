#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Throughput of translated traffic, compared with the same traffic untranslated.
#
#	bench.sh OUT.json [PAIRS] [SECONDS]	(default 5 pairs, 3 seconds)
#
# For each topology (two hosts on a wire, then T1) and kind of traffic, PAIRS of
# measurements alternate within one boot: the context on its ULID pair, where
# packets stay as they are, and on the other pair. Prints a table and writes every
# sample, the medians and their ratio to OUT.json, and the median of each pair's ratio,
# which a machine that is busy with other things disturbs less. Topologies are symmetric, so one
# direction of TCP is enough.
#
# Exit status 0 if everything could be measured, whatever came out.

. "$(dirname "$0")/lib/topology.sh"

readonly OUT=${1:?"usage: bench.sh OUT.json [PAIRS] [SECONDS]"}
readonly PAIRS=${2:-5} LENGTH=${3:-3}
[[ $PAIRS =~ ^[1-9][0-9]*$ && $LENGTH =~ ^[1-9][0-9]*$ ]] || die "PAIRS and SECONDS are numbers"
# What a translated TCP connection must reach of the untranslated one.
readonly TARGET=0.8
readonly DATAGRAM=64

# Of the shell that measures, not of the subshells that use it.
RESULT=$(mktemp) SAMPLES=$(mktemp)
at_exit rm -f "$RESULT" "$SAMPLES"

iperf() {
	on A iperf3 --client "$B1" --bind "$A1" --json "$@" >"$RESULT" ||
		die "iperf3: $(jq -r '.error // "no reason"' "$RESULT")"
}

# The first second belongs to slow start.
measure_tcp() {
	iperf --time "$LENGTH" --omit 1
	jq '.end.sum_received.bits_per_second / 1e6' "$RESULT"
}

# Datagrams that arrived.
measure_udp() {
	iperf --udp --length $DATAGRAM --bitrate 0 --time "$LENGTH"
	jq '.end.sum_received | (.packets - .lost_packets) / .seconds' "$RESULT"
}

# sample TOPOLOGY TRAFFIC untranslated|translated
sample() {
	local pair=1 before moved value

	[[ $3 == untranslated ]] || pair=2
	topo_switch_both A$pair B$pair || die "switch"
	before=$(stat_get A OutTranslated)
	value=$("measure_$2") || exit
	moved=$(($(stat_get A OutTranslated) - before))
	# A measurement of something else would be worse than none.
	[[ $3 == untranslated ]] || ((moved > 0)) || die "nothing was translated"
	[[ $3 == translated ]] || ((moved == 0)) || die "$moved packets were translated"
	[[ $value =~ ^[0-9.e+]+$ ]] || die "no measurement: $value"
	printf '%s %s %s %s\n' "$1" "$2" "$3" "$value" >>"$SAMPLES"
	printf '%-8s %-4s %-13s %10.1f\n' "$1" "$2" "$3" "$value"
}

listening() {
	[[ -n $(on B ss -Hltn 'sport = 5201') ]]
}

# bench TOPOLOGY: each second pair the other way round, against drift.
bench() {
	local traffic i

	for traffic in tcp udp; do
		for ((i = 0; i < PAIRS; i++)); do
			if ((i % 2)); then
				sample "$1" $traffic translated
				sample "$1" $traffic untranslated
			else
				sample "$1" $traffic untranslated
				sample "$1" $traffic translated
			fi
		done
	done
}

report() {
	jq -L "$SELFTESTS/lib" -R -s --arg kernel "$(uname -r)" --arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
		--arg processor "$(sed -n 's/^model name[^:]*: //p; T; q' /proc/cpuinfo)" \
		--argjson processors "$(nproc)" --argjson target $TARGET \
		--argjson seconds "$LENGTH" --argjson datagram $DATAGRAM '
	include "statistics";
	def of(state): map(select(.[2] == state)[3] | tonumber) | side;
	{
		kernel: $kernel, date: $date, processor: $processor, processors: $processors,
		seconds: $seconds, datagram_octets: $datagram, target: $target,
		results: [split("\n")[] | select(. != "") | split(" ")]
			| group_by([.[0], .[1]]) | map({
				topology: .[0][0], traffic: .[0][1],
				unit: (if .[0][1] == "tcp" then "Mbit/s" else "datagrams/s" end),
				untranslated: of("untranslated"), translated: of("translated"),
			} | .ratio = .translated.median / .untranslated.median
			  | .ratio_of_pairs = ([.translated.samples, .untranslated.samples]
				| transpose | map(.[0] / .[1]) | median)
			  | .met = (if .traffic == "tcp" then .ratio >= $target else null end))
			| sort_by(.topology != "direct", .traffic)
	}' "$SAMPLES"
}

table() {
	local row='%-9s %-4s %-12s %10s %21s %10s %21s %8s %8s  %s\n'

	# shellcheck disable=SC2059 # a format for all rows.
	printf "$row" topology of unit untransl. 'min..max' transl. 'min..max' ratio 'in pairs' "target $(jq -r '.target * 100' "$OUT") %"
	jq -r '.results[] | [
		.topology, .traffic, .unit,
		(.untranslated | (.median | round), "\(.min | round)..\(.max | round)"),
		(.translated | (.median | round), "\(.min | round)..\(.max | round)"),
		"\(.ratio * 1000 | round / 10) %", "\(.ratio_of_pairs * 1000 | round / 10) %",
		(if .met == null then "none" elif .met then "met" else "NOT MET" end)
	] | map(tostring) | join("\t")' "$OUT" |
		while IFS=$'\t' read -ra cells; do
			# shellcheck disable=SC2059 # the same.
			printf "$row" "${cells[@]}"
		done
}

: >"$OUT" || die "cannot write $OUT"
for form in direct T1; do
	case $form in
	T1) topo_up ;;
	*) topo_up $form ;;
	esac
	topo_contexts || die "contexts"
	spawn B iperf3 --server >/dev/null 2>&1
	wait_until 20 listening || die "iperf3 does not listen"
	bench $form || exit
	topo_down
done
report >"$OUT" || die "jq"
echo
echo "Medians of $PAIRS alternating pairs of $LENGTH s in one boot of $(uname -r):"
table
if jq -e '.results | map(select(.met != null)) | all(.met)' "$OUT" >/dev/null; then
	echo "Target for translated TCP: met."
else
	echo "Target for translated TCP: NOT MET."
fi
