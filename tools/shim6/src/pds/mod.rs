// SPDX-License-Identifier: GPL-2.0

//! CGA Parameter Data Structures (RFC 3972 section 3) and the addresses that they prove: made
//! ([`generate`], with [`search`] and [`key`]), checked ([`verify`]), explained ([`describe`]), and
//! kept in files ([`file`], [`source`]). The computations are the protocol's own, in `shim6_proto`;
//! hash functions and random numbers come from [`host`].

pub(crate) mod describe;
pub(crate) mod file;
pub(crate) mod generate;
pub(crate) mod host;
pub(crate) mod key;
pub(crate) mod search;
pub(crate) mod source;
#[cfg(test)]
pub(crate) mod vectors;
pub(crate) mod verify;

use shim6_proto::pds::PdsError;

/// Why octets are no PDS, in words.
pub(crate) fn structure(error: PdsError) -> &'static str {
    match error {
        PdsError::Truncated => "too short for a PDS",
        PdsError::CollisionCount => "a collision count that is not 0, 1 or 2",
        PdsError::PublicKey => "a public key that is no DER sequence or goes beyond the end",
        PdsError::Extension => "an extension goes beyond the end",
        PdsError::MultiPrefix => "a Multi-Prefix extension that is no list of 1 to 32 prefixes",
        PdsError::MultiPrefixRepeated => "more than one Multi-Prefix extension",
    }
}
