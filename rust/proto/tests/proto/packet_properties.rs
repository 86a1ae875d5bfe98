// SPDX-License-Identifier: GPL-2.0

//! Packets of any kind: the walk over extension headers against a naive one, inbound undoes
//! outbound, and ICMPv6 errors about any shim packet are about the packet that the ULP sent.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{
        select,
        Index, //
    }, //
};
use shim6_proto::{
    locator::{
        Locator,
        LocatorPair,
        Ulid,
        UlidPair, //
    },
    tag::ContextTag,
    wire::{
        chain::{
            behind_ipv6,
            locate,
            ChainError, //
        },
        icmp::{
            IcmpError,
            IcmpFault, //
        },
        ipv6::Ipv6Header,
        quote::{
            Quote,
            QuotedHeader, //
        },
        rewrite::outbound, //
    }, //
};

use crate::support::{
    checksum,
    inbound,
    packet, //
};

/// A packet and the headers that it was made of, with their offsets.
#[derive(Clone, Debug)]
struct Chain {
    packet: Vec<u8>,
    headers: Vec<(usize, u8)>,
}

/// The naive walk: the last place in the leading run of headers that may belong to the routing
/// sublayer which is behind a Hop-by-Hop or Routing header, else the end of the IPv6 header.
fn naive_place(chain: &Chain) -> (usize, u8) {
    let run = chain
        .headers
        .iter()
        .enumerate()
        .take_while(|(i, (_, header))| matches!((i, header), (0, 0) | (_, 43 | 60)))
        .count();
    let skipped = chain.headers[..run]
        .iter()
        .rposition(|(_, header)| *header != 60)
        .map_or(0, |last| last + 1);
    chain.headers[skipped]
}

/// A packet between any addresses with up to 5 extension headers.
fn chain() -> impl Strategy<Value = Chain> {
    let extensions = vec((select(vec![0_u8, 43, 43, 60, 60, 44]), 0..4_u8), 0..=5);
    let ulp = select(vec![6_u8, 17, 50, 58, 59, 200]);
    let body = vec(any::<u8>(), 0..100);

    (any::<[u8; 16]>(), any::<[u8; 16]>(), extensions, ulp, body).prop_map(
        |(source, destination, extensions, ulp, payload)| {
            let next = extensions.iter().map(|&(header, _)| header).chain([ulp]);
            let next: Vec<u8> = next.collect();
            let mut body = Vec::new();
            let mut headers = Vec::new();
            for (i, &(header, more)) in extensions.iter().enumerate() {
                headers.push((40 + body.len(), header));
                let units = if header == 44 { 0 } else { more };
                body.extend_from_slice(&[next[i + 1], units, 1, 0, 0, 0, 0, 0]);
                body.resize(body.len() + usize::from(units) * 8, 0x5a);
            }
            headers.push((40 + body.len(), ulp));
            body.extend_from_slice(&payload);
            Chain {
                packet: packet(source, destination, next[0], &body),
                headers,
            }
        },
    )
}

fn locators() -> impl Strategy<Value = LocatorPair> {
    any::<([u8; 16], [u8; 16])>().prop_map(|(local, peer)| LocatorPair {
        local: Locator::new(local),
        peer: Locator::new(peer),
    })
}

/// The ULIDs in the addresses of an outbound packet.
fn ulids(packet: &[u8]) -> UlidPair {
    UlidPair {
        local: Ulid::new(packet[8..24].try_into().unwrap()),
        peer: Ulid::new(packet[24..40].try_into().unwrap()),
    }
}

/// The packet as it goes out.
fn sent(chain: &Chain, path: &LocatorPair, tag: ContextTag) -> Vec<u8> {
    let place = locate(&chain.packet).unwrap();
    let mut buffer = [[0xa5; 8].as_slice(), &chain.packet].concat();
    outbound(&mut buffer, chain.packet.len(), &place, path, tag).unwrap();
    buffer
}

