#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a socket wants outlives its context: it has it again when a context is established
# anew, in that one or in a fork of its own
# (draft-ietf-shim6-multihome-shim-api-03, Section 9; choices A-32 and A-33).

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/sockets.sh"

# anew: both hosts forget all contexts, and make one again.
anew() {
	local host

	for host in A B; do
		on "$host" shim6 context flush || return
	done
	in_state A IDLE && [[ -z $(forks A .fii) ]] && establish
}

# timeout_of_default, timeout_of_fork SOCKET: the Send Timeout on A.
timeout_of_default() {
	shows A .failure_detection.send_timeout_ms
}

timeout_of_fork() {
	fork_of A "$1" .failure_detection.send_timeout_ms
}

tap_begin
dmesg_mark
sockets_up || die "hosts"
establish || die "no context"
ask B listen 0 "$B1" 7000 >/dev/null || die "no listener"
usual=$(timeout_of_default)

connected 1
check "a socket has a Send Timeout of its own" ask A timeout 1 20
check "it prefers A2" ask A prefer 1 local "$A2"
is "in place" "$(timeout_of_default) $(default_pair A)" "20000 A2 B1"
check "the context is made anew" anew
check "the timeout is there again" wait_until 10 says 20000 timeout_of_default
is "and the pair, in place" "$(default_pair A) $(forks A .fii)" "A2 B1 "
is "as the socket is told" "$(used A 1)" "A2 B1"
check "it talks" talk 1 1

# Of two sockets one is served by a fork, which goes with all contexts.
connected 2
check "another connection: the first one gets a fork" wait_until 10 has_forks A 1
is "and the default has its own again" "$(timeout_of_default) $(default_pair A)" "$usual A1 B1"
check "contexts are made anew" anew
check "the socket gets a fork again" wait_until 10 has_forks A 1
check "with its timeout" wait_until 10 says 20000 timeout_of_fork 1
is "and its pair" "$(fork_pair A 1), $(default_pair A)" "A2 B1, A1 B1"
is "which the default has not" "$(timeout_of_default)" "$usual"
check "both talk" talk 1 1
check "both talk" talk 2 2

# The other socket goes, and with it the need for a fork.
ask A close 2
ask B close 2
check "contexts are made anew" anew
check "the default serves the only socket" wait_until 10 says 20000 timeout_of_default
is "in place" "$(default_pair A) $(forks A .fii)" "A2 B1 "
check "the socket is closed" ask A close 1
check "and the default is as it was" wait_until 10 says "$usual" timeout_of_default
is "with its own pair" "$(default_pair A)" "A1 B1"

for host in A B; do stop "${SOCKETS_PID[$host]}"; done
check "the module has no users" wait_until 10 says 0 cat /sys/module/shim6/refcnt
check "the kernel has nothing to complain about" dmesg_clean
tap_end
