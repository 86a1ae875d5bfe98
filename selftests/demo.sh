#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The main job, on real traffic: a download by programs that know nothing of
# Shim6 moves from one provider to another while the first one fails.
#
#	demo.sh [MEGABYTES]		(default 200; 1 MB = 2^20 octets)
#
# Exit status 0 if the file arrived whole and both directions moved.

. "$(dirname "$0")/lib/traffic.sh"
. "$(dirname "$0")/lib/diag.sh"

readonly MEGABYTES=${1:-200}
[[ $MEGABYTES =~ ^[1-9][0-9]*$ ]] || die "not a number of megabytes: $MEGABYTES"
readonly SIZE=$((MEGABYTES << 20))
readonly HTTP_PORT=8080 STEER_PORT=7000
# A user takes a longer stall for a dead connection.
readonly MOST_STALL_MS=10000

step() {
	printf '%-62s' "$*"
	STEP_BEGAN=$(now_ms)
}

ok() {
	printf '%5d ms\n' $(($(now_ms) - STEP_BEGAN))
}

served_http() {
	[[ -n $(on B ss -Hltn "sport = $HTTP_PORT") ]]
}

# said HOST TEXT: that host's steer has printed it.
said() {
	grep -q -- "$2" "$TOPO_DIR/steer-$1" 2>/dev/null
}

arrived() {
	local octets=0

	read -r _ octets _ < <(tail -n 1 "$TOPO_DIR/meter")
	((${octets:-0} >= $1))
}

# arriving OCTETS: so much has arrived, or curl has given up.
arriving() {
	arrived "$1" || gone "$curl"
}

# named: names for addresses.
named() {
	sed -e "s/$A1/A1/g" -e "s/$A2/A2/g" -e "s/$B1/B1/g" -e "s/$B2/B2/g"
}

# fail WHY
fail() {
	TROUBLE=$*
	exit 1
}

# What the programs wrote, and the network, if there is no good end.
demo_failed() {
	local file

	[[ -z $PASSED ]] || return 0
	exec 2>&1
	echo
	for file in "$TOPO_DIR"/{curl,http,steer-A,steer-B}; do
		[[ -s $file ]] || continue
		echo "== output of ${file##*/}"
		named <"$file" | tail -n 20
	done
	diag_dump
	echo "FAILED: ${TROUBLE:-the demonstration did not come to its end}"
}

# after_cut N: octets of the file (1), or received by an uplink (2, 3), since
# provider 1 was cut.
after_cut() {
	awk -v cut="$CUT" -v column=$(($1 + 1)) '
		$1 == "looks" { next }
		$1 <= cut { before = $column }
		{ last = $column }
		END { print last - before }' "$TOPO_DIR/meter"
}

# stall: the longest time without a new octet that ended after the cut, "NONE"
# if nothing arrived any more.
stall() {
	awk -v cut="$CUT" '
		$1 == "looks" { next }
		$1 > cut && $1 - before > longest { longest = $1 - before }
		{ before = $1 }
		END { print longest ? longest : "NONE" }' "$TOPO_DIR/meter"
}

# event TIME WORDS...
event() {
	echo "$@" >>"$TOPO_DIR/events"
}

# What steer on both hosts did, for the timeline.
steer_events() {
	local host time what first second

	for host in A B; do
		while read -r time what first second; do
			case $what in
			sends) event "$time" path $host "$first>$second" ;;
			SHIM_LOC_*_PREF | failed:)
				event "$time" "steer on $host: $what $first${second:+ $second}" ;;
			esac
		done < <(named <"$TOPO_DIR/steer-$host")
	done
	sort -s -n -o "$TOPO_DIR/events" "$TOPO_DIR/events"
}

