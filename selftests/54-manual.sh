#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# shim6(8) from the page itself: each example is run and does what it is for, each command
# runs with each of its options, and with --json prints what the schema says.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/page.sh"

shopt -s extglob
readonly CONFIGURATION=/etc/shim6

# The addresses of the examples.
readonly A_ONE=2001:db8:1::a A_TWO=2001:db8:2::a B_ONE=2001:db8:1::b B_TWO=2001:db8:2::b
readonly THEIRS=2001:db8:b::1

# context FILTER [ARGUMENT...]: what jq says of the context with the tag a1, or of the one that the
# arguments select.
context() {
	on A shim6 context show --json "${@:2}" 2>/dev/null | jq -c ".[0] | $1"
}

a1() {
	[[ $(context "$1" --tag-local a1) == "$2" ]] || { context . --tag-local a1 && return 1; }
}

no_a1() {
	! on A shim6 context show --tag-local a1 >/dev/null 2>&1
}

# with_a1: the static context of the examples is there, by the example that makes it.
with_a1() {
	without_dynamic
	no_a1 || return 0
	on A bash -c "$(page_examples | grep '^shim6 context add')"
}

without_a1() {
	no_a1 || on A shim6 context del --tag-local a1
}

# without_dynamic: no contexts but static ones, on neither host.
without_dynamic() {
	on A shim6 context flush && on B shim6 context flush
}

# is_up: the context of the examples is established.
is_up() {
	dynamic .state '"ESTABLISHED"'
}

# with_dynamic: the same ULIDs have a context that their hosts have established.
with_dynamic() {
	without_a1 && without_dynamic &&
		on A shim6 context start --ulid-local "$A_ONE" --ulid-peer "$B_ONE" && wait_until 10 is_up
}

dynamic() {
	[[ $(context "$1" --ulid-local "$A_ONE" --ulid-peer "$B_ONE") == "$2" ]]
}

has_identity() {
	on A shim6 identity show "$1" >/dev/null 2>&1
}

with_identity() {
	has_identity home || on A shim6 identity add home "$CONFIGURATION/home"
}

without_identity() {
	! has_identity home || on A shim6 identity del home
}

policies() {
	on A shim6 policy show
}

# with_policy [PREFIX]: the policy is this one, or none.
with_policy() {
	on A shim6 policy show | while read -r prefix; do on A shim6 policy del "$prefix"; done
	[[ -z ${1:-} ]] || on A shim6 policy add "$1"
}

# file_in_force: as the file says.
file_in_force() {
	[[ $(policies) == 2001:db8:b::/48 && $(on A cat /proc/sys/net/shim6/establish) == auto ]] && has_identity home
}

out_of_force() {
	with_policy && without_identity && setting A establish on-request
}

# assigned N: so many addresses of the set are on interfaces, by the command.
assigned() {
	[[ $(on A ip -6 -j address | jq '[.[].addr_info[]? | select(.protocol == "0x8d")] | length') == "$1" ]]
}

unassign() {
	on A shim6 hba apply --remove "$CONFIGURATION/home.hba" >/dev/null
}

# in_order: nothing keeps this host from what its file wants.
in_order() {
	on A shim6 apply >/dev/null && on A shim6 hba apply >/dev/null
}

# generates KIND SIGNS COUNT: the file "home" is this, for its owner only, and its addresses were printed.
generates() {
	local of

	of=$(on A shim6 hba show --json "$TOPO_DIR/files/home") || return
	[[ $(jq -c '[.kind, .signs, (.addresses | length)]' <<<"$of") == "[\"$1\",$2,$3]" ]] || { echo "$of" && return 1; }
	[[ $(jq -r '.addresses[]' <<<"$of") == "$(<"$TOPO_DIR/said")" ]] || { says nothing && return 1; }
	[[ $(stat -c %a "$TOPO_DIR/files/home") == 600 ]]
}

# an_address EXAMPLE: with an address that the file "home" is about, as they are made at random.
an_address() {
	local address

	address=$(on A shim6 hba show --json "$TOPO_DIR/files/home" | jq -r '.addresses[0]')
	echo "${1/2001:db8:1:1:*([0-9a-f:])/$address}"
}

# in_work FILE: the file "home" is a copy of that one of the work directory.
in_work() {
	rm -f "$TOPO_DIR/files/home"
	[[ -z ${1:-} ]] || cp -p "$TOPO_DIR/files/$1" "$TOPO_DIR/files/home"
}

