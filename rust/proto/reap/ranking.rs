// SPDX-License-Identifier: GPL-2.0

//! In which order pairs of locators are tried and chosen, and why (RFC 5534, Section 4.3).
//!
//! Candidates are all pairs of a local locator that is operational and that the peer knows, and a
//! peer locator that is verified; the ULIDs need neither. Those that are left are in the order of
//! [`Rank`]: what shares least with the pair that failed, then what both ends prefer, then what
//! RFC 6724 prefers. Pairs of equal rank are drawn by weight, as of DNS SRV (RFC 2782).

use core::{
    cmp::{
        Ordering,
        Reverse, //
    },
    fmt, //
};

use super::{
    super::{
        counted::counted,
        locator::{
            Locator,
            LocatorPair,
            Preference,
            UlidPair, //
        },
        random::Random, //
    },
    policy::{
        common_prefix_len,
        is_site_local,
        Policy, //
    }, //
};

/// Most locators of one side that are looked at; those behind are no candidates.
pub const MAX_LOCATORS: usize = 32;

/// A locator of this host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocalCandidate {
    /// The address.
    pub locator: Locator,
    /// What this host tells the peer about its use.
    pub preference: Preference,
    /// Whether a socket or an administrator wants packets to come from it.
    pub is_wanted: bool,
    /// Whether packets can be sent with it: assigned, not tentative, its interface up (RFC 5534,
    /// Section 3.2).
    pub is_operational: bool,
    /// Whether the peer has acknowledged it (RFC 5533, Section 5.11).
    pub is_acknowledged: bool,
    /// Whether its preferred lifetime is over.
    pub is_deprecated: bool,
}

/// A locator of the peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerCandidate {
    /// The address.
    pub locator: Locator,
    /// What the peer tells about its use.
    pub preference: Preference,
    /// Whether a socket or an administrator wants packets to go there.
    pub is_wanted: bool,
    /// Whether it is proved to be the peer's by HBA or CGA (RFC 5533, Section 7.2), or an
    /// administrator vouches for it.
    pub is_verified: bool,
}

/// The locators of a context. A machine asks for them again and again and keeps none, so they may
/// change at any time; [`Reap::candidates_changed`](super::Reap::candidates_changed) is to be
/// called when they do.
pub trait Candidates {
    /// The local locator with this number, counted from 0; [`None`] behind the last.
    fn local(&self, index: usize) -> Option<LocalCandidate>;

    /// The locator of the peer with this number, counted from 0; [`None`] behind the last.
    fn peer(&self, index: usize) -> Option<PeerCandidate>;
}

counted! {
    /// Why a pair is no candidate.
    pub enum Unusable {
        /// The local locator is not an address of this host that packets can be sent with.
        LocalNotOperational = "local_not_operational",
        /// The peer has not yet acknowledged the local locator.
        LocalNotAcknowledged = "local_not_acknowledged",
        /// The peer's locator is not proved to be the peer's.
        PeerNotVerified = "peer_not_verified",
        /// One of the addresses is neither global nor unique local.
        Scope = "scope",
    }
}

counted! {
    /// What tells one [`Rank`] from another.
    pub enum Criterion {
        /// Fewer locators in common with the pair that failed.
        Disjoint = "disjoint",
        /// Wanted by a socket or an administrator.
        Wanted = "wanted",
        /// Not BROKEN.
        NotBroken = "not_broken",
        /// Lower priority number, as told by the peer.
        PeerPriority = "peer_priority",
        /// Lower priority number, as set on this host.
        LocalPriority = "local_priority",
        /// Not TRANSIENT.
        NotTransient = "not_transient",
        /// Not deprecated (RFC 6724, Section 5, Rule 3).
        NotDeprecated = "not_deprecated",
        /// Matching label (RFC 6724, Section 5, Rule 6, and Section 6, Rule 5).
        Label = "label",
        /// Higher precedence (RFC 6724, Section 6, Rule 6).
        Precedence = "precedence",
        /// The ULIDs, over which packets need no header.
        Ulids = "ulids",
        /// Longer common prefix (RFC 6724, Section 5, Rule 8, and Section 6, Rule 9).
        Prefix = "prefix",
    }
}

