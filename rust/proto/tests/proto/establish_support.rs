// SPDX-License-Identifier: GPL-2.0

//! A bench for one machine: a clock that the test moves, random numbers that the test can foresee,
//! a context that does what the machine says, and messages as values.

use shim6_proto::{
    establish::{
        Action,
        Actions,
        Constants,
        Content,
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
    verify::{
        Refusal,
        Rejection, //
    },
    wire::{
        message::{
            Arrival,
            I2bis,
            Keepalive,
            Message,
            R1bis,
            UpdateAcknowledgement,
            UpdateRequest,
            I1,
            I2,
            R1,
            R2, //
        },
        option::{
            HostOptions,
            UlidPairOption, //
        }, //
    }, //
};

use crate::support::{
    control,
    parse,
    tlv,
    TAG, //
};

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
        assert!(actions.len() <= Actions::MAX, "{actions:?}");
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

/// The list that a message has.
pub(crate) type List = &'static [Locator];

/// Both locators of the peer.
pub(crate) const BOTH: List = &[B1, B2];
/// No list.
pub(crate) const NO_LIST: List = &[];

/// The generation of all lists.
pub(crate) const GENERATION: Generation = Generation::new(7);

/// What a host with this list tells, and preferences of so many elements and this generation. It
/// is built and parsed, since there is no other way to a [`LocatorList`], and lives as long as the
/// test.
///
/// [`LocatorList`]: shim6_proto::wire::option::LocatorList
pub(crate) fn host(list: List, preferences: Option<(Generation, u8)>) -> HostOptions<'static> {
    let mut body = TAG.to_control().to_vec();
    body.extend_from_slice(&[0; 4]);
    if !list.is_empty() {
        let mut contents = GENERATION.to_wire().to_vec();
        contents.push(list.len() as u8);
        contents.extend(list.iter().map(|_| 1));
        contents.resize(contents.len() + 7 - list.len() % 8, 0);
        contents.extend(list.iter().flat_map(|locator| locator.octets()));
        body.extend(tlv(2, &contents));
    }
    if let Some((generation, elements)) = preferences {
        let mut contents = generation.to_wire().to_vec();
        contents.push(1);
        contents.extend((0..elements).map(|_| 0));
        body.extend(tlv(3, &contents));
    }
    match parse(Box::leak(control(64, &body).into_boxed_slice())) {
        Ok(Message::UpdateRequest(request)) => request.host,
        other => panic!("{other:?}"),
    }
}

/// The ULIDs in a message of the peer.
pub(crate) const PEERS_ULIDS: UlidPairOption = UlidPairOption {
    sender: IDENTITY.ulids.peer,
    receiver: IDENTITY.ulids.local,
};

/// The nonce of messages that the peer begins with.
pub(crate) const PEERS_NONCE: Nonce = Nonce::new(0x5555_5555);
/// The Responder Nonce.
pub(crate) const RESPONDER_NONCE: Nonce = Nonce::new(0x6666_6666);
/// The nonce of Update Requests of the peer.
pub(crate) const REQUEST_NONCE: Nonce = Nonce::new(0x7777_7777);
/// The Responder Validator.
pub(crate) const VALIDATOR: &[u8] = &[0xee; 32];

pub(crate) fn i1(tag: ContextTag) -> Message<'static> {
    Message::I1(I1 {
        initiator_tag: tag,
        initiator_nonce: PEERS_NONCE,
        ulid_pair: Some(PEERS_ULIDS),
        fii: Fii::DEFAULT,
    })
}

pub(crate) fn r1(nonce: Nonce) -> Message<'static> {
    Message::R1(R1 {
        initiator_nonce: nonce,
        responder_nonce: RESPONDER_NONCE,
        validator: VALIDATOR,
    })
}

pub(crate) fn i2(tag: ContextTag, list: List) -> Message<'static> {
    Message::I2(I2 {
        initiator_tag: tag,
        initiator_nonce: PEERS_NONCE,
        responder_nonce: RESPONDER_NONCE,
        validator: VALIDATOR,
        ulid_pair: Some(PEERS_ULIDS),
        fii: Fii::DEFAULT,
        host: host(list, None),
    })
}

