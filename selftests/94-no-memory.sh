#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every allocation of the module fails once: while it is loaded, when namespaces,
# contexts, identities and policies are made, and while messages are handled. Each time
# there is a clean error, nothing stays behind, and the next try works. With FAULTS_PART=I/N it is
# the first one, and every Nth from the Ith on.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/faults.sh"

# What `survives` made goes by one of these.
drop_identity() {
	on A shim6 identity del hostA
}
drop_policy() {
	on A shim6 policy del 2001:db8:b::/48
}

both_established() {
	[[ $(state A) == ESTABLISHED && $(state B) == ESTABLISHED ]]
}

# handshake: with a failure on the way it may take another attempt.
handshake() {
	start A
	wait_until 20 both_established && return
	echo 0 >"$FAULTS/failslab/probability"
	forget && establish
}

# An address of A goes and comes, and B is told.
told() {
	[[ $(shows B '.locator_peer | length') == "$1" ]]
}
update() {
	ip -6 -n "$(topo_ns A)" address del "$A2/64" dev up2 && wait_until 60 told 1
	on A ip -6 -batch - <<<"$(topo_uplink A 2)" && wait_until 60 told 2
}

# failing_once BEFORE COMMAND: the command with the Nth allocation of anybody failing, for all N
# that it comes to; the number is FAULTS_COUNT.
failing_once() {
	local nth

	for ((nth = 1; nth < 2000; nth = $(fault_next "$nth"))); do
		$1 || { echo "allocation $nth: $1 fails"; return 1; }
		fault_at "$nth"
		$2 || { fault_over; echo "allocation $nth: $2 fails"; return 1; }
		fault_over || break
		FAULTS_COUNT=$((FAULTS_COUNT + 1))
	done
}

# endures WHAT BEFORE COMMAND
endures() {
	FAULTS_COUNT=0
	if failing_once "${@:2}" >"$TOPO_DIR/endures" 2>&1 && ((FAULTS_COUNT > 0)); then
		pass "$1: $FAULTS_EACH failed once"
		note "$FAULTS_COUNT allocations"
	else
		fail "$1: $FAULTS_EACH failed once" "$(<"$TOPO_DIR/endures") after $FAULTS_COUNT"
	fi
}

faults_need
tap_begin
faults_up
at_exit load
topo_up direct
# Nobody uses the context while one allocation after the other fails.
for host in A B; do
	{ timers $host 40 && setting $host idle_timeout 300000; } || die "timers"
done
leaks_forget
dmesg -C

faults_of_module
survives "a namespace" nothing unshare --net true
survives_context
(umask 077 && pem "${PDS[A]}" >"$TOPO_DIR/identity-A")
survives "an identity" drop_identity "${as_a[@]}" shim6 identity add hostA "$TOPO_DIR/identity-A"
survives "a policy" drop_policy "${as_a[@]}" shim6 policy add 2001:db8:b::/48

meet() {
	identity A && identity B && establish
}
check "two hosts with identities" meet
tag=$(shows A .tag_local)
survives "settings of a context" nothing "${as_a[@]}" shim6 context set --tag-local "$tag" \
	--send-timeout 9000 --hot-standby on
survives "another pair of a context" nothing "${as_a[@]}" shim6 context set --tag-local "$tag" \
	--current-local "$A2" --current-peer "$B2"
survives "the list of contexts" nothing "${as_a[@]}" shim6 context show
check "the contexts have survived" topo_reaches A1 B1
endures "an update of the locators" both_established update
endures "a handshake" forget handshake
check "the context is good" both_established
check "traffic passes" topo_reaches A1 B1

forget
unload || die "rmmod"
survives "loading, with $(ip netns list | wc -l) namespaces" unload --load "$MODULE"
check "it can be loaded" load
check "hosts meet as if nothing had been" meet
forget
topo_down
faults_end
