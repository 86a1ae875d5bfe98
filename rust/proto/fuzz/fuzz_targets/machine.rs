// SPDX-License-Identifier: GPL-2.0

//! One machine, and any events.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shim6_fuzz::machine(data));
