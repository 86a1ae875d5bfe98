// SPDX-License-Identifier: GPL-2.0

//! Where the RFC leaves a choice or contradicts itself: what was chosen ("S-n" are the doubts in
//! the specification, shim6-state.md, section 14), and that nothing expensive or lasting happens
//! for a message that is not taken.

use shim6_proto::{
    establish::{
        Action,
        Cause,
        Machine,
        State, //
    },
    locator::LocatorPair,
    number::Generation,
    verify::{
        Refusal,
        Rejection, //
    },
    wire::{
        fault::{
            ErrorCode,
            Report, //
        },
        message::{
            Arrival,
            Message, //
        }, //
    }, //
};

use crate::establish_support::*;

/// States with a context.
const STATES: [State; 4] = [
    State::I1Sent,
    State::I2Sent,
    State::I2bisSent,
    State::Established,
];

/// The machine is stored in every context.
#[test]
fn machines_are_small() {
    assert!(size_of::<Machine>() <= 160, "{}", size_of::<Machine>());
}

/// Asserts that a message that cheap checks refuse is not verified, and changes nothing.
#[track_caller]
fn assert_cheap(state: State, message: &Message<'static>, arrival: Arrival) {
    let mut bench = Bench::in_state(state);
    let before = (bench.machine, bench.context.clone());
    let actions = bench.receive(message, arrival);

    assert!(
        matches!(actions.last(), Some(Action::Discard(_))),
        "{state:?}: {actions:?}"
    );
    assert_eq!(bench.context.verified, 0, "{state:?}: {message:?}");
    assert_eq!((bench.machine, bench.context), before, "{state:?}");
}

#[test]
fn nothing_is_verified_before_all_else_is_right() {
    for state in STATES {
        assert_cheap(state, &i2(NEW, BOTH), ON_FOREIGN);
        assert_cheap(state, &i2bis(NEW, NO_LIST), ON_FOREIGN);
        assert_cheap(state, &r2(NEW, PEERS_NONCE, BOTH), ON_ULIDS);
        assert_cheap(state, &r2(NEW, drawn(0), BOTH), ON_FOREIGN);
        assert_cheap(state, &request(host(BOTH, None)), ON_FOREIGN);
        assert_cheap(state, &request(host(BOTH, None)), TO_FOREIGN);
        let wrong = host(BOTH, Some((Generation::new(1), 2)));
        assert_cheap(state, &request(wrong), ON_ULIDS);
    }
    assert_cheap(State::Established, &r2(NEW, drawn(0), BOTH), ON_ULIDS);
    assert_cheap(State::I1Sent, &request(host(BOTH, None)), ON_ULIDS);
    assert_cheap(State::I2Sent, &request(host(BOTH, None)), ON_ULIDS);
}

/// Messages that are taken in this state if they can be verified.
fn verifiable(state: State) -> Vec<Message<'static>> {
    let mut messages = vec![i2(NEW, BOTH), i2bis(NEW, BOTH)];
    match state {
        State::I1Sent | State::I2Sent => messages.push(r2(NEW, drawn(0), BOTH)),
        State::I2bisSent => messages.push(r2(NEW, drawn(2), BOTH)),
        _ => {}
    }
    if state.sends_to_pair() {
        messages.push(request(host(BOTH, Some((GENERATION, 2)))));
    }
    messages
}

/// S-12, S-14: whatever verification says, it is asked once, and a message that it refuses leaves
/// no trace but the Error message that it wants.
#[test]
fn verification_is_asked_once_and_obeyed() {
    let report = Report {
        code: ErrorCode::VERIFICATION_METHOD,
        pointer: 99,
    };
    let rejections = [
        foreign_parameters(),
        Refusal::Unavailable.into(),
        Rejection {
            refusal: Refusal::NotInSet,
            report: Some(report),
        },
    ];
    for state in STATES {
        for message in verifiable(state) {
            let mut bench = Bench::in_state(state);
            let taken = bench.receive(&message, ON_ULIDS);
            assert!(!taken.contains(&Action::Discard(Cause::Verification)));
            assert_eq!(bench.context.verified, 1, "{state:?}: {message:?}");

            for rejection in rejections {
                let mut bench = Bench::in_state(state);
                bench.context.verdict = Err(rejection);
                let before = (
                    bench.machine,
                    bench.context.peer.clone(),
                    bench.context.pair,
                );
                let mut expected = vec![Action::Discard(Cause::Verification)];
                if let Some(report) = rejection.report {
                    expected.insert(0, Action::Report(report));
                }
                assert_eq!(bench.receive(&message, ON_ULIDS), expected);
                let after = (
                    bench.machine,
                    bench.context.peer.clone(),
                    bench.context.pair,
                );
                assert_eq!(after, before, "{state:?}: {message:?}");
                assert_eq!(bench.context.verified, 1);
            }
        }
    }
}

