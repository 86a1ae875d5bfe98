// SPDX-License-Identifier: GPL-2.0

//! What builders refuse, and how much fits (RFC 5533, Section 5.1).

use shim6_proto::{
    locator::{
        Locator,
        Preference,
        PreferenceFlags, //
    },
    number::{
        Fii,
        Generation,
        Nonce, //
    },
    wire::{
        build::{
            self,
            BuildError,
            Builder, //
        },
        fault::{
            ErrorCode,
            Report, //
        },
        message::Message,
        option::KeepaliveTimeout,
        probe::{
            ProbeRecord,
            ProbeState, //
        }, //
    }, //
};

use crate::{
    model::{
        hba,
        pair, //
    },
    support::{
        parse,
        TAG, //
    }, //
};

const NONCE: Nonce = Nonce::new(0x0102_0304);
const GENERATION: Generation = Generation::new(7);
const REPORT: Report = Report {
    code: ErrorCode::UNKNOWN_TYPE,
    pointer: 42,
};

/// A probe record.
const RECORD: ProbeRecord = ProbeRecord {
    source: Locator::new([1; 16]),
    destination: Locator::new([2; 16]),
    nonce: NONCE,
    data: 3,
};

/// An element with these fields.
fn preference(priority: Option<u8>, weight: Option<u8>) -> Preference {
    Preference {
        flags: PreferenceFlags::default(),
        priority,
        weight,
    }
}

/// The length of a Probe with so many records, or the error.
fn probe(sent: usize, received: usize) -> Result<usize, BuildError> {
    let mut buffer = [0; build::MAX_LEN];
    let sent = std::iter::repeat_n(RECORD, sent);
    let received = std::iter::repeat_n(RECORD, received);
    build::probe(&mut buffer, TAG, ProbeState::Exploring, sent, received)?
        .finish()
        .map(<[u8]>::len)
}

/// The error of an Update Request with these preferences.
fn preferences_error(elements: &[Preference]) -> Option<BuildError> {
    let mut buffer = [0; build::MAX_LEN];
    build::update_request(&mut buffer, TAG, NONCE)
        .unwrap()
        .locator_preferences(GENERATION, elements.iter().copied())
        .err()
}

#[test]
fn shortest_messages() {
    let mut buffer = [0xff; 16];
    assert_eq!(
        build::keepalive(&mut buffer, TAG)
            .unwrap()
            .finish()
            .unwrap()
            .len(),
        16
    );
    assert_eq!(
        build::i1(&mut buffer, TAG, NONCE)
            .unwrap()
            .finish()
            .unwrap()
            .len(),
        16
    );
}

/// Whatever was in the buffer is not sent.
#[test]
fn reserved_fields_and_padding_are_zero() {
    let mut buffer = [0xff; 64];
    let message = build::keepalive(&mut buffer, TAG)
        .unwrap()
        .finish()
        .unwrap();
    assert_eq!(message[3], 0);
    assert_eq!(message[12..], [0; 4]);

    let message = build::r1(&mut buffer, NONCE, NONCE, &[1])
        .unwrap()
        .finish()
        .unwrap();
    assert_eq!(message[6..8], [0; 2]);
    assert_eq!(message[16..], [0, 2, 0, 1, 1, 0, 0, 0]);
}

#[test]
fn next_header_is_none() {
    let mut buffer = [0; 16];
    let message = build::keepalive(&mut buffer, TAG)
        .unwrap()
        .finish()
        .unwrap();
    assert_eq!(message[0], 59);
}

#[test]
fn small_buffers() {
    for size in 0..56 {
        let mut buffer = vec![0; size];
        let built = build::i2(&mut buffer, TAG, NONCE, NONCE, &[1; 28]).and_then(Builder::finish);
        assert_eq!(built.err(), Some(BuildError::NoRoom), "{size}");
    }
    let mut buffer = [0; 56];
    let built = build::i2(&mut buffer, TAG, NONCE, NONCE, &[1; 28]).and_then(Builder::finish);
    assert_eq!(built.unwrap().len(), 56);
}

/// 1,280 octets with the IPv6 header, even if the buffer has more.
#[test]
fn longest_message() {
    let mut buffer = [0; 4096];
    let fits = vec![1; build::MAX_LEN - 16 - 4];
    let built = build::r1(&mut buffer, NONCE, NONCE, &fits).and_then(Builder::finish);
    assert_eq!(built.unwrap().len(), 1240);

    let too_long = vec![1; fits.len() + 1];
    let built = build::r1(&mut buffer, NONCE, NONCE, &too_long).map(|_| ());
    assert_eq!(built, Err(BuildError::TooLong));
    let built = build::r1(&mut buffer, NONCE, NONCE, &[1; 70_000]).map(|_| ());
    assert_eq!(built, Err(BuildError::TooLong));
}

#[test]
fn options_once() {
    let mut buffer = [0; build::MAX_LEN];
    let twice = |result: Result<Builder<'_, build::kind::I2>, BuildError>| {
        assert_eq!(result.err(), Some(BuildError::OptionDuplicate));
    };
    macro_rules! assert_once {
        ($($method:ident($($argument:expr),*);)*) => {$(
            let builder = build::i2(&mut buffer, TAG, NONCE, NONCE, &[]).unwrap();
            let builder = builder.$method($($argument),*).unwrap();
            twice(builder.$method($($argument),*));
        )*};
    }
    assert_once! {
        ulid_pair(pair([1; 16], [2; 16]));
        fii(Fii::new(1));
        locator_list(GENERATION, [hba([1; 16])].into_iter());
        locator_preferences(GENERATION, [Preference::default()].into_iter());
        cga_parameters(&[1]);
        cga_signature(&[1]);
        keepalive_timeout(KeepaliveTimeout::new(1).unwrap());
    }
}

