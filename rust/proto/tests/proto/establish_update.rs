// SPDX-License-Identifier: GPL-2.0

//! Update Request and Acknowledgement (RFC 5533, Section 10), both sides.

use shim6_proto::{
    establish::{
        Action,
        Cause,
        State, //
    },
    number::{
        Generation,
        Nonce, //
    },
    time::Interval,
    wire::fault::ErrorCode, //
};

use crate::establish_support::*;

/// An Update Request of this host.
fn sent(tag: shim6_proto::tag::ContextTag, nonce: Nonce) -> Vec<Action<'static>> {
    vec![Action::SendUpdate {
        receiver_tag: tag,
        request_nonce: nonce,
    }]
}

/// A bench on which the Update Request with the nonce `drawn(2)` is outstanding.
fn outstanding() -> Bench {
    let mut bench = Bench::in_state(State::Established);
    assert_eq!(bench.announce(), sent(PEER, drawn(2)));
    assert!(!bench.machine().is_announced());
    bench
}

#[test]
fn acknowledged() {
    let mut bench = outstanding();
    bench.wait(Interval::from_secs(1));
    let taken = bench.receive(&acknowledgement(drawn(2)), ON_ULIDS);
    assert_eq!(taken, [Action::Acknowledged]);
    assert!(bench.machine().is_announced());
    assert_eq!(bench.machine().next_deadline(), None);

    let again = bench.receive(&acknowledgement(drawn(2)), ON_ULIDS);
    assert_eq!(again, [Action::Discard(Cause::State)]);
}

#[test]
fn acknowledgement_of_something_else_is_ignored() {
    let mut bench = outstanding();
    let before = bench.machine;
    let ignored = bench.receive(&acknowledgement(drawn(0)), ON_ULIDS);
    assert_eq!(ignored, [Action::Discard(Cause::Nonce)]);
    assert_eq!(bench.machine, before);
}

/// Newer information abandons the request: another nonce, and the old acknowledgement is ignored.
#[test]
fn newer_information_supersedes_the_request() {
    let mut bench = outstanding();
    bench.wait(Interval::from_secs(2));
    assert_eq!(bench.announce(), sent(PEER, drawn(4)));

    let old = bench.receive(&acknowledgement(drawn(2)), ON_ULIDS);
    assert_eq!(old, [Action::Discard(Cause::Nonce)]);
    bench.expire();
    assert_eq!(bench.elapsed(), 6_000, "a timer of its own");
}

/// A request that was abandoned may overtake the one that supersedes it, and nothing in it tells the
/// peer that it is older: what is new is told once more, when the older one has had its time.
#[test]
fn what_supersedes_a_request_is_told_twice() {
    let mut bench = outstanding();
    bench.wait(Interval::from_secs(2));
    assert_eq!(bench.announce(), sent(PEER, drawn(4)));
    bench.wait(Interval::from_millis(300));
    let first = bench.receive(&acknowledgement(drawn(4)), ON_ULIDS);
    assert_eq!(first, [Action::Acknowledged]);
    assert!(
        !bench.machine().is_announced(),
        "the peer may know the older"
    );

    assert_eq!(bench.expire(), sent(PEER, drawn(6)));
    assert_eq!(bench.elapsed(), 3_000, "as far apart as all requests");
    let second = bench.receive(&acknowledgement(drawn(6)), ON_ULIDS);
    assert_eq!(second, [Action::Acknowledged]);
    assert!(bench.machine().is_announced());
    assert_eq!(bench.machine().next_deadline(), None);
}

/// When the acknowledgement is late, it is told again at once.
#[test]
fn what_supersedes_a_request_is_told_again_at_once() {
    let mut bench = outstanding();
    bench.wait(Interval::from_secs(2));
    bench.announce();
    bench.wait(Interval::from_secs(1));
    let late = bench.receive(&acknowledgement(drawn(4)), ON_ULIDS);
    assert!(
        matches!(late[..], [Action::Acknowledged, Action::SendUpdate { .. }]),
        "{late:?}"
    );
}

/// An address that comes and goes makes no flood: one request a second, and it has everything.
#[test]
fn requests_are_spaced() {
    let mut bench = Bench::in_state(State::Established);
    let mut requests = vec![];
    for i in 0..100 {
        for action in bench.announce() {
            requests.push((i, action));
        }
        bench.wait(Interval::from_millis(90));
        if bench.machine().next_deadline() <= Some(bench.now) {
            for action in bench.timeout() {
                requests.push((i, action));
            }
        }
    }
    // 100 changes in 9 seconds.
    assert_eq!(requests.len(), 9, "{requests:?}");
    assert!(requests
        .iter()
        .all(|(_, action)| matches!(action, Action::SendUpdate { .. })));
}

