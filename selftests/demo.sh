#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The main job, on real traffic: a download by programs that know nothing of
# Shim6 goes on while a provider dies, and nobody helps. Twice: the hosts find out
# and look for another path, then with another path standing by.
#
#	demo.sh [MEGABYTES [FILE]]	(default 200; 1 MB = 2^20 octets)
#
# FILE gets what was seen, as JSON, for tools/plot/demo.py: times in milliseconds since boot.
# Exit status 0 if both files arrived whole and both directions moved.

. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/diag.sh"

readonly MEGABYTES=${1:-200}
[[ $MEGABYTES =~ ^[1-9][0-9]*$ ]] || die "not a number of megabytes: $MEGABYTES"
readonly SIZE=$((MEGABYTES << 20))
readonly RECORD=${2:-}
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

# headline WORDS
headline() {
	TITLE=$*
	printf '\n=== %s\n\n' "$*"
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
	arrived "$1" || gone "$CURL"
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

# listen HOST: its events from now on. The clock of their times is the day's, that of
# the timeline counts from boot.
listen() {
	monitor_start "$1" || fail "shim6 monitor on $1"
	MONITOR[$1]=$SPAWNED
}

# told HOST: events of the download's context on this host, for the timeline. Decimals of
# their times keep cause and effect in order within a millisecond.
told() {
	local host=$1 peer=B

	[[ $host == B ]] && peer=A
	jq -r --argjson boot "$BOOT_MS" --arg host "$host" --arg ours "$(topo_address "${host}1")" \
		--arg theirs "$(topo_address "${peer}1")" '
		select(.ulid_local == $ours and .ulid_peer == $theirs)
		| (((.time[0:19] + "Z" | fromdateiso8601) * 1000 + (.time[20:23] | tonumber)) - $boot) as $ms
		| (if .cause == null or .cause == "none" then "" else " (\(.cause))" end) as $why
		| if .event == "pair" then
			"\($ms).4 path \($host) \(.current_local)>\(.current_peer)",
			"\($ms).4 \($host) sends \(.current_local) > \(.current_peer) now\($why)"
		  elif .event == "state" then "\($ms).1 \($host): context \(.state)\($why)"
		  elif .event == "exploring" then "\($ms).1 \($host): is this path dead? Exploring\($why)"
		  elif .event == "inbound-ok" then "\($ms).3 \($host): hears the peer, is not sure to be heard\($why)"
		  elif .event == "operational" then "\($ms).5 \($host): works both ways\($why)"
		  elif .event == "standby" then "\($ms).5 \($host): another pair stands by"
		  else empty end' "$TOPO_DIR/events-$host" | named
}

# probed HOST N: the Probes (type 67) that left it by an uplink, for the timeline.
probed() {
	tcpdump -n -tt -r "$TOPO_DIR/probes-$1$2.pcap" "src host $(topo_address "$1$2")" 2>/dev/null | named |
		awk -v boot="$BOOT_MS" -v host="$1" '{
			sub(/:$/, "", $5)
			printf "%d.2 %s: Probe %s > %s\n", $1 * 1000 - boot, host, $3, $5
		}'
}

# The timeline has whole times only.
timeline() {
	local host

	topo_capture_stop
	for host in A B; do
		stop "${MONITOR[$host]}"
		echo "$BEGAN path $host $([[ $host == A ]] && echo "A1>B1" || echo "B1>A1")"
		told $host
		probed $host 1
		probed $host 2
	done >"$TOPO_DIR/events"
	echo "$CUT provider 1 of A and of B dies: the core drops A1 and B1" >>"$TOPO_DIR/events"
	sort -s -n -o "$TOPO_DIR/events" "$TOPO_DIR/events"
	echo
	awk -f "$SELFTESTS/lib/timeline.awk" "$TOPO_DIR/meter" "$TOPO_DIR/events"
	echo
}

