#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A check of reverse paths, as strict as firewalld's, sees the ULID of the peer on the
# uplink of another provider and drops the packet; the cure that the documentation names helps.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

strict() {
	on A nft -f - <<-END
		table inet rpfilter {
		    set peers { type ipv6_addr; }
		    chain prerouting {
		        type filter hook prerouting priority raw + 10;
		        icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
		        ip6 saddr @peers accept
		        meta nfproto ipv6 fib saddr . mark . iif oif missing counter drop
		    }
		}
	END
}

dropped() {
	on A nft -j list chain inet rpfilter prerouting | jq '[.nftables[].rule?.expr[]?.counter?.packets // empty] | add'
}

tap_begin
dmesg_mark
topo_up direct
topo_contexts || die "contexts"
serve B
topo_switch_both A2 B2 || die "switch"
check "without the check A and B talk by the second provider" topo_reaches A1 B1
strict || die "nftables"
check_not "with it they do not" topo_reaches A1 B1
holds "because the ULID of B came by the wrong link" "$(dropped) > 0"
on A nft add element inet rpfilter peers "{ $B1 }"
check "with the peer's ULID exempt they do" topo_reaches A1 B1
check "as does TCP" once tcp -n 100000 A1 B1
topo_switch_both A1 B1
on A nft delete element inet rpfilter peers "{ $B1 }"
check "between the ULIDs the check does not matter" topo_reaches A1 B1
check "the kernel's log is clean" dmesg_clean
tap_end