#[test]
fn probe_needs_a_sent_record() {
    assert_eq!(probe(0, 0), Err(BuildError::Count));
    assert_eq!(probe(0, 1), Err(BuildError::Count));
    assert_eq!(probe(1, 0), Ok(56));
}

#[test]
fn probe_with_the_most_records() {
    assert_eq!(probe(15, 15), Ok(1216));
    assert_eq!(probe(16, 0), Err(BuildError::Count));
    assert_eq!(probe(1, 16), Err(BuildError::Count));
}

#[test]
fn error_quotes_a_multiple_of_eight() {
    let mut buffer = [0; build::MAX_LEN];
    for (length, quoted) in [
        (8, 8),
        (15, 8),
        (16, 16),
        (1231, 1224),
        (1232, 1232),
        (9000, 1232),
    ] {
        let packet: Vec<u8> = (0..length).map(|i| i as u8).collect();
        let message = build::error(&mut buffer, REPORT, &packet)
            .unwrap()
            .finish()
            .unwrap();
        match parse(message) {
            Ok(Message::Error(error)) => assert_eq!(error.packet, &packet[..quoted]),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn error_without_packet() {
    let mut buffer = [0; build::MAX_LEN];
    for length in 0..8 {
        let built = build::error(&mut buffer, REPORT, &[0; 8][..length]).map(|_| ());
        assert_eq!(built, Err(BuildError::PacketInError));
    }
}

#[test]
fn locator_list_needs_locators() {
    let mut buffer = [0; build::MAX_LEN];
    for number in [0, 256] {
        let list = vec![hba([1; 16]); number];
        let built = build::update_request(&mut buffer, TAG, NONCE)
            .unwrap()
            .locator_list(GENERATION, list.into_iter());
        assert_eq!(built.err(), Some(BuildError::Count));
    }
}

#[test]
fn preferences_need_elements() {
    assert_eq!(preferences_error(&[]), Some(BuildError::Count));
    assert_eq!(preferences_error(&[preference(None, None)]), None);
}

#[test]
fn preferences_have_all_the_same_fields() {
    for mixed in [
        [preference(None, None), preference(Some(1), None)],
        [preference(Some(1), None), preference(None, None)],
        [preference(Some(1), Some(1)), preference(Some(1), None)],
    ] {
        assert_eq!(
            preferences_error(&mixed),
            Some(BuildError::MixedPreferences)
        );
    }
}

#[test]
fn weight_needs_priority() {
    let elements = [preference(None, Some(1))];
    assert_eq!(
        preferences_error(&elements),
        Some(BuildError::MixedPreferences)
    );
}

#[test]
fn too_many_preferences() {
    assert_eq!(
        preferences_error(&vec![preference(Some(1), Some(1)); 30_000]),
        Some(BuildError::Count)
    );
    assert_eq!(
        preferences_error(&[preference(Some(1), Some(1)); 1000]),
        Some(BuildError::TooLong)
    );
}

/// The length of an I2 with everything: `number` locators with 3-octet preferences, a PDS with as
/// many prefixes and a key of `key_len` octets, and a signature of `signature_len`, if not 0.
fn i2(number: u8, key_len: usize, signature_len: usize) -> Result<usize, BuildError> {
    let mut buffer = [0; build::MAX_LEN];
    let locators: Vec<_> = (0..number).map(|i| hba([i; 16])).collect();
    let preferences = vec![preference(Some(1), Some(1)); locators.len()];
    let pds = vec![1; 25 + key_len + 8 + 8 * locators.len()];

    let mut builder = build::i2(&mut buffer, TAG, NONCE, NONCE, &[1; 32])?
        .ulid_pair(pair([1; 16], [2; 16]))?
        .fii(Fii::new(1))?
        .locator_list(GENERATION, locators.into_iter())?
        .locator_preferences(GENERATION, preferences.into_iter())?
        .cga_parameters(&pds)?
        .keepalive_timeout(KeepaliveTimeout::new(20).unwrap())?;
    if signature_len != 0 {
        builder = builder.cga_signature(&vec![1; signature_len])?;
    }
    builder.finish().map(<[u8]>::len)
}

#[test]
fn size_of_i2_with_hba() {
    for (number, length) in [(2, 320), (8, 496), (16, 720), (24, 944), (32, 1168)] {
        assert_eq!(i2(number, 78, 0), Ok(length), "{number} locators");
    }
}

#[test]
fn size_of_i2_with_rsa_1024() {
    for (number, length) in [(2, 536), (8, 712), (16, 936), (24, 1160)] {
        assert_eq!(i2(number, 162, 128), Ok(length), "{number} locators");
    }
    assert_eq!(i2(32, 162, 128), Err(BuildError::TooLong));
}

#[test]
fn size_of_i2_with_rsa_2048() {
    for (number, length) in [(2, 800), (8, 976), (16, 1200)] {
        assert_eq!(i2(number, 294, 256), Ok(length), "{number} locators");
    }
    assert_eq!(i2(24, 294, 256), Err(BuildError::TooLong));
    assert_eq!(i2(32, 294, 256), Err(BuildError::TooLong));
}
