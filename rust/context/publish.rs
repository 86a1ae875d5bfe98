// SPDX-License-Identifier: GPL-2.0

//! Changes of a context: the only place where what readers see is replaced. What can fail comes
//! first, so that nothing is half applied.

use super::{
    history::History,
    lent::Special,
    overrides::ToldTimeout,
    trace,
    Cause,
    Context,
    Counter,
    Event,
    Happened,
    Listed,
    Local,
    Locators,
    Namespace,
    Path,
    Peer,
    PeerFacts,
    ReapOverrides,
    Side,
    State,
    Wish, //
};
use crate::{
    control::{
        self,
        Establishment,
        Rest, //
    },
    kernel_ext::{
        address::In6Addr,
        inet6,
        net::Net,
        rcu::RcuArc, //
    },
    netlink,
    proto::{
        locator::{
            Locator,
            LocatorPair,
            Preference,
            UlidPair, //
        },
        reap,
        wire::option::KeepaliveTimeout, //
    },
};
use core::sync::atomic::Ordering;
use kernel::{
    alloc::AllocError,
    prelude::*,
    sync::{
        lock::{
            mutex::MutexBackend,
            Guard as LockGuard, //
        },
        rcu, //
    },
};

/// Why the current pair cannot be that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SetPairError {
    /// The locator of this side is not in its list.
    NotInList(Side),
    /// The local locator is not an address of this namespace.
    NotOnHost,
    /// Another pair than the ULIDs needs `CT(peer)`, which is not known.
    NoPeer,
    /// The context was removed meanwhile.
    Gone,
    /// No memory.
    NoMemory,
}

impl From<AllocError> for SetPairError {
    fn from(_: AllocError) -> Self {
        Self::NoMemory
    }
}

/// Why the current pair is what it is, numbered as `enum shim6_pair_reason`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum PairReason {
    /// The ULIDs, with which every context begins.
    Ulids = 0,
    /// The addresses that the context was established over.
    Handshake = 1,
    /// An administrator set it.
    Admin = 2,
    /// A socket prefers it.
    Socket = 3,
    /// The peer reported a Probe that was sent over it.
    Probed = 4,
    /// It stood by.
    Standby = 5,
    /// It is better than the one before, and works again.
    Failback = 6,
}

/// What only writers look at.
pub(super) struct Control {
    /// The context is no longer in the tables.
    pub(super) removed: bool,
    /// A route of last resort is held for the peer's ULID.
    pub(super) holds_last_resort: bool,
    /// Why the current pair is that.
    pub(super) pair_reason: PairReason,
    /// What happened last.
    pub(super) history: History,
    /// What the state machines keep while anything goes on.
    pub(super) kept: Option<KBox<Establishment>>,
    /// What is kept of them otherwise; `None` for a static context, which has none.
    pub(super) rest: Option<Rest>,
    /// The Send Timeout as the peer was told.
    pub(super) told: ToldTimeout,
    /// What most contexts do not have, once somebody wanted something.
    special: Option<KBox<Special>>,
}

impl Control {
    /// What a new context begins with.
    pub(super) fn new(pair_reason: PairReason, establishment: Option<KBox<Establishment>>) -> Self {
        Self {
            removed: false,
            holds_last_resort: false,
            pair_reason,
            history: History::new(),
            kept: establishment,
            rest: None,
            told: ToldTimeout::default(),
            special: None,
        }
    }

    /// What somebody wants of this context and of few others.
    pub(super) fn special(&self) -> &Special {
        static NOTHING: Special = Special::NOTHING;

        self.special.as_deref().unwrap_or(&NOTHING)
    }

    /// The same, to change it. May sleep.
    pub(super) fn special_mut(&mut self) -> Result<&mut Special, AllocError> {
        if self.special.is_none() {
            self.special = Some(KBox::new(Special::NOTHING, GFP_KERNEL)?);
        }
        self.special.as_deref_mut().ok_or(AllocError)
    }

