// SPDX-License-Identifier: GPL-2.0

//! What sockets want of the shim: an entry for each socket whose options differ from the default.
//!
//! The data path asks here whether a socket is opted out; the socket level writes. An entry lives
//! until all options are back at their defaults or the socket is destroyed, and pins the module.

use crate::kernel_ext::{
    compat::errno::EOPNOTSUPP,
    module::ModulePin,
    rcu::RcuArc,
    rhashtable::{
        Entry,
        Table, //
    },
    sock::{
        Locked,
        Sock, //
    },
};
use kernel::{
    alloc::{
        flags::GFP_KERNEL_ACCOUNT,
        Flags, //
    },
    prelude::*,
    sync::{
        atomic::{
            ordering::Relaxed,
            Atomic, //
        },
        rcu::Guard, //
    },
};

/// A set of socket options.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options(u32);

impl Options {
    /// No option.
    pub(crate) const NONE: Self = Self(0);

    /// The packets of the socket pass the shim untouched (SHIM_DONTSHIM).
    pub(crate) const OPT_OUT: Self = Self(1);

    /// The socket prefers a local locator (SHIM_LOC_LOCAL_PREF).
    pub(crate) const LOCAL_PREFERENCE: Self = Self(2);

    /// The socket prefers a locator of the peer (SHIM_LOC_PEER_PREF).
    pub(crate) const PEER_PREFERENCE: Self = Self(4);

    /// The socket wants a context from its first packet on (SHIM_CONTEXT_DEFERRED_SETUP at 0).
    pub(crate) const IMPATIENT: Self = Self(8);

    /// What an accepted socket takes over from its listener: what can be wanted without a peer.
    const INHERITED: Self = Self(Self::OPT_OUT.0 | Self::IMPATIENT.0);

    /// Whether all options of `other` are in this set.
    pub(crate) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// This set with the options of `other`, or without them.
    fn with(self, other: Self, present: bool) -> Self {
        if present {
            Self(self.0 | other.0)
        } else {
            Self(self.0 & !other.0)
        }
    }
}

/// What one socket wants.
pub(crate) struct SocketState {
    entry: Entry<SocketState, 8>,
    /// Options that differ from their defaults. Written by the owner of the socket's lock.
    options: Atomic<u32>,
    pin: ModulePin,
}

impl SocketState {
    fn options(&self) -> Options {
        Options(self.options.load(Relaxed))
    }
}

/// The sockets of a namespace that want anything.
///
/// A socket that is in the table keeps its namespace, and so this, alive.
#[pin_data]
pub(crate) struct Sockets {
    #[pin]
    table: Table<SocketState, 8>,
    /// Elements of the table.
    entries: Atomic<u32>,
    /// Those with [`Options::OPT_OUT`].
    opted_out: Atomic<u32>,
    /// Those with [`Options::IMPATIENT`].
    impatient: Atomic<u32>,
}

impl Sockets {
    /// No sockets. May sleep.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            table <- Table::new(|state: &SocketState| &state.entry),
            entries: Atomic::new(0),
            opted_out: Atomic::new(0),
            impatient: Atomic::new(0),
        }? Error)
    }

    /// Whether any socket is opted out, so that packets have to be looked up by socket.
    #[inline]
    pub(crate) fn any_opted_out(&self) -> bool {
        self.opted_out.load(Relaxed) != 0
    }

    /// Whether any socket wants a context from its first packet on.
    #[inline]
    pub(crate) fn any_impatient(&self) -> bool {
        self.impatient.load(Relaxed) != 0
    }

    /// Whether the packets of this socket are none of the shim's business. Any context.
    #[inline]
    pub(crate) fn is_opted_out(&self, sk: &Sock, rcu: &Guard) -> bool {
        self.any_opted_out() && self.options(sk, rcu).contains(Options::OPT_OUT)
    }

    /// The options of this socket that differ from their defaults. Any context.
    pub(crate) fn options(&self, sk: &Sock, rcu: &Guard) -> Options {
        self.table
            .lookup(&key(sk), rcu)
            .map_or(Options::NONE, SocketState::options)
    }

    /// Makes `option` differ from its default, or not. Process context.
    ///
    /// # Errors
    ///
    /// Only where it is to differ: [`EOPNOTSUPP`] for sockets of the kernel's own, whose end is
    /// not tied to that of the namespace; [`ENOMEM`].
    pub(crate) fn set(&self, sk: &Locked<'_>, option: Options, differs: bool) -> Result {
        let rcu = Guard::new();
        if let Some(state) = self.table.lookup(&key(sk), &rcu) {
            let before = state.options();
            let after = before.with(option, differs);
            state.options.store(after.0, Relaxed);
            self.count_options(before, after);
            if after == Options::NONE {
                self.remove(state);
            }
            return Ok(());
        }
        drop(rcu);
        if !differs {
            return Ok(());
        }
        if !sk.holds_net() {
            return Err(EOPNOTSUPP);
        }
        self.insert(sk, option, GFP_KERNEL_ACCOUNT)
    }

    /// `child` was accepted from `listener` and takes over what can be wanted without a peer. Any
    /// context.
    pub(crate) fn inherit(&self, listener: &Sock, child: &Sock) {
        let options = Options(self.options(listener, &Guard::new()).0 & Options::INHERITED.0);
        if options != Options::NONE && child.holds_net() {
            // A child that comes in when memory is short is an ordinary socket. One that has its
            // entry already was announced twice.
            let _ = self.insert(child, options, GFP_ATOMIC);
        }
    }

    /// The socket is destroyed. Any context.
    pub(crate) fn forget(&self, sk: &Sock) {
        if self.entries.load(Relaxed) == 0 {
            return;
        }
        let rcu = Guard::new();
        if let Some(state) = self.table.lookup(&key(sk), &rcu) {
            let options = state.options();
            if self.remove(state) {
                self.count_options(options, Options::NONE);
            }
        }
    }

    /// An entry for a socket that has none.
    fn insert(&self, sk: &Sock, options: Options, flags: Flags) -> Result {
        let pin = ModulePin::new()?;
        let state = RcuArc::pin_init(
            try_init!(SocketState {
                entry: Entry::new(key(sk)),
                options: Atomic::new(options.0),
                pin,
            }? Error),
            flags,
        )?;
        self.table.insert(&state)?;
        self.entries.add(1, Relaxed);
        self.count_options(Options::NONE, options);
        Ok(())
    }

    /// Takes an entry out; false if somebody else did.
    fn remove(&self, state: &SocketState) -> bool {
        let removed = self.table.remove(state);
        if removed {
            self.entries.fetch_sub(1, Relaxed);
            // Now, not when the memory is freed a grace period later: `rmmod` after the last
            // `close()` succeeds.
            state.pin.release();
        }
        removed
    }

    fn count_options(&self, before: Options, after: Options) {
        for (option, count) in [
            (Options::OPT_OUT, &self.opted_out),
            (Options::IMPATIENT, &self.impatient),
        ] {
            match (before.contains(option), after.contains(option)) {
                (false, true) => count.add(1, Relaxed),
                (true, false) => {
                    count.fetch_sub(1, Relaxed);
                }
                _ => (),
            }
        }
    }
}

/// Sockets that exist at the same time have different addresses.
fn key(sk: &Sock) -> [u8; 8] {
    (sk.address() as u64).to_ne_bytes()
}
