// SPDX-License-Identifier: GPL-2.0

//! Control messages of any type and contents, built and parsed back.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shim6_fuzz::round_trip(data));
