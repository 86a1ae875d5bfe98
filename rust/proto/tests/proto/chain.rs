// SPDX-License-Identifier: GPL-2.0

//! Where the Shim6 header goes and where it is found (RFC 5533, Sections 4.6 and 11.1).

use shim6_proto::wire::{
    chain::{
        at,
        behind_ipv6,
        locate,
        shim6_behind_ipv6,
        ChainError,
        Place,
        MAX_HEADERS, //
    },
    ipv6::Ipv6Header, //
};

use crate::support::{
    extension,
    packet, //
};

const HOP_BY_HOP: u8 = 0;
const UDP: u8 = 17;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const ESP: u8 = 50;
const AH: u8 = 51;
const NONE: u8 = 59;
const DESTINATION: u8 = 60;
const SHIM6: u8 = 140;

/// A packet with these headers. All but the last are extension headers, of 8, 16, 24 ... octets.
fn chain(headers: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (i, pair) in headers.windows(2).enumerate() {
        body.extend_from_slice(&extension(pair[1], i as u8 + 1));
    }
    body.extend_from_slice(&[0xee; 16]);
    packet([1; 16], [2; 16], headers[0], &body)
}

/// Asserts that the place is behind `skipped` of the headers.
#[track_caller]
fn assert_behind(headers: &[u8], skipped: usize) -> Place {
    let packet = chain(headers);
    let place = locate(&packet).expect("a place");
    let offset = |n: usize| 40 + (1..=n).sum::<usize>() * 8;

    assert_eq!(place.offset(), offset(skipped));
    assert_eq!(place.next_header(), headers[skipped]);
    assert_eq!(packet[place.next_header_at()], headers[skipped]);
    let preceding = skipped.checked_sub(1).map_or(6, offset);
    assert_eq!(place.next_header_at(), preceding);
    place
}

#[test]
fn directly_behind_ipv6() {
    assert_behind(&[UDP], 0);
}

/// What the IPv6 header alone tells: where to look further, and else the same place.
#[test]
fn behind_an_ipv6_header_that_was_read() {
    for number in 0..=u8::MAX {
        let packet = chain(&[number, UDP]);
        let header = Ipv6Header::parse(&packet).unwrap();
        let place = behind_ipv6(&header);

        if matches!(number, HOP_BY_HOP | ROUTING | DESTINATION) {
            assert_eq!(place, None);
        } else {
            assert_eq!(place, Some(locate(&packet).unwrap()));
        }
    }
}

/// A Shim6 header right behind it is at the same place as for who looks for it.
#[test]
fn shim6_behind_an_ipv6_header_that_was_read() {
    for number in 0..=u8::MAX {
        let packet = chain(&[number, UDP]);
        let header = Ipv6Header::parse(&packet).unwrap();
        let place = shim6_behind_ipv6(&header);

        if number == SHIM6 {
            assert_eq!(place, Some(locate(&packet).unwrap()));
        } else {
            assert_eq!(place, None);
        }
    }
}

#[test]
fn no_next_header() {
    assert_behind(&[NONE], 0);
}

#[test]
fn behind_hop_by_hop() {
    assert_behind(&[HOP_BY_HOP, UDP], 1);
}

#[test]
fn behind_routing() {
    assert_behind(&[ROUTING, UDP], 1);
}

#[test]
fn behind_destination_options_and_routing() {
    assert_behind(&[DESTINATION, ROUTING, UDP], 2);
}

#[test]
fn behind_the_whole_routing_sublayer_and_not_further() {
    assert_behind(&[HOP_BY_HOP, DESTINATION, ROUTING, DESTINATION, UDP], 3);
}

#[test]
fn before_destination_options_without_routing() {
    assert_behind(&[DESTINATION, UDP], 0);
    assert_behind(&[HOP_BY_HOP, DESTINATION, UDP], 1);
}

#[test]
fn before_fragment() {
    assert_behind(&[FRAGMENT, UDP], 0);
    assert_behind(&[HOP_BY_HOP, FRAGMENT, UDP], 1);
}

#[test]
fn routing_behind_a_fragment_header_belongs_to_the_endpoint() {
    assert_behind(&[FRAGMENT, ROUTING, UDP], 0);
}

#[test]
fn before_ah_and_esp() {
    assert_behind(&[AH, UDP], 0);
    assert_behind(&[ROUTING, ESP], 1);
}

/// RFC 8200, Section 4.1: directly behind the IPv6 header only.
#[test]
fn second_hop_by_hop_is_not_skipped() {
    assert_behind(&[HOP_BY_HOP, HOP_BY_HOP, UDP], 1);
    assert_behind(&[ROUTING, HOP_BY_HOP, UDP], 1);
}

#[test]
fn several_routing_headers() {
    assert_behind(&[ROUTING, DESTINATION, ROUTING, UDP], 3);
}

#[test]
fn shim6_header_at_the_place() {
    assert!(assert_behind(&[SHIM6], 0).is_shim6());
    assert!(assert_behind(&[HOP_BY_HOP, ROUTING, SHIM6], 2).is_shim6());
    assert!(!assert_behind(&[UDP], 0).is_shim6());
}

