// SPDX-License-Identifier: GPL-2.0

//! Packets with any extension headers, their transformation, and ICMPv6 errors about them.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shim6_fuzz::packet(data));