/// How good a pair is: less is better, and what comes first counts most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Rank {
    /// Locators in common with the pair that failed.
    pub shared: u8,
    /// Locators that nobody asked for.
    pub unwanted: u8,
    /// BROKEN locators.
    pub broken: u8,
    /// Priority of the peer's locator; 0 if the peer has no opinion.
    pub peer_priority: u8,
    /// Priority of the local locator; 0 if it has none.
    pub local_priority: u8,
    /// TRANSIENT locators. They come where RFC 6724 has home addresses.
    pub transient: u8,
    /// Whether the local locator is deprecated.
    pub is_deprecated: bool,
    /// Whether the labels differ.
    pub labels_differ: bool,
    /// Precedence of the peer's locator.
    pub precedence: Reverse<u8>,
    /// Whether packets over the pair carry the payload extension header.
    pub is_translated: bool,
    /// Leading bits in common, at most 64.
    pub common_prefix: Reverse<u8>,
}

impl Rank {
    fn of(
        local: &LocalCandidate,
        peer: &PeerCandidate,
        ulids: &UlidPair,
        failed: Option<&LocatorPair>,
    ) -> Self {
        let count = |a: bool, b: bool| u8::from(a).wrapping_add(u8::from(b));
        let flags = (local.preference.flags, peer.preference.flags);
        let policy = Policy::of(peer.locator);

        Self {
            shared: failed.map_or(0, |failed| {
                count(failed.local == local.locator, failed.peer == peer.locator)
            }),
            unwanted: count(!local.is_wanted, !peer.is_wanted),
            broken: count(flags.0.is_broken(), flags.1.is_broken()),
            peer_priority: peer.preference.priority.unwrap_or(0),
            local_priority: local.preference.priority.unwrap_or(0),
            transient: count(flags.0.is_transient(), flags.1.is_transient()),
            is_deprecated: local.is_deprecated,
            labels_differ: Policy::of(local.locator).label != policy.label,
            precedence: Reverse(policy.precedence),
            is_translated: pair_of(local, peer) != ulids.as_locators(),
            common_prefix: Reverse(common_prefix_len(local.locator, peer.locator)),
        }
    }

    /// In what this rank first differs from another; [`None`] if they are equal, and only the
    /// weights decide.
    pub fn criterion(&self, other: &Self) -> Option<Criterion> {
        let comparisons = [
            (self.shared != other.shared, Criterion::Disjoint),
            (self.unwanted != other.unwanted, Criterion::Wanted),
            (self.broken != other.broken, Criterion::NotBroken),
            (
                self.peer_priority != other.peer_priority,
                Criterion::PeerPriority,
            ),
            (
                self.local_priority != other.local_priority,
                Criterion::LocalPriority,
            ),
            (self.transient != other.transient, Criterion::NotTransient),
            (
                self.is_deprecated != other.is_deprecated,
                Criterion::NotDeprecated,
            ),
            (self.labels_differ != other.labels_differ, Criterion::Label),
            (self.precedence != other.precedence, Criterion::Precedence),
            (self.is_translated != other.is_translated, Criterion::Ulids),
            (self.common_prefix != other.common_prefix, Criterion::Prefix),
        ];
        comparisons
            .into_iter()
            .find_map(|(differs, criterion)| differs.then_some(criterion))
    }
}

/// What is worth telling about the place of a pair, in words.
impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reverse(precedence) = self.precedence;
        let Reverse(prefix) = self.common_prefix;
        let broken = if self.broken > 0 { " broken" } else { "" };
        let transient = if self.transient > 0 { " transient" } else { "" };
        let deprecated = if self.is_deprecated {
            " deprecated"
        } else {
            ""
        };
        let label = if self.labels_differ {
            " other-label"
        } else {
            ""
        };
        let ulids = if self.is_translated { "" } else { " ulids" };
        write!(
            f,
            "shared {} wanted {}{broken} priority {}/{}{transient}{deprecated}{label} \
             precedence {precedence}{ulids} prefix {prefix}",
            self.shared,
            2_u8.saturating_sub(self.unwanted),
            self.peer_priority,
            self.local_priority,
        )
    }
}

