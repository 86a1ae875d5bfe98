// SPDX-License-Identifier: GPL-2.0

//! Contexts (RFC 5533 section 6) as the kernel's configuration interface knows them: the types, how
//! they are written by people, and how they become JSON. [`request`] turns them into attributes,
//! [`answer`] attributes into them, [`show`] prints.
//!
//! The fields of a type that is serialized, and their order, are the schema of `--json`.

pub(crate) mod answer;
pub(crate) mod locator;
pub(crate) mod request;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod show;
pub(crate) mod watch;
pub(crate) mod words;

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;
use std::time::Duration;

use serde::{
    Serialize,
    Serializer, //
};

use locator::Locator;
use watch::{
    Watch,
    WatchChange, //
};
use words::{
    Cause,
    Event,
    Origin,
    PairReason,
    Reap,
    State, //
};

/// What names a context: its ULID pair and Forked Instance Identifier (RFC 5533 section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Identity {
    pub(crate) ulid_local: Ipv6Addr,
    pub(crate) ulid_peer: Ipv6Addr,
    pub(crate) fii: u32,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            ulid_local,
            ulid_peer,
            fii,
        } = self;
        write!(f, "ulid-local {ulid_local} ulid-peer {ulid_peer} fii {fii}")
    }
}

/// Names one existing context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selector {
    Identity(Identity),
    /// CT(local), which is unique on a host.
    Tag(ContextTag),
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(identity) => identity.fmt(f),
            Self::Tag(tag) => write!(f, "tag-local {tag}"),
        }
    }
}

/// A context tag: 47 bits, written as twelve hexadecimal digits (RFC 5533 section 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ContextTag(u64);

impl ContextTag {
    const BITS: u32 = 47;

    /// A tag of this value, if it has no more than 47 bits.
    pub(crate) fn new(value: u64) -> Option<Self> {
        (value < 1 << Self::BITS).then_some(Self(value))
    }

    /// The tag as a number.
    pub(crate) fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ContextTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

impl Serialize for ContextTag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for ContextTag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))
            .unwrap_or(text);
        // `from_str_radix` takes a sign.
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err("a context tag is a hexadecimal number".into());
        }
        u64::from_str_radix(digits, 16)
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| {
                let bits = Self::BITS;
                let most = Self((1 << bits) - 1);
                format!("a context tag has at most {bits} bits, so {most} is the largest")
            })
    }
}

/// A static context to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewContext {
    pub(crate) identity: Identity,
    pub(crate) tag_local: ContextTag,
    pub(crate) tag_peer: ContextTag,
    /// Empty: the ULID alone.
    pub(crate) locator_local: Vec<Locator>,
    /// Empty: the ULID alone.
    pub(crate) locator_peer: Vec<Locator>,
    pub(crate) current: CurrentPair,
}

/// The current locator pair, Lp(local) and Lp(peer), where it is to be set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CurrentPair {
    pub(crate) local: Option<Ipv6Addr>,
    pub(crate) peer: Option<Ipv6Addr>,
}

/// What is to change in a context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) current: CurrentPair,
    /// Local locators with other preferences.
    pub(crate) locator_local: Vec<Locator>,
    /// Constants of failure detection.
    pub(crate) watch: WatchChange,
}

