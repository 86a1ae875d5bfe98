// SPDX-License-Identifier: GPL-2.0

//! Addresses in requests, and what is wrong with them in words.

use super::uapi::*;
use crate::{
    kernel_ext::genetlink::{
        Attribute,
        Request, //
    },
    proto::locator::Locator, //
};

use core::ffi::CStr;

use kernel::prelude::*;

/// An attribute that holds an address: its type, and a sentence for everything that can be wrong
/// with it. Both halves of a context mean the same on every link (RFC 5533, Section 1.4).
pub(super) struct AddressKind {
    attribute: u16,
    missing: &'static CStr,
    unspecified: &'static CStr,
    multicast: &'static CStr,
    loopback: &'static CStr,
    link_local: &'static CStr,
    v4_mapped: &'static CStr,
}

/// A sentence that begins with a name.
macro_rules! sentence {
    ($name:literal, $rest:literal) => {
        match CStr::from_bytes_with_nul(concat!($name, " ", $rest, "\0").as_bytes()) {
            Ok(sentence) => sentence,
            Err(_) => panic!("a sentence without an octet of zero"),
        }
    };
}

macro_rules! address_kind {
    ($(#[$doc:meta])* $const:ident, $attribute:ident, $name:literal) => {
        $(#[$doc])*
        pub(super) const $const: AddressKind = AddressKind {
            attribute: $attribute,
            missing: sentence!($name, "is missing"),
            unspecified: sentence!($name, "is the unspecified address"),
            multicast: sentence!($name, "is a multicast address"),
            loopback: sentence!($name, "is the loopback address"),
            link_local: sentence!($name, "is a link-local address"),
            v4_mapped: sentence!($name, "is an IPv4-mapped address"),
        };
    };
}

address_kind!(
    /// ULID(local).
    ULID_LOCAL, A_ULID_LOCAL, "ULID(local)"
);
address_kind!(
    /// ULID(peer).
    ULID_PEER, A_ULID_PEER, "ULID(peer)"
);
address_kind!(
    /// Lp(local).
    CURRENT_LOCAL, A_CURRENT_LOCAL, "the current local locator"
);
address_kind!(
    /// Lp(peer).
    CURRENT_PEER, A_CURRENT_PEER, "the current peer locator"
);
address_kind!(
    /// An element of Ls(local) or Ls(peer).
    ELEMENT, A_LOCATOR_ADDRESS, "the address of a locator"
);

impl AddressKind {
    /// The address in the request, if there is one.
    pub(super) fn find(&self, request: &Request<'_>) -> Result<Option<Locator>> {
        request
            .attributes()
            .get(self.attribute)
            .map(|attribute| self.check(request, &attribute))
            .transpose()
    }

    /// The address in the request, which must have one.
    pub(super) fn need(&self, request: &Request<'_>) -> Result<Locator> {
        self.find(request)?
            .ok_or_else(|| request.missing(self.attribute, self.missing))
    }

    /// The address in a nest, which must have one.
    pub(super) fn need_in(&self, request: &Request<'_>, nest: &Attribute<'_>) -> Result<Locator> {
        match nest.nest().get(self.attribute) {
            Some(attribute) => self.check(request, &attribute),
            None => Err(request.missing_in(nest, self.attribute, self.missing)),
        }
    }

    /// Refuses the request because of this address.
    pub(super) fn refuse(
        &self,
        request: &Request<'_>,
        error: Error,
        sentence: &'static CStr,
    ) -> Error {
        match request.attributes().get(self.attribute) {
            Some(attribute) => request.refuse_attribute(&attribute, error, sentence),
            None => request.refuse(error, sentence),
        }
    }

    fn check(&self, request: &Request<'_>, attribute: &Attribute<'_>) -> Result<Locator> {
        let address = Locator::new(attribute.octets()?);

        let sentence = if address.is_unspecified() {
            self.unspecified
        } else if address.is_multicast() {
            self.multicast
        } else if address.is_loopback() {
            self.loopback
        } else if address.is_link_local() {
            self.link_local
        } else if address.is_v4_mapped() {
            self.v4_mapped
        } else {
            return Ok(address);
        };
        Err(request.refuse_attribute(attribute, EINVAL, sentence))
    }
}
