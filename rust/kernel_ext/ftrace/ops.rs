// SPDX-License-Identifier: GPL-2.0

//! `struct ftrace_ops` with its life.

use super::Callback;
use crate::{
    bindings,
    kernel_ext::fault, //
};
use core::marker::PhantomPinned;
use kernel::{
    error::to_result,
    ffi::{
        c_int,
        c_ulong,
        c_void, //
    },
    prelude::*,
    str::CStr,
    types::Opaque, //
};

/// What may be done with the calls.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Send them elsewhere.
    Redirect,
    /// Look at them.
    Observe,
}

/// A `struct ftrace_ops`; dropping it ends the tracing.
///
/// # Invariants
///
/// `ops` is registered exactly if `registered`, and does not move.
#[pin_data(PinnedDrop)]
pub(super) struct Ops {
    ops: Opaque<bindings::ftrace_ops>,
    registered: bool,
    #[pin]
    _pin: PhantomPinned,
}

// SAFETY: ftrace has locks of its own, and the callbacks share nothing through this object.
unsafe impl Send for Ops {}
// SAFETY: As above.
unsafe impl Sync for Ops {}

impl Ops {
    /// Not registered yet. `RECURSION` lets the core guard against recursion, for which it runs the
    /// callback with preemption off; `PERMANENT` keeps `kernel.ftrace_enabled=0` away.
    pub(super) fn new(kind: Kind, callback: Callback) -> Result<Pin<KBox<Self>>> {
        let flags = bindings::FTRACE_OPS_FL_RECURSION
            | bindings::FTRACE_OPS_FL_PERMANENT
            | match kind {
                Kind::Redirect => bindings::FTRACE_OPS_FL_IPMODIFY,
                Kind::Observe => 0,
            };
        KBox::pin_init(
            pin_init!(Self {
                ops: Opaque::new(bindings::ftrace_ops {
                    func: Some(callback),
                    flags: flags as c_ulong,
                    ..pin_init::zeroed()
                }),
                registered: false,
                _pin: PhantomPinned,
            }),
            GFP_KERNEL,
        )
    }

    /// Adds a function by name. A name that ftrace does not know is [`EINVAL`].
    pub(super) fn add_name(self: Pin<&Self>, name: &CStr) -> Result {
        let bytes = name.to_bytes();
        let len = c_int::try_from(bytes.len()).map_err(|_| EINVAL)?;
        // SAFETY: The operations are live; ftrace writes into names with colons or wildcards only,
        // and names of functions have none.
        to_result(unsafe {
            bindings::ftrace_set_filter(self.ops.get(), bytes.as_ptr().cast_mut().cast(), len, 0)
        })
    }

    /// Adds a function by its address. One that ftrace cannot trace is [`EINVAL`].
    pub(super) fn add_address(self: Pin<&Self>, function: *const c_void) -> Result {
        // SAFETY: The operations are live.
        to_result(unsafe {
            bindings::ftrace_set_filter_ip(self.ops.get(), function as c_ulong, 0, 0)
        })
    }

    /// Begins tracing. May sleep, for some RCU-tasks grace periods.
    pub(super) fn register(self: Pin<&mut Self>) -> Result {
        fault::point(fault::Point::Redirection)?;
        // SAFETY: The value is not moved out of.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: The operations are complete, and pinned until the drop that unregisters them.
        to_result(unsafe { bindings::register_ftrace_function(this.ops.get()) })?;
        // INVARIANT: Registered just now.
        this.registered = true;
        Ok(())
    }
}

#[pinned_drop]
impl PinnedDrop for Ops {
    fn drop(self: Pin<&mut Self>) {
        if self.registered {
            // SAFETY: By the type invariant. ftrace knows operations outside of the kernel's own
            // data as dynamic: it returns when no CPU and no preempted task uses them any more.
            unsafe { bindings::unregister_ftrace_function(self.ops.get()) };
        }
        // SAFETY: The operations are not registered.
        unsafe { bindings::ftrace_free_filter(self.ops.get()) };
    }
}

/// Waits until each task has slept by itself or returned to user mode. May sleep.
pub(super) fn synchronize() {
    // SAFETY: Process context; there are no further requirements.
    unsafe { bindings::shim6_helper_synchronize_rcu_tasks() };
}
