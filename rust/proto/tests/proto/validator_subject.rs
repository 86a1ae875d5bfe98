// SPDX-License-Identifier: GPL-2.0

//! What a validator is about: every field of it counts (RFC 5533, Sections 7.10.1 and 7.17.1).

use std::cell::RefCell;

use shim6_proto::{
    crypto::KeyedHash,
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
        ValidatorError,
        Validators, //
    },
    wire::{
        message::{
            Arrival,
            I2bis,
            I1,
            I2, //
        },
        option::{
            HostOptions,
            UlidPairOption, //
        }, //
    }, //
};

use crate::{
    crypto::{
        siphash,
        HostDigests,
        Predictable, //
    },
    support::{
        arrival,
        locator,
        ulid, //
    },
    validator::{
        r1_subject,
        r1bis_subject,
        Beginning,
        Host,
        TAG,
        TICK, //
    }, //
};

/// All subjects that differ from [`r1_subject`] in one field, and one with source and destination
/// exchanged.
fn other_r1_subjects() -> Vec<R1Subject> {
    let subject = r1_subject();
    let other = locator("2001:db8:3::4");
    vec![
        R1Subject {
            initiator_tag: ContextTag::from_low_bits(TAG.get() ^ 1),
            ..subject
        },
        R1Subject {
            initiator_tag: ContextTag::from_low_bits(TAG.get() ^ (1 << 46)),
            ..subject
        },
        R1Subject {
            ulids: UlidPairOption {
                sender: other.as_ulid(),
                ..subject.ulids
            },
            ..subject
        },
        R1Subject {
            ulids: UlidPairOption {
                receiver: other.as_ulid(),
                ..subject.ulids
            },
            ..subject
        },
        R1Subject {
            source: other,
            ..subject
        },
        R1Subject {
            destination: other,
            ..subject
        },
        R1Subject {
            source: subject.destination,
            destination: subject.source,
            ..subject
        },
        R1Subject {
            fii: Fii::DEFAULT,
            ..subject
        },
    ]
}

#[test]
fn every_field_of_r1_counts() {
    let mut host = Host::new(6);
    let (nonce, validator) = host.r1(0);
    let now = Instant::from_millis(0);
    let check = |subject: &_| {
        host.validators
            .check_i2(&host.digests, now, nonce, &validator, subject)
    };
    assert_eq!(check(&r1_subject()), Ok(()));
    for subject in other_r1_subjects() {
        assert_eq!(check(&subject), Err(ValidatorError::Wrong), "{subject:?}");
    }
}

#[test]
fn every_field_of_r1bis_counts() {
    let mut host = Host::new(6);
    let (nonce, validator) = host.r1bis(0);
    let now = Instant::from_millis(0);
    let check = |subject: &_| {
        host.validators
            .check_i2bis(&host.digests, now, nonce, &validator, subject)
    };
    let subject = r1bis_subject();
    assert_eq!(check(&subject), Ok(()));
    for other in [
        R1bisSubject {
            packet_tag: ContextTag::from_low_bits(TAG.get() ^ 1),
            ..subject
        },
        R1bisSubject {
            source: locator("2001:db8::"),
            ..subject
        },
        R1bisSubject {
            destination: locator("2001:db8::"),
            ..subject
        },
        R1bisSubject {
            source: subject.destination,
            destination: subject.source,
            ..subject
        },
    ] {
        assert_eq!(check(&other), Err(ValidatorError::Wrong), "{other:?}");
    }
}

/// What one message gave does not open the other door.
#[test]
fn r1_and_r1bis_are_told_apart() {
    let mut host = Host::new(6);
    let (r1, r1bis) = (host.r1(0), host.r1bis(0));
    assert_eq!(host.check_i2(0, r1bis), Err(ValidatorError::Wrong));
    assert_eq!(host.check_i2bis(0, r1), Err(ValidatorError::Wrong));
}

#[test]
fn validators_of_another_length() {
    let mut host = Host::new(6);
    let (nonce, validator) = host.r1(0);
    let longer = [validator.as_slice(), &[0]].concat();
    for octets in [[].as_slice(), &validator[..15], &longer] {
        let result = host.validators.check_i2(
            &host.digests,
            Instant::from_millis(0),
            nonce,
            octets,
            &r1_subject(),
        );
        assert_eq!(result, Err(ValidatorError::Wrong));
    }
}

#[test]
fn every_bit_of_a_validator_counts() {
    let mut host = Host::new(6);
    let (nonce, validator) = host.r1(0);
    for bit in 0..128 {
        let mut changed = validator;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            host.check_i2(0, (nonce, changed)),
            Err(ValidatorError::Wrong),
            "bit {bit}"
        );
    }
}

#[test]
fn validators_of_another_host() {
    let (mut one, mut two) = (Host::new(1), Host::new(2));
    let (nonce, validator) = one.r1(0);
    let (other_nonce, other_validator) = two.r1(0);
    assert_ne!(nonce, other_nonce);
    assert_ne!(validator, other_validator);
    assert_eq!(
        one.check_i2(0, (nonce, other_validator)),
        Err(ValidatorError::Wrong)
    );
}