pub(crate) fn r2(tag: ContextTag, nonce: Nonce, list: List) -> Message<'static> {
    Message::R2(R2 {
        responder_tag: tag,
        initiator_nonce: nonce,
        host: host(list, None),
    })
}

pub(crate) fn r1bis(tag: ContextTag) -> Message<'static> {
    Message::R1bis(R1bis {
        packet_tag: tag,
        responder_nonce: RESPONDER_NONCE,
        validator: VALIDATOR,
    })
}

pub(crate) fn i2bis(tag: ContextTag, list: List) -> Message<'static> {
    Message::I2bis(I2bis {
        initiator_tag: tag,
        initiator_nonce: PEERS_NONCE,
        responder_nonce: RESPONDER_NONCE,
        packet_tag: LOCAL,
        validator: VALIDATOR,
        ulid_pair: Some(PEERS_ULIDS),
        fii: Fii::DEFAULT,
        host: host(list, None),
    })
}

pub(crate) fn request(host: HostOptions<'static>) -> Message<'static> {
    Message::UpdateRequest(UpdateRequest {
        receiver_tag: LOCAL,
        request_nonce: REQUEST_NONCE,
        host,
    })
}

pub(crate) fn acknowledgement(nonce: Nonce) -> Message<'static> {
    Message::UpdateAcknowledgement(UpdateAcknowledgement {
        receiver_tag: LOCAL,
        request_nonce: nonce,
    })
}

pub(crate) fn keepalive() -> Message<'static> {
    Message::Keepalive(Keepalive {
        receiver_tag: LOCAL,
    })
}

/// A PDS that is not the one of ULID(peer).
pub(crate) fn foreign_parameters() -> Rejection {
    Refusal::ForeignParameters.into()
}

/// I1 of this host.
pub(crate) const fn sent_i1(nonce: u32) -> Action<'static> {
    Action::Send {
        pair: ULIDS,
        content: Content::I1 {
            initiator_tag: LOCAL,
            initiator_nonce: drawn(nonce),
        },
    }
}

/// R2 of this host, in answer to a message of the peer.
pub(crate) const fn sent_r2(pair: LocatorPair) -> Action<'static> {
    Action::Send {
        pair,
        content: Content::R2 {
            responder_tag: LOCAL,
            initiator_nonce: PEERS_NONCE,
        },
    }
}

/// I2 of this host.
pub(crate) const SENT_I2: Action<'static> = Action::Send {
    pair: ULIDS,
    content: Content::I2 {
        initiator_tag: LOCAL,
        initiator_nonce: drawn(0),
        responder_nonce: RESPONDER_NONCE,
        validator: VALIDATOR,
    },
};

/// I2bis of this host.
pub(crate) const fn sent_i2bis(pair: LocatorPair) -> Action<'static> {
    Action::Send {
        pair,
        content: Content::I2bis {
            initiator_tag: LOCAL,
            initiator_nonce: drawn(2),
            responder_nonce: RESPONDER_NONCE,
            packet_tag: PEER,
            validator: VALIDATOR,
        },
    }
}

/// Update Acknowledgement of this host.
pub(crate) const fn sent_acknowledgement(tag: ContextTag) -> Action<'static> {
    Action::Send {
        pair: ULIDS,
        content: Content::UpdateAcknowledgement {
            receiver_tag: tag,
            request_nonce: REQUEST_NONCE,
        },
    }
}

/// The kept message again, over the ULIDs.
pub(crate) const RESENT: Action<'static> = Action::Resend { pair: ULIDS };

/// A Probe of the peer.
pub(crate) fn probe() -> Message<'static> {
    let mut body = LOCAL.to_control().to_vec();
    body.extend_from_slice(&[1, 0, 0, 0]);
    body.extend_from_slice(&[0; 40]);
    parse(Box::leak(control(67, &body).into_boxed_slice())).expect("a probe")
}

/// An Error message of the peer: it does not know the type of a Keepalive.
pub(crate) fn error() -> Message<'static> {
    let mut body = vec![0, 42];
    body.extend_from_slice(&[0x60; 40]);
    parse(Box::leak(control(68, &body).into_boxed_slice())).expect("an error message")
}
