// SPDX-License-Identifier: GPL-2.0

//! What holds for a machine whatever happens to it, in whatever order.

use proptest::{
    collection::vec,
    prelude::*,
    sample::select, //
};
use shim6_proto::{
    establish::{
        Actions,
        State, //
    },
    number::Generation,
    tag::ContextTag,
    verify::{
        Refusal,
        Rejection, //
    },
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

fn tags() -> impl Strategy<Value = ContextTag> {
    select(vec![LOCAL, PEER, NEW])
}

fn lists() -> impl Strategy<Value = List> {
    const LISTS: [List; 5] = [NO_LIST, BOTH, &[B1], &[B2], &[B1, B2, FOREIGN]];
    select(LISTS.to_vec())
}

fn nonces() -> impl Strategy<Value = WhichNonce> {
    prop_oneof![
        3 => Just(WhichNonce::Right),
        1 => (0_u32..8).prop_map(WhichNonce::Drawn),
    ]
}

fn preferences() -> impl Strategy<Value = Option<(Generation, u8)>> {
    proptest::option::of((select(vec![GENERATION, Generation::new(1)]), 0_u8..4))
}

fn verdicts() -> impl Strategy<Value = Result<(), Rejection>> {
    select(vec![
        Ok(()),
        Err(foreign_parameters()),
        Err(Refusal::Unavailable.into()),
    ])
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => tags().prop_map(Event::I1),
        3 => nonces().prop_map(Event::R1),
        2 => (tags(), lists()).prop_map(|(tag, list)| Event::I2(tag, list)),
        3 => (tags(), nonces(), lists()).prop_map(|(tag, nonce, list)| Event::R2(tag, nonce, list)),
        2 => tags().prop_map(Event::R1bis),
        2 => (tags(), lists()).prop_map(|(tag, list)| Event::I2bis(tag, list)),
        2 => (lists(), preferences()).prop_map(|(list, both)| Event::Request(list, both)),
        1 => nonces().prop_map(Event::Acknowledgement),
        1 => Just(Event::Keepalive),
        1 => Just(Event::Probe),
        1 => Just(Event::Error),
        2 => Just(Event::Payload),
        1 => tags().prop_map(Event::Unrecognized),
        2 => Just(Event::Announce),
        1 => Just(Event::Restart),
        4 => Just(Event::Expire),
        1 => Just(Event::Timeout),
        2 => (0_u32..10_000).prop_map(Event::Wait),
        1 => verdicts().prop_map(Event::Verdict),
    ]
}

fn arrivals() -> impl Strategy<Value = Arrival> {
    prop_oneof![
        3 => Just(ON_ULIDS),
        2 => Just(ON_OTHER),
        1 => Just(ON_FOREIGN),
        1 => Just(TO_FOREIGN),
    ]
}

proptest! {
    /// Nothing makes a machine panic, grow, send much, wait for ever or forget what it is.
    #[test]
    fn any_sequence_of_events(events in vec((events(), arrivals()), 1..60)) {
        let mut bench = Bench::in_state(State::I1Sent);
        for (event, arrival) in &events {
            let before = bench.clone();
            let actions = happen(&mut bench, event, *arrival);
            prop_assert!(actions.len() <= Actions::MAX);
            check_step(&before, &bench, event, &actions);
            check_machine(&bench);
        }
    }

    /// A machine that hears nothing more comes to rest: it is established, or it ends, after a
    /// bounded number of messages.
    #[test]
    fn silence_ends(events in vec((events(), arrivals()), 1..30)) {
        let mut bench = Bench::in_state(State::I1Sent);
        for (event, arrival) in &events {
            happen(&mut bench, event, *arrival);
        }
        // I2bis, and I1 after it; then nobody answers the I1.
        for _ in 0..3 + 5 {
            if bench.machine().outstanding().is_some() {
                bench.expire();
            }
        }
        prop_assert_eq!(bench.machine().outstanding(), None);
    }

    /// All of this depends on nothing but its arguments.
    #[test]
    fn the_same_again(events in vec((events(), arrivals()), 1..30)) {
        let run = || {
            let mut bench = Bench::in_state(State::I1Sent);
            let actions: Vec<_> = events
                .iter()
                .map(|(event, arrival)| happen(&mut bench, event, *arrival))
                .collect();
            (bench.machine, actions)
        };
        prop_assert_eq!(run(), run());
    }
}
