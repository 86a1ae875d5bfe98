// SPDX-License-Identifier: GPL-2.0

//! Responder Nonces and Validators: how a responder knows an exchange again without having kept
//! anything of it (RFC 5533, Sections 5.15.1, 7.10.1 and 7.17.1).
//!
//! The nonce is a counter that tells its age, the validator a keyed hash over it and what the
//! exchange is about. Keys change by themselves whenever a validator is issued late enough, so no
//! timer is needed; how long a key is good for depends on the time alone.

use core::hint::black_box;

use super::{
    crypto::Digests,
    locator::Locator,
    number::{
        Fii,
        Nonce, //
    },
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
pub type Validator = [u8; 32];

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

    /// The validator for this nonce.
    fn validator(&self, digests: &impl Digests, secret: &[u8; 32], nonce: Nonce) -> Validator {
        digests.hmac_sha256(
            secret,
            &[
                &[0x01],
                &nonce.to_wire(),
                &self.initiator_tag.to_control(),
                self.ulids.sender.as_octets(),
                self.ulids.receiver.as_octets(),
                self.source.as_octets(),
                self.destination.as_octets(),
                &self.fii.to_wire(),
            ],
        )
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

    /// The validator for this nonce.
    fn validator(&self, digests: &impl Digests, secret: &[u8; 32], nonce: Nonce) -> Validator {
        digests.hmac_sha256(
            secret,
            &[
                &[0x02],
                &nonce.to_wire(),
                &self.packet_tag.to_control(),
                self.source.as_octets(),
                self.destination.as_octets(),
            ],
        )
    }
}

/// A secret and when it was made.
#[derive(Clone, Copy)]
struct Secret {
    octets: [u8; 32],
    made: Instant,
}

impl Secret {
    /// How long validators are made with a secret, in milliseconds. The RFC asks to change it
    /// periodically (RFC 5533, Section 16.2).
    const ISSUING: u64 = 600_000;

    /// How long validators are checked with it: longer than the last of them can be fresh.
    const CHECKING: u64 = Self::ISSUING + 60_000;

    fn new(random: &mut impl Random, now: Instant) -> Self {
        let mut octets = [0; 32];
        for chunk in octets.chunks_exact_mut(8) {
            for (octet, value) in chunk.iter_mut().zip(random.u64().to_ne_bytes()) {
                *octet = value;
            }
        }
        Self { octets, made: now }
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
        digests: &impl Digests,
        random: &mut impl Random,
        now: Instant,
        subject: &R1Subject,
    ) -> (Nonce, Validator) {
        let nonce = self.nonce(now);
        let secret = self.secret(random, now);
        (nonce, subject.validator(digests, &secret, nonce))
    }

    /// Responder Nonce and validator for R1bis.
    pub fn issue_r1bis(
        &mut self,
        digests: &impl Digests,
        random: &mut impl Random,
        now: Instant,
        subject: &R1bisSubject,
    ) -> (Nonce, Validator) {
        let nonce = self.nonce(now);
        let secret = self.secret(random, now);
        (nonce, subject.validator(digests, &secret, nonce))
    }

    /// Checks Responder Nonce and validator of an I2 that is about `subject`.
    ///
    /// # Errors
    ///
    /// [`ValidatorError`].
    pub fn check_i2(
        &self,
        digests: &impl Digests,
        now: Instant,
        nonce: Nonce,
        validator: &[u8],
        subject: &R1Subject,
    ) -> Result<(), ValidatorError> {
        self.check(now, nonce, validator, |secret| {
            subject.validator(digests, secret, nonce)
        })
    }

    /// Checks Responder Nonce and validator of an I2bis that is about `subject`.
    ///
    /// # Errors
    ///
    /// [`ValidatorError`].
    pub fn check_i2bis(
        &self,
        digests: &impl Digests,
        now: Instant,
        nonce: Nonce,
        validator: &[u8],
        subject: &R1bisSubject,
    ) -> Result<(), ValidatorError> {
        self.check(now, nonce, validator, |secret| {
            subject.validator(digests, secret, nonce)
        })
    }

    /// The value of the counter.
    fn nonce(&self, now: Instant) -> Nonce {
        let ticks = now.as_millis() / Self::TICK;
        Nonce::new(self.first_count.wrapping_add(ticks as u32))
    }

    /// The secret to issue validators with: a new one if the time of the old is over. What cannot
    /// be checked with any more is forgotten.
    fn secret(&mut self, random: &mut impl Random, now: Instant) -> [u8; 32] {
        let current = match self.current.filter(|secret| secret.issues(now)) {
            Some(secret) => secret,
            None => {
                self.previous = self.current;
                Secret::new(random, now)
            }
        };
        self.current = Some(current);
        self.previous = self.previous.filter(|secret| secret.checks(now));
        current.octets
    }

    /// Compares a validator with what `expected` makes of each secret that is still good.
    fn check(
        &self,
        now: Instant,
        nonce: Nonce,
        validator: &[u8],
        expected: impl Fn(&[u8; 32]) -> Validator,
    ) -> Result<(), ValidatorError> {
        let age = self.nonce(now).get().wrapping_sub(nonce.get());
        if age > Self::MAX_AGE {
            return Err(ValidatorError::Stale);
        }
        let is_right = [&self.current, &self.previous]
            .into_iter()
            .flatten()
            .filter(|secret| secret.checks(now))
            .any(|secret| equal(&expected(&secret.octets), validator));

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
