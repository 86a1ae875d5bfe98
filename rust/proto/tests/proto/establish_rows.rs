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
    wire::message_type::MessageType, //
};

use crate::establish_support::*;

/// A row of a table.
pub(crate) struct Row {
    /// What happens, in the words of the table.
    pub(crate) event: &'static str,
    /// The state before.
    pub(crate) before: State,
    /// The event.
    pub(crate) run: fn(&mut Bench) -> Vec<Action<'static>>,
    /// What has to be done.
    pub(crate) actions: &'static [Action<'static>],
    /// The state after.
    pub(crate) after: State,
}

/// Checks the rows of a table of `number` different rows.
pub(crate) fn check(rows: &[Row], number: usize) {
    for row in rows {
        let mut bench = Bench::in_state(row.before);
        let before = bench.machine;
        let actions = (row.run)(&mut bench);

        assert_eq!(actions, row.actions, "{}: {}", row.before.name(), row.event);
        assert_eq!(
            bench.state(),
            row.after,
            "{}: {}",
            row.before.name(),
            row.event
        );
        if let [Action::Discard(_)] = row.actions {
            assert_eq!(bench.machine, before, "{}", row.event);
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
pub(crate) const ESTABLISHED: Action<'static> = Action::Established { again: false };

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
fn made(
    bench: &mut Bench,
    message: &shim6_proto::wire::message::Message<'static>,
) -> Vec<Action<'static>> {
    bench.respond(message, ON_ULIDS).unwrap_or_default()
}

/// Section 3.1.
const IDLE: &[Row] = &[
    Row {
        event: "local trigger",
        before: State::Idle,
        run: Bench::initiate,
        actions: &[sent_i1(0)],
        after: State::I1Sent,
    },
    Row {
        event: "I1",
        before: State::Idle,
        run: |_| unmatched(&[MessageType::I1]),
        actions: &[Action::ReplyR1],
        after: State::Idle,
    },
    Row {
        event: "I2 valid",
        before: State::Idle,
        run: |bench| made(bench, &i2(PEER, BOTH)),
        actions: &[
            adopted(PEER),
            Action::CheckConfusion,
            Action::UsePair(ULIDS),
            sent_r2(ULIDS),
            ESTABLISHED,
        ],
        after: State::Established,
    },
    Row {
        event: "I2 invalid",
        before: State::Idle,
        run: |bench| {
            bench.context.verdict = Err(foreign_parameters());
            made(bench, &i2(PEER, BOTH))
        },
        actions: &[],
        after: State::Idle,
    },
    Row {
        event: "I2bis valid",
        before: State::Idle,
        run: |bench| {
            let actions = made(bench, &i2bis(PEER, BOTH));
            assert_ne!(bench.machine().local_tag(), NEW, "the tag in the message");
            actions
        },
        actions: &[
            adopted(PEER),
            Action::CheckConfusion,
            Action::UsePair(ULIDS),
            sent_r2(ULIDS),
            ESTABLISHED,
        ],
        after: State::Established,
    },
    Row {
        event: "I2bis invalid",
        before: State::Idle,
        run: |bench| {
            bench.context.verdict = Err(foreign_parameters());
            made(bench, &i2bis(PEER, BOTH))
        },
        actions: &[],
        after: State::Idle,
    },
    Row {
        event: "R1, R2, R1bis",
        before: State::Idle,
        run: |_| unmatched(&[MessageType::R1, MessageType::R2, MessageType::R1bis]),
        actions: &[],
        after: State::Idle,
    },
    Row {
        event: "payload header, or control type 64-67, unknown tag",
        before: State::Idle,
        run: |_| {
            unmatched(&[
                MessageType::UpdateRequest,
                MessageType::UpdateAcknowledgement,
                MessageType::Keepalive,
                MessageType::Probe,
            ])
        },
        actions: &[Action::ReplyR1bis; 4],
        after: State::Idle,
    },
    Row {
        event: "Error",
        before: State::Idle,
        run: |_| unmatched(&[MessageType::Error]),
        actions: &[],
        after: State::Idle,
    },
    Row {
        event: "holddown timer",
        before: State::Idle,
        run: |_| {
            let until = Instant::from_millis(60_000);
            let negative = Negative {
                state: State::EFailed,
                until,
            };
            assert!(!negative.is_over(Instant::from_millis(59_999)));
            assert!(negative.is_over(until));
            vec![]
        },
        actions: &[],
        after: State::Idle,
    },
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
    Row {
        event: "R1 matching nonce and locators",
        before: State::I1Sent,
        run: |bench| bench.receive(&r1(drawn(0)), ON_ULIDS),
        actions: &[SENT_I2],
        after: State::I2Sent,
    },
    Row {
        event: "R1 not matching",
        before: State::I1Sent,
        run: |bench| bench.receive(&r1(drawn(1)), ON_ULIDS),
        actions: &[discarded(Cause::Nonce)],
        after: State::I1Sent,
    },
    Row {
        event: "R1 not matching",
        before: State::I1Sent,
        run: |bench| bench.receive(&r1(drawn(0)), ON_OTHER),
        actions: &[discarded(Cause::Addresses)],
        after: State::I1Sent,
    },
    Row {
        event: "I1 for the same ULID pair and FII",
        before: State::I1Sent,
        run: |bench| bench.receive(&i1(PEER), ON_ULIDS),
        actions: &[sent_r2(ULIDS)],
        after: State::I1Sent,
    },
    Row {
        event: "R2 matching nonce and pair, PDS ok",
        before: State::I1Sent,
        run: |bench| bench.receive(&r2(PEER, drawn(0), BOTH), ON_ULIDS),
        actions: &[
            adopted(PEER),
            Action::CheckConfusion,
            Action::UsePair(ULIDS),
            ESTABLISHED,
        ],
        after: State::Established,
    },
    Row {
        event: "R2 with bad PDS",
        before: State::I1Sent,
        run: |bench| {
            bench.context.verdict = Err(foreign_parameters());
            bench.receive(&r2(PEER, drawn(0), BOTH), ON_ULIDS)
        },
        actions: &[discarded(Cause::Verification)],
        after: State::I1Sent,
    },
    Row {
        event: "I2 valid and source locator acceptable",
        before: State::I1Sent,
        run: |bench| bench.receive(&i2(PEER, BOTH), ON_OTHER),
        actions: &[
            adopted(PEER),
            Action::CheckConfusion,
            Action::UsePair(OTHER),
            sent_r2(OTHER),
            ESTABLISHED,
        ],
        after: State::Established,
    },
    Row {
        event: "I2bis valid and source locator acceptable",
        before: State::I1Sent,
        run: |bench| bench.receive(&i2bis(PEER, NO_LIST), ON_ULIDS),
        actions: &[
            adopted(PEER),
            Action::CheckConfusion,
            Action::UsePair(ULIDS),
            sent_r2(ULIDS),
            ESTABLISHED,
        ],
        after: State::Established,
    },
    Row {
        event: "I2/I2bis otherwise",
        before: State::I1Sent,
        run: |bench| bench.receive(&i2(PEER, BOTH), ON_FOREIGN),
        actions: &[discarded(Cause::Source)],
        after: State::I1Sent,
    },
    Row {
        event: "I2/I2bis otherwise",
        before: State::I1Sent,
        run: |bench| bench.receive(&i2bis(PEER, NO_LIST), ON_OTHER),
        actions: &[discarded(Cause::Source)],
        after: State::I1Sent,
    },
    Row {
        event: "R1bis",
        before: State::I1Sent,
        run: |bench| bench.receive(&r1bis(PEER), ON_ULIDS),
        actions: DISCARDED,
        after: State::I1Sent,
    },
    Row {
        event: "payload header with our tag",
        before: State::I1Sent,
        run: Bench::payload,
        actions: DISCARDED,
        after: State::I1Sent,
    },
    Row {
        event: "Update Request/Ack, Keepalive, Probe with our tag",
        before: State::I1Sent,
        run: |bench| bench.receive(&request(host(BOTH, None)), ON_ULIDS),
        actions: DISCARDED,
        after: State::I1Sent,
    },
    Row {
        event: "Update Request/Ack, Keepalive, Probe with our tag",
        before: State::I1Sent,
        run: |bench| bench.receive(&acknowledgement(drawn(0)), ON_FOREIGN),
        actions: DISCARDED,
        after: State::I1Sent,
    },
    Row {
        event: "Update Request/Ack, Keepalive, Probe with our tag",
        before: State::I1Sent,
        run: |bench| bench.receive(&keepalive(), ON_ULIDS),
        actions: DISCARDED,
        after: State::I1Sent,
    },
    Row {
        event: "Update Request/Ack, Keepalive, Probe with our tag",
        before: State::I1Sent,
        run: |bench| bench.receive(&probe(), ON_ULIDS),
        actions: DISCARDED,
        after: State::I1Sent,
    },
    Row {
        event: "timeout, fewer than 4 retransmissions done",
        before: State::I1Sent,
        run: |bench| {
            (0..4).for_each(|_| assert_eq!(bench.expire(), [RESENT]));
            assert_eq!(bench.elapsed(), 60_000);
            vec![]
        },
        actions: &[],
        after: State::I1Sent,
    },
    Row {
        event: "timeout after the 4th retransmission",
        before: State::I1Sent,
        run: |bench| {
            (0..4).for_each(|_| assert_eq!(bench.expire(), [RESENT]));
            bench.expire()
        },
        actions: &[negative(State::EFailed, 124_000, 60)],
        after: State::EFailed,
    },
    Row {
        event: "ICMPv6 type 4 code 1 quoting our I1",
        before: State::I1Sent,
        run: |bench| bench.unrecognized(LOCAL, ULIDS),
        actions: &[negative(State::NoSupport, 0, 600)],
        after: State::NoSupport,
    },
    Row {
        event: "ICMPv6 type 4 code 1 quoting another I1",
        before: State::I1Sent,
        run: |bench| bench.unrecognized(PEER, ULIDS),
        actions: &[discarded(Cause::Tag)],
        after: State::I1Sent,
    },
    Row {
        event: "ICMPv6 type 4 code 1 quoting another I1",
        before: State::I1Sent,
        run: |bench| bench.unrecognized(LOCAL, ELSEWHERE),
        actions: &[discarded(Cause::Addresses)],
        after: State::I1Sent,
    },
];

#[test]
fn idle() {
    check(IDLE, 10);
}

#[test]
fn i1_sent() {
    // 14 rows, and the opposite of the last.
    check(I1_SENT, 15);
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
