// SPDX-License-Identifier: GPL-2.0

//! When a machine need not be kept, because one that is made for the same pair would do the same.

use proptest::{
    collection::vec,
    prelude::*, //
};
use shim6_proto::{
    locator::LocatorPair,
    reap::{
        Action,
        ConfirmPurpose,
        Reap,
        State,
        Timers,
        Wake, //
    },
    wire::probe::ProbeState, //
};

use crate::{
    effort::cases,
    reap_properties::{
        apply,
        event,
        Event, //
    },
    reap_support::*, //
};

const OTHER: LocatorPair = pair(A2, B2);

fn rests(bench: &Bench) -> bool {
    bench.reap.is_at_rest(&bench.constants, bench.now)
}

fn with_standby() -> Bench {
    let mut bench = Bench::new();
    bench.constants.hot_standby = true;
    bench
}

/// A program says that all is well, so that no timer runs.
fn calm_down(bench: &mut Bench) {
    bench.step(|reap, step| reap.positive_feedback(step));
    assert_eq!(bench.reap.state(), State::Operational);
    assert!(bench.reap.timers().are_stopped());
}

/// The current pair fails, and the other one is used from now on.
fn fail_over(bench: &mut Bench) {
    bench.fail_over();
    calm_down(bench);
}

#[test]
fn who_has_done_nothing_rests() {
    assert!(rests(&Bench::new()));
    assert!(rests(&with_standby()));
}

/// While a timer runs or a pair is looked for there is something to do.
#[test]
fn who_has_something_to_do_does_not() {
    let mut bench = Bench::new();
    bench.send();
    assert!(!rests(&bench));
    bench.receive();
    assert!(!rests(&bench));
    bench.run_until(20_000);
    assert!(rests(&bench), "the Keepalive Timer has expired");
    for state in [State::Exploring, State::InboundOk] {
        assert!(!rests(&Bench::in_state(state)));
    }
}

/// Probes are remembered for a while after an exploration, and answers are counted for a second.
#[test]
fn an_exploration_is_remembered() {
    let mut bench = Bench::new();
    bench.set_clock(5_000);
    bench.probe(ULIDS, ProbeState::Exploring, 1, &[]);
    bench.probe(ULIDS, ProbeState::InboundOk, 2, &[]);
    calm_down(&mut bench);
    for (elapsed, is_over) in [(5_000, false), (14_999, false), (15_000, true)] {
        bench.set_clock(elapsed);
        assert_eq!(rests(&bench), is_over, "{elapsed}");
    }
    bench.constants.retain = ms(10);
    for (elapsed, is_over) in [(5_010, false), (5_999, false), (6_000, true)] {
        bench.set_clock(elapsed);
        assert_eq!(rests(&bench), is_over, "answers, {elapsed}");
    }
}

/// So is a Probe that comes while this end is content, and no longer.
#[test]
fn an_unasked_probe_is_remembered() {
    for (elapsed, is_told) in [(5_000, true), (30_000, false)] {
        let mut bench = Bench::new();
        bench.constants.keepalive_timeout = ms(30);
        bench.probe(OTHER, ProbeState::Operational, 1, &[]);
        bench.run_until(elapsed);
        assert!(bench.reap.timers().are_stopped());
        assert_eq!(rests(&bench), !is_told);
        let actions = bench.probe(ULIDS, ProbeState::InboundOk, 2, &[]);
        let answer = actions
            .iter()
            .find(|action| !probes(&[**action]).is_empty());
        let told = bench.says(answer.expect("an answer")).received;
        assert_eq!(told.contains(&their_record(OTHER, 1)), is_told, "{told:?}");
    }
}

/// A locator of the current pair that is lost makes a difference to the next packet that is sent.
#[test]
fn a_lost_locator_is_remembered() {
    let mut bench = Bench::new();
    bench.locators.local_mut(A1).is_operational = false;
    bench.changed();
    assert_eq!(bench.reap.next_deadline(), None);
    assert!(!rests(&bench));
    bench.locators.local_mut(A1).is_operational = true;
    bench.changed();
    assert!(!rests(&bench), "there may be a better pair");
    bench.set_clock(61_000);
    bench.receive();
    bench.run_until(100_000);
    assert!(rests(&bench));
}

/// One that was acted on is not acted on again.
#[test]
fn a_broken_locator_is_remembered() {
    let mut bench = Bench::new();
    bench.send();
    bench.prefer(broken(), broken());
    bench.changed();
    bench.probe(ULIDS, ProbeState::InboundOk, 1, &[]);
    calm_down(&mut bench);
    bench.set_clock(1_000_000);
    assert_eq!(bench.reap.next_deadline(), None);
    assert!(!rests(&bench));
    bench.prefer(priority(1), priority(1));
    bench.changed();
    assert!(rests(&bench));
}

/// The peer may still answer what it was asked when the context was last used.
#[test]
fn a_question_is_remembered() {
    let mut bench = with_standby();
    bench.constants.confirm_timeout = ms(200_000);
    let actions = bench.receive();
    let is_asked = |action: &Action| {
        matches!(action, Action::Confirm { pair, purpose: ConfirmPurpose::Standby, .. }
            if *pair == OTHER)
    };
    assert!(actions.iter().any(is_asked), "{actions:?}");
    bench.run_until(300_000);
    assert!(bench.reap.timers().are_stopped());
    assert_eq!(bench.reap.next_deadline(), None, "nobody uses the context");
    assert!(!rests(&bench));
    bench.constants.hot_standby = false;
    assert!(!rests(&bench));
    bench.confirmed(OTHER);
    assert!(rests(&bench));
}

