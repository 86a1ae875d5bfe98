#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What programs tell the shim about failure detection, lists and locators changes
# what goes over the wire (shim-api draft sections 5.3 to 5.11 and 6).

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"

need python3 shim_look shim_receive shim_steer

# agent HOST SOURCE DESTINATION: a program with a connected UDP socket, told by
# `tell HOST ...` what to do; it answers each with a line.
agent() {
	mkfifo "$TOPO_DIR/agent-$1"
	cat >"$TOPO_DIR/agent.py" <<-'PY'
		import errno, select, socket, struct, sys, time

		SOL_SHIM = 140
		NAMES = {"standby": 3, "local": 4, "peer": 5, "locals": 8, "timeout": 10, "explore": 11}
		s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
		s.bind((sys.argv[1], 9))
		s.connect((sys.argv[2], 9))
		s.getsockopt(SOL_SHIM, 1)

		def record(text):
		    return struct.pack("BBBB", socket.AF_INET6, 0, 0, 255) + \
		        socket.inet_pton(socket.AF_INET6, text)

		def locator(text):
		    return struct.pack("=HHI16sI", socket.AF_INET6, 0, 0,
		                       socket.inet_pton(socket.AF_INET6, text), 0)

		def act(verb, *words):
		    if verb == "set":
		        name, *values = words
		        if name in ("local", "peer"):
		            value = record(values[0])
		        elif name == "locals":
		            value = b"".join(map(record, values))
		        elif name == "explore":
		            value = struct.pack("=BBHI", *map(int, values), 0)
		        else:
		            value = int(values[0])
		        s.setsockopt(SOL_SHIM, NAMES[name], value)
		    elif verb == "reset":
		        s.setsockopt(SOL_SHIM, NAMES[words[0]], None, 0)
		    elif verb == "over":
		        s.sendmsg([b"over"], [(SOL_SHIM, 13, locator(words[0])),
		                              (SOL_SHIM, 14, locator(words[1]))])
		    elif verb == "say":
		        s.sendmsg([b"x"], [(SOL_SHIM, 15 if words[0] == "good" else 16, b"")])
		    elif verb == "every":
		        global interval, praise
		        interval, praise = float(words[0]), len(words) > 1

		commands = open(sys.argv[3], "rb+", buffering=0)
		interval, praise, buffered, praised = 0, False, b"", 0
		print("ready", flush=True)
		while True:
		    ready, _, _ = select.select([commands, s], [], [], interval or 60)
		    if s in ready:
		        try:
		            s.recv(2000)
		        except OSError:
		            pass
		    elif commands in ready:
		        buffered += commands.read(4096)
		        while b"\n" in buffered:
		            line, buffered = buffered.split(b"\n", 1)
		            try:
		                act(*line.decode().split())
		                print("ok", flush=True)
		            except OSError as error:
		                names = {2240: "EINVALIDLOCATOR"}
		                print(errno.errorcode.get(error.errno, names.get(error.errno, "?")),
		                      flush=True)
		    elif interval:
		        try:
		            if praise and time.monotonic() - praised > 0.3:
		                praised = time.monotonic()
		                act("say", "good")
		            else:
		                s.send(bytes(100))
		        except OSError:
		            pass
	PY
	spawn "$1" python3 "$TOPO_DIR/agent.py" "$(topo_address "$2")" "$(topo_address "$3")" \
		"$TOPO_DIR/agent-$1" >"$TOPO_DIR/agent-$1.log"
	wait_until 10 grep -q ready "$TOPO_DIR/agent-$1.log"
}

# tell HOST WORD...: prints "ok" or the name of the error.
tell() {
	local before

	before=$(wc -l <"$TOPO_DIR/agent-$1.log")
	echo "${*:2}" >"$TOPO_DIR/agent-$1"
	wait_until 10 answered "$1" "$before" || return
	sed -n "$((before + 1))p" "$TOPO_DIR/agent-$1.log"
}

answered() {
	(($(wc -l <"$TOPO_DIR/agent-$1.log") > $2))
}

counted() {
	(($(stat_since "$1" "$2") >= $3))
}

is_operational() {
	[[ $(shows A .reap) == operational && $(shows B .reap) == operational ]]
}

is_pair() {
	local pair

	pair=$(shows "$1" '.current_local + " " + .current_peer')
	[[ $pair == "$(topo_address "$2") $(topo_address "$3")" ]]
}

capture() {
	topo_capture "$@" 'ip6[6] = 140 and ip6[42] < 128'
}

tap_begin
dmesg_mark
topo_up || die "hosts"
for host in A B; do
	if ! { identity $host && timers $host 20 && setting $host idle_timeout 300000 &&
		setting $host send_timeout 6000; }; then die "settings"; fi
done
establish || die "no context"
agent A A1 B1 || die "no program on A"
agent B B1 A1 || die "no program on B"
capture all A up1 || die "no capture"

# Locators that were never probed.
is "a locator of the peer that was never probed: EINVALIDLOCATOR #72 #73" \
	"$(tell A over "$A2" "$B2")" EINVALIDLOCATOR
is "and no packet goes there" "$(topo_pair A2 B2)" 0
# What is not in use is not worth the question.
tell A every 0.1 >/dev/null
stat_mark A B
is "it may be preferred #44" "$(tell A set peer "$B2")" ok
check "the peer is asked there first #73 #110" wait_until 10 counted A OutUpdateRequest 1
check "and then it is used #5" wait_until 10 is_pair A A1 B2
tell A every 0 >/dev/null
is "a locator that is not the peer's may not #44 #45" "$(tell A set peer "$A2")" EINVALIDLOCATOR
is "back to the ULID" "$(tell A set peer "$B1")" ok
is "and no preference" "$(tell A reset peer)" ok
is "now datagrams may go there #73" "$(tell A over "$A2" "$B2")" ok

