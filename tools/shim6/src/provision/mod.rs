// SPDX-License-Identifier: GPL-2.0

//! Which addresses of a set this host has now, and how their packets leave: a computation from what
//! there is ([`Scene`]) to what is to change. Nothing is remembered in between, so it does not matter
//! when it is done, or how often.
//!
//! An address of a set belongs to the interface that has its prefix: one with another address of it,
//! or with a route that says that it is on the link. It lives as long as the prefix does, which routers
//! say and those addresses and routes tell. Packets from the prefix take the more specific routes of the
//! main table and then the default router of that interface, by two rules and a table of their own: other
//! providers drop sources that are not theirs (BCP 38).

use std::fmt;
use std::net::Ipv6Addr;

use serde::Serialize;

use crate::rtnl::{
    interface_name,
    Address,
    Change,
    Lifetimes,
    Route,
    Rule,
    Scene,
    MAIN, //
};

/// Priorities of the rules: more specific routes first, then the provider's table.
const PRIORITY_MAIN: u32 = 14_000;
const PRIORITY_PROVIDER: u32 = 14_001;
/// The first table. Each prefix has one of its own.
const FIRST_TABLE: u32 = 14_001;
/// Metric of the route in it; the kernel's own default.
const METRIC: u32 = 1024;

/// Bits of the prefix of an address of a set.
const BITS: u8 = 64;

/// Lifetimes that differ by less are the same: each advertisement sets them anew.
const SLACK: u32 = 10;

/// Which of the addresses and rules that this program made are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those of the addresses in question.
    These,
    /// All: others are to go.
    All,
}

/// An address of a set that has a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Placed {
    pub(crate) address: Ipv6Addr,
    pub(crate) interface: String,
    /// The router of its provider.
    pub(crate) gateway: Option<Ipv6Addr>,
}

/// What is worth a word although nothing can be done about it here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// No interface has the prefix of this address.
    NoInterface(Ipv6Addr),
    /// The interface has no default router.
    NoGateway(Ipv6Addr, String),
    /// The interface has several, and the one of the provider cannot be told.
    SeveralGateways(Ipv6Addr, String, Ipv6Addr),
    /// Another host has the address.
    Duplicate(Ipv6Addr, String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInterface(address) => {
                write!(f, "{address} has no place: no interface has its prefix")
            }
            Self::NoGateway(address, interface) => write!(
                f,
                "packets from {address} have no way of their own: {interface} has no default router"
            ),
            Self::SeveralGateways(address, interface, chosen) => write!(
                f,
                "{interface} has several default routers; packets from {address} go to {chosen}"
            ),
            Self::Duplicate(address, interface) => write!(
                f,
                "another host on the link of {interface} has {address}; make all addresses of the \
                 set again, with --collision-count one higher"
            ),
        }
    }
}

/// What is to be done, and what comes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) changes: Vec<Change>,
    pub(crate) placed: Vec<Placed>,
    pub(crate) notes: Vec<Note>,
}

/// The /64 of an address.
fn prefix_of(address: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))
}

/// Whether an address begins with the first `len` bits of another.
fn covers(prefix: Ipv6Addr, len: u8, address: Ipv6Addr) -> bool {
    let behind = u32::from(128_u8.saturating_sub(len));
    let mask = u128::MAX.checked_shl(behind).unwrap_or(0);
    (prefix.to_bits() ^ address.to_bits()) & mask == 0
}

/// Where a prefix is, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    interface: u32,
    lifetimes: Lifetimes,
}

