// SPDX-License-Identifier: GPL-2.0

//! Requests become types that cannot be wrong, or errors in words.

use super::{
    address::{
        CURRENT_LOCAL,
        CURRENT_PEER,
        ELEMENT,
        ULID_LOCAL,
        ULID_PEER, //
    },
    uapi::*, //
};
use crate::{
    context::{
        Identity,
        KnownLocator,
        ListError,
        Listed,
        Local,
        LocatorList,
        NewContext,
        Origin,
        PairReason,
        PeerFacts,
        ReapOverrides,
        State, //
    },
    kernel_ext::genetlink::{
        Attribute,
        Attributes,
        Request, //
    },
    proto::{
        locator::{
            Locator,
            LocatorPair,
            Preference,
            PreferenceFlags,
            Ulid,
            UlidPair,
            VerificationMethod, //
        },
        number::Fii,
        tag::ContextTag,
        time::Interval, //
    },
};

use core::ffi::CStr;

use kernel::prelude::*;

/// How a request names a context.
pub(super) enum Name {
    /// By ULID pair and FII.
    Identity(Identity),
    /// By CT(local).
    Tag(ContextTag),
}

/// The name of a context in a request.
pub(super) fn name(request: &Request<'_>) -> Result<Name> {
    // Where there may be a list, it may have several elements.
    refuse_repeated(request, request.attributes(), &[A_LOCATOR_LOCAL])?;

    let attributes = request.attributes();
    let Some(tag) = tag(request, A_TAG_LOCAL, TAG_LOCAL_TOO_LARGE)? else {
        let identity = [A_ULID_LOCAL, A_ULID_PEER, A_FII];
        if identity
            .into_iter()
            .all(|kind| attributes.get(kind).is_none())
        {
            return Err(request.missing(
                A_ULID_LOCAL,
                c"name the context, by both ULIDs or by its local tag",
            ));
        }
        return self::identity(request).map(Name::Identity);
    };

    for kind in [A_ULID_LOCAL, A_ULID_PEER, A_FII] {
        if let Some(attribute) = attributes.get(kind) {
            return Err(request.refuse_attribute(
                &attribute,
                EINVAL,
                c"name the context either by its ULIDs and FII or by its local tag",
            ));
        }
    }
    Ok(Name::Tag(tag))
}

/// What a request changes of a context.
pub(super) struct Change {
    /// `Lp(local)`.
    pub(super) local: Option<Locator>,
    /// `Lp(peer)`.
    pub(super) peer: Option<Locator>,
    /// Local locators and how this host would like them to be used.
    pub(super) preferences: KVec<(Locator, Preference)>,
    /// Constants of failure detection.
    pub(super) reap: ReapChange,
}

/// What is to be changed, at least one thing.
pub(super) fn change(request: &Request<'_>) -> Result<Change> {
    refuse_repeated(request, request.attributes(), &[A_LOCATOR_LOCAL])?;
    let mut change = Change {
        local: CURRENT_LOCAL.find(request)?,
        peer: CURRENT_PEER.find(request)?,
        preferences: KVec::new(),
        reap: reap(request)?,
    };
    for nest in request.attributes().all(A_LOCATOR_LOCAL) {
        let known = record(request, &nest)?;
        if known.verification.is_some() {
            return Err(request.refuse_attribute(
                &nest,
                EINVAL,
                c"how a locator is verified cannot be set",
            ));
        }
        change
            .preferences
            .push((known.locator, known.preference), GFP_KERNEL)?;
    }

    if change.local.is_none()
        && change.peer.is_none()
        && change.preferences.is_empty()
        && change.reap.is_empty()
    {
        return Err(request.missing(
            A_CURRENT_LOCAL,
            c"nothing to set, give a current locator, local or peer",
        ));
    }
    Ok(change)
}

/// The longest time that can be set, in milliseconds: a day.
const MOST: u32 = 86_400_000;

/// Constants of failure detection as a request has them, each within its range.
fn reap(request: &Request<'_>) -> Result<ReapChange> {
    const SEND_TIMEOUT: &CStr = c"the Send Timeout is not between 100 ms and a day";
    const PROBE_TIMEOUT: &CStr = c"the Initial Probe Timeout is not between 10 ms and a day";
    const PROBES: &CStr = c"the number of initial probes is not between 1 and 32";
    const SWITCH: &CStr = c"this is neither 0, for no, nor 1, for yes";
    const BITS: u8 = REAP_SEND_TIMEOUT
        | REAP_KEEPALIVES
        | REAP_INITIAL_PROBES
        | REAP_PROBE_TIMEOUT
        | REAP_HOT_STANDBY;

    let attributes = request.attributes();
    let number = |kind, least, most, sentence| match attributes.get(kind) {
        None => Ok(None),
        Some(attribute) => {
            let value = attribute.u32()?;
            if (least..=most).contains(&value) {
                Ok(Some(Interval::from_millis(value)))
            } else {
                Err(request.refuse_attribute(&attribute, ERANGE, sentence))
            }
        }
    };
    let octet = |kind, least, most, sentence| match attributes.get(kind) {
        None => Ok(None),
        Some(attribute) => {
            let value = attribute.u8()?;
            if (least..=most).contains(&value) {
                Ok(Some(value))
            } else {
                Err(request.refuse_attribute(&attribute, ERANGE, sentence))
            }
        }
    };
    let reset = octet(
        A_RESET,
        1,
        BITS,
        c"these bits stand for nothing that can be reset",
    )?;
    let reset = reset.unwrap_or(0);
    let set = ReapOverrides {
        send_timeout: number(A_SEND_TIMEOUT, 100, MOST, SEND_TIMEOUT)?,
        suppress_keepalives: octet(A_KEEPALIVES, 0, 1, SWITCH)?.map(|sent| sent == 0),
        initial_probes: octet(A_INITIAL_PROBES, 1, 32, PROBES)?,
        initial_probe_timeout: number(A_PROBE_TIMEOUT, 10, MOST, PROBE_TIMEOUT)?,
        hot_standby: octet(A_HOT_STANDBY, 0, 1, SWITCH)?.map(|kept| kept != 0),
        ..ReapOverrides::default()
    };
    Ok(ReapChange { set, reset })
}