/// A pair that may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RankedPair {
    /// The pair.
    pub pair: LocatorPair,
    /// How good it is.
    pub rank: Rank,
    /// Its share among pairs of equal rank: the product of the weights of its locators, each
    /// counted as one more so that 0 leaves a small chance (RFC 2782).
    pub weight: u32,
    /// The numbers of the local and of the peer's locator.
    pub(super) place: (usize, usize),
}

/// The pairs of a context.
#[derive(Debug)]
pub struct Ranking<'a, C> {
    candidates: &'a C,
    ulids: &'a UlidPair,
    failed: Option<LocatorPair>,
}

impl<'a, C: Candidates> Ranking<'a, C> {
    /// The pairs of these locators, those last that have most in common with one that `failed`.
    pub const fn new(candidates: &'a C, ulids: &'a UlidPair, failed: Option<LocatorPair>) -> Self {
        Self {
            candidates,
            ulids,
            failed,
        }
    }

    /// All pairs, each with its rank or why it is no candidate, in no order.
    pub fn all(&self) -> Pairs<'_, 'a, C> {
        Pairs {
            ranking: self,
            local: None,
            next: (0, 0),
        }
    }

    /// The pairs that may be used, in no order.
    pub fn usable(&self) -> impl Iterator<Item = RankedPair> + '_ {
        self.all().filter_map(|(_, ranked)| ranked.ok())
    }

    /// What is known of one pair; [`None`] if it is not made of locators of the context or may not
    /// be used.
    pub fn find(&self, pair: &LocatorPair) -> Option<RankedPair> {
        let local = self
            .locals()
            .find(|(_, local)| local.locator == pair.local)?;
        let peer = self.peers().find(|(_, peer)| peer.locator == pair.peer)?;
        self.ranked(&local, &peer).ok()
    }

    /// The local locators, numbered.
    fn locals(&self) -> impl Iterator<Item = (usize, LocalCandidate)> + '_ {
        (0..MAX_LOCATORS).map_while(|i| Some((i, self.candidates.local(i)?)))
    }

    /// The locators of the peer, numbered.
    fn peers(&self) -> impl Iterator<Item = (usize, PeerCandidate)> + '_ {
        (0..MAX_LOCATORS).map_while(|i| Some((i, self.candidates.peer(i)?)))
    }

    /// The best of the pairs to which `key` gives a place: that with the least key, or one of
    /// these drawn by weight.
    pub(super) fn best<K: Ord>(
        &self,
        random: &mut impl Random,
        key: impl Fn(&RankedPair) -> Option<K>,
    ) -> Option<RankedPair> {
        let mut best: Option<(K, RankedPair)> = None;
        let mut total: u64 = 0;

        for ranked in self.usable() {
            let Some(key) = key(&ranked) else {
                continue;
            };
            let order = best
                .as_ref()
                .map_or(Ordering::Less, |(least, _)| key.cmp(least));
            let weight = u64::from(ranked.weight);
            let is_taken = match order {
                Ordering::Less => {
                    total = weight;
                    true
                }
                Ordering::Equal => {
                    // Each is taken from those before it with its share of all up to itself, so
                    // in the end every one had its share of the whole.
                    total = total.saturating_add(weight);
                    total.saturating_mul(u64::from(random.u32())) >> 32 < weight
                }
                Ordering::Greater => false,
            };
            if is_taken {
                best = Some((key, ranked));
            }
        }
        best.map(|(_, ranked)| ranked)
    }

    /// What is known of the pair of two numbered locators.
    fn ranked(
        &self,
        (i, local): &(usize, LocalCandidate),
        (j, peer): &(usize, PeerCandidate),
    ) -> Result<RankedPair, Unusable> {
        Ok(RankedPair {
            pair: pair_of(local, peer),
            rank: self.rank(local, peer)?,
            weight: weight(&local.preference).saturating_mul(weight(&peer.preference)),
            place: (*i, *j),
        })
    }

    fn rank(&self, local: &LocalCandidate, peer: &PeerCandidate) -> Result<Rank, Unusable> {
        let ulids = self.ulids.as_locators();
        let is_in_scope = |locator: Locator| locator.is_shimmable() && !is_site_local(locator);

        if !local.is_operational {
            return Err(Unusable::LocalNotOperational);
        }
        if !local.is_acknowledged && local.locator != ulids.local {
            return Err(Unusable::LocalNotAcknowledged);
        }
        if !peer.is_verified && peer.locator != ulids.peer {
            return Err(Unusable::PeerNotVerified);
        }
        if !is_in_scope(local.locator) || !is_in_scope(peer.locator) {
            return Err(Unusable::Scope);
        }
        Ok(Rank::of(local, peer, self.ulids, self.failed.as_ref()))
    }
}

