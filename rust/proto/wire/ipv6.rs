// SPDX-License-Identifier: GPL-2.0

//! The fixed IPv6 header (RFC 8200, Section 3): the fields that the shim reads and writes.

use super::super::{
    locator::Locator,
    octets, //
};

/// Octets of the fixed header.
pub const HEADER_LEN: usize = 40;

/// The smallest MTU of a link (RFC 8200, Section 5), in octets.
pub const MIN_MTU: u32 = 1280;

/// Offset of the Payload Length field.
pub const PAYLOAD_LENGTH_AT: usize = 4;

/// Offset of the Next Header field.
pub const NEXT_HEADER_AT: usize = 6;

/// Offset of the Source Address field.
pub const SOURCE_AT: usize = 8;

/// Offset of the Destination Address field.
pub const DESTINATION_AT: usize = 24;

/// Values of Next Header fields (IANA "Assigned Internet Protocol Numbers").
pub mod next_header {
    /// Hop-by-Hop Options (RFC 8200, Section 4.3).
    pub const HOP_BY_HOP: u8 = 0;
    /// Routing (RFC 8200, Section 4.4).
    pub const ROUTING: u8 = 43;
    /// Fragment (RFC 8200, Section 4.5).
    pub const FRAGMENT: u8 = 44;
    /// ICMPv6 (RFC 4443).
    pub const ICMPV6: u8 = 58;
    /// No Next Header (RFC 8200, Section 4.7).
    pub const NONE: u8 = 59;
    /// Destination Options (RFC 8200, Section 4.6).
    pub const DESTINATION_OPTIONS: u8 = 60;
    /// Shim6 (RFC 5533, Section 5).
    pub const SHIM6: u8 = 140;
}

/// The fields of a fixed IPv6 header that the shim reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ipv6Header {
    /// Octets after the fixed header. 0 in super-packets and jumbograms beyond 65,535.
    pub payload_length: u16,
    /// Protocol of what follows.
    pub next_header: u8,
    /// Source Address.
    pub source: Locator,
    /// Destination Address.
    pub destination: Locator,
}

impl Ipv6Header {
    /// The protocol that follows the header of what is known to be IPv6; [`None`] if there is less.
    #[inline]
    pub fn next_header(packet: &[u8]) -> Option<u8> {
        octets::u8_at(packet, NEXT_HEADER_AT)
    }

    /// Source and Destination Address, where they are; [`None`] if there are fewer than 40 octets.
    #[inline]
    pub fn addresses(packet: &[u8]) -> Option<(&[u8; 16], &[u8; 16])> {
        let header = packet.first_chunk::<HEADER_LEN>()?;
        let (source, behind) = header.get(SOURCE_AT..)?.split_first_chunk()?;
        Some((source, behind.first_chunk()?))
    }

    /// Reads the header at the start of `packet`.
    ///
    /// [`None`] if there are fewer than 40 octets or the version is not 6.
    pub fn parse(packet: &[u8]) -> Option<Self> {
        // One look at the length is enough.
        let packet = packet.first_chunk::<HEADER_LEN>()?.as_slice();
        if octets::u8_at(packet, 0)? >> 4 != 6 {
            return None;
        }
        Some(Self {
            payload_length: octets::u16_at(packet, PAYLOAD_LENGTH_AT)?,
            next_header: octets::u8_at(packet, NEXT_HEADER_AT)?,
            source: Locator::new(octets::array(packet, SOURCE_AT)?),
            destination: Locator::new(octets::array(packet, DESTINATION_AT)?),
        })
    }
}

/// Writes the Payload Length. [`None`], and nothing written, if the slice is too short.
pub(super) fn set_payload_length(packet: &mut [u8], length: u16) -> Option<()> {
    octets::put(packet, PAYLOAD_LENGTH_AT, length.to_be_bytes())
}

/// Writes both addresses. [`None`] if the slice is too short.
pub fn set_addresses(packet: &mut [u8], source: &[u8; 16], destination: &[u8; 16]) -> Option<()> {
    octets::put(packet, SOURCE_AT, *source)?;
    octets::put(packet, DESTINATION_AT, *destination)
}
