// SPDX-License-Identifier: GPL-2.0

//! The example runs of RFC 5534, Appendix A, and what follows from the timeouts (RFC 5534,
//! Sections 4.1 and 9).

use shim6_proto::{
    locator::Locator,
    reap::{
        Action,
        Cause,
        State,
        Wake, //
    },
    wire::probe::ProbeState, //
};

use crate::{
    reap_network::{
        Network,
        Sent, //
    },
    reap_support::*, //
};

/// 20 ms, the interval of a voice codec.
const VOICE: Option<u64> = Some(20);

fn network() -> Network {
    Network::new(&[A1, A2], &[B1, B2])
}

/// Example 1: no communication, no messages, no timers.
#[test]
fn example_1_no_communication() {
    let mut network = network();
    network.run_until(3_600_000);

    assert_eq!(network.log, []);
    assert_eq!(network.actions, []);
    for end in &network.ends {
        assert_eq!(end.reap.next_deadline(), None);
        assert_eq!(end.reap.wake(), Wake::Any);
    }
}

/// Example 2: payload both ways, no messages.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn example_2_bidirectional_communication() {
    let mut network = network();
    network.start_traffic([VOICE, Some(1_000)]);
    network.run_until(600_000);

    assert_eq!(network.log, []);
    assert_eq!(network.actions, []);
}

/// Example 3: payload one way, Keepalives the other way every Keepalive Interval.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn example_3_unidirectional_communication() {
    let mut network = network();
    network.start_traffic([VOICE, None]);
    network.run_until(600_000);

    let mut last = 10;
    for logged in &network.log {
        assert_eq!(logged.sent, Sent::Keepalive);
        assert_eq!((logged.end, logged.source, logged.destination), (1, B1, A1));
        let interval = logged.at - last;
        assert!((4_000..=5_200).contains(&interval), "{logged:?}");
        last = logged.at;
    }
    assert!(network.log.len() >= 115, "{}", network.log.len());
    assert!(network.are_operational());
    let probes = network.actions.iter();
    assert!(probes.map(|(_, end, _)| *end).all(|end| end == 1));
}

/// As example 3, and the stream stops: Keepalives go on until the Keepalive Timer that runs
/// expires, then there is silence and no timer.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn keepalives_end() {
    let mut network = network();
    network.start_traffic([VOICE, None]);
    network.run_until(61_000);
    network.traffic = [None; 2];
    network.run_until(3_600_000);

    let last = network.log.last().expect("Keepalives");
    assert!((61_000..=76_020).contains(&last.at), "{last:?}");
    assert!(network.are_operational());
    for end in &network.ends {
        assert_eq!(end.reap.next_deadline(), None);
        assert_eq!(end.reap.wake(), Wake::Any);
    }
}

/// Steady inbound payload must not push Keepalives back, and a timer that fires must not find that
/// it would have had to fire before: whatever the interval of the payload is.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn keepalives_are_never_late() {
    for interval in [1, 7, 100, 999, 3_000, 4_999, 5_001, 14_000] {
        let mut network = network();
        network.start_traffic([Some(interval), None]);
        network.run_until(300_000);
        let probes = network.log.iter().filter(|log| log.sent != Sent::Keepalive);
        assert_eq!(probes.count(), 0, "{interval}");
        assert!(network.are_operational());
    }
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

/// The messages since `at`: end, source, destination, Sta, and whether it arrives.
#[track_caller]
fn check(network: &Network, at: u64, expected: &[(usize, Locator, Locator, ProbeState, bool)]) {
    let log = network.since(at);
    let seen: Vec<_> = log
        .iter()
        .map(|logged| {
            let (end, source, destination, state) = logged.brief();
            (end, source, destination, state.unwrap(), logged.arrives)
        })
        .collect();
    assert_eq!(seen, expected, "{log:#?}");
}

/// Example 4: A has one locator, B has two, and all that goes via B1 is lost. B notices first.
#[test]
fn example_4_failure() {
    let mut network = Network::new(&[A1], &[B1, B2]);
    network.start_traffic([VOICE, VOICE]);
    network.run_until(1_000);
    network.break_both_ways(A1, B1);
    // B happens to see the problem first.
    let b_probes = 1_000 + 15_000 / 2;
    network.ends[1].constants.send_timeout = ms(7_500);
    network.run_until(30_000);

    use ProbeState::{
        Exploring,
        InboundOk,
        Operational, //
    };
    check(
        &network,
        b_probes,
        &[
            (1, B1, A1, Exploring, false),
            (1, B2, A1, Exploring, true),
            (0, A1, B2, InboundOk, true),
            (1, B2, A1, Operational, true),
        ],
    );
    let log = network.since(b_probes);
    assert_eq!(log[1].at - log[0].at, 500);
    assert_eq!(log[2].at - log[1].at, network.delay);
    assert_eq!(log[3].at - log[2].at, network.delay);
    // A reports q, B reports r. B lists p too, which nobody has reported.
    assert_eq!(log[2].reports(), [log[1].record().nonce]);
    assert_eq!(log[3].reports(), [log[2].record().nonce]);
    let Sent::Probe(said) = &log[1].sent else {
        unreachable!()
    };
    assert_eq!(said.sent, [log[1].record(), log[0].record()]);
    let Sent::Probe(said) = &log[3].sent else {
        unreachable!()
    };
    // What was reported is not listed any more.
    assert_eq!(said.sent, [log[3].record(), log[0].record()]);

    assert!(network.are_operational());
    assert_eq!(network.ends[0].reap.pair(), pair(A1, B2));
    assert_eq!(network.ends[1].reap.pair(), pair(B2, A1));
    assert!(
        network.gap.iter().all(|gap| *gap < 9_500),
        "{:?}",
        network.gap
    );
}

