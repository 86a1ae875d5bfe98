// SPDX-License-Identifier: GPL-2.0

//! A host: a table of contexts around the machines of the protocol code, and nothing that the
//! kernel would add.

mod context;
mod receive;
mod reply;

use std::{
    cell::RefCell,
    hash::{
        Hash,
        Hasher, //
    },
    rc::Rc, //
};

use shim6_proto::{
    compose::HostView,
    dispatch::Key,
    establish::{
        Action,
        Actions,
        Constants,
        Machine,
        Negative,
        Step, //
    },
    identity::Identity,
    locator::{
        LocatorPair,
        LocatorRecord,
        UlidPair, //
    },
    number::Generation,
    tag::ContextTag,
    time::Instant,
    validator::Validators,
    verify::VerifiedHost,
    wire::{
        build,
        message::{
            Arrival,
            Message, //
        },
        payload::PayloadHeader, //
    }, //
};

use crate::{
    crypto::Source,
    packet::Packet,
    set::HbaSet, //
};

pub use self::context::Context;
use self::reply::reverse;

/// What a step of a host depends on besides the host and the event, and where its packets go.
#[derive(Debug)]
pub struct World<'a, S> {
    /// The time.
    pub now: Instant,
    /// Times and limits.
    pub constants: &'a Constants,
    /// Nonces, jitter and tags.
    pub source: &'a mut S,
    /// Packets that are sent.
    pub sent: Vec<Packet>,
}

/// What becomes of a context whose peer gave its tag to another one (RFC 5533, Section 7.15).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Confused {
    /// It is discarded.
    Discard,
    /// It begins anew with I1.
    Restart,
}

/// The secrets of a host, one for each time it was started. They are no part of what tells states
/// of a host apart: that is the number of the one in use.
type Secrets = Rc<RefCell<Vec<Validators>>>;

/// A host.
#[derive(Clone)]
pub struct Host {
    /// Its addresses.
    pub set: Rc<HbaSet>,
    /// The locators that it tells peers.
    told: Vec<LocatorRecord>,
    /// The number of this version of them.
    generation: Generation,
    /// Its contexts.
    contexts: Vec<Context>,
    /// Identities that it leaves alone.
    negatives: Vec<(Identity, Negative)>,
    /// How often it was started anew.
    epoch: usize,
    secrets: Secrets,
    confused: Confused,
}

/// All but the addresses, which do not change, and the secrets.
impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        (&self.told, self.generation, self.epoch) == (&other.told, other.generation, other.epoch)
            && self.contexts == other.contexts
            && self.negatives == other.negatives
    }
}

impl Eq for Host {}

impl Hash for Host {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.told.hash(state);
        self.generation.hash(state);
        self.epoch.hash(state);
        self.contexts.hash(state);
        self.negatives.hash(state);
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "host {} (started {} times)", self.set.name, self.epoch)?;
        for context in &self.contexts {
            writeln!(f, "  {context:?}")?;
        }
        for (identity, negative) in &self.negatives {
            let UlidPair { local, peer } = identity.ulids;
            writeln!(f, "  {local} - {peer}: {}", negative.state.name())?;
        }
        Ok(())
    }
}

impl Host {
    /// A host with these addresses, which tells them all.
    pub fn new(set: HbaSet, confused: Confused) -> Self {
        Self {
            told: set.locators.clone(),
            set: Rc::new(set),
            generation: Generation::new(1),
            contexts: vec![],
            negatives: vec![],
            epoch: 0,
            secrets: Rc::new(RefCell::new(vec![])),
            confused,
        }
    }

    /// The contexts.
    pub fn contexts(&self) -> &[Context] {
        &self.contexts
    }

    /// The context with this identity.
    pub fn context(&self, identity: &Identity) -> Option<&Context> {
        let mut contexts = self.contexts.iter();
        contexts.find(|context| context.identity == *identity)
    }

    /// The context of this host for the one of a peer.
    pub fn counterpart(&self, context: &Context) -> Option<&Context> {
        let UlidPair { local, peer } = context.identity.ulids;
        self.context(&Identity {
            ulids: UlidPair {
                local: peer,
                peer: local,
            },
            fii: context.identity.fii,
        })
    }

    /// The locators that it tells peers.
    pub fn told(&self) -> &[LocatorRecord] {
        &self.told
    }

    /// Whether it leaves an identity alone.
    pub fn negative(&self, identity: &Identity) -> Option<&Negative> {
        let mut negatives = self.negatives.iter();
        negatives
            .find(|(other, _)| other == identity)
            .map(|(_, negative)| negative)
    }

    /// Forgets what has ended.
    pub fn expire_negatives(&mut self, now: Instant) {
        self.negatives
            .retain(|(_, negative)| !negative.is_over(now));
    }

    /// Forgets that any peer did not answer.
    pub fn forget_negatives(&mut self) {
        self.negatives.clear();
    }

    /// When something has to be done next.
    pub fn next_deadline(&self) -> Option<Instant> {
        let contexts = self.contexts.iter();
        contexts
            .filter_map(|context| context.machine.next_deadline())
            .min()
    }

