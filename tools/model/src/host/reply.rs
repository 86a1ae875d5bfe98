// SPDX-License-Identifier: GPL-2.0

//! What a host does without a context: answers with R1 and R1bis, and checks that what comes back
//! of them is its own.

use shim6_proto::{
    locator::LocatorPair,
    random::Random,
    tag::ContextTag,
    validator::{
        R1Subject,
        R1bisSubject,
        Validators, //
    },
    wire::{
        build,
        message::{
            Arrival,
            Message, //
        }, //
    }, //
};

use super::{
    Host,
    World, //
};
use crate::{
    crypto::{
        Hashes,
        Seeded,
        Source, //
    },
    packet::Packet, //
};

impl Host {
    /// The validators of the present start.
    fn validators<T>(
        &self,
        random: &mut impl Random,
        work: impl FnOnce(&mut Validators) -> T,
    ) -> Option<T> {
        let mut secrets = self.secrets.borrow_mut();
        while secrets.len() <= self.epoch {
            secrets.push(Validators::new(random));
        }
        secrets.get_mut(self.epoch).map(work)
    }

    /// Numbers for secrets: they depend on the host and how often it was started, not on what
    /// happened before.
    fn secret_numbers(&self) -> Seeded {
        Seeded::new(u64::from(u32::from(self.set.name)) + 1000 * self.epoch as u64)
    }

    /// Whether a message needs no proof, or has the right one.
    pub(super) fn is_proved<S: Source>(
        &self,
        world: &World<'_, S>,
        arrival: &Arrival,
        message: &Message<'_>,
    ) -> bool {
        let now = world.now;
        let checked = self.validators(&mut self.secret_numbers(), |validators| match message {
            Message::I2(i2) => validators
                .check_i2(
                    &Hashes,
                    now,
                    i2.responder_nonce,
                    i2.validator,
                    &R1Subject::of_i2(arrival, i2),
                )
                .is_ok(),
            Message::I2bis(i2bis) => validators
                .check_i2bis(
                    &Hashes,
                    now,
                    i2bis.responder_nonce,
                    i2bis.validator,
                    &R1bisSubject::of_i2bis(arrival, i2bis),
                )
                .is_ok(),
            _ => true,
        });
        checked.unwrap_or(false)
    }

    /// Answers I1 without a trace.
    pub(super) fn reply_r1<S: Source>(
        &self,
        world: &mut World<'_, S>,
        arrival: &Arrival,
        message: &Message<'_>,
    ) {
        let Message::I1(i1) = message else {
            return;
        };
        let subject = R1Subject::of_i1(arrival, i1);
        let now = world.now;
        let mut random = self.secret_numbers();
        let issued = self.validators(&mut random.clone(), |validators| {
            validators.issue_r1(&Hashes, &mut random, now, &subject)
        });
        if let Some((nonce, validator)) = issued {
            let mut buffer = [0; build::MAX_LEN];
            let octets = build::r1(&mut buffer, i1.initiator_nonce, nonce, &validator)
                .and_then(|builder| builder.finish())
                .expect("R1 fits");
            world.sent.push(Packet::new(reverse(arrival), octets));
        }
    }

    /// Answers a packet with an unknown tag without a trace.
    pub(super) fn reply_r1bis<S: Source>(
        &self,
        world: &mut World<'_, S>,
        pair: LocatorPair,
        packet_tag: ContextTag,
    ) {
        let subject = R1bisSubject {
            packet_tag,
            source: pair.peer,
            destination: pair.local,
        };
        let now = world.now;
        let mut random = self.secret_numbers();
        let issued = self.validators(&mut random.clone(), |validators| {
            validators.issue_r1bis(&Hashes, &mut random, now, &subject)
        });
        if let Some((nonce, validator)) = issued {
            let mut buffer = [0; build::MAX_LEN];
            let octets = build::r1bis(&mut buffer, packet_tag, nonce, &validator)
                .and_then(|builder| builder.finish())
                .expect("R1bis fits");
            world.sent.push(Packet::new(pair, octets));
        }
    }
}

/// Where an answer to a packet comes from and goes to.
pub(super) const fn reverse(arrival: &Arrival) -> LocatorPair {
    LocatorPair {
        local: arrival.destination,
        peer: arrival.source,
    }
}
