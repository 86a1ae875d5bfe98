// SPDX-License-Identifier: GPL-2.0

//! A context as attributes.

use super::uapi::*;
use crate::{
    context::{
        Cause,
        Context,
        Event,
        Happened,
        Identity,
        KnownLocator,
        LocatorList,
        Locked,
        HISTORY_LENGTH, //
    },
    control::{
        self,
        NegativeEntry, //
    },
    kernel_ext::genetlink::Message,
    proto::{
        establish::State,
        locator::{
            VerificationMethod,
            MAX_LOCATORS, //
        },
        time::Instant, //
    },
};

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
/// tags, four large numbers, a name.
const FACTS: usize = 4 * ADDRESS_SPACE
    + 3 * U32_SPACE
    + 9 * U8_SPACE
    + 6 * Message::SPACE_U64
    + Message::space(NAME_MAX);

/// Octets that the largest context takes: facts, two full lists, a full history.
pub(super) const LARGEST: usize =
    FACTS + 2 * MAX_LOCATORS * LOCATOR_SPACE + HISTORY_LENGTH * HISTORY_SPACE;

/// Octets that an event takes.
pub(super) const LARGEST_EVENT: usize = FACTS + 3 * U8_SPACE;

/// Writes a context. Process context.
pub(super) fn context(message: &mut Message<'_>, context: &Context, locked: &Locked<'_>) -> Result {
    facts(message, context, &rcu::read_lock())?;

    message.put_u8(A_PAIR_REASON, locked.pair_reason() as u8)?;
    let local = locked.local();
    let peer = locked.peer();
    if let Some(identity) = &local.identity {
        message.put(A_NAME, identity.name())?;
        message.put_u32(A_GENERATION_LOCAL, local.generation.get())?;
    }
    if let Some(generation) = peer.generation {
        message.put_u32(A_GENERATION_PEER, generation.get())?;
    }
    let now = control::now();
    let establishment = locked.look_at_establishment();
    if let Some(establishment) = establishment {
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
        if establishment.is_some_and(|establishment| establishment.is_acknowledged(known)) {
            LOCATOR_ACKNOWLEDGED
        } else {
            0
        }
    })?;
    list(message, A_LOCATOR_PEER, &peer.list, status)?;
    for happened in locked.history() {
        message.nest(A_HISTORY, |nest| past(nest, happened, now))?;
    }
    Ok(())
}

/// Writes an event, with what there is to say of its context without waiting for anybody.
pub(super) fn event(
    message: &mut Message<'_>,
    context: &Context,
    event: Event,
    cause: Cause,
    code: Option<u8>,
) -> Result {
    message.put_u8(A_EVENT, event as u8)?;
    message.put_u8(A_CAUSE, cause as u8)?;
    if let Some(code) = code {
        message.put_u8(A_ERROR_CODE, code)?;
    }
    facts(message, context, &rcu::read_lock())
}

/// Writes what is left of a context that failed.
pub(super) fn negative(message: &mut Message<'_>, entry: &NegativeEntry) -> Result {
    ulids(message, &entry.identity)?;
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
    if let Some(tag) = context.peer(rcu).tag {
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
    list: &LocatorList,
    status: impl Fn(&KnownLocator) -> u8,
) -> Result {
    for known in list.as_slice() {
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
    nest.put_u8(A_HISTORY_EVENT, happened.event as u8)?;
    nest.put_u8(A_HISTORY_STATE, happened.state.number())?;
    nest.put_u8(A_HISTORY_CAUSE, happened.cause as u8)?;
    let age = u64::from(now.since(happened.at).as_millis());
    nest.put_u64(A_HISTORY_AGE, age, A_HISTORY_PAD)
}
