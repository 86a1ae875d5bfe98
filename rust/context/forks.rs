// SPDX-License-Identifier: GPL-2.0

//! Forks of contexts (RFC 5533, Section 4.2; draft-ietf-shim6-multihome-shim-api-03, Section 9): the
//! sockets that want something of their contexts which others do not, and the forks that are made
//! for them, by this host and by peers.
//!
//! What a socket wants is applied to the default context in place while no other socket uses that,
//! else to a fork that belongs to the socket. An entry lives until the socket has no settings and
//! no fork, or is destroyed, and pins the module.

use super::{
    default_identity,
    flows::Flows,
    Context,
    Counter,
    Identity,
    Namespace,
    Origin,
    Setting, //
};
use crate::{
    kernel_ext::{
        compat::errno::{
            ENOBUFS,
            EOPNOTSUPP, //
        },
        member::has_member,
        module::ModulePin,
        random,
        rcu::RcuArc,
        rhashtable::{
            Entry,
            Table, //
        },
        siphash,
        sock::{
            Sock,
            SockOwner, //
        },
    },
    proto::{
        locator::{
            Ulid,
            UlidPair, //
        },
        number::Fii,
        wire::flow::Flow,
    },
};
use core::{
    ops::ControlFlow,
    sync::atomic::{
        fence,
        AtomicU32,
        Ordering, //
    },
};
use kernel::{
    alloc::{
        flags::GFP_KERNEL_ACCOUNT,
        AllocError, //
    },
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

/// Counters of forks of peers; a peer has one by a keyed hash of its prefix.
const BUCKETS: usize = 256;

/// Entries that a walk hands out at once.
const BATCH: usize = 16;

/// A socket whose settings are its own, and its fork if it has one.
#[pin_data]
pub(crate) struct Fork {
    /// The socket, as [`Sock::address`]: those that exist at the same time have different ones.
    socket: Entry<usize>,
    /// The ULIDs that the socket had when it got its first setting.
    pub(crate) ulids: UlidPair,
    /// Whose it is.
    pub(crate) owner: SockOwner,
    /// The FII; 0 while the default context has the settings.
    fii: AtomicU32,
    /// What the socket wants.
    #[pin]
    settings: Mutex<KVec<Setting>>,
    pin: ModulePin,
}

has_member!(Fork, socket: Entry<usize>);

impl Fork {
    /// The socket, as [`Sock::address`].
    pub(crate) fn socket(&self) -> usize {
        *self.socket.key()
    }

    /// The FII of the fork; the default one while the default context has the settings.
    pub(crate) fn fii(&self) -> Fii {
        Fii::new(self.fii.load(Ordering::Relaxed))
    }

    /// The context that has the settings, or is to have them.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            ulids: self.ulids,
            fii: self.fii(),
        }
    }

    /// Gives the fork a new FII, which no context has: a random one, so that forks which both ends
    /// make at once are two (RFC 5533 leaves the number to the initiator).
    pub(crate) fn renumber(&self, namespace: &Namespace) {
        let rcu = rcu::read_lock();
        loop {
            let fii = Fii::new(random::u32());
            self.fii.store(fii.get(), Ordering::Relaxed);
            let is_taken = namespace
                .contexts
                .by_identity(&self.identity(), &rcu)
                .is_some();
            if fii != Fii::DEFAULT && !is_taken {
                return;
            }
        }
    }

    /// There is no fork after all.
    pub(crate) fn unnumber(&self) {
        self.fii.store(Fii::DEFAULT.get(), Ordering::Relaxed);
    }

    /// Keeps a setting in the place of what it replaces, which is returned; a default is no longer
    /// kept. May sleep.
    pub(crate) fn keep(&self, setting: &Setting) -> Result<Option<Setting>, AllocError> {
        let mut settings = self.settings.lock();
        let at = settings.iter().position(|kept| setting.replaces(kept));
        if setting.is_default() {
            return Ok(at.and_then(|at| settings.remove(at).ok()));
        }
        match at.and_then(|at| settings.get_mut(at)) {
            Some(kept) => Ok(Some(core::mem::replace(kept, setting.clone()))),
            None => {
                settings.push(setting.clone(), GFP_KERNEL_ACCOUNT)?;
                Ok(None)
            }
        }
    }

    /// Takes back what was kept last, in favour of what that replaced. May sleep.
    pub(crate) fn unkeep(&self, setting: &Setting, before: Option<Setting>) {
        let mut settings = self.settings.lock();
        let Some(at) = settings.iter().position(|kept| setting.replaces(kept)) else {
            return;
        };
        match (before, settings.get_mut(at)) {
            (Some(before), Some(kept)) => *kept = before,
            _ => {
                let _ = settings.remove(at);
            }
        }
    }

    /// Whether the socket wants this and nothing else.
    pub(crate) fn wants_only(&self, setting: &Setting) -> bool {
        self.settings
            .lock()
            .iter()
            .all(|kept| setting.replaces(kept))
    }

    /// Whether the socket wants nothing any more.
    pub(crate) fn wants_nothing(&self) -> bool {
        self.settings.lock().is_empty()
    }

    /// Gives a context all settings; counts those that do not fit (any more). Process context, may
    /// sleep.
    pub(crate) fn apply_all(&self, namespace: &Namespace, context: &RcuArc<Context>) {
        for setting in self.settings.lock().iter() {
            if setting.apply(context).is_err() {
                namespace.counters.count(Counter::ForkSettingFailed);
            }
        }
    }
}

