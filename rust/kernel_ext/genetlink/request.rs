// SPDX-License-Identifier: GPL-2.0

//! A request and the answers to it.
//!
//! C header: `include/net/genetlink.h`, `struct genl_info`.

use super::{
    message::Skb,
    Attribute,
    Attributes,
    Message, //
};

use crate::{
    bindings,
    kernel_ext::net::Net, //
};

use core::{
    ffi::CStr,
    ptr::{
        self,
        NonNull, //
    },
    slice, //
};

use kernel::prelude::*;

/// A request that the policy of its operation has accepted.
///
/// An error goes to the user as a number, a sentence and the place in the request: the methods
/// that return an [`Error`] note the latter two, to be used as in
/// `return Err(request.refuse(EBUSY, c"..."))`.
///
/// # Invariants
///
/// `info` is valid, and nobody else uses its `extack` as long as this object lives.
pub(crate) struct Request<'a> {
    info: NonNull<bindings::genl_info>,
    net: &'a Net,
    attributes: &'a [u8],
}

impl<'a> Request<'a> {
    /// # Safety
    ///
    /// `info` is valid and non-null and belongs to the caller as long as the returned object
    /// lives. The namespace and the message that it refers to stay as they are for `'a`.
    pub(super) unsafe fn from_raw(info: *mut bindings::genl_info) -> Self {
        const HEADERS: usize = size_of::<bindings::nlmsghdr>() + size_of::<bindings::genlmsghdr>();

        // SAFETY: The caller promises that `info` is valid.
        let net = unsafe { Net::from_ptr(bindings::shim6_helper_genl_info_net(info)) };
        // SAFETY: As above; `nlhdr` points to the message of the request.
        let message = unsafe { (*info).nlhdr };
        // SAFETY: As above.
        let len = unsafe { (*message).nlmsg_len } as usize;
        // SAFETY: The kernel has checked that the message has the octets that its length says,
        // and that these include the headers. The caller promises that it stays for `'a`.
        let octets = unsafe { slice::from_raw_parts(message.cast::<u8>(), len) };

        Self {
            // SAFETY: The caller promises that `info` is non-null.
            info: unsafe { NonNull::new_unchecked(info) },
            net,
            attributes: octets.get(HEADERS..).unwrap_or_default(),
        }
    }

    /// The network namespace of the socket that the request came from.
    pub(crate) fn net(&self) -> &'a Net {
        self.net
    }

    /// The attributes.
    pub(crate) fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.attributes)
    }

    /// Refuses the request as a whole.
    pub(crate) fn refuse(&self, error: Error, sentence: &'static CStr) -> Error {
        // SAFETY: By the type invariant `extack` is ours, or null, which the helper accepts. The
        // sentence is static, and the kernel copies it before the module can go.
        unsafe {
            bindings::shim6_helper_nl_set_err_msg(self.extack(), sentence.as_char_ptr());
        }
        error
    }

    /// Refuses the request because of `attribute`, which is one of it.
    pub(crate) fn refuse_attribute(
        &self,
        attribute: &Attribute<'_>,
        error: Error,
        sentence: &'static CStr,
    ) -> Error {
        if let Some(extack) = NonNull::new(self.extack()) {
            // SAFETY: By the type invariant `extack` is ours.
            unsafe { (*extack.as_ptr()).bad_attr = self.place(attribute) };
        }
        self.refuse(error, sentence)
    }

    /// Refuses the request because it lacks an attribute of type `kind`.
    pub(crate) fn missing(&self, kind: u16, sentence: &'static CStr) -> Error {
        if let Some(extack) = NonNull::new(self.extack()) {
            // SAFETY: By the type invariant `extack` is ours.
            unsafe { (*extack.as_ptr()).miss_type = kind };
        }
        self.refuse(EINVAL, sentence)
    }

    /// Refuses the request because `nest`, one of its attributes, lacks an attribute of type
    /// `kind`.
    pub(crate) fn missing_in(
        &self,
        nest: &Attribute<'_>,
        kind: u16,
        sentence: &'static CStr,
    ) -> Error {
        if let Some(extack) = NonNull::new(self.extack()) {
            // SAFETY: By the type invariant `extack` is ours.
            unsafe { (*extack.as_ptr()).miss_nest = self.place(nest) };
        }
        self.missing(kind, sentence)
    }

    /// Answers with one message of at most `len` octets of attributes, which `fill` writes.
    ///
    /// Nothing is sent if `fill` fails. `fill` runs after memory has been allocated, so it may
    /// enter an RCU read-side critical section.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, those of `fill`, and those of delivery, for example `EAGAIN` when the receive
    /// buffer of the sender is full.
    pub(crate) fn reply(
        &self,
        command: u8,
        len: usize,
        fill: impl FnOnce(&mut Message<'_>) -> Result,
    ) -> Result {
        let mut skb = Skb::new(len)?;

        // SAFETY: By the type invariant `info` is valid.
        let info = unsafe { self.info.as_ref() };
        // SAFETY: The buffer outlives the message and is used for nothing else meanwhile; the
        // kernel calls us on behalf of a valid family.
        let mut message = unsafe {
            Message::new(
                skb.as_ptr(),
                info.snd_portid,
                info.snd_seq,
                info.family,
                0,
                command,
            )?
        };
        fill(&mut message)?;
        message.end();
        skb.reply(self.info)
    }

    /// Where an attribute is, for the kernel to tell the user; null, which means no place, if it
    /// is not one of this request.
    fn place(&self, attribute: &Attribute<'_>) -> *const bindings::nlattr {
        let message = self.attributes.as_ptr_range();
        let octets = attribute.as_octets().as_ptr_range();

        if message.start <= octets.start && octets.end <= message.end {
            octets.start.cast()
        } else {
            ptr::null()
        }
    }

    fn extack(&self) -> *mut bindings::netlink_ext_ack {
        // SAFETY: By the type invariant `info` is valid.
        unsafe { (*self.info.as_ptr()).extack }
    }
}
