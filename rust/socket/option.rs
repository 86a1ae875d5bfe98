// SPDX-License-Identifier: GPL-2.0

//! Options and their values as programs write them: `include/uapi/linux/shim6.h`.

use crate::{
    bindings,
    context::{
        Detection,
        KnownLocator,
        Side,
        Wanted, //
    },
    kernel_ext::sockopt::Value,
    proto::locator::{
        Locator,
        VerificationMethod,
        MAX_LOCATORS, //
    },
};
use core::mem::offset_of;
use kernel::{
    ffi::c_int,
    prelude::*, //
};

/// Whose structures and rules an option follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// draft-ietf-shim6-multihome-shim-api-03.
    Draft,
    /// RFC 6316, whose options have numbers of their own (choice A-4).
    Rfc,
}

/// An option that is served.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// SHIM_ASSOCIATED.
    Associated,
    /// SHIM_DONTSHIM.
    DontShim,
    /// SHIM_HOT_STANDBY.
    HotStandby,
    /// SHIM_LOC_LOCAL_PREF and SHIM_LOC_PEER_PREF.
    Preference(Side),
    /// SHIM_LOC_LOCAL_RECV and SHIM_LOC_PEER_RECV.
    Receive(Side),
    /// SHIM_LOCLIST_LOCAL and SHIM_LOCLIST_PEER.
    List(Side),
    /// SHIM_APP_TIMEOUT.
    AppTimeout,
    /// SHIM_PATHEXPLORE.
    PathExplore,
    /// SHIM_CONTEXT_DEFERRED_SETUP.
    DeferredSetup,
    /// SHIM_LOC_LOCAL_SEND and SHIM_LOC_PEER_SEND, options in RFC 6316 only.
    Send(Side),
}

impl Name {
    /// The option with this number.
    pub(super) fn new(number: c_int) -> Option<(Self, Form)> {
        let number = u32::try_from(number).ok()?;
        let (number, form) = match number.checked_sub(bindings::SHIM_RFC6316_BASE) {
            Some(number) => (number, Form::Rfc),
            None => (number, Form::Draft),
        };
        let name = match number {
            bindings::SHIM_ASSOCIATED => Self::Associated,
            bindings::SHIM_DONTSHIM => Self::DontShim,
            bindings::SHIM_HOT_STANDBY => Self::HotStandby,
            bindings::SHIM_LOC_LOCAL_PREF => Self::Preference(Side::Local),
            bindings::SHIM_LOC_PEER_PREF => Self::Preference(Side::Peer),
            bindings::SHIM_LOC_LOCAL_RECV => Self::Receive(Side::Local),
            bindings::SHIM_LOC_PEER_RECV => Self::Receive(Side::Peer),
            bindings::SHIM_LOCLIST_LOCAL => Self::List(Side::Local),
            bindings::SHIM_LOCLIST_PEER => Self::List(Side::Peer),
            bindings::SHIM_APP_TIMEOUT => Self::AppTimeout,
            bindings::SHIM_PATHEXPLORE => Self::PathExplore,
            bindings::SHIM_CONTEXT_DEFERRED_SETUP => Self::DeferredSetup,
            bindings::SHIM_LOC_LOCAL_SEND if form == Form::Rfc => Self::Send(Side::Local),
            bindings::SHIM_LOC_PEER_SEND if form == Form::Rfc => Self::Send(Side::Peer),
            _ => return None,
        };
        Some((name, form))
    }
}

/// Value of options that are on or off.
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

/// Octets of the draft's `struct shim_locator`.
pub(super) const RECORD_LEN: usize = 20;

/// Octets of that of the RFC.
pub(super) const RFC_RECORD_LEN: usize = 32;

// The layouts (draft, Section 7.1; RFC 6316, Section 8.1), which parsing and writing below spell
// out.
const _: () = {
    assert!(size_of::<bindings::shim_locator>() == RECORD_LEN);
    assert!(align_of::<bindings::shim_locator>() == 1);
    assert!(offset_of!(bindings::shim_locator, lc_family) == 0);
    assert!(offset_of!(bindings::shim_locator, lc_ifidx) == 1);
    assert!(offset_of!(bindings::shim_locator, lc_flags) == 2);
    assert!(offset_of!(bindings::shim_locator, lc_preference) == 3);
    assert!(offset_of!(bindings::shim_locator, lc_addr) == 4);

    assert!(size_of::<bindings::shim_rfc6316_locator>() == RFC_RECORD_LEN);
    assert!(offset_of!(bindings::shim_rfc6316_locator, lc_family) == 0);
    assert!(offset_of!(bindings::shim_rfc6316_locator, lc_proto) == 1);
    assert!(offset_of!(bindings::shim_rfc6316_locator, lc_port) == 2);
    assert!(offset_of!(bindings::shim_rfc6316_locator, lc_prio) == 4);
    assert!(offset_of!(bindings::shim_rfc6316_locator, lc_weight) == 6);
    assert!(offset_of!(bindings::shim_rfc6316_locator, lc_ifidx) == 8);
    assert!(offset_of!(bindings::shim_rfc6316_locator, lc_addr) == 12);
    assert!(offset_of!(bindings::shim_rfc6316_locator, lc_flags) == 28);

    assert!(size_of::<bindings::shim_pathexplore>() == 8);
    assert!(offset_of!(bindings::shim_pathexplore, pe_initprobeto) == 2);
    assert!(offset_of!(bindings::shim_pathexplore, pe_reserved) == 4);
    assert!(size_of::<bindings::shim_rfc6316_pathexplore>() == 12);
    assert!(offset_of!(bindings::shim_rfc6316_pathexplore, pe_keepaliveint) == 4);
    assert!(offset_of!(bindings::shim_rfc6316_pathexplore, pe_initprobeto) == 6);
    assert!(offset_of!(bindings::shim_rfc6316_pathexplore, pe_reserved) == 8);

    // Applications have space for that many.
    assert!(MAX_LOCATORS == bindings::SHIM_MAX_LOCATORS as usize);
};

