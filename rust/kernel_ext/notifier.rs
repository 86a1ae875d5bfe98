// SPDX-License-Identifier: GPL-2.0

//! News of addresses and devices, of all namespaces.
//!
//! News may be about a namespace before the state of a module is in its place there, and after it
//! is gone: [`Slot::find`](super::net::Slot::find) tells.
//!
//! C headers: [`include/linux/notifier.h`](srctree/include/linux/notifier.h),
//! [`include/net/addrconf.h`](srctree/include/net/addrconf.h),
//! [`include/linux/netdevice.h`](srctree/include/linux/netdevice.h)

use super::{
    fault,
    net::Net, //
};
use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    error::to_result,
    ffi::{
        c_int,
        c_ulong,
        c_void, //
    },
    prelude::*,
    sync::rcu::{
        self,
        Guard, //
    },
    types::Opaque, //
};

/// What happened to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressEvent {
    /// An interface has it now. It may be tentative still; nobody tells when it is not any more, or
    /// when it is deprecated.
    Added,
    /// The interface does not have it any more.
    Removed,
}

/// News of an IPv6 address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddressChange {
    /// What happened.
    pub(crate) event: AddressEvent,
    /// The address.
    pub(crate) address: [u8; 16],
    /// Whether its interface is up: one that goes down loses addresses without anybody's saying so.
    pub(crate) device_is_up: bool,
}

/// Who wants news of addresses.
pub(crate) trait AddressObserver: 'static {
    /// An address came or went. Softirq or process context, locks of the stack held; must not
    /// sleep.
    fn changed(net: &Net, change: &AddressChange, rcu: &Guard);
}

/// What happened to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceEvent {
    /// It was brought up.
    Up,
    /// It is about to be taken down.
    GoingDown,
    /// It was taken down.
    Down,
    /// Its flags or its carrier changed.
    Changed,
    /// It goes away, or to another namespace.
    Unregister,
}

impl DeviceEvent {
    fn new(event: c_ulong) -> Option<Self> {
        let event = u32::try_from(event).ok()?;
        Some(match event {
            bindings::netdev_cmd_NETDEV_UP => Self::Up,
            bindings::netdev_cmd_NETDEV_GOING_DOWN => Self::GoingDown,
            bindings::netdev_cmd_NETDEV_DOWN => Self::Down,
            bindings::netdev_cmd_NETDEV_CHANGE => Self::Changed,
            bindings::netdev_cmd_NETDEV_UNREGISTER => Self::Unregister,
            _ => return None,
        })
    }
}

/// Who wants news of devices.
pub(crate) trait DeviceObserver: 'static {
    /// Something happened to the device with this index. Process context, RTNL held.
    ///
    /// Registration tells of devices that are up as if they came up, its end as if they went down.
    fn changed(net: &Net, device: u32, event: DeviceEvent);
}

/// A static that stands for an [`AddressObserver`] or [`DeviceObserver`] in the chain of those.
pub(crate) struct Observer<O> {
    block: Opaque<bindings::notifier_block>,
    _type: PhantomData<fn() -> O>,
}

// SAFETY: The block is written before registration, and belongs to the chain then.
unsafe impl<O> Sync for Observer<O> {}

impl<O> Observer<O> {
    /// An observer that hears nothing yet.
    pub(crate) const fn new() -> Self {
        Self {
            block: Opaque::uninit(),
            _type: PhantomData,
        }
    }

    /// # Safety
    ///
    /// The block is in no chain.
    unsafe fn prepare(
        &'static self,
        call: unsafe extern "C" fn(*mut bindings::notifier_block, c_ulong, *mut c_void) -> c_int,
    ) {
        // SAFETY: By the safety requirement nobody reads the block.
        unsafe {
            self.block.get().write(bindings::notifier_block {
                notifier_call: Some(call),
                ..pin_init::zeroed()
            });
        }
    }
}

