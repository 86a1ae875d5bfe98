// SPDX-License-Identifier: GPL-2.0

//! Dumps: a request that is answered by as many messages as there are objects.
//!
//! The kernel asks for the messages buffer by buffer, as fast as user space reads them; between
//! two buffers any time may pass and the objects may change. What a dump has to remember lives in
//! [`Dump::State`], which the kernel's control block of the dump holds.
//!
//! C header: `include/linux/netlink.h`, `struct netlink_callback`.

use super::{
    Message,
    Permission,
    Policy,
    Request, //
};

use crate::bindings;

use core::{
    marker::PhantomData,
    ptr::NonNull, //
};

use kernel::prelude::*;

/// Whether a dump goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The buffer is full, and there is more.
    More,
    /// That was all.
    Done,
}

/// An operation that answers with many messages.
pub(crate) trait Dump {
    /// The number of the command.
    const COMMAND: u8;

    /// Who may ask for it.
    const PERMISSION: Permission;

    /// The attributes that it takes; the index is the type of the attribute.
    const POLICY: &'static [Policy];

    /// Octets of the attributes of the largest message. Every buffer has room for one such
    /// message.
    const LARGEST: usize;

    /// What a dump remembers from one buffer to the next. It may borrow from the network namespace
    /// and the attributes of the request.
    type State<'a>;

    /// Begins a dump.
    fn start<'a>(request: &Request<'a>) -> Result<Self::State<'a>>;

    /// Writes messages until all are written or the buffer is full.
    fn fill(state: &mut Self::State<'_>, batch: &mut Batch<'_>) -> Result<Progress>;
}

pub(super) const fn callbacks<T: Dump>() -> bindings::genl_split_ops__bindgen_ty_1__bindgen_ty_2 {
    bindings::genl_split_ops__bindgen_ty_1__bindgen_ty_2 {
        start: Some(start_callback::<T>),
        dumpit: Some(dumpit_callback::<T>),
        done: Some(done_callback::<T>),
    }
}

/// The buffer of a dump.
///
/// # Invariants
///
/// `skb` and `cb` are valid and nobody else uses them for `'a`; `info` is valid.
pub(crate) struct Batch<'a> {
    skb: NonNull<bindings::sk_buff>,
    cb: NonNull<bindings::netlink_callback>,
    info: NonNull<bindings::genl_info>,
    _callback: PhantomData<&'a mut bindings::netlink_callback>,
}

impl Batch<'_> {
    /// States the generation of the objects that the next messages are about. When it differs
    /// from that of the message before, the messages carry `NLM_F_DUMP_INTR`: user space then
    /// knows that it may have missed something or seen it twice, and asks again.
    pub(crate) fn set_generation(&mut self, generation: u32) {
        // SAFETY: By the type invariant the callback is valid. Zero would mean that there is
        // nothing to compare with.
        unsafe { (*self.cb.as_ptr()).seq = generation.wrapping_shl(1) | 1 };
    }

    /// Adds the message that `fill` writes, or says that there is no room for it.
    ///
    /// # Errors
    ///
    /// Those of `fill`, except `EMSGSIZE`, which becomes [`Progress::More`].
    pub(crate) fn message(
        &mut self,
        command: u8,
        fill: impl FnOnce(&mut Message<'_>) -> Result,
    ) -> Result<Progress> {
        match self.try_message(command, fill) {
            Ok(()) => Ok(Progress::Done),
            Err(error) if error == EMSGSIZE => Ok(Progress::More),
            Err(error) => Err(error),
        }
    }

    fn try_message(
        &mut self,
        command: u8,
        fill: impl FnOnce(&mut Message<'_>) -> Result,
    ) -> Result {
        // SAFETY: By the type invariant `info` is valid.
        let info = unsafe { self.info.as_ref() };
        // SAFETY: By the type invariant the buffer is valid and ours as long as `self` is
        // borrowed; the kernel calls us on behalf of a valid family.
        let mut message = unsafe {
            Message::new(
                self.skb,
                info.snd_portid,
                info.snd_seq,
                info.family,
                bindings::NLM_F_MULTI,
                command,
            )?
        };

        fill(&mut message)?;
        // SAFETY: By the type invariant the callback is valid, and the header is that of the
        // message.
        unsafe {
            bindings::shim6_helper_genl_dump_check_consistent(self.cb.as_ptr(), message.header());
        }
        message.end();
        Ok(())
    }
}

/// Where the control block of a dump keeps the state.
///
/// # Safety
///
/// `cb` is valid.
unsafe fn state_of<T: Dump>(cb: *mut bindings::netlink_callback) -> *mut T::State<'static> {
    const {
        assert!(
            size_of::<T::State<'static>>() <= size_of::<bindings::netlink_callback__bindgen_ty_1>()
        );
        assert!(
            align_of::<T::State<'static>>()
                <= align_of::<bindings::netlink_callback__bindgen_ty_1>()
        );
    }

    // SAFETY: The caller promises that `cb` is valid.
    unsafe { (&raw mut (*cb).__bindgen_anon_1).cast() }
}

