// SPDX-License-Identifier: GPL-2.0

//! IPv6 addresses as C sees them.

use crate::bindings;

/// An IPv6 address (`struct in6_addr`), 16 octets in network byte order.
///
/// Borrowed from octets where they are: C declares an alignment of four for this type, which x86
/// and arm64 do not need, and all its readers go through it by words; so the octets are copied.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct In6Addr(bindings::in6_addr);

impl In6Addr {
    /// A copy of these octets.
    #[inline]
    pub(crate) fn from_octets(octets: &[u8; 16]) -> Self {
        Self(bindings::in6_addr {
            in6_u: bindings::in6_addr__bindgen_ty_1 { u6_addr8: *octets },
        })
    }

    /// The C pointer.
    #[inline]
    pub(crate) fn as_ptr(&self) -> *const bindings::in6_addr {
        &raw const self.0
    }

    /// The C value.
    #[inline]
    pub(crate) fn get(&self) -> bindings::in6_addr {
        self.0
    }
}
