// SPDX-License-Identifier: GPL-2.0

//! Contexts (RFC 5533, Section 6) and the tables that hold them, per network namespace.
//!
//! The data path reads what is here under RCU; who changes a context does so in process context
//! under its mutex and publishes whole new objects.

mod choice;
mod counters;
mod flows;
mod forks;
mod history;
mod hooking;
mod last_resort;
mod lent;
mod lists;
mod local;
mod locators;
mod machines;
mod namespace;
mod overrides;
mod path;
mod peer;
mod publish;
mod setting;
mod settings;
mod sockets;
mod table;
pub(crate) mod trace;

pub(crate) use crate::proto::{
    establish::State,
    identity::Identity, //
};
pub(crate) use choice::{
    Arrival,
    Choice, //
};
pub(crate) use counters::{
    Counter,
    Counters, //
};
pub(crate) use forks::{
    Fork,
    ForkError, //
};
pub(crate) use history::{
    Cause,
    Event,
    Happened,
    LENGTH as HISTORY_LENGTH, //
};
pub(crate) use lists::Wanted;
pub(crate) use local::Local;
pub(crate) use locators::{
    KnownLocator,
    ListError,
    Listed,
    LocatorList,
    Locators,
    Side, //
};
pub(crate) use machines::Look;
pub(crate) use namespace::{
    Namespace,
    NAMESPACES, //
};
pub(crate) use overrides::ReapOverrides;
pub(crate) use path::Path;
pub(crate) use peer::{
    Peer,
    PeerFacts, //
};
pub(crate) use publish::{
    Change,
    Locked,
    PairReason,
    SetPairError, //
};
pub(crate) use setting::Setting;
pub(crate) use settings::{
    Establish,
    Settings, //
};
pub(crate) use sockets::{
    Detection,
    Options,
    Sockets,
    Steering, //
};
pub(crate) use table::{
    Contexts,
    Refusal,
    BATCH, //
};

use self::publish::Control;
use crate::{
    control::{
        self,
        Establishment, //
    },
    kernel_ext::{
        address::In6Addr,
        inet6::{
            self,
            KnownLocal, //
        },
        member::has_member,
        net::Net,
        pending::PendingNode,
        rcu::{
            Cache,
            RcuArc,
            RcuPtr,
            RcuSlot, //
        },
        rhashtable::Entry,
        slab,
        sock::SockOwner,
        timer::{
            HasTimer,
            Timer, //
        },
    },
    proto::{
        locator::{
            Locator,
            LocatorPair,
            UlidPair, //
        },
        number::Fii,
        reap::Stamps,
        tag::ContextTag,
        time::{
            Instant,
            Interval, //
        },
    },
};
use core::sync::atomic::{
    AtomicBool,
    AtomicU32,
    AtomicU64,
    AtomicU8,
    AtomicUsize,
    Ordering, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        rcu::{
            self,
            Guard, //
        },
        Mutex, //
    },
};

/// The identity of the default context of a ULID pair.
#[inline]
pub(crate) const fn default_identity(ulids: UlidPair) -> Identity {
    Identity {
        ulids,
        fii: Fii::DEFAULT,
    }
}

/// The state with this number; contexts have no others.
const fn state_from_number(number: u8) -> State {
    match number {
        1 => State::I1Sent,
        2 => State::I2Sent,
        3 => State::I2bisSent,
        _ => State::Established,
    }
}

/// Who made a context, numbered as `enum shim6_origin`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Origin {
    /// An administrator: no message changes it.
    Static = 0,
    /// This host sent I1.
    Initiator = 1,
    /// The peer began.
    Responder = 2,
}