/// # Safety
///
/// `cb` belongs to a dump of a generic netlink family.
unsafe fn info_of(cb: *mut bindings::netlink_callback) -> *mut bindings::genl_info {
    // SAFETY: Generic netlink keeps its own data in `data`.
    unsafe { &raw mut (*(*cb).data.cast::<bindings::genl_dumpit_info>()).info }
}

/// # Safety
///
/// Called by generic netlink only, once for every dump and first.
unsafe extern "C" fn start_callback<T: Dump>(cb: *mut bindings::netlink_callback) -> c_int {
    // SAFETY: The control block, the message and, by way of the socket, the namespace stay until
    // after `done_callback`. `T::start` is written for any lifetime, so it cannot make use of this
    // one being static.
    let request = unsafe { Request::<'static>::from_raw(info_of(cb)) };

    // A user of the family needs room for an empty buffer to hold the largest message.
    const HEADERS: usize = size_of::<bindings::nlmsghdr>() + size_of::<bindings::genlmsghdr>();
    // SAFETY: The kernel gives us a valid control block.
    unsafe { (*cb).min_dump_alloc = (HEADERS + T::LARGEST) as u32 };

    match T::start(&request) {
        Ok(state) => {
            // SAFETY: The place is ours from now on and big enough.
            unsafe { state_of::<T>(cb).write(state) };
            0
        }
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// Called by generic netlink only, between `start_callback`, which has succeeded, and
/// `done_callback`, with one buffer at a time.
unsafe extern "C" fn dumpit_callback<T: Dump>(
    skb: *mut bindings::sk_buff,
    cb: *mut bindings::netlink_callback,
) -> c_int {
    // SAFETY: `start_callback` has written the state, and calls do not overlap.
    let state = unsafe { &mut *state_of::<T>(cb) };

    // INVARIANT: The kernel gives us the buffer and the control block for the time of this call.
    let mut batch = Batch {
        // SAFETY: The kernel gives us a valid buffer.
        skb: unsafe { NonNull::new_unchecked(skb) },
        // SAFETY: The kernel gives us a valid control block.
        cb: unsafe { NonNull::new_unchecked(cb) },
        // SAFETY: The kernel gives us a valid control block, of which this is a part.
        info: unsafe { NonNull::new_unchecked(info_of(cb)) },
        _callback: PhantomData,
    };

    match T::fill(state, &mut batch) {
        Ok(Progress::Done) => 0,
        // A positive number, and `EMSGSIZE` with something in the buffer, mean that there is more.
        Ok(Progress::More) => EMSGSIZE.to_errno(),
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// Called by generic netlink only, once and last, if `start_callback` has succeeded.
unsafe extern "C" fn done_callback<T: Dump>(cb: *mut bindings::netlink_callback) -> c_int {
    // SAFETY: `start_callback` has written the state, and nobody uses it after us.
    unsafe { state_of::<T>(cb).drop_in_place() };
    0
}
