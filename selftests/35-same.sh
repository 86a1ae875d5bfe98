#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A payload header opens nothing: no socket gets what the same packet without it would
# not bring, with whatever firewall.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/peer.sh"

need python3
tap_begin
peer_up || die "host B"
dmesg_mark
play same.py
check "the kernel's log is clean" dmesg_clean
tap_end
