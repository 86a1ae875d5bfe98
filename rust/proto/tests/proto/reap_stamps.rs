// SPDX-License-Identifier: GPL-2.0

//! What the data path and the worker agree on.

use std::{
    sync::{
        atomic::{
            AtomicBool,
            AtomicU64,
            Ordering::SeqCst, //
        },
        Barrier,
        PoisonError,
        RwLock, //
    },
    thread,
    time::Instant, //
};

use shim6_proto::{
    reap::{
        Constants,
        GracePeriod,
        Invalid,
        Settled,
        Stamps,
        Timers,
        Wake, //
    },
    time::{
        self,
        Interval, //
    },
    wire::option::KeepaliveTimeout, //
};

use crate::reap_support::*;

const fn at(millis: u64) -> time::Instant {
    time::Instant::from_millis(millis)
}

const STOPPED: Timers = Timers {
    send: None,
    keepalive: None,
};

/// The first packet of an idle context wakes the worker, once.
#[test]
fn the_first_packet_wakes() {
    for first in [Stamps::sent, Stamps::received] {
        let stamps = Stamps::new();
        assert!(first(&stamps, at(5)));
        assert!(!stamps.sent(at(6)));
        assert!(!stamps.received(at(6)));
    }
}

/// What is wanted wakes, the other does not, and a flow that goes on does not either.
#[test]
fn only_what_is_wanted_wakes() {
    let asleep = |wake| {
        let stamps = Stamps::default();
        assert_eq!(
            settle(&stamps, &stamps.read(), STOPPED, wake),
            Settled::Done
        );
        stamps
    };
    assert!(asleep(Wake::Any).sent(at(1)));
    assert!(asleep(Wake::Any).received(at(1)));
    assert!(!asleep(Wake::Received).sent(at(1)));
    assert!(asleep(Wake::Received).received(at(1)));
    assert!(!asleep(Wake::Never).sent(at(1)));
    assert!(!asleep(Wake::Never).received(at(1)));
    // A packet that is sent does not take the flag away that waits for one that is received.
    let stamps = asleep(Wake::Received);
    assert!(!stamps.sent(at(1)));
    assert!(stamps.received(at(1)));
}

/// The timers run since the first packet in a direction after the last in the other.
#[test]
fn timers() {
    let stamps = Stamps::new();
    let run = |stamps: &Stamps| stamps.read().timers;
    assert_eq!(run(&stamps), STOPPED);
    let _ = stamps.sent(at(10));
    let _ = stamps.sent(at(20));
    let send = Timers {
        send: Some(at(10)),
        keepalive: None,
    };
    assert_eq!(run(&stamps), send);
    let _ = stamps.received(at(30));
    let _ = stamps.received(at(40));
    let keepalive = Timers {
        send: None,
        keepalive: Some(at(30)),
    };
    assert_eq!(run(&stamps), keepalive);
    let activity = stamps.read();
    assert_eq!(
        (activity.last_sent, activity.last_received),
        (Some(at(20)), Some(at(40)))
    );
    // Control messages move the timers, but are no use.
    let _ = stamps.control_sent(at(50));
    let activity = stamps.read();
    assert_eq!(
        (activity.last_sent, activity.last_received),
        (Some(at(20)), Some(at(40)))
    );
    assert_eq!(activity.timers.send, Some(at(50)));
    let _ = stamps.control_received(at(60));
    assert_eq!(run(&stamps).keepalive, Some(at(60)));
}

/// What comes over another pair does not say that the current one works.
#[test]
fn what_is_heard_elsewhere() {
    let stamps = Stamps::new();
    assert_eq!(
        settle(&stamps, &stamps.read(), STOPPED, Wake::Any),
        Settled::Done
    );
    // The peer's timer runs since it sent that, so it is owed a Keepalive.
    assert!(stamps.control_received_elsewhere(at(10)));
    assert_eq!(stamps.read().timers.keepalive, Some(at(10)));

    let _ = stamps.sent(at(20));
    assert!(!stamps.control_received_elsewhere(at(30)));
    let send = Timers {
        send: Some(at(20)),
        keepalive: None,
    };
    assert_eq!(stamps.read().timers, send);
}

