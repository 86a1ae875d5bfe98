// SPDX-License-Identifier: GPL-2.0

//! Peers that are left alone for a while because they did not answer or do not know Shim6: states
//! E-FAILED and NO-SUPPORT (RFC 5533, Section 6.2). All that is kept is the ULID pair.

use crate::{
    context::{
        Identity, //
    },
    kernel_ext::{
        member::has_member,
        rcu::RcuArc,
        rhashtable::{
            Entry,
            Table,
            Walk, //
        },
    },
    proto::{
        establish::Negative,
        time::{
            Instant,
            Interval, //
        },
    },
};
use core::{
    ops::ControlFlow,
    sync::atomic::{
        AtomicU32,
        Ordering, //
    },
};
use kernel::{
    prelude::*,
    sync::rcu::Guard, //
};

/// The most that are remembered; beyond, the oldest knowledge is as good as none.
const MAX: u32 = 4096;

/// A peer that is left alone.
pub(crate) struct NegativeEntry {
    /// The context that failed.
    identity: Entry<Identity>,
    /// How, and until when.
    pub(crate) negative: Negative,
}

has_member!(NegativeEntry, identity: Entry<Identity>);

impl NegativeEntry {
    /// The context that failed.
    pub(crate) fn identity(&self) -> &Identity {
        self.identity.key()
    }
}

/// The peers of a namespace that are left alone. Changed by the worker, and by an administrator who
/// wants all forgotten.
#[pin_data]
pub(crate) struct Negatives {
    #[pin]
    table: Table<NegativeEntry, Identity>,
    len: AtomicU32,
}

impl Negatives {
    /// Nobody. May sleep.
    pub(super) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            table <- Table::new(),
            len: AtomicU32::new(0),
        }? Error)
    }

    /// Whether this peer is to be left alone now.
    pub(super) fn find<'rcu>(
        &'rcu self,
        identity: &Identity,
        now: Instant,
        rcu: &'rcu Guard,
    ) -> Option<&'rcu NegativeEntry> {
        if self.len.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.table
            .lookup(identity, rcu)
            .filter(|entry| !entry.negative.is_over(now))
    }

    /// A walk over all, for process context.
    pub(crate) fn walk(&self) -> Result<Walk<'_, NegativeEntry, Identity>> {
        self.table.walk()
    }

    /// Remembers a peer that failed. May sleep.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`], [`ENOSPC`]: it will be asked again sooner.
    pub(super) fn add(&self, identity: &Identity, negative: Negative) -> Result {
        self.forget(identity);
        if self.len.load(Ordering::Relaxed) >= MAX {
            return Err(ENOSPC);
        }
        let entry = RcuArc::pin_init(
            try_init!(NegativeEntry {
                identity: Entry::new(*identity),
                negative,
            }? Error),
            GFP_KERNEL,
        )?;
        self.table.insert(&entry)?;
        self.len.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Nothing is held against a peer any more.
    pub(super) fn forget(&self, identity: &Identity) {
        if let Some(entry) = self.table.get(identity) {
            self.remove(&entry);
        }
    }

    /// Forgets those whose time is over, and says how long the next one has. May sleep.
    pub(super) fn expire(&self, now: Instant) -> Option<Interval> {
        if self.len.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut next: Option<Interval> = None;
        let mut walk = self.table.walk().ok()?;
        walk.resume(|entry, _| {
            if entry.negative.is_over(now) {
                self.remove(entry);
            } else {
                let left = entry.negative.until.since(now);
                next = Some(next.map_or(left, |next| next.min(left)));
            }
            ControlFlow::Continue(())
        });
        next
    }

    /// Forgets all. May sleep.
    pub(crate) fn clear(&self) {
        if let Ok(mut walk) = self.table.walk() {
            walk.resume(|entry, _| {
                self.remove(entry);
                ControlFlow::Continue(())
            });
        }
    }

    fn remove(&self, entry: &NegativeEntry) {
        if self.table.remove(entry) {
            self.len.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
