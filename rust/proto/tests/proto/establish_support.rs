// SPDX-License-Identifier: GPL-2.0

//! A bench for one machine: a clock that the test moves, random numbers that the test can foresee,
//! and a context that does what the machine says. `establish_messages` comes along.

use shim6_proto::{
    establish::{
        Action,
        Actions,
        Constants,
        Discarded,
        Environment,
        Machine,
        Offer,
        State,
        Step, //
    },
    identity::Identity,
    locator::{
        Locator,
        LocatorPair,
        Ulid,
        UlidPair, //
    },
    number::{
        Fii,
        Generation,
        Nonce, //
    },
    random::Random,
    tag::ContextTag,
    time::{
        Instant,
        Interval, //
    },
    verify::Rejection,
    wire::{
        message::{
            Arrival,
            Message, //
        },
        option::HostOptions, //
    }, //
};

pub(crate) use crate::establish_messages::*;

/// An address of one of three hosts: `host` is a letter, `net` one of its providers.
pub(crate) const fn address(host: u8, net: u8) -> Locator {
    Locator::new([0x20, 1, 0xd, 0xb8, 0, host, 0, net, 0, 0, 0, 0, 0, 0, 0, 1])
}

/// ULID(local).
pub(crate) const A1: Locator = address(0xa, 1);
/// The other locator of this host.
pub(crate) const A2: Locator = address(0xa, 2);
/// ULID(peer).
pub(crate) const B1: Locator = address(0xb, 1);
/// The other locator of the peer.
pub(crate) const B2: Locator = address(0xb, 2);
/// No locator of anybody here.
pub(crate) const FOREIGN: Locator = address(0xf, 1);

/// CT(local).
pub(crate) const LOCAL: ContextTag = ContextTag::from_low_bits(0x1111_1111_1111);
/// CT(peer).
pub(crate) const PEER: ContextTag = ContextTag::from_low_bits(0x2222_2222_2222);
/// CT(peer) after the peer has lost the context.
pub(crate) const NEW: ContextTag = ContextTag::from_low_bits(0x3333_3333_3333);

/// The identity of the context.
pub(crate) const IDENTITY: Identity = Identity {
    ulids: UlidPair {
        local: Ulid::new(A1.octets()),
        peer: Ulid::new(B1.octets()),
    },
    fii: Fii::DEFAULT,
};

/// The pair of the ULIDs.
pub(crate) const ULIDS: LocatorPair = IDENTITY.ulids.as_locators();
/// The pair of the other locators.
pub(crate) const OTHER: LocatorPair = LocatorPair {
    local: A2,
    peer: B2,
};

/// A packet from the peer on this pair.
pub(crate) const fn from_peer(pair: LocatorPair) -> Arrival {
    Arrival {
        source: pair.peer,
        destination: pair.local,
        offset: 40,
    }
}

/// From ULID(peer) to ULID(local).
pub(crate) const ON_ULIDS: Arrival = from_peer(ULIDS);
/// Between the other locators.
pub(crate) const ON_OTHER: Arrival = from_peer(OTHER);
/// From a locator that is none of the peer's.
pub(crate) const ON_FOREIGN: Arrival = from_peer(LocatorPair {
    local: A1,
    peer: FOREIGN,
});
/// To an address that is no locator of this context.
pub(crate) const TO_FOREIGN: Arrival = from_peer(LocatorPair {
    local: FOREIGN,
    peer: B1,
});

/// The number that [`Counter`] starts with.
pub(crate) const FIRST: u32 = 0x8000_0000;

/// The `n`th nonce, if nonces and jitter are counted together from 0.
pub(crate) const fn drawn(n: u32) -> Nonce {
    Nonce::new(FIRST + n)
}

/// Counts up from [`FIRST`]: every nonce is new, and so little above the middle that the factor of
/// all intervals is 1 to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counter(pub(crate) u32);

impl Random for Counter {
    fn u32(&mut self) -> u32 {
        let number = self.0;
        self.0 = number.wrapping_add(1);
        number
    }

    fn u64(&mut self) -> u64 {
        u64::from(self.u32())
    }
}