/// Why a socket gets no fork.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ForkError {
    /// `net.shim6.max_forks` or `net.shim6.max_forks_user` is reached.
    TooMany,
    /// Sockets of the kernel's own have none, for their end is not tied to that of the namespace.
    KernelSocket,
    /// No memory, or the module is being unloaded.
    Failed(Error),
}

/// The forks of a namespace.
#[pin_data]
pub(crate) struct Forks {
    #[pin]
    table: Table<Fork, usize>,
    /// Held by who decides where the settings of sockets go.
    #[pin]
    gate: Mutex<()>,
    /// Elements of the table.
    entries: AtomicU32,
    /// Those among them that this host asked for. Some outlive their sockets.
    own: AtomicU32,
    /// Forks of peers, by their prefixes.
    of_peers: [AtomicU32; BUCKETS],
    hash: siphash::Key,
    flows: Flows,
}

impl Forks {
    /// No forks. May sleep.
    pub(super) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            table <- Table::new(),
            gate <- new_mutex!(()),
            entries: AtomicU32::new(0),
            own: AtomicU32::new(0),
            of_peers: [const { AtomicU32::new(0) }; BUCKETS],
            hash: siphash::Key::random(),
            flows: Flows::new()?,
        }? Error)
    }

    /// Keeps others from deciding where settings go. Process context, may sleep.
    pub(crate) fn gate(&self) -> &Mutex<()> {
        &self.gate
    }

    /// What a socket has of its own. Any context.
    pub(crate) fn of_socket<'rcu>(&'rcu self, sk: &Sock, rcu: &'rcu Guard) -> Option<&'rcu Fork> {
        self.table.lookup(&sk.address(), rcu)
    }

    /// A counted reference to what a socket has of its own, by [`Sock::address`]. Any context.
    pub(crate) fn get(&self, socket: usize) -> Option<RcuArc<Fork>> {
        self.table.get(&socket)
    }

    /// Whether an entry is still that of a socket, which is destroyed after it was taken out. Any
    /// context.
    pub(crate) fn has(&self, fork: &Fork) -> bool {
        // What was changed before this look is seen by who takes the entry out after it.
        fence(Ordering::SeqCst);
        self.table
            .lookup(&fork.socket(), &rcu::read_lock())
            .is_some_and(|found| core::ptr::eq(found, fork))
    }

    /// Visits the entries of sockets with these ULIDs. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]; none was visited then.
    pub(crate) fn for_each_of(&self, ulids: &UlidPair, mut visit: impl FnMut(&Fork)) -> Result {
        if self.entries.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let mut walk = self.table.walk()?;
        loop {
            let mut batch = [const { None::<RcuArc<Fork>> }; BATCH];
            let mut places = batch.iter_mut();
            let finished = walk.resume(|fork, _| {
                if fork.ulids == *ulids {
                    // One that finds no place is visited again.
                    let Some(place) = places.next() else {
                        return ControlFlow::Break(());
                    };
                    *place = self.get(fork.socket());
                }
                ControlFlow::Continue(())
            });
            for fork in batch.iter().flatten() {
                visit(fork);
            }
            if finished {
                return Ok(());
            }
        }
    }

    /// Whether a context is the fork of the socket that it was made for. Any context.
    pub(crate) fn has_owner(&self, context: &Context, socket: usize) -> bool {
        self.table
            .lookup(&socket, &rcu::read_lock())
            .is_some_and(|fork| fork.identity() == *context.identity())
    }

    /// Makes an entry for a socket that has none, without a fork. Process context, by who holds the
    /// gate; may sleep.
    ///
    /// # Errors
    ///
    /// A [`ForkError`]; that there are too many is counted.
    pub(crate) fn insert(
        &self,
        namespace: &Namespace,
        sk: &Sock,
        ulids: UlidPair,
    ) -> Result<RcuArc<Fork>, ForkError> {
        if !sk.holds_net() {
            return Err(ForkError::KernelSocket);
        }
        let owner = sk.owner();
        let too_many = |counter| {
            namespace.counters.count(counter);
            Err(ForkError::TooMany)
        };
        let used = self.entries.load(Ordering::Relaxed);
        let used = used.max(self.own.load(Ordering::Relaxed));
        if used >= namespace.settings.max_forks() {
            return too_many(Counter::ForkTableFull);
        }
        if self.of_user(owner.uid)? >= namespace.settings.max_forks_user() {
            return too_many(Counter::ForkUserLimited);
        }
        self.try_insert(sk, ulids, owner).map_err(ForkError::Failed)
    }

    fn try_insert(&self, sk: &Sock, ulids: UlidPair, owner: SockOwner) -> Result<RcuArc<Fork>> {
        let pin = ModulePin::unheld();
        pin.hold()?;
        let fork = RcuArc::pin_init(
            try_pin_init!(Fork {
                socket: Entry::new(sk.address()),
                ulids,
                owner,
                fii: AtomicU32::new(Fii::DEFAULT.get()),
                settings <- new_mutex!(KVec::new()),
                pin,
            }? Error),
            GFP_KERNEL_ACCOUNT,
        )?;
        self.table.insert(&fork)?;
        self.entries.fetch_add(1, Ordering::Relaxed);
        Ok(fork)
    }

    /// Entries of sockets that a user made.
    fn of_user(&self, uid: u32) -> Result<u32, ForkError> {
        let mut count = 0_u32;
        self.table
            .walk()
            .map_err(ForkError::Failed)?
            .resume(|fork, _| {
                count = count.saturating_add(u32::from(fork.owner.uid == uid));
                ControlFlow::Continue(())
            });
        Ok(count)
    }

    /// Takes an entry out; false if somebody else did. Any context.
    pub(crate) fn remove(&self, fork: &Fork) -> bool {
        let removed = self.table.remove(fork);
        if removed {
            self.entries.fetch_sub(1, Ordering::Relaxed);
            // Now, for the same reason as in `sockets`.
            fork.pin.release();
        }
        removed
    }

    /// Reserves a place for a fork of a peer; false if that peer has too many. Any context.
    fn reserve(&self, peer: &Ulid, limit: u32) -> bool {
        self.bucket(peer).is_some_and(|bucket| {
            bucket
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |forks| {
                    (forks < limit).then(|| forks.saturating_add(1))
                })
                .is_ok()
        })
    }

    fn release(&self, peer: &Ulid) {
        if let Some(bucket) = self.bucket(peer) {
            bucket.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn bucket(&self, peer: &Ulid) -> Option<&AtomicU32> {
        let hash = self.hash.hash(&peer.subnet_prefix());
        self.of_peers.get((hash % BUCKETS as u64) as usize)
    }

    /// A context with an FII is about to be put into the tables. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// [`ForkError::TooMany`], which is counted; no memory.
    pub(super) fn adding(
        &self,
        namespace: &Namespace,
        identity: &Identity,
        origin: Origin,
    ) -> Result<(), ForkError> {
        self.flows
            .prepare()
            .map_err(|error| ForkError::Failed(error.into()))?;
        let limit = namespace.settings.max_forks_peer();
        match origin {
            Origin::Responder => {
                if !self.reserve(&identity.ulids.peer, limit) {
                    namespace.counters.count(Counter::ForkPeerLimited);
                    return Err(ForkError::TooMany);
                }
            }
            Origin::Initiator => {
                self.own.fetch_add(1, Ordering::Relaxed);
            }
            Origin::Static => (),
        }
        namespace.contexts.count_fork();
        Ok(())
    }

    /// Undoes [`Forks::adding`]. Process context, may sleep.
    pub(super) fn removed(&self, namespace: &Namespace, identity: &Identity, origin: Origin) {
        namespace.contexts.discount_fork();
        match origin {
            Origin::Responder => self.release(&identity.ulids.peer),
            Origin::Initiator => {
                self.own.fetch_sub(1, Ordering::Relaxed);
            }
            Origin::Static => (),
        }
    }
}

impl Namespace {
    /// The fork that packets from a socket, of a conversation, go through: that of the socket, else
    /// the one that the last packet of the conversation came in by. Any context.
    pub(crate) fn fork<'rcu>(
        &'rcu self,
        ulids: UlidPair,
        sender: Option<&Sock>,
        flow: Option<Flow>,
        rcu: &'rcu Guard,
    ) -> Option<&'rcu Context> {
        let usable = |fii: Fii| {
            (fii != Fii::DEFAULT)
                .then(|| self.contexts.by_identity(&Identity { ulids, fii }, rcu))?
                .filter(|context| context.is_associated() && context.path(rcu).is_some())
        };
        let own = sender
            .and_then(|sk| self.forks.of_socket(sk, rcu))
            .and_then(|fork| usable(fork.fii()));
        own.or_else(|| {
            let flow = flow?;
            let key = flow.key(&ulids);
            if flow.is_new() {
                self.forks.flows.forget(&key, rcu);
                return None;
            }
            usable(self.forks.flows.find(&key, rcu)?)
        })
    }

    /// A packet of a conversation came in by a context.
    pub(crate) fn came_by(
        &self,
        context: Option<&Context>,
        ulids: &UlidPair,
        flow: Flow,
        rcu: &Guard,
    ) {
        let key = flow.key(ulids);
        match context.map(|context| context.identity().fii) {
            None | Some(Fii::DEFAULT) => self.forks.flows.forget(&key, rcu),
            Some(fii) => {
                if self.forks.flows.record(&key, fii, rcu) {
                    self.counters.count(Counter::FlowForgotten);
                }
            }
        }
    }

    /// The context that a connected socket with these ULIDs uses, if it is associated. Any context.
    pub(crate) fn context_of(&self, sk: &Sock, ulids: UlidPair) -> Option<RcuArc<Context>> {
        self.context_to(sk, ulids, sk.ports().1)
    }

    /// The context that a packet of a socket between these ULIDs uses which goes to a port of the
    /// peer, if it is associated. Any context.
    pub(crate) fn context_to(
        &self,
        sk: &Sock,
        ulids: UlidPair,
        port: u16,
    ) -> Option<RcuArc<Context>> {
        self.associated(ulids, |rcu| {
            let (local, _) = sk.ports();
            let flow = u8::try_from(sk.protocol())
                .ok()
                .map(|protocol| Flow::new(protocol, local, port));
            self.fork(ulids, Some(sk), flow, rcu)
                .map(|context| *context.identity())
        })
    }

    /// The context that a packet of a conversation came in by, if it is associated: that of the
    /// last one, as packets do not say. Any context.
    pub(crate) fn context_from(
        &self,
        ulids: UlidPair,
        flow: Option<Flow>,
    ) -> Option<RcuArc<Context>> {
        self.associated(ulids, |rcu| {
            self.fork(ulids, None, flow, rcu)
                .map(|context| *context.identity())
        })
    }

    /// A fork, else the default context.
    fn associated(
        &self,
        ulids: UlidPair,
        fork: impl FnOnce(&Guard) -> Option<Identity>,
    ) -> Option<RcuArc<Context>> {
        let identity = self
            .contexts
            .any_forks()
            .then(|| fork(&rcu::read_lock()))
            .flatten()
            .unwrap_or(default_identity(ulids));
        self.contexts
            .get_by_identity(&identity)
            .filter(|context| context.is_associated())
    }
}

impl From<ForkError> for Error {
    fn from(error: ForkError) -> Self {
        match error {
            // What a user has no room for is no room for buffers either.
            ForkError::TooMany => ENOBUFS,
            ForkError::KernelSocket => EOPNOTSUPP,
            ForkError::Failed(error) => error,
        }
    }
}
