# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Contexts that hosts of a topology establish by themselves (RFC 5533): who they
# are, what states they are in, which messages went over the wire.

. "${BASH_SOURCE[0]%/*}/traffic.sh"

# The CGA Parameter Data Structures of the sets that A1, A2, then B1, B2, B3, then
# C1, C2 are from: hostA, hostB and hostC of the test vectors.
declare -rA PDS=(
	[A]=559aead08264d5795d3909718cdd05ab20010db8000a000100304c300d06092a864886f70d0101010500033b003038023100ad14aaf25020bef2fd4e3eb5ec0c50272cdfd66074b0ed037c9a11254321aac0729985374beeaa5b80a504d048be18650203010001001200140000000020010db8000a000120010db8000a0002
	[B]=df7e70e5021544f4834bbee64a9f147220010db8000b000100304c300d06092a864886f70d0101010500033b0030380231008a5e6d9081b08ada24918c6a8697952bc7c7c92f74a3341eb4a31be93dd425c8781f88c2f2fe40d5f81018ba81a54b4902030100010012001c0000000020010db8000b000120010db8000b000220010db8000b0003
	[C]=6b23c0d5f35d1b11f9b683f0b0a6173520010db8000c00010030819f300d06092a864886f70d010101050003818d0030818902818100c4a50d48c9778dbd0733add50d4caebc457942b50b9a43d8f3fe842a89e86c0af92bf64c23e2fe6b2186bc007281a14d9f85647420667172588f1072a0ca93681b09ac010662cf9ba2de87dd631f4b26fd3949e0cc0a66d0792b35df860b1bc2ac943e4a7a9ff99a812fe3cdbf6e939129979d7049cf90c3b5ae512e2347a9bf0203010001001200148000000020010db8000c000120010db8000c0002
)

# pem PDS: a file for `shim6 identity add`, on standard output.
pem() {
	echo "-----BEGIN SHIM6 CGA PARAMETERS-----"
	xxd -r -p <<<"$1" | base64 -w 64
	echo "-----END SHIM6 CGA PARAMETERS-----"
}

# identity HOST: the host knows who it is.
identity() {
	local file=$TOPO_DIR/identity-$1

	(umask 077 && pem "${PDS[$1]}" >"$file") &&
		on "$1" shim6 identity add "host$1" "$file"
}

# setting HOST NAME VALUE: net.shim6.NAME.
setting() {
	visit "$1" write_setting "${@:2}"
}

write_setting() {
	echo "$2" >"/proc/sys/net/shim6/$1"
}

