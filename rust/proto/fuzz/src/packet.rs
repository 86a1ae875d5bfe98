// SPDX-License-Identifier: GPL-2.0

//! Packets: the walk over extension headers, the transformation and its way back, and ICMPv6
//! errors.

use shim6_proto::{
    dispatch::Key,
    locator::{
        Locator,
        LocatorPair,
        Ulid,
        UlidPair, //
    },
    wire::{
        chain::{
            locate,
            ChainError,
            Place, //
        },
        icmp::{
            IcmpError,
            IcmpFault, //
        },
        payload::PayloadHeader,
        quote::Quote,
        rewrite::{
            self,
            outbound,
            RewriteError, //
        }, //
    }, //
};

use crate::support::{
    checksum,
    packet as ipv6,
    TAG, //
};

const ULIDS: UlidPair = UlidPair {
    local: Ulid::new([1; 16]),
    peer: Ulid::new([2; 16]),
};

const PATH: LocatorPair = LocatorPair {
    local: Locator::new([3; 16]),
    peer: Locator::new([4; 16]),
};

/// The first octet says whether the rest is a packet, or eight octets of an ICMPv6 error and the
/// packet that it quotes.
pub fn packet(data: &[u8]) {
    let Some((how, octets)) = data.split_first() else {
        return;
    };
    match how % 4 {
        0 => check_any(octets),
        1 => check_outbound(octets),
        2 => check_any_icmp(octets),
        _ => check_icmp(octets),
    }
}

/// Reads the payload extension header at `place` and removes it.
fn inbound(
    head: &mut [u8],
    packet_len: usize,
    place: &Place,
    ulids: &UlidPair,
) -> Result<PayloadHeader, RewriteError> {
    let header = rewrite::payload_at(head, place)?;
    rewrite::inbound(head, packet_len, place, &header, ulids).map(|()| header)
}

/// A place is inside of the packet, the same for every part of the packet that has it, and what
/// cannot be done there changes nothing.
fn check_any(octets: &[u8]) {
    if let Some(quote) = Quote::parse(octets) {
        assert!(quote.place.is_shim6());
        let _ = Key::quoted(&quote);
    }
    let place = match locate(octets) {
        Ok(place) => place,
        Err(ChainError::NeedMore(more)) => return assert!(more > octets.len()),
        Err(_) => return,
    };
    assert!(place.next_header_at() < place.offset() && place.offset() <= octets.len());
    assert_eq!(octets[place.next_header_at()], place.next_header());
    for cut in [place.offset() - 1, place.offset(), octets.len() - 1] {
        match locate(&octets[..cut]) {
            Ok(again) => assert_eq!(again, place),
            Err(ChainError::NeedMore(more)) => assert!(cut < more && more <= octets.len()),
            Err(error) => panic!("{error:?}"),
        }
    }

    let mut changed = octets.to_vec();
    match inbound(&mut changed, octets.len(), &place, &ULIDS) {
        Ok(_) => assert_eq!(changed[16..32], [2; 16]),
        Err(_) => assert_eq!(changed, octets),
    }
    // A place that was found in another packet.
    for len in [0, 8, 40, place.offset()] {
        let mut head = vec![0x60; len];
        let _ = outbound(&mut head, len, &place, &PATH, TAG);
        let _ = inbound(&mut head, len, &place, &ULIDS);
        let header = PayloadHeader {
            next_header: 59,
            tag: TAG,
        };
        let _ = rewrite::inbound(&mut head, len, &place, &header, &ULIDS);
    }
}

/// Any packet with the length that it says: inbound undoes outbound.
fn check_outbound(octets: &[u8]) {
    let mut packet = octets.to_vec();
    let Ok(place) = locate(&packet) else {
        return;
    };
    let length = u16::try_from(packet.len() - 40).expect("fuzzers make short packets");
    packet[4..6].copy_from_slice(&length.to_be_bytes());
    let address = |at: usize| packet[at..at + 16].try_into().expect("16 octets");
    let receiver = UlidPair {
        local: Ulid::new(address(24)),
        peer: Ulid::new(address(8)),
    };

    let mut sent = [[0xa5; 8].as_slice(), &packet].concat();
    match outbound(&mut sent, packet.len(), &place, &PATH, TAG) {
        Ok(()) => check_sent(&packet, &place, &sent, &receiver),
        Err(error) => {
            assert_eq!(error, RewriteError::AlreadyShimmed);
            assert_eq!(sent[8..], packet);
        }
    }
}

