// SPDX-License-Identifier: GPL-2.0

//! How contexts are established, recovered and updated: the state machine of RFC 5533,
//! Sections 6.2, 7, 10 and 12.
//!
//! A [`Machine`] is the control part of one context that exists. It decides and remembers; it
//! does nothing. Every step is a function of the machine, the event and a [`Step`], and returns
//! [`Actions`] for the caller. Lists of locators stay in the context, which answers through
//! [`Environment`]; packets stay with the caller, who keeps the octets of the one message that
//! may have to be sent again. IDLE is no machine at all, and E-FAILED and NO-SUPPORT are what a
//! machine leaves behind: a [`Negative`].
//!
//! A message that is not taken leaves the machine as it was, but for the time of a repeated I2 or
//! I2bis that it caused.

mod action;
mod confusion;
mod constants;
mod environment;
mod event;
mod handshake;
mod timer;
mod update;

use super::{
    locator::{
        Locator,
        LocatorPair, //
    },
    number::{
        Generation,
        Nonce, //
    },
    random::Random,
    tag::ContextTag,
    time::Instant,
    wire::{
        message::Arrival,
        option::{
            HostOptions,
            LocatorList, //
        }, //
    }, //
};

pub use self::{
    action::{
        Action,
        Actions,
        Cause,
        Content,
        Discarded,
        Negative, //
    },
    confusion::{
        confuses,
        Claim, //
    },
    constants::Constants,
    environment::{
        Environment,
        Step, //
    },
    handshake::Offer, //
};

use self::{
    timer::Timer,
    update::Update, //
};

/// The state of a context (RFC 5533, Section 6.2), numbered as `enum shim6_state`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum State {
    /// There is no context.
    Idle = 0,
    /// I1 has been sent.
    I1Sent = 1,
    /// R1 has been answered with I2.
    I2Sent = 2,
    /// R1bis has been answered with I2bis. The old CT(peer) and Ls(peer) stay in use.
    I2bisSent = 3,
    /// Both sides have what they need.
    Established = 4,
    /// The peer did not answer. No machine is in this state but one that has just ended.
    EFailed = 5,
    /// The peer does not know Shim6. No machine is in this state but one that has just ended.
    NoSupport = 6,
}

impl State {
    /// The number in `enum shim6_state`.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name in RFC 5533.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "IDLE",
            Self::I1Sent => "I1-SENT",
            Self::I2Sent => "I2-SENT",
            Self::I2bisSent => "I2BIS-SENT",
            Self::Established => "ESTABLISHED",
            Self::EFailed => "E-FAILED",
            Self::NoSupport => "NO-SUPPORT",
        }
    }

    /// Whether packets to the peer use the current pair and, if that is not the ULID pair, carry
    /// the payload extension header (RFC 5533, Section 11). In all other states they are sent as
    /// they are.
    pub const fn sends_to_pair(self) -> bool {
        matches!(self, Self::I2bisSent | Self::Established)
    }

    /// Whether a received payload extension header with CT(local) is taken off and its packet
    /// delivered (RFC 5533, Section 12.2).
    pub const fn delivers_payload(self) -> bool {
        matches!(self, Self::I2Sent | Self::I2bisSent | Self::Established)
    }
}

/// The control part of one context.
///
/// It is small and copied freely: a caller that has to undo a step keeps a copy.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Machine {
    state: State,
    /// How often I2 or I2bis was exhausted since the context was last established.
    rounds: u8,
    /// Whether the peer was sent our CGA Parameter Data Structure.
    parameters_sent: bool,
    local_tag: ContextTag,
    peer_tag: Option<ContextTag>,
    /// The nonce of the last I1, I2 or I2bis.
    nonce: Nonce,
    /// The addresses of the outstanding I1, I2 or I2bis, which R2 has to come back on.
    handshake: LocatorPair,
    /// For the handshake, or for the Update Request when established.
    timer: Timer,
    /// When I2 or I2bis was last sent.
    sent: Instant,
    update: Update,
}

impl Machine {
    /// A local trigger: asks the peer for a context (RFC 5533, Section 7.7).
    ///
    /// `tag` becomes CT(local) and must be that of no other context. `pair` is normally the ULID
    /// pair.
    pub fn initiate<R: Random>(
        step: &mut Step<'_, R>,
        tag: ContextTag,
        pair: LocatorPair,
    ) -> (Self, Actions<'static>) {
        let mut machine = Self::new(tag, pair, step.now);
        let mut actions = Actions::new();
        machine.send_i1(step, &mut actions);
        (machine, actions)
    }

    /// A context in which nothing goes on, both tags given. With
    /// [`parameters_sent`](Self::parameters_sent) as it was it stands for one that was
    /// [at rest](Self::is_at_rest).
    pub fn established(
        local_tag: ContextTag,
        peer_tag: ContextTag,
        pair: LocatorPair,
        now: Instant,
    ) -> Self {
        Self {
            state: State::Established,
            peer_tag: Some(peer_tag),
            ..Self::new(local_tag, pair, now)
        }
    }