# theirs_is_up: there is a context with the peer of the examples that this host has no context with.
theirs_is_up() {
	on A shim6 context show --json | jq -e --arg peer "$THEIRS" \
		'any(.ulid_peer == $peer and .state == "ESTABLISHED")' >/dev/null
}

with_theirs() {
	without_a1
	without_dynamic
	on A shim6 context start --ulid-local "$A1" --ulid-peer "$THEIRS" && wait_until 10 theirs_is_up
}

# send_nonsense: host A gets a message that is too short to be one.
send_nonsense() {
	on B python3 -c 'import socket, sys
socket.socket(socket.AF_INET6, socket.SOCK_RAW, 140).sendto(b";", (sys.argv[1], 0))' "$A_ONE" &&
		wait_until 5 counts_nonsense
}

counts_nonsense() {
	(($(stat_get A Drop_truncated) > 0))
}

# something_happens: a context comes and goes until the event is heard.
something_happens() {
	on A shim6 context flush
	on A shim6 context start --ulid-local "$A_ONE" --ulid-peer "$B_ONE" 2>/dev/null
	grep -q 'state' "$TOPO_DIR/said"
}

# completes WORD...: what the script of completions offers for the last of the words.
completes() {
	# shellcheck disable=SC2016 # The other shell expands it.
	bash -c '. /usr/share/bash-completion/completions/shim6
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_shim6 shim6 "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		echo "${COMPREPLY[*]}"' completes "$@"
}

# example COMMAND: runs an example of the page, after what it takes for granted; true if it did
# what it is for.
example() {
	case $1 in
	'shim6 context add '*) without_dynamic && without_a1 && run "$1" && a1 '[.locator_local, .locator_peer | length]' '[2,2]' ;;
	'shim6 context del '*) with_a1 && run "$1" && nothing && no_a1 ;;
	'shim6 context set '*--current-local*) with_a1 && run "$1" && a1 '[.current_local, .current_peer]' "[\"$A_TWO\",\"$B_TWO\"]" ;;
	'shim6 context set '*broken) with_a1 && run "$1" && a1 "[.locator_local[] | select(.address == \"$A_ONE\") | .priority, .broken]" '[2,true]' ;;
	'shim6 context set '*'--send-timeout 3000'*) with_dynamic && run "$1" && dynamic '.failure_detection | [.send_timeout_ms, .hot_standby]' '[3000,true]' ;;
	'shim6 context set '*'--send-timeout default') with_dynamic && run "${1/default/3000}" && run "$1" && dynamic .failure_detection.overridden '[]' ;;
	'shim6 context start '*) without_a1 && without_dynamic && run "$1" && nothing && wait_until 10 is_up ;;
	'shim6 context flush') with_dynamic && run "$1" && ! is_up ;;
	'shim6 context show') with_a1 && run "$1" && says 'tag-local 0000000000a1' ;;
	'shim6 context show '*--json) with_a1 && run "$1" && says '"tag_local":"0000000000a1"' ;;
	'shim6 context show --tag '*) run "$1" && says 'tag-peer 7fffffffffff' ;;
	'shim6 identity add '*) without_identity && run "$1" && nothing && has_identity home ;;
	'shim6 identity del '*) with_identity && run "$1" && nothing && ! has_identity home ;;
	'shim6 identity show') with_identity && run "$1" && says 'identity home' ;;
	'shim6 identity show '*) with_identity && run "$1" && says '"name":"home"' ;;
	'shim6 policy add '*) with_policy && run "$1" && [[ $(policies) == 2001:db8:b::/48 ]] ;;
	'shim6 policy del '*) with_policy 2001:db8:b::/48 && run "$1" && [[ -z $(policies) ]] ;;
	'shim6 policy show'*) with_policy 2001:db8:b::/48 && run "$1" && says 2001:db8:b::/48 ;;
	'shim6 apply') out_of_force && run "$1" && says 'add the identity home' && file_in_force ;;
	'shim6 apply --check '*) out_of_force && run "$1" && nothing && ! file_in_force ;;
	'shim6 config show | shim6 apply --check -') run "$1" && nothing ;;
	'shim6 watch'*) out_of_force && unassign && run_until "$1" assigned 2 && file_in_force && says 'add the identity home' ;;
	'shim6 config show'*) with_identity && run "$1" && says home ;;
	'shim6 hba generate '*--rsa*) in_work && run "$1" && generates CGA/HBA true 2 ;;
	'shim6 hba generate '*) in_work && run "$1" && generates HBA false 2 ;;
	'shim6 hba verify '*) in_work hba && run "$(an_address "$1")" && says verified ;;
	'shim6 hba show '*) in_work hba && run "$1" && says HBA 2001:db8:1:1: ;;
	'shim6 hba apply --remove '*) on A shim6 hba apply && assigned 2 && run "$1" && assigned 0 ;;
	'shim6 hba apply --dry-run') unassign && run "$1" && says 'add ' && assigned 0 ;;
	'shim6 hba apply '*) unassign && run "$1" && assigned 2 ;;
	'shim6 cga generate '*) in_work && run "$1" && generates CGA true 1 ;;
	'shim6 cga verify '*) in_work cga && run "$(an_address "$1")" && says verified ;;
	'shim6 cga show '*) in_work cga && run "$1" && says CGA 2001:db8:1:1: ;;
	'shim6 monitor'*) without_a1 && run_until "$1" something_happens && says "$B_ONE" ;;
	'shim6 stats') run "$1" && says ContextAdded ;;
	'shim6 stats --about '*) send_nonsense && run "$1" && says Drop_truncated 'does not fit' ;;
	'shim6 stats --zeros --json') run "$1" && says '"OutNoMemory","value":0' ;;
	'shim6 probe') with_a1 && run "$1" && says '*' ;;
	'shim6 probe '*) with_theirs && run "$1" && says "$THEIRS" '"answered":true' ;;
	'shim6 top') run_until "$1" says 'a second: out' ;;
	'shim6 top --interval '*) run_until "$1" says 'CURRENT PAIR' ;;
	'shim6 top --once --json') run "$1" && says '"per_second":null' ;;
	'shim6 doctor 2001:'*) in_order && without_dynamic && run "$1" && theirs_is_up ;;
	'shim6 doctor'*) in_order && run "$1" && says kernel ;;
	'shim6 completion '*) mkdir -p /usr/share/bash-completion/completions && run "$1" && [[ $(completes shim6 con) == 'context config' ]] ;;
	*) echo "the test knows nothing about it" && false ;;
	esac
}