/// Preferences that do not fit the list make an I2, I2bis or R2 as useless as an Update Request.
#[test]
fn handshake_messages_need_preferences_that_fit() {
    for generation in [GENERATION, Generation::new(1)] {
        for number in [1, 2] {
            let Message::I2(mut message) = i2(PEER, BOTH) else {
                panic!("no I2");
            };
            message.host = host(BOTH, Some((generation, number)));
            let right = (generation, number) == (GENERATION, 2);
            let mut bench = Bench::idle();
            let made = bench.respond(&Message::I2(message), ON_ULIDS);
            assert_eq!(made.is_ok(), right);
            assert_eq!(bench.context.verified, u32::from(right));
        }
    }
}

/// S-1: before there is a list, Ls(peer) is ULID(peer) and the address that I1 went to.
#[test]
fn sources_before_there_is_a_list() {
    for (arrival, taken) in [(ON_ULIDS, true), (ON_OTHER, false), (ON_FOREIGN, false)] {
        let mut bench = Bench::in_state(State::I1Sent);
        let actions = bench.receive(&i2(PEER, NO_LIST), arrival);
        assert_eq!(actions[0] == Action::Discard(Cause::Source), !taken);
    }
    // After the fall back from I2bis, which went elsewhere.
    let mut bench = Bench::in_state(State::Established);
    bench.receive(&r1bis(PEER), ON_OTHER);
    (0..3).for_each(|_| drop(bench.expire()));
    assert_eq!(bench.state(), State::I1Sent);
    for (arrival, taken) in [(ON_ULIDS, true), (ON_OTHER, true), (ON_FOREIGN, false)] {
        let mut bench = bench.clone();
        let actions = bench.receive(&i2(PEER, NO_LIST), arrival);
        assert_eq!(actions[0] == Action::Discard(Cause::Source), !taken);
    }
}

/// S-2: R2 has to come back on the pair that the message went out on, which after R1bis need not
/// be the current one.
#[test]
fn r2_comes_back_on_the_pair_of_the_handshake() {
    let mut bench = Bench::in_state(State::Established);
    bench.receive(&r1bis(PEER), ON_OTHER);
    let current = bench.receive(&r2(NEW, drawn(2), BOTH), ON_ULIDS);
    assert_eq!(current, [Action::Discard(Cause::Addresses)]);
    let back = bench.receive(&r2(NEW, drawn(2), BOTH), ON_OTHER);
    assert!(back.contains(&Action::UsePair(OTHER)));
    assert_eq!(bench.state(), State::Established);
}

/// The fall back begins with another nonce, over the pair that R1bis came on: that one works.
#[test]
fn fall_back_stays_on_the_pair() {
    let mut bench = Bench::in_state(State::Established);
    bench.receive(&r1bis(PEER), ON_OTHER);
    let before = bench.machine().outstanding();
    (0..3).for_each(|_| drop(bench.expire()));
    let after = bench.machine().outstanding();
    assert_eq!(after.map(|(_, pair)| pair), Some(OTHER));
    assert_ne!(
        after.map(|(nonce, _)| nonce),
        before.map(|(nonce, _)| nonce)
    );
    assert_eq!(bench.machine().local_tag(), LOCAL);
}

/// S-9: I2 has the nonce of I1, so that responders that count on it work.
#[test]
fn i2_keeps_the_nonce() {
    let mut bench = Bench::in_state(State::I1Sent);
    let i1 = bench.machine().outstanding();
    bench.receive(&r1(drawn(0)), ON_ULIDS);
    assert_eq!(bench.machine().outstanding(), i1);
}

/// S-19: R1bis is no answer to a tag that is known.
#[test]
fn no_r1bis_before_there_is_a_list() {
    for state in [State::I1Sent, State::I2Sent] {
        let mut bench = Bench::in_state(state);
        let actions = bench.receive(&keepalive(), ON_FOREIGN);
        assert!(!actions.contains(&Action::ReplyR1bis), "{state:?}");
    }
}

/// R2 tells CT(local), so it goes to nobody outside the sets; R1 is what leads to an I2 with a
/// list. Without the ULID Pair option the addresses are the ULIDs.
#[test]
fn i1_from_elsewhere_gets_r1() {
    for state in STATES {
        for arrival in [ON_FOREIGN, TO_FOREIGN] {
            let mut bench = Bench::in_state(state);
            assert_eq!(bench.receive(&i1(PEER), arrival), [Action::ReplyR1]);
        }
        let Message::I1(mut message) = i1(PEER) else {
            panic!("no I1");
        };
        message.ulid_pair = None;
        let mut bench = Bench::in_state(state);
        let actions = bench.receive(&Message::I1(message), ON_ULIDS);
        assert_eq!(actions, [sent_r2(ULIDS)], "{state:?}");
    }
}

