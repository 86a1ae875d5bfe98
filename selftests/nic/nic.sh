#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Translated traffic over a NIC: two machines on one Ethernet segment,
#
#	A, eth0 ------------------ eth0, B
#
# each with both addresses of topology T1 on its only NIC. Run in both, with "a"
# or "b" as argument and a directory that they share:
#
#	qemu/pair --nic MODEL -- /opt/shim6/selftests/nic/nic.sh

LIB=$(dirname "$0")/../lib
# shellcheck source=../lib/tap.sh
. "$LIB/tap.sh"
# shellcheck source=../lib/traffic.sh
. "$LIB/traffic.sh"

readonly HERE=${1:-} SHARE=${SHARE:-/share} NIC=${NIC:-eth0}
case $HERE in
a) us=A them=B ;;
b) us=B them=A ;;
*) die "usage: nic.sh a|b" ;;
esac
ours=${us}1 theirs=${them}1 our_tag=TAG_$us their_tag=TAG_$them
other_ours=${us}2 other_theirs=${them}2

# meet WORD: go on when the other machine is there, too.
meet() {
	: >"$SHARE/$1.$us"
	wait_until 120 there "$SHARE/$1.$them" || die "the other machine does not come to $1"
}

# By listing, because a name that was missing once may be remembered as missing.
there() {
	local name

	for name in "$SHARE"/*; do
		[[ $name == "$1" ]] && return
	done
	return 1
}

stat_of() {
	awk -v name="$1" '$1 == name { print $2 }' /proc/net/shim6_stat
}

csum_errors() {
	nstat -asz | awk '/CsumErrors/ && $2 != 0 { print $1, $2; bad = 1 } END { exit bad }'
}

flow() {
	traffic "$@" "${!ours}" "${!theirs}" "$PORT"
}

# both_ways WHAT: this machine as client, then the other one. Octets go both
# ways each time; their content is checked.
both_ways() {
	local turn

	for turn in A B; do
		meet "$1-$turn"
		[[ $turn == "$us" ]] || continue
		check "$1: TCP, 8 MB both ways" flow tcp -n 8000000 -s 65536
		check "$1: UDP" flow udp -n 20 -i 5
		check "$1: UDP in fragments" flow udp -n 5 -s 5000 -i 10
	done
	meet "$1-end"
}

tap_begin
ip link set "$NIC" addrgenmode none
ip -6 -batch - <<END || die "$NIC"
link set $NIC up
address add ${!ours}/64 dev $NIC nodad
address add ${!other_ours}/64 dev $NIC nodad
route add 2001:db8:${them,}::/48 dev $NIC
END
note "$NIC: $(ethtool -i "$NIC" | awk '/^driver/ { print $2 }')," \
	"$(ethtool -k "$NIC" | awk '/^(tx-checksumming|tcp-segmentation-offload|generic-receive-offload|large-receive-offload):/ { printf "%s %s ", $1, $2 }')"
traffic serve "$PORT" &
server=$!
at_exit stop $server
meet up
check "the other machine answers" ping -q -c 1 -w 20 -i 0.2 -I "${!ours}" "${!theirs}"
check "and on its other address" ping -q -c 1 -w 20 -i 0.2 -I "${!other_ours}" "${!other_theirs}"

both_ways "untranslated"
errors=$(csum_errors)

shim6 context add --ulid-local "${!ours}" --ulid-peer "${!theirs}" \
	--tag-local "${!our_tag}" --tag-peer "${!their_tag}" \
	--locator-local "${!ours},hba" --locator-local "${!other_ours},hba" \
	--locator-peer "${!theirs},hba" --locator-peer "${!other_theirs},hba" \
	--current-local "${!other_ours}" --current-peer "${!other_theirs}" || die "context"
both_ways "translated"
sent=$(stat_of OutTranslated) received=$(stat_of InTranslated)
holds "packets were translated in both directions" "$sent > 100 && $received > 100"
is "no new checksum error was counted" "$(csum_errors)" "$errors"
is "none at all" "$errors" ""
holds "super-packets were cut in software" \
	"$(stat_of OutSoftwareGso) > 0 || $(ethtool -k "$NIC" | grep -c '^generic-segmentation-offload: off') == 1"
is "none was left whole for the device" "$(stat_of OutWhole)" 0

ethtool -K "$NIC" tx off gro off >/dev/null 2>&1
both_ways "translated, without offloads"
is "still no checksum error" "$(csum_errors)" "$errors"

meet end
tap_end
