#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The filters of Documentation/wireshark.md, each of them: the packaged tshark takes it, and
# finds as many packets as are there by another count.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/reap.sh"

GUIDE=$(dirname "$0")/../doc/wireshark.md

# filters: those of the tables in the guide, one a line, with the addresses and tags of this run.
filters() {
	# The fields between backquotes.
	awk -F '\140' '/^\| / && NF == 3 { print $2 }' "$GUIDE" |
		sed 's/\\|/|/g; s/2001:db8:a:2::1/'"$A2/"
}

# found FILTER: packets that tshark finds.
found() {
	tshark -n -r "$TOPO_DIR/wire.pcap" -Y "$1" 2>/dev/null | wc -l
}

# typed TYPE...: control messages of these types in the capture.
typed() {
	local types=" $* "

	messages wire | awk -v types="$types" 'index(types, " " $4 " ") { n++ } END { print n + 0 }'
}

# payload [TCPDUMP-EXPRESSION]: packets with a payload header.
payload() {
	tcpdump -n -r "$TOPO_DIR/wire.pcap" "ip6[6] = 140 and ip6[42] >= 128 ${1:-}" 2>/dev/null | wc -l
}

# probes AWK: Probes for whose octets, as hex digits in "h", this is true.
probes() {
	messages wire | awk '$4 == "Probe" { h = $6; if ('"$1"') n++ } END { print n + 0 }'
}

# octets TAG [FIRST]: as filters have them, FIRST being added to the first one.
octets() {
	printf '%02x' $((0x${1:0:2} + ${2:-0}))
	printf ':%s' "${1:2:2}" "${1:4:2}" "${1:6:2}" "${1:8:2}" "${1:10:2}"
}

# expected FILTER: how many packets a filter is to find; nothing for a filter that is not known.
expected() {
	case $1 in
	shim6) echo $(($(payload) + $(messages wire | wc -l))) ;;
	'shim6.p == 1') payload ;;
	'shim6.p == 0') messages wire | wc -l ;;
	'shim6.type >= 1 && shim6.type <= 4') typed I1 R1 I2 R2 ;;
	'shim6.type == 5 || shim6.type == 6') typed R1bis I2bis ;;
	'shim6.type == 64 || shim6.type == 65') typed Update Ack ;;
	'shim6.type == 66') typed Keepalive ;;
	'shim6.type == 67') typed Probe ;;
	'shim6.type == 67 && shim6[13:1] == 0x40') probes 'substr(h, 27, 1) == "4"' ;;
	'shim6.type == 67 && shim6[12:1] >= 0x10') probes 'substr(h, 25, 1) != "0"' ;;
	"shim6.type == 67 && ipv6.src == $A2")
		messages wire | awk -v from="$A2" '$4 == "Probe" && $2 == from { n++ } END { print n + 0 }'
		;;
	'shim6.type == 68') typed Error ;;
	'shim6.checksum.status == 0') echo 0 ;;
	"shim6[2:6] == $(octets "$TAG" 128)") payload "and src net 2001:db8:a::/48" ;;
	"shim6.p == 0 && shim6[6:6] == $(octets "$TAG")")
		messages wire | awk -v tag="$TAG" 'substr($6, 13, 12) == tag { n++ } END { print n + 0 }'
		;;
	'shim6 && tcp.port == 5001') payload 'and ip6[40] = 6' ;;
	esac
}

need tshark
tap_begin
reap_hosts 1000 || die "hosts"
for host in A B; do on $host shim6 context flush || die "flush"; done
for i in 1 2; do
	on A ethtool -K up$i tx off tso off gso off gro off >/dev/null
	topo_capture up$i A up$i 'ip6 proto 140' || die "no capture"
done
establish || die "no context"
TAG=$(shows B .tag_local)
flow_start stream tcp -w 60 -s 1000 -i 10 A1 B1 || die "no stream"
topo_kill A1
check "a stream goes over its second path" flow_goes stream 20000
flow_stop stream
topo_capture_stop
mergecap -w "$TOPO_DIR/wire.pcap" "$TOPO_DIR"/up[12].pcap || die "mergecap"

count=0
while IFS= read -r filter; do
	# The tag of the guide is an example.
	filter=${filter/f3:2e:d3:1d:3b:1c/$(octets "$TAG" 128)}
	filter=${filter/73:2e:d3:1d:3b:1c/$(octets "$TAG")}
	wanted=$(expected "$filter")
	if [[ -z $wanted ]]; then
		fail "the test knows the filter $filter" "it is in the guide, and has no expectation"
	else
		is "$filter" "$(found "$filter")" "$wanted"
		[[ $wanted == 0 ]] || count=$((count + 1))
	fi
done < <(filters)
holds "most of them found something" "$count >= 9"
tap_end