impl<O: AddressObserver> Observer<O> {
    /// Begins to tell. Process context. Called once.
    pub(crate) fn register_addresses(&'static self) -> Result<AddressRegistration<O>> {
        fault::point(fault::Point::Notifier)?;
        // SAFETY: It is not registered yet.
        unsafe { self.prepare(address_changed::<O>) };
        // SAFETY: The block is static and complete.
        to_result(unsafe { bindings::register_inet6addr_notifier(self.block.get()) })?;
        Ok(AddressRegistration(self))
    }
}

impl<O: DeviceObserver> Observer<O> {
    /// Begins to tell, with the devices that are there. Process context, takes RTNL. Called once.
    pub(crate) fn register_devices(&'static self) -> Result<DeviceRegistration<O>> {
        fault::point(fault::Point::Notifier)?;
        // SAFETY: It is not registered yet.
        unsafe { self.prepare(device_changed::<O>) };
        // SAFETY: The block is static and complete.
        to_result(unsafe { bindings::register_netdevice_notifier(self.block.get()) })?;
        Ok(DeviceRegistration(self))
    }
}

/// A registered [`Observer`] of addresses. Dropping it ends the news and waits for what is being
/// told.
#[must_use = "an observer that is dropped hears nothing"]
pub(crate) struct AddressRegistration<O: AddressObserver>(&'static Observer<O>);

impl<O: AddressObserver> Drop for AddressRegistration<O> {
    fn drop(&mut self) {
        // SAFETY: `self` is evidence of the registration. The chain waits for a grace period.
        unsafe { bindings::unregister_inet6addr_notifier(self.0.block.get()) };
    }
}

/// A registered [`Observer`] of devices. Dropping it ends the news, takes RTNL.
#[must_use = "an observer that is dropped hears nothing"]
pub(crate) struct DeviceRegistration<O: DeviceObserver>(&'static Observer<O>);

impl<O: DeviceObserver> Drop for DeviceRegistration<O> {
    fn drop(&mut self) {
        // SAFETY: `self` is evidence of the registration.
        unsafe { bindings::unregister_netdevice_notifier(self.0.block.get()) };
    }
}

/// `NOTIFY_DONE`.
const DONE: c_int = 0;

/// # Safety
///
/// Called by the chain of inet6addr notifiers only.
unsafe extern "C" fn address_changed<O: AddressObserver>(
    _block: *mut bindings::notifier_block,
    event: c_ulong,
    data: *mut c_void,
) -> c_int {
    const UP: c_ulong = bindings::netdev_cmd_NETDEV_UP as c_ulong;
    const DOWN: c_ulong = bindings::netdev_cmd_NETDEV_DOWN as c_ulong;

    let event = match event {
        UP => AddressEvent::Added,
        DOWN => AddressEvent::Removed,
        _ => return DONE,
    };
    let mut address = bindings::in6_addr::default();
    let mut device_is_up = false;
    let rcu = rcu::read_lock();
    // SAFETY: The chain gives an `inet6_ifaddr`, whose device keeps its namespace alive.
    let net = unsafe {
        Net::from_ptr(bindings::shim6_helper_inet6addr_info(
            data,
            &raw mut address,
            &raw mut device_is_up,
        ))
    };
    let change = AddressChange {
        event,
        // SAFETY: Any octets are good in all views of this union.
        address: unsafe { address.in6_u.u6_addr8 },
        device_is_up,
    };
    O::changed(net, &change, &rcu);
    DONE
}

/// # Safety
///
/// Called by the chain of netdevice notifiers only.
unsafe extern "C" fn device_changed<O: DeviceObserver>(
    _block: *mut bindings::notifier_block,
    event: c_ulong,
    data: *mut c_void,
) -> c_int {
    if let Some(event) = DeviceEvent::new(event) {
        let mut device = 0;
        // SAFETY: The chain gives a `netdev_notifier_info`, whose device keeps its namespace alive.
        let net =
            unsafe { Net::from_ptr(bindings::shim6_helper_netdev_info(data, &raw mut device)) };
        O::changed(net, device, event);
    }
    DONE
}
