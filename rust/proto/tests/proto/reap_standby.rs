// SPDX-License-Identifier: GPL-2.0

//! A second pair that is kept confirmed, and going back to a better one.

use std::collections::HashSet;

use shim6_proto::{
    locator::LocatorPair,
    reap::{
        Action,
        Cause,
        ConfirmPurpose,
        Hint,
        State,
        SwitchReason, //
    },
    time::Interval,
    wire::probe::ProbeState, //
};

use crate::{
    reap_network::{
        Network,
        Sent, //
    },
    reap_support::*, //
};

const VOICE: Option<u64> = Some(20);
const OTHER: LocatorPair = pair(A2, B2);

/// The questions to the peer among what was done: when, over which pair, what for, how manieth.
fn asked(done: &[(u64, Action)]) -> Vec<(u64, LocatorPair, ConfirmPurpose, u8)> {
    let confirm = |(at, action): &(u64, Action)| match action {
        Action::Confirm {
            pair,
            purpose,
            attempt,
        } => Some((*at, *pair, *purpose, *attempt)),
        _ => None,
    };
    done.iter().filter_map(confirm).collect()
}

fn with_standby() -> Bench {
    let mut bench = Bench::new();
    bench.constants.hot_standby = true;
    bench
}

/// Runs until a time, sends a packet each second, and answers for these pairs.
fn run(bench: &mut Bench, until: u64, working: &[LocatorPair]) -> Vec<(u64, Action)> {
    let mut done = vec![];
    while bench.elapsed() < until {
        let next = (bench.elapsed() / 1000 + 1) * 1000;
        done.extend(bench.run_until(next));
        let mut actions = bench.receive();
        actions.extend(bench.send());
        let at = bench.elapsed();
        done.extend(actions.into_iter().map(|action| (at, action)));
        let open = done.iter().rev().find_map(|(_, action)| match action {
            Action::Confirm { pair, .. } => Some(*pair),
            _ => None,
        });
        if let Some(pair) = open.filter(|pair| working.contains(pair)) {
            let actions = bench.confirmed(pair);
            done.extend(actions.into_iter().map(|action| (at, action)));
        }
    }
    done
}

/// A context in use asks over the pair that shares nothing with the current one, at once and then
/// about once in an interval.
#[test]
fn standby_is_confirmed() {
    let mut bench = with_standby();
    let done = run(&mut bench, 600_000, &[OTHER]);
    let asked = asked(&done);
    assert!((10..=13).contains(&asked.len()), "{asked:?}");
    assert!(asked[0].0 <= 1_000, "{asked:?}");
    for (_, pair, purpose, attempt) in &asked {
        assert_eq!((*pair, *attempt), (OTHER, 1));
        assert_eq!(*purpose, ConfirmPurpose::Standby);
    }
    for interval in asked.windows(2) {
        let interval = interval[1].0 - interval[0].0;
        assert!((48_000..=61_000).contains(&interval), "{interval}");
    }
    assert_eq!(bench.reap.standby(&bench.constants, bench.now), Some(OTHER));
}

/// A locator that comes and goes ten times in a second makes pairs change, but asks for no more than
/// one confirmation in a second.
#[test]
fn flapping_asks_for_no_storm() {
    let mut bench = with_standby();
    let mut done = run(&mut bench, 5_000, &[OTHER]);
    done.clear();
    for tenth in 1..=100 {
        done.extend(bench.run_until(5_000 + tenth * 100));
        bench.receive();
        bench.send();
        bench.locators.local_mut(A2).is_operational = tenth % 2 == 0;
        let actions = bench.changed();
        let at = bench.elapsed();
        done.extend(actions.into_iter().map(|action| (at, action)));
        if let Some((_, pair, ..)) = asked(&done).last() {
            bench.confirmed(*pair);
        }
    }
    let asked = asked(&done);
    assert!((5..=11).contains(&asked.len()), "{asked:?}");
    for two in asked.windows(2) {
        assert!(two[1].0 - two[0].0 >= 1_000, "{asked:?}");
    }
}

