// SPDX-License-Identifier: GPL-2.0

//! What the data path leaves for REAP: when payload was sent and received.
//!
//! The Send Timer and the Keepalive Timer of RFC 5534, Section 6, are never armed or disarmed for
//! a packet. Each is one of two points in time: the Send Timer runs since the first payload that
//! was sent after the last that was received, the Keepalive Timer since the first that was
//! received after the last that was sent. A packet in the same direction as the one before writes
//! nothing but its own time; one in the other direction starts one timer and stops the other.
//! [`Reap`](super::Reap) looks at these points when its own timer fires, and moves them when a
//! message moves the timers.

use core::sync::atomic::{
    AtomicU64,
    AtomicU8,
    Ordering::Relaxed, //
};

use super::super::time::Instant;

/// Since when the two timers of RFC 5534, Section 6, run. [`None`] for one that does not run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Timers {
    /// The Send Timer: "I sent payload, an answer is due."
    pub send: Option<Instant>,
    /// The Keepalive Timer: "I received payload, I owe an answer."
    pub keepalive: Option<Instant>,
}

impl Timers {
    /// Whether none runs.
    pub const fn are_stopped(&self) -> bool {
        self.send.is_none() && self.keepalive.is_none()
    }
}

/// What has happened on the data path up to now.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Activity {
    /// When a packet of an upper layer was last sent; [`None`] for never.
    pub last_sent: Option<Instant>,
    /// When a packet of an upper layer was last received; [`None`] for never.
    pub last_received: Option<Instant>,
    /// When the first payload was sent since payload was last received, and when the first was
    /// received since payload was last sent: the timers, as the data path and
    /// [`Stamps::settle`] left them.
    pub timers: Timers,
}

impl Activity {
    /// When a packet of an upper layer last went in either direction.
    pub fn last(&self) -> Option<Instant> {
        self.last_sent.max(self.last_received)
    }

    /// The timers, of which at most one runs. Two CPUs that send and receive at the same time can
    /// leave both running; the one that was started last was started by the later packet.
    pub(super) fn settled_timers(&self) -> Timers {
        let Timers { send, keepalive } = self.timers;
        // `None` is less than any time.
        let keepalive_is_last = keepalive >= send;

        Timers {
            send: send.filter(|_| !keepalive_is_last),
            keepalive: keepalive.filter(|_| keepalive_is_last),
        }
    }
}

/// Which packets the data path has to tell about at once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Wake {
    /// None: a timer is armed that comes early enough.
    Never = 0,
    /// The first that is received: this end explores, and hears the peer again.
    Received = 1,
    /// The first in any direction: the context is idle and has no timer.
    Any = 3,
}

/// The bit of [`Wake`] for packets that are received.
const WAKE_RECEIVED: u8 = Wake::Received as u8;

/// The bit of [`Wake`] for packets that are sent.
const WAKE_SENT: u8 = Wake::Any as u8 & !WAKE_RECEIVED;

/// A time after which everything that was on the data path when it began has left it, which is seen
/// by who finds it over: a grace period of RCU, under whose read lock packets are handled.
pub trait GracePeriod {
    /// One that begins now, after everything that was done before.
    fn begin() -> Self;

    /// Whether it is over. What is done afterwards is done after it.
    fn is_over(&self) -> bool;
}

/// The grace period of who runs while no packet is under way, as a simulator does: over at once.
#[derive(Clone, Copy, Debug)]
pub struct NoPeriod;

impl GracePeriod for NoPeriod {
    fn begin() -> Self {
        Self
    }

    fn is_over(&self) -> bool {
        true
    }
}

/// What [`Stamps::settle`] found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[must_use]
pub enum Settled {
    /// Whatever has to wake the worker from now on will.
    Done,
    /// A packet came that should have woken the worker, which has to call
    /// [`Reap::timeout`](super::Reap::timeout) once more at once.
    Again,
    /// A packet that is on its way just now may not have seen that it has to wake the worker, which
    /// has to call it once more when the grace period is over.
    Later,
}

/// The [`Activity`] of a context as the data path writes it, on all CPUs and without a lock.
///
/// Payload is every packet of the context in the sense of RFC 5534, Section 4.1: packets of upper
/// layers with and without the payload extension header, and Shim6 control messages other than
/// Keepalive and Probe.
///
/// The steady flow of packets in one direction costs one load and at most one store a millisecond.
/// A packet in the other direction has two stores more. Only then the flag is tested
/// that says whether somebody has to be woken; that is enough, because a context which sleeps has
/// both timers stopped, so that whatever comes first starts one.
///
/// No packet has a barrier between starting a timer and testing the flag: streams and what
/// acknowledges them would take it each time. Instead the worker looks once more a grace period
/// after it has raised the flag. A packet that did not see the flag was on its way before that
/// grace period began, so the worker sees its timer after it. Callers of the functions for packets
/// hold what keeps a [`GracePeriod`] from ending, or are the worker.
#[derive(Debug)]
pub struct Stamps {
    last_sent: AtomicU64,
    last_received: AtomicU64,
    /// Zero: the timer does not run.
    send: AtomicU64,
    /// Zero: the timer does not run.
    keepalive: AtomicU64,
    wake: AtomicU8,
}

impl Default for Stamps {
    fn default() -> Self {
        Self::new()
    }
}

impl Stamps {
    /// A context without any packet, which sleeps.
    pub const fn new() -> Self {
        Self {
            last_sent: AtomicU64::new(0),
            last_received: AtomicU64::new(0),
            send: AtomicU64::new(0),
            keepalive: AtomicU64::new(0),
            wake: AtomicU8::new(Wake::Any as u8),
        }
    }

