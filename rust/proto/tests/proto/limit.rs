// SPDX-License-Identifier: GPL-2.0

//! Limits of rates, rule by rule.

use proptest::prelude::*;
use shim6_proto::{
    limit::{
        Limit,
        Limited,
        Limits,
        PeerLimiter,
        TokenBucket, //
    },
    time::Instant, //
};

fn limit(per_second: u32, burst: u32) -> Limit {
    Limit { per_second, burst }
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// How many can be taken at a time.
fn take_all(bucket: &mut TokenBucket, limit: Limit, now: u64) -> u32 {
    let mut taken = 0;
    while bucket.take(limit, at(now)) {
        taken += 1;
    }
    taken
}

#[test]
fn burst_at_the_start() {
    for burst in [0, 1, 2, 10, 1000] {
        let mut bucket = TokenBucket::FULL;
        assert_eq!(take_all(&mut bucket, limit(1, burst), 0), burst);
    }
}

#[test]
fn one_comes_back_when_its_time_has_come() {
    let limit = limit(10, 5);
    let mut bucket = TokenBucket::FULL;
    assert_eq!(take_all(&mut bucket, limit, 1_000), 5);
    for i in 1..20 {
        assert!(!bucket.take(limit, at(1_000 + i * 100 - 1)));
        assert!(bucket.take(limit, at(1_000 + i * 100)));
        assert!(!bucket.take(limit, at(1_000 + i * 100)));
    }
}

/// Rates that are no number of milliseconds for one: nothing is lost by asking often, or seldom
/// as long as the bucket does not overflow.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn no_drift() {
    const HOUR: u64 = 3_600_000;
    for rate in [1, 3, 7, 999] {
        for step in [1, 13, 1_001] {
            let limit = limit(rate, 2000);
            let mut bucket = TokenBucket::FULL;
            assert_eq!(take_all(&mut bucket, limit, 0), 2000);

            let last = HOUR - HOUR % step;
            let taken: u32 = (1..=last / step)
                .map(|i| take_all(&mut bucket, limit, i * step))
                .sum();
            assert_eq!(u64::from(taken), last * u64::from(rate) / 1000);
        }
    }
}

#[test]
fn rates_above_one_in_a_millisecond() {
    let limit = limit(2_500, 100_000);
    let mut bucket = TokenBucket::FULL;
    assert_eq!(take_all(&mut bucket, limit, 0), 100_000);
    assert_eq!(take_all(&mut bucket, limit, 1), 2);
    assert_eq!(take_all(&mut bucket, limit, 2), 3);
}

#[test]
fn silence_gives_no_more_than_a_burst() {
    let limit = limit(10, 3);
    for later in [10_000, u64::from(u32::MAX) + 1, u64::MAX] {
        let mut bucket = TokenBucket::FULL;
        take_all(&mut bucket, limit, 0);
        assert_eq!(take_all(&mut bucket, limit, later), 3);
    }
}

#[test]
fn largest_values() {
    let largest = limit(u32::MAX, u32::MAX);
    let mut bucket = TokenBucket::FULL;
    for now in [0, 1, u64::MAX - 1, u64::MAX, u64::MAX] {
        assert!(bucket.take(largest, at(now)));
    }
}

/// A slow rate and a large burst: more than 49 days to fill.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn long_times_count_in_full() {
    let limit = limit(1, 10_000_000);
    let mut bucket = TokenBucket::FULL;
    assert_eq!(take_all(&mut bucket, limit, 0), 10_000_000);
    let days = 86_400_000;
    assert_eq!(take_all(&mut bucket, limit, 100 * days), 8_640_000);
}

#[test]
fn rate_of_zero() {
    let limit = limit(0, 2);
    let mut bucket = TokenBucket::FULL;
    assert_eq!(take_all(&mut bucket, limit, 0), 2);
    assert_eq!(take_all(&mut bucket, limit, u64::MAX), 0);
}

/// A clock that is read on two processors may seem to go back.
#[test]
fn time_that_goes_back() {
    let limit = limit(10, 2);
    let mut bucket = TokenBucket::FULL;
    assert!(bucket.take(limit, at(1_000)));
    assert!(bucket.take(limit, at(900)));
    assert!(!bucket.take(limit, at(950)));
    assert!(!bucket.take(limit, at(1_099)));
    assert!(bucket.take(limit, at(1_100)));
}

#[test]
fn limit_that_changes() {
    let mut bucket = TokenBucket::FULL;
    assert_eq!(take_all(&mut bucket, limit(10, 10), 0), 10);
    assert_eq!(take_all(&mut bucket, limit(10, 15), 0), 5);
    assert_eq!(take_all(&mut bucket, limit(10, 2), 0), 0);
    // 15 are missing, 1.4 seconds bring 14 back: room for one of two.
    assert_eq!(take_all(&mut bucket, limit(10, 2), 1_400), 1);
    assert_eq!(take_all(&mut bucket, limit(0, 0), 5_000), 0);
}

