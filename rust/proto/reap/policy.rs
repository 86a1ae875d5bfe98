// SPDX-License-Identifier: GPL-2.0

//! The default policy table of RFC 6724, Section 2.1, and what else of that RFC tells pairs apart.

use super::super::locator::Locator;

/// What the policy table says about an address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Policy {
    /// Higher is better.
    pub(super) precedence: u8,
    /// Addresses with equal labels go well together.
    pub(super) label: u8,
}

impl Policy {
    /// The policy for an address: that of the longest prefix that matches. The table has three more,
    /// for addresses that are no candidates: ::1, ::ffff:0:0/96 and fec0::/10.
    pub(super) const fn of(locator: Locator) -> Self {
        let (precedence, label) = match locator.octets() {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ..] => (1, 3),
            [0x20, 0x01, 0, 0, ..] => (5, 5),
            [0x20, 0x02, ..] => (30, 2),
            [0x3f, 0xfe, ..] => (1, 12),
            [0xfc..=0xfd, ..] => (3, 13),
            _ => (40, 1),
        };
        Self { precedence, label }
    }
}

/// fec0::/10, which means something on one site only (RFC 3879).
pub(super) const fn is_site_local(locator: Locator) -> bool {
    matches!(locator.octets(), [0xfe, 0xc0..=0xff, ..])
}

/// CommonPrefixLen (RFC 6724, Section 2.2): leading bits that two addresses share, at most the 64
/// of a subnet prefix.
pub(super) const fn common_prefix_len(a: Locator, b: Locator) -> u8 {
    let different = u64::from_be_bytes(a.subnet_prefix()) ^ u64::from_be_bytes(b.subnet_prefix());
    // At most 64.
    different.leading_zeros() as u8
}
