// SPDX-License-Identifier: GPL-2.0

//! A bench for REAP: one end of a context with a clock that the test moves, its data path, and the
//! worker as the module's documentation describes it.

use shim6_proto::{
    compose,
    locator::{
        Locator,
        LocatorPair,
        Preference,
        PreferenceFlags,
        UlidPair, //
    },
    number::Nonce,
    random::Random,
    reap::{
        ranking::{
            LocalCandidate,
            PeerCandidate, //
        },
        Action,
        Actions,
        Activity,
        Candidates,
        Cause,
        Constants,
        NoPeriod,
        Reap,
        Settled,
        Stamps,
        State,
        Step,
        Timers,
        Wake, //
    },
    time::{
        Instant,
        Interval, //
    },
    wire::{
        build,
        message::{
            Arrival,
            Message, //
        },
        probe::{
            ProbeRecord,
            ProbeState, //
        }, //
    }, //
};

pub(crate) use crate::establish_support::{
    address,
    from_peer,
    Counter,
    A1,
    A2,
    B1,
    B2,
    FIRST,
    FOREIGN,
    IDENTITY,
    LOCAL,
    PEER,
    ULIDS, //
};

/// A pair.
pub(crate) const fn pair(local: Locator, peer: Locator) -> LocatorPair {
    LocatorPair { local, peer }
}

/// A local locator of which all is well.
pub(crate) fn local(locator: Locator) -> LocalCandidate {
    LocalCandidate {
        locator,
        preference: Preference::default(),
        is_wanted: false,
        is_operational: true,
        is_acknowledged: true,
        is_deprecated: false,
    }
}

/// A locator of the peer of which all is well.
pub(crate) fn peer(locator: Locator) -> PeerCandidate {
    PeerCandidate {
        locator,
        preference: Preference::default(),
        is_wanted: false,
        is_verified: true,
    }
}

/// A preference with this priority.
pub(crate) fn priority(priority: u8) -> Preference {
    Preference {
        priority: Some(priority),
        ..Preference::default()
    }
}

/// A preference that says BROKEN.
pub(crate) fn broken() -> Preference {
    Preference {
        flags: PreferenceFlags::BROKEN,
        ..Preference::default()
    }
}

/// The locators of a context.
#[derive(Clone, Debug)]
pub(crate) struct Locators {
    pub(crate) locals: Vec<LocalCandidate>,
    pub(crate) peers: Vec<PeerCandidate>,
}

impl Locators {
    /// All these, and all is well with them.
    pub(crate) fn new(locals: &[Locator], peers: &[Locator]) -> Self {
        Self {
            locals: locals.iter().copied().map(local).collect(),
            peers: peers.iter().copied().map(peer).collect(),
        }
    }

    /// The local locator with this address.
    pub(crate) fn local_mut(&mut self, locator: Locator) -> &mut LocalCandidate {
        let mut locals = self.locals.iter_mut();
        locals.find(|local| local.locator == locator).unwrap()
    }

    /// The peer's locator with this address.
    pub(crate) fn peer_mut(&mut self, locator: Locator) -> &mut PeerCandidate {
        let mut peers = self.peers.iter_mut();
        peers.find(|peer| peer.locator == locator).unwrap()
    }
}

impl Candidates for Locators {
    fn local(&self, index: usize) -> Option<LocalCandidate> {
        self.locals.get(index).copied()
    }

    fn peer(&self, index: usize) -> Option<PeerCandidate> {
        self.peers.get(index).copied()
    }
}

/// What a Probe says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Said {
    pub(crate) state: ProbeState,
    pub(crate) sent: Vec<ProbeRecord>,
    pub(crate) received: Vec<ProbeRecord>,
}

/// A Probe of the peer, in octets.
pub(crate) fn probe_octets(said: &Said) -> Vec<u8> {
    let mut buffer = [0; 1280];
    let (sent, received) = (said.sent.iter().copied(), said.received.iter().copied());
    let builder = build::probe(&mut buffer, LOCAL, said.state, sent, received).unwrap();
    builder.finish().unwrap().to_vec()
}

/// What a Probe in octets says.
pub(crate) fn read_probe(octets: &[u8], arrival: &Arrival) -> Said {
    let Ok(Message::Probe(probe)) = Message::parse(arrival, octets) else {
        panic!("no Probe: {octets:x?}");
    };
    Said {
        state: probe.state,
        sent: probe.sent.iter().collect(),
        received: probe.received.iter().collect(),
    }
}

/// The record of a probe that the peer sends over `pair`, as this end names it.
pub(crate) fn their_record(pair: LocatorPair, nonce: u32) -> ProbeRecord {
    ProbeRecord {
        source: pair.peer,
        destination: pair.local,
        nonce: Nonce::new(nonce),
        data: 0,
    }
}

/// The record of a probe that this end sent over `pair`.
pub(crate) fn our_record(pair: LocatorPair, nonce: Nonce) -> ProbeRecord {
    ProbeRecord {
        source: pair.local,
        destination: pair.peer,
        nonce,
        data: 0,
    }
}

