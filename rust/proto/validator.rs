// SPDX-License-Identifier: GPL-2.0

//! Responder Nonces and Validators: how a responder knows an exchange again without having kept
//! anything of it (RFC 5533, Sections 5.15.1, 7.10.1 and 7.17.1).
//!
//! The nonce is a counter that tells its age, the validator a keyed hash over it and what the
//! exchange is about. Nobody but this host reads it, so it is SipHash twice, with two keys: 128 bits
//! that cost a flood of I1 as little as possible. Keys change by themselves whenever a validator is
//! issued late enough, so no timer is needed; how long a key is good for depends on the time alone.

use core::hint::black_box;

use super::{
    crypto::KeyedHash,
    locator::Locator,
    number::{
        Fii,
        Nonce, //
    },
    octets::joined,
    random::Random,
    tag::ContextTag,
    time::Instant,
    wire::{
        message::{
            Arrival,
            I2bis,
            I1,
            I2, //
        },
        option::UlidPairOption, //
    }, //
};

/// A validator: contents of the Responder Validator option.
pub type Validator = [u8; 16];

/// Why a validator proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ValidatorError {
    /// The Responder Nonce is too old, or none that this host has used lately.
    Stale,
    /// The validator is not the one for this nonce and this exchange.
    Wrong,
}

/// What the exchange that R1 goes on with is about. Initiator Nonces are not among it: an
/// initiator may take another one for its I2 (RFC 5533, Section 7.11).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct R1Subject {
    /// The tag that the initiator allocated.
    pub initiator_tag: ContextTag,
    /// The ULIDs: the sender is the initiator.
    pub ulids: UlidPairOption,
    /// Source of I1 and I2.
    pub source: Locator,
    /// Destination of I1 and I2.
    pub destination: Locator,
    /// The instance.
    pub fii: Fii,
}

impl R1Subject {
    /// What an I1 is about.
    pub fn of_i1(arrival: &Arrival, message: &I1) -> Self {
        Self {
            initiator_tag: message.initiator_tag,
            ulids: ulids(arrival, message.ulid_pair),
            source: arrival.source,
            destination: arrival.destination,
            fii: message.fii,
        }
    }

    /// What an I2 is about.
    pub fn of_i2(arrival: &Arrival, message: &I2<'_>) -> Self {
        Self {
            initiator_tag: message.initiator_tag,
            ulids: ulids(arrival, message.ulid_pair),
            source: arrival.source,
            destination: arrival.destination,
            fii: message.fii,
        }
    }

    /// What the validator for this nonce is a hash of.
    fn hashed(&self, nonce: Nonce) -> [u8; 79] {
        joined(&[
            &[0x01],
            &nonce.to_wire(),
            &self.initiator_tag.to_control(),
            self.ulids.sender.as_octets(),
            self.ulids.receiver.as_octets(),
            self.source.as_octets(),
            self.destination.as_octets(),
            &self.fii.to_wire(),
        ])
    }
}

/// The ULIDs of a message: those of the option, or the addresses of the packet.
fn ulids(arrival: &Arrival, option: Option<UlidPairOption>) -> UlidPairOption {
    option.unwrap_or(UlidPairOption {
        sender: arrival.source.as_ulid(),
        receiver: arrival.destination.as_ulid(),
    })
}

/// What the exchange that R1bis goes on with is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct R1bisSubject {
    /// The tag that is not known.
    pub packet_tag: ContextTag,
    /// Source of the packet with the tag, and of I2bis.
    pub source: Locator,
    /// Destination of the packet with the tag, and of I2bis.
    pub destination: Locator,
}

impl R1bisSubject {
    /// What an I2bis is about.
    pub fn of_i2bis(arrival: &Arrival, message: &I2bis<'_>) -> Self {
        Self {
            packet_tag: message.packet_tag,
            source: arrival.source,
            destination: arrival.destination,
        }
    }

    /// What the validator for this nonce is a hash of.
    fn hashed(&self, nonce: Nonce) -> [u8; 43] {
        joined(&[
            &[0x02],
            &nonce.to_wire(),
            &self.packet_tag.to_control(),
            self.source.as_octets(),
            self.destination.as_octets(),
        ])
    }
}

/// A secret and when it was made.
#[derive(Clone, Copy)]
struct Secret {
    /// For each half of a validator.
    keys: [[u64; 2]; 2],
    made: Instant,
}

impl Secret {
    /// How long validators are made with a secret, in milliseconds. The RFC asks to change it
    /// periodically (RFC 5533, Section 16.2).
    const ISSUING: u64 = 600_000;

    /// How long validators are checked with it: longer than the last of them can be fresh.
    const CHECKING: u64 = Self::ISSUING + 60_000;

    fn new(random: &mut impl Random, now: Instant) -> Self {
        let mut key = || [random.u64(), random.u64()];
        Self {
            keys: [key(), key()],
            made: now,
        }
    }

