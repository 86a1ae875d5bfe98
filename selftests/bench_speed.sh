#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What translation costs, beside other ways to send packets elsewhere.
#
#	bench_speed.sh OUT.json [ROUNDS] [MS] [CANDIDATE]...	(default 7, 1000, all)
#	CLOCK=instructions bench_speed.sh ...			where a nanosecond is one (qemu/run --icount)
#	BEFORE=OTHER.ko bench_speed.sh ...			two more candidates: that module
#	KINDS=tcp,read bench_speed.sh ...			only these kinds of traffic
#	BEGUN=FILE bench_speed.sh ...				FILE tells which turn has begun last
#
# Two hosts on two wires. Plain packets go over the first, what is translated or put
# into a tunnel over the second; both are the same. In each round every candidate has
# its turn with all kinds of traffic, in one boot, each round begins with another one:
#
#	tcp	a stream over veth, super-packets whole, that the receiver's kernel throws away
#	read	the same, copied to a program that reads it
#	nic	a stream over a device without segmentation and checksums of its own,
#		whose receiver merges and verifies in software
#	udp	datagrams of 64 octets, to a socket
#	in	the same, to a socket whose queue is full: what both hosts do, no process
#	out	the same, thrown away when they come from the wire: what the sender does
#
# A share is the median of those of each round, given with the bounds between which that of all
# rounds there could be is with a probability of 0.95; a target between them is not decided.
#
# Prints a table and each target, and writes every sample to OUT.json. Exit status 0 if
# everything could be measured, whatever came out.

. "$(dirname "$0")/lib/topology.sh"
. "$(dirname "$0")/lib/candidates.sh"
. "$(dirname "$0")/lib/module.sh"

readonly OUT=${1:?"usage: bench_speed.sh OUT.json [ROUNDS] [MS] [CANDIDATE]..."}
readonly ROUNDS=${2:-7} LENGTH=${3:-1000}
[[ $ROUNDS =~ ^[1-9][0-9]*$ && $LENGTH =~ ^[1-9][0-9]*$ ]] || die "ROUNDS and MS are numbers"
readonly BLAST_PORT=7300 FULL_PORT=7301 READ_PORT=7303
readonly CLOCK=${CLOCK:-ns}
# What a speed is given for.
case $CLOCK in
ns) readonly SECOND='a second' ;;
instructions) readonly SECOND='in 10^9 instructions' ;;
*) die "CLOCK is ns or instructions" ;;
esac
readonly ALL_KINDS=tcp,read,nic,udp,in,out
IFS=, read -ra TRAFFIC <<<"${KINDS:-$ALL_KINDS}"
for kind in "${TRAFFIC[@]}"; do
	[[ ,$ALL_KINDS, == *,"$kind",* ]] || die "KINDS: there is no '$kind', but $ALL_KINDS"
done

# NAME WIRE WORDS: what is compared, and by which wire its packets leave.
readonly BEFORE=${BEFORE:-}
readonly CANDIDATES="${BEFORE:+
oldulids 1 the other module, ULIDs in use
old     2 the other module, translated}
absent  1 plain IPv6, module not loaded
loaded  1 plain IPv6, module loaded, no context
ulids   1 context, ULIDs in use
shim6   2 context, translated
ila     2 ILA
nptv6   2 NPTv6 by nftables
ip6ip6  2 tunnel, IPv6 in IPv6
"

# CANDIDATE OTHER TRAFFIC LEAST WORDS: targets, as a share of what OTHER reaches.
readonly SHARES='
loaded absent tcp 0.99 module loaded, no context: TCP
loaded absent read 0.99 module loaded, no context: TCP that is read
ulids  absent tcp 0.98 ULIDs in use: TCP
ulids  absent read 0.98 ULIDs in use: TCP that is read
shim6  absent tcp 0.97 translated TCP, super-packets whole
shim6  ila    tcp 1    the same, beside ILA
shim6  absent read 0.97 translated TCP that is read
shim6  ila    read 1    the same, beside ILA
shim6  absent nic 0.93 translated TCP over a device without offloads
shim6  absent udp 0.85 translated datagrams
shim6  ila    udp 1    the same, beside ILA
shim6  old    tcp 1    translated TCP
shim6  old    read 1   translated TCP that is read
shim6  old    nic 1    translated TCP over a device without offloads
shim6  old    udp 1    translated datagrams
shim6  old    out 1    translated datagrams on their way out
ulids  oldulids tcp 1  ULIDs in use: TCP
ulids  oldulids udp 1  ULIDs in use: datagrams
'
# CANDIDATE CLOCK MOST WORDS: what a packet may cost more than a plain one, each direction.
readonly COSTS='
loaded ns           10  module loaded, no context
loaded instructions 20  module loaded, no context
shim6  ns           150 translated
'

