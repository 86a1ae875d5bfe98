// SPDX-License-Identifier: GPL-2.0

//! Which context a socket has (shim-api, Section 2).

use crate::{
    bindings,
    context::{
        Context,
        Namespace,
        Options, //
    },
    kernel_ext::{
        rcu::RcuArc,
        sock::{
            Locked,
            Sock, //
        },
    },
    proto::locator::{
        Ulid,
        UlidPair, //
    },
};
use kernel::{
    ffi::c_int,
    sync::rcu, //
};

/// The context that the packets of a socket use; [`None`] if the socket is not associated.
pub(super) fn context(sk: &Sock) -> Option<RcuArc<Context>> {
    let sk = sk.lock();
    let namespace = Namespace::of(sk.net());
    if namespace
        .sockets
        .options(&sk, &rcu::read_lock())
        .contains(Options::OPT_OUT)
    {
        return None;
    }
    namespace.context_of(&sk, ulids(&sk)?)
}

/// The context of a datagram of a socket that is sent or received between these ULIDs.
pub(super) fn of_datagram(sk: &Sock, ulids: UlidPair) -> Option<RcuArc<Context>> {
    let namespace = Namespace::of(sk.net());
    if namespace
        .sockets
        .options(sk, &rcu::read_lock())
        .contains(Options::OPT_OUT)
    {
        return None;
    }
    namespace.context_of(sk, ulids)
}

/// The context of a socket's ULID pair, whether the socket is opted out or not.
pub(super) fn of_ulids(sk: &Locked<'_>) -> Option<RcuArc<Context>> {
    Namespace::of(sk.net()).context_of(sk, ulids(sk)?)
}

/// The ULIDs of a connected IPv6 socket, if they can have a context.
pub(super) fn ulids(sk: &Locked<'_>) -> Option<UlidPair> {
    if !sk.is_ipv6() || !sk.is_connected() || sends_by_others(sk) {
        return None;
    }
    let ulids = UlidPair {
        local: Ulid::new(sk.local_address()),
        peer: Ulid::new(sk.peer_address()),
    };
    (ulids.local.is_shimmable() && ulids.peer.is_shimmable()).then_some(ulids)
}

/// Whether the socket sends by connections of other sockets, which the program cannot name, or
/// between several addresses at once: a socket of Multipath TCP or SCTP has no ULID pair of its
/// own, and its peer's addresses are its own affair.
pub(super) fn sends_by_others(sk: &Sock) -> bool {
    let protocol = sk.protocol();
    protocol == bindings::IPPROTO_MPTCP as c_int || protocol == bindings::IPPROTO_SCTP as c_int
}
