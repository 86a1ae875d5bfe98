// SPDX-License-Identifier: GPL-2.0

//! Every row of the table of transitions in the specification for ESTABLISHED (shim6-state.md,
//! section 3.5).

use shim6_proto::{
    establish::{
        confuses,
        Action,
        Cause,
        Claim,
        State, //
    },
    identity::Identity,
    locator::LocatorPair,
    number::Fii,
    time::Interval, //
};

use crate::{
    establish_rows::{
        adopted,
        check,
        discarded,
        Row,
        DISCARDED, //
    },
    establish_support::*, //
};

/// The peer's side is new.
const AGAIN: Action<'static> = Action::Established { again: true };

/// A pair that was never used.
const CROSS: LocatorPair = LocatorPair {
    local: A2,
    peer: B1,
};

/// Section 3.5.
const ROWS: &[Row] = &[
    Row {
        event: "I1, locators not in the sets",
        before: State::Established,
        run: |bench| bench.receive(&i1(PEER), ON_FOREIGN),
        actions: &[Action::ReplyR1],
        after: State::Established,
    },
    Row {
        event: "I1, locators not in the sets",
        before: State::Established,
        run: |bench| bench.receive(&i1(PEER), TO_FOREIGN),
        actions: &[Action::ReplyR1],
        after: State::Established,
    },
    Row {
        event: "I1, locators in the sets, tag = CT(peer)",
        before: State::Established,
        run: |bench| bench.receive(&i1(PEER), ON_OTHER),
        actions: &[sent_r2(OTHER)],
        after: State::Established,
    },
    Row {
        event: "I1, locators in the sets, tag != CT(peer)",
        before: State::Established,
        run: |bench| bench.receive(&i1(NEW), ON_ULIDS),
        actions: &[Action::ReplyR1],
        after: State::Established,
    },
    Row {
        event: "I2 valid, source acceptable",
        before: State::Established,
        run: |bench| bench.receive(&i2(NEW, BOTH), ON_OTHER),
        actions: &[
            adopted(NEW),
            Action::CheckConfusion,
            Action::UsePair(OTHER),
            sent_r2(OTHER),
            AGAIN,
        ],
        after: State::Established,
    },
    Row {
        event: "I2bis valid, source acceptable",
        before: State::Established,
        run: |bench| bench.receive(&i2bis(NEW, NO_LIST), ON_OTHER),
        actions: &[
            adopted(NEW),
            Action::CheckConfusion,
            // B2 is a locator of the context until then, but not one of the new list.
            Action::UsePair(ULIDS),
            sent_r2(OTHER),
            AGAIN,
        ],
        after: State::Established,
    },
    Row {
        event: "I2/I2bis otherwise",
        before: State::Established,
        run: |bench| bench.receive(&i2(NEW, BOTH), ON_FOREIGN),
        actions: &[discarded(Cause::Source)],
        after: State::Established,
    },
    Row {
        event: "I2/I2bis otherwise",
        before: State::Established,
        run: |bench| {
            bench.context.verdict = Err(foreign_parameters());
            bench.receive(&i2bis(NEW, BOTH), ON_ULIDS)
        },
        actions: &[discarded(Cause::Verification)],
        after: State::Established,
    },
    Row {
        event: "R1",
        before: State::Established,
        run: |bench| bench.receive(&r1(drawn(0)), ON_ULIDS),
        actions: DISCARDED,
        after: State::Established,
    },
    Row {
        event: "R2",
        before: State::Established,
        run: |bench| bench.receive(&r2(NEW, drawn(0), BOTH), ON_ULIDS),
        actions: DISCARDED,
        after: State::Established,
    },
    Row {
        event: "R1bis with tag = CT(peer) and acceptable pair",
        before: State::Established,
        run: |bench| {
            let actions = bench.receive(&r1bis(PEER), from_peer(CROSS));
            assert_eq!(bench.machine().peer_tag(), Some(PEER));
            actions
        },
        actions: &[sent_i2bis(CROSS)],
        after: State::I2bisSent,
    },
    Row {
        event: "R1bis with another tag or pair",
        before: State::Established,
        run: |bench| bench.receive(&r1bis(NEW), ON_ULIDS),
        actions: &[discarded(Cause::Tag)],
        after: State::Established,
    },
    Row {
        event: "R1bis with another tag or pair",
        before: State::Established,
        run: |bench| bench.receive(&r1bis(PEER), ON_FOREIGN),
        actions: &[discarded(Cause::Addresses)],
        after: State::Established,
    },
    Row {
        event: "payload header",
        before: State::Established,
        run: |bench| {
            assert!(bench.state().delivers_payload());
            bench.payload()
        },
        actions: &[],
        after: State::Established,
    },
    Row {
        event: "Update Request/Ack, Keepalive, Probe, address check ok",
        before: State::Established,
        run: |bench| bench.receive(&request(host(NO_LIST, None)), ON_ULIDS),
        actions: &[Action::UpdatePeer, sent_acknowledgement(PEER)],
        after: State::Established,
    },
    Row {
        event: "Update Request/Ack, Keepalive, Probe, address check ok",
        before: State::Established,
        run: |bench| {
            let sent = Action::SendUpdate {
                receiver_tag: PEER,
                request_nonce: drawn(2),
            };
            assert_eq!(bench.announce(), [sent]);
            bench.receive(&acknowledgement(drawn(2)), ON_ULIDS)
        },
        actions: &[Action::Acknowledged],
        after: State::Established,
    },
    Row {
        event: "Update Request/Ack, Keepalive, Probe, address check ok",
        before: State::Established,
        run: |bench| bench.receive(&keepalive(), ON_OTHER),
        actions: &[Action::Reap],
        after: State::Established,
    },
    Row {
        event: "Update Request/Ack, Keepalive, Probe, address check ok",
        before: State::Established,
        run: |bench| bench.receive(&probe(), from_peer(CROSS)),
        actions: &[Action::Reap],
        after: State::Established,
    },
    Row {
        event: "same, source not in Ls(peer) or destination not in Ls(local)",
        before: State::Established,
        run: |bench| bench.receive(&request(host(BOTH, None)), ON_FOREIGN),
        actions: &[Action::ReplyR1bis, discarded(Cause::Addresses)],
        after: State::Established,
    },
    Row {
        event: "same, source not in Ls(peer) or destination not in Ls(local)",
        before: State::Established,
        run: |bench| {
            bench.announce();
            bench.receive(&acknowledgement(drawn(2)), TO_FOREIGN)
        },
        actions: &[Action::ReplyR1bis, discarded(Cause::Addresses)],
        after: State::Established,
    },
    Row {
        event: "same, source not in Ls(peer) or destination not in Ls(local)",
        before: State::Established,
        run: |bench| bench.receive(&keepalive(), TO_FOREIGN),
        actions: &[Action::ReplyR1bis, discarded(Cause::Addresses)],
        after: State::Established,
    },
    Row {
        event: "same, source not in Ls(peer) or destination not in Ls(local)",
        before: State::Established,
        run: |bench| bench.receive(&probe(), ON_FOREIGN),
        actions: &[Action::ReplyR1bis, discarded(Cause::Addresses)],
        after: State::Established,
    },
    Row {
        event: "idle and unused",
        before: State::Established,
        run: |bench| {
            let last = bench.now;
            bench.wait(Interval::from_millis(299_999));
            assert!(!bench.constants.is_idle(last, bench.now));
            bench.wait(Interval::from_millis(1));
            assert!(bench.constants.is_idle(last, bench.now));
            assert_eq!(bench.machine().next_deadline(), None, "nothing to wait for");
            vec![]
        },
        actions: &[],
        after: State::Established,
    },
    Row {
        event: "context confusion with a newer context",
        before: State::Established,
        run: |bench| {
            let older = claim(bench.state());
            assert!(confuses(&newer(), &older, || true));
            bench.restart()
        },
        actions: &[Action::DropPeer, sent_i1(2)],
        after: State::I1Sent,
    },
];

