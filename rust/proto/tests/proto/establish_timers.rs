// SPDX-License-Identifier: GPL-2.0

//! Retransmission: when, how often, what then, and the jitter (RFC 5533, Sections 7.8, 7.12, 7.19
//! and 14).

use shim6_proto::{
    establish::{
        Action,
        Machine,
        State,
        Step, //
    },
    random::Random,
    time::Interval, //
};

use crate::establish_support::*;

/// The state and the milliseconds at each of the next `number` deadlines.
fn schedule(bench: &mut Bench, number: usize) -> Vec<(u64, State, Action<'static>)> {
    let start = bench.elapsed();
    (0..number)
        .map(|_| {
            let actions = bench.expire();
            let [action] = actions[..] else {
                panic!("{actions:?}");
            };
            (bench.elapsed() - start, bench.state(), action)
        })
        .collect()
}

/// Only the times.
fn times(schedule: &[(u64, State, Action<'static>)]) -> Vec<u64> {
    schedule.iter().map(|(at, _, _)| *at).collect()
}

#[test]
fn i1_is_sent_five_times_in_124_seconds() {
    let mut bench = Bench::in_state(State::I1Sent);
    let schedule = schedule(&mut bench, 5);

    assert_eq!(times(&schedule), [4_000, 12_000, 28_000, 60_000, 124_000]);
    for (_, state, action) in &schedule[..4] {
        assert_eq!((*state, *action), (State::I1Sent, RESENT));
    }
    assert_eq!(schedule[4].1, State::EFailed);
    assert_eq!(bench.machine().next_deadline(), None);
}

#[test]
fn i2_and_i2bis_are_sent_three_times_in_28_seconds() {
    for state in [State::I2Sent, State::I2bisSent] {
        let mut bench = Bench::in_state(state);
        assert_eq!(times(&schedule(&mut bench, 2)), [4_000, 12_000]);
        bench.expire();
        assert_eq!(bench.elapsed(), 28_000);
        assert_eq!(bench.state(), State::I1Sent);
    }
}

#[test]
fn update_request_is_sent_for_ever() {
    let mut bench = Bench::in_state(State::Established);
    bench.announce();
    let schedule = schedule(&mut bench, 300);

    let first = [4, 12, 28, 60, 124, 244, 364, 484].map(|secs| secs * 1000);
    assert_eq!(times(&schedule)[..8], first);
    let (last, state, action) = schedule[299];
    assert_eq!(last, (364 + 293 * 120) * 1000);
    assert_eq!((state, action), (State::Established, Action::ResendUpdate));
}

#[test]
fn intervals_can_be_set() {
    let mut bench = Bench::idle();
    bench.constants.i1_timeout = Interval::from_millis(10);
    bench.constants.i1_retries_max = 1;
    bench.constants.no_r1_holddown = Interval::from_millis(5);
    bench.initiate();

    assert_eq!(times(&schedule(&mut bench, 1)), [10]);
    assert_eq!(bench.expire().len(), 1);
    assert_eq!((bench.elapsed(), bench.state()), (30, State::EFailed));
}

/// A timer of no length would expire again and again without time passing.
#[test]
fn no_interval_is_zero() {
    let mut bench = Bench::idle();
    bench.constants.i1_timeout = Interval::from_millis(0);
    bench.initiate();
    assert_eq!(times(&schedule(&mut bench, 4)), [1, 2, 3, 4]);
}

#[test]
fn nothing_happens_before_the_deadline() {
    for state in [State::I1Sent, State::I2Sent, State::I2bisSent] {
        let mut bench = Bench::in_state(state);
        let before = bench.machine;
        bench.wait(Interval::from_millis(3_999));
        assert_eq!(bench.timeout(), []);
        assert_eq!(bench.machine, before);
        bench.wait(Interval::from_millis(1));
        assert_eq!(bench.timeout(), [RESENT]);
    }
}

/// A late timer counts from when it was served, not from when it expired.
#[test]
fn the_next_interval_begins_when_the_message_was_sent() {
    let mut bench = Bench::in_state(State::I1Sent);
    bench.wait(Interval::from_secs(9));
    assert_eq!(bench.timeout(), [RESENT]);
    bench.expire();
    assert_eq!(bench.elapsed(), 17_000);
}

/// The same number for ever.
struct Constant(u32);

impl Random for Constant {
    fn u32(&mut self) -> u32 {
        self.0
    }

    fn u64(&mut self) -> u64 {
        u64::from(self.0)
    }
}

/// Milliseconds until I1 is sent for the second and third time.
fn first_intervals(bench: &Bench, random: u32) -> [u64; 2] {
    let mut step = Step {
        constants: &bench.constants,
        identity: &IDENTITY,
        now: bench.now,
        random: &mut Constant(random),
    };
    let (mut machine, _) = Machine::initiate(&mut step, LOCAL, ULIDS);
    [(); 2].map(|()| {
        let deadline = machine.next_deadline().expect("a deadline");
        let interval = deadline.as_millis() - step.now.as_millis();
        step.now = deadline;
        assert_eq!(machine.timeout(&mut step).len(), 1);
        interval
    })
}

/// The factor is applied to the nominal interval, not to the one that was used before.
#[test]
fn jitter_is_from_half_to_one_and_a_half() {
    let bench = Bench::idle();
    assert_eq!(first_intervals(&bench, 0), [2_000, 4_000]);
    assert_eq!(first_intervals(&bench, 0x4000_0000), [3_000, 6_000]);
    assert_eq!(first_intervals(&bench, 0x8000_0000), [4_000, 8_000]);
    assert_eq!(first_intervals(&bench, u32::MAX), [5_999, 11_999]);
}

/// Exhausting I2 leads back to I1 until that was done three times.
#[test]
fn rounds_are_counted() {
    let mut bench = Bench::in_state(State::I2Sent);
    for round in 1..=3 {
        assert_eq!(schedule(&mut bench, 2)[1].1, State::I2Sent);
        bench.expire();
        if round < 3 {
            let (nonce, pair) = bench.machine().outstanding().expect("I1");
            assert_eq!((bench.state(), pair), (State::I1Sent, ULIDS));
            bench.receive(&r1(nonce), ON_ULIDS);
            assert_eq!(bench.state(), State::I2Sent);
        }
    }
    assert_eq!(bench.state(), State::EFailed);
    assert_eq!(bench.elapsed(), 3 * 28_000);
}

/// The count of retransmissions begins anew with each message, that of rounds when established.
#[test]
fn counts_begin_anew() {
    let mut bench = Bench::in_state(State::I1Sent);
    schedule(&mut bench, 3);
    assert_eq!(bench.machine().retransmissions(), 3);
    bench.receive(&r1(drawn(0)), ON_ULIDS);
    assert_eq!(bench.machine().retransmissions(), 0);

    for _ in 0..5 {
        (0..3).for_each(|_| drop(bench.expire()));
        assert_eq!(bench.state(), State::I1Sent, "one round");
        let (nonce, _) = bench.machine().outstanding().expect("I1");
        bench.receive(&r2(PEER, nonce, BOTH), ON_ULIDS);
        assert_eq!(bench.state(), State::Established);
        bench.receive(&r1bis(PEER), ON_ULIDS);
        assert_eq!(bench.state(), State::I2bisSent);
    }
}

/// Packets that need the context cause a repetition at most every 500 ms, counted from the last
/// time the message was sent for whatever reason. The timer does not notice.
#[test]
fn repetitions_are_limited() {
    for state in [State::I2Sent, State::I2bisSent] {
        let mut bench = Bench::in_state(state);
        let deadline = bench.machine().next_deadline();
        let mut sent = vec![];
        for _ in 0..40 {
            if bench.payload() == [RESENT] {
                sent.push(bench.elapsed());
            }
            bench.wait(Interval::from_millis(90));
        }
        assert_eq!(sent, [540, 1080, 1620, 2160, 2700, 3240], "{state:?}");
        assert_eq!(bench.machine().next_deadline(), deadline);
        assert_eq!(bench.machine().retransmissions(), 0);

        assert_eq!(bench.expire(), [RESENT]);
        assert_eq!(bench.payload(), []);
        bench.wait(Interval::from_millis(499));
        assert_eq!(bench.payload(), []);
        bench.wait(Interval::from_millis(1));
        assert_eq!(bench.payload(), [RESENT]);
    }
}

#[test]
fn instants_and_intervals_do_not_overflow() {
    use shim6_proto::time::Instant;

    let last = Instant::from_millis(u64::MAX);
    assert_eq!(last.saturating_add(Interval::from_secs(1)), last);
    assert_eq!(last.since(Instant::from_millis(0)), Interval::MAX);
    assert_eq!(Instant::from_millis(0).since(last).as_millis(), 0);
    assert_eq!(Interval::from_secs(u32::MAX), Interval::MAX);
    assert_eq!(Interval::MAX.saturating_double(), Interval::MAX);
    assert_eq!(Interval::from_secs(2), Interval::from_millis(2_000));
}
