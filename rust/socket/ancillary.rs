// SPDX-License-Identifier: GPL-2.0

//! Ancillary data of datagrams (draft, Section 6; RFC 6316, Section 7): the locators that received
//! ones came over, those that sent ones are to go over, and what the program thinks of the path.
//!
//! The kernel's functions are redirected while there is a UDP or raw socket that has been asked
//! anything at this level, and a while longer; the one that TCP uses, while there is such a TCP
//! socket or one that was accepted from it. A program that never asks meets a kernel that does not
//! know the level: it ignores such data.

use super::{
    association,
    lifetime,
    option::Form,
    set::{
        check_sendable,
        invalid_locator,
        receive_option, //
    },
    Shim, //
};
use crate::{
    bindings,
    context::{
        Arrival,
        Choice,
        Context,
        Namespace,
        Options,
        Side,
        Steering, //
    },
    kernel_ext::{
        address::In6Addr,
        cmsg::{
            Ancillary,
            Datagrams,
            Message,
            Received,
            Streams,
            UPPER_HEADER_LEN, //
        },
        compat::errno::{
            ENETUNREACH,
            EOPNOTSUPP, //
        },
        demand::{
            self,
            Demand, //
        },
        inet6,
        rcu::RcuArc,
        sock::Sock,
        sockopt::Level, //
    },
    proto::{
        locator::{
            Locator,
            Ulid,
            UlidPair, //
        },
        wire::{
            flow::{
                Direction,
                Flow, //
            },
            ipv6::Ipv6Header,
        },
    },
};
use kernel::{
    ffi::c_int,
    prelude::*,
    sync::rcu, //
};

/// What serves UDP and raw sockets.
static DATAGRAMS: Demand<Datagrams<Shim>> = Demand::new();

/// What refuses the ancillary data of TCP sockets.
static STREAMS: Demand<Streams<Shim>> = Demand::new();

/// Ancillary data can be served while this exists.
pub(super) struct Opened {
    _datagrams: demand::Opened<Datagrams<Shim>>,
    _streams: demand::Opened<Streams<Shim>>,
}

/// From now on ancillary data can be served. Called once.
pub(super) fn open() -> Opened {
    let ready = demand::Ready::new();
    Opened {
        _datagrams: DATAGRAMS.open(&ready),
        _streams: STREAMS.open(&ready),
    }
}

/// Says in the log if ancillary data cannot be served.
pub(super) fn check() {
    if Datagrams::<Shim>::check().is_err_and(|error| error != ENOMEM) {
        pr_warn!(
            "ancillary data of SOL_SHIM unavailable: this kernel's ancillary data cannot be traced\n"
        );
    }
}

/// Sees to it that ancillary data of a socket is served, or refused if it is one of TCP, from now
/// until it is destroyed. No effect on others than TCP sockets and UDP and raw sockets of IPv6.
/// May sleep, if nobody had it before for some tenths of a second.
///
/// # Errors
///
/// [`EOPNOTSUPP`] if that is not possible, [`ENOMEM`].
pub(super) fn needed(sk: &Sock) -> Result {
    let sockets = &Namespace::of(sk.net()).sockets;
    let is_known = || {
        sockets
            .options(sk, &rcu::read_lock())
            .contains(Options::KNOWN)
    };
    if !(sk.is_datagram() || is_stream(sk)) || !sk.holds_net() || is_known() {
        return Ok(());
    }
    lifetime::observe()?;
    let entered = if is_stream(sk) {
        STREAMS.enter(Streams::new)
    } else {
        DATAGRAMS.enter(Datagrams::new)
    };
    entered.map_err(|error| if error == ENOMEM { ENOMEM } else { EOPNOTSUPP })?;
    let noted = {
        let sk = sk.lock();
        if is_known() {
            // Another thread was quicker.
            Err(EEXIST)
        } else {
            sockets.set(&sk, Options::KNOWN, true)
        }
    };
    match noted {
        Ok(()) => Ok(()),
        Err(error) => {
            unneeded(sk);
            if error == EEXIST {
                Ok(())
            } else {
                Err(error)
            }
        }
    }
}

/// As [`needed`], where nothing depends on it.
pub(super) fn asked(sk: &Sock) {
    let _ = needed(sk);
}

/// A socket was accepted from one for which [`needed`] was called, and is as that one. Any context.
pub(super) fn inherited() {
    STREAMS.join();
}

/// A socket for which [`needed`] or [`inherited`] was called is destroyed. Any context.
pub(super) fn unneeded(sk: &Sock) {
    // The family of a socket can change, its protocol cannot.
    if is_stream(sk) {
        STREAMS.leave();
    } else {
        DATAGRAMS.leave();
    }
}

