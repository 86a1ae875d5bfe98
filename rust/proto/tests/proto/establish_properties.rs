// SPDX-License-Identifier: GPL-2.0

//! What holds for a machine whatever happens to it, in whatever order.

use proptest::{
    collection::vec,
    prelude::*,
    sample::select, //
};
use shim6_proto::{
    establish::{
        Action,
        Actions,
        State, //
    },
    locator::{
        Locator,
        LocatorPair, //
    },
    number::{
        Generation,
        Nonce, //
    },
    tag::ContextTag,
    time::Interval,
    verify::{
        Refusal,
        Rejection, //
    },
    wire::message::{
        Arrival,
        Message, //
    }, //
};

use crate::establish_support::*;

/// A nonce of a message of the peer.
#[derive(Clone, Copy, Debug)]
enum WhichNonce {
    /// The one that is asked for.
    Right,
    /// One that was drawn.
    Drawn(u32),
}

/// Something that happens.
#[derive(Clone, Debug)]
enum Event {
    I1(ContextTag),
    R1(WhichNonce),
    I2(ContextTag, List),
    R2(ContextTag, WhichNonce, List),
    R1bis(ContextTag),
    I2bis(ContextTag, List),
    Request(List, Option<(Generation, u8)>),
    Acknowledgement(WhichNonce),
    Keepalive,
    Probe,
    Error,
    Payload,
    Unrecognized(ContextTag),
    Announce,
    Restart,
    Expire,
    Timeout,
    Wait(u32),
    Verdict(Result<(), Rejection>),
}

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

/// The nonce as a number.
fn nonce(bench: &Bench, which: WhichNonce) -> Nonce {
    match which {
        WhichNonce::Drawn(n) => drawn(n),
        WhichNonce::Right => bench
            .machine()
            .outstanding()
            .map_or(drawn(bench.random.0 - FIRST), |(nonce, _)| nonce),
    }
}

/// The message of an event that is one.
fn message(bench: &Bench, event: &Event) -> Option<Message<'static>> {
    Some(match *event {
        Event::I1(tag) => i1(tag),
        Event::R1(which) => r1(nonce(bench, which)),
        Event::I2(tag, list) => i2(tag, list),
        Event::R2(tag, which, list) => r2(tag, nonce(bench, which), list),
        Event::R1bis(tag) => r1bis(tag),
        Event::I2bis(tag, list) => i2bis(tag, list),
        Event::Request(list, preferences) => request(host(list, preferences)),
        Event::Acknowledgement(which) => acknowledgement(nonce(bench, which)),
        Event::Keepalive => keepalive(),
        Event::Probe => probe(),
        Event::Error => error(),
        _ => return None,
    })
}

/// Lets an event happen.
fn happen(bench: &mut Bench, event: &Event, arrival: Arrival) -> Vec<Action<'static>> {
    if let Some(message) = message(bench, event) {
        return bench.receive(&message, arrival);
    }
    match *event {
        Event::Payload => bench.payload(),
        Event::Unrecognized(tag) => bench.unrecognized(tag, ULIDS),
        Event::Announce => bench.announce(),
        Event::Restart if bench.machine().outstanding().is_some() => vec![],
        Event::Restart if bench.state() != State::Established => vec![],
        Event::Restart => bench.restart(),
        Event::Expire => bench.expire(),
        Event::Timeout => bench.timeout(),
        Event::Wait(millis) => {
            // A timer is served when it expires.
            let later = bench.now.saturating_add(Interval::from_millis(millis));
            match bench.machine().next_deadline() {
                Some(deadline) if deadline <= later => bench.expire(),
                _ => {
                    bench.now = later;
                    vec![]
                }
            }
        }
        Event::Verdict(verdict) => {
            bench.context.verdict = verdict;
            vec![]
        }
        _ => vec![],
    }
}

/// Whether an action sends a packet.
fn sends(action: &Action<'_>) -> bool {
    matches!(
        action,
        Action::Send { .. }
            | Action::Resend { .. }
            | Action::SendUpdate { .. }
            | Action::ResendUpdate
            | Action::ReplyR1
            | Action::ReplyR1bis
            | Action::Report(_)
    )
}

/// The pair that may be used: a locator of this host, and one that was verified or is the ULID.
fn usable(bench: &Bench, pair: &LocatorPair) -> bool {
    let has = |list: &[Locator], locator| list.contains(&locator);
    (has(&bench.context.local, pair.local) && has(&bench.context.peer, pair.peer)) || *pair == ULIDS
}

/// What holds of every machine.
fn check_machine(bench: &Bench) {
    let machine = bench.machine();
    let state = machine.state();

    if state.sends_to_pair() {
        assert!(machine.peer_tag().is_some(), "{machine:?}");
    }
    if matches!(state, State::I1Sent | State::EFailed | State::NoSupport) {
        assert_eq!(machine.peer_tag(), None, "{machine:?}");
    }
    match machine.next_deadline() {
        Some(deadline) => {
            // The longest interval is the last one of I1, 64 s, or that of an Update Request.
            let latest = bench.now.saturating_add(Interval::from_secs(180));
            assert!(deadline <= latest, "{machine:?}");
        }
        None => assert!(machine.outstanding().is_none(), "{machine:?}"),
    }
    assert_ne!(state, State::Idle);
}

/// What holds of every step.
fn check_step(before: &Bench, after: &Bench, event: &Event, actions: &[Action<'static>]) {
    assert!(
        actions.iter().filter(|action| sends(action)).count() <= 2,
        "{event:?}: {actions:?}"
    );
    assert!(after.context.verified - before.context.verified <= 1);
    if let [rest @ .., Action::Discard(_)] = actions {
        if !rest
            .iter()
            .any(|action| matches!(action, Action::Resend { .. }))
        {
            assert_eq!(after.machine, before.machine, "{event:?}: {actions:?}");
        }
        assert_eq!(after.context.peer, before.context.peer);
    }
    for (i, action) in actions.iter().enumerate() {
        match action {
            Action::AdoptPeer { .. } => {
                assert_eq!(actions.get(i + 1), Some(&Action::CheckConfusion));
                assert_eq!(after.context.verified, before.context.verified + 1);
            }
            Action::UsePair(pair) => assert!(usable(after, pair), "{pair:?}"),
            Action::Negative(negative) => {
                assert_eq!(negative.state, after.state());
                assert!(negative.until > after.now);
            }
            Action::Established { .. } => assert_eq!(after.state(), State::Established),
            _ => {}
        }
    }
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
