// SPDX-License-Identifier: GPL-2.0

//! The worker of a namespace: the only one who runs state machines.

use super::{
    now,
    perform::{
        Received,
        Turn, //
    },
    reap::{
        self,
        Occasion, //
    },
    receive::Notes,
    surroundings::Surroundings,
    Control,
    KernelRandom, //
};
use crate::{
    context::{
        trace::Why,
        Cause,
        Context,
        Counter,
        Event,
        Namespace,
        State,
        Wish, //
    },
    kernel_ext::{
        packets::Packet,
        rcu::RcuArc,
        work::Work, //
    },
    proto::{
        dispatch::{
            Key,
            Unmatched, //
        },
        establish::{
            Machine,
            Offer,
            Step, //
        },
        locator::LocatorPair,
        reap::Hint,
        wire::{
            ipv6::Ipv6Header,
            message::{
                Arrival,
                Message, //
            },
        },
    },
};
use kernel::sync::rcu;

/// Messages, contexts and requests that have their turn before others have.
const BATCH: usize = 64;

impl Work for Namespace {
    fn run(&self) {
        self.control.work(self);
    }
}

impl Control {
    fn work(&self, namespace: &Namespace) {
        let addresses = self.follow_addresses(namespace);
        let mut waiting = self.attention.drain();
        loop {
            let mut is_last = false;
            for _ in 0..BATCH {
                let Some(context) = waiting.next() else {
                    is_last = true;
                    break;
                };
                self.attend(namespace, &context);
            }
            self.take_messages(namespace, BATCH);
            if is_last {
                break;
            }
            self.tell_to_resume(namespace, false);
        }
        let requests = self.serve_requests(namespace, BATCH);
        self.follow_feedback(namespace);
        let next = [
            addresses,
            requests.filter(|pause| pause.as_millis() > 0),
            self.negatives.expire(now()),
            self.sweep(namespace),
            namespace.review_hooks(),
        ]
        .into_iter()
        .flatten()
        .min();
        let has_more =
            !self.queue.is_empty() || requests.is_some_and(|pause| pause.as_millis() == 0);
        self.tell_to_resume(namespace, !has_more);
        if has_more {
            self.worker.queue();
        } else if let Some(next) = next {
            self.worker.queue_within(next.as_millis());
        }
    }

    /// Handles messages of the queue, so many at most. Whatever keeps the worker busy for long does so
    /// in between, or the queue would overflow. The worker only.
    pub(super) fn take_messages(&self, namespace: &Namespace, most: usize) {
        for _ in 0..most {
            let Some((packet, notes)) = self.queue.pop() else {
                break;
            };
            self.received(namespace, &packet, notes);
        }
    }

    /// A context whose timer fired, or of which somebody wished something.
    fn attend(&self, namespace: &Namespace, context: &RcuArc<Context>) {
        let wishes = context.take_wishes();
        if Wish::OwnerGone.is_in(wishes) && self.owner_gone(namespace, context) {
            return;
        }
        if Wish::Shared.is_in(wishes) {
            self.unshare(namespace, context);
        }
        if Wish::Pending.is_in(wishes) {
            self.configure_pending(namespace, context);
        }
        if Wish::Unrecognized.is_in(wishes) {
            self.step(
                namespace,
                context,
                Cause::Icmp,
                None,
                |machine, step, _| match machine.outstanding() {
                    Some((_, pair)) => machine.unrecognized(step, machine.local_tag(), pair),
                    None => machine.timeout(step),
                },
            );
        }
        if Wish::RepeatOffer.is_in(wishes) && context.state() != State::Established {
            self.step(
                namespace,
                context,
                Cause::Message,
                None,
                |machine, step, _| machine.payload(step),
            );
        }
        if Wish::Paths.is_in(wishes) {
            self.watch(namespace, context, Occasion::Candidates);
        }
        if Wish::Preferred.is_in(wishes) {
            self.watch(namespace, context, Occasion::Preferred);
        }
        if Wish::IcmpError.is_in(wishes) {
            self.watch(namespace, context, Occasion::Hint(Hint::IcmpError));
        }
        if Wish::TcpTimeout.is_in(wishes) {
            self.watch(namespace, context, Occasion::Hint(Hint::TcpTimeout));
        }
        if Wish::PositiveFeedback.is_in(wishes) {
            self.watch(namespace, context, Occasion::PositiveFeedback);
        }
        if Wish::NegativeFeedback.is_in(wishes) {
            self.watch(namespace, context, Occasion::Hint(Hint::NegativeFeedback));
        }
        if Wish::Announce.is_in(wishes) {
            self.step(
                namespace,
                context,
                Cause::Address,
                None,
                |machine, step, _| machine.announce(step),
            );
        }
        if is_machine_due(context) {
            self.step(
                namespace,
                context,
                Cause::Timeout,
                None,
                |machine, step, _| machine.timeout(step),
            );
        } else {
            self.watch(namespace, context, Occasion::Look);
        }
    }

