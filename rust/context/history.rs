// SPDX-License-Identifier: GPL-2.0

//! What happened to a context last, for those who look at it.

use super::State;
use crate::proto::time::Instant;
use kernel::prelude::*;

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

impl Happened {
    /// In few octets, for there are many contexts; never 0, because no cause is.
    fn pack(self) -> u64 {
        let numbers = u32::from_be_bytes([0, self.event, self.state, self.cause]);
        self.at.as_millis() << 24 | u64::from(numbers)
    }

    fn unpack(packed: u64) -> Option<Self> {
        let [.., event, state, cause] = packed.to_be_bytes();
        (packed != 0).then_some(Self {
            event,
            state,
            cause,
            at: Instant::from_millis(packed >> 24),
        })
    }
}

/// How many events are remembered.
pub(crate) const LENGTH: usize = 16;

/// The last events of a context, the last one first. Most contexts have few.
pub(crate) struct History(KVec<u64>);

impl History {
    /// Nothing happened yet.
    pub(super) const fn new() -> Self {
        Self(KVec::new())
    }

    /// Something happened; the oldest event is forgotten, or the newest if there is no memory. May
    /// sleep.
    pub(super) fn record(&mut self, event: Event, state: State, cause: Cause, now: Instant) {
        let happened = Happened {
            event: event as u8,
            state: state.number(),
            cause: cause as u8,
            at: now,
        };
        if self.0.len() < LENGTH {
            // What has no place is not remembered.
            let _ = self.0.push(0, GFP_KERNEL);
        }
        if let Some((last, others)) = self.0.split_last_mut() {
            *last = happened.pack();
            if !others.is_empty() {
                self.0.rotate_right(1);
            }
        }
    }

    /// The events, the last one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Happened> + '_ {
        self.0.iter().copied().filter_map(Happened::unpack)
    }
}
