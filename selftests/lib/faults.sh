# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Allocations that fail: those that the module asks for, one after the other. Needs a kernel
# with fault injection; what it finds to complain about is looked at here, because a failed
# allocation is reported with a trace that is no mistake.

. "${BASH_SOURCE[0]%/*}/establish.sh"
. "${BASH_SOURCE[0]%/*}/module.sh"

readonly FAULTS=/sys/kernel/debug
FAULTS_COUNT=0
# What fails; a script may say something else before it reads this.
readonly FAULTS_ARE=${FAULTS_ARE:-allocations}
# A part of them in place of each: I/N is the first one, and every Nth from the Ith on.
readonly FAULTS_PART=${FAULTS_PART:-1/1}
[[ $FAULTS_PART =~ ^([1-9][0-9]{0,3})/([1-9][0-9]{0,3})$ ]] || die "FAULTS_PART wants I/N"
readonly FAULTS_FIRST=${BASH_REMATCH[1]} FAULTS_STEP=${BASH_REMATCH[2]}
((FAULTS_FIRST <= FAULTS_STEP)) || die "FAULTS_PART: there is no part $FAULTS_PART"
FAULTS_EACH="each of its $FAULTS_ARE"
((FAULTS_STEP == 1)) || FAULTS_EACH="part $FAULTS_PART of its $FAULTS_ARE"
readonly FAULTS_EACH

# faults_need: skips the script where nothing can be made to fail. Before tap_begin.
faults_need() {
	[[ -e $FAULTS/failslab && -e $FAULTS/fail_page_alloc && -e /proc/self/fail-nth ]] ||
		{ echo "1..0 # SKIP this kernel has no fault injection"; exit "$KSFT_SKIP"; }
	module_need
}

# faults_up: ready to make something fail, and nothing fails yet.
faults_up() {
	fault_setting verbose 0
	fault_setting ignore-gfp-wait N
	fault_setting probability 0
	echo N >"$FAULTS/fail_page_alloc/ignore-gfp-highmem"
	echo 0 >"$FAULTS/fail_page_alloc/min-order"
	FAULTS_CONSOLE=$(cut -f 1 /proc/sys/kernel/printk)
	at_exit faults_down
	# Warnings of the allocator are not for the console.
	echo 4 >/proc/sys/kernel/printk
}

faults_down() {
	fault_setting probability 0
	fault_setting require-start 0
	fault_setting require-end 0xffffffffffffffff
	echo "$FAULTS_CONSOLE" >/proc/sys/kernel/printk
}

fault_setting() {
	local kind

	for kind in failslab fail_page_alloc; do
		echo "$2" >"$FAULTS/$kind/$1" || die "$kind/$1"
	done
}

# faults_of_module: from now on only what the module asks for counts. It may be loaded at any
# place near the one where it is now, with nothing else there.
faults_of_module() {
	local start

	start=$(awk '$1 == "shim6" { print $6 }' /proc/modules)
	((start)) || die "no module"
	fault_setting require-start "$(printf '0x%x' $((start & ~0xfffffff)))"
	fault_setting require-end "$(printf '0x%x' $((start | 0xfffffff)))"
}

# fault_next NTH: the number of that which fails next.
fault_next() {
	echo $(($1 == 1 && FAULTS_FIRST > 1 ? FAULTS_FIRST : $1 + FAULTS_STEP))
}

# each_allocation UNDO COMMAND...: the command with its first allocation failing, its second
# and so on, until it is through before one does; UNDO follows whenever it succeeds. Fails if it
# dies of it, or if it does not work without a failure in the end.
each_allocation() {
	local undo=$1 nth status reached

	shift
	for ((nth = 1; ; nth = $(fault_next "$nth"))); do
		read -r status reached < <(failnth "$nth" "$@") || return
		if ((status < 0 || status > 124)); then
			echo "allocation $nth: status $status"
			return 1
		fi
		if ((status == 0)); then
			$undo || { echo "allocation $nth: $undo fails"; return 1; }
		fi
		[[ $reached == yes ]] || break
		FAULTS_COUNT=$((FAULTS_COUNT + 1))
		((nth < 3000)) || { echo "no end"; return 1; }
	done
	((status == 0))
}

