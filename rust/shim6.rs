// SPDX-License-Identifier: GPL-2.0

//! Shim6 (RFC 5533): multihoming by a layer inside IPv6 that keeps sockets on the addresses they
//! know while packets travel between others.

#![deny(unsafe_code)]

#[expect(unsafe_code)]
mod bindings;
mod context;
mod control;
mod datapath;
#[expect(unsafe_code)]
mod kernel_ext;
mod netlink;
pub mod proto;
mod socket;

use kernel::prelude::*;

module! {
    type: Shim6,
    name: "shim6",
    authors: ["The shim6 developers"],
    description: "Shim6 multihoming layer for IPv6 (RFC 5533)",
    license: "GPL",
    alias: ["net-pf-16-proto-16-family-shim6"],
}

/// The module. Its registrations are dropped in the order of these fields: first the entries by
/// which programs come in, then those by which packets come in, then the state that both use.
struct Shim6 {
    _socket: socket::SocketLevel,
    _netlink: kernel_ext::genetlink::Registration,
    _datapath: datapath::Registrations,
    _observers: control::Observers,
    _feedback: kernel_ext::tcp_timeouts::Registration,
    _namespaces: kernel_ext::net::Registration<context::Namespace>,
    _witnesses: datapath::Witnesses,
    _workqueue: kernel_ext::work::WorkqueueRegistration,
    _callbacks: kernel_ext::rcu::Callbacks,
    _caches: (
        [kernel_ext::slab::Registration; 3],
        [kernel_ext::slab::Registration; 2],
    ),
    _faults: kernel_ext::fault::Points,
}

impl kernel::Module for Shim6 {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // A failure drops what came before, in the reverse order.
        let faults = kernel_ext::fault::Points::open();
        let caches = (context::register_caches()?, control::register_caches()?);
        let callbacks = kernel_ext::rcu::Callbacks;
        let workqueue = control::register_workqueue()?;
        // Before the first worker runs, and dropped before the last has run.
        let feedback = control::register_feedback();
        datapath::HOOKS.register();
        let witnesses = datapath::Witnesses::new()?;
        let namespaces = context::NAMESPACES.register()?;
        let observers = control::Observers::register()?;
        let datapath = datapath::Registrations::new()?;
        let netlink = netlink::register()?;
        Ok(Self {
            _socket: socket::SocketLevel::register(),
            _netlink: netlink,
            _datapath: datapath,
            _observers: observers,
            _feedback: feedback,
            _namespaces: namespaces,
            _witnesses: witnesses,
            _workqueue: workqueue,
            _callbacks: callbacks,
            _caches: caches,
            _faults: faults,
        })
    }
}