/// What others than its worker want done for a context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Wish {
    /// Payload came before the handshake was over (RFC 5533, Section 12.2).
    RepeatOffer = 1,
    /// ICMPv6 says that the peer does not know Shim6 (RFC 5533, Section 7.8).
    Unrecognized = 2,
    /// Locators or preferences of this host changed.
    Announce = 4,
    /// Addresses or links of this host changed.
    Paths = 8,
    /// An ICMPv6 error quotes a packet of the current pair.
    IcmpError = 16,
    /// The retransmission timer of a TCP connection expired.
    TcpTimeout = 32,
    /// A program is content with the current pair.
    PositiveFeedback = 64,
    /// A program is not.
    NegativeFeedback = 128,
    /// A socket prefers locators that are not confirmed yet.
    Preferred = 256,
    /// A socket uses the context that another one has settings of.
    Shared = 512,
    /// The socket is gone that the context was made for, or that it has settings of.
    OwnerGone = 1024,
    /// A socket uses the context that wanted something of it before it had it.
    Pending = 2048,
}

impl Wish {
    /// Whether this is among the wishes.
    pub(crate) const fn is_in(self, wishes: u32) -> bool {
        wishes & self as u32 != 0
    }
}

/// The socket that a fork was made for.
#[derive(Clone, Copy)]
pub(crate) struct Owner {
    /// Its [address](crate::kernel_ext::sock::Sock::address).
    pub(crate) socket: usize,
    /// By what people know it.
    pub(crate) known: SockOwner,
}

/// What a new context is made of.
pub(crate) struct NewContext {
    /// Its identity.
    pub(crate) identity: Identity,
    /// Who makes it.
    pub(crate) origin: Origin,
    /// The socket that it is made for, if it is a fork of this host.
    pub(crate) owner: Option<Owner>,
    /// Its state.
    pub(crate) state: State,
    /// `CT(local)`.
    pub(crate) tag_local: ContextTag,
    /// `Ls(local)`.
    pub(crate) local: RcuArc<Local>,
    /// The peer.
    pub(crate) peer: PeerFacts,
    /// The current pair.
    pub(crate) pair: LocatorPair,
    /// Why it is that pair.
    pub(crate) pair_reason: PairReason,
    /// What the state machine keeps; `None` for static contexts.
    pub(crate) establishment: Option<KBox<Establishment>>,
}

/// A context. What is looked at for each packet comes first, in as few cache lines as it takes.
#[pin_data]
#[repr(C)]
pub(crate) struct Context {
    /// The identity.
    by_identity: Entry<Identity>,
    path: RcuSlot<Path>,
    /// The socket whose settings the context has though it is not that socket's own; 0 if there is
    /// none.
    lent_to: AtomicUsize,
    state: AtomicU8,
    /// Whether its state machines are kept though nothing may go on.
    is_awake: AtomicBool,
    /// The last packet left by a device without carrier.
    is_cut: AtomicBool,
    origin: Origin,
    /// That the local ULID is an address of this host.
    known_local: KnownLocal,
    /// When packets went, which the data path notes.
    stamps: Stamps,
    /// `CT(local)`.
    by_tag: Entry<ContextTag>,
    net: &'static Net,
    wishes: AtomicU32,
    /// Few contexts have one.
    owner: Option<KBox<Owner>>,
    local: RcuPtr<Local>,
    peer: RcuPtr<Peer>,
    #[pin]
    control: Mutex<Control>,
    #[pin]
    timer: Timer<Context>,
    pending: PendingNode<Context>,
    made: Instant,
    /// When a socket was last found that uses it, in milliseconds, of which these are the low bits.
    used: AtomicU32,
    switches: AtomicU32,
    /// Since when the current pair is what it is, or works again, in milliseconds.
    path_since: AtomicU64,
    /// When feedback of each kind was last acted on, in milliseconds.
    feedback: [AtomicU64; 2],
}

has_member!(Context, by_identity: Entry<Identity>);
has_member!(Context, by_tag: Entry<ContextTag>);
has_member!(Context, timer: Timer<Context>);
has_member!(Context, pending: PendingNode<Context>);

static CONTEXTS: Cache<Context> = Cache::new(c"shim6_context");

