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

# merged: 40 datagrams from A to B that the sender's kernel hands over one by one, read with
# as few calls as they come.
merged() {
	local receiver

	spawn B merge receive "$B1" 7400 40 >"$TOPO_DIR/merged" 2>&1
	receiver=$SPAWNED
	wait_until 5 takes_datagrams && on A merge send "$A1" "$B1" 7400 40 1200 && wait "$receiver"
}

takes_datagrams() {
	[[ -n $(on B ss -Hlun "sport = 7400") ]]
}

# reads: how many calls it took.
reads() {
	sed -n 's/.* reads=\([0-9]*\) .*/\1/p' "$TOPO_DIR/merged"
}

# guest: a namespace behind B that gets what comes to two ports of B1, and verifies checksums
# itself; what goes there is cut and summed in software.
guest() {
	topo_guest B &&
		on B ethtool -K inside tx off tso off gso off >/dev/null && on guest ethtool -K eth rx off gro off >/dev/null &&
		on B nft -f - <<-END
			table ip6 forwarded {
			    chain first {
			        type nat hook prerouting priority dstnat;
			        iifname "up*" meta l4proto { tcp, udp } th dport { $PORT, 7400 } dnat to $GUEST
			    }
			}
		END
}

# merged_for_guest: datagrams that are merged at B because a socket there wants it, and go on.
merged_for_guest() {
	local wants receiver status

	spawn B merge receive "$B1" 7400 40 >/dev/null 2>&1
	wants=$SPAWNED
	spawn guest merge receive "$GUEST" 7400 40 >"$TOPO_DIR/merged" 2>&1
	receiver=$SPAWNED
	wait_until 5 takes_datagrams && wait_until 5 guest_takes_datagrams &&
		on A merge send "$A1" "$B1" 7400 40 1200 && wait "$receiver"
	status=$?
	stop "$wants"
	return "$status"
}

guest_takes_datagrams() {
	[[ -n $(on guest ss -Hlun "sport = 7400") ]]
}

guest_csum_errors() {
	on guest nstat -as | awk '/Csum/ { sum += $2 } END { print sum + 0 }'
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

stat_mark A B
check "datagrams, one by one, to a socket that wants them merged" merged
holds "are merged behind the header: $(<"$TOPO_DIR/merged")" "$(reads) < 10"
holds "  as is counted" "$(stat_since B InGroMerged) > 0"
is "  and nothing is dropped" "$(stat_drops A)$(stat_drops B)" ""

# What was merged may go on to somebody else: in pieces again, each with its checksum.
guest || die "a guest"
serve guest
stat_mark A B
check "segments that are merged and sent on" once tcp -n 3000000 -s 65536 A1 B1
holds "  they were merged" "$(stat_since B InGroMerged) > 0"
stat_mark A B
check "datagrams that are merged and sent on" merged_for_guest
holds "  they were merged" "$(stat_since B InGroMerged) > 0"
is "  no checksum was wrong" "$(guest_csum_errors)" 0
on B nft delete table ip6 forwarded

# What a host that forwards is better off with: packets merged as a list, each with its own headers.
on B ethtool -K up2 rx-gro-list on >/dev/null || die "ethtool -K rx-gro-list on"
stat_mark A B
check "segments into receive offload that makes lists" content
check "datagrams into it" merged
holds "are not merged: $(<"$TOPO_DIR/merged")" "$(reads) == 40"
is "nothing dropped" "$(stat_drops A)$(stat_drops B)" ""
on B ethtool -K up2 rx-gro-list off >/dev/null

# The two ends need not be alike.
both tx on tso on gso on gro on rx on
on A ethtool -K up2 tx off >/dev/null
check "one end without, one end with everything" content
both tx on tso on gso on gro on rx on
on A nft -f - <<-END || die "nftables"
	table ip6 leaving {
	    chain last {
	        type filter hook postrouting priority filter;
	        ip6 nexthdr 140 counter
	    }
	}
END
stat_mark A B
check "with everything again" content
is "each packet is counted once" "$(stat_since A OutTranslated)" \
	"$(on A nft -j list table ip6 leaving | jq '.nftables[].rule?.expr[]?.counter?.packets // empty')"
holds "super-packets stay whole over a veth" "$(stat_since A OutWhole) > 0"
tap_end
