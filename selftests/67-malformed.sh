#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Control messages that no sender should make (RFC 5533, Section 12.3).

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/peer.sh"

tap_begin
need python3
peer_up || die "host B"
dmesg_mark
play malformed.py
check "the kernel's log is clean" dmesg_clean
tap_end