/// The worker moves timers, but not one that a packet has moved meanwhile.
#[test]
fn the_worker_moves_timers() {
    let stamps = Stamps::new();
    let _ = stamps.sent(at(10));
    let before = stamps.read();
    assert_eq!(
        settle(&stamps, &before, STOPPED, Wake::Never),
        Settled::Done
    );
    assert_eq!(stamps.read().timers, STOPPED);

    let _ = stamps.sent(at(20));
    let before = stamps.read();
    let _ = stamps.received(at(30));
    let restarted = Timers {
        send: Some(at(25)),
        keepalive: None,
    };
    assert_eq!(
        settle(&stamps, &before, restarted, Wake::Never),
        Settled::Done
    );
    assert_eq!(stamps.read().timers.keepalive, Some(at(30)));
    assert_eq!(stamps.read().timers.send, None);
}

/// A timer that the worker leaves running is no news to it.
#[test]
fn a_timer_that_goes_on() {
    let stamps = Stamps::new();
    let _ = stamps.received(at(5));
    let before = stamps.read();
    for wake in [Wake::Never, Wake::Received, Wake::Any] {
        let settled = settle(&stamps, &before, before.timers, wake);
        assert_eq!(settled, Settled::Done, "{wake:?}");
    }
}

/// Who runs while no packet is under way goes to sleep at once.
#[test]
fn without_packets_under_way_there_is_nothing_to_wait_for() {
    let stamps = Stamps::new();
    for wake in [Wake::Never, Wake::Received, Wake::Any] {
        let before = stamps.read();
        let settled = settle(&stamps, &before, STOPPED, wake);
        assert_eq!(settled, Settled::Done, "{wake:?}");
    }
}

/// A packet that comes while the worker is about to sleep is not missed.
#[test]
fn a_packet_before_sleep() {
    let stamps = Stamps::new();
    let _ = stamps.sent(at(1));
    for wake in [Wake::Any, Wake::Received] {
        let before = stamps.read();
        assert_eq!(
            settle(&stamps, &before, STOPPED, Wake::Never),
            Settled::Done
        );
        let before = stamps.read();
        assert!(!stamps.received(at(10)));
        assert_eq!(settle(&stamps, &before, STOPPED, wake), Settled::Again);
        // It has been told: the flag is gone.
        assert!(!stamps.sent(at(11)));
    }
}

/// Sleep is sure when the grace period is over that began when the flag was raised, and not before.
#[test]
fn sleep_that_is_sure() {
    static IS_OVER: AtomicBool = AtomicBool::new(false);

    struct Period;

    impl GracePeriod for Period {
        fn begin() -> Self {
            IS_OVER.store(false, SeqCst);
            Self
        }

        fn is_over(&self) -> bool {
            IS_OVER.load(SeqCst)
        }
    }

    for wake in [Wake::Any, Wake::Received] {
        let (stamps, mut grace) = (Stamps::new(), None::<Period>);
        let _ = stamps.sent(at(1));
        let mut settle = |stamps: &Stamps, wake| {
            let before = stamps.read();
            stamps.settle(&before, STOPPED, wake, &mut grace)
        };
        assert_eq!(settle(&stamps, Wake::Never), Settled::Done);
        assert_eq!(settle(&stamps, wake), Settled::Later);
        assert_eq!(settle(&stamps, wake), Settled::Later);
        IS_OVER.store(true, SeqCst);
        assert_eq!(settle(&stamps, wake), Settled::Done);
        // Nothing was lowered meanwhile.
        assert_eq!(settle(&stamps, wake), Settled::Done);
        assert!(stamps.received(at(2)));
        // The flag was taken, so it is raised anew.
        assert_eq!(settle(&stamps, wake), Settled::Later);
    }
}

