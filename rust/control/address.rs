// SPDX-License-Identifier: GPL-2.0

//! Locators follow the addresses of this host: new ones are told to peers, lost ones are taken back,
//! and a context whose ULID is no longer valid ends (RFC 5533, Sections 1.5 and 10).
//!
//! An interface that goes down takes no ULID with it, for that is what the shim is for. A ULID is
//! invalid when its lifetime ends or an administrator deletes it: when it goes while its interface
//! is up.

use super::{
    now,
    reap::Occasion,
    Control, //
};
use crate::{
    context::{
        Cause,
        Change,
        Context,
        Counter,
        Namespace,
        SetPairError,
        Wish,
        NAMESPACES, //
    },
    kernel_ext::{
        address::In6Addr,
        local_address,
        lock::{
            new_spinlock_bh,
            SpinLockBh, //
        },
        net::Net,
        notifier::{
            AddressChange,
            AddressEvent,
            AddressObserver,
            AddressRegistration,
            DeviceEvent,
            DeviceObserver,
            DeviceRegistration,
            Observer, //
        },
        rcu::RcuArc, //
    },
    proto::{
        locator::Ulid,
        time::{
            Instant,
            Interval, //
        }, //
    },
};
use core::{
    ops::ControlFlow,
    sync::atomic::{
        AtomicBool,
        AtomicU64,
        Ordering, //
    },
};
use kernel::{
    prelude::*,
    sync::rcu::{
        self,
        Guard, //
    },
};

/// Addresses that may go before the worker looks.
const GONE: usize = 32;

/// How long to wait for duplicate address detection, or for memory, before looking again.
const AGAIN: Interval = Interval::from_secs(1);

/// Addresses that went.
struct Gone {
    addresses: [Option<[u8; 16]>; GONE],
    /// More went than there is room for.
    overflow: bool,
}

impl Gone {
    const NONE: Self = Self {
        addresses: [None; GONE],
        overflow: false,
    };
}

/// What happened to the addresses of a namespace since the worker looked.
#[pin_data]
pub(super) struct Changes {
    any: AtomicBool,
    /// When to look again, as [`now`] counts; zero for never. Only the worker looks at it.
    again: AtomicU64,
    #[pin]
    gone: SpinLockBh<Gone>,
}

impl Changes {
    /// Nothing happened.
    pub(super) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            any: AtomicBool::new(false),
            again: AtomicU64::new(0),
            gone <- new_spinlock_bh!(Gone::NONE),
        }? Error)
    }

    /// Whether there is something to look at now.
    fn take_any(&self) -> bool {
        let again = self.again.load(Ordering::Relaxed);
        let is_due = again != 0 && Instant::from_millis(again) <= now();
        self.any.swap(false, Ordering::Acquire) || is_due
    }

    /// How long until it is time to look again.
    fn until_again(&self) -> Option<Interval> {
        let again = self.again.load(Ordering::Relaxed);
        (again != 0).then(|| Instant::from_millis(again).since(now()))
    }

    fn set_again(&self, is_needed: bool) {
        let again = match is_needed {
            true => now().saturating_add(AGAIN).as_millis(),
            false => 0,
        };
        self.again.store(again, Ordering::Relaxed);
    }

    fn take_gone(&self) -> Gone {
        core::mem::replace(&mut *self.gone.lock(), Gone::NONE)
    }

    fn note_gone(&self, address: [u8; 16]) {
        let mut gone = self.gone.lock();
        if gone.addresses.contains(&Some(address)) {
            return;
        }
        match gone.addresses.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some(address),
            None => gone.overflow = true,
        }
    }

    /// What went is still to be looked at.
    fn give_back(&self, gone: &Gone) {
        gone.addresses
            .iter()
            .flatten()
            .for_each(|address| self.note_gone(*address));
        if gone.overflow {
            self.gone.lock().overflow = true;
        }
    }
}

/// The observers of addresses and interfaces.
struct Follower;

impl AddressObserver for Follower {
    fn changed(net: &Net, change: &AddressChange, rcu: &Guard) {
        let Some(namespace) = NAMESPACES.find(net, rcu) else {
            return;
        };
        let control = &namespace.control;
        if change.event == AddressEvent::Removed && change.device_is_up {
            control.changes.note_gone(change.address);
        }
        control.addresses_changed();
    }
}

impl DeviceObserver for Follower {
    fn changed(net: &Net, _device: u32, _event: DeviceEvent) {
        if let Some(namespace) = NAMESPACES.find(net, &rcu::read_lock()) {
            namespace.control.addresses_changed();
        }
    }
}

