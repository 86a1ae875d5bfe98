// SPDX-License-Identifier: GPL-2.0

//! The current pair of locators of a context, as the data path uses it.

use super::Identity;
use crate::{
    kernel_ext::{
        dst::DstCache,
        rcu::RcuArc, //
    },
    proto::{
        locator::{
            LocatorPair,
            UlidPair, //
        },
        number::Fii,
        tag::ContextTag,
    },
};
use core::sync::atomic::{
    AtomicBool,
    Ordering, //
};
use kernel::prelude::*;

/// The current pair of locators and what the data path needs to use it; immutable.
#[repr(C)]
pub(crate) struct Path {
    /// `CT(peer)`, which packets over this pair carry; `None` for the default context over the ULID
    /// pair, where packets go as they are (RFC 5533, Section 11). Those of a fork always carry it,
    /// or the peer would take them for packets of the default context.
    pub(crate) tag: Option<ContextTag>,
    /// The route of this pair.
    pub(crate) cache: DstCache,
    /// Whether the pair is the ULID pair.
    pub(crate) is_ulids: bool,
    /// The last packet left by a device without carrier.
    is_cut: AtomicBool,
    /// `Lp(local)` and `Lp(peer)`.
    pub(crate) pair: LocatorPair,
}

impl Path {
    /// The path over the ULIDs themselves. May sleep.
    pub(super) fn over_ulids(ulids: &UlidPair) -> Result<RcuArc<Self>> {
        Self::new(ulids.as_locators(), true, None)
    }

    /// The path of a context over a pair of locators, for packets with this tag. May sleep.
    pub(super) fn over(
        pair: LocatorPair,
        identity: &Identity,
        tag: ContextTag,
    ) -> Result<RcuArc<Self>> {
        let is_ulids = pair == identity.ulids.as_locators();
        let carries_tag = identity.fii != Fii::DEFAULT || !is_ulids;
        Self::new(pair, is_ulids, carries_tag.then_some(tag))
    }

    fn new(pair: LocatorPair, is_ulids: bool, tag: Option<ContextTag>) -> Result<RcuArc<Self>> {
        RcuArc::pin_init(
            try_init!(Self {
                pair,
                tag,
                is_ulids,
                // Packets that go as they are have their route already.
                cache: match tag {
                    Some(_) => DstCache::new()?,
                    None => DstCache::none(),
                },
                is_cut: AtomicBool::new(false),
            }? Error),
            GFP_KERNEL,
        )
    }

    /// Whether packets get a header, and other addresses unless the pair is the ULID pair.
    #[inline]
    pub(crate) fn is_translated(&self) -> bool {
        self.tag.is_some()
    }

    /// A packet is about to leave by a device that has its carrier, or not. True if it is the first
    /// one since that was lost.
    #[inline]
    #[must_use]
    pub(crate) fn is_newly_cut(&self, has_carrier: bool) -> bool {
        let is_cut = !has_carrier;
        if is_cut == self.is_cut.load(Ordering::Relaxed) {
            return false;
        }
        self.is_cut.store(is_cut, Ordering::Relaxed);
        is_cut
    }
}
