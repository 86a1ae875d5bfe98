// SPDX-License-Identifier: GPL-2.0

//! REAP, the failure detection and locator pair exploration of RFC 5534: (state, event, time) ->
//! (state, actions).
//!
//! [`Reap`] belongs to a context that is established and to nobody else. One worker at a time
//! steps it; the data path never does. Between them are [`Stamps`].
//!
//! # The data path
//!
//! For every packet of the context it calls [`Stamps::sent`] or [`Stamps::received`], and if that
//! returns true, it queues the worker. Nothing else: no timer is touched for a packet, and
//! received packets do not push Keepalives back (RFC 5534, Section 6.1).
//!
//! # The worker
//!
//! It runs when it was queued, when the timer of the context fires, and when something happens
//! that has a method here. For each of these it
//!
//! 1. takes [`Stamps::read`] as the [`Step::activity`] and calls the method;
//! 2. carries out the [`Actions`] in order;
//! 3. arms the timer of the context for [`Reap::next_deadline`], or disarms it if that is
//!    [`None`];
//! 4. calls [`Stamps::settle`] with the activity, [`Reap::timers`] and [`Reap::wake`]; if that
//!    says [`Settled::Again`], begins again with [`Reap::timeout`], and if it says
//!    [`Settled::Later`], does so after a grace period.
//!
//! Queued by the data path or the timer, the method is [`Reap::timeout`]. The deadline may come
//! before anything has expired: it is the earliest time at which something can expire that begins
//! with a packet from now on. So a context in use steps about once in a Keepalive Interval,
//! however many packets it has. A context that is idle has no deadline; the next packet then
//! queues the worker, by one flag that is tested only for packets which start one of the two
//! timers of RFC 5534.
//!
//! A new context has `Stamps::new`, whose flag is set, and no deadline: its first packet queues
//! the worker, and nothing has to be done when it is made.
//!
//! # Messages
//!
//! Only what came between locators of the context with CT(local), in state ESTABLISHED, is for
//! [`Reap::receive_probe`] and [`Reap::receive_keepalive`]: what
//! [`establish::Action::Reap`](super::establish::Action::Reap) is said of. Other control messages
//! are payload (RFC 5534, Section 4.1), with [`Stamps::control_sent`] and
//! [`Stamps::control_received`].

mod action;
mod activity;
mod constants;
mod event;
mod exploration;
mod failback;
mod path;
mod policy;
mod record;
mod standby;
mod transition;

pub mod ranking;

use self::{
    constants::{
        part,
        Chance, //
    },
    exploration::Exploration,
    failback::Failback,
    record::Sent,
    standby::{
        Confirmation,
        Standby, //
    }, //
};
use super::{
    locator::{
        LocatorPair,
        UlidPair, //
    },
    number::Nonce,
    random::Random,
    time::{
        Instant,
        Interval, //
    },
    wire::probe::{
        ProbeRecord,
        ProbeRecords,
        ProbeState, //
    }, //
};

pub use self::{
    action::{
        Action,
        Actions,
        Cause,
        ConfirmPurpose,
        Purpose,
        SwitchReason, //
    },
    activity::{
        Activity,
        GracePeriod,
        NoPeriod,
        Settled,
        Stamps,
        Timers,
        Wake, //
    },
    constants::{
        Constants,
        Invalid,
        LEAST,
        MOST, //
    },
    event::{
        Expiry,
        Hint, //
    },
    ranking::Candidates, //
};

/// The state of one end (RFC 5534, Section 6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum State {
    /// The current pair is assumed to work.
    Operational,
    /// Nothing was heard of the peer for longer than the Send Timeout.
    Exploring,
    /// The peer is heard, but may not hear this end.
    InboundOk,
}

impl State {
    /// The RFC's name of the state.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operational => "Operational",
            Self::Exploring => "Exploring",
            Self::InboundOk => "InboundOk",
        }
    }

    /// Sta in a Probe that is sent in this state.
    pub const fn to_probe(self) -> ProbeState {
        match self {
            Self::Operational => ProbeState::Operational,
            Self::Exploring => ProbeState::Exploring,
            Self::InboundOk => ProbeState::InboundOk,
        }
    }
}

/// What every step of a [`Reap`] depends on besides the machine and the event.
#[derive(Debug)]
pub struct Step<'a, R, C> {
    /// Times and limits of the context. They may differ from step to step.
    pub constants: &'a Constants,
    /// The ULIDs: always the same for the same machine.
    pub ulids: &'a UlidPair,
    /// The time. It never goes back from step to step. A packet that another CPU stamps meanwhile
    /// may be later.
    pub now: Instant,
    /// Where nonces and jitter come from.
    pub random: &'a mut R,
    /// The locators of the context.
    pub candidates: &'a C,
    /// What happened on the data path.
    pub activity: Activity,
    /// How long the first Probe waits if an exploration begins now: for hosts of which very many
    /// contexts begin to explore together, and whose Probes are not to come all at once.
    pub probe_delay: Interval,
}

/// The Keepalive Timer while it runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Keepalives {
    /// Since when.
    since: Instant,
    /// When the last Keepalive was sent; `since` before the first.
    last: Instant,
    /// Randomizes the interval to the next one.
    chance: Chance,
}