    /// The same if there is any: what is taken back needs no memory.
    pub(super) fn special_if_any(&mut self) -> Option<&mut Special> {
        self.special.as_deref_mut()
    }
}

/// What is to be changed; what is `None` stays.
#[derive(Default)]
pub(crate) struct Change {
    /// The state.
    pub(crate) state: Option<State>,
    /// What this host tells the peer.
    pub(crate) local: Option<RcuArc<Local>>,
    /// What the peer told about itself.
    pub(crate) peer: Option<PeerFacts>,
    /// The current pair, and why.
    pub(crate) pair: Option<(LocatorPair, PairReason)>,
}

/// A context that nobody else changes meanwhile.
pub(crate) struct Locked<'a> {
    pub(super) context: &'a Context,
    pub(super) control: LockGuard<'a, Control, MutexBackend>,
}

impl Context {
    /// Keeps others from changing the context. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// [`SetPairError::Gone`] if it was removed.
    pub(crate) fn lock(&self) -> Result<Locked<'_>, SetPairError> {
        let locked = self.lock_even_removed();
        if locked.control.removed {
            return Err(SetPairError::Gone);
        }
        Ok(locked)
    }

    /// As [`Context::lock`], also for one that was removed.
    pub(crate) fn lock_even_removed(&self) -> Locked<'_> {
        Locked {
            context: self,
            control: self.control.lock(),
        }
    }

    /// Sets the current pair for an administrator, where a locator that is not given stays, and
    /// gives local locators other preferences, which the peer is told. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// A [`SetPairError`]; nothing is changed then.
    pub(crate) fn set(
        this: &RcuArc<Self>,
        net: &Net,
        pair: (Option<Locator>, Option<Locator>),
        preferences: &[(Locator, Preference)],
    ) -> Result<(), SetPairError> {
        let mut locked = this.lock()?;
        let mut change = Change::default();
        if pair != (None, None) {
            change.pair = Some((locked.pair_with(pair.0, pair.1), PairReason::Admin));
        }
        if !preferences.is_empty() {
            let local = locked.local();
            let is_listed = |(locator, _): &(Locator, Preference)| local.list.has(locator);
            if !preferences.iter().all(is_listed) {
                return Err(SetPairError::NotInList(Side::Local));
            }
            change.local = Some(local.with_preferences(|known| {
                let wanted = preferences
                    .iter()
                    .find(|(locator, _)| *locator == known.locator);
                if let Some((_, preference)) = wanted {
                    known.preference = *preference;
                }
            })?);
        }
        locked.apply(net, change, Cause::Admin)?;
        drop(locked);
        if !preferences.is_empty() && !this.is_static() {
            this.wish(Wish::Announce);
            Namespace::of(net).control.wants_attention(this);
        }
        Ok(())
    }
}