/// Makes the memory of contexts and of what belongs to them. May sleep.
pub(crate) fn register_caches() -> Result<[slab::Registration; 3]> {
    Ok([
        CONTEXTS.register()?,
        peer::PEERS.register()?,
        path::PATHS.register()?,
    ])
}

impl Context {
    /// Makes a context that is in no table. Process context, may sleep.
    fn new(net: &'static Net, new: NewContext) -> Result<RcuArc<Self>, SetPairError> {
        let ulids = new.identity.ulids;
        let lists = Locators {
            local: &new.local.list,
            peer: &new.peer.list,
        };
        publish::check_pair(net, &lists, &ulids, &new.pair)?;
        let path = Path::over(new.pair, &new.identity, new.peer.tag)?;
        let peer = Peer::new(new.tag_local, &new.peer).map_err(|_| SetPairError::NoMemory)?;
        let owner = new.owner.map(|owner| KBox::new(owner, GFP_KERNEL));
        let owner = owner.transpose()?;
        RcuArc::pin_init_in(
            &CONTEXTS,
            try_pin_init!(Self {
                by_identity: Entry::new(new.identity),
                by_tag: Entry::new(new.tag_local),
                net,
                origin: new.origin,
                owner,
                lent_to: AtomicUsize::new(0),
                state: AtomicU8::new(new.state.number()),
                path: RcuSlot::new(path),
                is_cut: AtomicBool::new(false),
                local: RcuPtr::new(new.local),
                peer: RcuPtr::new(peer),
                is_awake: AtomicBool::new(new.establishment.is_some()),
                control <- new_mutex!(Control::new(new.pair_reason, new.establishment)),
                timer <- Timer::new(),
                pending: PendingNode::new(),
                wishes: AtomicU32::new(0),
                known_local: KnownLocal::new(),
                used: AtomicU32::new(0),
                made: control::now(),
                switches: AtomicU32::new(0),
                path_since: AtomicU64::new(control::now().as_millis()),
                stamps: Stamps::new(),
                feedback: [const { AtomicU64::new(0) }; 2],
            }? Error),
        )
        .map_err(|_| SetPairError::NoMemory)
    }

    /// The namespace that it is in.
    pub(crate) fn net(&self) -> &Net {
        self.net
    }

    /// The identity.
    pub(crate) fn identity(&self) -> &Identity {
        self.by_identity.key()
    }

    /// The ULID pair.
    #[inline]
    pub(crate) fn ulids(&self) -> &UlidPair {
        &self.identity().ulids
    }

    /// Who made it.
    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    /// The socket that it was made for, if it is a fork of this host.
    pub(crate) fn owner(&self) -> Option<&Owner> {
        self.owner.as_deref()
    }

    /// Whether it is a fork.
    #[inline]
    pub(crate) fn is_fork(&self) -> bool {
        self.identity().fii != Fii::DEFAULT
    }

    /// The socket whose settings this context has though it is not that socket's own, as
    /// [`Sock::address`](crate::kernel_ext::sock::Sock::address); 0 if there is none.
    #[inline]
    pub(crate) fn lent_to(&self) -> usize {
        self.lent_to.load(Ordering::Relaxed)
    }

    /// Whether an administrator made it, so that messages do not change it.
    pub(crate) fn is_static(&self) -> bool {
        self.origin == Origin::Static
    }

    /// `CT(local)`, which received packets carry.
    pub(crate) fn tag_local(&self) -> ContextTag {
        *self.by_tag.key()
    }

    /// The state.
    #[inline]
    pub(crate) fn state(&self) -> State {
        state_from_number(self.state.load(Ordering::Relaxed))
    }

    /// Whether sockets of the ULID pair count as associated (choice A-6).
    pub(crate) fn is_associated(&self) -> bool {
        self.state().sends_to_pair()
    }