/// A host claims an identity from an address that it does not claim: no context.
#[test]
fn context_is_made_for_acceptable_sources_only() {
    for (list, arrival, taken) in [
        (NO_LIST, ON_ULIDS, true),
        (BOTH, ON_ULIDS, true),
        (BOTH, ON_OTHER, true),
        (NO_LIST, ON_OTHER, false),
        (BOTH, ON_FOREIGN, false),
    ] {
        for message in [i2(PEER, list), i2bis(PEER, list)] {
            let mut bench = Bench::idle();
            let made = bench.respond(&message, arrival);
            assert_eq!(made.is_ok(), taken, "{message:?} from {}", arrival.source);
            assert_eq!(bench.context.verified, u32::from(taken));
        }
    }
}

/// S-13: the pair of a message that proves it is used at once, if its locators may be used.
#[test]
fn proved_pairs_are_used() {
    // Responder.
    let mut bench = Bench::idle();
    bench.respond(&i2(PEER, BOTH), ON_OTHER).expect("a context");
    assert_eq!(bench.context.pair, OTHER);
    // The local address is not one that the peer is told.
    let mut bench = Bench::idle();
    bench
        .respond(&i2(PEER, BOTH), TO_FOREIGN)
        .expect("a context");
    assert_eq!(bench.context.pair, ULIDS);
    // A message that came twice must not undo what REAP has done since.
    bench.context.pair = OTHER;
    bench.receive(&i2(PEER, BOTH), ON_ULIDS);
    assert_eq!(bench.context.pair, OTHER);
}

/// In an established context the peer's list decides, not the ULID: it may have been renumbered
/// away.
#[test]
fn sources_of_an_established_context() {
    let mut bench = Bench::in_state(State::Established);
    bench.receive(&request(host(&[B2], None)), ON_ULIDS);
    let actions = bench.receive(&keepalive(), ON_ULIDS);
    assert_eq!(
        actions,
        [Action::ReplyR1bis, Action::Discard(Cause::Addresses)]
    );
    assert_eq!(bench.receive(&keepalive(), ON_OTHER), [Action::Reap]);
}

/// A machine that an administrator made has what it was given, and recovers like all others.
#[test]
fn administrators_contexts() {
    let mut bench = Bench::idle();
    bench.machine = Some(Machine::established(LOCAL, PEER, ULIDS, bench.now));
    bench.context.peer = BOTH.to_vec();

    let machine = bench.machine();
    assert_eq!(machine.state(), State::Established);
    assert_eq!(machine.peer_tag(), Some(PEER));
    assert_eq!(
        (machine.outstanding(), machine.next_deadline()),
        (None, None)
    );
    assert!(machine.is_announced());

    bench.receive(&r1bis(PEER), ON_OTHER);
    assert_eq!(bench.state(), State::I2bisSent);
}

/// A trigger may begin on another pair than the ULIDs.
#[test]
fn initiation_on_another_pair() {
    let mut bench = Bench::idle();
    let pair = LocatorPair {
        local: A1,
        peer: B2,
    };
    let actions = {
        let mut step = shim6_proto::establish::Step {
            constants: &bench.constants,
            identity: &IDENTITY,
            now: bench.now,
            random: &mut bench.random,
        };
        let (machine, actions) = Machine::initiate(&mut step, LOCAL, pair);
        bench.machine = Some(machine);
        actions
    };
    assert!(matches!(
        actions.iter().next(),
        Some(Action::Send { pair: sent, .. }) if sent == pair
    ));
    bench.receive(&r1(drawn(0)), from_peer(pair));
    bench.receive(&r2(PEER, drawn(0), NO_LIST), from_peer(pair));
    assert_eq!(bench.state(), State::Established);
    // B2 is not in the list that the peer did not send.
    assert_eq!(bench.context.pair, ULIDS);
}

#[test]
fn numbers_and_names_are_those_of_user_space() {
    let names = [
        "IDLE",
        "I1-SENT",
        "I2-SENT",
        "I2BIS-SENT",
        "ESTABLISHED",
        "E-FAILED",
        "NO-SUPPORT",
    ];
    let states = [
        State::Idle,
        State::I1Sent,
        State::I2Sent,
        State::I2bisSent,
        State::Established,
        State::EFailed,
        State::NoSupport,
    ];
    for (number, (state, name)) in states.iter().zip(names).enumerate() {
        assert_eq!(usize::from(state.number()), number);
        assert_eq!(state.name(), name);
    }
    for (index, cause) in Cause::ALL.iter().enumerate() {
        assert_eq!(cause.index(), index);
        assert_eq!(cause.name(), cause.to_string());
    }
}
