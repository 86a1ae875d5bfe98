// SPDX-License-Identifier: GPL-2.0

//! What tells one context of a host from all others.

use super::{
    locator::UlidPair,
    number::Fii, //
};

/// The identity of a context: the ULID pair and the Forked Instance Identifier (RFC 5533,
/// Section 6.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Identity {
    /// The ULIDs.
    pub ulids: UlidPair,
    /// The instance; [`Fii::DEFAULT`] for the context that exists without forking.
    pub fii: Fii,
}
