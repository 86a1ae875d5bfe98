// SPDX-License-Identifier: GPL-2.0

//! Addresses of this host, and protocols above IPv6.
//!
//! C headers: [`include/net/addrconf.h`](srctree/include/net/addrconf.h),
//! [`include/net/protocol.h`](srctree/include/net/protocol.h)

use super::{
    address::In6Addr,
    drop_reason::DropReason,
    dst::Device,
    net::Net,
    skbuff::{
        SkBuff,
        Stolen, //
    }, //
};
use crate::bindings;
use core::{
    marker::PhantomData,
    ptr,
    sync::atomic::{
        AtomicU32,
        Ordering::Relaxed, //
    }, //
};
use kernel::{
    ffi::c_int,
    prelude::*,
    sync::rcu::{
        self,
        Guard, //
    },
    types::Opaque, //
};

/// Whether an interface of the namespace has this address, and may use it (not tentative).
#[inline]
pub(crate) fn is_local_address(net: &Net, address: &In6Addr) -> bool {
    // SAFETY: Both are valid; a null device means any.
    unsafe { bindings::ipv6_chk_addr(net.as_ptr(), address.as_ptr(), ptr::null(), 0) != 0 }
}

/// Since which change of the namespace's addresses one of them, always the same, is known to be
/// [local](is_local_address). C reads and writes it, also at the same time; 0 is never.
pub(crate) struct KnownLocal(AtomicU32);

impl KnownLocal {
    /// Nothing is known yet.
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Whether no address has changed since it was found to be local.
    #[inline]
    pub(super) fn is_current(&self, net: &Net) -> bool {
        let known = self.0.load(Relaxed);
        known != 0 && known == net.address_changes()
    }

    #[inline]
    pub(super) fn as_ptr(&self) -> *mut u32 {
        self.0.as_ptr()
    }
}

/// Index of the interface that has this address.
pub(crate) fn interface_of(net: &Net, address: &In6Addr) -> Option<u32> {
    // SAFETY: Both are valid.
    let index = unsafe { bindings::shim6_helper_ipv6_addr_ifindex(net.as_ptr(), address.as_ptr()) };
    u32::try_from(index).ok().filter(|&index| index != 0)
}

/// What a [`Protocol`] does with a packet.
pub(crate) enum Delivery {
    /// It is used up and freed.
    Consumed(SkBuff),
    /// It is dropped for a reason.
    Dropped(SkBuff, DropReason),
    /// It was taken, to be used later.
    Kept(#[expect(dead_code, reason = "it is evidence only")] Stolen),
    /// It is another packet now, and goes through PRE_ROUTING, routing and input from its IPv6
    /// header on.
    Anew(SkBuff),
}

/// A protocol above IPv6.
pub(crate) trait Protocol: 'static {
    /// Receives a packet for this host whose chain of headers led to this protocol. Softirq, RCU
    /// read lock held. Data starts at the protocol's header; [`Received`] knows the IPv6 header.
    fn receive(packet: Received, net: &Net, rcu: &Guard) -> Delivery;

    /// An ICMPv6 error quotes a packet of this protocol, `quoted` from its IPv6 header on. Nothing
    /// of it is proved. Softirq, RCU read lock held.
    fn error(net: &Net, kind: u8, code: u8, quoted: &[u8], rcu: &Guard);
}

/// A packet in the hands of a [`Protocol`], data at the protocol's header.
pub(crate) struct Received(SkBuff);

impl Received {
    /// Octets from the IPv6 header to the protocol's header.
    pub(crate) fn header_offset(&self) -> usize {
        // SAFETY: The packet is live; the network header lies before data.
        unsafe { bindings::shim6_helper_skb_network_header_len(self.0.as_ptr()) as usize }
    }

    /// Moves the start of data back to the IPv6 header.
    pub(crate) fn into_packet(self) -> SkBuff {
        let offset = self.header_offset();
        // SAFETY: The octets between the network header and data are in the linear part.
        unsafe { bindings::skb_push(self.0.as_ptr(), offset as u32) };
        self.0
    }
}

