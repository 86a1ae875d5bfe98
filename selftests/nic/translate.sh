#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Translated traffic over emulated NICs, whose drivers and hardware would compute
# checksums from locators if they were asked to. Two machines on one segment:
#
#	qemu/pair --nic e1000 --nic igb ... -- /opt/shim6/selftests/nic/translate.sh
#
# runs this in both, with a or b as the first argument. All NICs that the machines
# have are tested one after the other, so one boot does for all models. Each host
# has both of its locators on the NIC under test. Machine a prints the cases; they
# meet in /share.

. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/traffic.sh"

readonly MEETING=${MEETING:-/share} PATIENCE=120
case ${1:-} in
a) ME=A PEER=B ;;
b) ME=B PEER=A ;;
*) die "usage: translate.sh a|b (see qemu/pair)" ;;
esac

# A machine is a host here: no namespaces.
# shellcheck disable=SC2034 # of topology.sh.
TOPO_UPLINKS_B=2
on() {
	shift
	"$@"
}

both_pairs() {
	local i

	for i in 1 2; do
		ping -q -c 1 -W 1 -I "$(topo_address "$ME$i")" "$(topo_address "$PEER$i")" >/dev/null || return
	done
}

met() {
	[[ -e $MEETING/$PEER.$1 || -e $MEETING/$PEER.gone ]]
}

# meet WHERE: go on when both machines have come so far.
meet() {
	: >"$MEETING/$ME.$1"
	if ! wait_until $PATIENCE met "$1" || [[ ! -e $MEETING/$PEER.$1 ]]; then
		die "machine ${PEER,} does not come to '$1'"
	fi
}

# What the network looked like, for cases that fail.
diag_dump() {
	local host

	((TAP_FAILED <= 2)) || return 0
	for host in A B; do
		echo "== host $host: what has changed in the counters"
		cat "$MEETING/$host.$NIC.counters"
	done
	echo "== host $ME: context, addresses, the NIC"
	shim6 context show
	ip -6 -br address
	ethtool -i "$NIC"
	ethtool -S "$NIC" | grep -v ': 0$'
}

nic_up() {
	local i

	for i in 1 2; do
		ip address add "$(topo_address "$ME$i")/64" dev "$NIC" nodad || return
	done
	ip link set "$NIC" up &&
		ip -6 route add "2001:db8:${PEER,}::/48" dev "$NIC"
}

nic_down() {
	shim6 context del --ulid-local "$(topo_address "${ME}1")" --ulid-peer "$(topo_address "${PEER}1")" &&
		ip -6 address flush dev "$NIC" scope global &&
		ip link set "$NIC" down
}

# Counters of the shim, checksum errors of the stack and frames of the NIC, as they are now.
counters() {
	cat /proc/net/shim6_stat
	nstat -asz | grep Csum
	echo "frames $(<"/sys/class/net/$NIC/statistics/rx_packets")"
}

# counters_since FILE: the differences that are not zero.
counters_since() {
	counters | awk 'NR == FNR { before[$1] = $2; next }
		$2 != before[$1] { print $1, $2 - before[$1] }' "$1" -
}

# changed HOST NAME
changed() {
	awk -v name="$2" '$1 == name { value = $2 } END { print value + 0 }' "$MEETING/$1.$NIC.counters"
}

# errors: all drops and checksum errors of both hosts.
errors() {
	local host

	for host in A B; do
		awk -v host=$host '/Csum|^Drop_|^OutNo|^OutTooBig|BadHeaders|Refused|^InUnknown|^InNoMemory|^InIcmpBad/ {
			print host, $1, $2 }' "$MEETING/$host.$NIC.counters"
	done
}

# lro_off: some drivers merge by themselves, which works, but leaves nothing to GRO.
lro_off() {
	local features

	features=$(ethtool -k "$NIC") || return
	[[ $features != *"large-receive-offload: on"* ]] || ethtool -K "$NIC" lro off
}

# What the other machine's client said, and its exit status in the end.
peer_client() {
	local status

	cat "$MEETING/B.$NIC.client"
	status=$(<"$MEETING/B.$NIC.status")
	return "$status"
}

# Machine a's half of a NIC.
cases() {
	local model=$1 host

	check "$model: TCP, content both ways" once tcp -n 3000000 -s 65536 A1 B1
	check "$model: UDP, content both ways" once udp -n 100 -s 1200 -i 1 A1 B1
	check "$model: UDP in fragments, content both ways" once udp -n 20 -s 4000 -i 5 A1 B1
	lro_off || die "$NIC: LRO"
	meet "$NIC.asked"
	meet "$NIC.answered"
	counters_since "$BEFORE" >"$MEETING/A.$NIC.counters"
	check "$model: TCP of the other host, content both ways" peer_client
	is "$model: no checksum error, nothing dropped" "$(errors)" ""
	for host in A B; do
		holds "$model: host $host sends and receives with a payload header" \
			"$(changed $host OutTranslated) > 100 && $(changed $host InTranslated) > 100"
		holds "$model: host $host segments in software, leaves nothing to the NIC" \
			"$(changed $host OutSoftwareGso) > 0 && $(changed $host OutWhole) == 0"
		# Few frames are not payload packets.
		holds "$model: host $host merges segments on their way in" \
			"$(changed $host InGroMerged) > 0 && $(changed $host InTranslated) < $(changed $host frames) * 9 / 10"
		note "$model: host $host: $(changed $host InTranslated) packets of" \
			"$(changed $host frames) frames"
	done
}

# Machine b's half.
help_cases() {
	local status=0

	meet "$NIC.asked"
	lro_off || die "$NIC: LRO"
	once tcp -n 3000000 -s 65536 B1 A1 >"$MEETING/B.$NIC.client" 2>&1 || status=$?
	echo $status >"$MEETING/B.$NIC.status"
	counters_since "$BEFORE" >"$MEETING/B.$NIC.counters"
	meet "$NIC.answered"
}

test_nic() {
	nic_up || die "$NIC: addresses"
	topo_context "$ME" || die "$NIC: context"
	meet "$NIC.up"
	wait_until 30 both_pairs || die "$NIC: the other machine is not to be reached"
	topo_switch "$ME" "${ME}2" "${PEER}2" || die "$NIC: switch"
	counters >"$BEFORE"
	meet "$NIC.ready"
	"$@"
	meet "$NIC.tested"
	nic_down || die "$NIC: clean-up"
	meet "$NIC.down"
}

leave() {
	: >"$MEETING/$ME.gone"
}

BEFORE=$(mktemp)
at_exit rm -f "$BEFORE"
traffic serve "$PORT" &
at_exit stop $!
wait_until 10 served "$ME" || die "no server"
[[ $ME == B ]] || tap_begin
at_exit leave

nics=0
for NIC in /sys/class/net/*; do
	[[ -e $NIC/device ]] || continue
	driver=$(readlink -f "$NIC/device/driver")
	NIC=${NIC##*/}
	((++nics))
	case $ME in
	A) test_nic cases "${driver##*/}" ;;
	B) test_nic help_cases ;;
	esac
done
((nics > 0)) || die "there is no NIC (qemu/pair --nic MODEL)"
[[ $ME == B ]] || tap_end
