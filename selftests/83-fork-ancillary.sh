#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Ancillary data of datagrams that come and go by a fork is about the fork, also where the
# host remembers it for a socket without a peer
# (draft-ietf-shim6-multihome-shim-api-03, Sections 6 and 9, Appendix A).

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/sockets.sh"

# heard HOST SOCKET: a datagram and the locators that it came over, as names.
heard() {
	names "$(ask "$1" hear "$2")"
}

# forbidden COMMAND...: EINVALIDLOCATOR.
forbidden() {
	local answer

	answer=$(ask "$@") && { echo "it is allowed"; return 1; }
	[[ $answer == *"error 2240" ]] || { echo "$answer"; return 1; }
}

# lists HOST WORDS: the peer's locators of its only fork.
lists() {
	[[ $(names "$(forks "$1" '[.locator_peer[].address] | sort | join(" ")')") == "$2" ]]
}

tap_begin
dmesg_mark
sockets_up || die "hosts"
establish || die "no context"
ask B open 10 udp "$B1" 7001 || die "no socket"
check "a socket of B wants to know locators" ask B locators 10
for n in 5 6; do
	connection $n udp 7001 || die "no socket"
done

# The fork's list of A's locators is shorter than that of the default.
check "a socket of A tells its peer of A1 only" ask A list 6 "$A1"
check "so it gets a fork" wait_until 10 has_forks A 1
check "and the peer has that list" wait_until 10 lists B A1
check "it comes from B2 on B" ask A prefer 6 peer "$B2"
# Both ends have to confirm it, which takes traffic.
spoken() {
	ask A send 6 100 && ask B hear 10 >/dev/null && ask B reply 10 100 && takes A 6 100 &&
		[[ $(names "$(ask A used 6 peer)") == B2 ]]
}
check "which is in use" wait_until 10 spoken
# What is in use needs no proof that it is reachable.
check "B's default goes to A2" topo_switch B B1 A2
ask A send 6 100
is "RECV: a datagram by the fork came to B2 from A1" "$(heard B 10)" "100 B2 A1"
check "SEND: the answer may not go to A2, which the fork has not" forbidden B answer 10 peer "$A2" 100
check "SEND: but from B2" ask B answer 10 local "$B2" 100
check "SEND: it arrives" takes A 6 100

ask A send 5 100
is "RECV: one by the default came to B1 from A1" "$(heard B 10)" "100 B1 A1"
check "SEND: the answer may go to A2, which the default has" ask B answer 10 peer "$A2" 100
check "SEND: it arrives" takes A 5 100
check "SEND: A's fork has no A2 either" forbidden A through 6 local "$A2" 100
check "SEND: A's default has" ask A through 5 local "$A2" 100
is "RECV: it came from A2" "$(heard B 10)" "100 B1 A2"

for host in A B; do stop "${SOCKETS_PID[$host]}"; done
check "the module has no users" wait_until 10 says 0 cat /sys/module/shim6/refcnt
check "the kernel has nothing to complain about" dmesg_clean
tap_end