/// Numbers that look random (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Random for Dice {
    fn u32(&mut self) -> u32 {
        (self.u64() >> 32) as u32
    }

    fn u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// One end of a context.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) reap: Reap,
    pub(crate) stamps: Stamps,
    pub(crate) constants: Constants,
    pub(crate) ulids: UlidPair,
    pub(crate) locators: Locators,
    pub(crate) now: Instant,
    pub(crate) random: Counter,
    pub(crate) probe_delay: Interval,
}

/// When benches begin.
pub(crate) const START: Instant = Instant::from_millis(1_000_000);

impl Bench {
    /// A context that has just been established over the ULIDs A1 and B1, with four pairs.
    pub(crate) fn new() -> Self {
        Self::with(IDENTITY.ulids, Locators::new(&[A1, A2], &[B1, B2]))
    }

    /// A context that has just been established over its ULIDs.
    pub(crate) fn with(ulids: UlidPair, locators: Locators) -> Self {
        Self {
            reap: Reap::new(ulids.as_locators(), START),
            stamps: Stamps::new(),
            constants: Constants::default(),
            ulids,
            locators,
            now: START,
            random: Counter(FIRST),
            probe_delay: ms(0),
        }
    }

    /// What the peer prefers, B1 and B2.
    pub(crate) fn prefer(&mut self, first: Preference, second: Preference) {
        self.locators.peer_mut(B1).preference = first;
        self.locators.peer_mut(B2).preference = second;
    }

    /// Its pair fails, and the next one that is probed works.
    pub(crate) fn fail_over(&mut self) {
        let from = self.reap.pair();
        let actions = self.hint();
        let (_, to) = probes(&actions)[0];
        let report = our_record(to, nonce(&actions));
        self.probe(to, ProbeState::InboundOk, 1, &[report]);
        assert_ne!(self.reap.pair(), from);
    }

    /// A context that has come to this state the usual way, in its first second. The clock does
    /// not move.
    pub(crate) fn in_state(state: State) -> Self {
        let mut bench = Self::new();
        match state {
            State::Operational => {}
            State::Exploring => {
                bench.hint();
            }
            State::InboundOk => {
                bench.probe(ULIDS, ProbeState::Exploring, 1, &[]);
            }
        }
        assert_eq!(bench.reap.state(), state);
        bench
    }