/// The interface that has the prefix of an address. Of several that with the most specific route or
/// address, then the one whose route comes first.
fn place(scene: &Scene, address: Ipv6Addr) -> Option<Place> {
    let addresses = || {
        scene
            .addresses
            .iter()
            .filter(|it| !it.ours && it.address != address && (1..=BITS).contains(&it.len))
            .filter(|it| covers(it.address, it.len, address))
    };
    let routes = || {
        scene
            .routes
            .iter()
            .filter(|it| !it.ours && it.table == MAIN && it.gateway.is_none())
            .filter(|it| (1..=BITS).contains(&it.len) && covers(it.destination, it.len, address))
    };
    let by_route = routes().map(|it| (BITS.abs_diff(it.len), it.metric, it.interface));
    let by_address = addresses().map(|it| (BITS.abs_diff(it.len), u32::MAX, it.interface));
    let (_, _, interface) = by_route.chain(by_address).min()?;

    // An address knows both lifetimes; temporary addresses have shorter ones than their prefix.
    let longest = |one: Option<u32>, other: Option<u32>| Some(one?.max(other?));
    let lifetimes = addresses()
        .filter(|it| it.interface == interface)
        .map(|it| it.lifetimes)
        .reduce(|one, other| Lifetimes {
            preferred: longest(one.preferred, other.preferred),
            valid: longest(one.valid, other.valid),
        })
        .or_else(|| {
            let route = routes().find(|it| it.interface == interface)?;
            Some(Lifetimes {
                preferred: route.expires,
                valid: route.expires,
            })
        })
        .unwrap_or_default();
    Some(Place {
        interface,
        lifetimes,
    })
}

/// The default routers of an interface, the best one first. A link with one other end needs none.
fn gateways(scene: &Scene, interface: u32) -> Vec<Option<Ipv6Addr>> {
    let mut routes: Vec<_> = scene
        .routes
        .iter()
        .filter(|it| !it.ours && it.table == MAIN && it.len == 0 && it.interface == interface)
        .map(|it| (it.metric, it.gateway))
        .collect();
    routes.sort_unstable();
    routes.dedup_by_key(|(_, gateway)| *gateway);
    routes.into_iter().map(|(_, gateway)| gateway).collect()
}

/// Whether two lifetimes are the same for all that matters.
fn alike(one: Lifetimes, other: Lifetimes) -> bool {
    let near = |one: Option<u32>, other: Option<u32>| match (one, other) {
        (None, None) => true,
        // Whether it is deprecated matters at once.
        (Some(one), Some(other)) => one.abs_diff(other) <= SLACK && (one == 0) == (other == 0),
        _ => false,
    };
    near(one.preferred, other.preferred) && near(one.valid, other.valid)
}

/// What is to change so that these addresses are where they belong, and leave by their providers.
pub(crate) fn plan(scene: &Scene, wanted: &[Ipv6Addr], scope: Scope) -> Plan {
    let mut plan = Plan::default();
    let mut kept = Vec::new();
    let mut routed = Vec::new();
    for address in wanted {
        let Some(place) = place(scene, *address) else {
            plan.notes.push(Note::NoInterface(*address));
            continue;
        };
        kept.push((*address, place.interface));
        plan.assign(scene, *address, place);
        let interface = interface_name(place.interface);
        let gateways = gateways(scene, place.interface);
        let gateway = gateways.first().copied();
        match gateways.as_slice() {
            [] => plan
                .notes
                .push(Note::NoGateway(*address, interface.clone())),
            [_] => {}
            [first, ..] => plan.notes.push(Note::SeveralGateways(
                *address,
                interface.clone(),
                first.unwrap_or(Ipv6Addr::UNSPECIFIED),
            )),
        }
        if let Some(gateway) = gateway {
            let prefix = prefix_of(*address);
            if !routed.contains(&prefix) {
                plan.route(scene, prefix, place.interface, gateway);
                routed.push(prefix);
            }
        }
        plan.placed.push(Placed {
            address: *address,
            interface,
            gateway: gateway.flatten(),
        });
    }
    plan.tidy(scene, wanted, scope, &kept, &routed);
    plan
}

/// What is to change so that nothing is left that was made for these addresses.
pub(crate) fn removal(scene: &Scene, addresses: &[Ipv6Addr]) -> Plan {
    let mut plan = Plan::default();
    plan.tidy(scene, addresses, Scope::These, &[], &[]);
    plan
}

