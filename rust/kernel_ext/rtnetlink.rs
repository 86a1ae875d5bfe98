// SPDX-License-Identifier: GPL-2.0

//! Routes and rules of the module's own, asked for by rtnetlink as a program would: the functions
//! behind are not exported.
//!
//! C headers: [`include/uapi/linux/rtnetlink.h`](srctree/include/uapi/linux/rtnetlink.h),
//! [`include/uapi/linux/fib_rules.h`](srctree/include/uapi/linux/fib_rules.h)

use super::{
    fault,
    net::Net, //
};
use crate::bindings;
use crate::kernel_ext::compat::errno::EPROTO;
use core::{
    mem::size_of,
    ptr,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    ffi::c_int,
    prelude::*, //
};

/// A rule that sends every packet no rule before it could route to a table.
pub(crate) struct Rule {
    /// Rules are consulted in the order of this number.
    pub(crate) priority: u32,
    /// The table.
    pub(crate) table: u32,
}

/// Index of the loopback interface in every namespace.
const LOOPBACK: u32 = 1;

/// Adds a rule. Process context, takes RTNL.
///
/// # Errors
///
/// `EEXIST` and others of rtnetlink.
pub(crate) fn add_rule(net: &Net, rule: &Rule) -> Result {
    fault::point(fault::Point::Rule)?;
    request_rule(net, rule, bindings::RTM_NEWRULE, CREATE)
}

/// Deletes a rule. Process context, takes RTNL.
///
/// # Errors
///
/// `ENOENT` and others of rtnetlink.
pub(crate) fn delete_rule(net: &Net, rule: &Rule) -> Result {
    request_rule(net, rule, bindings::RTM_DELRULE, 0)
}

fn request_rule(net: &Net, rule: &Rule, kind: u32, flags: u32) -> Result {
    let mut message = Message::new(kind, flags)?;
    message.put(&[
        bindings::AF_INET6 as u8,
        0,
        0,
        0,
        bindings::rt_class_t_RT_TABLE_UNSPEC as u8,
        0,
        0,
        bindings::FR_ACT_TO_TBL as u8,
        0,
        0,
        0,
        0,
    ])?;
    message.put_u32(bindings::FRA_PRIORITY, rule.priority)?;
    message.put_u32(bindings::FRA_TABLE, rule.table)?;
    message.put_attribute(bindings::FRA_PROTOCOL, &[PROTOCOL])?;
    message.send(net)
}

/// Adds a host route over the loopback interface, with an MTU. Process context, takes RTNL.
///
/// # Errors
///
/// `EEXIST`, `ENETDOWN` while the interface is down, and others of rtnetlink.
pub(crate) fn add_loopback_route(net: &Net, table: u32, host: &[u8; 16], mtu: u32) -> Result {
    fault::point(fault::Point::Rule)?;
    let mut message = route(table, host, bindings::RTM_NEWROUTE, CREATE)?;
    // A nest: its header, and one attribute of four octets.
    let mut metrics = [0; 8];
    metrics[..2].copy_from_slice(&8u16.to_ne_bytes());
    metrics[2..4].copy_from_slice(&(bindings::RTAX_MTU as u16).to_ne_bytes());
    metrics[4..].copy_from_slice(&mtu.to_ne_bytes());
    message.put_attribute(bindings::rtattr_type_t_RTA_METRICS, &metrics)?;
    message.send(net)
}

/// Deletes what [`add_loopback_route`] added. Process context, takes RTNL.
///
/// # Errors
///
/// `ESRCH` and others of rtnetlink.
pub(crate) fn delete_loopback_route(net: &Net, table: u32, host: &[u8; 16]) -> Result {
    route(table, host, bindings::RTM_DELROUTE, 0)?.send(net)
}

fn route(table: u32, host: &[u8; 16], kind: u32, flags: u32) -> Result<Message> {
    let mut message = Message::new(kind, flags)?;
    message.put(&[
        bindings::AF_INET6 as u8,
        128,
        0,
        0,
        bindings::rt_class_t_RT_TABLE_UNSPEC as u8,
        PROTOCOL,
        bindings::rt_scope_t_RT_SCOPE_UNIVERSE as u8,
        bindings::RTN_UNICAST as u8,
        0,
        0,
        0,
        0,
    ])?;
    message.put_u32(bindings::rtattr_type_t_RTA_TABLE, table)?;
    message.put_u32(bindings::rtattr_type_t_RTA_OIF, LOOPBACK)?;
    message.put_attribute(bindings::rtattr_type_t_RTA_DST, host)?;
    Ok(message)
}

