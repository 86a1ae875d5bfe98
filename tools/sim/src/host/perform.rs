// SPDX-License-Identifier: GPL-2.0

//! What a state machine decided is carried out, as in `rust/control/perform.rs`: in the same order,
//! with the same rules for what fails.

use std::rc::Rc;

use shim6_proto::{
    compose::{
        compose,
        update_request,
        HostView,
        Update, //
    },
    establish::{
        confuses,
        Action,
        Actions,
        Content,
        Machine,
        Step, //
    },
    identity::Identity,
    locator::LocatorPair,
    random::Random,
    reap::{
        Reap,
        Stamps, //
    },
    tag::ContextTag,
    time::Instant,
    wire::{
        build::MAX_LEN,
        message::Message, //
    }, //
};

use super::{
    context::{
        Context,
        Local,
        Peer,
        Timer,
        Watch,
        Wishes, //
    },
    receive::{
        is_established,
        receiver_tag,
        Received, //
    },
    surroundings::Surroundings,
    watch::Occasion,
    Host,
    Note,
    Origin,
    World, //
};
use crate::{
    bug::Bug,
    dice::Dice,
    event::Event, //
};

/// Attempts to find a tag that no context has.
const TAG_ATTEMPTS: usize = 256;

/// What a timer may be late by an eighth of, in milliseconds.
const SHORT: u32 = 400;

impl Host {
    /// A tag that no context has.
    pub(super) fn unused_tag(&self, dice: &mut Dice) -> Option<ContextTag> {
        (0..TAG_ATTEMPTS)
            .map(|_| ContextTag::from_low_bits(dice.u64()))
            .find(|tag| !self.contexts.has_tag(*tag))
    }

    /// A context begins: what its machine decided first is carried out.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the context")]
    pub(super) fn begin(
        &mut self,
        world: &mut World<'_>,
        identity: Identity,
        local: Rc<Local>,
        machine: Machine,
        actions: &Actions<'_>,
        surroundings: &mut Surroundings,
        received: Option<&Received<'_>>,
    ) {
        self.negatives.remove(&identity);
        *world.serial += 1;
        let context = Box::new(Context {
            serial: *world.serial,
            identity,
            machine,
            kept: Rc::from([]),
            local,
            acknowledged: None,
            peer: Rc::new(Peer::unknown(identity.ulids.peer)),
            pair: identity.ulids.as_locators(),
            stamps: Stamps::new(),
            watch: None,
            wishes: Wishes::default(),
            wants_attention: false,
            timer: Timer::default(),
            made: world.now,
            changed: world.now,
        });
        let slot = self.contexts.add(context);
        if !self.is_sweeping {
            self.sweep_later(world);
        }
        let Some(mut context) = self.contexts.take(slot) else {
            return;
        };
        let mut turn = Turn {
            machine,
            surroundings,
            received,
            is_for_reap: false,
        };
        if self.perform(world, &mut context, &mut turn, actions) {
            self.settle(world, slot, &mut context, turn.machine);
            self.contexts.put(slot, context);
            world.note(Note::Added(slot));
            self.watch(world, slot, &Occasion::Look);
        } else {
            self.contexts.remove(slot, &context);
        }
    }

