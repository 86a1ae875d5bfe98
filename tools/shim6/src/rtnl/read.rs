// SPDX-License-Identifier: GPL-2.0

//! What the kernel says about addresses, routes and rules. What this program has no use for is left
//! out: link-local and multicast addresses, routes that are no unicast routes, rules that do not
//! look at sources.

use std::net::{
    IpAddr,
    Ipv6Addr, //
};

use netlink_packet_route::address::{
    AddressAttribute,
    AddressFlags,
    AddressHeaderFlags,
    AddressMessage,
    AddressProtocol, //
};
use netlink_packet_route::route::{
    RouteAddress,
    RouteAttribute,
    RouteMessage,
    RouteProtocol,
    RouteType, //
};
use netlink_packet_route::rule::{
    RuleAttribute,
    RuleMessage, //
};

use super::{
    Address,
    Lifetimes,
    Route,
    Rule,
    PROTOCOL, //
};

/// `INFINITY_LIFE_TIME`.
const FOR_EVER: u32 = u32::MAX;

/// In what the kernel counts the lifetimes of routes: `USER_HZ` a second.
const TICKS: u32 = 100;

impl Address {
    pub(super) fn from_message(message: &AddressMessage) -> Option<Self> {
        let mut address = None;
        let mut lifetimes = Lifetimes::default();
        let mut duplicate = message.header.flags.contains(AddressHeaderFlags::Dadfailed);
        let mut ours = false;
        for attribute in &message.attributes {
            match attribute {
                AddressAttribute::Address(IpAddr::V6(it)) => address = Some(*it),
                AddressAttribute::CacheInfo(info) => {
                    let span = |seconds| (seconds != FOR_EVER).then_some(seconds);
                    lifetimes = Lifetimes {
                        preferred: span(info.ifa_preferred),
                        valid: span(info.ifa_valid),
                    };
                }
                AddressAttribute::Flags(flags) => {
                    duplicate |= flags.contains(AddressFlags::Dadfailed);
                }
                AddressAttribute::Protocol(protocol) => {
                    ours = *protocol == AddressProtocol::Other(PROTOCOL);
                }
                _ => {}
            }
        }
        let address = address.filter(|it| !it.is_unicast_link_local() && !it.is_loopback())?;
        Some(Self {
            interface: message.header.index,
            address,
            len: message.header.prefix_len,
            lifetimes,
            duplicate,
            ours,
        })
    }
}

impl Route {
    /// The routes in a message: one for each gateway.
    pub(super) fn from_message(message: &RouteMessage) -> Vec<Self> {
        let header = &message.header;
        if header.kind != RouteType::Unicast || header.source_prefix_length != 0 {
            return Vec::new();
        }
        let mut route = Self {
            table: header.table.into(),
            destination: Ipv6Addr::UNSPECIFIED,
            len: header.destination_prefix_length,
            gateway: None,
            interface: 0,
            metric: 0,
            expires: None,
            ours: header.protocol == RouteProtocol::Other(PROTOCOL),
        };
        let mut hops = Vec::new();
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Table(table) => route.table = *table,
                RouteAttribute::Destination(RouteAddress::Inet6(it)) => route.destination = *it,
                RouteAttribute::Gateway(RouteAddress::Inet6(it)) => route.gateway = Some(*it),
                RouteAttribute::Oif(interface) => route.interface = *interface,
                RouteAttribute::Priority(metric) => route.metric = *metric,
                RouteAttribute::CacheInfo(info) if info.expires != 0 => {
                    route.expires = Some(info.expires.div_ceil(TICKS));
                }
                RouteAttribute::MultiPath(all) => {
                    for hop in all {
                        let gateway = hop.attributes.iter().find_map(|attribute| match attribute {
                            RouteAttribute::Gateway(RouteAddress::Inet6(it)) => Some(*it),
                            _ => None,
                        });
                        hops.push((hop.interface_index, gateway));
                    }
                }
                _ => {}
            }
        }
        if route.destination.is_unicast_link_local() || route.destination.is_multicast() {
            return Vec::new();
        }
        if hops.is_empty() {
            return vec![route];
        }
        hops.into_iter()
            .map(|(interface, gateway)| Self {
                interface,
                gateway,
                ..route.clone()
            })
            .collect()
    }
}

