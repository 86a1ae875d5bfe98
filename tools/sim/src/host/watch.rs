// SPDX-License-Identifier: GPL-2.0

//! Failure detection of established contexts, driven as by `rust/control/reap.rs`.

use shim6_proto::{
    compose::{
        self,
        Update, //
    },
    locator::{
        LocatorPair,
        Preference, //
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
        NoPeriod,
        Settled,
        Step, //
    },
    time::Interval,
    wire::{
        build::{
            self,
            MAX_LEN, //
        },
        message::Message,
        option::KeepaliveTimeout,
        probe::ProbeRecord, //
    }, //
};

use super::{
    context::{
        Context,
        Wishes, //
    },
    perform::is_allowed,
    receive::Received,
    Host,
    Note,
    Origin,
    World, //
};
use crate::{
    bug::Bug,
    dice::Dice,
    net::Net, //
};

/// The locators of a context with what is known of them now.
pub(super) struct KnownCandidates<'a> {
    context: &'a Context,
    net: &'a Net,
}

impl<'a> KnownCandidates<'a> {
    /// Those of a context.
    pub(super) const fn new(context: &'a Context, net: &'a Net) -> Self {
        Self { context, net }
    }
}

impl Candidates for KnownCandidates<'_> {
    fn local(&self, index: usize) -> Option<LocalCandidate> {
        let locator = self.context.local.list.get(index)?.locator;
        Some(LocalCandidate {
            locator,
            preference: Preference::default(),
            is_wanted: false,
            is_operational: self.net.is_usable(locator),
            is_acknowledged: self.context.is_acknowledged(locator),
            is_deprecated: false,
        })
    }

    fn peer(&self, index: usize) -> Option<PeerCandidate> {
        let known = self.context.peer.list.get(index)?;
        Some(PeerCandidate {
            locator: known.locator,
            preference: known.preference,
            is_wanted: false,
            is_verified: true,
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
    /// Locators came or went.
    Candidates,
    /// The acknowledgement of what asked whether this pair works.
    Confirmed(LocatorPair),
}

impl Host {
    /// Lets failure detection see what is wished of it.
    pub(super) fn watch_wishes(&mut self, world: &mut World<'_>, slot: u32, wishes: &Wishes) {
        let occasions = [
            (wishes.paths, Occasion::Candidates),
            (wishes.icmp_error, Occasion::Hint(Hint::IcmpError)),
            (wishes.tcp_timeout, Occasion::Hint(Hint::TcpTimeout)),
            (wishes.complaint, Occasion::Hint(Hint::NegativeFeedback)),
        ];
        for (_, occasion) in occasions.iter().filter(|(is_wished, _)| *is_wished) {
            self.watch(world, slot, occasion);
        }
    }

    /// Lets failure detection of a context take a step if it is established, and carries out what
    /// it decides.
    pub(super) fn watch(&mut self, world: &mut World<'_>, slot: u32, occasion: &Occasion<'_>) {
        let Some(mut context) = self.contexts.take(slot) else {
            return;
        };
        let mut occasion = occasion;
        loop {
            let is_new_pair = context
                .watch
                .as_ref()
                .is_some_and(|watch| watch.reap.pair() != context.pair);
            let Some((actions, again)) = self.decide_watch(world, &mut context, occasion) else {
                break;
            };
            assert!(actions.len() <= Actions::MAX, "{actions:?}");
            for action in actions.iter() {
                self.act(world, &mut context, &action);
            }
            // A step that only heard of another pair did not look at the occasion.
            if !is_new_pair {
                if !again {
                    break;
                }
                occasion = &Occasion::Look;
            }
        }
        self.set_timer(world, slot, &mut context);
        self.contexts.put(slot, context);
    }

    /// The constants of failure detection for a peer that asks for this Keepalive Timeout.
    pub fn reap_constants(&self, told: Option<u16>, bug: Option<Bug>) -> reap::Constants {
        let told = told.and_then(KeepaliveTimeout::new);
        let base = self.settings.reap;
        reap::Constants {
            keepalive_timeout: reap::Constants::keepalive_timeout_of(told),
            max_probe_timeout: match bug {
                Some(Bug::NoBackoff) => base.initial_probe_timeout,
                _ => base.max_probe_timeout,
            },
            ..base
        }
    }

    /// Takes one step; says what was decided, and whether to ask again at once.
    fn decide_watch(
        &self,
        world: &mut World<'_>,
        context: &mut Context,
        occasion: &Occasion<'_>,
    ) -> Option<(Actions, bool)> {
        let mut watch = context.watch.take()?;
        let constants = self.reap_constants(context.peer.keepalive_timeout, world.bug);
        let candidates = KnownCandidates::new(context, world.net);
        let activity = context.stamps.read();
        let mut step = Step {
            constants: &constants,
            ulids: &context.identity.ulids,
            now: world.now,
            random: &mut *world.dice,
            candidates: &candidates,
            activity,
            probe_delay: Interval::from_millis(0),
        };
        let reap = &mut watch.reap;
        let actions = if reap.pair() != context.pair {
            reap.use_pair(&mut step, context.pair)
        } else {
            match occasion {
                Occasion::Look => reap.timeout(&mut step),
                Occasion::Message(received) => match &received.message {
                    Message::Probe(_) if world.bug == Some(Bug::BelieveReports) => {
                        believe(reap, &watch.probed, &mut step, received)
                    }
                    Message::Probe(probe) => {
                        reap.receive_probe(&mut step, probe, &received.arrival)
                    }
                    _ => reap.receive_keepalive(&mut step),
                },
                Occasion::Hint(hint) => reap.hint(&mut step, *hint),
                Occasion::Candidates => reap.candidates_changed(&mut step, false),
                Occasion::Confirmed(pair) => reap.confirmed(&mut step, *pair),
            }
        };
        let settled =
            context
                .stamps
                .settle(&activity, reap.timers(), reap.wake(), &mut None::<NoPeriod>);
        context.watch = Some(watch);
        Some((actions, settled == Settled::Again))
    }

    /// Carries out what was decided.
    fn act(&self, world: &mut World<'_>, context: &mut Context, action: &Action) {
        let (now, identity) = (world.now, context.identity);
        let origin = Origin::Context(identity.ulids.peer);
        let tag = context.peer.tag;
        let allows = |pair| is_allowed(world, context, pair);
        let is_allowed = matches!(action, Action::Switch { pair, .. } if allows(pair));
        let Some(watch) = &mut context.watch else {
            return;
        };
        match *action {
            Action::Enter { state, cause } => {
                let is_away = state != reap::State::Operational;
                if !is_away {
                    watch.trusted = now;
                } else if !watch.is_away {
                    watch.left = Some(now);
                }
                watch.is_away = is_away;
                watch.since = now;
                world.note(Note::Entered {
                    identity,
                    state,
                    cause,
                });
            }
            Action::Probe {
                pair, state, nonce, ..
            } => {
                let mut buffer = [0; MAX_LEN];
                if world.bug == Some(Bug::BelieveReports) {
                    watch.probed.push((pair, nonce));
                }
                if let Some(tag) = tag {
                    let message = compose::probe(&mut buffer, tag, state, nonce, &watch.reap);
                    world.send(pair, message.expect("a Probe fits"), origin);
                }
            }
            Action::Keepalive { pair, .. } => {
                let mut buffer = [0; MAX_LEN];
                assert!(world.bug != Some(Bug::Panic), "as it was asked for");
                if let Some(tag) = tag.filter(|_| world.bug != Some(Bug::NoKeepalives)) {
                    let message = compose::keepalive(&mut buffer, tag);
                    world.send(pair, message.expect("a Keepalive fits"), origin);
                }
            }
            Action::Reported => {
                let reap = watch.reap;
                let is_reported = |locator| reap.reported().any(|pair| pair.peer == locator);
                for known in &mut std::rc::Rc::make_mut(&mut context.peer).list {
                    known.is_reachable |= is_reported(known.locator);
                }
            }
            Action::Switch { pair, reason } => {
                watch.trusted = now;
                let left = watch.left;
                if is_allowed {
                    context.pair = pair;
                    world.note(Note::Switched {
                        identity,
                        pair,
                        reason,
                        left,
                    });
                }
            }
            Action::Confirm { pair, .. } => self.ask(world, context, pair),
            Action::Unbelieved(_) => world.note(Note::Discarded("unbelieved")),
            Action::Resume
            | Action::Standby(_)
            | Action::RoundOver
            | Action::NoPair
            | Action::NotAnswered => {}
        }
    }

    /// Asks over a pair whether it works: an Update Request without anything new.
    fn ask(&self, world: &mut World<'_>, context: &mut Context, pair: LocatorPair) {
        // What is new has precedence; this is asked again.
        let (Some(tag), true) = (context.peer.tag, context.machine.is_announced()) else {
            return;
        };
        let nonce = Nonce::new(world.dice.u32());
        let preference = Preference {
            priority: Some(0),
            weight: Some(0),
            ..Preference::default()
        };
        let preferences = vec![preference; context.local.list.len()];
        let mut view = self.view(&context.local);
        let update = if view.locators.is_empty() {
            Update::Everything { parameters: false }
        } else {
            view.preferences = &preferences;
            Update::Preferences
        };
        let mut buffer = [0; MAX_LEN];
        let composed = compose::update_request(
            &mut buffer,
            &context.identity,
            pair,
            tag,
            nonce,
            update,
            &view,
        );
        if let (Some(watch), Ok(composed)) = (&mut context.watch, composed) {
            watch.asked = Some((nonce, pair));
            // The pair need not work, and the current one is not meant: the Send Timer is not
            // started for it.
            if world.bug == Some(Bug::ConfirmStamps) {
                let _ = context.stamps.control_sent(world.now);
            }
            let origin = Origin::Context(context.identity.ulids.peer);
            world.send(pair, composed.octets, origin);
        }
    }

    /// What an Update Acknowledgement confirms, if it answers what was asked.
    pub(super) fn answered(&mut self, slot: u32, received: &Received<'_>) -> Option<LocatorPair> {
        let Message::UpdateAcknowledgement(acknowledgement) = &received.message else {
            return None;
        };
        let watch = self.contexts.get_mut(slot)?.watch.as_mut()?;
        let (nonce, pair) = watch.asked?;
        if acknowledgement.request_nonce != nonce {
            return None;
        }
        watch.asked = None;
        Some(pair)
    }
}

/// A Probe is taken as if its reports had the nonces of the last Probes over the same pairs: what
/// [`Bug::BelieveReports`] does.
fn believe<C: Candidates>(
    reap: &mut reap::Reap,
    probed: &[(LocatorPair, Nonce)],
    step: &mut Step<'_, Dice, C>,
    received: &Received<'_>,
) -> Actions {
    let Message::Probe(probe) = &received.message else {
        return reap.timeout(step);
    };
    let believed = probe.received.iter().map(|record| {
        let is_same =
            |pair: &LocatorPair| (pair.local, pair.peer) == (record.source, record.destination);
        let last = probed.iter().rev().find(|(pair, _)| is_same(pair));
        let nonce = last.map_or(record.nonce, |(_, nonce)| *nonce);
        ProbeRecord { nonce, ..record }
    });
    let mut buffer = [0; MAX_LEN];
    let octets = build::probe(
        &mut buffer,
        probe.receiver_tag,
        probe.state,
        probe.sent.iter(),
        believed,
    )
    .and_then(|builder| builder.finish())
    .expect("it came in, so it fits");
    match Message::parse(&received.arrival, octets) {
        Ok(Message::Probe(probe)) => reap.receive_probe(step, &probe, &received.arrival),
        _ => reap.timeout(step),
    }
}