/// An ICMPv6 error of any sender to `destination` with the right checksum.
fn icmp(source: [u8; 16], destination: [u8; 16], head: [u8; 8], quoted: &[u8]) -> Vec<u8> {
    let body = [head.as_slice(), quoted].concat();
    let mut packet = packet(source, destination, 58, &body);
    packet[42..44].fill(0);
    let length = (packet.len() - 40) as u32;
    let pseudo = [&packet[8..40], &length.to_be_bytes(), &[0, 0, 0, 58]].concat();
    let sum = checksum(&[&pseudo, &packet[40..]].concat());
    packet[42..44].copy_from_slice(&sum.to_be_bytes());
    packet
}

proptest! {
    #[test]
    fn place_agrees_with_the_naive_one(chain in chain()) {
        let place = locate(&chain.packet).unwrap();
        prop_assert_eq!((place.offset(), place.next_header()), naive_place(&chain));
        prop_assert_eq!(chain.packet[place.next_header_at()], place.next_header());
        prop_assert!(place.next_header_at() < place.offset());
    }

    #[test]
    fn cut_chains_give_the_same_place_or_ask_for_more(chain in chain(), at: Index) {
        let cut = at.index(chain.packet.len());
        match locate(&chain.packet[..cut]) {
            Ok(place) => {
                prop_assert_eq!(Ok(place), locate(&chain.packet));
                prop_assert!(place.offset() <= cut);
            }
            Err(error) => {
                let more = match error { ChainError::NeedMore(more) => more, _ => 0 };
                prop_assert!(cut < more && more <= chain.packet.len());
            }
        }
    }

    #[test]
    fn inbound_undoes_outbound(chain in chain(), path in locators(), bits: u64) {
        let tag = ContextTag::from_low_bits(bits);
        let mut buffer = sent(&chain, &path, tag);
        let UlidPair { local, peer } = ulids(&chain.packet);
        let receiver = UlidPair { local: peer, peer: local };

        let place = locate(&buffer).unwrap();
        prop_assert!(place.is_shim6());
        prop_assert_eq!(&buffer[8..24], path.local.octets());
        prop_assert_eq!(&buffer[24..40], path.peer.octets());
        prop_assert_eq!(usize::from(u16::from_be_bytes([buffer[4], buffer[5]])), buffer.len() - 40);

        let length = buffer.len();
        let header = inbound(&mut buffer, length, &place, &receiver).unwrap();
        prop_assert_eq!(header.tag, tag);
        prop_assert_eq!(&buffer[8..], chain.packet);
    }

    #[test]
    fn quotes_of_what_was_sent(chain in chain(), path in locators(), bits: u64) {
        let tag = ContextTag::from_low_bits(bits);
        let quote = Quote::parse(&sent(&chain, &path, tag)).expect("a quote");
        prop_assert_eq!(quote.locators, path);
        prop_assert!(matches!(quote.header, QuotedHeader::Payload(header) if header.tag == tag));
    }

    /// Any error about any shim packet, cut anywhere behind the Shim6 header.
    #[test]
    fn translated_errors_quote_what_the_ulp_sent(
        chain in chain(),
        path in locators(),
        icmp_type in 1..=4_u8,
        code: u8,
        at: Index,
        parameter: [u8; 3],
    ) {
        let quoted = sent(&chain, &path, ContextTag::from_low_bits(1));
        let least = locate(&quoted).unwrap().offset() + 8;
        let cut = least + at.index(quoted.len() - least + 1);
        let [b, c, d] = parameter;
        let head = [icmp_type, code, 0, 0, 0, b, c, d];
        let mut packet = icmp([9; 16], path.local.octets(), head, &quoted[..cut]);

        let error = IcmpError::parse(&packet).unwrap().expect("an error about a shim packet");
        let translated = error.translate(&mut packet, &ulids(&chain.packet)).unwrap();
        packet.truncate(translated.packet_len);
        prop_assert_eq!(&packet[48..], &chain.packet[..cut - 8]);

        let again = icmp([9; 16], ulids(&chain.packet).local.octets(),
            packet[40..48].try_into().unwrap(), &packet[48..]);
        prop_assert_eq!(packet, again, "headers and checksum");
    }

    #[test]
    fn any_packet(mut octets in vec(any::<u8>(), 0..200), version: bool, place: [u8; 16]) {
        if version && octets.len() >= 40 {
            octets[0] = 0x60;
            octets[6] = [0, 43, 44, 58, 60, 140][usize::from(octets[6]) % 6];
            for (i, octet) in (40..octets.len()).step_by(8).zip(place) {
                octets[i] = [0, 43, 58, 60, 140, 17][usize::from(octet) % 6];
                if let Some(units) = octets.get_mut(i + 1) {
                    *units %= 3;
                }
            }
        }
        if let Some(place) = Ipv6Header::parse(&octets).and_then(|header| behind_ipv6(&header)) {
            prop_assert_eq!(Ok(place), locate(&octets));
        }
        if let Ok(place) = locate(&octets) {
            prop_assert!(place.offset() <= octets.len());
            let pair = UlidPair { local: Ulid::new([1; 16]), peer: Ulid::new([2; 16]) };
            let mut head = octets.clone();
            if inbound(&mut head, octets.len(), &place, &pair).is_err() {
                prop_assert_eq!(&head, &octets);
            }
            let mut head = octets.clone();
            let path = pair.as_locators();
            if outbound(&mut head, octets.len(), &place, &path, ContextTag::MAX).is_err() {
                prop_assert_eq!(&head, &octets);
            }
        }
        Quote::parse(&octets);
    }

    /// Errors whose every field may be anything, with the checksum right.
    #[test]
    fn any_error(
        mut octets in vec(any::<u8>(), 56..400),
        icmp_type in 1..=4_u8,
        parameter: [u8; 4],
        changes in vec(any::<(Index, u8)>(), 0..3),
    ) {
        octets[0] = 0x60;
        octets[6] = 140;
        octets[41] = 0;
        octets[42] |= 0x80;
        for (at, octet) in changes {
            octets[at.index(56)] = octet;
        }
        let [a, b, c, d] = parameter;
        let destination = octets[8..24].try_into().unwrap();
        let packet = icmp([9; 16], destination, [icmp_type, 0, 0, 0, a % 32, b, c, d], &octets);
        let pair = UlidPair { local: Ulid::new([1; 16]), peer: Ulid::new([2; 16]) };
        let mut changed = packet.clone();
        match IcmpError::parse(&packet) {
            Ok(Some(error)) => match error.translate(&mut changed, &pair) {
                Ok(translated) => {
                    prop_assert!([packet.len(), packet.len() - 8].contains(&translated.packet_len));
                }
                Err(fault) => {
                    prop_assert!(matches!(fault, IcmpFault::NotPayload | IcmpFault::QuotedLength));
                    prop_assert_eq!(packet, changed, "unchanged");
                }
            },
            Ok(None) => {}
            Err(fault) => prop_assert_eq!(fault, IcmpFault::Length),
        }
    }

    /// Translation of a packet that is not the one that was parsed must not panic either.
    #[test]
    fn translation_of_another_packet(
        chain in chain(),
        path in locators(),
        other in vec(any::<u8>(), 0..300),
    ) {
        let quoted = sent(&chain, &path, ContextTag::MAX);
        let packet = icmp([9; 16], path.local.octets(), [1, 0, 0, 0, 0, 0, 0, 0], &quoted);
        let error = IcmpError::parse(&packet).unwrap().unwrap();
        let mut changed = other.clone();
        prop_assert!(error.translate(&mut changed, &ulids(&chain.packet)).is_err());
        prop_assert_eq!(changed, other);
    }
}
