// SPDX-License-Identifier: GPL-2.0

//! Messages of a context: what goes into them, and what is left out when there is no room.

use proptest::prelude::*;
use shim6_proto::{
    compose::{
        compose,
        update_request,
        Composed,
        HostView,
        LeftOut,
        Update, //
    },
    establish::Content,
    identity::Identity,
    locator::{
        Locator,
        LocatorPair,
        LocatorRecord,
        Preference,
        VerificationMethod, //
    },
    number::{
        Fii,
        Generation,
        Nonce, //
    },
    wire::{
        build::{
            BuildError,
            MAX_LEN, //
        },
        message::Message,
        option::{
            HostOptions,
            KeepaliveTimeout,
            UlidPairOption, //
        }, //
    }, //
};

use crate::{
    establish_support::*,
    support::parse, //
};

const TAG: shim6_proto::tag::ContextTag = LOCAL;
const NONCE: Nonce = Nonce::new(0x0102_0304);

const I1: Content<'static> = Content::I1 {
    initiator_tag: TAG,
    initiator_nonce: NONCE,
};
const I2: Content<'static> = Content::I2 {
    initiator_tag: TAG,
    initiator_nonce: NONCE,
    responder_nonce: RESPONDER_NONCE,
    validator: VALIDATOR,
};
const R2: Content<'static> = Content::R2 {
    responder_tag: TAG,
    initiator_nonce: NONCE,
};
const I2BIS: Content<'static> = Content::I2bis {
    initiator_tag: TAG,
    initiator_nonce: NONCE,
    responder_nonce: RESPONDER_NONCE,
    packet_tag: PEER,
    validator: VALIDATOR,
};
const ACKNOWLEDGEMENT: Content<'static> = Content::UpdateAcknowledgement {
    receiver_tag: TAG,
    request_nonce: NONCE,
};

/// A fork.
const FORK: Identity = Identity {
    fii: Fii::new(5),
    ..IDENTITY
};

const fn record(locator: Locator, method: VerificationMethod) -> LocatorRecord {
    LocatorRecord { locator, method }
}

/// A host with two locators.
fn view(records: &[LocatorRecord]) -> HostView<'_> {
    HostView {
        locators: records,
        generation: GENERATION,
        preferences: &[PREFERENCE; 2],
        parameters: &[0xaa; 100],
        signature: &[],
        keepalive_timeout: KeepaliveTimeout::new(20),
    }
}

const PREFERENCE: Preference = Preference {
    flags: shim6_proto::locator::PreferenceFlags::BROKEN,
    priority: Some(1),
    weight: Some(2),
};

const HBA: [LocatorRecord; 2] = [
    record(A1, VerificationMethod::HBA),
    record(A2, VerificationMethod::HBA),
];

/// Composes a message over a pair.
fn composed(
    identity: &Identity,
    pair: LocatorPair,
    content: &Content<'_>,
    host: &HostView<'_>,
) -> (Vec<u8>, LeftOut) {
    let mut buffer = [0xff; MAX_LEN];
    let Composed { octets, left_out } =
        compose(&mut buffer, identity, pair, content, host).expect("a message");
    (octets.to_vec(), left_out)
}

/// Who waits for an answer asks again (RFC 5533, Sections 7.8, 7.12 and 7.19); who answers keeps
/// nothing.
#[test]
fn questions_are_kept() {
    for (content, is_kept) in [
        (I1, true),
        (I2, true),
        (R2, false),
        (I2BIS, true),
        (ACKNOWLEDGEMENT, false),
    ] {
        assert_eq!(content.is_kept(), is_kept, "{content:?}");
    }
}

#[test]
fn i1_over_the_ulids_is_bare() {
    let (octets, left_out) = composed(&IDENTITY, ULIDS, &I1, &view(&HBA));
    assert_eq!(octets.len(), 16);
    assert_eq!(left_out, LeftOut::Nothing);
    let Ok(Message::I1(i1)) = parse(&octets) else {
        panic!("no I1");
    };
    assert_eq!((i1.initiator_tag, i1.initiator_nonce), (TAG, NONCE));
    assert_eq!((i1.ulid_pair, i1.fii), (None, Fii::DEFAULT));
}

/// The identity in the options of a message that names a context.
fn named(octets: &[u8]) -> (Option<UlidPairOption>, Fii) {
    match parse(octets).expect("a message") {
        Message::I1(i1) => (i1.ulid_pair, i1.fii),
        Message::I2(i2) => (i2.ulid_pair, i2.fii),
        Message::I2bis(i2bis) => (i2bis.ulid_pair, i2bis.fii),
        other => panic!("{other:?}"),
    }
}

