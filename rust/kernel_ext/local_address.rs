// SPDX-License-Identifier: GPL-2.0

//! The addresses that the interfaces of a namespace have, and in which state they are.
//!
//! C header: [`include/net/if_inet6.h`](srctree/include/net/if_inet6.h)

use super::{
    address::In6Addr,
    net::Net, //
};
use crate::bindings;
use core::{
    ops::ControlFlow,
    ptr, //
};
use kernel::ffi::c_void;

/// An address of an interface, as it was a moment ago.
#[derive(Clone, Copy)]
pub(crate) struct LocalAddress {
    address: [u8; 16],
    device: u32,
    flags: u32,
    is_link_up: bool,
}

impl LocalAddress {
    fn new(from: &bindings::shim6_helper_address) -> Self {
        Self {
            // SAFETY: Any octets are good in all views of this union.
            address: unsafe { from.addr.in6_u.u6_addr8 },
            device: from.ifindex,
            flags: from.flags,
            is_link_up: from.is_link_up,
        }
    }

    /// The address.
    pub(crate) fn address(&self) -> [u8; 16] {
        self.address
    }

    /// Index of the interface.
    #[expect(dead_code, reason = "for the choice of pairs to probe")]
    pub(crate) fn device(&self) -> u32 {
        self.device
    }

    fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Whether nobody knows yet if the address is this host's alone, so that it must not be used.
    /// One that may be used meanwhile is optimistic, not tentative.
    pub(crate) fn is_tentative(&self) -> bool {
        self.has(bindings::IFA_F_TENTATIVE) && !self.is_optimistic()
    }

    /// Whether the address may be used before it is known to be this host's alone (RFC 4429).
    pub(crate) fn is_optimistic(&self) -> bool {
        self.has(bindings::IFA_F_OPTIMISTIC)
    }

    /// Whether another host was found to have the address.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.has(bindings::IFA_F_DADFAILED)
    }

    /// Whether the preferred lifetime is over.
    pub(crate) fn is_deprecated(&self) -> bool {
        self.has(bindings::IFA_F_DEPRECATED)
    }

    /// Whether the interface is up and has a carrier.
    pub(crate) fn is_link_up(&self) -> bool {
        self.is_link_up
    }

    /// Whether packets can be sent with this source now.
    pub(crate) fn is_usable(&self) -> bool {
        self.is_link_up() && !self.is_tentative() && !self.is_duplicate()
    }

    /// Whether the address is neither bound to a link nor to this host. Unique local addresses
    /// count as global.
    #[expect(dead_code, reason = "for the choice of pairs to probe")]
    pub(crate) fn is_global(&self) -> bool {
        let is_link_local = matches!(self.address, [0xfe, 0x80..=0xbf, ..]);
        !is_link_local && self.address != LOOPBACK
    }
}

/// `::1`.
const LOOPBACK: [u8; 16] = 1_u128.to_be_bytes();

/// The state of an address; `None` if no interface of the namespace has it. If several have it, one
/// that may use it is preferred. Any context.
pub(crate) fn find(net: &Net, address: &In6Addr) -> Option<LocalAddress> {
    let mut found = bindings::shim6_helper_address::default();
    // SAFETY: All pointers are valid.
    let is_found = unsafe {
        bindings::shim6_helper_address_find(net.as_ptr(), address.as_ptr(), &raw mut found)
    };
    is_found.then(|| LocalAddress::new(&found))
}

/// Calls `visit` for all addresses of the namespace until it breaks. An address that two interfaces
/// have comes twice. Any context; `visit` runs under the RCU read lock and must not sleep.
pub(crate) fn for_each<F: FnMut(&LocalAddress) -> ControlFlow<()>>(net: &Net, mut visit: F) {
    // SAFETY: The namespace is live; `call_visit` gets what it is made for.
    unsafe {
        bindings::shim6_helper_address_for_each(
            net.as_ptr(),
            Some(call_visit::<F>),
            ptr::from_mut(&mut visit).cast(),
        );
    }
}

/// # Safety
///
/// `data` is an `F` that nobody else uses, `address` is valid.
unsafe extern "C" fn call_visit<F: FnMut(&LocalAddress) -> ControlFlow<()>>(
    data: *mut c_void,
    address: *const bindings::shim6_helper_address,
) -> bool {
    // SAFETY: By the safety requirements.
    let visit = unsafe { &mut *data.cast::<F>() };
    // SAFETY: As above.
    visit(&LocalAddress::new(unsafe { &*address })).is_continue()
}
