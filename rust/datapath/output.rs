// SPDX-License-Identifier: GPL-2.0

//! Packets on their way out: ULIDs become locators, and the payload extension header tells the
//! peer which context that was (RFC 5533, Section 11). In LOCAL_OUT, after all others, so that
//! firewalls have seen ULIDs and ports.

use super::{
    at,
    conversation,
    locate,
    TCP, //
};
use crate::{
    context::{
        default_identity,
        Choice,
        Context,
        Counter,
        Namespace,
        Path,
        Steering,
        Wish, //
    },
    control,
    kernel_ext::{
        address::In6Addr,
        compat::errno::EHOSTUNREACH,
        dst::{
            DstRef,
            Exit,
            ExitPlace, //
        },
        net::Net,
        netfilter::{
            Hook,
            State,
            Verdict, //
        },
        skbuff::{
            FragmentOutput,
            Outcome,
            SkBuff, //
        },
        sock::Sock,
    },
    proto::{
        locator::{
            LocatorPair,
            Ulid,
            UlidPair, //
        },
        tag::ContextTag,
        time::Instant,
        wire::{
            chain::{
                self,
                Place, //
            },
            flow::Direction,
            ipv6::{
                next_header,
                Ipv6Header,
                MIN_MTU, //
            },
            payload::PayloadHeader,
            rewrite, //
        },
    },
};
use kernel::{
    prelude::*,
    sync::rcu::{
        self,
        Guard, //
    }, //
};

/// The hook in LOCAL_OUT.
pub(super) struct Output;

impl Hook for Output {
    type Namespace = Namespace;

    #[inline]
    fn concerns(_skb: &SkBuff, namespace: &Namespace, rcu: &Guard) -> bool {
        namespace.needs_hooks(rcu)
    }

    // What few packets need is elsewhere, so that what most of them need is in few cache lines and
    // registers: nothing that another function gets by reference is used here.
    #[inline(always)]
    fn handle(mut skb: SkBuff, state: &State, namespace: &Namespace, rcu: &Guard) -> Verdict {
        if !namespace.is_ordinary() {
            return special(skb, state, namespace, rcu);
        }
        let Some(header) = Ipv6Header::parse(skb.head()) else {
            return Verdict::accept(skb);
        };
        if header.next_header == next_header::SHIM6 {
            // Our own messages are sent where they are to go.
            return Verdict::accept(skb);
        }
        // From where they are to where they are compared: `header` is in registers otherwise.
        let Some((source, destination)) = Ipv6Header::addresses(skb.head()) else {
            return Verdict::accept(skb);
        };
        let identity = default_identity(UlidPair {
            local: Ulid::new(*source),
            peer: Ulid::new(*destination),
        });
        let Some(context) = namespace.contexts.by_identity(&identity, rcu) else {
            if namespace.control.watches(namespace, rcu) {
                without_context(namespace, &identity.ulids, &skb, state, rcu);
            }
            return Verdict::accept(skb);
        };
        if context.lent_to() != 0 || skb.dst().is_some_and(|dst| dst.has_xfrm()) {
            return special(skb, state, namespace, rcu);
        }
        let Some(path) = context.path(rcu) else {
            unchanged(namespace, context, &skb, true, rcu);
            return Verdict::accept(skb);
        };
        let Some(place) = chain::behind_ipv6(&header) else {
            return special(skb, state, namespace, rcu);
        };
        let len = skb.len();
        let left = skb.leave(
            PayloadHeader::LEN,
            &path.cache,
            [
                namespace.counters.tally(Counter::OutTranslated),
                namespace.counters.tally(Counter::OutWhole),
                namespace.counters.tally(Counter::OutSoftwareGso),
            ],
            rcu,
        );
        match left {
            Ok(Some(left)) => {
                let (now, has_carrier) = (at(left.msecs), left.has_carrier);
                let written = rewrite::outbound(left.head, len, &place, &path.pair, path.tag);
                note_sent(namespace, context, now, rcu);
                notice_carrier(namespace, context, has_carrier);
                match written {
                    Ok(()) => Verdict::accept(skb),
                    Err(_) => drop(namespace, skb, (Counter::OutBadHeaders, EINVAL)),
                }
            }
            // Its way has to be looked up, or it has to be made to fit.
            Ok(None) => special(skb, state, namespace, rcu),
            Err(error) => {
                note_sent(namespace, context, control::coarse_now(), rcu);
                drop(namespace, skb, (counter_of(error), error))
            }
        }
    }
}

