// SPDX-License-Identifier: GPL-2.0

//! What sockets want of the shim: an entry for each socket whose options differ from the default.
//!
//! The data path asks here whether a socket is opted out or steers its packets; the socket level
//! writes. An entry lives until all options are back at their defaults or the socket is destroyed,
//! and pins the module unless the socket has only been asked.

use crate::{
    kernel_ext::{
        compat::errno::EOPNOTSUPP,
        lock::{
            new_spinlock_bh,
            SpinLockBh, //
        },
        member::has_member,
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
    },
    proto::locator::Locator,
};
// Loads of the kernel crate's atomics are calls, and these are looked at for every packet.
use core::sync::atomic::{
    AtomicBool,
    AtomicU32,
    Ordering::Relaxed, //
};
use kernel::{
    alloc::{
        flags::GFP_KERNEL_ACCOUNT,
        Flags, //
    },
    prelude::*,
    sync::rcu::Guard, //
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

    /// Received datagrams come with their destination locator (SHIM_LOC_LOCAL_RECV).
    pub(crate) const LOCAL_RECV: Self = Self(0x10);

    /// Received datagrams come with their source locator (SHIM_LOC_PEER_RECV).
    pub(crate) const PEER_RECV: Self = Self(0x20);

    /// A second pair is to be kept confirmed (SHIM_HOT_STANDBY).
    pub(crate) const HOT_STANDBY: Self = Self(0x40);

    /// Failure detection has times of the socket's own (SHIM_APP_TIMEOUT, SHIM_PATHEXPLORE).
    pub(crate) const DETECTION: Self = Self(0x80);

    /// The socket has set the list of this host (SHIM_LOCLIST_LOCAL).
    pub(crate) const LOCAL_LIST: Self = Self(0x100);

    /// The socket has set the list of the peer (SHIM_LOCLIST_PEER).
    pub(crate) const PEER_LIST: Self = Self(0x200);

    /// All packets of the socket go over locators that it chose (RFC 6316, SHIM_LOC_LOCAL_SEND and
    /// SHIM_LOC_PEER_SEND as options).
    pub(crate) const STEERED: Self = Self(0x400);

    /// As LOCAL_RECV, with zeros where there is no context (RFC 6316, Section 7.1).
    pub(crate) const LOCAL_RECV_FILLED: Self = Self(0x800);

    /// As PEER_RECV, with zeros where there is no context.
    pub(crate) const PEER_RECV_FILLED: Self = Self(0x1000);

    /// What makes the kernel ask us about received datagrams.
    pub(crate) const ANY_RECV: Self = Self(0x1830);

    /// The socket has no wish but has been asked about the shim, so that its datagrams may come
    /// with ancillary data of the shim.
    pub(crate) const KNOWN: Self = Self(0x8000_0000);

    /// What an accepted socket takes over from its listener: what can be wanted without a peer, and
    /// that it knows of the shim.
    const INHERITED: Self =
        Self(Self::OPT_OUT.0 | Self::IMPATIENT.0 | Self::HOT_STANDBY.0 | Self::KNOWN.0);

    /// Whether something is wanted, so that the module is in use.
    fn is_wish(self) -> bool {
        self.0 & !Self::KNOWN.0 != 0
    }

    /// Whether some option of `other` is in this set.
    pub(crate) fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

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

/// Locators that a socket wants its packets to go over, whatever pair the context uses.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Steering {
    /// The source; `None` for that of the context.
    pub(crate) local: Option<Locator>,
    /// The destination; `None` for that of the context.
    pub(crate) peer: Option<Locator>,
}

/// How failure detection is to work for a socket; what is zero is as for others.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Detection {
    /// Send Timeout in seconds.
    pub(crate) send_timeout: u16,
    /// Keepalive Interval in seconds.
    pub(crate) keepalive_interval: u16,
    /// Initial Probe Timeout in milliseconds.
    pub(crate) probe_timeout: u16,
    /// Number of Initial Probes.
    pub(crate) probes: u8,
    /// Whether SHIM_PATHEXPLORE was set, perhaps to defaults.
    pub(crate) is_explicit: bool,
}

/// What a socket wants that is more than a bit.
#[derive(Clone, Copy, Default)]
struct Values {
    steering: Steering,
    detection: Detection,
}

/// What one socket wants.
#[pin_data]
pub(crate) struct SocketState {
    /// The socket, as [`Sock::address`]: those that exist at the same time have different ones.
    entry: Entry<usize>,
    /// Options that differ from their defaults. Written by the owner of the socket's lock.
    options: AtomicU32,
    /// Whether [`Options::HOT_STANDBY`] waits for a context: 0 or 1. Not among the options, since
    /// who gives it to a context does not lock the socket.
    pending: AtomicU32,
    #[pin]
    values: SpinLockBh<Values>,
    pin: ModulePin,
}

has_member!(SocketState, entry: Entry<usize>);