/// Example 5: only what goes from A1 to B1 is lost. B keeps its pair, which works.
#[test]
fn example_5_one_way_failure() {
    let mut network = network();
    network.start_traffic([VOICE, VOICE]);
    network.run_until(1_000);
    network.break_one_way(A1, B1);
    network.run_until(30_000);

    use ProbeState::{
        Exploring,
        InboundOk,
        Operational, //
    };
    check(
        &network,
        0,
        &[
            (1, B1, A1, Exploring, true),
            (0, A1, B1, InboundOk, false),
            (1, B2, A2, Exploring, true),
            (0, A2, B2, InboundOk, true),
            // A's own schedule, whose time has come when r arrives.
            (0, A1, B2, InboundOk, true),
            (1, B1, A1, Operational, true),
            (1, B1, A1, Operational, true),
        ],
    );
    let log = network.since(0);
    let [p, _, r, ..] = &log[..] else {
        unreachable!()
    };
    assert!((15_900..=18_000).contains(&p.at), "{p:?}");
    assert_eq!(log[3].reports(), [r.record().nonce, p.record().nonce]);
    assert!(network.are_operational());
    assert_eq!(network.ends[0].reap.pair(), pair(A2, B2));
    assert_eq!(network.ends[1].reap.pair(), pair(B1, A1));
    assert_eq!(network.gap[0], 20);
}

/// reap.md, Section 7: a sender of one-way traffic notices within 10 to 15 seconds (and what they
/// are randomized by), and has another pair 0.5 seconds and a round trip later.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn default_timeline() {
    for failure in [60_000, 61_700, 63_100, 64_900] {
        let mut network = network();
        network.start_traffic([VOICE, None]);
        network.run_until(failure);
        network.break_both_ways(A1, B1);
        network.run_until(failure + 30_000);

        let enters = |end: usize, state: State| {
            let mut actions = network.actions.iter();
            actions
                .find(|(at, who, action)| {
                    *at >= failure
                        && *who == end
                        && entered(&[*action]).first().is_some_and(|e| e.0 == state)
                })
                .map(|(at, _, action)| (*at, entered(&[*action])[0].1))
        };
        let (noticed, cause) = enters(0, State::Exploring).expect("A notices");
        assert_eq!(cause, Cause::SendTimeout);
        let after = noticed - failure;
        assert!((9_500..=16_500).contains(&after), "{after}");
        let (done, _) = enters(0, State::Operational).expect("A recovers");
        assert_eq!(done - noticed, 500 + 2 * network.delay);
        assert_eq!(network.ends[0].reap.pair(), pair(A2, B2));
        assert!(network.works(0) && network.works(1));
    }
}

/// Scenario S23: each of the four pairs in turn is the only one that works, in both directions;
/// S25: and each combination of one pair for each direction.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn one_pair_left() {
    let pairs = [(A1, B1), (A1, B2), (A2, B1), (A2, B2)];
    for there in pairs {
        for back in pairs {
            let mut network = network();
            network.start_traffic([VOICE, VOICE]);
            network.run_until(1_000);
            for (a, b) in pairs {
                if (a, b) != there {
                    network.break_one_way(a, b);
                }
                if (a, b) != back {
                    network.break_one_way(b, a);
                }
            }
            network.run_until(60_000);
            let row = format!("{there:?} {back:?}");
            assert!(network.are_operational(), "{row}");
            assert!(network.works(0) && network.works(1), "{row}");
            // Detection, then four pairs, each of which may have to be tried by both.
            assert!(
                network.gap.iter().all(|gap| *gap < 40_000),
                "{row} {:?}",
                network.gap
            );
        }
    }
}

/// Scenario S24: nothing works for ten minutes, then one pair does. Probes come every 60 seconds
/// then, and payload, which is still sent over the old pair, is heard at once if it is that one.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn nothing_works_for_long() {
    let mut network = network();
    network.start_traffic([VOICE, VOICE]);
    network.run_until(1_000);
    for (a, b) in [(A1, B1), (A1, B2), (A2, B1), (A2, B2)] {
        network.break_both_ways(a, b);
    }
    network.run_until(600_000);
    for end in 0..2 {
        let mut probes = network.log.iter().filter(|logged| logged.end == end);
        let late: Vec<u64> = probes.by_ref().rev().take(4).map(|log| log.at).collect();
        for interval in late.windows(2) {
            let interval = interval[0] - interval[1];
            assert!((48_000..=72_000).contains(&interval), "{interval}");
        }
    }
    let before = network.log.len();
    assert!(before < 60, "{before}");

    network.broken.clear();
    network.run_until(601_000);
    assert!(network.are_operational());
}
