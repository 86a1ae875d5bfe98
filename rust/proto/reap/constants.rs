// SPDX-License-Identifier: GPL-2.0

//! The constants and variables of RFC 5534, Section 7, the choices that it leaves to
//! implementations, and how intervals are randomized (RFC 5534, Section 4.1).

use core::fmt;

use super::super::{
    random::Random,
    time::Interval,
    wire::option::KeepaliveTimeout, //
};

/// Times and limits of REAP. [`Default`] is what the RFC says; all can be set, for a namespace and
/// for a context. [`check`](Self::check) says whether they make sense together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Constants {
    /// Initial Probe Timeout: nominal time between the initial probes.
    pub initial_probe_timeout: Interval,
    /// Number of Initial Probes, after which the time between probes begins to grow.
    pub initial_probes: u8,
    /// By what the time between probes grows. The RFC says "typically" 2.
    pub backoff: u8,
    /// Max Probe Timeout: the most nominal time between probes.
    pub max_probe_timeout: Interval,
    /// Send Timeout: how long payload may be sent without anything coming back.
    pub send_timeout: Interval,
    /// Keepalive Timeout: the peer's Send Timeout, from its Keepalive Timeout option if it sent
    /// one.
    pub keepalive_timeout: Interval,
    /// Keepalive Interval; [`None`] for a third of the Keepalive Timeout.
    pub keepalive_interval: Option<Interval>,
    /// Whether no Keepalives are sent: the upper layer knows better when to give up.
    pub suppress_keepalives: bool,
    /// How long probes are remembered after an exploration, for reports that are late.
    pub retain: Interval,
    /// Probes sent in answer to received ones, per second; [`UNLIMITED`](Self::UNLIMITED) for as
    /// many as there are.
    pub answers_per_second: u8,
    /// Whether a second pair is kept confirmed.
    pub hot_standby: bool,
    /// How often that is done, while the context is in use.
    pub standby_interval: Interval,
    /// Time for the first answer to a request that confirms a pair; it doubles with each try.
    pub confirm_timeout: Interval,
    /// How often the peer is asked over a pair before the pair counts as one that does not work.
    pub confirm_tries: u8,
    /// How long after the current pair failed a better one is tried; zero for never.
    pub failback_hold: Interval,
    /// The most that becomes of it when the better pair keeps failing.
    pub failback_hold_max: Interval,
}

impl Default for Constants {
    fn default() -> Self {
        Self {
            initial_probe_timeout: Interval::from_millis(500),
            initial_probes: 4,
            backoff: 2,
            max_probe_timeout: Interval::from_secs(60),
            send_timeout: DEFAULT_TIMEOUT,
            keepalive_timeout: DEFAULT_TIMEOUT,
            keepalive_interval: None,
            suppress_keepalives: false,
            retain: Interval::from_secs(10),
            answers_per_second: 10,
            hot_standby: false,
            standby_interval: Interval::from_secs(60),
            confirm_timeout: Interval::from_secs(4),
            confirm_tries: 3,
            failback_hold: Interval::from_secs(60),
            failback_hold_max: Interval::from_secs(3600),
        }
    }
}

/// Send Timeout, and Keepalive Timeout for a peer that did not ask for another.
const DEFAULT_TIMEOUT: Interval = Interval::from_secs(15);

/// The least that any time can be set to, except where zero means something.
pub const LEAST: Interval = Interval::from_millis(10);

/// The most that any time can be set to: a day.
pub const MOST: Interval = Interval::from_secs(86_400);

/// What is wrong with [`Constants`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Invalid {
    /// This time is not between [`LEAST`] and [`MOST`].
    Time(&'static str),
    /// [`initial_probes`](Constants::initial_probes) is not between 1 and 32.
    InitialProbes,
    /// [`backoff`](Constants::backoff) is not between 2 and 16: without growth there would be no
    /// exponential back-off, which is a must (RFC 5534, Section 4.3).
    Backoff,
    /// [`max_probe_timeout`](Constants::max_probe_timeout) is below
    /// [`initial_probe_timeout`](Constants::initial_probe_timeout).
    MaxProbeTimeout,
    /// [`keepalive_interval`](Constants::keepalive_interval) is more than half of
    /// [`keepalive_timeout`](Constants::keepalive_timeout), so that one lost Keepalive would make
    /// the peer explore (RFC 5534, Section 4.1).
    KeepaliveInterval,
    /// [`answers_per_second`](Constants::answers_per_second) is zero: nothing would ever be
    /// answered.
    Answers,
    /// [`confirm_tries`](Constants::confirm_tries) is not between 1 and 8.
    ConfirmTries,
    /// [`failback_hold_max`](Constants::failback_hold_max) is below
    /// [`failback_hold`](Constants::failback_hold).
    FailbackHoldMax,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrong = match self {
            Self::Time(name) => return write!(f, "{name} is not between 10 ms and a day"),
            Self::InitialProbes => "the number of initial probes is not between 1 and 32",
            Self::Backoff => "the backoff factor is not between 2 and 16",
            Self::MaxProbeTimeout => "Max Probe Timeout is below Initial Probe Timeout",
            Self::KeepaliveInterval => "Keepalive Interval is above half of Keepalive Timeout",
            Self::Answers => "no answer a second is allowed",
            Self::ConfirmTries => "the number of tries is not between 1 and 8",
            Self::FailbackHoldMax => "the longest hold before going back is below the first one",
        };
        f.write_str(wrong)
    }
}