# hosts_up: two hosts with the addresses and files of the examples.
hosts_up() {
	topo_up direct
	ip -n "$(topo_ns A)" -6 -batch - <<-END || return
		address add "$A_ONE/64" dev up1 nodad
		address add "$A_TWO/64" dev up2 nodad
		address add 2001:db8:c::a/64 dev up1 nodad
	END
	ip -n "$(topo_ns B)" -6 -batch - <<-END || return
		address add "$B_ONE/64" dev up1 nodad
		address add "$B_TWO/64" dev up2 nodad
		address add 2001:db8:c::b/64 dev up1 nodad
		address add "$THEIRS/128" dev up1 nodad
	END
	mkdir "$TOPO_DIR/files" || return
	# Of this machine, which others use afterwards.
	mkdir "$CONFIGURATION" || return
	at_exit rm -rf "$CONFIGURATION" /usr/share/bash-completion/completions/shim6
	(umask 077 && pem "${PDS[A]}" >"$CONFIGURATION/home") || return
	on A shim6 hba generate --prefix 2001:db8:a:1::/64 --prefix 2001:db8:a:2::/64 \
		--output "$CONFIGURATION/home.hba" >/dev/null || return
	page_file >"$CONFIGURATION/shim6.toml"
	(cd "$TOPO_DIR/files" && shim6 hba generate --prefix 2001:db8:1:1::/64 --prefix 2001:db8:2:1::/64 --output hba &&
		shim6 cga generate --prefix 2001:db8:1:1::/64 --output cga && cp -p cga key.pem) >/dev/null || return
	on A shim6 context add --ulid-local 2001:db8:c::a --ulid-peer 2001:db8:c::b --tag-local c1 \
		--tag-peer 7fffffffffff
}

tap_begin
dmesg_mark
hosts_up || die "hosts"

