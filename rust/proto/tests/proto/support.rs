// SPDX-License-Identifier: GPL-2.0

//! Vectors, addresses, and messages put together by hand: the last do not use the crate's
//! builders, so that parsers are not tested against their own mirror image.

use std::net::Ipv6Addr;

use serde_json::Value;
use shim6_proto::{
    locator::{
        Locator,
        LocatorPair,
        Ulid,
        UlidPair, //
    },
    tag::ContextTag,
    wire::{
        chain::Place,
        fault::{
            Fault,
            Reason, //
        },
        message::{
            Arrival,
            Message, //
        },
        option::HostOptions,
        payload::PayloadHeader,
        rewrite::{
            self,
            RewriteError, //
        }, //
    }, //
};

/// The octets in a string of hexadecimal digits.
pub(crate) fn octets(text: &str) -> Vec<u8> {
    hex::decode(text).expect("hexadecimal digits")
}

/// The octets in a string value of a vector.
pub(crate) fn field(value: &Value) -> Vec<u8> {
    octets(value.as_str().expect("a string"))
}

/// The address in a string value of a vector.
pub(crate) fn address(value: &Value) -> Ipv6Addr {
    value
        .as_str()
        .expect("a string")
        .parse()
        .expect("an address")
}

/// The 32-bit number in eight hexadecimal digits.
pub(crate) fn word(value: &Value) -> u32 {
    u32::from_str_radix(value.as_str().expect("a string"), 16).expect("a number")
}

/// The tag in twelve hexadecimal digits.
pub(crate) fn tag(value: &Value) -> ContextTag {
    let number = u64::from_str_radix(value.as_str().expect("a string"), 16).expect("a number");
    ContextTag::new(number).expect("47 bits")
}

/// A vector file, which is parsed once.
macro_rules! vectors {
    ($name:literal) => {{
        static FILE: std::sync::LazyLock<serde_json::Value> = std::sync::LazyLock::new(|| {
            let text = include_str!(concat!("../vectors/", $name, ".json"));
            serde_json::from_str(text).expect("a vector file")
        });
        &*FILE
    }};
}
pub(crate) use vectors;

/// A locator from its text form.
pub(crate) fn locator(text: &str) -> Locator {
    text.parse::<Ipv6Addr>().expect("an address").into()
}

/// A ULID from its text form.
pub(crate) fn ulid(text: &str) -> Ulid {
    text.parse::<Ipv6Addr>().expect("an address").into()
}

/// ULIDs for packets made by hand.
pub(crate) fn ulids() -> UlidPair {
    UlidPair {
        local: ulid("2001:db8:a:1::1"),
        peer: ulid("2001:db8:b:1::1"),
    }
}

/// Locators for packets made by hand.
pub(crate) fn path() -> LocatorPair {
    LocatorPair {
        local: locator("2001:db8:a:2::1"),
        peer: locator("2001:db8:b:2::1"),
    }
}

/// The tag of packets made by hand.
pub(crate) const TAG: ContextTag = ContextTag::from_low_bits(0x7edc_ba98_7654);

/// A message that came directly behind the IPv6 header, from one unicast address to another.
pub(crate) fn arrival() -> Arrival {
    Arrival {
        source: path().peer,
        destination: path().local,
        offset: 40,
    }
}

/// The Internet checksum, word by word.
pub(crate) fn checksum(octets: &[u8]) -> u16 {
    let mut sum = 0;
    for pair in octets.chunks(2) {
        sum += (u32::from(pair[0]) << 8) | u32::from(*pair.get(1).unwrap_or(&0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Writes the right checksum into a control message.
pub(crate) fn fix_checksum(message: &mut [u8]) {
    message[4..6].fill(0);
    let sum = checksum(message);
    message[4..6].copy_from_slice(&sum.to_be_bytes());
}

/// A control message of this type, `body` following the checksum, with the right length and
/// checksum.
pub(crate) fn control(code: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![59, 0, code, 0, 0, 0];
    message.extend_from_slice(body);
    assert_eq!(message.len() % 8, 0, "a control message is a multiple of 8");
    message[1] = u8::try_from(message.len() / 8 - 1).expect("at most 2,048 octets");
    fix_checksum(&mut message);
    message
}

/// An option, padded with `padding`.
pub(crate) fn padded_tlv(code: u16, critical: bool, contents: &[u8], padding: u8) -> Vec<u8> {
    let mut option = Vec::new();
    option.extend_from_slice(&((code << 1) | u16::from(critical)).to_be_bytes());
    option.extend_from_slice(&(contents.len() as u16).to_be_bytes());
    option.extend_from_slice(contents);
    option.resize(option.len().next_multiple_of(8), padding);
    option
}

/// A non-critical option.
pub(crate) fn tlv(code: u16, contents: &[u8]) -> Vec<u8> {
    padded_tlv(code, false, contents, 0)
}

/// The body of an Update Request with these options: tag, nonce, options.
pub(crate) fn update(options: &[Vec<u8>]) -> Vec<u8> {
    let mut body = TAG.to_control().to_vec();
    body.extend_from_slice(&[1, 2, 3, 4]);
    body.extend(options.iter().flatten());
    control(64, &body)
}

/// Parses a message that came as [`arrival`] says.
pub(crate) fn parse(message: &[u8]) -> Result<Message<'_>, Fault> {
    Message::parse(&arrival(), message)
}

/// Asserts that the message is dropped silently, for this reason.
#[track_caller]
pub(crate) fn assert_dropped(message: &[u8], reason: Reason) {
    assert_eq!(parse(message), Err(Fault::from(reason)));
}

/// An IPv6 packet.
pub(crate) fn packet(
    source: [u8; 16],
    destination: [u8; 16],
    next_header: u8,
    body: &[u8],
) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&(body.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[next_header, 64]);
    packet.extend_from_slice(&source);
    packet.extend_from_slice(&destination);
    packet.extend_from_slice(body);
    packet
}

/// Reads the payload extension header at `place` and removes it.
pub(crate) fn inbound(
    head: &mut [u8],
    packet_len: usize,
    place: &Place,
    ulids: &UlidPair,
) -> Result<PayloadHeader, RewriteError> {
    let header = rewrite::payload_at(head, place)?;
    rewrite::inbound(head, packet_len, place, &header, ulids).map(|()| header)
}

/// An extension header of `units` times 8 octets, of the kind that begins with Next Header and
/// Hdr Ext Len.
pub(crate) fn extension(next_header: u8, units: u8) -> Vec<u8> {
    let mut header = vec![0; usize::from(units) * 8];
    header[0] = next_header;
    header[1] = units - 1;
    header
}

/// Hands the options of an Update Request to `check`.
#[track_caller]
pub(crate) fn with_host(options: &[Vec<u8>], check: impl FnOnce(&HostOptions<'_>)) {
    match parse(&update(options)) {
        Ok(Message::UpdateRequest(request)) => check(&request.host),
        other => panic!("{other:?}"),
    }
}

/// A Locator List with these methods; the locators are 1::, 2:: and so on. `count` is what Num
/// Locators says.
pub(crate) fn locator_list(count: u8, methods: &[u8]) -> Vec<u8> {
    let mut contents = vec![0, 0, 0, 7, count];
    contents.extend_from_slice(methods);
    contents.resize(contents.len() + 7 - methods.len() % 8, 0);
    for i in 1..=methods.len() {
        contents.extend_from_slice(&[0, i as u8]);
        contents.extend_from_slice(&[0; 14]);
    }
    contents
}
