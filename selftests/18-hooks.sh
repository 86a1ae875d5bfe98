#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Netfilter calls the module while something needs it, and not at all otherwise: the hooks of a
# namespace are there before its first context is, and go some time after the last one. Contexts
# that come and go under traffic lose nothing.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"

readonly ALL='forward output prerouting prerouting' PASSING='forward prerouting'

# hooks NODE: where netfilter calls the module in a namespace, as netfilter says.
hooks() {
	on "$1" nft list hooks ip6 2>/dev/null | awk '
		$1 == "hook" { place = $2 }
		/\[shim6\]/ { print place }' | sort | xargs
}

has() {
	[[ $(hooks "$1") == "$2" ]]
}

# appear NODE HOOKS: they are there at once. A setting is followed a moment later.
appear() {
	wait_until 2 has "$1" "$2"
}

# stay NODE: they are still there nearly a minute later.
stay() {
	pause 50
	has "$1" "$ALL"
}

# go NODE: within two minutes, as the module looks once a minute and waits for another one.
go() {
	local i

	for ((i = 0; i < 15; i++)); do
		! has "$1" '' || return 0
		pause 10
	done
	return 1
}

# deleted HOST: its static context.
deleted() {
	local tag=TAG_$1

	on "$1" shim6 context del --tag-local "${!tag}"
}

# reads: hooks can be read here at all.
reads() {
	on A nft add table ip6 probe &&
		on A nft 'add chain ip6 probe out { type filter hook output priority 7; }' &&
		on A nft list hooks ip6 | grep -q probe && on A nft delete table ip6 probe
}

# reason WHAT BEGIN END: what makes the hooks of A appear, and those that look at what passes
# elsewhere.
reason() {
	local what=$1

	$2 || die "$what: cannot begin"
	check "$what: A has all hooks" appear A "$ALL"
	is "  B has those for what passes" "$(hooks B)" "$PASSING"
	is "  and so has a router" "$(hooks core)" "$PASSING"
	ip netns add "$TOPO-late" || die "no namespace"
	is "  and one that comes later" "$(hooks late)" "$PASSING"
	ip netns del "$TOPO-late"
	# Longer than it takes until they go.
	pause 130
	is "  they stay while that lasts" "$(hooks A)" "$ALL"
	$3 || die "$what: cannot end"
	check "  and for a while longer" stay A
	check "  and go" go A
	is "  everywhere" "$(hooks B)$(hooks core)" ''
}

policy() {
	on A shim6 policy add 2001:db8:9::/48
}

no_policy() {
	on A shim6 policy del 2001:db8:9::/48
}

auto() {
	setting A establish auto
}

on_request() {
	setting A establish on-request
}

socket() {
	flow_start asks tcp -S -i 100 -s 100 A1 A1
}

no_socket() {
	flow_stop asks
}

context() {
	topo_context A
}

no_context() {
	deleted A
}

# comes_and_goes: a context of both, made and deleted, each time until the hooks are gone.
comes_and_goes() {
	topo_contexts && appear A "$ALL" && appear B "$ALL" && topo_switch_both A2 B2 &&
		flow_goes stream 3000 && topo_switch_both A1 B1 && flow_goes stream 3000 &&
		deleted A && deleted B && flow_goes stream 3000
}

# storm: contexts made and deleted as fast as that goes.
storm() {
	local i

	for ((i = 0; i < 50; i++)); do
		topo_contexts && deleted A && deleted B || return
	done
	flow_goes stream 3000
}

tap_begin
dmesg_mark
topo_up
serve A
serve B
check "hooks can be read" reads
is "nothing to do: A has no hooks" "$(hooks A)" ''
is "nor has a router" "$(hooks core)" ''
reason "a policy" policy no_policy
reason "a setting" auto on_request
reason "a context" context no_context
reason "a socket" socket no_socket

# A namespace that goes while it needs them.
ip netns add "$TOPO-late" || die "no namespace"
on late shim6 policy add 2001:db8:9::/48 || die "no policy"
check "a namespace with a policy: a router has those for what passes" appear core "$PASSING"
ip netns del "$TOPO-late"
check "  until it goes" wait_until 10 has core ''

# What peers begin.
identity A || die "identity"
identity B || die "identity"
is "who could answer has no hooks" "$(hooks B)" ''
flow_start stream tcp -i 100 -s 1000 A1 B1 || die "no connection"
check "B is asked for a context" establish
is "  and has all hooks" "$(hooks B)" "$ALL"
check "  traffic goes on" flow_goes stream 3000
on A shim6 context flush && on B shim6 context flush
check "  all hooks go" go B

# Contexts come and go.
for i in 1 2; do
	check "come and go, round $i" comes_and_goes
	check "  hooks go while packets go" go A
	check "  on both ends" go B
	check "  and packets go on" flow_goes stream 3000
done
check "a storm of contexts" storm
check_flow "everything came back" stream
check "the kernel's log is clean" dmesg_clean
tap_end