device() {
	local host

	for host in A B; do
		on $host ethtool -K up1 "$@" >/dev/null && on $host ethtool -K up2 "$@" >/dev/null || return
	done
}

# to_other HOST [ROUTE...]: the peer's ULID is reached by the second wire.
to_other() {
	local host=$1 peer=$B1 gateway=fe80::1

	[[ $host == A ]] || peer=$A1 gateway=fe80::2
	shift
	# shellcheck disable=SC2086 # words.
	on "$host" ip -6 route replace "$peer/128" "$@" via $gateway dev up2 table 101
}

# ila HOST PEER: the prefix of the peer's second address in place of that of its first.
ila() {
	local words=(csum-mode adj-transport ident-type luid)

	to_other "$1" encap ila "2001:db8:${2,}:2" "${words[@]}" hook-type output &&
		on "$1" ip ila add loc_match "2001:db8:${1,}:2" loc "2001:db8:${1,}:1" "${words[@]}"
}

# tunnel HOST PEER: from and to their second addresses.
tunnel() {
	local here=${1}2 there=${2}2 ulid=${2}1

	on "$1" ip link add t6 type ip6tnl mode ip6ip6 local "${!here}" remote "${!there}" encaplimit none dev up2 &&
		on "$1" ip link set t6 up &&
		on "$1" ip -6 route replace "${!ulid}/128" dev t6 table 101
}

begin() {
	case $1 in
	absent) ;;
	loaded) load ;;
	ulids) load && topo_contexts ;;
	shim6) load && topo_contexts && topo_switch_both A2 B2 ;;
	oldulids) insmod "$BEFORE" && topo_contexts ;;
	old) insmod "$BEFORE" && topo_contexts && topo_switch_both A2 B2 ;;
	ila)
		# A module that no name of an encapsulation brings.
		[[ -z $(modinfo -n ila 2>/dev/null) ]] || modprobe -q ila || return
		ila A B && ila B A
		;;
	nptv6)
		on B ip -6 route replace 2001:db8:a:2::/64 via fe80::2 dev up2 table 101 &&
			to_other A && on A nft -f - <<-END
				table ip6 nptv6 {
				    chain out {
				        type nat hook postrouting priority srcnat;
				        snat ip6 prefix to ip6 saddr map { 2001:db8:a:1::/64 : 2001:db8:a:2::/64 }
				    }
				}
			END
		;;
	ip6ip6) tunnel A B && tunnel B A ;;
	esac
}

end() {
	local host

	! loaded || rmmod shim6 || return
	case $1 in
	ila)
		for host in A B; do
			on $host ip ila del loc_match "2001:db8:${host,}:2" || return
		done
		;;
	nptv6) on A nft delete table ip6 nptv6 && on B ip -6 route del 2001:db8:a:2::/64 table 101 ;;
	ip6ip6) on A ip link del t6 && on B ip link del t6 ;;
	esac
	on A ip -6 route flush table 101 "$B1/128" && on B ip -6 route flush table 101 "$A1/128"
}

# sent_by WIRE: packets that A has sent there.
sent_by() {
	ip -j -s -n "$(topo_ns A)" link show "up$1" | jq '.[0].stats64.tx.packets'
}

# drops on|off: B throws away all that comes from the wires.
drops() {
	local i

	for i in 1 2; do
		case $1 in
		on) on B tc qdisc add dev up$i ingress && on B tc filter add dev up$i ingress protocol ipv6 u32 match u32 0 0 action drop ;;
		off) on B tc qdisc del dev up$i ingress ;;
		esac || return
	done
}