/// Without the setting nothing is asked.
#[test]
fn no_standby_unless_asked_for() {
    let mut bench = Bench::new();
    assert_eq!(asked(&run(&mut bench, 600_000, &[OTHER])), []);
    let mut bench = with_standby();
    run(&mut bench, 10_000, &[OTHER]);
    bench.constants.hot_standby = false;
    assert_eq!(bench.reap.standby(&bench.constants, bench.now), None);
    assert_eq!(switches(&bench.hint()), []);
}

/// A context that nobody uses asks nothing, and has no timer.
#[test]
fn no_standby_for_the_idle() {
    let mut bench = with_standby();
    assert_eq!(bench.reap.next_deadline(), None);
    run(&mut bench, 100_000, &[OTHER]);
    let done = bench.run_until(3_600_000);
    let late = asked(&done).into_iter().filter(|asked| asked.0 > 161_000);
    assert_eq!(late.count(), 0, "{done:?}");
}

/// A pair that does not answer is asked three times, then it is the next one's turn.
#[test]
fn a_cold_pair_makes_way() {
    let mut bench = with_standby();
    let done = run(&mut bench, 300_000, &[pair(A1, B2)]);
    let asked = asked(&done);
    let attempts: Vec<_> = asked.iter().map(|asked| (asked.1, asked.3)).collect();
    assert_eq!(attempts[..3], [(OTHER, 1), (OTHER, 2), (OTHER, 3)]);
    assert!(attempts[3].0 != OTHER && attempts[3].1 == 1, "{attempts:?}");
    // 4, 8 and 16 seconds, randomized.
    let times: Vec<u64> = asked[..4].windows(2).map(|w| w[1].0 - w[0].0).collect();
    for (time, nominal) in times.iter().zip([4_000, 8_000, 16_000]) {
        assert!(
            (nominal * 4 / 5..=nominal * 6 / 5 + 1_000).contains(time),
            "{times:?}"
        );
    }
    let standby = bench.reap.standby(&bench.constants, bench.now);
    assert_eq!(standby, Some(pair(A1, B2)));
    let found = |action: &Action| *action == Action::Standby(Some(pair(A1, B2)));
    assert!(done.iter().any(|(_, action)| found(action)));
}

/// A standby that stops answering is none any more.
#[test]
fn a_standby_dies() {
    let mut bench = with_standby();
    run(&mut bench, 100_000, &[OTHER]);
    assert_eq!(bench.reap.standby(&bench.constants, bench.now), Some(OTHER));
    let done = run(&mut bench, 200_000, &[]);
    assert!(done
        .iter()
        .any(|(_, action)| *action == Action::Standby(None)));
    assert_eq!(bench.reap.standby(&bench.constants, bench.now), None);
}

/// An answer that nobody waits for changes nothing.
#[test]
fn unasked_answers() {
    let mut bench = with_standby();
    assert_eq!(bench.confirmed(OTHER), []);
    bench.send();
    assert_eq!(bench.confirmed(pair(A1, B2)), []);
    assert_eq!(bench.reap.standby(&bench.constants, bench.now), None);
    // Nor one of a pair that may no longer be used.
    bench.locators.peer_mut(B2).is_verified = false;
    assert_eq!(bench.confirmed(OTHER), []);
}

