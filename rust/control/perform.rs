// SPDX-License-Identifier: GPL-2.0

//! What a state machine decided is carried out: published for the data path, sent to the peer.

use super::{
    now,
    reap::{
        self,
        Occasion, //
    },
    send::{
        self,
        Buffer, //
    },
    surroundings::Surroundings,
    Control,
    KernelRandom, //
};
use crate::{
    context::{
        trace::Why,
        Cause,
        Change,
        Context,
        Counter,
        Event,
        KnownLocator,
        Listed,
        Namespace,
        Origin,
        PairReason,
        PeerFacts,
        SetPairError, //
    },
    kernel_ext::{
        packets::Packet,
        rcu::RcuArc,
        sock::Resume, //
    },
    proto::{
        compose::LeftOut,
        establish::{
            self,
            confuses,
            Action,
            Actions,
            Claim,
            Content,
            Machine,
            Negative,
            Step, //
        },
        locator::LocatorPair,
        number::Nonce,
        tag::ContextTag,
        wire::{
            fault::Report,
            message::{
                Arrival,
                Message, //
            },
        },
    },
};
use core::cell::Cell;
use kernel::{
    prelude::*,
    sync::rcu, //
};

/// The message that a step is about.
pub(super) struct Received<'a> {
    /// The packet, from its IPv6 header on.
    pub(super) packet: &'a Packet,
    /// Where it came from and to.
    pub(super) arrival: Arrival,
    /// The message.
    pub(super) message: Message<'a>,
}

/// Why a turn ends early: the context is gone, or there is no memory.
type Stop = SetPairError;

/// How long to wait for memory before a step is tried again, in milliseconds.
const RETRY: u32 = 500;

impl Control {
    /// Lets the machine of a context take a step, and carries out what it decides. The worker only.
    pub(super) fn step<'m>(
        &self,
        namespace: &Namespace,
        context: &RcuArc<Context>,
        cause: Cause,
        received: Option<&Received<'m>>,
        decide: impl FnOnce(
            &mut Machine,
            &mut Step<'_, KernelRandom>,
            &mut Surroundings<'_>,
        ) -> Actions<'m>,
    ) {
        // Only the worker runs machines and only it adopts peers, so nothing changes between
        // this look and the actions but what an administrator does.
        let Ok(mut locked) = context.lock() else {
            return;
        };
        let (local, peer) = (locked.local(), locked.peer());
        let Some(establishment) = locked.establishment() else {
            return;
        };
        let mut machine = establishment.machine;
        drop(locked);

        let constants = namespace.settings.constants();
        let mut step = Step {
            constants: &constants,
            identity: context.identity(),
            now: now(),
            random: &mut KernelRandom,
        };
        let known = peer.tag().is_some().then(|| peer.clone());
        let mut surroundings = Surroundings::new(context.ulids().peer, &local, known);
        let actions = decide(&mut machine, &mut step, &mut surroundings);

        let turn = Turn::new(namespace, context, cause, received);
        match turn.perform(&mut machine, &actions, &mut surroundings) {
            Ok(()) => {
                turn.settle(machine);
                let occasion = received
                    .filter(|_| turn.is_for_reap.get())
                    .map_or(Occasion::Look, Occasion::Message);
                if turn.has_candidates.get() {
                    self.watch(namespace, context, Occasion::Candidates);
                }
                self.watch(namespace, context, occasion);
                if turn.is_new.get() {
                    self.established(namespace, context);
                }
            }
            // The machine stays as it was: a message is as good as lost, and what its timer was to
            // do is tried again.
            Err(Stop::NoMemory) => {
                namespace.counters.count(Counter::InNoMemory);
                Context::set_timer(context, Some(RETRY));
            }
            Err(_) => (),
        }
    }

    /// A context goes, and nothing of it is left. The worker, or who is sure that it is not there.
    pub(crate) fn discard(&self, namespace: &Namespace, context: &Context, cause: Cause) -> bool {
        let removed = namespace.contexts.remove(namespace.net(), context, cause);
        if removed {
            let mut locked = context.lock_even_removed();
            if let Some(establishment) = locked.kept_establishment() {
                // Removing needs no memory.
                let _ = self
                    .waiting
                    .update(&mut establishment.waiting, context.identity(), None);
            }
        }
        removed
    }

    /// Forgets all contexts that are not static, and what is held against peers, without a word to
    /// anybody. Process context, may sleep.
    pub(crate) fn flush(&self, namespace: &Namespace) -> Result {
        self.negatives.clear();
        namespace.contexts.for_each_batch(
            |context| !context.is_static(),
            |batch| {
                for context in batch.iter().flatten() {
                    self.discard(namespace, context, Cause::Admin);
                }
            },
        )
    }

    /// A context lost its peer's tag and asks for another one.
    fn restart(&self, namespace: &Namespace, context: &RcuArc<Context>) {
        self.step(
            namespace,
            context,
            Cause::Confusion,
            None,
            |machine, step, _| machine.restart(step),
        );
    }
}

