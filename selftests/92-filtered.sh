#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A network that drops protocol 140 without a word costs nothing: connections go on
# between the ULIDs, there is one clear event, and hosts ask seldom. That is so from the
# start, and as well when the network begins to do so while there is a context. Times
# are those of the RFCs; an emulated machine takes a quarter of an hour for it.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/reap.sh"

readonly PERIOD=600
# An attempt is five I1 in 124 s, then the peer is left alone for 60 s; jitter makes that
# a quarter shorter at most.
readonly MOST_I1=$((5 * (1 + PERIOD / 138)))
# Four quick Probes, then each wait is twice as long as the one before, up to 60 s less
# jitter (RFC 5534, Sections 4.3 and 7.1).
readonly MOST_PROBES=$((4 + 7 + PERIOD / 48))

# filter: from now on the core drops protocol 140, and counts what it drops.
filter() {
	on core nft -f - <<-END
		table inet filtered {
		    chain forward {
		        type filter hook forward priority 0;
		        ip6 nexthdr 140 counter drop
		    }
		}
	END
}

filtered() {
	on core nft -j list table inet filtered |
		jq '[.nftables[].rule?.expr[]?.counter?.packets // empty] | add'
}

# asked: how often A sent I1 since the mark.
asked() {
	echo $(($(stat_since A OutI1) + $(stat_since A OutRetransmitted)))
}

# failures: how often the monitor of A told that B does not answer.
failures() {
	jq -c 'select(.event == "removed" and .cause == "timeout")' "$TOPO_DIR/events-A" | wc -l
}

# slowly SECONDS COMMAND...: as wait_until, for what takes minutes.
slowly() {
	local deadline=$((SECONDS + $1))

	shift
	until "$@"; do
		((SECONDS < deadline)) || return
		pause 5
	done
}

passed() {
	(($(now_ms) - begin >= PERIOD * 1000))
}

is_exploring() {
	[[ $(reap A) != operational ]]
}

tap_begin
dmesg_mark
topo_up
for host in A B; do
	identity $host || die "identity of $host"
done
{ setting A establish auto && setting A establish_packets 4; } || die "settings"
serve B
filter || die "nftables"
monitor_start A || die "no monitor"
monitor=$SPAWNED
stat_mark A B
flow_start stream tcp -i 200 -s 1000 -w 60 A1 B1 || die "no connection"
flow_start datagrams udp -l -i 500 -s 1000 A1 B1 || die "no datagrams"
check "nobody answers" slowly 200 in_state A E-FAILED
is "there was one event that says so" "$(failures)" 1
is "after five I1" "$(asked)" 5
before=$(asked)
begin=$(now_ms)
check "a long time passes" slowly $((PERIOD + 60)) passed
sent=$(($(asked) - before))
holds "A asked seldom: $sent times in ten minutes" "$sent > 0 && $sent <= $MOST_I1"
is "each attempt that came to nothing was one event" "$(failures)" "$(stat_get A EstablishmentFailed)"
is "no packet was given a header" "$(stat_get A OutTranslated) $(stat_get B OutTranslated)" "0 0"
is "all that the network dropped were I1" "$(filtered)" "$(asked)"
check_flow "the stream has not noticed" stream
check_flow "nor have the datagrams: none is lost" datagrams
on core nft delete table inet filtered
flow_start stream tcp -i 200 -s 1000 -w 60 A1 B1 || die "no connection"
check "when the network lets it, there is a context" slowly 200 in_state A ESTABLISHED
check_flow "the stream is whole" stream
stop "$monitor"
check "the kernel's log is clean" dmesg_clean
topo_down

# A context on its ULIDs whose messages get lost from now on.
reap_hosts rfc || die "hosts"
flow_start stream tcp -w 60 -s 1000 -i 10 A1 B1 || die "no connection"
check "with a context, both ways" flow_goes stream 50000
filter || die "nftables"
stat_mark A B
check "the network drops protocol 140 now: the stream goes on" flow_goes stream 500000 60
is "nobody looks for another pair" "$(stat_since A Explored) $(stat_since B Explored)" "0 0"
check_flow "the stream is whole" stream
# B hears this and has nothing to say but Keepalives, and those get lost: A must believe that B
# is gone.
on B nft -f - <<-END || die "nftables"
	table inet mute {
	    chain output {
	        type filter hook output priority filter;
	        icmpv6 type destination-unreachable drop
	    }
	}
END
spawn A traffic udp -l -n 0 -i 500 -w $((2 * PERIOD)) "$A1" "$B1" 9 >/dev/null 2>&1
mute=$SPAWNED
check "datagrams that only Keepalives answer: A looks for another pair" slowly 60 is_exploring
begin=$(now_ms)
stat_mark A
check "a long time passes" slowly $((PERIOD + 60)) passed
sent=$(stat_since A OutProbe)
holds "A probed seldom: $sent times in ten minutes" "$sent > 0 && $sent <= $MOST_PROBES"
is "both are on their ULIDs" "$(pair A), $(pair B)" "A1 B1, B1 A1"
check "a connection works" once tcp -n 300000 A1 B1
is "no packet was given a header" "$(stat_get A OutTranslated) $(stat_get B OutTranslated)" "0 0"
on core nft delete table inet filtered
check "  which the datagrams are still for" kill -0 "$mute"
check "without the filter both are content" slowly 120 is_operational
stop "$mute"
check "the kernel's log is clean" dmesg_clean
tap_end
