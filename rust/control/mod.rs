// SPDX-License-Identifier: GPL-2.0

//! The control path (RFC 5533, Sections 7, 10 and 12): control messages come in, state machines run,
//! messages go out.
//!
//! A message is looked at in softirq ([`receive`]): what needs no context is answered there without
//! keeping anything, and what proves nothing is dropped. The rest waits in a bounded queue that is
//! fair between peers. One worker per namespace ([`work`]) takes it from there, and timers, triggers
//! and changes of addresses as well; it alone runs state machines, so none is entered twice. A
//! machine decides ([`crate::proto::establish`]), and what it decided is carried out ([`perform`]):
//! published for the data path, sent to the peer.

mod address;
mod answer;
mod crypto;
mod fork;
mod identity;
mod idle;
mod negative;
mod pace;
mod perform;
mod policy;
mod reap;
mod receive;
mod request;
mod resume;
mod send;
mod surroundings;
mod tcp;
mod trigger;
mod waiting;
mod work;

pub(crate) use self::{
    address::Observers,
    fork::ConfigureError,
    identity::{
        local_with,
        IdentityError,
        LocalIdentity, //
    },
    negative::NegativeEntry,
    policy::{
        PolicyError,
        Prefix, //
    },
    reap::Watch,
    request::RequestError,
    tcp::register_feedback, //
};

use self::{
    address::Changes,
    answer::Answers,
    identity::Identities,
    negative::Negatives,
    pace::Pace,
    policy::Policy,
    receive::Notes,
    request::Requests,
    resume::Resumption,
    tcp::Feedback,
    trigger::Candidates,
    waiting::{
        Waiting,
        WaitingTable, //
    }, //
};
use crate::{
    context::{
        Context,
        KnownLocator,
        Listed,
        Local,
        Namespace, //
    },
    kernel_ext::{
        packets::{
            Limits,
            PacketQueue, //
        },
        pending::Pending,
        random,
        rcu::{
            Period,
            RcuArc, //
        },
        siphash,
        slab::{
            self,
            Cache, //
        },
        time,
        work::{
            Worker,
            Workqueue,
            WorkqueueRegistration, //
        }, //
    },
    proto::{
        establish::{
            Constants,
            Machine, //
        },
        locator::LocatorPair,
        random::Random,
        reap as protocol,
        tag::ContextTag,
        time::Instant, //
    },
};
use core::sync::atomic::AtomicU64;
use kernel::{
    alloc::AllocError,
    c_str,
    prelude::*, //
};

/// Buckets of the queue of messages: peers whose prefixes fall into different ones do not disturb
/// each other.
const BUCKETS: usize = 64;

/// Messages that may wait.
const QUEUE: Limits = Limits {
    per_bucket: 64,
    total: 1024,
};

/// Workers of how many namespaces may run at once.
const MAX_ACTIVE: u16 = 4;

/// Where the workers run.
static WORKQUEUE: Workqueue = Workqueue::new(c_str!("shim6"), MAX_ACTIVE);

/// Makes the queue on which the workers of all namespaces run; it is needed before the first
/// namespace is, and until after the last.
pub(crate) fn register_workqueue() -> Result<WorkqueueRegistration> {
    WORKQUEUE.register()
}

/// What a context of the state machine keeps for it while anything goes on.
pub(crate) struct Establishment {
    /// The machine.
    pub(crate) machine: Machine,
    /// The octets of the message that may have to be sent again.
    kept: KVec<u8>,
    /// By what R1 and R2 find the context while one of them is waited for.
    waiting: Option<RcuArc<Waiting>>,
    /// What the peer has acknowledged of this host's locators.
    acknowledged: Option<RcuArc<Local>>,
    /// Failure detection, while the context is ESTABLISHED.
    pub(crate) watch: Option<KBox<Watch>>,
    /// Of what [`Stamps::settle`](crate::proto::reap::Stamps::settle) is not sure before it is over.
    grace: Option<Period>,
}

static ESTABLISHMENTS: Cache<Establishment> = Cache::new(c"shim6_establishment");

/// Makes the memory of state machines. May sleep.
pub(crate) fn register_caches() -> Result<[slab::Registration; 2]> {
    Ok([ESTABLISHMENTS.register()?, reap::WATCHES.register()?])
}

/// What is left of an [`Establishment`] of a context in which nothing goes on: the rest follows from
/// the context. Most contexts are so most of the time.
#[derive(Clone, Copy)]
pub(crate) struct Rest {
    parameters_sent: bool,
    /// Whether the peer has acknowledged what this host tells, rather than nothing.
    is_acknowledged: bool,
}

impl Rest {
    /// The machines as they would be if they had been kept. May sleep.
    pub(crate) fn wake(
        self,
        tag_local: ContextTag,
        tag_peer: ContextTag,
        pair: LocatorPair,
        local: RcuArc<Local>,
    ) -> Result<KBox<Establishment>, AllocError> {
        let mut machine = Machine::established(tag_local, tag_peer, pair, now());
        if self.parameters_sent {
            machine.set_parameters_sent();
        }
        let establishment = Establishment {
            acknowledged: self.is_acknowledged.then_some(local),
            watch: Some(Watch::new(pair)?),
            ..Establishment::new(machine)
        };
        ESTABLISHMENTS.new_box(establishment)
    }
}

