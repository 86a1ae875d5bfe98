// SPDX-License-Identifier: GPL-2.0

//! Context tags (RFC 5533, Section 4.1).

use proptest::prelude::*;
use shim6_proto::tag::ContextTag;

#[test]
fn forty_seven_bits_and_no_more() {
    assert_eq!(
        ContextTag::new(ContextTag::MAX.get()),
        Some(ContextTag::MAX)
    );
    assert_eq!(ContextTag::new(ContextTag::MAX.get() + 1), None);
    assert_eq!(ContextTag::new(u64::MAX), None);
    assert_eq!(ContextTag::MAX.get(), (1 << ContextTag::BITS) - 1);
}

#[test]
fn random_bits_are_masked() {
    assert_eq!(ContextTag::from_low_bits(u64::MAX), ContextTag::MAX);
    assert_eq!(
        ContextTag::from_low_bits(1 << 47),
        ContextTag::from_low_bits(0)
    );
}

#[test]
fn debug_form_names_the_type() {
    let tag = ContextTag::from_low_bits(0x1a);
    assert_eq!(format!("{tag:?}"), "ContextTag(00000000001a)");
}

proptest! {
    #[test]
    fn wire_round_trips(bits: u64) {
        let tag = ContextTag::from_low_bits(bits);
        prop_assert_eq!(ContextTag::from_wire(tag.to_control()), tag);
        prop_assert_eq!(ContextTag::from_wire(tag.to_payload()), tag);
        prop_assert_eq!(ContextTag::new(tag.get()), Some(tag));
    }

    #[test]
    fn top_bit_tells_the_two_forms_apart(bits: u64) {
        let tag = ContextTag::from_low_bits(bits);
        prop_assert_eq!(tag.to_control()[0] & 0x80, 0);
        prop_assert_eq!(tag.to_payload()[0] & 0x80, 0x80);
    }
}
