#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Traffic whose instructions somebody else records (qemu/bench where).
#
#	bench_where.sh DIR CANDIDATE KIND
#
# A candidate of bench_speed.sh has one long turn with traffic of a kind. When that flows,
# DIR/CANDIDATE.symbols is there: where functions are, with those of modules. It goes on until DIR/recorded
# is there. Only in a machine of its own, which is to end then.

. "$(dirname "$0")/lib/util.sh"

readonly DIR=${1:?"usage: bench_where.sh DIR CANDIDATE KIND"} CANDIDATE=${2:?} KIND=${3:?}
# Of the emulated processor's time; longer than anybody records.
readonly LENGTH=600000

# sent: packets that the hosts of bench_speed.sh have sent.
sent() {
	local name

	for name in $(ip netns list | awk '{ print $1 }'); do
		ip netns exec "$name" nstat -asz Ip6OutRequests
	done 2>/dev/null | awk '$1 == "Ip6OutRequests" { sum += $2 } END { print sum + 0 }'
}

has_begun() {
	[[ -s $BEGUN ]]
}

# begun_or_over: what bench_speed.sh does not know, it says at once.
begun_or_over() {
	has_begun || ! kill -0 "$traffic" 2>/dev/null
}

# flows BEFORE: a stream is fast by then.
flows() {
	(($(sent) > $1 + 3000))
}

recorded() {
	[[ -e $DIR/recorded ]]
}

BEGUN=$(mktemp)
export BEGUN
CLOCK=instructions KINDS=$KIND "$(dirname "$0")/bench_speed.sh" "$DIR/$CANDIDATE.json" 1 $LENGTH "$CANDIDATE" &
traffic=$!
{ wait_until 60 begun_or_over && has_begun && wait_until 60 flows "$(sent)"; } || die "no traffic of $CANDIDATE"
{ cp /proc/kallsyms "$DIR/symbols.new" && mv "$DIR/symbols.new" "$DIR/$CANDIDATE.symbols"; } || die "symbols"
wait_until 600 recorded || die "nobody has recorded anything"
# The traffic ends with the machine.