# record: what was seen of this download, one more line of JSON.
record() {
	[[ -n $RECORD && $STALL != NONE ]] || return 0
	jq -c -n --arg title "$TITLE" --argjson began "$BEGAN" --argjson cut "$CUT" --argjson stall "$STALL" \
		--rawfile meter "$TOPO_DIR/meter" --rawfile events "$TOPO_DIR/events" '
		def lines: split("\n") | map(select(. != ""));
		[$events | lines[] | capture("^(?<ms>[0-9]+)[^ ]* (?<text>.*)") | .ms |= tonumber] as $told
		| {
			title: $title, began: $began, cut: $cut, stall: $stall,
			meter: [$meter | lines[] | select(startswith("looks") | not) | split(" ") | map(tonumber)],
			events: [$told[] | select(.text | startswith("path ") | not)],
			paths: [$told[] | . as {$ms} | .text | capture("^path (?<host>.) (?<pair>.*)") | {$ms} + .]
		}' >>"$TOPO_DIR/record"
}

# sees HOST: what a C program sees there.
sees() {
	echo "What the program steer sees on $1, through getsockopt(SOL_SHIM):"
	named <"$TOPO_DIR/steer-$1" | sed -n '/listening/d; s/^[0-9]*/  /p'
}

# Its own connection between the same addresses, so it shares the context.
steer_both() {
	local host

	spawn B steer -l $STEER_PORT >"$TOPO_DIR/steer-B" 2>&1
	wait_until 10 said B listening || fail "steer: $(<"$TOPO_DIR/steer-B")"
	spawn A steer "$A1" "$B1" $STEER_PORT <>"$TOPO_DIR/silence" >"$TOPO_DIR/steer-A" 2>&1
	for host in A B; do
		wait_until 10 said $host sends || fail "steer: $(<"$TOPO_DIR/steer-$host")"
	done
}

# Kernels without ftrace have none: steer has nothing to see there.
has_socket_level() {
	! dmesg | grep -q 'socket level SOL_SHIM unavailable'
}

both_established() {
	in_state A ESTABLISHED && in_state B ESTABLISHED
}

both_stand_by() {
	[[ -n $(shows A '.failure_detection.standby_local // empty') && -n $(shows B '.failure_detection.standby_local // empty') ]]
}

