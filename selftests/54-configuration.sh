#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# One file says what is to be in force: it is read as a whole first, comes into force
# as a whole or not at all, and what is in force is written in the same form.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"

# config NAME: what follows on standard input becomes a file of that name.
config() {
	cat >"$TOPO_DIR/$1.toml"
}

apply() {
	on A shim6 apply "$@" 2>"$TOPO_DIR/refusal"
}

in_force() {
	on A shim6 config show
}

# state_of_all: everything that a file can say, as the kernel has it.
state_of_all() {
	on A bash -c 'grep -r . /proc/sys/net/shim6 | sort; shim6 identity show; shim6 policy show'
}

value() {
	on A cat "/proc/sys/net/shim6/$1"
}

# identities FILTER: what jq says of the identities.
identities() {
	on A shim6 identity show --json | jq -c "$1"
}

tap_begin
dmesg_mark
topo_up direct
(umask 077 && pem "${PDS[A]}" >"$TOPO_DIR/home.hba" && pem "${PDS[B]}" >"$TOPO_DIR/other.hba") ||
	die "identity files"
defaults=$(state_of_all)

config good <<-'END'
	[policy]
	prefixes = ["2001:db8:b::/48", "2001:db8:c::/48"]
	[settings]
	establish = "auto"
	send_timeout = 2000
	hot_standby = "on"
	[[identity]]
	name = "home"
	file = "home.hba"
END
check "a good file is good" apply --check "$TOPO_DIR/good.toml"
is "to check it changes nothing" "$(state_of_all)" "$defaults"
is "it comes into force, and each change is said" "$(apply "$TOPO_DIR/good.toml")" \
	"set send_timeout from 15000 to 2000
set hot_standby from off to on
add the policy 2001:db8:b::/48
add the policy 2001:db8:c::/48
add the identity home
set establish from on-request to auto"
is "settings" "$(value establish) $(value send_timeout) $(value hot_standby)" "auto 2000 on"
is "policy" "$(on A shim6 policy show | tr '\n' ' ')" "2001:db8:b::/48 2001:db8:c::/48 "
is "identities" "$(identities '[.[].name]')" '["home"]'
is "once more, and there is nothing to change" "$(apply "$TOPO_DIR/good.toml")" ""

good=$(state_of_all)
in_force >"$TOPO_DIR/shown.toml"
check "what is in force is a good file" apply --check - <"$TOPO_DIR/shown.toml"
is "which changes nothing" "$(apply - <"$TOPO_DIR/shown.toml")" ""
setting A idle_timeout 1000
on A shim6 policy del 2001:db8:c::/48
on A shim6 policy add 2001:db8:9::/48
on A shim6 identity del home
check "applied after changes" apply "$TOPO_DIR/shown.toml"
is "it brings everything back" "$(state_of_all)" "$good"

config bad <<-'END'
	[settings]
	establish = "off"
	send_timeout = 1
	send-timeout = 2000
	[[identity]]
	name = "other"
	file = "missing.hba"
END
check_not "a bad file is refused" apply "$TOPO_DIR/bad.toml"
is "with all its faults, by line and column" "$(cut -c 1-90 "$TOPO_DIR/refusal" | sed "s:$TOPO_DIR/::")" \
	"$(printf '%s\n' \
		"$TOPO_DIR/bad.toml:3:16: for send_timeout a number of milliseconds from 100 to 86400000 is expected, not 1" \
		"$TOPO_DIR/bad.toml:4:1: there is no \"send-timeout\" in [settings]; there are: max_contexts, max_forks, max_forks_user" \
		"$TOPO_DIR/bad.toml:7:8: cannot read an identity from $TOPO_DIR/missing.hba: No such file or directory" |
		cut -c 1-90 | sed "s:$TOPO_DIR/::")"
is "and changes nothing" "$(state_of_all)" "$good"
is "programs get them as JSON" \
	"$(on A shim6 apply --json "$TOPO_DIR/bad.toml" 2>/dev/null | jq -c '[.faults[] | [.line, .column]], .changes')" \
	"$(printf '%s\n' '[[3,16],[4,1],[7,8]]' '[]')"

# The last change fails, after everything else is done: this setting cannot be written.
config late <<-'END'
	[policy]
	prefixes = ["2001:db8:d::/48"]
	[settings]
	establish = "off"
	[[identity]]
	name = "home"
	file = "other.hba"
END
# apply_readonly FILE: with a setting that is mounted read-only.
apply_readonly() {
	# shellcheck disable=SC2016 # The other shell expands it.
	on A unshare --mount bash -c 'file=/proc/sys/net/shim6/establish
		mount --bind "$file" "$file" && mount -o remount,ro,bind "$file" && exec shim6 apply "$1"' \
		apply "$1" 2>"$TOPO_DIR/refusal"
}
check_not "what the kernel refuses in the middle fails" apply_readonly "$TOPO_DIR/late.toml"
note "$(cat "$TOPO_DIR/refusal")"
check "it is said that the rest was undone" grep -q \
	'cannot set establish from auto to off: Read-only.*(7 changes) was undone$' "$TOPO_DIR/refusal"
is "and it was" "$(state_of_all)" "$good"

config less <<-'END'
	[policy]
	prefixes = []
END
check "a file that speaks of the policy only" apply "$TOPO_DIR/less.toml"
is "changes the policy only" "$(on A shim6 policy show; value send_timeout; identities '[.[].name]')" \
	"2000"$'\n''["home"]'
config none <<-'END'
	identity = []
	[settings]
END
check "no identities, all settings at their defaults" apply "$TOPO_DIR/none.toml"
is "as in the beginning" "$(state_of_all)" "$defaults"
check "the kernel's log is clean" dmesg_clean
tap_end
