// SPDX-License-Identifier: GPL-2.0

//! Somebody who hears some of the messages, repeats them, and forges others: with wrong tags and
//! nonces, and with right ones as far as they can be heard. It cannot prove a locator, make a
//! validator, or stop a packet.

use std::collections::VecDeque;

use shim6_proto::{
    locator::{
        Locator,
        LocatorPair,
        LocatorRecord,
        VerificationMethod, //
    },
    number::{
        Generation,
        Nonce, //
    },
    random::Random,
    tag::ContextTag,
    wire::{
        build::{
            self,
            BuildError,
            MAX_LEN, //
        },
        fault::{
            ErrorCode,
            Report, //
        },
        message::Message,
        probe::{
            ProbeRecord,
            ProbeState, //
        }, //
    }, //
};

use crate::{
    dice::Dice,
    event::{
        reverse,
        Body,
        Packet, //
    },
    net::Net, //
};

/// How many messages are remembered.
const MEMORY: usize = 200;

/// The liar.
#[derive(Default)]
pub struct Liar {
    heard: VecDeque<Packet>,
}

/// What a message gives away.
struct Heard {
    /// The tag of its receiver.
    tag: Option<ContextTag>,
    /// The nonce that an answer needs.
    nonce: Option<Nonce>,
    /// Addresses of probes.
    probes: Vec<(Locator, Locator)>,
}

impl Heard {
    fn of(message: &Message<'_>) -> Self {
        let mut heard = Self {
            tag: None,
            nonce: None,
            probes: vec![],
        };
        match message {
            Message::I1(i1) => heard.nonce = Some(i1.initiator_nonce),
            Message::I2(i2) => heard.nonce = Some(i2.initiator_nonce),
            Message::I2bis(i2bis) => heard.nonce = Some(i2bis.initiator_nonce),
            Message::UpdateRequest(request) => {
                heard.tag = Some(request.receiver_tag);
                heard.nonce = Some(request.request_nonce);
            }
            Message::UpdateAcknowledgement(acknowledgement) => {
                heard.tag = Some(acknowledgement.receiver_tag);
            }
            Message::Keepalive(keepalive) => heard.tag = Some(keepalive.receiver_tag),
            Message::Probe(probe) => {
                heard.tag = Some(probe.receiver_tag);
                let records = probe.sent.iter();
                heard.probes = records
                    .map(|record| (record.source, record.destination))
                    .collect();
            }
            Message::R1(_) | Message::R2(_) | Message::R1bis(_) | Message::Error(_) => {}
        }
        heard
    }
}

impl Liar {
    /// Hears a message, or not.
    pub fn hear(&mut self, packet: &Packet, dice: &mut Dice) {
        if dice.percent(50) {
            return;
        }
        if self.heard.len() == MEMORY {
            self.heard.pop_front();
        }
        self.heard.push_back(packet.clone());
    }

    /// Does something: these packets arrive out of nowhere.
    pub fn lie(&mut self, net: &Net, dice: &mut Dice) -> Vec<Packet> {
        let Some(heard) = self.heard.get(dice.below(self.heard.len())).cloned() else {
            return vec![];
        };
        if dice.percent(25) {
            return vec![heard];
        }
        let stranger = |dice: &mut Dice| {
            let uplinks = net.uplinks(dice.below(net.hosts()));
            let uplink = uplinks.get(dice.below(uplinks.len()));
            uplink.map_or(heard.source, |uplink| uplink.locator)
        };
        if dice.percent(10) {
            let source = stranger(dice);
            return vec![Packet { source, ..heard }];
        }
        let Some((mut packet, is_flood)) = forge(&heard, stranger, dice) else {
            return vec![];
        };
        if dice.percent(15) {
            packet.source = stranger(dice);
        }
        let copies = if is_flood && dice.percent(10) { 300 } else { 1 };
        vec![packet; copies]
    }
}

