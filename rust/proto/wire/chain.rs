// SPDX-License-Identifier: GPL-2.0

//! Where the Shim6 header is or goes in the chain of IPv6 extension headers: behind the routing
//! sublayer, before everything that belongs to the endpoints (RFC 5533, Sections 4.6 and 11.1).
//!
//! ```text
//! IPv6 | Hop-by-Hop | Dest Options, if a Routing header follows | Routing | SHIM6 |
//!      Fragment | AH | ESP | Dest Options | ULP
//! ```

use super::{
    super::octets,
    ipv6::{
        next_header,
        Ipv6Header,
        HEADER_LEN,
        NEXT_HEADER_AT, //
    }, //
};
use core::fmt;

/// The most extension headers that are walked over. No sane packet has more in front of a Shim6
/// header, and a bound keeps the cost of an insane one small.
pub const MAX_HEADERS: usize = 8;

/// A seam between two headers of a packet. All offsets are octets from the IPv6 header.
///
/// Only the functions of this module make one, so `next_header_at < offset`, and the octets
/// before `offset` were there when it was made.
///
/// It is a word, from the lowest octet on: offset, place of Next Header, two octets each; Next Header;
/// headers that were walked over; whether it is in transit. What is copied through memory, written in
/// small pieces and read in large ones, makes the processor wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place(u64);

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("offset", &self.offset())
            .field("next_header_at", &self.next_header_at())
            .field("next_header", &self.next_header())
            .field("skipped", &self.skipped())
            .field("in_transit", &self.is_in_transit())
            .finish()
    }
}

/// The place behind the IPv6 header, and that of its Next Header field.
const FIRST: u16 = HEADER_LEN as u16;
const FIRST_NAMED_AT: u16 = NEXT_HEADER_AT as u16;

impl Place {
    /// Where the header behind the seam begins.
    #[inline]
    pub fn offset(&self) -> usize {
        usize::from(self.short_offset())
    }

    #[inline]
    const fn short_offset(&self) -> u16 {
        let [low, high, ..] = self.0.to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    /// Where the preceding header has its Next Header field.
    #[inline]
    pub fn next_header_at(&self) -> usize {
        let [_, _, low, high, ..] = self.0.to_le_bytes();
        usize::from(u16::from_le_bytes([low, high]))
    }

    /// The value of that field: the protocol of what begins at [`offset`](Self::offset).
    #[inline]
    pub const fn next_header(&self) -> u8 {
        let [.., next_header, _, _, _] = self.0.to_le_bytes();
        next_header
    }

    /// Whether a Shim6 header begins here.
    #[inline]
    pub const fn is_shim6(&self) -> bool {
        self.next_header() == next_header::SHIM6
    }

    /// Whether a Routing header before this place still has segments left. The Destination
    /// Address is then not the final one: such a packet is on its way to somebody else.
    #[inline]
    pub const fn is_in_transit(&self) -> bool {
        let [.., in_transit, _] = self.0.to_le_bytes();
        in_transit != 0
    }

    /// How many extension headers were walked over.
    const fn skipped(&self) -> u8 {
        let [.., skipped, _, _] = self.0.to_le_bytes();
        skipped
    }

    #[inline]
    const fn new(
        offset: u16,
        next_header_at: u16,
        next_header: u8,
        skipped: u8,
        in_transit: bool,
    ) -> Self {
        let [low, high] = offset.to_le_bytes();
        let [at_low, at_high] = next_header_at.to_le_bytes();
        let transit = in_transit as u8;
        let word = [low, high, at_low, at_high, next_header, skipped, transit, 0];
        Self(u64::from_le_bytes(word))
    }

    /// The seam behind the IPv6 header.
    #[inline]
    const fn behind_ipv6(header: &Ipv6Header) -> Self {
        Self::new(FIRST, FIRST_NAMED_AT, header.next_header, 0, false)
    }

    /// The same of a packet whose IPv6 header has not been read.
    #[inline]
    fn first(packet: &[u8]) -> Result<Self, ChainError> {
        if packet.len() < HEADER_LEN {
            return Err(ChainError::NeedMore(HEADER_LEN));
        }
        let header = Ipv6Header::parse(packet).ok_or(ChainError::NotIpv6)?;
        Ok(Self::behind_ipv6(&header))
    }

    /// Whether the header that begins here can belong to the routing sublayer.
    #[inline]
    fn has_next(&self) -> bool {
        match self.next_header() {
            next_header::HOP_BY_HOP => self.short_offset() == FIRST,
            next_header::ROUTING | next_header::DESTINATION_OPTIONS => true,
            _ => false,
        }
    }

    /// The seam behind the header that begins here; [`None`] if that header cannot belong to the
    /// routing sublayer.
    fn next(&self, packet: &[u8]) -> Result<Option<Self>, ChainError> {
        if !self.has_next() {
            return Ok(None);
        }
        if usize::from(self.skipped()) == MAX_HEADERS {
            return Err(ChainError::TooManyHeaders);
        }
        self.behind(packet).map(Some)
    }

    /// The seam behind the extension header that begins here. All those that are ever skipped
    /// have Next Header, then Hdr Ext Len in units of 8 octets, then, if it is a Routing header,
    /// Routing Type and Segments Left (RFC 8200, Section 4.4).
    fn behind(&self, packet: &[u8]) -> Result<Self, ChainError> {
        let start = self.offset();
        let [next_header, units, _, segments_left] =
            octets::array(packet, start).ok_or(ChainError::NeedMore(start.saturating_add(8)))?;
        let length = usize::from(units).wrapping_add(1).wrapping_mul(8);
        let offset = start
            .checked_add(length)
            .ok_or(ChainError::TooManyHeaders)?;
        if packet.len() < offset {
            return Err(ChainError::NeedMore(offset));
        }
        let offset = u16::try_from(offset).map_err(|_| ChainError::TooManyHeaders)?;
        let routing = self.next_header() == next_header::ROUTING;
        Ok(Self::new(
            offset,
            self.short_offset(),
            next_header,
            self.skipped().wrapping_add(1),
            self.is_in_transit() || (routing && segments_left != 0),
        ))
    }

    /// The seam behind a Fragment header, which has no length and 8 octets (RFC 8200, Section 4.5).
    fn behind_fragment(&self, packet: &[u8]) -> Option<Self> {
        let [next_header] = octets::array(packet, self.offset())?;
        let offset = self.short_offset();
        Some(Self::new(
            offset.checked_add(8)?,
            offset,
            next_header,
            self.skipped(),
            self.is_in_transit(),
        ))
    }
}

/// Why no place could be named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChainError {
    /// The version is not 6.
    NotIpv6,
    /// The chain goes on beyond the slice: call again with at least this many octets, counted
    /// from the IPv6 header. If the packet has no more, it is malformed.
    NeedMore(usize),
    /// More than [`MAX_HEADERS`] extension headers.
    TooManyHeaders,
}

