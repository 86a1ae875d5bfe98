// SPDX-License-Identifier: GPL-2.0

//! ICMPv6 errors about shim packets (RFC 5533, Section 8; RFC 4884, Section 4).

use shim6_proto::wire::{
    icmp::{
        Concern,
        IcmpError,
        IcmpFault,
        Translated, //
    },
    ipv6::Ipv6Header,
    quote::QuotedHeader, //
};

use crate::support::{
    checksum,
    control,
    extension,
    packet,
    path,
    ulids,
    TAG, //
};

const UNREACHABLE: u8 = 1;
const TOO_BIG: u8 = 2;
const TIME_EXCEEDED: u8 = 3;
const PARAMETER_PROBLEM: u8 = 4;

/// The router that reports.
const ROUTER: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// A packet of ours with a payload header and this UDP payload: 40 + 8 + payload octets.
fn shimmed(payload: &[u8]) -> Vec<u8> {
    let header = [[17, 0].as_slice(), &TAG.to_payload()].concat();
    let body = [header.as_slice(), payload].concat();
    packet(path().local.octets(), path().peer.octets(), 140, &body)
}

/// The same packet as the ULP sent it.
fn plain(payload: &[u8]) -> Vec<u8> {
    packet(ulids().local.octets(), ulids().peer.octets(), 17, payload)
}

/// The ICMPv6 checksum of a packet whose ICMPv6 header begins at `at`: 0 if it is right.
fn icmp_checksum(packet: &[u8], at: usize) -> u16 {
    let length = (packet.len() - at) as u32;
    let pseudo = [&packet[8..40], &length.to_be_bytes(), &[0, 0, 0, 58]].concat();
    checksum(&[&pseudo, &packet[at..]].concat())
}