    /// What the worker does for an event.
    pub(crate) fn step(
        &mut self,
        event: impl FnOnce(&mut Reap, &mut Step<'_, Counter, Locators>) -> Actions,
    ) -> Vec<Action> {
        let mut done = vec![];
        let mut again = self.step_once(event, &mut done);
        let mut steps = 0;
        while again {
            again = self.step_once(|reap, step| reap.timeout(step), &mut done);
            steps += 1;
            assert!(steps < 5, "{self:?}");
        }
        done
    }

    fn step_once(
        &mut self,
        event: impl FnOnce(&mut Reap, &mut Step<'_, Counter, Locators>) -> Actions,
        done: &mut Vec<Action>,
    ) -> bool {
        let before = self.stamps.read();
        let mut step = Step {
            constants: &self.constants,
            ulids: &self.ulids,
            now: self.now,
            random: &mut self.random,
            candidates: &self.locators,
            activity: before,
            probe_delay: self.probe_delay,
        };
        let actions = event(&mut self.reap, &mut step);
        // One for which there was no room counts as well.
        assert_eq!(actions.len(), actions.iter().count(), "{actions:?}");
        assert_eq!(actions.is_empty(), actions.iter().next().is_none());
        assert!(actions.iter().all(|action| action != Action::Unbelieved(0)));
        done.extend(actions.iter());
        self.check();
        settle(&self.stamps, &before, self.reap.timers(), self.reap.wake()) == Settled::Again
    }

    /// What is so after every step.
    fn check(&self) {
        let Timers { send, keepalive } = self.reap.timers();
        match self.reap.state() {
            State::Operational => {
                assert!(send.is_none() || keepalive.is_none(), "{:?}", self.reap);
                let is_asleep = self.reap.next_deadline().is_none();
                assert!(!is_asleep || self.reap.wake() == Wake::Any);
            }
            State::Exploring => {
                assert_eq!(self.reap.wake(), Wake::Received);
                assert!(self.reap.next_deadline().is_some());
            }
            State::InboundOk => assert!(self.reap.next_deadline().is_some()),
        }
    }

    /// The timer fires or not, depending on the time.
    pub(crate) fn timeout(&mut self) -> Vec<Action> {
        self.step(|reap, step| reap.timeout(step))
    }

    /// The data path sends payload.
    pub(crate) fn send(&mut self) -> Vec<Action> {
        if self.stamps.sent(self.now) {
            self.timeout()
        } else {
            vec![]
        }
    }

    /// The data path receives payload.
    pub(crate) fn receive(&mut self) -> Vec<Action> {
        if self.stamps.received(self.now) {
            self.timeout()
        } else {
            vec![]
        }
    }

    /// A Keepalive comes.
    pub(crate) fn keepalive(&mut self) -> Vec<Action> {
        self.step(|reap, step| reap.receive_keepalive(step))
    }

    /// A Probe in octets comes.
    pub(crate) fn probe_in(&mut self, octets: &[u8], arrival: &Arrival) -> Vec<Action> {
        let Ok(Message::Probe(probe)) = Message::parse(arrival, octets) else {
            panic!("no Probe: {octets:x?}");
        };
        self.step(|reap, step| reap.receive_probe(step, &probe, arrival))
    }

    /// A Probe of the peer comes over `pair`.
    pub(crate) fn probe(
        &mut self,
        pair: LocatorPair,
        state: ProbeState,
        nonce: u32,
        received: &[ProbeRecord],
    ) -> Vec<Action> {
        let octets = probe_octets(&Said {
            state,
            sent: vec![their_record(pair, nonce)],
            received: received.to_vec(),
        });
        self.probe_in(&octets, &from_peer(pair))
    }

    /// A program complains.
    pub(crate) fn hint(&mut self) -> Vec<Action> {
        use shim6_proto::reap::Hint;
        self.step(|reap, step| reap.hint(step, Hint::NegativeFeedback))
    }

    /// Locators have changed.
    pub(crate) fn changed(&mut self) -> Vec<Action> {
        self.step(|reap, step| reap.candidates_changed(step, false))
    }

    /// The peer has acknowledged over a pair.
    pub(crate) fn confirmed(&mut self, pair: LocatorPair) -> Vec<Action> {
        self.step(|reap, step| reap.confirmed(step, pair))
    }

    /// The Probe of an action, as it goes over the wire.
    pub(crate) fn composed(&self, action: &Action) -> Vec<u8> {
        let Action::Probe { state, nonce, .. } = action else {
            panic!("{action:?}");
        };
        let mut buffer = [0; 1280];
        compose::probe(&mut buffer, PEER, *state, *nonce, &self.reap)
            .unwrap()
            .to_vec()
    }

    /// What the Probe of an action says.
    pub(crate) fn says(&self, action: &Action) -> Said {
        read_probe(&self.composed(action), &from_peer(ULIDS))
    }

    /// Milliseconds since the bench began.
    pub(crate) fn elapsed(&self) -> u64 {
        self.now.as_millis() - START.as_millis()
    }

    /// The clock shows so many milliseconds since the bench began, and nothing happens.
    pub(crate) fn set_clock(&mut self, millis: u64) {
        self.now = Instant::from_millis(START.as_millis() + millis);
    }

    /// The time passes until so many milliseconds since the bench began, and the timer fires when
    /// it is set to. What was done, and when.
    pub(crate) fn run_until(&mut self, millis: u64) -> Vec<(u64, Action)> {
        let mut done = vec![];
        while let Some(deadline) = self.reap.next_deadline() {
            let at = deadline.as_millis().saturating_sub(START.as_millis());
            if at > millis {
                break;
            }
            assert!(deadline > self.now || done.len() < 10_000, "no progress");
            self.now = deadline.max(self.now);
            let actions = self.timeout();
            done.extend(actions.into_iter().map(|action| (at, action)));
        }
        self.set_clock(millis);
        done
    }
}

/// [`Stamps::settle`] while no packet is under way.
pub(crate) fn settle(stamps: &Stamps, before: &Activity, after: Timers, wake: Wake) -> Settled {
    stamps.settle(before, after, wake, &mut None::<NoPeriod>)
}

/// The Probes among actions: Sta and pair.
pub(crate) fn probes(actions: &[Action]) -> Vec<(ProbeState, LocatorPair)> {
    let probe = |action: &Action| match action {
        Action::Probe { state, pair, .. } => Some((*state, *pair)),
        _ => None,
    };
    actions.iter().filter_map(probe).collect()
}

/// The nonce of the last Probe among actions.
pub(crate) fn nonce(actions: &[Action]) -> Nonce {
    let nonce = |action: &Action| match action {
        Action::Probe { nonce, .. } => Some(*nonce),
        _ => None,
    };
    actions.iter().rev().find_map(nonce).expect("a Probe")
}

/// The states among actions, and why.
pub(crate) fn entered(actions: &[Action]) -> Vec<(State, Cause)> {
    let enter = |action: &Action| match action {
        Action::Enter { state, cause } => Some((*state, *cause)),
        _ => None,
    };
    actions.iter().filter_map(enter).collect()
}

/// The pairs switched to among actions.
pub(crate) fn switches(actions: &[Action]) -> Vec<LocatorPair> {
    let switch = |action: &Action| match action {
        Action::Switch { pair, .. } => Some(*pair),
        _ => None,
    };
    actions.iter().filter_map(switch).collect()
}

/// So many milliseconds.
pub(crate) const fn ms(millis: u32) -> Interval {
    Interval::from_millis(millis)
}
