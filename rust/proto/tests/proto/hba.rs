// SPDX-License-Identifier: GPL-2.0

//! HBA sets, rule by rule (RFC 5535, Sections 5 to 7).

use std::collections::BTreeSet;

use proptest::prelude::*;
use shim6_proto::{
    cga::{
        CgaError,
        Search,
        Sec, //
    },
    hba::{
        self,
        ExtendedModifier,
        HbaError,
        MultiPrefixExtension,
        PrefixesError, //
    },
    locator::Locator,
    pds::{
        CollisionCount,
        MultiPrefix,
        Parameters,
        Pds,
        PdsError, //
    },
    rsa_key::RsaPublicKey,
};

use crate::{
    crypto::{
        HostDigests,
        RsaKey, //
    },
    effort::STRIDE, //
};

/// So many different prefixes.
fn prefixes(number: u8) -> Vec<[u8; 8]> {
    (0..number)
        .map(|i| [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, i])
        .collect()
}

/// Addresses and PDSs of a set, made as a program would.
fn generate(
    prefixes: &[[u8; 8]],
    key: &[u8],
    has_public_key: bool,
    sec: u8,
    count: CollisionCount,
) -> Vec<(Locator, Vec<u8>)> {
    let digests = HostDigests::default();
    let sec = Sec::new(sec).expect("a defined value");
    let extension = MultiPrefixExtension::new(prefixes, has_public_key).expect("prefixes");
    let start = Parameters::new([9; 16], key, extension.as_octets()).expect("parameters");
    let parameters = Search::new(start, sec)
        .step(&digests, 1 << 20)
        .expect("a modifier");

    hba::addresses(&digests, parameters, sec, count)
        .expect("a set")
        .zip(prefixes)
        .map(|(address, prefix)| {
            let mut pds = vec![0; parameters.pds_len()];
            parameters.write(*prefix, count, &mut pds).expect("space");
            (address, pds)
        })
        .collect()
}

fn verify(address: Locator, octets: &[u8]) -> Result<(), HbaError> {
    let pds = Pds::parse(octets).expect("a PDS");
    hba::verify(&HostDigests::default(), address, &pds)
}

fn random() -> [u8; 48] {
    core::array::from_fn(|i| i as u8)
}

#[test]
fn extended_modifier_is_a_key_in_form() {
    for random in [[0; 48], [0xff; 48], random()] {
        let modifier = ExtendedModifier::new(random);
        let key = RsaPublicKey::parse(modifier.as_octets()).unwrap();
        let mut expected = random;
        expected[0] |= 0x80;
        expected[47] |= 1;
        assert_eq!(key.modulus(), expected);
        assert_eq!(key.exponent(), 65537);
        assert_eq!(key.bits(), 384);
    }
}

#[test]
fn extension_that_cannot_be() {
    let new = |prefixes: &[[u8; 8]]| MultiPrefixExtension::new(prefixes, false).err();
    assert_eq!(new(&[]), Some(PrefixesError::Empty));
    assert_eq!(new(&prefixes(33)), Some(PrefixesError::TooMany));
    assert_eq!(new(&prefixes(32)), None);

    let repeated = [prefixes(5), prefixes(1)].concat();
    assert_eq!(new(&repeated), Some(PrefixesError::Repeated));
}

#[test]
fn extension_can_be_read() {
    for number in 1..=32 {
        for has_public_key in [false, true] {
            let prefixes = prefixes(number);
            let extension = MultiPrefixExtension::new(&prefixes, has_public_key).unwrap();
            let parameters = Parameters::new([0; 16], &[0x30, 0], extension.as_octets()).unwrap();
            let read = parameters.multi_prefix().unwrap().unwrap();
            assert_eq!(read.has_public_key(), has_public_key);
            assert!(read.prefixes().eq(prefixes));
        }
    }
}

/// One PDS proves all addresses, and no two of them have the same interface identifier.
#[test]
fn largest_set() {
    let key = ExtendedModifier::new(random());
    let prefixes = prefixes(MultiPrefix::MAX_PREFIXES as u8);
    let set = generate(
        &prefixes,
        key.as_octets(),
        false,
        0,
        CollisionCount::default(),
    );
    let identifiers: BTreeSet<_> = set
        .iter()
        .map(|(address, _)| &address.as_octets()[8..])
        .collect();

    assert_eq!(set.len(), 32);
    assert_eq!(identifiers.len(), 32);
    for (address, _) in &set {
        assert_eq!(verify(*address, &set[0].1), Ok(()));
    }
}