/// Keeps what is hashed, and with which keys.
#[derive(Default)]
struct Recorder(RefCell<Vec<([u64; 2], Vec<u8>)>>);

impl KeyedHash for Recorder {
    fn siphash(&self, key: &[u64; 2], octets: &[u8]) -> u64 {
        self.0.borrow_mut().push((*key, octets.to_vec()));
        0
    }
}

impl Recorder {
    /// What was hashed for one validator, twice with keys that have nothing in common.
    fn take(&self) -> Vec<u8> {
        let hashed = self.0.take();
        let [(one, octets), (other, again)] = &hashed[..] else {
            panic!("{hashed:?}");
        };
        assert_eq!(octets, again);
        assert!(one.iter().all(|word| !other.contains(word)));
        octets.clone()
    }
}

#[test]
fn hashed_octets() {
    let now = Instant::from_millis(3 * TICK);
    let mut random = Beginning(Some(0x0a0b_0c0d), Predictable(1));
    let mut validators = Validators::new(&mut random);
    let recorder = Recorder::default();

    let (nonce, _) = validators.issue_r1(&recorder, &mut random, now, &r1_subject());
    assert_eq!(nonce.get(), 0x0a0b_0c10);
    let expected = [
        hex::decode("01 0a0b0c10 112233445566".replace(' ', "")).unwrap(),
        ulid("2001:db8:1::1").octets().to_vec(),
        ulid("2001:db8:2::2").octets().to_vec(),
        locator("2001:db8:3::3").octets().to_vec(),
        locator("2001:db8:4::4").octets().to_vec(),
        vec![7, 8, 9, 10],
    ];
    assert_eq!(recorder.take(), expected.concat());

    validators.issue_r1bis(&recorder, &mut random, now, &r1bis_subject());
    let expected = [
        hex::decode("02 0a0b0c10 112233445566".replace(' ', "")).unwrap(),
        locator("2001:db8:3::3").octets().to_vec(),
        locator("2001:db8:4::4").octets().to_vec(),
    ];
    assert_eq!(recorder.take(), expected.concat());
}

/// By the paper on SipHash, Appendix A: what the tests take for it is it.
#[test]
fn siphash_of_the_paper() {
    let octets: Vec<u8> = (0..15).collect();
    let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
    assert_eq!(siphash(&key, &octets), 0xa129_ca61_49be_45e5);
}

/// 0x0a0b0c0d, then keys of equal digits.
struct Digits(u64);

impl Random for Digits {
    fn u32(&mut self) -> u32 {
        0x0a0b_0c0d
    }

    fn u64(&mut self) -> u64 {
        self.0 += 1;
        self.0 * 0x1111_1111_1111_1111
    }
}

/// A whole validator, computed by a program in another language that has the paper's vector.
#[test]
fn golden_validator() {
    let mut random = Digits(0);
    let mut validators = Validators::new(&mut random);
    let now = Instant::from_millis(3 * TICK);
    let digests = HostDigests::default();
    let (_, validator) = validators.issue_r1(&digests, &mut random, now, &r1_subject());
    assert_eq!(hex::encode(validator), "019e9c4a9bfce63348f25c583de91a4d");
}

fn i1(ulid_pair: Option<UlidPairOption>) -> I1 {
    I1 {
        initiator_tag: TAG,
        initiator_nonce: Nonce::new(1),
        ulid_pair,
        fii: Fii::new(7),
    }
}

fn i2(ulid_pair: Option<UlidPairOption>) -> I2<'static> {
    I2 {
        initiator_tag: TAG,
        // Another one than in I1, which is allowed.
        initiator_nonce: Nonce::new(2),
        responder_nonce: Nonce::new(3),
        validator: &[],
        ulid_pair,
        fii: Fii::new(7),
        host: HostOptions::default(),
    }
}

#[test]
fn i1_and_its_i2_have_the_same_subject() {
    let Arrival {
        source,
        destination,
        ..
    } = arrival();
    let pair = r1_subject().ulids;
    let addresses = UlidPairOption {
        sender: source.as_ulid(),
        receiver: destination.as_ulid(),
    };

    for (option, ulids) in [(None, addresses), (Some(pair), pair)] {
        let subject = R1Subject::of_i1(&arrival(), &i1(option));
        assert_eq!(subject, R1Subject::of_i2(&arrival(), &i2(option)));
        assert_eq!(
            subject,
            R1Subject {
                initiator_tag: TAG,
                ulids,
                source,
                destination,
                fii: Fii::new(7),
            }
        );
    }
}

#[test]
fn subject_of_i2bis() {
    let message = I2bis {
        initiator_tag: ContextTag::from_low_bits(1),
        initiator_nonce: Nonce::new(2),
        responder_nonce: Nonce::new(3),
        packet_tag: TAG,
        validator: &[],
        ulid_pair: None,
        fii: Fii::DEFAULT,
        host: HostOptions::default(),
    };
    assert_eq!(
        R1bisSubject::of_i2bis(&arrival(), &message),
        R1bisSubject {
            packet_tag: TAG,
            source: arrival().source,
            destination: arrival().destination,
        }
    );
}
