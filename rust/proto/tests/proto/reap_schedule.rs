// SPDX-License-Identifier: GPL-2.0

//! When Probes are sent and over which pairs (RFC 5534, Section 4.3).

use serde_json::Value;
use shim6_proto::{
    locator::LocatorPair,
    reap::{
        Action,
        Hint,
        Purpose,
        State, //
    },
    wire::probe::ProbeState, //
};

use crate::reap_support::*;

/// The Probes among what was done: when, why, and over which pair.
fn sent(done: &[(u64, Action)]) -> Vec<(u64, Purpose, LocatorPair)> {
    let probe = |(at, action): &(u64, Action)| match action {
        Action::Probe { purpose, pair, .. } => Some((*at, *purpose, *pair)),
        _ => None,
    };
    done.iter().filter_map(probe).collect()
}

/// The nominal times, in milliseconds, of the vector.
fn nominal() -> Vec<u64> {
    let vector: Value =
        serde_json::from_str(include_str!("../vectors/reap_schedule.json")).unwrap();
    let probes = vector["probes"].as_array().unwrap();
    let millis = |probe: &Value| (probe["nominal_time_s"].as_f64().unwrap() * 1000.0) as u64;
    probes.iter().map(millis).collect()
}

/// Without jitter, these are the times of the vector. The numbers that the bench draws make all
/// jitter vanish but some milliseconds.
#[test]
fn times_of_the_vector() {
    for state in [State::Exploring, State::InboundOk] {
        let mut bench = Bench::in_state(state);
        // In InboundOk something has to come, or the Send Timer expires.
        let mut done = vec![];
        for second in 0..400 {
            done.extend(bench.run_until(second * 1000));
            if state == State::InboundOk {
                bench.receive();
            }
        }
        let mut times: Vec<u64> = sent(&done).iter().map(|(at, ..)| *at).collect();
        times.insert(0, 0);

        let nominal = nominal();
        assert_eq!(nominal.len(), 15);
        assert_eq!(times.len(), nominal.len(), "{times:?}");
        for (time, nominal) in times.iter().zip(&nominal) {
            assert!(time.abs_diff(*nominal) <= 1, "{times:?}");
        }
    }
}

/// With jitter, each interval is within 20 percent.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn intervals_are_randomized() {
    let mut different = std::collections::BTreeSet::new();
    for seed in 0..200_u32 {
        let mut bench = Bench::new();
        // All digits of what is drawn differ from seed to seed.
        bench.random = Counter(seed.wrapping_mul(0x9e37_79b9));
        bench.hint();
        let mut times: Vec<u64> = sent(&bench.run_until(400_000))
            .iter()
            .map(|(at, ..)| *at)
            .collect();
        times.insert(0, 0);
        for (number, interval) in times.windows(2).enumerate() {
            let interval = interval[1] - interval[0];
            let expected = [500, 500, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000];
            let expected = expected.get(number).copied().unwrap_or(60_000);
            let least = expected * 4 / 5;
            assert!(
                (least..=least * 3 / 2).contains(&interval),
                "{interval} {expected}"
            );
            if number == 0 {
                different.insert(interval);
            }
        }
    }
    assert!(different.len() > 50, "{different:?}");
    assert!(different.first() < Some(&420) && different.last() > Some(&580));
}

/// Where very many contexts explore at once the first Probe waits. All others come as they would have
/// behind it, whatever the wait of contexts that begin later.
#[test]
fn the_first_probe_waits() {
    let mut bench = Bench::new();
    bench.probe_delay = ms(700);
    let actions = bench.hint();
    assert_eq!(entered(&actions).len(), 1);
    assert_eq!(bench.reap.state(), State::Exploring);
    assert!(probes(&actions).is_empty(), "{actions:?}");

    bench.probe_delay = ms(2_000);
    let times = sent(&bench.run_until(4_000));
    let expected = [700, 1_200, 1_700, 2_200, 3_200];
    assert_eq!(times.len(), expected.len(), "{times:?}");
    for ((time, ..), expected) in times.iter().zip(expected) {
        assert!(time.abs_diff(expected) <= 1, "{times:?}");
    }
}

