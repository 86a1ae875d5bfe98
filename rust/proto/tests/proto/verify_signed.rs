// SPDX-License-Identifier: GPL-2.0

//! Verification of lists that are signed, rule by rule (RFC 5533, Sections 5.15.5 and 7.2).

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;
use shim6_proto::{
    crypto::SignatureError,
    locator::{
        Locator,
        LocatorRecord,
        VerificationMethod, //
    },
    signature::SignedOctets,
    verify::{
        CheckedList,
        Refusal,
        UlidParameters,
        VerifiedHost, //
    },
    wire::option::HostOptions, //
};

use crate::{
    crypto::{
        Answer,
        HostDigests,
        HostRsa,
        RsaKey, //
    },
    effort::cases,
    peer::{
        list_contents,
        message,
        mixed_list,
        sign,
        Outcome,
        Peer,
        CGA,
        GENERATION,
        HBA, //
    },
    support::{
        address,
        field,
        locator,
        tlv,
        vectors,
        with_host, //
    }, //
};

/// The cases that are about host C: all but the one with the longer key.
#[test]
fn signature_vectors() {
    let peer = Peer::named("hostC");
    let vectors = vectors!("signature");
    let cases = vectors["cases"].as_array().unwrap().iter();
    let mut checked = 0;

    for case in cases.filter(|case| case["key"] == "rsa1024") {
        let methods = case["methods"].as_array().unwrap().iter();
        let locators = case["locators"].as_array().unwrap().iter();
        let method = |value: &Value| VerificationMethod::new(value.as_u64().unwrap() as u8);
        let list: Vec<_> = methods
            .zip(locators)
            .map(|(value, locator)| (method(value), address(locator).into()))
            .collect();
        let mut contents = list_contents(&list);
        let generation = case["generation"].as_u64().unwrap() as u32;
        contents[..4].copy_from_slice(&generation.to_be_bytes());

        let options = [
            tlv(2, &contents),
            tlv(4, &peer.pds),
            tlv(5, &field(&case["signature"])),
        ];
        let outcome = Outcome::of(peer.ulid(), None, &options);
        if case["expect"].as_bool().unwrap() {
            outcome.assert_accepted(4);
        } else {
            outcome.assert_reported(Refusal::WrongSignature, 2);
        }
        assert_eq!(outcome.signatures, 1);
        checked += 1;
    }
    assert_eq!(checked, 6);
}

#[test]
#[cfg_attr(miri, ignore = "long")]
fn cga_only() {
    for name in ["rsa1024", "rsa2048"] {
        let key = RsaKey::named(name);
        let peer = Peer::cga(&key.spki);
        let list = [
            (CGA, locator("2001:db8:77::1")),
            (CGA, peer.set[0]),
            (CGA, locator("fd00::1")),
        ];
        let outcome = peer.verify_signed(&list, Some(&sign(&key, &list)));
        outcome.assert_accepted(3);
        // The ULID, the signed octets.
        assert_eq!((outcome.hashes, outcome.signatures), (2, 1));
    }
}

#[test]
#[cfg_attr(miri, ignore = "long")]
fn most_signed_locators() {
    let key = RsaKey::named("rsa1024");
    let peer = Peer::cga(&key.spki);
    let list: Vec<_> = (0..32)
        .map(|i| (CGA, locator(&format!("2001:db8::{i:x}"))))
        .collect();
    let signature = sign(&key, &list);
    peer.verify_signed(&list, Some(&signature))
        .assert_accepted(32);

    let too_many = list.into_iter().chain([(CGA, locator("2001:db8:1::"))]);
    let records = too_many.map(|(method, locator)| LocatorRecord { locator, method });
    assert!(SignedOctets::new(GENERATION, records).is_none());
}

#[test]
#[cfg_attr(miri, ignore = "long")]
fn signature_that_is_missing_or_cannot_be() {
    let peer = Peer::named("hostC");
    let list = mixed_list(&peer);
    let right = sign(&RsaKey::named("rsa1024"), &list);
    peer.verify_signed(&list, Some(&right)).assert_accepted(4);

    let missing = peer.verify(&list);
    missing.assert_reported(Refusal::NoSignature, 2);
    assert_eq!((missing.hashes, missing.signatures), (1, 0));

    let longer = [right.as_slice(), &[0]].concat();
    for impossible in [[].as_slice(), &right[..127], &longer, &[0xff; 128]] {
        let outcome = peer.verify_signed(&list, Some(impossible));
        outcome.assert_reported(Refusal::WrongSignature, 2);
        assert_eq!((outcome.hashes, outcome.signatures), (1, 0));
    }
}

