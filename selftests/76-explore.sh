#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Explorations: the messages of RFC 5534's example, an outage that is longer than all
# Probes that are sent at first, providers that drop what is not theirs, and Probes
# that prove nothing.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/reap.sh"

need python3

# probes NAME: SOURCE DESTINATION STATE of the Probes of a capture.
probes() {
	messages "$1" | awk '$4 == "Probe" {
		# Sta is the two first bits of octet 13.
		state = substr($6, 27, 1)
		sub(/^[0-3]$/, "operational", state)
		sub(/^[4-7]$/, "exploring", state)
		sub(/^[89ab]$/, "inbound-ok", state)
		print $2, $3, state
	}' | sed "s/$A1/A1/g; s/$A2/A2/g; s/$B1/B1/g; s/$B2/B2/g"
}

tap_begin
dmesg_mark

# S22: B notices first, and B1 is what died.
reap_hosts 1000 ingress || die "hosts"
# Who sends last is who notices, and that is to be B.
{ serve A && flow_start down tcp -w 60 -s 5000 -i 10 B1 A1; } || die "no stream from B"
setting A send_timeout 60000
ip -6 -n "$(topo_ns A)" address del "$A2/64" dev up2
has_one() {
	[[ $(shows B '.locator_peer | length') == 1 ]]
}
check "A has one address, and B knows" wait_until 20 has_one
reap_capture s22 A up1 || die "no capture"
topo_kill B1
check "S22: B1 dies: what B sends goes on" flow_goes down 50000
check "both ends are operational" wait_until 20 is_operational
topo_capture_stop
is "A and B use B2" "$(pair A), $(pair B)" "A1 B2, B2 A1"
probes s22 | comment
is "B explores, A hears it, B has the answer" "$(probes s22 | head -n 3)" \
	"B2 A1 exploring"$'\n'"A1 B2 inbound-ok"$'\n'"B2 A1 operational"

# S27: the providers drop what is not theirs, and only A2 B2 works besides.
ip -6 -n "$(topo_ns A)" address add "$A2/64" dev up2 nodad
has_two() {
	[[ $(shows B '.locator_peer | length') == 2 ]]
}
topo_heal
check "A has two addresses again" wait_until 20 has_two
check_flow "B's stream is whole" down
flow_start stream tcp -w 60 -s 5000 -i 10 A1 B1 || die "no stream"
setting A send_timeout 1000
back
topo_only A2 B2
topo_only B2 A2
survives "S27: behind providers that filter, only A2 B2 works"
is "A and B use it" "$(pair A), $(pair B)" "A2 B2, B2 A2"
back

# S61
on B shim6 context flush
stat_mark A B
topo_kill A1
survives "S61: B has lost its context, and then the pair dies"
holds "B said so with R1bis when it was probed" "$(stat_since A InR1bis) >= 1"
check_flow "the stream is whole" stream

# S24, scaled: at most two seconds between Probes.
back_() {
	topo_heal && wait_until 30 is_operational && topo_switch_both A1 B1
}
check "both are back" back_
for host in A B; do
	setting $host probe_timeout 100
	setting $host max_probe_timeout 2000
done
{ flow_start stream tcp -w 120 -s 5000 -i 10 A1 B1 && flow_goes stream 50000; } || die "no stream"
stat_mark A
reap_capture s24 A up1 || die "no capture"
topo_kill A1 A2
check "S24: nothing works: A goes through all pairs three times" wait_until 60 counted A ProbeRounds 3
probed=$(stat_since A OutProbe)
slow() {
	counted A OutProbe $((probed + 4))
}
began=$(now_ms)
check "Probes go on" wait_until 30 slow
took=$(($(now_ms) - began))
holds "and are 2 s apart: four in $took ms" "$took >= 4500"
topo_heal
since=$(now_ms)
check "the stream goes on when it works again" flow_goes stream 50000 20
note "after $(($(now_ms) - since)) ms"
topo_capture_stop
check_flow "the stream is whole" stream
check "tshark finds all checksums right" tshark_checksums s22 s24
check "the kernel's log is clean" dmesg_clean
tap_end
