// SPDX-License-Identifier: GPL-2.0

//! HBA sets against `hba.json`, which has the published self-test set of LinShim6 in it.

use serde_json::Value;
use shim6_proto::{
    cga::{
        self,
        CgaError,
        Search,
        Sec, //
    },
    hba::{
        self,
        ExtendedModifier,
        HbaError,
        MultiPrefixExtension, //
    },
    locator::Locator,
    pds::{
        CollisionCount,
        Parameters,
        Pds,
        PdsError, //
    },
};

use crate::{
    crypto::HostDigests,
    support::{
        address,
        field,
        vectors, //
    },
};

/// The set with this name.
fn set(name: &str) -> Value {
    let vectors = vectors!("hba");
    let sets = vectors["sets"].as_array().unwrap();
    let found = sets.iter().find(|set| set["name"] == name);
    found.expect("a set").clone()
}

/// The prefixes of a set.
fn prefixes(set: &Value) -> Vec<[u8; 8]> {
    let prefixes = set["prefixes"].as_array().unwrap().iter();
    prefixes
        .map(|prefix| field(prefix).try_into().unwrap())
        .collect()
}

/// The addresses of a set.
fn addresses(set: &Value) -> Vec<Locator> {
    let members = set["addresses"].as_array().unwrap().iter();
    members
        .map(|member| address(&member["address"]).into())
        .collect()
}

/// The Sec value of a set.
fn sec(set: &Value) -> Sec {
    Sec::new(set["sec"].as_u64().unwrap() as u8).unwrap()
}

/// The collision count of a set.
fn count(set: &Value) -> CollisionCount {
    CollisionCount::new(set["collision_count"].as_u64().unwrap() as u8).unwrap()
}

/// Runs over all sets, with the parameters that they were made with.
fn with_sets(mut check: impl FnMut(&Value, Parameters<'_>)) {
    let vectors = vectors!("hba");
    let sets = vectors["sets"].as_array().unwrap();
    assert_eq!(sets.len(), 9);

    for set in sets {
        let key = field(&set["public_key_spki_der"]);
        let extensions = field(&set["extensions"]);
        let modifier = field(&set["modifier_final"]).try_into().unwrap();
        check(
            set,
            Parameters::new(modifier, &key, &extensions).expect("parameters"),
        );
    }
}

#[test]
fn generated_addresses() {
    let digests = HostDigests::default();
    with_sets(|set, parameters| {
        let generated = hba::addresses(&digests, parameters, sec(set), count(set)).unwrap();
        assert_eq!(generated.len(), prefixes(set).len());
        assert_eq!(generated.collect::<Vec<_>>(), addresses(set));
    });
}

#[test]
fn written_pds() {
    with_sets(|set, parameters| {
        for (prefix, member) in prefixes(set)
            .into_iter()
            .zip(set["addresses"].as_array().unwrap())
        {
            let mut buffer = vec![0xee; parameters.pds_len() + 1];
            let pds = parameters.write(prefix, count(set), &mut buffer);
            assert_eq!(pds, Some(field(&member["pds"]).as_slice()));
        }
    });
}

#[test]
fn hashes() {
    let digests = HostDigests::default();
    with_sets(|set, parameters| {
        let hash2 = cga::hash2(&digests, &parameters);
        assert_eq!(hash2.to_vec(), field(&set["hash2"]));

        for (prefix, member) in prefixes(set)
            .into_iter()
            .zip(set["addresses"].as_array().unwrap())
        {
            let hash1 = cga::hash1(&digests, &parameters, prefix, count(set));
            assert_eq!(hash1.to_vec(), field(&member["hash1"]));
        }
    });
}

/// The search finds the modifiers of the vectors. That of Sec = 2 is 1,682,018,628 steps away
/// from its start, so it is searched for from a few steps before it.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn searched_modifiers() {
    let digests = HostDigests::default();
    with_sets(|set, parameters| {
        let found = parameters.modifier();
        let start = match sec(set).get() {
            2 => (u128::from_be_bytes(found) - 100).to_be_bytes(),
            _ => field(&set["modifier_start"]).try_into().unwrap(),
        };
        let mut search = Search::new(parameters.with_modifier(start), sec(set));
        assert_eq!(search.step(&digests, 1 << 18), Some(parameters));
    });
}

#[test]
fn encoded_extensions() {
    with_sets(|set, parameters| {
        let has_public_key = set["p_flag"] == 1;
        let extension = MultiPrefixExtension::new(&prefixes(set), has_public_key).unwrap();
        // One set has an unknown extension before it.
        assert!(parameters
            .extension_octets()
            .ends_with(extension.as_octets()));
        assert!(parameters.extension_octets().len() - extension.as_octets().len() <= 7);
    });
}

/// The modulus is what was random, and the rest comes with it.
#[test]
fn encoded_extended_modifiers() {
    let mut encoded = 0;
    with_sets(|_, parameters| {
        let key = parameters.public_key();
        if key.len() == ExtendedModifier::LEN {
            let mut random: [u8; 48] = key[25..73].try_into().unwrap();
            random[0] &= 0x7f;
            random[47] &= 0xfe;
            assert_eq!(ExtendedModifier::new(random).as_octets(), key);
            encoded += 1;
        }
    });
    assert_eq!(encoded, 6);
}

/// Every PDS of a set proves every address of it; as a CGA it proves its own only.
#[test]
fn every_member_by_every_pds() {
    let digests = HostDigests::default();
    with_sets(|set, _| {
        for (of_pds, member) in set["addresses"].as_array().unwrap().iter().enumerate() {
            let octets = field(&member["pds"]);
            let pds = Pds::parse(&octets).unwrap();
            for (of_address, address) in addresses(set).into_iter().enumerate() {
                let as_cga = if of_pds == of_address {
                    Ok(())
                } else {
                    Err(CgaError::SubnetPrefix)
                };
                assert_eq!(hba::verify(&digests, address, &pds), Ok(()));
                assert_eq!(cga::verify(&digests, address, &pds), as_cga);
            }
        }
    });
}

/// After a collision all addresses are others.
#[test]
fn collision_changes_all_addresses() {
    let (before, after) = (addresses(&set("hostA")), addresses(&set("collision1")));
    assert_eq!(before.len(), after.len());
    assert!(before.iter().all(|address| !after.contains(address)));
}

/// What a verification case comes to.
fn verify(case: &Value) -> Result<Result<(), HbaError>, PdsError> {
    let octets = field(&case["pds"]);
    let pds = Pds::parse(&octets)?;
    let address = address(&case["address"]).into();
    Ok(hba::verify(&HostDigests::default(), address, &pds))
}

/// What it has to come to.
fn expected(case: &Value) -> Result<Result<(), HbaError>, PdsError> {
    if case["expect"].as_bool().unwrap() {
        return Ok(Ok(()));
    }
    match case["fails_at"].as_str().unwrap() {
        "parse: extension truncated" => Err(PdsError::Extension),
        "collision count" => Err(PdsError::CollisionCount),
        "no Multi-Prefix extension" => Ok(Err(HbaError::NoSet)),
        "prefix membership" => Ok(Err(HbaError::Prefix)),
        "Hash2" => Ok(Err(HbaError::Cga(CgaError::Hash2))),
        step if step.starts_with("Hash1") => Ok(Err(HbaError::Cga(CgaError::Hash1))),
        step => panic!("{step}"),
    }
}

#[test]
fn verification() {
    let vectors = vectors!("hba");
    let cases = vectors["verification"].as_array().unwrap();
    assert_eq!(cases.len(), 27);

    for case in cases {
        assert_eq!(verify(case), expected(case), "{}", case["name"]);
    }
}
