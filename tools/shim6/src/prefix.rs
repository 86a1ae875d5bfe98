// SPDX-License-Identifier: GPL-2.0

//! Prefixes on the command line: those of peers, of any length, and those of the addresses that a
//! set is made for, of 64 bits.

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

/// Bits of an address.
const BITS: u8 = 128;

/// A prefix of addresses. The bits behind it are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Prefix {
    address: Ipv6Addr,
    len: u8,
}

impl Prefix {
    /// A prefix of `len` bits; [`None`] for more than an address has, or for bits behind it.
    pub(crate) fn new(address: Ipv6Addr, len: u8) -> Option<Self> {
        (len <= BITS && first_bits(address, len) == address).then_some(Self { address, len })
    }

    /// The prefix as an address.
    pub(crate) fn address(self) -> Ipv6Addr {
        self.address
    }

    /// Its length in bits, 0 to 128.
    pub(crate) fn len(self) -> u8 {
        self.len
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.len)
    }
}

impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((address, len)) = text.split_once('/') else {
            return Err("a prefix is ADDRESS/LENGTH, as in 2001:db8::/32".into());
        };
        let address: Ipv6Addr = address.parse().map_err(|_| {
            if address.parse::<Ipv4Addr>().is_ok() {
                format!("{text} is an IPv4 prefix; ULIDs are IPv6 addresses")
            } else {
                format!("{address} is not an IPv6 address")
            }
        })?;
        // `parse` takes a sign.
        let len = match len.bytes().all(|digit| digit.is_ascii_digit()) {
            true => len.parse().ok().filter(|len| *len <= BITS),
            false => None,
        }
        .ok_or("the length of a prefix is a number from 0 to 128")?;
        Self::new(address, len).ok_or_else(|| {
            let address = first_bits(address, len);
            format!("bits behind the prefix are set; the prefix is {address}/{len}")
        })
    }
}

/// The address with all bits but the first `len` cleared.
fn first_bits(address: Ipv6Addr, len: u8) -> Ipv6Addr {
    let behind = u32::from(BITS.saturating_sub(len));
    let mask = u128::MAX.checked_shl(behind).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & mask)
}

/// The prefix of a CGA or an HBA: 64 bits (RFC 3972 section 3), and fit for ULIDs and locators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SubnetPrefix([u8; 8]);

impl SubnetPrefix {
    const BITS: u8 = 64;

    /// The octets of the prefix.
    pub(crate) fn octets(self) -> [u8; 8] {
        self.0
    }
}

impl From<[u8; 8]> for SubnetPrefix {
    fn from(octets: [u8; 8]) -> Self {
        Self(octets)
    }
}

impl fmt::Display for SubnetPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from(u64::from_be_bytes(self.0)) << 64;
        write!(f, "{}/{}", Ipv6Addr::from_bits(bits), Self::BITS)
    }
}

impl Serialize for SubnetPrefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for SubnetPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Prefix { address, len } = text.parse()?;
        if len != Self::BITS {
            return Err(format!(
                "a prefix of {len} bits; CGAs and HBAs have one of 64, as in 2001:db8:a:1::/64"
            ));
        }
        let [a, b, c, d, e, f, g, h, ..] = address.octets();
        let unfit = if address.is_multicast() {
            "is of multicast addresses"
        } else if address.is_unicast_link_local() {
            "is of link-local addresses"
        } else if address.is_unspecified() {
            "is of the loopback address and of IPv4-mapped ones"
        } else {
            return Ok(Self([a, b, c, d, e, f, g, h]));
        };
        Err(format!("{text} {unfit}, no ULIDs or locators"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_all_lengths() {
        for (text, len) in [
            ("::/0", 0),
            ("2001:db8::/32", 32),
            ("8000::/1", 1),
            ("2001:db8::1/128", 128),
        ] {
            let prefix: Prefix = text.parse().unwrap();
            assert_eq!(prefix.len(), len);
            assert_eq!(prefix.to_string(), text);
        }
    }

    #[test]
    fn bad_prefixes_say_what_is_wrong() {
        for (text, word) in [
            ("2001:db8::", "ADDRESS/LENGTH"),
            ("2001:db8::/129", "from 0 to 128"),
            ("2001:db8::/", "from 0 to 128"),
            ("2001:db8::/+32", "from 0 to 128"),
            ("2001:db8::/-1", "from 0 to 128"),
            ("2001:db8::/256", "from 0 to 128"),
            ("192.0.2.0/24", "IPv4 prefix"),
            ("/64", "not an IPv6 address"),
            ("fe80::1%eth0/64", "not an IPv6 address"),
            ("2001:db8::1/64", "the prefix is 2001:db8::/64"),
            ("2001:db8:ffff::/33", "the prefix is 2001:db8:8000::/33"),
            ("::1/0", "the prefix is ::/0"),
        ] {
            let refusal = text.parse::<Prefix>().unwrap_err();
            assert!(refusal.contains(word), "{text}: {refusal}");
        }
        assert_eq!(Prefix::new(Ipv6Addr::UNSPECIFIED, 129), None);
        assert_eq!(Prefix::new(Ipv6Addr::LOCALHOST, 127), None);
    }

    #[test]
    fn subnet_prefixes_have_64_bits() {
        let prefix: SubnetPrefix = "2001:db8:a:1::/64".parse().unwrap();
        assert_eq!(prefix.octets(), [0x20, 1, 0xd, 0xb8, 0, 0xa, 0, 1]);
        assert_eq!(prefix.to_string(), "2001:db8:a:1::/64");
        for (text, word) in [
            ("2001:db8:a::/48", "a prefix of 48 bits"),
            ("2001:db8:a:1::/65", "a prefix of 65 bits"),
            ("2001:db8:a:1::", "ADDRESS/LENGTH"),
            ("2001:db8:a:1::1/64", "the prefix is 2001:db8:a:1::/64"),
            ("ff0e::/64", "multicast"),
            ("fe80::/64", "link-local"),
            ("febf:1::/64", "link-local"),
            ("::/64", "loopback"),
        ] {
            let refusal = text.parse::<SubnetPrefix>().unwrap_err();
            assert!(refusal.contains(word), "{text}: {refusal}");
        }
    }
}
