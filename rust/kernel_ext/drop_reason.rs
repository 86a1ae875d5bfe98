// SPDX-License-Identifier: GPL-2.0

//! The kernel's words for why a packet is freed without having been used, as the tracepoint
//! `skb:kfree_skb` and `dropwatch` show them.
//!
//! C header: [`include/net/dropreason-core.h`](srctree/include/net/dropreason-core.h)

use super::skbuff::SkBuff;
use crate::bindings;

/// Why a packet is dropped (`enum skb_drop_reason`).
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum DropReason {
    /// The kernel has no word for it.
    NotSpecified = bindings::skb_drop_reason_SKB_DROP_REASON_NOT_SPECIFIED,
    /// There is no memory.
    NoMemory = bindings::skb_drop_reason_SKB_DROP_REASON_NOMEM,
    /// There is no route for it.
    NoRoute = bindings::skb_drop_reason_SKB_DROP_REASON_IP_OUTNOROUTES,
    /// It does not fit its path.
    TooBig = bindings::skb_drop_reason_SKB_DROP_REASON_PKT_TOO_BIG,
    /// Its chain of extension headers is malformed.
    BadHeaders = bindings::skb_drop_reason_SKB_DROP_REASON_IPV6_BAD_EXTHDR,
    /// It ends before a header does.
    Truncated = bindings::skb_drop_reason_SKB_DROP_REASON_HDR_TRUNC,
    /// A firewall does not want it.
    Netfilter = bindings::skb_drop_reason_SKB_DROP_REASON_NETFILTER_DROP,
}

impl SkBuff {
    /// Frees a packet that is dropped. Any context.
    pub(super) fn free(self, reason: DropReason) {
        // SAFETY: The packet is ours and nobody else's.
        unsafe { bindings::shim6_helper_kfree_skb(self.as_ptr(), reason as u32) };
    }
}
