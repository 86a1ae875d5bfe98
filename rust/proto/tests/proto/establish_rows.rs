// SPDX-License-Identifier: GPL-2.0

//! Every row of the tables of transitions in the specification (shim6-state.md, sections 3.1 and
//! 3.2; the others are in `establish_rows_sent` and `establish_rows_established`): a state, an
//! event, what has to be done, and the state that follows. A row that speaks of several events
//! comes several times.

use std::collections::BTreeSet;

use shim6_proto::{
    dispatch::Unmatched,
    establish::{
        Action,
        Cause,
        Negative,
        State, //
    },
    locator::LocatorPair,
    tag::ContextTag,
    time::{
        Instant,
        Interval, //
    },
    wire::{
        message::Message,
        message_type::MessageType, //
    }, //
};

use crate::establish_support::*;

/// A row of the table of a state.
pub(crate) struct Row {
    /// What happens, in the words of the table.
    event: &'static str,
    /// The event.
    run: fn(&mut Bench) -> Vec<Action<'static>>,
    /// What has to be done.
    actions: &'static [Action<'static>],
    /// The state after; [`None`] if it remains.
    after: Option<State>,
}

/// A row in which the state remains: an event and what has to be done.
pub(crate) const fn stays(
    event: &'static str,
    run: fn(&mut Bench) -> Vec<Action<'static>>,
    actions: &'static [Action<'static>],
) -> Row {
    Row {
        event,
        run,
        actions,
        after: None,
    }
}

/// A row that ends in another state.
pub(crate) const fn leads_to(
    event: &'static str,
    run: fn(&mut Bench) -> Vec<Action<'static>>,
    actions: &'static [Action<'static>],
    after: State,
) -> Row {
    Row {
        event,
        run,
        actions,
        after: Some(after),
    }
}

/// Checks the rows of the table of a state, which has `number` different rows.
pub(crate) fn check(before: State, rows: &[Row], number: usize) {
    for row in rows {
        let mut bench = Bench::in_state(before);
        let machine = bench.machine;
        let actions = (row.run)(&mut bench);

        let event = row.event;
        assert_eq!(actions, row.actions, "{}: {event}", before.name());
        let after = row.after.unwrap_or(before);
        assert_eq!(bench.state(), after, "{}: {event}", before.name());
        if let [Action::Discard(_)] = row.actions {
            assert_eq!(bench.machine, machine, "{event}");
        }
    }
    let events: BTreeSet<_> = rows.iter().map(|row| row.event).collect();
    assert_eq!(events.len(), number, "rows of the table");
}

/// Not taken.
pub(crate) const fn discarded(cause: Cause) -> Action<'static> {
    Action::Discard(cause)
}

/// Silent drop because of the state.
pub(crate) const DISCARDED: &[Action<'static>] = &[discarded(Cause::State)];

/// The peer's side of the context is known.
pub(crate) const fn adopted(tag: ContextTag) -> Action<'static> {
    Action::AdoptPeer { tag }
}

/// The context is established, and was not before.
const ESTABLISHED: Action<'static> = Action::Established { again: false };

/// What is done when an R2 completes the handshake on the ULIDs.
pub(crate) const COMPLETED: &[Action<'static>] = &[
    adopted(PEER),
    Action::CheckConfusion,
    Action::UsePair(ULIDS),
    ESTABLISHED,
];

/// What is done when an I2 or I2bis on this pair is the first word that is taken from the peer.
const fn answered(pair: LocatorPair) -> [Action<'static>; 5] {
    [
        adopted(PEER),
        Action::CheckConfusion,
        Action::UsePair(pair),
        sent_r2(pair),
        ESTABLISHED,
    ]
}

/// The bench, on which verification is going to fail.
pub(crate) fn unverified(bench: &mut Bench) -> &mut Bench {
    bench.context.verdict = Err(foreign_parameters());
    bench
}

/// The bench after so many expiries, at each of which the message was sent again.
pub(crate) fn repeated(bench: &mut Bench, times: usize) -> &mut Bench {
    for _ in 0..times {
        assert_eq!(bench.expire(), [RESENT]);
    }
    bench
}

