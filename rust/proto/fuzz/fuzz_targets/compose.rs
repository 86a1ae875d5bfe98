// SPDX-License-Identifier: GPL-2.0

//! Messages of a host that tells anything about itself.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shim6_fuzz::compose(data));