    /// The validator for what is hashed.
    fn validator(&self, hash: &impl KeyedHash, hashed: &[u8]) -> Validator {
        let [first, second] = self
            .keys
            .map(|key| hash.siphash(&key, hashed).to_le_bytes());
        joined(&[&first, &second])
    }

    fn age(&self, now: Instant) -> u64 {
        now.as_millis().saturating_sub(self.made.as_millis())
    }

    fn issues(&self, now: Instant) -> bool {
        self.age(now) < Self::ISSUING
    }

    fn checks(&self, now: Instant) -> bool {
        self.age(now) < Self::CHECKING
    }
}

/// The secrets and the counter of a host that answers I1, and packets with unknown tags.
pub struct Validators {
    first_count: u32,
    current: Option<Secret>,
    previous: Option<Secret>,
}

impl Validators {
    /// How long the counter keeps a value, in milliseconds.
    const TICK: u64 = 10_000;

    /// The oldest value of the counter that is accepted: validators are good for 30 to 40
    /// seconds, and 30 is the least that the RFC allows (RFC 5533, Section 14).
    const MAX_AGE: u32 = 3;

    /// Without a secret yet: it is made when it is needed.
    pub fn new(random: &mut impl Random) -> Self {
        Self {
            first_count: random.u32(),
            current: None,
            previous: None,
        }
    }

    /// Responder Nonce and validator for R1.
    pub fn issue_r1(
        &mut self,
        hash: &impl KeyedHash,
        random: &mut impl Random,
        now: Instant,
        subject: &R1Subject,
    ) -> (Nonce, Validator) {
        let nonce = self.nonce(now);
        let secret = self.secret(random, now);
        (nonce, secret.validator(hash, &subject.hashed(nonce)))
    }

    /// Responder Nonce and validator for R1bis.
    pub fn issue_r1bis(
        &mut self,
        hash: &impl KeyedHash,
        random: &mut impl Random,
        now: Instant,
        subject: &R1bisSubject,
    ) -> (Nonce, Validator) {
        let nonce = self.nonce(now);
        let secret = self.secret(random, now);
        (nonce, secret.validator(hash, &subject.hashed(nonce)))
    }

    /// Checks Responder Nonce and validator of an I2 that is about `subject`.
    ///
    /// # Errors
    ///
    /// [`ValidatorError`].
    pub fn check_i2(
        &self,
        hash: &impl KeyedHash,
        now: Instant,
        nonce: Nonce,
        validator: &[u8],
        subject: &R1Subject,
    ) -> Result<(), ValidatorError> {
        self.check(hash, now, nonce, validator, &subject.hashed(nonce))
    }

    /// Checks Responder Nonce and validator of an I2bis that is about `subject`.
    ///
    /// # Errors
    ///
    /// [`ValidatorError`].
    pub fn check_i2bis(
        &self,
        hash: &impl KeyedHash,
        now: Instant,
        nonce: Nonce,
        validator: &[u8],
        subject: &R1bisSubject,
    ) -> Result<(), ValidatorError> {
        self.check(hash, now, nonce, validator, &subject.hashed(nonce))
    }

    /// The value of the counter.
    fn nonce(&self, now: Instant) -> Nonce {
        let ticks = now.as_millis() / Self::TICK;
        Nonce::new(self.first_count.wrapping_add(ticks as u32))
    }

    /// The secret to issue validators with: a new one if the time of the old is over. What cannot
    /// be checked with any more is forgotten.
    fn secret(&mut self, random: &mut impl Random, now: Instant) -> Secret {
        let current = match self.current.filter(|secret| secret.issues(now)) {
            Some(secret) => secret,
            None => {
                self.previous = self.current;
                Secret::new(random, now)
            }
        };
        self.current = Some(current);
        self.previous = self.previous.filter(|secret| secret.checks(now));
        current
    }

    /// Compares a validator with what each secret that is still good makes of what is hashed.
    fn check(
        &self,
        hash: &impl KeyedHash,
        now: Instant,
        nonce: Nonce,
        validator: &[u8],
        hashed: &[u8],
    ) -> Result<(), ValidatorError> {
        let age = self.nonce(now).get().wrapping_sub(nonce.get());
        if age > Self::MAX_AGE {
            return Err(ValidatorError::Stale);
        }
        let is_right = [&self.current, &self.previous]
            .into_iter()
            .flatten()
            .filter(|secret| secret.checks(now))
            .any(|secret| equal(&secret.validator(hash, hashed), validator));

        if is_right {
            Ok(())
        } else {
            Err(ValidatorError::Wrong)
        }
    }
}

/// Compares without telling by its duration where the first difference is.
fn equal(expected: &Validator, received: &[u8]) -> bool {
    let Ok(received) = <&Validator>::try_from(received) else {
        return false;
    };
    let difference = expected
        .iter()
        .zip(received)
        .fold(0, |difference, (a, b)| black_box(difference | (a ^ b)));
    difference == 0
}