    /// Loses all contexts.
    pub fn forget(&mut self) {
        self.contexts.clear();
        self.negatives.clear();
    }

    /// Loses all contexts and the secret of its validators.
    pub fn restart(&mut self) {
        self.forget();
        self.epoch += 1;
    }

    /// Discards one context, as if it had not been used for long.
    pub fn discard(&mut self, identity: &Identity) {
        self.contexts
            .retain(|context| context.identity != *identity);
    }

    /// A local trigger; nothing if there is a context or the peer is left alone.
    pub fn trigger<S: Source>(&mut self, world: &mut World<'_, S>, identity: Identity) {
        if self.context(&identity).is_some() || self.negative(&identity).is_some() {
            return;
        }
        let Some(tag) = self.unused_tag(world.source) else {
            return;
        };
        let pair = identity.ulids.as_locators();
        let (machine, actions) = Machine::initiate(&mut world.step(&identity), tag, pair);
        let index = self.insert(Context::new(identity, machine, pair));
        self.carry_out(world, index, &actions, None, None);
    }

    /// The timers that have expired.
    pub fn timeout<S: Source>(&mut self, world: &mut World<'_, S>) {
        for identity in self.identities() {
            self.timeout_of(world, &identity);
        }
    }

    /// The timer of one context, if it has expired.
    pub fn timeout_of<S: Source>(&mut self, world: &mut World<'_, S>, identity: &Identity) {
        if let Some(index) = self.index(&Key::Identity(*identity)) {
            self.run(world, index, Machine::timeout);
        }
    }

    /// Tells peers only the first of its locators, or again all.
    pub fn announce<S: Source>(&mut self, world: &mut World<'_, S>) {
        if self.told == self.set.locators {
            self.told.truncate(1);
        } else {
            self.told.clone_from(&self.set.locators);
        }
        self.told_something_else(world);
    }

    /// Tells peers all of its locators and no other.
    pub fn tell_all<S: Source>(&mut self, world: &mut World<'_, S>) {
        if self.told != self.set.locators {
            self.told.clone_from(&self.set.locators);
            self.told_something_else(world);
        }
    }

    /// Begins to claim a locator that is not its own, or ends it.
    pub fn lie<S: Source>(&mut self, world: &mut World<'_, S>, stolen: LocatorRecord) {
        if self.told.contains(&stolen) {
            self.tell_all(world);
        } else {
            self.told.push(stolen);
            self.told_something_else(world);
        }
    }

    /// What it tells is not what it was.
    fn told_something_else<S: Source>(&mut self, world: &mut World<'_, S>) {
        self.generation = Generation::new(self.generation.get().wrapping_add(1));
        for identity in self.identities() {
            if let Some(index) = self.index(&Key::Identity(identity)) {
                self.run(world, index, Machine::announce);
            }
        }
    }

    /// A ULP sends something. The payload extension header is always there, as in forks, so that
    /// the pair of the ULIDs needs no treatment of its own.
    pub fn send_payload<S: Source>(&self, world: &mut World<'_, S>, identity: &Identity) {
        let Some(context) = self.context(identity) else {
            return;
        };
        let Some(tag) = context.machine.peer_tag() else {
            return;
        };
        if context.machine.state().sends_to_pair() {
            let header = PayloadHeader {
                next_header: 59,
                tag,
            };
            world
                .sent
                .push(Packet::new(context.pair, &header.to_octets()));
        }
    }

    /// Tests a pair, which need not be the current one; a Keepalive stands in for a Probe.
    pub fn probe<S: Source>(
        &self,
        world: &mut World<'_, S>,
        identity: &Identity,
        pair: LocatorPair,
    ) {
        let Some(context) = self.context(identity) else {
            return;
        };
        let Some(tag) = context.machine.peer_tag() else {
            return;
        };
        if context.machine.state().sends_to_pair() {
            let mut buffer = [0; build::MAX_LEN];
            let octets = build::keepalive(&mut buffer, tag)
                .and_then(|builder| builder.finish())
                .expect("a Keepalive fits");
            world.sent.push(Packet::new(pair, octets));
        }
    }

    /// The identities of all contexts.
    fn identities(&self) -> Vec<Identity> {
        let contexts = self.contexts.iter();
        contexts.map(|context| context.identity).collect()
    }

    /// A tag that no context of this host has, if one is found soon.
    fn unused_tag(&self, source: &mut impl Source) -> Option<ContextTag> {
        (0..64).map(|_| source.tag()).find(|tag| {
            let mut contexts = self.contexts.iter();
            contexts.all(|context| context.machine.local_tag() != *tag)
        })
    }

    /// Adds a context. They are kept in order, so that the order in which they came makes no
    /// difference.
    fn insert(&mut self, context: Context) -> usize {
        let key = |context: &Context| {
            let Identity { ulids, fii } = context.identity;
            (ulids.local, ulids.peer, fii.get())
        };
        let index = self
            .contexts
            .partition_point(|other| key(other) < key(&context));
        self.contexts.insert(index, context);
        index
    }