# blast TRAFFIC [PORT [MS]]: "SENT RECEIVED US". Sender, receiver and the kernel have one processor
# for all, where there are more: which of them does what would be chance.
blast() {
	on A taskset -c 0 blast "$1" "$A1" "$B1" "${2:-$BLAST_PORT}" "${3:-$LENGTH}" |
		sed -n 's/^sent=\([0-9]*\) received=\([0-9]*\) us=\([0-9]*\)$/\1 \2 \3/p'
}

# run TRAFFIC: the same with the devices as they have to be.
run() {
	case $1 in
	nic) device tx off tso off rx off gro on && blast tcp && device tx on tso on rx on gro off ;;
	read) blast tcp $READ_PORT ;;
	in) blast out $FULL_PORT ;;
	out) drops on && blast out && drops off ;;
	*) blast "$1" ;;
	esac
}

# sample CANDIDATE TRAFFIC: a line "CANDIDATE TRAFFIC VALUE LOST" with megabits or datagrams a
# second, and the share of the datagrams that did not arrive.
sample() {
	local wire before got line

	wire=$(field "$1" 2)
	before=$(sent_by "$wire")
	got=$(run "$2")
	[[ -n $got ]] || die "$1: no measurement of $2"
	# A measurement of something else would be worse than none.
	(($(sent_by "$wire") - before > 100)) || die "$1: $2 did not go by wire $wire"
	line=$(awk -v name="$1" -v traffic="$2" '{
		value = traffic == "out" || traffic == "in" ? $1 * 1e6 / $3 : traffic == "udp" ? $2 * 1e6 / $3 : $2 * 8 / $3
		printf "%s %s %.1f %.4f\n", name, traffic, value, traffic == "udp" ? 1 - $2 / $1 : 0
	}' <<<"$got")
	echo "$line" >>"$SAMPLES"
	echo "$line"
}

# measure CANDIDATE: all kinds of traffic.
measure() {
	local traffic

	begin "$1" || die "$1 cannot begin"
	# What a path has to learn first is not measured.
	on A ping -q -c 2 -i 0.01 -W 2 -I "$A1" "$B1" >/dev/null || die "$1: no packets go"
	for traffic in "${TRAFFIC[@]}"; do
		[[ -z ${BEGUN-} ]] || echo "$1 $traffic" >"$BEGUN"
		sample "$1" "$traffic"
	done
	end "$1" || die "$1 does not end"
}

listening() {
	[[ -n $(on B ss -Hltn "sport = $BLAST_PORT") && -n $(on B ss -Hltn "sport = $READ_PORT") && -n $(on B ss -Hlun "sport = $BLAST_PORT") &&
		-n $(on B ss -Hlun "sport = $FULL_PORT") ]]
}

# For the first seconds after a boot, processors wake each other with the timer only.
warm() {
	local received us

	read -r _ received us < <(blast udp $BLAST_PORT $((LENGTH < 1000 ? LENGTH : 1000)))
	((received * 1000000 / us > 20000))
}

