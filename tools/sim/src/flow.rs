// SPDX-License-Identifier: GPL-2.0

//! Traffic of upper layers: what two programs send each other.

use shim6_proto::{
    locator::{
        Ulid,
        UlidPair, //
    },
    time::{
        Instant,
        Interval, //
    }, //
};

use crate::{
    dice::Dice,
    host::Trigger, //
};

/// How a flow behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pattern {
    /// Both ends send.
    Both,
    /// Only the first end sends.
    One,
    /// The first end sends, the other answers each packet.
    Echo,
    /// Both send for a while, then nobody.
    Bursts {
        /// How long they send.
        busy: Interval,
        /// How long they do not.
        idle: Interval,
    },
}

/// One end of a flow.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// The host.
    pub host: usize,
    /// Its ULID.
    pub ulid: Ulid,
    /// When it last sent, and since when without a pause.
    pub sent: Option<(Instant, Instant)>,
    /// When something of the other end last arrived.
    pub received: Option<Instant>,
    /// When its upper layer complains next, if it waits, and how long it then waits.
    pub complains: Option<(Instant, Interval)>,
}

/// What two programs send each other.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The ends; the first one asks for a context.
    pub ends: [End; 2],
    /// How it behaves.
    pub pattern: Pattern,
    /// The time between two packets of an end.
    pub period: Interval,
    /// When its first end asks for a context.
    pub trigger: Trigger,
    /// Whether sockets are connected, so that contexts count as used.
    pub is_connected: bool,
    /// Whether its upper layer waits for answers, as TCP does, and complains.
    pub complains: bool,
    /// When it begins.
    pub opens: Instant,
    /// When it ends.
    pub closes: Instant,
    /// Whether it has begun and not ended.
    pub is_open: bool,
}

impl Flow {
    /// A flow between two ULIDs.
    pub fn draw(
        ends: [(usize, Ulid); 2],
        periods: (u32, u32),
        opens: Instant,
        closes: Instant,
        dice: &mut Dice,
    ) -> Self {
        let pattern = match dice.below(10) {
            0..=3 => Pattern::Both,
            4..=5 => Pattern::One,
            6..=7 => Pattern::Echo,
            _ => Pattern::Bursts {
                busy: dice.millis(5_000, 120_000),
                idle: dice.millis(20_000, 400_000),
            },
        };
        let trigger = if dice.percent(50) {
            Trigger::Impatient
        } else {
            Trigger::Auto(dice.between(4, 50))
        };
        let end = |(host, ulid)| End {
            host,
            ulid,
            sent: None,
            received: None,
            complains: None,
        };
        Self {
            ends: ends.map(end),
            pattern,
            period: dice.millis(periods.0, periods.1),
            trigger,
            is_connected: dice.percent(70),
            complains: dice.percent(50) && pattern != Pattern::One,
            opens,
            closes,
            is_open: false,
        }
    }

    /// An end.
    ///
    /// # Panics
    ///
    /// If there is no such end.
    pub fn end(&self, end: u8) -> &End {
        self.ends.get(usize::from(end)).expect("two ends")
    }

    /// An end, to be changed.
    ///
    /// # Panics
    ///
    /// If there is no such end.
    pub fn end_mut(&mut self, end: u8) -> &mut End {
        self.ends.get_mut(usize::from(end)).expect("two ends")
    }

    /// The ULIDs as an end sees them.
    pub fn ulids(&self, end: u8) -> UlidPair {
        UlidPair {
            local: self.end(end).ulid,
            peer: self.end(1 - end).ulid,
        }
    }

    /// Whether an end sends by the clock.
    pub fn has_clock(&self, end: u8) -> bool {
        end == 0 || matches!(self.pattern, Pattern::Both | Pattern::Bursts { .. })
    }

    /// Whether an end sends at all.
    pub fn sends(&self, end: u8) -> bool {
        self.has_clock(end) || self.pattern == Pattern::Echo
    }

    /// Whether now is a time to send, and when to look again.
    pub fn beat(&self, now: Instant, dice: &mut Dice) -> (bool, Instant) {
        let period = self.period.as_millis();
        let next = now.saturating_add(dice.millis(period * 9 / 10, period * 11 / 10));
        if let Pattern::Bursts { busy, idle } = self.pattern {
            let cycle = u64::from(busy.as_millis()) + u64::from(idle.as_millis());
            let since = u64::from(now.since(self.opens).as_millis());
            let phase = since.checked_rem(cycle).unwrap_or(0);
            if phase >= u64::from(busy.as_millis()) {
                let rest = (cycle - phase).max(1);
                return (false, Instant::from_millis(now.as_millis() + rest));
            }
        }
        (true, next)
    }

    /// Whether an end has been sending without a pause, and since when.
    pub fn busy_since(&self, end: u8, now: Instant) -> Option<Instant> {
        let (last, since) = self.end(end).sent?;
        let pause = Interval::from_millis(self.period.as_millis() * 2);
        (self.is_open && now.since(last) <= pause).then_some(since)
    }

    /// An end sends now.
    pub fn note_sent(&mut self, end: u8, now: Instant) {
        let pause = Interval::from_millis(self.period.as_millis() * 2);
        let end = self.end_mut(end);
        let since = match end.sent {
            Some((last, since)) if now.since(last) <= pause => since,
            _ => now,
        };
        end.sent = Some((now, since));
    }
}
