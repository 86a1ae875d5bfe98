// SPDX-License-Identifier: GPL-2.0

//! CGA Parameter Data Structures, and the addresses that they prove.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shim6_fuzz::pds(data));