impl Locked<'_> {
    /// Why the current pair is that.
    pub(crate) fn pair_reason(&self) -> PairReason {
        self.control.pair_reason
    }

    /// The current pair if an administrator or a socket chose it.
    pub(crate) fn chosen_pair(&self) -> Option<LocatorPair> {
        matches!(self.pair_reason(), PairReason::Admin | PairReason::Socket)
            .then(|| self.pair_with(None, None))
    }

    /// The pair that a socket prefers and that is not confirmed yet, once.
    pub(crate) fn take_wanted(&mut self) -> Option<LocatorPair> {
        self.control.special_if_any()?.wanted.take()
    }

    /// What of failure detection this context has otherwise than its namespace.
    pub(crate) fn reap_overrides(&self) -> ReapOverrides {
        self.control.special().reap
    }

    /// Gives failure detection of this context other constants than the namespace has. They are in
    /// force at once: timers that run follow, and a peer that goes by another Send Timeout is told
    /// by an Update Request (RFC 5534, Section 5.3). No effect on a static context. Whoever
    /// changes one value of several takes [`Locked::reap_overrides`] and writes it back with that
    /// value changed, under the same lock. May sleep.
    pub(crate) fn set_reap(&mut self, overrides: ReapOverrides) -> Result<(), AllocError> {
        if self.reap_overrides() != overrides {
            self.control.special_mut()?.reap = overrides;
            let namespace = Namespace::of(self.context.net());
            namespace.control.stamped(namespace, self.context);
        }
        Ok(())
    }

    /// The constants of failure detection in force.
    pub(crate) fn reap_constants(&self) -> reap::Constants {
        self.control
            .special()
            .reap
            .applied_to(self.namespace_reap_constants())
    }

    /// Those that would be in force if nothing was otherwise than in the namespace.
    pub(super) fn namespace_reap_constants(&self) -> reap::Constants {
        let settings = &Namespace::of(self.context.net()).settings;
        settings.reap_constants(self.peer().keepalive_timeout())
    }

    /// What a message of this context that is sent now has to tell of the Send Timeout; the peer
    /// counts as told.
    pub(crate) fn tell_timeout(&mut self) -> Option<KeepaliveTimeout> {
        let constants = self.reap_constants();
        self.control.told.tell(&constants)
    }

    /// Whether the peer goes by another Send Timeout than this host.
    pub(crate) fn is_timeout_outdated(&self, constants: &reap::Constants) -> bool {
        self.control.told.is_outdated(constants)
    }

    /// What happened, the last event first.
    pub(crate) fn history(&self) -> impl Iterator<Item = Happened> + '_ {
        self.control.history.iter(self.context.made)
    }

    /// What this host tells, which stays in force while this lock is held.
    pub(crate) fn local(&self) -> RcuArc<Local> {
        self.context.local.get()
    }

    /// The peer, which stays in force while this lock is held.
    pub(crate) fn peer(&self) -> RcuArc<Peer> {
        self.context.peer.get()
    }

    /// The current pair, with one or two other locators.
    pub(crate) fn pair_with(&self, local: Option<Locator>, peer: Option<Locator>) -> LocatorPair {
        let old = self.context.pair(&rcu::read_lock());
        LocatorPair {
            local: local.unwrap_or(old.local),
            peer: peer.unwrap_or(old.peer),
        }
    }

    /// Notes that something happened, and tells those who listen.
    pub(crate) fn record(&mut self, net: &Net, event: Event, cause: Cause) {
        let state = self.context.state();
        self.control
            .history
            .record(event, state, cause, self.context.made, control::now());
        netlink::announce(net, self.context, event, cause, &netlink::About::Context);
    }

    /// As [`Locked::record`], about an Error message with this code.
    pub(crate) fn record_code(&mut self, net: &Net, event: Event, cause: Cause, code: u8) {
        let state = self.context.state();
        self.control
            .history
            .record(event, state, cause, self.context.made, control::now());
        netlink::announce(
            net,
            self.context,
            event,
            cause,
            &netlink::About::Error(code),
        );
    }

    /// Changes what is to be changed, all or nothing. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// A [`SetPairError`]; nothing is changed then.
    pub(crate) fn apply(
        &mut self,
        net: &Net,
        change: Change,
        cause: Cause,
    ) -> Result<(), SetPairError> {
        let context = self.context;
        let namespace = Namespace::of(net);
        // Only holders of the lock replace these, so what is read here stays in force.
        let old_local = self.local();
        let old_peer = self.peer();
        let old_pair = context.pair(&rcu::read_lock());

        let facts = change
            .peer
            .map(|mut facts| {
                if let Some(special) = self.control.special_if_any() {
                    facts.list = special.lists.used(facts.list)?;
                }
                Ok::<_, AllocError>(facts)
            })
            .transpose()?;
        let peer_changed = facts
            .as_ref()
            .is_some_and(|facts| !old_peer.has_told(facts));
        let new_peer = facts
            .map(|facts| Peer::new(context.tag_local(), &facts))
            .transpose()
            .map_err(|_| SetPairError::NoMemory)?;
        let local = change.local.as_ref().unwrap_or(&old_local);
        let peer = new_peer.as_ref().unwrap_or(&old_peer);
        let pair = change.pair.map_or(old_pair, |(pair, _)| pair);
        if change.pair.is_some() {
            let lists = Locators {
                local: &local.list,
                peer: peer.list(),
            };
            check_pair(net, &lists, context.ulids(), &pair)?;
        }
        // A path belongs to a pair and to a tag.
        let path = if pair != old_pair || peer.tag() != old_peer.tag() {
            Some(Path::over(pair, context.identity(), peer.tag())?)
        } else {
            None
        };
        if change.local.is_some() {
            // What the peer has acknowledged is what was told before.
            self.wake()?;
        }
        if let Some(new) = &new_peer {
            namespace
                .contexts
                .add_peer(new)
                .map_err(|_| SetPairError::NoMemory)?;
        }

        // Nothing fails from here on.
        let local_changed = change.local.is_some();
        if let Some(local) = change.local {
            context.local.replace(local);
        }
        if let Some(new) = new_peer {
            context.peer.replace(new);
            namespace.contexts.remove_peer(&old_peer);
        }
        if let Some((_, reason)) = change.pair {
            if let Some(special) = self.control.special_if_any() {
                special.preferred = None;
            }
            self.control.pair_reason = reason;
        }
        if let Some(path) = path {
            // The route comes before the first packet that needs it.
            self.adjust_last_resort(net, pair != context.ulids().as_locators());
            context.set_path(path);
        }
        if let Some(state) = change.state {
            let before = context.state();
            if state != before {
                context.state.store(state.number(), Ordering::Relaxed);
                trace::state(context, before, state, cause);
                self.record(net, Event::State, cause);
            }
        }
        if peer_changed {
            self.record(net, Event::Peer, cause);
        }
        if local_changed {
            self.record(net, Event::Local, cause);
        }
        if pair != old_pair {
            context.switches.fetch_add(1, Ordering::Relaxed);
            context.begin_path(control::now());
            namespace.counters.count(Counter::PairSwitched);
            if matches!(cause, Cause::Admin | Cause::Socket) {
                // Failure detection has to know what it watches.
                namespace.control.stamped(namespace, context);
            }
            trace::path(context, old_pair, pair, self.control.pair_reason, cause);
            self.record(net, Event::Pair, cause);
        }
        Ok(())
    }

    /// The context is taken out of the tables; false if it was before.
    pub(super) fn mark_removed(&mut self) -> bool {
        !core::mem::replace(&mut self.control.removed, true)
    }

    /// Holds the route of last resort to the peer's ULID while packets are translated.
    pub(super) fn adjust_last_resort(&mut self, net: &Net, wanted: bool) {
        let namespace = Namespace::of(net);
        let ulid = &self.context.ulids().peer;
        if wanted == self.control.holds_last_resort {
            return;
        }
        if wanted {
            match namespace.last_resort.hold(net, ulid) {
                Ok(()) => self.control.holds_last_resort = true,
                // Packets still flow while another route leads to the ULID.
                Err(_) => namespace.counters.count(Counter::LastResortFailed),
            }
        } else {
            namespace.last_resort.release(net, ulid);
            self.control.holds_last_resort = false;
        }
    }
}

/// Whether a pair may be current. The ULID pair always may: it is what packets use without us.
pub(super) fn check_pair(
    net: &Net,
    lists: &Locators<'_>,
    ulids: &UlidPair,
    pair: &LocatorPair,
) -> Result<(), SetPairError> {
    if *pair == ulids.as_locators() {
        return Ok(());
    }
    if !lists.local.has(&pair.local) {
        return Err(SetPairError::NotInList(Side::Local));
    }
    if !lists.peer.has(&pair.peer) {
        return Err(SetPairError::NotInList(Side::Peer));
    }
    if !inet6::is_local_address(net, &In6Addr::from_octets(pair.local.as_octets())) {
        return Err(SetPairError::NotOnHost);
    }
    Ok(())
}
