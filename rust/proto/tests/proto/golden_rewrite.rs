// SPDX-License-Identifier: GPL-2.0

//! Every case of `rewrite.json`: outbound, inbound, and the reverse mapping of an ICMPv6 error.

use serde_json::Value;
use shim6_proto::{
    locator::{
        LocatorPair,
        UlidPair, //
    },
    wire::{
        chain,
        icmp::{
            Concern,
            IcmpError,
            IcmpFault, //
        },
        payload::PayloadHeader,
        quote::QuotedHeader,
        rewrite, //
    }, //
};

use crate::{
    effort::STRIDE,
    support::{
        address,
        checksum,
        field,
        inbound,
        tag,
        vectors, //
    }, //
};

/// The case with this name.
fn case(name: &str) -> Value {
    vectors!("rewrite")["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .find(|case| case["name"] == name)
        .unwrap_or_else(|| panic!("no case {name}"))
        .clone()
}

/// The locators of a case as the sender has them.
fn path(case: &Value) -> LocatorPair {
    LocatorPair {
        local: address(&case["locator_src"]).into(),
        peer: address(&case["locator_dst"]).into(),
    }
}

/// The ULIDs of a case as the sender has them.
fn sender_ulids(case: &Value) -> UlidPair {
    UlidPair {
        local: address(&case["ulid_src"]).into(),
        peer: address(&case["ulid_dst"]).into(),
    }
}

/// The ULIDs of a case as the receiver has them.
fn receiver_ulids(case: &Value) -> UlidPair {
    let UlidPair { local, peer } = sender_ulids(case);
    UlidPair {
        local: peer,
        peer: local,
    }
}

fn check_outbound(case: &Value) {
    let before = field(&case["before"]);
    let place = chain::locate(&before).unwrap();
    let mut buffer = [[0xa5; PayloadHeader::LEN].as_slice(), &before].concat();

    rewrite::outbound(
        &mut buffer,
        before.len(),
        &place,
        &path(case),
        tag(&case["peer_tag"]),
    )
    .unwrap();
    assert_eq!(hex::encode(buffer), case["after"].as_str().unwrap());
    assert_eq!(
        place.offset() as u64,
        case["shim_header_offset"].as_u64().unwrap()
    );
}

fn check_inbound(case: &Value) {
    let mut after = field(&case["after"]);
    let length = after.len();
    let place = chain::locate(&after).unwrap();

    assert!(place.is_shim6());
    let header = inbound(&mut after, length, &place, &receiver_ulids(case)).unwrap();
    assert_eq!(header.tag, tag(&case["peer_tag"]));
    assert_eq!(hex::encode(&after[8..]), case["before"].as_str().unwrap());
}

/// Only the octets up to the end of the header need to be there.
fn check_head_only(case: &Value) {
    let before = field(&case["before"]);
    let after = field(&case["after"]);
    let place = chain::locate(&before).unwrap();
    let end = place.offset() + 8;

    let mut head = [[0; 8].as_slice(), &before[..place.offset()]].concat();
    rewrite::outbound(
        &mut head,
        before.len(),
        &place,
        &path(case),
        tag(&case["peer_tag"]),
    )
    .unwrap();
    assert_eq!(head, after[..end]);

    let place = chain::locate(&after[..end]).unwrap();
    inbound(&mut head, after.len(), &place, &receiver_ulids(case)).unwrap();
    assert_eq!(head[8..], before[..place.offset()]);
}

macro_rules! golden {
    ($($module:ident: $name:literal;)*) => {
        $(mod $module {
            #[test]
            fn outbound() {
                super::check_outbound(&super::case($name));
            }

            #[test]
            fn inbound() {
                super::check_inbound(&super::case($name));
            }

            #[test]
            fn with_the_head_alone() {
                super::check_head_only(&super::case($name));
            }
        })*

        /// The cases with a packet before and after.
        const GOLDEN: &[&str] = &[$($name),*];
    };
}

golden! {
    udp: "udp";
    hop_by_hop: "hop-by-hop then udp";
    routing: "destopts-before-routing, routing, destopts, udp";
    fragment: "fragment then udp (first fragment)";
}

/// The case of an ICMPv6 error.
const ICMP: &str = "icmp packet too big, reverse mapping";

#[test]
fn every_case_is_tested() {
    let vectors = vectors!("rewrite");
    let names = vectors["cases"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|case| case["name"].as_str().unwrap()).collect();

    assert_eq!(names, [GOLDEN, &[ICMP]].concat());
}

#[test]
fn packet_too_big_is_recognised() {
    let case = case(ICMP);
    let received = field(&case["received"]);
    let error = IcmpError::parse(&received)
        .unwrap()
        .expect("an error about a shim packet");

    assert_eq!(error.quote.locators, path(&case));
    assert_eq!(
        error.quote.header,
        QuotedHeader::Payload(PayloadHeader {
            next_header: 17,
            tag: tag(&case["peer_tag"]),
        })
    );
    assert_eq!(error.mtu().map(u64::from), case["reported_mtu"].as_u64());
    assert_eq!(error.concern(), Concern::Ulp);
}

#[test]
fn packet_too_big_is_translated() {
    let case = case(ICMP);
    let mut packet = field(&case["received"]);
    let error = IcmpError::parse(&packet).unwrap().unwrap();
    let translated = error.translate(&mut packet, &sender_ulids(&case)).unwrap();
    packet.truncate(translated.packet_len);

    assert_eq!(translated.mtu.map(u64::from), case["mtu_to_ulp"].as_u64());
    assert_eq!(
        hex::encode(&packet[48..]),
        case["packet_in_error_to_ulp"].as_str().unwrap()
    );
    assert_eq!(packet[44..48], 1392_u32.to_be_bytes());
    assert_eq!(packet[4..6], (packet.len() as u16 - 40).to_be_bytes());
    assert_eq!(packet[24..40], sender_ulids(&case).local.octets());

    let pseudo = [
        &packet[8..40],
        &[0, 0, 0, packet.len() as u8 - 40, 0, 0, 0, 58],
    ]
    .concat();
    assert_eq!(checksum(&[&pseudo, &packet[40..]].concat()), 0);
}

#[test]
fn packet_too_big_is_not_translated_when_cut() {
    let case = case(ICMP);
    let packet = field(&case["received"]);
    let error = IcmpError::parse(&packet).unwrap().unwrap();

    for length in 0..packet.len() {
        let mut cut = packet[..length].to_vec();
        assert!(matches!(IcmpError::parse(&cut), Err(IcmpFault::NeedMore(n)) if n > length));
        assert_eq!(
            error.translate(&mut cut, &sender_ulids(&case)),
            Err(IcmpFault::NeedMore(packet.len()))
        );
        assert_eq!(cut, packet[..length], "unchanged");
    }
}

#[test]
fn packet_too_big_with_a_flipped_bit_is_not_translated() {
    let case = case(ICMP);
    let packet = field(&case["received"]);
    let error = IcmpError::parse(&packet).unwrap().unwrap();

    for bit in (320..packet.len() * 8).step_by(STRIDE) {
        let mut flipped = packet.clone();
        flipped[bit / 8] ^= 0x80 >> (bit % 8);
        let as_it_is = flipped.clone();

        assert_eq!(
            error.translate(&mut flipped, &sender_ulids(&case)),
            Err(IcmpFault::Checksum),
            "bit {bit}"
        );
        assert_eq!(flipped, as_it_is);
    }
}
