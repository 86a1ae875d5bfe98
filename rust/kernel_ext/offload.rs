// SPDX-License-Identifier: GPL-2.0

//! Segmentation and receive offload of a header between IPv6 and the transport.
//!
//! C headers: [`include/linux/netdevice.h`](srctree/include/linux/netdevice.h),
//! [`include/net/gro.h`](srctree/include/net/gro.h)

use super::{
    address::In6Addr,
    dst::Device,
    net::Net,
    rcu,
    skbuff::SkBuff, //
};
use crate::bindings;
use crate::kernel_ext::compat::errno::EPROTONOSUPPORT;
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::{
    ffi::{
        c_int,
        c_uint, //
    },
    prelude::*,
    sync::rcu::Guard,
    types::Opaque, //
};

/// The transports whose packets are merged: TCP and UDP.
const TCP: u8 = bindings::IPPROTO_TCP as u8;
const UDP: u8 = bindings::IPPROTO_UDP as u8;

/// Which addresses the checksum of a packet's inner transport is over.
pub(crate) struct Flow {
    /// Source address of the transport's pseudo header.
    pub(crate) source: In6Addr,
    /// Destination address of the transport's pseudo header.
    pub(crate) destination: In6Addr,
}

/// A header of `LEN` octets with a transport behind it.
pub(crate) trait Offload<const LEN: usize>: 'static {
    /// The addresses of a packet received with this header in a namespace; `None` if it is not to be
    /// merged. Softirq, RCU read lock held.
    fn flow(net: &Net, header: &[u8; LEN], rcu: &Guard) -> Option<Flow>;

    /// Packets of a namespace were merged into one. Context as of [`Offload::flow`].
    fn merged(net: &Net);

    /// The protocol that follows this header on a packet to be merged or segmented.
    fn next_header(header: &[u8; LEN]) -> Option<u8>;
}

/// # Safety
///
/// Called by receive offload only.
unsafe extern "C" fn gro_receive<O: Offload<LEN>, const LEN: usize>(
    head: *mut bindings::list_head,
    skb: *mut bindings::sk_buff,
) -> *mut bindings::sk_buff {
    let mut net = ptr::null_mut();
    // SAFETY: Receive offload hands valid packets, which have a device, RCU read lock held.
    let header = unsafe { bindings::shim6_helper_gro_begin(skb, LEN as c_uint, &raw mut net) };
    // SAFETY: If they are there, it is LEN octets.
    let found = unsafe { header.cast::<[u8; LEN]>().as_ref() }.and_then(|octets| {
        let transport = O::next_header(octets).filter(|next| matches!(*next, TCP | UDP))?;
        // SAFETY: The namespace of a device lives as long as that; receive offload runs under RCU.
        let (net, rcu) = unsafe { (Net::from_ptr(net), rcu::held()) };
        Some((transport, O::flow(net, octets, rcu)?))
    });
    // SAFETY: The list and the packets on it are receive offload's, and valid; the transport's
    // callback gets what we were given, one header further.
    unsafe {
        match found {
            Some((TCP, flow)) => bindings::shim6_helper_gro_tcp(
                head,
                skb,
                header,
                LEN as c_uint,
                flow.source.as_ptr(),
                flow.destination.as_ptr(),
            ),
            Some((_, flow)) => bindings::shim6_helper_gro_udp(
                head,
                skb,
                LEN as c_uint,
                flow.source.as_ptr(),
                flow.destination.as_ptr(),
            ),
            None => {
                bindings::shim6_helper_gro_flush(skb);
                ptr::null_mut()
            }
        }
    }
}

/// # Safety
///
/// Called by receive offload only, for packets that `gro_receive` let merge.
unsafe extern "C" fn gro_complete<O: Offload<LEN>, const LEN: usize>(
    skb: *mut bindings::sk_buff,
    offset: c_int,
) -> c_int {
    let complete = || -> Result<c_int> {
        // SAFETY: The packet is valid, data at or before the network header; RCU read lock held.
        let device = unsafe { Device::from_ptr(bindings::shim6_helper_skb_dev(skb)) };
        // SAFETY: `gro_receive` found LEN octets at this offset in the linear part.
        let octets = unsafe {
            let start = bindings::shim6_helper_skb_data(skb).byte_add(offset as usize);
            *start.cast::<[u8; LEN]>()
        };
        let inner = offset.checked_add(LEN as c_int).ok_or(EINVAL)?;
        let transport = O::next_header(&octets).ok_or(EPROTONOSUPPORT)?;
        // A flow that is gone meanwhile leaves a packet that nobody will accept.
        // SAFETY: Receive offload runs under RCU.
        let flow = O::flow(device.net(), &octets, unsafe { rcu::held() });
        let (source, destination) = flow.as_ref().map_or((ptr::null(), ptr::null()), |flow| {
            (flow.source.as_ptr(), flow.destination.as_ptr())
        });
        // SAFETY: The transport's callback, one header further, in the linear part.
        let result = unsafe {
            bindings::shim6_helper_gro_complete(skb, inner, transport, source, destination)
        };
        O::merged(device.net());
        Ok(result)
    };
    complete().unwrap_or_else(|error| error.to_errno())
}