/// What is done with a message without a context.
fn unmatched(types: &[MessageType]) -> Vec<Action<'static>> {
    let answer = |&message| match Unmatched::of(message) {
        Unmatched::ReplyR1 => Some(Action::ReplyR1),
        Unmatched::ReplyR1bis => Some(Action::ReplyR1bis),
        Unmatched::Drop => None,
        Unmatched::Respond => panic!("{message:?} makes a context"),
    };
    types.iter().filter_map(answer).collect()
}

/// What follows from the answer to an I2 or I2bis without a context.
fn made(bench: &mut Bench, message: &Message<'static>) -> Vec<Action<'static>> {
    bench.respond(message, ON_ULIDS).unwrap_or_default()
}

/// Section 3.1.
const IDLE: &[Row] = &[
    leads_to(
        "local trigger",
        Bench::initiate,
        &[sent_i1(0)],
        State::I1Sent,
    ),
    stays("I1", |_| unmatched(&[MessageType::I1]), &[Action::ReplyR1]),
    leads_to(
        "I2 valid",
        |bench| made(bench, &i2(PEER, BOTH)),
        &answered(ULIDS),
        State::Established,
    ),
    stays(
        "I2 invalid",
        |bench| made(unverified(bench), &i2(PEER, BOTH)),
        &[],
    ),
    leads_to(
        "I2bis valid",
        |bench| {
            let actions = made(bench, &i2bis(PEER, BOTH));
            assert_ne!(bench.machine().local_tag(), NEW, "the tag in the message");
            actions
        },
        &answered(ULIDS),
        State::Established,
    ),
    stays(
        "I2bis invalid",
        |bench| made(unverified(bench), &i2bis(PEER, BOTH)),
        &[],
    ),
    stays(
        "R1, R2, R1bis",
        |_| unmatched(&[MessageType::R1, MessageType::R2, MessageType::R1bis]),
        &[],
    ),
    stays(
        "payload header, or control type 64-67, unknown tag",
        |_| {
            unmatched(&[
                MessageType::UpdateRequest,
                MessageType::UpdateAcknowledgement,
                MessageType::Keepalive,
                MessageType::Probe,
            ])
        },
        &[Action::ReplyR1bis; 4],
    ),
    stays("Error", |_| unmatched(&[MessageType::Error]), &[]),
    stays(
        "holddown timer",
        |_| {
            let until = Instant::from_millis(60_000);
            let negative = Negative {
                state: State::EFailed,
                until,
            };
            assert!(!negative.is_over(Instant::from_millis(59_999)));
            assert!(negative.is_over(until));
            vec![]
        },
        &[],
    ),
];

/// The address of an I1 that was sent elsewhere.
const ELSEWHERE: LocatorPair = LocatorPair {
    local: A1,
    peer: FOREIGN,
};

/// What is done when a peer is left alone for `seconds` from `waited` milliseconds on.
const fn negative(state: State, waited: u64, seconds: u32) -> Action<'static> {
    Action::Negative(Negative {
        state,
        until: Instant::from_millis(1_000_000 + waited)
            .saturating_add(Interval::from_secs(seconds)),
    })
}

