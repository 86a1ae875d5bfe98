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
    kernel_ext::sock,
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

/// How long a context has been silent before it is looked at whether its state machines have come
/// to rest meanwhile: some of what they keep counts for a while.
const LULL: Interval = Interval::from_secs(15);

impl Control {
    /// Forgets contexts without traffic and users if it is time to look, and says when to look
    /// again; `None` if there is nothing to look at. The worker only.
    pub(super) fn sweep(&self, namespace: &Namespace) -> Option<Interval> {
        if namespace.contexts.is_empty() {
            return None;
        }
        let timeout = namespace.settings.idle_timeout();
        let longest = match namespace.settings.fork_linger().as_millis() {
            0 => LONGEST,
            // A fork that has lost its socket does not wait much longer than it has to.
            linger if namespace.contexts.any_forks() => linger.min(LONGEST),
            _ => LONGEST,
        };
        let interval = Interval::from_millis((timeout.as_millis() / LOOKS).clamp(1, longest));
        // Only the worker looks at this, so it may be read and written in two steps.
        let now = super::now();
        let swept = Instant::from_millis(self.swept.load(Ordering::Relaxed));
        let since = now.since(swept);
        if since < interval {
            return Some(swept.saturating_add(interval).since(now));
        }
        self.swept.store(now.as_millis(), Ordering::Relaxed);

        let is_idle = |context: &Context| {
            let last = context.stamps().read().last();
            !context.is_static()
                && context.state() == State::Established
                && last.is_none_or(|last| now.since(last) >= timeout)
                && context.age(now) >= timeout
        };
        let is_orphan = |context: &Context| {
            context
                .owner()
                .is_some_and(|owner| !namespace.forks.has_owner(context, owner.socket))
        };
        let may_rest = |context: &Context| {
            let last = context.stamps().read().last();
            context.is_awake() && last.is_none_or(|last| now.since(last) >= LULL)
        };
        // Sockets are looked at once, and only if anything depends on it.
        let mut is_marked = false;
        let wanted =
            |context: &Context| is_idle(context) || is_orphan(context) || may_rest(context);
        let swept = namespace.contexts.for_each_batch(wanted, |batch| {
            for context in batch.iter().flatten() {
                if may_rest(context) {
                    if let Ok(mut locked) = context.lock() {
                        locked.let_rest();
                    }
                }
                if context.owner().is_some() {
                    // It lives as long as its socket, whatever comes by.
                    self.owner_gone(namespace, context);
                    continue;
                }
                if !is_idle(context) {
                    continue;
                }
                if !core::mem::replace(&mut is_marked, true) {
                    mark_used(namespace, now);
                }
                if !context.was_used_at(now) && self.discard(namespace, context, Cause::Idle) {
                    namespace.counters.count(Counter::ContextIdle);
                }
            }
        });
        if swept.is_err() {
            namespace.counters.count(Counter::InNoMemory);
        }
        Some(interval)
    }
}

/// Marks the contexts that connected sockets use now.
fn mark_used(namespace: &Namespace, now: Instant) {
    sock::for_each_connected(namespace.net(), |sk| {
        let rcu = rcu::read_lock();
        let identity = default_identity(UlidPair {
            local: Ulid::new(sk.local_address()),
            peer: Ulid::new(sk.peer_address()),
        });
        if let Some(context) = namespace.contexts.by_identity(&identity, &rcu) {
            context.set_used_at(now);
        }
        ControlFlow::Continue(())
    });
}
