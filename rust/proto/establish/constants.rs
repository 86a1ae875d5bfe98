// SPDX-License-Identifier: GPL-2.0

//! The constants of RFC 5533, Section 14, and the choices that it leaves to implementations.

use super::super::time::{
    Instant,
    Interval, //
};

/// Times and limits of context establishment. [`Default`] is what the RFC says; all can be set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Constants {
    /// I1_TIMEOUT: nominal time to the first retransmission of I1.
    pub i1_timeout: Interval,
    /// I1_RETRIES_MAX: retransmissions of I1.
    pub i1_retries_max: u8,
    /// I2_TIMEOUT: nominal time to the first retransmission of I2.
    pub i2_timeout: Interval,
    /// I2_RETRIES_MAX: retransmissions of I2.
    pub i2_retries_max: u8,
    /// I2bis_TIMEOUT: nominal time to the first retransmission of I2bis.
    pub i2bis_timeout: Interval,
    /// I2bis_RETRIES_MAX: retransmissions of I2bis.
    pub i2bis_retries_max: u8,
    /// VALIDATOR_MIN_LIFETIME: age up to which a Responder Validator is accepted.
    pub validator_min_lifetime: Interval,
    /// UPDATE_TIMEOUT: nominal time to the first retransmission of an Update Request.
    pub update_timeout: Interval,
    /// MAX_UPDATE_TIMEOUT: the most nominal time between two of them.
    pub max_update_timeout: Interval,
    /// NO_R1_HOLDDOWN_TIME: how long a peer that did not answer is left alone.
    pub no_r1_holddown: Interval,
    /// ICMP_HOLDDOWN_TIME: how long a peer that does not know Shim6 is left alone.
    pub icmp_holddown: Interval,
    /// How long a context that nobody uses is kept without any packet (RFC 5533, Section 9).
    pub teardown: Interval,
    /// How often I2 or I2bis may be exhausted before the peer counts as one that does not answer.
    /// Without this limit the fall back to I1 (RFC 5533, Section 7.12) would never end.
    pub rounds_max: u8,
    /// Least time between two copies of I2 or I2bis that received packets cause, so that they
    /// cannot be used to make a host send (RFC 5533, Section 12.2, has no limit).
    pub resend_interval: Interval,
    /// Least time between two different Update Requests of a context, so that an address that
    /// comes and goes does not make one of each change.
    pub update_spacing: Interval,
}

impl Constants {
    /// Whether a context may be forgotten at `now` that nobody uses and whose last packet, with
    /// or without a Shim6 header, was at `last` (RFC 5533, Section 9).
    pub fn is_idle(&self, last: Instant, now: Instant) -> bool {
        now.since(last) >= self.teardown
    }
}

impl Default for Constants {
    fn default() -> Self {
        Self {
            i1_timeout: Interval::from_secs(4),
            i1_retries_max: 4,
            i2_timeout: Interval::from_secs(4),
            i2_retries_max: 2,
            i2bis_timeout: Interval::from_secs(4),
            i2bis_retries_max: 2,
            validator_min_lifetime: Interval::from_secs(30),
            update_timeout: Interval::from_secs(4),
            max_update_timeout: Interval::from_secs(120),
            no_r1_holddown: Interval::from_secs(60),
            icmp_holddown: Interval::from_secs(600),
            teardown: Interval::from_secs(300),
            rounds_max: 3,
            resend_interval: Interval::from_millis(500),
            update_spacing: Interval::from_secs(1),
        }
    }
}
