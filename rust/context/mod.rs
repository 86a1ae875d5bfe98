// SPDX-License-Identifier: GPL-2.0

//! Contexts (RFC 5533, Section 6) and the tables that hold them, per network namespace.
//!
//! The data path reads what is here under RCU; who changes a context does so in process context
//! under its mutex and publishes whole new objects.

mod counters;
mod last_resort;
mod locators;
mod namespace;
mod sockets;
mod table;

pub(crate) use counters::{
    Counter,
    Counters, //
};
pub(crate) use locators::{
    KnownLocator,
    ListError,
    LocatorList,
    Locators,
    Side,
    MAX_LOCATORS, //
};
pub(crate) use namespace::{
    Namespace,
    NAMESPACES, //
};
pub(crate) use sockets::Options;
pub(crate) use table::{
    Contexts,
    Refusal, //
};

use crate::{
    kernel_ext::{
        address::In6Addr,
        dst::DstCache,
        inet6,
        net::Net,
        rcu::{
            RcuArc,
            RcuPtr, //
        },
        rhashtable::{
            Entry,
            ListEntry, //
        },
        time::LastSeen, //
    },
    proto::{
        locator::{
            Locator,
            LocatorPair,
            UlidPair, //
        },
        number::Fii,
        tag::ContextTag, //
    },
};
use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        rcu::Guard,
        Mutex, //
    },
};

/// What tells one context from all others: the ULID pair and the Forked Instance Identifier
/// (RFC 5533, Section 6.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The ULID pair.
    pub(crate) ulids: UlidPair,
    /// Zero for the default context.
    pub(crate) fii: Fii,
}

impl Identity {
    /// The key of the table by identity.
    #[inline]
    fn key(&self) -> [u8; 40] {
        let mut key = [0; 40];
        let (local, rest) = key.split_at_mut(16);
        let (peer, fii) = rest.split_at_mut(16);
        local.copy_from_slice(self.ulids.local.as_octets());
        peer.copy_from_slice(self.ulids.peer.as_octets());
        // Eight octets are left for four.
        for (to, from) in fii.iter_mut().zip(self.fii.to_wire()) {
            *to = from;
        }
        key
    }
}

/// The current pair of locators and what the data path needs to use it; immutable.
#[pin_data]
pub(crate) struct Path {
    /// `Lp(local)` and `Lp(peer)`.
    pub(crate) pair: LocatorPair,
    /// Whether the pair is other than the ULID pair, so that packets carry a header.
    pub(crate) translated: bool,
    /// `Lp(local)` as C sees it.
    pub(crate) source: In6Addr,
    /// `Lp(peer)` as C sees it.
    pub(crate) destination: In6Addr,
    /// The route of this pair.
    #[pin]
    pub(crate) cache: DstCache,
}

impl Path {
    /// A path over a pair of locators. May sleep.
    fn new(pair: LocatorPair, ulids: &UlidPair) -> Result<RcuArc<Self>> {
        let translated = pair != ulids.as_locators();
        RcuArc::pin_init(
            try_pin_init!(Self {
                pair,
                translated,
                source: In6Addr::from_octets(pair.local.as_octets()),
                destination: In6Addr::from_octets(pair.peer.as_octets()),
                cache <- DstCache::new(),
            }? Error),
            GFP_KERNEL,
        )
    }
}

/// State of a context (RFC 5533, Section 6.2), numbered as `enum shim6_state`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// In use, as all contexts that an administrator makes.
    Established = 4,
}

/// What a new context is made of.
pub(crate) struct NewContext {
    /// Its identity.
    pub(crate) identity: Identity,
    /// `CT(local)`.
    pub(crate) tag_local: ContextTag,
    /// `CT(peer)`.
    pub(crate) tag_peer: ContextTag,
    /// `Ls(local)` and `Ls(peer)`.
    pub(crate) locators: Locators,
    /// `Lp(local)`; the ULID if `None`.
    pub(crate) current_local: Option<Locator>,
    /// `Lp(peer)`; the ULID if `None`.
    pub(crate) current_peer: Option<Locator>,
}

/// Why the current pair cannot be that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SetPairError {
    /// The locator of this side is not in its list.
    NotInList(Side),
    /// The local locator is not an address of this namespace.
    NotOnHost,
    /// The context was removed meanwhile.
    Gone,
    /// No memory.
    NoMemory,
}

