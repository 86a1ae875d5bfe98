// SPDX-License-Identifier: GPL-2.0

//! The context tag: what a payload extension header or control message carries so that its
//! receiver finds the context (RFC 5533, Section 4.1).

use core::{
    fmt,
    num::NonZeroU64, //
};

/// A context tag: 47 bits, allocated by the host that receives it.
///
/// `CT(local)` and `CT(peer)` of RFC 5533, Section 6, are both of this type. The six octets that
/// hold a tag on the wire have one bit more: P in a payload extension header, R (reserved) in a
/// control message. That bit is no part of the tag and never reaches this type.
///
/// The highest bit of the word is always set, so that an [`Option`] of a tag is a word as well.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct ContextTag(NonZeroU64);

impl ContextTag {
    /// Number of bits of a tag.
    pub const BITS: u32 = 47;

    /// The largest tag; also the mask of the bits that a tag may have.
    pub const MAX: Self = Self::from_low_bits(u64::MAX);

    /// The bits that a tag may have.
    const MASK: u64 = 0x7fff_ffff_ffff;

    /// The bit that is always set.
    const MARK: u64 = 1 << 63;

    /// The bit above the tag in its six octets, in the first of them.
    const TOP_BIT: u8 = 0x80;

    /// The tag with this value; [`None`] if it needs more than 47 bits.
    pub const fn new(value: u64) -> Option<Self> {
        if value <= Self::MASK {
            Some(Self::from_low_bits(value))
        } else {
            None
        }
    }

    /// The tag made of the low 47 bits of `bits`, for example of a random number.
    pub const fn from_low_bits(bits: u64) -> Self {
        match NonZeroU64::new(bits & Self::MASK | Self::MARK) {
            Some(word) => Self(word),
            // Never, for a bit is set.
            None => Self(NonZeroU64::MAX),
        }
    }

    /// The value, in host byte order.
    pub const fn get(self) -> u64 {
        self.0.get() & Self::MASK
    }

    /// The tag in octets 2 to 7 of a payload extension header or 6 to 11 of a control message.
    ///
    /// The top bit (P or R) is ignored: whoever needs P has looked at it already, and R is
    /// ignored on receipt (RFC 5533, Section 5.4).
    pub const fn from_wire(octets: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = octets;
        Self::from_low_bits(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    /// The six octets in a control message: the reserved bit is zero.
    pub const fn to_control(self) -> [u8; 6] {
        let [_, _, a, b, c, d, e, f] = self.get().to_be_bytes();
        [a, b, c, d, e, f]
    }

    /// Octets 2 to 7 of a payload extension header: P is one (RFC 5533, Section 5.2).
    pub const fn to_payload(self) -> [u8; 6] {
        let [a, b, c, d, e, f] = self.to_control();
        [a | Self::TOP_BIT, b, c, d, e, f]
    }
}

/// Twelve hexadecimal digits.
impl fmt::Display for ContextTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.get())
    }
}

impl fmt::Debug for ContextTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContextTag({self})")
    }
}
