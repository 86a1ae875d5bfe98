// SPDX-License-Identifier: GPL-2.0

//! Watching functions of the kernel, and taking calls of them over, by ftrace.
//!
//! A [`Redirect`] sends chosen calls of a function to a function of this module, the way livepatch
//! does; an [`Observer`] only sees calls. Both begin when they are registered and end when they are
//! dropped, and after that no task executes code of theirs.
//!
//! C header: [`include/linux/ftrace.h`](srctree/include/linux/ftrace.h)

#[cfg(CONFIG_DYNAMIC_FTRACE_WITH_ARGS)]
mod ops;

#[cfg(not(CONFIG_DYNAMIC_FTRACE_WITH_ARGS))]
#[path = "absent.rs"]
mod ops;

use self::ops::{
    Kind,
    Ops, //
};
use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    ffi::{
        c_uint,
        c_ulong,
        c_void, //
    },
    prelude::*,
    str::CStr,
    sync::atomic::{
        ordering::Relaxed,
        Atomic, //
    },
    types::NotThreadSafe, //
};

/// What ftrace calls when a function begins that it traces for us.
type Callback =
    unsafe extern "C" fn(c_ulong, c_ulong, *mut bindings::ftrace_ops, *mut bindings::ftrace_regs);

/// A call of a traced function, before the function has done anything.
///
/// The CPU is not to be preempted while this exists, so nothing that sleeps may be done.
pub(crate) struct Call<'a> {
    regs: *mut bindings::ftrace_regs,
    _callback: PhantomData<&'a ()>,
    _not_send: NotThreadSafe,
}

impl Call<'_> {
    /// # Safety
    ///
    /// `regs` is what ftrace gave to the callback that makes this view.
    unsafe fn new(regs: *mut bindings::ftrace_regs) -> Self {
        Self {
            regs,
            _callback: PhantomData,
            _not_send: NotThreadSafe,
        }
    }

    /// The word in which the C calling convention passes integer argument `n`, counted from zero.
    /// Only arguments in registers can be seen.
    pub(crate) fn argument(&self, n: c_uint) -> usize {
        // SAFETY: The registers are valid during the callback, and `self` does not outlive it.
        unsafe { bindings::shim6_helper_ftrace_argument(self.regs, n) as usize }
    }
}

/// A reference to this module that a redirected call holds, so that the module cannot be unloaded
/// below it.
///
/// The callback has taken it; the target's first act is to own it and its last to drop it.
pub(crate) struct Entered(());

impl Entered {
    /// # Safety
    ///
    /// Called once, by the target of a [`Redirect`], for each call.
    pub(crate) unsafe fn new() -> Self {
        Self(())
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // SAFETY: By the requirement of `new` the callback's reference is this value's. What
        // remains of the target afterwards is covered by `Redirect`'s drop.
        unsafe { bindings::shim6_helper_this_module_put() };
    }
}

/// A function and what takes its place.
#[derive(Clone, Copy)]
pub(crate) struct Detour {
    /// Where the function begins.
    pub(crate) function: *const c_void,
    /// Where the calls go.
    pub(crate) target: *const c_void,
}

/// What a [`Redirect`] does: which functions, which of their calls, and where to.
///
/// # Safety
///
/// - Each `target` has the signature of its `function`, takes over [`Entered`] first and drops it
///   last, and does not call the original in tail position: a call from the text of this module
///   is let through to the original, one that looks as if it came from elsewhere is not.
/// - [`Self::takes`] neither sleeps nor touches user memory.
pub(crate) unsafe trait Redirection: 'static {
    /// The functions with their targets.
    const DETOURS: &'static [Detour];

    /// Whether this call of `function` is to be taken over.
    fn takes(function: *const c_void, call: &Call<'_>) -> bool;
}

