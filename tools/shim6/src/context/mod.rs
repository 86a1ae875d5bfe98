// SPDX-License-Identifier: GPL-2.0

//! Contexts (RFC 5533 section 6) as the kernel's configuration interface knows them: the types, how
//! they are written by people, and how they become JSON. [`message`] turns them into attributes and
//! back, [`client`] asks the kernel, [`show`] prints.
//!
//! The fields of a type that is serialized, and their order, are the schema of `--json`.

pub(crate) mod client;
pub(crate) mod message;
pub(crate) mod show;

use std::fmt;
use std::net::{
    Ipv4Addr,
    Ipv6Addr, //
};
use std::str::FromStr;
use std::time::Duration;

use serde::{
    Serialize,
    Serializer, //
};

use crate::abi;

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

/// An address that can be a ULID or a locator: IPv6, unicast, and good beyond one link.
pub(crate) fn parse_address(text: &str) -> Result<Ipv6Addr, String> {
    let Ok(address) = text.parse::<Ipv6Addr>() else {
        return Err(if text.parse::<Ipv4Addr>().is_ok() {
            format!("{text} is an IPv4 address; ULIDs and locators are IPv6 addresses")
        } else if text.contains('%') {
            "an address with a zone is good on one link only; ULIDs and locators are good \
             beyond it"
                .into()
        } else if text.contains('/') {
            "a prefix length is given; ULIDs and locators are single addresses".into()
        } else {
            "not an IPv6 address".into()
        });
    };
    let unfit = if address.is_unspecified() {
        "is the unspecified address"
    } else if address.is_loopback() {
        "is the loopback address"
    } else if address.is_multicast() {
        "is a multicast address"
    } else if address.is_unicast_link_local() {
        "is a link-local address"
    } else if address.to_ipv4_mapped().is_some() {
        "is an IPv4-mapped address"
    } else {
        return Ok(address);
    };
    Err(format!("{address} {unfit}, no ULID or locator"))
}

/// How the owner of a locator proves that it owns it (RFC 5533 section 5.15.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verification {
    /// Taken on the administrator's word.
    None,
    Hba,
    Cga,
    /// A method that this version does not know.
    Other(u8),
}

impl From<u8> for Verification {
    fn from(method: u8) -> Self {
        match method {
            0 => Self::None,
            abi::verification::HBA => Self::Hba,
            abi::verification::CGA => Self::Cga,
            other => Self::Other(other),
        }
    }
}

impl From<Verification> for u8 {
    fn from(verification: Verification) -> Self {
        match verification {
            Verification::None => 0,
            Verification::Hba => abi::verification::HBA,
            Verification::Cga => abi::verification::CGA,
            Verification::Other(other) => other,
        }
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Hba => f.write_str("hba"),
            Self::Cga => f.write_str("cga"),
            Self::Other(method) => write!(f, "method-{method}"),
        }
    }
}

impl Serialize for Verification {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An element of Ls(local) or Ls(peer): an address, its verification method and its preferences
/// (RFC 5533 section 5.15.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Locator {
    pub(crate) address: Ipv6Addr,
    pub(crate) verification: Verification,
    pub(crate) priority: u8,
    pub(crate) weight: u8,
    pub(crate) broken: bool,
    pub(crate) transient: bool,
}

impl Locator {
    /// A locator without verification method and with the lowest numbers as preferences.
    pub(crate) fn new(address: Ipv6Addr) -> Self {
        Self {
            address,
            verification: Verification::None,
            priority: 0,
            weight: 0,
            broken: false,
            transient: false,
        }
    }
}

impl FromStr for Locator {
    type Err = String;

    /// `ADDRESS[,priority=N][,weight=N][,broken][,transient][,hba|cga]`, words in any order.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split(',');
        let mut locator = Self::new(parse_address(words.next().unwrap_or_default())?);
        let mut seen = Vec::new();
        for word in words {
            let (key, number) = match word.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (word, None),
            };
            let preference = || {
                number
                    .and_then(|digits| digits.parse::<u8>().ok())
                    .ok_or_else(|| format!("{key} takes a number from 0 to 255, as in {key}=10"))
            };
            let plain = || match number {
                Some(_) => Err(format!("{key} takes no value")),
                None => Ok(()),
            };
            let mut slot = key;
            match key {
                "priority" => locator.priority = preference()?,
                "weight" => locator.weight = preference()?,
                "broken" => {
                    plain()?;
                    locator.broken = true;
                }
                "transient" => {
                    plain()?;
                    locator.transient = true;
                }
                "hba" | "cga" => {
                    plain()?;
                    slot = "hba or cga";
                    locator.verification = match key {
                        "hba" => Verification::Hba,
                        _ => Verification::Cga,
                    };
                }
                _ => {
                    return Err(format!(
                        "\"{word}\" is none of priority=N, weight=N, broken, transient, hba, cga"
                    ));
                }
            }
            if seen.contains(&slot) {
                return Err(format!("{slot} is given twice"));
            }
            seen.push(slot);
        }
        Ok(locator)
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

