// SPDX-License-Identifier: GPL-2.0

//! The data path: packets between ULIDs above, between locators below (RFC 5533, Sections 8, 11
//! and 12). It runs for every packet, reads what contexts publish, and writes nothing but
//! timestamps and counters.

#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod forward;
mod icmp;
mod input;
mod offload;
mod output;
mod protocol;

use crate::{
    context::{
        Arrival,
        Context,
        Namespace,
        State, //
    },
    kernel_ext::{
        demux,
        dst,
        hooking::HookSets,
        inet6::{
            ProtocolEntry,
            ProtocolRegistration, //
        },
        netfilter::{
            hook,
            Hooks,
            Place as HookPlace, //
        },
        offload::{
            OffloadEntry,
            OffloadRegistration, //
        },
        skbuff::SkBuff, //
    },
    proto::{
        locator::LocatorPair,
        time::Instant,
        wire::{
            chain::{
                self,
                ChainError,
                Place, //
            },
            flow::{
                Direction,
                Flow, //
            },
            ipv6::{
                next_header,
                Ipv6Header, //
            },
            payload::PayloadHeader,
            rewrite, //
        },
    },
};
use kernel::{
    prelude::*,
    sync::rcu::Guard, //
};

/// TCP's protocol number.
const TCP: u8 = 6;

/// Before defragmentation (-400), raw (-300) and conntrack (-200), which are to see ULIDs.
const BEFORE_ALL: i32 = -500;

/// After everything else.
const AFTER_ALL: i32 = i32::MAX;

/// The hooks: those of a namespace that has contexts, or may ask for some; and those of all of them
/// while there is such a one, since what it sends may pass through the others.
pub(crate) static HOOKS: HookSets<Namespace> = HookSets::new(
    Hooks::new([
        hook::<output::Output>(HookPlace::LocalOut, AFTER_ALL),
        hook::<input::PreRoutingEnd>(HookPlace::PreRouting, AFTER_ALL),
    ]),
    Hooks::new([
        hook::<input::Input>(HookPlace::PreRouting, BEFORE_ALL),
        hook::<forward::Forward>(HookPlace::Forward, AFTER_ALL),
    ]),
);

static PROTOCOL: ProtocolEntry<protocol::Shim6> = ProtocolEntry::new();
static OFFLOAD: OffloadEntry<offload::Payload, { PayloadHeader::LEN }> = OffloadEntry::new();

/// What tells whether that still holds which processors remember for the hooks: it comes before the
/// first hook, and is dropped after the last one has run.
pub(crate) struct Witnesses {
    _routes: dst::Registration,
    _demux: demux::Registration,
}

impl Witnesses {
    /// Registers them. Process context, takes RTNL.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            _routes: dst::Registration::new()?,
            _demux: demux::Registration::new(),
        })
    }
}

/// What the data path registers for the whole machine. Dropping it takes it back.
pub(crate) struct Registrations {
    _protocol: ProtocolRegistration<protocol::Shim6>,
    _offload: OffloadRegistration<offload::Payload, { PayloadHeader::LEN }>,
}

impl Registrations {
    /// Registers protocol number 140 and its offloads.
    ///
    /// # Errors
    ///
    /// `EBUSY` if another module has the number.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            _offload: OFFLOAD.register(next_header::SHIM6)?,
            _protocol: PROTOCOL.register(next_header::SHIM6)?,
        })
    }
}

/// The time of a packet, as [`control::coarse_now`] has it.
#[inline]
fn at(msecs: u64) -> Instant {
    Instant::from_millis(msecs)
}

/// Finds the place of the Shim6 header, there or to be, and makes its chain of headers linear.
fn locate(skb: &mut SkBuff) -> Option<Place> {
    loop {
        match chain::locate(skb.head()) {
            Ok(place) => return Some(place),
            Err(ChainError::NeedMore(len)) if skb.head().len() < len && skb.pull_head(len) => (),
            Err(_) => return None,
        }
    }
}

/// What is at the place of a Shim6 header, if that is one.
#[inline]
fn payload_header(skb: &mut SkBuff, place: &Place) -> Option<PayloadHeader> {
    if !place.is_shim6() || place.is_in_transit() {
        return None;
    }
    let end = place.offset().checked_add(PayloadHeader::LEN)?;
    if !skb.pull_head(end) {
        return None;
    }
    rewrite::payload_at(skb.head(), place).ok()
}

/// The conversation of a packet whose endpoint header of number `first` begins at `offset`. Only
/// where there are forks.
#[cold]
fn conversation(skb: &mut SkBuff, offset: usize, first: u8, direction: Direction) -> Option<Flow> {
    /// Ports and flags, behind a few small headers.
    const ENOUGH: usize = 40;

    // The headers of a packet that is whole are linear, or it is shorter than that.
    skb.pull_head(offset.saturating_add(ENOUGH).min(skb.len()));
    Flow::parse(skb.head(), offset, first, direction)
}

/// Whether payload with the tag of this context is to be delivered (RFC 5533, Section 12.2). If the
/// peer has the context already and this host not yet, its handshake is helped along.
#[inline]
fn accepts_payload(namespace: &Namespace, context: &Context) -> bool {
    let state = context.state();
    state == State::Established || accepts_early_payload(namespace, context, state)
}

#[cold]
fn accepts_early_payload(namespace: &Namespace, context: &Context, state: State) -> bool {
    namespace
        .control
        .early_payload(namespace, context.tag_local());
    state.delivers_payload()
}

/// What a packet of a context, which has not been translated yet, keeps of how it came, if anybody
/// wants to know.
#[inline]
fn arrival(namespace: &Namespace, context: &Context, skb: &SkBuff, rcu: &Guard) -> Arrival {
    /// The same where somebody does.
    #[cold]
    fn wanted(context: &Context, skb: &SkBuff, rcu: &Guard) -> Option<Arrival> {
        let header = Ipv6Header::parse(skb.head())?;
        let pair = LocatorPair {
            local: header.destination,
            peer: header.source,
        };
        Some(Arrival::new(context, &pair, rcu))
    }

    if namespace.sockets.any_receivers() {
        wanted(context, skb, rcu).unwrap_or(Arrival::UNKNOWN)
    } else {
        Arrival::UNKNOWN
    }
}

/// Whether packets with this number behind the IPv6 header can have a Shim6 header in front of
/// their endpoint headers.
#[inline]
fn may_have_shim6(first: u8) -> bool {
    matches!(
        first,
        next_header::SHIM6
            | next_header::HOP_BY_HOP
            | next_header::ROUTING
            | next_header::DESTINATION_OPTIONS
    )
}
