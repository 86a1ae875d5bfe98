#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the wire shows: the payload extension header of RFC 5533 section 5.2 in
# its place, the peer's tag in it, checksums over ULIDs; decoded by tshark, too.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

# packets FILE TAG SOURCE DESTINATION PROTOCOL: how many pcapcheck saw.
packets() {
	awk -v key="$2 $3 $4 $5" '$1 " " $2 " " $3 " " $4 == key {
		sub(/packets=/, "", $5); print $5; found = 1 }
		END { if (!found) print 0 }' "$1"
}

# decoded NAME SOURCE DESTINATION: what tshark says of each sort of payload
# header: next header, length, P bit, tag octets.
decoded() {
	tshark -n -r "$TOPO_DIR/$1.pcap" -O ipv6 \
		-Y "shim6 and ipv6.src == $2 and ipv6.dst == $3" 2>/dev/null |
		awk '/Shim6 Protocol/ { shim = 1; line = ""; next }
		     shim && /Next Header:/ { gsub(/.*\(|\).*/, ""); line = $0; next }
		     shim && /Length:/ { line = line " " $2; next }
		     shim && /P Bit:/ { line = line " " $NF; next }
		     shim && /Receiver Context Tag:/ {
			sub(/.*: /, ""); gsub(/ /, ""); print line " 0x" $0; shim = 0 }' |
		sort -n -u
}

need tshark
tap_begin
topo_up
# Checksums in software, or captures hold half-made ones.
for host in A B; do
	for i in 1 2; do on $host ethtool -K up$i tx off >/dev/null; done
done
topo_contexts || die "contexts"
serve B
topo_switch A A2 B1 || die "switch"
topo_switch B B2 A2 || die "switch"
topo_capture_all wire

check "TCP" once tcp -n 60000 -s 65536 A1 B1
check "UDP" once udp -n 5 -i 2 A1 B1
check "UDP behind hop-by-hop options" once udp -n 3 -i 2 -o A1 B1
check "raw" once raw -n 5 -i 2 A1 B1
check "ICMPv6 echo" topo_reaches A1 B1
topo_capture_stop

for file in A2 B1 B2; do
	check "headers and checksums over ULIDs are right in the capture at $file #6" \
		pcapcheck "$TOPO_DIR/wire-$file.pcap" "$TAG_B=$A1,$B1" "$TAG_A=$B1,$A1"
	pcapcheck "$TOPO_DIR/wire-$file.pcap" "$TAG_B=$A1,$B1" "$TAG_A=$B1,$A1" >"$TOPO_DIR/$file"
done
check_not "the check itself notices wrong ULIDs" \
	pcapcheck "$TOPO_DIR/wire-B1.pcap" "$TAG_B=$A2,$B1" "$TAG_A=$B1,$A1"
for protocol in tcp udp icmp6 253; do
	holds "$protocol from A to B: A2 to B1, with B's tag" \
		"$(packets "$TOPO_DIR/B1" "$TAG_B" "$A2" "$B1" $protocol) > 0"
	holds "$protocol from B to A: B2 to A2, with A's tag" \
		"$(packets "$TOPO_DIR/A2" "$TAG_A" "$B2" "$A2" $protocol) > 0"
done
is "the ULID pair is not on the wire" \
	"$(tcpdump -n -r "$TOPO_DIR/wire-A1.pcap" "host $B1 or host $B2" 2>/dev/null | wc -l)" 0

# 8 octets of hop-by-hop options that name 140, then the header that names UDP.
hop=$(tcpdump -n -x -c 1 -r "$TOPO_DIR/wire-B1.pcap" "src $A2 and ip6[6] == 0" 2>/dev/null |
	awk '/0x/ { $1 = ""; print }' | tr -d ' \n')
is "the header sits behind hop-by-hop options" "${hop:80:32}" \
	"8c00010400000000$(hex_payload 17 "$TAG_B")"

# shared HOST DEVICE PACKET: who reads a packet later shares it with the host, which has changed its
# own meanwhile.
shared() {
	local line

	coproc TAP {
		on "$1" python3 -c '
import socket, sys
ipv6 = 0x86dd
tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ipv6))
tap.bind((sys.argv[1], ipv6))
print("ready", flush=True)
sys.stdin.readline()
packet = b""
while packet[6:7] != bytes([140]):
    packet = tap.recv(2048, socket.MSG_DONTWAIT)
name = lambda octets: socket.inet_ntop(socket.AF_INET6, octets)
print(name(packet[8:24]), name(packet[24:40]), packet[40:48].hex())' "$2"
	}
	{ read -r -t 20 line && [[ $line == ready ]]; } <&"${TAP[0]}" || die "no packet socket"
	once udp -n 1 A1 B1 >/dev/null || die "no datagram"
	echo >&"${TAP[1]}"
	read -r -t 20 line <&"${TAP[0]}" || line='nothing'
	wait "$TAP_PID"
	is "$1: a packet socket that reads later has the packet as it came" "$line" "$3"
}

shared B up1 "$A2 $B1 $(hex_payload 17 "$TAG_B")"
# That comes to the locator which A sends from.
shared A up2 "$B2 $A2 $(hex_payload 17 "$TAG_A")"

sorts() {
	printf '%s 0 True %s\n' 6 "$1" 17 "$1" 58 "$1" 253 "$1"
}
is "tshark decodes what A sends to B, one header in each packet #1" "$(decoded wire-B1 "$A2" "$B1")" "$(sorts "$TAG_B")"
is "tshark decodes what B sends to A" "$(decoded wire-A2 "$B2" "$A2")" "$(sorts "$TAG_A")"
tap_end
