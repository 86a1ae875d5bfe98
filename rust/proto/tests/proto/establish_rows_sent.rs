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
        leads_to,
        repeated,
        stays,
        unverified,
        Row,
        COMPLETED,
        DISCARDED, //
    },
    establish_support::*, //
};

/// Longer than the interval between two repetitions that packets cause.
const A_WHILE: Interval = Interval::from_millis(500);

/// The bench at a time when a packet may cause a repetition.
fn after_a_while(bench: &mut Bench) -> &mut Bench {
    bench.wait(A_WHILE);
    bench
}

/// Section 3.3.
const I2_SENT: &[Row] = &[
    leads_to(
        "R2 matching, PDS ok",
        |bench| bench.receive(&r2(PEER, drawn(0), BOTH), ON_ULIDS),
        COMPLETED,
        State::Established,
    ),
    stays(
        "R2 not matching or bad PDS",
        |bench| bench.receive(&r2(PEER, drawn(1), BOTH), ON_ULIDS),
        &[discarded(Cause::Nonce)],
    ),
    stays(
        "R2 not matching or bad PDS",
        |bench| bench.receive(&r2(PEER, drawn(0), BOTH), ON_OTHER),
        &[discarded(Cause::Addresses)],
    ),
    stays(
        "R2 not matching or bad PDS",
        |bench| unverified(bench).receive(&r2(PEER, drawn(0), BOTH), ON_ULIDS),
        &[discarded(Cause::Verification)],
    ),
    stays(
        "R1",
        |bench| bench.receive(&r1(drawn(0)), ON_ULIDS),
        DISCARDED,
    ),
    stays(
        "I1 same ULID pair, FII",
        |bench| bench.receive(&i1(PEER), ON_ULIDS),
        &[sent_r2(ULIDS)],
    ),
    stays(
        "I2 / I2bis valid, source acceptable",
        |bench| bench.receive(&i2(PEER, BOTH), ON_OTHER),
        &[adopted(PEER), Action::CheckConfusion, sent_r2(OTHER)],
    ),
    stays(
        "I2 / I2bis valid, source acceptable",
        |bench| bench.receive(&i2bis(PEER, NO_LIST), ON_ULIDS),
        &[adopted(PEER), Action::CheckConfusion, sent_r2(ULIDS)],
    ),
    stays(
        "R1bis",
        |bench| bench.receive(&r1bis(PEER), ON_ULIDS),
        DISCARDED,
    ),
    stays(
        "payload header with our tag",
        |bench| after_a_while(bench).payload(),
        &[RESENT],
    ),
    stays(
        "Update Request with our tag",
        |bench| after_a_while(bench).receive(&request(host(BOTH, None)), ON_ULIDS),
        &[RESENT, discarded(Cause::State)],
    ),
    stays(
        "Update Request with our tag",
        |bench| {
            bench.receive(&i2(PEER, BOTH), ON_ULIDS);
            after_a_while(bench).receive(&request(host(BOTH, None)), ON_ULIDS)
        },
        &[
            RESENT,
            Action::UpdatePeer,
            Action::CheckConfusion,
            sent_acknowledgement(PEER),
        ],
    ),
    stays(
        "Update Ack with our tag",
        |bench| after_a_while(bench).receive(&acknowledgement(drawn(0)), ON_ULIDS),
        &[RESENT, discarded(Cause::State)],
    ),
    stays(
        "Keepalive, Probe with our tag",
        |bench| after_a_while(bench).receive(&keepalive(), ON_ULIDS),
        &[RESENT, discarded(Cause::State)],
    ),
    stays(
        "Keepalive, Probe with our tag",
        |bench| after_a_while(bench).receive(&probe(), ON_ULIDS),
        &[RESENT, discarded(Cause::State)],
    ),
    stays(
        "timeout, fewer than 2 retransmissions done",
        |bench| {
            assert_eq!(repeated(bench, 2).elapsed(), 12_000);
            vec![]
        },
        &[],
    ),
    leads_to(
        "timeout after the 2nd, or choice not to retransmit",
        |bench| {
            let actions = repeated(bench, 2).expire();
            assert_eq!(bench.elapsed(), 28_000);
            actions
        },
        // Numbers were drawn for three timers of I2 and the nonce and timer of I1 before.
        &[sent_i1(5)],
        State::I1Sent,
    ),
];

