// SPDX-License-Identifier: GPL-2.0

//! Options and their values as programs write them: `include/uapi/linux/shim6.h`.

use crate::{
    bindings,
    context::{
        KnownLocator,
        Side, //
    },
    kernel_ext::sockopt::Value,
    proto::locator::{
        Locator,
        VerificationMethod, //
    },
};
use core::mem::offset_of;
use kernel::{
    ffi::c_int,
    prelude::*, //
};

/// An option that is served.
#[derive(Clone, Copy)]
pub(super) enum Name {
    /// SHIM_ASSOCIATED.
    Associated,
    /// SHIM_DONTSHIM.
    DontShim,
    /// SHIM_LOC_LOCAL_PREF and SHIM_LOC_PEER_PREF.
    Preference(Side),
    /// SHIM_CONTEXT_DEFERRED_SETUP.
    DeferredSetup,
    /// SHIM_LOCLIST_LOCAL and SHIM_LOCLIST_PEER.
    List(Side),
}

impl Name {
    /// The option with this number.
    pub(super) fn new(number: c_int) -> Option<Self> {
        match u32::try_from(number).ok()? {
            bindings::SHIM_ASSOCIATED => Some(Self::Associated),
            bindings::SHIM_DONTSHIM => Some(Self::DontShim),
            bindings::SHIM_LOC_LOCAL_PREF => Some(Self::Preference(Side::Local)),
            bindings::SHIM_LOC_PEER_PREF => Some(Self::Preference(Side::Peer)),
            bindings::SHIM_CONTEXT_DEFERRED_SETUP => Some(Self::DeferredSetup),
            bindings::SHIM_LOCLIST_LOCAL => Some(Self::List(Side::Local)),
            bindings::SHIM_LOCLIST_PEER => Some(Self::List(Side::Peer)),
            _ => None,
        }
    }
}

/// Value of SHIM_DONTSHIM and SHIM_CONTEXT_DEFERRED_SETUP.
#[derive(Clone, Copy)]
pub(super) struct Switch(pub(super) bool);

impl Switch {
    /// [`EINVAL`] for all but 0 and 1.
    pub(super) fn parse(value: &Value<'_>) -> Result<Self> {
        match c_int::from_ne_bytes(value.read()?) {
            0 => Ok(Self(false)),
            1 => Ok(Self(true)),
            _ => Err(EINVAL),
        }
    }
}

/// Octets of `struct shim_locator`.
pub(super) const RECORD_LEN: usize = 20;

// The draft's layout (Section 7.1), which parsing and writing below spell out.
const _: () = {
    assert!(size_of::<bindings::shim_locator>() == RECORD_LEN);
    assert!(align_of::<bindings::shim_locator>() == 1);
    assert!(offset_of!(bindings::shim_locator, lc_family) == 0);
    assert!(offset_of!(bindings::shim_locator, lc_ifidx) == 1);
    assert!(offset_of!(bindings::shim_locator, lc_flags) == 2);
    assert!(offset_of!(bindings::shim_locator, lc_preference) == 3);
    assert!(offset_of!(bindings::shim_locator, lc_addr) == 4);
};

const FAMILY_IPV4: u8 = bindings::AF_INET as u8;
const FAMILY_IPV6: u8 = bindings::AF_INET6 as u8;

/// Value of SHIM_LOC_LOCAL_PREF and SHIM_LOC_PEER_PREF when they are set.
pub(super) struct PreferredLocator {
    /// The locator; `None` for one of IPv4, which no context has (choice A-8).
    pub(super) locator: Option<Locator>,
    /// Its priority, as of DNS SRV: lower is better.
    pub(super) priority: u8,
}

impl PreferredLocator {
    /// `None` for no value at all, which disables the option (choice A-15). Interface and flags are
    /// ignored (draft, Sections 5.5 and 5.6).
    pub(super) fn parse(value: &Value<'_>) -> Result<Option<Self>> {
        if value.is_absent() {
            return Ok(None);
        }
        let [family, _interface, _flags, preference, address @ ..]: [u8; RECORD_LEN] =
            value.read()?;
        let locator = match family {
            FAMILY_IPV6 => Some(Locator::new(address)),
            FAMILY_IPV4 => None,
            _ => return Err(EINVAL),
        };
        Ok(Some(Self {
            locator,
            priority: u8::MAX ^ preference,
        }))
    }
}

/// `struct shim_locator` of a locator that is in a list. The interface is that of a local locator,
/// none for one of the peer.
pub(super) fn record(known: &KnownLocator, interface: Option<u32>) -> [u8; RECORD_LEN] {
    let mut record = [0; RECORD_LEN];
    let [family, index, flags, preference, address @ ..] = &mut record;
    *family = FAMILY_IPV6;
    // Indices above 255 do not fit (choice A-9).
    *index = interface
        .and_then(|interface| u8::try_from(interface).ok())
        .unwrap_or(0);
    *flags = match known.verification {
        Some(VerificationMethod::HBA) => bindings::SHIM_LC_HBA as u8,
        Some(VerificationMethod::CGA) => bindings::SHIM_LC_CGA as u8,
        _ => 0,
    };
    // The best is 255 here and 0 in the protocol (choice A-10). A locator about which its owner
    // said nothing is as good as the best.
    *preference = u8::MAX ^ known.preference.priority.unwrap_or(0);
    *address = known.locator.octets();
    record
}
