// SPDX-License-Identifier: GPL-2.0

//! Limits of rates over time.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shim6_fuzz::limit(data));
