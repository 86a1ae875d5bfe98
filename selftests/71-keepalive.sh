#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Keepalives (RFC 5534, Sections 4.1 and 6): who only receives lets the sender know,
# as often as the sender wants it, and not when told not to.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/reap.sh"

need python3

# one_way: datagrams from A1 to B1, where nobody answers them. The sender is $sender.
one_way() {
	cat >"$TOPO_DIR/one-way.py" <<-'PY'
		import socket, sys, time

		s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
		s.bind((sys.argv[2], 9))
		if sys.argv[1] == "receive":
		    print("ready", flush=True)
		    while True:
		        s.recv(2000)
		s.connect((sys.argv[3], 9))
		while True:
		    s.send(bytes(100))
		    time.sleep(0.02)
	PY
	spawn B python3 "$TOPO_DIR/one-way.py" receive "$B1" >"$TOPO_DIR/ready"
	wait_until 10 grep -q ready "$TOPO_DIR/ready" || return
	send
}

send() {
	spawn A python3 "$TOPO_DIR/one-way.py" send "$A1" "$B1"
	sender=$SPAWNED
}

# own HOST OPTION VALUE: a constant of HOST's context.
own() {
	local ours=${1}1 theirs=B1

	[[ $1 == B ]] && theirs=A1
	on "$1" shim6 context set --ulid-local "${!ours}" --ulid-peer "${!theirs}" "--$2" "$3"
}

tap_begin
dmesg_mark
reap_hosts 3000 || die "hosts"

# S28, S29, S30
reap_capture s28 B up1 || die "no capture"
one_way || die "no sender"
check "S28: one way only: B sends Keepalives" wait_until 20 counted B OutKeepalive 7
is "A never probes" "$(stat_since A OutProbe)" 0
stop "$sender"
topo_capture_stop
is "nothing but Keepalives" "$(all_types s28 B | tr ' ' '\n' | sort -u)" Keepalive
# A has some of its own to send: for the handshake.
mapfile -t gaps < <(messages s28 | awk -v from="$B1" '$2 == from && $4 == "Keepalive" { if (n++) print $1 - last; last = $1 }')
mapfile -t gaps < <(printf '%s\n' "${gaps[@]}" | sort -n)
note "times between them: ${gaps[*]} ms"
# An emulated machine may be late with some.
holds "never sooner than a fifth before the interval of 1000 ms" "${gaps[0]} >= 780"
holds "in the middle ${gaps[${#gaps[@]} / 2]} ms" "${gaps[${#gaps[@]} / 2]} <= 1200"
quiet() {
	local before

	before=$(stat_get B OutKeepalive)
	pause 3
	(($(stat_get B OutKeepalive) == before))
}
check "S29, S30: without payload there are no more" wait_until 20 quiet
is "and no Probes" "$(stat_since A OutProbe) $(stat_since B OutProbe)" "0 0"

# S31. B hears of A's Send Timeout.
reap_capture s31 A up1 || die "no capture"
stat_mark A B
check "S31: A's Send Timeout is 20 seconds" own A send-timeout 20000
check "B is told by an Update Request, and says so" wait_until 10 counted A InUpdateAcknowledgement 1
topo_capture_stop
# Option 10, Keepalive Timeout, not critical; two octets reserved, 20 seconds.
check "it has the option" eval 'messages s31 | grep " Update " | grep -q 0014000400000014'
is "it is shown" "$(shows A '.failure_detection | "\(.send_timeout_ms) \(.overridden | join(","))"')" \
	"20000 send-timeout"
check "A's Send Timeout is that of the namespace again" own A send-timeout default
check "B is told of that as well" wait_until 10 counted A InUpdateAcknowledgement 2
is "nothing is this context's own" "$(shows A '.failure_detection.overridden | length')" 0

# S32
check "S32: B's context sends no Keepalives" own B keepalives off
stat_mark A B
send
check "A probes after its Send Timeout, and B answers" wait_until 20 counted A InProbe 1
check "both ends are operational" wait_until 10 is_operational
is "no Keepalive was sent" "$(stat_since B OutKeepalive)" 0
is "A stays where it is" "$(pair A)" "A1 B1"
check "bad values are refused" eval '! own A send-timeout 5 && ! own A initial-probes 0 && ! own A hot-standby 2'
stop "$sender"
check "tshark finds all checksums right" tshark_checksums s28 s31
check "the kernel's log is clean" dmesg_clean
tap_end
