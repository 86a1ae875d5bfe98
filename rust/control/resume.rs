// SPDX-License-Identifier: GPL-2.0

//! Connections that are told to go on at once (D-13), those of many contexts together: to find them
//! all sockets of the host have to be looked at, which is done once for all that waited meanwhile.

use super::{
    now,
    Control, //
};
use crate::{
    context::{
        Context,
        Counter,
        Namespace, //
    },
    kernel_ext::sock::{
        self,
        Resume, //
    },
    proto::{
        locator::UlidPair,
        time::{
            Instant,
            Interval, //
        },
    },
};
use kernel::{
    new_mutex,
    prelude::*,
    rbtree::RBTree,
    sync::Mutex, //
};

/// How long connections wait at most while their host moves others.
const PATIENCE: Interval = Interval::from_millis(10);

/// ULID pairs that wait at most.
const MOST: usize = 4096;

/// The ULID pairs whose connections wait.
struct Pairs {
    pairs: RBTree<[u8; 32], Resume>,
    len: usize,
    /// When the first of them began to wait.
    since: Instant,
}

/// The connections of a namespace that wait to be told. The worker only.
#[pin_data]
pub(super) struct Resumption {
    #[pin]
    pairs: Mutex<Pairs>,
}

impl Resumption {
    /// None. May sleep.
    pub(super) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            pairs <- new_mutex!(Pairs {
                pairs: RBTree::new(),
                len: 0,
                since: Instant::from_millis(0),
            }),
        }? Error)
    }
}

impl Control {
    /// Lets the connections of a context go on soon. The worker only, may sleep.
    pub(super) fn resume(&self, namespace: &Namespace, context: &Context, how: Resume) {
        namespace.counters.count(Counter::Resumed);
        context.begin_path(now());
        let mut waiting = self.resumption.pairs.lock();
        if waiting.len == 0 {
            waiting.since = now();
        }
        let key = key(context.ulids());
        if let Some(before) = waiting.pairs.get_mut(&key) {
            *before = before.and(how);
            return;
        }
        match waiting.pairs.try_create_and_insert(key, how, GFP_KERNEL) {
            Ok(_) => waiting.len = waiting.len.saturating_add(1),
            Err(_) => {
                // Nothing waits for memory.
                let only =
                    |local: [u8; 16], peer: [u8; 16]| (join(local, peer) == key).then_some(how);
                sock::resume(namespace.net(), only);
            }
        }
    }

    /// Tells those that have waited long enough, or all if the worker has nothing else to do. The
    /// worker only, may sleep.
    pub(super) fn tell_to_resume(&self, namespace: &Namespace, is_idle: bool) {
        let mut waiting = self.resumption.pairs.lock();
        let is_due = is_idle || waiting.len >= MOST || now().since(waiting.since) >= PATIENCE;
        if waiting.len == 0 || !is_due {
            return;
        }
        sock::resume(namespace.net(), |local, peer| {
            waiting.pairs.get(&join(local, peer)).copied()
        });
        waiting.pairs = RBTree::new();
        waiting.len = 0;
    }
}

fn key(ulids: &UlidPair) -> [u8; 32] {
    join(ulids.local.octets(), ulids.peer.octets())
}

fn join(local: [u8; 16], peer: [u8; 16]) -> [u8; 32] {
    let mut key = [0; 32];
    let (first, second) = key.split_at_mut(16);
    first.copy_from_slice(&local);
    second.copy_from_slice(&peer);
    key
}