/// What only writers look at.
struct Control {
    /// The context is no longer in the tables.
    removed: bool,
    /// A route of last resort is held for the peer's ULID.
    holds_last_resort: bool,
}

/// A context.
#[pin_data]
pub(crate) struct Context {
    by_identity: Entry<Context, 40>,
    by_tag: Entry<Context, 8>,
    by_peer_tag: ListEntry<Context>,
    identity: Identity,
    tag_local: ContextTag,
    tag_peer: ContextTag,
    path: RcuPtr<Path>,
    locators: RcuPtr<Locators>,
    #[pin]
    control: Mutex<Control>,
    switches: AtomicU64,
    last_tx: LastSeen,
    last_rx: LastSeen,
}

impl Context {
    /// Makes a context that is in no table. Process context, may sleep.
    fn new(net: &Net, new: NewContext) -> Result<RcuArc<Self>, SetPairError> {
        let ulids = new.identity.ulids;
        let pair = LocatorPair {
            local: new.current_local.unwrap_or(ulids.local.as_locator()),
            peer: new.current_peer.unwrap_or(ulids.peer.as_locator()),
        };
        check_pair(net, &new.locators, &ulids, &pair)?;
        let path = Path::new(pair, &ulids).map_err(|_| SetPairError::NoMemory)?;
        let locators = RcuArc::pin_init(Ok::<_, Error>(new.locators), GFP_KERNEL)
            .map_err(|_| SetPairError::NoMemory)?;
        RcuArc::pin_init(
            try_pin_init!(Self {
                by_identity: Entry::new(new.identity.key()),
                by_tag: Entry::new(tag_key(new.tag_local)),
                by_peer_tag: ListEntry::new(tag_key(new.tag_peer)),
                identity: new.identity,
                tag_local: new.tag_local,
                tag_peer: new.tag_peer,
                path: RcuPtr::new(path),
                locators: RcuPtr::new(locators),
                control <- new_mutex!(Control {
                    removed: false,
                    holds_last_resort: false,
                }),
                switches: AtomicU64::new(0),
                last_tx: LastSeen::never(),
                last_rx: LastSeen::never(),
            }? Error),
            GFP_KERNEL,
        )
        .map_err(|_| SetPairError::NoMemory)
    }

    /// The identity.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The ULID pair.
    #[inline]
    pub(crate) fn ulids(&self) -> &UlidPair {
        &self.identity.ulids
    }

    /// `CT(local)`, which received packets carry.
    pub(crate) fn tag_local(&self) -> ContextTag {
        self.tag_local
    }

    /// `CT(peer)`, which sent packets carry.
    #[inline]
    pub(crate) fn tag_peer(&self) -> ContextTag {
        self.tag_peer
    }

    /// The state.
    pub(crate) fn state(&self) -> State {
        State::Established
    }

    /// Whether sockets of the ULID pair count as associated (choice A-6).
    pub(crate) fn is_associated(&self) -> bool {
        self.state() == State::Established
    }

    /// The path in use.
    #[inline]
    pub(crate) fn path<'rcu>(&'rcu self, rcu: &'rcu Guard) -> &'rcu Path {
        self.path.load(rcu)
    }

    /// `Lp(local)` and `Lp(peer)`.
    pub(crate) fn pair(&self, rcu: &Guard) -> LocatorPair {
        self.path(rcu).pair
    }

    /// The locator lists in force.
    #[inline]
    pub(crate) fn locators<'rcu>(&'rcu self, rcu: &'rcu Guard) -> &'rcu Locators {
        self.locators.load(rcu)
    }

    /// How often the current pair changed.
    pub(crate) fn switches(&self) -> u64 {
        self.switches.load(Ordering::Relaxed)
    }

    /// A packet leaves through this context. Any context.
    #[inline]
    pub(crate) fn sent(&self) {
        self.last_tx.touch();
    }

    /// A packet came through this context. Any context.
    #[inline]
    pub(crate) fn received(&self) {
        self.last_rx.touch();
    }

    /// Milliseconds since a packet left, to the timer tick; `None` if none did.
    pub(crate) fn last_tx_msecs(&self) -> Option<u64> {
        self.last_tx.elapsed_msecs()
    }