# survives WHAT UNDO COMMAND...: a case; each of them makes one allocation at least.
survives() {
	local what=$1 output=$TOPO_DIR/survives

	shift
	FAULTS_COUNT=0
	if each_allocation "$@" >"$output" 2>&1 && ((FAULTS_COUNT > 0)); then
		pass "$what: $FAULTS_EACH failed once"
		note "$FAULTS_COUNT $FAULTS_ARE"
	else
		fail "$what: $FAULTS_EACH failed once" "$(<"$output") after $FAULTS_COUNT"
	fi
}

# Commands run on A for `survives`.
as_a=(nsenter "--net=/run/netns/$(topo_ns A)")

# survives_context: the cases that a context is added by hand. The first one opens hooks, which stay
# for a while: what comes behind them fails with the second one.
survives_context() {
	local what

	topo_context_options A
	for what in "a first context by hand" "a context by hand"; do
		survives "$what" drop_context "${as_a[@]}" shim6 context add "${TOPO_CONTEXT[@]}" \
			--current-local "$A2" --current-peer "$B2"
	done
}

drop_context() {
	on A shim6 context del --tag-local "$TAG_A"
}

nothing() {
	:
}

# forget: no context on either host.
forget() {
	on A shim6 context flush && on B shim6 context flush
}

unload() {
	rmmod shim6
}

# What happens in softirq and in workers has no process whose allocations could be counted.
# There those of everybody count, and the kernel's counter goes up while the interval is
# above 1 and nothing has failed yet; where it stands is remembered from test to test.
readonly FAULTS_POSITION=/run/shim6-faults

position() {
	cat "$FAULTS_POSITION" 2>/dev/null || echo 0
}

# fault_at N: the Nth allocation from now on fails, and no other one.
fault_at() {
	local kind=$FAULTS/failslab

	FAULTS_NEXT=$(($(position) + $1))
	# An interval of 1 counts nothing.
	((FAULTS_NEXT > 1)) || FAULTS_NEXT=2
	echo "$FAULTS_NEXT" >"$kind/interval" && echo 1 >"$kind/times" && echo 100 >"$kind/probability"
}

fault_came() {
	(($(<"$FAULTS/failslab/times") == 0))
}

# fault_over: no more failures; tells whether there was one. If not, the counter is somewhere
# below, and allocations of no consequence bring it to where it is known.
fault_over() {
	local came=1 tries

	if fault_came; then
		came=0
	else
		echo $((FAULTS_NEXT + 1)) >"$FAULTS_POSITION"
		fault_at 0
		for ((tries = 0; tries < 3000; tries++)); do
			on A shim6 policy add 2001:db8:77::/48 2>/dev/null
			on A shim6 policy del 2001:db8:77::/48 2>/dev/null
			! fault_came || break
		done
		fault_came || die "the counter of allocations is lost"
	fi
	echo 0 >"$FAULTS/failslab/probability"
	echo "$FAULTS_NEXT" >"$FAULTS_POSITION"
	return "$came"
}

# faults_report: what the kernel said, but for the traces of allocations that failed.
faults_report() {
	dmesg | grep -E -A 20 'BUG|WARNING: |Oops|KASAN|UBSAN|refcount_t|list_(add|del)|stall|lock(dep|ing)|RCU usage|sleeping function|ODEBUG|panicked|unregister_netdevice'
}

# faults_clean: nothing of that, and nothing stays in the log for others to find.
faults_clean() {
	local report

	report=$(faults_report)
	dmesg -C
	[[ -z $report ]] || { echo "$report"; return 1; }
}

# leaks: what kmemleak says was lost since leaks_forget; nothing where it is not there. What is
# younger than five seconds may still be on its way.
leaks() {
	[[ -e $FAULTS/kmemleak ]] || return 0
	for _ in 1 2; do
		pause 6
		echo scan >"$FAULTS/kmemleak"
	done
	cat "$FAULTS/kmemleak"
}

leaks_forget() {
	[[ ! -e $FAULTS/kmemleak ]] || { leaks >/dev/null; echo clear >"$FAULTS/kmemleak"; }
}

# faults_end: the last cases. The module goes, nothing of it stays that the kernel complains about or
# has lost, and what it has when it is there again is there to stay.
faults_end() {
	unload || die "rmmod"
	# Now nothing of namespaces that came to nothing is anywhere.
	unshare --net true
	check "the kernel has nothing to complain about" faults_clean
	is "nothing was lost" "$(leaks)" ""
	load
	leaks_forget
	dmesg -C
	tap_end
}
