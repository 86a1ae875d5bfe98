// SPDX-License-Identifier: GPL-2.0

//! Kernels whose functions cannot be traced with their arguments, User-Mode Linux among them.

use super::Callback;
use crate::kernel_ext::compat::errno::EOPNOTSUPP;
use core::convert::Infallible;
use kernel::{
    ffi::c_void,
    prelude::*,
    str::CStr, //
};

/// What could be done with the calls.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Send them elsewhere.
    Redirect,
    /// Look at them.
    Observe,
}

/// What cannot exist.
pub(super) struct Ops(Infallible);

impl Ops {
    /// [`EOPNOTSUPP`].
    pub(super) fn new(_kind: Kind, _callback: Callback) -> Result<Pin<KBox<Self>>> {
        Err(EOPNOTSUPP)
    }

    pub(super) fn add_name(self: Pin<&Self>, _name: &CStr) -> Result {
        match self.0 {}
    }

    pub(super) fn add_address(self: Pin<&Self>, _function: *const c_void) -> Result {
        match self.0 {}
    }

    pub(super) fn register(self: Pin<&mut Self>) -> Result {
        match self.0 {}
    }
}

/// Nothing was ever redirected.
pub(super) fn synchronize() {}
