// SPDX-License-Identifier: GPL-2.0

//! What a state machine decided is carried out: published for the data path, sent to the peer.

use super::{
    now,
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
        Cause,
        Change,
        Context,
        Counter,
        Event,
        LocatorList,
        Namespace,
        Origin,
        PairReason,
        PeerFacts,
        SetPairError, //
    },
    kernel_ext::{
        packets::Packet,
        rcu::RcuArc, //
    },
    proto::{
        establish::{
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
        wire::message::{
            Arrival,
            Message, //
        },
    },
};
use core::ops::ControlFlow;
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

/// The kept octets of a message cannot be sent, or its machine has moved on.
type Stop = SetPairError;

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
        let known = peer.tag.is_some().then(|| peer.clone());
        let mut surroundings = Surroundings::new(context.ulids().peer, &local, known);
        let actions = decide(&mut machine, &mut step, &mut surroundings);

        let performed = self.perform(
            namespace,
            context,
            &mut machine,
            &actions,
            cause,
            received,
            &mut surroundings,
        );
        if performed.is_ok() {
            self.settle(namespace, context, machine, cause);
        }
        // Otherwise the machine stays as it was: the message is as good as lost.
    }

    /// Carries out actions, in their order.
    ///
    /// # Errors
    ///
    /// If the context is gone, has come to its end, or there is no memory for what it has to keep.
    #[expect(clippy::too_many_arguments, reason = "they are one step of one machine")]
    fn perform(
        &self,
        namespace: &Namespace,
        context: &RcuArc<Context>,
        machine: &mut Machine,
        actions: &Actions<'_>,
        cause: Cause,
        received: Option<&Received<'_>>,
        surroundings: &mut Surroundings<'_>,
    ) -> Result<(), Stop> {
        for action in actions.iter() {
            match action {
                Action::AdoptPeer { tag } => {
                    let source = received.ok_or(Stop::Gone)?.arrival.source;
                    let peer = surroundings.adopt(tag, source)?;
                    self.publish_peer(namespace, context, peer, cause)?;
                }
                Action::UpdatePeer => {
                    if let Some(peer) = surroundings.update()? {
                        self.publish_peer(namespace, context, peer, cause)?;
                    }
                }
                Action::DropPeer => {
                    let change = Change {
                        peer: Some(PeerFacts::unknown(context.ulids().peer)?),
                        pair: Some((context.ulids().as_locators(), PairReason::Ulids)),
                        ..Change::default()
                    };
                    context.lock()?.apply(namespace.net(), change, cause)?;
                }
                Action::CheckConfusion => self.check_confusion(namespace, context, machine)?,
                Action::UsePair(pair) => {
                    let reason = if pair == context.ulids().as_locators() {
                        PairReason::Ulids
                    } else {
                        PairReason::Handshake
                    };
                    let change = Change {
                        pair: Some((pair, reason)),
                        ..Change::default()
                    };
                    // A local locator may have gone since; then the pair stays as it is.
                    match context.lock()?.apply(namespace.net(), change, cause) {
                        Err(SetPairError::Gone) => return Err(Stop::Gone),
                        _ => (),
                    }
                }
                Action::Send { pair, content } => {
                    self.send(namespace, context, machine, pair, &content)?;
                }
                Action::Resend { pair } => {
                    let mut locked = context.lock()?;
                    if let Some(establishment) = locked.establishment() {
                        send::transmit(
                            namespace,
                            pair,
                            &establishment.kept,
                            Counter::OutRetransmitted,
                        );
                    }
                }
                Action::SendUpdate {
                    receiver_tag,
                    request_nonce,
                } => self.send_update(namespace, context, machine, receiver_tag, request_nonce)?,
                Action::ResendUpdate => {
                    let pair = context.pair(&rcu::read_lock());
                    let mut locked = context.lock()?;
                    if let Some(establishment) = locked.establishment() {
                        send::transmit(
                            namespace,
                            pair,
                            &establishment.kept,
                            Counter::OutRetransmitted,
                        );
                    }
                }
                Action::ReplyR1 => {
                    if let Some(Received {
                        arrival,
                        message: Message::I1(i1),
                        ..
                    }) = received
                    {
                        self.answer_r1(namespace, arrival, i1);
                    }
                }
                Action::ReplyR1bis => {
                    if let Some(received) = received {
                        self.answer_r1bis(namespace, &received.arrival, context.tag_local());
                    }
                }
                Action::Acknowledged => {
                    context
                        .lock()?
                        .record(namespace.net(), Event::Acknowledged, cause);
                }
                Action::Established { again } => namespace.counters.count(if again {
                    Counter::ContextRecovered
                } else {
                    Counter::ContextEstablished
                }),
                // What REAP makes of it is not this machine's business.
                Action::Reap => namespace.counters.count(Counter::InControlIgnored),
                Action::Report(report) => {
                    if let Some(received) = received {
                        namespace.counters.count(Counter::InRefused);
                        let mut locked = context.lock()?;
                        locked.record_code(
                            namespace.net(),
                            Event::Refused,
                            cause,
                            report.code.get(),
                        );
                        drop(locked);
                        let packet = received.packet.head();
                        self.answer_error(namespace, &received.arrival, report, packet);
                    }
                }
                Action::Negative(negative) => {
                    self.end(namespace, context, negative, cause);
                    return Err(Stop::Gone);
                }
                Action::Discard(reason) => namespace.counters.count_discard(reason),
            }
        }
        Ok(())
    }

    /// After a step: the machine is kept, its timer set, and what it waits for can be found.
    fn settle(
        &self,
        namespace: &Namespace,
        context: &RcuArc<Context>,
        machine: Machine,
        cause: Cause,
    ) {
        let Ok(mut locked) = context.lock() else {
            return;
        };
        let Some(establishment) = locked.establishment() else {
            return;
        };
        establishment.machine = machine;
        let outstanding = machine.outstanding();
        if self
            .waiting
            .update(&mut establishment.waiting, context.identity(), outstanding)
            .is_err()
        {
            namespace.counters.count(Counter::InNoMemory);
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
        let _ = locked.apply(namespace.net(), change, cause);
        Context::set_timer(
            context,
            deadline.map(|deadline| deadline.since(now()).as_millis()),
        );
    }

    /// A context begins: what its machine decided first is carried out. The worker only.
    pub(super) fn begin(
        &self,
        namespace: &Namespace,
        context: &RcuArc<Context>,
        mut machine: Machine,
        actions: &Actions<'_>,
        cause: Cause,
        received: Option<&Received<'_>>,
        surroundings: &mut Surroundings<'_>,
    ) {
        let performed = self.perform(
            namespace,
            context,
            &mut machine,
            actions,
            cause,
            received,
            surroundings,
        );
        match performed {
            Ok(()) => self.settle(namespace, context, machine, cause),
            Err(_) => {
                self.discard(namespace, context, cause);
            }
        }
    }

    /// A context goes, and nothing of it is left. The worker, or who is sure that it is not there.
    pub(crate) fn discard(&self, namespace: &Namespace, context: &Context, cause: Cause) -> bool {
        let removed = namespace.contexts.remove(namespace.net(), context, cause);
        if removed {
            let mut locked = context.lock_even_removed();
            if let Some(establishment) = locked.establishment() {
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
        let mut walk = namespace.contexts.walk()?;
        loop {
            let mut batch: [Option<RcuArc<Context>>; 16] = [const { None }; 16];
            let mut places = batch.iter_mut();
            let finished = walk.resume(|context, _| {
                if context.is_static() {
                    return ControlFlow::Continue(());
                }
                let Some(place) = places.next() else {
                    return ControlFlow::Break(());
                };
                *place = namespace.contexts.get_by_identity(context.identity());
                ControlFlow::Continue(())
            });
            for context in batch.iter().flatten() {
                self.discard(namespace, context, Cause::Admin);
            }
            if finished {
                return Ok(());
            }
        }
    }

    /// A context comes to its end without success.
    fn end(
        &self,
        namespace: &Namespace,
        context: &RcuArc<Context>,
        negative: Negative,
        cause: Cause,
    ) {
        namespace.counters.count(Counter::EstablishmentFailed);
        self.discard(namespace, context, cause);
        if self.negatives.add(context.identity(), negative).is_err() {
            namespace.counters.count(Counter::InNoMemory);
        }
    }

    fn publish_peer(
        &self,
        namespace: &Namespace,
        context: &Context,
        peer: PeerFacts,
        cause: Cause,
    ) -> Result<(), Stop> {
        let change = Change {
            peer: Some(peer),
            ..Change::default()
        };
        context.lock()?.apply(namespace.net(), change, cause)
    }

    /// Sends what a machine wants sent, and keeps it if it may have to be sent again.
    fn send(
        &self,
        namespace: &Namespace,
        context: &Context,
        machine: &mut Machine,
        pair: LocatorPair,
        content: &Content<'_>,
    ) -> Result<(), Stop> {
        let mut buffer = Buffer::new().map_err(|_| Stop::NoMemory)?;
        let mut locked = context.lock()?;
        let local = locked.local();
        let Ok(composed) = buffer.compose(context, &local, pair, content) else {
            namespace.counters.count(Counter::OutControlFailed);
            return Ok(());
        };
        if content.is_kept() {
            if let Some(establishment) = locked.establishment() {
                establishment.kept.clear();
                establishment
                    .kept
                    .extend_from_slice(composed.octets, GFP_KERNEL)?;
                // The answer may be there before this function returns.
                self.waiting
                    .update(
                        &mut establishment.waiting,
                        context.identity(),
                        machine.outstanding(),
                    )
                    .map_err(|_| Stop::NoMemory)?;
            }
        }
        if send::describes_host(content) && local.identity.is_some() {
            machine.set_parameters_sent();
        }
        drop(locked);
        send::transmit(namespace, pair, composed.octets, send::counter_of(content));
        Ok(())
    }

    /// Sends an Update Request with all there is to say, and keeps it.
    fn send_update(
        &self,
        namespace: &Namespace,
        context: &Context,
        machine: &mut Machine,
        receiver_tag: ContextTag,
        request_nonce: Nonce,
    ) -> Result<(), Stop> {
        let pair = context.pair(&rcu::read_lock());
        let mut buffer = Buffer::new().map_err(|_| Stop::NoMemory)?;
        let mut locked = context.lock()?;
        let local = locked.local();
        let composed = buffer.update_request(
            context,
            &local,
            pair,
            receiver_tag,
            request_nonce,
            !machine.parameters_sent(),
        );
        let Ok(composed) = composed else {
            namespace.counters.count(Counter::OutControlFailed);
            return Ok(());
        };
        if let Some(establishment) = locked.establishment() {
            establishment.kept.clear();
            establishment
                .kept
                .extend_from_slice(composed.octets, GFP_KERNEL)?;
        }
        if local.identity.is_some() {
            machine.set_parameters_sent();
        }
        drop(locked);
        send::transmit(namespace, pair, composed.octets, Counter::OutUpdateRequest);
        Ok(())
    }

    /// The peer gave its tag to `context`: others that have it and share a locator of the peer are
    /// lost to it (RFC 5533, Section 7.15). They begin anew.
    fn check_confusion(
        &self,
        namespace: &Namespace,
        context: &Context,
        machine: &Machine,
    ) -> Result<(), Stop> {
        let Some(tag) = machine.peer_tag() else {
            return Ok(());
        };
        let newer = Claim {
            identity: *context.identity(),
            state: machine.state(),
            peer_tag: Some(tag),
        };
        loop {
            let confused = {
                let rcu = rcu::read_lock();
                let list = &context.peer(&rcu).list;
                namespace
                    .contexts
                    .by_peer_tag(tag, &rcu, |other| {
                        let older = Claim {
                            identity: *other.identity(),
                            state: other.state(),
                            peer_tag: other.peer(&rcu).tag,
                        };
                        !other.is_static()
                            && confuses(&newer, &older, || {
                                overlap(list, &other.peer(&rcu).list)
                            })
                    })
                    .map(|other| *other.identity())
            };
            let Some(identity) = confused else {
                return Ok(());
            };
            let Some(other) = namespace.contexts.get_by_identity(&identity) else {
                continue;
            };
            namespace.counters.count(Counter::ContextConfused);
            self.restart(namespace, &other);
            // Whatever became of it, it must not be found again.
            if other.peer(&rcu::read_lock()).tag == Some(tag) {
                self.discard(namespace, &other, Cause::Confusion);
            }
        }
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

/// Whether two lists have a locator in common.
fn overlap(one: &LocatorList, other: &LocatorList) -> bool {
    one.as_slice()
        .iter()
        .any(|known| other.contains(&known.locator))
}

/// Who began a context with this cause.
pub(super) fn origin_of(cause: Cause) -> Origin {
    match cause {
        Cause::Message => Origin::Responder,
        _ => Origin::Initiator,
    }
}
