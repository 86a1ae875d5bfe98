// SPDX-License-Identifier: GPL-2.0

//! Options that are set.

use super::{
    association,
    errno,
    lifetime,
    option::PreferredLocator,
    option::Switch, //
};
use crate::{
    bindings,
    context::{
        Cause,
        Namespace,
        Options,
        SetPairError,
        Side, //
    },
    kernel_ext::{
        compat::errno::EOPNOTSUPP,
        sock::Sock, //
    },
};
use kernel::{
    ffi::c_int,
    prelude::*,
    sync::rcu, //
};

/// SHIM_DONTSHIM (draft, Section 5.2, and choice A-16).
///
/// # Errors
///
/// [`EOPNOTSUPP`] for sockets whose packets are sent by other sockets, and for a TCP connection
/// that lives on locators other than its ULIDs: its packets would go where no path is.
pub(super) fn dont_shim(sk: &Sock, Switch(opt_out): Switch) -> Result {
    if opt_out {
        if association::is_multipath(sk) {
            return Err(EOPNOTSUPP);
        }
        lifetime::observe()?;
    }
    let sk = sk.lock();
    let sockets = &Namespace::of(sk.net()).sockets;
    let is_opted_out = sockets
        .options(&sk, &rcu::read_lock())
        .contains(Options::OPT_OUT);
    if opt_out
        && !is_opted_out
        && sk.protocol() == bindings::IPPROTO_TCP as c_int
        && association::of_ulids(&sk)
            .is_some_and(|context| context.path(&rcu::read_lock()).is_translated())
    {
        return Err(EOPNOTSUPP);
    }
    sockets.set(&sk, Options::OPT_OUT, opt_out)
}

/// SHIM_CONTEXT_DEFERRED_SETUP (draft, Section 5.12): at 0 the context of the socket is asked for
/// with its first packet, or now if it has a peer.
///
/// # Errors
///
/// [`EOPNOTSUPP`] for sockets whose packets are sent by other sockets.
pub(super) fn deferred_setup(sk: &Sock, Switch(deferred): Switch) -> Result {
    if !deferred {
        if association::is_multipath(sk) {
            return Err(EOPNOTSUPP);
        }
        lifetime::observe()?;
    }
    let namespace = Namespace::of(sk.net());
    let ulids = {
        let sk = sk.lock();
        namespace.sockets.set(&sk, Options::IMPATIENT, !deferred)?;
        association::ulids(&sk)
    };
    if let (Some(ulids), false) = (ulids, deferred) {
        // That there is one, or that the peer does not answer, is no error of the option's.
        let _ = namespace.control.request(namespace, ulids, Cause::Socket);
    }
    Ok(())
}

/// SHIM_LOC_LOCAL_PREF and SHIM_LOC_PEER_PREF (draft, Sections 5.5 and 5.6): the locator becomes the
/// current one of its side.
///
/// # Errors
///
/// [`ENOENT`] without a context; EINVALIDLOCATOR for a locator that is not in the list of its side,
/// or a local one that no interface has; [`ENOMEM`]. Nothing is changed then.
pub(super) fn preference(sk: &Sock, side: Side, preferred: &PreferredLocator) -> Result {
    let context = association::context(sk).ok_or(ENOENT)?;
    let locator = preferred.locator.ok_or_else(invalid_locator)?;
    lifetime::observe()?;

    // The wish is noted first, since that can fail and changing it back cannot. The socket is not
    // kept locked meanwhile: a switch may need locks that others hold while they wait for it.
    let option = option_of(side);
    let sockets = &Namespace::of(sk.net()).sockets;
    let wished_before = {
        let sk = sk.lock();
        let before = sockets.options(&sk, &rcu::read_lock()).contains(option);
        sockets.set(&sk, option, true)?;
        before
    };
    context
        .prefer(sk.net(), side, &locator, preferred.priority)
        .map_err(|error| {
            if !wished_before {
                // Back to the default, which does not fail.
                let _ = sockets.set(&sk.lock(), option, false);
            }
            match error {
                SetPairError::NotInList(_) | SetPairError::NotOnHost | SetPairError::NoPeer => {
                    invalid_locator()
                }
                SetPairError::Gone => ENOENT,
                SetPairError::NoMemory => ENOMEM,
            }
        })
}

/// The wish for a locator is dropped; traffic stays where it is (choice A-15).
///
/// # Errors
///
/// [`ENOENT`] if there is neither a wish nor a context.
pub(super) fn no_preference(sk: &Sock, side: Side) -> Result {
    let option = option_of(side);
    let sockets = &Namespace::of(sk.net()).sockets;
    {
        let sk = sk.lock();
        let wished = sockets.options(&sk, &rcu::read_lock()).contains(option);
        if wished {
            return sockets.set(&sk, option, false);
        }
    }
    association::context(sk).map(|_| ()).ok_or(ENOENT)
}

fn option_of(side: Side) -> Options {
    match side {
        Side::Local => Options::LOCAL_PREFERENCE,
        Side::Peer => Options::PEER_PREFERENCE,
    }
}

fn invalid_locator() -> Error {
    errno(bindings::EINVALIDLOCATOR)
}
