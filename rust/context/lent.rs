// SPDX-License-Identifier: GPL-2.0

//! What sockets want of a context, beside the lists (`lists.rs`), and what a context was before a
//! socket that shares it was lent it: it gets that back.

use super::{
    lists::ListWishes,
    publish::check_pair,
    Cause,
    Change,
    Context,
    KnownLocator,
    Listed,
    Locators,
    Locked,
    Namespace,
    PairReason,
    ReapOverrides,
    SetPairError,
    Side,
    Wanted,
    Wish, //
};
use crate::{
    kernel_ext::{
        net::Net,
        rcu::RcuArc, //
    },
    proto::locator::{
        Locator,
        LocatorPair,
        Preference, //
    },
};
use core::sync::atomic::Ordering;
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// What sockets and administrators want of one context.
pub(super) struct Special {
    /// What was there before a socket had settings in a context that is not its own.
    lent: Option<Lent>,
    /// What of failure detection is otherwise than in the namespace.
    pub(super) reap: ReapOverrides,
    /// What sockets want of the lists.
    pub(super) lists: ListWishes,
    /// The pair that a socket prefers and that is used once it is confirmed.
    pub(super) wanted: Option<LocatorPair>,
    /// The same, until the current pair changes: what a preference for the other side adds to.
    pub(super) preferred: Option<LocatorPair>,
}

impl Special {
    /// Nothing is wanted.
    pub(super) const NOTHING: Self = Self {
        lent: None,
        reap: ReapOverrides::NONE,
        lists: ListWishes::NONE,
        wanted: None,
        preferred: None,
    };
}

/// What was there before a socket changed a context that is not its own.
struct Lent {
    /// The current pair, and why it was that.
    pair: (LocatorPair, PairReason),
    /// Preferences that were changed.
    preferences: KVec<(Side, Locator, Preference)>,
    /// Constants of failure detection.
    reap: ReapOverrides,
    /// Whether the list of this host was set, and that of the peer.
    lists: [bool; 2],
}

impl Context {
    /// Makes a locator the current one of its side for a socket, at once or as soon as the peer has
    /// proved to be there (RFC 5533, Section 7.2; choice A-38), and gives it another priority and
    /// weight. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// A [`SetPairError`]; nothing is changed then.
    pub(crate) fn prefer(&self, side: Side, wanted: &Wanted) -> Result<(), SetPairError> {
        let mut locked = self.lock()?;
        let pair = locked.pair_with_side(side, &wanted.locator);
        let prioritize = |known: &mut KnownLocator| {
            if known.locator == wanted.locator {
                known.preference.priority = Some(wanted.priority);
                known.preference.weight = wanted.weight.or(known.preference.weight);
            }
        };
        let may_use_now = pair.peer == locked.pair_with(None, None).peer
            || locked
                .peer()
                .list()
                .find(&pair.peer)
                .is_none_or(|known| self.may_send_to(known));
        locked.check(side, &wanted.locator)?;
        // What cannot be remembered cannot be given back.
        locked.remember(side, &wanted.locator)?;
        if !may_use_now {
            locked.control.special_mut()?;
        }
        let mut change = Change {
            pair: may_use_now.then_some((pair, PairReason::Socket)),
            ..Change::default()
        };
        match side {
            Side::Local => {
                change.local = Some(locked.local().with_preferences(prioritize)?);
            }
            Side::Peer => {
                let peer = locked.peer();
                let list = peer.list().map(prioritize)?;
                change.peer = Some(peer.facts_with(list)?);
            }
        }
        locked.apply(self.net, change, Cause::Socket)?;
        let wanted = (!may_use_now).then_some(pair);
        if let Some(special) = locked.control.special_if_any() {
            special.wanted = wanted;
            special.preferred = wanted;
        }
        drop(locked);
        if !may_use_now {
            self.wish(Wish::Preferred);
            let namespace = Namespace::of(self.net);
            namespace.control.stamped(namespace, self);
        }
        Ok(())
    }

    /// Whether [`Context::prefer`] would work. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// Those of [`Context::prefer`].
    pub(crate) fn can_prefer(&self, side: Side, locator: &Locator) -> Result<(), SetPairError> {
        self.lock()?.check(side, locator)
    }

    /// Lets a socket have its settings in this context, which is not its own; false if another
    /// socket has. Process context, may sleep.
    pub(crate) fn lend(&self, socket: usize) -> bool {
        let free = self
            .lent_to
            .compare_exchange(0, socket, Ordering::Relaxed, Ordering::Relaxed);
        free.is_ok() || free == Err(socket)
    }