/// The same for any packet: where there are forks, where sockets want something of their own, and
/// where the way of a packet has to be looked up.
#[cold]
fn special(mut skb: SkBuff, state: &State, namespace: &Namespace, rcu: &Guard) -> Verdict {
    let choice = take_choice(namespace, &mut skb);
    let Some(header) = Ipv6Header::parse(skb.head()) else {
        return Verdict::accept(skb);
    };
    if header.next_header == next_header::SHIM6 {
        return Verdict::accept(skb);
    }
    let identity = default_identity(ulids_of(&header));
    let ulids = &identity.ulids;
    let default = namespace.contexts.by_identity(&identity, rcu);
    let fork = if namespace.contexts.any_forks() {
        fork(namespace, ulids, &mut skb, state, rcu)
    } else {
        None
    };
    let Some(context) = fork.or(default) else {
        if namespace.control.watches(namespace, rcu) {
            without_context(namespace, ulids, &skb, state, rcu);
        }
        return Verdict::accept(skb);
    };
    if namespace.sockets.any_opted_out() && is_opted_out(namespace, &skb, state, rcu) {
        return Verdict::accept(skb);
    }
    if skb.dst().is_some_and(|dst| dst.has_xfrm()) {
        // IPsec is above the shim (RFC 5533, Section 16.1): the packet comes back transformed.
        namespace.counters.count(Counter::OutXfrmPending);
        return Verdict::accept(skb);
    }
    if context.lent_to() != 0 {
        notice_user(namespace, context, &skb, state);
    }
    if namespace.sockets.any_pending() {
        notice_pending(namespace, context, &skb, state, rcu);
    }
    if context.is_fork() {
        namespace.counters.count(Counter::OutForked);
    }
    let way = if choice.is_some() || namespace.sockets.any_steered() {
        Way::of(namespace, context, choice, &skb, state, rcu)
    } else {
        Way::Current(context.path(rcu))
    };
    let Some(rewriting) = way.rewriting() else {
        unchanged(namespace, context, &skb, way.is_current(), rcu);
        return Verdict::accept(skb);
    };
    match translate(namespace, context, &mut skb, &way, rewriting, state, rcu) {
        Ok(Translated::Whole) => Verdict::accept(skb),
        Ok(Translated::ToFragment(mtu)) => fragment(namespace, context, skb, &way, mtu, state, rcu),
        Err(failure) => drop(namespace, skb, failure),
    }
}

/// A packet goes as it is, between the ULIDs, which are the current pair or not.
#[inline]
fn unchanged(
    namespace: &Namespace,
    context: &Context,
    skb: &SkBuff,
    is_current: bool,
    rcu: &Guard,
) {
    let msecs = namespace.counters.tally(Counter::OutUlids).count();
    note_sent(namespace, context, at(msecs), rcu);
    if let Some(dst) = skb.dst().filter(|_| is_current) {
        notice_carrier(namespace, context, dst.has_carrier(rcu));
    }
}

/// Tells the worker if a packet is the first one that goes by the current pair to a device without
/// carrier: it need not wait for the notifier.
#[inline]
fn notice_carrier(namespace: &Namespace, context: &Context, has_carrier: bool) {
    if context.is_newly_cut(has_carrier) {
        context.wish(Wish::Paths);
        namespace.control.stamped(namespace, context);
    }
}

/// A packet leaves between two addresses that have no context.
#[cold]
fn without_context(
    namespace: &Namespace,
    ulids: &UlidPair,
    skb: &SkBuff,
    state: &State,
    rcu: &Guard,
) {
    let sender = state.sender(skb);
    namespace
        .control
        .sent_without_context(namespace, *ulids, sender, rcu);
}

/// Whether the sender of a packet wants nothing to do with the shim.
#[cold]
fn is_opted_out(namespace: &Namespace, skb: &SkBuff, state: &State, rcu: &Guard) -> bool {
    state
        .sender(skb)
        .is_some_and(|sk| namespace.sockets.is_opted_out(sk, rcu))
}