/// Section 3.2.
const I1_SENT: &[Row] = &[
    leads_to(
        "R1 matching nonce and locators",
        |bench| bench.receive(&r1(drawn(0)), ON_ULIDS),
        &[SENT_I2],
        State::I2Sent,
    ),
    stays(
        "R1 not matching",
        |bench| bench.receive(&r1(drawn(1)), ON_ULIDS),
        &[discarded(Cause::Nonce)],
    ),
    stays(
        "R1 not matching",
        |bench| bench.receive(&r1(drawn(0)), ON_OTHER),
        &[discarded(Cause::Addresses)],
    ),
    stays(
        "I1 for the same ULID pair and FII",
        |bench| bench.receive(&i1(PEER), ON_ULIDS),
        &[sent_r2(ULIDS)],
    ),
    leads_to(
        "R2 matching nonce and pair, PDS ok",
        |bench| bench.receive(&r2(PEER, drawn(0), BOTH), ON_ULIDS),
        COMPLETED,
        State::Established,
    ),
    stays(
        "R2 with bad PDS",
        |bench| unverified(bench).receive(&r2(PEER, drawn(0), BOTH), ON_ULIDS),
        &[discarded(Cause::Verification)],
    ),
    leads_to(
        "I2 valid and source locator acceptable",
        |bench| bench.receive(&i2(PEER, BOTH), ON_OTHER),
        &answered(OTHER),
        State::Established,
    ),
    leads_to(
        "I2bis valid and source locator acceptable",
        |bench| bench.receive(&i2bis(PEER, NO_LIST), ON_ULIDS),
        &answered(ULIDS),
        State::Established,
    ),
    stays(
        "I2/I2bis otherwise",
        |bench| bench.receive(&i2(PEER, BOTH), ON_FOREIGN),
        &[discarded(Cause::Source)],
    ),
    stays(
        "I2/I2bis otherwise",
        |bench| bench.receive(&i2bis(PEER, NO_LIST), ON_OTHER),
        &[discarded(Cause::Source)],
    ),
    stays(
        "R1bis",
        |bench| bench.receive(&r1bis(PEER), ON_ULIDS),
        DISCARDED,
    ),
    stays("payload header with our tag", Bench::payload, DISCARDED),
    stays(
        "Update Request/Ack, Keepalive, Probe with our tag",
        |bench| bench.receive(&request(host(BOTH, None)), ON_ULIDS),
        DISCARDED,
    ),
    stays(
        "Update Request/Ack, Keepalive, Probe with our tag",
        |bench| bench.receive(&acknowledgement(drawn(0)), ON_FOREIGN),
        DISCARDED,
    ),
    stays(
        "Update Request/Ack, Keepalive, Probe with our tag",
        |bench| bench.receive(&keepalive(), ON_ULIDS),
        DISCARDED,
    ),
    stays(
        "Update Request/Ack, Keepalive, Probe with our tag",
        |bench| bench.receive(&probe(), ON_ULIDS),
        DISCARDED,
    ),
    stays(
        "timeout, fewer than 4 retransmissions done",
        |bench| {
            assert_eq!(repeated(bench, 4).elapsed(), 60_000);
            vec![]
        },
        &[],
    ),
    leads_to(
        "timeout after the 4th retransmission",
        |bench| repeated(bench, 4).expire(),
        &[negative(State::EFailed, 124_000, 60)],
        State::EFailed,
    ),
    leads_to(
        "ICMPv6 type 4 code 1 quoting our I1",
        |bench| bench.unrecognized(LOCAL, ULIDS),
        &[negative(State::NoSupport, 0, 600)],
        State::NoSupport,
    ),
    stays(
        "ICMPv6 type 4 code 1 quoting another I1",
        |bench| bench.unrecognized(PEER, ULIDS),
        &[discarded(Cause::Tag)],
    ),
    stays(
        "ICMPv6 type 4 code 1 quoting another I1",
        |bench| bench.unrecognized(LOCAL, ELSEWHERE),
        &[discarded(Cause::Addresses)],
    ),
];

#[test]
fn idle() {
    check(State::Idle, IDLE, 10);
}

#[test]
fn i1_sent() {
    // 14 rows, and the opposite of the last.
    check(State::I1Sent, I1_SENT, 15);
}

/// E-FAILED and NO-SUPPORT treat packets as IDLE does: the machine that is left takes nothing.
#[test]
fn ended() {
    for state in [State::EFailed, State::NoSupport] {
        let messages = [
            r1(drawn(0)),
            r2(PEER, drawn(0), BOTH),
            r1bis(PEER),
            i2(PEER, BOTH),
            i2bis(PEER, BOTH),
            request(host(BOTH, None)),
            acknowledgement(drawn(0)),
            keepalive(),
            probe(),
            error(),
        ];
        for message in &messages {
            let mut bench = Bench::in_state(state);
            let before = bench.machine;
            assert_eq!(bench.receive(message, ON_ULIDS), DISCARDED);
            assert_eq!(bench.machine, before, "{message:?}");
            assert_eq!(bench.context.verified, 0);
        }
        let mut bench = Bench::in_state(state);
        assert_eq!(bench.receive(&i1(PEER), ON_ULIDS), [Action::ReplyR1]);
        assert_eq!(bench.machine().next_deadline(), None);
    }
}
