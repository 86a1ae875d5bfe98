// SPDX-License-Identifier: GPL-2.0

//! Failure detection (RFC 5534) for established contexts: [`crate::proto::reap`] decides, this
//! carries it out.
//!
//! Packets only leave their time in the stamps of the context. The worker looks at those when the
//! timer of the context fires, and when a packet asks for it because no timer runs.

use super::{
    now,
    perform::Received,
    send::{
        self,
        Buffer, //
    },
    Control,
    Establishment,
    KernelRandom, //
};
use crate::{
    context::{
        trace,
        Cause,
        Change,
        Context,
        Counter,
        Event,
        Listed,
        Local,
        Locked,
        Namespace,
        PairReason,
        Peer,
        SetPairError,
        State,
        Wish, //
    },
    kernel_ext::{
        address::In6Addr,
        local_address,
        rcu::RcuArc,
        slab::Cache,
        sock::Resume,
        transmit, //
    },
    netlink::{
        self,
        About, //
    },
    proto::{
        compose,
        locator::{
            Locator,
            LocatorPair, //
        },
        number::Nonce,
        random::Random,
        reap::{
            self,
            ranking::{
                LocalCandidate,
                PeerCandidate, //
            },
            Action,
            Actions,
            Candidates,
            Hint,
            Reap,
            Settled,
            Step,
            SwitchReason,
            Wake, //
        },
        time::{
            Instant,
            Interval, //
        },
        wire::{
            message::Message,
            probe::ProbeState, //
        },
    },
};
use core::mem::replace;
use kernel::{
    alloc::AllocError,
    prelude::*,
    sync::rcu, //
};

/// What an established context keeps for failure detection.
pub(crate) struct Watch {
    /// The machine.
    pub(crate) reap: Reap,
    /// The pair that an administrator or a socket chose last.
    wanted: Option<LocatorPair>,
    /// The Update Request that asks whether a pair works, and where it went.
    asked: Option<(Nonce, LocatorPair)>,
    /// The pair that was last said to stand by.
    standby: Option<LocatorPair>,
    /// Whether the pair is another since upper layers were last told to go on.
    has_moved: bool,
    /// Whether they were told to because a standby took over, which was not yet known to work still.
    was_told: bool,
}

pub(super) static WATCHES: Cache<Watch> = Cache::new(c"shim6_reap");

/// The locators of a context with what is known of them now.
pub(crate) struct KnownCandidates<'a> {
    context: &'a Context,
    local: &'a Local,
    peer: &'a Peer,
    acknowledged: Option<&'a Local>,
    wanted: Option<LocatorPair>,
}

impl Watch {
    /// Failure detection of a context that uses this pair. Its first step learns whether somebody
    /// chose that. May sleep.
    pub(super) fn new(pair: LocatorPair) -> Result<KBox<Self>, AllocError> {
        let watch = Self {
            reap: Reap::new(pair, now()),
            wanted: None,
            asked: None,
            standby: None,
            has_moved: false,
            was_told: false,
        };
        WATCHES.new_box(watch)
    }

    /// Whether [`Watch::new`] would do the same from now on. A machine at rest has no standby; that it
    /// has one again will be news, whichever it was. `chosen` is the current pair if somebody chose it.
    pub(super) fn is_at_rest(
        &self,
        constants: &reap::Constants,
        chosen: Option<LocatorPair>,
        now: Instant,
    ) -> bool {
        self.reap.is_at_rest(constants, now)
            && (self.wanted.is_none() || self.wanted == chosen)
            && !self.has_moved
            && !self.was_told
    }

    /// The candidates of the context that this belongs to, which is locked, with its lists.
    pub(crate) fn candidates<'a>(
        &self,
        context: &'a Context,
        establishment: &'a Establishment,
        local: &'a Local,
        peer: &'a Peer,
    ) -> KnownCandidates<'a> {
        KnownCandidates {
            context,
            local,
            peer,
            acknowledged: establishment.acknowledged.as_deref(),
            wanted: self.wanted,
        }
    }
}

impl Candidates for KnownCandidates<'_> {
    fn local(&self, index: usize) -> Option<LocalCandidate> {
        let known = self.local.list.get(index)?;
        let address = In6Addr::from_octets(known.locator.as_octets());
        let found = local_address::find(self.context.net(), &address);
        Some(LocalCandidate {
            locator: known.locator,
            preference: known.preference,
            is_wanted: self.wanted.is_some_and(|pair| pair.local == known.locator),
            is_operational: found.is_some_and(|found| found.is_usable()),
            is_acknowledged: self
                .acknowledged
                .is_some_and(|told| told.list.has(&known.locator)),
            is_deprecated: found.is_some_and(|found| found.is_deprecated()),
        })
    }

    fn peer(&self, index: usize) -> Option<PeerCandidate> {
        let known = self.peer.list().get(index)?;
        Some(PeerCandidate {
            locator: known.locator,
            preference: known.preference,
            is_wanted: self.wanted.is_some_and(|pair| pair.peer == known.locator),
            // A list is taken as a whole or not at all, so what is in it was verified. What a socket
            // excluded is not to be sent to.
            is_verified: !known.is_excluded,
        })
    }
}

