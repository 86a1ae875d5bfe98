// SPDX-License-Identifier: GPL-2.0

//! Where the settings of sockets go, and the forks that are made for them
//! (draft-ietf-shim6-multihome-shim-api-03, Section 9 and Appendix A).
//!
//! A setting goes to the context that the socket has for itself: its fork, or one that no other
//! socket uses. Where there is none, the setting is kept, and a fork is asked for by the ordinary
//! exchange of four messages; until that is over, and if it fails, the socket stays where it is.

use super::{
    now,
    Control, //
};
use crate::{
    context::{
        Cause,
        Context,
        Counter,
        Fork,
        ForkError,
        Namespace,
        Options,
        SetPairError,
        Setting,
        Wish, //
    },
    kernel_ext::{
        rcu::RcuArc,
        sock::{
            self,
            Sock,
            SockRef, //
        },
    },
    proto::{
        locator::{
            Ulid,
            UlidPair, //
        },
        number::Fii,
    },
};
use core::ops::ControlFlow;
use kernel::{
    prelude::*,
    sync::rcu, //
};

/// Why a setting is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ConfigureError {
    /// It does not fit the context.
    Setting(SetPairError),
    /// There is no fork for it.
    Fork(ForkError),
}

impl From<SetPairError> for ConfigureError {
    fn from(error: SetPairError) -> Self {
        Self::Setting(error)
    }
}

impl From<ForkError> for ConfigureError {
    fn from(error: ForkError) -> Self {
        Self::Fork(error)
    }
}

impl Control {
    /// Gives a connected socket with these ULIDs, which is associated with `context`, a setting.
    /// Who calls this observes the end of sockets already. Process context, nothing locked, not
    /// even the socket; may sleep.
    ///
    /// # Errors
    ///
    /// A [`ConfigureError`]; nothing is changed then. That a fork is not established is no error.
    pub(crate) fn configure(
        &self,
        namespace: &Namespace,
        sk: &Sock,
        ulids: UlidPair,
        context: &RcuArc<Context>,
        setting: &Setting,
    ) -> Result<(), ConfigureError> {
        let forks = &namespace.forks;
        let _gate = forks.gate().lock();
        let own = match forks.get(sk.address()) {
            // The socket has another peer now.
            Some(fork) if fork.ulids != ulids => {
                self.release(namespace, &fork);
                None
            }
            own => own,
        };
        let Some(fork) = own else {
            // An administrator's contexts have no peer to ask for a fork, and a fork is the peer's
            // socket's own, so nobody else uses it.
            if context.is_static() || context.is_fork() {
                setting.check(context)?;
                return Ok(setting.apply(context)?);
            }
            if setting.is_default() {
                // Nothing is wanted and nothing was.
                return Ok(());
            }
            setting.check(context)?;
            let fork = forks.insert(namespace, sk, ulids)?;
            let placed = self.place(namespace, &fork, context, setting);
            if placed.is_err() {
                self.release(namespace, &fork);
            }
            return placed;
        };
        setting.check(context)?;
        self.place(namespace, &fork, context, setting)?;
        if fork.wants_nothing() && fork.fii() == Fii::DEFAULT {
            self.release(namespace, &fork);
        }
        Ok(())
    }

    /// Keeps a setting and puts it where it belongs.
    fn place(
        &self,
        namespace: &Namespace,
        fork: &Fork,
        context: &RcuArc<Context>,
        setting: &Setting,
    ) -> Result<(), ConfigureError> {
        let before = fork.keep(setting).map_err(|_| SetPairError::NoMemory)?;
        self.put(namespace, fork, context, setting)
            .inspect_err(|_| fork.unkeep(setting, before))
    }

