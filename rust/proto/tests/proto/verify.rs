// SPDX-License-Identifier: GPL-2.0

//! Verification of what a message says about its sender, rule by rule: the PDS and lists that
//! hashes prove (RFC 5533, Sections 7.2 and 7.13). `verify_signed` is about signatures.

use shim6_proto::{
    cga::Sec,
    hba::{
        self,
        ExtendedModifier,
        MultiPrefixExtension, //
    },
    locator::{
        Locator,
        VerificationMethod, //
    },
    pds::{
        CollisionCount,
        Parameters, //
    },
    verify::Refusal, //
};

use crate::{
    crypto::{
        HostDigests,
        RsaKey, //
    },
    peer::{
        message,
        Outcome,
        Peer,
        CGA,
        HBA, //
    },
    support::{
        locator,
        tlv, //
    }, //
};

// The PDS and the ULID.

#[test]
fn parameters_of_the_ulid() {
    for name in ["hostA", "hostB", "hostC", "with-ula"] {
        let peer = Peer::named(name);
        let outcome = Outcome::of(peer.ulid(), None, &[tlv(4, &peer.pds)]);
        assert_eq!(outcome.result, Ok((true, None)), "{name}");
        // Any member can be the ULID, whatever the prefix of the PDS.
        for member in &peer.set {
            let outcome = Outcome::of(member.as_ulid(), None, &[tlv(4, &peer.pds)]);
            assert_eq!(outcome.result, Ok((true, None)), "{name}");
        }
    }
}

#[test]
fn parameters_of_another_host() {
    let (a, b) = (Peer::named("hostA"), Peer::named("hostB"));
    let outcome = Outcome::of(a.ulid(), None, &[tlv(4, &b.pds)]);
    outcome.assert_silent(Refusal::ForeignParameters);

    // With a list that is right for its own host.
    let outcome = Outcome::of(a.ulid(), None, &message(&b.list(), Some(&b.pds), None));
    outcome.assert_silent(Refusal::ForeignParameters);
    assert_eq!(outcome.signatures, 0);
}

#[test]
fn malformed_parameters() {
    let peer = Peer::named("hostA");
    for length in [0, 24, 25, 60, peer.pds.len() - 1] {
        let outcome = Outcome::of(peer.ulid(), None, &[tlv(4, &peer.pds[..length])]);
        outcome.assert_silent(Refusal::MalformedParameters);
        assert_eq!(outcome.hashes, 0);
    }
}

/// Which of two sets it is about cannot be said, even if it is the CGA of the ULID.
#[test]
fn parameters_of_two_sets() {
    let key = RsaKey::named("rsa1024").spki;
    let one = MultiPrefixExtension::new(&[[1; 8]], true).unwrap();
    let two = [one.as_octets(), one.as_octets()].concat();
    let peer = Peer::cga_with(&key, &two);
    Outcome::of(peer.ulid(), None, &[tlv(4, &peer.pds)])
        .assert_silent(Refusal::MalformedParameters);
}

#[test]
fn parameters_of_a_cga() {
    let key = RsaKey::named("rsa1024").spki;
    let peer = Peer::cga(&key);
    let outcome = Outcome::of(peer.ulid(), None, &[tlv(4, &peer.pds)]);
    assert_eq!(outcome.result, Ok((true, None)));

    let other = locator("2001:db8:ca::1").as_ulid();
    Outcome::of(other, None, &[tlv(4, &peer.pds)]).assert_silent(Refusal::ForeignParameters);
}

#[test]
fn nothing_said() {
    let outcome = Outcome::of(Peer::named("hostA").ulid(), None, &[]);
    assert_eq!(outcome.result, Ok((false, None)));
    assert_eq!((outcome.hashes, outcome.signatures), (0, 0));
}

// HBA.

#[test]
fn whole_sets() {
    for name in ["hostA", "hostB", "hostC", "collision1", "with-ula", "sec2"] {
        let peer = Peer::named(name);
        let outcome = peer.verify(&peer.list());
        outcome.assert_accepted(peer.set.len());
        assert_eq!(outcome.signatures, 0);
    }
}

#[test]
fn part_of_a_set_in_another_order() {
    let peer = Peer::named("hostB");
    peer.verify(&[(HBA, peer.set[2]), (HBA, peer.set[1])])
        .assert_accepted(2);
}

#[test]
fn largest_list() {
    let key = ExtendedModifier::new([5; 48]);
    let peer = Peer::generated(32, key.as_octets(), false);
    let outcome = peer.verify(&peer.list());
    outcome.assert_accepted(32);
    // One for the ULID, which needs no other, and one for each of the others.
    assert_eq!(outcome.hashes, 32);
}

#[test]
fn locator_outside_the_set() {
    let peer = Peer::named("hostA");
    let mut list = peer.list();
    list.insert(1, (HBA, locator("2001:db8:bad:1::1")));
    let outcome = peer.verify(&list);
    outcome.assert_reported(Refusal::NotInSet, 1);
    // Its prefix gives it away, before anything else is hashed.
    assert_eq!(outcome.hashes, 1);
}

#[test]
fn forged_identifier() {
    let peer = Peer::named("hostB");
    for index in 1..3 {
        let mut list = peer.list();
        let mut octets = list[index].1.octets();
        octets[15] ^= 1;
        list[index].1 = Locator::new(octets);
        peer.verify(&list)
            .assert_reported(Refusal::NotInSet, index as u16);
    }
}

