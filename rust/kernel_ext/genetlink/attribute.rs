// SPDX-License-Identifier: GPL-2.0

//! Attributes of a request, which the kernel has validated: octets, read in place.
//!
//! C header: `include/uapi/linux/netlink.h`, `struct nlattr`.

use crate::bindings;

use kernel::prelude::*;

/// Octets of the header of an attribute: length, then type.
const HEADER: usize = size_of::<bindings::nlattr>();

/// An attribute: header and payload.
#[derive(Clone, Copy)]
pub(crate) struct Attribute<'a> {
    octets: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// The type, without the flags above it.
    pub(crate) fn kind(&self) -> u16 {
        match self.octets {
            [_, _, low, high, ..] => {
                u16::from_ne_bytes([*low, *high]) & bindings::NLA_TYPE_MASK as u16
            }
            _ => 0,
        }
    }

    /// The payload.
    pub(crate) fn payload(&self) -> &'a [u8] {
        self.octets.get(HEADER..).unwrap_or_default()
    }

    /// The payload as a fixed number of octets.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it has another size, which a [`Policy`](super::Policy) has refused already if
    /// it was written for the type that is read here. The same holds for the integers.
    pub(crate) fn octets<const N: usize>(&self) -> Result<[u8; N]> {
        self.payload().try_into().map_err(|_| EINVAL)
    }

    /// The payload as an integer of 8 bits.
    pub(crate) fn u8(&self) -> Result<u8> {
        self.octets().map(u8::from_ne_bytes)
    }

    /// The payload as an integer of 32 bits.
    pub(crate) fn u32(&self) -> Result<u32> {
        self.octets().map(u32::from_ne_bytes)
    }

    /// The payload as an integer of 64 bits.
    pub(crate) fn u64(&self) -> Result<u64> {
        self.octets().map(u64::from_ne_bytes)
    }

    /// The payload as attributes.
    pub(crate) fn nest(&self) -> Attributes<'a> {
        Attributes::new(self.payload())
    }

    /// All octets, for the kernel to find the attribute in the message.
    pub(super) fn as_octets(&self) -> &'a [u8] {
        self.octets
    }
}

/// A sequence of attributes, in the order of the message.
#[derive(Clone, Copy)]
pub(crate) struct Attributes<'a> {
    octets: &'a [u8],
}

impl<'a> Attributes<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Self {
        Self { octets }
    }

    /// The attribute of this type, the last one if there are several.
    pub(crate) fn get(self, kind: u16) -> Option<Attribute<'a>> {
        self.all(kind).last()
    }

    /// The attributes of this type.
    pub(crate) fn all(self, kind: u16) -> impl Iterator<Item = Attribute<'a>> {
        self.filter(move |attribute| attribute.kind() == kind)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let [low, high, ..] = *self.octets else {
            return None;
        };
        let len = usize::from(u16::from_ne_bytes([low, high]));
        let octets = self
            .octets
            .get(..len)
            .filter(|octets| octets.len() >= HEADER)?;

        let padded = len.next_multiple_of(bindings::NLA_ALIGNTO as usize);
        self.octets = self.octets.get(padded..).unwrap_or_default();
        Some(Attribute { octets })
    }
}
