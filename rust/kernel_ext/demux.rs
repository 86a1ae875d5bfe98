// SPDX-License-Identifier: GPL-2.0

//! The connections of received TCP packets, which each processor remembers.
//!
//! C header: [`include/net/inet6_hashtables.h`](srctree/include/net/inet6_hashtables.h)

use super::skbuff::SkBuff;
use crate::bindings;
use kernel::{
    prelude::*,
    sync::rcu::Guard, //
};

/// Connections are remembered. Dropping it ends that.
pub(crate) struct Registration(());

impl Registration {
    /// Begins to remember connections, if this kernel tells when they are closed; else IPv6 looks up
    /// the one of each packet. Process context. Called once.
    pub(crate) fn new() -> Self {
        // SAFETY: Process context; `drop` takes it back before the module goes.
        if unsafe { bindings::shim6_helper_demux_start() } != 0 {
            pr_info!(
                "connections are not remembered: the kernel does not tell when they are closed\n"
            );
        }
        Self(())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: Process context.
        unsafe { bindings::shim6_helper_demux_stop() };
    }
}

/// Gives a TCP packet that leaves PRE_ROUTING the socket that IPv6 would look up next, and its route.
/// The TCP header is right behind that of IPv6. If IPv6 has more to look at, or the packet has a socket
/// or a route, it stays as it is.
#[inline]
pub(crate) fn attach_socket(skb: &mut SkBuff, _rcu: &Guard) {
    // SAFETY: The packet is ours; device, headers and control block are set in the hooks of IPv6.
    // RCU read lock held.
    unsafe { bindings::shim6_helper_demux(skb.as_ptr()) };
}
