// SPDX-License-Identifier: GPL-2.0

//! Control messages: what arrives, and what is built.

use arbitrary::{
    Arbitrary,
    Result,
    Unstructured, //
};
use shim6_proto::{
    dispatch::{
        Key,
        Unmatched, //
    },
    locator::{
        Locator,
        LocatorRecord,
        Preference,
        PreferenceFlags,
        VerificationMethod, //
    },
    number::{
        Fii,
        Generation,
        Nonce, //
    },
    tag::ContextTag,
    wire::{
        build::{
            BuildError,
            MAX_LEN, //
        },
        fault::{
            ErrorCode,
            Fault,
            Reason,
            Report, //
        },
        message::{
            Arrival,
            Message, //
        },
        message_type::MessageType,
        option::{
            KeepaliveTimeout,
            OptionType, //
        },
        payload::PayloadHeader,
        probe::{
            ProbeRecord,
            ProbeState, //
        },
        quote::Quote, //
    }, //
};

use crate::{
    model::{
        pair,
        Host,
        Model, //
    },
    support::{
        arrival,
        checksum,
        fix_checksum, //
    }, //
};

/// The Shim6 header at the start of `octets`, if it is all there.
fn header(octets: &mut [u8]) -> Option<&mut [u8]> {
    let units = usize::from(*octets.get(1)?);
    octets.get_mut(..(units + 1) * 8)
}

/// The first octet says how the rest arrives: mostly with the right checksum, which a fuzzer
/// would not find.
pub fn message(data: &[u8]) {
    let Some((how, octets)) = data.split_first() else {
        return;
    };
    let mut octets = octets.to_vec();
    if how & 1 == 0 {
        if let Some(header) = header(&mut octets) {
            fix_checksum(header);
        }
    }
    let mut arrival = arrival();
    if how & 2 != 0 {
        arrival.source = Locator::new([0xff; 16]);
    }
    arrival.offset = 40 + usize::from(how >> 2) * 8;

    check_payload(&octets);
    match Message::parse(&arrival, &octets) {
        Ok(message) => check_message(&arrival, &message, &octets),
        Err(fault) => check_fault(&arrival, &fault, &octets),
    }
}

/// A payload extension header is what it is made of.
fn check_payload(octets: &[u8]) {
    let is_payload = octets.get(2).is_some_and(|octet| octet & 0x80 != 0);
    match PayloadHeader::parse(octets) {
        Ok(Some(header)) => assert_eq!(header.to_octets(), octets[..8]),
        Ok(None) => assert!(!is_payload),
        Err(reason) => assert!(is_payload || reason == Reason::Truncated),
    }
}

/// What is accepted obeys the rules of the header, means the same when it is built again, and is
/// for a context that fits.
fn check_message(arrival: &Arrival, message: &Message<'_>, octets: &[u8]) {
    let header = &octets[..(usize::from(octets[1]) + 1) * 8];
    assert!(arrival.source.is_unicast());
    assert_eq!(header[2], message.message_type().to_wire());
    assert_eq!(header[3] & 1, 0);
    assert_eq!(checksum(header), 0);
    assert!(header.len() >= message.message_type().min_len());
    check_dispatch(arrival, message);

    // What is longer could not be sent.
    if header.len() > MAX_LEN {
        return;
    }
    let model = Model::from(message);
    match model.build() {
        Ok(built) => {
            assert!(built.len() <= header.len());
            let again = Message::parse(&crate::support::arrival(), &built);
            assert_eq!(again.map(|again| Model::from(&again)), Ok(model));
        }
        // Elements cannot be absent in what we build.
        Err(error) => {
            let elements = model.host.preferences.map(|(_, elements)| elements.len());
            assert_eq!((error, elements), (BuildError::Count, Some(0)));
        }
    }
}

