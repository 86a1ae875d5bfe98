#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Paths die in the core; who moves away in time goes on. Static contexts do not
# notice by themselves, so the test plays the part of REAP.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

tap_begin
topo_up ingress
topo_contexts || die "contexts"
serve B
flow_start stream tcp -s 65536 -i 10 A1 B1 || die "no stream"

survives() {
	topo_switch A "$1" "$2" && topo_switch B "$4" "$3" && flow_goes stream 1000000 30
}

dropping() {
	(($(topo_dropped) > 0))
}

topo_kill A1 B1
check "provider 1 of both hosts is dead" wait_until 5 dropping
check "the stream goes on over provider 2" survives A2 B2 A2 B2
topo_heal

for pair in "A1 B2" "A2 B1" "A1 B1" "A2 B2"; do
	read -r a b <<<"$pair"
	topo_only "$a" "$b"
	topo_only "$b" "$a"
	check "only $a and $b reach each other" survives "$a" "$b" "$a" "$b"
	topo_heal
done

topo_only A1 B2
topo_only B1 A2
check "only A1 to B2 and B1 to A2 work: each direction on its own pair" \
	survives A1 B2 A2 B1
topo_heal

check_flow "the stream is whole" stream
check "no checksum error on either host" no_csum_errors
tap_end