/// The locators of a context, and what verification is going to say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Context {
    pub(crate) local: Vec<Locator>,
    pub(crate) peer: Vec<Locator>,
    pub(crate) list: Option<(Generation, usize)>,
    pub(crate) pair: LocatorPair,
    pub(crate) verdict: Result<(), Rejection>,
    /// How often verification was asked for.
    pub(crate) verified: u32,
}

impl Environment<'static> for Context {
    fn local_has(&self, locator: &Locator) -> bool {
        self.local.contains(locator)
    }

    fn peer_has(&self, locator: &Locator) -> bool {
        self.peer.contains(locator)
    }

    fn peer_list(&self) -> Option<(Generation, usize)> {
        self.list
    }

    fn verify(&mut self, _: &HostOptions<'static>) -> Result<(), Rejection> {
        self.verified += 1;
        self.verdict
    }
}

impl Context {
    fn new() -> Self {
        Self {
            local: vec![A1, A2],
            peer: vec![],
            list: None,
            pair: ULIDS,
            verdict: Ok(()),
            verified: 0,
        }
    }

    /// Takes the list of a message.
    fn take(&mut self, host: &HostOptions<'_>) {
        if let Some(list) = &host.locator_list {
            self.list = Some((list.generation(), list.len()));
            self.peer = list.iter().map(|record| record.locator).collect();
        }
    }

    /// Does what an action says about the context.
    fn apply(&mut self, action: &Action<'_>, host: Option<&HostOptions<'_>>) {
        match action {
            Action::AdoptPeer { .. } => {
                self.list = None;
                self.peer = vec![B1];
                self.take(host.expect("a message about a host"));
            }
            Action::UpdatePeer => self.take(host.expect("a message about a host")),
            Action::DropPeer => {
                self.list = None;
                self.peer.clear();
                self.pair = ULIDS;
            }
            Action::UsePair(pair) => self.pair = *pair,
            _ => {}
        }
    }
}

/// A machine and its surroundings.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    pub(crate) machine: Option<Machine>,
    pub(crate) context: Context,
    pub(crate) constants: Constants,
    pub(crate) now: Instant,
    pub(crate) random: Counter,
}

impl Bench {
    /// A bench without a machine.
    pub(crate) fn idle() -> Self {
        Self {
            machine: None,
            context: Context::new(),
            constants: Constants::default(),
            now: Instant::from_millis(1_000_000),
            random: Counter(FIRST),
        }
    }

    /// A bench whose machine has come to this state the usual way, over the ULIDs.
    ///
    /// Numbers drawn until then: two in I1-SENT and ESTABLISHED, three in I2-SENT, four in
    /// I2BIS-SENT. The nonce of the outstanding message is the first one, in I2BIS-SENT the third.
    pub(crate) fn in_state(state: State) -> Self {
        let mut bench = Self::idle();
        match state {
            State::Idle => {}
            State::I1Sent => {
                bench.initiate();
            }
            State::I2Sent => {
                bench.initiate();
                bench.receive(&r1(drawn(0)), ON_ULIDS);
            }
            State::Established => {
                bench.initiate();
                bench.receive(&r2(PEER, drawn(0), BOTH), ON_ULIDS);
            }
            State::I2bisSent => {
                bench = Self::in_state(State::Established);
                bench.receive(&r1bis(PEER), ON_ULIDS);
            }
            State::EFailed => {
                bench.initiate();
                for _ in 0..5 {
                    bench.expire();
                }
            }
            State::NoSupport => {
                bench.initiate();
                bench.unrecognized(LOCAL, ULIDS);
            }
        }
        bench.context.verified = 0;
        assert_eq!(bench.state(), state, "how a machine comes to a state");
        bench
    }

    /// The state; IDLE without a machine.
    pub(crate) fn state(&self) -> State {
        self.machine.map_or(State::Idle, |machine| machine.state())
    }

    /// The machine.
    pub(crate) fn machine(&self) -> Machine {
        self.machine.expect("a machine")
    }

    /// One step of the machine, with everything that the actions do to the context.
    pub(crate) fn step<'m>(
        &mut self,
        host: Option<&HostOptions<'_>>,
        event: impl FnOnce(&mut Machine, &mut Step<'_, Counter>, &mut Context) -> Actions<'m>,
    ) -> Vec<Action<'m>> {
        let mut machine = self.machine();
        let mut step = Step {
            constants: &self.constants,
            identity: &IDENTITY,
            now: self.now,
            random: &mut self.random,
        };
        let actions = event(&mut machine, &mut step, &mut self.context);

