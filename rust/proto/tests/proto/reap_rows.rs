// SPDX-License-Identifier: GPL-2.0

//! Every cell of the tables of RFC 5534, Section 6: event by event, in each state and with each
//! timer that can run in it.

use shim6_proto::{
    reap::{
        Action,
        Cause,
        Expiry,
        Hint,
        State::{
            self,
            Exploring,
            InboundOk,
            Operational, //
        },
        Timers, //
    },
    time::Instant,
    wire::probe::ProbeState, //
};

use crate::reap_support::*;

/// Which timer runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Runs {
    Neither,
    Send,
    Keepalive,
}

/// What became of a timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Timer {
    /// It does not run.
    Off,
    /// It runs on, since before the event.
    Since,
    /// It runs since the event.
    New,
}
use Runs::{
    Keepalive,
    Neither,
    Send, //
};
use Timer::{
    New,
    Off,
    Since, //
};

/// The event happens this much later than what came before it, in milliseconds.
const LATER: u64 = 100;

/// A context in a state, with the timer that runs since the start; the clock shows [`LATER`].
fn prepared(state: State, runs: Runs) -> Bench {
    let mut bench = Bench::in_state(state);
    match (state, runs) {
        (Operational, Send) => drop(bench.send()),
        (Operational, Keepalive) => drop(bench.receive()),
        // Payload that came stops the Send Timer, which runs since InboundOk was entered.
        (InboundOk, Neither) => drop(bench.receive()),
        (_, _) => {}
    }
    let timers = bench.stamps.read().timers;
    assert_eq!(timers.send.is_some(), runs == Send, "{state:?}");
    if state == Operational {
        assert_eq!(timers.keepalive.is_some(), runs == Keepalive);
    }
    bench.set_clock(LATER);
    bench
}

/// What became of a timer that now runs, or not, since then.
fn timer(bench: &Bench, since: Option<Instant>) -> Timer {
    match since {
        None => Off,
        Some(since) if since == bench.now => New,
        Some(_) => Since,
    }
}

