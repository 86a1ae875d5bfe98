#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What `make demo` shows, with a smaller file.

. "$(dirname "$0")/lib/tap.sh"

tap_begin
dmesg_mark
check "the demonstration passes" "$SELFTESTS/demo.sh" 100
check "the kernel's log is clean" dmesg_clean
tap_end