    /// The path in use; `None` if packets go as they are, between the ULIDs.
    #[inline]
    pub(crate) fn path<'rcu>(&'rcu self, rcu: &'rcu Guard) -> Option<&'rcu Path> {
        self.path.load(rcu)
    }

    /// Another path comes into force, of which no packet has left.
    pub(crate) fn set_path(&self, path: Option<RcuArc<Path>>) {
        self.path.replace(path);
        self.is_cut.store(false, Ordering::Relaxed);
    }

    /// A packet is about to leave by the current pair and a device that has its carrier, or not.
    /// True if it is the first one since that was lost.
    #[inline]
    #[must_use]
    pub(crate) fn is_newly_cut(&self, has_carrier: bool) -> bool {
        let is_cut = !has_carrier;
        if is_cut == self.is_cut.load(Ordering::Relaxed) {
            return false;
        }
        self.is_cut.store(is_cut, Ordering::Relaxed);
        is_cut
    }

    /// The current pair with other locators where these may be used: those of the lists, of the
    /// peer only what it proved to be at (RFC 5533, Section 7.2).
    pub(crate) fn steered(&self, steering: &Steering, rcu: &Guard) -> LocatorPair {
        let mut pair = self.pair(rcu);
        let lists = self.locators(rcu);
        if let Some(local) = steering.local {
            let address = In6Addr::from_octets(local.as_octets());
            if lists.local.has(&local) && inet6::is_local_address(self.net, &address) {
                pair.local = local;
            }
        }
        if let Some(peer) = steering.peer {
            if lists
                .peer
                .find(&peer)
                .is_some_and(|known| self.may_send_to(known))
            {
                pair.peer = peer;
            }
        }
        pair
    }

    /// Whether packets may go to a locator of the peer at once. An administrator vouches for those
    /// of a static context, and the ULID is where the peer was first found.
    pub(crate) fn may_send_to(&self, known: &KnownLocator) -> bool {
        !known.is_excluded
            && (self.is_static()
                || known.is_reachable
                || known.locator == self.ulids().peer.as_locator())
    }

    /// `Lp(local)` and `Lp(peer)`.
    pub(crate) fn pair(&self, rcu: &Guard) -> LocatorPair {
        self.path(rcu)
            .map_or_else(|| self.ulids().as_locators(), |path| path.pair)
    }

    /// `Lp(local)`.
    #[inline]
    pub(crate) fn local_locator(&self, rcu: &Guard) -> Locator {
        self.path(rcu)
            .map_or_else(|| self.ulids().local.as_locator(), |path| path.pair.local)
    }

    /// Whether the current pair is the ULID pair.
    pub(crate) fn is_at_ulids(&self, rcu: &Guard) -> bool {
        self.pair(rcu) == self.ulids().as_locators()
    }

    /// What this host tells the peer.
    pub(crate) fn local<'rcu>(&'rcu self, rcu: &'rcu Guard) -> &'rcu Local {
        self.local.load(rcu)
    }

    /// What is known of the peer.
    #[inline]
    pub(crate) fn peer<'rcu>(&'rcu self, rcu: &'rcu Guard) -> &'rcu Peer {
        self.peer.load(rcu)
    }

    /// The locator lists in force.
    #[inline]
    pub(crate) fn locators<'rcu>(&'rcu self, rcu: &'rcu Guard) -> Locators<'rcu> {
        Locators {
            local: &self.local(rcu).list,
            peer: self.peer(rcu).list(),
        }
    }

    /// Whether its state machines are kept though nothing may go on.
    pub(crate) fn is_awake(&self) -> bool {
        self.is_awake.load(Ordering::Relaxed)
    }

    /// Notes what the worker is to do for this context. Any context.
    pub(crate) fn wish(&self, wish: Wish) {
        self.wishes.fetch_or(wish as u32, Ordering::Release);
    }

