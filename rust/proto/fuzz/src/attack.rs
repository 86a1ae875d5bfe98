// SPDX-License-Identifier: GPL-2.0

//! The hosts of the model, and somebody on the path between them who sees every packet and makes
//! of them what a fuzzer wants.

use std::mem;

use arbitrary::{
    Result,
    Unstructured, //
};
use shim6_model::{
    crypto::Seeded,
    host::{
        Confused,
        Host,
        World, //
    },
    packet::{
        Contents,
        Packet, //
    },
    set::HbaSet, //
};
use shim6_proto::{
    establish::Constants,
    identity::Identity,
    locator::{
        Locator,
        LocatorRecord,
        UlidPair, //
    },
    number::{
        Fii,
        Nonce, //
    },
    tag::ContextTag,
    time::{
        Instant,
        Interval, //
    },
    wire::{
        build::MAX_LEN,
        message::Message, //
    }, //
};

use crate::{
    message::model,
    model::Model,
    support::fix_checksum, //
};

/// How many packets somebody remembers.
const MOST_PACKETS: usize = 64;

/// The longest validator that is passed on. A host of the model has to be able to send it back
/// together with all that it tells.
const MOST_VALIDATOR: usize = 256;

/// Whatever somebody on the path does, no host sends to a locator that its peer did not prove,
/// keeps anything for those who proved nothing, or answers one packet with many.
pub fn attack(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let _ = Path::new(&mut u).and_then(|mut path| path.play(&mut u));
}

/// Two hosts, and who is between them.
struct Path {
    hosts: [Host; 2],
    /// A, B and C; nobody answers at C.
    sets: Vec<HbaSet>,
    /// The same with all addresses that they prove.
    proved: Vec<HbaSet>,
    packets: Vec<Packet>,
    /// How many packets the last event made a host send.
    sent: usize,
    source: Seeded,
    constants: Constants,
    now: Instant,
}

impl Path {
    fn new(u: &mut Unstructured<'_>) -> Result<Self> {
        let sets = SETS.with(Clone::clone);
        let confused = match u.arbitrary()? {
            true => Confused::Restart,
            false => Confused::Discard,
        };
        let mut source = Seeded::new(u.arbitrary::<u8>()?.into());
        if u.ratio(1, 4)? {
            source.tag_mask = 0xf;
        }
        Ok(Self {
            hosts: [0, 1].map(|index: usize| Host::new(sets[index].clone(), confused)),
            proved: sets.iter().map(with_all_bits).collect(),
            sets,
            packets: vec![],
            sent: 0,
            source,
            constants: Constants::default(),
            now: Instant::from_millis(1_000_000),
        })
    }

    fn play(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        for _ in 0..60 {
            if u.is_empty() {
                break;
            }
            self.step(u)?;
        }
        Ok(())
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let index = u.int_in_range(0..=1)?;
        match u.int_in_range(0..=17)? {
            0..=5 => self.deliver(u, |_, packet, _| Ok(packet.clone()))?,
            6 | 7 => self.deliver(u, |_, packet, u| changed(packet, u))?,
            8 => self.deliver(u, |path, packet, u| path.readdressed(packet, u))?,
            9 => self.deliver(u, |path, packet, u| path.invented(packet, u))?,
            10 if !self.packets.is_empty() => {
                let lost = u.choose_index(self.packets.len())?;
                self.packets.remove(lost);
            }
            11 => {
                let millis = u.arbitrary::<u16>()?;
                self.now = self
                    .now
                    .saturating_add(Interval::from_millis(millis.into()));
            }
            12 => {
                if let Some(deadline) = self.hosts[index].next_deadline() {
                    self.now = self.now.max(deadline);
                }
                self.happen(index, |host, world| host.timeout(world));
            }
            13 => {
                let identity = self.identity(index, u)?;
                self.happen(index, |host, world| host.trigger(world, identity));
            }
            14 => match u.int_in_range(0..=2)? {
                0 => self.hosts[index].forget(),
                1 => self.hosts[index].restart(),
                _ => self.hosts[index].expire_negatives(self.now),
            },
            15 => self.happen(index, |host, world| host.announce(world)),
            16 => {
                let stolen = *u.choose(&self.sets[2].locators)?;
                self.happen(index, |host, world| host.lie(world, stolen));
            }
            _ => {
                if let Some(context) = self.hosts[index].contexts().first() {
                    let identity = context.identity;
                    self.happen(index, |host, world| host.send_payload(world, &identity));
                }
            }
        }
        Ok(())
    }

