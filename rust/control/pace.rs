// SPDX-License-Identifier: GPL-2.0

//! When Probes go of explorations that begin together: a lost uplink makes all contexts explore that
//! used it, and each would send its first Probe at once. Exponential back-off (RFC 5534, Section 4.3)
//! spreads those that follow; the first ones are spread here.

use crate::proto::time::{
    Instant,
    Interval, //
};
use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};

/// Explorations that begin in a millisecond and probe at once: more wait for a later one.
const PER_MILLISECOND: u64 = 20;

/// The place of the next first Probe, of which each millisecond has so many. The worker only.
pub(super) struct Pace(AtomicU64);

impl Pace {
    /// Nobody explores.
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// How long the first Probe of an exploration has to wait that begins now.
    pub(super) fn delay(&self, now: Instant) -> Interval {
        let place = Instant::from_millis(self.0.load(Ordering::Relaxed) / PER_MILLISECOND);
        place.since(now)
    }

    /// An exploration began, with that delay.
    pub(super) fn began(&self, now: Instant) {
        let first = now.as_millis().saturating_mul(PER_MILLISECOND);
        let place = self.0.load(Ordering::Relaxed).max(first);
        self.0.store(place.saturating_add(1), Ordering::Relaxed);
    }
}
