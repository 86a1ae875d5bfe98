#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The example for bpftrace(8), as packaged, follows two hosts whose path fails. Run by
# qemu/packages in a Debian system with the packages installed.

. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/establish.sh"

readonly PATIENCE=120

# The system has no xxd.
xxd() {
	perl -e 'print pack("H*", <STDIN> =~ s/\n//r)'
}

# shown HOST WORD: whether the host has a context of which this is said.
shown() {
	on "$1" shim6 context show | grep -q -- "$2"
}

# heard WORD: the script has printed it.
heard() {
	grep -qE -- "$1" "$TOPO_DIR/heard"
}

diag_dump() {
	((TAP_FAILED <= 1)) || return 0
	cat "$TOPO_DIR/heard" "$TOPO_DIR/errors"
	on A shim6 context show
}

tap_begin
dmesg_mark
topo_up
for host in A B; do
	identity $host || die "identity of $host"
	setting $host send_timeout 1000
done
bpftrace /opt/shim6/bin/shim6.bt >"$TOPO_DIR/heard" 2>"$TOPO_DIR/errors" &
tracer=$!
at_exit stop $tracer
check "bpftrace takes the script" wait_until $PATIENCE heard '^TIME'
start A || die "no context"
wait_until 20 shown A 'state ESTABLISHED' || die "it is not established"
# The script has a hook a moment after its first line.
spawn A ping -q -i 0.2 -I "$A1" "$B1" >/dev/null
topo_kill A1
check "a path that fails is told" wait_until 30 heard ' exploring$'
check "another one is found" wait_until 60 heard "$A1,$B1 -> $A2,$B2"
check "and how long that took" wait_until 30 heard 'operational after [0-9]+ ms$'
on A shim6 context flush
wait_until 10 shown B 'state' || die "the peer's context"
on B bash -c 'echo x >/dev/udp/'"$A1/9" 2>/dev/null
check "it is still there" kill -INT $tracer
check "it ends by a signal" wait_until 30 gone $tracer
check "and says how many Probes went over which pair" heard "^@probes_sent\[$A2, $B2\]: [0-9]+"
check "and came" heard "^@probes_received\[$A2, $B2\]: [0-9]+"
check "and how long failures took" heard '^@failure_ms:'
check "and what was dropped" heard '^@dropped\[InUnknownTag\]: [0-9]+'
check "the kernel has nothing to say" dmesg_clean
tap_end
