// SPDX-License-Identifier: GPL-2.0

//! Changes as messages to the kernel.

use std::net::IpAddr;

use netlink_packet_core::{
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE, //
};
use netlink_packet_route::address::{
    AddressAttribute,
    AddressFlags,
    AddressMessage,
    AddressProtocol,
    CacheInfo, //
};
use netlink_packet_route::route::{
    RouteAddress,
    RouteAttribute,
    RouteMessage,
    RouteProtocol,
    RouteScope,
    RouteType, //
};
use netlink_packet_route::rule::{
    RuleAction,
    RuleAttribute,
    RuleMessage, //
};
use netlink_packet_route::{
    AddressFamily,
    RouteNetlinkMessage, //
};

use super::{
    Address,
    Change,
    Route,
    Rule,
    PROTOCOL, //
};
use crate::genl::socket::Extent;

impl Change {
    /// The message that asks the kernel for it.
    pub(super) fn request(&self) -> (RouteNetlinkMessage, Extent) {
        const NEW: Extent = Extent::Make(NLM_F_CREATE | NLM_F_EXCL);
        const REPLACE: Extent = Extent::Make(NLM_F_CREATE | NLM_F_REPLACE);

        match self {
            Self::Assign(it) => (RouteNetlinkMessage::NewAddress(it.message()), REPLACE),
            Self::Remove(it) => (RouteNetlinkMessage::DelAddress(it.message()), Extent::One),
            Self::AddRule(it) => (RouteNetlinkMessage::NewRule(it.message()), NEW),
            Self::DelRule(it) => (RouteNetlinkMessage::DelRule(it.message()), Extent::One),
            Self::SetRoute(it) => (RouteNetlinkMessage::NewRoute(it.message()), REPLACE),
            Self::DelRoute(it) => (RouteNetlinkMessage::DelRoute(it.message()), Extent::One),
        }
    }

    /// Whether an error says that nothing is left to do, or not now: the interface went meanwhile.
    pub(super) fn is_done(&self, errno: i32) -> bool {
        match self {
            Self::Assign(_) | Self::SetRoute(_) => [libc::ENODEV, libc::ENETDOWN].contains(&errno),
            Self::AddRule(_) => errno == libc::EEXIST,
            Self::Remove(_) => [libc::EADDRNOTAVAIL, libc::ENODEV].contains(&errno),
            Self::DelRule(_) => errno == libc::ENOENT,
            Self::DelRoute(_) => [libc::ESRCH, libc::ENODEV].contains(&errno),
        }
    }
}

impl Address {
    fn message(&self) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet6;
        message.header.prefix_len = self.len;
        message.header.index = self.interface;
        let mut info = CacheInfo::default();
        info.ifa_preferred = self.lifetimes.preferred.unwrap_or(u32::MAX);
        info.ifa_valid = self.lifetimes.valid.unwrap_or(u32::MAX);
        message.attributes = vec![
            AddressAttribute::Address(IpAddr::V6(self.address)),
            AddressAttribute::CacheInfo(info),
            // The prefix is on the link, or not, by what routers say and not by this address.
            AddressAttribute::Flags(AddressFlags::Noprefixroute),
            AddressAttribute::Protocol(AddressProtocol::Other(PROTOCOL)),
        ];
        message
    }
}

impl Route {
    fn message(&self) -> RouteMessage {
        let mut message = RouteMessage::default();
        let header = &mut message.header;
        header.address_family = AddressFamily::Inet6;
        header.destination_prefix_length = self.len;
        header.protocol = RouteProtocol::Other(PROTOCOL);
        header.scope = RouteScope::Universe;
        header.kind = RouteType::Unicast;
        message.attributes = vec![
            RouteAttribute::Table(self.table),
            RouteAttribute::Oif(self.interface),
            RouteAttribute::Priority(self.metric),
        ];
        if self.len > 0 {
            let destination = RouteAddress::Inet6(self.destination);
            message
                .attributes
                .push(RouteAttribute::Destination(destination));
        }
        if let Some(gateway) = self.gateway {
            let gateway = RouteAddress::Inet6(gateway);
            message.attributes.push(RouteAttribute::Gateway(gateway));
        }
        message
    }
}

impl Rule {
    fn message(&self) -> RuleMessage {
        let mut message = RuleMessage::default();
        message.header.family = AddressFamily::Inet6;
        message.header.src_len = self.len;
        message.header.action = RuleAction::ToTable;
        message.attributes = vec![
            RuleAttribute::Source(IpAddr::V6(self.source)),
            RuleAttribute::Priority(self.priority),
            RuleAttribute::Table(self.table),
            RuleAttribute::Protocol(RouteProtocol::Other(PROTOCOL)),
        ];
        if let Some(len) = self.suppress {
            message
                .attributes
                .push(RuleAttribute::SuppressPrefixLen(len));
        }
        message
    }
}