    fn put(
        &self,
        namespace: &Namespace,
        fork: &Fork,
        context: &RcuArc<Context>,
        setting: &Setting,
    ) -> Result<(), ConfigureError> {
        if fork.fii() != Fii::DEFAULT {
            return match namespace.contexts.get_by_identity(&fork.identity()) {
                Some(own) if own.is_associated() => Ok(setting.apply(&own)?),
                // It is applied with all others when the fork is established.
                Some(_) => Ok(()),
                None if setting.is_default() => Ok(()),
                // The fork failed, or its peer went.
                None => self.start(namespace, fork),
            };
        }
        if setting.is_default() || context.is_static() || context.is_fork() {
            return Ok(setting.apply(context)?);
        }
        if !is_shared(namespace, fork, context) && context.lend(fork.socket()) {
            return setting.apply(context).map_err(|error| {
                if fork.wants_only(setting) {
                    let _ = Context::take_back(context);
                }
                error.into()
            });
        }
        if context.lent_to() == fork.socket() {
            Context::take_back(context)?;
        }
        self.start(namespace, fork)
    }

    /// Asks for a fork.
    fn start(&self, namespace: &Namespace, fork: &Fork) -> Result<(), ConfigureError> {
        fork.renumber(namespace);
        self.request_fork(namespace, fork.identity(), fork.socket())
            .map_err(|_| {
                fork.unnumber();
                ForkError::TooMany
            })?;
        namespace.counters.count(Counter::ForkStarted);
        Ok(())
    }

    /// A socket has no settings any more, or is gone: nor have its contexts. Any context.
    pub(crate) fn release(&self, namespace: &Namespace, fork: &Fork) {
        if !namespace.forks.remove(fork) {
            return;
        }
        if let Some(context) = namespace.contexts.get_by_identity(&fork.identity()) {
            context.wish(Wish::OwnerGone);
            self.wants_attention(&context);
        }
    }

    /// A socket is destroyed. Any context.
    pub(crate) fn socket_destroyed(&self, namespace: &Namespace, sk: &Sock) {
        if let Some(fork) = namespace.forks.get(sk.address()) {
            self.release(namespace, &fork);
        }
    }

    /// A context was established: it gets what sockets want of it. The worker only.
    pub(super) fn established(&self, namespace: &Namespace, context: &RcuArc<Context>) {
        if context.is_fork() {
            self.fork_established(namespace, context);
        } else {
            self.restore(namespace, context);
        }
        self.configure_pending(namespace, context);
    }

    /// The fork of a socket was established: it gets what the socket wants.
    fn fork_established(&self, namespace: &Namespace, context: &RcuArc<Context>) {
        let Some(fork) = owning(namespace, context) else {
            return;
        };
        namespace.counters.count(Counter::ForkEstablished);
        fork.apply_all(namespace, context);
    }

    /// A default context was established: sockets whose settings went with one before it, or with a
    /// fork of that, have them again, here or in a new fork.
    fn restore(&self, namespace: &Namespace, context: &RcuArc<Context>) {
        let restored = namespace.forks.for_each_of(context.ulids(), |fork| {
            let _gate = namespace.forks.gate().lock();
            let has_fork = fork.fii() != Fii::DEFAULT
                && namespace
                    .contexts
                    .by_identity(&fork.identity(), &rcu::read_lock())
                    .is_some();
            if has_fork || fork.wants_nothing() {
                return;
            }
            if is_shared(namespace, fork, context) || !context.lend(fork.socket()) {
                if self.start(namespace, fork).is_err() {
                    namespace.counters.count(Counter::ForkFailed);
                }
                return;
            }
            fork.unnumber();
            fork.apply_all(namespace, context);
            if !namespace.forks.has(fork) {
                // The socket was destroyed meanwhile, and perhaps did not find this context.
                context.wish(Wish::OwnerGone);
                self.wants_attention(context);
            }
        });
        if restored.is_err() {
            namespace.counters.count(Counter::InNoMemory);
        }
    }

