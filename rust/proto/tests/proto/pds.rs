// SPDX-License-Identifier: GPL-2.0

//! The structure of a CGA Parameter Data Structure, rule by rule (RFC 3972, Section 3; RFC 4581,
//! Section 2; RFC 5535, Section 5).

use proptest::prelude::*;
use shim6_proto::pds::{
    CollisionCount,
    MultiPrefix,
    Parameters,
    Pds,
    PdsError, //
};

/// A PDS with this collision count, and with `rest` for key and extensions.
fn pds(count: u8, rest: &[u8]) -> Vec<u8> {
    [[1; 16].as_slice(), &[2; 8], &[count], rest].concat()
}

/// An empty key.
const KEY: [u8; 2] = [0x30, 0];

/// An extension.
fn extension(code: u16, data: &[u8]) -> Vec<u8> {
    let length = data.len() as u16;
    [&code.to_be_bytes(), &length.to_be_bytes(), data].concat()
}

/// The data of a Multi-Prefix extension with this many prefixes.
fn prefixes(number: u8) -> Vec<u8> {
    let mut data = vec![0x80, 0, 0, 0];
    for i in 0..number {
        data.extend_from_slice(&[i; 8]);
    }
    data
}

/// The error of [`Pds::parse`].
#[track_caller]
fn assert_error(octets: &[u8], error: PdsError) {
    assert_eq!(Pds::parse(octets), Err(error));
}

/// What [`Pds::multi_prefix`] says about a PDS with these extensions.
fn multi_prefix(extensions: &[Vec<u8>]) -> Result<Option<usize>, PdsError> {
    let octets = pds(0, &[KEY.to_vec(), extensions.concat()].concat());
    let pds = Pds::parse(&octets).expect("a PDS");
    Ok(pds
        .parameters()
        .multi_prefix()?
        .map(|extension| extension.prefixes().len()))
}

#[test]
fn fields() {
    let octets = pds(2, &[0x30, 3, 7, 8, 9]);
    let pds = Pds::parse(&octets).unwrap();
    assert_eq!(pds.subnet_prefix(), [2; 8]);
    assert_eq!(pds.collision_count().get(), 2);
    let parameters = pds.parameters();
    assert_eq!(parameters.modifier(), [1; 16]);
    assert_eq!(parameters.public_key(), [0x30, 3, 7, 8, 9]);
    assert_eq!(parameters.extensions().count(), 0);
}

#[test]
fn without_key() {
    for length in 0..=25 {
        assert_error(&pds(0, &[])[..length], PdsError::Truncated);
    }
    assert_error(&pds(0, &[0x30]), PdsError::Truncated);
}

#[test]
fn collision_count_above_two() {
    assert_error(&pds(3, &KEY), PdsError::CollisionCount);
    assert_error(&pds(255, &KEY), PdsError::CollisionCount);
}

#[test]
fn key_that_is_no_sequence() {
    assert_error(&pds(0, &[0x02, 0]), PdsError::PublicKey);
}

#[test]
fn key_lengths() {
    for (header, length) in [
        ([0x30, 0x7f].as_slice(), 0x7f),
        (&[0x30, 0x81, 0x80], 0x80),
        (&[0x30, 0x81, 0xff], 0xff),
        (&[0x30, 0x82, 0x01, 0x22], 0x122),
    ] {
        let key = [header, &vec![0; length]].concat();
        let octets = pds(0, &key);
        assert_eq!(Pds::parse(&octets).unwrap().parameters().public_key(), key);
        assert_error(&octets[..octets.len() - 1], PdsError::PublicKey);
    }
}

#[test]
fn key_lengths_of_another_form() {
    for header in [
        [0x30, 0x80, 0, 0, 0],
        [0x30, 0x83, 0, 0, 0],
        [0x30, 0xff, 0, 0, 0],
    ] {
        assert_error(&pds(0, &header), PdsError::PublicKey);
    }
    assert_error(&pds(0, &[0x30, 0x81]), PdsError::PublicKey);
    assert_error(&pds(0, &[0x30, 0x82, 0]), PdsError::PublicKey);
}

#[test]
fn extensions_in_order() {
    let rest = [KEY.to_vec(), extension(5, &[]), extension(6, &[1, 2, 3])].concat();
    let octets = pds(0, &rest);
    let pds = Pds::parse(&octets).unwrap();
    let read: Vec<_> = pds
        .parameters()
        .extensions()
        .map(|e| (e.code, e.data))
        .collect();
    assert_eq!(read, [(5, [].as_slice()), (6, &[1, 2, 3])]);
}

#[test]
fn extensions_that_do_not_fill_the_rest() {
    let whole = extension(5, &[1, 2, 3]);
    for length in 1..whole.len() {
        let rest = [KEY.as_slice(), &whole[..length]].concat();
        assert_error(&pds(0, &rest), PdsError::Extension);
    }
}