/// Finds the seam between routing and endpoint sublayer.
///
/// Outbound this is where a payload extension header goes in; inbound [`Place::is_shim6`] says
/// whether there is a Shim6 header at that very place. Destination Options count as routing
/// sublayer only if a Routing header follows (RFC 5533, Section 11.1), a Hop-by-Hop header only
/// directly behind the IPv6 header (RFC 8200, Section 4.1).
///
/// `packet` starts at the IPv6 header and may be only the first part of a packet.
///
/// # Errors
///
/// See [`ChainError`].
pub fn locate(packet: &[u8]) -> Result<Place, ChainError> {
    let mut place = Place::first(packet)?;
    let mut ahead = place;

    while let Some(next) = ahead.next(packet)? {
        if ahead.next_header() != next_header::DESTINATION_OPTIONS {
            place = next;
        }
        ahead = next;
    }
    Ok(place)
}

/// The same for a packet of which this is the IPv6 header, if nothing of the routing sublayer can be
/// behind it: so it is with most packets. [`None`] where [`locate`] has to look.
#[inline]
pub fn behind_ipv6(header: &Ipv6Header) -> Option<Place> {
    let place = Place::behind_ipv6(header);
    (!place.has_next()).then_some(place)
}

/// The place of a Shim6 header right behind this IPv6 header, if one is there.
#[inline]
pub fn shim6_behind_ipv6(header: &Ipv6Header) -> Option<Place> {
    // A constant, so that whoever works with it need not look at its parts.
    const PLACE: Place = Place::new(FIRST, FIRST_NAMED_AT, next_header::SHIM6, 0, false);
    (header.next_header == next_header::SHIM6).then_some(PLACE)
}

/// The place of a Shim6 header at `offset`, to which a receiver came over Hop-by-Hop, Routing,
/// Destination Options and Fragment headers in any order, and however many it let pass: those in
/// front of it are done with, and may stay there when it is removed. [`None`] if other headers are
/// there.
pub fn at(packet: &[u8], offset: usize) -> Option<Place> {
    let mut place = Place::first(packet).ok()?;

    while place.offset() < offset {
        place = match place.next_header() {
            next_header::HOP_BY_HOP | next_header::ROUTING | next_header::DESTINATION_OPTIONS => {
                place.behind(packet).ok()?
            }
            next_header::FRAGMENT => place.behind_fragment(packet)?,
            _ => return None,
        };
    }
    (place.offset() == offset && place.is_shim6()).then_some(place)
}

/// Finds the first header of `protocol` behind any Hop-by-Hop, Routing and Destination Options
/// headers; [`None`] if another header comes first.
///
/// # Errors
///
/// See [`ChainError`].
pub(super) fn find(packet: &[u8], protocol: u8) -> Result<Option<Place>, ChainError> {
    let mut place = Place::first(packet)?;

    while place.next_header() != protocol {
        match place.next(packet)? {
            Some(next) => place = next,
            None => return Ok(None),
        }
    }
    Ok(Some(place))
}