/// Section 3.4.
const I2BIS_SENT: &[Row] = &[
    leads_to(
        "R2 matching, PDS ok",
        |bench| bench.receive(&r2(NEW, drawn(2), BOTH), ON_ULIDS),
        &[
            adopted(NEW),
            Action::CheckConfusion,
            Action::UsePair(ULIDS),
            Action::Established { again: true },
        ],
        State::Established,
    ),
    stays(
        "R1",
        |bench| bench.receive(&r1(drawn(2)), ON_ULIDS),
        DISCARDED,
    ),
    stays(
        "I1 same ULID pair, FII",
        |bench| bench.receive(&i1(NEW), ON_OTHER),
        &[sent_r2(OTHER)],
    ),
    stays(
        "I2 / I2bis valid, source acceptable",
        |bench| bench.receive(&i2(NEW, BOTH), ON_OTHER),
        &[
            adopted(NEW),
            Action::CheckConfusion,
            Action::UsePair(OTHER),
            sent_r2(OTHER),
        ],
    ),
    stays(
        "I2 / I2bis valid, source acceptable",
        |bench| bench.receive(&i2bis(PEER, BOTH), ON_OTHER),
        &[adopted(PEER), Action::CheckConfusion, sent_r2(OTHER)],
    ),
    stays(
        "R1bis",
        |bench| bench.receive(&r1bis(PEER), ON_ULIDS),
        DISCARDED,
    ),
    stays(
        "payload header with our tag",
        |bench| after_a_while(bench).payload(),
        &[RESENT],
    ),
    stays(
        "Update Request",
        |bench| after_a_while(bench).receive(&request(host(BOTH, None)), ON_ULIDS),
        &[
            RESENT,
            Action::UpdatePeer,
            Action::CheckConfusion,
            sent_acknowledgement(PEER),
        ],
    ),
    stays(
        "Update Ack",
        |bench| {
            *bench = Bench::in_state(State::Established);
            bench.announce();
            bench.receive(&r1bis(PEER), ON_ULIDS);
            assert_eq!(bench.state(), State::I2bisSent);
            after_a_while(bench).receive(&acknowledgement(drawn(2)), ON_ULIDS)
        },
        &[RESENT, Action::Acknowledged],
    ),
    stays(
        "I2/I2bis otherwise, R2 not matching or bad PDS",
        |bench| bench.receive(&i2(NEW, BOTH), ON_FOREIGN),
        &[discarded(Cause::Source)],
    ),
    stays(
        "I2/I2bis otherwise, R2 not matching or bad PDS",
        |bench| bench.receive(&r2(NEW, drawn(0), BOTH), ON_ULIDS),
        &[discarded(Cause::Nonce)],
    ),
    stays(
        "I2/I2bis otherwise, R2 not matching or bad PDS",
        |bench| unverified(bench).receive(&r2(NEW, drawn(2), BOTH), ON_ULIDS),
        &[discarded(Cause::Verification)],
    ),
    stays(
        "Keepalive, Probe with our tag",
        |bench| after_a_while(bench).receive(&keepalive(), ON_ULIDS),
        &[RESENT, discarded(Cause::State)],
    ),
    stays(
        "Keepalive, Probe with our tag",
        |bench| after_a_while(bench).receive(&probe(), ON_ULIDS),
        &[RESENT, discarded(Cause::State)],
    ),
    stays(
        "timeout, fewer than 2 retransmissions done",
        |bench| {
            assert_eq!(repeated(bench, 2).elapsed(), 12_000);
            vec![]
        },
        &[],
    ),
    leads_to(
        "timeout after the 2nd",
        |bench| {
            let actions = repeated(bench, 2).expire();
            assert_eq!(bench.elapsed(), 28_000);
            assert_eq!(bench.machine().peer_tag(), None);
            assert!(!bench.state().sends_to_pair(), "ULP packets have the ULIDs");
            actions
        },
        &[Action::DropPeer, sent_i1(6)],
        State::I1Sent,
    ),
    leads_to(
        "idle and unused, ULID(local) invalid, context confusion",
        Bench::restart,
        &[Action::DropPeer, sent_i1(4)],
        State::I1Sent,
    ),
    stays(
        "ULP packet to send",
        |bench| {
            assert!(bench.state().sends_to_pair());
            assert_eq!(bench.machine().peer_tag(), Some(PEER));
            vec![]
        },
        &[],
    ),
];

#[test]
fn i2_sent() {
    check(State::I2Sent, I2_SENT, 12);
}

#[test]
fn i2bis_sent() {
    check(State::I2bisSent, I2BIS_SENT, 14);
}