# download READY WHAT: A gets the file from B; when READY holds (WHAT says so), and 40 % have
# arrived, provider 1 dies. Fails if anything is lost. The stall is $STALL.
download() {
	local host i meter status got lost resolution dropped sum=right

	for host in A B; do
		listen $host
		for i in 1 2; do
			topo_capture "probes-$host$i" $host up$i 'ip6[6] = 140 and ip6[42] = 67' || fail "no capture"
		done
	done
	step "curl begins"
	: >"$TOPO_DIR/got"
	BEGAN=$(now_ms)
	spawn A meter "$TOPO_DIR/got" "$SIZE" up1 up2 >"$TOPO_DIR/meter"
	meter=$SPAWNED
	# It gives up when nothing arrives for 30 seconds.
	spawn A curl -s -S --fail --speed-limit 1 --speed-time 30 -o "$TOPO_DIR/got" \
		"http://[$B1]:$HTTP_PORT/file" 2>"$TOPO_DIR/curl"
	CURL=$SPAWNED
	wait_until 60 arriving 1 || fail "nothing arrives"
	ok
	step "$2"
	wait_until 60 "$1" || fail "$2: this did not happen"
	ok
	! has_socket_level || [[ -s $TOPO_DIR/steer-A ]] || steer_both
	step "40 % have arrived"
	wait_until 240 arriving $((SIZE * 2 / 5)) || fail "the download is too slow"
	ok
	! arrived "$SIZE" || fail "the download has ended before the cut"
	step "provider 1 dies; nobody does anything; curl ends"
	CUT=$(now_ms)
	topo_kill A1 B1 || fail "nftables"
	wait "$CURL"
	status=$?
	((status == 0)) || stop "$meter"
	wait "$meter"
	ok
	read -r got _ < <(sha256sum "$TOPO_DIR/got")
	lost=$((SIZE - $(stat -c %s "$TOPO_DIR/got")))
	STALL=$(stall)
	read -r _ resolution < <(grep looks "$TOPO_DIR/meter")
	timeline
	record || fail "what was seen could not be written"
	dropped=$(topo_dropped)
	echo "Packets that the core saw (large ones are whole here, as B sent them):"
	topo_pairs | named | sed -n 's/^\([AB][12]\) \([AB][12]\) \(.*\)/  \1 > \2 \3/p' | sort
	echo "  dropped, to or from provider 1: $dropped"
	echo
	[[ $got == "$EXPECTED" ]] || sum=wrong
	echo "stall:       $STALL ms (longest time without a new octet after the cut; ${resolution:-?} ms is"
	echo "             the longest time between two looks at the file)"
	echo "bytes lost:  $lost"
	echo "SHA-256:     $sum"

	if ((status != 0)); then
		fail "curl ended with status $status: $(<"$TOPO_DIR/curl")"
	elif [[ $sum != right ]]; then
		fail "what arrived is not what B sent"
	elif ((dropped == 0)); then
		fail "the core dropped nothing, so nothing was proved"
	elif (($(after_cut 3) < $(after_cut 1) / 2)); then
		fail "what arrived after the cut did not come by provider 2"
	elif ((STALL > MOST_STALL_MS)); then
		fail "a stall of more than $MOST_STALL_MS ms"
	fi
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

TROUBLE='' PASSED='' TITLE=''
declare -A MONITOR
step "network of seven namespaces"
topo_up
at_exit demo_failed
# What a provider may sell: 200 Mbit/s and a short queue. Without a limit, a fast
# machine would be through before anybody could cut anything.
for i in 1 2; do
	topo_netem A $i rate 200mbit limit 32 || fail "netem"
done
mkfifo "$TOPO_DIR/silence"
BOOT_MS=$(($(date +%s%3N) - $(now_ms)))
ok
step "identities of A and B; establish=auto, tcp_retransmits=1"
for host in A B; do
	{ identity $host && setting $host establish auto && setting $host tcp_retransmits 1; } || fail "identity of $host"
done
ok
step "a file of $MEGABYTES MB on B and its SHA-256; the HTTP server"
mkdir "$TOPO_DIR/www"
spawn B python3 -m http.server --bind "$B1" --directory "$TOPO_DIR/www" \
	"$HTTP_PORT" >"$TOPO_DIR/http" 2>&1
read -r EXPECTED _ < <(head -c "$SIZE" /dev/urandom | tee "$TOPO_DIR/www/file" | sha256sum)
wait_until 30 served_http || fail "$(<"$TOPO_DIR/http")"
ok

headline "The hosts find out, and find another path"
download both_established "the connection is worth a context: A and B establish one"
alone=$STALL
if has_socket_level; then
	for host in A B; do
		said $host "SHIM_ASSOCIATED 1" || fail "the socket of steer on $host is not associated with its context"
		sees $host
	done
	said A "sends $A2 $B2" || fail "the direction from A to B did not move"
fi

headline "Once more, with a hot standby"
step "provider 1 is back, and both hosts use it again"
topo_heal
for host in A B; do
	{ setting $host hot_standby on && setting $host standby_interval 1000 &&
		setting $host send_timeout 1000; } || fail "settings of $host"
done
topo_switch_both A1 B1 || fail "back to the first pair"
topo_forget_pairs
ok
download both_stand_by "a second pair is confirmed on both hosts"
standby=$STALL

if [[ -n $RECORD ]]; then
	jq -s --argjson megabytes "$MEGABYTES" --arg kernel "$(uname -r)" '{$megabytes, $kernel, downloads: .}' \
		"$TOPO_DIR/record" >"$RECORD" || fail "cannot write $RECORD"
fi
PASSED=yes
cat <<END

PASSED: provider 1 died in the middle of a download and stayed dead. The same TCP connection went on
over provider 2 after $alone ms, with a hot standby after $standby ms, and no byte was lost. curl and the
HTTP server noticed nothing.
END