/// The pairs of a [`Ranking`]; made by [`Ranking::all`].
#[derive(Debug)]
pub struct Pairs<'r, 'a, C> {
    ranking: &'r Ranking<'a, C>,
    /// The local locator whose pairs are being given.
    local: Option<LocalCandidate>,
    /// The numbers of the next local locator, or of the present one, and of the next of the peer.
    next: (usize, usize),
}

impl<C: Candidates> Pairs<'_, '_, C> {
    /// The next pair of locators with their numbers.
    fn advance(&mut self) -> Option<((usize, usize), LocalCandidate, PeerCandidate)> {
        let candidates = self.ranking.candidates;
        loop {
            let (i, j) = self.next;
            let local = match self.local {
                Some(local) => local,
                None if i < MAX_LOCATORS => *self.local.insert(candidates.local(i)?),
                None => return None,
            };
            match candidates.peer(j).filter(|_| j < MAX_LOCATORS) {
                Some(peer) => {
                    self.next = (i, j.saturating_add(1));
                    return Some(((i, j), local, peer));
                }
                None => {
                    self.next = (i.saturating_add(1), 0);
                    self.local = None;
                }
            }
        }
    }
}

impl<C: Candidates> Iterator for Pairs<'_, '_, C> {
    type Item = (LocatorPair, Result<RankedPair, Unusable>);

    fn next(&mut self) -> Option<Self::Item> {
        let (place, local, peer) = self.advance()?;
        let pair = pair_of(&local, &peer);
        let ranked = self.ranking.rank(&local, &peer).map(|rank| RankedPair {
            pair,
            rank,
            weight: weight(&local.preference).saturating_mul(weight(&peer.preference)),
            place,
        });
        Some((pair, ranked))
    }
}

/// The pair of two locators.
const fn pair_of(local: &LocalCandidate, peer: &PeerCandidate) -> LocatorPair {
    LocatorPair {
        local: local.locator,
        peer: peer.locator,
    }
}

/// The share of a locator.
fn weight(preference: &Preference) -> u32 {
    u32::from(preference.weight.unwrap_or(0)).saturating_add(1)
}

/// A set of pairs, by the numbers of their locators.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Places([u32; MAX_LOCATORS]);

impl Places {
    /// Whether it has a pair.
    pub(super) fn has(&self, (local, peer): (usize, usize)) -> bool {
        self.0
            .get(local)
            .is_some_and(|peers| peers & bit(peer) != 0)
    }

    /// Puts a pair in; false if it was there.
    pub(super) fn insert(&mut self, (local, peer): (usize, usize)) -> bool {
        let is_new = !self.has((local, peer));
        if let Some(peers) = self.0.get_mut(local) {
            *peers |= bit(peer);
        }
        is_new
    }

    /// Takes a pair out.
    pub(super) fn remove(&mut self, (local, peer): (usize, usize)) {
        if let Some(peers) = self.0.get_mut(local) {
            *peers &= !bit(peer);
        }
    }

    /// Takes all out.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The bit of a number below [`MAX_LOCATORS`].
fn bit(number: usize) -> u32 {
    u32::try_from(number)
        .ok()
        .and_then(|number| 1_u32.checked_shl(number))
        .unwrap_or(0)
}
