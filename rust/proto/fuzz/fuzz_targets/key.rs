// SPDX-License-Identifier: GPL-2.0

//! RSA public keys in SubjectPublicKeyInfo.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| shim6_fuzz::key(data));
