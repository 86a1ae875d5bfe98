// SPDX-License-Identifier: GPL-2.0

//! Addresses and what they may be used for (RFC 5533, Sections 1.4 and 12.3), compared with the
//! standard library where it knows the same.

use std::net::Ipv6Addr;

use proptest::prelude::*;
use shim6_proto::locator::{
    Locator,
    PreferenceFlags,
    Ulid,
    VerificationMethod, //
};

use crate::support::{
    locator,
    ulid,
    ulids, //
};

#[test]
fn multicast() {
    assert!(locator("ff02::1").is_multicast());
    assert!(!locator("fe02::1").is_multicast());
    assert!(!locator("ff02::1").is_unicast());
    assert!(!locator("ff02::1").is_shimmable());
}

#[test]
fn unspecified() {
    assert!(locator("::").is_unspecified());
    assert!(!locator("::2").is_unspecified());
    assert!(!locator("::").is_unicast());
    assert!(!locator("::").is_shimmable());
}

#[test]
fn loopback() {
    assert!(locator("::1").is_loopback());
    assert!(!locator("1::1").is_loopback());
    assert!(locator("::1").is_unicast());
    assert!(!locator("::1").is_shimmable());
}

#[test]
fn link_local() {
    assert!(locator("fe80::1").is_link_local());
    assert!(locator("febf::1").is_link_local());
    assert!(!locator("fec0::1").is_link_local());
    assert!(!locator("fe7f::1").is_link_local());
    assert!(locator("fe80::1").is_unicast());
    assert!(!locator("fe80::1").is_shimmable());
}

#[test]
fn v4_mapped() {
    assert!(locator("::ffff:192.0.2.1").is_v4_mapped());
    assert!(!locator("::fffe:192.0.2.1").is_v4_mapped());
    assert!(!ulid("::ffff:192.0.2.1").is_shimmable());
}

#[test]
fn global_and_unique_local_addresses_are_shimmable() {
    assert!(locator("2001:db8::1").is_shimmable());
    assert!(locator("fd00:1234::1").is_shimmable());
    assert!(ulid("2001:db8::1").is_shimmable());
}

#[test]
fn ulids_are_the_first_locators() {
    let pair = ulids().as_locators();
    assert_eq!(pair.local.as_ulid(), ulids().local);
    assert_eq!(pair.peer.as_ulid(), ulids().peer);
}

#[test]
fn subnet_prefix_is_the_upper_half() {
    let prefix = locator("2001:db8:a:1::5").subnet_prefix();
    assert_eq!(prefix, [0x20, 0x01, 0x0d, 0xb8, 0, 0x0a, 0, 1]);
}

/// Table 4 of RFC 5533, not its Section 17, which has the two exchanged.
#[test]
fn verification_method_numbers() {
    assert_eq!(VerificationMethod::HBA.get(), 1);
    assert_eq!(VerificationMethod::CGA.get(), 2);
    let supported = (0..=u8::MAX).filter(|&code| VerificationMethod::new(code).is_supported());
    assert_eq!(supported.collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn preference_flags() {
    assert!(PreferenceFlags::BROKEN.is_broken());
    assert!(!PreferenceFlags::BROKEN.is_transient());
    assert!(PreferenceFlags::TRANSIENT.is_transient());
    assert!(!PreferenceFlags::TRANSIENT.is_broken());
    assert_eq!(PreferenceFlags::new(0xfc), PreferenceFlags::new(0xfc));
    assert!(!PreferenceFlags::new(0xfc).is_broken());
    assert!(!PreferenceFlags::new(0xfc).is_transient());
}

#[test]
fn text_forms() {
    assert_eq!(locator("2001:db8:0::1").to_string(), "2001:db8::1");
    assert_eq!(format!("{:?}", ulid("2001:db8::1")), "Ulid(2001:db8::1)");
    assert_eq!(
        format!("{:?}", locator("2001:db8::1")),
        "Locator(2001:db8::1)"
    );
}

proptest! {
    #[test]
    fn classes_agree_with_the_standard_library(octets: [u8; 16], high in 0xf0..=0xff_u8) {
        for octets in [octets, { let mut o = octets; o[0] = high; o }] {
            let (locator, std) = (Locator::new(octets), Ipv6Addr::from(octets));
            prop_assert_eq!(locator.is_multicast(), std.is_multicast());
            prop_assert_eq!(locator.is_unspecified(), std.is_unspecified());
            prop_assert_eq!(locator.is_loopback(), std.is_loopback());
            prop_assert_eq!(locator.is_link_local(), std.is_unicast_link_local());
            prop_assert_eq!(locator.is_v4_mapped(), std.to_ipv4_mapped().is_some());
            prop_assert_eq!(Ipv6Addr::from(locator), std);
            prop_assert_eq!(Ulid::from(std).as_locator(), locator);
            prop_assert_eq!(locator.octets(), *locator.as_octets());
        }
    }
}
