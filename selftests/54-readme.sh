#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The commands of the README, taken from it, but those for two Debian hosts, which
# packages/hosts.sh runs: each does what the README says of it.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/module.sh"
. "$(dirname "$0")/lib/page.sh"

readonly HOME_A=/etc/shim6/home.hba

# locator HOST N: the Nth address of a host's set.
locator() {
	local file=$HOME_A

	[[ $1 == A ]] || file=$TOPO_DIR/files/$1
	shim6 hba show --json "$file" | jq -r ".addresses[$2 - 1]"
}

# context FILTER: what jq says of the contexts between these sets.
context() {
	on A shim6 context show --json | jq -c --arg local "$(locator A 1)" --arg peer "$(locator B 1)" \
		".[] | select(.ulid_local == \$local and .ulid_peer == \$peer) | $1"
}

is_up() {
	[[ $(context .state) == '"ESTABLISHED"' ]]
}

with_context() {
	is_up || { on A shim6 context start --ulid-local "$(locator A 1)" --ulid-peer "$(locator B 1)" && wait_until 10 is_up; }
}

without_context() {
	on A shim6 context flush && on B shim6 context flush
}

# packets [N]: from set to set, and back.
packets() {
	on A ping -q -c "${1:-1}" -i 0.1 -W 1 -I "$(locator A 1)" "$(locator B 1)" >/dev/null
}

assigned() {
	grep -qF "$(locator A "$1")/64" <(on A ip -6 -br address show dev "up$1" -tentative)
}

both_assigned() {
	assigned 1 && assigned 2
}

# a_connection: one that lasts gets a context.
a_connection() {
	local status=0

	spawn A traffic tcp -n 0 -i 20 -s 500 "$(locator A 1)" "$(locator B 1)" "$PORT" >/dev/null 2>&1
	wait_until 20 is_up || status=1
	stop "$SPAWNED"
	return "$status"
}

setting_is() {
	[[ $(on A cat "/proc/sys/net/shim6/$1") == "$2" ]]
}

# this_context COMMAND: with the tag, and for the dots an address.
this_context() {
	local tag peer

	tag=$(context .tag_local) peer=$(locator B 2)
	sed "s/5a8fa5b88a0d/${tag//\"/}/; s/2001:db8:a:2::\.\.\./$(locator A 2)/; s/\.\.\.\$/$peer/" <<<"$1"
}

# these_addresses COMMAND
these_addresses() {
	local command=${1/ADDRESS/$(locator A 1)}

	echo "${command/ADDRESS/$(locator B 1)}"
}

# something_happens: the context comes anew until it is heard.
something_happens() {
	without_context && with_context && says ESTABLISHED
}

# remains: what is there of the module.
remains() {
	local host

	ls -d /sys/module/shim6 /proc/sys/net/shim6 /proc/net/shim6_stat 2>/dev/null
	for host in A B; do
		on "$host" ip -6 rule show | grep -E 'lookup 140( |$)|proto 140'
		on "$host" ip -6 route show table all proto 140
	done
}

# nothing_remains: of what was there.
nothing_remains() {
	with_context && run "$(this_context "shim6 context set --tag-local 5a8fa5b88a0d --current-local 2001:db8:a:2::... --current-peer ...")" &&
		(($(remains | wc -l) >= 5)) && $1 || return
	[[ -z $(remains) ]] || { remains && return 1; }
}

# know_themselves: the hosts have their identities.
know_themselves() {
	on A shim6 identity add home "$HOME_A" && on B shim6 identity add home "$TOPO_DIR/files/B"
}

# elsewhere FILE WORDS: another test runs it, with these words.
elsewhere() {
	grep -qF -- "$2" "$SELFTESTS/$1"
}