/// The ULID Pair option is there if the addresses are others, even if only one is; the FII option
/// if the instance is not the default one.
#[test]
fn contexts_are_named_when_needed() {
    let ulids = UlidPairOption::from(IDENTITY.ulids);
    let half = LocatorPair {
        local: A1,
        peer: B2,
    };
    for content in [I1, I2, I2BIS] {
        for (pair, option) in [(ULIDS, None), (OTHER, Some(ulids)), (half, Some(ulids))] {
            for identity in [IDENTITY, FORK] {
                let (octets, _) = composed(&identity, pair, &content, &HostView::ULID_ONLY);
                assert_eq!(named(&octets), (option, identity.fii), "{content:?}");
            }
        }
    }
}

/// What a message says about its sender.
fn host_of<'a>(message: &Message<'a>) -> HostOptions<'a> {
    match message {
        Message::I2(i2) => i2.host,
        Message::R2(r2) => r2.host,
        Message::I2bis(i2bis) => i2bis.host,
        Message::UpdateRequest(request) => request.host,
        other => panic!("{other:?}"),
    }
}

#[test]
fn i2_r2_and_i2bis_describe_the_host() {
    for content in [I2, R2, I2BIS] {
        let (octets, left_out) = composed(&IDENTITY, ULIDS, &content, &view(&HBA));
        assert_eq!(left_out, LeftOut::Nothing);
        let host = host_of(&parse(&octets).expect("a message"));
        let list = host.locator_list.expect("a list");
        assert_eq!(list.generation(), GENERATION);
        assert!(list.iter().eq(HBA));
        let preferences = host.locator_preferences.expect("preferences");
        assert_eq!(preferences.check(GENERATION, 2), Ok(()));
        assert!(preferences.iter().eq([PREFERENCE; 2]));
        assert_eq!(host.cga_parameters, Some([0xaa; 100].as_slice()));
        assert_eq!(host.cga_signature, None);
        assert_eq!(host.keepalive_timeout, KeepaliveTimeout::new(20));
    }
}

#[test]
fn what_is_copied() {
    let (octets, _) = composed(&IDENTITY, ULIDS, &I2, &HostView::ULID_ONLY);
    let Ok(Message::I2(i2)) = parse(&octets) else {
        panic!("no I2");
    };
    assert_eq!((i2.initiator_tag, i2.initiator_nonce), (TAG, NONCE));
    assert_eq!(
        (i2.responder_nonce, i2.validator),
        (RESPONDER_NONCE, VALIDATOR)
    );

    let (octets, _) = composed(&IDENTITY, ULIDS, &I2BIS, &HostView::ULID_ONLY);
    let Ok(Message::I2bis(i2bis)) = parse(&octets) else {
        panic!("no I2bis");
    };
    assert_eq!((i2bis.initiator_tag, i2bis.initiator_nonce), (TAG, NONCE));
    assert_eq!(i2bis.packet_tag, PEER);
    assert_eq!(
        (i2bis.responder_nonce, i2bis.validator),
        (RESPONDER_NONCE, VALIDATOR)
    );

    let (octets, _) = composed(&IDENTITY, ULIDS, &R2, &HostView::ULID_ONLY);
    let Ok(Message::R2(r2)) = parse(&octets) else {
        panic!("no R2");
    };
    assert_eq!((r2.responder_tag, r2.initiator_nonce), (TAG, NONCE));
    assert_eq!(r2.host, HostOptions::default());

    let (octets, _) = composed(&IDENTITY, OTHER, &ACKNOWLEDGEMENT, &view(&HBA));
    assert_eq!(octets.len(), 16);
    let Ok(Message::UpdateAcknowledgement(acknowledgement)) = parse(&octets) else {
        panic!("no acknowledgement");
    };
    assert_eq!(acknowledgement.receiver_tag, TAG);
    assert_eq!(acknowledgement.request_nonce, NONCE);
}

