#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Content and checksums survive every combination of the offloads that devices
# can have: super-packets and unfinished checksums in, segments out, merged or
# not on the other side.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

# both OPTION...: ethtool -K on both ends of the second link.
both() {
	local host

	for host in A B; do
		on $host ethtool -K up2 "$@" >/dev/null || return
	done
}

content() {
	once tcp -n 3000000 -s 65536 A1 B1 && once udp -n 5 -s 3000 -i 1 A1 B1 && no_csum_errors
}

tap_begin
topo_up direct
topo_contexts || die "contexts"
serve B
topo_switch_both A2 B2 || die "switch"

while read -r tx tso gso gro rx; do
	options="tx $tx tso $tso gso $gso gro $gro rx $rx"
	# shellcheck disable=SC2086 # words.
	both $options || die "ethtool -K $options"
	stat_mark A B
	check "content with $options" content
	is "nothing dropped with $options" "$(stat_drops A)$(stat_drops B)" ""
done <<'END'
on on on on on
on on on off on
on off on on on
on off on off off
on off off on on
on off off off off
off off on on on
off off on on off
off off on off on
off off off on on
off off off off off
END

# Segments that come one by one, checksums complete, as from a NIC.
both tx off tso off gso off gro on rx on
stat_mark A B
check "segments into generic receive offload" content
holds "are merged there" "$(stat_since B InGroMerged) > 0"

# The two ends need not be alike.
both tx on tso on gso on gro on rx on
on A ethtool -K up2 tx off >/dev/null
check "one end without, one end with everything" content
both tx on tso on gso on gro on rx on
stat_mark A B
check "with everything again" content
holds "super-packets stay whole over a veth" "$(stat_since A OutWhole) > 0"
tap_end
