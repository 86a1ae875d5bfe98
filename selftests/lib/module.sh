# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For tests that load and unload the module themselves.

readonly MODULE=${SHIM6_KO:-/opt/shim6/shim6.ko}

# module_need: skips the script where there is no module to load. Before tap_begin.
module_need() {
	[[ -r $MODULE ]] || { echo "1..0 # SKIP no module $MODULE"; exit "$KSFT_SKIP"; }
}

loaded() {
	[[ -e /sys/module/shim6 ]]
}

# load: the module is there afterwards, also for those that come after.
load() {
	loaded || insmod "$MODULE"
}
