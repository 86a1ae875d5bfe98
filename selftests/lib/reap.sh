# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Hosts that watch their context for failures (RFC 5534): what they think, and a
# stream that has to survive.

. "${BASH_SOURCE[0]%/*}/establish.sh"

# reap_capture NAME NODE IF: control messages only, so that payload does not keep a
# capture from ending.
reap_capture() {
	topo_capture "$@" 'ip6[6] = 140 and ip6[42] < 128'
}

# pair HOST: the current pair, as names.
pair() {
	names "$(shows "$1" '.current_local + " " + .current_peer')"
}

uses() {
	[[ $(pair "$1") == "$2" ]]
}

# reap HOST: operational, exploring or inbound-ok.
reap() {
	shows "$1" .reap
}

is_operational() {
	[[ $(reap A) == operational && $(reap B) == operational ]]
}

# reap_hosts SEND-TIMEOUT FORM...: a topology whose hosts have a context. Times are
# scaled by 20, except where SEND-TIMEOUT (in milliseconds) is "rfc".
reap_hosts() {
	local host timeout=$1

	shift
	topo_up "$@"
	for host in A B; do
		identity $host && setting $host idle_timeout 300000 || return
		[[ $timeout == rfc ]] ||
			{ timers $host 20 && setting $host idle_timeout 300000 &&
				setting $host send_timeout "$timeout"; } || return
	done
	serve B && establish && stat_mark A B
}

# reap_up: such hosts, which notice after a second, and a stream over the ULIDs.
reap_up() {
	reap_hosts 1000 && flow_start stream tcp -w 60 -s 5000 -i 10 A1 B1 &&
		flow_goes stream 100000
}

# reap_back: everything works, and both are back at the ULIDs.
reap_back() {
	topo_heal && wait_until 30 is_operational && topo_switch_both A1 B1 && flow_goes stream 100000
}

# back: the same as a case. Counters count from here.
back() {
	check "both are back at the ULIDs" reap_back
	stat_mark A B
}

# survives WHAT [SECONDS]: the stream goes on, and both ends are content.
survives() {
	local since=$EPOCHREALTIME

	check "$1" flow_goes stream 50000 "${2:-20}"
	note "after $(awk -v a="$since" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }') s"
	check "  both ends are operational" wait_until 20 is_operational
}