const FAMILY_IPV4: u8 = bindings::AF_INET as u8;
const FAMILY_IPV6: u8 = bindings::AF_INET6 as u8;

impl Form {
    /// Octets of a record.
    pub(super) const fn record_len(self) -> usize {
        match self {
            Self::Draft => RECORD_LEN,
            Self::Rfc => RFC_RECORD_LEN,
        }
    }
}

/// `struct shim_locator` as a program gives it.
pub(super) enum Record {
    /// One that can be had.
    Wanted(Wanted),
    /// One that no context has: of IPv4 (choice A-8), or behind a NAT.
    Unusable,
}

impl Record {
    /// [`EINVAL`] for a family that is none of the Internet. Interface and flags are ignored
    /// (draft, Sections 5.5 and 5.6).
    fn parse(form: Form, octets: &[u8]) -> Result<Self> {
        match form {
            Form::Draft => {
                let octets: [u8; RECORD_LEN] = octets.try_into().map_err(|_| EINVAL)?;
                let [family, _interface, _flags, preference, address @ ..] = octets;
                match family {
                    FAMILY_IPV6 => Ok(Self::Wanted(Wanted {
                        locator: Locator::new(address),
                        priority: u8::MAX ^ preference,
                        weight: None,
                    })),
                    FAMILY_IPV4 => Ok(Self::Unusable),
                    _ => Err(EINVAL),
                }
            }
            Form::Rfc => {
                let octets: [u8; RFC_RECORD_LEN] = octets.try_into().map_err(|_| EINVAL)?;
                let [family, protocol, _, _, p0, p1, w0, w1, _, _, _, _, rest @ ..] = octets;
                let [address @ .., _, _, _, _] = rest;
                // The protocol has one octet for each.
                let octet = |low, high| u16::from_ne_bytes([low, high]).min(255) as u8;
                let locator = Locator::new(address);
                match family {
                    FAMILY_IPV6 if protocol == 0 && !locator.is_v4_mapped() => {
                        Ok(Self::Wanted(Wanted {
                            locator,
                            priority: octet(p0, p1),
                            weight: Some(octet(w0, w1)),
                        }))
                    }
                    FAMILY_IPV6 | FAMILY_IPV4 => Ok(Self::Unusable),
                    _ => Err(EINVAL),
                }
            }
        }
    }

    /// A single one; `None` for no value at all, which disables the option (choice A-15).
    pub(super) fn parse_one(form: Form, value: &Value<'_>) -> Result<Option<Self>> {
        if value.is_absent() {
            return Ok(None);
        }
        let mut octets = [0; RFC_RECORD_LEN];
        let octets = octets.get_mut(..form.record_len()).ok_or(EINVAL)?;
        value.read_to(octets)?;
        Self::parse(form, octets).map(Some)
    }

    /// One of RFC 6316's SHIM_LOC_*_SEND; `None` for zeros, which disable the option.
    pub(super) fn parse_sticky(value: &Value<'_>) -> Result<Option<Self>> {
        if value.is_absent() || value.read::<RFC_RECORD_LEN>()? == [0; RFC_RECORD_LEN] {
            return Ok(None);
        }
        Self::parse_one(Form::Rfc, value)
    }
}

/// A list of locators that a program gives: as many as fit into the value, one at least.
pub(super) struct Records(KVec<Wanted>);