/// The whole list is refused, however many of its locators are right.
#[test]
fn last_of_many_is_forged() {
    let key = ExtendedModifier::new([5; 48]);
    let peer = Peer::generated(32, key.as_octets(), false);
    let mut list = peer.list();
    let mut octets = list[31].1.octets();
    octets[15] ^= 1;
    list[31].1 = Locator::new(octets);
    peer.verify(&list).assert_reported(Refusal::NotInSet, 31);
}

#[test]
fn list_without_parameters() {
    let peer = Peer::named("hostA");
    Outcome::of(peer.ulid(), None, &message(&peer.list(), None, None))
        .assert_reported(Refusal::NoParameters, 0);
}

#[test]
fn list_with_stored_parameters() {
    let peer = Peer::named("hostA");
    let message = message(&peer.list(), None, None);
    let outcome = Outcome::of(peer.ulid(), Some(&peer.pds), &message);
    assert_eq!(outcome.result, Ok((false, Some(2))));
}

/// The PDS of the message counts, not the one before, even if only that would be right.
#[test]
fn parameters_of_the_message_come_first() {
    let (a, c) = (Peer::named("hostA"), Peer::named("hostC"));
    let options = message(&a.list(), Some(&a.pds), None);
    Outcome::of(a.ulid(), Some(&c.pds), &options).assert_accepted(2);

    let options = message(&a.list(), Some(&c.pds), None);
    Outcome::of(a.ulid(), Some(&a.pds), &options).assert_silent(Refusal::ForeignParameters);
}

#[test]
fn hba_with_parameters_of_no_set() {
    let key = RsaKey::named("rsa1024").spki;
    let peer = Peer::cga(&key);
    peer.verify(&peer.list()).assert_reported(Refusal::NoSet, 0);
}

/// The ULID is a CGA whose prefix is not in the set that comes with it. It needs no verification
/// as a locator, and the members of the set belong to it.
#[test]
fn ulid_beside_the_set() {
    let key = RsaKey::named("rsa1024").spki;
    let prefixes = [
        [0x20, 1, 0xd, 0xb8, 0, 0, 0, 1],
        [0x20, 1, 0xd, 0xb8, 0, 0, 0, 2],
    ];
    let extension = MultiPrefixExtension::new(&prefixes, true).unwrap();
    let peer = Peer::cga_with(&key, extension.as_octets());
    let parameters = Parameters::new([4; 16], &key, extension.as_octets()).unwrap();
    let (sec, count) = (Sec::default(), CollisionCount::default());
    let members: Vec<_> = hba::addresses(&HostDigests::default(), parameters, sec, count)
        .unwrap()
        .map(|member| (HBA, member))
        .collect();

    let list = [peer.list(), members.clone()].concat();
    peer.verify(&list).assert_accepted(3);
    peer.verify(&members).assert_accepted(2);
}

// What a list may be.

#[test]
fn too_many_locators() {
    let peer = Peer::named("hostA");
    let list: Vec<_> = (0..33)
        .map(|i| (HBA, locator(&format!("2001:db8:a:1::{i:x}"))))
        .collect();
    let outcome = peer.verify(&list);
    outcome.assert_silent(Refusal::TooMany);
    assert_eq!(outcome.hashes, 1);
}

#[test]
fn unusable_locators() {
    let peer = Peer::named("hostA");
    for unusable in ["ff02::1", "::", "::1", "fe80::1", "::ffff:192.0.2.1"] {
        let mut list = peer.list();
        list.push((HBA, locator(unusable)));
        peer.verify(&list).assert_silent(Refusal::Unusable);
    }
}

/// The set of the LinShim6 self test has a link-local address, which proves itself and is no
/// locator nonetheless.
#[test]
fn link_local_member() {
    let peer = Peer::named("linshim6-self-test");
    peer.verify(&peer.list()).assert_silent(Refusal::Unusable);
    peer.verify(&peer.list()[1..]).assert_accepted(2);
}

#[test]
fn repeated_locators() {
    let peer = Peer::named("hostB");
    for repeated in 0..3 {
        let mut list = peer.list();
        list.push((CGA, peer.set[repeated]));
        peer.verify(&list).assert_silent(Refusal::Repeated);
    }
}

/// The first unknown method is reported whatever else is wrong.
#[test]
fn unknown_methods() {
    let peer = Peer::named("hostB");
    for method in [0, 3, 77, 201, 255] {
        let mut list = peer.list();
        list[0].0 = CGA;
        list[1].0 = VerificationMethod::new(method);
        list[2].0 = VerificationMethod::new(255);
        let outcome = peer.verify(&list);
        outcome.assert_reported(Refusal::UnknownMethod, 1);
        // Those of the ULID, whose Sec value is 1.
        assert_eq!(outcome.hashes, 2);

        Outcome::of(peer.ulid(), None, &message(&list, None, None))
            .assert_reported(Refusal::UnknownMethod, 1);
    }
}

#[test]
fn names_of_refusals() {
    assert_eq!(Refusal::NotInSet.to_string(), "not_in_set");
    assert_eq!(Refusal::Unavailable.name(), "unavailable");
}
