// SPDX-License-Identifier: GPL-2.0

//! A context as attributes.

use super::{
    events::About,
    uapi::*, //
};
use crate::{
    context::{
        Cause,
        Context,
        Event,
        Happened,
        Identity,
        KnownLocator,
        Locked,
        Look,
        HISTORY_LENGTH, //
    },
    control::{
        self,
        Establishment,
        NegativeEntry,
        Watch, //
    },
    kernel_ext::genetlink::Message,
    proto::{
        establish::State,
        locator::{
            LocatorPair,
            VerificationMethod,
            MAX_LOCATORS, //
        },
        reap::ranking::{
            Candidates,
            Rank,
            RankedPair,
            Ranking,
            Unusable, //
        },
        time::Instant, //
    },
};

use core::cmp::Reverse;

use kernel::{
    prelude::*,
    sync::rcu::{
        self,
        Guard, //
    },
};

const ADDRESS_SPACE: usize = Message::space(ADDRESS_LEN);
const U8_SPACE: usize = Message::space(size_of::<u8>());
const U32_SPACE: usize = Message::space(size_of::<u32>());

/// Octets that a locator takes: address, verification, priority, weight, flags, status.
const LOCATOR_SPACE: usize = Message::space(ADDRESS_SPACE + 5 * U8_SPACE);

/// Octets that an event of the past takes: event, state, cause, age.
const HISTORY_SPACE: usize = Message::space(3 * U8_SPACE + Message::SPACE_U64);

/// Octets of what every context has: four addresses, FII and generations, nine small numbers, two
/// tags, six large numbers, a name.
const FACTS: usize = 4 * ADDRESS_SPACE
    + 3 * U32_SPACE
    + 9 * U8_SPACE
    + 8 * Message::SPACE_U64
    + Message::space(NAME_MAX + 1);

/// Pairs that are shown with their ranks.
const RANKING_LENGTH: usize = 16;

/// Octets that a ranked pair takes: two addresses, and twelve small numbers.
const RANK_SPACE: usize = Message::space(2 * ADDRESS_SPACE + 12 * U8_SPACE);

/// Octets of what failure detection adds: two times, four small numbers, the standby, the ranking.
const WATCH: usize = 2 * U32_SPACE + 4 * U8_SPACE + 2 * ADDRESS_SPACE + RANKING_LENGTH * RANK_SPACE;

/// Octets that the largest context takes: facts, two full lists, a full history, a full ranking.
pub(super) const LARGEST: usize =
    FACTS + 2 * MAX_LOCATORS * LOCATOR_SPACE + HISTORY_LENGTH * HISTORY_SPACE + WATCH;

/// Octets that an event takes.
pub(super) const LARGEST_EVENT: usize = FACTS + 3 * U8_SPACE + 2 * ADDRESS_SPACE;

/// Writes a context. Process context.
pub(super) fn context(message: &mut Message<'_>, context: &Context, locked: &Locked<'_>) -> Result {
    facts(message, context, &rcu::read_lock())?;

    message.put_u8(A_PAIR_REASON, locked.pair_reason() as u8)?;
    let local = locked.local();
    let peer = locked.peer();
    if let Some(identity) = &local.identity {
        message.put_text(A_NAME, identity.name())?;
        message.put_u32(A_GENERATION_LOCAL, local.generation.get())?;
    }
    if let Some(generation) = peer.generation() {
        message.put_u32(A_GENERATION_PEER, generation.get())?;
    }
    let now = control::now();
    let establishment = locked.look_at_establishment()?;
    if let Some(establishment) = &establishment {
        let machine = &establishment.machine;
        if let Some(deadline) = machine.next_deadline() {
            timer(message, deadline, now)?;
            message.put_u8(A_RETRIES, machine.retransmissions())?;
        }
        if machine.state() == State::Established {
            message.put_u8(A_UPDATE, u8::from(!machine.is_announced()))?;
        }
        if let Some(watch) = &establishment.watch {
            message.put_u8(A_REAP, watch.reap.state() as u8)?;
            self::watch(message, context, locked, establishment, watch, now)?;
        }
    }

    let status = |known: &KnownLocator| {
        let mut status = 0;
        if known.verification.is_some() {
            status |= LOCATOR_VERIFIED;
        }
        if known.is_reachable {
            status |= LOCATOR_REACHABLE;
        }
        status
    };
    list(message, A_LOCATOR_LOCAL, &local.list, |known| {
        let is_told = |establishment: &Look<'_>| establishment.is_acknowledged(known);
        if establishment.as_ref().is_some_and(is_told) {
            LOCATOR_ACKNOWLEDGED
        } else {
            0
        }
    })?;
    list(message, A_LOCATOR_PEER, peer.list(), status)?;
    for happened in locked.history() {
        message.nest(A_HISTORY, |nest| past(nest, &happened, now))?;
    }
    Ok(())
}