/// Makes fragments of a packet, each of which gets the header.
#[cold]
fn fragment(
    namespace: &Namespace,
    context: &Context,
    mut skb: SkBuff,
    way: &Way<'_>,
    mtu: u32,
    state: &State,
    rcu: &Guard,
) -> Verdict {
    namespace.counters.count(Counter::OutFragmented);
    if let Some(choice) = way.choice(context, rcu) {
        // Each fragment inherits it.
        namespace.sockets.note_choice();
        skb.set_choice(choice.raw());
    }
    Verdict::stolen(skb.fragment::<Fragments>(state.net(), mtu, context))
}

/// Drops a packet and tells its sender.
#[cold]
fn drop(namespace: &Namespace, skb: SkBuff, (counter, error): Failure) -> Verdict {
    let reason = namespace.dropped(counter, skb.head());
    Verdict::drop(skb, error, reason)
}

/// A packet goes through a context.
#[inline]
fn note_sent(namespace: &Namespace, context: &Context, now: Instant, rcu: &Guard) {
    if context.sent(now, rcu) {
        namespace.control.stamped(namespace, context);
    }
}

/// The fork that a packet goes through: by its socket, or by its ports.
#[cold]
fn fork<'rcu>(
    namespace: &'rcu Namespace,
    ulids: &UlidPair,
    skb: &mut SkBuff,
    state: &State,
    rcu: &'rcu Guard,
) -> Option<&'rcu Context> {
    let flow = locate(skb).and_then(|place| {
        let (at, first) = (place.offset(), place.next_header());
        conversation(skb, at, first, Direction::Outbound)
    });
    namespace.fork(*ulids, state.sender(skb), flow, rcu)
}

/// Tells the worker if a packet through a context in which one socket has its settings is from
/// another one.
#[cold]
fn notice_user(namespace: &Namespace, context: &Context, skb: &SkBuff, state: &State) {
    let is_other = |sk: &Sock| sk.holds_net() && sk.address() != context.lent_to();
    if state.sender(skb).is_some_and(is_other) {
        context.wish(Wish::Shared);
        namespace.control.stamped(namespace, context);
    }
}

/// Tells the worker if a packet is from a socket that wanted something of its context before it
/// had one.
#[cold]
fn notice_pending(
    namespace: &Namespace,
    context: &Context,
    skb: &SkBuff,
    state: &State,
    rcu: &Guard,
) {
    let is_pending = |sk: &Sock| namespace.sockets.is_pending(sk, rcu) && sk.has_file();
    if context.is_associated() && state.sender(skb).is_some_and(is_pending) {
        context.wish(Wish::Pending);
        namespace.control.stamped(namespace, context);
    }
}

/// The addresses of a packet that leaves, as ULIDs.
#[inline]
fn ulids_of(header: &Ipv6Header) -> UlidPair {
    UlidPair {
        local: header.source.as_ulid(),
        peer: header.destination.as_ulid(),
    }
}

/// Takes off what was chosen for a packet. What waits for IPsec keeps it until it comes back.
fn take_choice(namespace: &Namespace, skb: &mut SkBuff) -> Option<Choice> {
    if !namespace.sockets.any_choices() {
        return None;
    }
    let choice = skb.choice()?;
    if !skb.dst().is_some_and(|dst| dst.has_xfrm()) {
        // To the device it would be a time.
        skb.clear_choice();
    }
    Some(Choice::from_raw(choice))
}

/// Over what a packet goes.
enum Way<'a> {
    /// The pair that the context uses; `None` for the ULIDs as they are.
    Current(Option<&'a Path>),
    /// One of its own, with the tag that it needs; `None` where packets go as they are.
    Other(LocatorPair, Option<ContextTag>),
}

/// What a packet gets that does not go as it is: other addresses, and a header with the tag.
#[derive(Clone, Copy)]
struct Rewriting<'a> {
    pair: &'a LocatorPair,
    tag: ContextTag,
}

impl<'a> Way<'a> {
    /// The way of a packet for which something was chosen, or whose socket may have wishes.
    #[cold]
    fn of(
        namespace: &Namespace,
        context: &'a Context,
        choice: Option<Choice>,
        skb: &SkBuff,
        state: &State,
        rcu: &'a Guard,
    ) -> Self {
        let steering = choice
            .and_then(|choice| choice.steering(&context.locators(rcu)))
            .or_else(|| Some(namespace.sockets.steering(state.sender(skb)?, rcu)));
        Self::new(context, &steering.unwrap_or_default(), rcu)
    }

