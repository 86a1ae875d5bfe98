// SPDX-License-Identifier: GPL-2.0

//! Responder Nonces and Validators over time.

use arbitrary::{
    Result,
    Unstructured, //
};
use shim6_proto::{
    locator::{
        Locator,
        Ulid, //
    },
    number::{
        Fii,
        Nonce, //
    },
    tag::ContextTag,
    time::Instant,
    validator::{
        R1Subject,
        R1bisSubject,
        Validator,
        Validators, //
    },
    wire::option::UlidPairOption, //
};

use crate::crypto::{
    HostDigests,
    Predictable, //
};

/// What an exchange is about.
#[derive(Clone, Copy, PartialEq)]
enum Subject {
    R1(R1Subject),
    R1bis(R1bisSubject),
}

/// What was once issued, and when, in milliseconds.
struct Issued {
    subject: Subject,
    nonce: Nonce,
    validator: Validator,
    at: u64,
}

/// A validator is good for 30 seconds at least and 40 at most, for what it was issued for and
/// nothing else.
pub fn validator(data: &[u8]) {
    let _ = run(&mut Unstructured::new(data));
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let digests = HostDigests::default();
    let mut random = Predictable(u.arbitrary()?);
    let mut validators = Validators::new(&mut random);
    let mut now: u64 = u.arbitrary::<u32>()?.into();
    let mut known: Vec<Issued> = vec![];

    for _ in 0..200 {
        let at = Instant::from_millis(now);
        match u.int_in_range(0..=4)? {
            0 => {
                let subject = subject(u)?;
                let (nonce, validator) = match &subject {
                    Subject::R1(s) => validators.issue_r1(&digests, &mut random, at, s),
                    Subject::R1bis(s) => validators.issue_r1bis(&digests, &mut random, at, s),
                };
                known.push(Issued {
                    subject,
                    nonce,
                    validator,
                    at: now,
                });
            }
            1 => now += u64::from(u.arbitrary::<u16>()?),
            2 => now += u64::from(u.arbitrary::<u32>()?),
            _ if known.is_empty() => {}
            _ => {
                let issued = u.choose(&known)?;
                let (nonce, validator, subject) = presented(u, issued)?;
                let result = match &subject {
                    Subject::R1(s) => validators.check_i2(&digests, at, nonce, &validator, s),
                    Subject::R1bis(s) => validators.check_i2bis(&digests, at, nonce, &validator, s),
                };
                let ages = known.iter().filter(|one| {
                    one.nonce == nonce && one.subject == subject && one.validator[..] == validator
                });
                match ages.map(|one| now - one.at).min() {
                    None => assert!(result.is_err()),
                    Some(0..=30_000) => assert_eq!(result, Ok(())),
                    Some(30_001..=40_000) => {}
                    Some(_) => assert!(result.is_err()),
                }
            }
        }
    }
    Ok(())
}

/// What was issued, as it is or with something changed.
fn presented(u: &mut Unstructured<'_>, issued: &Issued) -> Result<(Nonce, Vec<u8>, Subject)> {
    let mut nonce = issued.nonce;
    let mut validator = issued.validator.to_vec();
    let mut about = issued.subject;
    match u.int_in_range(0..=7)? {
        0 => nonce = Nonce::new(nonce.get().wrapping_add_signed(u.arbitrary::<i8>()?.into())),
        1 => {
            let at = u.choose_index(validator.len())?;
            validator[at] ^= u.arbitrary::<u8>()?;
        }
        2 => validator.truncate(u.int_in_range(0..=16)?),
        3 => validator.push(u.arbitrary()?),
        4 => about = subject(u)?,
        _ => {}
    }
    Ok((nonce, validator, about))
}

/// One of few, so that some are the same.
fn subject(u: &mut Unstructured<'_>) -> Result<Subject> {
    let bits: u8 = u.arbitrary()?;
    let bit = |n: u8| (bits >> n) & 1;
    let locator = |n| Locator::new([1 + bit(n); 16]);
    let tag = ContextTag::from_low_bits(bit(1).into());
    Ok(if bit(0) == 0 {
        Subject::R1(R1Subject {
            initiator_tag: tag,
            ulids: UlidPairOption {
                sender: Ulid::new([bit(2); 16]),
                receiver: Ulid::new([bit(3); 16]),
            },
            source: locator(4),
            destination: locator(5),
            fii: Fii::new(bit(6).into()),
        })
    } else {
        Subject::R1bis(R1bisSubject {
            packet_tag: tag,
            source: locator(2),
            destination: locator(3),
        })
    })
}