/// A signature is not looked at before everything else is right.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn cheap_checks_come_first() {
    let peer = Peer::named("hostC");
    let key = RsaKey::named("rsa1024");
    let mut octets = peer.set[1].octets();
    octets[15] ^= 1;
    let list = [
        (CGA, locator("2001:db8:77::1")),
        (HBA, peer.set[0]),
        (HBA, Locator::new(octets)),
    ];
    let outcome = peer.verify_signed(&list, Some(&sign(&key, &list)));
    outcome.assert_reported(Refusal::NotInSet, 2);
    assert_eq!(outcome.signatures, 0);

    let mut unknown = list;
    unknown[2].0 = VerificationMethod::new(9);
    let outcome = peer.verify_signed(&unknown, Some(&sign(&key, &unknown)));
    outcome.assert_reported(Refusal::UnknownMethod, 2);
    assert_eq!((outcome.hashes, outcome.signatures), (1, 0));
}

/// With HBA alone a signature is superfluous and not looked at.
#[test]
fn superfluous_signature() {
    for name in ["hostA", "hostC"] {
        let peer = Peer::named(name);
        for signature in [[].as_slice(), &[0; 128], &[0xff; 3]] {
            let outcome = peer.verify_signed(&peer.list(), Some(signature));
            outcome.assert_accepted(2);
            assert_eq!(outcome.signatures, 0);
        }
    }
}

/// P is zero: there is no key, whatever is in its place.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn cga_of_an_hba_only_set() {
    let peer = Peer::named("hostA");
    let mut list = peer.list();
    list.push((CGA, locator("2001:db8:77::1")));
    let outcome = peer.verify_signed(&list, Some(&[1; 48]));
    outcome.assert_reported(Refusal::NoKey, 2);

    let key = RsaKey::named("rsa1024");
    let peer = Peer::generated(2, &key.spki, false);
    let mut list = peer.list();
    list.push((CGA, locator("2001:db8:77::1")));
    let outcome = peer.verify_signed(&list, Some(&sign(&key, &list)));
    outcome.assert_reported(Refusal::NoKey, 2);
    assert_eq!(outcome.signatures, 0);
}

/// The key of the example in RFC 3972 has 512 bits: good enough for HBA, not for CGA.
#[test]
fn small_key() {
    let vectors = vectors!("cga");
    let key = field(&vectors["generation"][0]["public_key_spki_der"]);
    let peer = Peer::generated(2, &key, true);
    peer.verify(&peer.list()).assert_accepted(2);

    let mut list = peer.list();
    list[1].0 = CGA;
    let outcome = peer.verify_signed(&list, Some(&[1; 64]));
    outcome.assert_reported(Refusal::NoKey, 1);
    assert_eq!(outcome.signatures, 0);
}

/// What is no RSA key can be hashed as well.
#[test]
fn key_of_another_kind() {
    let peer = Peer::generated(2, &[0x30, 2, 5, 0], true);
    peer.verify(&peer.list()).assert_accepted(2);

    let list = [(CGA, peer.set[0])];
    peer.verify_signed(&list, Some(&[1; 128]))
        .assert_reported(Refusal::NoKey, 0);
}

/// Answers of the cryptography that are not about the signature.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn signature_that_cannot_be_verified() {
    let peer = Peer::named("hostC");
    let list = mixed_list(&peer);
    let signature = sign(&RsaKey::named("rsa1024"), &list);
    let options = message(&list, Some(&peer.pds), Some(&signature));

    for (error, refusal, is_reported) in [
        (SignatureError::Wrong, Refusal::WrongSignature, true),
        (SignatureError::Unsupported, Refusal::NoKey, true),
        (SignatureError::Failed, Refusal::Unavailable, false),
    ] {
        with_host(&options, |host| {
            let rejection = VerifiedHost::verify(
                &HostDigests::default(),
                &mut Answer(Err(error)),
                peer.ulid(),
                None,
                host,
            )
            .unwrap_err();
            assert_eq!(rejection.refusal, refusal);
            assert_eq!(rejection.report.is_some(), is_reported);
        });
    }
}