impl SocketState {
    fn options(&self) -> Options {
        Options(self.options.load(Relaxed))
    }

    fn is_pending(&self) -> bool {
        self.pending.load(Relaxed) != 0
    }
}

/// The sockets of a namespace that want anything.
///
/// A socket that is in the table keeps its namespace, and so this, alive. What is looked at for each
/// packet comes first.
#[pin_data]
#[repr(C, align(64))]
pub(crate) struct Sockets {
    /// Those with [`Options::OPT_OUT`].
    opted_out: AtomicU32,
    /// Those with [`Options::STEERED`].
    steered: AtomicU32,
    /// Those whose [`Options::HOT_STANDBY`] waits for a context.
    pending: AtomicU32,
    /// How often a socket wants to know a locator of what it receives.
    receivers: AtomicU32,
    /// Whether a datagram was ever sent with locators of its own.
    has_choices: AtomicBool,
    /// Those with [`Options::IMPATIENT`].
    impatient: AtomicU32,
    /// Elements of the table.
    entries: AtomicU32,
    #[pin]
    table: Table<SocketState, usize>,
}

impl Sockets {
    /// No sockets. May sleep.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            table <- Table::new(),
            entries: AtomicU32::new(0),
            opted_out: AtomicU32::new(0),
            impatient: AtomicU32::new(0),
            steered: AtomicU32::new(0),
            pending: AtomicU32::new(0),
            receivers: AtomicU32::new(0),
            has_choices: AtomicBool::new(false),
        }? Error)
    }

    /// From now on, packets can carry a choice of locators. Any context.
    pub(crate) fn note_choice(&self) {
        if !self.has_choices.load(Relaxed) {
            self.has_choices.store(true, Relaxed);
        }
    }

    /// Whether anybody wants to know the locators of what is received.
    #[inline]
    pub(crate) fn any_receivers(&self) -> bool {
        self.receivers.load(Relaxed) != 0
    }

    /// Whether packets can carry a choice of locators.
    #[inline]
    pub(crate) fn any_choices(&self) -> bool {
        self.has_choices.load(Relaxed)
    }

    /// Where all packets of this socket are to go. Any context.
    #[inline]
    pub(crate) fn steering(&self, sk: &Sock, rcu: &Guard) -> Steering {
        if self.steered.load(Relaxed) == 0 {
            return Steering::default();
        }
        self.values(sk, rcu).steering
    }

    /// Whether the packets of any socket go where that socket wants.
    #[inline]
    pub(crate) fn any_steered(&self) -> bool {
        self.steered.load(Relaxed) != 0
    }

    /// How failure detection is to work for this socket. Any context.
    pub(crate) fn detection(&self, sk: &Sock, rcu: &Guard) -> Detection {
        self.values(sk, rcu).detection
    }

    fn values(&self, sk: &Sock, rcu: &Guard) -> Values {
        self.table
            .lookup(&sk.address(), rcu)
            .map_or_else(Values::default, |state| *state.values.lock())
    }

    /// Sets where all packets of this socket go; [`Options::STEERED`] follows. Process context.
    ///
    /// # Errors
    ///
    /// As of [`Sockets::set`].
    pub(crate) fn set_steering(&self, sk: &Locked<'_>, steering: Steering) -> Result {
        let differs = steering != Steering::default();
        // The values go first and come last, so that who sees the option sees them.
        if differs {
            self.set(sk, Options::STEERED, true)?;
        }
        self.edit(sk, |values| values.steering = steering);
        self.set(sk, Options::STEERED, differs)
    }

    /// Sets how failure detection works for this socket; [`Options::DETECTION`] follows. Process
    /// context.
    ///
    /// # Errors
    ///
    /// As of [`Sockets::set`].
    pub(crate) fn set_detection(&self, sk: &Locked<'_>, detection: Detection) -> Result {
        let differs = detection != Detection::default();
        if differs {
            self.set(sk, Options::DETECTION, true)?;
        }
        self.edit(sk, |values| values.detection = detection);
        self.set(sk, Options::DETECTION, differs)
    }

    fn edit(&self, sk: &Locked<'_>, edit: impl FnOnce(&mut Values)) {
        if let Some(state) = self.table.lookup(&sk.address(), &Guard::new()) {
            edit(&mut state.values.lock());
        }
    }

    /// Whether any socket is opted out, so that packets have to be looked up by socket.
    #[inline]
    pub(crate) fn any_opted_out(&self) -> bool {
        self.opted_out.load(Relaxed) != 0
    }

    /// Whether it may matter to a packet that leaves from which socket it is, or what it carries.
    #[inline]
    pub(crate) fn any_sends_specially(&self) -> bool {
        let counts =
            self.opted_out.load(Relaxed) | self.steered.load(Relaxed) | self.pending.load(Relaxed);
        counts != 0 || self.any_choices()
    }

    /// Whether any socket wants a context from its first packet on.
    #[inline]
    pub(crate) fn any_impatient(&self) -> bool {
        self.impatient.load(Relaxed) != 0
    }

    /// Whether any socket wants something of a context that it had not when it asked.
    #[inline]
    pub(crate) fn any_pending(&self) -> bool {
        self.pending.load(Relaxed) != 0
    }

    /// Whether this socket does. Any context.
    pub(crate) fn is_pending(&self, sk: &Sock, rcu: &Guard) -> bool {
        self.any_pending()
            && self
                .table
                .lookup(&sk.address(), rcu)
                .is_some_and(SocketState::is_pending)
    }

    /// What this socket wants waits for a context. No effect on one that wants nothing. Process
    /// context.
    pub(crate) fn set_pending(&self, sk: &Locked<'_>) {
        if let Some(state) = self.table.lookup(&sk.address(), &Guard::new()) {
            self.change_pending(state, true);
        }
    }

    /// It waits no more; whether it did. Any context.
    pub(crate) fn take_pending(&self, sk: &Sock) -> bool {
        self.table
            .lookup(&sk.address(), &Guard::new())
            .is_some_and(|state| self.change_pending(state, false))
    }

    /// How it was before.
    fn change_pending(&self, state: &SocketState, pending: bool) -> bool {
        let was_pending = state.pending.swap(u32::from(pending), Relaxed) != 0;
        match (was_pending, pending) {
            (false, true) => {
                self.pending.fetch_add(1, Relaxed);
            }
            (true, false) => {
                self.pending.fetch_sub(1, Relaxed);
            }
            _ => (),
        }
        was_pending
    }

    /// Whether the packets of this socket are none of the shim's business. Any context.
    #[inline]
    pub(crate) fn is_opted_out(&self, sk: &Sock, rcu: &Guard) -> bool {
        self.any_opted_out() && self.options(sk, rcu).contains(Options::OPT_OUT)
    }

    /// The options of this socket that differ from their defaults. Any context.
    pub(crate) fn options(&self, sk: &Sock, rcu: &Guard) -> Options {
        self.table
            .lookup(&sk.address(), rcu)
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
        if let Some(state) = self.table.lookup(&sk.address(), &rcu) {
            let before = state.options();
            let after = before.with(option, differs);
            if after.is_wish() {
                state.pin.hold()?;
            }
            state.options.store(after.0, Relaxed);
            if !after.is_wish() {
                state.pin.release();
            }
            self.count_options(before, after);
            if !after.contains(Options::HOT_STANDBY) {
                self.change_pending(state, false);
            }
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

    /// `child` was accepted from `listener` and takes over what can be wanted without a peer, which
    /// is returned. Any context.
    pub(crate) fn inherit(&self, listener: &Sock, child: &Sock) -> Options {
        let options = Options(self.options(listener, &Guard::new()).0 & Options::INHERITED.0);
        if options == Options::NONE || !child.holds_net() {
            return Options::NONE;
        }
        // A child that comes in when memory is short is an ordinary socket. One that has its entry
        // already was announced twice.
        if self.insert(child, options, GFP_ATOMIC).is_err() {
            return Options::NONE;
        }
        if options.contains(Options::HOT_STANDBY) {
            if let Some(state) = self.table.lookup(&child.address(), &Guard::new()) {
                self.change_pending(state, true);
            }
        }
        options
    }

    /// The socket is destroyed; what it wanted. Any context.
    pub(crate) fn forget(&self, sk: &Sock) -> Options {
        if self.entries.load(Relaxed) == 0 {
            return Options::NONE;
        }
        let rcu = Guard::new();
        if let Some(state) = self.table.lookup(&sk.address(), &rcu) {
            let options = state.options();
            if self.remove(state) {
                self.count_options(options, Options::NONE);
                self.change_pending(state, false);
                return options;
            }
        }
        Options::NONE
    }

    /// An entry for a socket that has none.
    fn insert(&self, sk: &Sock, options: Options, flags: Flags) -> Result {
        let pin = ModulePin::unheld();
        if options.is_wish() {
            pin.hold()?;
        }
        let state = RcuArc::pin_init(
            try_pin_init!(SocketState {
                entry: Entry::new(sk.address()),
                options: AtomicU32::new(options.0),
                pending: AtomicU32::new(0),
                values <- new_spinlock_bh!(Values::default()),
                pin,
            }? Error),
            flags,
        )?;
        self.table.insert(&state)?;
        self.entries.fetch_add(1, Relaxed);
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
            (Options::STEERED, &self.steered),
            (Options::LOCAL_RECV, &self.receivers),
            (Options::PEER_RECV, &self.receivers),
            (Options::LOCAL_RECV_FILLED, &self.receivers),
            (Options::PEER_RECV_FILLED, &self.receivers),
        ] {
            match (before.contains(option), after.contains(option)) {
                (false, true) => {
                    count.fetch_add(1, Relaxed);
                }
                (true, false) => {
                    count.fetch_sub(1, Relaxed);
                }
                _ => (),
            }
        }
    }
}
