// SPDX-License-Identifier: GPL-2.0

//! The retransmission timer: binary exponential backoff with randomized intervals (RFC 5533,
//! Sections 7.8 and 14).

use super::super::{
    random::Random,
    time::{
        Instant,
        Interval, //
    }, //
};

/// When the outstanding message is to be sent again, and how often that has been done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Timer {
    /// When the timer expires; [`None`] while it does not run.
    pub(super) deadline: Option<Instant>,
    /// The interval that led to the deadline, before it was randomized.
    nominal: Interval,
    /// Retransmissions done.
    pub(super) retransmissions: u8,
}

impl Timer {
    /// A timer that does not run.
    pub(super) const STOPPED: Self = Self {
        deadline: None,
        nominal: Interval::from_millis(0),
        retransmissions: 0,
    };

    /// A timer for a message that is sent for the first time.
    pub(super) fn start(now: Instant, nominal: Interval, random: &mut impl Random) -> Self {
        Self {
            deadline: Some(now.saturating_add(randomized(nominal, random))),
            nominal,
            retransmissions: 0,
        }
    }

    /// The timer after one more retransmission: the nominal interval doubles, up to `max`.
    pub(super) fn again(self, now: Instant, max: Interval, random: &mut impl Random) -> Self {
        let nominal = self.nominal.saturating_double().min(max);

        Self {
            retransmissions: self.retransmissions.saturating_add(1),
            ..Self::start(now, nominal, random)
        }
    }
}

/// `nominal` times a number that is uniform in [0.5, 1.5). At least a millisecond, so that no
/// setting makes a timer that expires at once, again and again.
fn randomized(nominal: Interval, random: &mut impl Random) -> Interval {
    // In units of 2^-32: 0.5 and up to 1 more. The product needs 32 + 33 bits at most, and
    // 0xffff_ffff * 1.5 is what has to be cut to an interval.
    let factor = u64::from(random.u32()).saturating_add(1 << 31);
    let millis = u128::from(nominal.as_millis()).saturating_mul(u128::from(factor)) >> 32;

    Interval::from_millis(u32::try_from(millis).unwrap_or(u32::MAX).max(1))
}