/// A cell: the state and the timer that runs; then, after the event, the state, the Send Timer, the
/// Keepalive Timer and the Probes that are sent.
type Cell = (State, Runs, State, Timer, Timer, &'static [ProbeState]);

/// An event, in each of these states.
#[track_caller]
fn check(event: fn(&mut Bench) -> Vec<Action>, cells: &[Cell]) {
    for (state, runs, after, send, keepalive, expected) in cells {
        let mut bench = prepared(*state, *runs);
        let actions = event(&mut bench);
        let row = format!("{state:?} {runs:?}: {actions:?}");

        assert_eq!(bench.reap.state(), *after, "{row}");
        // The timers as the data path has them now. In Exploring neither runs: what is stamped
        // there is no timer.
        let Timers {
            send: sent,
            keepalive: received,
        } = bench.stamps.read().timers;
        if *after != Exploring {
            assert_eq!(timer(&bench, sent), *send, "{row}");
        }
        if *after == Operational {
            assert_eq!(timer(&bench, received), *keepalive, "{row}");
        }
        let sent: Vec<ProbeState> = probes(&actions).iter().map(|(state, _)| *state).collect();
        assert_eq!(sent, *expected, "{row}");
        let changes = usize::from(state != after);
        assert_eq!(entered(&actions).len(), changes, "{row}");
    }
}

/// No Probe is sent.
const NONE: &[ProbeState] = &[];
const P_EXPLORING: &[ProbeState] = &[ProbeState::Exploring];
const P_INBOUND_OK: &[ProbeState] = &[ProbeState::InboundOk];
const P_OPERATIONAL: &[ProbeState] = &[ProbeState::Operational];

/// Section 6.1.
#[test]
fn payload_received() {
    let event = |bench: &mut Bench| bench.receive();
    check(
        event,
        &[
            (Operational, Neither, Operational, Off, New, NONE),
            (Operational, Send, Operational, Off, New, NONE),
            (Operational, Keepalive, Operational, Off, Since, NONE),
            (Exploring, Neither, InboundOk, New, Off, P_INBOUND_OK),
            (InboundOk, Neither, InboundOk, Off, Off, NONE),
            (InboundOk, Send, InboundOk, Off, Off, NONE),
        ],
    );
}

/// Section 6.2.
#[test]
fn payload_sent() {
    let event = |bench: &mut Bench| bench.send();
    check(
        event,
        &[
            (Operational, Neither, Operational, New, Off, NONE),
            (Operational, Send, Operational, Since, Off, NONE),
            (Operational, Keepalive, Operational, New, Off, NONE),
            (Exploring, Neither, Exploring, Off, Off, NONE),
            (InboundOk, Neither, InboundOk, New, Off, NONE),
            (InboundOk, Send, InboundOk, Since, Off, NONE),
        ],
    );
}

/// Section 6.3: the last Keepalive.
#[test]
fn keepalive_timer_expires() {
    let mut bench = prepared(Operational, Keepalive);
    let sent = bench.run_until(15_000);
    let (at, last) = sent.last().expect("Keepalives");

    assert_eq!(
        *last,
        Action::Keepalive {
            pair: ULIDS,
            is_last: true
        }
    );
    assert!((10_000..=15_000).contains(at), "{sent:?}");
    assert_eq!(bench.stamps.read().timers, Timers::default());
    assert_eq!(bench.reap.state(), Operational);
    assert_eq!(bench.run_until(600_000), []);
}

/// Section 6.4.
#[test]
fn send_timer_expires() {
    let event = |bench: &mut Bench| bench.step(|reap, step| reap.expire(step, Expiry::Send));
    check(
        event,
        &[
            (Operational, Neither, Operational, Off, Off, NONE),
            (Operational, Send, Exploring, Off, Off, P_EXPLORING),
            (Operational, Keepalive, Operational, Off, Since, NONE),
            (Exploring, Neither, Exploring, Off, Off, NONE),
            (InboundOk, Neither, InboundOk, Off, Off, NONE),
            (InboundOk, Send, Exploring, Off, Off, P_EXPLORING),
        ],
    );
}

/// Section 6.5.
#[test]
fn retransmission() {
    let event = |bench: &mut Bench| bench.step(|reap, step| reap.expire(step, Expiry::Probe));
    check(
        event,
        &[
            (Operational, Neither, Operational, Off, Off, NONE),
            (Operational, Send, Operational, Since, Off, NONE),
            (Operational, Keepalive, Operational, Off, Since, NONE),
            (Exploring, Neither, Exploring, Off, Off, P_EXPLORING),
            (InboundOk, Neither, InboundOk, New, Off, P_INBOUND_OK),
            (InboundOk, Send, InboundOk, Since, Off, P_INBOUND_OK),
        ],
    );
}

/// Section 6.6.
#[test]
fn keepalive_received() {
    let event = |bench: &mut Bench| bench.keepalive();
    check(
        event,
        &[
            (Operational, Neither, Operational, Off, Off, NONE),
            (Operational, Send, Operational, Off, Off, NONE),
            (Operational, Keepalive, Operational, Off, Since, NONE),
            (Exploring, Neither, InboundOk, New, Off, P_INBOUND_OK),
            (InboundOk, Neither, InboundOk, Off, Off, NONE),
            (InboundOk, Send, InboundOk, Off, Off, NONE),
        ],
    );
}

/// Section 6.7.
#[test]
fn probe_exploring_received() {
    let event = |bench: &mut Bench| bench.probe(ULIDS, ProbeState::Exploring, 7, &[]);
    check(
        event,
        &[
            (Operational, Neither, InboundOk, New, Off, P_INBOUND_OK),
            (Operational, Send, InboundOk, New, Off, P_INBOUND_OK),
            (Operational, Keepalive, InboundOk, New, Off, P_INBOUND_OK),
            (Exploring, Neither, InboundOk, New, Off, P_INBOUND_OK),
            (InboundOk, Neither, InboundOk, New, Off, P_INBOUND_OK),
            (InboundOk, Send, InboundOk, New, Off, P_INBOUND_OK),
        ],
    );
}

/// Section 6.8.
#[test]
fn probe_inbound_ok_received() {
    let event = |bench: &mut Bench| bench.probe(ULIDS, ProbeState::InboundOk, 7, &[]);
    check(
        event,
        &[
            (Operational, Neither, Operational, New, Off, P_OPERATIONAL),
            (Operational, Send, Operational, New, Off, P_OPERATIONAL),
            (Operational, Keepalive, Operational, New, Off, P_OPERATIONAL),
            (Exploring, Neither, Operational, New, Off, P_OPERATIONAL),
            (InboundOk, Neither, Operational, New, Off, P_OPERATIONAL),
            (InboundOk, Send, Operational, New, Off, P_OPERATIONAL),
        ],
    );
}

/// Section 6.9.
#[test]
fn probe_operational_received() {
    let event = |bench: &mut Bench| bench.probe(ULIDS, ProbeState::Operational, 7, &[]);
    check(
        event,
        &[
            (Operational, Neither, Operational, Off, New, NONE),
            (Operational, Send, Operational, Off, New, NONE),
            (Operational, Keepalive, Operational, Off, Since, NONE),
            (Exploring, Neither, Operational, Off, New, NONE),
            (InboundOk, Neither, Operational, Off, New, NONE),
            (InboundOk, Send, Operational, Off, New, NONE),
        ],
    );
}

/// Section 4.1: negative feedback and other local events.
#[test]
fn local_events() {
    let event = |bench: &mut Bench| bench.hint();
    let lost = |bench: &mut Bench| {
        bench.locators.local_mut(A1).is_operational = false;
        bench.changed()
    };
    let is_broken = |bench: &mut Bench| {
        bench.locators.peer_mut(B1).preference = broken();
        bench.changed()
    };
    check(
        event,
        &[
            (Operational, Neither, Exploring, Off, Off, P_EXPLORING),
            (Operational, Send, Exploring, Off, Off, P_EXPLORING),
            (Operational, Keepalive, Exploring, Off, Off, P_EXPLORING),
            (Exploring, Neither, Exploring, Off, Off, NONE),
            (InboundOk, Neither, InboundOk, Off, Off, NONE),
            (InboundOk, Send, InboundOk, Since, Off, NONE),
        ],
    );
    check(
        lost,
        &[
            (Operational, Send, Exploring, Off, Off, P_EXPLORING),
            (Exploring, Neither, Exploring, Off, Off, NONE),
        ],
    );
    check(
        is_broken,
        &[
            (Operational, Keepalive, Exploring, Off, Off, P_EXPLORING),
            (InboundOk, Send, InboundOk, Since, Off, NONE),
        ],
    );
}

/// shim-api, Section 7: positive feedback stops the Send Timer and starts nothing.
#[test]
fn positive_feedback() {
    let event = |bench: &mut Bench| bench.step(|reap, step| reap.positive_feedback(step));
    check(
        event,
        &[
            (Operational, Neither, Operational, Off, Off, NONE),
            (Operational, Send, Operational, Off, Off, NONE),
            (Operational, Keepalive, Operational, Off, Since, NONE),
            (Exploring, Neither, Exploring, Off, Off, NONE),
            (InboundOk, Neither, InboundOk, Off, Off, NONE),
            (InboundOk, Send, InboundOk, Since, Off, NONE),
        ],
    );
}

/// Every way into a state says why.
#[test]
fn causes() {
    let cause = |actions: Vec<Action>| entered(&actions)[0].1;
    let hint = |hint: Hint| {
        let mut bench = Bench::new();
        cause(bench.step(|reap, step| reap.hint(step, hint)))
    };
    assert_eq!(hint(Hint::NegativeFeedback), Cause::NegativeFeedback);
    assert_eq!(hint(Hint::TcpTimeout), Cause::TcpTimeout);
    assert_eq!(hint(Hint::IcmpError), Cause::IcmpError);

    let mut bench = prepared(Operational, Send);
    bench.locators.local_mut(A1).is_operational = false;
    assert_eq!(cause(bench.changed()), Cause::LocalLost);

    let mut bench = prepared(Operational, Send);
    bench.locators.peers.remove(0);
    assert_eq!(cause(bench.changed()), Cause::PeerBroken);

    let exploring = || Bench::in_state(Exploring);
    assert_eq!(cause(exploring().receive()), Cause::Payload);
    assert_eq!(cause(exploring().keepalive()), Cause::Keepalive);
    let said = |state| cause(exploring().probe(ULIDS, state, 7, &[]));
    assert_eq!(said(ProbeState::Exploring), Cause::PeerExplores);
    assert_eq!(said(ProbeState::InboundOk), Cause::PeerHears);
    assert_eq!(said(ProbeState::Operational), Cause::PeerOperational);
}

/// Upper layers are told to go on when both directions work, and not before.
#[test]
fn resume() {
    let resumes = |actions: &[Action]| actions.contains(&Action::Resume);

    for state in [Exploring, InboundOk] {
        let mut bench = Bench::in_state(state);
        let sta = ProbeState::Exploring;
        assert!(!resumes(&bench.probe(ULIDS, sta, 7, &[])));
        for sta in [ProbeState::InboundOk, ProbeState::Operational] {
            let mut bench = Bench::in_state(state);
            let actions = bench.probe(ULIDS, sta, 7, &[]);
            assert_eq!(actions.last(), Some(&Action::Resume), "{actions:?}");
        }
    }
    let mut bench = Bench::in_state(Operational);
    for sta in [ProbeState::InboundOk, ProbeState::Operational] {
        assert!(!resumes(&bench.probe(ULIDS, sta, 7, &[])));
    }
}