/// What happened, for the machine.
pub(super) enum Occasion<'a> {
    /// A timer fired, or a packet asks for a look.
    Look,
    /// A Probe or a Keepalive came.
    Message(&'a Received<'a>),
    /// Something speaks against the current pair.
    Hint(Hint),
    /// A program says that packets get through.
    PositiveFeedback,
    /// Locators came or went, or stand otherwise than before.
    Candidates,
    /// A socket prefers a pair that has to be confirmed first.
    Preferred,
    /// The acknowledgement of what asked whether this pair works.
    Confirmed(LocatorPair),
}

/// Takes one step of a machine that is locked; says what it decided, and whether it is to be asked
/// again at once.
fn decide(
    namespace: &Namespace,
    context: &Context,
    locked: &mut Locked<'_>,
    occasion: &Occasion<'_>,
) -> Option<(Actions, bool)> {
    let (local, peer) = (locked.local(), locked.peer());
    let pair = context.pair(&rcu::read_lock());
    let chosen = locked.chosen_pair();
    let preferred = locked.take_wanted();
    let constants = locked.reap_constants();
    let is_outdated = locked.is_timeout_outdated(&constants);
    let Establishment {
        machine,
        watch,
        acknowledged,
        grace,
        ..
    } = locked.establishment()?;
    if is_outdated && machine.is_announced() {
        context.wish(Wish::Announce);
        namespace.control.stamped(namespace, context);
    }
    let Watch { reap, wanted, .. } = &mut **watch.as_mut()?;
    // What is wanted and not confirmed yet stays wanted.
    if chosen.is_some() && (reap.pair() != pair || wanted.is_none()) {
        *wanted = chosen;
    }
    if preferred.is_some() {
        *wanted = preferred;
    }
    let candidates = KnownCandidates {
        context,
        local: &local,
        peer: &peer,
        acknowledged: acknowledged.as_deref(),
        wanted: *wanted,
    };
    let stamps = context.stamps();
    // In this order: no stamp is later than the time of the step, or by a tick at most.
    let activity = stamps.read();
    let now = now();
    let pace = &namespace.control.pace;
    let was_exploring = reap.state() == reap::State::Exploring;
    let mut step = Step {
        constants: &constants,
        ulids: context.ulids(),
        now,
        random: &mut KernelRandom,
        candidates: &candidates,
        activity,
        probe_delay: pace.delay(now),
    };
    let actions = if reap.pair() != pair {
        reap.use_pair(&mut step, pair)
    } else {
        match occasion {
            Occasion::Look => reap.timeout(&mut step),
            Occasion::Message(received) => match &received.message {
                Message::Probe(probe) => reap.receive_probe(&mut step, probe, &received.arrival),
                _ => reap.receive_keepalive(&mut step),
            },
            Occasion::Hint(hint) => reap.hint(&mut step, *hint),
            Occasion::PositiveFeedback => reap.positive_feedback(&mut step),
            Occasion::Candidates => reap.candidates_changed(&mut step, false),
            Occasion::Preferred => reap.candidates_changed(&mut step, true),
            Occasion::Confirmed(pair) => reap.confirmed(&mut step, *pair),
        }
    };
    if !was_exploring && reap.state() == reap::State::Exploring {
        pace.began(now);
    }
    let settled = stamps.settle(&activity, reap.timers(), reap.wake(), grace);
    Some((actions, settled == Settled::Again))
}

