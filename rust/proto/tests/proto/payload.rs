// SPDX-License-Identifier: GPL-2.0

//! The payload extension header, rule by rule (RFC 5533, Section 5.2).

use proptest::prelude::*;
use shim6_proto::{
    tag::ContextTag,
    wire::{
        fault::Reason,
        payload::PayloadHeader, //
    }, //
};

use crate::support::TAG;

/// The header in the vectors.
const HEADER: [u8; 8] = [17, 0, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54];

#[test]
fn fields() {
    assert_eq!(
        PayloadHeader::parse(&HEADER),
        Ok(Some(PayloadHeader {
            next_header: 17,
            tag: TAG,
        }))
    );
}

#[test]
fn octets() {
    let header = PayloadHeader {
        next_header: 17,
        tag: TAG,
    };
    assert_eq!(header.to_octets(), HEADER);
}

#[test]
fn length_other_than_zero_is_not_defined() {
    for length in 1..=u8::MAX {
        let mut header = HEADER;
        header[1] = length;
        assert_eq!(PayloadHeader::parse(&header), Err(Reason::PayloadLength));
    }
}

#[test]
fn second_shim6_header_is_not_defined() {
    let mut header = HEADER;
    header[0] = 140;
    assert_eq!(PayloadHeader::parse(&header), Err(Reason::PayloadNested));
}

/// P = 0, whatever its length and what follows.
#[test]
fn control_message_is_none() {
    for first in [[17, 0], [59, 1], [140, 255]] {
        let mut header = HEADER;
        header[..2].copy_from_slice(&first);
        header[2] &= 0x7f;
        assert_eq!(PayloadHeader::parse(&header), Ok(None));
    }
}

#[test]
fn fewer_than_eight_octets() {
    for length in 0..8 {
        assert_eq!(
            PayloadHeader::parse(&HEADER[..length]),
            Err(Reason::Truncated)
        );
    }
}

proptest! {
    #[test]
    fn round_trip(next_header in (0..=u8::MAX).prop_filter("nested", |&n| n != 140), bits: u64) {
        let header = PayloadHeader { next_header, tag: ContextTag::from_low_bits(bits) };
        prop_assert_eq!(PayloadHeader::parse(&header.to_octets()), Ok(Some(header)));
    }

    #[test]
    fn any_octets(octets in prop::collection::vec(any::<u8>(), 0..16)) {
        if let Ok(Some(header)) = PayloadHeader::parse(&octets) {
            prop_assert_eq!(&header.to_octets()[..], &octets[..8]);
        }
    }
}
