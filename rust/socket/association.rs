// SPDX-License-Identifier: GPL-2.0

//! Which context a socket has (shim-api, Section 2).

use crate::{
    bindings,
    context::{
        Context,
        Namespace, //
    },
    kernel_ext::{
        rcu::RcuArc,
        sock::{
            Locked,
            Sock, //
        },
    },
    proto::{
        locator::{
            Ulid,
            UlidPair, //
        },
        wire::flow::Flow,
    },
};
use kernel::{
    ffi::c_int,
    sync::rcu, //
};

/// The context that the packets of a socket use; [`None`] if the socket is not associated.
pub(super) fn context(sk: &Sock) -> Option<RcuArc<Context>> {
    let sk = sk.lock();
    if is_opted_out(&sk) {
        return None;
    }
    of_ulids(&sk)
}

/// The context that a datagram of a socket between these ULIDs, to a port of the peer, is going to
/// use.
pub(super) fn of_sent(sk: &Sock, ulids: UlidPair, port: u16) -> Option<RcuArc<Context>> {
    if is_opted_out(sk) {
        return None;
    }
    Namespace::of(sk.net()).context_to(sk, ulids, port)
}

/// The context that a datagram of a socket between these ULIDs, of a conversation, came in by.
pub(super) fn of_received(
    sk: &Sock,
    ulids: UlidPair,
    flow: Option<Flow>,
) -> Option<RcuArc<Context>> {
    if is_opted_out(sk) {
        return None;
    }
    Namespace::of(sk.net()).context_from(ulids, flow)
}

fn is_opted_out(sk: &Sock) -> bool {
    Namespace::of(sk.net())
        .sockets
        .is_opted_out(sk, &rcu::read_lock())
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
