// SPDX-License-Identifier: GPL-2.0

//! Control messages of any kind: what is built parses back to the same, what arrives never
//! panics, and a wrong bit never gets through.

use proptest::{
    collection::vec,
    option::of,
    prelude::*,
    sample::{
        select,
        Index, //
    }, //
};
use shim6_proto::{
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
        checksum,
        fault::{
            ErrorCode,
            Reason,
            Report, //
        },
        message_type::MessageType,
        option::{
            KeepaliveTimeout,
            OptionType,
            UlidPairOption, //
        },
        probe::{
            ProbeRecord,
            ProbeState, //
        }, //
    }, //
};

use crate::{
    model::{
        pair,
        Host,
        Model, //
    },
    support::{
        checksum as naive_checksum,
        fix_checksum,
        parse, //
    }, //
};

fn nonce() -> impl Strategy<Value = Nonce> {
    any::<u32>().prop_map(Nonce::new)
}

fn tag() -> impl Strategy<Value = ContextTag> {
    any::<u64>().prop_map(ContextTag::from_low_bits)
}

fn octets(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..=most)
}

fn ulid_pair() -> impl Strategy<Value = UlidPairOption> {
    any::<([u8; 16], [u8; 16])>().prop_map(|(sender, receiver)| pair(sender, receiver))
}

fn locator_record() -> impl Strategy<Value = LocatorRecord> {
    any::<([u8; 16], u8)>().prop_map(|(octets, method)| LocatorRecord {
        locator: Locator::new(octets),
        method: VerificationMethod::new(method),
    })
}

fn preferences() -> impl Strategy<Value = Vec<Preference>> {
    (1..=3, vec(any::<[u8; 3]>(), 1..20)).prop_map(|(element_len, elements)| {
        let element = |[flags, priority, weight]: [u8; 3]| Preference {
            flags: PreferenceFlags::new(flags),
            priority: (element_len > 1).then_some(priority),
            weight: (element_len > 2).then_some(weight),
        };
        elements.into_iter().map(element).collect()
    })
}

fn host() -> impl Strategy<Value = Host> {
    let generation = || any::<u32>().prop_map(Generation::new);
    (
        of((generation(), vec(locator_record(), 1..20))),
        of((generation(), preferences())),
        of(octets(300)),
        of(octets(300)),
        of((1..=u16::MAX).prop_map(|s| KeepaliveTimeout::new(s).unwrap())),
    )
        .prop_map(
            |(list, preferences, pds, signature, keepalive_timeout)| Host {
                list,
                preferences,
                pds,
                signature,
                keepalive_timeout,
            },
        )
}

fn probe() -> impl Strategy<Value = (ProbeState, Vec<ProbeRecord>, Vec<ProbeRecord>)> {
    let states = select(vec![
        ProbeState::Operational,
        ProbeState::Exploring,
        ProbeState::InboundOk,
    ]);
    let record = || {
        any::<([u8; 16], [u8; 16], u32, u32)>().prop_map(|(source, destination, nonce, data)| {
            ProbeRecord {
                source: Locator::new(source),
                destination: Locator::new(destination),
                nonce: Nonce::new(nonce),
                data,
            }
        })
    };
    (states, vec(record(), 1..=15), vec(record(), 0..=15))
}

fn error() -> impl Strategy<Value = (Report, Vec<u8>)> {
    (0..128_u8, any::<u16>(), vec(any::<u8>(), 8..=1232)).prop_map(|(code, pointer, mut packet)| {
        packet.truncate(packet.len() & !7);
        let code = ErrorCode::new(code).unwrap();
        (Report { code, pointer }, packet)
    })
}

/// A message of any type, with the fields of that type.
fn model() -> impl Strategy<Value = Model> {
    let fixed = (
        select(MessageType::ALL.to_vec()),
        (tag(), tag()),
        (nonce(), nonce(), nonce()),
    );
    let options = (octets(64), of(ulid_pair()), any::<u32>(), host());

    (fixed, options, probe(), error()).prop_map(|(fixed, options, probe, error)| {
        use MessageType as T;

        let (message, (tag, packet_tag), (initiator, responder, request)) = fixed;
        let (validator, ulid_pair, fii, host) = options;
        let takes = |option| message.takes(option);
        let mut model = Model::new(message);

        model.tag = message.has_tag().then_some(tag);
        model.packet_tag = (message == T::I2bis).then_some(packet_tag);
        if matches!(message, T::I1 | T::R1 | T::I2 | T::R2 | T::I2bis) {
            model.initiator_nonce = Some(initiator);
        }
        if matches!(message, T::R1 | T::I2 | T::R1bis | T::I2bis) {
            model.responder_nonce = Some(responder);
        }
        if matches!(message, T::UpdateRequest | T::UpdateAcknowledgement) {
            model.request_nonce = Some(request);
        }
        model.validator = takes(OptionType::ResponderValidator).then_some(validator);
        if takes(OptionType::UlidPair) {
            model.ulid_pair = ulid_pair;
            model.fii = Fii::new(fii);
        }
        if takes(OptionType::LocatorList) {
            model.host = host;
        }
        model.probe = (message == T::Probe).then_some(probe);
        model.error = (message == T::Error).then_some(error);
        model
    })
}

