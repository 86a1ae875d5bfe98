#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A peer's word about its own locators: taken only with proof (RFC 5533, Section 7.2).

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/peer.sh"

tap_begin
need python3
peer_up || die "host B"
dmesg_mark
play lists.py
check "the kernel's log is clean" dmesg_clean
tap_end