/// When the current pair fails, the standby is used at once, whatever the sign of failure, and the
/// first Probe goes over it.
#[test]
fn failure_switches_at_once() {
    let signs: [fn(&mut Bench) -> Vec<Action>; 4] = [
        |bench| {
            // Nothing has come since TCP sent what is lost.
            bench.run_until(bench.elapsed() + 200);
            bench.step(|reap, step| reap.hint(step, Hint::TcpTimeout))
        },
        |bench| {
            bench.locators.local_mut(A1).is_operational = false;
            bench.changed()
        },
        |bench| {
            bench.locators.peer_mut(B1).preference = broken();
            bench.changed()
        },
        |bench| {
            let until = bench.elapsed() + 17_000;
            let done = bench.run_until(until);
            let end = done
                .iter()
                .position(|(_, action)| !probes(&[*action]).is_empty());
            done[..=end.unwrap()].iter().map(|(_, a)| *a).collect()
        },
    ];
    for sign in signs {
        let mut bench = with_standby();
        run(&mut bench, 10_000, &[OTHER]);
        bench.send();
        let actions = sign(&mut bench);
        let [Action::Switch { pair, reason }, rest @ ..] = &actions[..] else {
            panic!("{actions:?}");
        };
        assert_eq!((*pair, *reason), (OTHER, SwitchReason::Standby));
        assert_eq!(entered(rest)[0].0, State::Exploring);
        assert_eq!(probes(rest), [(ProbeState::Exploring, OTHER)]);
        assert_eq!(bench.reap.suspect_pair(), ULIDS, "the one that failed");
        // Upper layers go on when the peer has answered.
        assert!(!actions.contains(&Action::Resume));
        let actions = bench.probe(OTHER, ProbeState::InboundOk, 1, &[]);
        assert_eq!(actions.last(), Some(&Action::Resume));
    }
}

/// An ICMPv6 error can be forged. It makes this end probe the current pair, and if that works
/// nothing changes, with a standby and without.
#[test]
fn icmp_errors_are_not_believed() {
    for mut bench in [with_standby(), Bench::new()] {
        run(&mut bench, 10_000, &[OTHER]);
        let actions = bench.step(|reap, step| reap.hint(step, Hint::IcmpError));
        assert_eq!(switches(&actions), []);
        assert_eq!(probes(&actions), [(ProbeState::Exploring, ULIDS)]);
        let report = our_record(ULIDS, nonce(&actions));
        let actions = bench.probe(ULIDS, ProbeState::InboundOk, 1, &[report]);
        assert_eq!(switches(&actions), []);
        assert_eq!(bench.reap.state(), State::Operational);
        assert_eq!(bench.reap.pair(), ULIDS);
    }
}

