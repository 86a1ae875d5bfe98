// SPDX-License-Identifier: GPL-2.0

//! The frame of an option: type, C bit, length, contents, padding (RFC 5533, Section 5.15).

use super::octets;

/// Type and Length fields together.
pub(in super::super) const HEADER_LEN: usize = 4;

/// Octets that an option takes with `contents` octets of contents: type, length and contents,
/// padded to the next multiple of 8.
///
/// The same as the RFC's 11 + Length - (Length + 3) mod 8.
pub(in super::super) const fn total_len(contents: u16) -> usize {
    (contents as usize)
        .wrapping_add(HEADER_LEN)
        .next_multiple_of(8)
}

/// An option as it is framed, its contents not looked at.
pub(super) struct Tlv<'a> {
    /// The type, without the C bit.
    pub(super) code: u16,
    /// The C bit: the receiver has to know this option.
    pub(super) critical: bool,
    /// The contents without padding.
    pub(super) contents: &'a [u8],
    /// Offset of the option from the start of the Shim6 header.
    pub(super) at: usize,
}

impl<'a> Tlv<'a> {
    /// Reads the option at offset `at` of the message whose whole header is `header`; also says
    /// where the next one begins, at least 8 octets further. [`None`] if it overruns the header.
    pub(super) fn parse(header: &'a [u8], at: usize) -> Option<(Self, usize)> {
        let kind = octets::u16_at(header, at)?;
        let length = octets::u16_at(header, at.checked_add(2)?)?;
        let whole = octets::range(header, at, total_len(length))?;
        let tlv = Self {
            code: kind >> 1,
            critical: kind & 1 != 0,
            contents: octets::range(whole, HEADER_LEN, usize::from(length))?,
            at,
        };
        Some((tlv, at.checked_add(whole.len())?))
    }
}
