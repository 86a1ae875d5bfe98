# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every script of this directory stands on: where things live, how a step
# is shown, how an artifact gets into the cache whole or not at all, and how a
# command is run inside a build root.  Sourced, never run.

set -euo pipefail
shopt -s inherit_errexit
# A child that dies of Ctrl-C must take the script with it, and the script its children.
BACKGROUND=()
trap 'stop_background; exit 130' INT
trap 'stop_background; exit 143' TERM

QEMU_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$QEMU_DIR")
BUILD=$TOP/build
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/shim6

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# report START_MICROSECONDS WHAT [END_MICROSECONDS]: one line for something that
# took from then until now, or until then.
report() {
	local us=$((${3:-${EPOCHREALTIME/[.,]/}} - $1))
	printf '%6d.%d s  %s\n' $((us / 1000000)) $((us / 100000 % 10)) "$2" >&2
}

# log_of LABEL: where the output of that step is.
log_of() {
	printf '%s/log/%s.log\n' "$CACHE" "${1//[^[:alnum:].]/-}"
}

# step LABEL COMMAND...: run COMMAND with its output in a log, then print one
# line with the duration; on failure the end of the log, and exit.  Must not be
# called as a condition, because bash would then ignore errors inside COMMAND.
step() {
	local label=$1 start=${EPOCHREALTIME/[.,]/} began=$SECONDS log status
	shift
	mkdir -p "$CACHE/log"
	log=$(log_of "$label").$BASHPID
	[[ ! -t 2 ]] || printf '           %s ...\r' "$label" >&2
	set +e
	(
		set -e
		"$@"
	) >"$log" 2>&1 </dev/null
	status=$?
	set -e
	mv -f "$log" "${log%.*}"
	log=${log%.*}
	case $status in
	130 | 143) report "$start" "$label: stopped" && exit "$status" ;;
	esac
	if ((status != 0)); then
		report "$start" "$label: FAILED"
		[[ -z ${FAILURES-} ]] || printf '%s (whole log: %s)\n' "$label" "$log" >>"$FAILURES"
		{
			tail -n 60 "$log"
			printf '%s: failed: %s (whole log: %s)\n' "${0##*/}" "$label" "$log"
		} >&2
		exit "$status"
	fi
	# In the way of a command's own output only what took its time is worth a line.
	if [[ -z ${QUIET-} ]] || ((SECONDS - began >= 3)); then
		report "$start" "$label"
	fi
}

# background COMMAND...: start a shell function in a process group of its own, which
# Ctrl-C does not reach: stop_background does.
background() {
	set -m
	in_background "$@" &
	set +m
	BACKGROUND+=($!)
}

# What its parent has started is not its own; what it starts ends with it.
in_background() {
	BACKGROUND=()
	trap 'stop_background; exit 130' INT
	trap 'stop_background; exit 143' TERM
	"$@"
}

stop_background() {
	local pid
	for pid in "${BACKGROUND[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null || true
	done
	# Not for all children: there may be a machine, which EXIT ends.
	((${#BACKGROUND[@]} == 0)) || wait "${BACKGROUND[@]}" 2>/dev/null || true
}

# parallel COMMAND --- COMMAND...: run shell functions side by side, fail if one fails.
parallel() {
	local -a command=() before=("${BACKGROUND[@]}") own=()
	local word pid failed=0
	for word in "$@" ---; do
		if [[ $word != --- ]]; then
			command+=("$word")
			continue
		fi
		background "${command[@]}"
		own+=($!)
		command=()
	done
	for pid in "${own[@]}"; do
		wait "$pid" || failed=$?
	done
	BACKGROUND=("${before[@]}")
	((failed == 0)) || exit "$failed"
}

# cached NAME LABEL COMMAND...: make sure that $CACHE/NAME exists.  If it does
# not, COMMAND is called with the path of an empty directory beside it; what it
# leaves there is renamed into place, so nobody ever sees half an artifact.
cached() {
	local target=$CACHE/$1 label=$2 scratch
	shift 2
	[[ ! -e $target ]] || return 0
	mkdir -p "$(dirname "$target")" "$CACHE/lock"
	(
		flock 9
		[[ ! -e $target ]] || exit 0
		# Whoever left these is gone: the lock is ours.
		for scratch in "$target".partial.*; do
			[[ ! -e $scratch ]] || discard "$scratch"
		done
		scratch=$target.partial.$BASHPID
		mkdir "$scratch"
		trap 'discard "$scratch"' EXIT
		# COMMAND inherits the lock: should it outlive us, the next one waits for it.
		step "$label" "$@" "$scratch"
		mv -T "$scratch" "$target"
		trap - EXIT
	) 9>"$CACHE/lock/${target##*/}"
}

# Trees unpacked by an unprivileged user can hold directories without write permission.
discard() {
	chmod -R u+rwX "$1" 2>/dev/null || true
	rm -rf "$1"
}

digest() {
	sha256sum | cut -c1-12
}

# How to get private mounts and processes that die with us; fails with one sentence where that is forbidden.
namespace_command() {
	local -a candidate=(unshare --mount --pid --fork --kill-child)
	((EUID == 0)) || candidate+=(--map-root-user)
	"${candidate[@]}" true 2>/dev/null || {
		if ((EUID == 0)); then
			die "this root may not create mount namespaces (a container without CAP_SYS_ADMIN?); run on a machine or container where it may"
		else
			die "user namespaces are not allowed for $(id -un); allow them (sysctl kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0) or run as root"
		fi
	}
	NAMESPACE=("${candidate[@]}")
	ENTER=("${NAMESPACE[@]}" bash "$QEMU_DIR/in-root" "$CACHE")
}

# enter ROOT [SOURCE:TARGET[:ro]]... -- COMMAND...: run COMMAND in a build root,
# which is read-only there, with /tmp, /run and /dev of its own, /cache being the cache.
enter() {
	[[ -n ${NAMESPACE-} ]] || namespace_command
	"${ENTER[@]}" "$@"
}

# kernel_complaints LOG: what the kernel complained about, with some lines of
# context; fails if there is nothing but data races of the kernel's own.
kernel_complaints() {
	grep -m 3 -a -A 30 -E -f <(grep -v '^#' "$QEMU_DIR/guest/complaints") <(awk -f "$QEMU_DIR/guest/races" "$1")
}

# kernel_races LOG: those, a comment for each pair of functions; nothing if there are none.
kernel_races() {
	awk -v list=1 -f "$QEMU_DIR/guest/races" "$1" | sed "s/^/# race of the kernel's own: /"
}

# Every kernel that somebody asked for, or the sentence which ones exist.
check_kernel() {
	[[ -n ${KERNEL_ROOT[$1]-} ]] || die "no kernel '$1'; there are: ${!KERNEL_ROOT[*]}"
}

# shellcheck source=kernels.sh
. "$QEMU_DIR/kernels.sh"
# shellcheck source=roots.sh
. "$QEMU_DIR/roots.sh"
# shellcheck source=metadata.sh
. "$QEMU_DIR/metadata.sh"
# shellcheck source=image.sh
. "$QEMU_DIR/image.sh"
# shellcheck source=module.sh
. "$QEMU_DIR/module.sh"
