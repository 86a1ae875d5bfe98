// SPDX-License-Identifier: GPL-2.0

//! Addresses, routes and rules of IPv6 in this network namespace, over rtnetlink: read ([`Scene`]),
//! changed ([`Change`]), and watched ([`Watcher`]). What this program made carries its protocol number,
//! as `ip -6 address`, `ip -6 route` and `ip -6 rule` show it, so that it knows its own again.

mod read;
mod write;

use std::fmt;
use std::net::Ipv6Addr;
use std::os::fd::{
    AsFd,
    BorrowedFd, //
};

use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::route::{
    RouteAddress,
    RouteAttribute,
    RouteMessage, //
};
use netlink_packet_route::rule::RuleMessage;
use netlink_packet_route::{
    AddressFamily,
    RouteNetlinkMessage, //
};
use netlink_sys::{
    protocols::NETLINK_ROUTE,
    Socket,
    SocketAddr, //
};

use crate::error::Cause;
use crate::genl::socket::{
    Connection,
    Extent, //
};

/// The protocol of addresses, routes and rules that this program makes. The module's own have 140.
pub(crate) const PROTOCOL: u8 = 141;

/// `RT_TABLE_MAIN`.
pub(crate) const MAIN: u32 = 254;

/// Multicast groups: changes of addresses, of routes, of rules.
const GROUPS: [u32; 3] = [
    libc::RTNLGRP_IPV6_IFADDR,
    libc::RTNLGRP_IPV6_ROUTE,
    libc::RTNLGRP_IPV6_RULE,
];

/// How long an address is preferred and valid, in seconds; [`None`] for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lifetimes {
    pub(crate) preferred: Option<u32>,
    pub(crate) valid: Option<u32>,
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Index of the interface.
    pub(crate) interface: u32,
    pub(crate) address: Ipv6Addr,
    pub(crate) len: u8,
    pub(crate) lifetimes: Lifetimes,
    /// Another host on the link has it.
    pub(crate) duplicate: bool,
    /// This program gave it.
    pub(crate) ours: bool,
}

/// A route to addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) table: u32,
    pub(crate) destination: Ipv6Addr,
    pub(crate) len: u8,
    /// [`None`] if the addresses are on the link.
    pub(crate) gateway: Option<Ipv6Addr>,
    /// Index of the interface.
    pub(crate) interface: u32,
    pub(crate) metric: u32,
    /// Seconds; [`None`] for ever.
    pub(crate) expires: Option<u32>,
    pub(crate) ours: bool,
}

/// A rule for sources: which table routes their packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) priority: u32,
    pub(crate) source: Ipv6Addr,
    pub(crate) len: u8,
    pub(crate) table: u32,
    /// Routes of prefixes up to this length are passed over.
    pub(crate) suppress: Option<u32>,
    pub(crate) ours: bool,
}

/// What there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scene {
    pub(crate) addresses: Vec<Address>,
    pub(crate) routes: Vec<Route>,
    pub(crate) rules: Vec<Rule>,
}

/// Something to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Gives an address to its interface, or new lifetimes to an address.
    Assign(Address),
    /// Takes an address away.
    Remove(Address),
    AddRule(Rule),
    DelRule(Rule),
    /// Takes the place of a default route of the same table and metric.
    SetRoute(Route),
    DelRoute(Route),
}

/// A connection to rtnetlink.
pub(crate) struct Rtnl(Connection<RouteNetlinkMessage>);

impl Rtnl {
    /// Opens a socket in the network namespace of the calling process.
    pub(crate) fn open() -> Result<Self, Cause> {
        Connection::of(NETLINK_ROUTE).map(Self)
    }

    /// What there is.
    pub(crate) fn scene(&mut self) -> Result<Scene, Cause> {
        let mut scene = Scene::default();
        let mut request = AddressMessage::default();
        request.header.family = AddressFamily::Inet6;
        for message in self.dump(RouteNetlinkMessage::GetAddress(request))? {
            if let RouteNetlinkMessage::NewAddress(message) = message {
                scene.addresses.extend(Address::from_message(&message));
            }
        }
        let mut request = RouteMessage::default();
        request.header.address_family = AddressFamily::Inet6;
        for message in self.dump(RouteNetlinkMessage::GetRoute(request))? {
            if let RouteNetlinkMessage::NewRoute(message) = message {
                scene.routes.extend(Route::from_message(&message));
            }
        }
        let mut request = RuleMessage::default();
        request.header.family = AddressFamily::Inet6;
        for message in self.dump(RouteNetlinkMessage::GetRule(request))? {
            if let RouteNetlinkMessage::NewRule(message) = message {
                scene.rules.extend(Rule::from_message(&message));
            }
        }
        Ok(scene)
    }

    /// A dump that was interrupted is as good as one that is too old a moment later: who follows
    /// changes hears of them.
    fn dump(&mut self, request: RouteNetlinkMessage) -> Result<Vec<RouteNetlinkMessage>, Cause> {
        Ok(self.0.request(request, Extent::All)?.messages)
    }