/// A connection of TCP that does not get through while others are heard may be stuck for reasons of
/// its own: the current pair is probed and kept, and not again for a while.
#[test]
fn a_connection_that_is_stuck_alone() {
    for mut bench in [with_standby(), Bench::new()] {
        run(&mut bench, 10_000, &[OTHER]);
        bench.receive();
        let hint = |bench: &mut Bench| {
            bench.receive();
            bench.step(|reap, step| reap.hint(step, Hint::TcpTimeout))
        };
        let actions = hint(&mut bench);
        assert_eq!(switches(&actions), []);
        assert_eq!(probes(&actions), [(ProbeState::Exploring, ULIDS)]);
        let report = our_record(ULIDS, nonce(&actions));
        let actions = bench.probe(ULIDS, ProbeState::InboundOk, 1, &[report]);
        assert_eq!(switches(&actions), []);
        assert_eq!(hint(&mut bench), []);
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

/// TCP goes on to send over the pair that failed, and each packet may lead to another error: pairs
/// are tried all the same.
#[test]
fn errors_do_not_keep_pairs_from_being_tried() {
    let mut bench = Bench::new();
    bench.send();
    let mut tried = probes(&bench.step(|reap, step| reap.hint(step, Hint::IcmpError)));
    for _ in 0..30 {
        let until = bench.elapsed() + 100;
        let done = bench.run_until(until);
        let actions: Vec<Action> = done.iter().map(|(_, action)| *action).collect();
        tried.extend(probes(&actions));
        for hint in [Hint::IcmpError, Hint::TcpTimeout] {
            assert_eq!(bench.step(|reap, step| reap.hint(step, hint)), []);
        }
    }
    let pairs: HashSet<LocatorPair> = tried.iter().map(|(_, pair)| *pair).collect();
    assert_eq!(pairs.len(), 4, "{tried:?}");
}

/// A standby that may not be used any more is not used.
#[test]
fn a_standby_that_is_gone() {
    let mut bench = with_standby();
    run(&mut bench, 10_000, &[OTHER]);
    bench.locators.local_mut(A2).is_operational = false;
    assert_eq!(switches(&bench.hint()), []);
    assert_eq!(bench.reap.pair(), ULIDS);
}

/// One that was confirmed too long ago is not used either.
#[test]
fn a_standby_that_is_old() {
    for (idle, is_used) in [(100_000, true), (125_000, false)] {
        let mut bench = with_standby();
        run(&mut bench, 1_000, &[OTHER]);
        bench.set_clock(1_000 + idle);
        assert_eq!(!switches(&bench.hint()).is_empty(), is_used);
    }
}

/// The current pair is no standby, also if there is no other.
#[test]
fn no_pair_to_spare() {
    let mut bench = with_standby();
    bench.locators = Locators::new(&[A1], &[B1]);
    assert_eq!(asked(&run(&mut bench, 600_000, &[ULIDS])), []);
}

/// If the standby is lost as well, there is an exploration as without.
#[test]
fn both_are_lost() {
    let mut network = Network::new(&[A1, A2], &[B1, B2]);
    for end in &mut network.ends {
        end.constants.hot_standby = true;
        end.constants.send_timeout = ms(1_000);
        end.constants.keepalive_timeout = ms(1_000);
    }
    network.start_traffic([VOICE, VOICE]);
    network.run_until(10_000);
    for (a, b) in [(A1, B1), (A2, B2)] {
        network.break_both_ways(a, b);
    }
    network.run_until(30_000);
    assert!(network.are_operational());
    assert!(network.works(0) && network.works(1));
}

/// With a Send Timeout of one second, nothing is missed for longer than that, what it is
/// randomized by, and the way (scenario S38).
#[test]
fn gap_with_standby() {
    let mut network = Network::new(&[A1, A2], &[B1, B2]);
    for end in &mut network.ends {
        end.constants.hot_standby = true;
        end.constants.send_timeout = ms(1_000);
        end.constants.keepalive_timeout = ms(1_000);
    }
    network.start_traffic([VOICE, VOICE]);
    network.run_until(10_000);
    network.break_both_ways(A1, B1);
    network.run_until(20_000);
    assert!(
        network.gap.iter().all(|gap| *gap <= 1_200),
        "{:?}",
        network.gap
    );
    assert!(network.are_operational());
    assert_eq!(network.ends[0].reap.pair(), OTHER);
    assert_eq!(network.ends[1].reap.pair(), pair(B2, A2));
}

/// Probes that are reported confirm a pair too: after an exploration there is one to spare.
#[test]
fn reports_confirm() {
    let mut bench = with_standby();
    let first = bench.hint();
    let second: Vec<Action> = bench.run_until(600).into_iter().map(|(_, a)| a).collect();
    let other = probes(&second)[0].1;
    let reports = [
        our_record(OTHER, nonce(&first)),
        our_record(other, nonce(&second)),
    ];
    let actions = bench.probe(ULIDS, ProbeState::InboundOk, 1, &reports);
    assert_eq!(switches(&actions), [OTHER]);
    assert!(
        actions.contains(&Action::Standby(Some(other))),
        "{actions:?}"
    );
    assert_eq!(bench.reap.standby(&bench.constants, bench.now), Some(other));
}

/// Ordinary messages do not let an idle context ask for ever: what confirms is not use.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn confirmation_is_no_use() {
    let mut network = Network::new(&[A1, A2], &[B1, B2]);
    network.ends[0].constants.hot_standby = true;
    network.start_traffic([VOICE, VOICE]);
    network.run_until(100_000);
    network.traffic = [None; 2];
    network.run_until(7_200_000);
    let last = network.log.last().expect("messages");
    assert!(last.at < 200_000, "{last:?}");
    assert!(network.are_operational());
    assert!(network
        .ends
        .iter()
        .all(|end| end.reap.next_deadline().is_none()));
}

/// A pair that is preferred and works again is gone back to after the hold, not before, and with
/// nothing but a question over it.
#[test]
fn failback() {
    let mut bench = Bench::new();
    bench.prefer(priority(1), priority(2));
    bench.fail_over();
    assert_eq!(bench.reap.pair(), OTHER);
    // It does not work yet.
    let done = run(&mut bench, 100_000, &[]);
    let first = asked(&done)[0];
    assert!((60_000..=61_000).contains(&first.0), "{first:?}");
    assert_eq!(first.2, ConfirmPurpose::Failback);
    assert_eq!((first.1.peer, first.3), (B1, 1));
    assert_eq!(bench.reap.pair(), OTHER);

    let done = run(&mut bench, 400_000, &[ULIDS]);
    let reason = SwitchReason::Failback;
    let switch = Action::Switch {
        pair: ULIDS,
        reason,
    };
    assert!(done.iter().any(|(_, action)| *action == switch), "{done:?}");
    assert_eq!(bench.reap.pair(), ULIDS);
    // There is nothing better, so nothing more is asked.
    assert_eq!(asked(&run(&mut bench, 4_000_000, &[])), []);
}

/// So it is with one that becomes better while nothing fails, and not with one that does not.
#[test]
fn preferences_change() {
    for better in [true, false] {
        let mut bench = Bench::new();
        bench.send();
        bench.locators.peer_mut(B1).preference = priority(2);
        bench.locators.peer_mut(B2).preference = priority(if better { 1 } else { 2 });
        assert_eq!(bench.changed(), []);
        let asked = asked(&run(&mut bench, 100_000, &[]));
        let first = asked
            .first()
            .filter(|first| (60_000..=61_000).contains(&first.0) && first.1.peer == B2 && better);
        assert_eq!(first, asked.first(), "{asked:?}");
        assert_eq!(asked.is_empty(), !better);
    }
}

/// One that does not answer makes way for those behind it, each after the hold.
#[test]
fn better_pairs_take_turns() {
    let mut bench = Bench::new();
    bench.prefer(priority(1), priority(2));
    bench.fail_over();
    let asked = asked(&run(&mut bench, 400_000, &[]));
    let first: Vec<_> = asked.iter().filter(|asked| asked.3 == 1).collect();
    let [one, other, again, ..] = first[..] else {
        panic!("{asked:?}");
    };
    assert_eq!((one.1.peer, other.1.peer), (B1, B1));
    assert!(one.1 != other.1 && one.1 == again.1, "{asked:?}");
    // Three tries take 28 seconds, randomized.
    for (one, next) in [(one, other), (other, again)] {
        assert!((82_000..=95_000).contains(&(next.0 - one.0)), "{asked:?}");
    }
}

/// It can be turned off.
#[test]
fn no_failback() {
    let mut bench = Bench::new();
    bench.constants.failback_hold = ms(0);
    bench.fail_over();
    assert_eq!(asked(&run(&mut bench, 4_000_000, &[ULIDS])), []);
}

/// Somebody who asks for another pair does not wait for the hold.
#[test]
fn a_wish_is_tried_at_once() {
    let mut bench = Bench::new();
    bench.send();
    bench.locators.local_mut(A2).is_wanted = true;
    let mut actions = bench.step(|reap, step| reap.candidates_changed(step, true));
    actions.extend(bench.timeout());
    let wanted = pair(A2, B1);
    let purpose = ConfirmPurpose::Failback;
    let confirm = Action::Confirm {
        pair: wanted,
        purpose,
        attempt: 1,
    };
    assert!(actions.contains(&confirm), "{actions:?}");
    assert_eq!(switches(&bench.confirmed(wanted)), [wanted]);
}

/// A path that works whenever it is asked for and fails soon after is gone back to less and less
/// often: the bound of `failback.rs`.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn flapping_is_damped() {
    let mut bench = Bench::new();
    bench.fail_over();
    let mut times = vec![];
    for second in 1..=40_000 {
        let done = run(&mut bench, second * 1000, &[ULIDS]);
        if done
            .iter()
            .any(|(_, action)| !switches(&[*action]).is_empty())
        {
            times.push(second);
            bench.fail_over();
        }
    }
    let holds: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (hold, expected) in holds.iter().zip([120, 240, 480, 960, 1_920, 3_600, 3_600]) {
        assert!(hold.abs_diff(expected) <= 2, "{holds:?}");
    }
    assert!(times.len() <= 16, "{times:?}");
}