/// The turn of one context: what its machine decided is carried out. The worker only.
pub(super) struct Turn<'a, 'm> {
    /// Where.
    pub(super) namespace: &'a Namespace,
    /// Whose turn it is.
    pub(super) context: &'a RcuArc<Context>,
    /// Why.
    pub(super) cause: Cause,
    /// The message that it is about.
    pub(super) received: Option<&'a Received<'m>>,
    /// Whether the message is a valid Probe or Keepalive.
    is_for_reap: Cell<bool>,
    /// Whether the locators that can be used are others now, or are preferred otherwise.
    has_candidates: Cell<bool>,
    /// Whether the context was established, for the first time or anew.
    is_new: Cell<bool>,
}

impl<'a, 'm> Turn<'a, 'm> {
    /// A turn of a context.
    pub(super) fn new(
        namespace: &'a Namespace,
        context: &'a RcuArc<Context>,
        cause: Cause,
        received: Option<&'a Received<'m>>,
    ) -> Self {
        Self {
            namespace,
            context,
            cause,
            received,
            is_for_reap: Cell::new(false),
            has_candidates: Cell::new(false),
            is_new: Cell::new(false),
        }
    }
}

impl Turn<'_, '_> {
    /// A context begins: what its machine decided first is carried out.
    pub(super) fn begin(
        &self,
        mut machine: Machine,
        actions: &Actions<'_>,
        surroundings: &mut Surroundings<'_>,
    ) {
        match self.perform(&mut machine, actions, surroundings) {
            Ok(()) => {
                self.settle(machine);
                self.control()
                    .watch(self.namespace, self.context, Occasion::Look);
                if self.is_new.get() {
                    self.control().established(self.namespace, self.context);
                }
            }
            Err(_) => {
                self.control()
                    .discard(self.namespace, self.context, self.cause);
            }
        }
    }

    /// Carries out actions, in their order.
    ///
    /// # Errors
    ///
    /// If the context is gone, has come to its end, or there is no memory for what it has to keep.
    fn perform(
        &self,
        machine: &mut Machine,
        actions: &Actions<'_>,
        surroundings: &mut Surroundings<'_>,
    ) -> Result<(), Stop> {
        for action in actions.iter() {
            match action {
                Action::AdoptPeer { tag } => {
                    let source = self.received.ok_or(Stop::Gone)?.arrival.source;
                    self.publish_peer(surroundings.adopt(tag, source)?)?;
                }
                Action::UpdatePeer => {
                    if let Some(peer) = surroundings.update()? {
                        // What the peer only repeats is no news. Two hosts that look for another
                        // standby at each question of the other would never stop to ask.
                        if !self.context.lock()?.peer().has_told(&peer) {
                            self.publish_peer(peer)?;
                            self.has_candidates.set(true);
                        }
                    }
                }
                Action::DropPeer => {
                    let ulids = self.context.ulids();
                    self.apply(Change {
                        peer: Some(PeerFacts::unknown(ulids.peer)?),
                        pair: Some((ulids.as_locators(), PairReason::Ulids)),
                        ..Change::default()
                    })?;
                }
                Action::CheckConfusion => self.check_confusion(machine)?,
                Action::UsePair(pair) => self.use_pair(pair)?,
                Action::Send { pair, content } => self.send(machine, pair, &content)?,
                Action::Resend { pair } => self.send_again(pair)?,
                Action::SendUpdate {
                    receiver_tag,
                    request_nonce,
                } => self.send_update(machine, receiver_tag, request_nonce)?,
                Action::ResendUpdate => {
                    // Not in one statement: that would send under the RCU read lock.
                    let pair = self.context.pair(&rcu::read_lock());
                    self.send_again(pair)?;
                }
                Action::ReplyR1 => {
                    if let Some(Received {
                        arrival,
                        message: Message::I1(i1),
                        ..
                    }) = self.received
                    {
                        self.control().answer_r1(self.namespace, arrival, i1);
                    }
                }
                Action::ReplyR1bis => {
                    if let Some(received) = self.received {
                        self.control().answer_r1bis(
                            self.namespace,
                            &received.arrival,
                            self.context.tag_local(),
                        );
                    }
                }
                Action::Acknowledged => {
                    self.has_candidates.set(true);
                    self.context.lock()?.record(
                        self.namespace.net(),
                        Event::Acknowledged,
                        self.cause,
                    );
                }
                Action::Established { again: true } => {
                    self.count(Counter::ContextRecovered);
                    // What the peer did not take for want of a context gets through now.
                    let how = Resume {
                        is_other_path: false,
                        is_again: false,
                    };
                    self.control().resume(self.namespace, self.context, how);
                }
                Action::Established { again: false } => {
                    self.is_new.set(true);
                    self.count(Counter::ContextEstablished);
                }
                Action::Reap => self.is_for_reap.set(true),
                Action::Report(report) => self.refuse(report)?,
                Action::Negative(negative) => {
                    self.end(negative);
                    return Err(Stop::Gone);
                }
                Action::Discard(reason) => self.discarded(reason),
            }
        }
        Ok(())
    }

