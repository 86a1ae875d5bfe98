// SPDX-License-Identifier: GPL-2.0

//! Responder Nonces and Validators, rule by rule: how long they and their secrets are good (RFC
//! 5533, Sections 5.15.1, 7.10.1 and 7.17.1). `validator_subject` is about what they are made of.

use proptest::prelude::*;
use shim6_proto::{
    number::{
        Fii,
        Nonce, //
    },
    random::Random,
    tag::ContextTag,
    time::Instant,
    validator::{
        R1Subject,
        R1bisSubject,
        Validator,
        ValidatorError,
        Validators, //
    },
    wire::option::UlidPairOption, //
};

use crate::{
    crypto::{
        HostDigests,
        Predictable, //
    },
    support::{
        locator,
        ulid, //
    }, //
};

pub(crate) const TAG: ContextTag = ContextTag::from_low_bits(0x1122_3344_5566);
pub(crate) const TICK: u64 = 10_000;
const MINUTE: u64 = 60_000;

pub(crate) fn r1_subject() -> R1Subject {
    R1Subject {
        initiator_tag: TAG,
        ulids: UlidPairOption {
            sender: ulid("2001:db8:1::1"),
            receiver: ulid("2001:db8:2::2"),
        },
        source: locator("2001:db8:3::3"),
        destination: locator("2001:db8:4::4"),
        fii: Fii::new(0x0708_090a),
    }
}

pub(crate) fn r1bis_subject() -> R1bisSubject {
    R1bisSubject {
        packet_tag: TAG,
        source: locator("2001:db8:3::3"),
        destination: locator("2001:db8:4::4"),
    }
}

/// A host, its randomness and its hash functions.
pub(crate) struct Host {
    pub(crate) validators: Validators,
    random: Predictable,
    pub(crate) digests: HostDigests,
}

impl Host {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Predictable(seed);
        Self {
            validators: Validators::new(&mut random),
            random,
            digests: HostDigests::default(),
        }
    }

    /// Issues a validator for [`r1_subject`].
    pub(crate) fn r1(&mut self, now: u64) -> (Nonce, Validator) {
        let now = Instant::from_millis(now);
        self.validators
            .issue_r1(&self.digests, &mut self.random, now, &r1_subject())
    }

    /// Issues a validator for [`r1bis_subject`].
    pub(crate) fn r1bis(&mut self, now: u64) -> (Nonce, Validator) {
        let now = Instant::from_millis(now);
        self.validators
            .issue_r1bis(&self.digests, &mut self.random, now, &r1bis_subject())
    }

    pub(crate) fn check_i2(
        &self,
        now: u64,
        (nonce, validator): (Nonce, Validator),
    ) -> Result<(), ValidatorError> {
        let now = Instant::from_millis(now);
        self.validators
            .check_i2(&self.digests, now, nonce, &validator, &r1_subject())
    }

    pub(crate) fn check_i2bis(
        &self,
        now: u64,
        (nonce, validator): (Nonce, Validator),
    ) -> Result<(), ValidatorError> {
        let now = Instant::from_millis(now);
        self.validators
            .check_i2bis(&self.digests, now, nonce, &validator, &r1bis_subject())
    }

    /// How many secrets are still good: a check of a wrong validator with a fresh nonce takes two
    /// hashes for each.
    fn good_secrets(&mut self, now: u64) -> usize {
        let nonce = {
            // Another host with the same counter, so that this one does not change.
            let mut twin = Self::new(SEED);
            twin.r1(now).0
        };
        let before = self.digests.calls.get();
        assert_eq!(
            self.check_i2(now, (nonce, [0; 16])),
            Err(ValidatorError::Wrong)
        );
        (self.digests.calls.get() - before) / 2
    }
}

/// The seed of [`Host::good_secrets`].
const SEED: u64 = 4711;

/// Randomness that begins with a given counter.
pub(crate) struct Beginning(pub(crate) Option<u32>, pub(crate) Predictable);