/// # Safety
///
/// Called by IPv6 input only.
unsafe extern "C" fn handler<P: Protocol>(skb: *mut bindings::sk_buff) -> c_int {
    // SAFETY: A received packet has a device.
    let device = unsafe { Device::from_ptr(bindings::shim6_helper_skb_dev(skb)) };
    // SAFETY: The packet is handed over.
    let packet = Received(unsafe { SkBuff::from_raw(skb) });
    let rcu = rcu::read_lock();
    match P::receive(packet, device.net(), &rcu) {
        Delivery::Consumed(skb) => {
            // SAFETY: The packet is ours and nobody else's.
            unsafe { bindings::shim6_helper_consume_skb(skb.as_ptr()) };
            0
        }
        Delivery::Dropped(skb, reason) => {
            skb.free(reason);
            0
        }
        Delivery::Kept(_) => 0,
        Delivery::Anew(skb) => {
            // SAFETY: The packet is ours and nobody else's, and begins with its IPv6 header; its
            // control block is that of IPv6.
            unsafe { bindings::shim6_helper_ip6_input_anew(device.net().as_ptr(), skb.as_ptr()) };
            0
        }
    }
}

/// # Safety
///
/// Called by ICMPv6 input only.
unsafe extern "C" fn err_handler<P: Protocol>(
    skb: *mut bindings::sk_buff,
    _opt: *mut bindings::inet6_skb_parm,
    kind: u8,
    code: u8,
    _offset: c_int,
    _info: bindings::__be32,
) -> c_int {
    // SAFETY: A received packet has a device.
    let device = unsafe { Device::from_ptr(bindings::shim6_helper_skb_dev(skb)) };
    let mut len = 0;
    // SAFETY: Data of the packet starts at the quoted IPv6 header; the helper says how much of it
    // is in the linear part.
    let data = unsafe { bindings::shim6_helper_skb_linear(skb, &raw mut len) };
    // SAFETY: As above; the packet is not changed during the call.
    let quoted = unsafe { core::slice::from_raw_parts(data, len as usize) };
    P::error(device.net(), kind, code, quoted, &rcu::read_lock());
    0
}

/// A static that stands for a [`Protocol`] in the kernel's table.
pub(crate) struct ProtocolEntry<P> {
    protocol: Opaque<bindings::inet6_protocol>,
    _type: PhantomData<P>,
}

// SAFETY: Written once, before registration.
unsafe impl<P: Protocol> Sync for ProtocolEntry<P> {}

impl<P: Protocol> ProtocolEntry<P> {
    /// An entry that is not registered.
    pub(crate) const fn new() -> Self {
        Self {
            protocol: Opaque::uninit(),
            _type: PhantomData,
        }
    }

    /// Registers the protocol under a number, for all namespaces.
    ///
    /// # Errors
    ///
    /// `EBUSY` if the number has a protocol.
    pub(crate) fn register(&'static self, number: u8) -> Result<ProtocolRegistration<P>> {
        // SAFETY: Nobody reads the entry before it is added.
        unsafe {
            self.protocol.get().write(bindings::inet6_protocol {
                handler: Some(handler::<P>),
                err_handler: Some(err_handler::<P>),
                flags: bindings::INET6_PROTO_NOPOLICY,
                ..pin_init::zeroed()
            });
        }
        // SAFETY: The entry is static and complete. The answer is -1, not an errno.
        if unsafe { bindings::inet6_add_protocol(self.protocol.get(), number) } != 0 {
            return Err(EBUSY);
        }
        Ok(ProtocolRegistration(self, number))
    }
}

/// A registered [`ProtocolEntry`]; dropping it takes it out and waits for its users.
pub(crate) struct ProtocolRegistration<P: Protocol>(&'static ProtocolEntry<P>, u8);

impl<P: Protocol> Drop for ProtocolRegistration<P> {
    fn drop(&mut self) {
        // SAFETY: `self` is evidence of the registration.
        unsafe { bindings::inet6_del_protocol(self.0.protocol.get(), self.1) };
    }
}
