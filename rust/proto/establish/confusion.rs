// SPDX-License-Identifier: GPL-2.0

//! Context confusion: the peer has lost a context and gave its tag to another one (RFC 5533,
//! Sections 7.6 and 7.15).

use super::{
    super::{
        identity::Identity,
        tag::ContextTag, //
    },
    State, //
};

/// What a context claims of its peer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Claim {
    /// The context.
    pub identity: Identity,
    /// Its state.
    pub state: State,
    /// CT(peer).
    pub peer_tag: Option<ContextTag>,
}

/// Whether the context `newer`, which has just taken its CT(peer) or Ls(peer) from the peer,
/// proves that the peer has lost `older`, so that nothing may be sent with `older` any more.
///
/// `overlap` says whether the two have a locator of the peer in common; it is asked last.
pub fn confuses(newer: &Claim, older: &Claim, overlap: impl FnOnce() -> bool) -> bool {
    older.state.sends_to_pair()
        && older.peer_tag.is_some()
        && older.peer_tag == newer.peer_tag
        && older.identity != newer.identity
        && overlap()
}