/// Who a message is for agrees with what is done if there is nobody.
fn check_dispatch(arrival: &Arrival, message: &Message<'_>) {
    let key = Key::of(message, arrival);
    let unmatched = Unmatched::of(message.message_type());
    match (message, key) {
        (Message::Error(error), None) => {
            assert!(Quote::parse(error.packet).is_none_or(|quote| Key::quoted(&quote).is_none()));
        }
        (Message::Error(_), Some(key)) => assert!(!matches!(key, Key::Identity(_))),
        (_, Some(Key::Identity(identity))) => {
            assert!(matches!(unmatched, Unmatched::ReplyR1 | Unmatched::Respond));
            let named = match message {
                Message::I1(i1) => i1.ulid_pair,
                Message::I2(i2) => i2.ulid_pair,
                Message::I2bis(i2bis) => i2bis.ulid_pair,
                other => panic!("{other:?}"),
            };
            if named.is_none() {
                assert_eq!(identity.ulids.local.as_locator(), arrival.destination);
                assert_eq!(identity.ulids.peer.as_locator(), arrival.source);
            }
        }
        (_, Some(Key::LocalTag(tag))) => {
            assert_eq!(unmatched, Unmatched::ReplyR1bis);
            assert_eq!(Model::from(message).tag, Some(tag));
        }
        (_, Some(Key::Nonce { pair, .. } | Key::PeerTag { pair, .. })) => {
            assert_eq!(unmatched, Unmatched::Drop);
            assert_eq!(
                (pair.local, pair.peer),
                (arrival.destination, arrival.source)
            );
        }
        (_, None) => panic!("{message:?} is for nobody"),
    }
}

/// Only two faults are reported, and the pointer is inside of the message.
fn check_fault(arrival: &Arrival, fault: &Fault, octets: &[u8]) {
    let is_reported = matches!(fault.reason, Reason::UnknownType | Reason::OptionCritical);
    assert_eq!(fault.report.is_some(), is_reported);
    if let Some(report) = fault.report {
        let at = usize::from(report.pointer) - arrival.offset;
        assert!(at < octets.len());
        match fault.reason {
            Reason::UnknownType => assert_eq!(at, 2),
            _ => assert_eq!((at % 8, octets[at + 1] & 1), (0, 1)),
        }
    }
}

/// A message of any type, built in any room, parses back to the same.
pub fn round_trip(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(model) = model(&mut u) else {
        return;
    };
    match model.build() {
        Ok(message) => {
            assert!(message.len() <= MAX_LEN && message.len() % 8 == 0);
            assert_eq!(checksum(&message), 0);
            let parsed = Message::parse(&arrival(), &message);
            assert_eq!(parsed.map(|parsed| Model::from(&parsed)), Ok(model.clone()));

            let mut room = vec![0xff; usize::from(u.arbitrary::<u16>().unwrap_or(0)) % 2048];
            let expected = match message.len() <= room.len() {
                true => Ok(message.as_slice()),
                false => Err(BuildError::NoRoom),
            };
            assert_eq!(model.build_in(&mut room), expected);
        }
        Err(error) => assert_eq!(error, BuildError::TooLong),
    }
}

/// A message of any type, with the fields of that type.
pub(crate) fn model(u: &mut Unstructured<'_>) -> Result<Model> {
    use MessageType as T;

    let message = *u.choose(&MessageType::ALL)?;
    let takes = |option| message.takes(option);
    let mut model = Model::new(message);

    if message.has_tag() {
        model.tag = Some(tag(u)?);
    }
    if message == T::I2bis {
        model.packet_tag = Some(tag(u)?);
    }
    if matches!(message, T::I1 | T::R1 | T::I2 | T::R2 | T::I2bis) {
        model.initiator_nonce = Some(nonce(u)?);
    }
    if matches!(message, T::R1 | T::I2 | T::R1bis | T::I2bis) {
        model.responder_nonce = Some(nonce(u)?);
    }
    if matches!(message, T::UpdateRequest | T::UpdateAcknowledgement) {
        model.request_nonce = Some(nonce(u)?);
    }
    if takes(OptionType::ResponderValidator) {
        model.validator = Some(octets(u, 200)?);
    }
    if takes(OptionType::UlidPair) {
        if u.arbitrary()? {
            model.ulid_pair = Some(pair(u.arbitrary()?, u.arbitrary()?));
        }
        model.fii = Fii::new(u.arbitrary()?);
    }
    if takes(OptionType::LocatorList) {
        model.host = host(u)?;
    }
    if message == T::Probe {
        model.probe = Some(probe(u)?);
    }
    if message == T::Error {
        let code = ErrorCode::new(u.int_in_range(0..=127)?).expect("7 bits");
        let pointer = u.arbitrary()?;
        let units = u.int_in_range(1..=154)?;
        let mut packet = octets(u, units * 8)?;
        packet.resize(units * 8, 0x60);
        model.error = Some((Report { code, pointer }, packet));
    }
    Ok(model)
}