    /// Sockets that wanted a hot standby before they had this context get it now. The worker only.
    ///
    /// One that was not accepted yet, which nobody could be named as the owner of, waits for its
    /// next packet. It does not lock them: a program can keep its socket locked for as long as it likes. So what
    /// a socket takes back meanwhile is taken back here, too.
    pub(super) fn configure_pending(&self, namespace: &Namespace, context: &Context) {
        const BATCH: usize = 16;

        let sockets = &namespace.sockets;
        while sockets.any_pending() && context.is_associated() {
            let ulids = *context.ulids();
            let mut batch = [const { None::<SockRef> }; BATCH];
            let mut places = batch.iter_mut();
            sock::for_each_connected(namespace.net(), |sk| {
                let rcu = rcu::read_lock();
                if ulids_of(sk) != ulids
                    || !sk.has_file()
                    || !sockets.is_pending(sk, &rcu)
                    || sockets.is_opted_out(sk, &rcu)
                {
                    return ControlFlow::Continue(());
                }
                let Some(place) = places.next() else {
                    return ControlFlow::Break(());
                };
                *place = sk.get();
                ControlFlow::Continue(())
            });
            let mut has_progress = false;
            for sk in batch.iter().flatten() {
                let Some(used) = namespace.context_of(sk, ulids) else {
                    continue;
                };
                if !sockets.take_pending(sk) {
                    continue;
                }
                has_progress = true;
                let give = |wanted| {
                    self.configure(namespace, sk, ulids, &used, &Setting::HotStandby(wanted))
                };
                if give(true).is_err() {
                    namespace.counters.count(Counter::ForkSettingFailed);
                }
                let options = sockets.options(sk, &rcu::read_lock());
                if !options.contains(Options::HOT_STANDBY) {
                    // What was not set need not be set back.
                    let _ = give(false);
                }
            }
            if !has_progress {
                return;
            }
        }
    }

    /// The socket is gone that a fork was made for, or that has settings in a context. The worker
    /// only. True if the context is gone too; one that still carries packets waits for a later call.
    pub(super) fn owner_gone(&self, namespace: &Namespace, context: &RcuArc<Context>) -> bool {
        if context.owner().is_none() {
            self.unshare(namespace, context);
            return false;
        }
        if owning(namespace, context).is_some() {
            return false;
        }
        let linger = namespace.settings.fork_linger();
        let last = context.stamps().read().last();
        if last.is_some_and(|last| now().since(last) < linger) {
            // The next collection looks again.
            return false;
        }
        if self.discard(namespace, context, Cause::Socket) {
            namespace.counters.count(Counter::ForkDeleted);
        }
        true
    }

    /// Settings of a socket move out of a context that others use. The worker only.
    pub(super) fn unshare(&self, namespace: &Namespace, context: &RcuArc<Context>) {
        let _gate = namespace.forks.gate().lock();
        let socket = context.lent_to();
        if socket == 0 {
            return;
        }
        if Context::take_back(context).is_err() {
            // The next packet of another socket tries again.
            namespace.counters.count(Counter::InNoMemory);
            return;
        }
        let Some(fork) = namespace.forks.get(socket) else {
            return;
        };
        if fork.identity() != *context.identity() || fork.wants_nothing() {
            return;
        }
        match self.start(namespace, &fork) {
            Ok(()) => namespace.counters.count(Counter::ForkMoved),
            Err(_) => namespace.counters.count(Counter::ForkFailed),
        }
    }
}

/// The addresses of a connected socket.
fn ulids_of(sk: &Sock) -> UlidPair {
    UlidPair {
        local: Ulid::new(sk.local_address()),
        peer: Ulid::new(sk.peer_address()),
    }
}

/// The entry of the socket whose fork a context is; `None` if the socket is gone or has another.
fn owning(namespace: &Namespace, context: &Context) -> Option<RcuArc<Fork>> {
    let socket = context.owner()?.socket;
    namespace
        .forks
        .get(socket)
        .filter(|fork| fork.identity() == *context.identity())
}

/// Whether a context that is no fork serves other sockets too. Those that are not connected, and raw
/// ones, are found out when they send.
fn is_shared(namespace: &Namespace, fork: &Fork, context: &Context) -> bool {
    let lent_to = context.lent_to();
    if lent_to != 0 && lent_to != fork.socket() {
        return true;
    }
    let mut is_shared = false;
    sock::for_each_connected(namespace.net(), |other| {
        is_shared = ulids_of(other) == fork.ulids
            && other.address() != fork.socket()
            && !namespace.sockets.is_opted_out(other, &rcu::read_lock())
            && namespace
                .context_of(other, fork.ulids)
                .is_none_or(|used| !used.is_fork());
        if is_shared {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    is_shared
}
