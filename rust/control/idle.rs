// SPDX-License-Identifier: GPL-2.0

//! Contexts that nobody uses any more are forgotten, silently and by each side for itself (RFC 5533,
//! Section 9).

use super::Control;
use crate::{
    context::{
        default_identity,
        Cause,
        Context,
        Counter,
        Namespace,
        State, //
    },
    kernel_ext::{
        net::Net,
        rcu::RcuArc,
        sock, //
    },
    proto::{
        locator::{
            Ulid,
            UlidPair, //
        },
        time::{
            Instant,
            Interval, //
        },
    },
};
use core::{
    ops::ControlFlow,
    sync::atomic::Ordering, //
};
use kernel::sync::rcu;

/// How many looks there are in the time that makes a context idle.
const LOOKS: u32 = 8;

/// The longest time between two looks, in milliseconds: so late may a changed setting be noticed.
const LONGEST: u32 = 5_000;

/// Contexts that are looked at together.
const BATCH: usize = 16;

impl Control {
    /// Forgets contexts without traffic and users if it is time to look, and says when to look
    /// again; `None` if there is nothing to look at. The worker only.
    pub(super) fn sweep(&self, namespace: &Namespace) -> Option<Interval> {
        if namespace.contexts.is_empty() {
            return None;
        }
        let timeout = namespace.settings.idle_timeout();
        let interval = Interval::from_millis((timeout.as_millis() / LOOKS).clamp(1, LONGEST));
        // Only the worker looks at this, so it may be read and written in two steps.
        let now = super::now();
        let swept = Instant::from_millis(self.swept.load(Ordering::Relaxed));
        let since = now.since(swept);
        if since < interval {
            return Some(swept.saturating_add(interval).since(now));
        }
        self.swept.store(now.as_millis(), Ordering::Relaxed);

        let is_idle = |context: &Context| {
            let since =
                |seen: Option<u64>| seen.is_none_or(|at| at >= u64::from(timeout.as_millis()));
            !context.is_static()
                && context.state() == State::Established
                && since(context.last_tx_msecs())
                && since(context.last_rx_msecs())
                && context.age(super::now()) >= timeout
        };
        let Ok(mut walk) = namespace.contexts.walk() else {
            return Some(interval);
        };
        loop {
            let mut batch: [Option<RcuArc<Context>>; BATCH] = [const { None }; BATCH];
            let mut len = 0;
            let finished = walk.resume(|context, _| {
                let Some(slot) = batch.get_mut(len) else {
                    return ControlFlow::Break(());
                };
                if is_idle(context) {
                    *slot = namespace.contexts.get_by_tag(context.tag_local());
                    len = len.wrapping_add(1);
                }
                ControlFlow::Continue(())
            });
            if len != 0 {
                self.forget_unused(namespace, &batch);
            }
            if finished {
                break;
            }
        }
        Some(interval)
    }

    /// Forgets those of these contexts that no socket is connected through.
    fn forget_unused(&self, namespace: &Namespace, batch: &[Option<RcuArc<Context>>]) {
        for context in batch.iter().flatten() {
            context.set_used(false);
        }
        mark_used(namespace, namespace.net());
        for context in batch.iter().flatten() {
            if !context.is_used() && self.discard(namespace, context, Cause::Idle) {
                namespace.counters.count(Counter::ContextIdle);
            }
        }
    }
}

/// Marks the contexts that connected sockets use.
fn mark_used(namespace: &Namespace, net: &Net) {
    sock::for_each_connected(net, |local, peer| {
        let rcu = rcu::read_lock();
        let identity = default_identity(UlidPair {
            local: Ulid::new(local),
            peer: Ulid::new(peer),
        });
        if let Some(context) = namespace.contexts.by_identity(&identity, &rcu) {
            context.set_used(true);
        }
    });
}
