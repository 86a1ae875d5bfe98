// SPDX-License-Identifier: GPL-2.0

//! What a context tells its peer about this host (RFC 5533, Section 6.1): replaced as a whole when
//! addresses come or go. Contexts of the same ULID share it until their preferences differ.

use super::{
    KnownLocator,
    Listed,
    LocatorList, //
};
use crate::{
    control::LocalIdentity,
    kernel_ext::rcu::RcuArc,
    proto::number::Generation, //
};
use kernel::{
    alloc::AllocError,
    prelude::*,
    sync::Arc, //
};

/// `Ls(local)` and what proves it.
pub(crate) struct Local {
    /// The list.
    pub(crate) list: LocatorList,
    /// Its generation.
    pub(crate) generation: Generation,
    /// The identity that ULID(local) belongs to; `None` if nothing about it can be proved.
    pub(crate) identity: Option<Arc<LocalIdentity>>,
    /// The signature over the locators that are verified by CGA; empty if there are none.
    pub(crate) signature: KVec<u8>,
}

impl Local {
    /// A list of which nothing can be proved. May sleep.
    pub(crate) fn unproved(list: LocatorList) -> Result<RcuArc<Self>, AllocError> {
        Self {
            list,
            generation: Generation::new(0),
            identity: None,
            signature: KVec::new(),
        }
        .publish()
    }

    /// The same locators with other preferences, which the signature is not about. May sleep.
    pub(crate) fn with_preferences(
        &self,
        edit: impl FnMut(&mut KnownLocator),
    ) -> Result<RcuArc<Self>, AllocError> {
        let mut signature = KVec::new();
        signature.extend_from_slice(&self.signature, GFP_KERNEL)?;
        Self {
            list: self.list.map(edit)?,
            generation: self.generation,
            identity: self.identity.clone(),
            signature,
        }
        .publish()
    }

    /// As readers reach it. May sleep.
    pub(crate) fn publish(self) -> Result<RcuArc<Self>, AllocError> {
        RcuArc::pin_init(Ok::<_, AllocError>(self), GFP_KERNEL)
    }
}
