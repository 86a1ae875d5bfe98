// SPDX-License-Identifier: GPL-2.0

//! Requests of this host for contexts (RFC 5533, Section 7.7), from wherever they come to the
//! worker. Bounded: what does not fit is counted, and asked for again by the next packet.

use super::{
    now,
    perform::{
        self,
        Turn, //
    },
    surroundings::Surroundings,
    Control,
    Establishment,
    KernelRandom,
    ESTABLISHMENTS, //
};
use crate::{
    context::{
        default_identity,
        Cause,
        Context,
        Counter,
        Identity,
        Local,
        Namespace,
        NewContext,
        Owner,
        PairReason,
        PeerFacts,
        Refusal,
        State, //
    },
    kernel_ext::{
        address::In6Addr,
        inet6,
        lock::{
            new_spinlock_bh,
            SpinLockBh, //
        },
        random,
        rcu::RcuArc, //
    },
    proto::{
        establish::{
            Machine,
            Step, //
        },
        locator::UlidPair,
        tag::ContextTag,
        time::{
            Instant,
            Interval, //
        },
    },
};
use core::sync::atomic::{
    AtomicU32,
    AtomicU64,
    Ordering, //
};
use kernel::{
    prelude::*,
    sync::rcu, //
};

/// Requests that may wait.
const LENGTH: usize = 64;

/// Exchanges that may wait for an answer while more are begun: fewer than the messages of one /64
/// that the peer keeps for its worker, or it would drop some, and they come again after seconds.
const WINDOW: u32 = 48;

/// Requests that are served in [`PAUSE`] though so many wait: peers may not answer at all.
const SLOWLY: u32 = 16;

/// See [`SLOWLY`].
const PAUSE: Interval = Interval::from_millis(10);

/// Attempts to find a tag that no context has.
const TAG_ATTEMPTS: usize = 256;

/// Why a context is not asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RequestError {
    /// A ULID means nothing on other links, or both are the same.
    Unshimmable,
    /// ULID(local) is no address of this namespace.
    NotOnHost,
    /// There is a context.
    Exists,
    /// The peer did not answer lately, or does not know Shim6.
    Negative,
    /// Too many requests wait.
    Full,
}

/// A request.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Request {
    identity: Identity,
    cause: Cause,
    /// The socket that the fork is for, if it is one.
    socket: Option<usize>,
    /// Only if this host can prove its ULID: others have nothing to offer.
    if_provable: bool,
}

/// A ring of requests.
struct Ring {
    requests: [Option<Request>; LENGTH],
    first: usize,
    len: usize,
}

impl Ring {
    /// True if the request is in the ring now.
    fn push(&mut self, request: Request) -> bool {
        // Places that are free hold nothing.
        let mut waiting = self.requests.iter().flatten();
        if waiting.any(|other| other.identity == request.identity) {
            return true;
        }
        if self.len >= LENGTH {
            return false;
        }
        let at = self.first.wrapping_add(self.len) % LENGTH;
        if let Some(slot) = self.requests.get_mut(at) {
            *slot = Some(request);
            self.len = self.len.wrapping_add(1);
        }
        true
    }

    fn pop(&mut self) -> Option<Request> {
        let request = self.requests.get_mut(self.first)?.take()?;
        self.first = self.first.wrapping_add(1) % LENGTH;
        self.len = self.len.saturating_sub(1);
        Some(request)
    }
}

/// The requests of a namespace that wait for the worker.
#[pin_data]
pub(super) struct Requests {
    #[pin]
    ring: SpinLockBh<Ring>,
    /// When the last [`PAUSE`] began, as [`now`] counts. The worker only.
    paused: AtomicU64,
    /// Requests that were served in it. The worker only.
    slowly: AtomicU32,
}

