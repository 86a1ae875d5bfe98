#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Contexts established per second, with HBA.
#
#	bench_establish.sh OUT.json [ROUNDS]	(default 5)
#
# Two hosts on a wire, each with a set of 16 prefixes, so 256 pairs of ULIDs; each
# ROUND, A asks for all of them at once and all are forgotten again. A and B share the
# processors of this machine, so a context counts as two: one made, one answered.
# Merges the samples into OUT.json as .establish, and prints their median.

. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/wide.sh"

readonly OUT=${1:?"usage: bench_establish.sh OUT.json [ROUNDS]"} ROUNDS=${2:-5}
readonly PREFIXES=16

forgotten() {
	[[ $(stat_get "$1" Contexts) == 0 ]]
}

topo_up direct
for host in A B; do wide $host "$PREFIXES" || die "sets of addresses"; done
# The rates are there to slow strangers down.
setting B r1_rate 10000000 || die "settings"
setting B answer_rate_peer 10000000 || die "settings"
samples=()
for ((round = 0; round < ROUNDS; round++)); do
	result=$(wide_pairs "" | on A starts 60) || die "not all were established: $result"
	contexts=$(value contexts <<<"$result") ms=$(value milliseconds <<<"$result")
	samples+=("$(awk -v n="$contexts" -v ms="$ms" -v cpus="$(nproc)" \
		'BEGIN { printf "%.0f", 2 * n * 1000 / ms / cpus }')")
	{ on A shim6 context flush && on B shim6 context flush; } || die "flush"
	{ wait_until 20 forgotten A && wait_until 20 forgotten B; } || die "contexts remain"
done

[[ -s $OUT ]] || echo '{}' >"$OUT"
jq -L "$SELFTESTS/lib" --argjson contexts "$contexts" --arg kernel "$(uname -r)" '
	include "statistics";
	.establish = {kernel: $kernel, contexts: $contexts, unit: "per second and processor",
		samples: $ARGS.positional | map(tonumber)} |
	.establish.median = (.establish.samples | median)' "$OUT" --args "${samples[@]}" \
	>"$TOPO_DIR/merged" || die "jq"
cat "$TOPO_DIR/merged" >"$OUT" || die "cannot write $OUT"
echo "Contexts with HBA, 2 x $PREFIXES locators: $(jq .establish.median "$OUT") per second and processor" \
	"(median of ${samples[*]}; both ends counted)."