    /// The interface by which packets from an address go to another; [`None`] without a route.
    pub(crate) fn way(
        &mut self,
        source: Ipv6Addr,
        destination: Ipv6Addr,
    ) -> Result<Option<u32>, Cause> {
        let mut request = RouteMessage::default();
        request.header.address_family = AddressFamily::Inet6;
        request.header.destination_prefix_length = 128;
        request.header.source_prefix_length = 128;
        request.attributes = vec![
            RouteAttribute::Destination(RouteAddress::Inet6(destination)),
            RouteAttribute::Source(RouteAddress::Inet6(source)),
        ];
        let request = RouteNetlinkMessage::GetRoute(request);
        let reply = match self.0.request(request, Extent::One) {
            Err(Cause::Kernel { errno, .. })
                if [libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EACCES].contains(&errno) =>
            {
                return Ok(None);
            }
            other => other?,
        };
        Ok(reply.messages.iter().find_map(|message| match message {
            RouteNetlinkMessage::NewRoute(route) => {
                route
                    .attributes
                    .iter()
                    .find_map(|attribute| match attribute {
                        RouteAttribute::Oif(interface) => Some(*interface),
                        _ => None,
                    })
            }
            _ => None,
        }))
    }

    /// Changes something. What is so already, or gone already, is no failure.
    pub(crate) fn change(&mut self, change: &Change) -> Result<(), Cause> {
        let (message, extent) = change.request();
        match self.0.request(message, extent) {
            Err(Cause::Kernel { errno, .. }) if change.is_done(errno) => Ok(()),
            other => other.map(drop),
        }
    }
}

/// Names of interfaces, for people; the number of one that is gone.
pub(crate) fn interface_name(index: u32) -> String {
    nix::net::if_::if_indextoname(index)
        .ok()
        .and_then(|name| name.into_string().ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| index.to_string())
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assign(it) => {
                let interface = interface_name(it.interface);
                write!(f, "assign {} to {interface}, {}", it.address, it.lifetimes)
            }
            Self::Remove(it) => {
                let interface = interface_name(it.interface);
                write!(f, "remove {} from {interface}", it.address)
            }
            Self::AddRule(rule) => write!(f, "add the {rule}"),
            Self::DelRule(rule) => write!(f, "delete the {rule}"),
            Self::SetRoute(route) => write!(f, "add the {route}"),
            Self::DelRoute(route) => write!(f, "delete the {route}"),
        }
    }
}

impl fmt::Display for Lifetimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.preferred, self.valid) {
            (_, None) => f.write_str("valid for ever")?,
            (_, Some(valid)) => write!(f, "valid for {valid} s")?,
        }
        match self.preferred {
            Some(0) => f.write_str(", deprecated"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            priority,
            source,
            len,
            table,
            ..
        } = self;
        write!(
            f,
            "rule {priority} for packets from {source}/{len}, table {table}"
        )?;
        match self.suppress {
            Some(_) => f.write_str(" without its default routes"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interface = interface_name(self.interface);
        write!(f, "route of table {}", self.table)?;
        if let Some(gateway) = self.gateway {
            write!(f, " by {gateway}")?;
        }
        write!(f, " on {interface}")
    }
}

/// Tells that addresses, routes or rules have changed.
pub(crate) struct Watcher(Socket);

impl Watcher {
    /// From now on.
    pub(crate) fn new() -> Result<Self, Cause> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.set_non_blocking(true)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        for group in GROUPS {
            socket.add_membership(group)?;
        }
        Ok(Self(socket))
    }

    /// Takes what has arrived: that it did is all that counts, also that some of it was lost.
    pub(crate) fn drain(&mut self) -> Result<(), Cause> {
        let mut buffer = Vec::with_capacity(crate::genl::socket::BUFFER_LEN);
        loop {
            buffer.clear();
            match self.0.recv(&mut buffer, libc::MSG_TRUNC) {
                Ok(_) => {}
                Err(error) => match error.raw_os_error() {
                    Some(libc::EAGAIN) => return Ok(()),
                    Some(libc::ENOBUFS | libc::EINTR) => {}
                    _ => return Err(error.into()),
                },
            }
        }
    }
}

impl AsFd for Watcher {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// These run in the network namespace of the tests, whatever that has.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scene_of_this_machine_is_read() {
        let scene = Rtnl::open().unwrap().scene().unwrap();
        // Without IPv6 there is nothing; with it the loopback interface has its address.
        for address in &scene.addresses {
            assert!(address.len <= 128 && address.interface > 0, "{address:?}");
        }
        assert!(scene.rules.iter().all(|rule| !rule.ours));
    }

    #[test]
    fn nothing_is_heard_where_nothing_happens() {
        let mut watcher = Watcher::new().unwrap();
        watcher.drain().unwrap();
    }

    #[test]
    fn an_interface_that_is_gone_has_a_number() {
        assert_eq!(interface_name(u32::MAX), u32::MAX.to_string());
        assert_eq!(interface_name(1), "lo");
    }
}