    /// Lets the machine of a context take a step, and carries out what it decides.
    pub(super) fn step<'m>(
        &mut self,
        world: &mut World<'_>,
        slot: u32,
        received: Option<&Received<'m>>,
        decide: impl FnOnce(&mut Machine, &mut Step<'_, Dice>, &mut Surroundings) -> Actions<'m>,
    ) {
        let Some(mut context) = self.contexts.take(slot) else {
            return;
        };
        let known = context.peer.tag.is_some().then(|| context.peer.clone());
        let ulid = context.identity.ulids.peer;
        let mut surroundings = Surroundings::new(ulid, context.local.clone(), known, world.bug);
        let mut machine = context.machine;
        let mut step = Step {
            constants: &self.settings.establish,
            identity: &context.identity,
            now: world.now,
            random: world.dice,
        };
        let actions = decide(&mut machine, &mut step, &mut surroundings);
        assert!(actions.len() <= Actions::MAX, "{actions:?}");
        let mut turn = Turn {
            machine,
            surroundings: &mut surroundings,
            received,
            is_for_reap: false,
        };
        if !self.perform(world, &mut context, &mut turn, &actions) {
            self.contexts.remove(slot, &context);
            return;
        }
        let is_for_reap = turn.is_for_reap;
        self.settle(world, slot, &mut context, turn.machine);
        self.contexts.put(slot, context);
        let occasion = received
            .filter(|_| is_for_reap)
            .map_or(Occasion::Look, Occasion::Message);
        self.watch(world, slot, &occasion);
    }

    /// Carries out actions, in their order; false if the context has come to its end.
    fn perform(
        &mut self,
        world: &mut World<'_>,
        context: &mut Context,
        turn: &mut Turn<'_, '_>,
        actions: &Actions<'_>,
    ) -> bool {
        for action in actions.iter() {
            match action {
                Action::AdoptPeer { tag } => {
                    let source = turn.received.map(|received| received.arrival.source);
                    context.peer = Rc::new(turn.surroundings.adopt(tag, source));
                    context.changed = world.now;
                }
                Action::UpdatePeer => {
                    if let Some(peer) = turn.surroundings.update() {
                        context.peer = Rc::new(peer);
                        context.changed = world.now;
                    }
                }
                Action::DropPeer => {
                    context.peer = Rc::new(Peer::unknown(context.identity.ulids.peer));
                    context.pair = context.identity.ulids.as_locators();
                    context.changed = world.now;
                }
                Action::CheckConfusion => self.check_confusion(world, context, &turn.machine),
                Action::UsePair(pair) => {
                    if is_allowed(world, context, &pair) {
                        context.pair = pair;
                    }
                    let last = context.peer.list.last().map(|known| known.locator);
                    if let (Some(Bug::NoReachability), Some(peer)) = (world.bug, last) {
                        context.pair.peer = peer;
                    }
                }
                Action::Send { pair, content } => {
                    self.send(world, context, &mut turn.machine, pair, &content);
                }
                Action::Resend { pair } => send_again(world, context, pair),
                Action::SendUpdate {
                    receiver_tag,
                    request_nonce,
                } => {
                    let pair = context.pair;
                    let update = Update::Everything {
                        parameters: !turn.machine.parameters_sent(),
                    };
                    let mut buffer = [0; MAX_LEN];
                    let composed = update_request(
                        &mut buffer,
                        &context.identity,
                        pair,
                        receiver_tag,
                        request_nonce,
                        update,
                        &self.view(&context.local),
                    );
                    if let Ok(composed) = composed {
                        context.kept = Rc::from(composed.octets);
                        if self.set.is_some() {
                            turn.machine.set_parameters_sent();
                        }
                        if world.bug != Some(Bug::NoUpdates) {
                            send_again(world, context, pair);
                        }
                    }
                }
                Action::ResendUpdate => {
                    if world.bug != Some(Bug::NoUpdates) {
                        send_again(world, context, context.pair);
                    }
                }
                Action::ReplyR1 => {
                    if let Some(Received {
                        arrival,
                        message: Message::I1(i1),
                        octets,
                    }) = turn.received
                    {
                        self.answer_r1(world, arrival, i1, octets.len());
                    }
                }
                Action::ReplyR1bis => {
                    if let Some(received) = turn.received {
                        let len = received.octets.len();
                        if let Some(tag) = receiver_tag(&received.message) {
                            self.answer_r1bis(world, &received.arrival, tag, len);
                        }
                    }
                }
                Action::Reap => turn.is_for_reap = true,
                Action::Report(report) => {
                    if let Some(received) = turn.received {
                        self.answer_error(world, &received.arrival, report, received.octets);
                    }
                }
                Action::Negative(negative) => {
                    self.negatives.insert(context.identity, negative);
                    world.note(Note::Removed(context.identity, negative.state.name()));
                    return false;
                }
                Action::Discard(cause) => world.note(Note::Discarded(cause.name())),
                Action::Acknowledged | Action::Established { .. } => {}
            }
        }
        true
    }

