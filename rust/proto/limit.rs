// SPDX-License-Identifier: GPL-2.0

//! Limits of rates: how many R1, R1bis and Error messages a host sends to those who need not
//! exist (RFC 5533, Sections 5.14, 7.10, 7.17 and 16).

use super::time::Instant;

/// A rate, and how much may come at once after a time of silence.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limit {
    /// How many in a second; 0 for none beyond the first burst.
    pub per_second: u32,
    /// How many at once; 0 for none ever.
    pub burst: u32,
}

impl Limit {
    /// What one event costs. Millisecond and rate make whole numbers of this unit, so no fraction
    /// is ever lost.
    const EVENT: u64 = 1000;

    /// The size of the bucket.
    fn capacity(self) -> u64 {
        u64::from(self.burst).saturating_mul(Self::EVENT)
    }
}

/// A token bucket. It is full to begin with, and the limit may change while it is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TokenBucket {
    /// What has been taken and not come back, in units of a thousandth of an event.
    debt: u64,
    /// When that was so, in milliseconds.
    at: u64,
}

impl TokenBucket {
    /// A full bucket.
    pub const FULL: Self = Self { debt: 0, at: 0 };

    /// Takes one; false, and nothing taken, if there is none.
    pub fn take(&mut self, limit: Limit, now: Instant) -> bool {
        match self.taken(limit, now) {
            Some(bucket) => {
                *self = bucket;
                true
            }
            None => false,
        }
    }

    /// The bucket after one was taken.
    fn taken(self, limit: Limit, now: Instant) -> Option<Self> {
        let now = now.as_millis().max(self.at);
        let elapsed = now.saturating_sub(self.at);
        let debt = self
            .debt
            .saturating_sub(elapsed.saturating_mul(u64::from(limit.per_second)))
            .saturating_add(Limit::EVENT);

        (debt <= limit.capacity()).then_some(Self { debt, at: now })
    }
}

/// The limits of a [`PeerLimiter`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// For each peer.
    pub peer: Limit,
    /// For all peers together.
    pub host: Limit,
}

/// The defaults: 10 and 100 in a second.
impl Default for Limits {
    fn default() -> Self {
        let of = |rate| Limit {
            per_second: rate,
            burst: rate,
        };
        Self {
            peer: of(10),
            host: of(100),
        }
    }
}

/// Which limit was reached.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Limited {
    /// The one for this peer.
    Peer,
    /// The one for all peers together.
    Host,
}

/// The bucket of the peer that used it last.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// What tells the peer from others that fall into this place.
    owner: u32,
    bucket: TokenBucket,
}

/// A bucket for the host and `N` places for the buckets of peers, however many those are. A peer
/// that falls into the place of another takes it over and begins with a full bucket: so a flood
/// from many senders, who need not exist, does not use up what those are due who do. What all of
/// them get together, the bucket of the host limits.
#[derive(Clone, Debug)]
pub struct PeerLimiter<const N: usize> {
    host: TokenBucket,
    places: [Place; N],
}

impl<const N: usize> PeerLimiter<N> {
    /// A limiter with full buckets.
    pub const fn new() -> Self {
        const { assert!(N > 0, "a limiter needs a bucket") };

        Self {
            host: TokenBucket::FULL,
            places: [Place {
                owner: 0,
                bucket: TokenBucket::FULL,
            }; N],
        }
    }

    /// Takes one from the bucket of the host and from that of a peer, or from none. The hash
    /// should be one of the peer's address that nobody else can foresee, otherwise somebody could
    /// make its bucket full again at will.
    ///
    /// # Errors
    ///
    /// Which limit was reached; that of the peer, if both.
    pub fn take(&mut self, limits: &Limits, hash: u64, now: Instant) -> Result<(), Limited> {
        let place = hash
            .checked_rem(N as u64)
            .and_then(|index| self.places.get_mut(index as usize))
            .ok_or(Limited::Peer)?;
        // The upper half has no part in the choice of the place if N is a power of two.
        let owner = hash.wrapping_shr(32) as u32;
        let bucket = if place.owner == owner {
            place.bucket
        } else {
            TokenBucket::FULL
        };

        let bucket = bucket.taken(limits.peer, now).ok_or(Limited::Peer)?;
        if !self.host.take(limits.host, now) {
            return Err(Limited::Host);
        }
        *place = Place { owner, bucket };
        Ok(())
    }
}

impl<const N: usize> Default for PeerLimiter<N> {
    fn default() -> Self {
        Self::new()
    }
}
