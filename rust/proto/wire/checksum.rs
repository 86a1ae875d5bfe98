// SPDX-License-Identifier: GPL-2.0

//! The Internet checksum (RFC 1071) in its two uses here: over a Shim6 control message, which has
//! no pseudo-header (RFC 5533, Section 5.3), and over an ICMPv6 message, which has one (RFC 4443,
//! Section 2.3).

use super::{
    super::locator::Locator,
    ipv6::next_header, //
};

/// The checksum field of a control message.
pub(super) const SHIM6_AT: usize = 4;

/// The sum of a message that includes a correct checksum.
const CORRECT: u16 = 0xffff;

/// One's complement sum of 16-bit words, folded at the end only: 64 bits take the carries of any
/// slice that fits in memory.
#[derive(Clone, Copy)]
struct Sum(u64);

impl Sum {
    const ZERO: Self = Self(0);

    /// Adds whole octets; an odd one at the end counts as if a zero octet followed.
    fn add(self, octets: &[u8]) -> Self {
        let words = octets.chunks_exact(2);
        let last = words.remainder().first().map_or(0, |&octet| {
            u64::from(u16::from_be_bytes([octet, 0])) //
        });

        Self(
            words.fold(self.0.wrapping_add(last), |sum, word| match *word {
                [high, low] => sum.wrapping_add(u64::from(u16::from_be_bytes([high, low]))),
                _ => sum,
            }),
        )
    }

    /// The sum in 16 bits.
    fn fold(self) -> u16 {
        let mut sum = self.0;
        while sum > u64::from(u16::MAX) {
            sum = (sum >> 16).wrapping_add(sum & u64::from(u16::MAX));
        }
        u16::try_from(sum).unwrap_or(u16::MAX)
    }
}

/// The Checksum field for a control message whose whole header is `header`.
///
/// What the field holds now does not matter. There is no special meaning of zero: it is sent as
/// it is (RFC 5533, Section 5.3). Host byte order.
pub fn shim6(header: &[u8]) -> u16 {
    let (before, rest) = header.split_at_checked(SHIM6_AT).unwrap_or((header, &[]));
    !Sum::ZERO
        .add(before)
        .add(rest.get(2..).unwrap_or(&[]))
        .fold()
}

/// Whether the control message `header` has a correct checksum.
pub fn shim6_is_correct(header: &[u8]) -> bool {
    Sum::ZERO.add(header).fold() == CORRECT
}

/// The pseudo-header and the message, as the ICMPv6 checksum covers them.
fn icmpv6_sum(source: Locator, destination: Locator, message: &[u8]) -> Sum {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);

    Sum::ZERO
        .add(source.as_octets())
        .add(destination.as_octets())
        .add(&length.to_be_bytes())
        .add(&[0, 0, 0, next_header::ICMPV6])
        .add(message)
}

/// The Checksum field for an ICMPv6 message whose field is zero now. Host byte order.
pub(super) fn icmpv6(source: Locator, destination: Locator, message: &[u8]) -> u16 {
    !icmpv6_sum(source, destination, message).fold()
}

/// Whether the ICMPv6 message has a correct checksum.
pub(super) fn icmpv6_is_correct(source: Locator, destination: Locator, message: &[u8]) -> bool {
    icmpv6_sum(source, destination, message).fold() == CORRECT
}
