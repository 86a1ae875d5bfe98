// SPDX-License-Identifier: GPL-2.0

//! What a host does with a packet: finds the context that it is for, or does without.

use shim6_proto::{
    dispatch::{
        Key,
        Unmatched, //
    },
    establish::{
        Machine,
        Offer, //
    },
    identity::Identity,
    wire::{
        message::{
            Arrival,
            Message, //
        },
        payload::PayloadHeader, //
    }, //
};

use super::{
    context::View,
    reply::reverse,
    Context,
    Host,
    World, //
};
use crate::{
    crypto::Source,
    packet::{
        Contents,
        Packet, //
    }, //
};

impl Host {
    /// A packet that came.
    pub fn receive<S: Source>(&mut self, world: &mut World<'_, S>, packet: &Packet) {
        match packet.contents() {
            Some(Contents::Payload(payload)) => self.receive_payload(world, packet, &payload),
            Some(Contents::Control(message)) => {
                self.receive_message(world, &packet.arrival(), &message);
            }
            None => {}
        }
    }

    fn receive_payload<S: Source>(
        &mut self,
        world: &mut World<'_, S>,
        packet: &Packet,
        payload: &PayloadHeader,
    ) {
        match self.index(&Key::LocalTag(payload.tag)) {
            Some(index) => self.run(world, index, |machine, step| machine.payload(step)),
            None => self.reply_r1bis(world, packet.at_receiver(), payload.tag),
        }
    }

    fn receive_message<S: Source>(
        &mut self,
        world: &mut World<'_, S>,
        arrival: &Arrival,
        message: &Message<'_>,
    ) {
        if !self.is_proved(world, arrival, message) {
            return;
        }
        let Some(key) = Key::of(message, arrival) else {
            return;
        };
        if let Key::Identity(identity) = key {
            if !self.set.has(identity.ulids.local.as_locator()) {
                return;
            }
        }
        let Some(index) = self.index(&key) else {
            return self.receive_unmatched(world, arrival, message, key);
        };
        let Some(context) = self.contexts.get_mut(index) else {
            return;
        };

        let identity = context.identity;
        let mut view = View::new(context, &self.told);
        let mut machine = context.machine;
        let mut step = world.step(&identity);
        let actions = machine.receive(&mut step, message, arrival, &mut view);
        let verified = view.verified;
        context.machine = machine;
        self.carry_out(
            world,
            index,
            &actions,
            verified.as_ref(),
            Some((arrival, message)),
        );
    }

    /// A message without a context.
    fn receive_unmatched<S: Source>(
        &mut self,
        world: &mut World<'_, S>,
        arrival: &Arrival,
        message: &Message<'_>,
        key: Key,
    ) {
        match (Unmatched::of(message.message_type()), key) {
            (Unmatched::ReplyR1, _) => self.reply_r1(world, arrival, message),
            (Unmatched::ReplyR1bis, Key::LocalTag(tag)) => {
                self.reply_r1bis(world, reverse(arrival), tag);
            }
            (Unmatched::Respond, Key::Identity(identity)) => {
                let offer = match message {
                    Message::I2(i2) => Offer::from(i2),
                    Message::I2bis(i2bis) => Offer::from(i2bis),
                    _ => return,
                };
                self.respond(world, arrival, identity, &offer);
            }
            _ => {}
        }
    }

    fn respond<S: Source>(
        &mut self,
        world: &mut World<'_, S>,
        arrival: &Arrival,
        identity: Identity,
        offer: &Offer<'_>,
    ) {
        let Some(tag) = self.unused_tag(world.source) else {
            return;
        };
        let mut view = View::of_nobody(&identity, &self.told);
        let mut step = world.step(&identity);
        let Ok((machine, actions)) = Machine::respond(&mut step, tag, offer, arrival, &mut view)
        else {
            return;
        };
        let verified = view.verified;
        let pair = identity.ulids.as_locators();
        self.negatives.retain(|(other, _)| *other != identity);
        let index = self.insert(Context::new(identity, machine, pair));
        self.carry_out(world, index, &actions, verified.as_ref(), None);
    }
}