impl Control {
    /// Lets failure detection of a context take a step if it is established, and carries out what
    /// it decides. The worker only.
    pub(super) fn watch(
        &self,
        namespace: &Namespace,
        context: &RcuArc<Context>,
        occasion: Occasion<'_>,
    ) {
        if let Occasion::Message(received) = &occasion {
            tell_received(context, received);
        }
        let mut occasion = occasion;
        loop {
            let Ok(mut locked) = context.lock() else {
                return;
            };
            let used = context.pair(&rcu::read_lock());
            let is_new_pair = locked
                .establishment()
                .and_then(|establishment| establishment.watch.as_ref())
                .is_some_and(|watch| watch.reap.pair() != used);
            let Some((actions, again)) = decide(namespace, context, &mut locked, &occasion) else {
                return;
            };
            if !is_new_pair && !again && actions.iter().next().is_none() {
                end_turn(context, &mut locked);
                return;
            }
            drop(locked);
            for action in actions.iter() {
                if self.act(namespace, context, action).is_err() {
                    namespace.counters.count(Counter::InNoMemory);
                }
            }
            // A step that only heard of another pair did not look at the occasion.
            if !is_new_pair {
                if !again {
                    break;
                }
                occasion = Occasion::Look;
            }
        }
        if let Ok(mut locked) = context.lock() {
            end_turn(context, &mut locked);
        }
    }

    /// Carries out what the machine decided.
    fn act(
        &self,
        namespace: &Namespace,
        context: &RcuArc<Context>,
        action: Action,
    ) -> Result<(), SetPairError> {
        let count = |counter| namespace.counters.count(counter);
        match action {
            Action::Enter { state, cause } => {
                let event = match state {
                    reap::State::Operational => Event::Operational,
                    reap::State::Exploring => Event::Exploring,
                    reap::State::InboundOk => Event::InboundOk,
                };
                if state == reap::State::Exploring {
                    count(Counter::Explored);
                }
                let cause = cause_of(cause);
                trace::reap(context, state, cause);
                context.lock()?.record(namespace.net(), event, cause);
            }
            Action::Probe {
                pair, state, nonce, ..
            } => self.send_probe(namespace, context, pair, state, nonce)?,
            Action::Keepalive { pair, .. } => self.send_keepalive(namespace, context, pair)?,
            Action::Reported => note_reported(namespace, context)?,
            Action::Switch { pair, reason } => {
                let (counter, reason) = match reason {
                    SwitchReason::Reported => (Counter::SwitchedProbed, PairReason::Probed),
                    SwitchReason::Standby => (Counter::SwitchedStandby, PairReason::Standby),
                    SwitchReason::Failback => (Counter::SwitchedBack, PairReason::Failback),
                };
                let change = Change {
                    pair: Some((pair, reason)),
                    ..Change::default()
                };
                let before = context.pair(&rcu::read_lock());
                let mut locked = context.lock()?;
                locked.apply(namespace.net(), change, Cause::Probe)?;
                // A standby was seen to work both ways before, so what waits need not go on waiting.
                let is_standby = reason == PairReason::Standby;
                if let Some(watch) = watch_of(&mut locked) {
                    watch.has_moved = !is_standby && reason != PairReason::Failback;
                    watch.was_told = is_standby;
                }
                drop(locked);
                give_up(namespace, before);
                count(counter);
                if is_standby {
                    let how = Resume {
                        is_other_path: true,
                        is_again: false,
                    };
                    self.resume(namespace, context, how);
                }
            }
            Action::Resume => {
                let (has_moved, was_told) =
                    watch_of(&mut context.lock()?).map_or((false, false), |watch| {
                        (
                            replace(&mut watch.has_moved, false),
                            replace(&mut watch.was_told, false),
                        )
                    });
                // What has been acknowledged over the standby does not need it twice.
                let how = Resume {
                    is_other_path: has_moved,
                    is_again: was_told && !has_moved,
                };
                self.resume(namespace, context, how);
            }
            Action::Confirm { pair, .. } => self.ask(namespace, context, pair)?,
            Action::Standby(standby) => {
                let mut locked = context.lock()?;
                let watch = watch_of(&mut locked);
                // It is confirmed again and again.
                if watch.is_some_and(|watch| replace(&mut watch.standby, standby) != standby) {
                    locked.record(namespace.net(), Event::Standby, Cause::Probe);
                }
            }
            Action::RoundOver => count(Counter::ProbeRounds),
            Action::NoPair => count(Counter::ProbeNoPair),
            Action::NotAnswered => count(Counter::ProbeNotAnswered),
            Action::Unbelieved(_) => count(Counter::ProbeUnbelieved),
        }
        Ok(())
    }

    fn send_probe(
        &self,
        namespace: &Namespace,
        context: &Context,
        pair: LocatorPair,
        state: ProbeState,
        nonce: Nonce,
    ) -> Result<(), SetPairError> {
        let mut buffer = Buffer::new().map_err(|_| SetPairError::NoMemory)?;
        let mut locked = context.lock()?;
        let Some(tag) = locked.peer().tag() else {
            return Ok(());
        };
        let Some(watch) = locked
            .establishment()
            .and_then(|establishment| establishment.watch.as_ref())
        else {
            return Ok(());
        };
        let Ok(message) = compose::probe(buffer.octets(), tag, state, nonce, &watch.reap) else {
            namespace.counters.count(Counter::OutControlFailed);
            return Ok(());
        };
        drop(locked);
        trace::probe_sent(context, pair, nonce, state);
        tell_probe(namespace, context, Event::ProbeSent, pair);
        send::transmit(namespace, pair, message, Counter::OutProbe);
        Ok(())
    }