/// All constants of the schedule can be set.
#[test]
fn other_constants() {
    let mut bench = Bench::new();
    bench.constants.initial_probe_timeout = ms(100);
    bench.constants.initial_probes = 2;
    bench.constants.backoff = 3;
    bench.constants.max_probe_timeout = ms(2_000);
    bench.hint();
    let times: Vec<u64> = sent(&bench.run_until(9_000))
        .iter()
        .map(|(at, ..)| *at)
        .collect();
    assert_eq!(times, [100, 400, 1_300, 3_300, 5_300, 7_300]);
}

/// The current pair first after a timeout, then the one that shares nothing with it, then the
/// others, and again.
#[test]
fn order_after_the_send_timeout() {
    let mut bench = Bench::new();
    bench.send();
    let done = bench.run_until(30_000);
    let pairs: Vec<LocatorPair> = sent(&done).iter().map(|(.., pair)| *pair).collect();
    let [first, second, third, fourth, fifth, ..] = pairs[..] else {
        panic!("{pairs:?}");
    };
    assert_eq!([first, second], [ULIDS, pair(A2, B2)]);
    assert!([third, fourth].contains(&pair(A1, B2)), "{pairs:?}");
    assert!([third, fourth].contains(&pair(A2, B1)), "{pairs:?}");
    // The second round has no reason to prefer the current pair.
    assert_eq!(fifth, pair(A2, B2));
    let rounds = done
        .iter()
        .filter(|(_, action)| *action == Action::RoundOver);
    assert_eq!(rounds.count(), (pairs.len() - 1) / 4);
}

/// A hint is about the current pair, so that one comes last.
#[test]
fn order_after_a_hint() {
    let mut bench = Bench::new();
    let mut pairs: Vec<LocatorPair> = probes(&bench.hint()).iter().map(|(_, p)| *p).collect();
    pairs.extend(sent(&bench.run_until(2_000)).iter().map(|(.., pair)| *pair));
    assert_eq!(pairs[0], pair(A2, B2));
    assert_eq!(pairs[3], ULIDS);
}

/// In InboundOk what the peer can use goes first, the newest of that before the others.
#[test]
fn order_in_inbound_ok() {
    let mut bench = Bench::new();
    let over = |actions: &[Action]| probes(actions)[0].1;
    let sta = ProbeState::Exploring;

    assert_eq!(over(&bench.probe(pair(A1, B2), sta, 1, &[])), pair(A1, B2));
    assert_eq!(over(&bench.probe(pair(A2, B1), sta, 2, &[])), pair(A2, B1));
    // It was tried, and the peer did not hear it: the others have their turn.
    assert_eq!(over(&bench.probe(pair(A2, B1), sta, 3, &[])), ULIDS);
    assert_eq!(over(&bench.probe(pair(A1, B2), sta, 4, &[])), pair(A2, B2));
    // A new round: what the peer can use goes first again.
    assert_eq!(over(&bench.probe(pair(A1, B2), sta, 5, &[])), pair(A1, B2));
}

/// What comes from the peer is answered over the same pair, even if that pair was tried before in
/// vain: it may work now.
#[test]
fn what_is_heard_is_tried_again() {
    for other in [pair(A1, B1), pair(A1, B2), pair(A2, B1), pair(A2, B2)] {
        for time in [100, 600, 1_100, 1_600] {
            let mut bench = Bench::in_state(State::Exploring);
            bench.run_until(time);
            let actions = bench.probe(other, ProbeState::Exploring, 1, &[]);
            assert_eq!(probes(&actions), [(ProbeState::InboundOk, other)]);
        }
    }
}

/// Answers are extra: they do not move the schedule.
#[test]
fn answers_do_not_move_the_schedule() {
    let mut bench = Bench::in_state(State::Exploring);
    bench.set_clock(200);
    bench.probe(ULIDS, ProbeState::Exploring, 1, &[]);
    assert_eq!(bench.reap.state(), State::InboundOk);
    let times: Vec<u64> = sent(&bench.run_until(5_000))
        .iter()
        .map(|(at, ..)| *at)
        .collect();
    assert_eq!(times, [500, 1_000, 1_500, 2_500, 4_500]);
}