        self.machine = Some(machine);
        self.carry_out(&actions, host)
    }

    /// Does what actions say about the context.
    fn carry_out<'m>(
        &mut self,
        actions: &Actions<'m>,
        host: Option<&HostOptions<'_>>,
    ) -> Vec<Action<'m>> {
        // One for which there was no room counts as well.
        assert_eq!(actions.len(), actions.iter().count(), "{actions:?}");
        assert_eq!(actions.is_empty(), actions.iter().next().is_none());
        for action in actions.iter() {
            self.context.apply(&action, host);
        }
        actions.iter().collect()
    }

    /// A local trigger.
    pub(crate) fn initiate(&mut self) -> Vec<Action<'static>> {
        let mut step = Step {
            constants: &self.constants,
            identity: &IDENTITY,
            now: self.now,
            random: &mut self.random,
        };
        let (machine, actions) = Machine::initiate(&mut step, LOCAL, ULIDS);

        self.machine = Some(machine);
        self.carry_out(&actions, None)
    }

    /// An I2 or I2bis for which there is no context.
    pub(crate) fn respond(
        &mut self,
        message: &Message<'static>,
        arrival: Arrival,
    ) -> Result<Vec<Action<'static>>, Discarded> {
        let (offer, host) = match message {
            Message::I2(i2) => (Offer::from(i2), i2.host),
            Message::I2bis(i2bis) => (Offer::from(i2bis), i2bis.host),
            other => panic!("{other:?}"),
        };
        let mut step = Step {
            constants: &self.constants,
            identity: &IDENTITY,
            now: self.now,
            random: &mut self.random,
        };
        let context = &mut self.context;
        let (machine, actions) = Machine::respond(&mut step, LOCAL, &offer, &arrival, context)?;

        self.machine = Some(machine);
        Ok(self.carry_out(&actions, Some(&host)))
    }

    /// A message for the machine.
    pub(crate) fn receive(
        &mut self,
        message: &Message<'static>,
        arrival: Arrival,
    ) -> Vec<Action<'static>> {
        let host = host_of(message);
        self.step(host, |machine, step, context| {
            machine.receive(step, message, &arrival, context)
        })
    }

    /// A payload extension header with CT(local).
    pub(crate) fn payload(&mut self) -> Vec<Action<'static>> {
        self.step(None, |machine, step, _| machine.payload(step))
    }

    /// An ICMPv6 error about an I1.
    pub(crate) fn unrecognized(
        &mut self,
        tag: ContextTag,
        pair: LocatorPair,
    ) -> Vec<Action<'static>> {
        self.step(None, |machine, step, _| {
            machine.unrecognized(step, tag, pair)
        })
    }

    /// Something about this host has changed.
    pub(crate) fn announce(&mut self) -> Vec<Action<'static>> {
        self.step(None, |machine, step, _| machine.announce(step))
    }

    /// Begins anew after confusion.
    pub(crate) fn restart(&mut self) -> Vec<Action<'static>> {
        self.step(None, |machine, step, _| machine.restart(step))
    }

    /// The timer, now.
    pub(crate) fn timeout(&mut self) -> Vec<Action<'static>> {
        self.step(None, |machine, step, _| machine.timeout(step))
    }

    /// Waits for the timer; nothing if it does not run.
    pub(crate) fn expire(&mut self) -> Vec<Action<'static>> {
        let Some(deadline) = self.machine().next_deadline() else {
            return vec![];
        };
        self.now = deadline;
        self.timeout()
    }

    /// Lets time go by.
    pub(crate) fn wait(&mut self, interval: Interval) {
        self.now = self.now.saturating_add(interval);
    }

    /// Time since the bench was made, in milliseconds.
    pub(crate) fn elapsed(&self) -> u64 {
        self.now.as_millis() - 1_000_000
    }
}

/// What a message says about its sender.
fn host_of<'a>(message: &'a Message<'static>) -> Option<&'a HostOptions<'static>> {
    match message {
        Message::I2(i2) => Some(&i2.host),
        Message::R2(r2) => Some(&r2.host),
        Message::I2bis(i2bis) => Some(&i2bis.host),
        Message::UpdateRequest(request) => Some(&request.host),
        _ => None,
    }
}
