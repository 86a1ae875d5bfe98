// SPDX-License-Identifier: GPL-2.0

//! Peers with sets and keys, the messages in which they tell about themselves, and what becomes
//! of those.

use shim6_proto::{
    cga::{
        self,
        Sec, //
    },
    hba::{
        self,
        MultiPrefixExtension, //
    },
    locator::{
        Locator,
        LocatorRecord,
        Ulid,
        VerificationMethod, //
    },
    number::Generation,
    pds::{
        CollisionCount,
        Parameters, //
    },
    signature,
    verify::{
        Refusal,
        Rejection,
        VerifiedHost, //
    },
    wire::fault::{
        ErrorCode,
        Report, //
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
        locator,
        tlv,
        vectors,
        with_host, //
    }, //
};

pub(crate) const HBA: VerificationMethod = VerificationMethod::HBA;
pub(crate) const CGA: VerificationMethod = VerificationMethod::CGA;
pub(crate) const GENERATION: Generation = Generation::new(0x1234_5678);

/// A host as its peer gets to know it.
pub(crate) struct Peer {
    /// Its HBA set; the first is the ULID.
    pub(crate) set: Vec<Locator>,
    pub(crate) pds: Vec<u8>,
}

impl Peer {
    /// A set from the vectors.
    pub(crate) fn named(name: &str) -> Self {
        let vectors = vectors!("hba");
        let sets = vectors["sets"].as_array().unwrap();
        let set = sets.iter().find(|set| set["name"] == name).expect("a set");
        let members = set["addresses"].as_array().unwrap();
        Self {
            set: members
                .iter()
                .map(|m| address(&m["address"]).into())
                .collect(),
            pds: field(&members[0]["pds"]),
        }
    }

    /// A new set with so many prefixes.
    pub(crate) fn generated(number: u8, key: &[u8], has_public_key: bool) -> Self {
        let prefixes: Vec<_> = (1..=number)
            .map(|i| [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, i])
            .collect();
        let extension = MultiPrefixExtension::new(&prefixes, has_public_key).unwrap();
        let parameters = Parameters::new([3; 16], key, extension.as_octets()).unwrap();
        let count = CollisionCount::default();
        let mut pds = vec![0; parameters.pds_len()];
        parameters.write(prefixes[0], count, &mut pds).unwrap();
        let digests = HostDigests::default();
        let set = hba::addresses(&digests, parameters, Sec::default(), count).unwrap();
        Self {
            set: set.collect(),
            pds,
        }
    }

    /// A host without a set whose ULID is a CGA.
    pub(crate) fn cga(key: &[u8]) -> Self {
        Self::cga_with(key, &[])
    }

    /// The same with these extensions.
    pub(crate) fn cga_with(key: &[u8], extensions: &[u8]) -> Self {
        let parameters = Parameters::new([4; 16], key, extensions).unwrap();
        let prefix = locator("2001:db8:ca::").subnet_prefix();
        let (sec, count) = (Sec::default(), CollisionCount::default());
        let mut pds = vec![0; parameters.pds_len()];
        parameters.write(prefix, count, &mut pds).unwrap();
        Self {
            set: vec![cga::address(
                &HostDigests::default(),
                &parameters,
                sec,
                prefix,
                count,
            )],
            pds,
        }
    }

    pub(crate) fn ulid(&self) -> Ulid {
        self.set[0].as_ulid()
    }

    /// Its set as a list, all verified by HBA.
    pub(crate) fn list(&self) -> Vec<(VerificationMethod, Locator)> {
        self.set.iter().map(|locator| (HBA, *locator)).collect()
    }

    /// What becomes of a message with its PDS and this list.
    pub(crate) fn verify(&self, list: &[(VerificationMethod, Locator)]) -> Outcome {
        self.verify_signed(list, None)
    }

    /// The same with a signature.
    pub(crate) fn verify_signed(
        &self,
        list: &[(VerificationMethod, Locator)],
        signature: Option<&[u8]>,
    ) -> Outcome {
        Outcome::of(
            self.ulid(),
            None,
            &message(list, Some(&self.pds), signature),
        )
    }
}

/// The options of a message; the list comes first.
pub(crate) fn message(
    list: &[(VerificationMethod, Locator)],
    pds: Option<&[u8]>,
    signature: Option<&[u8]>,
) -> Vec<Vec<u8>> {
    let mut options = vec![tlv(2, &list_contents(list))];
    options.extend(pds.map(|octets| tlv(4, octets)));
    options.extend(signature.map(|octets| tlv(5, octets)));
    options
}

/// The contents of a Locator List option.
pub(crate) fn list_contents(list: &[(VerificationMethod, Locator)]) -> Vec<u8> {
    let mut contents = GENERATION.to_wire().to_vec();
    contents.push(list.len() as u8);
    contents.extend(list.iter().map(|(method, _)| method.get()));
    contents.resize(contents.len() + 7 - list.len() % 8, 0);
    contents.extend(list.iter().flat_map(|(_, locator)| locator.octets()));
    contents
}

/// The signature of a list.
pub(crate) fn sign(key: &RsaKey, list: &[(VerificationMethod, Locator)]) -> Vec<u8> {
    let records = list.iter().map(|(method, locator)| LocatorRecord {
        locator: *locator,
        method: *method,
    });
    let digest = signature::digest(&HostDigests::default(), GENERATION, records);
    key.sign(&digest.unwrap())
}

/// What became of a message, and what it cost.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    /// Whether it has a PDS, and how many locators.
    pub(crate) result: Result<(bool, Option<usize>), Rejection>,
    pub(crate) hashes: usize,
    pub(crate) signatures: usize,
}

impl Outcome {
    pub(crate) fn of(ulid: Ulid, stored: Option<&[u8]>, options: &[Vec<u8>]) -> Self {
        let mut outcome = None;
        with_host(options, |host| {
            let (digests, mut rsa) = (HostDigests::default(), HostRsa::default());
            let verified = VerifiedHost::verify(&digests, &mut rsa, ulid, stored, host);
            outcome = Some(Self {
                result: verified.map(|host| {
                    let locators = host.list.map(|list| list.iter().count());
                    (host.parameters.is_some(), locators)
                }),
                hashes: digests.calls.get(),
                signatures: rsa.calls,
            });
        });
        outcome.expect("an outcome")
    }

    /// Accepted with its PDS and so many locators.
    #[track_caller]
    pub(crate) fn assert_accepted(&self, locators: usize) {
        assert_eq!(self.result, Ok((true, Some(locators))));
    }

    /// Refused, with a report about the locator with this index.
    #[track_caller]
    pub(crate) fn assert_reported(&self, refusal: Refusal, index: u16) {
        let report = Report {
            code: ErrorCode::VERIFICATION_METHOD,
            pointer: 40 + 16 + 4 + 5 + index,
        };
        assert_eq!(
            self.result,
            Err(Rejection {
                refusal,
                report: Some(report)
            })
        );
    }

    /// Refused silently.
    #[track_caller]
    pub(crate) fn assert_silent(&self, refusal: Refusal) {
        assert_eq!(self.result, Err(refusal.into()));
    }
}

/// Host C with locators of its set and others, as in `signature.json`.
pub(crate) fn mixed_list(peer: &Peer) -> Vec<(VerificationMethod, Locator)> {
    let mut list = peer.list();
    list.push((CGA, locator("2001:db8:c:ff::1234")));
    list.push((CGA, locator("2001:db8:cc:1::5")));
    list
}