/// Who made a route or rule, as `ip` shows it (`proto 140`).
const PROTOCOL: u8 = 140;

/// Flags of a request for a new object.
const CREATE: u32 = bindings::NLM_F_CREATE | bindings::NLM_F_EXCL;

/// A request, with its header first.
struct Message(KVec<u8>);

impl Message {
    fn new(kind: u32, flags: u32) -> Result<Self> {
        let flags = bindings::NLM_F_REQUEST | bindings::NLM_F_ACK | flags;
        let mut message = Self(KVec::with_capacity(128, GFP_KERNEL)?);
        // The length is known in the end.
        message.put(&[0; 4])?;
        message.put(&(kind as u16).to_ne_bytes())?;
        message.put(&(flags as u16).to_ne_bytes())?;
        message.put(&[0; 8])?;
        Ok(message)
    }

    fn put(&mut self, octets: &[u8]) -> Result {
        Ok(self.0.extend_from_slice(octets, GFP_KERNEL)?)
    }

    fn put_attribute(&mut self, kind: u32, value: &[u8]) -> Result {
        let len = u16::try_from(value.len())
            .ok()
            .and_then(|len| len.checked_add(4))
            .ok_or(EMSGSIZE)?;
        self.put(&len.to_ne_bytes())?;
        self.put(&(kind as u16).to_ne_bytes())?;
        self.put(value)?;
        while self.0.len() % 4 != 0 {
            self.put(&[0])?;
        }
        Ok(())
    }

    fn put_u32(&mut self, kind: u32, value: u32) -> Result {
        self.put_attribute(kind, &value.to_ne_bytes())
    }

    /// Sends the request and returns its answer. The kernel side works on it before `sendmsg`
    /// returns.
    fn send(mut self, net: &Net) -> Result {
        let len = u32::try_from(self.0.len()).map_err(|_| EMSGSIZE)?;
        self.0
            .get_mut(..4)
            .ok_or(EINVAL)?
            .copy_from_slice(&len.to_ne_bytes());
        Socket::open(net)?.request(&mut self.0)
    }
}

/// A netlink socket of the kernel's own.
///
/// # Invariants
///
/// The pointer is to an open socket that is ours.
struct Socket(NonNull<bindings::socket>);

impl Socket {
    fn open(net: &Net) -> Result<Self> {
        let mut socket = ptr::null_mut();
        // SAFETY: The namespace is live, the result has a place.
        to_result(unsafe {
            bindings::sock_create_kern(
                net.as_ptr(),
                bindings::AF_NETLINK as c_int,
                bindings::sock_type_SOCK_RAW as c_int,
                bindings::NETLINK_ROUTE as c_int,
                &raw mut socket,
            )
        })?;
        // INVARIANT: Opened just now.
        Ok(Self(NonNull::new(socket).ok_or(ENOMEM)?))
    }

    /// Sends a request with the kernel's credentials, whoever the current task is: it is the module
    /// that wants the route. Returns the error of the acknowledgement.
    fn request(&self, message: &mut [u8]) -> Result {
        let mut answer = [0u8; 256];
        // SAFETY: The socket is ours; both buffers are valid for their lengths.
        let len = unsafe {
            bindings::shim6_helper_netlink_exchange(
                self.0.as_ptr(),
                message.as_mut_ptr().cast(),
                message.len(),
                answer.as_mut_ptr().cast(),
                answer.len(),
            )
        };
        if len < 0 {
            return to_result(len);
        }
        // Behind the header, an acknowledgement starts with the error.
        let at = size_of::<bindings::nlmsghdr>();
        let kind = answer.get(4..6).and_then(|octets| octets.try_into().ok());
        let error = answer
            .get(at..at + 4)
            .and_then(|octets| octets.try_into().ok());
        match (kind.map(u16::from_ne_bytes), error.map(i32::from_ne_bytes)) {
            (Some(kind), Some(error))
                if u32::from(kind) == bindings::NLMSG_ERROR && len as usize >= at + 4 =>
            {
                to_result(error)
            }
            _ => Err(EPROTO),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::sock_release(self.0.as_ptr()) };
    }
}