/// An idle context does not explore when it loses a locator, but as soon as it has to send.
#[test]
fn a_locator_that_nobody_misses() {
    let mut bench = Bench::new();
    bench.locators.local_mut(A1).is_operational = false;
    assert_eq!(bench.changed(), []);
    assert_eq!(bench.reap.next_deadline(), None);
    bench.set_clock(1_000_000);
    let actions = bench.send();
    assert_eq!(entered(&actions), [(State::Exploring, Cause::LocalLost)]);
    assert_eq!(probes(&actions).len(), 1);

    // Unless it has come back.
    let mut bench = Bench::new();
    bench.locators.local_mut(A1).is_operational = false;
    bench.changed();
    bench.locators.local_mut(A1).is_operational = true;
    bench.changed();
    assert_eq!(bench.send(), []);
}

/// A context is idle a minute after the last packet.
#[test]
fn how_long_a_locator_is_missed() {
    for (idle, is_missed) in [(59_999, true), (60_000, false)] {
        let mut bench = Bench::new();
        bench.receive();
        bench.run_until(idle);
        bench.locators.local_mut(A1).is_operational = false;
        assert_eq!(!entered(&bench.changed()).is_empty(), is_missed);
    }
}

/// A locator that is BROKEN or lost is acted on once, also if there is nothing better.
#[test]
fn once_is_enough() {
    let mut bench = Bench::new();
    bench.send();
    bench.prefer(broken(), broken());
    assert_eq!(entered(&bench.changed()).len(), 1);
    bench.probe(ULIDS, ProbeState::InboundOk, 1, &[]);
    assert_eq!(bench.reap.state(), State::Operational);
    bench.send();
    assert_eq!(entered(&bench.changed()), []);
}