/// The signature comes with the first CGA locator, and without a list there is nothing to prove.
#[test]
fn proofs_come_with_what_they_prove() {
    let mixed = [HBA[0], record(A2, VerificationMethod::CGA)];
    let host = HostView {
        signature: &[0xbb; 128],
        ..view(&mixed)
    };
    let (octets, _) = composed(&IDENTITY, ULIDS, &R2, &host);
    let told = host_of(&parse(&octets).expect("a message"));
    assert_eq!(told.cga_signature, Some([0xbb; 128].as_slice()));

    let host = HostView {
        signature: &[0xbb; 128],
        ..view(&HBA)
    };
    let (octets, _) = composed(&IDENTITY, ULIDS, &R2, &host);
    let told = host_of(&parse(&octets).expect("a message"));
    assert_eq!(told.cga_signature, None);

    let host = HostView {
        preferences: &[],
        ..view(&[])
    };
    let (octets, _) = composed(&IDENTITY, ULIDS, &R2, &host);
    let told = host_of(&parse(&octets).expect("a message"));
    assert_eq!((told.locator_list, told.cga_parameters), (None, None));
    assert_eq!(told.keepalive_timeout, KeepaliveTimeout::new(20));
}

/// An Update Request of the host.
fn update(update: Update, host: &HostView<'_>) -> (Vec<u8>, LeftOut) {
    let mut buffer = [0; MAX_LEN];
    let Composed { octets, left_out } =
        update_request(&mut buffer, &IDENTITY, ULIDS, PEER, NONCE, update, host)
            .expect("a message");
    (octets.to_vec(), left_out)
}

#[test]
fn update_requests() {
    for parameters in [false, true] {
        let everything = Update::Everything { parameters };
        let (octets, left_out) = update(everything, &view(&HBA));
        assert_eq!(left_out, LeftOut::Nothing);
        let Ok(Message::UpdateRequest(request)) = parse(&octets) else {
            panic!("no Update Request");
        };
        assert_eq!((request.receiver_tag, request.request_nonce), (PEER, NONCE));
        assert_eq!(request.host.cga_parameters.is_some(), parameters);
        assert!(request.host.locator_list.is_some());
        assert!(request.host.locator_preferences.is_some());
    }

    let (octets, _) = update(Update::Preferences, &view(&HBA));
    let told = host_of(&parse(&octets).expect("a message"));
    assert_eq!((told.locator_list, told.cga_parameters), (None, None));
    assert!(told.locator_preferences.is_some());
}

/// So many locators of this host, the ULID first.
fn many(number: u8, method: impl Fn(u8) -> VerificationMethod) -> Vec<LocatorRecord> {
    (0..number)
        .map(|i| record(address(0xa, i + 1), method(i)))
        .collect()
}

/// The locators in a message.
fn listed(octets: &[u8]) -> Vec<LocatorRecord> {
    let host = host_of(&parse(octets).expect("a message"));
    host.locator_list.expect("a list").iter().collect()
}

/// The sizes of the specification (shim6-wire.md, section 10): 32 locators of an HBA set fit with
/// everything else there can be.
#[test]
fn thirty_two_locators_of_a_set_fit() {
    let records = many(32, |_| VerificationMethod::HBA);
    // Fixed part, pseudo-key, Multi-Prefix extension.
    let parameters = vec![0; 25 + 78 + 8 + 8 * 32];
    let host = HostView {
        preferences: &[PREFERENCE; 32],
        parameters: &parameters,
        ..view(&records)
    };
    let (octets, left_out) = composed(&FORK, OTHER, &I2, &host);
    assert_eq!(left_out, LeftOut::Nothing);
    assert_eq!(octets.len(), 1168);
}

/// First the preferences go, then locators from the end, but not the one that the message comes
/// from; the Parameter Data Structure stays whole.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn what_does_not_fit_is_left_out() {
    let records = many(32, |_| VerificationMethod::HBA);
    let last = records[31].locator;
    let pair = LocatorPair {
        local: last,
        peer: B1,
    };
    let mut seen = vec![];
    for length in (500..900).step_by(8) {
        let parameters = vec![0; length];
        let host = HostView {
            preferences: &[PREFERENCE; 32],
            parameters: &parameters,
            ..view(&records)
        };
        let (octets, left_out) = composed(&FORK, pair, &I2, &host);
        let told = host_of(&parse(&octets).expect("a message"));
        let list = listed(&octets);
        assert_eq!(told.cga_parameters.map(<[u8]>::len), Some(length));
        assert_eq!(list.first(), records.first());
        assert_eq!(list.last(), records.last());
        match left_out {
            LeftOut::Nothing => panic!("{length} octets fit"),
            LeftOut::Preferences => assert_eq!(list, records),
            LeftOut::Locators(number) => {
                let kept = 32 - number;
                assert_eq!(list.len(), kept);
                assert_eq!(list[..kept - 1], records[..kept - 1]);
                // One more would not have fitted: 17 octets, and padding.
                assert!(octets.len() + 17 > MAX_LEN - 8, "{}", octets.len());
            }
        }
        assert_eq!(told.locator_preferences, None);
        seen.push(left_out);
    }
    assert!(seen.contains(&LeftOut::Preferences));
    assert!(seen.contains(&LeftOut::Locators(10)));
}