    /// The way of a packet, where a locator that may not be used any more is that of the context.
    fn new(context: &'a Context, steering: &Steering, rcu: &'a Guard) -> Self {
        let path = context.path(rcu);
        if *steering == Steering::default() {
            return Self::Current(path);
        }
        let pair = context.steered(steering, rcu);
        if pair == context.pair(rcu) {
            return Self::Current(path);
        }
        let tag = context
            .peer(rcu)
            .tag()
            .filter(|_| context.is_fork() || pair != context.ulids().as_locators());
        Self::Other(pair, tag)
    }

    /// What packets get; `None` where they go as they are.
    fn rewriting(&self) -> Option<Rewriting<'_>> {
        let (pair, tag) = match self {
            Self::Current(path) => path.map(|path| (&path.pair, path.tag))?,
            Self::Other(pair, tag) => (pair, (*tag)?),
        };
        Some(Rewriting { pair, tag })
    }

    /// Whether it is that of the context.
    fn is_current(&self) -> bool {
        matches!(self, Self::Current(_))
    }

    /// What brings another packet onto the same way; `None` for that of the context.
    fn choice(&self, context: &Context, rcu: &Guard) -> Option<Choice> {
        match self {
            Self::Current(_) => None,
            Self::Other(pair, _) => {
                let steering = Steering {
                    local: Some(pair.local),
                    peer: Some(pair.peer),
                };
                Choice::new(&context.locators(rcu), &steering)
            }
        }
    }

    /// How a packet leaves on this way, over this pair and with our header; it is written to
    /// `place`.
    fn exit<'place, 'rcu>(
        &self,
        net: &Net,
        skb: &SkBuff,
        pair: &LocatorPair,
        place: &'place mut ExitPlace<'rcu>,
        rcu: &'rcu Guard,
    ) -> Result<&'place Exit<'rcu>, Failure> {
        let look_up = || {
            DstRef::lookup(
                net,
                &In6Addr::from_octets(pair.local.as_octets()),
                &In6Addr::from_octets(pair.peer.as_octets()),
                skb.mark(),
            )
        };
        let exit = match self {
            Self::Current(Some(path)) => {
                path.cache
                    .exit(skb, PayloadHeader::LEN, look_up, place, rcu)
            }
            Self::Current(None) | Self::Other(..) => {
                look_up().map(|dst| place.by(dst, skb, PayloadHeader::LEN, rcu))
            }
        };
        exit.map_err(|_| (Counter::OutNoRoute, EHOSTUNREACH))
    }
}

/// What [`translate`] made of a packet.
enum Translated {
    /// It goes to its route.
    Whole,
    /// It is unchanged and has to become fragments of at most so many octets first: the Fragment
    /// header stands behind ours (RFC 5533, Section 1.6).
    ToFragment(u32),
}

/// What a failure counts as, and what the sender is told.
type Failure = (Counter, Error);

/// Sends a packet over other addresses, with our header.
fn translate(
    namespace: &Namespace,
    context: &Context,
    skb: &mut SkBuff,
    way: &Way<'_>,
    rewriting: Rewriting<'_>,
    state: &State,
    rcu: &Guard,
) -> Result<Translated, Failure> {
    let mut exit = ExitPlace::new();
    let exit = way.exit(state.net(), skb, rewriting.pair, &mut exit, rcu);
    let now = exit
        .as_ref()
        .map_or_else(|_| control::coarse_now(), |exit| at(exit.msecs()));
    note_sent(namespace, context, now, rcu);
    let exit = exit?;
    if way.is_current() {
        notice_carrier(namespace, context, exit.has_carrier());
    }
    let Some(place) = locate(skb) else {
        return Err((Counter::OutBadHeaders, EINVAL));
    };
    if !exit.fits() {
        if let Some(mtu) = make_fit(namespace, skb, rewriting.pair, exit, &place, state)? {
            if !skb.confirm_untrack() {
                return Err((Counter::OutConntrackRefused, EPERM));
            }
            return Ok(Translated::ToFragment(mtu));
        }
    }
    push_header(namespace, skb, rewriting, &place, exit)?;
    Ok(Translated::Whole)
}

