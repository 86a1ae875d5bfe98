// SPDX-License-Identifier: GPL-2.0

//! What tracers are told (`rust/helpers/shim6_trace.h`): changes of contexts, Probes, and packets
//! that are dropped, which are counted here too.

use super::{
    Cause,
    Context,
    Counter,
    Namespace,
    PairReason,
    State, //
};
use crate::{
    kernel_ext::{
        address::In6Addr,
        drop_reason::DropReason,
        net::Net,
        tracepoint::tracepoints, //
    },
    proto::{
        establish,
        locator::{
            Locator,
            LocatorPair, //
        },
        number::Nonce,
        reap,
        verify::Refusal,
        wire::{
            fault::Reason,
            ipv6::{
                self,
                Ipv6Header, //
            },
            probe::ProbeState, //
        },
    },
};
use kernel::prelude::*;

tracepoints! {
    fn shim6_state(
        net: &Net, tag: u64, ulid_local: In6Addr, ulid_peer: In6Addr, from: u8, to: u8, cause: u8,
    );
    fn shim6_reap(
        net: &Net, tag: u64, ulid_local: In6Addr, ulid_peer: In6Addr, state: u8, cause: u8,
    );
    fn shim6_probe_sent(
        net: &Net, tag: u64, local: In6Addr, peer: In6Addr, nonce: u32, state: u8,
    );
    fn shim6_probe_received(
        net: &Net, tag: u64, local: In6Addr, peer: In6Addr, nonce: u32, state: u8,
    );
    fn shim6_path(
        net: &Net, tag: u64, from_local: In6Addr, from_peer: In6Addr, to_local: In6Addr,
        to_peer: In6Addr, reason: u8, cause: u8,
    );
    fn shim6_drop(
        net: &Net, reason: &CStr, source: In6Addr, destination: In6Addr, len: u32,
    );
}

fn address(locator: Locator) -> In6Addr {
    In6Addr::from_octets(locator.as_octets())
}

/// The state of a context changed; one that is not there is idle.
pub(super) fn state(context: &Context, from: State, to: State, cause: Cause) {
    if shim6_state_is_on() {
        let ulids = context.ulids().as_locators();
        shim6_state(
            context.net(),
            context.tag_local().get(),
            address(ulids.local),
            address(ulids.peer),
            from.number(),
            to.number(),
            cause as u8,
        );
    }
}

/// Failure detection of a context entered a state.
pub(crate) fn reap(context: &Context, state: reap::State, cause: Cause) {
    if shim6_reap_is_on() {
        let ulids = context.ulids().as_locators();
        shim6_reap(
            context.net(),
            context.tag_local().get(),
            address(ulids.local),
            address(ulids.peer),
            state as u8,
            cause as u8,
        );
    }
}

/// A Probe is sent.
pub(crate) fn probe_sent(context: &Context, pair: LocatorPair, nonce: Nonce, state: ProbeState) {
    if shim6_probe_sent_is_on() {
        shim6_probe_sent(
            context.net(),
            context.tag_local().get(),
            address(pair.local),
            address(pair.peer),
            nonce.get(),
            state as u8,
        );
    }
}

/// A Probe of the peer came, over a pair as this host sees it.
pub(crate) fn probe_received(
    context: &Context,
    pair: LocatorPair,
    nonce: Nonce,
    state: ProbeState,
) {
    if shim6_probe_received_is_on() {
        shim6_probe_received(
            context.net(),
            context.tag_local().get(),
            address(pair.local),
            address(pair.peer),
            nonce.get(),
            state as u8,
        );
    }
}

/// The current pair of a context changed.
pub(super) fn path(
    context: &Context,
    from: LocatorPair,
    to: LocatorPair,
    reason: PairReason,
    cause: Cause,
) {
    if shim6_path_is_on() {
        shim6_path(
            context.net(),
            context.tag_local().get(),
            address(from.local),
            address(from.peer),
            address(to.local),
            address(to.peer),
            reason as u8,
            cause as u8,
        );
    }
}

/// Why a packet or a message is dropped, as it is counted.
#[derive(Clone, Copy)]
pub(crate) enum Why {
    /// A counter without a reason of the protocol.
    Counter(Counter),
    /// A Shim6 header that is not well formed.
    Malformed(Reason),
    /// A valid message that its context did not take.
    Discarded(establish::Cause),
    /// A message that was not verified.
    Refused(Refusal),
}

impl From<Counter> for Why {
    fn from(counter: Counter) -> Self {
        Self::Counter(counter)
    }
}

impl From<Reason> for Why {
    fn from(reason: Reason) -> Self {
        Self::Malformed(reason)
    }
}

impl Why {
    /// The name of the counter, in two parts.
    fn name(self) -> [&'static str; 2] {
        match self {
            Self::Counter(counter) => ["", counter.name()],
            Self::Malformed(reason) => ["Drop_", reason.name()],
            Self::Discarded(cause) => ["Discard_", cause.name()],
            Self::Refused(refusal) => ["Refuse_", refusal.name()],
        }
    }

    /// The kernel's word that is nearest. It has no room for those of a module.
    fn nearest(self) -> DropReason {
        match self {
            Self::Counter(Counter::OutNoRoute) => DropReason::NoRoute,
            Self::Counter(Counter::OutTooBig) => DropReason::TooBig,
            Self::Counter(Counter::OutNoMemory | Counter::InNoMemory) => DropReason::NoMemory,
            Self::Counter(Counter::OutBadHeaders | Counter::InBadHeaders) => DropReason::BadHeaders,
            Self::Counter(Counter::OutConntrackRefused) => DropReason::Netfilter,
            Self::Malformed(Reason::Truncated | Reason::TooShort) => DropReason::Truncated,
            _ => DropReason::NotSpecified,
        }
    }
}

/// Octets of the longest name of a counter, with the zero behind it.
const NAME_SPACE: usize = 48;

impl Namespace {
    /// Counts a packet or a message that is dropped, and tells tracers of it. `packet` begins with
    /// the IPv6 header. Any context. What is returned goes with the packet to where it is freed.
    #[cold]
    pub(crate) fn dropped(&self, why: impl Into<Why>, packet: &[u8]) -> DropReason {
        let why = why.into();
        match why {
            Why::Counter(counter) => self.counters.count(counter),
            Why::Malformed(reason) => self.counters.count_drop(reason),
            Why::Discarded(cause) => self.counters.count_discard(cause),
            Why::Refused(refusal) => self.counters.count_refusal(refusal),
        }
        if shim6_drop_is_on() {
            self.tell_dropped(why, packet);
        }
        why.nearest()
    }

    fn tell_dropped(&self, why: Why, packet: &[u8]) {
        let mut name = [0; NAME_SPACE];
        // One is left for the zero.
        let octets = why.name().into_iter().flat_map(str::bytes);
        for (to, from) in name.iter_mut().take(NAME_SPACE - 1).zip(octets) {
            *to = from;
        }
        let (Ok(name), Some(header)) = (
            CStr::from_bytes_until_nul(&name),
            Ipv6Header::parse(packet), //
        ) else {
            return;
        };
        let len = (ipv6::HEADER_LEN as u32).saturating_add(u32::from(header.payload_length));
        shim6_drop(
            self.net(),
            name,
            address(header.source),
            address(header.destination),
            len,
        );
    }
}
