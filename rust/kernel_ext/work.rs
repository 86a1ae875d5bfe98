// SPDX-License-Identifier: GPL-2.0

//! Work that one piece of state needs done in process context, one run at a time.
//!
//! A [`Worker`] is a member of the state that it works on. It runs on a [`Workqueue`] of the
//! module, whenever somebody asked for it since it ran last, in whatever context.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use crate::bindings;
use core::{
    mem::offset_of,
    ptr, //
};
use kernel::{
    ffi::{
        c_int,
        c_uint, //
    },
    prelude::*,
    str::CStr,
    sync::{
        atomic::{
            ordering::{
                Acquire,
                Full,
                Release, //
            },
            Atomic, //
        },
        rcu, //
    },
    types::Opaque, //
};

/// A workqueue whose work may run on any CPU, and runs even if memory is short; a static.
///
/// # Invariants
///
/// The pointer is null, or to a workqueue that is destroyed not before a grace period after the
/// pointer has become null.
pub(crate) struct Workqueue {
    name: &'static CStr,
    max_active: u16,
    queue: Atomic<*mut bindings::workqueue_struct>,
}

impl Workqueue {
    /// A workqueue that is not there yet. At most `max_active` workers of it run at a time.
    pub(crate) const fn new(name: &'static CStr, max_active: u16) -> Self {
        Self {
            name,
            max_active,
            queue: Atomic::new(ptr::null_mut()),
        }
    }

    /// Makes the workqueue. Process context. Called once, before the workers come into use.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn register(&'static self) -> Result<WorkqueueRegistration> {
        // SAFETY: The name is static.
        let queue = unsafe {
            bindings::shim6_helper_alloc_workqueue(
                self.name.as_char_ptr(),
                c_int::from(self.max_active),
            )
        };
        if queue.is_null() {
            return Err(ENOMEM);
        }
        self.queue.store(queue, Release);
        Ok(WorkqueueRegistration(self))
    }

    /// Queues work unless it is queued already. Any context.
    ///
    /// # Safety
    ///
    /// `work` is initialised, and stays valid until it was disabled and waited for.
    unsafe fn queue(&self, work: *mut bindings::work_struct) {
        let _rcu = rcu::read_lock();
        let queue = self.queue.load(Acquire);
        if !queue.is_null() {
            // SAFETY: By the type invariant the queue is there as long as the RCU read lock is held.
            unsafe {
                bindings::queue_work_on(
                    bindings::wq_misc_consts_WORK_CPU_UNBOUND as c_int,
                    queue,
                    work,
                );
            }
        }
    }
}

/// A [`Workqueue`] that is there; dropping it waits for all work, and whoever wants work done
/// afterwards gets none.
#[must_use = "a workqueue that is dropped is destroyed"]
pub(crate) struct WorkqueueRegistration(&'static Workqueue);

impl Drop for WorkqueueRegistration {
    fn drop(&mut self) {
        let queue = self.0.queue.xchg(ptr::null_mut(), Full);
        // SAFETY: Process context.
        unsafe { bindings::synchronize_rcu() };
        // SAFETY: `register` made it, and who saw the pointer is done with it.
        unsafe { bindings::destroy_workqueue(queue) };
    }
}

/// State with work to be done on it.
pub(crate) trait Work: Send + Sync + 'static {
    /// Does what there is to do. Process context, may sleep; no two calls for the same worker
    /// overlap. Who asks for work while this runs gets another run.
    fn run(&self);
}

/// What does the work of one `T`, which it is a member of.
///
/// It does nothing until its owner is in the place where it stays, see
/// [`PerNet::worker`](super::net::PerNet::worker).
///
/// # Invariants
///
/// `owner` is null, or valid until the worker was shut down.
#[pin_data(PinnedDrop)]
#[repr(C)]
pub(crate) struct Worker<T> {
    #[pin]
    work: Opaque<bindings::work_struct>,
    #[pin]
    timer: Opaque<bindings::timer_list>,
    queue: &'static Workqueue,
    owner: Atomic<*mut T>,
}