/// What is to become of a context's own constants of failure detection.
#[derive(Clone, Copy)]
pub(super) struct ReapChange {
    set: ReapOverrides,
    reset: u8,
}

impl ReapChange {
    /// Whether nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.reset == 0 && self.set == ReapOverrides::default()
    }

    /// The constants after the change. What is reset and set is set.
    pub(super) fn applied_to(&self, before: ReapOverrides) -> ReapOverrides {
        fn after<T>(set: Option<T>, before: Option<T>, is_reset: bool) -> Option<T> {
            set.or(before.filter(|_| !is_reset))
        }
        let is_reset = |bit| self.reset & bit != 0;
        let set = self.set;
        ReapOverrides {
            send_timeout: after(
                set.send_timeout,
                before.send_timeout,
                is_reset(REAP_SEND_TIMEOUT),
            ),
            keepalive_interval: before
                .keepalive_interval
                .filter(|_| !is_reset(REAP_KEEPALIVES)),
            suppress_keepalives: after(
                set.suppress_keepalives,
                before.suppress_keepalives,
                is_reset(REAP_KEEPALIVES),
            ),
            initial_probes: after(
                set.initial_probes,
                before.initial_probes,
                is_reset(REAP_INITIAL_PROBES),
            ),
            initial_probe_timeout: after(
                set.initial_probe_timeout,
                before.initial_probe_timeout,
                is_reset(REAP_PROBE_TIMEOUT),
            ),
            hot_standby: after(
                set.hot_standby,
                before.hot_standby,
                is_reset(REAP_HOT_STANDBY),
            ),
        }
    }
}

/// A context to be added.
pub(super) fn new_context(request: &Request<'_>) -> Result<NewContext> {
    refuse_repeated(
        request,
        request.attributes(),
        &[A_LOCATOR_LOCAL, A_LOCATOR_PEER],
    )?;

    let identity = identity(request)?;
    let tag_local = tag(request, A_TAG_LOCAL, TAG_LOCAL_TOO_LARGE)?
        .ok_or_else(|| request.missing(A_TAG_LOCAL, c"CT(local), the local tag, is missing"))?;
    let tag_peer = tag(
        request,
        A_TAG_PEER,
        c"CT(peer), the peer's tag, is above 47 bits",
    )?
    .ok_or_else(|| request.missing(A_TAG_PEER, c"CT(peer), the peer's tag, is missing"))?;

    let local = list(request, &LOCAL, identity.ulids.local)?;
    let peer = list(request, &PEER, identity.ulids.peer)?;
    refuse_common(request, &local, &peer)?;

    let ulids = identity.ulids.as_locators();
    let pair = LocatorPair {
        local: CURRENT_LOCAL.find(request)?.unwrap_or(ulids.local),
        peer: CURRENT_PEER.find(request)?.unwrap_or(ulids.peer),
    };
    Ok(NewContext {
        owner: None,
        identity,
        origin: Origin::Static,
        state: State::Established,
        tag_local,
        local: Local::unproved(local)?,
        peer: PeerFacts {
            tag: Some(tag_peer),
            list: peer,
            generation: None,
            pds: KVec::new(),
            keepalive_timeout: None,
        },
        pair,
        pair_reason: if pair == ulids {
            PairReason::Ulids
        } else {
            PairReason::Admin
        },
        establishment: None,
    })
}

/// The identity of a context in a request.
pub(super) fn identity(request: &Request<'_>) -> Result<Identity> {
    let ulids = UlidPair {
        local: ULID_LOCAL.need(request)?.as_ulid(),
        peer: ULID_PEER.need(request)?.as_ulid(),
    };
    if ulids.local == ulids.peer {
        return Err(ULID_PEER.refuse(request, EINVAL, c"both ULIDs are the same address"));
    }

    let fii = match request.attributes().get(A_FII) {
        Some(attribute) => Fii::new(attribute.u32()?),
        None => Fii::DEFAULT,
    };
    Ok(Identity { ulids, fii })
}

