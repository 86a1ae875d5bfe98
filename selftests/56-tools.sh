#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What people look with: counters, the matrix of locator pairs, the live table, and the
# doctor, each for eyes and as JSON.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"

# probed FILTER [ARGUMENT...]: what jq says of the matrix.
probed() {
	on A shim6 probe --json --attempts 2 --timeout 300 "${@:2}" | jq -c "$1"
}

# silent: the pairs that do not answer, as words.
silent() {
	probed '[.[0].pairs[] | select(.answered | not) | "\(.local) \(.peer)"]' "$@"
}

# doctor CHECK: levels of its findings, in their order.
doctor() {
	on A shim6 doctor --json | jq -r --arg check "$1" \
		'[.[] | select(.check == $check) | .level] | join(" ")'
}

# ends STATUS COMMAND...: whether the command ends so on host A.
ends() {
	local status=0

	on A "${@:2}" >/dev/null 2>&1 || status=$?
	((status == $1)) || { echo "status $status"; return 1; }
}

# healthy_but WORD: whether the doctor says it, and has advice.
says() {
	on A shim6 doctor | grep -A 1 "$1" | grep -q -- '-> '
}

tap_begin
topo_up
dmesg_mark
is "without identities the doctor warns" "$(doctor identities)" warning
check "and says how to make one" says 'hba generate'
identity A || die "identity of A"
identity B || die "identity of B"
check "a host that is in order" ends 0 shim6 doctor
is "has no errors" "$(on A shim6 doctor --json | jq '[.[] | select(.level == "error")] | length')" 0
is "identities" "$(doctor identities)" ok
is "routes" "$(doctor routes)" ok
is "mtu" "$(doctor mtu)" "ok ok"
is "firewall" "$(doctor firewall)" ok

is "counters at zero are left out" "$(on A shim6 stats)" ""
is "unless they are asked for" "$(on A shim6 stats --zeros)" "$(on A cat /proc/net/shim6_stat)"
is "each of them says what it counts" \
	"$(on A shim6 stats --zeros --json | jq '[.[] | select(.about == "")] | length')" 0
check "the doctor asks a peer" ends 0 shim6 doctor "$B1"
is "and there is a context then" "$(state A)" ESTABLISHED
is "counters by pattern" "$(on A shim6 stats 'OutI?' OutR1 | awk '{ print $1, $2 }')" \
	"OutI1 1"$'\n'"OutI2 1"
is "as JSON" "$(on A shim6 stats --json OutI1 | jq -c .)" \
	'[{"name":"OutI1","value":1,"about":"I1 messages sent."}]'

wait_until 10 topo_reaches A2 B2 || die "the second provider"
is "all pairs answer" "$(silent)" '[]'
check "and the status says so" ends 0 shim6 probe "$B2"
is "there are four, and one is current" \
	"$(probed '.[0].pairs | length, ([.[] | select(.current)] | length)')" 4$'\n'1
topo_break A1 B2 both
topo_break A2 B1
is "broken pairs do not" "$(silent "$B1")" "[\"$A1 $B2\",\"$A2 $B1\"]"
check "and the status says so" ends 1 shim6 probe --attempts 1 --timeout 300
on A shim6 probe --attempts 1 --timeout 300 >"$TOPO_DIR/matrix" || true
comment <"$TOPO_DIR/matrix"
is "the matrix has a line for each local locator" "$(grep -c '^    2001' "$TOPO_DIR/matrix")" 2
is "and says what does not answer" "$(grep -o 'no answer' "$TOPO_DIR/matrix" | wc -l)" 2
is "no colours but on a terminal" "$(grep -c $'\033' "$TOPO_DIR/matrix")" 0
check_not "a peer without a context" on A shim6 probe 2001:db8:ffff::1
topo_heal

is "top, once, as JSON" "$(on A shim6 top --once --json |
	jq -c '[.per_second, .contexts[0].state, .contexts[0].ulid_peer]')" "[null,\"ESTABLISHED\",\"$B1\"]"
check "and as a table" grep -q "^$B1 .*ESTABLISHED .*operational.* $A1 > $B1$" \
	<(on A shim6 top --once)
serve A
spawn B ping -q -i 0.02 -I "$B1" "$A1" >/dev/null
ping=$SPAWNED
rates=$(timeout 20 nsenter --net="/run/netns/$(topo_ns A)" shim6 top --interval 500 --json |
	head -n 3 | tail -n 1 | jq '.per_second.in > 10 and .per_second.out > 10')
stop "$ping"
is "rates" "$rates" true

# Whatever is wrong is found, and the status tells.
on A nft -f - <<-'END'
	table inet host {
	    chain input {
	        type filter hook input priority filter; policy drop;
	        ct state established,related accept
	        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
	    }
	}
END
is "a firewall that drops what nobody accepts" "$(doctor firewall)" error
check "it is said what to do" says 'chain input of table host drops'
check "the status is 1" ends 1 shim6 doctor
on A nft insert rule inet host input ip6 nexthdr 140 accept
is "that advice helps" "$(doctor firewall)" ok
on A nft insert rule inet host input ip6 nexthdr 140 drop
is "a rule that drops Shim6" "$(doctor firewall)" error
on A nft flush ruleset
reverse_path='add table inet raw
	add chain inet raw c { type filter hook prerouting priority raw; }
	add rule inet raw c fib saddr . iif oif missing drop'
if on A nft -f - <<<"$reverse_path" 2>/dev/null; then
	is "a rule that checks the reverse path" "$(doctor firewall)" warning
else
	skip "a rule that checks the reverse path" "this kernel has no fib expression"
fi
on A nft flush ruleset
on A ip -6 rule del pref 1002
is "a source that leaves by another provider" "$(doctor routes)" error
on A ip -6 rule add pref 1002 from "$A2" lookup 102
on A ip link set up2 mtu 1280
is "a small MTU" "$(doctor mtu)" "ok warning"
on A ip link set up2 mtu 1500
topo_uplink A 2 | on A ip -6 -batch -
setting A establish off
is "a host that neither asks nor answers" "$(doctor configuration | tail -n 1)" "note warning"
setting A establish on-request
on A shim6 context flush
on B shim6 context flush
setting B establish off
setting A i1_timeout 50
setting A i1_retries_max 1
check "a peer that does not answer" grep -q "$B1 does not answer" <(on A shim6 doctor "$B1")
is "is a finding afterwards, too" "$(doctor peers)" warning

is "completions" "$(on A shim6 completion bash | grep -c 'shim6__subcmd__doctor\|shim6__doctor')" \
	"$(on A shim6 completion bash | grep -c 'shim6__subcmd__probe\|shim6__probe')"
check "the kernel's log is clean" dmesg_clean
tap_end