impl Plan {
    fn assign(&mut self, scene: &Scene, address: Ipv6Addr, place: Place) {
        let old = scene
            .addresses
            .iter()
            .find(|it| it.address == address && it.interface == place.interface);
        if let Some(old) = old.filter(|old| old.duplicate) {
            self.notes
                .push(Note::Duplicate(address, interface_name(old.interface)));
            return;
        }
        // One that somebody else gave is theirs.
        if old.is_some_and(|old| !old.ours || alike(old.lifetimes, place.lifetimes)) {
            return;
        }
        self.changes.push(Change::Assign(Address {
            interface: place.interface,
            address,
            len: BITS,
            lifetimes: place.lifetimes,
            duplicate: false,
            ours: true,
        }));
    }

    /// Two rules and a route for a prefix.
    fn route(
        &mut self,
        scene: &Scene,
        prefix: Ipv6Addr,
        interface: u32,
        gateway: Option<Ipv6Addr>,
    ) {
        let ours = || scene.rules.iter().filter(|rule| rule.ours);
        let table = ours()
            .find(|rule| rule.source == prefix && rule.suppress.is_none())
            .map(|rule| rule.table)
            .unwrap_or_else(|| self.free_table(scene));
        let rule = |priority, table, suppress| Rule {
            priority,
            source: prefix,
            len: BITS,
            table,
            suppress,
            ours: true,
        };
        let route = Route {
            table,
            destination: Ipv6Addr::UNSPECIFIED,
            len: 0,
            gateway,
            interface,
            metric: METRIC,
            expires: None,
            ours: true,
        };
        if !scene.routes.contains(&route) {
            self.changes.push(Change::SetRoute(route));
        }
        for rule in [
            rule(PRIORITY_MAIN, MAIN, Some(0)),
            rule(PRIORITY_PROVIDER, table, None),
        ] {
            if !scene.rules.contains(&rule) {
                self.changes.push(Change::AddRule(rule));
            }
        }
    }

    /// A table that nobody uses.
    fn free_table(&self, scene: &Scene) -> u32 {
        let taken = |table: u32| {
            scene.rules.iter().any(|rule| rule.table == table)
                || scene.routes.iter().any(|route| route.table == table)
                || self.changes.iter().any(|change| match change {
                    Change::AddRule(rule) => rule.table == table,
                    Change::SetRoute(route) => route.table == table,
                    _ => false,
                })
        };
        (FIRST_TABLE..)
            .find(|table| !taken(*table))
            .unwrap_or(FIRST_TABLE)
    }