cat <<END
Two hosts, two providers each:

   A --A1-- provider 1 --.           .-- provider 1 --B1-- B
   |                      >-- core --<                     |
   \`---A2-- provider 2 --'           '-- provider 2 --B2---'

   A1 $A1		B1 $B1
   A2 $A2		B2 $B2

A downloads $MEGABYTES MB from B with curl, from Python's http.server. Both talk to each other
between A1 and B1, and know nothing of Shim6. Then provider 1 dies on both sides.

END

TROUBLE='' PASSED=''
step "network of seven namespaces"
topo_up
at_exit demo_failed
# What a provider may sell: 200 Mbit/s and a short queue. Without a limit, a fast
# machine would be through before anybody could cut anything.
for i in 1 2; do
	topo_netem A $i rate 200mbit limit 32 || fail "netem"
done
ok
step "static contexts on A and B, by the command shim6"
topo_contexts || fail "contexts"
ok
step "a file of $MEGABYTES MB on B and its SHA-256; the HTTP server"
mkdir "$TOPO_DIR/www"
spawn B python3 -m http.server --bind "$B1" --directory "$TOPO_DIR/www" \
	"$HTTP_PORT" >"$TOPO_DIR/http" 2>&1
read -r expected _ < <(head -c "$SIZE" /dev/urandom | tee "$TOPO_DIR/www/file" | sha256sum)
wait_until 30 served_http || fail "$(<"$TOPO_DIR/http")"
ok
step "steer on B and on A, one TCP connection between them"
spawn B steer -l $STEER_PORT >"$TOPO_DIR/steer-B" 2>&1
wait_until 10 said B listening || fail "steer: $(<"$TOPO_DIR/steer-B")"
mkfifo "$TOPO_DIR/tell"
exec {TELL}<>"$TOPO_DIR/tell"
spawn A steer "$A1" "$B1" $STEER_PORT <&"$TELL" >"$TOPO_DIR/steer-A" 2>&1
for host in A B; do
	wait_until 10 said $host sends || fail "steer: $(<"$TOPO_DIR/steer-$host")"
done
ok
for host in A B; do
	echo
	echo "What steer sees on $host, through getsockopt(SOL_SHIM):"
	named <"$TOPO_DIR/steer-$host" | sed -n '/listening/d; s/^[0-9]*/  /p'
done
echo

step "curl begins"
: >"$TOPO_DIR/got"
spawn A meter "$TOPO_DIR/got" "$SIZE" up1 up2 >"$TOPO_DIR/meter"
meter=$SPAWNED
# It gives up when nothing arrives for 30 seconds.
spawn A curl -s -S --fail --speed-limit 1 --speed-time 30 -o "$TOPO_DIR/got" \
	"http://[$B1]:$HTTP_PORT/file" 2>"$TOPO_DIR/curl"
curl=$SPAWNED
wait_until 60 arriving 1 || fail "nothing arrives"
ok
step "40 % have arrived"
wait_until 240 arriving $((SIZE * 2 / 5)) || fail "the download is too slow"
ok
arrived "$SIZE" && fail "the download has ended before the cut"
step "provider 1 of A and of B is cut: the core drops A1 and B1"
read -r CUT _ </proc/uptime
CUT=$((10#${CUT/./} * 10))
topo_kill A1 B1 || fail "nftables"
echo "prefer $A2 $B2" >&"$TELL"
event "$CUT" "provider 1 is being cut"
ok
step "steer on A moves its direction, asks steer on B for the other one"
wait_until 60 said B "sends $B2 $A2" || fail "B did not move"
ok
step "curl ends"
wait "$curl"
status=$?
((status == 0)) || stop "$meter"
wait "$meter"
ok
step "SHA-256 of what arrived"
read -r got _ < <(sha256sum "$TOPO_DIR/got")
lost=$((SIZE - $(stat -c %s "$TOPO_DIR/got")))
ok

steer_events
stall=$(stall)
read -r _ resolution < <(grep looks "$TOPO_DIR/meter")
echo
awk -f "$SELFTESTS/lib/timeline.awk" "$TOPO_DIR/meter" "$TOPO_DIR/events"
echo
echo "Packets that the core saw (large ones are whole here, as B sent them):"
topo_pairs | named | sed -n 's/^\([AB][12]\) \([AB][12]\) \(.*\)/  \1 > \2 \3/p' | sort
dropped=$(topo_dropped)
echo "  dropped, to or from provider 1: $dropped"
echo
sum=right
[[ $got == "$expected" ]] || sum=wrong
echo "stall:       $stall ms (longest time without a new octet after the cut; ${resolution:-?} ms is"
echo "             the longest time between two looks at the file)"
echo "bytes lost:  $lost"
echo "SHA-256:     $sum"

if ((status != 0)); then
	fail "curl ended with status $status: $(<"$TOPO_DIR/curl")"
elif [[ $sum != right ]]; then
	fail "what arrived is not what B sent"
elif ((dropped == 0)); then
	fail "the core dropped nothing, so nothing was proved"
elif ! said A "SHIM_ASSOCIATED 1" || ! said B "SHIM_ASSOCIATED 1"; then
	fail "a socket is not associated with its context"
elif ! said A "sends $A2 $B2"; then
	fail "the direction from A to B did not move"
elif (($(after_cut 3) < $(after_cut 1) / 2)); then
	fail "what arrived after the cut did not come by provider 2"
elif ((stall > MOST_STALL_MS)); then
	fail "a stall of more than $MOST_STALL_MS ms"
fi
PASSED=yes
cat <<END

PASSED: provider 1 died in the middle of a download and stayed dead. The same TCP connection went on
over provider 2 after $stall ms, and no byte was lost. curl and the HTTP server noticed nothing.
END
