// SPDX-License-Identifier: GPL-2.0

//! Every case of `context_tag.json`.

use serde_json::Value;
use shim6_proto::tag::ContextTag;

use crate::support::{
    field,
    tag,
    vectors, //
};

/// Runs `check` on every case with its tag.
fn each(check: impl Fn(ContextTag, &Value)) {
    let vectors = vectors!("context_tag");
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        check(
            ContextTag::new(case["tag"].as_u64().unwrap()).unwrap(),
            case,
        );
    }
}

/// The six octets in a field of a case.
fn six(value: &Value) -> [u8; 6] {
    field(value).try_into().expect("six octets")
}

#[test]
fn to_payload_header() {
    each(|tag, case| assert_eq!(tag.to_payload(), six(&case["payload_octets_2_to_7"])));
}

#[test]
fn from_payload_header() {
    each(|tag, case| {
        assert_eq!(
            ContextTag::from_wire(six(&case["payload_octets_2_to_7"])),
            tag
        );
    });
}

#[test]
fn to_control_message() {
    each(|tag, case| assert_eq!(tag.to_control(), six(&case["control_octets_6_to_11"])));
}

#[test]
fn from_control_message() {
    each(|tag, case| {
        assert_eq!(
            ContextTag::from_wire(six(&case["control_octets_6_to_11"])),
            tag
        );
    });
}

#[test]
fn reserved_bit_is_ignored() {
    each(|tag, case| {
        assert_eq!(
            ContextTag::from_wire(six(&case["control_received_with_R_set"])),
            tag
        );
    });
}

#[test]
fn text_form() {
    each(|number, case| {
        assert_eq!(number.to_string(), case["tag_hex"].as_str().unwrap());
        assert_eq!(number, tag(&case["tag_hex"]));
    });
}