    fn send_keepalive(
        &self,
        namespace: &Namespace,
        context: &Context,
        pair: LocatorPair,
    ) -> Result<(), SetPairError> {
        let mut buffer = [0; KEEPALIVE_LEN];
        let Some(tag) = context.lock()?.peer().tag() else {
            return Ok(());
        };
        match compose::keepalive(&mut buffer, tag) {
            Ok(message) => send::transmit(namespace, pair, message, Counter::OutKeepalive),
            Err(_) => namespace.counters.count(Counter::OutControlFailed),
        }
        Ok(())
    }

    /// Asks over a pair whether it works: an Update Request without anything new, which has to be
    /// acknowledged.
    fn ask(
        &self,
        namespace: &Namespace,
        context: &Context,
        pair: LocatorPair,
    ) -> Result<(), SetPairError> {
        let nonce = Nonce::new(KernelRandom.u32());
        let mut buffer = Buffer::new().map_err(|_| SetPairError::NoMemory)?;
        let mut locked = context.lock()?;
        let (local, tag) = (locked.local(), locked.peer().tag());
        let (Some(tag), Some(establishment)) = (tag, locked.establishment()) else {
            return Ok(());
        };
        let Some(watch) = establishment.watch.as_mut() else {
            return Ok(());
        };
        // What is new has precedence; this is asked again.
        if !establishment.machine.is_announced() {
            return Ok(());
        }
        watch.asked = Some((nonce, pair));
        let keepalive_timeout = locked.tell_timeout();
        drop(locked);
        let composed = buffer.preferences(context, &local, pair, tag, nonce, keepalive_timeout);
        let Ok(composed) = composed else {
            namespace.counters.count(Counter::OutControlFailed);
            return Ok(());
        };
        // This has a time of its own to be answered in, and says nothing of the current pair: the
        // timers of that stay as they are.
        send::transmit(namespace, pair, composed.octets, Counter::OutUpdateRequest);
        Ok(())
    }
}

/// What was sent over a pair that is left, and waits for a neighbour that may be gone, waits no
/// longer: TCP would not retransmit it over the new pair before. That takes three seconds if the
/// link has lost its carrier. May sleep.
fn give_up(namespace: &Namespace, pair: LocatorPair) {
    let address = |locator: Locator| In6Addr::from_octets(locator.as_octets());
    transmit::give_up(namespace.net(), &address(pair.local), &address(pair.peer));
}

/// What a context keeps for failure detection.
fn watch_of<'a>(locked: &'a mut Locked<'_>) -> Option<&'a mut Watch> {
    locked.establishment()?.watch.as_deref_mut()
}

/// What an Update Acknowledgement confirms, if it answers what [`Control::ask`] sent.
pub(super) fn answered(
    namespace: &Namespace,
    locked: &mut Locked<'_>,
    message: &Message<'_>,
) -> Option<LocatorPair> {
    let Message::UpdateAcknowledgement(acknowledgement) = message else {
        return None;
    };
    let watch = locked.kept_establishment()?.watch.as_mut()?;
    let (nonce, pair) = watch.asked?;
    if acknowledgement.request_nonce != nonce {
        return None;
    }
    watch.asked = None;
    let peer = locked.peer();
    // Without memory it is as it was: asked again when it is needed.
    let _ = note_reachable(namespace, locked, &peer, |locator| locator == pair.peer);
    Some(pair)
}

/// Whether this end is looking for a pair, and does not hear the peer.
pub(super) fn explores(locked: &mut Locked<'_>) -> bool {
    locked
        .kept_establishment()
        .and_then(|establishment| establishment.watch.as_ref())
        .is_some_and(|watch| watch.reap.state() == reap::State::Exploring)
}

/// Octets of a Keepalive.
const KEEPALIVE_LEN: usize = 16;

