// SPDX-License-Identifier: GPL-2.0

//! Messages to user space.
//!
//! C header: `include/net/genetlink.h`, `include/net/netlink.h`.

use crate::bindings;

use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull, //
};

use kernel::{
    error::to_result,
    prelude::*, //
};

/// A buffer for one message.
///
/// # Invariants
///
/// The pointer owns a valid `sk_buff`.
pub(super) struct Skb(NonNull<bindings::sk_buff>);

impl Skb {
    /// A buffer with room for the headers and `len` octets of attributes.
    pub(super) fn new(len: usize) -> Result<Self> {
        // SAFETY: Any length will do.
        let skb = unsafe { bindings::shim6_helper_genlmsg_new(len) };

        // INVARIANT: A new buffer belongs to who asked for it.
        NonNull::new(skb).map(Self).ok_or(ENOMEM)
    }

    /// The same without sleeping.
    pub(super) fn new_atomic(len: usize) -> Result<Self> {
        // SAFETY: Any length will do.
        let skb = unsafe { bindings::shim6_helper_genlmsg_new_atomic(len) };

        // INVARIANT: A new buffer belongs to who asked for it.
        NonNull::new(skb).map(Self).ok_or(ENOMEM)
    }

    pub(super) fn as_ptr(&mut self) -> NonNull<bindings::sk_buff> {
        self.0
    }

    /// Sends the buffer to where the request came from.
    pub(super) fn reply(self, info: NonNull<bindings::genl_info>) -> Result {
        // SAFETY: By the type invariant the buffer is valid and ours; the function takes it over,
        // also if it fails.
        to_result(unsafe { bindings::shim6_helper_genlmsg_reply(self.into_raw(), info.as_ptr()) })
    }

    /// Gives the buffer away.
    pub(super) fn into_raw(self) -> *mut bindings::sk_buff {
        ManuallyDrop::new(self).0.as_ptr()
    }
}

impl Drop for Skb {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the buffer is valid and ours.
        unsafe { bindings::shim6_helper_nlmsg_free(self.0.as_ptr()) };
    }
}

/// A message that is being written, at the end of a buffer.
///
/// A method that fails with `EMSGSIZE` has found the buffer full. A message that is dropped leaves
/// nothing in the buffer.
///
/// # Invariants
///
/// `skb` is valid and nobody else uses it for `'a`; `header` points behind the headers of its last
/// message.
pub(crate) struct Message<'a> {
    skb: NonNull<bindings::sk_buff>,
    header: NonNull<c_void>,
    _buffer: PhantomData<&'a mut bindings::sk_buff>,
}

impl Message<'_> {
    /// Octets that an attribute of so many octets takes.
    pub(crate) const fn space(payload: usize) -> usize {
        (size_of::<bindings::nlattr>() + payload).next_multiple_of(bindings::NLA_ALIGNTO as usize)
    }

    /// Octets that [`put_u64`](Self::put_u64) takes at most: an attribute for padding comes with
    /// it where unaligned access is slow.
    pub(crate) const SPACE_U64: usize = Self::space(0) + Self::space(size_of::<u64>());

    /// Begins a message.
    ///
    /// # Safety
    ///
    /// `skb` and `family` are valid; nobody else uses `skb` as long as the message lives.
    pub(super) unsafe fn new(
        skb: NonNull<bindings::sk_buff>,
        portid: u32,
        seq: u32,
        family: *const bindings::genl_family,
        flags: u32,
        command: u8,
    ) -> Result<Self> {
        // SAFETY: The caller promises that the pointers are valid.
        let header = unsafe {
            bindings::genlmsg_put(skb.as_ptr(), portid, seq, family, flags as c_int, command)
        };

        // INVARIANT: The function has just begun the last message of the buffer.
        Ok(Self {
            skb,
            header: NonNull::new(header).ok_or(EMSGSIZE)?,
            _buffer: PhantomData,
        })
    }

    /// Adds an attribute of octets.
    pub(crate) fn put(&mut self, kind: u16, octets: &[u8]) -> Result {
        let len = c_int::try_from(octets.len())?;

        // SAFETY: By the type invariant the buffer is valid; the slice has the length given.
        to_result(unsafe {
            bindings::nla_put(
                self.skb.as_ptr(),
                c_int::from(kind),
                len,
                octets.as_ptr().cast(),
            )
        })
    }

    /// Adds a text of at most 63 octets, with the zero behind it that readers in C want.
    pub(crate) fn put_text(&mut self, kind: u16, text: &[u8]) -> Result {
        let mut octets = [0; 64];
        octets
            .get_mut(..text.len())
            .ok_or(EMSGSIZE)?
            .copy_from_slice(text);
        self.put(kind, octets.get(..=text.len()).ok_or(EMSGSIZE)?)
    }

    /// Adds an integer of 8 bits.
    pub(crate) fn put_u8(&mut self, kind: u16, value: u8) -> Result {
        self.put(kind, &value.to_ne_bytes())
    }

    /// Adds an integer of 32 bits.
    pub(crate) fn put_u32(&mut self, kind: u16, value: u32) -> Result {
        self.put(kind, &value.to_ne_bytes())
    }

    /// Adds an integer of 64 bits, aligned by means of an attribute of type `pad` if need be.
    pub(crate) fn put_u64(&mut self, kind: u16, value: u64, pad: u16) -> Result {
        // SAFETY: By the type invariant the buffer is valid; the value has the length given.
        to_result(unsafe {
            bindings::nla_put_64bit(
                self.skb.as_ptr(),
                c_int::from(kind),
                size_of::<u64>() as c_int,
                (&raw const value).cast(),
                c_int::from(pad),
            )
        })
    }

    /// Adds a nest of the attributes that `fill` adds.
    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self) -> Result) -> Result {
        // SAFETY: By the type invariant the buffer is valid.
        let nest =
            unsafe { bindings::shim6_helper_nla_nest_start(self.skb.as_ptr(), c_int::from(kind)) };
        if nest.is_null() {
            return Err(EMSGSIZE);
        }

        let result = fill(self);
        match result {
            // SAFETY: The nest was begun above, in the same buffer.
            Ok(()) => unsafe { bindings::shim6_helper_nla_nest_end(self.skb.as_ptr(), nest) },
            // SAFETY: As above.
            Err(_) => unsafe { bindings::shim6_helper_nla_nest_cancel(self.skb.as_ptr(), nest) },
        }
        result
    }

    /// Finishes the message.
    pub(super) fn end(self) {
        let message = ManuallyDrop::new(self);

        // SAFETY: By the type invariant the header is that of the last message of the buffer.
        unsafe {
            bindings::shim6_helper_genlmsg_end(message.skb.as_ptr(), message.header.as_ptr());
        }
    }

    pub(super) fn header(&self) -> *mut c_void {
        self.header.as_ptr()
    }
}

impl Drop for Message<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the header is that of the last message of the buffer.
        unsafe {
            bindings::shim6_helper_genlmsg_cancel(self.skb.as_ptr(), self.header.as_ptr());
        }
    }
}