/// Forges a message on the ground of one that was heard; says also whether it makes a flood.
fn forge(
    heard: &Packet,
    stranger: impl Fn(&mut Dice) -> Locator,
    dice: &mut Dice,
) -> Option<(Packet, bool)> {
    let Body::Control(octets) = &heard.body else {
        return None;
    };
    let arrival = heard.arrival();
    let message = Message::parse(&arrival, octets).ok()?;
    let known = Heard::of(&message);
    let along = LocatorPair {
        local: heard.source,
        peer: heard.destination,
    };
    let back = reverse(&arrival);
    let guessed = ContextTag::from_low_bits(dice.u64());
    let tag = known.tag.filter(|_| dice.percent(80)).unwrap_or(guessed);
    let guessed = Nonce::new(dice.u32());
    let nonce = known.nonce.filter(|_| dice.percent(80)).unwrap_or(guessed);
    let mut validator = [0; 16];
    for octets in validator.chunks_exact_mut(8) {
        octets.copy_from_slice(&dice.u64().to_ne_bytes());
    }
    let mut buffer = [0; MAX_LEN];
    let kind = dice.below(10);
    let (pair, built) = match kind {
        0 => (along, keepalive(&mut buffer, tag)),
        1 | 2 => (along, probe(&mut buffer, tag, along, &known, dice)),
        3 => {
            let report = Report {
                code: ErrorCode::new(dice.below(5) as u8)?,
                pointer: dice.below(100) as u16,
            };
            let quoted = build::error(&mut buffer, report, octets);
            (back, quoted.and_then(|builder| builder.finish()))
        }
        4 => {
            let built = build::r1(&mut buffer, nonce, guessed, &validator);
            (back, built.and_then(|builder| builder.finish()))
        }
        5 => {
            let built = build::r1bis(&mut buffer, tag, guessed, &validator);
            (back, built.and_then(|builder| builder.finish()))
        }
        6 => {
            let built = build::i2(&mut buffer, tag, nonce, guessed, &validator);
            (along, built.and_then(|builder| builder.finish()))
        }
        7 => {
            let built = build::r2(&mut buffer, tag, nonce);
            (back, built.and_then(|builder| builder.finish()))
        }
        8 => {
            let list = [along.local, stranger(dice)].map(|locator| LocatorRecord {
                locator,
                method: VerificationMethod::HBA,
            });
            let generation = Generation::new(dice.u32());
            let built = build::update_request(&mut buffer, tag, guessed)
                .and_then(|builder| builder.locator_list(generation, list.into_iter()));
            (along, built.and_then(|builder| builder.finish()))
        }
        _ => {
            let built = build::i1(&mut buffer, tag, nonce);
            (along, built.and_then(|builder| builder.finish()))
        }
    };
    let body = Body::Control(built.ok()?.into());
    Some((Packet::new(pair, body), matches!(kind, 0 | 9)))
}

fn keepalive(buffer: &mut [u8], tag: ContextTag) -> Result<&[u8], BuildError> {
    build::keepalive(buffer, tag)?.finish()
}

/// A Probe that reports probes with nonces that nobody drew.
fn probe<'b>(
    buffer: &'b mut [u8],
    tag: ContextTag,
    pair: LocatorPair,
    known: &Heard,
    dice: &mut Dice,
) -> Result<&'b [u8], BuildError> {
    let states = [
        ProbeState::Operational,
        ProbeState::Exploring,
        ProbeState::InboundOk,
    ];
    let state = dice.pick(&states);
    let mut record = |source, destination| ProbeRecord {
        source,
        destination,
        nonce: Nonce::new(dice.u32()),
        data: 0,
    };
    let sent = [record(pair.local, pair.peer)];
    // Both ways round: as the receiver's own probes, and as they were.
    let received: Vec<_> = known
        .probes
        .iter()
        .take(4)
        .flat_map(|(source, destination)| [(*source, *destination), (*destination, *source)])
        .chain([(pair.peer, pair.local)])
        .map(|(source, destination)| record(source, destination))
        .collect();
    build::probe(buffer, tag, state, sent, received)?.finish()
}
