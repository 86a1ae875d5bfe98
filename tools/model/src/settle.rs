// SPDX-License-Identifier: GPL-2.0

//! Whether hosts agree about a context.

use shim6_proto::{
    establish::State,
    identity::Identity,
    locator::UlidPair, //
};

use crate::host::{
    Context,
    Host, //
};

/// The identity that the peer of a context has for it.
pub const fn mirrored(identity: &Identity) -> Identity {
    let UlidPair { local, peer } = identity.ulids;
    Identity {
        ulids: UlidPair {
            local: peer,
            peer: local,
        },
        fii: identity.fii,
    }
}

/// Whether two hosts both have the context with this identity of `a`, are done with establishing
/// it, and each has the tag that the other allocated for it and the locators that the other tells.
pub fn agree(a: &Host, b: &Host, identity: &Identity) -> bool {
    let (Some(ours), Some(theirs)) = (a.context(identity), b.context(&mirrored(identity))) else {
        return false;
    };
    let knows = |context: &Context, peer: &Host| {
        let told = peer.told().iter().map(|record| record.locator);
        told.eq(context.peer().iter().copied())
    };
    if !knows(ours, b) || !knows(theirs, a) {
        return false;
    }
    let (ours, theirs) = (&ours.machine, &theirs.machine);

    ours.state() == State::Established
        && theirs.state() == State::Established
        && ours.peer_tag() == Some(theirs.local_tag())
        && theirs.peer_tag() == Some(ours.local_tag())
}
