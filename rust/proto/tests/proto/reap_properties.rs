// SPDX-License-Identifier: GPL-2.0

//! Two ends over paths that lose, delay, reorder and fail in one direction; and one end with
//! whatever events, times and settings.

use proptest::{
    collection::vec,
    prelude::*, //
};
use shim6_proto::{
    locator::{
        Locator,
        Preference,
        PreferenceFlags, //
    },
    reap::{
        ranking::Ranking,
        Action,
        Activity,
        Constants,
        Hint,
        State,
        Timers, //
    },
    time::Instant,
    wire::probe::ProbeState, //
};

use crate::{
    effort::cases,
    reap_network::Network,
    reap_support::*, //
};

/// The directions between the locators of two ends.
const DIRECTIONS: [(Locator, Locator); 8] = [
    (A1, B1),
    (A1, B2),
    (A2, B1),
    (A2, B2),
    (B1, A1),
    (B1, A2),
    (B2, A1),
    (B2, A2),
];

/// Breaks the directions whose bit is clear.
fn set_working(network: &mut Network, mask: u8) {
    network.broken.clear();
    for (bit, (source, destination)) in DIRECTIONS.into_iter().enumerate() {
        if mask & (1 << bit) == 0 {
            network.break_one_way(source, destination);
        }
    }
}

/// Something that happens.
#[derive(Clone, Debug)]
enum Incident {
    /// These directions work, the others do not.
    Paths(u8),
    /// The ends send so often.
    Traffic([Option<u64>; 2]),
    /// Packets in a thousand are lost, and delays differ.
    Faults(u64, u64),
    /// Something speaks against the pair of an end.
    Hint(usize),
    /// An interface of an end goes down or up.
    Link(usize, usize, bool),
    /// A peer says BROKEN or takes it back.
    Broken(usize, usize, bool),
    /// Hot standby.
    Standby(usize, bool),
}

fn incident() -> impl Strategy<Value = Incident> {
    let interval = || prop::option::of(prop::sample::select(vec![20_u64, 500, 7_000, 40_000]));
    prop_oneof![
        3 => any::<u8>().prop_map(Incident::Paths),
        2 => (interval(), interval()).prop_map(|(a, b)| Incident::Traffic([a, b])),
        1 => (0..300_u64, 0..2_000_u64).prop_map(|(loss, jitter)| Incident::Faults(loss, jitter)),
        1 => (0..2_usize).prop_map(Incident::Hint),
        1 => (0..2_usize, 0..2_usize, any::<bool>()).prop_map(|(e, l, up)| Incident::Link(e, l, up)),
        1 => (0..2_usize, 0..2_usize, any::<bool>()).prop_map(|(e, l, b)| Incident::Broken(e, l, b)),
        1 => (0..2_usize, any::<bool>()).prop_map(|(end, on)| Incident::Standby(end, on)),
    ]
}

fn happen(network: &mut Network, incident: &Incident) {
    let changed = |network: &mut Network, end: usize| {
        let actions = network.ends[end].changed();
        network.perform(end, actions);
    };
    match *incident {
        Incident::Paths(mask) => set_working(network, mask),
        Incident::Traffic(intervals) => network.start_traffic(intervals),
        Incident::Faults(loss, jitter) => (network.loss, network.jitter) = (loss, jitter),
        Incident::Hint(end) => {
            let actions = network.ends[end].hint();
            network.perform(end, actions);
        }
        Incident::Link(end, locator, is_up) => {
            network.ends[end].locators.locals[locator].is_operational = is_up;
            changed(network, end);
        }
        Incident::Broken(end, locator, is_broken) => {
            let flags = if is_broken {
                PreferenceFlags::BROKEN
            } else {
                PreferenceFlags::default()
            };
            network.ends[end].locators.peers[locator].preference.flags = flags;
            changed(network, end);
        }
        Incident::Standby(end, is_on) => network.ends[end].constants.hot_standby = is_on,
    }
}

