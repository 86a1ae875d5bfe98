// SPDX-License-Identifier: GPL-2.0

//! One machine and any events, with what the property tests ask of every step.

use arbitrary::{
    Result,
    Unstructured, //
};
use shim6_proto::{
    establish::{
        Actions,
        State, //
    },
    number::Generation,
    tag::ContextTag,
    verify::Refusal,
    wire::message::Arrival, //
};

use crate::{
    establish_invariants::{
        check_machine,
        check_step,
        happen,
        Event,
        WhichNonce, //
    },
    establish_support::*, //
};

/// Nothing makes a machine panic, grow, send much, wait for ever or forget what it is; and as soon
/// as nothing more is heard, it comes to rest.
pub fn machine(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(state) = u.choose(&[
        State::I1Sent,
        State::I2Sent,
        State::Established,
        State::I2bisSent,
        State::EFailed,
        State::NoSupport,
    ]) else {
        return;
    };
    let mut bench = Bench::in_state(*state);
    for _ in 0..100 {
        let Ok((event, arrival)) = event(&mut u).and_then(|event| Ok((event, arrival(&mut u)?)))
        else {
            break;
        };
        let before = bench.clone();
        let actions = happen(&mut bench, &event, arrival);
        assert!(actions.len() <= Actions::MAX);
        check_step(&before, &bench, &event, &actions);
        check_machine(&bench);
        if u.is_empty() {
            break;
        }
    }
    // I2bis, and I1 after it; then nobody answers the I1.
    for _ in 0..3 + 5 {
        if bench.machine().outstanding().is_some() {
            bench.expire();
        }
    }
    assert_eq!(bench.machine().outstanding(), None);
}

fn event(u: &mut Unstructured<'_>) -> Result<Event> {
    Ok(match u.int_in_range(0..=18)? {
        0 => Event::I1(tag(u)?),
        1 => Event::R1(nonce(u)?),
        2 => Event::I2(tag(u)?, list(u)?),
        3 => Event::R2(tag(u)?, nonce(u)?, list(u)?),
        4 => Event::R1bis(tag(u)?),
        5 => Event::I2bis(tag(u)?, list(u)?),
        6 => {
            let preferences = match u.arbitrary()? {
                true => Some((
                    *u.choose(&[GENERATION, Generation::new(1)])?,
                    u.int_in_range(0..=3)?,
                )),
                false => None,
            };
            Event::Request(list(u)?, preferences)
        }
        7 => Event::Acknowledgement(nonce(u)?),
        8 => Event::Keepalive,
        9 => Event::Probe,
        10 => Event::Error,
        11 => Event::Payload,
        12 => Event::Unrecognized(tag(u)?),
        13 => Event::Announce,
        14 => Event::Restart,
        15 => Event::Expire,
        16 => Event::Timeout,
        17 => Event::Wait(u.arbitrary::<u16>()?.into()),
        _ => Event::Verdict(*u.choose(&[
            Ok(()),
            Err(foreign_parameters()),
            Err(Refusal::Unavailable.into()),
        ])?),
    })
}

fn tag(u: &mut Unstructured<'_>) -> Result<ContextTag> {
    u.choose(&[LOCAL, PEER, NEW]).copied()
}

fn nonce(u: &mut Unstructured<'_>) -> Result<WhichNonce> {
    Ok(match u.int_in_range(0..=7)? {
        0 => WhichNonce::Drawn(u.int_in_range(0..=7)?),
        _ => WhichNonce::Right,
    })
}

fn list(u: &mut Unstructured<'_>) -> Result<List> {
    const LISTS: [List; 5] = [NO_LIST, BOTH, &[B1], &[B2], &[B1, B2, FOREIGN]];
    u.choose(&LISTS).copied()
}

fn arrival(u: &mut Unstructured<'_>) -> Result<Arrival> {
    u.choose(&[ON_ULIDS, ON_OTHER, ON_FOREIGN, TO_FOREIGN])
        .copied()
}