/// A context as the kernel describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Context {
    #[serde(flatten)]
    pub(crate) identity: Identity,
    pub(crate) state: State,
    /// None for a peer that did not answer: nothing is kept of its context (RFC 5533, Section 6.2).
    pub(crate) tag_local: Option<ContextTag>,
    /// Unknown until the peer has told it.
    pub(crate) tag_peer: Option<ContextTag>,
    /// Ls(local).
    pub(crate) locator_local: Vec<Locator>,
    /// Ls(peer).
    pub(crate) locator_peer: Vec<Locator>,
    /// Lp(local).
    pub(crate) current_local: Option<Ipv6Addr>,
    /// Lp(peer).
    pub(crate) current_peer: Option<Ipv6Addr>,
    /// Time since the last packet was sent through the context.
    #[serde(rename = "last_tx_ms", serialize_with = "milliseconds")]
    pub(crate) last_tx: Option<Duration>,
    /// Time since the last packet was received through the context.
    #[serde(rename = "last_rx_ms", serialize_with = "milliseconds")]
    pub(crate) last_rx: Option<Duration>,
    /// Changes of the current pair.
    pub(crate) switches: u64,
    /// Who made the context. An older kernel does not say.
    pub(crate) origin: Option<Origin>,
    /// Name of the local identity that the context uses.
    #[serde(rename = "identity")]
    pub(crate) name: Option<String>,
    /// Why the current pair is that. An older kernel does not say.
    pub(crate) pair_reason: Option<PairReason>,
    /// Generation of Ls(local).
    pub(crate) generation_local: Option<u32>,
    /// Generation of Ls(peer), once the peer has sent that list.
    pub(crate) generation_peer: Option<u32>,
    /// Time until the next timer of the state machine.
    #[serde(rename = "timer_ms", serialize_with = "milliseconds")]
    pub(crate) timer: Option<Duration>,
    /// Retransmissions of the message that is waited for.
    pub(crate) retries: u8,
    /// Whether an Update Request is not acknowledged yet.
    pub(crate) update_outstanding: bool,
    /// What failure detection thinks of the current pair, where there is one.
    pub(crate) reap: Option<Reap>,
    /// Failure detection, where there is one.
    #[serde(rename = "failure_detection")]
    pub(crate) watch: Option<Watch>,
    /// The socket that a fork of this host was made for: its cookie, as `ss -e` shows it.
    pub(crate) owner_cookie: Option<u64>,
    /// The same socket: its inode.
    pub(crate) owner_inode: Option<u64>,
    /// Events, the last one first.
    pub(crate) history: Vec<Incident>,
}

/// An event in the history of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Incident {
    pub(crate) event: Event,
    /// The state after it.
    pub(crate) state: State,
    pub(crate) cause: Cause,
    /// Time since.
    #[serde(rename = "age_ms", serialize_with = "some_milliseconds")]
    pub(crate) age: Duration,
}

impl Context {
    /// Whether packets of the context carry this tag, those that are received or those that are sent.
    pub(crate) fn has_tag(&self, tag: ContextTag) -> bool {
        [self.tag_local, self.tag_peer].contains(&Some(tag))
    }
}

fn milliseconds<S: Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    // The kernel counts them in 64 bits, so the conversion does not fail.
    span.and_then(|span| u64::try_from(span.as_millis()).ok())
        .serialize(serializer)
}

fn some_milliseconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    milliseconds(&Some(*span), serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_hexadecimal_with_or_without_0x() {
        let value = |text: &str| text.parse::<ContextTag>().map(ContextTag::value);
        assert_eq!(value("a1"), Ok(0xa1));
        assert_eq!(value("0xA1"), Ok(0xa1));
        assert_eq!(value("0X00a1"), Ok(0xa1));
        assert_eq!(value("0"), Ok(0));
        assert_eq!(value("00000000000000000000a1"), Ok(0xa1));
        assert_eq!(value("7fffffffffff"), Ok(0x7fff_ffff_ffff));
    }

    #[test]
    fn bad_tags_say_what_is_wrong() {
        let refusal = |text: &str| text.parse::<ContextTag>().unwrap_err();
        for text in ["", "0x", "xyz", "+1", "-1", "1 ", "0x0x1", "1_0"] {
            assert_eq!(refusal(text), "a context tag is a hexadecimal number");
        }
        for text in ["800000000000", "ffffffffffffffff", "10000000000000000"] {
            assert_eq!(
                refusal(text),
                "a context tag has at most 47 bits, so 7fffffffffff is the largest"
            );
        }
    }

    #[test]
    fn a_context_has_the_tags_of_both_directions() {
        let context = show::tests::context();
        let has = |value| context.has_tag(ContextTag::new(value).unwrap());
        assert!(has(0xa1) && has(0x7fff_ffff_ffff));
        assert!(!has(0xa2) && !has(0));
    }

    #[test]
    fn tags_are_written_as_twelve_digits() {
        assert_eq!(ContextTag::new(0xa1).unwrap().to_string(), "0000000000a1");
        assert!(ContextTag::new(1 << 47).is_none());
    }
}