    /// No socket has settings in this context any more: it becomes what it was before, as far as
    /// nothing else changed it since. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// [`SetPairError::NoMemory`], [`SetPairError::Gone`].
    pub(crate) fn take_back(this: &RcuArc<Self>) -> Result<(), SetPairError> {
        let mut locked = this.lock()?;
        let special = locked.control.special_if_any();
        let Some(lent) = special.and_then(|special| {
            let lent = special.lent.take()?;
            special.wanted = None;
            special.preferred = None;
            Some(lent)
        }) else {
            this.lent_to.store(0, Ordering::Relaxed);
            return Ok(());
        };
        let mut changed = locked.undo(this.net, &lent);
        drop(locked);
        if changed.is_ok() && lent.lists[0] {
            changed = Self::want_local_list(this, None);
        }
        if changed.is_ok() && lent.lists[1] {
            changed = Self::want_peer_list(this, None);
        }
        if changed == Err(SetPairError::NoMemory) {
            if let Some(special) = this.lock()?.control.special_if_any() {
                special.lent = Some(lent);
            }
            return changed;
        }
        this.lent_to.store(0, Ordering::Relaxed);
        Ok(())
    }
}

impl Locked<'_> {
    /// The current pair with another locator on one side.
    fn pair_with_side(&self, side: Side, locator: &Locator) -> LocatorPair {
        let mut pair = self
            .control
            .special()
            .preferred
            .unwrap_or_else(|| self.pair_with(None, None));
        match side {
            Side::Local => pair.local = *locator,
            Side::Peer => pair.peer = *locator,
        }
        pair
    }

    /// Whether a locator can be the current one of its side.
    fn check(&self, side: Side, locator: &Locator) -> Result<(), SetPairError> {
        let (local, peer) = (self.local(), self.peer());
        let is_excluded = side == Side::Peer
            && peer
                .list()
                .find(locator)
                .is_some_and(|known| known.is_excluded);
        if is_excluded {
            return Err(SetPairError::NotInList(side));
        }
        let lists = Locators {
            local: &local.list,
            peer: peer.list(),
        };
        let pair = self.pair_with_side(side, locator);
        check_pair(self.context.net, &lists, self.context.ulids(), &pair)
    }

    /// Keeps in mind that a socket is about to set a list if the context is lent. May sleep.
    pub(super) fn remember_list(&mut self, side: Side) -> Result<(), AllocError> {
        if self.context.lent_to() != 0 {
            let pair = self.pair_with(None, None);
            let [local, peer] = &mut self.lent(pair)?.lists;
            match side {
                Side::Local => *local = true,
                Side::Peer => *peer = true,
            }
        }
        Ok(())
    }

    /// Keeps in mind what a socket is about to change if the context is lent. May sleep.
    fn remember(&mut self, side: Side, locator: &Locator) -> Result<(), SetPairError> {
        if self.context.lent_to() == 0 {
            return Ok(());
        }
        let pair = self.pair_with(None, None);
        let (local, peer) = (self.local(), self.peer());
        let list = match side {
            Side::Local => &*local.list,
            Side::Peer => peer.list(),
        };
        let Some(known) = list.find(locator) else {
            return Ok(());
        };
        let lent = self.lent(pair)?;
        let is_known =
            |(other, at, _): &(Side, Locator, Preference)| *other == side && at == locator;
        if !lent.preferences.iter().any(is_known) {
            lent.preferences
                .push((side, *locator, known.preference), GFP_KERNEL)?;
        }
        Ok(())
    }

    /// What is kept in mind. May sleep.
    fn lent(&mut self, pair: LocatorPair) -> Result<&mut Lent, AllocError> {
        let reason = self.control.pair_reason;
        let Special { lent, reap, .. } = self.control.special_mut()?;
        Ok(lent.get_or_insert_with(|| Lent {
            pair: (pair, reason),
            preferences: KVec::new(),
            reap: *reap,
            lists: [false; 2],
        }))
    }

    /// As [`Locked::set_reap`], for a socket.
    pub(super) fn set_reap_of_socket(
        &mut self,
        overrides: ReapOverrides,
    ) -> Result<(), AllocError> {
        if self.context.lent_to() != 0 {
            let pair = self.pair_with(None, None);
            self.lent(pair)?;
        }
        self.set_reap(overrides)
    }

    /// Gives preferences back, and the pair if it is still the one that the socket chose.
    fn undo(&mut self, net: &Net, lent: &Lent) -> Result<(), SetPairError> {
        let before = |side: Side, known: &mut KnownLocator| {
            let of_this = |(other, at, _): &&(Side, Locator, Preference)| {
                *other == side && *at == known.locator
            };
            if let Some((.., preference)) = lent.preferences.iter().find(of_this) {
                known.preference = *preference;
            }
        };
        let has = |side: Side| lent.preferences.iter().any(|(other, ..)| *other == side);
        let mut change = Change::default();
        if has(Side::Local) {
            let local = self.local();
            change.local = Some(local.with_preferences(|known| before(Side::Local, known))?);
        }
        if has(Side::Peer) {
            let peer = self.peer();
            let list = peer.list().map(|known| before(Side::Peer, known))?;
            change.peer = Some(peer.facts_with(list)?);
        }
        self.apply(net, change, Cause::Socket)?;
        self.set_reap(lent.reap)?;
        if self.control.pair_reason == PairReason::Socket {
            let pair = Change {
                pair: Some(lent.pair),
                ..Change::default()
            };
            self.apply(net, pair, Cause::Socket)?;
        }
        Ok(())
    }
}