impl Rule {
    pub(super) fn from_message(message: &RuleMessage) -> Option<Self> {
        let mut source = None;
        let mut rule = Self {
            priority: 0,
            source: Ipv6Addr::UNSPECIFIED,
            len: message.header.src_len,
            table: message.header.table.into(),
            suppress: None,
            ours: false,
        };
        for attribute in &message.attributes {
            match attribute {
                RuleAttribute::Source(IpAddr::V6(it)) => source = Some(*it),
                RuleAttribute::Priority(priority) => rule.priority = *priority,
                RuleAttribute::Table(table) => rule.table = *table,
                RuleAttribute::SuppressPrefixLen(len) if *len != u32::MAX => {
                    rule.suppress = Some(*len);
                }
                RuleAttribute::Protocol(protocol) => {
                    rule.ours = *protocol == RouteProtocol::Other(PROTOCOL);
                }
                _ => {}
            }
        }
        rule.source = source?;
        Some(rule)
    }
}

// The octets below are those of a little-endian host.
#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::super::Change;
    use super::*;
    use crate::genl::{
        request,
        Datagram, //
    };
    use netlink_packet_core::NetlinkPayload;
    use netlink_packet_route::RouteNetlinkMessage;

    /// What comes back of a change, read as the kernel would answer.
    fn there_and_back(change: Change) -> RouteNetlinkMessage {
        let octets = request(change.request().0, 0, 1);
        let message = Datagram::<RouteNetlinkMessage>::new(&octets)
            .next()
            .unwrap()
            .unwrap();
        match message.payload {
            NetlinkPayload::InnerMessage(message) => message,
            other => panic!("{other:?}"),
        }
    }

    fn address() -> Address {
        Address {
            interface: 7,
            address: "2001:db8:a:1::7".parse().unwrap(),
            len: 64,
            lifetimes: Lifetimes {
                preferred: Some(10),
                valid: None,
            },
            duplicate: false,
            ours: true,
        }
    }

    #[test]
    fn an_address() {
        let RouteNetlinkMessage::NewAddress(message) = there_and_back(Change::Assign(address()))
        else {
            panic!("no address");
        };
        assert_eq!(Address::from_message(&message), Some(address()));
        let mut other = message.clone();
        other
            .attributes
            .retain(|it| !matches!(it, AddressAttribute::Protocol(_)));
        other
            .attributes
            .push(AddressAttribute::Flags(AddressFlags::Dadfailed));
        let other = Address::from_message(&other).unwrap();
        assert!(!other.ours && other.duplicate);
        let mut local = message;
        local.attributes = vec![AddressAttribute::Address("fe80::1".parse().unwrap())];
        assert_eq!(Address::from_message(&local), None);
    }

    fn route() -> Route {
        Route {
            table: 14_001,
            destination: Ipv6Addr::UNSPECIFIED,
            len: 0,
            gateway: Some("fe80::1".parse().unwrap()),
            interface: 7,
            metric: 1024,
            expires: None,
            ours: true,
        }
    }

    #[test]
    fn a_route() {
        let RouteNetlinkMessage::NewRoute(message) = there_and_back(Change::SetRoute(route()))
        else {
            panic!("no route");
        };
        assert_eq!(Route::from_message(&message), [route()]);
        let mut limited = message.clone();
        let mut octets = [0; 32];
        octets[8] = 201;
        let info = netlink_packet_route::route::RouteCacheInfo::parse(&octets).unwrap();
        limited.attributes.push(RouteAttribute::CacheInfo(info));
        assert_eq!(Route::from_message(&limited)[0].expires, Some(3));
        let mut unreachable = message;
        unreachable.header.kind = RouteType::Unreachable;
        assert_eq!(Route::from_message(&unreachable), []);
    }

    #[test]
    fn a_rule() {
        for suppress in [None, Some(0)] {
            let rule = Rule {
                priority: 14_000,
                source: "2001:db8:a:1::".parse().unwrap(),
                len: 64,
                table: 14_001,
                suppress,
                ours: true,
            };
            let RouteNetlinkMessage::NewRule(message) =
                there_and_back(Change::AddRule(rule.clone()))
            else {
                panic!("no rule");
            };
            assert_eq!(Rule::from_message(&message), Some(rule));
            let mut other = message;
            other
                .attributes
                .retain(|it| !matches!(it, RuleAttribute::Source(_)));
            assert_eq!(Rule::from_message(&other), None);
        }
    }
}
