#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Many contexts: made, read and deleted by netlink; established ones that nobody uses
# keep little, and are watched again as soon as somebody does. bench_scale.sh measures
# the same with a million.
#
# MANY (default: 20000) says how many are made by netlink, the square of SETS (40) how many are
# established.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/reap.sh"
. "$(dirname "$0")/lib/wide.sh"
. "$(dirname "$0")/lib/scale.sh"

readonly MANY=${MANY:-20000} SETS=${SETS:-40}
readonly ESTABLISHED=$((SETS * SETS))
# So few of them were seen to take 760 to 790 octets each, with what the allocator holds beside
# them; the state machines of one in use are about 2300 more.
readonly MOST=900

# dumped WORD: that of the last dump.
dumped() {
	value "$1" <<<"$DUMP"
}

# shown_operational: contexts of A whose failure detection a dump shows.
shown_operational() {
	on A shim6 context show --json | jq '[.[] | select(.reap == "operational")] | length'
}

# few_octets BEFORE: each of the contexts of both hosts takes little.
few_octets() {
	local octets

	octets=$(octets_each "$1" $((2 * ESTABLISHED)))
	echo "$octets octets each"
	((octets < MOST))
}

# check_memory WHAT LIMIT COMMAND...: a case that has to be true within LIMIT seconds. A kernel that
# looks for mistakes has red zones around everything and keeps what is freed for a while.
check_memory() {
	if [[ -e /sys/kernel/debug/kmemleak ]]; then
		skip "$1" "on this kernel memory says nothing"
	else
		check "$1" wait_until "${@:2}"
	fi
}

tap_begin

#
# Static contexts
#

scale_alone A || die "a host by itself"
setting A max_contexts "$MANY" || die "settings"
# The first ones pay for what stays.
result=$(on A scale add $SCALE_LOCAL 0 1000 && on A scale del 0 1000) || die "contexts: $result"
before=$(used_memory)
check "$MANY contexts are made" on A scale add $SCALE_LOCAL 0 "$MANY"
is "they are there" "$(stat_get A Contexts)" "$MANY"
check_not "one more is refused" on A scale add $SCALE_LOCAL "$MANY" $((MANY + 1))
DUMP=$(quiet_dump)
note "$DUMP"
is "a dump has all of them" "$(dumped messages)" "$MANY"
is "  which nothing has disturbed" "$(dumped interrupted)" 0
check "  in many pieces, each of which goes on where the last one ended" [ "$(dumped pieces)" -gt $((MANY / 1000)) ]
check "datagrams to all of them leave" on A scale send $SCALE_LOCAL 2048 "$MANY"
check "  by their contexts" [ "$(stat_get A OutUlids)" -ge 2048 ]
check "they are deleted" on A scale del 0 "$MANY"
is "none is left" "$(stat_get A Contexts)" 0
check_memory "their memory is free again" 20 memory_is_back "$before"

#
# Peers that do not answer
#

setting A max_contexts 20000 || die "settings"
for ((i = 1; i <= 4000; i++)); do printf '%s 2001:db8:3::%x\n' $SCALE_LOCAL $i; done >"$TOPO_DIR/pairs"
on A scale start 1 <"$TOPO_DIR/pairs" >/dev/null &
# 48 at once, and 16 more in 10 ms.
pause 0.2
asked=$(stat_get A Contexts)
note "$asked contexts are asked for in 200 ms"
holds "contexts are asked for, and no more at a time than peers can take" "($asked > 48) * ($asked < 1000)"
# It gives up when all are asked for and a second has passed.
wait $!
topo_down

#
# Established contexts
#

scale_wire "$SETS" || die "two hosts"
{ generous A && generous B; } || die "settings"
result=$(head -n 64 "$TOPO_DIR/pairs" | on A scale start 60) || die "contexts: $result"
{ on A shim6 context flush && on B shim6 context flush; } || die "flush"
stat_mark A B
before=$(used_memory)
check "$ESTABLISHED contexts are established" on A scale start 300 <"$TOPO_DIR/pairs"
is "  no faster than messages can be taken" \
	"$(stat_since A ControlQueueFull) $(stat_since B ControlQueueFull)" "0 0"
is "  and none is sent again" "$(stat_since A OutRetransmitted) $(stat_since B OutRetransmitted)" "0 0"
check "they become silent" wait_until 120 silent
check_memory "each of them keeps little" 60 few_octets "$before"
is "a dump shows failure detection of each" "$(shown_operational)" "$ESTABLISHED"
check_memory "  and leaves them as they are" 60 few_octets "$before"
topo_down

#
# A context that nobody has used for long
#

reap_hosts 1000 || die "two hosts with a context"
pause 120
is "an idle context is operational" "$(reap A) $(reap B)" "operational operational"
is "  at the ULIDs" "$(pair A)" "A1 B1"
topo_break A1 B1 both
check "a connection over a dead pair" \
	flow_start stream tcp -w 60 -s 5000 -i 10 A1 B1
check "  goes on over another one" flow_goes stream 50000 30
check "  where both ends are" wait_until 20 is_operational
tap_end