    /// A message from the queue. It was valid when it came, but what it is for may have changed.
    fn received(&self, namespace: &Namespace, packet: &Packet, notes: Notes) {
        let offset = usize::from(notes.offset);
        let head = packet.head();
        let (Some(header), Some(octets)) = (Ipv6Header::parse(head), head.get(offset..)) else {
            return;
        };
        let arrival = Arrival {
            source: header.source,
            destination: header.destination,
            offset,
        };
        let Ok(message) = Message::parse(&arrival, octets) else {
            return;
        };
        let Some(key) = Key::of(&message, &arrival) else {
            return;
        };
        let found = {
            let rcu = rcu::read_lock();
            self.find(namespace, &key, &rcu)
                .map(|context| *context.identity())
        };
        let context = found.and_then(|identity| namespace.contexts.get_by_identity(&identity));
        let received = Received {
            packet,
            arrival,
            message,
        };
        match context {
            Some(context) => self.received_by(namespace, &context, &received),
            None => self.received_by_nobody(namespace, &key, &received),
        }
    }

    fn received_by(
        &self,
        namespace: &Namespace,
        context: &RcuArc<Context>,
        received: &Received<'_>,
    ) {
        if let Message::Error(error) = &received.message {
            // A hint for people (RFC 5533, Section 5.14).
            if let Ok(mut locked) = context.lock() {
                locked.record_code(
                    namespace.net(),
                    Event::PeerError,
                    Cause::Message,
                    error.code.get(),
                );
            }
            return;
        }
        let answered = match &received.message {
            Message::Probe(_) | Message::Keepalive(_) => None,
            message => {
                let Ok(mut locked) = context.lock() else {
                    return;
                };
                let answered = reap::answered(namespace, &mut locked, message);
                if !reap::explores(&mut locked) {
                    stamp(context, received, answered.is_some());
                }
                answered
            }
        };
        if let Some(pair) = answered {
            self.watch(namespace, context, Occasion::Confirmed(pair));
            return;
        }
        self.step(
            namespace,
            context,
            Cause::Message,
            Some(received),
            |machine, step, surroundings| {
                let actions =
                    machine.receive(step, &received.message, &received.arrival, surroundings);
                if let Some(refusal) = surroundings.refusal() {
                    namespace.dropped(Why::Refused(refusal), received.packet.head());
                }
                actions
            },
        );
    }

    /// I2 and I2bis with a right validator make a context. All others came for one that has gone
    /// since they were queued.
    fn received_by_nobody(&self, namespace: &Namespace, key: &Key, received: &Received<'_>) {
        let offer = match &received.message {
            Message::I2(i2) => Offer::from(i2),
            Message::I2bis(i2bis) => Offer::from(i2bis),
            message => {
                if Unmatched::of(message.message_type()) != Unmatched::Respond {
                    namespace.dropped(Counter::InControlIgnored, received.packet.head());
                }
                return;
            }
        };
        let Key::Identity(identity) = key else {
            return;
        };
        let Ok(local) = self.local_for(namespace, identity.ulids.local) else {
            namespace.counters.count(Counter::InNoMemory);
            return;
        };
        let mut surroundings = Surroundings::new(identity.ulids.peer, &local, None);
        let constants = namespace.settings.constants();
        let mut step = Step {
            constants: &constants,
            identity,
            now: now(),
            random: &mut KernelRandom,
        };
        let begun = self.add(
            namespace,
            identity,
            None,
            &local,
            Cause::Message,
            State::Established,
            |tag| Machine::respond(&mut step, tag, &offer, &received.arrival, &mut surroundings),
        );
        match begun {
            Ok((context, machine, actions)) => {
                let turn = Turn::new(namespace, &context, Cause::Message, Some(received));
                turn.begin(machine, &actions, &mut surroundings);
            }
            Err(Some(discarded)) => {
                let packet = received.packet.head();
                namespace.dropped(Why::Discarded(discarded.cause), packet);
                if let Some(refusal) = surroundings.refusal() {
                    namespace.dropped(Why::Refused(refusal), packet);
                }
                if let Some(report) = discarded.report {
                    namespace.counters.count(Counter::InRefused);
                    self.answer_error(namespace, &received.arrival, report, packet);
                }
            }
            Err(None) => (),
        }
    }
}

/// Whether the state machine of a context has something to do now: failure detection of an
/// established one looks after itself.
fn is_machine_due(context: &Context) -> bool {
    context.lock().is_ok_and(|mut locked| {
        locked.kept_establishment().is_some_and(|establishment| {
            let machine = &establishment.machine;
            machine.state() != State::Established
                || machine.next_deadline().is_some_and(|due| due <= now())
        })
    })
}

/// A message moves timers as payload does (RFC 5534, Section 4.1). An Update Request without anything
/// new that comes over another pair than the current one, or what answers one over the pair that it
/// asked for, says nothing of the current pair. Nor does any message say over which pair the peer sends payload:
/// while this end explores, it is not heard by what may have been sent to find out whether another
/// pair works.
fn stamp(context: &Context, received: &Received<'_>, is_answer: bool) {
    let over = LocatorPair {
        local: received.arrival.destination,
        peer: received.arrival.source,
    };
    let is_question = matches!(&received.message, Message::UpdateRequest(request)
        if request.host.locator_list.is_none());
    let is_elsewhere = is_answer || is_question && over != context.pair(&rcu::read_lock());
    let stamps = context.stamps();
    // The step that follows looks at the stamps.
    let _ = if is_elsewhere {
        stamps.control_received_elsewhere(now())
    } else {
        stamps.control_received(now())
    };
}