    /// Milliseconds since a packet came, to the timer tick; `None` if none did.
    pub(crate) fn last_rx_msecs(&self) -> Option<u64> {
        self.last_rx.elapsed_msecs()
    }

    /// Sets the current pair; a locator that is not given stays. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// A [`SetPairError`]; nothing is changed then.
    pub(crate) fn set_pair(
        &self,
        net: &Net,
        local: Option<Locator>,
        peer: Option<Locator>,
    ) -> Result<(), SetPairError> {
        self.change(net, local, peer, None)
    }

    /// Makes a locator the current one of its side and gives it another priority, as of DNS SRV.
    /// Process context, may sleep.
    ///
    /// # Errors
    ///
    /// A [`SetPairError`]; nothing is changed then.
    pub(crate) fn prefer(
        &self,
        net: &Net,
        side: Side,
        locator: &Locator,
        priority: u8,
    ) -> Result<(), SetPairError> {
        let (local, peer) = match side {
            Side::Local => (Some(*locator), None),
            Side::Peer => (None, Some(*locator)),
        };
        self.change(net, local, peer, Some((side, locator, priority)))
    }

    /// What can fail comes first, so that nothing is half applied.
    fn change(
        &self,
        net: &Net,
        local: Option<Locator>,
        peer: Option<Locator>,
        priority: Option<(Side, &Locator, u8)>,
    ) -> Result<(), SetPairError> {
        let namespace = Namespace::of(net);
        let mut control = self.control.lock();
        if control.removed {
            return Err(SetPairError::Gone);
        }
        // Only holders of the lock replace these, so what is read here stays in force.
        let locators = self.locators.get();
        let old = self.pair(&kernel::sync::rcu::read_lock());
        let pair = LocatorPair {
            local: local.unwrap_or(old.local),
            peer: peer.unwrap_or(old.peer),
        };
        check_pair(net, &locators, self.ulids(), &pair)?;

        let path = (pair != old)
            .then(|| Path::new(pair, self.ulids()))
            .transpose()
            .map_err(|_| SetPairError::NoMemory)?;
        let locators = priority
            .map(|(side, locator, priority)| {
                let locators = locators.with_priority(side, locator, priority)?;
                RcuArc::pin_init(Ok::<_, Error>(locators), GFP_KERNEL)
            })
            .transpose()
            .map_err(|_| SetPairError::NoMemory)?;

        if let Some(locators) = locators {
            self.locators.replace(locators);
        }
        if let Some(path) = path {
            // The route comes before the first packet that needs it.
            self.adjust_last_resort(net, namespace, &mut control, path.translated);
            self.path.replace(path);
            self.switches.fetch_add(1, Ordering::Relaxed);
            namespace.counters.count(Counter::PairSwitched);
        }
        Ok(())
    }

    /// Holds the route of last resort to the peer's ULID while packets are translated.
    fn adjust_last_resort(
        &self,
        net: &Net,
        namespace: &Namespace,
        control: &mut Control,
        wanted: bool,
    ) {
        if wanted == control.holds_last_resort {
            return;
        }
        if wanted {
            match namespace.last_resort.hold(net, &self.ulids().peer) {
                Ok(()) => control.holds_last_resort = true,
                // Packets still flow while another route leads to the ULID.
                Err(_) => namespace.counters.count(Counter::LastResortFailed),
            }
        } else {
            namespace.last_resort.release(net, &self.ulids().peer);
            control.holds_last_resort = false;
        }
    }
}

/// The key of the tables by tag.
#[inline]
fn tag_key(tag: ContextTag) -> [u8; 8] {
    tag.get().to_ne_bytes()
}

/// Whether a pair may be current. The ULID pair always may: it is what packets use without us.
fn check_pair(
    net: &Net,
    locators: &Locators,
    ulids: &UlidPair,
    pair: &LocatorPair,
) -> Result<(), SetPairError> {
    if !locators.local.contains(&pair.local) {
        return Err(SetPairError::NotInList(Side::Local));
    }
    if !locators.peer.contains(&pair.peer) {
        return Err(SetPairError::NotInList(Side::Peer));
    }
    if *pair != ulids.as_locators()
        && !inet6::is_local_address(net, &In6Addr::from_octets(pair.local.as_octets()))
    {
        return Err(SetPairError::NotOnHost);
    }
    Ok(())
}
