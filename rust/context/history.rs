// SPDX-License-Identifier: GPL-2.0

//! What happened to a context last, for those who look at it.

use super::State;
use crate::{
    kernel_ext::slices::Slices,
    proto::time::Instant, //
};

/// What happened to a context, numbered as `enum shim6_event`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Event {
    /// It was made.
    Added = 0,
    /// Its state changed.
    State = 1,
    /// `CT(peer)` or `Ls(peer)` changed.
    Peer = 2,
    /// `Ls(local)` changed.
    Local = 3,
    /// The current locator pair changed.
    Pair = 4,
    /// The peer acknowledged an Update Request.
    Acknowledged = 5,
    /// A message of the peer was refused.
    Refused = 6,
    /// The peer sent an Error message.
    PeerError = 7,
    /// It is gone.
    Removed = 8,
    /// The current pair is assumed to work (RFC 5534, Section 6).
    Operational = 9,
    /// Nothing was heard of the peer for too long: pairs are tried.
    Exploring = 10,
    /// The peer is heard, and may not hear this host.
    InboundOk = 11,
    /// Another pair, or none, stands by.
    Standby = 12,
    /// A Probe is sent. Only for those who listen, and so is the next.
    ProbeSent = 13,
    /// The peer has received a Probe.
    ProbeReported = 14,
}

/// Why something happened, numbered as `enum shim6_cause`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Cause {
    /// Traffic or policy asked for a context.
    Trigger = 1,
    /// An administrator.
    Admin = 2,
    /// A socket.
    Socket = 3,
    /// A message of the peer.
    Message = 4,
    /// No answer came.
    Timeout = 5,
    /// No traffic and no user (RFC 5533, Section 9).
    Idle = 6,
    /// `ULID(local)` is no longer valid (RFC 5533, Section 1.5).
    UlidGone = 7,
    /// The peer gave its tag to another context (RFC 5533, Section 7.6).
    Confusion = 8,
    /// ICMPv6 says that the peer does not know Shim6 (RFC 5533, Section 7.8).
    Icmp = 9,
    /// Addresses of this host came or went.
    Address = 10,
    /// Nothing came back for the Send Timeout (RFC 5534, Section 6.4).
    SendTimeout = 11,
    /// The local locator of the current pair cannot be used any more.
    LocalLost = 12,
    /// The peer's locator of the current pair is BROKEN or gone.
    PeerBroken = 13,
    /// A program complained.
    Feedback = 14,
    /// TCP retransmitted.
    TcpTimeout = 15,
    /// An ICMPv6 error came.
    IcmpError = 16,
    /// Payload of the peer came.
    Payload = 17,
    /// A Keepalive of the peer came.
    Keepalive = 18,
    /// A Probe of the peer came.
    Probe = 19,
}

/// An event of the past.
#[derive(Clone, Copy)]
pub(crate) struct Happened {
    /// What, as an [`Event`] is numbered.
    pub(crate) event: u8,
    /// The state after it, as a [`State`] is numbered.
    pub(crate) state: u8,
    /// Why, as a [`Cause`] is numbered.
    pub(crate) cause: u8,
    /// When.
    pub(crate) at: Instant,
}

/// How many events are remembered.
pub(crate) const LENGTH: usize = 16;

/// The last events of a context, the last one first. Most contexts have few, from the milliseconds
/// in which they were made, and there are many contexts: so an event takes few octets. Two have the
/// numbers, and as many follow as it takes, seven bits in each, to say how many milliseconds after
/// its beginning it came.
pub(crate) struct History(Option<Slices<u8, ()>>);

impl History {
    /// Nothing happened yet.
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Something happened to a context that was made at `begin`; the oldest event is forgotten, or
    /// this one if there is no memory. May sleep.
    pub(super) fn record(
        &mut self,
        event: Event,
        state: State,
        cause: Cause,
        begin: Instant,
        now: Instant,
    ) {
        let happened = Happened {
            event: event as u8,
            state: state.number(),
            cause: cause as u8,
            at: now,
        };
        let mut packed = Packed::new();
        packed.push(&happened, begin);
        self.iter(begin)
            .take(LENGTH - 1)
            .for_each(|older| packed.push(&older, begin));
        if let Ok(octets) = Slices::new(packed.as_slice(), &[]) {
            self.0 = Some(octets);
        }
    }

    /// The events, the last one first, of a context that was made at `begin`.
    pub(crate) fn iter(&self, begin: Instant) -> impl Iterator<Item = Happened> + '_ {
        let mut octets = self.0.as_ref().map_or(&[][..], Slices::first);
        core::iter::from_fn(move || {
            let (happened, rest) = unpack(octets, begin)?;
            octets = rest;
            Some(happened)
        })
    }
}

/// The octets of a history that is being written.
struct Packed {
    octets: [u8; LENGTH * Self::MOST],
    len: usize,
}

impl Packed {
    /// Octets of an event at most: a century takes 42 bits.
    const MOST: usize = 8;

    const fn new() -> Self {
        Self {
            octets: [0; LENGTH * Self::MOST],
            len: 0,
        }
    }

    fn push(&mut self, happened: &Happened, begin: Instant) {
        let mut after = happened.at.as_millis().saturating_sub(begin.as_millis());
        debug_assert!(happened.event < 32 && happened.state < 8);
        self.put(happened.event << 3 | happened.state);
        self.put(happened.cause);
        while after > u64::from(LOW) {
            self.put(after as u8 | MORE);
            after >>= 7;
        }
        self.put(after as u8);
    }

    fn put(&mut self, octet: u8) {
        if let Some(place) = self.octets.get_mut(self.len) {
            *place = octet;
            self.len += 1;
        }
    }

    fn as_slice(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

/// The bit of an octet that another one follows.
const MORE: u8 = 0x80;

/// The other bits.
const LOW: u8 = 0x7f;

/// The first event, and what follows it.
fn unpack(octets: &[u8], begin: Instant) -> Option<(Happened, &[u8])> {
    let (&[numbers, cause], mut rest) = octets.split_first_chunk()?;
    let mut after = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&octet, others) = rest.split_first()?;
        rest = others;
        after |= u64::from(octet & LOW) << shift;
        if octet & MORE == 0 {
            break;
        }
    }
    let happened = Happened {
        event: numbers >> 3,
        state: numbers & 7,
        cause,
        at: Instant::from_millis(begin.as_millis().saturating_add(after)),
    };
    Some((happened, rest))
}