#[test]
fn no_multi_prefix_extension() {
    assert_eq!(multi_prefix(&[extension(5, &[1])]), Ok(None));
}

#[test]
fn multi_prefix_extension_behind_another() {
    let extensions = [
        extension(5, &[1]),
        extension(MultiPrefix::TYPE, &prefixes(3)),
    ];
    assert_eq!(multi_prefix(&extensions), Ok(Some(3)));
}

#[test]
fn most_prefixes() {
    let most = MultiPrefix::MAX_PREFIXES;
    let extension = |number| [extension(MultiPrefix::TYPE, &prefixes(number))];
    assert_eq!(multi_prefix(&extension(most as u8)), Ok(Some(most)));
    assert_eq!(
        multi_prefix(&extension(most as u8 + 1)),
        Err(PdsError::MultiPrefix)
    );
}

#[test]
fn multi_prefix_extension_without_prefix() {
    let extensions = [extension(MultiPrefix::TYPE, &prefixes(0))];
    assert_eq!(multi_prefix(&extensions), Err(PdsError::MultiPrefix));
}

#[test]
fn multi_prefix_extension_that_is_cut() {
    let data = prefixes(2);
    for length in (0..12).chain(13..20) {
        let extensions = [extension(MultiPrefix::TYPE, &data[..length])];
        assert_eq!(
            multi_prefix(&extensions),
            Err(PdsError::MultiPrefix),
            "{length}"
        );
    }
}

#[test]
fn two_multi_prefix_extensions() {
    let one = extension(MultiPrefix::TYPE, &prefixes(2));
    assert_eq!(
        multi_prefix(&[one.clone(), one]),
        Err(PdsError::MultiPrefixRepeated)
    );
}

/// Only P counts; the reserved bits beside it are ignored, but hashed.
#[test]
fn public_key_bit() {
    for (flags, expected) in [
        ([0x80, 0, 0, 0], true),
        ([0xff; 4], true),
        ([0x7f, 0xff, 0xff, 0xff], false),
        // The bit at the other end, as a little-endian implementation once wrote it.
        ([0, 0, 0, 0x80], false),
    ] {
        let data = [flags.as_slice(), &[0; 8]].concat();
        let octets = pds(
            0,
            &[KEY.to_vec(), extension(MultiPrefix::TYPE, &data)].concat(),
        );
        let extension = Pds::parse(&octets)
            .unwrap()
            .parameters()
            .multi_prefix()
            .unwrap()
            .unwrap();
        assert_eq!(extension.has_public_key(), expected);
    }
}

#[test]
fn parameters_that_make_no_pds() {
    let new = |key: &[u8], extensions: &[u8]| Parameters::new([1; 16], key, extensions).err();
    assert_eq!(new(&KEY, &[]), None);
    assert_eq!(
        new(&KEY, &[extension(5, &[1]), extension(6, &[])].concat()),
        None
    );

    assert_eq!(new(&[], &[]), Some(PdsError::Truncated));
    assert_eq!(new(&[0x02, 0], &[]), Some(PdsError::PublicKey));
    assert_eq!(new(&[0x30, 3, 7, 8], &[]), Some(PdsError::PublicKey));
    assert_eq!(new(&[0x30, 3, 7, 8, 9, 0], &[]), Some(PdsError::PublicKey));
    assert_eq!(new(&KEY, &[0]), Some(PdsError::Extension));
    assert_eq!(new(&KEY, &[0, 5, 0, 1]), Some(PdsError::Extension));
}

#[test]
fn collision_counts() {
    assert_eq!(CollisionCount::ALL.map(CollisionCount::get), [0, 1, 2]);
    for count in 0..=2 {
        assert_eq!(CollisionCount::new(count).unwrap().get(), count);
    }
    assert_eq!(CollisionCount::new(3), None);
    assert_eq!(CollisionCount::default().get(), 0);
}

proptest! {
    #[test]
    fn any_octets(
        mut octets in prop::collection::vec(any::<u8>(), 0..200),
        plausible: bool,
    ) {
        if plausible && octets.len() > 27 {
            octets[24] %= 3;
            octets[25] = 0x30;
            octets[26] %= 16;
        }
        if let Ok(pds) = Pds::parse(&octets) {
            let parameters = pds.parameters();
            let parts = 25 + parameters.public_key().len();
            let extensions: usize = parameters.extensions().map(|e| 4 + e.data.len()).sum();
            prop_assert_eq!(parts + extensions, octets.len());
            prop_assert_eq!(parameters.pds_len(), octets.len());
            if let Ok(Some(extension)) = parameters.multi_prefix() {
                prop_assert!((1..=32).contains(&extension.prefixes().len()));
            }
        }
    }
}