/// A standby counts for two intervals, if one is to be had.
#[test]
fn a_standby_is_remembered() {
    let mut bench = with_standby();
    bench.receive();
    bench.run_until(13_000);
    bench.confirmed(OTHER);
    // The next question would be asked a minute after the last packet.
    for elapsed in [30_000, 100_000, 133_000] {
        bench.run_until(elapsed);
        assert_eq!(bench.reap.next_deadline().is_none(), elapsed > 60_000);
        assert!(!rests(&bench), "{elapsed}");
        bench.constants.hot_standby = false;
        assert_eq!(rests(&bench), elapsed > 60_000);
        bench.constants.hot_standby = true;
    }
    bench.run_until(133_001);
    assert!(rests(&bench));
}

/// That there is none to be had is remembered too, until it is looked for again.
#[test]
fn that_there_is_no_standby_is_remembered() {
    let mut bench = with_standby();
    bench.locators = Locators::new(&[A1], &[B1]);
    bench.constants.keepalive_timeout = ms(30);
    bench.receive();
    bench.run_until(1_000);
    assert!(bench.reap.timers().are_stopped());
    assert_eq!(bench.reap.standby(&bench.constants, bench.now), None);
    // From now on the context counts as one that nobody uses.
    bench.constants.standby_interval = ms(900);
    bench.timeout();
    assert_eq!(bench.reap.next_deadline(), None);
    assert!(!rests(&bench));
    bench.set_clock(61_000);
    assert!(rests(&bench));
}

/// A better pair is gone back to, and how soon depends on when that was last done.
#[test]
fn a_failure_is_remembered() {
    let mut bench = Bench::new();
    fail_over(&mut bench);
    bench.set_clock(1_000_000);
    bench.timeout();
    assert_eq!(bench.reap.next_deadline(), None, "nobody uses the context");
    assert!(!rests(&bench));
    // An administrator takes the matter into their hands.
    bench.step(|reap, step| reap.use_pair(step, ULIDS));
    assert!(rests(&bench));
}

#[test]
fn going_back_is_remembered() {
    let mut bench = Bench::new();
    bench.prefer(priority(1), priority(2));
    fail_over(&mut bench);
    bench.set_clock(61_000);
    let actions = bench.receive();
    assert!(
        matches!(actions[..], [Action::Confirm { pair, .. }] if pair.peer == B1),
        "{actions:?}"
    );
    assert_eq!(switches(&bench.confirmed(ULIDS)), [ULIDS]);
    bench.step(|reap, step| reap.use_pair(step, ULIDS));
    for (elapsed, is_over) in [(100_000, false), (121_000, false), (121_001, true)] {
        bench.run_until(elapsed);
        assert!(bench.reap.timers().are_stopped());
        assert_eq!(rests(&bench), is_over, "{elapsed}");
    }
}

/// The end with a machine that was just made.
fn renewed(bench: &Bench) -> Bench {
    let activity = bench.stamps.read();
    let mut new = Bench::with(bench.ulids, bench.locators.clone());
    let _ = activity.last_sent.map(|at| new.stamps.sent(at));
    let _ = activity.last_received.map(|at| new.stamps.received(at));
    let before = new.stamps.read();
    let _ = settle(&new.stamps, &before, Timers::default(), Wake::Any);
    new.reap = Reap::new(bench.reap.pair(), bench.now);
    new.constants = bench.constants;
    new.now = bench.now;
    new.random = Counter(bench.random.0);
    new
}

proptest! {
    #![proptest_config(ProptestConfig {
        // Most do not come to rest.
        max_global_rejects: 10_000,
        ..cases(400)
    })]

    /// Who is at rest does the same from then on as one that was just made, and sends the same.
    #[test]
    fn rest_is_as_good_as_new(
        hot_standby in any::<bool>(),
        before in vec((event(), 0..10_000_u64), 0..12),
        idle in 10_000..200_000_u64,
        after in vec((event(), prop_oneof![0..100_u64, 0..100_000_u64]), 1..20),
    ) {
        let mut bench = Bench::new();
        bench.constants.hot_standby = hot_standby;
        let mut sent = vec![];
        for (event, time) in &before {
            bench.run_until(bench.elapsed() + time);
            sent.extend(apply(&mut bench, event, &sent));
        }
        // With a pair that somebody chose there is nothing to go back to.
        apply(&mut bench, &Event::UsePair(0), &sent);
        bench.run_until(bench.elapsed() + idle);
        prop_assume!(bench.reap.is_at_rest(&bench.constants, bench.now));
        let mut new = renewed(&bench);
        for (event, time) in &after {
            let now = bench.elapsed();
            let mut timed = [bench.run_until(now + time), new.run_until(now + time)];
            for timed in &mut timed {
                // Whether a standby that was too old was one does not matter.
                timed.retain(|(_, action)| *action != Action::Standby(None));
                // What was due already is done now.
                timed.iter_mut().for_each(|(at, _)| *at = now.max(*at));
            }
            prop_assert_eq!(&timed[0], &timed[1]);
            let actions = apply(&mut bench, event, &sent);
            prop_assert_eq!(&actions, &apply(&mut new, event, &sent));
            if let Some(probe) = actions.iter().rev().find(|action| !probes(&[**action]).is_empty()) {
                prop_assert_eq!(bench.composed(probe), new.composed(probe));
            }
            sent.extend(actions);
        }
        prop_assert_eq!(bench.reap.pair(), new.reap.pair());
    }
}