/// What a [`NamedRedirect`] does: the same for one function that the kernel does not export.
///
/// # Safety
///
/// As of [`Redirection`], where the target calls the original by [`Original::get`].
pub(crate) unsafe trait NamedRedirection: 'static {
    /// The function.
    const FUNCTION: &'static CStr;

    /// Where the calls go.
    const TARGET: *const c_void;

    /// Where the address of the function is kept.
    fn original() -> &'static Original;

    /// Whether this call is to be taken over.
    fn takes(call: &Call<'_>) -> bool;
}

/// The address of a function that was found by its name; a static.
///
/// # Invariants
///
/// Null, or the address of the function, or one behind its `endbr64`.
pub(crate) struct Original(Atomic<usize>);

impl Original {
    /// Not found yet.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// The address, in the target of a call.
    pub(crate) fn get(&self) -> *const c_void {
        self.0.load(Relaxed) as *const c_void
    }
}

/// What an [`Observer`] watches.
///
/// # Safety
///
/// [`Self::called`] neither sleeps nor touches user memory.
pub(crate) unsafe trait Observation: 'static {
    /// The function that is watched.
    const FUNCTION: &'static CStr;

    /// The function is about to run.
    ///
    /// # Safety
    ///
    /// `call` is a call of [`Self::FUNCTION`].
    unsafe fn called(call: &Call<'_>);
}

/// Octets from the beginning of a function within which it calls ftrace: behind `endbr64` on
/// x86-64, behind `bti` on arm64. No other function begins so near.
const ENTRY_SPAN: usize = 16;

/// Calls of some functions are taken over; dropping this gives them back.
///
/// A function has at most one user who redirects it, be it a module or a livepatch.
pub(crate) struct Redirect<R: Redirection> {
    ops: Option<Pin<KBox<Ops>>>,
    _redirection: PhantomData<R>,
}

impl<R: Redirection> Redirect<R> {
    /// Begins to redirect. May sleep.
    ///
    /// # Errors
    ///
    /// [`EBUSY`] if somebody else redirects one of the functions, [`EINVAL`] if one is not
    /// traceable, [`EOPNOTSUPP`] if none is on this kernel, [`ENOMEM`].
    pub(crate) fn register() -> Result<Self> {
        let mut ops = Ops::new(Kind::Redirect, redirect::<R>)?;
        for detour in R::DETOURS {
            ops.as_ref().add_address(detour.function)?;
        }
        ops.as_mut().register()?;
        Ok(Self {
            ops: Some(ops),
            _redirection: PhantomData,
        })
    }
}

impl<R: Redirection> Drop for Redirect<R> {
    fn drop(&mut self) {
        self.ops = None;
        // A task may have been preempted in a target between its last act, which allows the
        // unloading of this module, and its return. It counts as a user of the text until it
        // sleeps by itself or returns to user mode, which is what this waits for.
        ops::synchronize();
    }
}

/// # Safety
///
/// Called by ftrace only.
unsafe extern "C" fn redirect<R: Redirection>(
    ip: c_ulong,
    parent_ip: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    regs: *mut bindings::ftrace_regs,
) {
    // SAFETY: ftrace gives valid registers for the duration of this function.
    let call = unsafe { Call::new(regs) };
    let Some(detour) = R::DETOURS
        .iter()
        .find(|detour| ip.wrapping_sub(detour.function as usize) < ENTRY_SPAN)
    else {
        return;
    };
    if R::takes(detour.function, &call) {
        // SAFETY: By the trait's contract the target has the signature of the function, and owns
        // the reference that is taken for it. The registers are those of this call.
        unsafe { divert(parent_ip, regs, detour.target) };
    }
}

