#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's own netlink client, which knows nothing of Shim6 but its specification
# (Documentation/netlink/specs/shim6.yaml), speaks with the module; and the module takes
# what the specification says, attribute by attribute.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"

YNL=$(dirname "$0")/../ynl
SPEC=$YNL/shim6.yaml

# ynl ARGUMENT...: the client on host A.
ynl() {
	on A python3 "$YNL/cli.py" --spec "$SPEC" --no-schema --output-json "$@"
}

# spec EXPRESSION: what Python makes of the specification, as JSON.
spec() {
	python3 -c "
import json, yaml
spec = yaml.safe_load(open('$SPEC'))
operations = {operation['name']: operation for operation in spec['operations']['list']}
attributes = {s['name']: {a['name']: a for a in s['attributes']} for s in spec['attribute-sets']}
print(json.dumps($1))"
}

# policies: the attributes that the kernel takes of each operation, with their types, and
# those of locators.
policies() {
	local operation

	for operation in $(spec '[o for o in operations if "do" in operations[o]]' | jq -r '.[]'); do
		ynl --do "$operation" --policy |
			jq -c --arg operation "$operation" '
				def types: with_entries(.value |= .type);
				{($operation): (. // {} | types)} +
				(if ."locator-local" then {locator: (."locator-local".policy | types)} else {} end)'
	done | jq -S -c -s add
}

# specified: the same by the specification; what is only shown of locators is not taken.
specified() {
	spec '{**{name: {a: attributes["shim6"][a]["type"]
			for a in operation["do"].get("request", {}).get("attributes", [])}
		for name, operation in operations.items() if "do" in operation},
		"locator": {name: a["type"] for name, a in attributes["locator"].items()
			if "(get only)" not in a.get("doc", "")}}' |
		sed 's/"nest"/"nested"/g' | jq -S -c .
}

# listener_hears WORD: whether an event of this kind has come.
listener_hears() {
	grep -q "\"event\": \"$1\"" "$TOPO_DIR/heard"
}

need python3
tap_begin
python3 -c 'import yaml' || die "no PyYAML"
topo_up
identity A || die "identity of A"
identity B || die "identity of B"

is "the kernel takes of each operation what the specification says" "$(policies)" "$(specified)"

spawn A python3 -u "$YNL/cli.py" --spec "$SPEC" --no-schema --output-json \
	--subscribe events --duration 60 >"$TOPO_DIR/heard"
listener=$SPAWNED
wait_until 10 monitor_listens A || die "nobody listens"

name='"ulid-local": "2001:db8:c::1", "ulid-peer": "2001:db8:c::2"'
check "a static context is added" ynl --do context-add --json "{$name, \"tag-local\": 161,
	\"tag-peer\": 177, \"locator-local\": [{\"address\": \"2001:db8:c::1\", \"priority\": 3}],
	\"locator-peer\": [{\"address\": \"2001:db8:c::2\"}, {\"address\": \"$B2\"}]}"
check "the command sees it" on A shim6 context show --tag-local a1
check "by the peer's tag as well" on A shim6 context show --tag b1
check_not "and not by a tag that is nobody's" on A shim6 context show --tag b2
shown() {
	jq -c '[."ulid-local", ."tag-peer", .state, .origin, [."locator-local"[].priority],
		[."locator-peer"[].address]]'
}
expected='["2001:db8:c::1","0xb1","established","static",[3],["2001:db8:c::2","'$B2'"]]'
is "it is got by its tag" "$(ynl --do context-get --json '{"tag-local": 161}' | shown)" "$expected"
is "and by its ULIDs" "$(ynl --do context-get --json "{$name}" | shown)" "$expected"

check "a context is started" ynl --do context-start --json "{\"ulid-local\": \"$A1\", \"ulid-peer\": \"$B1\"}"
comes_to A ESTABLISHED || die "no context"
tags() {
	jq -r '.[]."tag-local" // .[].tag_local' | sed 's/^0x//' | while read -r tag; do
		printf '%012x\n' "0x$tag"
	done | sort
}
is "all are in a dump" "$(ynl --dump context-get | tags)" "$(on A shim6 context show --json | tags)"
is "with states by name" \
	"$(ynl --dump context-get | jq -c '[.[] | .state, .reap] | sort')" \
	'[null,"established","established","operational"]'
tag=$(printf '%d' "0x$(shows A .tag_local)")
check "constants are set" ynl --do context-set --json \
	"{\"tag-local\": $tag, \"send-timeout\": 3000, \"hot-standby\": 1}"
is "and shown, flags by name" \
	"$(ynl --do context-get --json "{\"tag-local\": $tag}" | jq -c '[."send-timeout", .overridden]')" \
	'[3000,["hot-standby","send-timeout"]]'
check "one is set back" ynl --do context-set --json "{\"tag-local\": $tag, \"reset\": [\"send-timeout\"]}"
is "and the other is not" \
	"$(ynl --do context-get --json "{\"tag-local\": $tag}" | jq -c .overridden)" '["hot-standby"]'

is "identities" "$(ynl --dump identity-get | jq -c '[.[] | .name, .signs]')" '["hostA",0]'
is "their PDS" "$(ynl --do identity-get --json '{"name": "hostA"}' | jq -r .pds)" "${PDS[A]}"
check "a prefix is added to the policy" ynl --do policy-add --json \
	'{"prefix": "2001:db8:b::", "prefix-len": 48}'
is "and shown" "$(ynl --dump policy-get | jq -c .)" '[{"prefix":"2001:db8:b::","prefix-len":48}]'

check "a context is deleted" ynl --do context-del --json '{"tag-local": 161}'
is "what is gone is refused with a sentence" \
	"$(ynl --do context-get --json '{"tag-local": 161}' 2>&1 | grep -c 'there is no such context')" 1
for event in added state removed; do
	check "the client is told of an event: $event" wait_until 10 listener_hears $event
done
stop "$listener"
tap_end