/// The octets of a message of any type that fits.
fn message() -> impl Strategy<Value = Vec<u8>> {
    model().prop_filter_map("too long", |model| model.build().ok())
}

proptest! {
    #[test]
    fn what_is_built_parses_back(model in model()) {
        match model.build() {
            Ok(message) => {
                prop_assert!(message.len() <= MAX_LEN && message.len() % 8 == 0);
                prop_assert_eq!(naive_checksum(&message), 0);
                prop_assert_eq!(parse(&message).map(|parsed| Model::from(&parsed)), Ok(model));
            }
            Err(error) => prop_assert_eq!(error, BuildError::TooLong),
        }
    }

    #[test]
    fn buffer_of_the_exact_size_is_enough(model in model()) {
        if let Ok(message) = model.build() {
            let mut exact = vec![0xff; message.len()];
            prop_assert_eq!(model.build_in(&mut exact), Ok(message.as_slice()));
            let mut short = vec![0xff; message.len() - 1];
            prop_assert_eq!(model.build_in(&mut short), Err(BuildError::NoRoom));
        }
    }

    #[test]
    fn cut_messages_are_refused(message in message(), at: Index) {
        let cut = &message[..at.index(message.len())];
        prop_assert_eq!(parse(cut), Err(Reason::Truncated.into()));
    }

    #[test]
    fn flipped_bits_do_not_pass_the_checksum(message in message(), at: Index) {
        let mut flipped = message.clone();
        let bit = at.index(message.len() * 8);
        flipped[bit / 8] ^= 0x80 >> (bit % 8);
        prop_assert!(checksum::shim6_is_correct(&message));
        prop_assert!(!checksum::shim6_is_correct(&flipped));
    }

    /// Messages that are nearly valid: some octets are anything, the checksum is right again.
    /// Whatever is accepted means the same when it is built and parsed once more.
    #[test]
    fn mutated_messages(
        message in message(),
        changes in vec(any::<(Index, u8)>(), 1..4),
        near_the_start: bool,
    ) {
        let mut mutated = message.clone();
        for (at, octet) in changes {
            let most = if near_the_start { 32.min(message.len()) } else { message.len() };
            mutated[at.index(most)] = octet;
        }
        let end = mutated.len().min((usize::from(mutated[1]) + 1) * 8);
        fix_checksum(&mut mutated[..end]);
        match parse(&mutated) {
            Ok(parsed) => {
                let model = Model::from(&parsed);
                let elements = model.host.preferences.as_ref().map(|(_, p)| p.is_empty());
                match model.build() {
                    Ok(built) => {
                        prop_assert_eq!(parse(&built).map(|again| Model::from(&again)), Ok(model));
                    }
                    // Elements cannot be absent in what we build.
                    Err(error) => {
                        prop_assert_eq!(error, BuildError::Count);
                        prop_assert_eq!(elements, Some(true));
                    }
                }
            }
            Err(fault) => {
                let reported = [Reason::UnknownType, Reason::OptionCritical];
                prop_assert_eq!(fault.report.is_some(), reported.contains(&fault.reason));
            }
        }
    }

    #[test]
    fn any_octets(mut message in octets(400), header: bool, valid_checksum: bool) {
        if header && message.len() >= 8 {
            message[1] = (message.len() / 8 - 1) as u8;
            message[2] = MessageType::ALL[usize::from(message[2]) % 11].to_wire();
            message[3] &= !1;
        }
        if valid_checksum && message.len() >= 8 {
            let end = message.len().min((usize::from(message[1]) + 1) * 8);
            fix_checksum(&mut message[..end]);
        }
        if let Err(fault) = parse(&message) {
            let reported = [Reason::UnknownType, Reason::OptionCritical];
            prop_assert_eq!(fault.report.is_some(), reported.contains(&fault.reason));
        }
    }

    #[test]
    fn checksum_agrees_with_the_naive_one(mut octets in octets(3000)) {
        prop_assume!(octets.len() >= 6);
        octets[4..6].fill(0);
        prop_assert_eq!(checksum::shim6(&octets), naive_checksum(&octets));
    }

    #[test]
    fn checksum_field_does_not_count(message in message(), field: [u8; 2]) {
        let mut changed = message.clone();
        changed[4..6].copy_from_slice(&field);
        prop_assert_eq!(checksum::shim6(&changed).to_be_bytes(), &message[4..6]);
    }
}