report() {
	jq -L "$SELFTESTS/lib" -R -s --arg kernel "$(uname -r)" --arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
		--arg processor "$(sed -n 's/^model name[^:]*: //p; T; q' /proc/cpuinfo)" \
		--argjson processors "$(nproc)" --argjson rounds "$ROUNDS" --argjson ms "$LENGTH" \
		--arg clock "$CLOCK" --arg second "$SECOND" \
		--arg candidates "$CANDIDATES" --arg shares "$SHARES" --arg costs "$COSTS" '
	include "statistics";
	def lines: split("\n")[] | select(. != "") | [splits(" +")];
	[lines] as $all |
	def value($name; $traffic): [$all[] | select(.[0] == $name and .[1] == $traffic)[2] | tonumber];
	def measured($name; $traffic): value($name; $traffic) | if . == [] then null else side end;
	# Round by round, for what changes slowly is the same for both.
	def by_round($a; $b; f): [range([$a, $b | length] | min) as $i | {a: $a[$i], b: $b[$i]} | f];
	def ratios($one; $other; $traffic): by_round(value($one; $traffic); value($other; $traffic); .a / .b);
	# Nanoseconds, or instructions, that each datagram takes on its way.
	def cost($name; $way): if $way == "out" then value($name; "out") | map(1e9 / .)
		else by_round(value($name; "in"); value($name; "out"); 1e9 / .a - 1e9 / .b) end;
	def added($name; $way): by_round(cost($name; $way); cost("absent"; $way); .a - .b);
	{
		kernel: $kernel, date: $date, processor: $processor, processors: $processors,
		rounds: $rounds, milliseconds: $ms,
		units: {stream: "Mbit \($second)", datagrams: "datagrams \($second)", added: $clock},
		results: [$candidates | lines | .[0] as $name | select(any($all[]; .[0] == $name)) | {
			name: $name, what: (.[2:] | join(" ")),
			tcp: measured($name; "tcp"), read: measured($name; "read"), nic: measured($name; "nic"),
			udp: measured($name; "udp"), in: measured($name; "in"), out: measured($name; "out"),
			lost: ([$all[] | select(.[0] == $name and .[1] == "udp")[3] | tonumber] | max),
			added: (def middle: if . == [] then null else median end;
				{out: (added($name; "out") | middle), in: (added($name; "in") | middle)})
		}],
		targets: ([$shares | lines | . as $line | ratios(.[0]; .[1]; .[2]) | select(. != []) | map(. * 100) | estimate |
			($line[3] | tonumber * 100) as $least | {
			what: "\($line[4:] | join(" ")), of \($line[1])", unit: "%", target: "at least \($least)"
		} + . + {met: verdict(. >= $least)}]
		+ [$costs | lines | select(.[1] == $clock) | . as $line | (.[2] | tonumber) as $most |
			("out", "in") as $way | added(.[0]; $way) | select(. != []) | estimate | {
			what: "\($line[3:] | join(" ")), added to a packet \($way)", unit: $clock, target: "at most \($most)"
		} + . + {met: verdict(. <= $most)}])
	}' "$SAMPLES"
}

table() {
	local row='%-8s %7s %15s %7s %15s %7s %15s %8s %17s %8s %17s %6s %6s  %s\n'

	# shellcheck disable=SC2059 # a format for all rows.
	printf "$row" '' tcp 'min..max' read 'min..max' nic 'min..max' udp 'min..max' out 'min..max' '+ out' '+ in' ''
	jq -r '.results[] | [.name,
		((.tcp, .read, .nic, .udp, .out) |
			if . == null then "-", "-" else (.median | round), "\(.min | round)..\(.max | round)" end),
		((.added.out, .added.in) | if . == null then "-" else round end), .what
	] | map(tostring) | join("\t")' "$OUT" |
		while IFS=$'\t' read -ra cells; do
			# shellcheck disable=SC2059 # the same.
			printf "$row" "${cells[@]}"
		done
}

: >"$OUT" || die "cannot write $OUT"
SAMPLES=$(mktemp)
at_exit rm -f "$SAMPLES"
choose_candidates "${@:4}"
! loaded || rmmod shim6 || die "the module cannot be removed"
topo_up direct
spawn B taskset -c 0 blast receive "$B1" $BLAST_PORT
spawn B blast hold "$B1" $FULL_PORT
wait_until 20 listening || die "the receiver does not listen"
wait_until 60 warm || die "the machine does not get up to speed"
for ((round = 0; round < ROUNDS; round++)); do
	for ((i = 0; i < ${#names[@]}; i++)); do
		measure "${names[(i + round) % ${#names[@]}]}"
	done
done
report >"$OUT" || die "jq"
echo
echo "Medians of $ROUNDS turns of $LENGTH ms in one boot of $(uname -r): Mbit and datagrams $SECOND, $CLOCK added to a packet:"
table
echo
jq -r 'def tenths: . * 10 | round / 10;
	.targets[] | [.what, "\(.measured | tenths) \(.unit)",
		(if .from == null then "" else "\(.from | tenths) to \(.to | tenths)" end), .target,
		(if .met == null then "not decided" elif .met then "met" else "NOT MET" end)] | join("|")' "$OUT" |
	while IFS='|' read -r what measured between target met; do
		printf '%-55s %14s  %-16s  %-12s %s\n' "$what" "$measured" "$between" "$target" "$met"
	done