    /// Takes away what this program made and what is no longer right.
    fn tidy(
        &mut self,
        scene: &Scene,
        addresses: &[Ipv6Addr],
        scope: Scope,
        kept: &[(Ipv6Addr, u32)],
        routed: &[Ipv6Addr],
    ) {
        let ours = || scene.addresses.iter().filter(|it| it.ours);
        let concerned = |it: &Address| scope == Scope::All || addresses.contains(&it.address);
        let mut left = Vec::new();
        for old in ours() {
            if concerned(old) && !kept.contains(&(old.address, old.interface)) {
                self.changes.push(Change::Remove(old.clone()));
            } else {
                left.push(prefix_of(old.address));
            }
        }
        let prefixes: Vec<_> = addresses.iter().copied().map(prefix_of).collect();
        for rule in scene.rules.iter().filter(|rule| rule.ours) {
            let stays = match scope {
                Scope::All => routed.contains(&rule.source),
                Scope::These => {
                    routed.contains(&rule.source)
                        || left.contains(&rule.source)
                        || !prefixes.contains(&rule.source)
                }
            };
            if stays {
                continue;
            }
            self.changes.push(Change::DelRule(rule.clone()));
            if rule.suppress.is_none() {
                let routes = scene.routes.iter();
                let routes = routes.filter(|route| route.ours && route.table == rule.table);
                self.changes.extend(routes.cloned().map(Change::DelRoute));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    const A1: &str = "2001:db8:a:1:87b:8895:4bd3:1492";
    const A2: &str = "2001:db8:a:2:10c8:6551:484f:c005";

    fn wanted() -> [Ipv6Addr; 2] {
        [ip(A1), ip(A2)]
    }

    fn address(interface: u32, text: &str, preferred: Option<u32>, valid: Option<u32>) -> Address {
        Address {
            interface,
            address: ip(text),
            len: 64,
            lifetimes: Lifetimes { preferred, valid },
            duplicate: false,
            ours: false,
        }
    }

    fn route(text: &str, len: u8, gateway: Option<&str>, interface: u32) -> Route {
        Route {
            table: MAIN,
            destination: ip(text),
            len,
            gateway: gateway.map(ip),
            interface,
            metric: 256,
            expires: None,
            ours: false,
        }
    }

    /// Two providers on interfaces 1001 and 1002, as routers announce them.
    fn scene() -> Scene {
        Scene {
            addresses: vec![
                address(1001, "2001:db8:a:1::aa", Some(100), Some(200)),
                // A temporary address.
                address(1001, "2001:db8:a:1::bb", Some(10), Some(20)),
            ],
            routes: vec![
                route("2001:db8:a:1::", 64, None, 1001),
                Route {
                    expires: Some(300),
                    ..route("2001:db8:a:2::", 64, None, 1002)
                },
                route("::", 0, Some("fe80::1"), 1001),
                route("::", 0, Some("fe80::2"), 1002),
            ],
            rules: Vec::new(),
        }
    }

    /// The scene after the changes, as the kernel would have it.
    fn carry_out(scene: &mut Scene, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Assign(new) => {
                    scene
                        .addresses
                        .retain(|old| (old.address, old.interface) != (new.address, new.interface));
                    scene.addresses.push(new.clone());
                }
                Change::Remove(old) => scene.addresses.retain(|it| it != old),
                Change::AddRule(rule) => {
                    assert!(!scene.rules.contains(rule));
                    scene.rules.push(rule.clone());
                }
                Change::DelRule(rule) => scene.rules.retain(|it| it != rule),
                Change::SetRoute(new) => {
                    scene.routes.retain(|old| {
                        (old.table, old.len, old.metric) != (new.table, new.len, new.metric)
                    });
                    scene.routes.push(new.clone());
                }
                Change::DelRoute(route) => scene.routes.retain(|it| it != route),
            }
        }
    }

    fn texts(plan: &Plan) -> Vec<String> {
        plan.changes.iter().map(Change::to_string).collect()
    }

    fn notes(plan: &Plan) -> Vec<String> {
        plan.notes.iter().map(Note::to_string).collect()
    }

    #[test]
    fn each_address_goes_to_its_prefix_and_leaves_by_its_router() {
        let mut scene = scene();
        let plan = super::plan(&scene, &wanted(), Scope::All);
        assert_eq!(
            texts(&plan),
            [
                &format!("assign {A1} to 1001, valid for 200 s") as &str,
                "add the route of table 14001 by fe80::1 on 1001",
                "add the rule 14000 for packets from 2001:db8:a:1::/64, table 254 without its default routes",
                "add the rule 14001 for packets from 2001:db8:a:1::/64, table 14001",
                &format!("assign {A2} to 1002, valid for 300 s"),
                "add the route of table 14002 by fe80::2 on 1002",
                "add the rule 14000 for packets from 2001:db8:a:2::/64, table 254 without its default routes",
                "add the rule 14001 for packets from 2001:db8:a:2::/64, table 14002",
            ]
        );
        assert_eq!(notes(&plan), [""; 0]);
        assert_eq!(plan.placed[1].gateway, Some(ip("fe80::2")));
        carry_out(&mut scene, &plan.changes);
        for scope in [Scope::All, Scope::These] {
            let again = super::plan(&scene, &wanted(), scope);
            assert_eq!(texts(&again), [""; 0]);
        }
    }

    #[test]
    fn all_of_it_can_be_undone() {
        let before = scene();
        let mut scene = before.clone();
        // In two steps, the first one undone first.
        let first = super::plan(&scene, &[ip(A1)], Scope::These);
        carry_out(&mut scene, &first.changes);
        let second = super::plan(&scene, &[ip(A2)], Scope::These);
        assert!(texts(&second).iter().all(|text| !text.contains("a:1:")));
        carry_out(&mut scene, &second.changes);
        let undo = removal(&scene, &[ip(A1)]);
        carry_out(&mut scene, &undo.changes);
        assert_eq!(super::plan(&scene, &[ip(A2)], Scope::All).changes, []);
        let undo = removal(&scene, &[ip(A2)]);
        carry_out(&mut scene, &undo.changes);
        assert_eq!(scene, before);
    }

    #[test]
    fn a_prefix_that_goes_takes_its_address_and_rules_with_it() {
        let mut scene = scene();
        let plan = super::plan(&scene, &wanted(), Scope::All);
        carry_out(&mut scene, &plan.changes);
        scene
            .routes
            .retain(|route| route.interface != 1002 || route.ours);
        let plan = super::plan(&scene, &wanted(), Scope::These);
        assert_eq!(
            texts(&plan),
            [
                &format!("remove {A2} from 1002") as &str,
                "delete the rule 14000 for packets from 2001:db8:a:2::/64, table 254 without its default routes",
                "delete the rule 14001 for packets from 2001:db8:a:2::/64, table 14002",
                "delete the route of table 14002 by fe80::2 on 1002",
            ]
        );
        assert_eq!(
            notes(&plan),
            [format!("{A2} has no place: no interface has its prefix")]
        );
    }

    #[test]
    fn lifetimes_follow_the_prefix() {
        let mut scene = scene();
        let plan = super::plan(&scene, &wanted(), Scope::All);
        carry_out(&mut scene, &plan.changes);
        let set = |scene: &mut Scene, preferred, valid| {
            scene.addresses[0].lifetimes = Lifetimes { preferred, valid };
        };
        // Time passes.
        set(&mut scene, Some(95), Some(195));
        assert_eq!(super::plan(&scene, &wanted(), Scope::All).changes, []);
        // The router withdraws the prefix.
        set(&mut scene, Some(0), Some(195));
        scene.addresses[1].lifetimes = scene.addresses[0].lifetimes;
        let plan = super::plan(&scene, &wanted(), Scope::All);
        assert_eq!(
            texts(&plan),
            [format!("assign {A1} to 1001, valid for 195 s, deprecated")]
        );
        carry_out(&mut scene, &plan.changes);
        // What is deprecated is so at once, however short the difference.
        set(&mut scene, Some(SLACK / 2), Some(195));
        assert_eq!(super::plan(&scene, &wanted(), Scope::All).changes.len(), 1);
        // And announces it again, for ever.
        set(&mut scene, None, None);
        let plan = super::plan(&scene, &wanted(), Scope::All);
        assert_eq!(
            texts(&plan),
            [format!("assign {A1} to 1001, valid for ever")]
        );
    }

    #[test]
    fn another_router_takes_the_place_of_the_first() {
        let mut scene = scene();
        let plan = super::plan(&scene, &wanted(), Scope::All);
        carry_out(&mut scene, &plan.changes);
        scene.routes[2].gateway = Some(ip("fe80::9"));
        let plan = super::plan(&scene, &wanted(), Scope::All);
        assert_eq!(
            texts(&plan),
            ["add the route of table 14001 by fe80::9 on 1001"]
        );
        carry_out(&mut scene, &plan.changes);
        // No router at all.
        scene
            .routes
            .retain(|it| it.gateway != Some(ip("fe80::9")) || it.ours);
        let plan = super::plan(&scene, &wanted(), Scope::All);
        assert_eq!(texts(&plan).len(), 3);
        assert!(notes(&plan)[0].contains("1001 has no default router"));
        carry_out(&mut scene, &plan.changes);
        assert_eq!(super::plan(&scene, &wanted(), Scope::All).changes, []);
    }

    #[test]
    fn of_several_routers_one_is_taken_and_that_is_said() {
        let mut scene = scene();
        scene.routes.push(Route {
            metric: 1,
            ..route("::", 0, Some("fe80::3"), 1001)
        });
        let plan = super::plan(&scene, &wanted(), Scope::All);
        assert!(texts(&plan)[1].contains("by fe80::3 on 1001"));
        assert!(notes(&plan)[0].contains("several default routers"));
    }

    #[test]
    fn addresses_of_others_are_left_alone() {
        let mut scene = scene();
        scene.addresses.push(address(1001, A1, None, None));
        let plan = super::plan(&scene, &wanted(), Scope::All);
        assert!(!texts(&plan)[0].contains("assign"), "{:?}", texts(&plan));
        carry_out(&mut scene, &plan.changes);
        let undo = removal(&scene, &wanted());
        carry_out(&mut scene, &undo.changes);
        assert!(scene.addresses.iter().any(|it| it.address == ip(A1)));
        assert!(!scene.addresses.iter().any(|it| it.address == ip(A2)));
        assert_eq!(scene.rules, []);
    }

    #[test]
    fn its_own_addresses_do_not_prove_a_prefix() {
        let mut scene = Scene::default();
        for text in [A1, "2001:db8:a:1::1"] {
            scene.addresses.push(Address {
                ours: true,
                ..address(1001, text, None, None)
            });
        }
        let plan = super::plan(&scene, &[ip(A1)], Scope::All);
        assert_eq!(
            texts(&plan),
            [
                format!("remove {A1} from 1001"),
                "remove 2001:db8:a:1::1 from 1001".into()
            ]
        );
        // Nor does the address itself, whoever gave it.
        let scene = Scene {
            addresses: vec![address(1001, A1, None, None)],
            ..Scene::default()
        };
        assert_eq!(notes(&super::plan(&scene, &[ip(A1)], Scope::All)).len(), 1);
    }

    #[test]
    fn a_prefix_that_moves_takes_its_address_with_it() {
        let mut scene = scene();
        let plan = super::plan(&scene, &wanted(), Scope::All);
        carry_out(&mut scene, &plan.changes);
        scene.addresses.retain(|it| it.interface != 1001 || it.ours);
        scene.routes[0].interface = 1002;
        let plan = super::plan(&scene, &wanted(), Scope::All);
        assert_eq!(
            texts(&plan),
            [
                &format!("assign {A1} to 1002, valid for ever") as &str,
                "add the route of table 14001 by fe80::2 on 1002",
                &format!("remove {A1} from 1001"),
            ]
        );
    }

    #[test]
    fn a_duplicate_is_said_and_not_tried_again() {
        let mut scene = scene();
        scene.addresses.push(Address {
            ours: true,
            duplicate: true,
            ..address(1001, A1, Some(100), Some(200))
        });
        let plan = super::plan(&scene, &[ip(A1)], Scope::All);
        assert!(notes(&plan)[0].contains("--collision-count"));
        assert!(texts(&plan).iter().all(|text| !text.contains("assign")));
    }

    #[test]
    fn rules_stay_for_other_addresses_of_a_prefix() {
        let other = ip("2001:db8:a:1::77");
        let mut scene = scene();
        let both = super::plan(&scene, &[ip(A1), other], Scope::These);
        carry_out(&mut scene, &both.changes);
        let undo = removal(&scene, &[other]);
        assert_eq!(texts(&undo), [format!("remove {other} from 1001")]);
        carry_out(&mut scene, &undo.changes);
        assert_eq!(removal(&scene, &[ip(A1)]).changes.len(), 4);
    }

    #[test]
    fn rules_of_other_sets_stay() {
        let mut scene = scene();
        // Somebody else gave this one, so the rules are all that is ours.
        scene.addresses.push(address(1001, A1, None, None));
        let first = super::plan(&scene, &[ip(A1)], Scope::These);
        carry_out(&mut scene, &first.changes);
        let second = super::plan(&scene, &[ip(A2)], Scope::These);
        carry_out(&mut scene, &second.changes);
        assert_eq!(scene.rules.len(), 4);
    }

    #[test]
    fn a_link_with_one_other_end_needs_no_router() {
        let mut scene = scene();
        scene.routes[2].gateway = None;
        let plan = super::plan(&scene, &[ip(A1)], Scope::All);
        assert_eq!(texts(&plan)[1], "add the route of table 14001 on 1001");
        assert_eq!(plan.placed[0].gateway, None);
        assert_eq!(plan.notes, []);
    }

    #[test]
    fn tables_of_others_are_not_taken() {
        let mut scene = scene();
        scene.routes.push(Route {
            table: 14_001,
            ..route("::", 0, Some("fe80::7"), 1001)
        });
        let plan = super::plan(&scene, &[ip(A1)], Scope::All);
        assert!(texts(&plan)[1].contains("table 14002"));
    }
}