impl Keepalives {
    /// When the Keepalive Timer expires at the latest.
    fn end(&self, constants: &Constants) -> Instant {
        self.since.saturating_add(constants.keepalive_timeout)
    }

    /// When the next Keepalive is due.
    fn due(&self, constants: &Constants) -> Instant {
        let interval = self.chance.below(constants.keepalive_interval());
        self.last.saturating_add(interval).min(self.end(constants))
    }

    /// Whether the Keepalive that is sent now is the last one: no other would come an interval
    /// later and still before the timer expires. So the time between two Keepalives is never much
    /// shorter than the interval, and the Keepalive Timer is randomized too.
    fn ends(&self, constants: &Constants, now: Instant) -> bool {
        let least = part(constants.keepalive_interval(), 4, 5);
        now.saturating_add(least) > self.end(constants)
    }
}

/// The answers that may still be sent in a second.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Answers {
    second: Instant,
    given: u8,
}

impl Answers {
    /// Whether one more may be sent; if so, it is counted.
    fn take(&mut self, limit: u8, now: Instant) -> bool {
        if limit == Constants::UNLIMITED {
            return true;
        }
        if now.since(self.second) >= Interval::from_secs(1) {
            *self = Self {
                second: now,
                given: 0,
            };
        }
        let is_allowed = self.given < limit;
        if is_allowed {
            self.given = self.given.saturating_add(1);
        }
        is_allowed
    }
}

/// REAP for one context.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Reap {
    state: State,
    /// The current pair.
    pair: LocatorPair,
    timers: Timers,
    /// Randomizes the Send Timer that runs since `timers.send`.
    send: Option<(Instant, Chance)>,
    keepalives: Option<Keepalives>,
    exploration: Exploration,
    /// When this end was last content; the lists of the exploration are kept for a while.
    calm: Option<Instant>,
    answers: Answers,
    /// Whether a locator of the current pair is lost or BROKEN, as far as that was acted on.
    is_suspect: bool,
    /// Why to explore as soon as there is something to send.
    pending: Option<Cause>,
    confirmation: Option<Confirmation>,
    standby: Standby,
    failback: Failback,
    deadline: Option<Instant>,
}

impl Reap {
    /// A context that has just been established, with the pair that it uses.
    pub fn new(pair: LocatorPair, now: Instant) -> Self {
        Self {
            state: State::Operational,
            pair,
            timers: Timers::default(),
            send: None,
            keepalives: None,
            exploration: Exploration::new(now),
            calm: None,
            answers: Answers {
                second: now,
                given: 0,
            },
            is_suspect: false,
            pending: None,
            confirmation: None,
            standby: Standby::new(),
            failback: Failback::NONE,
            deadline: None,
        }
    }

    /// The state.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The current pair.
    pub const fn pair(&self) -> LocatorPair {
        self.pair
    }

    /// The pair that is thought to have failed, or, while none is, the current one: what the order
    /// of pairs begins with.
    pub fn suspect_pair(&self) -> LocatorPair {
        let failed = self.exploration.failed();
        failed
            .filter(|_| self.state != State::Operational)
            .unwrap_or(self.pair)
    }

    /// When [`timeout`](Self::timeout) is to be called at the latest; [`None`] if nothing waits.
    pub const fn next_deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// What [`Stamps::settle`] is to write back.
    pub const fn timers(&self) -> Timers {
        self.timers
    }

    /// Which packets the data path has to tell about.
    pub const fn wake(&self) -> Wake {
        match self.state {
            State::Exploring => Wake::Received,
            State::Operational if self.timers.are_stopped() => Wake::Any,
            State::Operational | State::InboundOk => Wake::Never,
        }
    }

    /// Whether a machine that was just made for the same pair would do the same from now on: nothing
    /// runs, and nothing that happened counts any more. Such a machine need not be kept.
    pub fn is_at_rest(&self, constants: &Constants, now: Instant) -> bool {
        let is_past = |at: Instant, time| now.since(at) >= time;
        let has_answered =
            self.answers.given > 0 && !is_past(self.answers.second, Interval::from_secs(1));

        self.state == State::Operational
            && self.timers.are_stopped()
            && self.deadline.is_none()
            && !self.is_suspect
            && self.pending.is_none()
            && self.confirmation.is_none()
            && self.calm.is_none_or(|calm| is_past(calm, constants.retain))
            && !has_answered
            && self.failback.is_forgotten(now)
            && (!constants.hot_standby || self.standby.is_forgotten(constants, now, &self.pair))
    }

    /// The pair that is ready to take over at once.
    pub fn standby(&self, constants: &Constants, now: Instant) -> Option<LocatorPair> {
        self.standby
            .ready(constants, now, &self.pair)
            .filter(|_| constants.hot_standby)
    }