/// # Safety
///
/// Called by segmentation offload only.
unsafe extern "C" fn gso_segment<O: Offload<LEN>, const LEN: usize>(
    skb: *mut bindings::sk_buff,
    features: bindings::netdev_features_t,
) -> *mut bindings::sk_buff {
    let segment = || -> Result<*mut bindings::sk_buff> {
        // SAFETY: Data is at our header; RCU read lock held; the caller owns the packet.
        if !unsafe { bindings::shim6_helper_skb_may_pull(skb, LEN as c_uint) } {
            return Err(EINVAL);
        }
        // SAFETY: LEN octets are linear.
        let octets = unsafe { *bindings::shim6_helper_skb_data(skb).cast::<[u8; LEN]>() };
        let next = O::next_header(&octets).ok_or(EPROTONOSUPPORT)?;
        // SAFETY: The table of offloads is read under RCU.
        let inner = unsafe { bindings::shim6_helper_inet6_offload(next).as_ref() }
            .and_then(|offload| offload.callbacks.gso_segment)
            .ok_or(EPROTONOSUPPORT)?;
        // SAFETY: The packet is the caller's, who hands it over for segmentation.
        unsafe { SkBuff::from_raw(skb) }.clear_software_segmentation();
        // SAFETY: LEN octets are linear.
        unsafe {
            bindings::skb_pull(skb, LEN as c_uint);
            bindings::shim6_helper_skb_reset_transport_header(skb);
        }
        // The device would take the addresses of the IPv6 header for those of the transport's
        // pseudo header, so it gets finished segments.
        // SAFETY: The transport's callback, data at its header.
        Ok(unsafe { inner(skb, features & !bindings::SHIM6_NETIF_F_SOFTWARE) })
    };
    segment().unwrap_or_else(|error| error.to_ptr())
}

/// A static that stands for an [`Offload`] in the kernel's table.
pub(crate) struct OffloadEntry<O, const LEN: usize> {
    offload: Opaque<bindings::net_offload>,
    _type: PhantomData<O>,
}

// SAFETY: Written once, before registration.
unsafe impl<O: Offload<LEN>, const LEN: usize> Sync for OffloadEntry<O, LEN> {}

impl<O: Offload<LEN>, const LEN: usize> OffloadEntry<O, LEN> {
    /// An entry that is not registered.
    pub(crate) const fn new() -> Self {
        Self {
            offload: Opaque::uninit(),
            _type: PhantomData,
        }
    }

    /// Registers the offload for a protocol number, for all namespaces.
    ///
    /// # Errors
    ///
    /// `EBUSY` if the number has an offload.
    pub(crate) fn register(&'static self, number: u8) -> Result<OffloadRegistration<O, LEN>> {
        // SAFETY: Nobody reads the entry before it is added.
        unsafe {
            let mut offload: bindings::net_offload = pin_init::zeroed();
            offload.callbacks.gso_segment = Some(gso_segment::<O, LEN>);
            offload.callbacks.gro_receive = Some(gro_receive::<O, LEN>);
            offload.callbacks.gro_complete = Some(gro_complete::<O, LEN>);
            self.offload.get().write(offload);
        }
        // SAFETY: The entry is static and complete. The answer is -1, not an errno.
        if unsafe { bindings::inet6_add_offload(self.offload.get(), number) } != 0 {
            return Err(EBUSY);
        }
        Ok(OffloadRegistration(self, number))
    }
}

/// A registered [`OffloadEntry`]; dropping it takes it out and waits for its users.
pub(crate) struct OffloadRegistration<O: Offload<LEN>, const LEN: usize>(
    &'static OffloadEntry<O, LEN>,
    u8,
);

impl<O: Offload<LEN>, const LEN: usize> Drop for OffloadRegistration<O, LEN> {
    fn drop(&mut self) {
        // SAFETY: `self` is evidence of the registration.
        unsafe { bindings::inet6_del_offload(self.0.offload.get(), self.1) };
    }
}