impl Random for Beginning {
    fn u32(&mut self) -> u32 {
        let next = self.1.u32();
        self.0.take().unwrap_or(next)
    }

    fn u64(&mut self) -> u64 {
        self.1.u64()
    }
}

// Age.

/// Good for three ticks after the one that it was issued in, which is 30 to 40 seconds; also when
/// the counter wraps around meanwhile.
#[test]
fn ages() {
    for first_count in [0, 1, 0x1234_5678, u32::MAX - 8, u32::MAX - 4, u32::MAX] {
        for (issued, ticks) in (0..8).flat_map(|i| (0..=5).map(move |ticks| (i, ticks))) {
            for (offset_issued, offset_checked) in
                [(0, 0), (0, TICK - 1), (TICK - 1, 0), (TICK - 1, TICK - 1)]
            {
                if ticks == 0 && offset_checked < offset_issued {
                    continue;
                }
                let random = &mut Beginning(Some(first_count), Predictable(1));
                let mut host = Host {
                    validators: Validators::new(random),
                    ..Host::new(1)
                };
                let validator = host.r1(issued * TICK + offset_issued);
                assert_eq!(
                    validator.0.get(),
                    first_count.wrapping_add(issued as u32),
                    "the counter"
                );
                let now = (issued + ticks) * TICK + offset_checked;
                let expected = if ticks <= 3 {
                    Ok(())
                } else {
                    Err(ValidatorError::Stale)
                };
                assert_eq!(host.check_i2(now, validator), expected, "{ticks} ticks");
            }
        }
    }
}

#[test]
fn at_least_thirty_seconds() {
    for issued in (0..30_000).step_by(997) {
        let mut host = Host::new(5);
        let (r1, r1bis) = (host.r1(issued), host.r1bis(issued));
        assert_eq!(host.check_i2(issued + 30_000, r1), Ok(()));
        assert_eq!(host.check_i2bis(issued + 30_000, r1bis), Ok(()));
        assert_eq!(
            host.check_i2(issued + 40_000, r1),
            Err(ValidatorError::Stale)
        );
        assert_eq!(
            host.check_i2bis(issued + 40_000, r1bis),
            Err(ValidatorError::Stale)
        );
    }
}

/// A nonce that has not been used yet is as bad as an old one, and neither costs a hash.
#[test]
fn nonces_of_another_time() {
    let mut host = Host::new(5);
    let (nonce, validator) = host.r1(MINUTE);
    let hashes = host.digests.calls.get();
    for distance in [1, 2, 1000, 0x8000_0000, u32::MAX - 3] {
        let nonce = Nonce::new(nonce.get().wrapping_add(distance));
        assert_eq!(
            host.check_i2(MINUTE, (nonce, validator)),
            Err(ValidatorError::Stale)
        );
        assert_eq!(
            host.check_i2bis(MINUTE, (nonce, validator)),
            Err(ValidatorError::Stale)
        );
    }
    assert_eq!(host.digests.calls.get(), hashes);
}

/// A nonce that is recent, but not the one that the validator is for.
#[test]
fn validator_of_another_nonce() {
    let mut host = Host::new(5);
    let (nonce, validator) = host.r1(MINUTE);
    for back in 1..=3 {
        let nonce = Nonce::new(nonce.get().wrapping_sub(back));
        assert_eq!(
            host.check_i2(MINUTE, (nonce, validator)),
            Err(ValidatorError::Wrong)
        );
    }
}

/// One that is wrong in an octet or two, also if both differ in the same bits.
#[test]
fn nearly_right_validator() {
    let mut host = Host::new(6);
    let (nonce, validator) = host.r1(MINUTE);
    let change = |first: usize, second: usize| {
        let mut changed = validator;
        changed[first] ^= 0x40;
        if second != first {
            changed[second] ^= 0x40;
        }
        changed
    };
    for (first, second) in (0..16).flat_map(|first| (0..16).map(move |second| (first, second))) {
        assert_eq!(
            host.check_i2(MINUTE, (nonce, change(first, second))),
            Err(ValidatorError::Wrong),
            "octets {first} and {second}"
        );
    }
    assert_eq!(host.check_i2(MINUTE, (nonce, validator)), Ok(()));
}