/// State of a context (RFC 5533 section 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(pub(crate) u8);

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            abi::state::IDLE => "IDLE",
            abi::state::I1_SENT => "I1-SENT",
            abi::state::I2_SENT => "I2-SENT",
            abi::state::I2BIS_SENT => "I2BIS-SENT",
            abi::state::ESTABLISHED => "ESTABLISHED",
            abi::state::E_FAILED => "E-FAILED",
            abi::state::NO_SUPPORT => "NO-SUPPORT",
            other => return write!(f, "state-{other}"),
        })
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A context as the kernel describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Context {
    #[serde(flatten)]
    pub(crate) identity: Identity,
    pub(crate) state: State,
    pub(crate) tag_local: ContextTag,
    /// Unknown until the peer has told it.
    pub(crate) tag_peer: Option<ContextTag>,
    /// Ls(local).
    pub(crate) locator_local: Vec<Locator>,
    /// Ls(peer).
    pub(crate) locator_peer: Vec<Locator>,
    /// Lp(local).
    pub(crate) current_local: Ipv6Addr,
    /// Lp(peer).
    pub(crate) current_peer: Ipv6Addr,
    /// Time since the last packet was sent through the context.
    #[serde(rename = "last_tx_ms", serialize_with = "milliseconds")]
    pub(crate) last_tx: Option<Duration>,
    /// Time since the last packet was received through the context.
    #[serde(rename = "last_rx_ms", serialize_with = "milliseconds")]
    pub(crate) last_rx: Option<Duration>,
    /// Changes of the current pair.
    pub(crate) switches: u64,
}

fn milliseconds<S: Serializer>(age: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    // The kernel counts them in 64 bits, so the conversion does not fail.
    age.and_then(|age| u64::try_from(age.as_millis()).ok())
        .serialize(serializer)
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
    fn tags_are_written_as_twelve_digits() {
        assert_eq!(ContextTag::new(0xa1).unwrap().to_string(), "0000000000a1");
        assert!(ContextTag::new(1 << 47).is_none());
    }

    #[test]
    fn addresses_that_cannot_be_ulids_or_locators() {
        for (text, word) in [
            ("192.0.2.1", "IPv4 address"),
            ("::ffff:192.0.2.1", "IPv4-mapped"),
            ("fe80::1", "link-local"),
            ("febf::1", "link-local"),
            ("fe80::1%eth0", "zone"),
            ("2001:db8::1/64", "prefix length"),
            ("ff02::1", "multicast"),
            ("::1", "loopback"),
            ("::", "unspecified"),
            ("example.org", "not an IPv6 address"),
            ("", "not an IPv6 address"),
        ] {
            let refusal = parse_address(text).unwrap_err();
            assert!(refusal.contains(word), "{text}: {refusal}");
        }
        for text in ["2001:db8::1", "fd00::1", "2001:DB8:0:0::1", "fec0::1"] {
            assert!(parse_address(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn locators_take_their_words_in_any_order() {
        let plain = Locator::new("2001:db8::1".parse().unwrap());
        assert_eq!("2001:db8::1".parse(), Ok(plain));
        let full = Locator {
            verification: Verification::Cga,
            priority: 1,
            weight: 255,
            broken: true,
            transient: true,
            ..plain
        };
        for text in [
            "2001:db8::1,priority=1,weight=255,broken,transient,cga",
            "2001:db8::1,cga,transient,broken,weight=255,priority=1",
        ] {
            assert_eq!(text.parse(), Ok(full));
        }
    }

    #[test]
    fn bad_locators_say_what_is_wrong() {
        for (text, word) in [
            ("2001:db8::1,", "none of priority=N"),
            ("2001:db8::1,fast", "\"fast\" is none of"),
            ("2001:db8::1,priority", "priority takes a number"),
            ("2001:db8::1,priority=256", "from 0 to 255"),
            ("2001:db8::1,weight=-1", "weight takes a number"),
            ("2001:db8::1,broken=1", "broken takes no value"),
            ("2001:db8::1,hba,cga", "hba or cga is given twice"),
            ("2001:db8::1,weight=1,weight=1", "weight is given twice"),
            ("192.0.2.1,hba", "IPv4 address"),
            (",hba", "not an IPv6 address"),
        ] {
            let refusal = text.parse::<Locator>().unwrap_err();
            assert!(refusal.contains(word), "{text}: {refusal}");
        }
    }

    #[test]
    fn states_have_the_names_of_the_rfc() {
        let names: Vec<_> = (0..=7).map(|state| State(state).to_string()).collect();
        assert_eq!(
            names,
            [
                "IDLE",
                "I1-SENT",
                "I2-SENT",
                "I2BIS-SENT",
                "ESTABLISHED",
                "E-FAILED",
                "NO-SUPPORT",
                "state-7"
            ]
        );
    }

    #[test]
    fn verification_methods_keep_their_numbers() {
        for method in 0..=255 {
            assert_eq!(u8::from(Verification::from(method)), method);
        }
        assert_eq!(Verification::from(200).to_string(), "method-200");
    }
}
