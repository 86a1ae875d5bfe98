// SPDX-License-Identifier: GPL-2.0

//! Every row of the tables of transitions in the specification for I2-SENT and I2BIS-SENT
//! (shim6-state.md, sections 3.3 and 3.4).

use shim6_proto::{
    establish::{
        Action,
        Cause,
        State, //
    },
    time::Interval, //
};

use crate::{
    establish_rows::{
        adopted,
        check,
        discarded,
        Row,
        DISCARDED,
        ESTABLISHED, //
    },
    establish_support::*, //
};

/// Longer than the interval between two repetitions that packets cause.
const A_WHILE: Interval = Interval::from_millis(500);

/// Waits until a packet may cause a repetition, then runs the event.
fn after_a_while(
    bench: &mut Bench,
    event: impl FnOnce(&mut Bench) -> Vec<Action<'static>>,
) -> Vec<Action<'static>> {
    bench.wait(A_WHILE);
    event(bench)
}

/// Section 3.3.
const I2_SENT: &[Row] = &[
    Row {
        event: "R2 matching, PDS ok",
        before: State::I2Sent,
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
        event: "R2 not matching or bad PDS",
        before: State::I2Sent,
        run: |bench| bench.receive(&r2(PEER, drawn(1), BOTH), ON_ULIDS),
        actions: &[discarded(Cause::Nonce)],
        after: State::I2Sent,
    },
    Row {
        event: "R2 not matching or bad PDS",
        before: State::I2Sent,
        run: |bench| bench.receive(&r2(PEER, drawn(0), BOTH), ON_OTHER),
        actions: &[discarded(Cause::Addresses)],
        after: State::I2Sent,
    },
    Row {
        event: "R2 not matching or bad PDS",
        before: State::I2Sent,
        run: |bench| {
            bench.context.verdict = Err(foreign_parameters());
            bench.receive(&r2(PEER, drawn(0), BOTH), ON_ULIDS)
        },
        actions: &[discarded(Cause::Verification)],
        after: State::I2Sent,
    },
    Row {
        event: "R1",
        before: State::I2Sent,
        run: |bench| bench.receive(&r1(drawn(0)), ON_ULIDS),
        actions: DISCARDED,
        after: State::I2Sent,
    },
    Row {
        event: "I1 same ULID pair, FII",
        before: State::I2Sent,
        run: |bench| bench.receive(&i1(PEER), ON_ULIDS),
        actions: &[sent_r2(ULIDS)],
        after: State::I2Sent,
    },
    Row {
        event: "I2 / I2bis valid, source acceptable",
        before: State::I2Sent,
        run: |bench| bench.receive(&i2(PEER, BOTH), ON_OTHER),
        actions: &[adopted(PEER), Action::CheckConfusion, sent_r2(OTHER)],
        after: State::I2Sent,
    },
    Row {
        event: "I2 / I2bis valid, source acceptable",
        before: State::I2Sent,
        run: |bench| bench.receive(&i2bis(PEER, NO_LIST), ON_ULIDS),
        actions: &[adopted(PEER), Action::CheckConfusion, sent_r2(ULIDS)],
        after: State::I2Sent,
    },
    Row {
        event: "R1bis",
        before: State::I2Sent,
        run: |bench| bench.receive(&r1bis(PEER), ON_ULIDS),
        actions: DISCARDED,
        after: State::I2Sent,
    },
    Row {
        event: "payload header with our tag",
        before: State::I2Sent,
        run: |bench| after_a_while(bench, Bench::payload),
        actions: &[RESENT],
        after: State::I2Sent,
    },
    Row {
        event: "Update Request with our tag",
        before: State::I2Sent,
        run: |bench| {
            after_a_while(bench, |bench| {
                bench.receive(&request(host(BOTH, None)), ON_ULIDS)
            })
        },
        actions: &[RESENT, discarded(Cause::State)],
        after: State::I2Sent,
    },
    Row {
        event: "Update Request with our tag",
        before: State::I2Sent,
        run: |bench| {
            bench.receive(&i2(PEER, BOTH), ON_ULIDS);
            after_a_while(bench, |bench| {
                bench.receive(&request(host(BOTH, None)), ON_ULIDS)
            })
        },
        actions: &[
            RESENT,
            Action::UpdatePeer,
            Action::CheckConfusion,
            sent_acknowledgement(PEER),
        ],
        after: State::I2Sent,
    },
    Row {
        event: "Update Ack with our tag",
        before: State::I2Sent,
        run: |bench| {
            after_a_while(bench, |bench| {
                bench.receive(&acknowledgement(drawn(0)), ON_ULIDS)
            })
        },
        actions: &[RESENT, discarded(Cause::State)],
        after: State::I2Sent,
    },
    Row {
        event: "Keepalive, Probe with our tag",
        before: State::I2Sent,
        run: |bench| after_a_while(bench, |bench| bench.receive(&keepalive(), ON_ULIDS)),
        actions: &[RESENT, discarded(Cause::State)],
        after: State::I2Sent,
    },
    Row {
        event: "Keepalive, Probe with our tag",
        before: State::I2Sent,
        run: |bench| after_a_while(bench, |bench| bench.receive(&probe(), ON_ULIDS)),
        actions: &[RESENT, discarded(Cause::State)],
        after: State::I2Sent,
    },
    Row {
        event: "timeout, fewer than 2 retransmissions done",
        before: State::I2Sent,
        run: |bench| {
            (0..2).for_each(|_| assert_eq!(bench.expire(), [RESENT]));
            assert_eq!(bench.elapsed(), 12_000);
            vec![]
        },
        actions: &[],
        after: State::I2Sent,
    },
    Row {
        event: "timeout after the 2nd, or choice not to retransmit",
        before: State::I2Sent,
        run: |bench| {
            (0..2).for_each(|_| assert_eq!(bench.expire(), [RESENT]));
            let actions = bench.expire();
            assert_eq!(bench.elapsed(), 28_000);
            actions
        },
        // Numbers were drawn for three timers of I2 and the nonce and timer of I1 before.
        actions: &[sent_i1(5)],
        after: State::I1Sent,
    },
];

