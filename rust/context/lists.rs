// SPDX-License-Identifier: GPL-2.0

//! Lists of locators that a socket sets for its context (shim-api, Section 4.6): of this host those
//! that the peer is told, of the peer those that packets may be sent to.
//!
//! A list is a wish that outlives changes of what there is to choose from: addresses that come or
//! go, and what the peer tells.

use super::{
    publish::Control,
    Cause,
    Change,
    Context,
    KnownLocator,
    Listed,
    Local,
    LocatorList,
    Locked,
    Namespace,
    PairReason,
    SetPairError,
    Side,
    Wish, //
};
use crate::{
    control,
    kernel_ext::{
        address::In6Addr,
        inet6,
        rcu::RcuArc, //
    },
    proto::locator::{
        Locator,
        Preference, //
    },
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// A locator of a list that a socket sets.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// The locator.
    pub(crate) locator: Locator,
    /// Its priority, as of DNS SRV: lower is better.
    pub(crate) priority: u8,
    /// Its weight, as of DNS SRV; `None` to leave it.
    pub(crate) weight: Option<u8>,
}

impl Wanted {
    fn apply_to(&self, preference: &mut Preference) {
        preference.priority = Some(self.priority);
        if self.weight.is_some() {
            preference.weight = self.weight;
        }
    }
}

/// What sockets want of the lists of a context.
pub(super) struct ListWishes {
    /// The list of this host; empty for all that there is.
    local: KVec<Wanted>,
    /// The list of a static context as its administrator gave it, while `local` is in force.
    offered: Option<RcuArc<Local>>,
    /// The list of the peer; empty for all that there is.
    peer: KVec<Wanted>,
    /// What the peer itself prefers, while `peer` is in force.
    told: KVec<(Locator, Preference)>,
}

impl ListWishes {
    /// All that there is.
    pub(super) const NONE: Self = Self {
        local: KVec::new(),
        offered: None,
        peer: KVec::new(),
        told: KVec::new(),
    };

    /// A list of the peer as it is to be used. May sleep.
    pub(super) fn used(&mut self, list: LocatorList) -> Result<LocatorList, AllocError> {
        if self.peer.is_empty() {
            return Ok(list);
        }
        let mut told = KVec::with_capacity(list.len(), GFP_KERNEL)?;
        for known in list.iter() {
            told.push((known.locator, known.preference), GFP_KERNEL)?;
        }
        let used = mark(&list, &self.peer)?;
        self.told = told;
        Ok(used)
    }
}

/// Excludes what is not wanted, unless that is all.
fn mark(list: &LocatorList, wanted: &[Wanted]) -> Result<LocatorList, AllocError> {
    let is_any = wanted.iter().any(|wanted| list.has(&wanted.locator));
    list.map(|known| match find(wanted, &known.locator) {
        Some(wanted) => {
            wanted.apply_to(&mut known.preference);
            known.is_excluded = false;
        }
        None => known.is_excluded = is_any,
    })
}

fn find<'a>(wanted: &'a [Wanted], locator: &Locator) -> Option<&'a Wanted> {
    wanted.iter().find(|wanted| wanted.locator == *locator)
}

fn copy(wanted: &[Wanted]) -> Result<KVec<Wanted>, AllocError> {
    let mut copy = KVec::new();
    copy.extend_from_slice(wanted, GFP_KERNEL)?;
    Ok(copy)
}

impl Control {
    /// Whether a socket has set the list of this host.
    fn has_local_wish(&self) -> bool {
        !self.special().lists.local.is_empty()
    }
}

impl Locked<'_> {
    /// What this host is to tell of what it could: all, or what a socket wants. `None` if that is
    /// what it tells already. May sleep.
    pub(crate) fn local_as_wanted(&self, full: RcuArc<Local>) -> Result<Option<RcuArc<Local>>> {
        let before = self.local();
        if !self.control.has_local_wish() {
            return Ok((full.generation != before.generation).then_some(full));
        }
        let list = subset(&full, &self.control.special().lists.local)?;
        if list.is_as(&before.list) {
            return Ok(None);
        }
        control::local_with(&full, list).map(Some)
    }
}

/// The locators of a list that are wanted, in the order in which they are.
fn subset(full: &Local, wanted: &[Wanted]) -> Result<LocatorList> {
    let known = wanted.iter().filter_map(|wanted| {
        let mut known: KnownLocator = *full.list.find(&wanted.locator)?;
        wanted.apply_to(&mut known.preference);
        Some(known)
    });
    LocatorList::told(known).map_err(|_| ENOMEM)
}

