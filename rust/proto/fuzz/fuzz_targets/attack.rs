// SPDX-License-Identifier: GPL-2.0

//! Two hosts and somebody between them who changes, makes and repeats messages.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shim6_fuzz::attack(data));
