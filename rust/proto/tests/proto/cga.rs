// SPDX-License-Identifier: GPL-2.0

//! CGAs, rule by rule (RFC 3972, Sections 3 to 5).

use std::collections::BTreeSet;

use proptest::prelude::*;
use shim6_proto::{
    cga::{
        self,
        CgaError,
        Search,
        Sec, //
    },
    crypto::Digests,
    locator::Locator,
    pds::{
        CollisionCount,
        Parameters,
        Pds, //
    },
};

use crate::{
    crypto::HostDigests,
    effort::STRIDE,
    support::locator, //
};

/// A key that is a sequence, and no more than that is looked at.
const KEY: [u8; 5] = [0x30, 3, 1, 2, 3];

const PREFIX: [u8; 8] = [0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2];

fn sec(sec: u8) -> Sec {
    Sec::new(sec).expect("a defined value")
}

fn count(count: u8) -> CollisionCount {
    CollisionCount::new(count).expect("a count")
}

/// An address of these parameters and its PDS.
fn generate(parameters: &Parameters<'_>, sec: Sec, count: CollisionCount) -> (Locator, Vec<u8>) {
    let mut buffer = vec![0; parameters.pds_len()];
    let address = cga::address(&HostDigests::default(), parameters, sec, PREFIX, count);
    parameters.write(PREFIX, count, &mut buffer).expect("space");
    (address, buffer)
}

/// Verifies and also says how many hashes that took.
fn verify(address: Locator, octets: &[u8]) -> (Result<(), CgaError>, usize) {
    let digests = HostDigests::default();
    let pds = Pds::parse(octets).expect("a PDS");
    let result = cga::verify(&digests, address, &pds);
    (result, digests.calls.get())
}

/// The address with some bits of one octet changed.
fn changed(address: Locator, octet: usize, bits: u8) -> Locator {
    let mut octets = address.octets();
    octets[octet] ^= bits;
    Locator::new(octets)
}

#[test]
fn sec_values() {
    assert_eq!(Sec::new(3), None);
    assert_eq!(Sec::new(255), None);
    for (value, attempts) in [(0, 1), (1, 1 << 16), (2, 1 << 32)] {
        assert_eq!(sec(value).get(), value);
        assert_eq!(sec(value).expected_attempts(), attempts);
    }
    assert_eq!(Sec::MAX, sec(2));
    assert_eq!(Sec::of(locator("2001:db8::1fff:0:0:0")), Some(sec(0)));
    assert_eq!(Sec::of(locator("2001:db8::2000:0:0:0")), Some(sec(1)));
    assert_eq!(Sec::of(locator("2001:db8::5fff:0:0:0")), Some(sec(2)));
    assert_eq!(Sec::of(locator("2001:db8::6000:0:0:0")), None);
    assert_eq!(Sec::of(locator("2001:db8::ffff:0:0:0")), None);
}

/// Nothing beyond what is needed is computed.
#[test]
fn hashes_of_a_verification() {
    let parameters = Parameters::new([7; 16], &KEY, &[]).unwrap();
    let (address, pds) = generate(&parameters, sec(0), count(0));
    assert_eq!(verify(address, &pds), (Ok(()), 1));
    assert_eq!(
        verify(changed(address, 0, 1), &pds),
        (Err(CgaError::SubnetPrefix), 0)
    );
    assert_eq!(
        verify(changed(address, 15, 1), &pds),
        (Err(CgaError::Hash1), 1)
    );
    assert_eq!(
        verify(changed(address, 8, 0x20), &pds),
        (Err(CgaError::Hash2), 2)
    );
}

/// RFC 3972 wants all values processed, and no procedure is defined for these.
#[test]
fn sec_without_meaning() {
    let parameters = Parameters::new([7; 16], &KEY, &[]).unwrap();
    let (address, pds) = generate(&parameters, sec(0), count(0));
    for bits in 3..=7 {
        assert_eq!(
            verify(changed(address, 8, bits << 5), &pds),
            (Err(CgaError::Sec), 1)
        );
    }
}

#[test]
fn collision_counts_give_other_addresses() {
    let parameters = Parameters::new([7; 16], &KEY, &[]).unwrap();
    let addresses: BTreeSet<_> = CollisionCount::ALL
        .map(|count| generate(&parameters, sec(0), count))
        .into_iter()
        .inspect(|(address, pds)| assert_eq!(verify(*address, pds), (Ok(()), 1)))
        .map(|(address, _)| address)
        .collect();
    assert_eq!(addresses.len(), 3);
}

#[test]
fn buffer_that_is_too_short() {
    let parameters = Parameters::new([7; 16], &KEY, &[0, 9, 0, 0]).unwrap();
    assert_eq!(parameters.pds_len(), 25 + 5 + 4);
    let mut buffer = [0xee; 33];
    assert_eq!(parameters.write(PREFIX, count(0), &mut buffer), None);
    assert_eq!(buffer, [0xee; 33]);
}

/// Digests that say that a modifier is good if its last octet is a multiple of `.0`.
struct Multiples(u8);

