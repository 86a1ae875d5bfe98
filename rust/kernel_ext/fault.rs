// SPDX-License-Identifier: GPL-2.0

//! Points of the module that tests can make fail, one by one, where the kernel has fault injection.
//! Elsewhere there is nothing of them.
//!
//! Each is a directory of `/sys/kernel/debug/fail_shim6`, with the files that
//! `Documentation/fault-injection/fault-injection.rst` of the kernel describes; `/proc/PID/fail-nth`
//! counts them among the allocations of a task.
//!
//! C header: [`include/linux/fault-inject.h`](srctree/include/linux/fault-inject.h)

#[cfg(CONFIG_FAULT_INJECTION_DEBUG_FS)]
use crate::bindings;
use kernel::prelude::*;

/// Declares the points with the names of their directories.
macro_rules! points {
    ($($(#[$documentation:meta])* $point:ident = $name:literal,)*) => {
        /// What can fail. Not every kernel has all of it.
        #[allow(dead_code)]
        #[derive(Clone, Copy)]
        pub(crate) enum Point {
            $($(#[$documentation])* $point,)*
        }

        #[cfg(CONFIG_FAULT_INJECTION_DEBUG_FS)]
        const NAMES: &[&CStr] = &[$($name),*];
    };
}

points! {
    /// A namespace, before anything of it is made.
    Namespace = c"namespace",
    /// Hooks of packets in a namespace.
    Hooks = c"hooks",
    /// Settings of a namespace.
    Settings = c"settings",
    /// A file of a namespace.
    File = c"file",
    /// Memory of each processor is allocated: counters, routes, what was found last in a table.
    PerCpu = c"percpu",
    /// An object is put into a table.
    Insertion = c"insertion",
    /// A control message with its options is built.
    Options = c"options",
    /// A packet of our own is sent.
    Send = c"send",
    /// A route is looked up.
    Route = c"route",
    /// A rule or a route is added.
    Rule = c"rule",
    /// An event is told to those who listen.
    Event = c"event",
    /// A family of netlink.
    Family = c"family",
    /// A notifier.
    Notifier = c"notifier",
    /// Functions of the kernel are taken over or observed.
    Redirection = c"redirection",
}

/// Whether this is the time to fail: [`ENOMEM`] if so. Any context but NMI.
#[cfg(CONFIG_FAULT_INJECTION_DEBUG_FS)]
pub(crate) fn point(point: Point) -> Result {
    // SAFETY: There is a place for each point, see `Points::open`.
    if unsafe { bindings::shim6_helper_should_fail(point as u32) } {
        Err(ENOMEM)
    } else {
        Ok(())
    }
}

/// It never is.
#[cfg(not(CONFIG_FAULT_INJECTION_DEBUG_FS))]
#[inline(always)]
pub(crate) fn point(_point: Point) -> Result {
    Ok(())
}

/// The directories are there while this exists.
///
/// # Invariants
///
/// The pointer is what `debugfs_create_dir()` returned.
#[cfg(CONFIG_FAULT_INJECTION_DEBUG_FS)]
pub(crate) struct Points(*mut bindings::dentry);

// SAFETY: debugfs synchronises its users itself.
#[cfg(CONFIG_FAULT_INJECTION_DEBUG_FS)]
unsafe impl Send for Points {}
// SAFETY: As above.
#[cfg(CONFIG_FAULT_INJECTION_DEBUG_FS)]
unsafe impl Sync for Points {}

#[cfg(CONFIG_FAULT_INJECTION_DEBUG_FS)]
impl Points {
    /// Makes them; if that fails, nobody can make anything fail. Process context.
    pub(crate) fn open() -> Self {
        const COUNT: usize = NAMES.len();
        const { assert!(COUNT <= bindings::SHIM6_FAULT_POINTS as usize) };
        let names: [_; COUNT] =
            core::array::from_fn(|i| NAMES.get(i).map_or(core::ptr::null(), |n| n.as_char_ptr()));
        // SAFETY: There are that many names, and they are copied.
        // INVARIANT: It comes from `debugfs_create_dir()`.
        Self(unsafe {
            bindings::shim6_helper_faults_open(
                c"fail_shim6".as_char_ptr(),
                names.as_ptr(),
                COUNT as u32,
            )
        })
    }
}

#[cfg(CONFIG_FAULT_INJECTION_DEBUG_FS)]
impl Drop for Points {
    fn drop(&mut self) {
        // SAFETY: By the type invariant; errors are ignored there.
        unsafe { bindings::shim6_helper_faults_close(self.0) };
    }
}

/// There are none.
#[cfg(not(CONFIG_FAULT_INJECTION_DEBUG_FS))]
pub(crate) struct Points;

#[cfg(not(CONFIG_FAULT_INJECTION_DEBUG_FS))]
impl Points {
    /// Nothing to do.
    pub(crate) fn open() -> Self {
        Self
    }
}