const TAG_LOCAL_TOO_LARGE: &CStr = c"CT(local), the local tag, is above 47 bits";

fn tag(request: &Request<'_>, kind: u16, too_large: &'static CStr) -> Result<Option<ContextTag>> {
    let Some(attribute) = request.attributes().get(kind) else {
        return Ok(None);
    };

    match ContextTag::new(attribute.u64()?) {
        Some(tag) => Ok(Some(tag)),
        None => Err(request.refuse_attribute(&attribute, ERANGE, too_large)),
    }
}

/// What differs between Ls(local) and Ls(peer).
struct Side {
    list: u16,
    without_ulid: &'static CStr,
}

const LOCAL: Side = Side {
    list: A_LOCATOR_LOCAL,
    without_ulid: c"the local locators do not include ULID(local)",
};

const PEER: Side = Side {
    list: A_LOCATOR_PEER,
    without_ulid: c"the peer locators do not include ULID(peer)",
};

/// The locators of a side; the ULID alone if the request has none.
fn list(request: &Request<'_>, side: &Side, ulid: Ulid) -> Result<LocatorList> {
    let mut nests = request.attributes().all(side.list).peekable();
    let mut wrong = Ok(());
    let mut last = None;

    let list = if nests.peek().is_none() {
        LocatorList::of_ulid(ulid)
    } else {
        // The list is read up to its first element that is wrong.
        let records = nests.map_while(|nest| {
            last = Some(nest);
            record(request, &nest)
                .map_err(|error| wrong = Err(error))
                .ok()
        });
        LocatorList::new(ulid, records)
    };
    wrong?;

    list.map_err(|error| {
        let (error, sentence) = match error {
            ListError::Unusable => (EINVAL, c"this locator means nothing on other links"),
            ListError::Duplicate => (EINVAL, c"this locator is there twice"),
            ListError::TooMany => (E2BIG, c"a list has more than 32 locators"),
            ListError::WithoutUlid => (EINVAL, side.without_ulid),
            ListError::NoMemory => return ENOMEM,
        };
        match last {
            Some(nest) => request.refuse_attribute(&nest, error, sentence),
            None => request.refuse(error, sentence),
        }
    })
}

/// An address is of this host or of the peer, not of both.
fn refuse_common(request: &Request<'_>, local: &[KnownLocator], peer: &[KnownLocator]) -> Result {
    let mut nests = request.attributes().all(A_LOCATOR_PEER);

    for record in peer {
        // A list that is left out is the ULID.
        let nest = nests.next();
        if local.has(&record.locator) {
            let sentence = c"this locator is in both lists";
            return Err(match nest {
                Some(nest) => request.refuse_attribute(&nest, EINVAL, sentence),
                None => ULID_PEER.refuse(request, EINVAL, sentence),
            });
        }
    }
    Ok(())
}

fn record(request: &Request<'_>, nest: &Attribute<'_>) -> Result<KnownLocator> {
    let attributes = nest.nest();
    refuse_repeated(request, attributes, &[])?;

    let locator = ELEMENT.need_in(request, nest)?;
    let verification = match attributes.get(A_LOCATOR_VERIFICATION) {
        None => None,
        Some(attribute) => {
            let method = VerificationMethod::new(attribute.u8()?);
            if !method.is_supported() {
                return Err(request.refuse_attribute(
                    &attribute,
                    EINVAL,
                    c"the verification method is neither HBA (1) nor CGA (2)",
                ));
            }
            Some(method)
        }
    };

    let flags = match attributes.get(A_LOCATOR_FLAGS) {
        None => PreferenceFlags::default(),
        Some(attribute) => {
            let known = PreferenceFlags::BROKEN.get() | PreferenceFlags::TRANSIENT.get();
            let flags = attribute.u8()?;
            if flags & !known != 0 {
                return Err(request.refuse_attribute(
                    &attribute,
                    EINVAL,
                    c"a flag of a locator is neither BROKEN (1) nor TRANSIENT (2)",
                ));
            }
            PreferenceFlags::new(flags)
        }
    };

    let octet = |kind| {
        attributes
            .get(kind)
            .map(|attribute| attribute.u8())
            .transpose()
    };
    Ok(KnownLocator {
        verification,
        preference: Preference {
            flags,
            priority: octet(A_LOCATOR_PRIORITY)?,
            weight: octet(A_LOCATOR_WEIGHT)?,
        },
        ..KnownLocator::new(locator)
    })
}

/// Refuses a request in which an attribute occurs twice that is not an element of a list.
pub(super) fn refuse_repeated(
    request: &Request<'_>,
    attributes: Attributes<'_>,
    lists: &[u16],
) -> Result {
    let mut seen: u64 = 0;

    for attribute in attributes {
        // The policy has refused types that do not exist, and fewer than 64 do.
        let bit = 1u64.checked_shl(attribute.kind().into()).unwrap_or(0);
        if seen & bit != 0 && !lists.contains(&attribute.kind()) {
            return Err(request.refuse_attribute(
                &attribute,
                EINVAL,
                c"this attribute is there twice",
            ));
        }
        seen |= bit;
    }
    Ok(())
}