/// Nothing goes over a pair that may not be used, and there is no storm: in any second an end sends
/// at most the answers that are allowed and a little more.
fn check_messages(network: &Network) -> Result<(), TestCaseError> {
    for end in 0..2 {
        let log = network.log.iter().filter(|logged| logged.end == end);
        let times: Vec<u64> = log.map(|logged| logged.at).collect();
        for (first, at) in times.iter().enumerate() {
            let second = times[first..].iter().take_while(|time| *time - at < 1_000);
            // Answers of two counted seconds, Probes of two explorations, a Keepalive, a request.
            prop_assert!(second.count() <= 20 + 8 + 4, "{:?}", &times[first..]);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(60))]

    /// Whatever happened: once a pair works in each direction and both ends send, both become
    /// Operational over pairs that work, and payload arrives.
    #[test]
    #[cfg_attr(miri, ignore = "long")]
    fn two_ends_recover(
        incidents in vec((incident(), 0..60_000_u64), 0..12),
        there in 1..16_u8,
        back in 1..16_u8,
        seed in any::<u64>(),
    ) {
        let mut network = Network::new(&[A1, A2], &[B1, B2]);
        network.seed(seed);
        network.start_traffic([Some(20), Some(20)]);
        for (incident, time) in &incidents {
            happen(&mut network, incident);
            let until = network.now + time;
            network.run_until(until);
        }
        for (end, locator) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            happen(&mut network, &Incident::Link(end, locator, true));
            happen(&mut network, &Incident::Broken(end, locator, false));
        }
        happen(&mut network, &Incident::Faults(0, 5));
        set_working(&mut network, there | (back << 4));
        network.start_traffic([Some(100), Some(100)]);
        let repaired = network.now;

        // An exploration may have come to the longest interval, in which it tries one pair: four
        // pairs and one round before, twenty percent more; and it may begin only when the Send
        // Timer expires.
        let bound = repaired + 2 * 4 * 72_000 + 2 * 16_500;
        while network.now < bound {
            let until = network.now + 1_000;
            network.run_until(until);
            if network.are_operational() && network.works(0) && network.works(1) {
                break;
            }
        }
        prop_assert!(network.are_operational(), "{:?}", network.ends);
        prop_assert!(network.works(0) && network.works(1));
        // And that lasts.
        let calm = network.now;
        network.run_until(calm + 40_000);
        let changes = network
            .actions
            .iter()
            .filter(|(at, _, action)| *at > calm + 1_000 && !entered(&[*action]).is_empty());
        prop_assert_eq!(changes.count(), 0);
        prop_assert!(network.delivered.iter().all(|at| *at + 1_000 > network.now));
        check_messages(&network)?;
    }

}

proptest! {
    #![proptest_config(cases(12))]

    /// With five percent of loss and reordering, a failure is overcome, and pairs do not change to
    /// and fro (scenario S37).
    #[test]
    #[cfg_attr(miri, ignore = "long")]
    fn lossy_failover(seed in any::<u64>()) {
        let mut network = Network::new(&[A1, A2], &[B1, B2]);
        network.seed(seed);
        network.start_traffic([Some(20), Some(20)]);
        happen(&mut network, &Incident::Faults(50, 30));
        network.run_until(10_000);
        network.break_both_ways(A1, B1);
        // Going back is a matter of its own.
        for end in &mut network.ends {
            end.constants.failback_hold = ms(0);
        }
        network.run_until(200_000);
        prop_assert!(network.are_operational());
        prop_assert!(network.works(0) && network.works(1));
        for end in 0..2 {
            let switched = |(_, who, action): &&(u64, usize, Action)| {
                *who == end && !switches(&[*action]).is_empty()
            };
            let number = network.actions.iter().filter(switched).count();
            prop_assert!((1..=3).contains(&number), "{number}");
        }
        check_messages(&network)?;
    }
}

