# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every script of the selftests needs: errors, clean-up, waiting for a
# condition. Sourced by topology.sh and tap.sh.

[[ -n ${SHIM6_UTIL_SH:-} ]] && return
SHIM6_UTIL_SH=1

export LC_ALL=C

# Exit codes of kselftest.
readonly KSFT_PASS=0 KSFT_FAIL=1 KSFT_SKIP=4
export KSFT_PASS KSFT_FAIL KSFT_SKIP

die() {
	echo "${0##*/}: $*" >&2
	exit "$KSFT_FAIL"
}

# need PROGRAM...: skip the whole script, by name, if a program is missing.
need() {
	local program

	for program; do
		command -v "$program" >/dev/null ||
			{ echo "1..0 # SKIP $program is not installed"; exit "$KSFT_SKIP"; }
	done
}

# Commands registered with at_exit run in reverse order when the shell exits,
# also after a signal.
AT_EXIT=()
at_exit() {
	[[ ${#AT_EXIT[@]} -gt 0 ]] || trap run_at_exit EXIT
	AT_EXIT+=("$*")
}

# at_exit_anew: in a subshell, which is to clean up after itself and not after others.
at_exit_anew() {
	AT_EXIT=()
}

run_at_exit() {
	local status=$? i

	trap - EXIT
	for ((i = ${#AT_EXIT[@]} - 1; i >= 0; i--)); do
		eval "${AT_EXIT[i]}"
	done
	exit "$status"
}
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# A pipe that nobody writes: reading from it with a time limit waits without
# the cost of a fork.
exec {PAUSE_FD}<> <(:)
pause() {
	read -r -t "$1" -u "$PAUSE_FD" || true
}

# Milliseconds since boot, monotonic, without a fork.
now_ms() {
	local up

	read -r up _ </proc/uptime
	echo $((10#${up/./} * 10))
}

# wait_until SECONDS COMMAND...: poll a condition until it holds, the less often
# the longer it takes, at least a hundred times in all or three times a second. Returns 1,
# with a line on stderr, if it still does not hold at the deadline. PATIENCE is of selftests/run.
wait_until() {
	local deadline=$((SECONDS + $1 * ${PATIENCE:-1} + 1)) ms=40 most=$(($1 > 30 ? $1 * 10 : 300)) wait

	shift
	until "$@"; do
		if ((SECONDS >= deadline)); then
			echo "gave up waiting for: $*" >&2
			return 1
		fi
		printf -v wait "%d.%03d" $((ms / 1000)) $((ms % 1000))
		pause "$wait"
		ms=$((ms < most ? ms * 5 / 4 : ms))
	done
}

# gone PID: the process has ended.
gone() {
	! kill -0 "$1" 2>/dev/null
}

# stop PID...: end processes that this shell started and reap them.
stop() {
	local pid

	for pid; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

# The C programs, as `make -C selftests` leaves them; elsewhere they are in PATH
# already.
SELFTESTS=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
PATH=$SELFTESTS/bin:$PATH