/// Writes what failure detection does, and would do.
fn watch(
    message: &mut Message<'_>,
    context: &Context,
    locked: &Locked<'_>,
    establishment: &Establishment,
    watch: &Watch,
    now: Instant,
) -> Result {
    let constants = locked.reap_constants();
    message.put_u32(A_SEND_TIMEOUT, constants.send_timeout.as_millis())?;
    message.put_u8(A_KEEPALIVES, u8::from(!constants.suppress_keepalives))?;
    message.put_u8(A_INITIAL_PROBES, constants.initial_probes)?;
    message.put_u32(A_PROBE_TIMEOUT, constants.initial_probe_timeout.as_millis())?;
    message.put_u8(A_HOT_STANDBY, u8::from(constants.hot_standby))?;

    let own = locked.reap_overrides();
    let bits = [
        (own.send_timeout.is_some(), REAP_SEND_TIMEOUT),
        (own.suppress_keepalives.is_some(), REAP_KEEPALIVES),
        (own.initial_probes.is_some(), REAP_INITIAL_PROBES),
        (own.initial_probe_timeout.is_some(), REAP_PROBE_TIMEOUT),
        (own.hot_standby.is_some(), REAP_HOT_STANDBY),
    ];
    let overridden = bits
        .into_iter()
        .fold(0, |all, (is_own, bit)| if is_own { all | bit } else { all });
    message.put_u8(A_OVERRIDDEN, overridden)?;
    if let Some(pair) = watch.reap.standby(&constants, now) {
        message.put(A_STANDBY_LOCAL, pair.local.as_octets())?;
        message.put(A_STANDBY_PEER, pair.peer.as_octets())?;
    }

    let (local, peer) = (locked.local(), locked.peer());
    let candidates = watch.candidates(context, establishment, &local, &peer);
    let ranking = Ranking::new(
        &candidates,
        context.ulids(),
        Some(watch.reap.suspect_pair()),
    );
    let mut before: Option<Rank> = None;
    for (pair, ranked) in &order(&ranking)? {
        message.nest(A_RANKING, |nest| {
            nest.put(A_RANK_LOCAL, pair.local.as_octets())?;
            nest.put(A_RANK_PEER, pair.peer.as_octets())?;
            match ranked {
                Ok(ranked) => {
                    let criterion = before.and_then(|before| ranked.rank.criterion(&before));
                    if let Some(criterion) = criterion {
                        nest.put_u8(A_RANK_CRITERION, criterion as u8)?;
                    }
                    rank(nest, &ranked.rank)
                }
                Err(unusable) => nest.put_u8(A_RANK_UNUSABLE, *unusable as u8),
            }
        })?;
        before = ranked.ok().map(|ranked| ranked.rank);
    }
    Ok(())
}

/// A pair and its rank, or why it cannot be used.
type Place = (LocatorPair, Result<RankedPair, Unusable>);

/// The first pairs in their order. May sleep.
fn order<C: Candidates>(ranking: &Ranking<'_, C>) -> Result<KVec<Place>> {
    // What is equal stays in the order of the lists.
    let key = |place: &Place| (place.1.is_err(), place.1.ok().map(|ranked| ranked.rank));
    let mut order: KVec<Place> = KVec::with_capacity(RANKING_LENGTH, GFP_KERNEL)?;
    for place in ranking.all() {
        let at = order.iter().position(|other| key(other) > key(&place));
        if order.len() == RANKING_LENGTH {
            if at.is_none() {
                continue;
            }
            order.pop();
        }
        // There is room now.
        let _ = order.push_within_capacity(place);
        if let Some(behind) = at.and_then(|at| order.get_mut(at..)) {
            behind.rotate_right(1);
        }
    }
    Ok(order)
}

fn rank(nest: &mut Message<'_>, rank: &Rank) -> Result {
    let (Reverse(precedence), Reverse(prefix)) = (rank.precedence, rank.common_prefix);
    let octets = [
        (A_RANK_SHARED, rank.shared),
        (A_RANK_WANTED, 2_u8.saturating_sub(rank.unwanted)),
        (A_RANK_BROKEN, rank.broken),
        (A_RANK_PEER_PRIORITY, rank.peer_priority),
        (A_RANK_LOCAL_PRIORITY, rank.local_priority),
        (A_RANK_TRANSIENT, rank.transient),
        (A_RANK_DEPRECATED, u8::from(rank.is_deprecated)),
        (A_RANK_LABELS_DIFFER, u8::from(rank.labels_differ)),
        (A_RANK_PRECEDENCE, precedence),
        (A_RANK_ULIDS, u8::from(!rank.is_translated)),
        (A_RANK_PREFIX, prefix),
    ];
    for (kind, octet) in octets {
        nest.put_u8(kind, octet)?;
    }
    Ok(())
}

