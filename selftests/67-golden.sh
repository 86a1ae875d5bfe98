#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Golden packets: what host B makes of each, to the octet, as the RFCs have it.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/peer.sh"

need python3
tap_begin
peer_up || die "host B"
# Checksums are part of it.
for i in 1 2; do on B ethtool -K up$i tx off >/dev/null; done
dmesg_mark
play golden.py
check "the kernel's log is clean" dmesg_clean
tap_end
