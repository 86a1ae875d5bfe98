#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Forged handshakes, tags and R1bis messages (RFC 5533, Section 16): dropped
# without a trace, answered at limited rates, never answered with much more than
# was sent.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/peer.sh"

tap_begin
need python3
peer_up || die "host B"
dmesg_mark
play forged.py
check "the kernel's log is clean" dmesg_clean
tap_end
