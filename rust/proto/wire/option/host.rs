// SPDX-License-Identifier: GPL-2.0

//! What a host tells about itself in I2, R2, I2bis and Update Request, and the Keepalive Timeout
//! option (RFC 5534, Section 5.3) among it.

use core::num::NonZeroU16;

use super::{
    LocatorList,
    LocatorPreferences, //
};

/// The options that describe the sender of a message. Each is optional here; which of them has to
/// come with which is a question of the context's state (RFC 5533, Sections 5.6 and 5.10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HostOptions<'a> {
    /// The whole list of its locators.
    pub locator_list: Option<LocatorList<'a>>,
    /// How it would like them to be used.
    pub locator_preferences: Option<LocatorPreferences<'a>>,
    /// The octets of its CGA Parameter Data Structure, for
    /// [`Pds::parse`](super::super::super::pds::Pds::parse).
    pub cga_parameters: Option<&'a [u8]>,
    /// The octets of its signature over the CGA locators.
    pub cga_signature: Option<&'a [u8]>,
    /// How soon it expects a Keepalive.
    pub keepalive_timeout: Option<KeepaliveTimeout>,
}

/// The Keepalive Timeout that a host asks its peer to use, in seconds (RFC 5534, Section 5.3).
///
/// 0 has no meaning, so an option that says 0 is as good as absent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct KeepaliveTimeout(NonZeroU16);

impl KeepaliveTimeout {
    /// The timeout of so many seconds; [`None`] for 0.
    pub const fn new(seconds: u16) -> Option<Self> {
        match NonZeroU16::new(seconds) {
            Some(seconds) => Some(Self(seconds)),
            None => None,
        }
    }

    /// The timeout in seconds, never 0.
    pub const fn seconds(self) -> u16 {
        self.0.get()
    }
}
