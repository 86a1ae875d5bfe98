// SPDX-License-Identifier: GPL-2.0

//! Answers that need no context and leave nothing behind, at the limited rates of the module:
//! R1, R1bis and Error (RFC 5533, Sections 7.10, 7.17 and 5.14).

use std::hash::{
    Hash,
    Hasher, //
};

use shim6_model::crypto::Hashes;
use shim6_proto::{
    limit::{
        Limit,
        Limits,
        PeerLimiter, //
    },
    locator::Locator,
    tag::ContextTag,
    validator::{
        R1Subject,
        R1bisSubject,
        Validators, //
    },
    wire::{
        build::{
            self,
            MAX_LEN, //
        },
        fault::Report,
        message::{
            Arrival,
            Message,
            I1, //
        }, //
    }, //
};

use super::{
    Host,
    Origin,
    World, //
};
use crate::{
    bug::Bug,
    dice::Dice,
    event::reverse,
    map::Mixer, //
};

/// Buckets of the limit for single peers.
const PEERS: usize = 128;

/// Most octets of a packet that an Error message quotes.
const QUOTED: usize = 512;

/// R1 messages a second, to all peers together.
const R1_RATE: u32 = 100_000;

/// R1bis and Error messages a second, to all peers together.
pub const ANSWER_RATE: u32 = 100;

/// Stateless answers of each kind a second to one peer.
pub const ANSWER_RATE_PEER: u32 = 10;

/// What stateless answers need.
pub(super) struct Answers {
    validators: Validators,
    /// For R1. A host that never answered needs no buckets.
    first: Option<Box<PeerLimiter<PEERS>>>,
    /// For R1bis and Error.
    others: Option<Box<PeerLimiter<PEERS>>>,
}

impl Answers {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self {
            validators: Validators::new(dice),
            first: None,
            others: None,
        }
    }
}

/// By what a peer is told from others: its /64.
pub(super) fn hash_peer(source: Locator) -> u64 {
    let mut hasher = Mixer::default();
    source.subnet_prefix().hash(&mut hasher);
    hasher.finish()
}

impl Host {
    /// Whether a message needs no proof, or has the right one.
    pub(super) fn is_proved(
        &self,
        world: &World<'_>,
        arrival: &Arrival,
        message: &Message<'_>,
    ) -> bool {
        let validators = &self.answers.validators;
        let checked = match message {
            Message::I2(i2) => validators.check_i2(
                &Hashes,
                world.now,
                i2.responder_nonce,
                i2.validator,
                &R1Subject::of_i2(arrival, i2),
            ),
            Message::I2bis(i2bis) => validators.check_i2bis(
                &Hashes,
                world.now,
                i2bis.responder_nonce,
                i2bis.validator,
                &R1bisSubject::of_i2bis(arrival, i2bis),
            ),
            _ => return true,
        };
        checked.is_ok()
    }

    /// Takes a token for an answer to the sender of a packet.
    fn may_answer(&mut self, world: &World<'_>, arrival: &Arrival, is_first: bool) -> bool {
        let limit = |rate| Limit {
            per_second: rate,
            burst: rate,
        };
        let (limiter, rate) = if is_first {
            (&mut self.answers.first, R1_RATE)
        } else {
            (&mut self.answers.others, ANSWER_RATE)
        };
        let limits = Limits {
            peer: limit(ANSWER_RATE_PEER),
            host: limit(rate),
        };
        let limiter = limiter.get_or_insert_with(|| Box::new(PeerLimiter::new()));
        let taken = limiter.take(&limits, hash_peer(arrival.source), world.now);
        taken.is_ok() || world.bug == Some(Bug::NoLimits)
    }

    /// Answers I1 with R1.
    pub(super) fn answer_r1(
        &mut self,
        world: &mut World<'_>,
        arrival: &Arrival,
        i1: &I1,
        received: usize,
    ) {
        if !self.may_answer(world, arrival, true) {
            return;
        }
        let subject = R1Subject::of_i1(arrival, i1);
        let (nonce, validator) = self
            .answers
            .validators
            .issue_r1(&Hashes, world.dice, world.now, &subject);
        let mut buffer = [0; MAX_LEN];
        let message = build::r1(&mut buffer, i1.initiator_nonce, nonce, &validator)
            .and_then(|builder| builder.finish())
            .expect("R1 fits");
        world.send(reverse(arrival), message, Origin::Answer(received));
    }

    /// Answers a packet with a tag that is not known with R1bis.
    pub(super) fn answer_r1bis(
        &mut self,
        world: &mut World<'_>,
        arrival: &Arrival,
        packet_tag: ContextTag,
        received: usize,
    ) {
        if world.bug == Some(Bug::NoR1bis) || !self.may_answer(world, arrival, false) {
            return;
        }
        let subject = R1bisSubject {
            packet_tag,
            source: arrival.source,
            destination: arrival.destination,
        };
        let (nonce, validator) = self
            .answers
            .validators
            .issue_r1bis(&Hashes, world.dice, world.now, &subject);
        let mut long = [0; 256];
        let validator = match world.bug {
            Some(Bug::LongAnswers) => {
                long[..16].copy_from_slice(&validator);
                &long[..]
            }
            _ => &validator[..],
        };
        let mut buffer = [0; MAX_LEN];
        let message = build::r1bis(&mut buffer, packet_tag, nonce, validator)
            .and_then(|builder| builder.finish())
            .expect("R1bis fits");
        world.send(reverse(arrival), message, Origin::Answer(received));
    }

    /// Answers a message that could not be processed with an Error message, which quotes it from
    /// its IPv6 header on.
    pub(super) fn answer_error(
        &mut self,
        world: &mut World<'_>,
        arrival: &Arrival,
        report: Report,
        octets: &[u8],
    ) {
        if !self.may_answer(world, arrival, false) {
            return;
        }
        let mut packet = vec![0; arrival.offset];
        if let Some(first) = packet.first_mut() {
            *first = 0x60;
        }
        if let Some(place) = packet.get_mut(4..6) {
            place.copy_from_slice(&(octets.len() as u16).to_be_bytes());
        }
        if let Some(place) = packet.get_mut(6) {
            *place = 140;
        }
        if let Some(place) = packet.get_mut(8..24) {
            place.copy_from_slice(arrival.source.as_octets());
        }
        if let Some(place) = packet.get_mut(24..40) {
            place.copy_from_slice(arrival.destination.as_octets());
        }
        packet.extend_from_slice(octets);
        packet.truncate(QUOTED);
        let mut buffer = [0; MAX_LEN];
        let message = build::error(&mut buffer, report, &packet)
            .and_then(|builder| builder.finish())
            .expect("a packet can be quoted");
        world.send(reverse(arrival), message, Origin::Answer(octets.len()));
    }
}