    /// What the Probe with this nonce lists, which is the last that was sent or is to be sent:
    /// sent and received records. The first sent record is this Probe itself, the others are those
    /// that the peer has not reported (RFC 5534, Section 5.2).
    pub fn records(
        &self,
        nonce: Nonce,
    ) -> (
        impl Iterator<Item = ProbeRecord> + '_,
        impl Iterator<Item = ProbeRecord> + '_,
    ) {
        let is_this = move |sent: &&Sent| sent.nonce == nonce;
        let this = self.exploration.sent.iter().find(is_this);
        let others = self.exploration.sent.iter();
        let others = others.filter(move |sent| !is_this(sent) && !sent.is_reported);
        // Without this probe there is no message that could list the others.
        let others = others.filter(move |_| this.is_some());
        let sent = this.into_iter().chain(others).take(ProbeRecords::MAX);
        let received = self.exploration.received.iter();

        (sent.map(Sent::record), received.copied())
    }

    /// Pairs over which probes were sent that the peer has reported, each at least once.
    pub fn reported(&self) -> impl Iterator<Item = LocatorPair> + '_ {
        let sent = self.exploration.sent.iter();
        sent.filter(|sent| sent.is_reported).map(|sent| sent.pair)
    }

    /// The pairs of those that [`Action::Reported`] was about last.
    pub fn newly_reported(&self) -> impl Iterator<Item = LocatorPair> + '_ {
        let sent = self.exploration.sent.iter();
        sent.filter(|sent| sent.is_news).map(|sent| sent.pair)
    }

    /// The current pair is another, for a reason that is not REAP's: an administrator set it, or
    /// the context was established again. It stays until it fails; if its locators are
    /// [wanted](ranking::LocalCandidate::is_wanted), it is gone back to after that.
    pub fn use_pair<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        pair: LocatorPair,
    ) -> Actions {
        let actions = self.begin(step);
        self.pair = pair;
        self.is_suspect = false;
        self.pending = None;
        self.confirmation = None;
        self.standby.restart();
        self.failback.rest();
        self.finish(step);
        actions
    }

    /// Takes in what the data path did since the last step. A packet that was received while this
    /// end explores is an event (RFC 5534, Section 6.1); others only move timers.
    fn begin<R: Random, C: Candidates>(&mut self, step: &mut Step<'_, R, C>) -> Actions {
        let mut actions = Actions::new();
        self.timers = step.activity.settled_timers();
        self.track(step);
        if self.state == State::Exploring && self.timers.keepalive.is_some() {
            self.hear(step, Cause::Payload, &mut actions);
        }
        actions
    }

    /// Says when the next step is due.
    fn finish<R: Random, C: Candidates>(&mut self, step: &mut Step<'_, R, C>) {
        self.track(step);
        let constants = step.constants;
        let later = |interval| step.now.saturating_add(interval);

        let deadlines = match self.state {
            State::Exploring => [self.exploration.next, None, None],
            State::InboundOk => {
                // Payload that is sent from now on starts the Send Timer.
                let send = self.send_due(constants);
                let send = send.unwrap_or_else(|| later(constants.send_timeout));
                [self.exploration.next, Some(send), None]
            }
            State::Operational => {
                let send = self.due(step, Expiry::Send);
                let keepalive = self.due(step, Expiry::Keepalive);
                // A packet in the other direction stops the timer that runs and starts the other.
                let turned = match (send, keepalive) {
                    (None, None) => None,
                    (Some(_), _) => Some(later(part(constants.keepalive_interval(), 4, 5))),
                    (None, Some(_)) => Some(later(constants.send_timeout)),
                };
                let watched = match (send, keepalive) {
                    (Some(send), _) => Some(send),
                    (None, keepalive) => keepalive,
                };
                [watched, turned, self.path_due(step)]
            }
        };
        self.deadline = deadlines.into_iter().flatten().min();
    }

    /// Draws the randomness of timers that were started.
    fn track<R: Random, C: Candidates>(&mut self, step: &mut Step<'_, R, C>) {
        let Timers { send, keepalive } = self.timers;

        if send != self.send.map(|(since, _)| since) {
            self.send = send.map(|since| (since, Chance::draw(step.random)));
        }
        let keepalive = keepalive.filter(|_| self.state == State::Operational);
        if keepalive != self.keepalives.map(|run| run.since) {
            self.keepalives = keepalive.map(|since| Keepalives {
                since,
                last: since,
                chance: Chance::draw(step.random),
            });
        }
    }

    /// When the Send Timer expires.
    fn send_due(&self, constants: &Constants) -> Option<Instant> {
        self.send
            .map(|(since, chance)| since.saturating_add(chance.above(constants.send_timeout)))
    }

    /// Whether the peer was heard since TCP sent what is now said not to have got through: less than
    /// the shortest retransmission timeout of usual stacks ago, and some.
    fn hears_lately<R, C>(&self, step: &Step<'_, R, C>) -> bool {
        const LATELY: Interval = Interval::from_millis(150);

        step.activity
            .last_received
            .is_some_and(|last| step.now.since(last) < LATELY)
    }

    /// Whether payload was sent or received lately: what nobody uses is not kept ready.
    fn is_in_use<R, C>(&self, step: &Step<'_, R, C>) -> bool {
        step.activity
            .last()
            .is_some_and(|last| step.now.since(last) < step.constants.standby_interval)
    }
}