// Secrets.

/// A secret is used for ten minutes; what was issued with it stays good.
#[test]
fn change_of_the_secret() {
    for first in [0, 1, 12_345, 7 * MINUTE] {
        let mut host = Host::new(SEED);
        let before = host.r1(first);
        assert_eq!(host.good_secrets(first), 1);

        // Just before the change, then just behind it.
        let last = first + 10 * MINUTE - 1;
        let old = host.r1(last);
        assert_eq!(host.good_secrets(last), 1);
        let new = host.r1(last + 1);
        assert_ne!(old.1, new.1);
        assert_eq!(host.good_secrets(last + 1), 2);

        assert_eq!(host.check_i2(last + 1, old), Ok(()));
        assert_eq!(host.check_i2(last + 30_000, old), Ok(()));
        assert_eq!(host.check_i2(last + 30_000, new), Ok(()));
        assert_eq!(host.check_i2(last, before), Err(ValidatorError::Stale));
    }
}

/// The old secret is tried for a minute, and not for the life of the new one.
#[test]
fn end_of_the_old_secret() {
    let mut host = Host::new(SEED);
    host.r1(0);
    host.r1(10 * MINUTE);
    assert_eq!(host.good_secrets(11 * MINUTE - 1), 2);
    assert_eq!(host.good_secrets(11 * MINUTE), 1);
    host.r1(12 * MINUTE);
    assert_eq!(host.good_secrets(12 * MINUTE), 1);
}

/// A secret ages while nothing happens. It ends when it would have ended otherwise.
#[test]
fn idle_time() {
    for (idle, checked, after_issue) in [
        (10 * MINUTE, 1, 2),
        (10 * MINUTE + 59_999, 1, 2),
        (11 * MINUTE, 0, 1),
        (20 * MINUTE, 0, 1),
        (u64::from(u32::MAX) * 3, 0, 1),
    ] {
        let mut host = Host::new(SEED);
        host.r1(0);
        assert_eq!(host.good_secrets(idle), checked, "after {idle} ms");
        let issued = host.r1(idle);
        assert_eq!(host.good_secrets(idle), after_issue, "after {idle} ms");
        assert_eq!(host.check_i2(idle, issued), Ok(()));
    }
}

/// What was not issued cannot be checked.
#[test]
fn no_secret_yet() {
    assert_eq!(Host::new(SEED).good_secrets(0), 0);
}

proptest! {
    /// However often validators are issued: each is good for 30 seconds, and none for more than
    /// 40; at most two secrets are good at a time.
    #[test]
    fn lifetimes(seed: u64, pauses in prop::collection::vec(0_u64..700_000, 1..40)) {
        let mut host = Host::new(seed);
        let mut issued = Vec::new();
        let mut now = seed >> 24;

        for pause in pauses {
            now += pause;
            for (at, validator) in &issued {
                match now - at {
                    0..=30_000 => prop_assert_eq!(host.check_i2(now, *validator), Ok(())),
                    40_000.. => prop_assert!(host.check_i2(now, *validator).is_err()),
                    _ => {}
                }
            }
            issued.push((now, host.r1(now)));
        }
    }

    #[test]
    fn any_validator(
        nonce: u32,
        octets in prop::collection::vec(any::<u8>(), 0..70),
        now: u64,
    ) {
        let mut host = Host::new(7);
        host.r1(now);
        let result = host.validators.check_i2(
            &host.digests,
            Instant::from_millis(now),
            Nonce::new(nonce),
            &octets,
            &r1_subject(),
        );
        prop_assert!(result.is_err());
    }
}
