// SPDX-License-Identifier: GPL-2.0

//! What a machine wants done.

use super::{
    super::{
        counted::counted,
        locator::LocatorPair,
        number::Nonce,
        tag::ContextTag,
        time::Instant,
        wire::fault::Report, //
    },
    State, //
};

/// A message to send, as far as the machine knows it. What a host tells about itself comes in
/// when it is [composed](super::super::compose).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the fields are those of the messages")]
pub enum Content<'m> {
    I1 {
        initiator_tag: ContextTag,
        initiator_nonce: Nonce,
    },
    I2 {
        initiator_tag: ContextTag,
        initiator_nonce: Nonce,
        responder_nonce: Nonce,
        validator: &'m [u8],
    },
    R2 {
        responder_tag: ContextTag,
        initiator_nonce: Nonce,
    },
    I2bis {
        initiator_tag: ContextTag,
        initiator_nonce: Nonce,
        responder_nonce: Nonce,
        packet_tag: ContextTag,
        validator: &'m [u8],
    },
    UpdateAcknowledgement {
        receiver_tag: ContextTag,
        request_nonce: Nonce,
    },
}

impl Content<'_> {
    /// Whether the octets have to be kept for [`Action::Resend`]. A context has at most one kept
    /// message, this or an Update Request: a new one takes the place of the old one.
    pub const fn is_kept(&self) -> bool {
        matches!(self, Self::I1 { .. } | Self::I2 { .. } | Self::I2bis { .. })
    }
}

/// A peer that is left alone for a while: all that remains of a context whose establishment
/// failed (RFC 5533, Section 6.2). Local triggers are ignored until it ends; received packets
/// are treated as if there were nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Negative {
    /// [`State::EFailed`] or [`State::NoSupport`].
    pub state: State,
    /// When it ends.
    pub until: Instant,
}

impl Negative {
    /// Whether it has ended, so that it is to be forgotten.
    pub fn is_over(&self, now: Instant) -> bool {
        now >= self.until
    }
}

/// Something to be done. Actions are carried out in the order in which they come, completely,
/// before the machine is asked again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action<'m> {
    /// Take from this very message: CT(peer), which is `tag`; Ls(peer), which is the Locator
    /// List or, without one, ULID(peer) alone; the CGA Parameter Data Structure if there is one;
    /// preferences and Keepalive Timeout, or none. Whatever was known of the peer before is void,
    /// except the Parameter Data Structure if this message has none.
    ///
    /// If Lp(peer) is no longer in Ls(peer) and no [`UsePair`](Self::UsePair) follows, that is
    /// what [`UpdatePeer`](Self::UpdatePeer) says about it.
    AdoptPeer {
        /// CT(peer).
        tag: ContextTag,
    },
    /// Take from this very Update Request what it has of these: the Locator List with its
    /// generation, preferences, CGA Parameter Data Structure, Keepalive Timeout. Preferences are
    /// void if there is a list without them.
    ///
    /// If Lp(peer) is now BROKEN or gone, explore before changing the pair (RFC 5533,
    /// Section 10.4).
    UpdatePeer,
    /// Forget CT(peer), Ls(peer) and all that the peer told: packets go out with the ULIDs again
    /// (RFC 5533, Section 11).
    DropPeer,
    /// Look for other contexts that [this one confuses](super::confuses), and discard or
    /// [restart](super::Machine::restart) them before anything is sent (RFC 5533, Section 7.15).
    CheckConfusion,
    /// Make this the current pair. It has just been proved to work in both directions.
    UsePair(LocatorPair),
    /// Send a message from the local to the peer locator of the pair.
    Send {
        /// Source and destination.
        pair: LocatorPair,
        /// The message.
        content: Content<'m>,
    },
    /// Send the kept I1, I2 or I2bis again, the same octets with the same addresses.
    Resend {
        /// Source and destination.
        pair: LocatorPair,
    },
    /// Send an Update Request that says everything this host has to say, over the current pair.
    /// It is kept.
    SendUpdate {
        /// CT(peer).
        receiver_tag: ContextTag,
        /// The nonce of this request.
        request_nonce: Nonce,
    },
    /// Send the kept Update Request again, the same octets, over the current pair.
    ResendUpdate,
    /// Answer with R1, which needs no context. Subject to the limit of rates.
    ReplyR1,
    /// Answer with R1bis, which needs no context. Subject to the limit of rates.
    ReplyR1bis,
    /// The peer has taken the Update Request that was last sent: the locators in it may be used
    /// as sources from now on (RFC 5533, Section 5.11).
    Acknowledged,
    /// The context is established.
    Established {
        /// Whether it was before, and only the peer's side is new.
        again: bool,
    },
    /// The message is for REAP (RFC 5534).
    Reap,
    /// Answer with an Error message. Subject to the limit of rates.
    Report(Report),
    /// The machine has ended; keep only this.
    Negative(Negative),
    /// The message was not taken.
    Discard(Cause),
}

/// The most actions that a step can have.
const MAX_ACTIONS: usize = 6;

/// The actions of one step, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Actions<'m> {
    list: [Option<Action<'m>>; MAX_ACTIONS],
    len: usize,
}

impl<'m> Actions<'m> {
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
    pub(super) fn push(&mut self, action: Action<'m>) {
        if let Some(slot) = self.list.get_mut(self.len) {
            *slot = Some(action);
        }
        self.len = self.len.saturating_add(1);
    }

    /// Appends what follows from a message that is not taken.
    pub(super) fn discard(&mut self, discarded: Discarded) {
        if let Some(report) = discarded.report {
            self.push(Action::Report(report));
        }
        self.push(Action::Discard(discarded.cause));
    }

    /// The actions.
    pub fn iter(&self) -> impl Iterator<Item = Action<'m>> + '_ {
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

/// A message that is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Discarded {
    /// Why; the name of the counter.
    pub cause: Cause,
    /// The Error message to answer with; [`None`] to drop silently.
    pub report: Option<Report>,
}

impl From<Cause> for Discarded {
    fn from(cause: Cause) -> Self {
        Self {
            cause,
            report: None,
        }
    }
}

counted! {
    /// Why a valid message is not taken by the context that it is for. Every cause is a
    /// counter of its own.
    pub enum Cause {
        /// The state of the context does not ask for it.
        State = "state",
        /// It does not have the nonce of the message that it seems to answer.
        Nonce = "nonce",
        /// It does not have the tag of the context.
        Tag = "tag",
        /// It did not come between locators of the context.
        Addresses = "addresses",
        /// Its source is neither in Ls(peer) nor in its own list.
        Source = "source",
        /// Its preferences do not fit the list. Error code 3 or 4.
        Preferences = "preferences",
        /// What it says about its sender could not be verified; why is a matter of
        /// [`verify`](super::super::verify).
        Verification = "verification",
    }
}