impl Records {
    /// `None` for no value at all. [`EINVAL`] if there is no whole number of records, or none, or
    /// too many; the inner `None` if one of them is [`Record::Unusable`]. May sleep.
    pub(super) fn parse(form: Form, value: &Value<'_>) -> Result<Option<Option<Self>>> {
        if value.is_absent() {
            return Ok(None);
        }
        let len = form.record_len();
        let count = value.len() / len;
        if value.len() % len != 0 || count == 0 {
            return Err(EINVAL);
        }
        if count > MAX_LOCATORS {
            return Err(match form {
                Form::Draft => EINVAL,
                Form::Rfc => super::errno(bindings::ETOOMANYLOCATORS),
            });
        }
        let mut octets = KVec::from_elem(0, value.len(), GFP_KERNEL)?;
        value.read_to(&mut octets)?;
        let mut records = KVec::with_capacity(count, GFP_KERNEL)?;
        let mut is_usable = true;
        for octets in octets.chunks_exact(len) {
            match Record::parse(form, octets)? {
                Record::Wanted(wanted) => records.push(wanted, GFP_KERNEL)?,
                Record::Unusable => is_usable = false,
            }
        }
        Ok(Some(is_usable.then_some(Self(records))))
    }

    /// The locators in order.
    pub(super) fn as_slice(&self) -> &[Wanted] {
        &self.0
    }

    /// The same.
    pub(super) fn into_vec(self) -> KVec<Wanted> {
        self.0
    }
}

/// Value of SHIM_APP_TIMEOUT in seconds, 0 for the default.
pub(super) fn parse_app_timeout(value: &Value<'_>) -> Result<u16> {
    u16::try_from(c_int::from_ne_bytes(value.read()?)).map_err(|_| EINVAL)
}

/// Value of SHIM_PATHEXPLORE; `None` for no value at all. What is zero is the default.
///
/// # Errors
///
/// [`EINVAL`] outside of the limits of choice A-24, or if the reserved field is not zero.
pub(super) fn parse_path_explore(form: Form, value: &Value<'_>) -> Result<Option<Detection>> {
    const PROBES: core::ops::RangeInclusive<u16> = 1..=15;
    const PROBE_TIMEOUT: core::ops::RangeInclusive<u16> = 100..=60_000;

    if value.is_absent() {
        return Ok(None);
    }
    let (probes, send_timeout, keepalive_interval, probe_timeout, reserved) = match form {
        Form::Draft => {
            let [probes, timeout, t0, t1, reserved @ ..]: [u8; 8] = value.read()?;
            (
                u16::from(probes),
                u16::from(timeout),
                0,
                u16::from_ne_bytes([t0, t1]),
                reserved,
            )
        }
        Form::Rfc => {
            let [n0, n1, s0, s1, k0, k1, t0, t1, reserved @ ..]: [u8; 12] = value.read()?;
            (
                u16::from_ne_bytes([n0, n1]),
                u16::from_ne_bytes([s0, s1]),
                u16::from_ne_bytes([k0, k1]),
                u16::from_ne_bytes([t0, t1]),
                reserved,
            )
        }
    };
    let is_good = (probes == 0 || PROBES.contains(&probes))
        && (probe_timeout == 0 || PROBE_TIMEOUT.contains(&probe_timeout))
        && reserved == [0; 4];
    if !is_good {
        return Err(EINVAL);
    }
    Ok(Some(Detection {
        send_timeout,
        keepalive_interval,
        probe_timeout,
        // At most 15, see above.
        probes: probes as u8,
        is_explicit: true,
    }))
}

/// `struct shim_locator` of a locator that is in a list, in the first [`Form::record_len`] octets.
/// The interface is that of a local locator, none for one of the peer.
pub(super) fn record(
    form: Form,
    known: &KnownLocator,
    interface: Option<u32>,
) -> [u8; RFC_RECORD_LEN] {
    let flags = match known.verification {
        Some(VerificationMethod::HBA) => bindings::SHIM_LC_HBA as u8,
        Some(VerificationMethod::CGA) => bindings::SHIM_LC_CGA as u8,
        _ => 0,
    };
    // A locator about which its owner said nothing is as good as the best.
    let priority = known.preference.priority.unwrap_or(0);
    let mut octets = [0; RFC_RECORD_LEN];
    match form {
        Form::Draft => {
            let [to_family, to_index, to_flags, to_preference, rest @ ..] = &mut octets;
            *to_family = FAMILY_IPV6;
            // Indices above 255 do not fit (choice A-9).
            *to_index = interface
                .and_then(|interface| u8::try_from(interface).ok())
                .unwrap_or(0);
            *to_flags = flags;
            // The best is 255 here and 0 in the protocol (choice A-10).
            *to_preference = u8::MAX ^ priority;
            put(rest, 0, &known.locator.octets());
        }
        Form::Rfc => {
            let weight = known.preference.weight.unwrap_or(0);
            put(&mut octets, 0, &[FAMILY_IPV6]);
            put(&mut octets, 4, &u16::from(priority).to_ne_bytes());
            put(&mut octets, 6, &u16::from(weight).to_ne_bytes());
            put(&mut octets, 8, &interface.unwrap_or(0).to_ne_bytes());
            put(&mut octets, 12, &known.locator.octets());
            put(&mut octets, 28, &u16::from(flags).to_ne_bytes());
        }
    }
    octets
}

fn put(octets: &mut [u8], offset: usize, value: &[u8]) {
    for (to, from) in octets.iter_mut().skip(offset).zip(value) {
        *to = *from;
    }
}
