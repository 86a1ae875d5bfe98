// SPDX-License-Identifier: GPL-2.0

//! Failure detection of a context (RFC 5534): the constants in force, the pair that stands by, and
//! the order of pairs with what each is behind the one before by.

use std::fmt;
use std::io::{
    self,
    Write, //
};
use std::net::Ipv6Addr;
use std::time::Duration;

use netlink_packet_core::{
    parse_u32,
    parse_u8,
    DecodeError, //
};
use serde::Serialize;

use super::answer::{
    read_address,
    required, //
};
use super::show::Span;
use super::some_milliseconds;
use super::words::{
    Criterion,
    Unusable, //
};
use crate::abi::{
    attr,
    rank_attr,
    reap_constant, //
};
use crate::genl::{
    for_each_attribute,
    Attributes, //
};

/// The constants that a context can have of its own, by their bits.
const NAMES: [(u8, &str); 5] = [
    (reap_constant::SEND_TIMEOUT, "send-timeout"),
    (reap_constant::KEEPALIVES, "keepalives"),
    (reap_constant::INITIAL_PROBES, "initial-probes"),
    (reap_constant::PROBE_TIMEOUT, "probe-timeout"),
    (reap_constant::HOT_STANDBY, "hot-standby"),
];

/// Failure detection of one context.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Watch {
    #[serde(rename = "send_timeout_ms", serialize_with = "some_milliseconds")]
    pub(crate) send_timeout: Duration,
    pub(crate) keepalives: bool,
    pub(crate) initial_probes: u8,
    #[serde(rename = "probe_timeout_ms", serialize_with = "some_milliseconds")]
    pub(crate) probe_timeout: Duration,
    pub(crate) hot_standby: bool,
    /// Those of the above that are the context's own, not the namespace's.
    pub(crate) overridden: Vec<&'static str>,
    /// The pair that stands by.
    pub(crate) standby_local: Option<Ipv6Addr>,
    pub(crate) standby_peer: Option<Ipv6Addr>,
    /// The order in which pairs are tried if the current one fails.
    pub(crate) ranking: Vec<Ranked>,
}

/// A pair in that order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Ranked {
    pub(crate) local: Ipv6Addr,
    pub(crate) peer: Ipv6Addr,
    /// Why it cannot be used.
    pub(crate) unusable: Option<Unusable>,
    /// In what it is behind the pair before it.
    pub(crate) behind_in: Option<Criterion>,
    pub(crate) rank: Option<Rank>,
}

/// What decides about the place of a pair: what comes first counts most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Rank {
    pub(crate) shared: u8,
    pub(crate) wanted: u8,
    pub(crate) broken: u8,
    pub(crate) peer_priority: u8,
    pub(crate) local_priority: u8,
    pub(crate) transient: u8,
    pub(crate) deprecated: bool,
    pub(crate) labels_differ: bool,
    pub(crate) precedence: u8,
    pub(crate) ulids: bool,
    pub(crate) prefix: u8,
}

impl Watch {
    /// Takes an attribute of a context that is about failure detection; others are passed over.
    pub(crate) fn read(&mut self, kind: u16, value: &[u8]) -> Result<(), DecodeError> {
        let span = |value| parse_u32(value).map(|span| Duration::from_millis(span.into()));
        match kind {
            attr::SEND_TIMEOUT => self.send_timeout = span(value)?,
            attr::KEEPALIVES => self.keepalives = parse_u8(value)? != 0,
            attr::INITIAL_PROBES => self.initial_probes = parse_u8(value)?,
            attr::PROBE_TIMEOUT => self.probe_timeout = span(value)?,
            attr::HOT_STANDBY => self.hot_standby = parse_u8(value)? != 0,
            attr::OVERRIDDEN => {
                let bits = parse_u8(value)?;
                let own = NAMES.iter().filter(|(bit, _)| bits & bit != 0);
                self.overridden = own.map(|(_, name)| *name).collect();
            }
            attr::STANDBY_LOCAL => self.standby_local = Some(read_address(value)?),
            attr::STANDBY_PEER => self.standby_peer = Some(read_address(value)?),
            attr::RANKING => self.ranking.push(Ranked::read(value)?),
            _ => {}
        }
        Ok(())
    }
}

