#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Points of the module that fail for no reason of their own, one after the other
# (rust/kernel_ext/fault.rs): who asked gets an error or does not notice, nothing stays behind, and
# the next try works.

. "$(dirname "$0")/lib/tap.sh"
FAULTS_ARE=points
# All of them: they are few.
FAULTS_PART=1/1
. "$(dirname "$0")/lib/faults.sh"

readonly POINTS=$FAULTS/fail_shim6

# point NAME TIMES: that one fails so many times from now on.
point() {
	echo "$2" >"$POINTS/$1/times" && echo $(($2 > 0 ? 100 : 0)) >"$POINTS/$1/probability"
}

# point_came NAME: it has failed as often as it should.
point_came() {
	(($(<"$POINTS/$1/times") == 0))
}

# goes_on NAME TIMES WHAT COMMAND...: a case: what others ask for is done all the same.
goes_on() {
	local name=$1 times=$2 what=$3

	shift 3
	check "$what, though $name fails" goes_on_with "$name" "$times" "$@"
}

goes_on_with() {
	local name=$1 times=$2 status=0

	shift 2
	point "$name" "$times" || return
	"$@" || status=$?
	point_came "$name" || { echo "$name has not failed"; status=1; }
	point "$name" 0
	return "$status"
}

# What failed since the log was emptied.
failed_points() {
	dmesg | sed -n 's/.*name \([a-z]*\), interval.*/\1/p' | sort -u
}

meet() {
	forget && establish
}
# A context that came to nothing, and a packet that has no path, are tried again.
meet_at_last() {
	meet || meet || meet
}
pass_at_last() {
	topo_reaches A1 B1 || topo_reaches A1 B1
}
switch() {
	topo_switch_both A2 B2 && topo_switch_both A1 B1 && topo_switch_both A2 B2
}

faults_need
module_need
tap_begin
faults_up
at_exit load
unload || die "rmmod"
dmesg -C
leaks_forget
# No allocation is made by code that is there; points have no such range.
fault_setting require-start 1
fault_setting require-end 2
topo_up direct
survives "loading" unload --load "$MODULE"
check "it can be loaded" load
for host in A B; do timers $host 40 || die "timers"; done
survives "a namespace" nothing unshare --net true
survives_context
survives "an option of a socket" nothing "${as_a[@]}" python3 -c '
import socket
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s: s.setsockopt(140, 2, 1)'
identity A || die "identity of A"
identity B || die "identity of B"
goes_on options 1 "hosts meet at last" meet_at_last
goes_on options 2 "hosts meet at last" meet_at_last
goes_on insertion 1 "hosts meet at last" meet_at_last
goes_on send 1 "hosts meet" meet
goes_on send 4 "hosts meet" meet
spawn A shim6 monitor >/dev/null || die "no listener"
goes_on event 1 "hosts meet" meet
check "and switch" switch
goes_on route 1 "packets pass at last" pass_at_last
forget
unload || die "rmmod"
check "it can be loaded" load
topo_down
is "each point has failed" "$(comm -23 <(cd "$POINTS" && printf '%s\n' * | sort) <(failed_points))" ""
note "points: $(failed_points | tr '\n' ' ')"
faults_end