/// An event of one end.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Timeout,
    Send,
    Receive,
    ControlSend,
    Keepalive,
    Probe(usize, u8, u32, bool),
    Hint(u8),
    Positive,
    Changed(u8, bool),
    Confirmed(usize),
    UsePair(usize),
    /// Stamps that no sane data path leaves.
    Stamps([Option<u64>; 4]),
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let time = || prop::option::of(prop_oneof![any::<u64>(), 999_000..1_200_000_u64]);
    prop_oneof![
        Just(Event::Timeout),
        Just(Event::Send),
        Just(Event::Receive),
        Just(Event::ControlSend),
        Just(Event::Keepalive),
        (0..4_usize, 0..3_u8, 0..4_u32, any::<bool>())
            .prop_map(|(pair, sta, nonce, reports)| Event::Probe(pair, sta, nonce, reports)),
        (0..3_u8).prop_map(Event::Hint),
        Just(Event::Positive),
        (any::<u8>(), any::<bool>()).prop_map(|(mask, is_wish)| Event::Changed(mask, is_wish)),
        (0..4_usize).prop_map(Event::Confirmed),
        (0..4_usize).prop_map(Event::UsePair),
        [time(), time(), time(), time()].prop_map(Event::Stamps),
    ]
}

/// Settings within their ranges.
fn constants() -> impl Strategy<Value = Constants> {
    let time = || prop_oneof![10..100_u32, 10..86_400_000_u32].prop_map(ms);
    (
        [time(), time(), time(), time(), time(), time()],
        (1..=32_u8, 2..=16_u8, 1..=8_u8, 1..=255_u8),
        (any::<bool>(), any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |(times, (initial_probes, backoff, confirm_tries, answers), flags)| {
                let [initial, max, send, keepalive, interval, confirm] = times;
                let (hot_standby, has_interval, has_failback) = flags;
                let half = ms((keepalive.as_millis() / 2).max(10));
                Constants {
                    initial_probe_timeout: initial.min(max),
                    initial_probes,
                    backoff,
                    max_probe_timeout: max,
                    send_timeout: send,
                    keepalive_timeout: keepalive.max(ms(20)),
                    keepalive_interval: has_interval.then_some(interval.min(half)),
                    suppress_keepalives: false,
                    retain: confirm,
                    answers_per_second: answers,
                    hot_standby,
                    standby_interval: send,
                    confirm_timeout: confirm,
                    confirm_tries,
                    failback_hold: if has_failback {
                        initial.min(max)
                    } else {
                        ms(0)
                    },
                    failback_hold_max: max,
                }
            },
        )
}

const PAIRS: [(Locator, Locator); 4] = [(A1, B1), (A1, B2), (A2, B1), (A2, B2)];

fn nth(number: usize) -> shim6_proto::locator::LocatorPair {
    pair(PAIRS[number].0, PAIRS[number].1)
}

/// What an event does to an end.
pub(crate) fn apply(bench: &mut Bench, event: &Event, sent: &[Action]) -> Vec<Action> {
    match *event {
        Event::Timeout => bench.timeout(),
        Event::Send => bench.send(),
        Event::Receive => bench.receive(),
        Event::ControlSend => {
            let is_woken = bench.stamps.control_sent(bench.now);
            if is_woken {
                bench.timeout()
            } else {
                vec![]
            }
        }
        Event::Keepalive => bench.keepalive(),
        Event::Probe(on, sta, nonce, reports) => {
            let state = [
                ProbeState::Operational,
                ProbeState::Exploring,
                ProbeState::InboundOk,
            ][usize::from(sta)];
            let records = sent.iter().rev().filter_map(|action| match action {
                Action::Probe { pair, nonce, .. } => Some(our_record(*pair, *nonce)),
                _ => None,
            });
            let records: Vec<_> = records.take(if reports { 15 } else { 0 }).collect();
            bench.probe(nth(on), state, nonce, &records)
        }
        Event::Hint(number) => {
            let hint = [Hint::NegativeFeedback, Hint::TcpTimeout, Hint::IcmpError];
            let hint = hint[usize::from(number)];
            bench.step(|reap, step| reap.hint(step, hint))
        }
        Event::Positive => bench.step(|reap, step| reap.positive_feedback(step)),
        Event::Changed(mask, is_wish) => {
            let bit = |bit: u8| mask & (1 << bit) != 0;
            bench.locators.local_mut(A1).is_operational = bit(0);
            bench.locators.local_mut(A2).is_operational = bit(1);
            bench.locators.local_mut(A2).is_acknowledged = bit(2);
            bench.locators.peer_mut(B2).is_verified = bit(3);
            bench.locators.peer_mut(B2).is_wanted = bit(4);
            let preference = |is_broken: bool| Preference {
                flags: PreferenceFlags::new(u8::from(is_broken)),
                ..Preference::default()
            };
            bench.locators.peer_mut(B1).preference = preference(bit(5));
            bench.locators.peer_mut(B2).preference = preference(bit(6));
            bench.step(|reap, step| reap.candidates_changed(step, is_wish))
        }
        Event::Confirmed(number) => bench.confirmed(nth(number)),
        Event::UsePair(number) => bench.step(|reap, step| reap.use_pair(step, nth(number))),
        Event::Stamps([last_sent, last_received, send, keepalive]) => {
            let instant = |time: Option<u64>| time.map(Instant::from_millis);
            let activity = Activity {
                last_sent: instant(last_sent),
                last_received: instant(last_received),
                timers: Timers {
                    send: instant(send),
                    keepalive: instant(keepalive),
                },
            };
            bench.step(|reap, step| {
                step.activity = activity;
                reap.timeout(step)
            })
        }
    }
}

proptest! {
    #![proptest_config(cases(400))]

    /// Whatever comes, and in whatever order: nothing panics, the steps come to an end, Probes go
    /// over pairs that may be used and say the state, there is always a way out of Exploring and
    /// InboundOk, and only Operational can sleep.
    #[test]
    fn one_end_stands_anything(
        constants in constants(),
        delay in prop_oneof![Just(0), Just(300_u32)],
        events in vec((event(), prop_oneof![0..100_u64, 0..100_000_u64]), 1..60),
        seed in any::<u32>(),
    ) {
        prop_assert_eq!(constants.check(), Ok(()));
        let mut bench = Bench::new();
        bench.constants = constants;
        bench.probe_delay = ms(delay);
        bench.random = Counter(seed);
        let mut sent = vec![];

        for (event, time) in &events {
            let before = bench.elapsed();
            bench.set_clock(before + time);
            let was = bench.reap.state();
            let actions = apply(&mut bench, event, &sent);
            let ranking = Ranking::new(&bench.locators, &bench.ulids, None);
            let mut state = was;
            for action in &actions {
                match action {
                    Action::Enter { state: entered, .. } => {
                        prop_assert_ne!(*entered, state);
                        state = *entered;
                    }
                    Action::Probe { pair, state: sta, .. } => {
                        prop_assert_eq!(*sta, state.to_probe());
                        // Over the current pair, whatever it is, only if this end is content.
                        let is_usable = ranking.find(pair).is_some();
                        prop_assert!(is_usable || state == State::Operational);
                    }
                    Action::Switch { pair, .. } | Action::Confirm { pair, .. } => {
                        prop_assert!(ranking.find(pair).is_some());
                    }
                    Action::Keepalive { pair, .. } => {
                        prop_assert_eq!(*pair, bench.reap.pair());
                    }
                    _ => {}
                }
            }
            prop_assert_eq!(state, bench.reap.state());
            sent.extend(actions);
            // The timer that fires in time has its effect.
            bench.timeout();
            if let Some(deadline) = bench.reap.next_deadline() {
                prop_assert!(deadline > bench.now, "{:?}", bench.reap);
            }
        }
    }
}
