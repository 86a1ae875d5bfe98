// SPDX-License-Identifier: GPL-2.0

//! The payload extension header (RFC 5533, Section 5.2).

use super::{
    super::{
        octets,
        tag::ContextTag, //
    },
    fault::Reason,
    ipv6::next_header, //
};

/// A payload extension header. It has no checksum, and the tag alone selects the context
/// (RFC 5533, Section 12.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PayloadHeader {
    /// Protocol of what follows: an endpoint extension header or the ULP.
    pub next_header: u8,
    /// The tag that the receiver of the packet allocated.
    pub tag: ContextTag,
}

impl PayloadHeader {
    /// Octets of the header.
    pub const LEN: usize = 8;

    /// The same as a 16-bit number, for Payload Length and MTU arithmetic.
    pub const LEN_U16: u16 = 8;

    /// The P bit in octet 2.
    const P: u8 = 0x80;

    /// Reads the Shim6 header at the start of `octets`; `Ok(None)` if P is zero, that is, if it
    /// is a control message.
    ///
    /// # Errors
    ///
    /// - [`Reason::Truncated`]: fewer than 8 octets.
    /// - [`Reason::PayloadLength`]: P is one and Hdr Ext Len is not 0, which is not defined.
    /// - [`Reason::PayloadNested`]: another Shim6 header follows, which is not defined either.
    pub fn parse(octets: &[u8]) -> Result<Option<Self>, Reason> {
        let word = octets::array(octets, 0)
            .map(u64::from_be_bytes)
            .ok_or(Reason::Truncated)?;
        let [next_header, hdr_ext_len, p, ..] = word.to_be_bytes();

        if p & Self::P == 0 {
            return Ok(None);
        }
        if hdr_ext_len != 0 {
            return Err(Reason::PayloadLength);
        }
        if next_header == next_header::SHIM6 {
            return Err(Reason::PayloadNested);
        }
        Ok(Some(Self {
            next_header,
            tag: ContextTag::from_low_bits(word),
        }))
    }

    /// The eight octets.
    pub const fn to_octets(self) -> [u8; Self::LEN] {
        // One word: octet by octet takes three times as many instructions.
        let next_header = (self.next_header as u64) << 56;
        let flag = (Self::P as u64) << 40;
        (next_header | flag | self.tag.get()).to_be_bytes()
    }
}
