// SPDX-License-Identifier: GPL-2.0

//! Two or three hosts in a network that does its worst.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shim6_fuzz::hosts(data));
