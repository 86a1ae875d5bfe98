#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Sockets that ask for a hot standby before they have a context get it with the context,
# and those that are accepted get what their listener asked for
# (draft-ietf-shim6-multihome-shim-api-03, Section 5.3; choice A-14). #n is the number in
# the checklist of the draft.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/sockets.sh"

# standby_of HOST: whether the default context keeps one.
standby_of() {
	shows "$1" .failure_detection.hot_standby
}

# fork_standby HOST SOCKET
fork_standby() {
	fork_of "$1" "$2" .failure_detection.hot_standby
}

# kept HOST SOCKET: whether the socket's fork keeps one, or the default if it has none.
kept() {
	local fork

	fork=$(fork_standby "$1" "$2")
	echo "${fork:-$(standby_of "$1")}"
}

# spare: A has confirmed one.
spare() {
	[[ -n $(shows A '.failure_detection.standby_local // empty') ]]
}

# no_owners: no fork of A is a socket's.
no_owners() {
	[[ -z $(forks A 'select(.owner_inode != null) | .fii') ]]
}

tap_begin
dmesg_mark
sockets_up || die "hosts"
ask B listen 0 "$B1" 7000 >/dev/null || die "no listener"

connected 1
check "#35: without a context it is no error" ask A standby 1 1
is "#35: and stored" "$(ask A stands 1)" 1
check "a listener wants one, too" ask B standby 0 1
connected 2
is "who is accepted then wants it" "$(ask B stands 2) $(ask B stands 1)" "1 0"
check "who does not want it any more" ask A standby 1 0
ask A close 1
ask B close 1
check "a socket that says nothing until it has a context" ask A standby 2 1

# Nothing but the exchange is on the wire, so it is the context that makes this happen.
establish || die "no context"
check "#35: the context appears, and with it the standby" wait_until 10 says true standby_of A
check "and that of the accepted socket" wait_until 10 says true standby_of B
is "in place: nobody else uses the contexts" "$(forks A .fii) $(forks B .fii)" " "
check "it talks" talk 2 2
check "A has a confirmed spare" wait_until 20 spare

# The context is there before the socket is.
connected 3
check "another connection: A's first one gets a fork" wait_until 20 says true fork_standby A 2
check "while the default has none any more" wait_until 10 says false standby_of A
check "an accepted socket has it" wait_until 20 says true kept B 2
check "and the other" wait_until 20 says true kept B 3
check "they talk" talk 2 2
check "they talk" talk 3 3
check "an accepted socket wants none" ask B standby 3 0
is "so its context keeps none, and the other's does" "$(kept B 2) $(kept B 3)" "true false"

# Datagrams
ask B open 10 udp "$B1" 7001 || die "no socket"
ask A open 4 udp "$A1" 7001 || die "no socket"
check "UDP: a socket without a peer wants one" ask A standby 4 1
check "UDP: and gets a peer" ask A join 4 "$B1" 7001
check "UDP: it sends" ask A send 4 100
check "UDP: and gets it" wait_until 20 says true kept A 4
check "UDP: it wants none" ask A standby 4 0
is "UDP: and has none" "$(ask A stands 4) $(kept A 4)" "0 false"

for n in 2 3 4; do ask A close $n; done
for n in 0 2 3 10; do ask B close $n; done
check "all closed, all forks of A's sockets are gone" wait_until 20 no_owners
for host in A B; do stop "${SOCKETS_PID[$host]}"; done
check "the module has no users" wait_until 10 says 0 cat /sys/module/shim6/refcnt
check "the kernel has nothing to complain about" dmesg_clean
tap_end
