#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Full tables and queues: contexts that are there go on, others are refused and counted,
# and when there is room again they come without help. 62-flood.sh has the queue of
# messages, 81-fork-faults.sh forks, 94-no-memory.sh the lack of memory.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"

# Requests that can wait for the worker.
readonly WAITING=64
readonly MANY=400

# goes WHAT: the stream does, by its context.
goes() {
	local before

	before=$(stat_get A OutTranslated)
	check "$1: the stream over a context that was there goes on" flow_goes stream 200000
	holds "  by its context" "$(stat_get A OutTranslated) > $before + 10"
}

second() {
	[[ $(state "$1" "${1}2" "$2") == ESTABLISHED ]]
}

# burst: a datagram to each of many hosts that there are not, at once, with a priority that
# lets nobody take a request meanwhile.
burst() {
	on A chrt -f 1 python3 - "$A1" "$MANY" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
		s.bind((sys.argv[1], 0))
		for i in range(int(sys.argv[2])):
		    try:
		        s.sendto(b"x", ("2001:db8:e::%x" % (i + 1), 9))
		    except OSError:
		        pass
	END
}

tap_begin
dmesg_mark
topo_up
for host in A B; do
	{ identity $host && timers $host 20; } || die "host $host"
	setting $host idle_timeout 300000
done
serve B
establish || die "no context"
topo_switch_both A2 B2 || die "switch"
flow_start stream tcp -w 60 -s 5000 -i 10 A1 B1 || die "no stream"

# Who is asked has no room.
setting B max_contexts 1
stat_mark A B
start A A2 B2
check "B has no room for another context: it refuses, and counts" wait_until 20 counted B ContextTableFull 1
is "  and keeps nothing" "$(stat_get B Contexts)" 1
check_not "  A has none either" second A B2
goes "B is full"
setting B max_contexts 65536
check "when B has room the context comes without another word" wait_until 60 second A B2
check "  at both" wait_until 10 second B A2
on A shim6 context del --ulid-local "$A2" --ulid-peer "$B2"
on B shim6 context del --ulid-local "$B2" --ulid-peer "$A2"

# Who asks has no room.
setting A max_contexts 1
stat_mark A
on A shim6 policy add "$B2/128"
# B's echo server knows nothing of contexts.
flow_start other tcp -w 60 -s 5000 -i 10 A2 B2 || die "no connection"
check "A has no room for a context that its policy wants: it counts" wait_until 20 counted A ContextTableFull 1
is "  and has none" "$(state A A2 B2)" IDLE
check "  its connection does without" flow_goes other 100000
goes "A is full"
setting A max_contexts 65536
check "when A has room the context comes" wait_until 30 second A B2
check_flow "the connection has not noticed" other
on A shim6 policy del "$B2/128"

# More requests at once than can wait.
on A shim6 policy add 2001:db8:e::/48
stat_mark A
check "datagrams to $MANY hosts at once" burst
check "  more than $WAITING requests: the rest is counted" counted A RequestQueueFull 1
holds "  none is counted twice or forgotten" \
	"$(stat_since A RequestQueueFull) + $(stat_since A ContextAdded) >= $MANY - $WAITING"
goes "the queue was full"
on A shim6 policy del 2001:db8:e::/48
on A shim6 context del --ulid-local "$A2" --ulid-peer "$B2"
on B shim6 context del --ulid-local "$B2" --ulid-peer "$A2"
start A A2 B2
check "a request that comes later is heard" wait_until 20 second A B2
check "those for nobody end by themselves" wait_until 60 counted A EstablishmentFailed 1
check_flow "the stream is whole" stream
check "the kernel's log is clean" dmesg_clean
tap_end
