// SPDX-License-Identifier: GPL-2.0

//! Addresses in their two roles, and what the protocol says about a locator: how it is verified
//! and how its owner would like it to be used (RFC 5533, Sections 1.2, 5.15.2 and 5.15.3).

use core::{
    fmt,
    net::Ipv6Addr, //
};

/// The most locators in a list of a context, and therefore in one that is signed or verified: as
/// many as applications are ever shown (RFC 6316, Section 13, SHIM_MAX_LOCATORS).
pub const MAX_LOCATORS: usize = 32;

macro_rules! address {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The address with these octets, in the order of the wire.
            pub const fn new(octets: [u8; 16]) -> Self {
                Self(octets)
            }

            /// The octets, in the order of the wire.
            pub const fn octets(self) -> [u8; 16] {
                self.0
            }

            /// The octets, borrowed.
            pub const fn as_octets(&self) -> &[u8; 16] {
                &self.0
            }

            /// The /64 prefix: the first eight octets (RFC 5535, Section 6).
            pub const fn subnet_prefix(self) -> [u8; 8] {
                let [a, b, c, d, e, f, g, h, ..] = self.0;
                [a, b, c, d, e, f, g, h]
            }

            /// ff00::/8.
            pub const fn is_multicast(self) -> bool {
                matches!(self.0, [0xff, ..])
            }

            /// The address ::.
            pub const fn is_unspecified(self) -> bool {
                matches!(self.0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            }

            /// The address ::1.
            pub const fn is_loopback(self) -> bool {
                matches!(self.0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
            }

            /// fe80::/10.
            pub const fn is_link_local(self) -> bool {
                matches!(self.0, [0xfe, 0x80..=0xbf, ..])
            }

            /// ::ffff:0:0/96, IPv4 in the clothing of IPv6. Such an address is never on the wire.
            pub const fn is_v4_mapped(self) -> bool {
                matches!(self.0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ..])
            }

            /// Whether a control message may come from or go to this address: neither multicast
            /// nor unspecified (RFC 5533, Section 12.3).
            pub const fn is_unicast(self) -> bool {
                !self.is_multicast() && !self.is_unspecified()
            }

            /// Whether the shim may deal with this address at all: unicast, and neither
            /// loopback, link-local nor IPv4-mapped. Those mean nothing on another link, so they
            /// can be neither half of a context (RFC 5533, Section 1.4).
            pub const fn is_shimmable(self) -> bool {
                self.is_unicast()
                    && !self.is_loopback()
                    && !self.is_link_local()
                    && !self.is_v4_mapped()
            }
        }

        impl From<Ipv6Addr> for $name {
            fn from(address: Ipv6Addr) -> Self {
                Self(address.octets())
            }
        }

        impl From<$name> for Ipv6Addr {
            fn from(address: $name) -> Self {
                Ipv6Addr::from(address.0)
            }
        }

        /// The text form of RFC 5952.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&Ipv6Addr::from(self.0), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

address! {
    /// Upper-layer identifier: the address that transports and applications see.
    Ulid
}

address! {
    /// An address in a packet on the wire, which routers look at.
    Locator
}

impl Ulid {
    /// This address as a locator. A ULID is a locator too until renumbering takes it away
    /// (RFC 5533, Section 1.2).
    pub const fn as_locator(self) -> Locator {
        Locator(self.0)
    }
}

impl Locator {
    /// This address as a ULID: without a context, and without a ULID Pair option in a message,
    /// the addresses of the packet are the ULIDs (RFC 5533, Section 5.4).
    pub const fn as_ulid(self) -> Ulid {
        Ulid(self.0)
    }
}

/// The ULIDs of a context, as this host sees them (RFC 5533, Section 6.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct UlidPair {
    /// ULID(local).
    pub local: Ulid,
    /// ULID(peer).
    pub peer: Ulid,
}

impl UlidPair {
    /// The ULIDs as locators, the pair that a context starts with.
    pub const fn as_locators(self) -> LocatorPair {
        LocatorPair {
            local: self.local.as_locator(),
            peer: self.peer.as_locator(),
        }
    }
}

/// A locator of this host and one of the peer, for example Lp(local) and Lp(peer) (RFC 5533,
/// Section 6.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LocatorPair {
    /// The locator of this host.
    pub local: Locator,
    /// The locator of the peer.
    pub peer: Locator,
}

/// How a locator can be proved to belong to the owner of the ULID (RFC 5533, Section 5.15.2).
///
/// Any octet can arrive; only [`HBA`](Self::HBA) and [`CGA`](Self::CGA) can be verified.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct VerificationMethod(u8);

impl VerificationMethod {
    /// Hash-Based Addresses (RFC 5535).
    ///
    /// Table 4 of RFC 5533 has HBA = 1 and CGA = 2, its Section 17 has them exchanged. The table
    /// is what implementations and dissectors follow.
    pub const HBA: Self = Self(1);

    /// Cryptographically Generated Addresses (RFC 3972).
    pub const CGA: Self = Self(2);

    /// The method with this code.
    pub const fn new(code: u8) -> Self {
        Self(code)
    }

    /// The code on the wire.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether this is a method that can be verified.
    pub const fn is_supported(self) -> bool {
        matches!(self, Self::HBA | Self::CGA)
    }
}

/// An entry of a locator list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LocatorRecord {
    /// The address.
    pub locator: Locator,
    /// How it is verified.
    pub method: VerificationMethod,
}

/// Flags of a locator in a Locator Preferences option (RFC 5533, Section 5.15.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(transparent)]
pub struct PreferenceFlags(u8);

impl PreferenceFlags {
    /// The locator is known not to work.
    pub const BROKEN: Self = Self(0x01);

    /// The locator is less stable than others, as a care-of address is.
    pub const TRANSIENT: Self = Self(0x02);

    /// The flags in this octet, with the undefined ones as they are.
    pub const fn new(octet: u8) -> Self {
        Self(octet)
    }

    /// The octet on the wire.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether BROKEN is set.
    pub const fn is_broken(self) -> bool {
        self.0 & Self::BROKEN.0 != 0
    }

    /// Whether TRANSIENT is set.
    pub const fn is_transient(self) -> bool {
        self.0 & Self::TRANSIENT.0 != 0
    }
}

/// What a host says about the use of one of its locators: one element of a Locator Preferences
/// option (RFC 5533, Section 5.15.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Preference {
    /// The flags.
    pub flags: PreferenceFlags,
    /// Lower numbers first, as in DNS SRV (RFC 2782). [`None`] in elements of one octet: no
    /// opinion.
    pub priority: Option<u8>,
    /// Share among locators of equal priority, as in DNS SRV. [`None`] in elements of one or two
    /// octets.
    pub weight: Option<u8>,
}