/// After a step of the state machine: an established context is watched, others are not, and what
/// the peer has acknowledged is known.
pub(super) fn follow(namespace: &Namespace, context: &Context, locked: &mut Locked<'_>) {
    let local = locked.local();
    let pair = context.pair(&rcu::read_lock());
    let Some(establishment) = locked.establishment() else {
        return;
    };
    if establishment.machine.state() != State::Established {
        establishment.watch = None;
        return;
    }
    if establishment.machine.is_announced() {
        establishment.acknowledged = Some(local);
    }
    if establishment.watch.is_none() {
        match Watch::new(pair) {
            Ok(watch) => establishment.watch = Some(watch),
            // The next step tries again.
            Err(_) => namespace.counters.count(Counter::InNoMemory),
        }
    }
}

/// The machines of a context wait for their time, or rest if nothing goes on.
fn end_turn(context: &RcuArc<Context>, locked: &mut Locked<'_>) {
    if !set_timer(context, locked) {
        locked.let_rest();
    }
}

/// After how long a context that has nothing to wait for is looked at once more, again and again
/// until the grace period is over.
const LOOK_AGAIN: Interval = Interval::from_millis(100);

/// The timer of a context fires when one of its machines wants it to; false if none does.
pub(super) fn set_timer(context: &RcuArc<Context>, locked: &mut Locked<'_>) -> bool {
    let Some(establishment) = locked.kept_establishment() else {
        return false;
    };
    let watched = establishment
        .watch
        .as_ref()
        .and_then(|watch| watch.reap.next_deadline());
    // Who explores looks again soon anyway.
    let is_idle = establishment
        .watch
        .as_ref()
        .is_some_and(|watch| watch.reap.wake() == Wake::Any);
    let unsure = establishment
        .grace
        .as_ref()
        .filter(|_| is_idle)
        .map(|_| now().saturating_add(LOOK_AGAIN));
    let deadline = [establishment.machine.next_deadline(), watched, unsure]
        .into_iter()
        .flatten()
        .min();
    Context::set_timer(
        context,
        deadline.map(|deadline| deadline.since(now()).as_millis()),
    );
    deadline.is_some()
}

/// The peer has proved to be where probes went that it reported.
fn note_reported(namespace: &Namespace, context: &Context) -> Result<(), SetPairError> {
    let mut locked = context.lock()?;
    let peer = locked.peer();
    let Some(watch) = locked
        .establishment()
        .and_then(|establishment| establishment.watch.as_ref())
    else {
        return Ok(());
    };
    let reap = watch.reap;
    for pair in reap.newly_reported() {
        tell_probe(namespace, context, Event::ProbeReported, pair);
    }
    note_reachable(namespace, &mut locked, &peer, |locator| {
        reap.reported().any(|pair| pair.peer == locator)
    })
}

/// Tells those who listen what became of a Probe.
fn tell_probe(namespace: &Namespace, context: &Context, event: Event, pair: LocatorPair) {
    netlink::announce(
        namespace.net(),
        context,
        event,
        Cause::Probe,
        &About::Probe(pair),
    );
}

/// Tells tracers of a Probe that came.
fn tell_received(context: &Context, received: &Received<'_>) {
    let Message::Probe(probe) = &received.message else {
        return;
    };
    let pair = LocatorPair {
        local: received.arrival.destination,
        peer: received.arrival.source,
    };
    // The first record is the Probe itself.
    if let Some(record) = probe.sent.iter().next() {
        trace::probe_received(context, pair, record.nonce, probe.state);
    }
}

/// The peer has proved to be at these locators.
fn note_reachable(
    namespace: &Namespace,
    locked: &mut Locked<'_>,
    peer: &Peer,
    is_there: impl Fn(Locator) -> bool,
) -> Result<(), SetPairError> {
    if !peer
        .list()
        .iter()
        .any(|known| !known.is_reachable && is_there(known.locator))
    {
        return Ok(());
    }
    let list = peer
        .list()
        .map(|known| known.is_reachable |= is_there(known.locator))?;
    let change = Change {
        peer: Some(peer.facts_with(list)?),
        ..Change::default()
    };
    locked.apply(namespace.net(), change, Cause::Probe)
}

/// The cause as it is shown.
const fn cause_of(cause: reap::Cause) -> Cause {
    match cause {
        reap::Cause::SendTimeout => Cause::SendTimeout,
        reap::Cause::LocalLost => Cause::LocalLost,
        reap::Cause::PeerBroken => Cause::PeerBroken,
        reap::Cause::NegativeFeedback => Cause::Feedback,
        reap::Cause::TcpTimeout => Cause::TcpTimeout,
        reap::Cause::IcmpError => Cause::IcmpError,
        reap::Cause::Payload => Cause::Payload,
        reap::Cause::Keepalive => Cause::Keepalive,
        reap::Cause::PeerExplores | reap::Cause::PeerHears | reap::Cause::PeerOperational => {
            Cause::Probe
        }
    }
}