impl Context {
    /// Sets the list of this host, which the peer is told, or sets it back to all that there is.
    /// Process context, may sleep.
    ///
    /// # Errors
    ///
    /// [`SetPairError::NotInList`] if a locator cannot be proved to be of this host, or the ULID is
    /// not in the list; otherwise a [`SetPairError`]. Nothing is changed then.
    pub(crate) fn want_local_list(
        this: &RcuArc<Self>,
        wanted: Option<&[Wanted]>,
    ) -> Result<(), SetPairError> {
        let net = this.net;
        let namespace = Namespace::of(net);
        let ulids = this.ulids();
        let mut locked = this.lock()?;
        let full = if this.is_static() {
            let offered = locked.control.special().lists.offered.as_ref();
            offered.map_or_else(|| locked.local(), RcuArc::clone)
        } else {
            namespace
                .control
                .local_for(namespace, ulids.local)
                .map_err(|_| SetPairError::NoMemory)?
        };
        let (local, wish) = match wanted {
            None => (full.clone(), KVec::new()),
            Some(wanted) => {
                if find(wanted, &ulids.local.as_locator()).is_none() {
                    return Err(SetPairError::NotInList(Side::Local));
                }
                for wanted in wanted {
                    let address = In6Addr::from_octets(wanted.locator.as_octets());
                    if !full.list.has(&wanted.locator) {
                        return Err(SetPairError::NotInList(Side::Local));
                    }
                    if !inet6::is_local_address(net, &address) {
                        return Err(SetPairError::NotOnHost);
                    }
                }
                let list = subset(&full, wanted).map_err(|_| SetPairError::NoMemory)?;
                let local = control::local_with(&full, list).map_err(|_| SetPairError::NoMemory)?;
                (local, copy(wanted)?)
            }
        };
        let pair = locked.pair_with(None, None);
        let change = Change {
            pair: (!local.list.has(&pair.local)).then(|| {
                let pair = locked.pair_with(Some(ulids.local.as_locator()), None);
                (pair, PairReason::Socket)
            }),
            local: Some(local),
            ..Change::default()
        };
        if wanted.is_some() {
            locked.control.special_mut()?;
        }
        locked.apply(net, change, Cause::Socket)?;
        if let Some(special) = locked.control.special_if_any() {
            let lists = &mut special.lists;
            lists.offered = (this.is_static() && wanted.is_some()).then_some(full);
            lists.local = wish;
        }
        drop(locked);
        if !this.is_static() {
            this.wish(Wish::Announce);
            namespace.control.wants_attention(this);
        }
        Ok(())
    }

    /// Sets to which locators of the peer packets may be sent, or sets it back to all. Process
    /// context, may sleep.
    ///
    /// # Errors
    ///
    /// [`SetPairError::NotInList`] for a locator that the peer did not tell, otherwise a
    /// [`SetPairError`]. Nothing is changed then.
    pub(crate) fn want_peer_list(
        this: &RcuArc<Self>,
        wanted: Option<&[Wanted]>,
    ) -> Result<(), SetPairError> {
        let net = this.net;
        let mut locked = this.lock()?;
        let peer = locked.peer();
        let wish = match wanted {
            Some(wanted) => {
                if !wanted.iter().all(|wanted| peer.list().has(&wanted.locator)) {
                    return Err(SetPairError::NotInList(Side::Peer));
                }
                copy(wanted)?
            }
            None => KVec::new(),
        };
        // As the peer told it, before what a socket wanted until now.
        let told = core::mem::take(&mut locked.control.special_mut()?.lists.told);
        let list = peer.list().map(|known| {
            known.is_excluded = false;
            if let Some((_, preference)) = told.iter().find(|(told, _)| *told == known.locator) {
                known.preference = *preference;
            }
        });
        let lists = &mut locked.control.special_mut()?.lists;
        let before = core::mem::replace(&mut lists.peer, wish);
        let changed = list
            .and_then(|list| peer.facts_with(list))
            .map_err(SetPairError::from)
            .and_then(|facts| {
                let pair = locked.pair_with(None, None);
                let wanted = &locked.control.special().lists.peer;
                // What is used and not wanted gives way to what is wanted most and may be used.
                let other = match find(wanted, &pair.peer) {
                    None => wanted
                        .iter()
                        .filter(|wanted| {
                            peer.list().find(&wanted.locator).is_some_and(|known| {
                                this.may_send_to(&KnownLocator {
                                    is_excluded: false,
                                    ..*known
                                })
                            })
                        })
                        .min_by_key(|wanted| wanted.priority)
                        .map(|wanted| wanted.locator),
                    Some(_) => None,
                };
                let change = Change {
                    peer: Some(facts),
                    pair: other
                        .map(|other| (locked.pair_with(None, Some(other)), PairReason::Socket)),
                    ..Change::default()
                };
                locked.apply(net, change, Cause::Socket)
            });
        match changed {
            Ok(()) => {
                drop(locked);
                if !this.is_static() {
                    this.wish(Wish::Paths);
                    Namespace::of(net).control.wants_attention(this);
                }
                Ok(())
            }
            Err(error) => {
                if let Some(special) = locked.control.special_if_any() {
                    special.lists.peer = before;
                    special.lists.told = told;
                }
                Err(error)
            }
        }
    }
}