impl Digests for Multiples {
    fn sha1(&self, parts: &[&[u8]]) -> [u8; 20] {
        assert_eq!(parts.concat()[16..25], [0; 9]);
        [parts[0][15] % self.0; 20]
    }
}

/// The last octets of the modifiers that a search finds in so many attempts, one step after
/// another.
fn found(mut search: Search<'_>, digests: &impl Digests, steps: u32, attempts: u32) -> Vec<u8> {
    (0..steps)
        .filter_map(|_| search.step(digests, attempts))
        .map(|parameters| parameters.modifier()[15])
        .collect()
}

fn search_from(modifier: [u8; 16]) -> Search<'static> {
    Search::new(Parameters::new(modifier, &KEY, &[]).unwrap(), sec(1))
}

#[test]
fn search_in_steps() {
    let mut search = search_from([0; 16]);
    let mut last = |attempts| {
        let found = search.step(&Multiples(10), attempts);
        found.map(|parameters| parameters.modifier()[15])
    };
    assert_eq!(last(1), Some(0));
    assert_eq!(last(0), None);
    assert_eq!(last(9), None);
    assert_eq!(last(1), Some(10));
    assert_eq!(last(u32::MAX), Some(20));
    assert_eq!(last(9), None);
    assert_eq!(last(9), Some(30));
}

/// The modifier is a number of 128 bits and wraps around.
#[test]
fn search_carries() {
    let mut modifier = [0; 16];
    modifier[14..].fill(0xff);
    let mut search = search_from(modifier);
    let mut next = || search.step(&Multiples(1), 1).unwrap().modifier();
    assert_eq!(next(), modifier);
    let mut carried = [0; 16];
    carried[13] = 1;
    assert_eq!(next(), carried);

    let mut search = search_from([0xff; 16]);
    let mut next = || search.step(&Multiples(1), 1).unwrap().modifier();
    assert_eq!(next(), [0xff; 16]);
    assert_eq!(next(), [0; 16]);
}

/// Without Sec every modifier will do.
#[test]
fn search_for_sec_0() {
    let start = Parameters::new([0xab; 16], &KEY, &[]).unwrap();
    let mut search = Search::new(start, sec(0));
    assert_eq!(search.step(&HostDigests::default(), 1), Some(start));
}

/// The workers try all modifiers, and none twice.
#[test]
fn shares_of_a_search() {
    for workers in 1..=6 {
        let mut all: Vec<_> = (0..workers)
            .flat_map(|index| {
                let share = search_from([0; 16]).share(index, workers);
                found(share, &Multiples(1), 240 / workers, 1)
            })
            .collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..240), "{workers} workers");
    }
}

proptest! {
    /// A bit matters if and only if it goes into a comparison.
    #[test]
    fn bits_of_an_address(modifier: [u8; 16], bit in 0_usize..128) {
        let parameters = Parameters::new(modifier, &KEY, &[]).unwrap();
        let (address, pds) = generate(&parameters, sec(0), count(1));
        let (octet, mask) = (bit / 8, 0x80 >> (bit % 8));
        let (result, _) = verify(changed(address, octet, mask), &pds);

        let hash2 = cga::hash2(&HostDigests::default(), &parameters);
        let expected = match (octet, mask) {
            (0..=7, _) => Err(CgaError::SubnetPrefix),
            (8, 0x80) => Err(CgaError::Sec),
            (8, 0x40) if hash2[..4] != [0; 4] => Err(CgaError::Hash2),
            (8, 0x20) if hash2[..2] != [0; 2] => Err(CgaError::Hash2),
            (8, 0x40 | 0x20 | 0x02 | 0x01) => Ok(()),
            _ => Err(CgaError::Hash1),
        };
        prop_assert_eq!(result, expected);
    }

    /// Every bit of a PDS matters.
    #[test]
    fn bits_of_a_pds(modifier: [u8; 16], extension in prop::collection::vec(any::<u8>(), 0..20)) {
        let header = [0x12, 0x34, 0, extension.len() as u8];
        let extensions = [header.as_slice(), &extension].concat();
        let parameters = Parameters::new(modifier, &KEY, &extensions).unwrap();
        let (address, octets) = generate(&parameters, sec(0), count(0));

        for bit in (0..octets.len() * 8).step_by(STRIDE) {
            let mut octets = octets.clone();
            octets[bit / 8] ^= 0x80 >> (bit % 8);
            if let Ok(pds) = Pds::parse(&octets) {
                let result = cga::verify(&HostDigests::default(), address, &pds);
                prop_assert!(result.is_err(), "bit {}", bit);
            }
        }
    }

    /// Arbitrary octets are no PDS, or one of some other address.
    #[test]
    fn any_octets(
        mut octets in prop::collection::vec(any::<u8>(), 0..100),
        address: [u8; 16],
        plausible: bool,
    ) {
        if plausible && octets.len() > 27 {
            octets[16..24].copy_from_slice(&address[..8]);
            octets[24] %= 3;
            octets[25] = 0x30;
            octets[26] = octets.len() as u8 - 27;
        }
        if let Ok(pds) = Pds::parse(&octets) {
            let address = Locator::new(address);
            prop_assert!(cga::verify(&HostDigests::default(), address, &pds).is_err());
        }
    }
}
