// SPDX-License-Identifier: GPL-2.0

//! Locators: addresses, how their owner proves that it owns them, and how it would like them to be
//! used.

use std::fmt;
use std::net::{
    Ipv4Addr,
    Ipv6Addr, //
};
use std::str::FromStr;

use serde::{
    Serialize,
    Serializer, //
};

use crate::abi;

/// An IPv6 address of any kind.
pub(crate) fn parse_ipv6(text: &str) -> Result<Ipv6Addr, String> {
    text.parse().map_err(|_| {
        if text.parse::<Ipv4Addr>().is_ok() {
            format!("{text} is an IPv4 address; ULIDs and locators are IPv6 addresses")
        } else if text.contains('%') {
            "an address with a zone is good on one link only; ULIDs and locators are good \
             beyond it"
                .into()
        } else if text.contains('/') {
            "a prefix length is given; ULIDs and locators are single addresses".into()
        } else {
            "not an IPv6 address".into()
        }
    })
}

/// An address that can be a ULID or a locator: IPv6, unicast, and good beyond one link.
pub(crate) fn parse_address(text: &str) -> Result<Ipv6Addr, String> {
    let address = parse_ipv6(text)?;
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

/// An element of Ls(local) or Ls(peer): an address, its verification method, its preferences (RFC
/// 5533 section 5.15.3), and what the kernel found out about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Locator {
    pub(crate) address: Ipv6Addr,
    pub(crate) verification: Verification,
    pub(crate) priority: u8,
    pub(crate) weight: u8,
    pub(crate) broken: bool,
    pub(crate) transient: bool,
    /// Proved to belong to the owner of the ULID.
    pub(crate) verified: bool,
    /// The owner of the ULID answered from it.
    pub(crate) reachable: bool,
    /// A local one that the peer knows.
    pub(crate) acknowledged: bool,
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
            verified: false,
            reachable: false,
            acknowledged: false,
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

/// A locator with preferences and no verification method:
/// `ADDRESS[,priority=N][,weight=N][,broken][,transient]`.
pub(crate) fn parse_preferences(text: &str) -> Result<Locator, String> {
    let locator: Locator = text.parse()?;
    match locator.verification {
        Verification::None => Ok(locator),
        method => Err(format!(
            "the verification method of a locator does not change, so {method} cannot be given"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn preferences_come_without_a_method() {
        let text = "2001:db8::1,weight=7,broken";
        assert_eq!(parse_preferences(text), text.parse());
        for text in ["2001:db8::1,hba", "2001:db8::1,weight=7,cga"] {
            let refusal = parse_preferences(text).unwrap_err();
            assert!(refusal.contains("does not change"), "{text}: {refusal}");
        }
        let refusal = parse_preferences("2001:db8::1,weight=256").unwrap_err();
        assert!(refusal.contains("from 0 to 255"), "{refusal}");
    }

    #[test]
    fn verification_methods_keep_their_numbers() {
        for method in 0..=255 {
            assert_eq!(u8::from(Verification::from(method)), method);
        }
        assert_eq!(Verification::from(200).to_string(), "method-200");
    }
}
