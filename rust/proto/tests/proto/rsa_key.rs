// SPDX-License-Identifier: GPL-2.0

//! RSA public keys in DER, rule by rule (RFC 3972, Section 3; RFC 3279, Section 2.3.1).

use proptest::prelude::*;
use shim6_proto::rsa_key::{
    RsaKeyError,
    RsaPublicKey, //
};

use crate::{
    crypto::RsaKey,
    support::{
        field,
        vectors, //
    },
};

/// rsaEncryption, NULL.
const ALGORITHM: [u8; 13] = [
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// An element with its length in the shortest form.
fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [high, low] = (contents.len() as u16).to_be_bytes();
    let header = match contents.len() {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&header, contents].concat()
}

/// A key from the contents of its parts.
fn key_with(algorithm: &[u8], unused_bits: u8, rsa_key: &[u8]) -> Vec<u8> {
    let bits = [&[unused_bits], rsa_key].concat();
    let contents = [element(0x30, algorithm), element(0x03, &bits)].concat();
    element(0x30, &contents)
}

/// An RSAPublicKey from the contents of its two integers.
fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let contents = [element(0x02, modulus), element(0x02, exponent)].concat();
    element(0x30, &contents)
}

/// A key from the contents of its two integers.
fn key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    key_with(&ALGORITHM, 0, &rsa_key(modulus, exponent))
}

/// The contents of an INTEGER with so many bits, all of them set.
fn ones(bits: usize) -> Vec<u8> {
    let mut octets = vec![0xff; bits.div_ceil(8)];
    octets[0] >>= (8 - bits % 8) % 8;
    if octets[0] >= 0x80 {
        octets.insert(0, 0);
    }
    octets
}

const E65537: [u8; 3] = [1, 0, 1];

#[track_caller]
fn assert_error(octets: &[u8], error: RsaKeyError) {
    assert_eq!(RsaPublicKey::parse(octets), Err(error));
}

#[test]
fn keys_of_the_vectors() {
    for (name, bits) in [("rsa1024", 1024), ("rsa2048", 2048)] {
        let key = RsaKey::named(name);
        let public = RsaPublicKey::parse(&key.spki).unwrap();

        assert_eq!(public.modulus(), key.modulus());
        assert_eq!(public.exponent(), 65537);
        assert_eq!(public.bits(), bits);
        assert!(public.has_cga_size());
        assert!(key.spki.ends_with(public.as_der()));
        assert_eq!(
            public.as_der(),
            rsa_key(&ones_like(&key.modulus()), &E65537)
        );
    }
}

/// The contents of an INTEGER with these digits, the first of which is 128 or more.
fn ones_like(digits: &[u8]) -> Vec<u8> {
    [&[0], digits].concat()
}

/// The key of the example in RFC 3972, Appendix A, is a key, but too small for CGA.
#[test]
fn key_of_512_bits() {
    let vectors = vectors!("cga");
    let octets = field(&vectors["generation"][0]["public_key_spki_der"]);
    let key = RsaPublicKey::parse(&octets).unwrap();
    assert_eq!(key.bits(), 512);
    assert!(!key.has_cga_size());
}

#[test]
fn sizes_for_cga() {
    for (bits, expected) in [
        (8, false),
        (384, false),
        (1023, false),
        (1024, true),
        (1025, true),
        (4095, true),
        (4096, true),
        (4097, false),
        (8192, false),
    ] {
        let octets = key(&ones(bits), &E65537);
        let key = RsaPublicKey::parse(&octets).unwrap();
        assert_eq!(key.bits() as usize, bits);
        assert_eq!(key.modulus().len(), bits.div_ceil(8));
        assert_eq!(key.has_cga_size(), expected, "{bits} bits");
    }
}

#[test]
fn cut_or_followed_by_something() {
    let whole = RsaKey::named("rsa1024").spki;
    for length in 0..whole.len() {
        assert_error(&whole[..length], RsaKeyError::Encoding);
    }
    assert_error(&[whole.as_slice(), &[0]].concat(), RsaKeyError::Encoding);
}

#[test]
fn something_behind_an_inner_part() {
    let modulus = ones(1024);
    let inner = rsa_key(&modulus, &E65537);
    let integers = [element(0x02, &modulus), element(0x02, &E65537)].concat();
    let more = element(0x05, &[]);

    let behind_exponent = element(0x30, &[integers.as_slice(), &more].concat());
    assert_error(
        &key_with(&ALGORITHM, 0, &behind_exponent),
        RsaKeyError::Encoding,
    );

    let behind_key = [inner.as_slice(), &more].concat();
    assert_error(&key_with(&ALGORITHM, 0, &behind_key), RsaKeyError::Encoding);

    let bits = element(0x03, &[&[0], inner.as_slice()].concat());
    let behind_bits = [element(0x30, &ALGORITHM), bits, more].concat();
    assert_error(&element(0x30, &behind_bits), RsaKeyError::Encoding);
}

#[test]
fn missing_exponent() {
    let only_modulus = element(0x30, &element(0x02, &ones(1024)));
    assert_error(
        &key_with(&ALGORITHM, 0, &only_modulus),
        RsaKeyError::Encoding,
    );
}