/// The context of the bench in this state.
fn claim(state: State) -> Claim {
    Claim {
        identity: IDENTITY,
        state,
        peer_tag: Some(PEER),
    }
}

/// A fork of it that was given the same tag by the peer.
fn newer() -> Claim {
    Claim {
        identity: Identity {
            fii: Fii::new(1),
            ..IDENTITY
        },
        ..claim(State::Established)
    }
}

#[test]
fn established() {
    // 15 rows and the opposite of the one for R1bis; without "ULID(local) becomes invalid", in
    // which the machine has no part but to be dropped.
    check(ROWS, 15);
}

#[test]
fn confusion_is_between_established_contexts_of_one_peer_with_one_tag() {
    let older = claim(State::I2bisSent);
    assert!(confuses(&newer(), &older, || true));
    assert!(!confuses(&newer(), &older, || false));
    assert!(!confuses(&claim(State::Established), &older, || true));
    for state in [
        State::Idle,
        State::I1Sent,
        State::I2Sent,
        State::EFailed,
        State::NoSupport,
    ] {
        assert!(!confuses(&newer(), &claim(state), || true), "{state:?}");
    }
    for peer_tag in [Some(NEW), None] {
        let older = Claim { peer_tag, ..older };
        assert!(!confuses(&newer(), &older, || true));
        let newer = Claim {
            peer_tag: None,
            ..newer()
        };
        assert!(!confuses(&newer, &older, || true));
    }
}