static ADDRESSES: Observer<Follower> = Observer::new();
static DEVICES: Observer<Follower> = Observer::new();

/// Addresses and interfaces of all namespaces are observed while this exists.
pub(crate) struct Observers {
    _addresses: AddressRegistration<Follower>,
    _devices: DeviceRegistration<Follower>,
}

impl Observers {
    /// Begins to observe. May sleep.
    pub(crate) fn register() -> Result<Self> {
        Ok(Self {
            _addresses: ADDRESSES.register_addresses()?,
            _devices: DEVICES.register_devices()?,
        })
    }
}

impl Control {
    /// Addresses of this namespace changed, or may be usable now. Any context.
    fn addresses_changed(&self) {
        self.changes.any.store(true, Ordering::Release);
        self.worker.queue();
    }

    /// Makes contexts follow the addresses if those changed, and says when to look again whether
    /// they have; `None` if somebody will tell. The worker only.
    pub(super) fn follow_addresses(&self, namespace: &Namespace) -> Option<Interval> {
        if !self.changes.take_any() {
            return self.changes.until_again();
        }
        // Also without contexts: those to come are not to hear of what was before.
        let gone = self.changes.take_gone();
        // Before the lists are made: what is found to be this host's alone meanwhile is not in them.
        self.changes.set_again(has_tentative(namespace));
        self.identities.addresses_changed();
        let mut missed = false;
        // All look for another pair before the first one makes a list and announces it.
        let looked = self.for_each_following(namespace, |context| {
            if !is_invalid(namespace.net(), context.ulids().local, &gone) {
                self.watch(namespace, context, Occasion::Candidates);
            }
        });
        let followed = self.for_each_following(namespace, |context| {
            missed |= self.follow_addresses_in(namespace, context, &gone).is_err();
        });
        if missed || looked.is_err() || followed.is_err() {
            namespace.counters.count(Counter::InNoMemory);
            self.changes.give_back(&gone);
            self.changes.set_again(true);
        }
        self.changes.until_again()
    }

    /// Gives all contexts that follow addresses to `each`, and handles messages meanwhile. The worker
    /// only, may sleep.
    fn for_each_following(
        &self,
        namespace: &Namespace,
        mut each: impl FnMut(&RcuArc<Context>),
    ) -> Result {
        namespace.contexts.for_each_batch(
            |context| !context.is_static(),
            |batch| {
                batch.iter().flatten().for_each(&mut each);
                self.take_messages(namespace, batch.len());
            },
        )
    }

    /// Makes a context follow the addresses.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]: it is as it was.
    fn follow_addresses_in(
        &self,
        namespace: &Namespace,
        context: &RcuArc<Context>,
        gone: &Gone,
    ) -> Result {
        let ulid = context.ulids().local;
        if is_invalid(namespace.net(), ulid, gone) {
            self.discard(namespace, context, Cause::UlidGone);
            return Ok(());
        }
        let Ok(mut locked) = context.lock() else {
            return Ok(());
        };
        let before = locked.local();
        // What was told without an identity stays the ULID alone.
        if before.identity.is_none() {
            return Ok(());
        }
        let local = match self.local_for(namespace, ulid) {
            Ok(local) => locked.local_as_wanted(local)?,
            Err(ENOMEM) => return Err(ENOMEM),
            Err(_) => None,
        };
        let Some(local) = local else {
            return Ok(());
        };
        let change = Change {
            local: Some(local),
            ..Change::default()
        };
        match locked.apply(namespace.net(), change, Cause::Address) {
            Ok(()) => {
                drop(locked);
                context.wish(Wish::Paths);
                context.wish(Wish::Announce);
                self.wants_attention(context);
                Ok(())
            }
            Err(SetPairError::NoMemory) => Err(ENOMEM),
            Err(_) => Ok(()),
        }
    }
}

/// Whether an address is being looked for duplicates of. Nobody tells when none is found; until then
/// it is not looked at in each run, for the contexts that follow ask for another one.
fn has_tentative(namespace: &Namespace) -> bool {
    let mut is_tentative = false;
    local_address::for_each(namespace.net(), |address| {
        is_tentative |= address.is_tentative();
        ControlFlow::Continue(())
    });
    is_tentative
}

/// Whether a ULID is no longer valid, so that what used it must end.
fn is_invalid(net: &Net, ulid: Ulid, gone: &Gone) -> bool {
    let address = In6Addr::from_octets(ulid.as_octets());
    let went = gone.overflow || gone.addresses.contains(&Some(ulid.octets()));
    went && local_address::find(net, &address).is_none()
}