# Lists.
stat_mark A B
is "A's list without A2" "$(tell A set locals "$A1")" ok
check "B is told by an Update Request #59" wait_until 10 counted B InUpdateRequest 1
lists() {
	[[ $(shows B '.locator_peer | length') == "$1" ]]
}
check "and has that list" wait_until 10 lists 1
is "all of it again" "$(tell A reset locals)" ok
check "B has that #108" wait_until 10 lists 2
is "A's list, set to both" "$(tell A set locals "$A1" "$A2")" ok
tell A every 0.1 >/dev/null
topo_carrier A 1 down
check "the link of A1 goes: B hears that it is BROKEN" wait_until 10 is_broken B "$A1" true
topo_carrier A 1 up
check "it is back: B hears that too" wait_until 10 is_broken B "$A1" false
tell A every 0 >/dev/null
is "all of it again" "$(tell A reset locals)" ok
check "both use A1 and B1 again" topo_switch_both A1 B1

# Feedback.
stat_mark A B
is "a program complains" "$(tell A say bad)" ok
check "A explores #10" wait_until 10 counted A OutProbe 1
check "and is content again" wait_until 20 is_operational
topo_capture_stop
topo_switch_both A1 B1 || die "switch"
stat_mark A B
is "A has a timeout of 1 s" "$(tell A set timeout 1)" ok
check "which B is told #11" wait_until 10 counted A OutUpdateRequest 1
topo_break B1 A1
since=$(now_ms)
is "A sends, and nothing comes back" "$(tell A every 0.1)" ok
check "A probes after that time, not after 6 s #64" wait_until 4 counted A OutProbe 1
note "after $(($(now_ms) - since)) ms"
topo_heal
check "both are content" wait_until 20 is_operational

# While a program says that all is well, nobody explores. One in a second counts.
is "A has a timeout of 2 s" "$(tell A set timeout 2)" ok
tell A every 0.1 praise >/dev/null
topo_switch_both A1 B1
check "both are content" wait_until 20 is_operational
topo_break B1 A1
topo_break B2 A1
topo_break B1 A2
topo_break B2 A2
stat_mark A B
# Twice that time.
pause 4
is "a program that is content keeps A from probing #9" "$(stat_since A OutProbe)" 0
tell A every 0.1 >/dev/null
check "without that it probes" wait_until 10 counted A OutProbe 1
topo_heal
check "both are content" wait_until 30 is_operational

# Path exploration.
is "A has 12 Probes 100 ms apart" "$(tell A set explore 12 1 100)" ok
topo_switch_both A1 B1
check "both are content" wait_until 20 is_operational
capture probes A up1 || die "no capture"
stat_mark A B
topo_kill B1 B2
check "they are sent #14 #36 #11" wait_until 6 counted A OutProbe 10
topo_capture_stop
mapfile -t gaps < <(messages probes | awk '$4 == "Probe" { if (n++) print $1 - last; last = $1 }')
holds "more than one pair is probed, each Probe over one #39" \
	"$(messages probes | awk '$4 == "Probe" { print $2, $3 }' | sort -u | wc -l) > 1"
note "times between those of A1: ${gaps[*]} ms"
topo_heal
check "both are content" wait_until 40 is_operational
is "as others again" "$(tell A reset explore)" ok

# Keepalives, three in a Send Timeout.
for host in A B; do setting $host send_timeout 2000; done
topo_switch_both A1 B1
tell A every 0.05 >/dev/null
stat_mark A B
check "B sends Keepalives" wait_until 20 counted B OutKeepalive 1
is "B has a timeout above the system's" "$(tell B set timeout 60)" ok
stat_mark B
# Time for three.
pause 2
is "B sends none #12 #65" "$(stat_since B OutKeepalive)" 0
is "B has one of 1 s" "$(tell B set timeout 1)" ok
stat_mark B
check "B sends one a second, after the last payload #117" wait_until 6 counted B OutKeepalive 3
tell B set timeout 0 >/dev/null

# Hot standby.
for host in A B; do setting $host standby_interval 500; done
is "A wants a hot standby" "$(tell A set standby 1)" ok
stands_by() {
	[[ $(shows A '[.history[] | select(.event == "standby")] | length') -gt 0 ]]
}
check "a second pair is confirmed #13" wait_until 20 stands_by
tell A every 0.05 >/dev/null

# The examples.
tell A every 0 >/dev/null
check "shim_look shows what there is #7 #8 #21" on A shim_look "$A1" "$B1" 7
on A shim_look "$A1" "$B1" 7 >"$TOPO_DIR/look"
holds "two locators of each, one of each in use" \
	"$(grep -c '^local' "$TOPO_DIR/look") == 2 && $(grep -c '\*$' "$TOPO_DIR/look") == 2"
spawn B shim_receive "$B1" 11 2 >"$TOPO_DIR/received"
wait_until 10 grep -q ready "$TOPO_DIR/received" || die "no receiver"
on A shim_steer "$A1" "$B1" 11 "$A2" "$B2" "$A2" "$A1" >"$TOPO_DIR/steered"
is "shim_steer steers a datagram, and says what it cannot #81 #82" \
	"$(sed 's/.*: //' "$TOPO_DIR/steered" | tr '\n' '|')" \
	"sent|the shim does not take these locators|"
check "shim_receive has got both" wait_until 10 grep -q "from $A1: $A2 to $B2" "$TOPO_DIR/received"
cat "$TOPO_DIR/look" "$TOPO_DIR/steered" "$TOPO_DIR/received" | while IFS= read -r line; do note "$line"; done
check "tshark finds all checksums right" tshark_checksums all probes
check "the kernel's log is clean" dmesg_clean
tap_end