/// What an administrator sets is not questioned, but left when it fails.
#[test]
fn a_pair_that_is_set() {
    let mut bench = Bench::new();
    let set = pair(A2, B1);
    assert_eq!(bench.step(|reap, step| reap.use_pair(step, set)), []);
    assert_eq!(asked(&run(&mut bench, 200_000, &[ULIDS])), []);
    assert_eq!(bench.reap.pair(), set);
    assert_eq!(probes(&bench.hint())[0].1, pair(A1, B2));
}

/// The messages of the standby are requests, not Probes.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn no_probe_is_faked() {
    let mut network = Network::new(&[A1, A2], &[B1, B2]);
    network.ends[0].constants.hot_standby = true;
    network.start_traffic([VOICE, VOICE]);
    network.run_until(300_000);
    assert!(!network.log.is_empty());
    assert!(network.log.iter().all(|log| log.sent == Sent::Request));
}

/// A standby that is confirmed more often than the Send Timeout does not hide that the current pair
/// is dead, to neither end: what comes over the standby says nothing of the current pair.
#[test]
fn a_standby_hides_no_failure() {
    for watcher in [0, 1] {
        let mut network = Network::new(&[A1, A2], &[B1, B2]);
        for bench in &mut network.ends {
            bench.constants.send_timeout = Interval::from_secs(60);
        }
        network.ends[watcher].constants.send_timeout = Interval::from_secs(1);
        let constants = &mut network.ends[0].constants;
        constants.hot_standby = true;
        constants.standby_interval = Interval::from_millis(500);
        network.start_traffic([Some(20), Some(20)]);
        network.run_until(5_000);
        network.break_both_ways(A1, B1);
        network.run_until(8_000);
        assert!(
            network.works(0) && network.works(1),
            "end {watcher} watches"
        );
        assert!(network.are_operational());
        let longest = network.gap[0].max(network.gap[1]);
        assert!(longest < 2_000, "end {watcher} watches: {longest} ms");
    }
}
