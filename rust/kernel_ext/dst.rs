// SPDX-License-Identifier: GPL-2.0

//! Routes (`struct dst_entry`), caches of them, and devices.
//!
//! C headers: [`include/net/dst.h`](srctree/include/net/dst.h),
//! [`include/net/dst_cache.h`](srctree/include/net/dst_cache.h)

use super::{
    address::In6Addr,
    net::Net, //
};
use crate::bindings;
use crate::kernel_ext::compat::errno::ENETUNREACH;
use core::{
    mem::ManuallyDrop,
    ops::Deref,
    ptr,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// A network device.
///
/// # Invariants
///
/// References exist only while the device does.
#[repr(transparent)]
pub(crate) struct Device(Opaque<bindings::net_device>);

impl Device {
    /// A view of a C pointer.
    ///
    /// # Safety
    ///
    /// `device` stays alive for `'a`.
    pub(crate) unsafe fn from_ptr<'a>(device: *mut bindings::net_device) -> &'a Self {
        // SAFETY: By the safety requirement; the type is transparent.
        unsafe { &*device.cast() }
    }

    /// Whether what is sent here goes straight to an IPv6 stack of this kernel: loopback, and pairs
    /// of virtual devices whose other end is in no bridge or the like.
    pub(crate) fn is_memory(&self) -> bool {
        // SAFETY: The device is live, and its peer under the RCU read lock that all users hold.
        unsafe { bindings::shim6_helper_dev_is_memory(self.0.get()) }
    }

    /// The namespace the device is in.
    pub(crate) fn net(&self) -> &Net {
        // SAFETY: A live device keeps its namespace alive.
        unsafe { Net::from_ptr(bindings::shim6_helper_dev_net(self.0.get())) }
    }
}

/// A route.
///
/// # Invariants
///
/// References exist only while somebody holds the route.
#[repr(transparent)]
pub(crate) struct Dst(Opaque<bindings::dst_entry>);

impl Dst {
    /// A view of a C pointer.
    ///
    /// # Safety
    ///
    /// `dst` is held by somebody for `'a`.
    pub(crate) unsafe fn from_ptr<'a>(dst: *mut bindings::dst_entry) -> &'a Self {
        // SAFETY: By the safety requirement; the type is transparent.
        unsafe { &*dst.cast() }
    }

    /// The path MTU.
    #[inline]
    pub(crate) fn mtu(&self) -> u32 {
        // SAFETY: The route is live.
        unsafe { bindings::shim6_helper_dst_mtu(self.0.get()) }
    }

    /// Whether IPsec is going to transform packets that take this route.
    #[inline]
    pub(crate) fn has_xfrm(&self) -> bool {
        // SAFETY: The route is live.
        unsafe { bindings::shim6_helper_dst_has_xfrm(self.0.get()) }
    }

    /// Whether received packets that take this route are for this host.
    pub(crate) fn is_local_input(&self) -> bool {
        // SAFETY: The route is live.
        unsafe { bindings::shim6_helper_dst_is_local_input(self.0.get()) }
    }

    /// The device that packets leave by. The RCU read lock is held.
    #[inline]
    pub(crate) fn device(&self) -> &Device {
        // SAFETY: A route has a device, which under RCU lives as long as this borrow.
        unsafe { Device::from_ptr(bindings::shim6_helper_dst_dev(self.0.get())) }
    }

    /// Whether the device that packets leave by has its carrier. Notifiers tell that too, but up to
    /// a second later (`net/core/link_watch.c`). The RCU read lock is held.
    #[inline]
    pub(crate) fn has_carrier(&self) -> bool {
        // SAFETY: The route is live, and so is its device under RCU.
        unsafe { bindings::shim6_helper_dst_has_carrier(self.0.get()) }
    }

    /// Room for headers of the device.
    #[inline]
    pub(crate) fn headroom(&self) -> usize {
        // SAFETY: The route is live.
        unsafe { bindings::shim6_helper_dst_headroom(self.0.get()) as usize }
    }
}

/// A counted reference to a route.
///
/// # Invariants
///
/// The pointer is to a live route, one of whose references belongs to `self`.
pub(crate) struct DstRef(NonNull<bindings::dst_entry>);

impl DstRef {
    /// Gives the reference away.
    #[inline]
    pub(crate) fn into_raw(self) -> *mut bindings::dst_entry {
        ManuallyDrop::new(self).0.as_ptr()
    }

    /// Looks a route up for a packet with these addresses and this mark. Any context.
    ///
    /// # Errors
    ///
    /// What the routing table says: `ENETUNREACH`, `EACCES`, ….
    pub(crate) fn lookup(
        net: &Net,
        source: &In6Addr,
        destination: &In6Addr,
        mark: u32,
    ) -> Result<Self> {
        let mut flow = bindings::flowi6 {
            saddr: source.get(),
            daddr: destination.get(),
            ..bindings::flowi6::default()
        };
        flow.__fl_common.flowic_mark = mark;
        // SAFETY: All pointers are valid; a null socket is allowed. The result is a reference.
        let dst = unsafe {
            bindings::ip6_route_output_flags(net.as_ptr(), ptr::null(), &raw mut flow, 0)
        };
        // INVARIANT: The reference is ours; routing returns a route even for an error.
        let dst = Self(NonNull::new(dst).ok_or(ENETUNREACH)?);
        // SAFETY: The route is live.
        to_result(unsafe { bindings::shim6_helper_dst_error(dst.0.as_ptr()) })?;
        Ok(dst)
    }
}

impl Deref for DstRef {
    type Target = Dst;

    #[inline]
    fn deref(&self) -> &Dst {
        // SAFETY: By the type invariant.
        unsafe { Dst::from_ptr(self.0.as_ptr()) }
    }
}

impl Drop for DstRef {
    fn drop(&mut self) {
        // SAFETY: By the type invariant; the reference is given up here.
        unsafe { bindings::dst_release(self.0.as_ptr()) };
    }
}

/// The route of one pair of addresses, remembered by every CPU.
#[pin_data(PinnedDrop)]
pub(crate) struct DstCache {
    #[pin]
    cache: Opaque<bindings::dst_cache>,
}

// SAFETY: The cache is per CPU and synchronises itself.
unsafe impl Send for DstCache {}
// SAFETY: As above.
unsafe impl Sync for DstCache {}

impl DstCache {
    /// An empty cache. May sleep.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // SAFETY: The slot is valid for the cache that C initialises.
            cache <- unsafe {
                pin_init::pin_init_from_closure(move |slot: *mut Opaque<bindings::dst_cache>| {
                    to_result(bindings::dst_cache_init(
                        Opaque::cast_into(slot),
                        bindings::GFP_KERNEL,
                    ))
                })
            },
        }? Error)
    }

    /// The remembered route if it is still good, else a new one, which is remembered then.
    ///
    /// # Errors
    ///
    /// As of [`DstRef::lookup`].
    #[inline]
    pub(crate) fn get_or_lookup(
        &self,
        net: &Net,
        source: &In6Addr,
        destination: &In6Addr,
        mark: u32,
    ) -> Result<DstRef> {
        if mark != 0 {
            // Rules may look at the mark; the cache knows one route.
            return DstRef::lookup(net, source, destination, mark);
        }
        // SAFETY: The cache is initialised; the result is a reference or null.
        let dst = unsafe { bindings::shim6_helper_dst_cache_get(self.cache.get()) };
        if let Some(dst) = NonNull::new(dst) {
            // INVARIANT: The reference is ours.
            return Ok(DstRef(dst));
        }
        let dst = DstRef::lookup(net, source, destination, mark)?;
        // SAFETY: Both are live; the cache takes a reference of its own.
        unsafe {
            bindings::shim6_helper_dst_cache_set_ip6(
                self.cache.get(),
                dst.0.as_ptr(),
                source.as_ptr(),
            );
        }
        Ok(dst)
    }
}

#[pinned_drop]
impl PinnedDrop for DstCache {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Nobody else can reach the cache.
        unsafe { bindings::dst_cache_destroy(self.cache.get()) };
    }
}