/// Two threads, one of which sends packets and one of which sleeps as often as it can: no packet
/// of an idle context is ever left without the worker being told.
#[test]
fn no_wake_is_lost() {
    const PACKETS: u64 = if cfg!(miri) { 20 } else { 20_000 };
    // Seconds, far more than a scheduler takes to let the other thread run.
    const PATIENCE: u64 = if cfg!(miri) { 2 } else { 60 };
    let stamps = Stamps::new();
    let barrier = Barrier::new(2);
    let (woken, handled) = (AtomicU64::new(0), AtomicU64::new(0));
    let is_over = AtomicBool::new(false);

    /// Whoever handles a packet holds this for reading.
    static UNDER_WAY: RwLock<()> = RwLock::new(());

    struct Period;

    impl GracePeriod for Period {
        fn begin() -> Self {
            Self
        }

        fn is_over(&self) -> bool {
            UNDER_WAY.try_write().is_ok()
        }
    }

    thread::scope(|scope| {
        scope.spawn(|| {
            barrier.wait();
            for packet in 1..=PACKETS {
                let reader = UNDER_WAY.read().unwrap_or_else(PoisonError::into_inner);
                let wakes = stamps.sent(at(packet));
                drop(reader);
                if wakes {
                    woken.fetch_add(1, SeqCst);
                }
                // The next one when the worker is done with this one.
                while handled.load(SeqCst) < packet && !is_over.load(SeqCst) {
                    thread::yield_now();
                }
            }
            is_over.store(true, SeqCst);
        });
        barrier.wait();
        let mut told = 0;
        let mut grace = None::<Period>;
        let mut last = Instant::now();
        while !is_over.load(SeqCst) {
            // As the worker: it runs if it is told, and before it sleeps it looks once more, when the
            // grace period is over.
            let number = woken.load(SeqCst);
            let mut again = number > told;
            told = number;
            while again {
                last = Instant::now();
                let before = stamps.read();
                if let Some(seen) = before.timers.send {
                    let settled = stamps.settle(&before, STOPPED, Wake::Never, &mut grace);
                    assert_eq!(settled, Settled::Done);
                    handled.store(seen.as_millis(), SeqCst);
                } else {
                    // Meanwhile the next packet may be sent.
                    let settled = stamps.settle(&before, STOPPED, Wake::Any, &mut grace);
                    again = settled != Settled::Done;
                }
            }
            if last.elapsed().as_secs() > PATIENCE {
                is_over.store(true, SeqCst);
            }
            thread::yield_now();
        }
    });
    assert_eq!(handled.load(SeqCst), PACKETS, "a packet was missed");
}

/// Two CPUs can leave both timers running. Then the one that was started last is meant.
#[test]
fn both_timers() {
    let deadline = |send: u64, keepalive: u64| {
        let mut bench = Bench::new();
        let activity = shim6_proto::reap::Activity {
            timers: Timers {
                send: Some(at(START.as_millis() + send)),
                keepalive: Some(at(START.as_millis() + keepalive)),
            },
            ..Default::default()
        };
        bench.set_clock(100);
        let mut step = shim6_proto::reap::Step {
            constants: &bench.constants,
            ulids: &bench.ulids,
            now: bench.now,
            random: &mut bench.random,
            candidates: &bench.locators,
            activity,
            probe_delay: ms(0),
        };
        bench.reap.timeout(&mut step);
        let timers = bench.reap.timers();
        (timers.send.is_some(), timers.keepalive.is_some())
    };
    assert_eq!(deadline(1, 2), (false, true));
    assert_eq!(deadline(2, 1), (true, false));
    assert_eq!(deadline(2, 2), (false, true));
}

#[test]
fn default_constants_are_those_of_the_rfc() {
    let constants = Constants::default();
    assert_eq!(constants.check(), Ok(()));
    assert_eq!(constants.initial_probe_timeout, ms(500));
    assert_eq!(constants.initial_probes, 4);
    assert_eq!(constants.backoff, 2);
    assert_eq!(constants.max_probe_timeout, ms(60_000));
    assert_eq!(constants.send_timeout, ms(15_000));
    assert_eq!(constants.keepalive_timeout, ms(15_000));
    assert_eq!(constants.keepalive_interval, None);
    assert!(!constants.hot_standby);
}