/// Makes a packet fit its path with our header, or says to what size it must be fragmented. The
/// sender learns what the path takes, so that this is rare.
#[cold]
fn make_fit(
    namespace: &Namespace,
    skb: &mut SkBuff,
    pair: &LocatorPair,
    exit: &Exit<'_>,
    place: &Place,
    state: &State,
) -> Result<Option<u32>, Failure> {
    let mtu = exit.mtu();
    let is_ulids = Ipv6Header::parse(skb.head())
        .is_some_and(|header| ulids_of(&header).as_locators() == *pair);
    // Where the ULIDs are the locators, what is told to the one is true for the other too, whose
    // packets would have to be smaller again.
    if mtu < exit.known_mtu() && !is_ulids {
        skb.update_pmtu(mtu);
    }
    if place.next_header() == TCP {
        // The stack would drop the packet and TCP would wait for its timer.
        skb.resegment_tcp(mtu)
            .map_err(|_| (Counter::OutTooBig, EMSGSIZE))?;
        namespace.counters.count(Counter::OutResegmented);
        return Ok(None);
    }
    if skb.is_gso() || state.sender_forbids_fragments(skb) {
        return Err((Counter::OutTooBig, EMSGSIZE));
    }
    if mtu < MIN_MTU {
        // No sender can be told of less than 1280, and the kernel's fragments are not smaller. So
        // IPv6 output fragments behind us: every receiver processes headers in order and accepts
        // that (RFC 5533, Section 4.6).
        skb.allow_fragments();
        namespace.counters.count(Counter::OutFragmentedBelow);
        return Ok(None);
    }
    Ok(Some(mtu))
}

/// Writes the header and the locators, and attaches the route.
///
/// Devices take the addresses of the IPv6 header for those of the transport's pseudo header, which
/// is wrong behind our header. So segments and checksums are finished in software, unless the
/// packet stays in this kernel's memory.
fn push_header(
    namespace: &Namespace,
    skb: &mut SkBuff,
    Rewriting { pair, tag }: Rewriting<'_>,
    place: &Place,
    exit: &Exit<'_>,
) -> Result<(), Failure> {
    let len = skb.len();
    let gso_counter = if exit.is_memory() {
        Counter::OutWhole
    } else {
        Counter::OutSoftwareGso
    };
    skb.grow_head(
        PayloadHeader::LEN,
        exit,
        namespace.counters.tally(Counter::OutTranslated),
        namespace.counters.tally(gso_counter),
        |head| rewrite::outbound(head, len, place, pair, tag),
    )
    .map_err(|error| (counter_of(error), error))?
    .map_err(|_| (Counter::OutBadHeaders, EINVAL))
}

/// What a header that could not be pushed counts as.
#[cold]
fn counter_of(error: Error) -> Counter {
    match error {
        EPERM => Counter::OutConntrackRefused,
        EHOSTUNREACH => Counter::OutNoRoute,
        _ => Counter::OutNoMemory,
    }
}

/// Where fragments of a packet go that was too big for its path.
struct Fragments;

impl FragmentOutput for Fragments {
    type Data = Context;

    fn send(net: &Net, mut skb: SkBuff, context: &Context) -> Outcome {
        let namespace = Namespace::of(net);
        let rcu = rcu::read_lock();
        skb.clear_fragment_limit();
        let choice = take_choice(namespace, &mut skb);
        let steering = choice
            .and_then(|choice| choice.steering(&context.locators(&rcu)))
            .unwrap_or_default();
        let way = Way::new(context, &steering, &rcu);
        let mut exit = ExitPlace::new();
        let pushed = match way.rewriting() {
            Some(rewriting) => {
                let exit = way.exit(net, &skb, rewriting.pair, &mut exit, &rcu);
                exit.and_then(|exit| {
                    let place = locate(&mut skb).ok_or((Counter::OutBadHeaders, EINVAL))?;
                    push_header(namespace, &mut skb, rewriting, &place, exit)
                })
            }
            // The pair is the ULIDs again since the first fragment: so the rest goes.
            None => Ok(()),
        };
        match pushed {
            Ok(()) => Outcome::Sent(skb.output(net)),
            Err((counter, error)) => {
                let reason = namespace.dropped(counter, skb.head());
                Outcome::Failed(skb, error, reason)
            }
        }
    }
}