impl Requests {
    /// No requests.
    pub(super) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            ring <- new_spinlock_bh!(Ring {
                requests: [None; LENGTH],
                first: 0,
                len: 0,
            }),
            paused: AtomicU64::new(0),
            slowly: AtomicU32::new(0),
        }? Error)
    }

    /// How long the next request has to wait while so many exchanges wait for their answers; `None`
    /// if it may be served now, and it counts then.
    fn pause(&self, waiting: u32) -> Option<Interval> {
        if waiting < WINDOW {
            return None;
        }
        let since = now().since(Instant::from_millis(self.paused.load(Ordering::Relaxed)));
        if since >= PAUSE {
            self.paused.store(now().as_millis(), Ordering::Relaxed);
            self.slowly.store(0, Ordering::Relaxed);
        }
        if self.slowly.fetch_add(1, Ordering::Relaxed) < SLOWLY {
            return None;
        }
        Some(PAUSE)
    }
}

impl Control {
    /// Asks for the default context of a ULID pair. Any context.
    ///
    /// # Errors
    ///
    /// A [`RequestError`]; that the peer will answer is not said.
    pub(crate) fn request(
        &self,
        namespace: &Namespace,
        ulids: UlidPair,
        cause: Cause,
    ) -> Result<(), RequestError> {
        self.enqueue(
            namespace,
            Request {
                identity: default_identity(ulids),
                cause,
                socket: None,
                if_provable: false,
            },
        )
    }

    /// Asks for a fork, for a socket that has an entry which names it. Any context.
    ///
    /// # Errors
    ///
    /// As of [`Control::request`].
    pub(super) fn request_fork(
        &self,
        namespace: &Namespace,
        identity: Identity,
        socket: usize,
    ) -> Result<(), RequestError> {
        self.enqueue(
            namespace,
            Request {
                identity,
                cause: Cause::Socket,
                socket: Some(socket),
                if_provable: false,
            },
        )
    }

    /// As [`Control::request`], for traffic that would have liked a context if this host can prove
    /// its ULID.
    pub(super) fn request_if_provable(
        &self,
        namespace: &Namespace,
        ulids: UlidPair,
    ) -> Result<(), RequestError> {
        self.enqueue(
            namespace,
            Request {
                identity: default_identity(ulids),
                cause: Cause::Trigger,
                socket: None,
                if_provable: true,
            },
        )
    }

    /// Whether no request waits.
    fn requests_are_empty(&self) -> bool {
        self.requests.ring.lock().len == 0
    }

    /// Carries out as many requests as `most`, if answers to those before have come. How long to
    /// wait until the rest is carried out; `None` if there is none. The worker only.
    pub(super) fn serve_requests(&self, namespace: &Namespace, most: usize) -> Option<Interval> {
        for _ in 0..most {
            if self.requests_are_empty() {
                return None;
            }
            if let Some(pause) = self.requests.pause(self.waiting.len()) {
                return Some(pause);
            }
            self.serve_request(namespace);
        }
        (!self.requests_are_empty()).then_some(Interval::from_millis(0))
    }

    fn enqueue(&self, namespace: &Namespace, request: Request) -> Result<(), RequestError> {
        let identity = request.identity;
        let ulids = identity.ulids;
        if !ulids.local.is_shimmable() || !ulids.peer.is_shimmable() || ulids.local == ulids.peer {
            return Err(RequestError::Unshimmable);
        }
        let local = In6Addr::from_octets(ulids.local.as_octets());
        // A ULID that is gone from all interfaces still identifies the host for its forks.
        if request.socket.is_none() && !inet6::is_local_address(namespace.net(), &local) {
            return Err(RequestError::NotOnHost);
        }
        {
            let rcu = rcu::read_lock();
            if namespace.contexts.by_identity(&identity, &rcu).is_some() {
                return Err(RequestError::Exists);
            }
            if self.negatives.find(&identity, now(), &rcu).is_some() {
                return Err(RequestError::Negative);
            }
        }
        if !self.requests.ring.lock().push(request) {
            namespace.counters.count(Counter::RequestQueueFull);
            return Err(RequestError::Full);
        }
        self.worker.queue();
        Ok(())
    }

