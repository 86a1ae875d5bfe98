// SPDX-License-Identifier: GPL-2.0

//! What a machine tells about itself, and where its limits are exactly.

use shim6_proto::{
    reap::{
        Action,
        Hint,
        Settled,
        Stamps,
        State,
        Timers,
        Wake, //
    },
    wire::probe::ProbeState, //
};

use crate::reap_support::*;

#[test]
fn states_have_the_names_of_the_rfc() {
    for (state, name) in [
        (State::Operational, "Operational"),
        (State::Exploring, "Exploring"),
        (State::InboundOk, "InboundOk"),
    ] {
        assert_eq!(state.name(), name);
    }
}

/// While a timer runs, its end will find out what packets there were.
#[test]
fn the_data_path_tells_only_whom_no_timer_does() {
    let mut bench = Bench::new();
    assert_eq!(bench.reap.wake(), Wake::Any, "nothing runs");
    bench.send();
    assert_eq!(bench.reap.wake(), Wake::Never, "the Send Timer runs");
    let exploring = Bench::in_state(State::Exploring).reap;
    assert_eq!(exploring.wake(), Wake::Received, "anything ends Exploring");
    let inbound_ok = Bench::in_state(State::InboundOk).reap;
    assert_eq!(inbound_ok.wake(), Wake::Never);
}

/// What has failed is of interest until another pair is in use.
#[test]
fn the_pair_that_is_suspected() {
    let mut bench = Bench::new();
    let failed = bench.reap.pair();
    assert_eq!(bench.reap.suspect_pair(), failed, "none: the one in use");
    bench.hint();
    assert_eq!(bench.reap.suspect_pair(), failed);
    bench.run_until(2_000);
    assert_eq!(bench.reap.suspect_pair(), failed);
    let mut bench = Bench::new();
    bench.fail_over();
    assert_eq!(bench.reap.state(), State::Operational);
    assert_ne!(bench.reap.pair(), failed);
    assert_eq!(bench.reap.suspect_pair(), bench.reap.pair());
}

/// A Keepalive is the last one if another one, four fifths of an interval later, would come after
/// the Keepalive Timer has expired; not if it would come just then.
#[test]
fn the_last_keepalive() {
    for (millis, expected) in [(12_600, false), (12_601, true)] {
        let mut bench = Bench::new();
        bench.constants.keepalive_timeout = ms(15_000);
        bench.constants.keepalive_interval = Some(ms(3_000));
        bench.receive();
        bench.set_clock(millis);
        let done = bench.timeout();
        let [Action::Keepalive { is_last, .. }] = done[..] else {
            panic!("{done:?}");
        };
        assert_eq!(is_last, expected, "after {millis} ms");
        assert_eq!(bench.reap.timers().are_stopped(), expected);
    }
}

/// A timeout of one TCP connection, while others are heard, says little about the pair: that is
/// probed first. A peer that was not heard for 150 ms is not heard.
#[test]
fn others_are_heard() {
    for (millis, is_doubtful) in [(149, true), (150, false)] {
        let mut bench = Bench::new();
        bench.receive();
        bench.set_clock(millis);
        let actions = bench.step(|reap, step| reap.hint(step, Hint::TcpTimeout));
        let (_, first) = probes(&actions)[0];
        assert_eq!(first == bench.reap.pair(), is_doubtful, "after {millis} ms");
    }
}

/// Who runs while no packet is under way goes to sleep at once.
#[test]
fn without_packets_under_way_there_is_nothing_to_wait_for() {
    let stamps = Stamps::new();
    for wake in [Wake::Never, Wake::Received, Wake::Any] {
        let before = stamps.read();
        let settled = settle(&stamps, &before, Timers::default(), wake);
        assert_eq!(settled, Settled::Done, "{wake:?}");
    }
}

/// A peer that has said that it is content is asked again after a while at the earliest, for a
/// connection that does not get through while others are heard.
#[test]
fn who_was_content_is_not_asked_at_once() {
    for (millis, expected) in [(9_999, State::Operational), (10_000, State::Exploring)] {
        let mut bench = Bench::new();
        bench.constants.retain = ms(10_000);
        bench.probe(ULIDS, ProbeState::Operational, 1, &[]);
        bench.set_clock(millis);
        bench.receive();
        bench.step(|reap, step| reap.hint(step, Hint::TcpTimeout));
        assert_eq!(bench.reap.state(), expected, "after {millis} ms");
    }
}

/// A nonce that is drawn again for the same pair is that of the newer probe, which the peer has not
/// reported.
#[test]
fn a_nonce_that_comes_again() {
    let told = nonce(&Bench::with(IDENTITY.ulids, Locators::new(&[A1], &[B1])).hint());
    for (drawn, is_reported) in [(told.get().wrapping_add(1), true), (told.get(), false)] {
        let mut bench = Bench::with(IDENTITY.ulids, Locators::new(&[A1], &[B1]));
        assert_eq!(nonce(&bench.hint()), told);
        bench.random = Counter(drawn);
        let report = our_record(ULIDS, told);
        let answer = bench.probe(ULIDS, ProbeState::Exploring, 1, &[report]);
        assert_eq!(nonce(&answer).get(), drawn);
        assert_eq!(bench.reap.reported().count() > 0, is_reported);
    }
}