#[test]
fn unused_bits() {
    let inner = rsa_key(&ones(1024), &E65537);
    assert_error(&key_with(&ALGORITHM, 1, &inner), RsaKeyError::Encoding);
}

/// Only the shortest form of a length is DER.
#[test]
fn longer_forms_of_lengths() {
    for (longer, contents) in [
        ([0x30, 0x81, 0x7f].as_slice(), 0x7f),
        (&[0x30, 0x82, 0x00, 0xff], 0xff),
        (&[0x30, 0x83, 0x00, 0x01, 0x00], 0x100),
        (&[0x30, 0x80], 0x10),
    ] {
        assert_error(
            &[longer, &vec![0; contents]].concat(),
            RsaKeyError::Encoding,
        );
    }

    let mut octets = key(&[3], &E65537);
    let exponent_at = octets.len() - 5;
    octets.splice(exponent_at + 1..exponent_at + 2, [0x81, 3]);
    // All lengths around it have to grow with it.
    octets[1] += 1;
    octets[18] += 1;
    octets[21] += 1;
    assert_error(&octets, RsaKeyError::Encoding);
}

#[test]
fn another_algorithm() {
    let inner = rsa_key(&ones(1024), &E65537);
    let mut other = ALGORITHM;
    other[10] = 10;
    assert_error(&key_with(&other, 0, &inner), RsaKeyError::Algorithm);
    // Without the NULL.
    assert_error(
        &key_with(&ALGORITHM[..11], 0, &inner),
        RsaKeyError::Algorithm,
    );
    assert_error(&key_with(&[], 0, &inner), RsaKeyError::Algorithm);
}

#[test]
fn integers_that_are_not_positive_or_not_shortest() {
    for modulus in [[].as_slice(), &[0], &[0x80, 1], &[0, 0x7f], &[0, 0, 0x81]] {
        assert_error(&key(modulus, &E65537), RsaKeyError::Encoding);
        assert_error(&key(&ones(1024), modulus), RsaKeyError::Encoding);
    }
}

#[test]
fn even_modulus() {
    let mut modulus = ones(1024);
    *modulus.last_mut().unwrap() = 0xfe;
    assert_error(&key(&modulus, &E65537), RsaKeyError::Modulus);
}

#[test]
fn exponents() {
    for (exponent, value) in [
        ([3].as_slice(), 3),
        (&[17], 17),
        (&[1, 0, 1], 65537),
        (&[0, 0xff, 0xff, 0xff, 0xff], u32::MAX),
    ] {
        let octets = key(&ones(1024), exponent);
        assert_eq!(RsaPublicKey::parse(&octets).unwrap().exponent(), value);
    }
    for exponent in [[1].as_slice(), &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
        assert_error(&key(&ones(1024), exponent), RsaKeyError::Exponent);
    }
}

#[test]
fn signatures_that_could_be() {
    let key = RsaKey::named("rsa1024");
    let public = RsaPublicKey::parse(&key.spki).unwrap();
    let modulus = key.modulus();
    let mut below = modulus.clone();
    *below.last_mut().unwrap() -= 1;
    let mut above = modulus.clone();
    above[0] += 1;

    assert!(public.admits(&below));
    assert!(public.admits(&[0; 128]));
    assert!(!public.admits(&modulus));
    assert!(!public.admits(&above));
    assert!(!public.admits(&[0; 127]));
    assert!(!public.admits(&[0; 129]));
    assert!(!public.admits(&[]));
}

/// A key that is read is encoded in one way only: what the parser did not see would show here.
fn encoded_again(key: &RsaPublicKey<'_>) -> Vec<u8> {
    let integer = |digits: &[u8]| match digits.first() {
        Some(0x80..) => ones_like(digits),
        _ => digits.to_vec(),
    };
    let exponent = key.exponent().to_be_bytes();
    let start = exponent.iter().position(|octet| *octet != 0).unwrap();
    self::key(&integer(key.modulus()), &integer(&exponent[start..]))
}

proptest! {
    #[test]
    fn any_octets(octets in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(RsaPublicKey::parse(&octets).is_err());
    }

    #[test]
    fn changed_octets(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut octets = RsaKey::named("rsa1024").spki;
        for (index, value) in changes {
            *index.get_mut(&mut octets) = value;
        }
        if let Ok(key) = RsaPublicKey::parse(&octets) {
            prop_assert_eq!(encoded_again(&key), octets);
        }
    }

    #[test]
    fn any_small_key(modulus: u64, exponent: u32) {
        let digits = |octets: &[u8]| {
            let start = octets.iter().position(|octet| *octet != 0).unwrap_or(octets.len());
            let digits = &octets[start..];
            if digits.first().is_none_or(|octet| *octet >= 0x80) {
                ones_like(digits)
            } else {
                digits.to_vec()
            }
        };
        let octets = key(&digits(&modulus.to_be_bytes()), &digits(&exponent.to_be_bytes()));
        let read = RsaPublicKey::parse(&octets);
        if modulus & 1 == 1 && exponent & 1 == 1 && exponent > 1 {
            let read = read.unwrap();
            prop_assert_eq!(read.bits(), 64 - modulus.leading_zeros());
            prop_assert_eq!(read.exponent(), exponent);
        } else {
            prop_assert!(read.is_err());
        }
    }
}