/// A machine need not be kept when nothing is under way and the next request need not wait.
#[test]
fn rest() {
    let rests = |bench: &Bench| bench.machine().is_at_rest(&bench.constants, bench.now);
    assert!(rests(&Bench::in_state(State::Established)));
    for state in [
        State::I1Sent,
        State::I2Sent,
        State::I2bisSent,
        State::EFailed,
        State::NoSupport,
    ] {
        assert!(!rests(&Bench::in_state(state)), "{state:?}");
    }
    let mut bench = outstanding();
    assert!(!rests(&bench));
    bench.wait(Interval::from_millis(300));
    bench.receive(&acknowledgement(drawn(2)), ON_ULIDS);
    assert_eq!(bench.machine().next_deadline(), None);
    for (pause, is_over) in [(0, false), (699, false), (1, true), (1, true)] {
        bench.wait(Interval::from_millis(pause));
        assert_eq!(rests(&bench), is_over, "{}", bench.elapsed());
    }
    bench.announce();
    bench.wait(Interval::from_secs(2));
    assert!(!rests(&bench));
}

/// The last change is told even if nothing happens afterwards.
#[test]
fn a_spaced_request_is_sent_when_it_is_due() {
    let mut bench = outstanding();
    bench.wait(Interval::from_millis(100));
    assert_eq!(bench.announce(), []);
    let taken = bench.receive(&acknowledgement(drawn(2)), ON_ULIDS);
    assert_eq!(taken, [Action::Acknowledged], "what was sent has arrived");
    assert!(!bench.machine().is_announced(), "there is more to tell");

    assert_eq!(bench.expire(), sent(PEER, drawn(4)));
    assert_eq!(bench.elapsed(), 1_000);
    bench.receive(&acknowledgement(drawn(4)), ON_ULIDS);
    assert!(bench.machine().is_announced());
    assert_eq!(bench.machine().next_deadline(), None);
}

/// What changes before the context is established is told then: the handshake may have told
/// something older.
#[test]
fn changes_during_establishment_are_told_afterwards() {
    for state in [State::I1Sent, State::I2Sent] {
        let mut bench = Bench::in_state(state);
        assert_eq!(bench.announce(), []);
        let established = bench.receive(&r2(PEER, drawn(0), BOTH), ON_ULIDS);
        let last = established.last().copied();
        assert!(matches!(last, Some(Action::SendUpdate { .. })), "{last:?}");
    }
}

/// The request that was under way when the peer lost the context is sent anew to the new tag.
#[test]
fn recovery_repeats_the_request() {
    let mut bench = outstanding();
    bench.wait(Interval::from_secs(2));
    bench.receive(&r1bis(PEER), ON_ULIDS);
    let (nonce, _) = bench.machine().outstanding().expect("I2bis");
    let again = bench.receive(&r2(NEW, nonce, BOTH), ON_ULIDS);
    let [.., Action::SendUpdate {
        receiver_tag,
        request_nonce,
    }] = again[..]
    else {
        panic!("{again:?}");
    };
    assert_eq!(receiver_tag, NEW);
    assert_ne!(request_nonce, drawn(2));

    let old = bench.receive(&acknowledgement(drawn(2)), ON_ULIDS);
    assert_eq!(old, [Action::Discard(Cause::Nonce)]);
}

/// When the peer is forgotten so is the request to it: a late acknowledgement says nothing about
/// the peer that is being asked now.
#[test]
fn fall_back_abandons_the_request() {
    let mut bench = outstanding();
    bench.receive(&r1bis(PEER), ON_ULIDS);
    (0..3).for_each(|_| drop(bench.expire()));
    let (nonce, _) = bench.machine().outstanding().expect("I1");
    bench.receive(&r1(nonce), ON_ULIDS);
    assert_eq!(bench.state(), State::I2Sent);
    let late = bench.receive(&acknowledgement(drawn(2)), ON_ULIDS);
    assert_eq!(late, [Action::Discard(Cause::State)]);
    assert!(!bench.machine().is_announced());
}

/// The request is also repeated when the peer replaced the context by itself.
#[test]
fn replacement_repeats_the_request() {
    let mut bench = outstanding();
    bench.wait(Interval::from_secs(2));
    let again = bench.receive(&i2(NEW, BOTH), ON_ULIDS);
    assert!(matches!(
        again[..],
        [
            ..,
            Action::SendUpdate {
                receiver_tag: NEW,
                ..
            }
        ]
    ));

    // An I2 that only came twice changes nothing.
    let mut bench = outstanding();
    bench.wait(Interval::from_secs(2));
    let same = bench.receive(&i2(PEER, BOTH), ON_ULIDS);
    assert!(matches!(same[..], [_, _, Action::Send { .. }]), "{same:?}");
}

