#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Content and checksums survive long frames, super-packets of more than 64 KiB (BIG TCP)
# and ends that differ in what their devices do, over memory and over devices that get
# finished segments.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

readonly MTU=9000 BIG=190000

# What a device does for the stack.
declare -A DEVICES=(
	["everything"]="tx on rx on tso on gso on gro on"
	["no checksums"]="tx off rx off tso off gso on gro on"
	["no segmentation of its own"]="tx on rx on tso off gso on gro on"
	["no segmentation at all"]="tx on rx on tso off gso off gro on"
	["no merging"]="tx on rx on tso on gso on gro off"
)

# ends KIND-OF-A KIND-OF-B
ends() {
	# shellcheck disable=SC2086 # words.
	if ! on A ethtool -K up2 ${DEVICES[$1]} || ! on B ethtool -K up2 ${DEVICES[$2]}; then
		die "ethtool -K"
	fi >/dev/null
}

links() {
	local host i

	for host in A B; do
		for i in 1 2; do
			ip -n "$(topo_ns $host)" link set up$i "$@" || return
		done
	done
}

content() {
	once tcp -n 3000000 -s 65536 A1 B1 && once udp -n 5 -s 3000 -i 1 A1 B1 &&
		once udp -n 5 -s 20000 -i 1 A1 B1 && no_csum_errors
}

# mtu_of SOURCE DESTINATION: IPV6_MTU of a socket.
mtu_of() {
	once udp -n 1 "$@" | value mtu
}

# matrix WHERE: every kind of device on either end.
matrix() {
	local a b

	for a in "${!DEVICES[@]}"; do
		for b in "${!DEVICES[@]}"; do
			ends "$a" "$b"
			stat_mark A B
			check "content $1, A: $a, B: $b" content
			is "nothing dropped" "$(stat_drops A)$(stat_drops B)" ""
		done
	done
}

# Super-packets that are longer than the Payload Length field can say, as B gets them.
count_big() {
	on B nft -f - <<-'END'
		table inet big {
		    counter long { }
		    chain prerouting {
		        type filter hook prerouting priority raw;
		        meta length > 65600 counter name long
		    }
		}
	END
}

big() {
	on B nft -j list counter inet big long | jq '.nftables[].counter.packets? // empty'
}

tap_begin
topo_up direct
links mtu $MTU || die "frames of $MTU octets"
topo_contexts || die "contexts"
serve B
topo_switch_both A2 B2 || die "switch"
check "long frames" content
is "sockets see 8992" "$(mtu_of A1 B1)" $((MTU - 8))
matrix "over memory, frames of $MTU"

links gso_max_size $BIG gro_max_size $BIG || die "BIG TCP"
ends everything everything
count_big || die "nftables"
before=$(big)
check "super-packets of more than 64 KiB" content
holds "there are some" "$(big) > $before"
ends "no checksums" "no checksums"
before=$(big)
stat_mark A B
check "the same, made by receive offload" content
holds "there are some" "$(big) > $before && $(stat_since B InGroMerged) > 0"
matrix "over memory, BIG TCP"

# A path that takes less than the one TCP knows.
ends everything everything
for host in A B; do
	ip -n "$(topo_ns $host)" link set up2 mtu 1500 || die "frames of 1500 octets"
done
stat_mark A B
check "long frames for TCP, short ones on the path" content
holds "TCP's were cut anew" "$(stat_since A OutResegmented) > 0"
topo_down

topo_up bridge
links mtu $MTU gso_max_size $BIG gro_max_size $BIG || die "BIG TCP"
for i in 1 2; do
	for host in a b; do
		ip -n "$(topo_ns br)" link set $host$i mtu $MTU || die "frames of $MTU octets"
	done
	ip -n "$(topo_ns br)" link set br$i mtu $MTU || die "frames of $MTU octets"
done
topo_contexts || die "contexts"
serve B
topo_switch_both A2 B2 || die "switch"
stat_mark A B
check "a device that is not memory" content
holds "gets finished segments" "$(stat_since A OutSoftwareGso) > 0 && $(stat_since A OutWhole) == 0"
matrix "over a bridge, BIG TCP"
tap_end
