// SPDX-License-Identifier: GPL-2.0

//! What a host says about its locators, against a naive verification.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shim6_fuzz::verify(data));
