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

readonly OUT=${1:?"usage: bench_establish.sh OUT.json [ROUNDS]"} ROUNDS=${2:-5}
readonly PREFIXES=16

# address_set HOST LETTER: a set, its addresses on the host, and the module told.
address_set() {
	local host=$1 i args=() file=$TOPO_DIR/set-$1

	for ((i = 1; i <= PREFIXES; i++)); do
		args+=(--prefix "2001:db8:$2:$(printf %x $i)::/64")
	done
	shim6 hba generate "${args[@]}" --output "$file" >"$TOPO_DIR/addresses-$host" || return
	sed 's/.*/address add &\/64 dev up1 nodad/' "$TOPO_DIR/addresses-$host" |
		on "$host" ip -6 -batch - && on "$host" shim6 identity add bench "$file"
}

# routes HOST LETTER: to the prefixes of the other host.
routes() {
	local i

	for ((i = 1; i <= PREFIXES; i++)); do
		echo "route add 2001:db8:$2:$(printf %x $i)::/64 dev up1"
	done | on "$1" ip -6 -batch -
}

forgotten() {
	[[ $(stat_get "$1" Contexts) == 0 ]]
}

topo_up direct
{ address_set A 1a && address_set B 1b && routes A 1b && routes B 1a; } || die "sets of addresses"
# The rates are there to slow strangers down.
setting B r1_rate 10000000 || die "settings"
setting B answer_rate_peer 10000000 || die "settings"
while read -r local; do
	while read -r peer; do
		echo "$local $peer"
	done <"$TOPO_DIR/addresses-B"
done <"$TOPO_DIR/addresses-A" >"$TOPO_DIR/pairs"

samples=()
for ((round = 0; round < ROUNDS; round++)); do
	result=$(on A starts 60 <"$TOPO_DIR/pairs") || die "not all were established: $result"
	contexts=$(value contexts <<<"$result") ms=$(value milliseconds <<<"$result")
	samples+=("$(awk -v n="$contexts" -v ms="$ms" -v cpus="$(nproc)" \
		'BEGIN { printf "%.0f", 2 * n * 1000 / ms / cpus }')")
	{ on A shim6 context flush && on B shim6 context flush; } || die "flush"
	{ wait_until 20 forgotten A && wait_until 20 forgotten B; } || die "contexts remain"
done

[[ -s $OUT ]] || echo '{}' >"$OUT"
jq --argjson contexts "$contexts" --arg kernel "$(uname -r)" '
	def median: sort | .[length / 2 | floor];
	.establish = {kernel: $kernel, contexts: $contexts, unit: "per second and processor",
		samples: $ARGS.positional | map(tonumber)} |
	.establish.median = (.establish.samples | median)' "$OUT" --args "${samples[@]}" \
	>"$TOPO_DIR/merged" || die "jq"
cat "$TOPO_DIR/merged" >"$OUT" || die "cannot write $OUT"
echo "Contexts with HBA, 2 x $PREFIXES locators: $(jq .establish.median "$OUT") per second and processor" \
	"(median of ${samples[*]}; both ends counted)."