/// Whether ancillary data of a socket is refused (choice A-26).
fn is_stream(sk: &Sock) -> bool {
    sk.protocol() == bindings::IPPROTO_TCP as c_int
}

/// What a program says of the path in use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Feedback {
    Positive,
    Negative,
}

/// What the ancillary data of one message asks for.
#[derive(Default)]
struct Request {
    local: Option<(Locator, Form)>,
    peer: Option<(Locator, Form)>,
    /// A locator that no context can have.
    is_invalid: bool,
    positive: bool,
    negative: bool,
    /// Feedback that is to be ignored still needs a context.
    neutral: bool,
}

impl Request {
    /// [`EINVAL`] for a type that is unknown or only received, one that is there twice, and a value
    /// of another length or family than its type has.
    fn parse(message: &Message<'_>) -> Result<Self> {
        let mut request = Self::default();
        message.for_each(|kind, value| request.add(kind, value))?;
        Ok(request)
    }

    fn add(&mut self, kind: c_int, value: &[u8]) -> Result {
        let kind = u32::try_from(kind).map_err(|_| EINVAL)?;
        let (kind, form) = match kind.checked_sub(bindings::SHIM_RFC6316_BASE) {
            Some(kind) => (kind, Form::Rfc),
            None => (kind, Form::Draft),
        };
        match kind {
            bindings::SHIM_LOC_LOCAL_SEND | bindings::SHIM_LOC_PEER_SEND => {
                let slot = if kind == bindings::SHIM_LOC_LOCAL_SEND {
                    &mut self.local
                } else {
                    &mut self.peer
                };
                match socket_address(value)? {
                    Some(locator) if slot.is_none() => *slot = Some((locator, form)),
                    Some(_) => return Err(EINVAL),
                    None => self.is_invalid = true,
                }
            }
            bindings::SHIM_FEEDBACK_POSITIVE if form == Form::Draft => {
                check_nothing(value)?;
                self.positive = true;
            }
            bindings::SHIM_FEEDBACK_NEGATIVE if form == Form::Draft => {
                check_nothing(value)?;
                self.negative = true;
            }
            bindings::SHIM_FEEDBACK => match feedback(value)? {
                Some(Feedback::Positive) => self.positive = true,
                Some(Feedback::Negative) => self.negative = true,
                None => self.neutral = true,
            },
            _ => return Err(EINVAL),
        }
        Ok(())
    }

    fn is_about_locators(&self) -> bool {
        self.local.is_some() || self.peer.is_some()
    }

    /// The error of a locator that may not be used.
    fn check(&self, message: &Message<'_>, context: &Context) -> Result {
        if self.is_invalid {
            return Err(invalid_locator());
        }
        if let Some((locator, form)) = &self.local {
            check_sendable(context, Side::Local, locator, *form)?;
            // Choice A-31.
            let interface = message.interface();
            let address = In6Addr::from_octets(locator.as_octets());
            if interface != 0 && inet6::interface_of(context.net(), &address) != Some(interface) {
                return Err(ENETUNREACH);
            }
        }
        if let Some((locator, form)) = &self.peer {
            check_sendable(context, Side::Peer, locator, *form)?;
        }
        Ok(())
    }
}

/// Feedback of the draft has no data; up to four octets are ignored (choice A-27).
fn check_nothing(value: &[u8]) -> Result {
    if value.len() <= 4 {
        Ok(())
    } else {
        Err(EINVAL)
    }
}

/// `struct shim_feedback` (RFC 6316, Section 8.3); `None` for what is not to be processed.
fn feedback(value: &[u8]) -> Result<Option<Feedback>> {
    let [direction, indicator, _, _]: [u8; 4] = value.try_into().map_err(|_| EINVAL)?;
    if direction > 1 {
        return Err(EINVAL);
    }
    match indicator {
        0 => Ok(None),
        1 | 2 => Ok(Some(Feedback::Negative)),
        3 => Ok(Some(Feedback::Positive)),
        _ => Err(EINVAL),
    }
}

/// Octets of `struct sockaddr_in6`.
const SOCKADDR_IN6_LEN: usize = 28;

/// Octets of `struct sockaddr_in`.
const SOCKADDR_IN_LEN: usize = 16;

/// The address of a `struct sockaddr_in6`; `None` for a `struct sockaddr_in` (choice A-8).
fn socket_address(value: &[u8]) -> Result<Option<Locator>> {
    let family = value
        .first_chunk::<2>()
        .map(|octets| u32::from(u16::from_ne_bytes(*octets)));
    match (family, value.len()) {
        (Some(bindings::AF_INET6), SOCKADDR_IN6_LEN) => {
            let octets = value.get(8..24).ok_or(EINVAL)?;
            let octets: [u8; 16] = octets.try_into().map_err(|_| EINVAL)?;
            Ok(Some(Locator::new(octets)))
        }
        (Some(bindings::AF_INET), SOCKADDR_IN_LEN) => Ok(None),
        _ => Err(EINVAL),
    }
}

