#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# 50 times: load, translate traffic of sockets that stay open, unload in the
# middle of it. The connections survive, the log stays clean, memory comes back.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"
. "$(dirname "$0")/lib/module.sh"

readonly CYCLES=${CYCLES:-50}
# The first cycles fill caches.
readonly FIRST=$((CYCLES < 10 ? CYCLES / 2 : 5))

# memory FIELD: of /proc/meminfo, in kB.
memory() {
	awk -v field="$1:" '$1 == field { print $2 }' /proc/meminfo
}

cycle() {
	insmod "$MODULE" &&
		on A shim6 context add "${CONTEXT_A[@]}" &&
		on B shim6 context add "${CONTEXT_B[@]}" &&
		flow_goes stream 50000 60 && flow_goes datagrams 2 60 &&
		[[ $(stat_get A OutTranslated) != 0 ]] &&
		rmmod shim6
}

module_need
tap_begin
at_exit load
dmesg_mark
topo_up direct
serve B
# What topo_context would work out anew in every cycle.
topo_context_options A
CONTEXT_A=("${TOPO_CONTEXT[@]}" --current-local "$A2" --current-peer "$B2")
topo_context_options B
CONTEXT_B=("${TOPO_CONTEXT[@]}" --current-local "$B2" --current-peer "$A2")
flow_start stream tcp -s 5000 -i 10 -w 60 A1 B1 || die "no stream"
flow_start datagrams udp -l -s 3000 -i 20 A1 B1 || die "no datagrams"
! loaded || rmmod shim6 || die "rmmod"

for ((done = 0; done < CYCLES; done++)); do
	((done == FIRST)) && percpu=$(memory Percpu) slab=$(memory SUnreclaim)
	cycle >"$TOPO_DIR/cycle" 2>&1 || { note "$(<"$TOPO_DIR/cycle")"; break; }
done
is "$CYCLES cycles of load, traffic, unload" $done "$CYCLES"
check_flow "TCP is whole after all that" stream
check_flow "UDP is whole" datagrams
percpu=$(($(memory Percpu) - percpu)) slab=$(($(memory SUnreclaim) - slab))
note "since cycle $FIRST: per-CPU memory $percpu kB, slab $slab kB"
# One page of counters lost each time would make 45 * 8 kB for two CPUs in 50 cycles; fewer show
# only more.
holds "per-CPU memory came back" "$percpu < 200"
holds "slab memory came back" "$slab < 4000"
check "load for those that come after" insmod "$MODULE"
check "the kernel's log is clean" dmesg_clean
tap_end
