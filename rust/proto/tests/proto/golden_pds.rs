// SPDX-License-Identifier: GPL-2.0

//! The structure of every CGA Parameter Data Structure in `cga.json` and `hba.json`. Their hashes
//! are not looked at here.

use serde_json::Value;
use shim6_proto::pds::{
    Parameters,
    Pds,
    PdsError, //
};

use crate::support::{
    field,
    vectors, //
};

/// A CGA: what `cga.json` says about the fields.
#[test]
fn fields_of_generated_cgas() {
    let vectors = vectors!("cga");
    let cases = vectors["generation"].as_array().unwrap();
    assert!(!cases.is_empty());

    for case in cases {
        let octets = field(&case["pds"]);
        let pds = Pds::parse(&octets).unwrap();
        let parameters = pds.parameters();

        assert_eq!(pds.as_octets(), octets);
        assert_eq!(
            parameters.modifier().to_vec(),
            field(&case["modifier_final"])
        );
        assert_eq!(pds.subnet_prefix().to_vec(), field(&case["subnet_prefix"]));
        assert_eq!(
            u64::from(pds.collision_count().get()),
            case["collision_count"].as_u64().unwrap()
        );
        assert_eq!(parameters.public_key(), field(&case["public_key_spki_der"]));
        assert_eq!(parameters.extension_octets(), field(&case["extensions"]));
        assert_eq!(extensions(parameters), field(&case["extensions"]));
    }
}

/// The extensions put together again.
fn extensions(parameters: &Parameters<'_>) -> Vec<u8> {
    parameters
        .extensions()
        .flat_map(|extension| {
            let length = extension.data.len() as u16;
            let mut octets = extension.code.to_be_bytes().to_vec();
            octets.extend_from_slice(&length.to_be_bytes());
            octets.extend_from_slice(extension.data);
            octets
        })
        .collect()
}

/// HBA sets: every member's PDS, and the prefixes in it.
#[test]
fn fields_of_hba_sets() {
    let vectors = vectors!("hba");
    let sets = vectors["sets"].as_array().unwrap();
    assert_eq!(sets.len(), 9);

    for set in sets {
        for member in set["addresses"].as_array().unwrap() {
            let octets = field(&member["pds"]);
            let pds = Pds::parse(&octets).unwrap();
            let parameters = pds.parameters();
            let multi_prefix = parameters
                .multi_prefix()
                .unwrap()
                .expect("a Multi-Prefix extension");
            let prefixes = set["prefixes"].as_array().unwrap().iter().map(field);

            assert_eq!(
                parameters.modifier().to_vec(),
                field(&set["modifier_final"])
            );
            assert_eq!(pds.subnet_prefix().to_vec(), field(&member["prefix"]));
            assert_eq!(
                u64::from(pds.collision_count().get()),
                set["collision_count"].as_u64().unwrap()
            );
            assert_eq!(parameters.public_key(), field(&set["public_key_spki_der"]));
            assert_eq!(extensions(parameters), field(&set["extensions"]));
            assert_eq!(
                u64::from(multi_prefix.has_public_key()),
                set["p_flag"].as_u64().unwrap()
            );
            assert!(multi_prefix.prefixes().map(Vec::from).eq(prefixes));
        }
    }
}

/// The error that a verification case that fails at the structure fails with.
fn structural(fails_at: &str) -> Option<PdsError> {
    match fails_at {
        "parse: fewer than 25 octets" => Some(PdsError::Truncated),
        "parse: extension truncated" => Some(PdsError::Extension),
        "collision count" | "collision count range check" => Some(PdsError::CollisionCount),
        _ => None,
    }
}

/// Runs over all verification cases and returns how many failed at the structure.
fn check_verification(cases: &[Value]) -> usize {
    let mut failed = 0;
    for case in cases {
        let octets = field(&case["pds"]);
        let expected = case["fails_at"].as_str().and_then(structural);

        assert_eq!(Pds::parse(&octets).err(), expected, "{}", case["name"]);
        failed += usize::from(expected.is_some());
    }
    failed
}

#[test]
fn verification_cases_of_cgas() {
    assert_eq!(
        check_verification(vectors!("cga")["verification"].as_array().unwrap()),
        2
    );
}

#[test]
fn verification_cases_of_hbas() {
    assert_eq!(
        check_verification(vectors!("hba")["verification"].as_array().unwrap()),
        2
    );
}

#[test]
fn cases_without_multi_prefix_extension() {
    let vectors = vectors!("hba");
    let cases = vectors["verification"].as_array().unwrap().iter();
    let mut cases = cases.filter(|case| case["fails_at"] == "no Multi-Prefix extension");
    let octets = field(&cases.next().expect("a case")["pds"]);

    assert_eq!(
        Pds::parse(&octets).unwrap().parameters().multi_prefix(),
        Ok(None)
    );
}

/// A PDS that is cut is malformed, unless the cut is between two extensions.
#[test]
fn cut_anywhere() {
    let vectors = vectors!("hba");
    for set in vectors["sets"].as_array().unwrap() {
        let octets = field(&set["addresses"][0]["pds"]);
        let pds = Pds::parse(&octets).unwrap();
        let parameters = pds.parameters();
        let mut seams = vec![25 + parameters.public_key().len()];
        for extension in parameters.extensions() {
            seams.push(seams.last().unwrap() + 4 + extension.data.len());
        }

        for length in 0..=octets.len() {
            let is_seam = seams.contains(&length);
            assert_eq!(
                Pds::parse(&octets[..length]).is_ok(),
                is_seam,
                "cut at {length}"
            );
        }
    }
}