    /// After a step: the machine is kept, its timer set, and failure detection follows.
    fn settle(&self, world: &mut World<'_>, slot: u32, context: &mut Context, machine: Machine) {
        if context.machine.state() != machine.state()
            || context.machine.peer_tag() != machine.peer_tag()
        {
            context.changed = world.now;
            world.note(Note::State(context.identity, machine.state()));
        }
        context.machine = machine;
        if machine.next_deadline().is_none() {
            context.kept = Rc::from([]);
        }
        if !is_established(context) {
            context.watch = None;
        } else {
            let acknowledged = context.acknowledged.as_ref();
            let is_news = acknowledged.is_none_or(|told| !Rc::ptr_eq(told, &context.local));
            if machine.is_announced() && is_news {
                context.acknowledged = Some(context.local.clone());
                context.changed = world.now;
            }
            if context.watch.is_none() {
                context.watch = Some(Box::new(Watch {
                    reap: Reap::new(context.pair, world.now),
                    asked: None,
                    since: world.now,
                    left: None,
                    is_away: false,
                    probed: vec![],
                    trusted: world.now,
                }));
            }
        }
        self.set_timer(world, slot, context);
    }

    /// The timer of a context fires when one of its machines wants it to; a little before if that
    /// is long, as in the module, whose kernel may be late by an eighth.
    pub(super) fn set_timer(&self, world: &mut World<'_>, slot: u32, context: &mut Context) {
        let machine = context.machine.next_deadline();
        let machine = machine.filter(|_| world.bug != Some(Bug::NoRetransmission));
        let watched = context
            .watch
            .as_ref()
            .and_then(|watch| watch.reap.next_deadline());
        let deadline: Option<Instant> = [machine, watched].into_iter().flatten().min();
        let at = deadline.map(|deadline| {
            if !world.is_late {
                return deadline.max(world.now);
            }
            let millis = deadline.since(world.now).as_millis();
            let asked = if millis > SHORT {
                millis - millis / 8
            } else {
                millis
            };
            let late = world.dice.between(0, asked / 8 + 4);
            Instant::from_millis(world.now.as_millis() + u64::from(asked + late))
        });
        context.timer.armed = at;
        let Some(at) = at else {
            return;
        };
        if context.timer.queued.is_none_or(|queued| queued > at) {
            context.timer.queued = Some(at);
            let event = Event::Timer {
                host: self.index as u32,
                slot,
                serial: context.serial,
            };
            world.later.push((at, event));
        }
    }

    /// What this host tells about itself.
    pub(super) fn view<'a>(&'a self, local: &'a Local) -> HostView<'a> {
        let keepalive_timeout = self.settings.reap.timeout_to_tell();
        match &self.set {
            None => HostView {
                keepalive_timeout,
                ..HostView::ULID_ONLY
            },
            Some(set) => HostView {
                locators: &local.list,
                generation: local.generation,
                parameters: &set.parameters,
                keepalive_timeout,
                ..HostView::ULID_ONLY
            },
        }
    }

