// SPDX-License-Identifier: GPL-2.0

//! What can go wrong between hosts, and which of it a run draws from.

use std::{
    fmt,
    str::FromStr, //
};

use shim6_proto::{
    locator::Locator,
    time::Instant, //
};

use crate::named::named;

/// Something that goes wrong for a while. Hosts and uplinks are numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// So many of 1000 packets are lost.
    Loss(u32),
    /// So many of 1000 packets come twice.
    Duplicates(u32),
    /// Packets take up to so many milliseconds longer, each by itself.
    Jitter(u32),
    /// Somebody forges and repeats messages.
    Liar,
    /// A provider is down.
    Provider(usize),
    /// Packets from one provider do not get to another.
    Cut(usize, usize),
    /// Packets from one locator do not get to another.
    Pair(Locator, Locator),
    /// A host is down, and has forgotten everything when it comes back.
    Down(usize),
    /// An uplink has no carrier.
    Carrier(usize, usize),
    /// A host has lost a locator.
    Renumber(usize, usize),
    /// An uplink passes nothing, and looks well.
    Silent(usize, usize),
    /// As that in one direction only: from the host if true.
    OneWay(usize, usize, bool),
}

impl Fault {
    /// The host whose addresses change with it.
    pub const fn renumbers(&self) -> Option<usize> {
        match self {
            Self::Carrier(host, _) | Self::Renumber(host, _) => Some(*host),
            _ => None,
        }
    }
}

/// A fault and its time.
#[derive(Clone, Copy, Debug)]
pub struct Incident {
    /// What.
    pub fault: Fault,
    /// From when on.
    pub begins: Instant,
    /// Until when.
    pub ends: Instant,
}

named! {
    /// A kind of trouble that a run may have.
    pub enum Kind {
        /// Packets are lost.
        Loss = "loss",
        /// Packets come twice.
        Duplicates = "duplicates",
        /// Packets are late, and overtake each other.
        Jitter = "jitter",
        /// One direction fails: of a pair, of an uplink.
        OneWay = "one-way",
        /// Uplinks fail, seen or unseen, for long or again and again.
        Links = "links",
        /// Providers fail.
        Providers = "providers",
        /// Providers do not reach each other.
        Partition = "partition",
        /// Locators come and go.
        Renumber = "renumber",
        /// Hosts lose all they know.
        Restart = "restart",
        /// Messages are forged and repeated, hosts claim what is not theirs.
        Liar = "liar",
        /// Routers send ICMPv6 errors.
        Icmp = "icmp",
        /// Upper layers complain.
        Hints = "hints",
        /// Timers and workers are late.
        Late = "late",
    }
}

/// The kinds of trouble that a run draws from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kinds(u16);

impl Kinds {
    /// All.
    pub const ALL: Self = Self(u16::MAX);

    /// None.
    pub const NONE: Self = Self(0);

    /// With one more.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | (1 << kind as u8))
    }

    /// Whether a kind is among them.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

/// "all", "none", or names with commas between them.
impl FromStr for Kinds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => return Ok(Self::ALL),
            "none" => return Ok(Self::NONE),
            _ => {}
        }
        let mut names = text.split(',');
        names.try_fold(Self::NONE, |kinds, name| Ok(kinds.with(name.parse()?)))
    }
}

/// As [`FromStr`] takes it.
impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("all");
        }
        let kinds = Kind::ALL.iter().filter(|kind| self.has(**kind));
        let names: Vec<_> = kinds.map(|kind| kind.name()).collect();
        match names.is_empty() {
            true => f.write_str("none"),
            false => f.write_str(&names.join(",")),
        }
    }
}
