// SPDX-License-Identifier: GPL-2.0

//! `storm`: no host sends more messages in a window of time than the constants of RFC 5533 and
//! RFC 5534 imply for the contexts that it has and the messages that it got.

use shim6_proto::{
    locator::Locator,
    time::Instant,
    wire::message_type::MessageType, //
};

use super::Finding;
use crate::{
    host::{
        ANSWER_RATE,
        ANSWER_RATE_PEER, //
    },
    map::Map,
    stats::ByType, //
};

/// The length of a window, in milliseconds.
const WINDOW: u64 = 10_000;

/// What a host sends and gets.
#[derive(Default)]
pub struct Meter {
    window: u64,
    sent: ByType,
    received: ByType,
    /// Of the window before: an answer may be a little late.
    received_before: ByType,
    payload: u64,
    /// Reasons to explore that are no message: complaints, errors, changes of addresses.
    reasons: u64,
    reasons_before: u64,
    /// Contexts at the beginning of the window, and those that came since.
    contexts: u64,
    /// R1bis and Error messages to single /64.
    answers: Map<[u8; 8], u32>,
    /// All that came and all that answers, since the beginning.
    all_received: ByType,
    all_sent: ByType,
    all_payload: u64,
}

impl Meter {
    /// Time goes on. `contexts` is how many the host has.
    fn turn(&mut self, now: Instant, contexts: usize) {
        let window = now.as_millis() / WINDOW;
        if window == self.window {
            return;
        }
        let is_next = window == self.window + 1;
        self.window = window;
        self.sent = ByType::default();
        self.received_before = if is_next {
            self.received
        } else {
            ByType::default()
        };
        self.received = ByType::default();
        self.payload = 0;
        self.reasons_before = if is_next { self.reasons } else { 0 };
        self.reasons = 0;
        self.contexts = contexts as u64;
        self.answers.clear();
    }

    /// The host got a message.
    pub fn got(&mut self, message: MessageType, now: Instant, contexts: usize) {
        self.turn(now, contexts);
        self.received.count(message);
        self.all_received.count(message);
    }

    /// The host got payload.
    pub fn got_payload(&mut self, now: Instant, contexts: usize) {
        self.turn(now, contexts);
        self.payload += 1;
        self.all_payload += 1;
    }

    /// A context was made.
    pub fn made(&mut self, now: Instant, contexts: usize) {
        self.turn(now, contexts);
        self.contexts += 1;
    }

    /// Something happened to so many of the contexts that is a reason to explore or to tell the
    /// peer.
    pub fn reason(&mut self, now: Instant, contexts: usize, concerned: usize) {
        self.turn(now, contexts);
        self.reasons += concerned as u64;
    }

    /// The host sends a message.
    ///
    /// # Errors
    ///
    /// That it sends too many.
    pub fn sends(
        &mut self,
        message: MessageType,
        destination: Locator,
        now: Instant,
        contexts: usize,
    ) -> Result<(), Finding> {
        self.turn(now, contexts);
        self.sent.count(message);
        self.all_sent.count(message);
        if matches!(message, MessageType::R1bis | MessageType::Error) {
            let answers = self.answers.entry(destination.subnet_prefix()).or_insert(0);
            *answers += 1;
            // So many a second, and as many at once to begin with.
            let most = ANSWER_RATE_PEER * (WINDOW as u32 / 1000 + 1);
            if *answers > most {
                let text = format!("more than {most} answers to one peer in 10 s");
                return Err(("storm", text));
            }
        }
        let sent = self.sent.get(message);
        if let Some(most) = self.most(message).filter(|most| sent > *most) {
            let name = message.name();
            let contexts = self.contexts;
            let text = format!("{sent} {name} messages of {contexts} contexts in 10 s, not {most}");
            return Err(("storm", text));
        }
        if let Some(most) = self.most_answers(message) {
            let sent = self.all_sent.get(message);
            if sent > most {
                let text = format!("{sent} {} messages for {most} to answer", message.name());
                return Err(("storm", text));
            }
        }
        Ok(())
    }

    /// The most messages of a type in a window; [`None`] if only what it answers is the limit.
    fn most(&self, message: MessageType) -> Option<u64> {
        let contexts = self.contexts;
        let recent = |message| self.received.get(message) + self.received_before.get(message);
        let reasons = self.reasons + self.reasons_before;
        Some(match message {
            // Probes at 0, 0.4, 0.8, 1.2, 2, 3.6 and 6.8 s if each is as early as can be; one of
            // the exploration before; one for the first packet that is heard. Each Probe that came
            // may be answered and, as each other reason, begin the seven again. Whatever begins
            // them, none is less than 0.4 s behind the last.
            MessageType::Probe => {
                let began = recent(MessageType::Probe) + reasons;
                9 * contexts + began + (7 * began).min(17 * contexts)
            }
            // At least 0.8 times a third of 10 s between two.
            MessageType::Keepalive => 5 * contexts,
            // At least 2 s between two, and one when I2 failed.
            MessageType::I1 => 7 * contexts,
            // At least 2 s between two of the timer, 0.5 s between two that packets cause.
            MessageType::I2 | MessageType::I2bis => 27 * contexts,
            // At least 1 s between two that are new, 2 s between two of the timer, and 1 s between two
            // that confirm pairs.
            MessageType::UpdateRequest => 24 * contexts + reasons,
            MessageType::R1bis | MessageType::Error => u64::from(ANSWER_RATE) * (WINDOW / 1000 + 1),
            MessageType::R1 | MessageType::R2 | MessageType::UpdateAcknowledgement => return None,
        })
    }

    /// The most messages of a type since the beginning, if they only answer others.
    fn most_answers(&self, message: MessageType) -> Option<u64> {
        let got = |message| self.all_received.get(message);
        match message {
            MessageType::R1 => Some(got(MessageType::I1)),
            MessageType::R2 => {
                Some(got(MessageType::I1) + got(MessageType::I2) + got(MessageType::I2bis))
            }
            MessageType::UpdateAcknowledgement => Some(got(MessageType::UpdateRequest)),
            MessageType::R1bis => Some(self.all_received.total() + self.all_payload),
            MessageType::Error => Some(self.all_received.total()),
            _ => None,
        }
    }
}