    /// The next request is carried out. The worker only.
    fn serve_request(&self, namespace: &Namespace) {
        let Some(request) = self.requests.ring.lock().pop() else {
            return;
        };
        let identity = request.identity;
        let ulids = identity.ulids;
        if request.if_provable && !self.identities.owns(&ulids.local.as_locator()) {
            return;
        }
        let fork = match request.socket {
            None => None,
            Some(socket) => match namespace.forks.get(socket) {
                Some(fork) if fork.identity() == identity => Some(Owner {
                    socket,
                    known: fork.owner,
                }),
                // The socket is gone, or has another fork by now.
                _ => return,
            },
        };
        let Ok(local) = self.local_for(namespace, ulids.local) else {
            namespace.counters.count(Counter::InNoMemory);
            return;
        };
        let constants = namespace.settings.constants();
        let mut step = Step {
            constants: &constants,
            identity: &identity,
            now: now(),
            random: &mut KernelRandom,
        };
        // A fork is asked for over the pair that works.
        let pair = fork
            .and_then(|_| namespace.contexts.get_by_identity(&default_identity(ulids)))
            .filter(|default| default.is_associated())
            .map_or(ulids.as_locators(), |default| {
                default.pair(&rcu::read_lock())
            });
        let begun = self.add(
            namespace,
            &identity,
            fork,
            &local,
            request.cause,
            State::I1Sent,
            |tag| Ok::<_, ()>(Machine::initiate(&mut step, tag, pair)),
        );
        if let Ok((context, machine, actions)) = begun {
            let mut surroundings = Surroundings::new(ulids.peer, &local, None);
            let turn = Turn::new(namespace, &context, request.cause, None);
            turn.begin(machine, &actions, &mut surroundings);
        }
    }

    /// Puts a context with a new tag into the tables, with the machine that `make` makes. If it is
    /// a fork of this host, it has an owner.
    ///
    /// # Errors
    ///
    /// What `make` says, or `None` if the tables do not take it; that is counted then.
    #[expect(clippy::too_many_arguments, reason = "a context is made of that much")]
    pub(super) fn add<T, E>(
        &self,
        namespace: &Namespace,
        identity: &Identity,
        owner: Option<Owner>,
        local: &RcuArc<Local>,
        cause: Cause,
        state: State,
        make: impl FnOnce(ContextTag) -> Result<(Machine, T), E>,
    ) -> Result<(RcuArc<Context>, Machine, T), Option<E>> {
        let mask = namespace.settings.tag_mask();
        let tag = (0..TAG_ATTEMPTS)
            .map(|_| ContextTag::from_low_bits(random::u64() & mask))
            .find(|tag| namespace.contexts.by_tag(*tag, &rcu::read_lock()).is_none())
            .ok_or_else(|| {
                namespace.counters.count(Counter::ContextNoTag);
                None
            })?;
        let (machine, rest) = make(tag).map_err(Some)?;
        let refused = |counter| {
            namespace.counters.count(counter);
            None
        };
        let establishment = ESTABLISHMENTS
            .new_box(Establishment::new(machine))
            .map_err(|_| refused(Counter::InNoMemory))?;
        let peer =
            PeerFacts::unknown(identity.ulids.peer).map_err(|_| refused(Counter::InNoMemory))?;
        let new = NewContext {
            identity: *identity,
            origin: perform::origin_of(cause),
            owner,
            state,
            tag_local: tag,
            local: local.clone(),
            peer,
            pair: identity.ulids.as_locators(),
            pair_reason: PairReason::Ulids,
            establishment: Some(establishment),
        };
        self.negatives.forget(identity);
        namespace
            .contexts
            .add(namespace, new, cause)
            .map(|context| (context, machine, rest))
            .map_err(|refusal| {
                if refusal == Refusal::NoMemory {
                    namespace.counters.count(Counter::InNoMemory);
                }
                None
            })
    }
}
