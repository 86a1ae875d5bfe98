// SPDX-License-Identifier: GPL-2.0

//! Points in time and lengths of time, where they end.

use shim6_proto::time::{
    Instant,
    Interval, //
};

const LONGEST: u64 = u32::MAX as u64;

#[test]
fn no_interval_is_longer_than_the_longest() {
    let earlier = Instant::from_millis(7);
    for (millis, expected) in [
        (0, 0),
        (7, 0),
        (8, 1),
        (7 + LONGEST - 1, u32::MAX - 1),
        (7 + LONGEST, u32::MAX),
        (7 + LONGEST + 1, u32::MAX),
        (7 + LONGEST + 5, u32::MAX),
        (u64::MAX, u32::MAX),
    ] {
        let since = Instant::from_millis(millis).since(earlier);
        assert_eq!(since.as_millis(), expected, "{millis}");
    }
}

#[test]
fn nothing_is_later_than_the_last_point_in_time() {
    let last = Instant::from_millis(u64::MAX);
    assert_eq!(last.saturating_add(Interval::from_millis(1)), last);
    let before = Instant::from_millis(u64::MAX - 1);
    assert_eq!(before.saturating_add(Interval::from_millis(1)), last);
    assert_eq!(
        Instant::from_millis(5).saturating_add(Interval::MAX),
        Instant::from_millis(5 + LONGEST)
    );
}

#[test]
fn long_intervals_stay_what_they_are() {
    assert_eq!(Interval::from_secs(4_294_967).as_millis(), 4_294_967_000);
    assert_eq!(Interval::from_secs(4_294_968), Interval::MAX);
    let half = Interval::from_millis(u32::MAX / 2);
    assert_eq!(half.saturating_double().as_millis(), u32::MAX - 1);
    let more = Interval::from_millis(u32::MAX / 2 + 1);
    assert_eq!(more.saturating_double(), Interval::MAX);
}
