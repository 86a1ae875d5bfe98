#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Probes of a peer that lies or is somebody else, and locators that have not answered
# a Probe yet (RFC 5533, Section 7.2; RFC 5534, Section 8).

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/peer.sh"

tap_begin
need python3
peer_up || die "host B"
dmesg_mark
play probes.py
check "the kernel's log is clean" dmesg_clean
tap_end