    fn new(tag: ContextTag, pair: LocatorPair, now: Instant) -> Self {
        Self {
            state: State::Idle,
            rounds: 0,
            parameters_sent: false,
            local_tag: tag,
            peer_tag: None,
            nonce: Nonce::new(0),
            handshake: pair,
            timer: Timer::STOPPED,
            sent: now,
            update: Update::NONE,
        }
    }

    /// Whether nothing goes on, and nothing that happened counts any more, so that the machine need
    /// not be kept.
    pub fn is_at_rest(&self, constants: &Constants, now: Instant) -> bool {
        self.state == State::Established
            && self.timer.deadline.is_none()
            && self.update.is_at_rest(constants.update_spacing, now)
    }

    /// The state.
    pub const fn state(&self) -> State {
        self.state
    }

    /// CT(local).
    pub const fn local_tag(&self) -> ContextTag {
        self.local_tag
    }

    /// CT(peer), as soon as it is known. It may be known in I2-SENT already.
    pub const fn peer_tag(&self) -> Option<ContextTag> {
        self.peer_tag
    }

    /// The nonce and the addresses of the outstanding I1, I2 or I2bis: what R1 and R2 are found
    /// by. [`None`] when nothing is outstanding.
    pub const fn outstanding(&self) -> Option<(Nonce, LocatorPair)> {
        match self.state {
            State::I1Sent | State::I2Sent | State::I2bisSent => Some((self.nonce, self.handshake)),
            _ => None,
        }
    }

    /// When [`timeout`](Self::timeout) is to be called; [`None`] if nothing waits.
    pub const fn next_deadline(&self) -> Option<Instant> {
        self.timer.deadline
    }

    /// Retransmissions done of the outstanding message.
    pub const fn retransmissions(&self) -> u8 {
        self.timer.retransmissions
    }

    /// Whether the peer was sent our CGA Parameter Data Structure since CT(peer) is what it is.
    /// An Update Request with a Locator List needs it if not (RFC 5533, Section 10.1).
    pub const fn parameters_sent(&self) -> bool {
        self.parameters_sent
    }

    /// Notes that a message to the peer had our CGA Parameter Data Structure.
    pub fn set_parameters_sent(&mut self) {
        self.parameters_sent = true;
    }

    /// Whether `locator` is in Ls(peer). Before the peer told its list, that is its ULID and the
    /// address that the handshake goes to (RFC 5533 tests the membership, but says nothing about
    /// a list that is not there yet).
    fn peer_has<'m, R, E: Environment<'m>>(
        &self,
        step: &Step<'_, R>,
        environment: &E,
        locator: &Locator,
    ) -> bool {
        if self.peer_tag.is_some() {
            environment.peer_has(locator)
        } else {
            *locator == step.identity.ulids.peer.as_locator() || *locator == self.handshake.peer
        }
    }

    /// Whether a message came between locators of the context.
    fn is_between<'m, R, E: Environment<'m>>(
        &self,
        step: &Step<'_, R>,
        environment: &E,
        arrival: &Arrival,
    ) -> bool {
        self.peer_has(step, environment, &arrival.source)
            && environment.local_has(&arrival.destination)
    }

    /// Forgets what the peer told, if it told anything.
    fn drop_peer(&mut self, actions: &mut Actions<'_>) {
        if self.peer_tag.take().is_some() {
            actions.push(Action::DropPeer);
        }
        self.parameters_sent = false;
    }
}

/// The addresses of a received packet as a pair: where an answer comes from and goes to.
const fn reverse(arrival: &Arrival) -> LocatorPair {
    LocatorPair {
        local: arrival.destination,
        peer: arrival.source,
    }
}

/// Whether `locator` is in the list of a message.
fn lists(list: Option<&LocatorList<'_>>, locator: &Locator) -> bool {
    list.is_some_and(|list| list.iter().any(|record| record.locator == *locator))
}

/// Checks what a message says about its sender: first what costs little, then the rest.
///
/// `known` is the list that preferences without a list refer to.
fn check_host<'m, E: Environment<'m>>(
    host: &HostOptions<'m>,
    known: Option<(Generation, usize)>,
    environment: &mut E,
) -> Result<(), Discarded> {
    if let Some(preferences) = &host.locator_preferences {
        let list = host
            .locator_list
            .as_ref()
            .map(|list| (list.generation(), list.len()));
        // Without a list every generation is the wrong one.
        let none = (Generation::new(!preferences.generation().get()), 0);
        let (generation, len) = list.or(known).unwrap_or(none);

        preferences
            .check(generation, len)
            .map_err(|report| Discarded {
                cause: Cause::Preferences,
                report: Some(report),
            })?;
    }
    environment.verify(host).map_err(|rejection| Discarded {
        cause: Cause::Verification,
        report: rejection.report,
    })
}
