#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Golden packets, each changed in some ways and sent as fast as can be: COUNT of them
# (default: 20000), made from SEED (1). Host B, with a static context, contexts of its own and an
# identity, gets through that, keeps its bounds, and is what it was before.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/peer.sh"

readonly COUNT=${COUNT:-20000} SEED=${SEED:-1}

# mutants N SEED: half of them, to an uplink.
mutants() {
	on A mutate "up$1" "$(mac B "$1")" "$2" $((COUNT / 2)) <"$TOPO_DIR/golden"
}

# steady: what does not change without an administrator or a proof.
steady() {
	on B shim6 context show --json |
		jq -c 'map({ulid_local, ulid_peer, fii, state, tag_local, tag_peer,
			local: [.locator_local[].address], peer: [.locator_peer[].address]}) | sort'
}

# Mutants may well be good Redirects or Neighbour Advertisements, and B's stack has to believe those.
forget_neighbours() {
	ip -6 -n "$(topo_ns B)" neigh flush all && ip -6 -n "$(topo_ns B)" route flush cache
}

meet() {
	start A A2 B2 && wait_until 10 in_state A ESTABLISHED A2 B2 &&
		wait_until 10 in_state B ESTABLISHED B2 A2
}

need python3
tap_begin
dmesg_mark
topo_up direct
python3 -B "$SELFTESTS/peer/golden.py" >"$TOPO_DIR/golden" || die "no packets to begin with"
identity A || die "identity of A"
identity B || die "identity of B"
for name in answer_rate r1_rate answer_rate_peer; do setting B $name 1000000; done
topo_contexts || die "static contexts"
meet || die "no context"
before=$(steady)
stat_mark B
check "$((COUNT / 2)) packets to the second link" mutants 2 "$SEED"
check "$((COUNT / 2)) packets to the first link" mutants 1 $((SEED + 1))
note "control messages $(stat_since B InControl), translated $(stat_since B InTranslated)," \
	"late $(stat_since B InTranslatedLate), unknown tags $(stat_since B InUnknownTag)," \
	"errors translated $(stat_since B InIcmpTranslated)"
note "$(stat_drops B | tr '\n' ' ')"
holds "they got as far as the parsers" \
	"($(stat_since B InControl) > $COUNT / 100) * ($(stat_since B Drop_option_malformed) > 0)"
holds "some were good: payload and errors" \
	"($(stat_since B InTranslated) > $COUNT / 100) * ($(stat_since B InIcmpTranslated) > $COUNT / 100)"
holds "and questions" "($(stat_since B OutR1) > 0) * ($(stat_since B OutR1bis) > 0)"
is "nothing was kept for those who proved nothing" "$(steady)" "$before"
forget_neighbours
check "B talks to A" topo_reaches A1 B1
topo_switch_both A2 B2
check "by other locators as well" topo_reaches A1 B1
on A shim6 context flush && on B shim6 context flush
check "and makes a new context" meet
check "the kernel's log is clean" dmesg_clean
tap_end
