// SPDX-License-Identifier: GPL-2.0

//! Safe abstractions that the kernel crate lacks: network namespaces, netfilter, packets, hash
//! tables, RCU, routes and the like, each as if to be sent upstream.
//!
//! All `unsafe` code of the module lives below this file, and nothing below it knows Shim6.

pub(crate) mod address;
pub(crate) mod cmsg;
pub(crate) mod compat;
pub(crate) mod crypto;
pub(crate) mod demand;
pub(crate) mod demux;
pub(crate) mod drop_reason;
pub(crate) mod dst;
pub(crate) mod fault;
pub(crate) mod ftrace;
pub(crate) mod genetlink;
pub(crate) mod hooking;
pub(crate) mod inet6;
pub(crate) mod local_address;
pub(crate) mod lock;
pub(crate) mod member;
pub(crate) mod module;
pub(crate) mod net;
pub(crate) mod netfilter;
pub(crate) mod notifier;
pub(crate) mod offload;
pub(crate) mod packets;
pub(crate) mod pending;
pub(crate) mod percpu;
pub(crate) mod procfs;
pub(crate) mod random;
pub(crate) mod rcu;
pub(crate) mod rhashtable;
pub(crate) mod rtnetlink;
pub(crate) mod siphash;
pub(crate) mod skbuff;
pub(crate) mod slab;
pub(crate) mod slices;
pub(crate) mod sock;
pub(crate) mod sock_events;
pub(crate) mod sockopt;
pub(crate) mod sysctl;
pub(crate) mod tcp_timeouts;
pub(crate) mod time;
pub(crate) mod timer;
pub(crate) mod tracepoint;
pub(crate) mod transmit;
pub(crate) mod work;