    /// Notes what a program says of the current pair; once a second of each kind, and without
    /// effect on a static context. Any context.
    pub(crate) fn feedback(this: &RcuArc<Self>, is_positive: bool) {
        /// Milliseconds between two that are acted on (choice A-30).
        const SPACING: u64 = 1_000;

        let [negative, positive] = &this.feedback;
        let last = if is_positive { positive } else { negative };
        let now = control::now().as_millis();
        let before = last.load(Ordering::Relaxed);
        let is_due = before == 0 || now.saturating_sub(before) >= SPACING;
        if !is_due
            || last
                .compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        this.wish(if is_positive {
            Wish::PositiveFeedback
        } else {
            Wish::NegativeFeedback
        });
        Namespace::of(this.net).control.wants_attention(this);
    }

    /// Takes all wishes, of which [`Wish::is_in`] tells what they are.
    pub(crate) fn take_wishes(&self) -> u32 {
        self.wishes.swap(0, Ordering::Acquire)
    }

    /// The timer of the state machine fires at a time or a little before, or not at all.
    ///
    /// The kernel's timer wheel may be late by an eighth of a long time. So a long time is waited
    /// for in steps: the machine says that its time has not come, and the rest is waited for.
    pub(crate) fn set_timer(this: &RcuArc<Self>, msecs: Option<u32>) {
        /// What a timer may be late by an eighth of, in milliseconds.
        const SHORT: u32 = 400;

        match msecs {
            Some(msecs) if msecs > SHORT => {
                Timer::arm(this, msecs.saturating_sub(msecs / 8));
            }
            Some(msecs) => Timer::arm(this, msecs),
            None => this.timer.disarm(),
        }
    }

    /// Notes that a socket uses it.
    pub(crate) fn set_used_at(&self, now: Instant) {
        self.used.store(now.as_millis() as u32, Ordering::Relaxed);
    }

    /// Whether a socket was found to use it when sockets were looked at then.
    pub(crate) fn was_used_at(&self, then: Instant) -> bool {
        self.used.load(Ordering::Relaxed) == then.as_millis() as u32
    }

    /// How long it has been there.
    pub(crate) fn age(&self, now: Instant) -> Interval {
        now.since(self.made)
    }

    /// How often the current pair changed.
    pub(crate) fn switches(&self) -> u64 {
        u64::from(self.switches.load(Ordering::Relaxed))
    }

    /// How long the current pair is what it is, or works again.
    pub(crate) fn path_age(&self, now: Instant) -> Interval {
        now.since(Instant::from_millis(
            self.path_since.load(Ordering::Relaxed),
        ))
    }

    /// The current pair is another, or works again: what is known of it begins anew.
    pub(crate) fn begin_path(&self, now: Instant) {
        self.path_since.store(now.as_millis(), Ordering::Relaxed);
    }

    /// What is remembered of the local ULID's being an address of this host.
    #[inline]
    pub(crate) fn known_local(&self) -> &KnownLocal {
        &self.known_local
    }

    /// When packets went.
    pub(crate) fn stamps(&self) -> &Stamps {
        &self.stamps
    }

    /// A packet of an upper layer leaves through this context, at a
    /// [coarse](control::coarse_now) time. True if the worker has to look at the context soon. Any
    /// context.
    #[inline]
    #[must_use]
    pub(crate) fn sent(&self, now: Instant, _rcu: &Guard) -> bool {
        self.stamps.sent(now)
    }

    /// A packet of an upper layer came through this context; otherwise as [`Context::sent`].
    #[inline]
    #[must_use]
    pub(crate) fn received(&self, now: Instant, _rcu: &Guard) -> bool {
        self.stamps.received(now)
    }
}

impl HasTimer for Context {
    /// The state machine waited long enough: the worker of the namespace looks at it.
    fn expired(this: &RcuArc<Self>) {
        if let Some(namespace) = NAMESPACES.find(this.net, &rcu::read_lock()) {
            namespace.control.wants_attention(this);
        }
    }
}
