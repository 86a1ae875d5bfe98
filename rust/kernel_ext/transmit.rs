// SPDX-License-Identifier: GPL-2.0

//! IPv6 packets of our own, sent without a socket.
//!
//! C headers: [`include/net/ipv6.h`](srctree/include/net/ipv6.h),
//! [`include/net/ip6_route.h`](srctree/include/net/ip6_route.h)

use super::{
    address::In6Addr,
    fault,
    net::Net, //
};
use crate::bindings;
use kernel::{
    error::to_result,
    ffi::c_uint,
    prelude::*, //
};

/// What the header of a packet says, and which route it takes.
pub(crate) struct Outgoing<'a> {
    /// An address of this host.
    pub(crate) source: &'a In6Addr,
    /// Where to.
    pub(crate) destination: &'a In6Addr,
    /// What the payload is.
    pub(crate) next_header: u8,
    /// The mark, which routing and firewalls see; zero for none.
    pub(crate) mark: u32,
}

/// Packets from `source` to `destination` that wait for the link-layer address of their next hop are
/// dropped, as if the neighbour had not answered for long enough already. Nothing happens to a
/// neighbour whose address is known. Process context.
pub(crate) fn give_up(net: &Net, source: &In6Addr, destination: &In6Addr) {
    // SAFETY: The namespace is live, and both addresses are valid.
    unsafe {
        bindings::shim6_helper_ip6_give_up(net.as_ptr(), source.as_ptr(), destination.as_ptr());
    }
}

/// Sends a packet with this payload, complete with its checksum, as a host sends its own: by route
/// and hop limit of the namespace, through IPsec policy and LOCAL_OUT. The traffic class is zero. A
/// packet that is too big for its path is fragmented. Softirq or process context; does not sleep.
///
/// # Errors
///
/// `EADDRNOTAVAIL` if the source is not an address of this host that may be used; `EMSGSIZE` if the
/// payload does not fit a packet; `ENOMEM`; what routing says, as `ENETUNREACH`; what firewall,
/// IPsec and device say, as `EPERM` or `ENOBUFS`.
pub(crate) fn send(net: &Net, to: &Outgoing<'_>, payload: &[u8]) -> Result {
    fault::point(fault::Point::Send)?;
    let len = c_uint::try_from(payload.len()).map_err(|_| EMSGSIZE)?;
    // SAFETY: The namespace is live, both addresses are valid, and the payload has this length.
    to_result(unsafe {
        bindings::shim6_helper_ip6_send(
            net.as_ptr(),
            to.source.as_ptr(),
            to.destination.as_ptr(),
            to.next_header,
            to.mark,
            payload.as_ptr().cast(),
            len,
        )
    })
}
