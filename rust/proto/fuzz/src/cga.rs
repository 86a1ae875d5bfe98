// SPDX-License-Identifier: GPL-2.0

//! CGA Parameter Data Structures and the keys in them.

use arbitrary::{
    Result,
    Unstructured, //
};
use shim6_proto::{
    cga::{
        self,
        Sec, //
    },
    hba,
    locator::Locator,
    pds::{
        CollisionCount,
        Parameters,
        Pds, //
    },
    rsa_key::RsaPublicKey,
    verify::UlidParameters, //
};

use crate::{
    crypto::HostDigests,
    message::octets, //
};

/// rsaEncryption with NULL parameters.
const ALGORITHM: [u8; 13] = *b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

/// What is accepted as a PDS is written back to the same octets, and proves the addresses that
/// are made of it and no others.
pub fn pds(data: &[u8]) {
    let Ok(pds) = Pds::parse(data) else {
        return;
    };
    let parameters = *pds.parameters();
    let (prefix, count) = (pds.subnet_prefix(), pds.collision_count());
    let mut buffer = vec![0; data.len()];
    assert_eq!(parameters.write(prefix, count, &mut buffer), Some(data));
    assert_eq!(parameters.write(prefix, count, &mut buffer[1..]), None);
    let (key, octets) = (parameters.public_key(), parameters.extension_octets());
    let again = Parameters::new(parameters.modifier(), key, octets);
    assert_eq!(again, Ok(parameters));

    let lengths = parameters
        .extensions()
        .map(|extension| extension.data.len() + 4);
    assert_eq!(lengths.sum::<usize>(), octets.len());
    let _ = RsaPublicKey::parse(key);

    let digests = HostDigests::default();
    let address = |prefix| cga::address(&digests, &parameters, Sec::default(), prefix, count);
    check_cga(&pds, address(prefix), count);

    let Ok(set) = parameters.multi_prefix() else {
        let refused = UlidParameters::verify(&digests, address(prefix).as_ulid(), data);
        return assert!(refused.is_err());
    };
    let mut accepted = vec![address(prefix)];
    if let Some(set) = set {
        assert!((1..=32).contains(&set.prefixes().len()));
        for prefix in set.prefixes() {
            assert!(set.contains(prefix));
            assert_eq!(hba::verify(&digests, address(prefix), &pds), Ok(()));
            assert!(hba::verify(&digests, flipped(address(prefix)), &pds).is_err());
            accepted.push(address(prefix));
        }
    }
    for address in accepted {
        assert!(UlidParameters::verify(&digests, address.as_ulid(), data).is_ok());
        assert!(UlidParameters::verify(&digests, flipped(address).as_ulid(), data).is_err());
    }
}

/// The address with a bit of Hash1 changed.
fn flipped(address: Locator) -> Locator {
    let mut octets = address.octets();
    octets[15] ^= 1;
    Locator::new(octets)
}

/// The address is proved by the PDS, with any u and g bits; all others are not.
fn check_cga(pds: &Pds<'_>, address: Locator, count: CollisionCount) {
    let digests = HostDigests::default();
    for (octet, bits, right) in [
        (8, 0, true),
        (8, 0x03, true),
        (8, 0x04, false),
        (8, 0xe0, false),
        (0, 0x80, false),
        (7, 0x01, false),
        (15, 0x80, false),
    ] {
        let mut octets = address.octets();
        octets[octet] ^= bits;
        let found = cga::verify(&digests, Locator::new(octets), pds).is_ok();
        assert_eq!(found, right, "{count:?} {octet} {bits:x}");
    }
}

/// The first octet says whether the rest is a key, or what a key is to be made of.
pub fn key(data: &[u8]) {
    let Some((how, octets)) = data.split_first() else {
        return;
    };
    if how & 1 == 0 {
        check_key(octets);
    } else if let Ok(key) = nearly_a_key(&mut Unstructured::new(octets)) {
        check_key(&key);
    }
}

/// A key whose elements may have lengths in any form, and some other faults.
fn nearly_a_key(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let number = |u: &mut Unstructured<'_>, most| -> Result<Vec<u8>> {
        let mut contents = vec![0; u.int_in_range(0..=2)?];
        contents.extend(octets(u, most)?);
        Ok(contents)
    };
    let (modulus, exponent) = (number(u, 600)?, number(u, 5)?);
    let numbers = [element(u, 0x02, &modulus)?, element(u, 0x02, &exponent)?];
    let public_key = element(u, 0x30, &numbers.concat())?;
    let bits = [vec![0; u.int_in_range(0..=2)?], public_key].concat();
    let parts = [
        element(u, 0x30, &ALGORITHM)?,
        element(u, 0x03, &bits)?,
        octets(u, 1)?,
    ];
    element(u, 0x30, &parts.concat())
}

/// An element whose length has the shortest form, or another one.
fn element(u: &mut Unstructured<'_>, tag: u8, contents: &[u8]) -> Result<Vec<u8>> {
    let [high, low] = (contents.len() as u16).to_be_bytes();
    let header: &[u8] = match u.int_in_range(0..=15)? {
        0 => &[tag, low],
        1 => &[tag, 0x81, low],
        2 => &[tag, 0x82, high, low],
        3 => &[tag, 0x83, 0, high, low],
        4 => &[tag, 0x80],
        5 => &[tag ^ 0x20, low],
        _ => return Ok(der(tag, contents)),
    };
    Ok([header, contents].concat())
}

/// DER leaves no choice: what is accepted as a key is what the key is encoded to.
fn check_key(data: &[u8]) {
    let Ok(key) = RsaPublicKey::parse(data) else {
        return;
    };
    let exponent = key.exponent().to_be_bytes();
    let zeros = exponent.iter().take_while(|octet| **octet == 0).count();
    let public_key = der(
        0x30,
        &[
            der(0x02, &positive(key.modulus())),
            der(0x02, &positive(&exponent[zeros..])),
        ]
        .concat(),
    );
    assert_eq!(key.as_der(), public_key);
    let algorithm = der(0x30, &ALGORITHM);
    let bits = der(0x03, &[&[0], public_key.as_slice()].concat());
    assert_eq!(der(0x30, &[algorithm, bits].concat()), data);

    assert!(key.exponent() > 1 && key.exponent() % 2 == 1);
    let modulus = key.modulus().to_vec();
    assert_eq!(modulus.last().expect("digits") % 2, 1);
    let leading = modulus.first().expect("digits").leading_zeros() as usize;
    assert!(leading < 8);
    let bits = modulus.len() * 8 - leading;
    assert_eq!(key.bits() as usize, bits);
    assert_eq!(key.has_cga_size(), (1024..=4096).contains(&bits));

    let mut smaller = modulus.clone();
    smaller[modulus.len() - 1] -= 1;
    assert!(key.admits(&smaller));
    assert!(!key.admits(&modulus));
    assert!(!key.admits(&modulus[1..]));
}

/// The digits of a number that is greater than zero, kept from being negative.
fn positive(digits: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if digits[0] >= 0x80 { &[0] } else { &[] };
    [sign, digits].concat()
}

/// An element in DER.
fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).expect("16 bits");
    let [high, low] = length.to_be_bytes();
    let header: &[u8] = match length {
        0..=0x7f => &[tag, low],
        0x80..=0xff => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [header, contents].concat()
}