/// A hint during an exploration begins with the best pair again, once in a round.
#[test]
fn a_hint_begins_the_list_again() {
    let mut bench = Bench::new();
    let mut pairs: Vec<LocatorPair> = probes(&bench.hint()).iter().map(|(_, p)| *p).collect();
    for until in [600, 1_100, 1_600] {
        pairs.extend(sent(&bench.run_until(until)).iter().map(|(.., pair)| *pair));
        bench.hint();
    }
    let [first, second, third, fourth] = pairs[..] else {
        panic!("{pairs:?}");
    };
    assert_eq!(first, pair(A2, B2));
    assert_ne!(second, first);
    assert_eq!((third, fourth), (first, second));
}

/// Hints during an exploration begin with the list anew, but do not add messages.
#[test]
fn hints_make_no_storm() {
    let mut bench = Bench::new();
    let mut number = probes(&bench.hint()).len();
    for at in (0..10_000).step_by(10) {
        number += sent(&bench.run_until(at)).len();
        assert_eq!(probes(&bench.hint()), []);
    }
    assert_eq!(number, 7);
}

/// Hints that come more often than Probes do (ICMPv6 errors about payload that still goes over the
/// current pair) do not keep the pairs behind the first from their turn.
#[test]
fn hints_do_not_starve_other_pairs() {
    let mut bench = Bench::new();
    let mut pairs = vec![];
    for second in 1..=40 {
        let actions = bench.step(|reap, step| reap.hint(step, Hint::IcmpError));
        pairs.extend(probes(&actions).iter().map(|(_, pair)| *pair));
        let done = bench.run_until(second * 1000);
        pairs.extend(sent(&done).iter().map(|(.., pair)| *pair));
    }
    // Probes at 0, 0.5, 1, 1.5, 2.5, 4.5, 8.5, 16.5 and 32.5 s.
    assert_eq!(pairs.len(), 9, "{pairs:?}");
    for expected in [ULIDS, pair(A1, B2), pair(A2, B1), pair(A2, B2)] {
        let number = pairs.iter().filter(|pair| **pair == expected).count();
        assert!(
            (1..=4).contains(&number),
            "{number} times {expected:?}: {pairs:?}"
        );
    }
}

/// A locator that comes and goes twice in a second, while pairs are tried, does not keep those
/// behind the first of the list from their turn.
#[test]
fn flapping_does_not_starve_other_pairs() {
    let mut bench = Bench::new();
    bench.locators = Locators::new(&[A1, A2], &[B1, B2]);
    let mut pairs = vec![];
    for half in 1..=80 {
        bench.locators.local_mut(A1).is_operational = half % 2 == 0;
        bench.send();
        let actions = bench.changed();
        pairs.extend(probes(&actions).iter().map(|(_, pair)| *pair));
        let done = bench.run_until(half * 500);
        pairs.extend(sent(&done).iter().map(|(.., pair)| *pair));
    }
    for expected in [pair(A2, B1), pair(A2, B2)] {
        let number = pairs.iter().filter(|pair| **pair == expected).count();
        assert!(number >= 3, "{number} times {expected:?}: {pairs:?}");
    }
}

/// A locator that comes and goes once in a second, for five minutes (scenario S114): each change
/// is noticed, but the number of messages is bounded.
#[test]
fn flapping_makes_no_storm() {
    let mut bench = Bench::new();
    bench.locators = Locators::new(&[A1, A2], &[B1]);
    let mut number = 0;
    for second in 1..=300 {
        number += sent(&bench.run_until(second * 1000)).len();
        bench.locators.local_mut(A1).is_operational = second % 2 == 0;
        bench.send();
        number += probes(&bench.changed()).len();
    }
    // Not one for each change: what an exploration sends in its first 15 seconds, 20 times.
    assert!((60..=20 * 7).contains(&number), "{number}");
}

/// A host that lost its last locator begins with the initial probes when it has one again.
#[test]
fn a_locator_that_returns_is_tried_at_once() {
    let mut bench = Bench::new();
    bench.locators = Locators::new(&[A1], &[B1]);
    bench.send();
    bench.locators.local_mut(A1).is_operational = false;
    let actions = bench.changed();
    assert!(actions.contains(&Action::NoPair), "{actions:?}");
    assert_eq!(probes(&actions), []);
    assert_eq!(sent(&bench.run_until(200_000)), []);

    bench.locators.local_mut(A1).is_operational = true;
    bench.changed();
    let done = bench.run_until(202_000);
    let times: Vec<u64> = sent(&done).iter().map(|(at, ..)| *at).collect();
    assert_eq!(times, [200_000, 200_500, 201_000, 201_500]);
}
