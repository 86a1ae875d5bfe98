// SPDX-License-Identifier: GPL-2.0

//! Multicast groups: messages to all who asked for them, in one network namespace.
//!
//! C header: `include/net/genetlink.h`, `struct genl_multicast_group`.

use super::{
    message::Skb,
    Family,
    Message, //
};

use crate::{
    bindings,
    kernel_ext::{
        fault,
        net::Net, //
    },
};

use core::ffi::CStr;

use kernel::{
    error::to_result,
    prelude::*,
    sync::{
        atomic::ordering::Acquire,
        rcu, //
    },
};

/// A multicast group of a [`Family`].
#[repr(transparent)]
pub(crate) struct Group(bindings::genl_multicast_group);

// SAFETY: A `Group` is never modified.
unsafe impl Sync for Group {}

impl Group {
    /// A group that those may join who have `CAP_NET_ADMIN` in the user namespace that owns the
    /// network namespace. To be used in constants only: a name that is too long does not compile.
    pub(crate) const fn admin_only(name: &'static CStr) -> Self {
        let mut group: bindings::genl_multicast_group = pin_init::zeroed();
        let name = name.to_bytes_with_nul();

        assert!(name.len() <= group.name.len(), "name is too long");
        let mut i = 0;
        while i < name.len() {
            group.name[i] = name[i];
            i += 1;
        }
        group.flags = bindings::SHIM6_GENL_MCAST_CAP_NET_ADMIN;
        Self(group)
    }
}

impl Family {
    /// The same family with multicast groups, which are referred to by their index.
    pub(crate) const fn with_groups(self, groups: &'static [Group]) -> Self {
        assert!(groups.len() <= u8::MAX as usize, "too many groups");
        let family = self.family.get();
        // SAFETY: The family is ours, and nobody else has a pointer to it.
        unsafe {
            (*family).mcgrps = groups.as_ptr().cast();
            (*family).n_mcgrps = groups.len() as u8;
        }
        self
    }

    /// Whether anybody in the namespace has joined a group. Any context.
    pub(crate) fn has_listeners(&'static self, net: &Net, group: u8) -> bool {
        let _rcu = rcu::read_lock();
        self.is_registered.load(Acquire)
            // SAFETY: The family is registered and the namespace is live.
            && unsafe {
                bindings::shim6_helper_genl_has_listeners(
                    self.family.get(),
                    net.as_ptr(),
                    u32::from(group),
                )
            }
    }

    /// Sends one message of at most `len` octets of attributes, which `fill` writes, to those in
    /// the namespace who have joined a group. It is no error if there are none. Any context but
    /// hard interrupts; does not sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; those of `fill`, when nothing is sent; those of delivery, for example `ENOBUFS`
    /// when a receive buffer is full, of which its owner is told too.
    pub(crate) fn multicast(
        &'static self,
        net: &Net,
        group: u8,
        command: u8,
        len: usize,
        fill: impl FnOnce(&mut Message<'_>) -> Result,
    ) -> Result {
        fault::point(fault::Point::Event)?;
        let mut skb = Skb::new_atomic(len)?;
        // SAFETY: The buffer outlives the message and is used for nothing else meanwhile; the
        // family is static.
        let mut message =
            unsafe { Message::new(skb.as_ptr(), 0, 0, self.family.get(), 0, command)? };
        fill(&mut message)?;
        message.end();

        let _rcu = rcu::read_lock();
        if !self.is_registered.load(Acquire) {
            return Ok(());
        }
        // SAFETY: The family is registered, as long as the lock is held, and the namespace is live;
        // the function takes the buffer over, also if it fails.
        let result = to_result(unsafe {
            bindings::shim6_helper_genlmsg_multicast(
                self.family.get(),
                net.as_ptr(),
                skb.into_raw(),
                u32::from(group),
            )
        });
        match result {
            Err(error) if error == ESRCH => Ok(()),
            result => result,
        }
    }
}
