// SPDX-License-Identifier: GPL-2.0

//! Locator lists of a context: `Ls(local)` and `Ls(peer)` (RFC 5533, Section 6.1).

use crate::proto::locator::{
    Locator,
    Preference,
    Ulid,
    VerificationMethod,
    MAX_LOCATORS, //
};
use core::ops::Deref;
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// Which end of a context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// This host.
    Local,
    /// The other host.
    Peer,
}

/// A locator of a list and what is known of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownLocator {
    /// The address.
    pub(crate) locator: Locator,
    /// How it was verified to belong to the ULID; `None` where an administrator vouches for it.
    pub(crate) verification: Option<VerificationMethod>,
    /// How much its owner likes it used.
    pub(crate) preference: Preference,
    /// Whether the owner of the ULID proved to be there (RFC 5533, Section 7.2).
    pub(crate) is_reachable: bool,
    /// Whether a socket wants nothing to be sent to it (SHIM_LOCLIST_PEER).
    pub(crate) is_excluded: bool,
}

impl KnownLocator {
    /// A locator of which nothing more is known.
    pub(crate) fn new(locator: Locator) -> Self {
        Self {
            locator,
            verification: None,
            preference: Preference::default(),
            is_reachable: false,
            is_excluded: false,
        }
    }
}

/// Why a list is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ListError {
    /// A locator is multicast, unspecified, loopback, link-local or IPv4-mapped.
    Unusable,
    /// A locator is in the list twice.
    Duplicate,
    /// There are more than [`MAX_LOCATORS`].
    TooMany,
    /// The ULID is not in the list.
    WithoutUlid,
    /// No memory.
    NoMemory,
}

/// A list of distinct usable locators.
pub(crate) struct LocatorList(KVec<KnownLocator>);

impl LocatorList {
    /// The list of a host that has its ULID only. May sleep.
    pub(crate) fn of_ulid(ulid: Ulid) -> Result<Self, ListError> {
        Self::new(ulid, core::iter::once(KnownLocator::new(ulid.as_locator())))
    }

    /// A list of these locators, in this order. May sleep.
    pub(crate) fn new(
        ulid: Ulid,
        locators: impl IntoIterator<Item = KnownLocator>,
    ) -> Result<Self, ListError> {
        let list = Self::told(locators)?;
        if !list.has(&ulid.as_locator()) {
            return Err(ListError::WithoutUlid);
        }
        Ok(list)
    }

    /// A list as a host tells it, which may do without the ULID: that identifies the host even
    /// when it is no longer a locator (RFC 5533, Section 10). May sleep.
    pub(crate) fn told(
        locators: impl IntoIterator<Item = KnownLocator>,
    ) -> Result<Self, ListError> {
        let mut list = KVec::new();
        for known in locators {
            if !known.locator.is_shimmable() {
                return Err(ListError::Unusable);
            }
            if list.len() >= MAX_LOCATORS {
                return Err(ListError::TooMany);
            }
            if list.has(&known.locator) {
                return Err(ListError::Duplicate);
            }
            list.push(known, GFP_KERNEL)
                .map_err(|_| ListError::NoMemory)?;
        }
        Ok(Self(list))
    }
}

impl Deref for LocatorList {
    type Target = [KnownLocator];

    fn deref(&self) -> &[KnownLocator] {
        &self.0
    }
}

/// What is asked of locators in a list, wherever that is.
pub(crate) trait Listed {
    /// The record of a locator.
    fn find(&self, locator: &Locator) -> Option<&KnownLocator>;

    /// Whether a locator is in the list.
    #[inline]
    fn has(&self, locator: &Locator) -> bool {
        self.find(locator).is_some()
    }

    /// Whether another list has the same locators, in the same order, verified and flagged alike:
    /// BROKEN comes and goes with links. Numbers that somebody set are no difference.
    fn is_as(&self, other: &Self) -> bool;

    /// A copy in which `edit` changed what is known of the locators. May sleep.
    fn map(&self, edit: impl FnMut(&mut KnownLocator)) -> Result<LocatorList, AllocError>;
}

impl Listed for [KnownLocator] {
    fn find(&self, locator: &Locator) -> Option<&KnownLocator> {
        self.iter().find(|known| known.locator == *locator)
    }

    fn is_as(&self, other: &Self) -> bool {
        let known = |known: &KnownLocator| {
            (
                known.locator,
                known.verification,
                known.preference.flags, //
            )
        };
        self.iter().map(known).eq(other.iter().map(known))
    }

    fn map(&self, mut edit: impl FnMut(&mut KnownLocator)) -> Result<LocatorList, AllocError> {
        let mut list = KVec::with_capacity(self.len(), GFP_KERNEL)?;
        for known in self {
            let mut copy = *known;
            edit(&mut copy);
            // It is the same locator whatever is known of it.
            copy.locator = known.locator;
            list.push(copy, GFP_KERNEL)?;
        }
        Ok(LocatorList(list))
    }
}

/// Both lists of a context.
pub(crate) struct Locators<'a> {
    /// `Ls(local)`.
    pub(crate) local: &'a [KnownLocator],
    /// `Ls(peer)`.
    pub(crate) peer: &'a [KnownLocator],
}

impl<'a> Locators<'a> {
    /// The list of one end.
    pub(crate) fn side(&self, side: Side) -> &'a [KnownLocator] {
        match side {
            Side::Local => self.local,
            Side::Peer => self.peer,
        }
    }
}