/// Sends a call elsewhere, unless it comes from a target, which calls the original.
///
/// # Safety
///
/// Called from an ftrace callback with its arguments; `target` is as [`Redirection`] wants it.
unsafe fn divert(parent_ip: c_ulong, regs: *mut bindings::ftrace_regs, target: *const c_void) {
    // SAFETY: No requirements. It is a target that calls the original if this is true.
    if unsafe { bindings::shim6_helper_in_this_module(parent_ip) } {
        return;
    }
    // SAFETY: No requirements. It fails when the module is going.
    if unsafe { bindings::shim6_helper_this_module_get() } {
        // SAFETY: By the safety requirement.
        unsafe { bindings::shim6_helper_ftrace_redirect(regs, target as c_ulong) };
    }
}

/// Calls of a function that is known by its name are taken over; dropping this gives them back.
pub(crate) struct NamedRedirect<R: NamedRedirection> {
    ops: Option<Pin<KBox<Ops>>>,
    _redirection: PhantomData<R>,
}

impl<R: NamedRedirection> NamedRedirect<R> {
    /// Begins to redirect. May sleep. Errors are those of [`Redirect::register`].
    pub(crate) fn register() -> Result<Self> {
        let mut ops = Self::ops()?;
        ops.as_mut().register()?;
        Ok(Self {
            ops: Some(ops),
            _redirection: PhantomData,
        })
    }

    /// Whether redirecting would work, with the errors of [`Self::register`] but [`EBUSY`].
    pub(crate) fn check() -> Result {
        Self::ops().map(|_| ())
    }

    fn ops() -> Result<Pin<KBox<Ops>>> {
        let ops = Ops::new(Kind::Redirect, redirect_named::<R>)?;
        ops.as_ref().add_name(R::FUNCTION)?;
        Ok(ops)
    }
}

impl<R: NamedRedirection> Drop for NamedRedirect<R> {
    fn drop(&mut self) {
        self.ops = None;
        // As in the drop of `Redirect`.
        ops::synchronize();
    }
}

/// # Safety
///
/// Called by ftrace only.
unsafe extern "C" fn redirect_named<R: NamedRedirection>(
    ip: c_ulong,
    parent_ip: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    regs: *mut bindings::ftrace_regs,
) {
    // SAFETY: ftrace gives valid registers for the duration of this function.
    let call = unsafe { Call::new(regs) };
    if R::takes(&call) {
        // SAFETY: `ip` is in the entry of the function.
        let function = unsafe { bindings::shim6_helper_ftrace_function(ip) };
        // INVARIANT: The operations have this one function in their filter.
        R::original().0.store(function as usize, Relaxed);
        // SAFETY: By the trait's contract, as above.
        unsafe { divert(parent_ip, regs, R::TARGET) };
    }
}

/// Calls of a function are seen; dropping this ends it.
pub(crate) struct Observer<O: Observation> {
    _ops: Pin<KBox<Ops>>,
    _observation: PhantomData<O>,
}

impl<O: Observation> Observer<O> {
    /// Begins to observe. May sleep.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if the function is not there or not traceable, [`EOPNOTSUPP`] if none is on this
    /// kernel, [`ENOMEM`].
    pub(crate) fn register() -> Result<Self> {
        let mut ops = Self::ops()?;
        ops.as_mut().register()?;
        Ok(Self {
            _ops: ops,
            _observation: PhantomData,
        })
    }

    /// Whether observing would work, with the errors of [`Self::register`].
    pub(crate) fn check() -> Result {
        Self::ops().map(|_| ())
    }

    fn ops() -> Result<Pin<KBox<Ops>>> {
        let ops = Ops::new(Kind::Observe, observe::<O>)?;
        ops.as_ref().add_name(O::FUNCTION)?;
        Ok(ops)
    }
}

/// # Safety
///
/// Called by ftrace only.
unsafe extern "C" fn observe<O: Observation>(
    _ip: c_ulong,
    _parent_ip: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    regs: *mut bindings::ftrace_regs,
) {
    // SAFETY: ftrace gives valid registers for the duration of this function.
    let call = unsafe { Call::new(regs) };
    // SAFETY: The operations have this one function in their filter.
    unsafe { O::called(&call) };
}