    /// The machine did not take the message, or what came without one.
    fn discarded(&self, cause: establish::Cause) {
        let packet = self
            .received
            .map_or(&[][..], |received| received.packet.head());
        self.namespace.dropped(Why::Discarded(cause), packet);
    }

    /// After a step: the machine is kept, its timer set, and what it waits for can be found.
    fn settle(&self, machine: Machine) {
        let Ok(mut locked) = self.context.lock() else {
            return;
        };
        let Some(establishment) = locked.establishment() else {
            return;
        };
        establishment.machine = machine;
        let outstanding = machine.outstanding();
        if self
            .control()
            .waiting
            .update(
                &mut establishment.waiting,
                self.context.identity(),
                outstanding,
            )
            .is_err()
        {
            self.count(Counter::InNoMemory);
        }
        let deadline = machine.next_deadline();
        if deadline.is_none() {
            establishment.kept = KVec::new();
        }
        let change = Change {
            state: Some(machine.state()),
            ..Change::default()
        };
        // A state alone needs no memory and cannot be wrong.
        let _ = locked.apply(self.namespace.net(), change, self.cause);
        reap::follow(self.namespace, self.context, &mut locked);
        let _ = reap::set_timer(self.context, &mut locked);
    }

    fn control(&self) -> &Control {
        &self.namespace.control
    }

    fn count(&self, counter: Counter) {
        self.namespace.counters.count(counter);
    }

    fn apply(&self, change: Change) -> Result<(), Stop> {
        self.context
            .lock()?
            .apply(self.namespace.net(), change, self.cause)
    }

    fn publish_peer(&self, peer: PeerFacts) -> Result<(), Stop> {
        self.apply(Change {
            peer: Some(peer),
            ..Change::default()
        })
    }

    /// Makes a pair the current one. If its local locator has gone since, the pair stays as it is.
    fn use_pair(&self, pair: LocatorPair) -> Result<(), Stop> {
        let reason = if pair == self.context.ulids().as_locators() {
            PairReason::Ulids
        } else {
            PairReason::Handshake
        };
        let changed = self.apply(Change {
            pair: Some((pair, reason)),
            ..Change::default()
        });
        match changed {
            Err(Stop::Gone) => Err(Stop::Gone),
            _ => Ok(()),
        }
    }

    /// Answers with an Error message.
    fn refuse(&self, report: Report) -> Result<(), Stop> {
        let Some(received) = self.received else {
            return Ok(());
        };
        self.count(Counter::InRefused);
        self.context.lock()?.record_code(
            self.namespace.net(),
            Event::Refused,
            self.cause,
            report.code.get(),
        );
        self.control().answer_error(
            self.namespace,
            &received.arrival,
            report,
            received.packet.head(),
        );
        Ok(())
    }

    /// The context comes to its end without success.
    fn end(&self, negative: Negative) {
        self.count(Counter::EstablishmentFailed);
        let control = self.control();
        control.discard(self.namespace, self.context, self.cause);
        if self.context.is_fork() {
            // Its FII is not asked for again, and what is wrong with the peer shows elsewhere.
            self.count(Counter::ForkFailed);
            return;
        }
        if control
            .negatives
            .add(self.context.identity(), negative)
            .is_err()
        {
            self.count(Counter::InNoMemory);
        }
    }

