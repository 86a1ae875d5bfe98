#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# How the command ends, as EXIT STATUS of shim6(8) has it: what is wrong is said on one line, for each
# command and each option of the page. And that it is coloured on a terminal only.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/module.sh"
. "$(dirname "$0")/lib/page.sh"

# status N COMMAND [SENTENCE]: it ends with that status, says this on one line, and nothing else.
status() {
	local status=0

	(cd "$TOPO_DIR/files" && on A bash -c "$2") >"$TOPO_DIR/said" 2>"$TOPO_DIR/complaint" </dev/null || status=$?
	((status == $1)) || { echo "status $status" && cat "$TOPO_DIR/complaint" && return 1; }
	[[ $# == 2 ]] || grep -qE "^$3" "$TOPO_DIR/complaint" || { cat "$TOPO_DIR/complaint" && return 1; }
}

# faults_as_objects COMMAND: what is wrong with line 2 of its file is in its JSON, as the schema has it.
faults_as_objects() {
	status 1 "$1" && valid "$1" <"$TOPO_DIR/said" && grep -qE '"line":2,"column":13,|wrong.toml:2:13: ' "$TOPO_DIR/said"
}

tap_begin
dmesg_mark
topo_up direct
mkdir "$TOPO_DIR/files" || die "no directory"
(cd "$TOPO_DIR/files" && shim6 hba generate --prefix 2001:db8:a:1::/64 --prefix 2001:db8:a:2::/64 --output hba &&
	shim6 cga generate --prefix 2001:db8:a:1::/64 --rsa 1024 --output cga) >/dev/null || die "no files"

printf '[settings]\nestablish = 1\n' >"$TOPO_DIR/files/wrong.toml"
check "1: refused" status 1 'shim6 context del --tag-local ff' 'shim6: cannot delete the context tag-local 0000000000ff: there is no such context: No such file or directory$'
check "1: no such counter" status 1 'shim6 stats OutI1 InI3' 'shim6: cannot read the counters: there is no counter InI3$'
check "1: not of the set" status 1 "shim6 hba verify $A2 --pds hba"
check "1: not of the key" status 1 "shim6 cga verify $A1 --pds cga"
for command in 'apply --check' apply watch; do
	check "1: faults of a file, $command" status 1 "shim6 $command wrong.toml" 'wrong.toml:2:13: for establish "off" or'
	check "and as objects" faults_as_objects "shim6 $command --json wrong.toml"
done
mkdir /etc/shim6 || die "there is a configuration"
at_exit rm -rf /etc/shim6
cp "$TOPO_DIR/files/wrong.toml" /etc/shim6/shim6.toml
check "1: faults of a file, hba apply" status 1 "shim6 hba apply" '/etc/shim6/shim6.toml:2:13: for establish "off" or'
check "and as objects" faults_as_objects "shim6 hba apply --json"
ip -n "$(topo_ns B)" -6 address del "$B2/64" dev up2
topo_context A || die "no context"
check "1: a pair that does not answer" status 1 'shim6 probe --attempts 1 --timeout 100'
on A nft 'add table inet t; add chain inet t in { type filter hook input priority 0; policy drop; }'
check "1: an error found" status 1 'shim6 doctor'
on A nft flush ruleset
# coloured COMMAND: whether the command is, on a terminal.
coloured() {
	on A script -qec "$1" /dev/null </dev/null | grep -q $'\033\\['
}
for command in doctor 'probe --attempts 1 --timeout 100' 'top --once'; do
	check "colours on a terminal: $command" coloured "shim6 $command"
	check_not "but where NO_COLOR is set" coloured "NO_COLOR=1 shim6 $command"
	check_not "and not in a file" grep -q $'\033' <(on A bash -c "shim6 $command")
done
check "0: nobody reads" status 0 'set -o pipefail; shim6 stats --zeros --about | :'
check "1: a full disk" status 1 'shim6 stats --zeros >/dev/full' 'shim6: cannot write to standard output: No space left on device$'
rmmod shim6 || die "rmmod"
check "1: no module" status 1 'shim6 context show' 'shim6: cannot show the contexts: .*module is not loaded; load it with'
load || die "insmod"

# 2, with a sentence, for each command and each of its options.
while read -r command; do
	name=${command%% --*}
	check "2: $name with an option that there is not" status 2 "$name --frobnicate" "error: unexpected argument '--frobnicate' found"
	for option in $(options_of "$command"); do
		case "$name $option" in
		*--check | *--force | *--remove | *--dry-run | *--zeros | *--about | *--once)
			check "2: $name $option=1" status 2 "$name $option=1" "error: unexpected value '1' for '$option' found" ;;
		# Any word is the name of a file.
		*--output | *--key | *--pds)
			check "2: $name $option without a file" status 2 "$name $option" "error: a value is required for '$option <" ;;
		*)
			check "2: $name $option ?" status 2 "$name $option ?" "error: invalid value '\\?' for '$option <.*>': " ;;
		esac
	done
done < <(page_commands)
check "the kernel's log is clean" dmesg_clean
tap_end
