// SPDX-License-Identifier: GPL-2.0

//! Datagrams that the `shim6` command takes for answers and events of the kernel.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut out = Vec::new();
    shim6::answers::read(data, &mut out).expect("memory can be written");
    // What is shown is text, whatever came: names of identities are the kernel's octets.
    assert!(std::str::from_utf8(&out).is_ok());
    assert!(!out
        .iter()
        .any(|octet| matches!(octet, 0..=8 | 11..=31 | 127)));
});
