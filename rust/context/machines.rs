// SPDX-License-Identifier: GPL-2.0

//! What the state machines of a context keep, which is next to nothing while nothing goes on: most
//! contexts are idle most of the time.

use super::{
    Locked,
    Namespace, //
};
use crate::control::{
    Establishment,
    Rest, //
};
use core::{
    ops::Deref,
    sync::atomic::Ordering, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// What the state machines of a context keep, or would if they kept all.
pub(crate) enum Look<'a> {
    /// It is kept.
    Kept(&'a Establishment),
    /// It was made to be looked at.
    Made(KBox<Establishment>),
}

impl Deref for Look<'_> {
    type Target = Establishment;

    fn deref(&self) -> &Establishment {
        match self {
            Self::Kept(establishment) => establishment,
            Self::Made(establishment) => establishment,
        }
    }
}

impl Locked<'_> {
    /// What the state machines keep; `None` for a static context, and if there is no memory for what
    /// was not kept. May sleep.
    pub(crate) fn establishment(&mut self) -> Option<&mut Establishment> {
        self.wake().ok()?;
        self.kept_establishment()
    }

    /// As [`Locked::establishment`], if it is kept: nothing goes on otherwise.
    pub(crate) fn kept_establishment(&mut self) -> Option<&mut Establishment> {
        self.control.kept.as_deref_mut()
    }

    /// As [`Locked::establishment`], to look at. May sleep.
    pub(crate) fn look_at_establishment(&self) -> Result<Option<Look<'_>>, AllocError> {
        Ok(match (&self.control.kept, self.control.rest) {
            (Some(establishment), _) => Some(Look::Kept(establishment)),
            (None, Some(rest)) => self.woken(rest)?.map(Look::Made),
            (None, None) => None,
        })
    }

    /// Makes what the state machines had if it was not kept.
    pub(super) fn wake(&mut self) -> Result<(), AllocError> {
        if let (None, Some(rest)) = (&self.control.kept, self.control.rest) {
            if let Some(establishment) = self.woken(rest)? {
                self.control.kept = Some(establishment);
                self.context.is_awake.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn woken(&self, rest: Rest) -> Result<Option<KBox<Establishment>>, AllocError> {
        let Some(tag_peer) = self.peer().tag() else {
            return Ok(None);
        };
        let pair = self.pair_with(None, None);
        rest.wake(self.context.tag_local(), tag_peer, pair, self.local())
            .map(Some)
    }

    /// Keeps no more of the state machines than has to be kept if nothing goes on.
    pub(crate) fn let_rest(&mut self) {
        let constants = Namespace::of(self.context.net()).settings.constants();
        let reap = self.reap_constants();
        let (chosen, local) = (self.chosen_pair(), self.local());
        if let Some(establishment) = &self.control.kept {
            if let Some(rest) = establishment.rest(&constants, &reap, chosen, &local) {
                self.control.rest = Some(rest);
                self.control.kept = None;
                self.context.is_awake.store(false, Ordering::Relaxed);
            }
        }
    }
}
