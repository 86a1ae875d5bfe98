#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The number of contexts of a namespace is bounded by net.shim6.max_contexts;
# what is refused is counted, and changes nothing.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/traffic.sh"

readonly SETTING=/proc/sys/net/shim6/max_contexts

add() {
	on A shim6 context add --ulid-local "$A1" --ulid-peer "2001:db8:e::$1" \
		--tag-local "$((1000 + $1))" --tag-peer 0xbeef
}

setting() {
	on A bash -c "$1"
}

tap_begin
topo_up direct
is "the default is 65536" "$(setting "cat $SETTING")" 65536
check "it is set to 3" setting "echo 3 >$SETTING"
is "in this namespace only" "$(on B cat $SETTING)" 65536
for value in -1 4294967296 many; do
	check_not "it is not set to $value" setting "echo $value >$SETTING"
done
is "it is 3 still" "$(setting "cat $SETTING")" 3

stat_mark A
for i in 1 2 3; do check "context $i of 3" add $i; done
check_not "the fourth is refused" add 4
is "and counted" "$(stat_since A ContextTableFull)" 1
is "there are three" "$(stat_get A Contexts)" 3
is "and three are shown" "$(on A shim6 context show --json | jq length)" 3
check_not "a tag in use is refused" add 1
check "one is deleted" on A shim6 context del --tag-local 1001
check "then there is room" add 4
check "a lower bound deletes nothing" setting "echo 1 >$SETTING"
is "there are three still" "$(stat_get A Contexts)" 3
for i in 1002 1003 1004; do on A shim6 context del --tag-local $i; done
is "then there is none" "$(stat_get A Contexts)" 0
is "the route of last resort is gone" \
	"$(ip -6 -n "$(topo_ns A)" rule show table 140)" ""

setting "echo 65536 >$SETTING"
many=50
for ((i = 1; i <= many; i++)); do add $i || break; done 2>"$TOPO_DIR/errors"
is "$many contexts" "$(stat_get A Contexts)" $many
is "all are shown" "$(on A shim6 context show --json | jq length)" $many
tap_end
