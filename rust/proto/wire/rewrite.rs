// SPDX-License-Identifier: GPL-2.0

//! The transformation of payload packets: ULIDs to locators with the header pushed (RFC 5533,
//! Section 11.1) and back (Section 12.2).
//!
//! Both work on the head of a packet in place and leave what is behind it alone, so it does not
//! matter whether the rest is in the same buffer. ULP checksums are over ULIDs and are never
//! touched.

use super::{
    super::{
        locator::{
            LocatorPair,
            UlidPair, //
        },
        octets,
        tag::ContextTag, //
    },
    chain::Place,
    fault::Reason,
    ipv6,
    payload::PayloadHeader, //
};

/// Why a packet is not transformed. It is then unchanged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RewriteError {
    /// The slice does not reach as far as the place does.
    HeadTooShort,
    /// Outbound: the packet has a Shim6 header at that place already.
    AlreadyShimmed,
    /// Inbound: no payload extension header is there.
    NotPayload,
    /// Inbound: the payload extension header is to be dropped.
    Payload(Reason),
}

/// The Payload Length field of a packet of `packet_len` octets, IPv6 header included.
///
/// 0 if it does not fit in 16 bits: such is a super-packet, whose segments get their own.
pub fn payload_length(packet_len: usize) -> u16 {
    u16::try_from(packet_len.saturating_sub(ipv6::HEADER_LEN)).unwrap_or(0)
}

/// Outbound: replaces the ULIDs by `path` and inserts a payload extension header at `place`.
///
/// `head` begins with 8 spare octets, followed by the packet, at least up to `place`, which was
/// found in it by [`locate`](super::chain::locate). `packet_len` is the length of the whole
/// packet before, in octets from the IPv6 header. Afterwards the packet begins where the spare
/// octets did and is 8 octets longer.
///
/// # Errors
///
/// [`RewriteError::HeadTooShort`] and [`RewriteError::AlreadyShimmed`]; `head` is unchanged then.
#[inline]
pub fn outbound(
    head: &mut [u8],
    packet_len: usize,
    place: &Place,
    path: &LocatorPair,
    tag: ContextTag,
) -> Result<(), RewriteError> {
    if place.is_shim6() {
        return Err(RewriteError::AlreadyShimmed);
    }
    let end = place
        .offset()
        .checked_add(PayloadHeader::LEN)
        .ok_or(RewriteError::HeadTooShort)?;
    let head = head.get_mut(..end).ok_or(RewriteError::HeadTooShort)?;
    let header = PayloadHeader {
        next_header: place.next_header(),
        tag,
    };
    let length = payload_length(packet_len.saturating_add(PayloadHeader::LEN));

    move_head(head, place, PayloadHeader::LEN, 0);
    write_head(
        head,
        place,
        ipv6::next_header::SHIM6,
        length,
        path.local.as_octets(),
        path.peer.as_octets(),
    )
    .and_then(|()| octets::put(head, place.offset(), header.to_octets()))
    .ok_or(RewriteError::HeadTooShort)
}

/// The payload extension header at `place` of the packet that `head` begins with.
///
/// # Errors
///
/// [`RewriteError::HeadTooShort`], [`RewriteError::NotPayload`] and [`RewriteError::Payload`].
#[inline]
pub fn payload_at(head: &[u8], place: &Place) -> Result<PayloadHeader, RewriteError> {
    if !place.is_shim6() {
        return Err(RewriteError::NotPayload);
    }
    let octets = head
        .get(place.offset()..)
        .filter(|octets| octets.len() >= PayloadHeader::LEN)
        .ok_or(RewriteError::HeadTooShort)?;
    PayloadHeader::parse(octets)
        .map_err(RewriteError::Payload)?
        .ok_or(RewriteError::NotPayload)
}

/// Inbound: replaces the locators by `ulids` and removes the payload extension header at `place`,
/// which is `header`, as of [`payload_at`].
///
/// `head` begins with the packet and has at least the octets up to the end of that header.
/// `packet_len` is the length of the whole packet before, in octets from the IPv6 header.
/// Afterwards the packet begins 8 octets into `head` and is 8 octets shorter.
///
/// # Errors
///
/// [`RewriteError::HeadTooShort`] and [`RewriteError::NotPayload`]; `head` is unchanged then.
#[inline]
pub fn inbound(
    head: &mut [u8],
    packet_len: usize,
    place: &Place,
    header: &PayloadHeader,
    ulids: &UlidPair,
) -> Result<(), RewriteError> {
    if !place.is_shim6() {
        return Err(RewriteError::NotPayload);
    }
    let end = place
        .offset()
        .checked_add(PayloadHeader::LEN)
        .ok_or(RewriteError::HeadTooShort)?;
    let head = head.get_mut(..end).ok_or(RewriteError::HeadTooShort)?;
    let length = payload_length(packet_len.saturating_sub(PayloadHeader::LEN));

    move_head(head, place, 0, PayloadHeader::LEN);
    head.get_mut(PayloadHeader::LEN..)
        .and_then(|packet| {
            write_head(
                packet,
                place,
                header.next_header,
                length,
                ulids.peer.as_octets(),
                ulids.local.as_octets(),
            )
        })
        .ok_or(RewriteError::HeadTooShort)
}

/// Moves the headers before `place`, but for the addresses, which are going to be written. Most
/// packets have the IPv6 header only: then this is one word.
#[inline]
fn move_head(head: &mut [u8], place: &Place, from: usize, to: usize) {
    let (Some(start), Some(behind), Some(end)) = (
        from.checked_add(ipv6::HEADER_LEN),
        to.checked_add(ipv6::HEADER_LEN),
        from.checked_add(place.offset()),
    ) else {
        return;
    };
    let Some(word) = octets::array::<{ ipv6::SOURCE_AT }>(head, from) else {
        return;
    };
    if start < end && end <= head.len() {
        head.copy_within(start..end, behind);
    }
    octets::put(head, to, word);
}

/// Writes what changes in the headers before `place`.
pub(super) fn write_head(
    packet: &mut [u8],
    place: &Place,
    next_header: u8,
    payload_length: u16,
    source: &[u8; 16],
    destination: &[u8; 16],
) -> Option<()> {
    octets::put(packet, place.next_header_at(), [next_header])?;
    ipv6::set_payload_length(packet, payload_length)?;
    ipv6::set_addresses(packet, source, destination)
}
