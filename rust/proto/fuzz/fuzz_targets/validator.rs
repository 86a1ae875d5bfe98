// SPDX-License-Identifier: GPL-2.0

//! Responder Nonces and Validators over time.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shim6_fuzz::validator(data));
