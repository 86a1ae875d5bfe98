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
        leads_to,
        stays,
        unverified,
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
    stays(
        "I1, locators not in the sets",
        |bench| bench.receive(&i1(PEER), ON_FOREIGN),
        &[Action::ReplyR1],
    ),
    stays(
        "I1, locators not in the sets",
        |bench| bench.receive(&i1(PEER), TO_FOREIGN),
        &[Action::ReplyR1],
    ),
    stays(
        "I1, locators in the sets, tag = CT(peer)",
        |bench| bench.receive(&i1(PEER), ON_OTHER),
        &[sent_r2(OTHER)],
    ),
    stays(
        "I1, locators in the sets, tag != CT(peer)",
        |bench| bench.receive(&i1(NEW), ON_ULIDS),
        &[Action::ReplyR1],
    ),
    stays(
        "I2 valid, source acceptable",
        |bench| bench.receive(&i2(NEW, BOTH), ON_OTHER),
        &[
            adopted(NEW),
            Action::CheckConfusion,
            Action::UsePair(OTHER),
            sent_r2(OTHER),
            AGAIN,
        ],
    ),
    stays(
        "I2bis valid, source acceptable",
        |bench| bench.receive(&i2bis(NEW, NO_LIST), ON_OTHER),
        &[
            adopted(NEW),
            Action::CheckConfusion,
            // B2 is a locator of the context until then, but not one of the new list.
            Action::UsePair(ULIDS),
            sent_r2(OTHER),
            AGAIN,
        ],
    ),
    stays(
        "I2/I2bis otherwise",
        |bench| bench.receive(&i2(NEW, BOTH), ON_FOREIGN),
        &[discarded(Cause::Source)],
    ),
    stays(
        "I2/I2bis otherwise",
        |bench| unverified(bench).receive(&i2bis(NEW, BOTH), ON_ULIDS),
        &[discarded(Cause::Verification)],
    ),
    stays(
        "R1",
        |bench| bench.receive(&r1(drawn(0)), ON_ULIDS),
        DISCARDED,
    ),
    stays(
        "R2",
        |bench| bench.receive(&r2(NEW, drawn(0), BOTH), ON_ULIDS),
        DISCARDED,
    ),
    leads_to(
        "R1bis with tag = CT(peer) and acceptable pair",
        |bench| {
            let actions = bench.receive(&r1bis(PEER), from_peer(CROSS));
            assert_eq!(bench.machine().peer_tag(), Some(PEER));
            actions
        },
        &[sent_i2bis(CROSS)],
        State::I2bisSent,
    ),
    stays(
        "R1bis with another tag or pair",
        |bench| bench.receive(&r1bis(NEW), ON_ULIDS),
        &[discarded(Cause::Tag)],
    ),
    stays(
        "R1bis with another tag or pair",
        |bench| bench.receive(&r1bis(PEER), ON_FOREIGN),
        &[discarded(Cause::Addresses)],
    ),
    stays(
        "payload header",
        |bench| {
            assert!(bench.state().delivers_payload());
            bench.payload()
        },
        &[],
    ),
    stays(
        "Update Request/Ack, Keepalive, Probe, address check ok",
        |bench| bench.receive(&request(host(NO_LIST, None)), ON_ULIDS),
        &[Action::UpdatePeer, sent_acknowledgement(PEER)],
    ),
    stays(
        "Update Request/Ack, Keepalive, Probe, address check ok",
        |bench| {
            let sent = Action::SendUpdate {
                receiver_tag: PEER,
                request_nonce: drawn(2),
            };
            assert_eq!(bench.announce(), [sent]);
            bench.receive(&acknowledgement(drawn(2)), ON_ULIDS)
        },
        &[Action::Acknowledged],
    ),
    stays(
        "Update Request/Ack, Keepalive, Probe, address check ok",
        |bench| bench.receive(&keepalive(), ON_OTHER),
        &[Action::Reap],
    ),
    stays(
        "Update Request/Ack, Keepalive, Probe, address check ok",
        |bench| bench.receive(&probe(), from_peer(CROSS)),
        &[Action::Reap],
    ),
    stays(
        "same, source not in Ls(peer) or destination not in Ls(local)",
        |bench| bench.receive(&request(host(BOTH, None)), ON_FOREIGN),
        &[Action::ReplyR1bis, discarded(Cause::Addresses)],
    ),
    stays(
        "same, source not in Ls(peer) or destination not in Ls(local)",
        |bench| {
            bench.announce();
            bench.receive(&acknowledgement(drawn(2)), TO_FOREIGN)
        },
        &[Action::ReplyR1bis, discarded(Cause::Addresses)],
    ),
    stays(
        "same, source not in Ls(peer) or destination not in Ls(local)",
        |bench| bench.receive(&keepalive(), TO_FOREIGN),
        &[Action::ReplyR1bis, discarded(Cause::Addresses)],
    ),
    stays(
        "same, source not in Ls(peer) or destination not in Ls(local)",
        |bench| bench.receive(&probe(), ON_FOREIGN),
        &[Action::ReplyR1bis, discarded(Cause::Addresses)],
    ),
    stays(
        "idle and unused",
        |bench| {
            let last = bench.now;
            bench.wait(Interval::from_millis(299_999));
            assert!(!bench.constants.is_idle(last, bench.now));
            bench.wait(Interval::from_millis(1));
            assert!(bench.constants.is_idle(last, bench.now));
            assert_eq!(bench.machine().next_deadline(), None, "nothing to wait for");
            vec![]
        },
        &[],
    ),
    leads_to(
        "context confusion with a newer context",
        |bench| {
            let older = claim(bench.state());
            assert!(confuses(&newer(), &older, || true));
            bench.restart()
        },
        &[Action::DropPeer, sent_i1(2)],
        State::I1Sent,
    ),
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
    check(State::Established, ROWS, 15);
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