// SAFETY: Work and timers are used from any context and synchronise themselves; what runs gets a
// shared reference to `T`, on any CPU.
unsafe impl<T: Send + Sync> Send for Worker<T> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync> Sync for Worker<T> {}

impl<T: Work> Worker<T> {
    /// A worker that is not open yet.
    pub(crate) fn new(queue: &'static Workqueue) -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: The slot is valid; the worker is pinned, and `drop` waits for the callback.
            work <- Opaque::ffi_init(|slot| unsafe {
                bindings::shim6_helper_init_work(slot, Some(run::<T>));
            }),
            // SAFETY: As above.
            timer <- Opaque::ffi_init(|slot| unsafe {
                bindings::shim6_helper_timer_setup(slot, Some(elapsed::<T>), true);
            }),
            queue,
            owner: Atomic::new(ptr::null_mut()),
        })
    }
}

impl<T> Worker<T> {
    /// Lets the worker work on `owner`.
    ///
    /// # Safety
    ///
    /// `owner` contains this worker, and is dropped not before [`Worker::shutdown`] has returned.
    pub(super) unsafe fn open(&self, owner: &T) {
        // INVARIANT: By the safety requirement.
        self.owner.store(ptr::from_ref(owner).cast_mut(), Release);
    }

    fn is_open(&self) -> bool {
        !self.owner.load(Acquire).is_null()
    }

    /// Asks for a run; one that is in progress is followed by another. Any context.
    pub(crate) fn queue(&self) {
        if self.is_open() {
            // SAFETY: The work was initialised by `new`, and `drop` disables it and waits.
            unsafe { self.queue.queue(self.work.get()) };
        }
    }

    /// Asks for a run in `msecs` milliseconds at the latest; an earlier wish stays in force. An
    /// idle CPU is not woken up for it. Any context.
    pub(crate) fn queue_within(&self, msecs: u32) {
        if self.is_open() {
            // SAFETY: The timer was set up by `new`; one that is shut down is not armed.
            unsafe { bindings::shim6_helper_timer_arm_within(self.timer.get(), msecs as c_uint) };
        }
    }

    /// Ends all work: waits for a run in progress, after which there is none any more. Process
    /// context, not from the worker itself. More than once does no harm.
    pub(crate) fn shutdown(&self) {
        // The timer first, which asks for work.
        // SAFETY: The timer was set up by `new`; the caller holds nothing that its callback takes.
        unsafe { bindings::timer_shutdown_sync(self.timer.get()) };
        // SAFETY: The work was initialised by `new`.
        unsafe { bindings::disable_work_sync(self.work.get()) };
    }
}

#[pinned_drop]
impl<T> PinnedDrop for Worker<T> {
    fn drop(self: Pin<&mut Self>) {
        self.shutdown();
    }
}

/// # Safety
///
/// Called by a workqueue only, for the work of a [`Worker<T>`].
unsafe extern "C" fn run<T: Work>(work: *mut bindings::work_struct) {
    // SAFETY: The work is the first member of a worker, which waits for us before it goes.
    let worker = unsafe { &*work.cast::<Worker<T>>() };
    let owner = worker.owner.load(Acquire);
    // SAFETY: By the invariant of `Worker`, which is open: work of others is not queued.
    unsafe { &*owner }.run();
}

/// # Safety
///
/// Called by the timer core only, for the timer of a [`Worker<T>`].
unsafe extern "C" fn elapsed<T: Work>(timer: *mut bindings::timer_list) {
    // SAFETY: The timer is a member of a worker, which waits for us before it goes.
    let worker = unsafe {
        &*timer
            .byte_sub(offset_of!(Worker<T>, timer))
            .cast::<Worker<T>>()
    };
    worker.queue();
}