/// An ICMPv6 error of the router, to the source of the quoted packet.
fn error(icmp_type: u8, code: u8, parameter: u32, body: &[u8]) -> Vec<u8> {
    let parameter = parameter.to_be_bytes();
    let message = [[icmp_type, code, 0, 0].as_slice(), &parameter, body].concat();
    let mut packet = packet(ROUTER, path().local.octets(), 58, &message);
    let sum = icmp_checksum(&packet, 40);
    packet[42..44].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// Parses an error about a shim packet.
#[track_caller]
fn parse(packet: &[u8]) -> IcmpError {
    IcmpError::parse(packet)
        .expect("no fault")
        .expect("an error about a shim packet")
}

/// Translates an error and checks what has to be right in every translated error. Returns the
/// packet and what became of it.
#[track_caller]
fn translate(mut packet: Vec<u8>) -> (Vec<u8>, Translated) {
    let translated = parse(&packet)
        .translate(&mut packet, &ulids())
        .expect("no fault");
    packet.truncate(translated.packet_len);

    assert_eq!(packet[4..6], (packet.len() as u16 - 40).to_be_bytes());
    assert_eq!(packet[8..24], ROUTER);
    assert_eq!(packet[24..40], ulids().local.octets());
    assert_eq!(icmp_checksum(&packet, 40), 0);
    (packet, translated)
}

/// What the ULP is told instead of this parameter.
fn translated_parameter(icmp_type: u8, parameter: u32) -> u32 {
    let (packet, _) = translate(error(icmp_type, 0, parameter, &shimmed(&[7; 100])));
    u32::from_be_bytes(packet[44..48].try_into().unwrap())
}

/// Who acts on an error with this type, code and parameter about a payload packet.
fn concern(icmp_type: u8, code: u8, parameter: u32) -> Concern {
    parse(&error(icmp_type, code, parameter, &shimmed(&[7; 100]))).concern()
}

/// An extension structure, as it would follow the packet in error.
const EXTENSION: [u8; 12] = [0x20, 0, 0xd1, 0xf3, 0, 8, 1, 1, 0xaa, 0xbb, 0xcc, 0xdd];

/// An error with an extension structure behind `length` times 8 octets of packet in error.
fn extended(payload: &[u8], length: u8) -> Vec<u8> {
    let mut body = shimmed(payload);
    body.resize(usize::from(length) * 8, 0);
    body.extend_from_slice(&EXTENSION);
    error(TIME_EXCEEDED, 0, u32::from(length) << 24, &body)
}

// What is recognised.

#[test]
fn error_about_a_payload_packet() {
    let error = parse(&error(UNREACHABLE, 0, 0, &shimmed(&[7; 8])));
    assert_eq!(error.quote.locators, path());
    assert!(matches!(error.quote.header, QuotedHeader::Payload(header) if header.tag == TAG));
    assert_eq!(error.mtu(), None);
}

#[test]
fn errors_behind_extension_headers() {
    let mut packet = error(UNREACHABLE, 0, 0, &shimmed(&[7; 8]));
    let header = extension(58, 1);
    packet.splice(40..40, header);
    packet[6] = 60;
    let length = packet.len() as u16 - 40;
    packet[4..6].copy_from_slice(&length.to_be_bytes());

    let error = parse(&packet);
    assert_eq!(packet[error.quote_at()..], shimmed(&[7; 8]));
    let translated = error.translate(&mut packet, &ulids()).unwrap();
    packet.truncate(translated.packet_len);
    assert_eq!(packet[56..], plain(&[7; 8]));
    assert_eq!(icmp_checksum(&packet, 48), 0);
}

/// What is behind the end that the IPv6 header gives is not of the message.
#[test]
fn messages_that_end_before_the_quote_are_none() {
    let whole = error(UNREACHABLE, 0, 0, &shimmed(&[7; 8]));
    assert!(IcmpError::parse(&whole).unwrap().is_some());
    for length in [4_u16, 7, 8] {
        let mut packet = whole.clone();
        packet[4..6].copy_from_slice(&length.to_be_bytes());
        assert_eq!(IcmpError::parse(&packet), Ok(None), "{length}");
    }
}

#[test]
fn the_protocol_of_a_packet() {
    let packet = shimmed(&[7; 8]);
    assert_eq!(Ipv6Header::next_header(&packet), Some(140));
    assert_eq!(Ipv6Header::next_header(&packet[..7]), Some(140));
    assert_eq!(Ipv6Header::next_header(&packet[..6]), None);
}

#[test]
fn the_addresses_of_a_packet() {
    let packet = shimmed(&[7; 8]);
    let header = Ipv6Header::parse(&packet).unwrap();
    let addresses = (header.source.as_octets(), header.destination.as_octets());
    assert_eq!(Ipv6Header::addresses(&packet), Some(addresses));
    assert_eq!(Ipv6Header::addresses(&packet[..40]), Some(addresses));
    assert_eq!(Ipv6Header::addresses(&packet[..39]), None);
}

#[test]
fn errors_about_other_packets_are_none() {
    let error = error(UNREACHABLE, 0, 0, &plain(&[7; 8]));
    assert_eq!(IcmpError::parse(&error), Ok(None));
}

/// Packets of a context over its ULIDs have no Shim6 header, and errors about their path are
/// recognised by their addresses. What is quoted has to be ours.
#[test]
fn errors_about_plain_packets() {
    let ours = packet(path().local.octets(), path().peer.octets(), 17, &[7; 100]);
    let unreached =
        |icmp_type, code, body: &[u8]| IcmpError::plain_unreached(&error(icmp_type, code, 0, body));
    assert_eq!(unreached(UNREACHABLE, 0, &ours), Some(path()));
    assert_eq!(unreached(UNREACHABLE, 3, &ours[..48]), Some(path()));
    assert_eq!(unreached(TIME_EXCEEDED, 0, &ours), Some(path()));
    // A port, a size, an echo.
    assert_eq!(unreached(UNREACHABLE, 4, &ours), None);
    assert_eq!(unreached(TOO_BIG, 0, &ours), None);
    assert_eq!(unreached(128, 0, &ours), None);
    // Somebody else's, ours with a Shim6 header, less than a header.
    assert_eq!(unreached(UNREACHABLE, 0, &plain(&[7; 100])), None);
    assert_eq!(unreached(UNREACHABLE, 0, &shimmed(&[7; 100])), None);
    assert_eq!(unreached(UNREACHABLE, 0, &ours[..39]), None);
}

#[test]
fn informational_messages_are_none() {
    for icmp_type in [0, 5, 100, 127, 128, 129, 135, 255] {
        let message = error(icmp_type, 0, 0, &shimmed(&[7; 8]));
        assert_eq!(IcmpError::parse(&message), Ok(None));
    }
}

#[test]
fn other_protocols_are_none() {
    assert_eq!(IcmpError::parse(&shimmed(&[7; 8])), Ok(None));
    assert_eq!(IcmpError::parse(&plain(&[7; 8])), Ok(None));
    assert_eq!(
        IcmpError::parse(&packet([1; 16], [2; 16], 44, &[0; 16])),
        Ok(None)
    );
}

#[test]
fn packets_of_another_version_are_none() {
    let mut packet = error(UNREACHABLE, 0, 0, &shimmed(&[7; 8]));
    packet[0] = 0x40;
    assert_eq!(IcmpError::parse(&packet), Ok(None));
}

/// With segments left we are a stop on the way, not the destination.
#[test]
fn errors_in_transit_are_none() {
    let mut packet = error(UNREACHABLE, 0, 0, &shimmed(&[7; 8]));
    let mut header = extension(58, 1);
    header[3] = 1;
    packet.splice(40..40, header);
    packet[6] = 43;
    let length = packet.len() as u16 - 40;
    packet[4..6].copy_from_slice(&length.to_be_bytes());
    assert_eq!(IcmpError::parse(&packet), Ok(None));
}

#[test]
fn quote_that_is_too_short_is_none() {
    let whole = shimmed(&[]);
    for length in 0..whole.len() {
        let packet = error(UNREACHABLE, 0, 0, &whole[..length]);
        assert_eq!(IcmpError::parse(&packet), Ok(None));
    }
}

#[test]
fn error_to_somebody_else() {
    let mut packet = error(UNREACHABLE, 0, 0, &shimmed(&[7; 8]));
    packet[39] ^= 1;
    assert_eq!(IcmpError::parse(&packet), Err(IcmpFault::Misdirected));
}

#[test]
fn octets_behind_the_packet_are_no_part_of_it() {
    let mut packet = error(UNREACHABLE, 0, 0, &shimmed(&[7; 8]));
    let length = packet.len();
    packet.extend_from_slice(&[0xff; 20]);

    let translated = parse(&packet).translate(&mut packet, &ulids()).unwrap();
    assert_eq!(translated.packet_len, length - 8);
    assert_eq!(packet[48..length - 8], plain(&[7; 8]));
    assert_eq!(packet[length..], [0xff; 20]);
}

// Who acts on it (RFC 5533, Section 8).

#[test]
fn unreachable_is_for_the_shim_if_it_has_another_pair() {
    for code in [0, 1, 2, 3, 5, 6] {
        assert_eq!(
            concern(UNREACHABLE, code, 0),
            Concern::ShimElseUlp,
            "code {code}"
        );
    }
}

#[test]
fn unreachable_port_is_for_the_ulp() {
    assert_eq!(concern(UNREACHABLE, 4, 0), Concern::Ulp);
    assert_eq!(concern(UNREACHABLE, 7, 0), Concern::Ulp);
}

#[test]
fn time_exceeded_is_for_the_shim() {
    assert_eq!(concern(TIME_EXCEEDED, 0, 0), Concern::Shim);
}

/// Whether a packet did not get there, whatever was in it.
#[test]
fn errors_about_the_path() {
    let concerns_path = |icmp_type, code| {
        let packet = error(icmp_type, code, 1400, &shimmed(b"payload"));
        parse(&packet).concerns_path()
    };
    for code in [0, 1, 2, 3, 5, 6] {
        assert!(concerns_path(UNREACHABLE, code), "code {code}");
    }
    assert!(concerns_path(TIME_EXCEEDED, 0));
    assert!(!concerns_path(UNREACHABLE, 4));
    assert!(!concerns_path(TOO_BIG, 0));
    assert!(!concerns_path(PARAMETER_PROBLEM, 0));
}

#[test]
fn packet_too_big_is_for_the_ulp() {
    assert_eq!(concern(TOO_BIG, 0, 1400), Concern::Ulp);
}

#[test]
fn problem_with_the_shim6_header_is_for_the_shim() {
    // 6 is the Next Header field that says 140.
    for pointer in [6, 40, 42, 47] {
        assert_eq!(
            concern(PARAMETER_PROBLEM, 1, pointer),
            Concern::Shim,
            "at {pointer}"
        );
    }
}

#[test]
fn other_problems_are_for_the_ulp() {
    for pointer in [0, 5, 7, 39, 48, 100, u32::MAX] {
        assert_eq!(
            concern(PARAMETER_PROBLEM, 0, pointer),
            Concern::Ulp,
            "at {pointer}"
        );
    }
}

#[test]
fn everything_about_a_control_message_is_for_the_shim() {
    let i1 = control(1, &[TAG.to_control().as_slice(), &[0; 4]].concat());
    let sent = packet(path().local.octets(), path().peer.octets(), 140, &i1);
    for (icmp_type, code) in [(UNREACHABLE, 4), (TOO_BIG, 0), (PARAMETER_PROBLEM, 1)] {
        assert_eq!(
            parse(&error(icmp_type, code, 0, &sent)).concern(),
            Concern::Shim
        );
    }
}

// Translation.

#[test]
fn packet_in_error_becomes_the_one_that_the_ulp_sent() {
    for length in [0, 1, 8, 100, 1184] {
        let payload: Vec<u8> = (0..length).map(|i| i as u8).collect();
        let (packet, translated) = translate(error(UNREACHABLE, 4, 0, &shimmed(&payload)));
        assert_eq!(packet[48..], plain(&payload));
        assert_eq!(packet[40..42], [UNREACHABLE, 4]);
        assert_eq!(translated.mtu, None);
    }
}

/// The quote is cut, the lengths in it are of the whole packet.
#[test]
fn cut_packet_in_error() {
    let payload = [7; 500];
    let (packet, _) = translate(error(UNREACHABLE, 4, 0, &shimmed(&payload)[..200]));
    assert_eq!(packet[48..], plain(&payload)[..192]);
}

#[test]
fn mtu_is_eight_less_but_not_below_the_minimum() {
    for (reported, told) in [
        (1500, 1492),
        (1289, 1281),
        (1288, 1280),
        (1287, 1280),
        (1280, 1280),
        (576, 1280),
        (0, 1280),
        (u32::MAX, u32::MAX - 8),
    ] {
        let packet = error(TOO_BIG, 0, reported, &shimmed(&[7; 100]));
        assert_eq!(parse(&packet).mtu(), Some(reported));
        let (packet, translated) = translate(packet);
        assert_eq!(translated.mtu, Some(told));
        assert_eq!(packet[44..48], told.to_be_bytes());
    }
}

#[test]
fn pointer_follows_what_it_points_at() {
    for (reported, told) in [
        (0, 0),
        (24, 24),
        (39, 39),
        (48, 40),
        (60, 52),
        // The Shim6 header is gone; what named it is left.
        (6, 6),
        (40, 6),
        (47, 6),
    ] {
        assert_eq!(
            translated_parameter(PARAMETER_PROBLEM, reported),
            told,
            "{reported}"
        );
    }
}

#[test]
fn unused_octets_are_left_alone() {
    assert_eq!(translated_parameter(UNREACHABLE, 0x0012_3456), 0x0012_3456);
}

#[test]
fn quoted_super_packet() {
    let mut quoted = shimmed(&[7; 100]);
    quoted[4..6].fill(0);
    let (packet, _) = translate(error(UNREACHABLE, 4, 0, &quoted));
    assert_eq!(packet[52..54], [0, 0]);
}

#[test]
fn quoted_packet_that_claims_to_be_shorter_than_its_header() {
    let mut quoted = shimmed(&[7; 100]);
    quoted[4..6].copy_from_slice(&[0, 7]);
    let mut packet = error(UNREACHABLE, 4, 0, &quoted);
    let before = packet.clone();

    assert_eq!(
        parse(&before).translate(&mut packet, &ulids()),
        Err(IcmpFault::QuotedLength)
    );
    assert_eq!(packet, before);
}

#[test]
fn control_message_is_not_translated() {
    let i1 = control(1, &[TAG.to_control().as_slice(), &[0; 4]].concat());
    let sent = packet(path().local.octets(), path().peer.octets(), 140, &i1);
    let mut packet = error(PARAMETER_PROBLEM, 1, 6, &sent);
    let before = packet.clone();

    assert_eq!(
        parse(&before).translate(&mut packet, &ulids()),
        Err(IcmpFault::NotPayload)
    );
    assert_eq!(packet, before);
}

#[test]
fn wrong_checksum_is_not_translated() {
    let mut packet = error(UNREACHABLE, 4, 0, &shimmed(&[7; 100]));
    packet[42] ^= 1;
    let before = packet.clone();

    assert_eq!(
        parse(&before).translate(&mut packet, &ulids()),
        Err(IcmpFault::Checksum)
    );
    assert_eq!(packet, before);
}

// Extension structures (RFC 4884).

#[test]
fn extension_structure_survives() {
    // 48 + 152 octets: 25 units, more than the minimum of 16.
    let (packet, translated) = translate(extended(&[7; 152], 25));
    assert_eq!(packet[44], 24);
    assert_eq!(packet[48..48 + 192], plain(&[7; 152]));
    assert_eq!(packet[48 + 192..], EXTENSION);
    assert_eq!(translated.packet_len, packet.len());
}

#[test]
fn minimum_before_an_extension_structure_is_kept() {
    let before = extended(&[7; 80], 16);
    let (packet, translated) = translate(before.clone());
    assert_eq!(translated.packet_len, before.len());
    assert_eq!(packet[44], 16);
    assert_eq!(packet[48..48 + 120], plain(&[7; 80]));
    assert_eq!(packet[48 + 120..48 + 128], [0; 8]);
    assert_eq!(packet[48 + 128..], EXTENSION);
}

#[test]
fn just_above_the_minimum() {
    let (packet, _) = translate(extended(&[7; 88], 17));
    assert_eq!(packet[44], 16);
    assert_eq!(packet[48..48 + 128], plain(&[7; 88]));
    assert_eq!(packet[48 + 128..], EXTENSION);
}

/// Zero padding of a short packet in error stays padding.
#[test]
fn padded_packet_in_error() {
    let (packet, _) = translate(extended(&[7; 20], 20));
    assert_eq!(packet[44], 19);
    assert_eq!(packet[48..48 + 60], plain(&[7; 20]));
    assert!(packet[48 + 60..48 + 152].iter().all(|&octet| octet == 0));
    assert_eq!(packet[48 + 152..], EXTENSION);
}

#[test]
fn length_beyond_the_message() {
    let body = shimmed(&[7; 80]);
    for length in [17, 255] {
        let packet = error(TIME_EXCEEDED, 0, length << 24, &body);
        assert_eq!(IcmpError::parse(&packet), Err(IcmpFault::Length));
    }
}

#[test]
fn length_that_ends_inside_the_headers() {
    let body = shimmed(&[7; 80]);
    for length in 1..6 {
        let packet = error(UNREACHABLE, 0, length << 24, &body);
        assert_eq!(IcmpError::parse(&packet), Err(IcmpFault::Length));
    }
    // Of what follows the headers there may be nothing.
    parse(&error(UNREACHABLE, 0, 6 << 24, &body));
}

/// There it is part of another field.
#[test]
fn length_is_not_for_other_types() {
    let body = shimmed(&[7; 80]);
    assert_eq!(
        parse(&error(TOO_BIG, 0, 0x1000_0000, &body)).mtu(),
        Some(0x1000_0000)
    );
    assert_eq!(concern(PARAMETER_PROBLEM, 0, 0x1000_0000), Concern::Ulp);
}