    /// The context that something is for.
    fn index(&self, key: &Key) -> Option<usize> {
        let position = |is: &dyn Fn(&Context) -> bool| self.contexts.iter().position(is);

        match *key {
            Key::Identity(identity) => position(&|context| context.identity == identity),
            Key::Nonce { nonce, pair } => {
                position(&|context| context.machine.outstanding() == Some((nonce, pair)))
            }
            Key::PeerTag { tag, pair } => {
                let tagged = |context: &Context| context.machine.peer_tag() == Some(tag);
                let current = position(&|context| tagged(context) && context.pair == pair);
                current.or_else(|| {
                    position(&|context| tagged(context) && context.has(&pair, &self.told))
                })
            }
            Key::LocalTag(tag) => position(&|context| context.machine.local_tag() == tag),
        }
    }

    /// One step of a machine that needs nothing from a message.
    fn run<S: Source>(
        &mut self,
        world: &mut World<'_, S>,
        index: usize,
        event: impl FnOnce(&mut Machine, &mut Step<'_, S>) -> Actions<'static>,
    ) {
        if let Some(context) = self.contexts.get_mut(index) {
            let identity = context.identity;
            let actions = event(&mut context.machine, &mut world.step(&identity));
            self.carry_out(world, index, &actions, None, None);
        }
    }

    /// Does what a machine says. `verified` and `received` belong to the message that made it say
    /// so, if it was one.
    fn carry_out<S: Source>(
        &mut self,
        world: &mut World<'_, S>,
        index: usize,
        actions: &Actions<'_>,
        verified: Option<&VerifiedHost<'_>>,
        received: Option<(&Arrival, &Message<'_>)>,
    ) {
        assert!(actions.len() <= Actions::MAX, "{actions:?}");
        let Some(identity) = self.contexts.get(index).map(|context| context.identity) else {
            return;
        };
        for action in actions.iter() {
            match (action, received) {
                (Action::CheckConfusion, _) => self.check_confusion(world, &identity),
                (Action::Negative(negative), _) => {
                    self.discard(&identity);
                    self.negatives.push((identity, negative));
                    // The order must not tell states apart.
                    self.negatives.sort_by_key(|(identity, _)| {
                        (
                            identity.ulids.local,
                            identity.ulids.peer,
                            identity.fii.get(),
                        )
                    });
                }
                (Action::ReplyR1, Some((arrival, message))) => {
                    self.reply_r1(world, arrival, message);
                }
                (Action::ReplyR1bis, Some((arrival, message))) => {
                    if let Some(Key::LocalTag(tag)) = Key::of(message, arrival) {
                        self.reply_r1bis(world, reverse(arrival), tag);
                    }
                }
                _ => {
                    let view = HostView {
                        locators: &self.told,
                        generation: self.generation,
                        parameters: &self.set.parameters,
                        ..HostView::ULID_ONLY
                    };
                    // Looked up again, because confusion may have removed others before it.
                    let mut contexts = self.contexts.iter_mut();
                    if let Some(context) = contexts.find(|other| other.identity == identity) {
                        context.carry_out(&view, &action, verified, &mut world.sent);
                    }
                }
            }
        }
    }

    /// Ends contexts whose peer has lost them, as the new one with this identity shows.
    fn check_confusion<S: Source>(&mut self, world: &mut World<'_, S>, identity: &Identity) {
        let Some(newer) = self.context(identity).cloned() else {
            return;
        };
        let confused: Vec<_> = self
            .contexts
            .iter()
            .filter(|older| newer.confuses(older))
            .map(|older| older.identity)
            .collect();

        for identity in confused {
            match (self.confused, self.index(&Key::Identity(identity))) {
                (Confused::Restart, Some(index)) => self.run(world, index, Machine::restart),
                _ => self.discard(&identity),
            }
        }
    }

    /// What must hold after every step.
    ///
    /// # Errors
    ///
    /// What does not hold.
    pub fn check(&self, everybody: &[HbaSet]) -> Result<(), String> {
        let pairs = |i: usize, context: &Context| {
            let others = self.contexts.iter().skip(i + 1);
            others
                .map(|other| (context.clone(), other.clone()))
                .collect::<Vec<_>>()
        };
        for (i, context) in self.contexts.iter().enumerate() {
            context.check(&self.set, everybody)?;
            for (context, other) in pairs(i, context) {
                if context.identity == other.identity {
                    return Err(format!("two contexts with one identity: {context:?}"));
                }
                if context.machine.local_tag() == other.machine.local_tag() {
                    return Err(format!("one tag twice: {context:?} {other:?}"));
                }
                if context.machine.state().sends_to_pair() && context.confuses(&other) {
                    return Err(format!("confusion: {context:?} {other:?}"));
                }
            }
        }
        Ok(())
    }
}

impl<S: Source> World<'_, S> {
    /// The part of it that machines see.
    fn step<'s>(&'s mut self, identity: &'s Identity) -> Step<'s, S> {
        Step {
            constants: self.constants,
            identity,
            now: self.now,
            random: self.source,
        }
    }
}
