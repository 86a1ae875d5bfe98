// SPDX-License-Identifier: GPL-2.0

//! What the transformation refuses, and lengths beyond 16 bits (RFC 5533, Sections 11.1, 12.2).

use shim6_proto::wire::{
    chain::locate,
    fault::Reason,
    payload::PayloadHeader,
    rewrite::{
        self,
        outbound,
        payload_length,
        RewriteError, //
    }, //
};

use crate::support::{
    inbound,
    packet,
    path,
    ulids,
    TAG, //
};

/// A packet between the ULIDs with 8 spare octets before it.
fn spare_and_packet(next_header: u8, body: &[u8]) -> Vec<u8> {
    let ulids = ulids();
    let packet = packet(ulids.local.octets(), ulids.peer.octets(), next_header, body);
    [[0; 8].as_slice(), &packet].concat()
}

/// A packet between the locators, as the peer sees it.
fn shimmed(header: [u8; 8]) -> Vec<u8> {
    let path = path();
    packet(path.peer.octets(), path.local.octets(), 140, &header)
}

/// What becomes of an inbound packet with this header; it is unchanged.
#[track_caller]
fn assert_inbound_refused(header: [u8; 8], error: RewriteError) {
    let packet = shimmed(header);
    let place = locate(&packet).unwrap();
    let mut changed = packet.clone();

    assert_eq!(
        inbound(&mut changed, packet.len(), &place, &ulids()),
        Err(error)
    );
    assert_eq!(changed, packet);
}

#[test]
fn outbound_packet_with_shim6_header() {
    let mut packet = spare_and_packet(140, &[0; 8]);
    let before = packet.clone();
    let place = locate(&packet[8..]).unwrap();

    assert_eq!(
        outbound(&mut packet, 48, &place, &path(), TAG),
        Err(RewriteError::AlreadyShimmed)
    );
    assert_eq!(packet, before);
}

#[test]
fn outbound_without_room() {
    let packet = spare_and_packet(17, &[1; 8]);
    let place = locate(&packet[8..]).unwrap();
    for length in 0..48 {
        let mut head = packet[..length].to_vec();
        assert_eq!(
            outbound(&mut head, 48, &place, &path(), TAG),
            Err(RewriteError::HeadTooShort)
        );
        assert_eq!(head, packet[..length]);
    }
}

#[test]
fn outbound_packet_without_payload() {
    let mut packet = spare_and_packet(59, &[]);
    let place = locate(&packet[8..]).unwrap();

    outbound(&mut packet, 40, &place, &path(), TAG).unwrap();
    assert_eq!(packet[4..6], [0, 8]);
    assert_eq!(packet[40], 59);
}

#[test]
fn outbound_super_packet() {
    let mut packet = spare_and_packet(6, &[1; 20]);
    let place = locate(&packet[8..]).unwrap();

    outbound(&mut packet, 40 + 65_528, &place, &path(), TAG).unwrap();
    assert_eq!(packet[4..6], [0, 0]);
}

#[test]
fn inbound_super_packet_that_fits_again() {
    let mut packet = shimmed([6, 0, 0x80, 0, 0, 0, 0, 1]);
    let place = locate(&packet).unwrap();

    inbound(&mut packet, 40 + 65_536, &place, &ulids()).unwrap();
    assert_eq!(packet[12..14], 65_528_u16.to_be_bytes());
}

#[test]
fn inbound_packet_without_shim6_header() {
    let mut packet = packet([1; 16], [2; 16], 17, &[0; 8]);
    let place = locate(&packet).unwrap();

    assert_eq!(
        inbound(&mut packet, 48, &place, &ulids()),
        Err(RewriteError::NotPayload)
    );
}

#[test]
fn inbound_control_message() {
    assert_inbound_refused([59, 0, 66, 0, 0, 0, 0, 0], RewriteError::NotPayload);
}

#[test]
fn inbound_header_with_length() {
    assert_inbound_refused(
        [17, 1, 0x80, 0, 0, 0, 0, 1],
        RewriteError::Payload(Reason::PayloadLength),
    );
}

#[test]
fn inbound_nested_header() {
    assert_inbound_refused(
        [140, 0, 0x80, 0, 0, 0, 0, 1],
        RewriteError::Payload(Reason::PayloadNested),
    );
}

#[test]
fn inbound_header_that_is_cut() {
    let packet = shimmed([17, 0, 0x80, 0, 0, 0, 0, 1]);
    let place = locate(&packet).unwrap();
    for length in 0..48 {
        let mut head = packet[..length].to_vec();
        assert_eq!(
            inbound(&mut head, 48, &place, &ulids()),
            Err(RewriteError::HeadTooShort)
        );
        assert_eq!(head, packet[..length]);

        let header = PayloadHeader {
            next_header: 17,
            tag: TAG,
        };
        assert_eq!(
            rewrite::inbound(&mut head, 48, &place, &header, &ulids()),
            Err(RewriteError::HeadTooShort)
        );
        assert_eq!(head, packet[..length]);
    }
}

#[test]
fn inbound_place_of_another_header() {
    let packet = packet([1; 16], [2; 16], 17, &[0; 8]);
    let place = locate(&packet).unwrap();
    let header = PayloadHeader {
        next_header: 17,
        tag: TAG,
    };
    let mut changed = packet.clone();

    assert_eq!(
        rewrite::inbound(&mut changed, 48, &place, &header, &ulids()),
        Err(RewriteError::NotPayload)
    );
    assert_eq!(changed, packet);
}

#[test]
fn payload_lengths() {
    assert_eq!(payload_length(40), 0);
    assert_eq!(payload_length(48), 8);
    assert_eq!(payload_length(40 + 65_535), 65_535);
    assert_eq!(payload_length(40 + 65_536), 0);
    assert_eq!(payload_length(usize::MAX), 0);
    assert_eq!(payload_length(0), 0);
}
