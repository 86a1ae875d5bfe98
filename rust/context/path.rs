// SPDX-License-Identifier: GPL-2.0

//! The current pair of locators of a context, as the data path uses it where packets are translated.

use super::{
    Identity,
    SetPairError, //
};
use crate::{
    kernel_ext::{
        dst::DstCache,
        rcu::{
            self,
            RcuArc, //
        },
    },
    proto::{
        locator::LocatorPair,
        number::Fii,
        tag::ContextTag, //
    },
};
use kernel::prelude::*;

/// The current pair of locators and what the data path needs to use it; immutable.
///
/// The default context over the ULID pair has none: packets go as they are (RFC 5533, Section 11).
/// So most contexts, which never moved, take no memory for it.
#[repr(C)]
pub(crate) struct Path {
    /// `CT(peer)`, which packets over this pair carry. Those of a fork always carry it, or the peer
    /// would take them for packets of the default context.
    pub(crate) tag: ContextTag,
    /// The route of this pair.
    pub(crate) cache: DstCache,
    /// `Lp(local)` and `Lp(peer)`.
    pub(crate) pair: LocatorPair,
}

pub(super) static PATHS: rcu::Cache<Path> = rcu::Cache::new(c"shim6_path");

impl Path {
    /// The path of a context over a pair of locators, if it needs one; `tag` is `CT(peer)`. May
    /// sleep.
    ///
    /// # Errors
    ///
    /// [`SetPairError::NoPeer`] for another pair than the ULIDs without a tag, or
    /// [`SetPairError::NoMemory`].
    pub(super) fn over(
        pair: LocatorPair,
        identity: &Identity,
        tag: Option<ContextTag>,
    ) -> Result<Option<RcuArc<Self>>, SetPairError> {
        let is_ulids = pair == identity.ulids.as_locators();
        let tag = match tag {
            Some(tag) if identity.fii != Fii::DEFAULT || !is_ulids => tag,
            None if !is_ulids => return Err(SetPairError::NoPeer),
            _ => return Ok(None),
        };
        let path = RcuArc::pin_init_in(
            &PATHS,
            try_init!(Self {
                tag,
                cache: DstCache::new()?,
                pair,
            }? Error),
        );
        path.map(Some).map_err(|_| SetPairError::NoMemory)
    }
}
