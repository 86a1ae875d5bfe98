// SPDX-License-Identifier: GPL-2.0

//! What [`Reap`](super::Reap) wants done, and what it tells about itself.

use super::{
    super::{
        counted::counted,
        locator::LocatorPair,
        number::Nonce,
        wire::probe::ProbeState, //
    },
    State, //
};

counted! {
    /// Why the state changed.
    pub enum Cause {
        /// Nothing came back for the Send Timeout (RFC 5534, Section 6.4).
        SendTimeout = "send_timeout",
        /// The local locator of the current pair cannot be used any more.
        LocalLost = "local_lost",
        /// The peer's locator of the current pair is BROKEN or gone (RFC 5533, Section 10.4).
        PeerBroken = "peer_broken",
        /// A program complains.
        NegativeFeedback = "negative_feedback",
        /// TCP retransmits.
        TcpTimeout = "tcp_timeout",
        /// An ICMPv6 error about a packet of the context.
        IcmpError = "icmp_error",
        /// Payload of the peer came while this end was exploring.
        Payload = "payload",
        /// A Keepalive of the peer came while this end was exploring.
        Keepalive = "keepalive",
        /// The peer says that it is exploring.
        PeerExplores = "peer_explores",
        /// The peer says that it hears this end.
        PeerHears = "peer_hears",
        /// The peer says that all is well.
        PeerOperational = "peer_operational",
    }
}

counted! {
    /// Why a Probe is sent.
    pub enum Purpose {
        /// The first of an exploration.
        First = "first",
        /// Its time has come.
        Schedule = "schedule",
        /// Something was received.
        Answer = "answer",
    }
}

counted! {
    /// Why another pair is the current one.
    pub enum SwitchReason {
        /// The peer reported a probe that was sent over it.
        Reported = "reported",
        /// It was the hot standby.
        Standby = "standby",
        /// It is better than the one before, and works again.
        Failback = "failback",
    }
}

counted! {
    /// What the confirmation of a pair is for.
    pub enum ConfirmPurpose {
        /// To have it ready.
        Standby = "standby",
        /// To go back to it.
        Failback = "failback",
    }
}

/// Something to be done or told. Actions are carried out in the order in which they come,
/// completely, before the machine is asked again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// The state has become this.
    Enter {
        /// What it is now.
        state: State,
        /// Why.
        cause: Cause,
    },
    /// Send a Probe over the pair. [`Reap::records`](super::Reap::records) has what it lists;
    /// [`compose::probe`](super::super::compose::probe) makes the message. It is not payload: the
    /// timers stay as they are.
    Probe {
        /// Source and destination; not always the current pair.
        pair: LocatorPair,
        /// Sta.
        state: ProbeState,
        /// The nonce of this probe.
        nonce: Nonce,
        /// Why it is sent.
        purpose: Purpose,
    },
    /// Send a Keepalive over the pair, which is the current one. It is not payload either.
    Keepalive {
        /// Source and destination.
        pair: LocatorPair,
        /// Whether it is the one that the Keepalive Timer ends with (RFC 5534, Section 6.3).
        is_last: bool,
    },
    /// The peer has reported probes that it was not known to have received: the locators that they
    /// went to have been proved to be where the peer is (RFC 5533, Section 7.2).
    /// [`Reap::reported`](super::Reap::reported) lists them.
    Reported,
    /// Make this the current pair, and tell the upper layers that the path is another: path MTU
    /// and congestion state are to be begun anew (RFC 5534, Section 4.2).
    Switch {
        /// The current pair from now on.
        pair: LocatorPair,
        /// Why.
        reason: SwitchReason,
    },
    /// Both directions are known to work after a time in which they were not: what upper layers
    /// have to retransmit gets through now.
    Resume,
    /// Ask the peer over this pair whether the pair works, with an Update Request that repeats the
    /// current preferences. When the acknowledgement with its nonce comes, call
    /// [`Reap::confirmed`](super::Reap::confirmed). If an Update Request with something new is
    /// outstanding, that has precedence, and this one is left out: it will come again.
    Confirm {
        /// Source and destination; not the current pair.
        pair: LocatorPair,
        /// What for.
        purpose: ConfirmPurpose,
        /// The how manieth try, from 1.
        attempt: u8,
    },
    /// The hot standby is this pair now; [`None`]: there is none.
    Standby(Option<LocatorPair>),
    /// All pairs have been tried without an answer. They are tried again.
    RoundOver,
    /// There is no pair to probe: this host has no locator that can be used.
    NoPair,
    /// A Probe that should have been answered was not, because too many came.
    NotAnswered,
    /// A Probe reported probes that this host did not send in this exploration; those reports are
    /// not believed. How many.
    Unbelieved(u8),
}

/// The most actions that a step can have.
const MAX_ACTIONS: usize = 16;

/// The actions of one step, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Actions {
    list: [Option<Action>; MAX_ACTIONS],
    len: usize,
}

impl Actions {
    /// The most actions that a step can have.
    pub const MAX: usize = MAX_ACTIONS;

    /// No actions.
    pub(super) const fn new() -> Self {
        Self {
            list: [None; MAX_ACTIONS],
            len: 0,
        }
    }

    /// Appends an action. The length counts one even if there is no room, so that a step with
    /// more than [`MAX`](Self::MAX) is seen by whoever checks the length.
    pub(super) fn push(&mut self, action: Action) {
        if let Some(slot) = self.list.get_mut(self.len) {
            *slot = Some(action);
        }
        self.len = self.len.saturating_add(1);
    }

    /// The actions.
    pub fn iter(&self) -> impl Iterator<Item = Action> + '_ {
        self.list.iter().copied().flatten()
    }

    /// How many actions.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing to do.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}
