// SPDX-License-Identifier: GPL-2.0

//! By what R1 and R2 find their context: the nonce of the message that they answer (RFC 5533,
//! Section 12.4).

use crate::{
    context::Identity,
    kernel_ext::{
        member::has_member,
        rcu::RcuArc,
        rhashtable::{
            ListEntry,
            ListTable, //
        },
    },
    proto::{
        locator::LocatorPair,
        number::Nonce, //
    },
};
use core::sync::atomic::{
    AtomicU32,
    Ordering, //
};
use kernel::{
    prelude::*,
    sync::rcu::Guard, //
};

/// A context that waits for R1 or R2; immutable.
pub(super) struct Waiting {
    nonce: ListEntry<u64>,
    pair: LocatorPair,
    identity: Identity,
}

impl Waiting {
    /// Whether this is what a machine waits for.
    fn is(&self, outstanding: Option<(Nonce, LocatorPair)>) -> bool {
        outstanding
            .is_some_and(|(nonce, pair)| (key(nonce), pair) == (*self.nonce.key(), self.pair))
    }
}

/// The contexts of a namespace that wait.
#[pin_data]
pub(super) struct WaitingTable {
    #[pin]
    table: ListTable<Waiting, u64>,
    len: AtomicU32,
}

has_member!(Waiting, nonce: ListEntry<u64>);

fn key(nonce: Nonce) -> u64 {
    u64::from(nonce.get())
}

impl WaitingTable {
    /// Nobody waits. May sleep.
    pub(super) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            table <- ListTable::new(),
            len: AtomicU32::new(0),
        }? Error)
    }

    /// How many contexts wait.
    pub(super) fn len(&self) -> u32 {
        self.len.load(Ordering::Relaxed)
    }

    /// Which context waits for an answer with this nonce on this pair.
    pub(super) fn find(&self, nonce: Nonce, pair: LocatorPair, rcu: &Guard) -> Option<Identity> {
        self.table
            .find(&key(nonce), rcu, |waiting| waiting.is(Some((nonce, pair))))
            .map(|waiting| waiting.identity)
    }

    /// Makes `slot` and the table say what the machine of a context waits for. May sleep.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]: the answer will not be found, and the timer fires instead.
    pub(super) fn update(
        &self,
        slot: &mut Option<RcuArc<Waiting>>,
        identity: &Identity,
        outstanding: Option<(Nonce, LocatorPair)>,
    ) -> Result {
        if slot.as_ref().is_some_and(|waiting| waiting.is(outstanding)) {
            return Ok(());
        }
        if let Some(old) = slot.take() {
            self.table.remove(&old);
            self.len.fetch_sub(1, Ordering::Relaxed);
        }
        if let Some((nonce, pair)) = outstanding {
            let waiting = RcuArc::pin_init(
                try_init!(Waiting {
                    nonce: ListEntry::new(key(nonce)),
                    pair,
                    identity: *identity,
                }? Error),
                GFP_KERNEL,
            )?;
            self.table.insert(&waiting)?;
            self.len.fetch_add(1, Ordering::Relaxed);
            *slot = Some(waiting);
        }
        Ok(())
    }
}