    /// Sends what the machine wants sent, and keeps it if it may have to be sent again.
    fn send(
        &self,
        world: &mut World<'_>,
        context: &mut Context,
        machine: &mut Machine,
        pair: LocatorPair,
        content: &Content<'_>,
    ) {
        let mut buffer = [0; MAX_LEN];
        let view = self.view(&context.local);
        let Ok(composed) = compose(&mut buffer, &context.identity, pair, content, &view) else {
            return;
        };
        if content.is_kept() {
            context.kept = Rc::from(composed.octets);
        }
        let describes_host = matches!(
            content,
            Content::I2 { .. } | Content::R2 { .. } | Content::I2bis { .. }
        );
        if describes_host && self.set.is_some() {
            machine.set_parameters_sent();
        }
        if matches!(content, Content::UpdateAcknowledgement { .. })
            && world.bug != Some(Bug::AckStamps)
        {
            // The request may have come over a pair that works in its direction only, and nothing
            // answers an acknowledgement: the Send Timer is not started for it.
            let origin = Origin::Context(context.identity.ulids.peer);
            world.send(pair, composed.octets, origin);
            return;
        }
        transmit(world, context, pair, composed.octets);
    }

    /// The peer gave its tag to this context: others that have it and share a locator of the peer
    /// are lost to it, and begin anew (RFC 5533, Section 7.15).
    fn check_confusion(&mut self, world: &mut World<'_>, context: &Context, machine: &Machine) {
        let newer = shim6_proto::establish::Claim {
            identity: context.identity,
            state: machine.state(),
            peer_tag: machine.peer_tag(),
        };
        let confused: Vec<_> = self
            .contexts
            .iter()
            .filter(|(_, older)| confuses(&newer, &older.claim(), || context.overlaps(older)))
            .map(|(slot, _)| slot)
            .collect();
        for slot in confused {
            self.step(world, slot, None, |machine, step, _| machine.restart(step));
        }
    }

    /// A context whose timer fired, or of which somebody wished something.
    pub(super) fn attend(&mut self, world: &mut World<'_>, slot: u32) {
        let Some(context) = self.contexts.get_mut(slot) else {
            return;
        };
        context.wants_attention = false;
        let wishes = std::mem::take(&mut context.wishes);
        let repeats = wishes.repeat_offer && !is_established(context);
        if wishes.unrecognized {
            self.step(world, slot, None, |machine, step, _| {
                match machine.outstanding() {
                    Some((_, pair)) => machine.unrecognized(step, machine.local_tag(), pair),
                    None => machine.timeout(step),
                }
            });
        }
        if repeats {
            self.step(world, slot, None, |machine, step, _| machine.payload(step));
        }
        self.watch_wishes(world, slot, &wishes);
        if wishes.announce {
            self.step(world, slot, None, |machine, step, _| machine.announce(step));
        }
        let has_bug = world.bug == Some(Bug::NoRetransmission);
        self.step(world, slot, None, |machine, step, _| {
            if has_bug {
                return machine.payload(step);
            }
            machine.timeout(step)
        });
    }
}

/// The turn of one context.
struct Turn<'a, 'm> {
    /// What its machine is going to be.
    machine: Machine,
    surroundings: &'a mut Surroundings,
    /// The message that it is about.
    received: Option<&'a Received<'m>>,
    /// Whether the message is a valid Probe or Keepalive.
    is_for_reap: bool,
}

/// Whether a pair may be current: the ULIDs always, others if their locators are in the lists and
/// the local one is an address of this host.
pub(super) fn is_allowed(world: &World<'_>, context: &Context, pair: &LocatorPair) -> bool {
    *pair == context.identity.ulids.as_locators()
        || context.is_between(pair) && world.net.is_assigned(pair.local)
}

/// Sends a message, which is payload to failure detection (RFC 5534, Section 4.1).
fn transmit(world: &mut World<'_>, context: &Context, pair: LocatorPair, octets: &[u8]) {
    // Whoever takes a step looks at the stamps after it.
    let _ = context.stamps.control_sent(world.now);
    world.send(pair, octets, Origin::Context(context.identity.ulids.peer));
}

/// Sends the message that was kept again.
fn send_again(world: &mut World<'_>, context: &Context, pair: LocatorPair) {
    let octets = context.kept.clone();
    if !octets.is_empty() {
        transmit(world, context, pair, &octets);
    }
}