    /// An identity of a host for a context with the other one.
    fn identity(&self, index: usize, u: &mut Unstructured<'_>) -> Result<Identity> {
        let ulid = |u: &mut Unstructured<'_>, set: &HbaSet| {
            u.choose(&set.locators)
                .map(|record| record.locator.as_ulid())
        };
        Ok(Identity {
            ulids: UlidPair {
                local: ulid(u, &self.sets[index])?,
                peer: ulid(u, &self.sets[1 - index])?,
            },
            fii: Fii::new(u.int_in_range(0..=1)?),
        })
    }

    /// Lets something happen to a host, sees what it sends, and checks what it has become.
    fn happen(&mut self, index: usize, event: impl FnOnce(&mut Host, &mut World<'_, Seeded>)) {
        let mut world = World {
            now: self.now,
            constants: &self.constants,
            source: &mut self.source,
            sent: vec![],
        };
        let host = &mut self.hosts[index];
        event(host, &mut world);
        let sent = world.sent;
        host.check(&self.proved).expect("nothing wrong");

        for packet in &sent {
            assert!(packet.octets.len() <= MAX_LEN);
            assert!(packet.contents().is_some(), "{packet:?}");
            assert!(host.set.has(packet.source), "{packet:?}");
        }
        self.sent = sent.len();
        self.packets.extend(sent);
        let forgotten = self.packets.len().saturating_sub(MOST_PACKETS);
        self.packets.drain(..forgotten);
    }

    /// Takes a packet that somebody saw, makes another one of it and lets that arrive.
    fn deliver(
        &mut self,
        u: &mut Unstructured<'_>,
        make: impl FnOnce(&Self, &Packet, &mut Unstructured<'_>) -> Result<Packet>,
    ) -> Result<()> {
        if self.packets.is_empty() {
            return Ok(());
        }
        let at = u.choose_index(self.packets.len())?;
        let packet = make(self, &self.packets[at], u)?;
        let mut hosts = self.hosts.iter();
        let Some(index) = hosts.position(|host| host.set.has(packet.destination)) else {
            return Ok(());
        };
        let (proves, fits) = match packet.contents() {
            Some(Contents::Control(Message::R1(r1))) => (false, r1.validator.len()),
            Some(Contents::Control(Message::R1bis(r1bis))) => (false, r1bis.validator.len()),
            Some(Contents::Control(Message::I2(_) | Message::I2bis(_))) => (true, 0),
            _ => (false, 0),
        };
        if fits > MOST_VALIDATOR {
            return Ok(());
        }

        let before = self.hosts[index].contexts().len();
        self.happen(index, |host, world| host.receive(world, &packet));
        let after = self.hosts[index].contexts().len();
        assert!(after <= before + usize::from(proves), "{packet:?}");
        // An answer and an Update Request, and I1 of those that begin anew.
        assert!(self.sent <= 2 + before, "{packet:?}");
        Ok(())
    }

    /// The same from or to another address.
    fn readdressed(&self, packet: &Packet, u: &mut Unstructured<'_>) -> Result<Packet> {
        let mut address = || -> Result<Locator> {
            let set = u.choose(&self.sets)?;
            u.choose(&set.locators).map(|record| record.locator)
        };
        Ok(Packet {
            source: address()?,
            destination: address()?,
            octets: packet.octets.clone(),
        })
    }

    /// A message of any type to the same host, with tags and nonces that somebody saw.
    fn invented(&self, packet: &Packet, u: &mut Unstructured<'_>) -> Result<Packet> {
        let mut model = model(u)?;
        let (tags, nonces) = self.numbers();
        let tag = |known: &mut Option<ContextTag>, u: &mut Unstructured<'_>| -> Result<()> {
            if known.is_some() && !tags.is_empty() {
                *known = Some(*u.choose(&tags)?);
            }
            Ok(())
        };
        tag(&mut model.tag, u)?;
        tag(&mut model.packet_tag, u)?;
        for known in [
            &mut model.initiator_nonce,
            &mut model.responder_nonce,
            &mut model.request_nonce,
        ] {
            if known.is_some() && !nonces.is_empty() {
                *known = Some(*u.choose(&nonces)?);
            }
        }
        self.prove(packet, &mut model);
        Ok(Packet {
            octets: model.build().unwrap_or_default(),
            ..packet.clone()
        })
    }

    /// Takes from a packet that proves something what proves it.
    fn prove(&self, packet: &Packet, model: &mut Model) {
        if let Some(Contents::Control(message)) = packet.contents() {
            let seen = Model::from(&message);
            if model.validator.is_some() && seen.validator.is_some() {
                model.validator = seen.validator;
                model.responder_nonce = seen.responder_nonce;
            }
            if model.host.pds.is_some() {
                model.host.pds = seen.host.pds;
            }
        }
    }

    /// All tags and nonces that somebody saw.
    fn numbers(&self) -> (Vec<ContextTag>, Vec<Nonce>) {
        let (tags, nonces): (Vec<_>, Vec<_>) = self.packets.iter().map(Packet::numbers).unzip();
        (tags.concat(), nonces.concat())
    }
}

/// The u and g bits of an address have no part in its verification, and one that proves a Sec value
/// proves all below it (RFC 3972, Section 5). So who is on the path can change these bits in a list
/// that is not signed.
fn with_all_bits(set: &HbaSet) -> HbaSet {
    let mut set = set.clone();
    for record in mem::take(&mut set.locators) {
        let octets = record.locator.octets();
        for sec in 0..=octets[8] >> 5 {
            for bits in 0..=3 {
                let mut octets = octets;
                octets[8] = (sec << 5) | (octets[8] & 0x1c) | bits;
                set.locators.push(LocatorRecord {
                    locator: Locator::new(octets),
                    ..record
                });
            }
        }
    }
    set
}

thread_local! {
    static SETS: Vec<HbaSet> = HbaSet::of_vectors();
}

/// The same with some octets changed, and the right checksum.
fn changed(packet: &Packet, u: &mut Unstructured<'_>) -> Result<Packet> {
    let mut packet = packet.clone();
    for _ in 0..u.int_in_range(1..=4)? {
        let at = u.choose_index(packet.octets.len())?;
        packet.octets[at] = u.arbitrary()?;
    }
    let units = usize::from(packet.octets[1]);
    if let Some(header) = packet.octets.get_mut(..(units + 1) * 8) {
        // A payload extension header has no checksum.
        if header[2] & 0x80 == 0 {
            fix_checksum(header);
        }
    }
    Ok(packet)
}
