// SPDX-License-Identifier: GPL-2.0

//! Routes (`struct dst_entry`), caches of them, and devices.
//!
//! C header: [`include/net/dst.h`](srctree/include/net/dst.h)

use super::{
    address::In6Addr,
    fault,
    net::Net,
    skbuff::SkBuff, //
};
use crate::bindings;
use crate::kernel_ext::compat::errno::ENETUNREACH;
use core::{
    marker::PhantomData,
    ptr,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    ffi::{
        c_uint,
        c_ulong,
        c_void, //
    },
    prelude::*,
    sync::rcu::Guard,
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

    /// Whether IPsec is going to transform packets that take this route.
    #[inline]
    pub(crate) fn has_xfrm(&self) -> bool {
        // SAFETY: The route is live, and the offset is that of a pointer.
        let xfrm = unsafe {
            self.0
                .get()
                .byte_add(bindings::SHIM6_DST_XFRM as usize)
                .cast::<*const c_void>()
                .read()
        };
        bindings::SHIM6_HAS_XFRM != 0 && !xfrm.is_null()
    }

    /// Whether received packets that take this route are for this host.
    pub(crate) fn is_local_input(&self) -> bool {
        // SAFETY: The route is live.
        unsafe { bindings::shim6_helper_dst_is_local_input(self.0.get()) }
    }

    /// Whether the device that packets leave by has its carrier. Notifiers tell that too, but up to
    /// a second later (`net/core/link_watch.c`).
    #[inline]
    pub(crate) fn has_carrier(&self, _rcu: &Guard) -> bool {
        // SAFETY: The route is live, and has a device, which lives under RCU. The offsets are those
        // of a pointer and of a word.
        let state = unsafe {
            self.0
                .get()
                .byte_add(bindings::SHIM6_DST_DEV as usize)
                .cast::<*const u8>()
                .read_volatile()
                .byte_add(bindings::SHIM6_NETDEV_STATE as usize)
                .cast::<c_ulong>()
                .read_volatile()
        };
        state & bindings::SHIM6_NETDEV_NO_CARRIER as c_ulong == 0
    }
}

/// A counted reference to a route.
///
/// # Invariants
///
/// The pointer is to a live route, one of whose references belongs to `self`.
pub(crate) struct DstRef(NonNull<bindings::dst_entry>);

impl DstRef {
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
        fault::point(fault::Point::Route)?;
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

impl Drop for DstRef {
    fn drop(&mut self) {
        // SAFETY: By the type invariant; the reference is given up here.
        unsafe { bindings::dst_release(self.0.as_ptr()) };
    }
}

/// How a packet leaves by a route.
///
/// # Invariants
///
/// The route lives for `'rcu`: under RCU, or because it is held here.
pub(crate) struct Exit<'rcu> {
    raw: bindings::shim6_helper_exit,
    held: Option<DstRef>,
    _rcu: PhantomData<&'rcu Guard>,
}

/// Where an [`Exit`] is written. It stays there: a processor has to wait before it can copy what was
/// written just now in smaller pieces.
pub(crate) struct ExitPlace<'rcu>(Exit<'rcu>);

impl<'rcu> ExitPlace<'rcu> {
    /// A place with nothing in it.
    #[inline]
    pub(crate) fn new() -> Self {
        // Nobody sees this one.
        Self(Exit {
            raw: pin_init::zeroed(),
            held: None,
            _rcu: PhantomData,
        })
    }

    /// How a packet leaves by a route when it is longer by `added` octets.
    pub(crate) fn by(
        &mut self,
        dst: DstRef,
        skb: &SkBuff,
        added: usize,
        _rcu: &'rcu Guard,
    ) -> &Exit<'rcu> {
        let Self(exit) = self;
        // SAFETY: Packet and route are live, RCU read lock held.
        unsafe {
            bindings::shim6_helper_exit_by(
                skb.as_ptr(),
                dst.0.as_ptr(),
                added as c_uint,
                &raw mut exit.raw,
            );
        }
        // INVARIANT: The route is held.
        exit.held = Some(dst);
        exit
    }
}

impl Exit<'_> {
    /// For C.
    #[inline]
    pub(super) fn as_raw(&self) -> &bindings::shim6_helper_exit {
        &self.raw
    }

    /// The time when this was found out, as [`coarse_msecs`](super::time::coarse_msecs) has it.
    #[inline]
    pub(crate) fn msecs(&self) -> u64 {
        self.raw.msecs
    }

    /// Whether the packet, or each of its segments, fits with what is added.
    #[inline]
    pub(crate) fn fits(&self) -> bool {
        self.raw.fits
    }

    /// Octets that the path takes of a packet before the rest is added. Of one that does not fit.
    pub(crate) fn mtu(&self) -> u32 {
        self.raw.mtu
    }

    /// What its sender takes that for. Of one that does not fit.
    pub(crate) fn known_mtu(&self) -> u32 {
        self.raw.known_mtu
    }

    /// As [`Dst::has_carrier`].
    #[inline]
    pub(crate) fn has_carrier(&self) -> bool {
        self.raw.has_carrier
    }

    /// As [`Device::is_memory`].
    #[inline]
    pub(crate) fn is_memory(&self) -> bool {
        self.raw.is_memory
    }
}

