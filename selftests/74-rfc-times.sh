#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A failure with the times of RFC 5534: the Send Timeout of 15 seconds, and Probes
# half a second apart.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/reap.sh"

tap_begin
dmesg_mark
reap_hosts rfc || die "hosts"
{ flow_start stream tcp -w 60 -s 5000 -i 10 A1 B1 && flow_goes stream 100000; } || die "no stream"
began=$(now_ms)
topo_kill A1
check "S20, RFC 5534's times: the stream goes on" flow_goes stream 20000 60
took=$(($(now_ms) - began))
holds "after $took ms: the Send Timeout of 15 s and the first probes" "$took >= 14000 && $took <= 25000"
check_flow "the stream is whole" stream
check "the kernel's log is clean" dmesg_clean
tap_end