impl Ranked {
    fn read(nest: &[u8]) -> Result<Self, DecodeError> {
        let mut local = None;
        let mut peer = None;
        let mut unusable = None;
        let mut behind_in = None;
        let mut rank = Rank::default();
        for_each_attribute(nest, |kind, value| {
            match kind {
                rank_attr::LOCAL => local = Some(read_address(value)?),
                rank_attr::PEER => peer = Some(read_address(value)?),
                rank_attr::UNUSABLE => unusable = Some(Unusable(parse_u8(value)?)),
                rank_attr::CRITERION => behind_in = Some(Criterion(parse_u8(value)?)),
                rank_attr::SHARED => rank.shared = parse_u8(value)?,
                rank_attr::WANTED => rank.wanted = parse_u8(value)?,
                rank_attr::BROKEN => rank.broken = parse_u8(value)?,
                rank_attr::PEER_PRIORITY => rank.peer_priority = parse_u8(value)?,
                rank_attr::LOCAL_PRIORITY => rank.local_priority = parse_u8(value)?,
                rank_attr::TRANSIENT => rank.transient = parse_u8(value)?,
                rank_attr::DEPRECATED => rank.deprecated = parse_u8(value)? != 0,
                rank_attr::LABELS_DIFFER => rank.labels_differ = parse_u8(value)? != 0,
                rank_attr::PRECEDENCE => rank.precedence = parse_u8(value)?,
                rank_attr::ULIDS => rank.ulids = parse_u8(value)? != 0,
                rank_attr::PREFIX => rank.prefix = parse_u8(value)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(Self {
            local: required(local, "LOCAL of a ranked pair")?,
            peer: required(peer, "PEER of a ranked pair")?,
            unusable,
            behind_in,
            rank: unusable.is_none().then_some(rank),
        })
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shared {} wanted {}", self.shared, self.wanted)?;
        if self.broken > 0 {
            write!(f, " broken {}", self.broken)?;
        }
        write!(
            f,
            " priority {}/{}",
            self.peer_priority, self.local_priority
        )?;
        for (is, word) in [
            (self.transient > 0, "transient"),
            (self.deprecated, "deprecated"),
            (self.labels_differ, "other-label"),
            (self.ulids, "ulids"),
        ] {
            if is {
                write!(f, " {word}")?;
            }
        }
        write!(f, " precedence {} prefix {}", self.precedence, self.prefix)
    }
}

/// Writes what failure detection does and would do, for people. `current` marks a pair.
pub(crate) fn text(
    watch: &Watch,
    current: (Option<Ipv6Addr>, Option<Ipv6Addr>),
    out: &mut dyn Write,
) -> io::Result<()> {
    let switch = |is| match is {
        true => "on",
        false => "off",
    };
    write!(
        out,
        "    send-timeout {} keepalives {} initial-probes {} probe-timeout {} hot-standby {}",
        Span(watch.send_timeout),
        switch(watch.keepalives),
        watch.initial_probes,
        Span(watch.probe_timeout),
        switch(watch.hot_standby)
    )?;
    if !watch.overridden.is_empty() {
        write!(out, " (of this context: {})", watch.overridden.join(", "))?;
    }
    writeln!(out)?;
    writeln!(out, "    ranking")?;
    for pair in &watch.ranking {
        let here = (Some(pair.local), Some(pair.peer));
        let mark = match here {
            here if here == current => '*',
            here if here == (watch.standby_local, watch.standby_peer) => '+',
            _ => ' ',
        };
        write!(out, "      {mark} {} {}", pair.local, pair.peer)?;
        if let Some(unusable) = &pair.unusable {
            write!(out, " unusable {unusable}")?;
        }
        if let Some(rank) = &pair.rank {
            write!(out, " {rank}")?;
        }
        if let Some(criterion) = &pair.behind_in {
            write!(out, ", behind in {criterion}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// A constant that is to be a context's own, or the namespace's again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted<T> {
    Own(T),
    Default,
}

/// What is to become of the constants of a context; None stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WatchChange {
    /// Milliseconds.
    pub(crate) send_timeout: Option<Wanted<u32>>,
    pub(crate) keepalives: Option<Wanted<bool>>,
    pub(crate) initial_probes: Option<Wanted<u8>>,
    /// Milliseconds.
    pub(crate) probe_timeout: Option<Wanted<u32>>,
    pub(crate) hot_standby: Option<Wanted<bool>>,
}

impl WatchChange {
    /// Writes the attributes of the change.
    pub(crate) fn put(&self, attributes: &mut Attributes) {
        let mut reset = 0;
        let mut put = |kind, bit, wanted: Option<Wanted<Vec<u8>>>| match wanted {
            Some(Wanted::Own(octets)) => attributes.put(kind, octets),
            Some(Wanted::Default) => reset |= bit,
            None => {}
        };
        let long = |wanted| match wanted {
            Wanted::Own(value) => Wanted::Own(u32::to_ne_bytes(value).to_vec()),
            Wanted::Default => Wanted::Default,
        };
        let short = |wanted| match wanted {
            Wanted::Own(value) => Wanted::Own(vec![value]),
            Wanted::Default => Wanted::Default,
        };
        let switch = |wanted| match wanted {
            Wanted::Own(is) => Wanted::Own(vec![u8::from(is)]),
            Wanted::Default => Wanted::Default,
        };
        put(
            attr::SEND_TIMEOUT,
            reap_constant::SEND_TIMEOUT,
            self.send_timeout.map(long),
        );
        put(
            attr::KEEPALIVES,
            reap_constant::KEEPALIVES,
            self.keepalives.map(switch),
        );
        put(
            attr::INITIAL_PROBES,
            reap_constant::INITIAL_PROBES,
            self.initial_probes.map(short),
        );
        put(
            attr::PROBE_TIMEOUT,
            reap_constant::PROBE_TIMEOUT,
            self.probe_timeout.map(long),
        );
        put(
            attr::HOT_STANDBY,
            reap_constant::HOT_STANDBY,
            self.hot_standby.map(switch),
        );
        if reset != 0 {
            attributes.put(attr::RESET, [reset]);
        }
    }
}
