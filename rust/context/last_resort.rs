// SPDX-License-Identifier: GPL-2.0

//! Routes of last resort to the ULIDs of peers.
//!
//! TCP and UDP look up a route to the ULID before a packet reaches the shim. If all interfaces that
//! had one are gone, nothing would be sent although other locators work. So while a context is
//! translated, its peer's ULID has a route in a table of its own, which a rule behind all others
//! consults. The data path replaces that route by the one between the locators.

use crate::{
    kernel_ext::{
        net::Net,
        rtnetlink::{
            self,
            Rule, //
        },
    },
    proto::locator::Ulid, //
};
use kernel::{
    new_mutex,
    prelude::*,
    rbtree::RBTree,
    sync::Mutex, //
};

/// The routing table, numbered as the protocol.
const TABLE: u32 = 140;

/// The rule: after those for main (32766) and default (32767).
const RULE: Rule = Rule {
    priority: 40_000,
    table: TABLE,
};

/// MTU of the routes: no link is known here, and most take this much.
const MTU: u32 = 1492;

/// What is installed.
struct Installed {
    rule: bool,
    /// How many contexts need the route to a ULID.
    users: RBTree<[u8; 16], u32>,
}

/// The routes of last resort of a namespace.
#[pin_data]
pub(crate) struct LastResort {
    #[pin]
    installed: Mutex<Installed>,
}

impl LastResort {
    /// No routes.
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            installed <- new_mutex!(Installed {
                rule: false,
                users: RBTree::new(),
            }),
        })
    }

    /// Makes sure that a ULID has a route. Process context, takes RTNL.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, or what rtnetlink says: `ENETDOWN` while the loopback interface is down.
    pub(super) fn hold(&self, net: &Net, ulid: &Ulid) -> Result {
        let mut installed = self.installed.lock();
        if let Some(users) = installed.users.get_mut(ulid.as_octets()) {
            *users = users.saturating_add(1);
            return Ok(());
        }
        if !installed.rule {
            match rtnetlink::add_rule(net, &RULE) {
                // Left behind by an administrator who knows what it is for.
                Ok(()) => {}
                Err(error) if error == EEXIST => {}
                Err(error) => return Err(error),
            }
            installed.rule = true;
        }
        // The entry first: what can fail without a trace comes before what cannot.
        installed
            .users
            .try_create_and_insert(ulid.octets(), 1, GFP_KERNEL)?;
        match rtnetlink::add_loopback_route(net, TABLE, ulid.as_octets(), MTU) {
            Ok(()) => Ok(()),
            Err(error) if error == EEXIST => Ok(()),
            Err(error) => {
                installed.users.remove(ulid.as_octets());
                Err(error)
            }
        }
    }

    /// Gives up a route that [`LastResort::hold`] got. Process context, takes RTNL.
    pub(super) fn release(&self, net: &Net, ulid: &Ulid) {
        let mut installed = self.installed.lock();
        let Some(users) = installed.users.get_mut(ulid.as_octets()) else {
            return;
        };
        *users = users.saturating_sub(1);
        if *users == 0 {
            installed.users.remove(ulid.as_octets());
            // A route that somebody removed before is gone all the same.
            let _ = rtnetlink::delete_loopback_route(net, TABLE, ulid.as_octets());
        }
    }

    /// Removes everything: the module goes, or the namespace, whose routes go with it. Process
    /// context, takes RTNL.
    pub(super) fn withdraw(&self, net: &Net) {
        if net.is_dying() {
            return;
        }
        let mut installed = self.installed.lock();
        for ulid in installed.users.keys() {
            let _ = rtnetlink::delete_loopback_route(net, TABLE, ulid);
        }
        if core::mem::replace(&mut installed.rule, false) {
            let _ = rtnetlink::delete_rule(net, &RULE);
        }
        installed.users = RBTree::new();
    }
}