#[test]
fn constants_are_checked() {
    type Spoil = fn(&mut Constants);
    let spoils: [(Spoil, Invalid); 16] = [
        (
            |c| c.initial_probe_timeout = ms(9),
            Invalid::Time("Initial Probe Timeout"),
        ),
        (
            |c| c.max_probe_timeout = ms(86_400_001),
            Invalid::Time("Max Probe Timeout"),
        ),
        (|c| c.send_timeout = ms(0), Invalid::Time("Send Timeout")),
        (
            |c| c.keepalive_timeout = ms(9),
            Invalid::Time("Keepalive Timeout"),
        ),
        (
            |c| c.keepalive_interval = Some(ms(9)),
            Invalid::Time("Keepalive Interval"),
        ),
        (
            |c| c.retain = ms(0),
            Invalid::Time("the time that probes are remembered"),
        ),
        (
            |c| c.standby_interval = ms(0),
            Invalid::Time("the interval of a standby"),
        ),
        (
            |c| c.confirm_timeout = ms(0),
            Invalid::Time("the time to confirm a pair"),
        ),
        (
            |c| c.failback_hold_max = Interval::MAX,
            Invalid::Time("the hold before going back"),
        ),
        (|c| c.initial_probes = 0, Invalid::InitialProbes),
        (|c| c.backoff = 1, Invalid::Backoff),
        (
            |c| c.initial_probe_timeout = ms(61_000),
            Invalid::MaxProbeTimeout,
        ),
        (
            |c| c.keepalive_interval = Some(ms(7_501)),
            Invalid::KeepaliveInterval,
        ),
        (|c| c.answers_per_second = 0, Invalid::Answers),
        (|c| c.confirm_tries = 9, Invalid::ConfirmTries),
        (
            |c| c.failback_hold_max = ms(59_999),
            Invalid::FailbackHoldMax,
        ),
    ];
    let mut said = std::collections::BTreeSet::new();
    for (spoil, invalid) in spoils {
        let mut constants = Constants::default();
        spoil(&mut constants);
        assert_eq!(constants.check(), Err(invalid));
        assert!(said.insert(invalid.to_string()), "{invalid}");
    }
    let constants = Constants {
        keepalive_interval: Some(ms(7_500)),
        failback_hold: ms(0),
        failback_hold_max: ms(0),
        ..Constants::default()
    };
    assert_eq!(constants.check(), Ok(()));
}

/// Going back may wait for a day, and for no time at all.
#[test]
fn the_longest_hold() {
    let day = ms(86_400_000);
    let more = ms(86_400_001);
    let too_long = Err(Invalid::Time("the hold before going back"));
    for (failback_hold, failback_hold_max, expected) in [
        (day, day, Ok(())),
        (more, more, too_long),
        (more, ms(0), too_long),
        (ms(0), more, too_long),
    ] {
        let constants = Constants {
            failback_hold,
            failback_hold_max,
            ..Constants::default()
        };
        assert_eq!(constants.check(), expected, "{constants:?}");
    }
}

/// A Send Timeout that is not the default is told, in seconds that are not too few (RFC 5534,
/// Section 5.3, scenario S31).
#[test]
fn the_timeout_that_is_told() {
    let told = |send_timeout| {
        let constants = Constants {
            send_timeout,
            ..Constants::default()
        };
        constants.timeout_to_tell().map(KeepaliveTimeout::seconds)
    };
    assert_eq!(told(ms(15_000)), None);
    assert_eq!(told(ms(20_000)), Some(20));
    assert_eq!(told(ms(1_000)), Some(1));
    assert_eq!(told(ms(1_001)), Some(2));
    assert_eq!(told(ms(10)), Some(1));
    assert_eq!(told(ms(86_400_000)), Some(u16::MAX));

    assert_eq!(Constants::keepalive_timeout_of(None), ms(15_000));
    let option = KeepaliveTimeout::new(20);
    assert_eq!(Constants::keepalive_timeout_of(option), ms(20_000));
}

/// Keepalives follow the timeout that the peer asked for, or the interval that was set, also if
/// that changes while the timer runs (scenario S31).
#[test]
fn keepalives_follow_settings() {
    let first = |bench: &mut Bench| bench.run_until(100_000)[0].0;
    let mut bench = Bench::new();
    bench.constants.keepalive_timeout = ms(20_000);
    bench.receive();
    assert!((5_333..=6_667).contains(&first(&mut bench)));

    let mut bench = Bench::new();
    bench.constants.keepalive_interval = Some(ms(7_000));
    bench.receive();
    assert!((5_600..=7_000).contains(&first(&mut bench)));

    let mut bench = Bench::new();
    bench.receive();
    bench.constants.keepalive_timeout = ms(3_000);
    bench.timeout();
    assert!((800..=1_000).contains(&first(&mut bench)));
}

/// Keepalives can be suppressed (scenario S32), and are sent again when they are not any more.
#[test]
fn keepalives_can_be_suppressed() {
    let mut bench = Bench::new();
    bench.constants.suppress_keepalives = true;
    bench.receive();
    assert_eq!(bench.run_until(100_000), []);

    bench.constants.suppress_keepalives = false;
    bench.receive();
    assert!(!bench.run_until(200_000).is_empty());
}
