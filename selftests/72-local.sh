#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a host loses itself it knows at once: addresses and links (RFC 5534, Section
# 4.1). The Send Timeout is a minute, so it is not what helps.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/reap.sh"
. "$(dirname "$0")/lib/trace.sh"

why() {
	shows A '[.history[] | select(.event == "exploring")][0].cause'
}

local_is() {
	[[ $(pair A) == "$1 "* ]]
}

# moves WHAT LOCAL: A uses another address. How long that took is noted.
moves() {
	local since=$EPOCHREALTIME

	check "$1" wait_until 10 local_is "$2"
	note "after $(awk -v a="$since" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }') s"
	is "the cause is known" "$(why)" local-lost
	survives "the stream goes on"
}

tap_begin
dmesg_mark
reap_hosts 60000 || die "hosts"
{ flow_start stream tcp -w 60 -s 5000 -i 10 A1 B1 && flow_goes stream 100000; } || die "no stream"

# S33
topo_switch_both A2 B1
flow_goes stream 50000
ip -6 -n "$(topo_ns A)" address del "$A2/64" dev up2
moves "S33: A's current locator is deleted: A uses the other one" A1
check "B is told" wait_until 10 counted B InUpdateRequest 1
ip -6 -n "$(topo_ns A)" address add "$A2/64" dev up2 nodad

# S34
check "B is told of it again" wait_until 10 counted B InUpdateRequest 2
back
topo_carrier A 1 down
moves "S34: A's link loses its carrier: A uses the other one" A2
check "B hears that A1 is BROKEN" wait_until 10 is_broken B "$A1" true
topo_carrier A 1 up
check "and when it is not any more" wait_until 10 is_broken B "$A1" false

# The kernel tells of a lost carrier at most once a second, unless it knows another
# device below (net/core/link_watch.c): what is sent finds it out before.
back
{ ip -n "$(topo_ns A)" link add other type dummy && ip -n "$(topo_ns A)" link set other up; } || die "no other link"
is "A's uplink seems to have no device below: both ends have one number" \
	"$(ip -n "$(topo_ns A)" -j link show up1 | jq -c '.[0] | .ifname, .ifindex == .link_index' | paste -sd ' ')" '"up1" true'
# The last notice is more than a second ago, so the next one comes at once.
pause 1.1
ip -n "$(topo_ns A)" link set other carrier off
# The worker has looked at all links because of that one.
pause 0.2
topo_carrier A 1 down
since=$(now_ms)
check "S34: it loses it within a second of another one: A uses the other one" wait_until 10 local_is A2
took=$(($(now_ms) - since))
note "after $took ms"
holds "before the kernel tells" "$took < 500"
is "the cause is known" "$(why)" local-lost
topo_carrier A 1 up
back
topo_link A 1 down
moves "S34: A's link is taken down: A uses the other one" A2
topo_link A 1 up

# A connection with one segment under way waits 200 ms and more for its loss probe (RFC 8985, Section
# 7.2), which is no use to it once there is another path.
coproc TALK {
	# shellcheck disable=SC2016 # variables of that shell.
	on A bash -c 'exec 3<>"/dev/tcp/$0/$1" && while read -r line; do
		echo "$line" >&3 && read -r back <&3 && echo "$back"; done' "$B1" "$PORT"
}
say() {
	echo "$1" >&"${TALK[1]}"
}
hear() {
	local heard

	read -r -t 20 heard <&"${TALK[0]}" && [[ $heard == "$1" ]]
}
back
{ say one && hear one && say two && hear two; } || die "no talk"
topo_break A1 B1 both
say three
pause 0.02
topo_carrier A 1 down
since=$(now_ms)
check "what was said before the link was lost is heard" hear three
took=$(($(now_ms) - since))
note "after $took ms"
holds "without the time of a loss probe" "$took < 150"
# Its namespace stays as long as it does.
kill "$TALK_PID"
topo_carrier A 1 up
topo_heal

# While an address may be a duplicate the module looks at it now and then, not all the time.
none_is_tentative() {
	[[ -z $(on A ip -6 address show tentative) ]]
}
trace_begin || die "tracefs"
echo 1 >"$TRACE/events/workqueue/workqueue_execute_start/enable"
ip -6 -n "$(topo_ns A)" address add 2001:db8:a:1::77/64 dev up1
check_not "a new address may be a duplicate" none_is_tentative
check "and is found to be none" wait_until 10 none_is_tentative
runs=$(grep -c 'workqueue_execute_start: .*\[shim6\]' "$TRACE/trace")
note "the workers ran $runs times"
holds "the workers ran now and then" "0 < $runs && $runs < 200"
trace_end
ip -6 -n "$(topo_ns A)" address del 2001:db8:a:1::77/64 dev up1

# S71
back
check "S71: B says that B1 is BROKEN" on B shim6 context set --ulid-local "$B1" --ulid-peer "$A1" \
	--locator-local "$B1,broken"
survives "the stream goes on"
is "A explored, and does not use it any more" "$(pair A | cut -d ' ' -f 2) $(why)" "B2 peer-broken"
is "the ranking has it" \
	"$(shows A "[.failure_detection.ranking[] | select(.rank.broken > 0).peer] | unique[]")" "$B1"
check "B says that it is not" on B shim6 context set --ulid-local "$B1" --ulid-peer "$A1" \
	--locator-local "$B1"

# S70
back
check "S70: B prefers B1 to B2" on B shim6 context set --ulid-local "$B1" --ulid-peer "$A1" \
	--locator-local "$B2,priority=9"
knows() {
	[[ $(shows A "[.locator_peer[] | select(.address == \"$B2\")][0].priority") == 9 ]]
}
check "A knows" wait_until 10 knows
is "and tries A2 B1 before A1 B2, which share as much with what fails" \
	"$(shows A '[.failure_detection.ranking[1,2].local] | join(" ")')" "$A2 $A1"
is "because of the priority" "$(shows A '.failure_detection.ranking[2].behind_in')" peer-priority

# S114, a tenth as long.
stat_mark A B
for ((i = 0; i < 15; i++)); do
	topo_carrier A 2 down
	pause 0.5
	topo_carrier A 2 up
	pause 0.5
done
survives "S114: an interface flaps"
note "Update Requests: $(stat_since A OutUpdateRequest), explorations: $(stat_since A Explored)"
holds "not more than an Update Request each time" "$(stat_since A OutUpdateRequest) <= 32"
is "A stays on the other one" "$(pair A) $(stat_since A Explored)" "A1 B1 0"
check_flow "the stream is whole" stream
check "the kernel's log is clean" dmesg_clean
tap_end