/// Section 3.4.
const I2BIS_SENT: &[Row] = &[
    Row {
        event: "R2 matching, PDS ok",
        before: State::I2bisSent,
        run: |bench| bench.receive(&r2(NEW, drawn(2), BOTH), ON_ULIDS),
        actions: &[
            adopted(NEW),
            Action::CheckConfusion,
            Action::UsePair(ULIDS),
            Action::Established { again: true },
        ],
        after: State::Established,
    },
    Row {
        event: "R1",
        before: State::I2bisSent,
        run: |bench| bench.receive(&r1(drawn(2)), ON_ULIDS),
        actions: DISCARDED,
        after: State::I2bisSent,
    },
    Row {
        event: "I1 same ULID pair, FII",
        before: State::I2bisSent,
        run: |bench| bench.receive(&i1(NEW), ON_OTHER),
        actions: &[sent_r2(OTHER)],
        after: State::I2bisSent,
    },
    Row {
        event: "I2 / I2bis valid, source acceptable",
        before: State::I2bisSent,
        run: |bench| bench.receive(&i2(NEW, BOTH), ON_OTHER),
        actions: &[
            adopted(NEW),
            Action::CheckConfusion,
            Action::UsePair(OTHER),
            sent_r2(OTHER),
        ],
        after: State::I2bisSent,
    },
    Row {
        event: "I2 / I2bis valid, source acceptable",
        before: State::I2bisSent,
        run: |bench| bench.receive(&i2bis(PEER, BOTH), ON_OTHER),
        actions: &[adopted(PEER), Action::CheckConfusion, sent_r2(OTHER)],
        after: State::I2bisSent,
    },
    Row {
        event: "R1bis",
        before: State::I2bisSent,
        run: |bench| bench.receive(&r1bis(PEER), ON_ULIDS),
        actions: DISCARDED,
        after: State::I2bisSent,
    },
    Row {
        event: "payload header with our tag",
        before: State::I2bisSent,
        run: |bench| after_a_while(bench, Bench::payload),
        actions: &[RESENT],
        after: State::I2bisSent,
    },
    Row {
        event: "Update Request",
        before: State::I2bisSent,
        run: |bench| {
            after_a_while(bench, |bench| {
                bench.receive(&request(host(BOTH, None)), ON_ULIDS)
            })
        },
        actions: &[
            RESENT,
            Action::UpdatePeer,
            Action::CheckConfusion,
            sent_acknowledgement(PEER),
        ],
        after: State::I2bisSent,
    },
    Row {
        event: "Update Ack",
        before: State::Established,
        run: |bench| {
            bench.announce();
            bench.receive(&r1bis(PEER), ON_ULIDS);
            assert_eq!(bench.state(), State::I2bisSent);
            after_a_while(bench, |bench| {
                bench.receive(&acknowledgement(drawn(2)), ON_ULIDS)
            })
        },
        actions: &[RESENT, Action::Acknowledged],
        after: State::I2bisSent,
    },
    Row {
        event: "I2/I2bis otherwise, R2 not matching or bad PDS",
        before: State::I2bisSent,
        run: |bench| bench.receive(&i2(NEW, BOTH), ON_FOREIGN),
        actions: &[discarded(Cause::Source)],
        after: State::I2bisSent,
    },
    Row {
        event: "I2/I2bis otherwise, R2 not matching or bad PDS",
        before: State::I2bisSent,
        run: |bench| bench.receive(&r2(NEW, drawn(0), BOTH), ON_ULIDS),
        actions: &[discarded(Cause::Nonce)],
        after: State::I2bisSent,
    },
    Row {
        event: "I2/I2bis otherwise, R2 not matching or bad PDS",
        before: State::I2bisSent,
        run: |bench| {
            bench.context.verdict = Err(foreign_parameters());
            bench.receive(&r2(NEW, drawn(2), BOTH), ON_ULIDS)
        },
        actions: &[discarded(Cause::Verification)],
        after: State::I2bisSent,
    },
    Row {
        event: "Keepalive, Probe with our tag",
        before: State::I2bisSent,
        run: |bench| after_a_while(bench, |bench| bench.receive(&keepalive(), ON_ULIDS)),
        actions: &[RESENT, discarded(Cause::State)],
        after: State::I2bisSent,
    },
    Row {
        event: "Keepalive, Probe with our tag",
        before: State::I2bisSent,
        run: |bench| after_a_while(bench, |bench| bench.receive(&probe(), ON_ULIDS)),
        actions: &[RESENT, discarded(Cause::State)],
        after: State::I2bisSent,
    },
    Row {
        event: "timeout, fewer than 2 retransmissions done",
        before: State::I2bisSent,
        run: |bench| {
            (0..2).for_each(|_| assert_eq!(bench.expire(), [RESENT]));
            assert_eq!(bench.elapsed(), 12_000);
            vec![]
        },
        actions: &[],
        after: State::I2bisSent,
    },
    Row {
        event: "timeout after the 2nd",
        before: State::I2bisSent,
        run: |bench| {
            (0..2).for_each(|_| assert_eq!(bench.expire(), [RESENT]));
            let actions = bench.expire();
            assert_eq!(bench.elapsed(), 28_000);
            assert_eq!(bench.machine().peer_tag(), None);
            assert!(!bench.state().sends_to_pair(), "ULP packets have the ULIDs");
            actions
        },
        actions: &[Action::DropPeer, sent_i1(6)],
        after: State::I1Sent,
    },
    Row {
        event: "idle and unused, ULID(local) invalid, context confusion",
        before: State::I2bisSent,
        run: Bench::restart,
        actions: &[Action::DropPeer, sent_i1(4)],
        after: State::I1Sent,
    },
    Row {
        event: "ULP packet to send",
        before: State::I2bisSent,
        run: |bench| {
            assert!(bench.state().sends_to_pair());
            assert_eq!(bench.machine().peer_tag(), Some(PEER));
            vec![]
        },
        actions: &[],
        after: State::I2bisSent,
    },
];

#[test]
fn i2_sent() {
    check(I2_SENT, 12);
}

#[test]
fn i2bis_sent() {
    check(I2BIS_SENT, 14);
}
