#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A second pair of locators is kept confirmed, and takes over without exploration
# when the one in use fails. A context that nobody uses needs none.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/reap.sh"

# S38. A is the one who notices.
tap_begin
dmesg_mark
reap_up || die "hosts"
setting B send_timeout 15000
setting A standby_interval 1000
setting A hot_standby on
topo_switch A A1 B1
# stands_by HOST LOCAL
stands_by() {
	[[ $(shows "$1" .failure_detection.standby_local) == "$2" ]]
}
check "S38: A has a hot standby" wait_until 20 stands_by A "$A2"

# Each asks the other, and what one asks is no reason for the other to ask.
setting B standby_interval 1000
setting B hot_standby on
check "B has one, too" wait_until 20 stands_by B "$B2"
stat_mark A B
pause 4
for host in A B; do
	asked=$(stat_since $host OutUpdateRequest)
	holds "$host asks once a second: $asked times in 4 s or a little more" "$asked >= 2 && $asked <= 12"
done
setting B hot_standby off
stat_mark A
topo_kill B1
survives "the pair in use dies"
is "the standby took over" "$(stat_since A SwitchedStandby)" 1
check_flow "the stream is whole" stream

# A context that nobody uses keeps no state machine, neither with a hot standby nor with a pair that
# somebody chose.
readonly MACHINES=/sys/kernel/slab/shim6_reap
# kept N: so many are kept on both hosts together.
kept() {
	echo 1 >"$MACHINES/shrink"
	[[ $(awk '{ print $1 }' "$MACHINES/objects") == "$1" ]]
}
# use: something goes to and fro.
use() {
	once tcp -n 1000 A1 B1 >/dev/null
}
for host in A B; do on $host shim6 context flush; done
topo_heal
{ use && establish; } || die "no context again"
check "a context in use keeps its state machine, at each end" eval 'use && kept 2'
check "and has a hot standby" wait_until 20 stands_by A "$A2"
check "when nobody uses it, it keeps neither" wait_until 60 kept 0
is "it is operational, without a standby" "$(reap A) $(shows A .failure_detection.standby_local)" \
	"operational null"
check "when it is used again" use
check "  it has a standby again" wait_until 20 stands_by A "$A2"
setting A hot_standby off
setting A failback_hold 1000
check "an administrator chooses a pair" eval 'topo_switch A A2 B2 && use'
check "when nobody uses the context, it keeps none" wait_until 60 kept 0
flow_start later tcp -w 60 -s 5000 -i 10 A1 B1 || die "no stream"
topo_break A2 B2 both
check "when it is used again, and the pair dies" flow_goes later 50000 30
check_not "  it uses another one" uses A "A2 B2"
topo_heal
check "  and goes back to the one that was chosen" wait_until 30 uses A "A2 B2"
check_flow "the stream is whole" later
check "the kernel's log is clean" dmesg_clean
tap_end