/// In two steps, as a host that puts off signatures does it.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn signature_can_be_put_off() {
    let peer = Peer::named("hostC");
    let list = mixed_list(&peer);
    let key = RsaKey::named("rsa1024");
    let signature = sign(&key, &list);

    with_host(&message(&list, None, Some(&signature)), |host| {
        let HostOptions {
            locator_list: Some(list),
            cga_signature,
            ..
        } = *host
        else {
            panic!("{host:?}")
        };
        let digests = HostDigests::default();
        let parameters = UlidParameters::verify(&digests, peer.ulid(), &peer.pds).unwrap();
        assert_eq!(parameters.pds().as_octets(), peer.pds);

        let checked = CheckedList::new(&digests, Some(&parameters), list, cga_signature).unwrap();
        let check = checked.signature().expect("a signature to verify");
        assert_eq!(check.key.modulus(), key.modulus());
        assert_eq!(check.signature, signature);

        let verified = checked.finish(&mut HostRsa::default()).unwrap();
        assert_eq!(verified.generation(), GENERATION);
        assert_eq!(verified.len(), 4);
        assert!(verified.iter().eq(list.iter()));
        assert!(verified.contains(peer.set[1]));
        assert!(!verified.contains(locator("2001:db8::")));
    });
}

/// A message of host C, the ULID of which is not in its list: list, PDS and signature.
static SIGNED_MESSAGE: LazyLock<(Peer, [Vec<u8>; 3])> = LazyLock::new(|| {
    let peer = Peer::named("hostC");
    let list = mixed_list(&peer).split_off(1);
    let signature = sign(&RsaKey::named("rsa1024"), &list);
    let options = [list_contents(&list), peer.pds.clone(), signature];
    (peer, options)
});

/// What becomes of such a message.
fn outcome_of(peer: &Peer, [list, pds, signature]: [&[u8]; 3]) -> Outcome {
    Outcome::of(
        peer.ulid(),
        None,
        &[tlv(2, list), tlv(4, pds), tlv(5, signature)],
    )
}

proptest! {
    #![proptest_config(cases(512))]

    /// Changing a bit of what is hashed or signed makes the message worthless, changing another
    /// one does not: the prefix of the PDS, the padding in the list, u and g of an HBA.
    #[test]
    #[cfg_attr(miri, ignore = "long")]
    fn changed_bits(
        part in 0_usize..3,
        index: prop::sample::Index,
        bit in 0_u32..8,
    ) {
        let (peer, mut options) = (&SIGNED_MESSAGE.0, SIGNED_MESSAGE.1.clone());
        let octet = index.index(options[part].len());
        options[part][octet] ^= 1 << bit;

        // The list has three locators, so four octets of padding; the first locator is the HBA.
        let is_ignored = match part {
            0 => (8..12).contains(&octet) || (octet == 20 && bit < 2),
            1 => (16..24).contains(&octet),
            _ => false,
        };
        // A changed number of locators is malformed, and no message at all.
        prop_assume!(part != 0 || octet != 4);

        let outcome = outcome_of(peer, [&options[0], &options[1], &options[2]]);
        prop_assert_eq!(outcome.result.is_ok(), is_ignored, "part {}, octet {}", part, octet);
    }

    /// Whatever is in the options, it is refused.
    #[test]
    fn any_contents(
        locators in prop::collection::vec(any::<([u8; 16], u8)>(), 1..40),
        pds in prop::collection::vec(any::<u8>(), 0..300),
        signature in prop::collection::vec(any::<u8>(), 0..300),
        has_right_pds: bool,
    ) {
        let peer = Peer::named("hostC");
        let list: Vec<_> = locators
            .iter()
            .map(|(octets, method)| (VerificationMethod::new(method % 4), Locator::new(*octets)))
            .collect();
        let pds = if has_right_pds { &peer.pds } else { &pds };
        let outcome = outcome_of(&peer, [&list_contents(&list), pds, &signature]);
        prop_assert!(outcome.result.is_err());
        prop_assert!(outcome.signatures <= 1);
    }
}