/// The kernel gets to such a header in its own order.
#[test]
fn shim6_header_in_the_endpoint_sublayer_is_not_found() {
    assert!(!assert_behind(&[DESTINATION, SHIM6], 0).is_shim6());
    assert!(!assert_behind(&[FRAGMENT, SHIM6], 0).is_shim6());
}

#[test]
fn segments_left_mean_in_transit() {
    let mut packet = chain(&[ROUTING, SHIM6]);
    assert!(!locate(&packet).unwrap().is_in_transit());
    packet[43] = 1;
    assert!(locate(&packet).unwrap().is_in_transit());
}

#[test]
fn fourth_octet_of_other_headers_means_nothing() {
    let mut packet = chain(&[HOP_BY_HOP, SHIM6]);
    packet[43] = 1;
    assert!(!locate(&packet).unwrap().is_in_transit());
}

#[test]
fn other_versions() {
    for version in (0..16).filter(|&version| version != 6) {
        let mut packet = chain(&[UDP]);
        packet[0] = version << 4;
        assert_eq!(locate(&packet), Err(ChainError::NotIpv6));
    }
}

#[test]
fn needs_the_ipv6_header() {
    for length in 0..40 {
        let packet = &chain(&[UDP])[..length];
        assert_eq!(locate(packet), Err(ChainError::NeedMore(40)));
    }
}

/// What is asked for is enough, at the latest after one question for each header.
#[test]
fn asks_for_what_it_needs() {
    let packet = chain(&[HOP_BY_HOP, DESTINATION, ROUTING, DESTINATION, UDP]);
    let place = locate(&packet).unwrap();
    let mut length = 0;
    let mut questions = 0;
    let found = loop {
        match locate(&packet[..length]) {
            Err(ChainError::NeedMore(more)) => {
                assert!(length < more && more <= packet.len());
                length = more;
                questions += 1;
            }
            other => break other,
        }
    };

    assert_eq!(found, Ok(place));
    assert!(questions <= 2 * 5);
}

#[test]
fn too_many_headers() {
    let mut headers = vec![ROUTING; MAX_HEADERS];
    headers.push(UDP);
    assert_behind(&headers, MAX_HEADERS);
    headers.insert(0, HOP_BY_HOP);
    assert_eq!(locate(&chain(&headers)), Err(ChainError::TooManyHeaders));
}

#[test]
fn longest_header() {
    let body = [extension(UDP, 255), vec![0; 8], vec![0; 8]].concat();
    let mut packet = packet([1; 16], [2; 16], ROUTING, &body);
    packet[41] = 255;
    assert_eq!(locate(&packet).unwrap().offset(), 40 + 2048);
}

/// Where the stack found the Shim6 header that ends these headers.
fn reached(headers: &[u8]) -> Option<Place> {
    let offset = 40 + (1..headers.len()).sum::<usize>() * 8;
    at(&chain(headers), offset)
}

#[test]
fn header_that_the_stack_came_to() {
    for headers in [
        &[SHIM6][..],
        &[DESTINATION, SHIM6],
        &[HOP_BY_HOP, DESTINATION, ROUTING, DESTINATION, SHIM6],
        &[FRAGMENT, SHIM6],
        &[FRAGMENT, DESTINATION, SHIM6],
    ] {
        let mut packet = chain(headers);
        let mut offset = 40 + (1..headers.len()).sum::<usize>() * 8;
        if headers[0] == FRAGMENT {
            // Its second octet is no length.
            packet[41] = 0xff;
        }
        let place = at(&packet, offset).expect("a place");
        assert!(place.is_shim6() && place.offset() == offset);
        assert_eq!(packet[place.next_header_at()], SHIM6);
        while offset > 0 {
            offset -= 1;
            assert_eq!(at(&packet, offset), None);
        }
        assert_eq!(at(&packet, place.offset() + 1), None);
    }
}

#[test]
fn as_many_headers_as_the_stack_let_pass() {
    let mut headers = vec![DESTINATION; 2 * MAX_HEADERS];
    headers.push(SHIM6);
    assert!(reached(&headers).is_some());
}

/// Only a jumbogram has headers as long as these; no stack lets so many pass.
#[test]
fn headers_longer_than_a_packet_can_be() {
    const LONGEST: usize = 256 * 8;
    let header = |next| {
        let mut octets = vec![0; LONGEST];
        octets[..2].copy_from_slice(&[next, 255]);
        octets
    };
    for (count, offset) in [(31, Some(40 + 31 * LONGEST)), (32, None), (33, None)] {
        let mut body = header(DESTINATION).repeat(count - 1);
        body.extend(header(SHIM6));
        body.extend([0xee; 16]);
        let found = at(
            &packet([1; 16], [2; 16], DESTINATION, &body),
            40 + count * LONGEST,
        );
        assert_eq!(found.map(|place| place.offset()), offset);
    }
}

#[test]
fn behind_headers_that_are_not_done_with() {
    for other in [UDP, ESP, AH, NONE, SHIM6] {
        assert_eq!(reached(&[other, SHIM6]), None);
    }
}
