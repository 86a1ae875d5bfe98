// SPDX-License-Identifier: GPL-2.0

//! What runs counted, and how it is told.

use std::fmt;

use serde_json::json;
use shim6_proto::{
    time::Interval,
    wire::message_type::MessageType, //
};

/// Counters of control messages, by type.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ByType([u64; MessageType::ALL.len()]);

/// The type of a control message by its octets, without any check.
pub fn type_of(octets: &[u8]) -> Option<MessageType> {
    MessageType::from_wire(octets.get(2)? & 0x7f)
}

impl ByType {
    fn index(message: MessageType) -> usize {
        let mut all = MessageType::ALL.iter();
        all.position(|other| *other == message).unwrap_or(0)
    }

    /// Counts one.
    pub fn count(&mut self, message: MessageType) {
        if let Some(counter) = self.0.get_mut(Self::index(message)) {
            *counter += 1;
        }
    }

    /// How many there were.
    pub fn get(&self, message: MessageType) -> u64 {
        self.0.get(Self::index(message)).copied().unwrap_or(0)
    }

    /// How many there were of all types.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn add(&mut self, other: &Self) {
        for (counter, more) in self.0.iter_mut().zip(other.0) {
            *counter += more;
        }
    }
}

/// Something that must not be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The seed of the run.
    pub seed: u64,
    /// The name of the check.
    pub check: &'static str,
    /// How long the run had lasted, unless it broke off.
    pub at: Option<Interval>,
    /// What was found.
    pub text: String,
}

/// Which run, when, which check, and what.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            check,
            at,
            text,
        } = self;
        write!(f, "seed {seed}")?;
        if let Some(at) = at {
            write!(f, ", {:.3} s", f64::from(at.as_millis()) / 1000.0)?;
        }
        write!(f, ": {check}: {text}")
    }
}

/// What was counted.
#[derive(Clone, Default, Debug)]
pub struct Statistics {
    /// Runs.
    pub seeds: u64,
    /// Hosts in them.
    pub hosts: u64,
    /// The most hosts of a run.
    pub most_hosts: u64,
    /// Events.
    pub events: u64,
    /// Payload packets that were sent.
    pub payload: u64,
    /// Payload packets that got to an upper layer.
    pub delivered: u64,
    /// Control messages that were sent.
    pub sent: ByType,
    /// Messages that a liar sent.
    pub lies: u64,
    /// How often an end began to explore, and how often a pair was switched.
    pub explored: u64,
    /// How often another pair became the current one.
    pub switched: u64,
    /// Contexts that came to be.
    pub contexts: u64,
    /// How long recoveries took, in milliseconds.
    pub recoveries: Vec<u32>,
    /// The largest part of its bound that a recovery took, in permille.
    pub worst_share: u32,
    /// Depends on every packet that was sent, and when: the same runs have the same digest, in
    /// whatever order they were.
    pub digest: u64,
    /// What must not be.
    pub violations: Vec<Violation>,
}

impl Statistics {
    /// Adds what another run counted.
    pub fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.hosts += other.hosts;
        self.most_hosts = self.most_hosts.max(other.most_hosts);
        self.events += other.events;
        self.payload += other.payload;
        self.delivered += other.delivered;
        self.sent.add(&other.sent);
        self.lies += other.lies;
        self.explored += other.explored;
        self.switched += other.switched;
        self.contexts += other.contexts;
        self.recoveries.extend(other.recoveries);
        self.worst_share = self.worst_share.max(other.worst_share);
        self.digest = self.digest.wrapping_add(other.digest);
        self.violations.extend(other.violations);
    }

    /// Median, 99th percentile and maximum of the recoveries, in seconds.
    fn quantiles(&self) -> Option<[f64; 3]> {
        let mut sorted = self.recoveries.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        let at = |permille: usize| {
            let index = last * permille / 1000;
            f64::from(sorted.get(index).copied().unwrap_or(0)) / 1000.0
        };
        Some([at(500), at(990), at(1000)])
    }

    /// For programs.
    pub fn to_json(&self) -> serde_json::Value {
        let messages: serde_json::Map<_, _> = MessageType::ALL
            .iter()
            .map(|message| (message.name().to_owned(), json!(self.sent.get(*message))))
            .collect();
        let violations: Vec<_> = self
            .violations
            .iter()
            .map(|violation| {
                json!({
                    "seed": violation.seed,
                    "check": violation.check,
                    "at_ms": violation.at.map(Interval::as_millis),
                    "text": violation.text,
                })
            })
            .collect();
        let recovery = self
            .quantiles()
            .map(|[median, p99, max]| json!({ "median_s": median, "p99_s": p99, "max_s": max }));
        json!({
            "seeds": self.seeds,
            "hosts": self.hosts,
            "most_hosts": self.most_hosts,
            "events": self.events,
            "payload": { "sent": self.payload, "delivered": self.delivered },
            "messages": messages,
            "lies": self.lies,
            "contexts": self.contexts,
            "explored": self.explored,
            "switched": self.switched,
            "recoveries": self.recoveries.len(),
            "recovery": recovery,
            "worst_share_of_bound": f64::from(self.worst_share) / 1000.0,
            "digest": format!("{:016x}", self.digest),
            "violations": violations,
        })
    }
}

/// A table.
impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(f, "{name:<24}{value:>24}");
        row("seeds", self.seeds.to_string())?;
        row("hosts", self.hosts.to_string())?;
        row("most hosts of a run", self.most_hosts.to_string())?;
        row("events", self.events.to_string())?;
        row("contexts", self.contexts.to_string())?;
        row("payload sent", self.payload.to_string())?;
        row("payload delivered", self.delivered.to_string())?;
        for message in MessageType::ALL {
            row(message.name(), self.sent.get(message).to_string())?;
        }
        row("lies", self.lies.to_string())?;
        row("explorations", self.explored.to_string())?;
        row("switches", self.switched.to_string())?;
        row("recoveries", self.recoveries.len().to_string())?;
        if let Some([median, p99, max]) = self.quantiles() {
            row("recovery, median (s)", format!("{median:.3}"))?;
            row("recovery, p99 (s)", format!("{p99:.3}"))?;
            row("recovery, max (s)", format!("{max:.3}"))?;
            let share = f64::from(self.worst_share) / 1000.0;
            row("most of its bound", format!("{share:.3}"))?;
        }
        row("digest", format!("{:016x}", self.digest))?;
        row("violations", self.violations.len().to_string())
    }
}
