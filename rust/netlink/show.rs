// SPDX-License-Identifier: GPL-2.0

//! A context as attributes.

use super::uapi::*;
use crate::{
    context::{
        Context,
        KnownLocator,
        LocatorList,
        MAX_LOCATORS, //
    },
    kernel_ext::genetlink::Message,
    proto::locator::VerificationMethod, //
};

use kernel::{
    prelude::*,
    sync::rcu::Guard, //
};

const ADDRESS_SPACE: usize = Message::space(ADDRESS_LEN);
const U8_SPACE: usize = Message::space(size_of::<u8>());
const U32_SPACE: usize = Message::space(size_of::<u32>());

/// Octets that a locator takes: address, verification, priority, weight, flags.
const LOCATOR_SPACE: usize = Message::space(ADDRESS_SPACE + 4 * U8_SPACE);

/// Octets that the largest context takes: four addresses, FII, state, two tags, three numbers and
/// two full lists.
pub(super) const LARGEST: usize = 4 * ADDRESS_SPACE
    + U32_SPACE
    + U8_SPACE
    + 5 * Message::SPACE_U64
    + 2 * MAX_LOCATORS * LOCATOR_SPACE;

/// Writes a context.
pub(super) fn context(message: &mut Message<'_>, context: &Context, rcu: &Guard) -> Result {
    let identity = context.identity();
    message.put(A_ULID_LOCAL, identity.ulids.local.as_octets())?;
    message.put(A_ULID_PEER, identity.ulids.peer.as_octets())?;
    message.put_u32(A_FII, identity.fii.get())?;
    message.put_u64(A_TAG_LOCAL, context.tag_local().get(), A_PAD)?;
    message.put_u64(A_TAG_PEER, context.tag_peer().get(), A_PAD)?;
    message.put_u8(A_STATE, context.state() as u8)?;

    let pair = context.pair(rcu);
    message.put(A_CURRENT_LOCAL, pair.local.as_octets())?;
    message.put(A_CURRENT_PEER, pair.peer.as_octets())?;

    let numbers = [
        (A_LAST_TX, context.last_tx_msecs()),
        (A_LAST_RX, context.last_rx_msecs()),
        (A_SWITCHES, Some(context.switches())),
    ];
    for (kind, number) in numbers {
        if let Some(number) = number {
            message.put_u64(kind, number, A_PAD)?;
        }
    }

    let locators = context.locators(rcu);
    list(message, A_LOCATOR_LOCAL, &locators.local)?;
    list(message, A_LOCATOR_PEER, &locators.peer)
}

fn list(message: &mut Message<'_>, kind: u16, list: &LocatorList) -> Result {
    for known in list.as_slice() {
        message.nest(kind, |nest| locator(nest, known))?;
    }
    Ok(())
}

fn locator(nest: &mut Message<'_>, known: &KnownLocator) -> Result {
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
    ];
    for (kind, octet) in octets {
        if let Some(octet) = octet {
            nest.put_u8(kind, octet)?;
        }
    }
    Ok(())
}