# timers HOST DIVISOR: all times of the protocol so much shorter than in the RFC.
timers() {
	local pair

	for pair in i1_timeout=4000 i2_timeout=4000 i2bis_timeout=4000 update_timeout=4000 \
		max_update_timeout=120000 no_r1_holddown_time=60000 \
		icmp_holddown_time=600000 idle_timeout=300000 update_interval=1000; do
		setting "$1" "${pair%=*}" $((${pair#*=} / $2)) || return
	done
}

# shows HOST FILTER [LOCAL PEER]: what `jq FILTER` says of the default context of
# a ULID pair (from HOST's side; A1 and B1 unless given), nothing without one.
shows() {
	local host=$1 filter=$2 ours=${3:-${1}1} theirs=${4:-}

	[[ -n $theirs ]] || { [[ $host == B ]] && theirs=A1 || theirs=B1; }
	topo_resolve "$ours" && ours=$REPLY
	topo_resolve "$theirs" && theirs=$REPLY
	{ enter "$host" && exec shim6 context show --json; } |
		jq -r --arg local "$ours" --arg peer "$theirs" \
			".[] | select(.ulid_local == \$local and .ulid_peer == \$peer and .fii == 0) | $filter"
}

# state HOST [LOCAL PEER]: for example ESTABLISHED; IDLE without a context.
state() {
	local state

	state=$(shows "$1" .state "${@:2}")
	echo "${state:-IDLE}"
}

in_state() {
	[[ $(state "$1" "${@:3}") == "$2" ]]
}

# comes_to HOST STATE [SECONDS]: A1 to B1, in time.
comes_to() {
	wait_until "${3:-10}" in_state "$1" "$2"
}

# start HOST [LOCAL PEER]: the host asks for a context.
start() {
	local ours=${2:-${1}1} theirs=${3:-}

	[[ -n $theirs ]] || { [[ $1 == B ]] && theirs=A1 || theirs=B1; }
	on "$1" shim6 context start --ulid-local "$(topo_address "$ours")" \
		--ulid-peer "$(topo_address "$theirs")"
}

# establish: A asks B, and both know of it.
establish() {
	start A && comes_to A ESTABLISHED && comes_to B ESTABLISHED
}

readonly MESSAGE_TYPES='1 I1 2 R1 3 I2 4 R2 5 R1bis 6 I2bis 64 Update 65 Ack 66 Keepalive 67 Probe 68 Error'

# messages NAME: the control messages of a capture, one a line:
# MILLISECONDS SOURCE DESTINATION TYPE LENGTH HEX-OF-SHIM6-HEADER. Time counts
# from the first packet of the capture. Shim6 has to follow the IPv6 header.
messages() {
	tcpdump -n -tt -x -r "$TOPO_DIR/$1.pcap" 'ip6[6] = 140' 2>/dev/null |
		awk -v names="$MESSAGE_TYPES" '
		BEGIN { n = split(names, word); for (i = 1; i < n; i += 2) name[word[i]] = word[i + 1] }
		function number(hex,  i, v) {
			for (i = 1; i <= length(hex); i++)
				v = v * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
			return v + 0
		}
		function flush(  type) {
			if (hex == "")
				return
			type = number(substr(hex, 85, 2))
			if (type < 128)
				printf "%d %s %s %s %d %s\n", (time - first) * 1000 + 0.5, source,
					destination, type in name ? name[type] : type,
					length(hex) / 2 - 40, substr(hex, 81)
			hex = ""
		}
		/ IP6 / {
			flush(); time = $1; if (first == "") first = time
			source = $3; destination = $5; sub(/:$/, "", destination); next
		}
		/0x/ { for (i = 2; i <= NF; i++) hex = hex $i }
		END { flush() }'
}

# all_types NAME [HOST]: the types of these messages in their order, those of a host
# only if one is given.
all_types() {
	local mine=${2:+2001:db8:${2,,}:}

	messages "$1" | awk -v mine="$mine" 'index($2, mine) == 1 {
		printf "%s%s", sep, $4; sep = " " } END { print "" }'
}

# types NAME [HOST]: the same without Keepalives. Who heard the last message of others
# owes one after some seconds (RFC 5534 section 4.1), which a slow machine may need.
types() {
	all_types "$@" | sed -E 's/ ?Keepalive//g; s/^ //'
}

# names TEXT: the same with names for the addresses of the hosts.
names() {
	local text=$1 name

	for name in A1 A2 B1 B2; do text=${text//${!name}/$name}; done
	echo "$text"
}

# is_broken HOST LOCATOR true|false: whether a host takes a locator of its peer for BROKEN.
is_broken() {
	[[ $(shows "$1" "[.locator_peer[] | select(.address == \"$2\")][0].broken") == "$3" ]]
}

# monitor_start HOST: the events of a host from now on, in $TOPO_DIR/events-HOST.
# `stop $SPAWNED` ends it.
monitor_start() {
	spawn "$1" shim6 monitor --json >"$TOPO_DIR/events-$1"
	wait_until 10 monitor_listens "$1"
}

# Nobody else in the namespace listens to generic netlink, which is protocol 16.
monitor_listens() {
	on "$1" cat /proc/net/netlink |
		awk '$2 == 16 && $4 != "00000000" { found = 1 } END { exit !found }'
}

# tshark_checksums NAME...: tshark finds the checksum of every control message of
# these captures right, and there is one at least. Only its verdict on checksums
# is asked for: some versions take the fields of messages from wrong places. Slow.
tshark_checksums() {
	local name files=() all right merged=$TOPO_DIR/tshark

	for name; do files+=("$TOPO_DIR/$name.pcap"); done
	mergecap -w "$merged" "${files[@]}" || return
	all=$(for name; do messages "$name"; done | wc -l)
	right=$(tshark -n -r "$merged" -Y 'shim6.checksum.status == 1 and not icmpv6' \
		2>/dev/null | wc -l)
	echo "$right of $all control messages have the right checksum"
	((all > 0 && right == all))
}
