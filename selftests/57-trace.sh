#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tracepoints tell what happens: states of contexts, what failure detection thinks, Probes,
# switches of paths, and drops with the names of their counters.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/reap.sh"
. "$(dirname "$0")/lib/trace.sh"

# tag HOST: CT(local) of the default context, as records have it.
tag() {
	printf "%012x" "0x$(shows "$1" .tag_local)"
}

tap_begin
dmesg_mark
trace_begin || die "no tracefs"
reap_up || die "hosts"

context="tag=$(tag A) ulid_local=A1 ulid_peer=B1"
is "the way of a context from nothing to established, with causes" \
	"$(traced A state)" \
	"$context from=IDLE to=I1-SENT cause=admin
$context from=I1-SENT to=I2-SENT cause=message
$context from=I2-SENT to=ESTABLISHED cause=message"
check "the peer's context begins established" \
	traces B state "tag=$(tag B) ulid_local=B1 ulid_peer=A1 from=IDLE to=ESTABLISHED cause=message"

trace_forget
stat_mark A B
topo_kill A1
survives "a stream survives its path"
check "A explores" traces A reap "$context state=exploring cause="
check "A comes to an end with it" traces A reap "$context state=operational cause="
is "A takes another pair, once, and the record says from which and why" \
	"$(traced A path)" "tag=$(tag A) from=A1,B1 to=A2,B2 reason=probed cause=probe"
check "so does B" traces B path "tag=$(tag B) from=B1,A1 to=B2,A2 reason=probed cause=probe"
check "A's Probes went over the pair that works" \
	traces A probe_sent "tag=$(tag A) local=A2 peer=B2 nonce=[0-9a-f]{8} state="
nonces() {
	traced "$1" "$2" | grep "$3" | sed -E 's/.* nonce=([0-9a-f]+) .*/\1/' | sort
}
is "what B received over it is what A sent over it" \
	"$(nonces B probe_received "local=B2 peer=A2")" "$(nonces A probe_sent "local=A2 peer=B2")"
for host in A B; do
	is "$host: as many Probes sent as counted" \
		"$(traced $host probe_sent | wc -l)" "$(stat_since $host OutProbe)"
	is "$host: as many Probes received as counted" \
		"$(traced $host probe_received | wc -l)" "$(stat_since $host InProbe)"
done

# B forgets its context: A's packets have a tag that is nobody's, until A has heard of that.
trace_forget
stat_mark B
on B shim6 context flush || die "flush"
dropped() {
	traces B drop "reason=InUnknownTag source=A2 destination=B2 len=[0-9]+"
}
check "a context that is forgotten goes to IDLE" \
	traces B state "from=ESTABLISHED to=IDLE cause=admin"
check "packets with a tag that is nobody's are dropped, by the name of the counter" \
	wait_until 10 dropped
check "the context is made anew" comes_to B ESTABLISHED 20
flow_stop stream
is "as many of them as counted" "$(traced B drop | grep -c InUnknownTag)" "$(stat_since B InUnknownTag)"

# The kernel's own word goes with the packet.
kfree=$TRACE/events/skb/kfree_skb
trace_forget
echo 1 >"$kfree/enable"
stat_mark A
on A ip -6 route add unreachable "$B2" table 7 || die "route"
on A ip -6 rule add to "$B2" lookup 7 pref 100 || die "rule"
on A bash -c "echo >/dev/udp/$B1/9" 2>/dev/null
echo 0 >"$kfree/enable"
check "a packet without a route is dropped" traces A drop "reason=OutNoRoute source=A1 destination=B1 len=49"
check "and freed as that" grep -q 'kfree_skb: .*reason: IP_OUTNOROUTES' "$TRACE/trace"
on A ip -6 rule del pref 100

# The example for trace-cmd(1), which makes words of the formats by itself.
topo_heal
check "A still has the context" in_state A ESTABLISHED
example() {
	in_state A ESTABLISHED || establish || return
	shim6-trace-cmd nsenter --net="/run/netns/$(topo_ns A)" shim6 context flush >"$TOPO_DIR/example"
	cat "$TOPO_DIR/example"
	grep -q "shim6_state: .*ulid_local=$A1 ulid_peer=$B1 from=ESTABLISHED to=IDLE cause=admin" "$TOPO_DIR/example"
}
if command -v trace-cmd >/dev/null; then
	# It gives up if the kernel's list of symbols grows while it stores that.
	check "trace-cmd reads the formats" wait_until 60 example
else
	skip "trace-cmd reads the formats" "trace-cmd is not installed"
fi

echo 0 >"$TRACE/events/shim6/enable"
trace_forget
on B shim6 context flush
is "nothing is recorded when nobody wants it" "$(grep -c shim6_ "$TRACE/trace")" 0
check "the kernel's log is clean" dmesg_clean
tap_end