    /// Sends what the machine wants sent, and keeps it if it may have to be sent again.
    fn send(
        &self,
        machine: &mut Machine,
        pair: LocatorPair,
        content: &Content<'_>,
    ) -> Result<(), Stop> {
        let mut buffer = Buffer::new().map_err(|_| Stop::NoMemory)?;
        let mut locked = self.context.lock()?;
        let local = locked.local();
        let describes_host = send::describes_host(content);
        // Others have no room for it, so they do not count.
        let keepalive_timeout = describes_host.then(|| locked.tell_timeout()).flatten();
        let composed = buffer.compose(self.context, &local, pair, content, keepalive_timeout);
        let Ok(composed) = composed else {
            self.count(Counter::OutControlFailed);
            return Ok(());
        };
        self.count_left_out(composed.left_out);
        if content.is_kept() {
            if let Some(establishment) = locked.establishment() {
                establishment.keep(composed.octets)?;
                // The answer may be there before this function returns.
                self.control()
                    .waiting
                    .update(
                        &mut establishment.waiting,
                        self.context.identity(),
                        machine.outstanding(),
                    )
                    .map_err(|_| Stop::NoMemory)?;
            }
        }
        if describes_host && local.identity.is_some() {
            machine.set_parameters_sent();
        }
        drop(locked);
        let counter = send::counter_of(content);
        if matches!(content, Content::UpdateAcknowledgement { .. }) {
            // The request may have come over a pair that works in its direction only, and nothing
            // answers an acknowledgement: the Send Timer is not started for it.
            send::transmit(self.namespace, pair, composed.octets, counter);
        } else {
            self.transmit(pair, composed.octets, counter);
        }
        Ok(())
    }

    /// Sends an Update Request with all there is to say, and keeps it.
    fn send_update(
        &self,
        machine: &mut Machine,
        receiver_tag: ContextTag,
        request_nonce: Nonce,
    ) -> Result<(), Stop> {
        let pair = self.context.pair(&rcu::read_lock());
        let mut buffer = Buffer::new().map_err(|_| Stop::NoMemory)?;
        let mut locked = self.context.lock()?;
        let local = locked.local();
        let keepalive_timeout = locked.tell_timeout();
        let composed = buffer.update_request(
            self.context,
            &local,
            pair,
            receiver_tag,
            request_nonce,
            !machine.parameters_sent(),
            keepalive_timeout,
        );
        let Ok(composed) = composed else {
            self.count(Counter::OutControlFailed);
            return Ok(());
        };
        self.count_left_out(composed.left_out);
        if let Some(establishment) = locked.establishment() {
            establishment.keep(composed.octets)?;
        }
        if local.identity.is_some() {
            machine.set_parameters_sent();
        }
        drop(locked);
        self.transmit(pair, composed.octets, Counter::OutUpdateRequest);
        Ok(())
    }

    /// Sends a message, which is payload to failure detection (RFC 5534, Section 4.1).
    fn transmit(&self, pair: LocatorPair, message: &[u8], counter: Counter) {
        // Whoever takes a step looks at the stamps after it.
        let _ = self.context.stamps().control_sent(now());
        send::transmit(self.namespace, pair, message, counter);
    }

    fn count_left_out(&self, left_out: LeftOut) {
        if left_out != LeftOut::Nothing {
            self.count(Counter::OutShortened);
        }
    }

    /// Sends the message that was kept again.
    fn send_again(&self, pair: LocatorPair) -> Result<(), Stop> {
        if let Some(establishment) = self.context.lock()?.establishment() {
            self.transmit(pair, &establishment.kept, Counter::OutRetransmitted);
        }
        Ok(())
    }

    /// The peer gave its tag to this context: others that have it and share a locator of the peer
    /// are lost to it (RFC 5533, Section 7.15). They begin anew.
    fn check_confusion(&self, machine: &Machine) -> Result<(), Stop> {
        let Some(tag) = machine.peer_tag() else {
            return Ok(());
        };
        let namespace = self.namespace;
        let newer = Claim {
            identity: *self.context.identity(),
            state: machine.state(),
            peer_tag: Some(tag),
        };
        loop {
            let confused = {
                let rcu = rcu::read_lock();
                let list = self.context.peer(&rcu).list();
                namespace
                    .contexts
                    .by_peer_tag(tag, &rcu, |other| {
                        let older = Claim {
                            identity: *other.identity(),
                            state: other.state(),
                            peer_tag: other.peer(&rcu).tag(),
                        };
                        !other.is_static()
                            && confuses(&newer, &older, || overlap(list, other.peer(&rcu).list()))
                    })
                    .map(|other| *other.identity())
            };
            let Some(identity) = confused else {
                return Ok(());
            };
            let Some(other) = namespace.contexts.get_by_identity(&identity) else {
                continue;
            };
            self.count(Counter::ContextConfused);
            self.control().restart(namespace, &other);
            // Whatever became of it, it must not be found again.
            if other.peer(&rcu::read_lock()).tag() == Some(tag) {
                self.control().discard(namespace, &other, Cause::Confusion);
            }
        }
    }
}

/// Whether two lists have a locator in common.
fn overlap(one: &[KnownLocator], other: &[KnownLocator]) -> bool {
    one.iter().any(|known| other.has(&known.locator))
}

/// Who began a context with this cause.
pub(super) fn origin_of(cause: Cause) -> Origin {
    match cause {
        Cause::Message => Origin::Responder,
        _ => Origin::Initiator,
    }
}
