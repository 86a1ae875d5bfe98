// SPDX-License-Identifier: GPL-2.0

//! Conversations of the upper layer, as packets tell them.

use proptest::prelude::*;
use shim6_proto::{
    locator::{
        Ulid,
        UlidPair, //
    },
    wire::flow::{
        Direction::{
            Inbound,
            Outbound, //
        },
        Flow, //
    }, //
};

const TCP: u8 = 6;
const UDP: u8 = 17;
const FRAGMENT: u8 = 44;
const ESP: u8 = 50;
const ICMPV6: u8 = 58;
const OPTIONS: u8 = 60;

/// Ports 0x1234 and 0x5678 with flags of TCP.
fn tcp(flags: u8) -> Vec<u8> {
    let mut header = vec![0x12, 0x34, 0x56, 0x78];
    header.resize(20, 0);
    header[13] = flags;
    header
}

#[test]
fn both_directions_are_one_conversation() {
    for protocol in [TCP, UDP, 33, 132, 136] {
        let sent = Flow::parse(&tcp(0x10), 0, protocol, Outbound).unwrap();
        assert_eq!(sent, Flow::new(protocol, 0x1234, 0x5678));
        let mut back = tcp(0x10);
        back[..4].copy_from_slice(&[0x56, 0x78, 0x12, 0x34]);
        assert_eq!(Flow::parse(&back, 0, protocol, Inbound), Some(sent));
    }
    assert_ne!(
        Flow::parse(&tcp(0), 0, TCP, Outbound),
        Flow::parse(&tcp(0), 0, UDP, Outbound)
    );
}

#[test]
fn only_the_first_packet_of_a_connection_is_new() {
    let is_new = |flags| Flow::parse(&tcp(flags), 0, TCP, Outbound).unwrap().is_new();
    assert!(is_new(0x02));
    assert!(!is_new(0x12));
    assert!(!is_new(0x10));
    assert!(!is_new(0x04));
    assert!(!Flow::parse(&tcp(0x02), 0, UDP, Outbound).unwrap().is_new());
}

#[test]
fn echoes_are_told_apart_by_their_identifiers() {
    let echo = |kind, identifier| [kind, 0, 0, 0, 0, identifier, 0, 1];
    let request = Flow::parse(&echo(128, 7), 0, ICMPV6, Inbound);
    assert!(request.is_some());
    assert_eq!(Flow::parse(&echo(129, 7), 0, ICMPV6, Outbound), request);
    assert_ne!(Flow::parse(&echo(129, 8), 0, ICMPV6, Outbound), request);
    assert_eq!(Flow::parse(&echo(3, 7), 0, ICMPV6, Inbound), None);
}

#[test]
fn headers_before_the_ports_are_passed_over() {
    let wanted = Some(Flow::new(UDP, 0x5678, 0x1234));
    let fragment = |offset: u16| {
        let [high, low] = ((offset << 3) | 1).to_be_bytes();
        [&[UDP, 0, high, low, 0, 0, 0, 1][..], &tcp(0)].concat()
    };
    assert_eq!(Flow::parse(&fragment(0), 0, FRAGMENT, Inbound), wanted);
    assert_eq!(Flow::parse(&fragment(1), 0, FRAGMENT, Inbound), None);

    let options = [&[UDP, 1][..], &[0; 14], &tcp(0)].concat();
    assert_eq!(Flow::parse(&options, 0, OPTIONS, Inbound), wanted);
    let both = [&[FRAGMENT, 0, 0, 0, 0, 0, 0, 0][..], &fragment(0)].concat();
    assert_eq!(Flow::parse(&both, 0, OPTIONS, Inbound), wanted);
}

#[test]
fn protocols_without_ports_are_one_conversation_each() {
    assert_eq!(
        Flow::parse(&[], 0, ESP, Inbound),
        Some(Flow::new(ESP, 0, 0))
    );
    assert_eq!(Flow::parse(&tcp(0), 0, 59, Inbound), None);
    assert_eq!(Flow::parse(&tcp(0), 0, 140, Inbound), None);
}

#[test]
fn keys_differ_in_every_field() {
    let ulids = |local, peer| UlidPair {
        local: Ulid::new([local; 16]),
        peer: Ulid::new([peer; 16]),
    };
    let base = Flow::new(TCP, 1, 2).key(&ulids(1, 2));
    assert_eq!(base, Flow::new(TCP, 1, 2).key(&ulids(1, 2)));
    for other in [
        Flow::new(TCP, 1, 2).key(&ulids(2, 2)),
        Flow::new(TCP, 1, 2).key(&ulids(1, 1)),
        Flow::new(TCP, 1, 2).key(&ulids(2, 1)),
        Flow::new(TCP, 2, 2).key(&ulids(1, 2)),
        Flow::new(TCP, 2, 1).key(&ulids(1, 2)),
        Flow::new(TCP, 1, 3).key(&ulids(1, 2)),
        Flow::new(UDP, 1, 2).key(&ulids(1, 2)),
    ] {
        assert_ne!(base, other);
    }
}

proptest! {
    #[test]
    fn no_octets_are_too_many_or_too_few(
        packet in proptest::collection::vec(any::<u8>(), 0..96),
        offset in prop_oneof![0..96_usize, Just(usize::MAX)],
        first in prop_oneof![
            any::<u8>(),
            proptest::sample::select(vec![TCP, UDP, FRAGMENT, OPTIONS, ICMPV6]),
        ],
    ) {
        let one = Flow::parse(&packet, offset, first, Outbound);
        let other = Flow::parse(&packet, offset, first, Inbound);
        prop_assert_eq!(one.is_some(), other.is_some());
    }
}
