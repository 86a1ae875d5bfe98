// SPDX-License-Identifier: GPL-2.0

//! Control messages and payload extension headers as they arrive.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shim6_fuzz::message(data));