/// A `struct sockaddr_in6` with this address; all zeros without one.
fn socket_address_of(locator: Option<&Locator>) -> [u8; SOCKADDR_IN6_LEN] {
    let mut value = [0; SOCKADDR_IN6_LEN];
    let Some(locator) = locator else {
        return value;
    };
    let family = (bindings::AF_INET6 as u16).to_ne_bytes();
    for (to, from) in value.iter_mut().zip(family) {
        *to = from;
    }
    for (to, from) in value.iter_mut().skip(8).zip(locator.octets()) {
        *to = from;
    }
    value
}

impl Ancillary for Shim {
    const LEVEL: c_int = <Self as Level>::LEVEL;

    /// # Errors
    ///
    /// In this order: [`EOPNOTSUPP`] for sockets that are neither UDP nor raw; [`EINVAL`] of
    /// [`Request::parse`]; [`ENOENT`] without a context (choice A-29); those of [`Request::check`].
    fn send_datagram(message: &Message<'_>) -> Result<Option<u32>> {
        let sk = message.sk();
        if !sk.is_datagram() {
            return Err(EOPNOTSUPP);
        }
        let request = Request::parse(message)?;
        let context = context_of(message).ok_or(ENOENT)?;
        request.check(message, &context)?;
        if request.negative {
            Context::feedback(&context, false);
        } else if request.positive {
            Context::feedback(&context, true);
        }
        if !request.is_about_locators() {
            return Ok(None);
        }
        Namespace::of(sk.net()).sockets.note_choice();
        let steering = Steering {
            local: request.local.map(|(locator, _)| locator),
            peer: request.peer.map(|(locator, _)| locator),
        };
        let lists = rcu::read_lock();
        Choice::new(&context.locators(&lists), &steering)
            .map(|choice| Some(choice.raw()))
            .ok_or_else(invalid_locator)
    }

    /// Always [`EOPNOTSUPP`] (choice A-26).
    fn send_stream(_sk: &Sock) -> Result {
        Err(EOPNOTSUPP)
    }

    fn receive(received: &Received<'_>) {
        let sk = received.sk();
        let options = Namespace::of(sk.net())
            .sockets
            .options(sk, &rcu::read_lock());
        let header = received.header().and_then(Ipv6Header::parse);
        let context = header.and_then(|header| {
            let ulids = UlidPair {
                local: header.destination.as_ulid(),
                peer: header.source.as_ulid(),
            };
            association::of_received(sk, ulids, conversation(received))
        });
        for side in [Side::Local, Side::Peer] {
            for form in [Form::Draft, Form::Rfc] {
                if !options.contains(receive_option(side, form)) {
                    continue;
                }
                let locator = context
                    .as_ref()
                    .and_then(|context| locator_of(received, context, side));
                // Where nothing is known, the draft has no data and the RFC zeros (choice A-28).
                if locator.is_some() || form == Form::Rfc {
                    received.put(
                        receive_type(side, form),
                        &socket_address_of(locator.as_ref()),
                    );
                }
            }
        }
    }
}

/// The locator of one side that a datagram came over: that of the header if it came as it is.
fn locator_of(received: &Received<'_>, context: &Context, side: Side) -> Option<Locator> {
    match received.arrival() {
        Some(arrival) => Arrival::from_raw(arrival).locator(context, side, &rcu::read_lock()),
        None => Some(match side {
            Side::Local => context.ulids().local.as_locator(),
            Side::Peer => context.ulids().peer.as_locator(),
        }),
    }
}

fn receive_type(side: Side, form: Form) -> c_int {
    let draft = match side {
        Side::Local => bindings::SHIM_LOC_LOCAL_RECV,
        Side::Peer => bindings::SHIM_LOC_PEER_RECV,
    };
    let number = match form {
        Form::Draft => draft,
        Form::Rfc => draft | bindings::SHIM_RFC6316_BASE,
    };
    number as c_int
}

/// The context that a message is going to use.
fn context_of(message: &Message<'_>) -> Option<RcuArc<Context>> {
    let destination = message.destination()?;
    let source = message.source(destination)?;
    let ulids = UlidPair {
        local: Ulid::new(source),
        peer: Ulid::new(destination),
    };
    association::of_sent(message.sk(), ulids, message.port())
}

/// The conversation that a datagram is of.
fn conversation(received: &Received<'_>) -> Option<Flow> {
    let protocol = u8::try_from(received.sk().protocol()).ok()?;
    let mut room = [0; UPPER_HEADER_LEN];
    Flow::parse(
        received.upper_header(&mut room)?,
        0,
        protocol,
        Direction::Inbound,
    )
}
