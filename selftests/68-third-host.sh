#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A host that lost its state gives a tag that A still sends with to C (RFC 5533,
# Sections 7.15 and 12.3): what A sends is not mistaken for C's, and the next control
# message of A clears it up.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"

# tag HOST: the tag that B has given to the host.
tag() {
	shows "$1" .tag_peer
}

# again: C has another tag of B.
again() {
	on B shim6 context flush && on C shim6 context flush && start C && comes_to C ESTABLISHED
}

has_new_tag() {
	[[ $(state A) == ESTABLISHED && $(tag A) != "$old" ]]
}

mistaken() {
	(($(mib B TcpInCsumErrors) > errors))
}

tap_begin
topo_up t4
dmesg_mark
for host in A B C; do
	{ identity $host && timers $host 20 && setting $host idle_timeout 300000; } || die "host $host"
	# What hosts without a wire between them do not compute, they cannot check.
	for i in 1 2; do on $host ethtool -K "up$i" tx off >/dev/null || die "ethtool"; done
done
# Sixteen tags.
setting B tag_bits 4 || die "setting"
# Failure detection would find out what happens here, as it should.
setting A send_timeout 600000 || die "setting"
serve B
check "A and B have a context" establish
flow_start stream tcp -w 120 -s 5000 -i 10 A1 B1 || die "no stream"
check "A's stream goes over the other pair" \
	eval 'topo_switch_both A2 B2 && flow_goes stream 100000'
old=$(tag A)

# B reboots, unseen by A, and gives A's tag to C.
topo_kill A1 A2
tries=0
while [[ $(tag C) != "$old" ]] && ((++tries < 300)) && again; do :; done
is "after $tries tries B has given A's tag to C" "$(tag C)" "$old"
is "A knows nothing of it" "$(state A) $(tag A)" "ESTABLISHED $old"
flow_start other tcp -s 5000 -i 10 C1 B1 || die "no stream"
on C shim6 context set --ulid-local "$C1" --ulid-peer "$B1" --current-local "$C2" --current-peer "$B2" ||
	die "switch of C"
check "C's stream goes over the other pair, too" flow_goes other 100000

stat_mark A B
errors=$(mib B TcpInCsumErrors)
topo_heal
check "S65: B takes what A sends for C's, but for its checksum" wait_until 20 mistaken
is "no R1bis is sent for that" "$(stat_since B OutR1bis)" 0
is "A still thinks that all is well" "$(state A) $(tag A)" "ESTABLISHED $old"
check "C's stream goes on" flow_goes other 100000

check "A has something to say" on A shim6 context set --ulid-local "$A1" --ulid-peer "$B1" \
	--locator-local "$A2,priority=7"
check "B does not know A by this tag: A has another one soon" wait_until 10 has_new_tag
holds "by R1bis" "$(stat_since A InR1bis) > 0"
is "C keeps its tag" "$(tag C)" "$old"
is "B has two contexts" "$(stat_get B Contexts)" 2
check "A's stream goes on" flow_goes stream 100000 60
check "so does C's" flow_goes other 100000
check_flow "A's stream is whole" stream
check_flow "C's stream is whole" other
check "the kernel's log is clean" dmesg_clean
tap_end