/// A signature over all CGA locators is worth nothing if one of them is missing.
#[test]
fn signed_locators_are_not_left_out() {
    let records = many(32, |i| {
        if i % 2 == 0 {
            VerificationMethod::CGA
        } else {
            VerificationMethod::HBA
        }
    });
    let host = HostView {
        preferences: &[],
        parameters: &[0; 500],
        signature: &[0; 128],
        ..view(&records)
    };
    let (octets, left_out) = composed(&IDENTITY, ULIDS, &I2, &host);
    let LeftOut::Locators(number) = left_out else {
        panic!("{left_out:?}");
    };
    let list = listed(&octets);
    assert_eq!(list.len(), 32 - number);
    let signed = |list: &[LocatorRecord]| {
        list.iter()
            .filter(|record| record.method == VerificationMethod::CGA)
            .count()
    };
    assert_eq!(signed(&list), 16);

    let host = HostView {
        parameters: &[0; 800],
        ..host
    };
    let mut buffer = [0; MAX_LEN];
    let error = compose(&mut buffer, &IDENTITY, ULIDS, &I2, &host);
    assert_eq!(error, Err(BuildError::TooLong));
}

#[test]
fn parameters_that_leave_no_room_are_an_error() {
    let host = HostView {
        parameters: &[0; 1_200],
        ..view(&HBA)
    };
    for content in [I2, R2, I2BIS] {
        let mut buffer = [0; MAX_LEN];
        let error = compose(&mut buffer, &IDENTITY, ULIDS, &content, &host);
        assert_eq!(error, Err(BuildError::TooLong), "{content:?}");
    }
}

#[test]
fn small_buffers_are_an_error() {
    for length in [0, 15, 100] {
        let mut buffer = vec![0; length];
        let error = compose(&mut buffer, &IDENTITY, ULIDS, &I2, &view(&HBA));
        assert_eq!(error, Err(BuildError::NoRoom), "{length}");
    }
}

proptest! {
    /// Whatever a host has to tell: the message is valid and short enough, has the ULID, the
    /// source and what is signed, and says what it does not have.
    #[test]
    fn messages_are_short_and_honest(
        number in 1_u8..=32,
        cga in 0_u32..,
        parameters in 0_usize..1_300,
        signature in select(),
        preferences: bool,
        generation: u32,
    ) {
        let records = many(number, |i| {
            if (cga >> i) & 1 != 0 { VerificationMethod::CGA } else { VerificationMethod::HBA }
        });
        let parameters = vec![1; parameters];
        let signature = vec![2; signature];
        let elements = vec![PREFERENCE; if preferences { usize::from(number) } else { 0 }];
        let host = HostView {
            locators: &records,
            generation: Generation::new(generation),
            preferences: &elements,
            parameters: &parameters,
            signature: &signature,
            keepalive_timeout: None,
        };
        let source = records[records.len() - 1].locator;
        let pair = LocatorPair { local: source, peer: B1 };
        let mut buffer = [0; MAX_LEN];

        match compose(&mut buffer, &FORK, pair, &I2, &host) {
            Ok(Composed { octets, left_out }) => {
                prop_assert!(octets.len() <= MAX_LEN);
                let list = listed(octets);
                let told = host_of(&parse(octets).expect("a message"));
                prop_assert!(list.iter().any(|record| record.locator == A1));
                prop_assert!(list.iter().any(|record| record.locator == source));
                let kept = records.iter().filter(|record| list.contains(record));
                prop_assert!(kept.copied().eq(list.iter().copied()), "the order of the list");
                prop_assert!(records
                    .iter()
                    .filter(|record| record.method == VerificationMethod::CGA)
                    .all(|record| list.contains(record)));
                prop_assert_eq!(told.cga_parameters, Some(parameters.as_slice()));
                let complete = told.locator_preferences.is_some() == preferences;
                prop_assert_eq!(left_out, match records.len() - list.len() {
                    0 if complete => LeftOut::Nothing,
                    0 => LeftOut::Preferences,
                    missing => LeftOut::Locators(missing),
                });
            }
            Err(error) => {
                prop_assert_eq!(error, BuildError::TooLong);
                prop_assert!(parameters.len() + signature.len() + 17 * records.len() > 800);
            }
        }
    }
}

/// Sizes of signatures.
fn select() -> impl Strategy<Value = usize> {
    proptest::sample::select(vec![128_usize, 256, 512])
}
