// SPDX-License-Identifier: GPL-2.0

//! CGA generation and verification against `cga.json`, which has the example of RFC 3972,
//! Appendix A, in it.

use serde_json::Value;
use shim6_proto::{
    cga::{
        self,
        CgaError,
        Search,
        Sec, //
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

/// The octets of a field with a fixed length.
fn array<const N: usize>(value: &Value) -> [u8; N] {
    field(value).try_into().expect("so many octets")
}

/// The collision count of a record.
fn count(record: &Value) -> CollisionCount {
    CollisionCount::new(record["collision_count"].as_u64().unwrap() as u8).unwrap()
}

/// The Sec value of a record.
fn sec(record: &Value) -> Sec {
    Sec::new(record["sec"].as_u64().unwrap() as u8).unwrap()
}

#[test]
#[cfg_attr(miri, ignore = "long")]
fn generation() {
    let digests = HostDigests::default();
    let vectors = vectors!("cga");
    let records = vectors["generation"].as_array().unwrap();
    assert_eq!(records.len(), 5);

    for record in records {
        let (key, extensions) = (
            field(&record["public_key_spki_der"]),
            field(&record["extensions"]),
        );
        let start = Parameters::new(array(&record["modifier_start"]), &key, &extensions).unwrap();
        let parameters = Search::new(start, sec(record))
            .step(&digests, 1 << 18)
            .expect("a modifier");
        let prefix = array(&record["subnet_prefix"]);
        let hash1 = cga::hash1(&digests, &parameters, prefix, count(record));
        let generated = cga::address(&digests, &parameters, sec(record), prefix, count(record));

        assert_eq!(parameters.modifier(), array(&record["modifier_final"]));
        assert_eq!(cga::hash2(&digests, &parameters), array(&record["hash2"]));
        assert_eq!(hash1, array(&record["hash1"]));
        assert_eq!(generated, address(&record["address"]).into());

        let mut buffer = [0xee; 1000];
        let pds = parameters.write(prefix, count(record), &mut buffer);
        assert_eq!(pds, Some(field(&record["pds"]).as_slice()));
    }
}

/// What a verification case comes to.
fn verify(case: &Value) -> Result<Result<(), CgaError>, PdsError> {
    let octets = field(&case["pds"]);
    let pds = Pds::parse(&octets)?;
    let address: Locator = address(&case["address"]).into();
    Ok(cga::verify(&HostDigests::default(), address, &pds))
}

/// What it has to come to.
fn expected(case: &Value) -> Result<Result<(), CgaError>, PdsError> {
    if case["expect"].as_bool().unwrap() {
        return Ok(Ok(()));
    }
    match case["fails_at"].as_str().unwrap_or("Hash1") {
        "parse: fewer than 25 octets" => Err(PdsError::Truncated),
        "collision count range check" => Err(PdsError::CollisionCount),
        "subnet prefix comparison" => Ok(Err(CgaError::SubnetPrefix)),
        "Hash2 leftmost 32 bits not all zero" => Ok(Err(CgaError::Hash2)),
        step if step.starts_with("Hash1") => Ok(Err(CgaError::Hash1)),
        step => panic!("{step}"),
    }
}

#[test]
fn verification() {
    let vectors = vectors!("cga");
    let cases = vectors["verification"].as_array().unwrap();
    assert_eq!(cases.len(), 13);

    for case in cases {
        assert_eq!(verify(case), expected(case), "{}", case["name"]);
    }
}