// Peers and host.

const LIMITS: Limits = Limits {
    peer: Limit {
        per_second: 1,
        burst: 2,
    },
    host: Limit {
        per_second: 1,
        burst: 5,
    },
};

#[test]
fn peers_have_limits_of_their_own() {
    let mut limiter = PeerLimiter::<8>::new();
    for peer in [0, 1] {
        assert_eq!(limiter.take(&LIMITS, peer, at(0)), Ok(()));
        assert_eq!(limiter.take(&LIMITS, peer, at(0)), Ok(()));
        assert_eq!(limiter.take(&LIMITS, peer, at(0)), Err(Limited::Peer));
    }
}

#[test]
fn host_has_a_limit_for_all() {
    let mut limiter = PeerLimiter::<8>::new();
    for peer in 0..5 {
        assert_eq!(limiter.take(&LIMITS, peer, at(0)), Ok(()));
    }
    assert_eq!(limiter.take(&LIMITS, 5, at(0)), Err(Limited::Host));
}

/// A peer that is refused takes nothing from the others.
#[test]
fn flood_of_one_peer() {
    let mut limiter = PeerLimiter::<8>::new();
    let flood = (0..1000).filter(|_| limiter.take(&LIMITS, 3, at(0)).is_ok());
    assert_eq!(flood.count(), 2);
    for peer in [4, 5, 6] {
        assert_eq!(limiter.take(&LIMITS, peer, at(0)), Ok(()));
    }
    assert_eq!(limiter.take(&LIMITS, 7, at(0)), Err(Limited::Host));
}

/// What the host refuses does not count for the peer.
#[test]
fn refusal_by_the_host() {
    let mut limiter = PeerLimiter::<8>::new();
    for peer in 0..5 {
        limiter.take(&LIMITS, peer, at(0)).unwrap();
    }
    for _ in 0..10 {
        assert_eq!(limiter.take(&LIMITS, 7, at(0)), Err(Limited::Host));
    }
    // Two seconds later there is room for two, and peer 7 still has its burst.
    assert_eq!(limiter.take(&LIMITS, 7, at(2_000)), Ok(()));
    assert_eq!(limiter.take(&LIMITS, 7, at(2_000)), Ok(()));
    assert_eq!(limiter.take(&LIMITS, 7, at(2_000)), Err(Limited::Peer));
}

#[test]
fn a_peer_takes_over_the_place_of_another() {
    let limits = Limits {
        peer: limit(1, 1),
        host: limit(1000, 1000),
    };
    let mut limiter = PeerLimiter::<8>::new();
    let (one, other) = ((1 << 32) | 3, (2 << 32) | 11);

    assert_eq!(limiter.take(&limits, one, at(0)), Ok(()));
    assert_eq!(limiter.take(&limits, one, at(1)), Err(Limited::Peer));
    // The same place, another peer: its bucket is full.
    assert_eq!(limiter.take(&limits, other, at(2)), Ok(()));
    assert_eq!(limiter.take(&limits, other, at(3)), Err(Limited::Peer));
    // Another place of the first peer's neighbours is not touched by that.
    assert_eq!(limiter.take(&limits, (1 << 32) | 4, at(4)), Ok(()));
}

#[test]
fn default_limits() {
    let mut limiter = PeerLimiter::<256>::new();
    let mut count = |peers: std::ops::Range<u64>, now| {
        let all = peers.flat_map(|peer| [peer; 20]);
        all.filter(|peer| limiter.take(&Limits::default(), *peer, at(now)).is_ok())
            .count()
    };
    assert_eq!(count(0..1, 0), 10);
    assert_eq!(count(1..256, 0), 90);
    assert_eq!(count(0..1, 1_000), 10);
    assert_eq!(count(0..256, 2_000), 100);
}

proptest! {
    /// One more is refused if and only if it would be too much for some time that ends now.
    #[test]
    fn every_time_has_its_limit(
        rate in 0_u32..2_000,
        burst in 0_u32..20,
        pauses in prop::collection::vec(0_u64..300, 1..200),
    ) {
        let limit = limit(rate, burst);
        let mut bucket = TokenBucket::FULL;
        let mut taken: Vec<u64> = Vec::new();
        let mut now = 0;

        for pause in pauses {
            now += pause;
            let most = |since: u64| {
                u64::from(burst) * 1000 + (now - since) * u64::from(rate)
            };
            let fits = burst > 0 && taken.iter().enumerate().all(|(i, since)| {
                (taken.len() - i + 1) as u64 * 1000 <= most(*since)
            });
            prop_assert_eq!(bucket.take(limit, at(now)), fits);
            if fits {
                taken.push(now);
            }
        }
    }
}