/// What became of a packet when it was sent.
fn check_sent(packet: &[u8], before: &Place, sent: &[u8], receiver: &UlidPair) {
    let place = locate(sent).expect("a place");
    assert!(place.is_shim6());
    assert_eq!(place.offset(), before.offset());
    let quote = Quote::parse(sent).expect("a quote");
    assert_eq!(quote.locators, PATH);
    assert_eq!(
        Key::quoted(&quote),
        Some(Key::PeerTag {
            tag: TAG,
            pair: PATH
        })
    );

    let mut received = sent.to_vec();
    let header = inbound(&mut received, sent.len(), &place, receiver).expect("what was sent");
    assert_eq!(
        (header.tag, header.next_header),
        (TAG, before.next_header())
    );
    assert_eq!(received[8..], *packet);
}

/// An ICMPv6 error from anywhere, with the right checksum.
fn icmp(destination: [u8; 16], head: [u8; 8], quoted: &[u8]) -> Vec<u8> {
    let body = [head.as_slice(), quoted].concat();
    let mut packet = ipv6([9; 16], destination, 58, &body);
    packet[42..44].fill(0);
    let sum = icmp_checksum(&packet, 40);
    packet[42..44].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// What the checksum of the ICMPv6 message at `at` adds up to.
fn icmp_checksum(packet: &[u8], at: usize) -> u16 {
    let length = (packet.len() - at) as u32;
    let pseudo = [&packet[8..40], &length.to_be_bytes(), &[0, 0, 0, 58]].concat();
    checksum(&[&pseudo, &packet[at..]].concat())
}

/// An error about any packet, sent to the source of that.
fn check_icmp(octets: &[u8]) {
    let Some((head, quoted)) = octets.split_first_chunk::<8>() else {
        return;
    };
    let Some(source) = quoted.get(8..24) else {
        return;
    };
    let source = source.try_into().expect("16 octets");
    check_any_icmp(&icmp(source, *head, quoted));
}

/// Anything that may be an error is read and translated, or left as it was.
fn check_any_icmp(octets: &[u8]) {
    let error = match IcmpError::parse(octets) {
        Ok(Some(error)) => error,
        Ok(None) => return,
        Err(IcmpFault::NeedMore(more)) => return assert!(more > octets.len()),
        Err(fault) => return assert!(matches!(fault, IcmpFault::Length | IcmpFault::Misdirected)),
    };
    let end = 40 + usize::from(u16::from_be_bytes([octets[4], octets[5]]));
    assert!(error.quote_at() + error.quote.place.offset() < end);
    let _ = error.concern();

    let mut packet = octets.to_vec();
    match error.translate(&mut packet, &ULIDS) {
        Ok(translated) => {
            assert!([end, end - 8].contains(&translated.packet_len));
            assert_eq!(translated.mtu.is_some(), error.mtu().is_some());
            packet.truncate(translated.packet_len);
            let icmp_at = error.quote_at() - 8;
            assert_eq!(icmp_checksum(&packet, icmp_at), 0);
            assert_eq!(packet[24..40], [1; 16]);
            let quoted = &packet[error.quote_at()..];
            assert_eq!(
                (&quoted[8..24], &quoted[24..40]),
                (&[1; 16][..], &[2; 16][..])
            );
        }
        Err(fault) => {
            assert!(
                matches!(
                    fault,
                    IcmpFault::NotPayload | IcmpFault::Checksum | IcmpFault::QuotedLength
                ),
                "{fault:?}"
            );
            assert_eq!(packet, octets);
        }
    }
    // A packet that is not the one that was parsed.
    for len in [0, 40, error.quote_at(), end - 1] {
        let mut short = octets[..len].to_vec();
        assert!(error.translate(&mut short, &ULIDS).is_err());
        assert_eq!(short, octets[..len]);
    }
}