impl Establishment {
    /// What a context with this machine begins with.
    fn new(machine: Machine) -> Self {
        Self {
            machine,
            kept: KVec::new(),
            waiting: None,
            acknowledged: None,
            watch: None,
            grace: None,
        }
    }

    /// What to keep instead if nothing goes on; `None` if something does. `chosen` is the current pair
    /// if somebody chose it, `local` what this host tells.
    pub(crate) fn rest(
        &self,
        constants: &Constants,
        reap: &protocol::Constants,
        chosen: Option<LocatorPair>,
        local: &Local,
    ) -> Option<Rest> {
        let now = now();
        let is_at_rest = self.machine.is_at_rest(constants, now)
            && self.kept.is_empty()
            && self.waiting.is_none()
            && self.grace.is_none()
            && self
                .watch
                .as_ref()
                .is_none_or(|watch| watch.is_at_rest(reap, chosen, now))
            && self
                .acknowledged
                .as_ref()
                .is_none_or(|told| core::ptr::eq::<Local>(&**told, local));
        is_at_rest.then_some(Rest {
            parameters_sent: self.machine.parameters_sent(),
            is_acknowledged: self.acknowledged.is_some(),
        })
    }

    /// Whether the peer has acknowledged this locator of this host (RFC 5533, Section 5.11).
    pub(crate) fn is_acknowledged(&self, known: &KnownLocator) -> bool {
        self.acknowledged
            .as_ref()
            .is_some_and(|told| told.list.has(&known.locator))
    }

    /// Keeps a message that may have to be sent again. May sleep.
    fn keep(&mut self, message: &[u8]) -> Result<(), AllocError> {
        self.kept.clear();
        self.kept.extend_from_slice(message, GFP_KERNEL)
    }
}

/// The control path of a namespace.
#[pin_data]
pub(crate) struct Control {
    #[pin]
    worker: Worker<Namespace>,
    #[pin]
    queue: PacketQueue<Notes, BUCKETS>,
    attention: Pending<Context>,
    #[pin]
    requests: Requests,
    #[pin]
    answers: Answers,
    #[pin]
    waiting: WaitingTable,
    #[pin]
    changes: Changes,
    #[pin]
    candidates: Candidates,
    #[pin]
    feedback: Feedback,
    #[pin]
    resumption: Resumption,
    pace: Pace,
    /// When idle contexts were last looked for, in milliseconds.
    swept: AtomicU64,
    /// By what peers are told apart, unforeseeably.
    hash: siphash::Key,
    /// Peers that did not answer.
    #[pin]
    pub(crate) negatives: Negatives,
    /// Who this host is.
    #[pin]
    pub(crate) identities: Identities,
    /// With whom contexts are established on request.
    #[pin]
    pub(crate) policy: Policy,
}

impl Control {
    /// The control path of a new namespace. May sleep.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            worker <- Worker::new(&WORKQUEUE),
            queue <- PacketQueue::new(QUEUE),
            attention: Pending::new(),
            requests <- Requests::new(),
            answers <- Answers::new(),
            waiting <- WaitingTable::new(),
            changes <- Changes::new(),
            candidates <- Candidates::new(),
            feedback <- Feedback::new(),
            resumption <- Resumption::new(),
            pace: Pace::new(),
            swept: AtomicU64::new(0),
            hash: siphash::Key::random(),
            negatives <- Negatives::new(),
            identities <- Identities::new(),
            policy <- Policy::new(),
        }? Error)
    }

    /// The worker, for who opens and closes it.
    pub(crate) fn worker(&self) -> &Worker<Namespace> {
        &self.worker
    }

    /// The data path stamped a packet that the worker has to know of. Any context.
    #[cold]
    pub(crate) fn stamped(&self, namespace: &Namespace, context: &Context) {
        if let Some(context) = namespace.contexts.get_by_identity(context.identity()) {
            self.wants_attention(&context);
        }
    }

    /// The worker is to look at a context. Any context.
    pub(crate) fn wants_attention(&self, context: &RcuArc<Context>) {
        self.attention.push_once(context);
        self.worker.queue();
    }
}

/// The time as the protocol counts it.
pub(crate) fn now() -> Instant {
    Instant::from_millis(time::monotonic_msecs())
}

/// The time as packets are stamped with it: that of the last timer tick, never later than [`now`].
#[inline]
pub(crate) fn coarse_now() -> Instant {
    Instant::from_millis(time::coarse_msecs())
}

/// Random numbers for the protocol.
struct KernelRandom;

impl Random for KernelRandom {
    fn u32(&mut self) -> u32 {
        random::u32()
    }

    fn u64(&mut self) -> u64 {
        random::u64()
    }
}
