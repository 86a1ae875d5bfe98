// SPDX-License-Identifier: GPL-2.0

//! When the hooks of a namespace are there: from before anything needs them until some time after
//! nothing does, so that an idle module costs no packet anything. Who makes a context opens them
//! first; the worker finds out that they are not needed any more.

use super::Namespace;
use crate::{
    control, datapath,
    kernel_ext::{
        hooking::{
            Gate,
            Hooked, //
        },
        net::Net,
        sysctl::Observer, //
    },
    proto::time::Interval,
};
use core::sync::atomic::{
    AtomicU64,
    Ordering::Relaxed, //
};
use kernel::{
    prelude::*,
    sync::rcu::{
        self,
        Guard, //
    },
};

/// How long hooks stay when nothing needs them. Contexts that come and go must not make them do
/// so: netfilter drops what waits for a program when a hook goes.
const LINGER: Interval = Interval::from_secs(60);

/// After what time they are tried again that could not be registered.
const RETRY: Interval = Interval::from_secs(1);

/// What a namespace keeps of its hooks.
pub(super) struct Hooking {
    gate: Gate,
    /// Since when nothing needs hooks that are there, in milliseconds; 0 if something does. The
    /// worker's.
    unneeded: AtomicU64,
}

impl Hooking {
    pub(super) const fn new() -> Self {
        Self {
            gate: Gate::new(),
            unneeded: AtomicU64::new(0),
        }
    }
}

impl Namespace {
    /// Whether packets between hosts have to be looked at: there are contexts, or packets may ask for
    /// some.
    #[inline]
    pub(crate) fn is_awake(&self, rcu: &Guard) -> bool {
        !self.contexts.is_empty() || self.control.watches(self, rcu)
    }

    /// Whether any packet has to be looked at: also what carries a choice that was made while there
    /// was a context.
    #[inline]
    pub(crate) fn needs_hooks(&self, rcu: &Guard) -> bool {
        self.is_awake(rcu) || self.sockets.any_choices()
    }

    /// Opens the hooks if they are needed. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and whatever else netfilter says.
    pub(super) fn open_hooks(&self) -> Result {
        let needed = || self.needs_hooks(&rcu::read_lock());
        // While they are open the worker has a time to look at which it has said itself.
        if datapath::HOOKS.open_if(self, self.net(), needed)? {
            self.control.worker().queue_within(LINGER.as_millis());
        }
        Ok(())
    }

    /// Somebody wishes that packets ask for contexts. Hooks that cannot be opened now will be later.
    /// Process context, may sleep.
    pub(crate) fn follow_wishes(&self) {
        if self.open_hooks().is_err() {
            self.control.worker().queue_within(RETRY.as_millis());
        }
    }

    /// Opens the hooks if they are needed, closes them if they were not for some time, and says when
    /// to look again; `None` if there are none. The worker only.
    pub(crate) fn review_hooks(&self) -> Option<Interval> {
        let hooking = &self.hooking;
        let needed = || self.needs_hooks(&rcu::read_lock());
        if needed() {
            hooking.unneeded.store(0, Relaxed);
            if !hooking.gate.is_open() && self.open_hooks().is_err() {
                return Some(RETRY);
            }
            return Some(LINGER);
        }
        if !hooking.gate.is_open() {
            return None;
        }
        let now = control::now().as_millis();
        match hooking.unneeded.load(Relaxed) {
            0 => hooking.unneeded.store(now.max(1), Relaxed),
            since => {
                let waited = now.saturating_sub(since);
                let left = u64::from(LINGER.as_millis()).saturating_sub(waited);
                if left > 0 {
                    return Some(Interval::from_millis(left as u32));
                }
                hooking.unneeded.store(0, Relaxed);
                datapath::HOOKS.close_unless(self, self.net(), needed);
            }
        }
        hooking.gate.is_open().then_some(LINGER)
    }
}

impl Hooked for Namespace {
    fn gate(&self) -> &Gate {
        &self.hooking.gate
    }
}

impl Observer for Namespace {
    /// A setting may say that packets ask for contexts.
    fn changed(net: &Net) {
        let rcu = rcu::read_lock();
        if let Some(namespace) = super::NAMESPACES.find(net, &rcu) {
            namespace.control.worker().queue();
        }
    }
}