    /// A packet of an upper layer is sent. True if the worker has to be woken, so that it calls
    /// [`Reap::timeout`](super::Reap::timeout) soon: true for one packet and no more until the
    /// worker has been there. Any context, any CPU.
    #[inline]
    #[must_use]
    pub fn sent(&self, now: Instant) -> bool {
        store(&self.last_sent, to_cell(now));
        self.control_sent(now)
    }

    /// A packet of an upper layer is received; otherwise as [`sent`](Self::sent).
    #[inline]
    #[must_use]
    pub fn received(&self, now: Instant) -> bool {
        store(&self.last_received, to_cell(now));
        self.control_received(now)
    }

    /// A Shim6 control message other than Keepalive and Probe is sent. It moves the timers as
    /// payload does, but does not count as use of the context: otherwise the messages that confirm
    /// a standby would be a reason to confirm it again. Otherwise as [`sent`](Self::sent).
    #[inline]
    #[must_use]
    pub fn control_sent(&self, now: Instant) -> bool {
        store(&self.keepalive, 0);
        self.start(&self.send, to_cell(now), WAKE_SENT)
    }

    /// Such a message is received; otherwise as [`control_sent`](Self::control_sent).
    #[inline]
    #[must_use]
    pub fn control_received(&self, now: Instant) -> bool {
        store(&self.send, 0);
        self.start(&self.keepalive, to_cell(now), WAKE_RECEIVED)
    }

    /// Such a message is received over another pair than the current one, of which it says nothing:
    /// a Send Timer that runs is not stopped. Otherwise confirming a standby more often than the
    /// Send Timeout would hide for ever that the current pair is dead. The timer of the peer, which
    /// an acknowledgement has started, is answered as any other.
    #[inline]
    #[must_use]
    pub fn control_received_elsewhere(&self, now: Instant) -> bool {
        self.send.load(Relaxed) == 0 && self.control_received(now)
    }

    /// Starts a timer unless it runs, and says whether the worker has to be woken for that.
    #[inline]
    fn start(&self, timer: &AtomicU64, now: u64, bit: u8) -> bool {
        if timer.load(Relaxed) != 0 {
            return false;
        }
        timer.store(now, Relaxed);
        self.wake.load(Relaxed) & bit != 0 && self.wake.swap(Wake::Never as u8, Relaxed) & bit != 0
    }

    /// What has happened up to now.
    pub fn read(&self) -> Activity {
        Activity {
            last_sent: from_cell(self.last_sent.load(Relaxed)),
            last_received: from_cell(self.last_received.load(Relaxed)),
            timers: Timers {
                send: from_cell(self.send.load(Relaxed)),
                keepalive: from_cell(self.keepalive.load(Relaxed)),
            },
        }
    }

    /// Writes back what a step of [`Reap`](super::Reap) did: `before` is what it was given, `after`
    /// its [`timers`](super::Reap::timers), `wake` its [`wake`](super::Reap::wake). A timer that a
    /// packet has moved meanwhile stays as the packet left it; a packet that moved none counts as
    /// one that came before the step.
    ///
    /// `grace` is the worker's to keep from one call to the next, with nothing in it at first. One
    /// worker at a time.
    pub fn settle<G: GracePeriod>(
        &self,
        before: &Activity,
        after: Timers,
        wake: Wake,
        grace: &mut Option<G>,
    ) -> Settled {
        replace(&self.send, before.timers.send, after.send);
        replace(&self.keepalive, before.timers.keepalive, after.keepalive);
        let raised = self.wake.load(Relaxed);
        if raised != wake as u8 {
            self.wake.store(wake as u8, Relaxed);
        }
        if wake == Wake::Never {
            *grace = None;
        } else if wake as u8 & !raised != 0 {
            *grace = Some(G::begin());
        }
        // In this order: what is read is what was there when the period was over, or later.
        let is_sure = grace.as_ref().is_none_or(G::is_over);
        let now = self.read().timers;
        let moved = match wake {
            Wake::Never => false,
            Wake::Received => now.keepalive.is_some() && now.keepalive != after.keepalive,
            Wake::Any => now != after,
        };
        // Whoever takes the flag back is the one who has been told.
        if moved && self.wake.swap(Wake::Never as u8, Relaxed) != Wake::Never as u8 {
            *grace = None;
            return Settled::Again;
        }
        if !is_sure {
            return Settled::Later;
        }
        *grace = None;
        Settled::Done
    }
}

/// The cell for a point in time. The first millisecond there is has to make way for "never".
fn to_cell(now: Instant) -> u64 {
    now.as_millis().max(1)
}

/// The point in time of a cell.
fn from_cell(cell: u64) -> Option<Instant> {
    (cell != 0).then(|| Instant::from_millis(cell))
}

/// Stores what is not stored yet, so that a cache line which others read stays theirs.
#[inline]
fn store(cell: &AtomicU64, value: u64) {
    if cell.load(Relaxed) != value {
        cell.store(value, Relaxed);
    }
}

/// Moves a timer, unless somebody else has.
fn replace(cell: &AtomicU64, before: Option<Instant>, after: Option<Instant>) {
    if before != after {
        let value = |timer: Option<Instant>| timer.map_or(0, to_cell);
        // One that fails has been overtaken by a packet, which is later than the step.
        let _ = cell.compare_exchange(value(before), value(after), Relaxed, Relaxed);
    }
}
