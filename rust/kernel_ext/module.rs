// SPDX-License-Identifier: GPL-2.0

//! This module as a thing that can be in use, and values that live at most until it is unloaded.
//!
//! C header: [`include/linux/module.h`](srctree/include/linux/module.h)

use crate::bindings;
use core::ptr;
use kernel::{
    prelude::*,
    sync::atomic::{
        ordering::{
            Acquire,
            Full,
            Relaxed, //
        },
        Atomic,
    },
};

/// A reference to this module: while it is held, `rmmod` answers "in use".
pub(crate) struct ModulePin {
    held: Atomic<bool>,
}

impl ModulePin {
    /// No reference yet.
    pub(crate) const fn unheld() -> Self {
        Self {
            held: Atomic::new(false),
        }
    }

    /// Takes the reference unless it is held; [`ENODEV`] if the module is being unloaded. Any
    /// context.
    pub(crate) fn hold(&self) -> Result {
        if self.held.load(Relaxed) {
            return Ok(());
        }
        // SAFETY: No requirements.
        if !unsafe { bindings::shim6_helper_this_module_get() } {
            return Err(ENODEV);
        }
        if self.held.xchg(true, Full) {
            // Somebody else was quicker.
            // SAFETY: The reference was taken just now.
            unsafe { bindings::shim6_helper_this_module_put() };
        }
        Ok(())
    }

    /// Gives the reference back, before the pin itself goes. Once is enough, more do no harm. Any
    /// context.
    ///
    /// The caller is called by something that the module takes down, and waits for, when it is
    /// unloaded.
    pub(crate) fn release(&self) {
        if self.held.xchg(false, Full) {
            // SAFETY: The reference was held until now.
            unsafe { bindings::shim6_helper_this_module_put() };
        }
    }
}

impl Drop for ModulePin {
    fn drop(&mut self) {
        self.release();
    }
}

/// A value that is made when it is first needed and dropped at unload; a static.
///
/// # Invariants
///
/// The pointer is null or a leaked [`KBox<T>`].
pub(crate) struct OnDemand<T>(Atomic<*mut T>);

impl<T: Send + Sync> OnDemand<T> {
    /// Not made yet.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(ptr::null_mut()))
    }

    /// Sees to it that the value is there.
    ///
    /// Of several tasks that come first together each makes one, and all but one are dropped again.
    pub(crate) fn ensure(&self, make: impl FnOnce() -> Result<T>) -> Result {
        if !self.0.load(Acquire).is_null() {
            return Ok(());
        }
        let made = KBox::into_raw(KBox::new(make()?, GFP_KERNEL)?);
        // INVARIANT: The pointer, if it is taken over, is a leaked box.
        if self.0.cmpxchg(ptr::null_mut(), made, Full).is_err() {
            // SAFETY: Leaked just now, and not taken over.
            drop(unsafe { KBox::from_raw(made) });
        }
        Ok(())
    }

    /// Drops the value if there is one.
    pub(crate) fn clear(&self) {
        let made = self.0.xchg(ptr::null_mut(), Full);
        if !made.is_null() {
            // SAFETY: By the type invariant, and whoever swaps the pointer out owns the box.
            drop(unsafe { KBox::from_raw(made) });
        }
    }
}
