// SPDX-License-Identifier: GPL-2.0

//! Quoted packets (RFC 5533, Sections 8 and 12.4).

use shim6_proto::wire::{
    message_type::MessageType,
    payload::PayloadHeader,
    quote::{
        Quote,
        QuotedHeader, //
    }, //
};

use crate::support::{
    control,
    extension,
    packet,
    path,
    TAG, //
};

/// A packet from this host to the peer.
fn sent(next_header: u8, body: &[u8]) -> Vec<u8> {
    packet(
        path().local.octets(),
        path().peer.octets(),
        next_header,
        body,
    )
}

/// The type and tag of a quoted control message.
fn quoted_control(message: &[u8]) -> Option<QuotedHeader> {
    Quote::parse(&sent(140, message)).map(|quote| quote.header)
}

#[test]
fn payload_header() {
    let header = PayloadHeader {
        next_header: 6,
        tag: TAG,
    };
    let quote = Quote::parse(&sent(140, &header.to_octets())).unwrap();

    assert_eq!(quote.locators, path());
    assert_eq!(quote.place.offset(), 40);
    assert_eq!(quote.header, QuotedHeader::Payload(header));
}

#[test]
fn payload_header_behind_a_routing_header() {
    let header = PayloadHeader {
        next_header: 6,
        tag: TAG,
    };
    let body = [extension(140, 3).as_slice(), &header.to_octets()].concat();
    let quote = Quote::parse(&sent(43, &body)).unwrap();

    assert_eq!(quote.place.offset(), 64);
    assert_eq!(quote.header, QuotedHeader::Payload(header));
}

#[test]
fn control_message_with_tag() {
    for message in MessageType::ALL
        .into_iter()
        .filter(|message| message.has_tag())
    {
        let octets = control(
            message.to_wire(),
            &[TAG.to_control().as_slice(), &[0; 4]].concat(),
        );
        let tag = Some(TAG);
        assert_eq!(
            quoted_control(&octets),
            Some(QuotedHeader::Control { message, tag })
        );
    }
}

#[test]
fn control_message_without_tag() {
    for message in [MessageType::R1, MessageType::Error] {
        let octets = control(message.to_wire(), &[0; 10]);
        let tag = None;
        assert_eq!(
            quoted_control(&octets),
            Some(QuotedHeader::Control { message, tag })
        );
    }
}

/// A quote may end anywhere, so the checksum cannot be checked.
#[test]
fn cut_control_message() {
    let octets = control(1, &[TAG.to_control().as_slice(), &[0; 4]].concat());
    assert!(quoted_control(&octets[..12]).is_some());
    assert_eq!(quoted_control(&octets[..11]), None);
}

#[test]
fn unknown_control_message() {
    assert_eq!(quoted_control(&control(99, &[0; 10])), None);
}

#[test]
fn cut_payload_header() {
    let packet = sent(140, &[6, 0, 0x80, 0, 0, 0, 0, 1]);
    for length in 0..packet.len() {
        assert_eq!(Quote::parse(&packet[..length]), None);
    }
}

/// Whatever the packet looks like behind its headers.
#[test]
fn what_looks_like_a_header_behind_another_next_header() {
    let header = PayloadHeader {
        next_header: 6,
        tag: TAG,
    };
    for next_header in [6, 17, 44, 58, 59, 60] {
        assert_eq!(Quote::parse(&sent(next_header, &header.to_octets())), None);
    }
}

#[test]
fn other_packets() {
    assert_eq!(Quote::parse(&sent(17, &[0; 8])), None);
    let mut version_4 = sent(140, &[6, 0, 0x80, 0, 0, 0, 0, 1]);
    version_4[0] = 0x40;
    assert_eq!(Quote::parse(&version_4), None);
}

#[test]
fn payload_header_that_we_never_send() {
    assert_eq!(Quote::parse(&sent(140, &[6, 1, 0x80, 0, 0, 0, 0, 1])), None);
}
