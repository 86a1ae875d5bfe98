# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Test Anything Protocol for the scripts of the selftests: one line a case, the
# plan at the end, exit status of kselftest. Each script is
#
#	. "$(dirname "$0")/lib/tap.sh"
#	tap_begin
#	check "what must hold" COMMAND...
#	is "what must be equal" "$got" "$expected"
#	tap_end
#
# A case that fails is followed by what the network looked like (lib/diag.sh).

. "${BASH_SOURCE[0]%/*}/util.sh"
. "${BASH_SOURCE[0]%/*}/diag.sh"

TAP_COUNT=0
TAP_FAILED=0
TAP_ENDED=

tap_begin() {
	echo "TAP version 13"
	# A script that dies on the way must not look like one that has passed.
	at_exit tap_unfinished
}

tap_unfinished() {
	[[ -n $TAP_ENDED ]] || echo "Bail out! ${0##*/} ended before its plan"
}

# note TEXT: a line for the reader, no result.
note() {
	echo "# $*"
}

comment() {
	sed -n 's/^./# &/p'
}

pass() {
	echo "ok $((++TAP_COUNT)) - $*"
}

# fail WHAT [WHY]
fail() {
	echo "not ok $((++TAP_COUNT)) - $1"
	((++TAP_FAILED))
	comment <<<"${2:-}"
	diag_dump 2>&1 | comment
	return 1
}

# check WHAT COMMAND...: passes if the command does. Its output is shown only
# if it fails.
check() {
	local what=$1 output

	shift
	if output=$("$@" 2>&1); then
		pass "$what"
	else
		fail "$what" "$*: exit status $?"$'\n'"$output"
	fi
}

# check_not WHAT COMMAND...: passes if the command fails.
check_not() {
	local what=$1 output

	shift
	if output=$("$@" 2>&1); then
		fail "$what" "$*: should have failed"$'\n'"$output"
	else
		pass "$what"
	fi
}

# is WHAT GOT EXPECTED
is() {
	if [[ $2 == "$3" ]]; then
		pass "$1"
	else
		fail "$1" "got      $2"$'\n'"expected $3"
	fi
}

# holds WHAT EXPRESSION: an arithmetic expression over numbers, e.g. "$a >= 3".
holds() {
	if [[ $2 =~ ^[0-9a-fA-FxX\ ()+*/%\<\>=\!\&\|-]+$ ]] && (($2)); then
		pass "$1"
	else
		fail "$1" "does not hold: $2"
	fi
}

# skip WHAT WHY
skip() {
	echo "ok $((++TAP_COUNT)) - $1 # SKIP $2"
}

tap_end() {
	TAP_ENDED=1
	echo "1..$TAP_COUNT"
	((TAP_COUNT > 0 && TAP_FAILED == 0)) || exit "$KSFT_FAIL"
	exit "$KSFT_PASS"
}

# Cases that compare counters of the shim: stat_mark remembers them, stat_since
# gives the difference.
declare -A STAT_MARK
stat_mark() {
	local host line

	for host; do
		stat_load "$host" || return
		for line in "${STAT_LINES[@]}"; do
			STAT_MARK[$host.${line%% *}]=${line##* }
		done
	done
}

# stat_since HOST NAME
stat_since() {
	stat_value "$1" "$2" && echo $((REPLY - ${STAT_MARK[$1.$2]:-0}))
}

# counted HOST NAME N: whether the difference is N at least.
counted() {
	stat_value "$1" "$2" && ((REPLY - ${STAT_MARK[$1.$2]:-0} >= $3))
}

# stat_drops HOST: names and differences of all counters of drops that moved.
stat_drops() {
	local line name value

	stat_load "$1" || return
	for line in "${STAT_LINES[@]}"; do
		name=${line%% *} value=${line##* }
		case $name in
		OutNoRoute | OutTooBig | OutNoMemory | OutBadHeaders | OutConntrackRefused | \
			InUnknownTag | InNoMemory | InBadHeaders | InIcmpBad | In_* | Drop_*) ;;
		*) continue ;;
		esac
		((value == ${STAT_MARK[$1.$name]:-0})) ||
			echo "$name +$((value - ${STAT_MARK[$1.$name]:-0}))"
	done
}

# MIB counter of a host: mib HOST NAME, e.g. TcpInCsumErrors.
mib() {
	on "$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'
}

# The kernel's complaints since a mark in its log, but of its own data races.
dmesg_mark() {
	DMESG_MARK=$(dmesg | wc -l)
}

dmesg_clean() {
	! dmesg | tail -n "+$((DMESG_MARK + 1))" | awk -f /opt/shim6/lib/races |
		grep -E 'BUG|WARNING|Oops|Call Trace|rcu:.*stall|hung task|unregister_netdevice|refcount_t|leak'
}