# command COMMAND: true if it did what the README says of it.
command_does() {
	case $1 in
	'insmod shim6.ko') rmmod shim6 && (cd "${MODULE%/*}" && $1) && setting_is establish on-request ;;
	'shim6 hba generate '*) run "$1" && [[ $(locator A 2) == 2001:db8:a:2:* ]] ;;
	'shim6 hba apply '*) run "$1" && wait_until 10 both_assigned ;;
	'shim6 identity add '*) on A shim6 identity del home && run "$1" && on A shim6 identity show home >/dev/null ;;
	'shim6 apply --check && shim6 watch') on A shim6 hba apply --remove "$HOME_A" >/dev/null && run_until "$1" both_assigned ;;
	'shim6 doctor') run "$1" && says 'ok       routes' ;;
	'shim6 context show') with_context && run "$1" && says 'verification hba' 'history' 'timer' ;;
	'shim6 probe') with_context && run "$1" && says "$(locator B 2)" ;;
	'shim6 top') with_context && run_until "$1" says "$(locator B 1)" 'a second: out' ;;
	'shim6 monitor') run_until "$1" something_happens ;;
	'shim6 context set '*--current-local*) with_context && run "$(this_context "$1")" && [[ $(context .current_local) == "\"$(locator A 2)\"" ]] ;;
	'shim6 context set '*--send-timeout*) with_context && run "$(this_context "$1")" && [[ $(context '.failure_detection | [.send_timeout_ms, .hot_standby]') == '[2000,true]' ]] ;;
	'shim6 context start '*) without_context && run "$(these_addresses "$1")" && wait_until 10 is_up ;;
	'shim6 policy add '*)
		without_context && packets && ! is_up && run "$1" && packets && wait_until 10 is_up &&
			on A shim6 policy del 2001:db8:b::/48
		;;
	'sysctl net.shim6.establish=auto') without_context && run "$1" && a_connection ;;
	'sysctl net.shim6.establish=off')
		without_context && run "$1" && packets 3 && ! is_up &&
			on B shim6 context start --ulid-local "$(locator B 1)" --ulid-peer "$(locator A 1)" &&
			wait_until 10 counted A InI1 1 && ! is_up && setting A establish on-request
		;;
	'shim6 stats --about') run "$1" && says 'I1 messages sent.' ;;
	'rmmod shim6') nothing_remains "$1" && load && know_themselves ;;
	# Words that only name a command, with which shim6(8) has examples.
	'shim6 cga generate' | 'shim6 context add') page_commands | grep -q "^$1" ;;
	'shim6 hba show /etc/shim6/home.hba') elsewhere packages/hosts.sh "$1" ;;
	'ssh -b ADDRESS') elsewhere packages/hosts.sh "ssh -b" ;;
	make | 'make install') elsewhere packages/module.sh "PREFIX=/usr SYSCONFDIR=/etc install" ;;
	'make install-dkms' | 'make deb') elsewhere packages/install.sh '"a and b: install"' ;;
	'make demo') [[ -x $SELFTESTS/88-demo.sh ]] ;;
	# They run this.
	'make KERNEL=7.3' | 'make bench' | 'make test' | 'make test KERNEL=7.2' | 'make test-stock' | 'make test-packages') true ;;
	*) echo "the test knows nothing about it" && false ;;
	esac
}

tap_begin
dmesg_mark
topo_up
serve B
mkdir "$TOPO_DIR/files" /etc/shim6 || die "directories"
# Of this machine, which others use afterwards.
at_exit rm -rf /etc/shim6
at_exit load
on B shim6 hba generate --prefix 2001:db8:b:1::/64 --prefix 2001:db8:b:2::/64 --output "$TOPO_DIR/files/B" >/dev/null ||
	die "set of B"
cat >/etc/shim6/shim6.toml <<-END
	[[identity]]
	name = "home"
	file = "home.hba"
END

while IFS= read -r line; do
	if [[ $line == 'shim6 hba apply '* ]]; then
		# The other host does the same.
		{ know_themselves && on B shim6 hba apply "$TOPO_DIR/files/B" >/dev/null; } || die "the other host"
	fi
	stat_mark A
	check "$line" command_does "$line"
done < <(readme_commands)
check "the kernel's log is clean" dmesg_clean
tap_end