impl Constants {
    /// No limit: for hosts without a clock. Answers are then still no more than what is answered.
    pub const UNLIMITED: u8 = u8::MAX;

    /// Whether these make sense.
    ///
    /// # Errors
    ///
    /// The first thing that is [`Invalid`].
    pub fn check(&self) -> Result<(), Invalid> {
        let interval = self.keepalive_interval.unwrap_or(LEAST);
        let times = [
            ("Initial Probe Timeout", self.initial_probe_timeout),
            ("Max Probe Timeout", self.max_probe_timeout),
            ("Send Timeout", self.send_timeout),
            ("Keepalive Timeout", self.keepalive_timeout),
            ("Keepalive Interval", interval),
            ("the time that probes are remembered", self.retain),
            ("the interval of a standby", self.standby_interval),
            ("the time to confirm a pair", self.confirm_timeout),
        ];
        for (name, time) in times {
            if !(LEAST..=MOST).contains(&time) {
                return Err(Invalid::Time(name));
            }
        }
        // Zero is a setting of its own here.
        if self.failback_hold > MOST || self.failback_hold_max > MOST {
            return Err(Invalid::Time("the hold before going back"));
        }

        let rules = [
            (
                (1..=32).contains(&self.initial_probes),
                Invalid::InitialProbes,
            ),
            ((2..=16).contains(&self.backoff), Invalid::Backoff),
            (
                self.max_probe_timeout >= self.initial_probe_timeout,
                Invalid::MaxProbeTimeout,
            ),
            (
                self.keepalive_interval
                    .is_none_or(|interval| interval <= part(self.keepalive_timeout, 1, 2)),
                Invalid::KeepaliveInterval,
            ),
            (self.answers_per_second > 0, Invalid::Answers),
            ((1..=8).contains(&self.confirm_tries), Invalid::ConfirmTries),
            (
                self.failback_hold_max >= self.failback_hold,
                Invalid::FailbackHoldMax,
            ),
        ];
        rules
            .into_iter()
            .find(|(holds, _)| !holds)
            .map_or(Ok(()), |(_, invalid)| Err(invalid))
    }

    /// What the peer has to be told in a Keepalive Timeout option: the Send Timeout in whole
    /// seconds, rounded up, if it is not the default (RFC 5534, Section 5.3).
    pub fn timeout_to_tell(&self) -> Option<KeepaliveTimeout> {
        if self.send_timeout == DEFAULT_TIMEOUT {
            return None;
        }
        self.timeout_in_seconds()
    }

    /// The Send Timeout as a Keepalive Timeout option has it, also the default.
    pub fn timeout_in_seconds(&self) -> Option<KeepaliveTimeout> {
        let seconds = self.send_timeout.as_millis().div_ceil(1000);
        KeepaliveTimeout::new(u16::try_from(seconds).unwrap_or(u16::MAX))
    }

    /// The Keepalive Timeout that follows from what the peer told.
    pub fn keepalive_timeout_of(told: Option<KeepaliveTimeout>) -> Interval {
        told.map_or(DEFAULT_TIMEOUT, |timeout| {
            Interval::from_secs(u32::from(timeout.seconds()))
        })
    }

    /// Keepalive Interval.
    pub(super) fn keepalive_interval(&self) -> Interval {
        let third = part(self.keepalive_timeout, 1, 3).max(Interval::from_millis(1));
        self.keepalive_interval.unwrap_or(third)
    }
}

/// `interval` times `numerator / denominator`.
pub(super) fn part(interval: Interval, numerator: u32, denominator: u32) -> Interval {
    let millis = u64::from(interval.as_millis())
        .saturating_mul(u64::from(numerator))
        .checked_div(u64::from(denominator))
        .unwrap_or(0);
    Interval::from_millis(u32::try_from(millis).unwrap_or(u32::MAX))
}

/// A number that is uniform in [0, 1): what an interval is randomized with. It is kept rather than
/// the result, so that a running timer follows a change of settings.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Chance(u32);

impl Chance {
    /// Draws one.
    pub(super) fn draw(random: &mut impl Random) -> Self {
        Self(random.u32())
    }

    /// A length of time that is uniform from zero to `interval`.
    fn of(self, interval: Interval) -> Interval {
        let millis = u64::from(interval.as_millis()).saturating_mul(u64::from(self.0)) >> 32;
        Interval::from_millis(u32::try_from(millis).unwrap_or(u32::MAX))
    }

    /// `nominal` times a number in `[0.8, 1.2)`, at least a millisecond: the time between probes.
    pub(super) fn around(self, nominal: Interval) -> Interval {
        sum(part(nominal, 4, 5), self.of(part(nominal, 2, 5))).max(Interval::from_millis(1))
    }

    /// `nominal` times a number in `[0.8, 1)`: the Keepalive Interval, which must not be
    /// lengthened.
    pub(super) fn below(self, nominal: Interval) -> Interval {
        sum(part(nominal, 4, 5), self.of(part(nominal, 1, 5))).max(Interval::from_millis(1))
    }

    /// `nominal` times a number in `[1, 1.1)`: the Send Timeout, which the peer relies on.
    pub(super) fn above(self, nominal: Interval) -> Interval {
        sum(nominal, self.of(part(nominal, 1, 10)))
    }
}

/// The sum of two lengths of time, or the longest interval if that is more.
pub(super) const fn sum(a: Interval, b: Interval) -> Interval {
    Interval::from_millis(a.as_millis().saturating_add(b.as_millis()))
}