fn tag(u: &mut Unstructured<'_>) -> Result<ContextTag> {
    u.arbitrary().map(ContextTag::from_low_bits)
}

fn nonce(u: &mut Unstructured<'_>) -> Result<Nonce> {
    u.arbitrary().map(Nonce::new)
}

/// Up to so many octets.
pub(crate) fn octets(u: &mut Unstructured<'_>, most: usize) -> Result<Vec<u8>> {
    let len = u.int_in_range(0..=most)?;
    Ok(u.bytes(len.min(u.len()))?.to_vec())
}

/// Something or nothing.
fn maybe<'a, T>(
    u: &mut Unstructured<'a>,
    make: impl FnOnce(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Option<T>> {
    if u.arbitrary()? {
        make(u).map(Some)
    } else {
        Ok(None)
    }
}

fn host(u: &mut Unstructured<'_>) -> Result<Host> {
    Ok(Host {
        list: maybe(u, |u| Ok((generation(u)?, records(u, 1, 70)?)))?,
        preferences: maybe(u, |u| {
            let number = u.int_in_range(1..=70)?;
            Ok((generation(u)?, preferences(u, number)?))
        })?,
        pds: maybe(u, |u| octets(u, 300))?,
        signature: maybe(u, |u| octets(u, 300))?,
        keepalive_timeout: KeepaliveTimeout::new(u.arbitrary()?),
    })
}

/// A generation.
pub(crate) fn generation(u: &mut Unstructured<'_>) -> Result<Generation> {
    u.arbitrary().map(Generation::new)
}

/// So many records of a list.
pub(crate) fn records(
    u: &mut Unstructured<'_>,
    least: usize,
    most: usize,
) -> Result<Vec<LocatorRecord>> {
    let number = u.int_in_range(least..=most)?;
    (0..number)
        .map(|_| {
            Ok(LocatorRecord {
                locator: Locator::new(u.arbitrary()?),
                method: VerificationMethod::new(u.int_in_range(0..=3)?),
            })
        })
        .collect()
}

/// So many elements, which all have the same fields.
pub(crate) fn preferences(u: &mut Unstructured<'_>, number: usize) -> Result<Vec<Preference>> {
    let fields = u.int_in_range(1..=3)?;
    (0..number)
        .map(|_| {
            let [flags, priority, weight] = u.arbitrary()?;
            Ok(Preference {
                flags: PreferenceFlags::new(flags),
                priority: (fields > 1).then_some(priority),
                weight: (fields > 2).then_some(weight),
            })
        })
        .collect()
}

type Probe = (ProbeState, Vec<ProbeRecord>, Vec<ProbeRecord>);

fn probe(u: &mut Unstructured<'_>) -> Result<Probe> {
    let states = [
        ProbeState::Operational,
        ProbeState::Exploring,
        ProbeState::InboundOk,
    ];
    let state = *u.choose(&states)?;
    let mut records = |least| -> Result<Vec<ProbeRecord>> {
        let number = u.int_in_range(least..=15)?;
        (0..number)
            .map(|_| {
                Ok(ProbeRecord {
                    source: Locator::new(u.arbitrary()?),
                    destination: Locator::new(u.arbitrary()?),
                    nonce: Nonce::new(u.arbitrary()?),
                    data: u32::arbitrary(u)?,
                })
            })
            .collect()
    };
    Ok((state, records(1)?, records(0)?))
}
