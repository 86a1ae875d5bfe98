#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What failure detection of many contexts costs.
#
#	bench_idle.sh OUT.json [CONTEXTS] [ROUNDS]	(default 10,000 and 7)
#
# Two hosts on a wire have CONTEXTS established contexts with each other. Measured is
# how much a program of the least priority computes in some seconds, compared with the
# same without contexts, in one boot: with contexts that are idle, and with all of them
# in use by a datagram there and back each second. Both hosts share this machine's
# processors, so a host's share is half of what is missing. Counted is also every
# control message that is sent meanwhile: RFC 5534 wants none.
#
# Exit status 0 if everything could be measured, whatever came out.

. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/wide.sh"
. "$(dirname "$0")/lib/scale.sh"

readonly OUT=${1:?"usage: bench_idle.sh OUT.json [CONTEXTS] [ROUNDS]"}
readonly CONTEXTS=${2:-10000} ROUNDS=${3:-7}
readonly PREFIXES=16 LENGTH=5 UDP_PORT=7200
[[ $CONTEXTS =~ ^[1-9][0-9]*$ && $ROUNDS =~ ^[1-9][0-9]*$ ]] || die "CONTEXTS and ROUNDS are numbers"
((CONTEXTS % PREFIXES == 0)) || die "CONTEXTS must be a multiple of $PREFIXES"

SAMPLES=$(mktemp)
at_exit rm -f "$SAMPLES"

# sample KIND: a line "KIND ROUNDS MESSAGES".
sample() {
	local before rounds

	before=$(sent_messages)
	rounds=$(many spin $LENGTH | value rounds)
	[[ $rounds =~ ^[0-9]+$ ]] || die "no measurement"
	echo "$1 $rounds $(($(sent_messages) - before))" >>"$SAMPLES"
	printf '%-22s %12d rounds, %d control messages\n' "$1" "$rounds" "$(($(sent_messages) - before))"
}

# samples KIND: with the traffic beside it, if KIND has some.
samples() {
	local i talker=''

	if [[ $1 == *used* ]]; then
		spawn A many talk $UDP_PORT 1000 $((ROUNDS * (LENGTH + 2) + 10)) <"$TOPO_DIR/pairs" >"$TOPO_DIR/talk" 2>&1
		talker=$SPAWNED
		pause 2
	fi
	for ((i = 0; i < ROUNDS; i++)); do sample "$1"; done
	[[ -n $talker ]] || return 0
	wait "$talker" || die "no traffic: $(<"$TOPO_DIR/talk")"
	echo "# $(<"$TOPO_DIR/talk")"
}

: >"$OUT" || die "cannot write $OUT"
topo_up direct
wide B $PREFIXES || die "B's set of addresses"
for ((i = 1; i <= CONTEXTS / PREFIXES; i++)); do
	printf '2001:db8:1a:1::1:%x\n' "$i"
done >"$TOPO_DIR/addresses-A"
{
	sed 's/.*/address add &\/128 dev up1 nodad/' "$TOPO_DIR/addresses-A"
	echo "route add 2001:db8:1b::/48 dev up1"
} | on A ip -6 -batch - || die "A's addresses"
wide_pairs >"$TOPO_DIR/pairs"
for host in A B; do
	# The rates are there to slow strangers down. Nothing is to go away while it is looked at.
	{ setting $host r1_rate 10000000 && setting $host answer_rate_peer 10000000 &&
		setting $host idle_timeout 86400000; } || die "settings"
done
spawn B many serve $UDP_PORT >"$TOPO_DIR/serve" 2>&1
wait_until 10 grep -q serving "$TOPO_DIR/serve" || die "no server: $(<"$TOPO_DIR/serve")"
# Neighbours are found before anything is measured.
on A many talk $UDP_PORT 1000 3 <"$TOPO_DIR/pairs" >/dev/null || die "no traffic"

samples none
samples none-used
result=$(on A starts 120 <"$TOPO_DIR/pairs") || die "not all were established: $result"
wait_until 120 silent || die "they do not become silent"
samples idle
samples used

jq -L "$SELFTESTS/lib" -R -s --arg kernel "$(uname -r)" --arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
	--argjson contexts "$CONTEXTS" --argjson processors "$(nproc)" --argjson seconds $LENGTH '
	include "statistics";
	(split("\n") | map(select(. != "") | split(" "))) as $all |
	def of(kind): [$all[] | select(.[0] == kind)];
	def rounds(kind): of(kind) | map(.[1] | tonumber);
	# Percent of one processor and host that is missing, of what there is without any work.
	def cost(kind; base): ((rounds(base) | median) - (rounds(kind) | median)) / (rounds("none") | median) * 100
		* $processors / 2;
	{
		kernel: $kernel, date: $date, contexts: $contexts, processors: $processors, seconds: $seconds,
		samples: (reduce $all[] as $one ({}; .[$one[0]] += [$one[1] | tonumber])),
		percent_of_a_core: {idle: cost("idle"; "none"), used: cost("used"; "none-used")},
		messages: {idle: (of("idle") | map(.[2] | tonumber) | add), used: (of("used") | map(.[2] | tonumber) | add)}
	}' "$SAMPLES" >"$OUT" || die "jq"
echo
echo "$CONTEXTS established contexts, medians of $ROUNDS samples of $LENGTH s, one boot of $(uname -r):"
jq -r '"  idle:   \(.percent_of_a_core.idle * 100 | round / 100) % of a core for each host, \(.messages.idle) control messages",
	"  in use: \(.percent_of_a_core.used * 100 | round / 100) % of a core for each host, \(.messages.used) control messages"' "$OUT"