/// Writes an event, with what there is to say of its context without waiting for anybody.
pub(super) fn event(
    message: &mut Message<'_>,
    context: &Context,
    event: Event,
    cause: Cause,
    about: &About,
) -> Result {
    message.put_u8(A_EVENT, event as u8)?;
    message.put_u8(A_CAUSE, cause as u8)?;
    match about {
        About::Context => {}
        About::Error(code) => message.put_u8(A_ERROR_CODE, *code)?,
        About::Probe(pair) => {
            message.put(A_PROBED_LOCAL, pair.local.as_octets())?;
            message.put(A_PROBED_PEER, pair.peer.as_octets())?;
        }
    }
    facts(message, context, &rcu::read_lock())
}

/// Writes what is left of a context that failed.
pub(super) fn negative(message: &mut Message<'_>, entry: &NegativeEntry) -> Result {
    ulids(message, entry.identity())?;
    message.put_u8(A_STATE, entry.negative.state.number())?;
    timer(message, entry.negative.until, control::now())
}

fn ulids(message: &mut Message<'_>, identity: &Identity) -> Result {
    message.put(A_ULID_LOCAL, identity.ulids.local.as_octets())?;
    message.put(A_ULID_PEER, identity.ulids.peer.as_octets())?;
    message.put_u32(A_FII, identity.fii.get())
}

fn facts(message: &mut Message<'_>, context: &Context, rcu: &Guard) -> Result {
    ulids(message, context.identity())?;
    message.put_u64(A_TAG_LOCAL, context.tag_local().get(), A_PAD)?;
    if let Some(tag) = context.peer(rcu).tag() {
        message.put_u64(A_TAG_PEER, tag.get(), A_PAD)?;
    }
    message.put_u8(A_STATE, context.state().number())?;
    message.put_u8(A_ORIGIN, context.origin() as u8)?;

    let pair = context.pair(rcu);
    message.put(A_CURRENT_LOCAL, pair.local.as_octets())?;
    message.put(A_CURRENT_PEER, pair.peer.as_octets())?;

    let now = control::now();
    let activity = context.stamps().read();
    let since = |at: Instant| u64::from(now.since(at).as_millis());
    let numbers = [
        (A_LAST_TX, activity.last_sent.map(since)),
        (A_LAST_RX, activity.last_received.map(since)),
        (A_SWITCHES, Some(context.switches())),
        (
            A_OWNER_COOKIE,
            context.owner().map(|owner| owner.known.cookie),
        ),
        (
            A_OWNER_INODE,
            context.owner().map(|owner| owner.known.inode),
        ),
    ];
    for (kind, number) in numbers {
        if let Some(number) = number {
            message.put_u64(kind, number, A_PAD)?;
        }
    }
    Ok(())
}

fn timer(message: &mut Message<'_>, deadline: Instant, now: Instant) -> Result {
    let left = u64::from(deadline.since(now).as_millis());
    message.put_u64(A_TIMER, left, A_PAD)
}

fn list(
    message: &mut Message<'_>,
    kind: u16,
    list: &[KnownLocator],
    status: impl Fn(&KnownLocator) -> u8,
) -> Result {
    for known in list {
        message.nest(kind, |nest| locator(nest, known, status(known)))?;
    }
    Ok(())
}

fn locator(nest: &mut Message<'_>, known: &KnownLocator, status: u8) -> Result {
    nest.put(A_LOCATOR_ADDRESS, known.locator.as_octets())?;

    // What nobody said is left out.
    let octets = [
        (
            A_LOCATOR_VERIFICATION,
            known.verification.map(VerificationMethod::get),
        ),
        (A_LOCATOR_PRIORITY, known.preference.priority),
        (A_LOCATOR_WEIGHT, known.preference.weight),
        (A_LOCATOR_FLAGS, Some(known.preference.flags.get())),
        (A_LOCATOR_STATUS, Some(status)),
    ];
    for (kind, octet) in octets {
        if let Some(octet) = octet {
            nest.put_u8(kind, octet)?;
        }
    }
    Ok(())
}

fn past(nest: &mut Message<'_>, happened: &Happened, now: Instant) -> Result {
    nest.put_u8(A_HISTORY_EVENT, happened.event)?;
    nest.put_u8(A_HISTORY_STATE, happened.state)?;
    nest.put_u8(A_HISTORY_CAUSE, happened.cause)?;
    let age = u64::from(now.since(happened.at).as_millis());
    nest.put_u64(A_HISTORY_AGE, age, A_HISTORY_PAD)
}
