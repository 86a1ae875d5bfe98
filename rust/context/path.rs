// SPDX-License-Identifier: GPL-2.0

//! The current pair of locators of a context, as the data path uses it.

use crate::{
    kernel_ext::{
        address::In6Addr,
        dst::DstCache,
        rcu::RcuArc, //
    },
    proto::{
        locator::{
            LocatorPair,
            UlidPair, //
        },
        tag::ContextTag,
    },
};
use kernel::prelude::*;

/// The current pair of locators and what the data path needs to use it; immutable.
#[pin_data]
pub(crate) struct Path {
    /// `Lp(local)` and `Lp(peer)`.
    pub(crate) pair: LocatorPair,
    /// `CT(peer)`, which packets over this pair carry; `None` if the pair is the ULID pair, over
    /// which packets go as they are (RFC 5533, Section 11).
    pub(crate) tag: Option<ContextTag>,
    /// `Lp(local)` as C sees it.
    pub(crate) source: In6Addr,
    /// `Lp(peer)` as C sees it.
    pub(crate) destination: In6Addr,
    /// The route of this pair.
    #[pin]
    pub(crate) cache: DstCache,
}

impl Path {
    /// The path over the ULIDs themselves. May sleep.
    pub(super) fn over_ulids(ulids: &UlidPair) -> Result<RcuArc<Self>> {
        Self::new(ulids.as_locators(), None)
    }

    /// The path over a pair of locators, for packets with this tag. May sleep.
    pub(super) fn over(
        pair: LocatorPair,
        ulids: &UlidPair,
        tag: ContextTag,
    ) -> Result<RcuArc<Self>> {
        Self::new(pair, (pair != ulids.as_locators()).then_some(tag))
    }

    fn new(pair: LocatorPair, tag: Option<ContextTag>) -> Result<RcuArc<Self>> {
        RcuArc::pin_init(
            try_pin_init!(Self {
                pair,
                tag,
                source: In6Addr::from_octets(pair.local.as_octets()),
                destination: In6Addr::from_octets(pair.peer.as_octets()),
                cache <- DstCache::new(),
            }? Error),
            GFP_KERNEL,
        )
    }

    /// Whether packets get other addresses and a header.
    #[inline]
    pub(crate) fn is_translated(&self) -> bool {
        self.tag.is_some()
    }
}