/// Until the Parameter Data Structure was sent to the peer that is there now, it has to come with
/// a list.
#[test]
fn parameters_are_sent_to_each_peer() {
    let mut bench = Bench::in_state(State::Established);
    assert!(!bench.machine().parameters_sent());
    bench
        .machine
        .as_mut()
        .expect("a machine")
        .set_parameters_sent();
    assert!(bench.machine().parameters_sent());
    bench.receive(&i2(PEER, BOTH), ON_ULIDS);
    assert!(bench.machine().parameters_sent(), "the same peer");
    bench.receive(&i2(NEW, BOTH), ON_ULIDS);
    assert!(!bench.machine().parameters_sent(), "another peer");

    // I2 and I2bis tell it, and R2 is the answer.
    let mut bench = Bench::in_state(State::I2Sent);
    bench
        .machine
        .as_mut()
        .expect("a machine")
        .set_parameters_sent();
    bench.receive(&r2(PEER, drawn(0), BOTH), ON_ULIDS);
    assert!(bench.machine().parameters_sent());
    bench.restart();
    assert!(!bench.machine().parameters_sent());
}

/// What the peer's request is answered with, on a context whose list has two locators.
fn answer(list: List, preferences: Option<(Generation, u8)>) -> Vec<Action<'static>> {
    let mut bench = Bench::in_state(State::Established);
    let before = (bench.machine, bench.context.clone());
    let actions = bench.receive(&request(host(list, preferences)), ON_ULIDS);
    if let [Action::Report(_), Action::Discard(cause)] = actions[..] {
        assert_eq!(cause, Cause::Preferences);
        assert_eq!((bench.machine, bench.context), before);
    }
    actions
}

/// The code of the Error message that is the answer.
fn report(list: List, preferences: Option<(Generation, u8)>) -> (ErrorCode, u16) {
    match answer(list, preferences)[..] {
        [Action::Report(report), _] => (report.code, report.pointer),
        ref other => panic!("{other:?}"),
    }
}

const OLD_GENERATION: Generation = Generation::new(6);

#[test]
fn preferences_alone() {
    let taken = [Action::UpdatePeer, sent_acknowledgement(PEER)];
    assert_eq!(answer(NO_LIST, Some((GENERATION, 2))), taken);
}

#[test]
fn preferences_with_their_list() {
    let taken = [
        Action::UpdatePeer,
        Action::CheckConfusion,
        sent_acknowledgement(PEER),
    ];
    assert_eq!(answer(&[B1, B2, FOREIGN], Some((GENERATION, 3))), taken);
}

/// The pointer is at the generation number in the preferences option: behind the IPv6 header, the
/// fixed part, and the header of the option.
#[test]
fn preferences_of_another_generation() {
    let expected = (ErrorCode::GENERATION, 40 + 16 + 4);
    assert_eq!(report(NO_LIST, Some((OLD_GENERATION, 2))), expected);
    let behind_the_list = (ErrorCode::GENERATION, 40 + 16 + 48 + 4);
    assert_eq!(report(BOTH, Some((OLD_GENERATION, 2))), behind_the_list);
}

/// The pointer is at the Length field of the option.
#[test]
fn preferences_for_another_number_of_locators() {
    let expected = (ErrorCode::ELEMENT_COUNT, 40 + 16 + 2);
    assert_eq!(report(NO_LIST, Some((GENERATION, 3))), expected);
    let behind_the_list = (ErrorCode::ELEMENT_COUNT, 40 + 16 + 48 + 2);
    assert_eq!(report(BOTH, Some((GENERATION, 1))), behind_the_list);
}

/// A peer that never sent a list has no generation that preferences could be for.
#[test]
fn preferences_without_any_list() {
    let mut bench = Bench::in_state(State::I1Sent);
    bench.receive(&r2(PEER, drawn(0), NO_LIST), ON_ULIDS);
    for generation in [GENERATION, OLD_GENERATION, Generation::new(!7)] {
        let update = request(host(NO_LIST, Some((generation, 1))));
        let actions = bench.receive(&update, ON_ULIDS);
        assert!(
            matches!(actions[..], [Action::Report(report), _] if report.code == ErrorCode::GENERATION),
            "{actions:?}"
        );
    }
}

/// The same request again is answered again: its acknowledgement was lost.
#[test]
fn requests_are_idempotent() {
    let mut bench = Bench::in_state(State::Established);
    let update = request(host(BOTH, Some((GENERATION, 2))));
    let first = bench.receive(&update, ON_ULIDS);
    let after = bench.machine;
    assert_eq!(bench.receive(&update, ON_ULIDS), first);
    assert_eq!(bench.machine, after);
}