# The page is about the program.
program_commands() {
	local above=$* word

	# shellcheck disable=SC2086 # Words.
	for word in $(shim6 $above --help | awk '/^Commands:/ { inside = 1; next } /^$/ { inside = 0 } inside && $1 != "help" { print $1 }'); do
		case $word in
		context | identity | policy | config | hba | cga) program_commands "$word" ;;
		*) echo "shim6 ${above:+$above }$word" ;;
		esac
	done
}
is "the page has all commands that --help knows, and no others" \
	"$(page_commands | sed 's/ --.*//' | sort)" "$(program_commands | sort)"

while IFS= read -r line; do
	check "$line" example "$line"
done < <(page_examples)

# What the examples leave out.
readonly ULIDS="--ulid-local $A_ONE --ulid-peer $B_ONE"
seven() {
	[[ $(context "$1" --tag-local a7) == "$2" ]]
}
check "a static context with everything" run "shim6 context add $ULIDS --fii 7 --tag-local a7 --tag-peer b7 \
	--locator-local $A_ONE --locator-local $A_TWO,priority=1,weight=2,transient \
	--locator-peer $B_ONE,broken --locator-peer $B_TWO,hba --current-local $A_TWO --current-peer $B_TWO"
check "is that" seven '[.fii, .current_local, .current_peer, (.locator_local[1] | .priority, .weight, .transient),
	.locator_peer[0].broken, .locator_peer[1].verification]' \
	"[7,\"$A_TWO\",\"$B_TWO\",1,2,true,true,\"hba\"]"
check "it is shown by ULIDs and FII" run "shim6 context show $ULIDS --fii 7 --json"
check "changed by these" run "shim6 context set $ULIDS --fii 7 --current-local $A_ONE --current-peer $B_TWO"
check "and is" seven .current_local "\"$A_ONE\""
check "and deleted" run "shim6 context del $ULIDS --fii 7"
check "and gone" seven .fii ""
with_dynamic || die "no context"
check "other constants of a context" run "shim6 context set $ULIDS --keepalives off --initial-probes 2 \
	--probe-timeout 100"
check "are in force" dynamic '.failure_detection | [.keepalives, .initial_probes, .probe_timeout_ms, .overridden]' \
	'[false,2,100,["keepalives","initial-probes","probe-timeout"]]'
tag=$(context .tag_local --ulid-local "$A_ONE" --ulid-peer "$B_ONE")
check "a context is shown by its tag" run "shim6 context show --tag-local ${tag//\"/}"

check "a set with a key, over what is there" run "shim6 hba generate --prefix 2001:db8:1:1::/64 --key key.pem \
	--collision-count 1 --output home --force --json"
check "and the key is in it" run "shim6 hba show home --json"
is "and the collision" "$(jq -c '[.signs, .collision_count]' "$TOPO_DIR/said")" '[true,1]'
check "an address with a key of its own" run "shim6 cga generate --prefix 2001:db8:1:1::/64 --rsa 1024 \
	--collision-count 2 --output home --force --json"
check "is shown" run "shim6 cga show home --json"
is "as that" "$(jq -c '[.public_key_bits, .collision_count]' "$TOPO_DIR/said")" '[1024,2]'
address=$(jq -r '.addresses[0]' "$TOPO_DIR/said")
check "it verifies" run "shim6 cga verify $address --pds $(jq -r .pds "$TOPO_DIR/said") --json"
address=$(shim6 hba show --json "$TOPO_DIR/files/hba" | jq -r '.addresses[1]')
check "so does one of a set" run "shim6 hba verify $address --pds hba --json"
check "addresses are assigned" run "shim6 hba apply --json"
check "a file comes into force" run "shim6 apply --json"
check "pairs are probed" run "shim6 probe --attempts 1"

# missing: commands and options of theirs that were not run, but for --json.
missing() {
	local command option

	page_commands | while read -r command; do
		grep -qE "(^|\\| )${command%% --*}( |\$)" "$TOPO_DIR/ran" || echo "${command%% --*}"
		for option in $(options_of "$command"); do
			grep -qE -- "^${command%% --*} .*$option( |\$)" "$TOPO_DIR/ran" || echo "${command%% --*} $option"
		done
	done
	# What prints JSON is in the schema.
	jq -r '."$defs" | keys[]' "$SCHEMA" | while read -r command; do
		! page_commands | grep -qE "^shim6 $command( |\$)" || grep -qE "^shim6 $command( .*)? --json" "$TOPO_DIR/ran" ||
			echo "shim6 $command --json"
	done
}
is "all commands were run with all of their options" "$(missing)" ""

check "the kernel's log is clean" dmesg_clean
tap_end
