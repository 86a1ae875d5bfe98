// SPDX-License-Identifier: GPL-2.0

//! Signed octets and signatures against `signature.json`.

use serde_json::Value;
use shim6_proto::{
    crypto::{
        SignatureError,
        SignatureVerifier, //
    },
    locator::{
        LocatorRecord,
        VerificationMethod, //
    },
    number::Generation,
    rsa_key::RsaPublicKey,
    signature::{
        self,
        SignedOctets,
        TYPE_TAG, //
    }, //
};

use crate::{
    crypto::{
        HostDigests,
        HostRsa,
        RsaKey, //
    },
    support::{
        address,
        field,
        vectors, //
    },
};

/// All cases.
fn cases() -> Vec<Value> {
    let vectors = vectors!("signature");
    assert_eq!(field(&vectors["type_tag"]), TYPE_TAG);
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    cases.clone()
}

/// The generation and the list of a case.
fn list(case: &Value) -> (Generation, Vec<LocatorRecord>) {
    let methods = case["methods"].as_array().unwrap().iter();
    let locators = case["locators"].as_array().unwrap().iter();
    let records = methods
        .zip(locators)
        .map(|(method, locator)| LocatorRecord {
            locator: address(locator).into(),
            method: VerificationMethod::new(method.as_u64().unwrap() as u8),
        });
    let generation = case["generation"].as_u64().unwrap() as u32;
    (Generation::new(generation), records.collect())
}

/// The digest of what a case says is signed.
fn digest(case: &Value) -> [u8; 20] {
    let (generation, list) = list(case);
    signature::digest(&HostDigests::default(), generation, list).unwrap()
}

#[test]
fn octets_and_digests() {
    let mut checked = 0;
    for case in cases().iter().filter(|case| case["sha1"].is_string()) {
        let (generation, list) = list(case);
        let signed = SignedOctets::new(generation, list).unwrap();
        assert_eq!(signed.as_octets(), field(&case["signed_octets"]));
        assert_eq!(digest(case).to_vec(), field(&case["sha1"]));
        checked += 1;
    }
    assert_eq!(checked, 3);
}

#[test]
#[cfg_attr(miri, ignore = "long")]
fn signatures() {
    for case in cases() {
        let key = RsaKey::named(case["key"].as_str().unwrap());
        let public = RsaPublicKey::parse(&key.spki).unwrap();
        let digest = digest(&case);
        let signature = field(&case["signature"]);
        let expected = if case["expect"].as_bool().unwrap() {
            assert_eq!(key.sign(&digest), signature);
            Ok(())
        } else {
            Err(SignatureError::Wrong)
        };

        assert!(public.admits(&signature));
        assert_eq!(
            HostRsa::default().verify(public, &digest, &signature),
            expected,
            "{}",
            case["name"]
        );
    }
}
