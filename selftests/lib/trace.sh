# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The tracepoints of the module, read through tracefs. They are those of all
# namespaces: records name theirs by its inode number.

TRACEFS=/sys/kernel/tracing

# trace_begin: from now on what happens is recorded, in an instance of its own.
trace_begin() {
	mountpoint -q "$TRACEFS" || mount -t tracefs none "$TRACEFS" || return
	TRACE=$TRACEFS/instances/shim6-selftest
	mkdir "$TRACE" && at_exit trace_end && echo 1 >"$TRACE/events/shim6/enable"
}

# An instance goes when nobody traces in it any more.
trace_end() {
	[[ ! -d $TRACE ]] || { echo 0 >"$TRACE/events/enable" && rmdir "$TRACE"; }
}

# trace_forget: what was recorded.
trace_forget() {
	: >"$TRACE/trace"
}

# trace_netns HOST: the number by which records name its namespace.
trace_netns() {
	stat -L -c %i "/run/netns/$(topo_ns "$1")"
}

# traced HOST EVENT: the records of a host's namespace, without the number of that,
# oldest first, addresses as names.
traced() {
	names "$(sed -nE "s/.* shim6_$2: netns=$(trace_netns "$1") //p" "$TRACE/trace")"
}

# traces HOST EVENT PATTERN: whether there is such a record.
traces() {
	traced "$1" "$2" | grep -qE -- "$3"
}