/// [`DstCache`]s know what happens to devices. Dropping it ends that, takes RTNL.
pub(crate) struct Registration(());

impl Registration {
    /// Begins with it, before there are any caches. Process context, takes RTNL. Called once.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        fault::point(fault::Point::Notifier)?;
        // SAFETY: Process context, and it is not registered yet.
        to_result(unsafe { bindings::shim6_helper_routes_start() })?;
        Ok(Self(()))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: `self` is evidence of the registration.
        unsafe { bindings::shim6_helper_routes_stop() };
    }
}

/// The route of one pair of addresses, remembered by every CPU.
///
/// # Invariants
///
/// The pointer is of `shim6_helper_routes_alloc`.
pub(crate) struct DstCache(NonNull<c_void>);

// SAFETY: The cache is per CPU and synchronises itself.
unsafe impl Send for DstCache {}
// SAFETY: As above.
unsafe impl Sync for DstCache {}

impl DstCache {
    /// An empty cache. May sleep.
    pub(crate) fn new() -> Result<Self> {
        fault::point(fault::Point::PerCpu)?;
        // SAFETY: No requirements.
        let routes = unsafe { bindings::shim6_helper_routes_alloc() };
        // INVARIANT: Allocated just now.
        Ok(Self(NonNull::new(routes).ok_or(ENOMEM)?))
    }

    /// For C.
    #[inline]
    pub(super) fn as_ptr(&self) -> *mut c_void {
        self.0.as_ptr()
    }

    /// How a packet leaves that is longer by `added` octets: by the remembered route if that is still
    /// good, else by the one of IPv6 that `look_up` finds, which is remembered then. It is written to
    /// `place`.
    ///
    /// # Errors
    ///
    /// Those of `look_up`.
    #[inline]
    pub(crate) fn exit<'place, 'rcu>(
        &self,
        skb: &SkBuff,
        added: usize,
        look_up: impl FnOnce() -> Result<DstRef>,
        place: &'place mut ExitPlace<'rcu>,
        rcu: &'rcu Guard,
    ) -> Result<&'place Exit<'rcu>> {
        // Rules may look at the mark; the cache knows one route.
        let is_cacheable = skb.mark() == 0;
        if is_cacheable {
            // SAFETY: The packet is live, the cache is by the type invariant; RCU read lock held.
            let found = unsafe {
                bindings::shim6_helper_exit_find(
                    skb.as_ptr(),
                    self.0.as_ptr(),
                    added as c_uint,
                    &raw mut place.0.raw,
                )
            };
            if found {
                // INVARIANT: The cache held the route just now, and RCU keeps it.
                return Ok(&place.0);
            }
        }
        self.exit_anew(skb, added, look_up, is_cacheable, place, rcu)
    }

    /// The same by the route that is found now, which is remembered if `is_cacheable`.
    #[cold]
    fn exit_anew<'place, 'rcu>(
        &self,
        skb: &SkBuff,
        added: usize,
        look_up: impl FnOnce() -> Result<DstRef>,
        is_cacheable: bool,
        place: &'place mut ExitPlace<'rcu>,
        rcu: &'rcu Guard,
    ) -> Result<&'place Exit<'rcu>> {
        let dst = look_up()?;
        if is_cacheable {
            // SAFETY: Both are live; the cache takes a reference of its own.
            unsafe { bindings::shim6_helper_routes_set(self.0.as_ptr(), dst.0.as_ptr()) };
        }
        Ok(place.by(dst, skb, added, rcu))
    }
}

impl Drop for DstCache {
    fn drop(&mut self) {
        // SAFETY: By the type invariant; nobody else can reach the cache.
        unsafe { bindings::shim6_helper_routes_free(self.0.as_ptr()) };
    }
}

/// The routes of received packets that are for this host, remembered by every CPU.
///
/// # Invariants
///
/// The pointer is of `shim6_helper_input_routes_alloc`.
pub(crate) struct InputRoutes(NonNull<c_void>);

// SAFETY: The routes are per CPU and synchronise themselves.
unsafe impl Send for InputRoutes {}
// SAFETY: As above.
unsafe impl Sync for InputRoutes {}

impl InputRoutes {
    /// Nothing is remembered yet. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        fault::point(fault::Point::PerCpu)?;
        // SAFETY: No requirements.
        let routes = unsafe { bindings::shim6_helper_input_routes_alloc() };
        // INVARIANT: Allocated just now.
        Ok(Self(NonNull::new(routes).ok_or(ENOMEM)?))
    }

    /// Gives a packet without a route that leaves PRE_ROUTING the one that IPv6 would look up next,
    /// if that is an address of this host and nothing else of the packet matters; else it stays as
    /// it is.
    #[inline]
    pub(crate) fn attach(&self, skb: &mut SkBuff, _rcu: &Guard) {
        // SAFETY: The routes are by the type invariant. The packet is ours; device and IPv6 header
        // are set in the hooks of IPv6. RCU read lock held.
        unsafe { bindings::shim6_helper_route_input(self.0.as_ptr(), skb.as_ptr()) };
    }
}

impl Drop for InputRoutes {
    fn drop(&mut self) {
        // SAFETY: By the type invariant; nobody else can reach the routes.
        unsafe { bindings::shim6_helper_input_routes_free(self.0.as_ptr()) };
    }
}