#[test]
#[cfg_attr(miri, ignore = "long")]
fn set_with_a_key_and_sec() {
    let key = RsaKey::named("rsa1024").spki;
    let set = generate(&prefixes(2), &key, true, 1, CollisionCount::ALL[2]);
    for (address, _) in &set {
        assert_eq!(Sec::of(*address), Sec::new(1));
        for (_, pds) in &set {
            assert_eq!(verify(*address, pds), Ok(()));
        }
    }
}

#[test]
fn addresses_of_no_set() {
    let digests = HostDigests::default();
    let addresses = |extensions: &[u8]| {
        let parameters = Parameters::new([0; 16], &[0x30, 0], extensions).unwrap();
        hba::addresses(
            &digests,
            parameters,
            Sec::default(),
            CollisionCount::default(),
        )
        .map(|_| ())
        .unwrap_err()
    };
    assert_eq!(addresses(&[]), HbaError::NoSet);
    assert_eq!(
        addresses(&[0, 0x12, 0, 4, 0, 0, 0, 0]),
        HbaError::Extension(PdsError::MultiPrefix)
    );
}

/// With two extensions nobody could say which of them counts.
#[test]
fn two_extensions() {
    let one = MultiPrefixExtension::new(&prefixes(2), false).unwrap();
    let two = [one.as_octets(), one.as_octets()].concat();
    let parameters = Parameters::new([0; 16], &[0x30, 0], &two).unwrap();
    let mut buffer = [0; 200];
    let pds = parameters
        .write(prefixes(1)[0], CollisionCount::default(), &mut buffer)
        .unwrap();
    assert_eq!(
        verify(Locator::new([0; 16]), pds),
        Err(HbaError::Extension(PdsError::MultiPrefixRepeated))
    );
}

/// An unknown prefix is found out without a hash.
#[test]
fn prefix_comes_before_hashes() {
    let key = ExtendedModifier::new(random());
    let set = generate(
        &prefixes(2),
        key.as_octets(),
        false,
        0,
        CollisionCount::default(),
    );
    let (address, octets) = &set[0];
    let mut other = address.octets();
    other[7] = 2;

    let digests = HostDigests::default();
    let pds = Pds::parse(octets).unwrap();
    assert_eq!(
        hba::verify(&digests, Locator::new(other), &pds),
        Err(HbaError::Prefix)
    );
    assert_eq!(digests.calls.get(), 0);
}

proptest! {
    /// The prefix of a PDS is the one thing in it that does not matter; in an address u and g.
    #[test]
    fn bits_that_matter(random: [[u8; 16]; 3], number in 1_u8..5, bit in 0_usize..128) {
        let key = ExtendedModifier::new(random.concat().try_into().unwrap());
        let set = generate(&prefixes(number), key.as_octets(), false, 0, CollisionCount::ALL[1]);
        let (address, octets) = &set[usize::from(number) - 1];

        for bit in (0..octets.len() * 8).step_by(STRIDE) {
            let mut octets = octets.clone();
            octets[bit / 8] ^= 0x80 >> (bit % 8);
            if let Ok(pds) = Pds::parse(&octets) {
                let is_right = hba::verify(&HostDigests::default(), *address, &pds).is_ok();
                prop_assert_eq!(is_right, (16..24).contains(&(bit / 8)), "bit {}", bit);
            }
        }

        let mut changed = address.octets();
        changed[bit / 8] ^= 0x80 >> (bit % 8);
        let parameters = Pds::parse(octets).unwrap();
        let hash2 = shim6_proto::cga::hash2(&HostDigests::default(), parameters.parameters());
        // By chance Hash2 may be good enough for a Sec value that nobody worked for.
        let is_ignored = match bit {
            65 => hash2[..4] == [0; 4],
            66 => hash2[..2] == [0; 2],
            _ => matches!(bit, 70 | 71),
        };
        let result = verify(Locator::new(changed), octets);
        prop_assert_eq!(result.is_ok(), is_ignored);
        if (67..70).contains(&bit) || bit >= 72 {
            prop_assert_eq!(result, Err(HbaError::Cga(CgaError::Hash1)));
        }
    }

    #[test]
    fn any_octets(
        mut octets in prop::collection::vec(any::<u8>(), 40..100),
        address: [u8; 16],
        plausible: bool,
    ) {
        if plausible {
            octets[24] %= 3;
            octets[25..32].copy_from_slice(&[0x30, 0, 0, 0x12, 0, 12, 0]);
            octets.truncate(43);
            octets.resize(43, 0);
            octets[35..].copy_from_slice(&address[..8]);
        }
        if let Ok(pds) = Pds::parse(&octets) {
            let result = hba::verify(&HostDigests::default(), Locator::new(address), &pds);
            prop_assert!(result.is_err());
            if plausible {
                prop_assert!(matches!(result, Err(HbaError::Cga(_))));
            }
        }
    }
}
