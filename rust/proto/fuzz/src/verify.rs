// SPDX-License-Identifier: GPL-2.0

//! What a host says about its locators, compared with a naive verification that shares nothing
//! with the protocol but the reading of RSA keys.

use arbitrary::{
    Result,
    Unstructured, //
};
use sha1::{
    Digest,
    Sha1, //
};
use shim6_proto::{
    crypto::SignatureError,
    hba::ExtendedModifier,
    locator::{
        Locator,
        VerificationMethod, //
    },
    rsa_key::RsaPublicKey,
    verify::VerifiedHost, //
};

use crate::{
    crypto::{
        Answer,
        HostDigests,
        RsaKey, //
    },
    message::octets,
    peer::{
        list_contents,
        Peer,
        CGA,
        HBA, //
    },
    support::{
        tlv,
        with_host, //
    }, //
};

thread_local! {
    /// Hosts with sets, with keys and with both.
    static PEERS: Vec<Peer> = {
        let modifier = ExtendedModifier::new([7; 48]);
        let key = RsaKey::named("rsa1024").spki;
        vec![
            Peer::generated(3, modifier.as_octets(), false),
            Peer::generated(1, modifier.as_octets(), false),
            Peer::generated(3, &key, true),
            Peer::cga(&key),
        ]
    };
}

/// What a message says, and what is known before.
struct Case {
    ulid: Locator,
    stored: Option<Vec<u8>>,
    parameters: Option<Vec<u8>>,
    list: Option<Vec<(VerificationMethod, Locator)>>,
    signature: Option<Vec<u8>>,
    answer: std::result::Result<(), SignatureError>,
}

/// A message about a host is believed if, and only if, the naive verification believes it.
pub fn verify(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(case) = PEERS.with(|peers| case(&mut u, peers)) else {
        return;
    };
    let mut options = vec![];
    options.extend(case.list.as_ref().map(|list| tlv(2, &list_contents(list))));
    options.extend(case.parameters.as_ref().map(|octets| tlv(4, octets)));
    options.extend(case.signature.as_ref().map(|octets| tlv(5, octets)));
    // The longest message that there can be, without its fixed part.
    if options.iter().map(Vec::len).sum::<usize>() > 2048 - 16 {
        return;
    }
    with_host(&options, |host| {
        let digests = HostDigests::default();
        let stored = case.stored.as_deref();
        let mut verifier = Answer(case.answer);
        let ulid = case.ulid.as_ulid();
        let verified = VerifiedHost::verify(&digests, &mut verifier, ulid, stored, host);
        assert_eq!(verified.is_ok(), case.is_right(), "{verified:?}");

        match verified {
            Ok(verified) => {
                assert_eq!(verified.parameters.is_some(), case.parameters.is_some());
                let list = verified.list.map(|list| {
                    let records = list.iter();
                    records
                        .map(|record| (record.method, record.locator))
                        .collect()
                });
                assert_eq!(list, case.list);
            }
            Err(rejection) => {
                let Some(report) = rejection.report else {
                    return;
                };
                // It points at a method in the list, which is the first option.
                let methods = 40 + 16 + 4 + 5;
                let number = case.list.as_ref().map_or(0, Vec::len);
                assert!((methods..methods + number).contains(&usize::from(report.pointer)));
            }
        }
    });
}

fn case(u: &mut Unstructured<'_>, peers: &[Peer]) -> Result<Case> {
    let peer = u.choose(peers)?;
    let mut ulid = *u.choose(&peer.set)?;
    if u.ratio(1, 16)? {
        ulid = locator(u, peer)?;
    }
    let stored = parameters(u, peer, peers)?;
    let parameters = parameters(u, peer, peers)?;
    let list = if u.ratio(15, 16)? {
        let number = u.int_in_range(1..=40)?;
        let mut list = (0..number)
            .map(|_| {
                let method = match u.int_in_range(0..=9)? {
                    0..=5 => HBA,
                    6..=8 => CGA,
                    _ => VerificationMethod::new(u.arbitrary()?),
                };
                Ok((method, locator(u, peer)?))
            })
            .collect::<Result<Vec<_>>>()?;
        // Mostly no locator twice: then nothing else would be looked at.
        if u.ratio(7, 8)? {
            let all = list.clone();
            let mut index = 0;
            list.retain(|(_, locator)| {
                index += 1;
                !all[..index - 1].iter().any(|(_, other)| other == locator)
            });
        }
        Some(list)
    } else {
        None
    };
    let signature = match u.int_in_range(0..=3)? {
        0 => None,
        1 => Some(octets(u, 200)?),
        // As long as the modulus, and smaller.
        _ => Some(vec![u.arbitrary::<u8>()? / 2; 128]),
    };
    let answer = match u.int_in_range(0..=5)? {
        0 => Err(SignatureError::Wrong),
        1 => Err(SignatureError::Unsupported),
        2 => Err(SignatureError::Failed),
        _ => Ok(()),
    };
    Ok(Case {
        ulid,
        stored,
        parameters,
        list,
        signature,
        answer,
    })
}

/// A locator: often one of the set, sometimes one that is nearly in it.
fn locator(u: &mut Unstructured<'_>, peer: &Peer) -> Result<Locator> {
    let mut octets = u.choose(&peer.set)?.octets();
    match u.int_in_range(0..=7)? {
        0..=4 => {}
        5 => octets = u.arbitrary()?,
        6 => {
            let at = u.choose_index(16)?;
            octets[at] ^= u.arbitrary::<u8>()?;
        }
        _ => octets[8..].copy_from_slice(&u.arbitrary::<[u8; 8]>()?),
    }
    Ok(Locator::new(octets))
}

/// A PDS: often the right one, sometimes one that is nearly right.
fn parameters(u: &mut Unstructured<'_>, peer: &Peer, peers: &[Peer]) -> Result<Option<Vec<u8>>> {
    Ok(match u.int_in_range(0..=7)? {
        0..=3 => Some(peer.pds.clone()),
        4 => None,
        5 => Some(u.choose(peers)?.pds.clone()),
        6 => {
            let mut pds = peer.pds.clone();
            let at = u.choose_index(pds.len())?;
            pds[at] ^= u.arbitrary::<u8>()?;
            Some(pds)
        }
        _ => Some(octets(u, 300)?),
    })
}

impl Case {
    /// Whether the message is to be believed (RFC 5533, Sections 7.2 and 7.13).
    fn is_right(&self) -> bool {
        let of_ulid = |octets: &Vec<u8>| Naive::read(octets).filter(|pds| pds.owns(self.ulid));
        let own = self.parameters.as_ref().map(of_ulid);
        if matches!(own, Some(None)) {
            return false;
        }
        let Some(list) = &self.list else {
            return true;
        };
        let known = match own {
            Some(own) => own,
            None => self.stored.as_ref().and_then(of_ulid),
        };
        let Some(pds) = known else {
            return false;
        };
        let distinct = |index: usize, locator| list[..index].iter().all(|(_, l)| *l != locator);
        let signed = list.iter().any(|(method, _)| *method == CGA);

        list.len() <= 32
            && list.iter().enumerate().all(|(index, (method, locator))| {
                is_usable(locator.octets())
                    && distinct(index, *locator)
                    && match *method {
                        HBA => pds.set.is_some() && (*locator == self.ulid || pds.in_set(*locator)),
                        CGA => true,
                        _ => false,
                    }
            })
            && (!signed || self.is_signed(&pds))
    }

    /// Whether there is a signature that can be one, and the verifier takes it.
    fn is_signed(&self, pds: &Naive) -> bool {
        let has_key = pds.set.as_ref().is_none_or(|(has_key, _)| *has_key);
        let key = RsaPublicKey::parse(&pds.key).ok().filter(|_| has_key);
        let Some((key, signature)) = key.zip(self.signature.as_deref()) else {
            return false;
        };
        (1024..=4096).contains(&key.bits()) && key.admits(signature) && self.answer.is_ok()
    }
}

/// Neither multicast, unspecified, loopback, link-local nor IPv4-mapped.
fn is_usable(octets: [u8; 16]) -> bool {
    let address = std::net::Ipv6Addr::from(octets);
    !address.is_multicast()
        && !address.is_unspecified()
        && !address.is_loopback()
        && !address.is_unicast_link_local()
        && address.to_ipv4_mapped().is_none()
}

/// A PDS, read without any care for cost.
struct Naive {
    octets: Vec<u8>,
    key: Vec<u8>,
    /// P, and the prefixes.
    set: Option<(bool, Vec<[u8; 8]>)>,
}

impl Naive {
    fn read(octets: &[u8]) -> Option<Self> {
        if octets.len() < 25 || octets[24] > 2 {
            return None;
        }
        let key_len = match octets[25..] {
            [0x30, length @ 0..=0x7f, ..] => 2 + usize::from(length),
            [0x30, 0x81, length, ..] => 3 + usize::from(length),
            [0x30, 0x82, high, low, ..] => 4 + usize::from(high) * 256 + usize::from(low),
            _ => return None,
        };
        let key = octets.get(25..25 + key_len)?.to_vec();
        let mut rest = &octets[25 + key_len..];
        let mut sets = vec![];
        while !rest.is_empty() {
            let [a, b, c, d] = *rest.first_chunk()?;
            let length = usize::from(c) * 256 + usize::from(d);
            let data = rest.get(4..4 + length)?;
            if [a, b] == [0, 0x12] {
                sets.push(data);
            }
            rest = &rest[4 + length..];
        }
        let set = match sets[..] {
            [] => None,
            [data] if data.len() >= 12 && data.len() % 8 == 4 && data.len() <= 4 + 32 * 8 => {
                let prefixes = data[4..].chunks(8);
                Some((
                    data[0] >= 0x80,
                    prefixes.map(|p| p.try_into().expect("8 octets")).collect(),
                ))
            }
            _ => return None,
        };
        Some(Self {
            octets: octets.to_vec(),
            key,
            set,
        })
    }

    fn has_prefix(&self, address: Locator) -> bool {
        let mut prefixes = self.set.iter().flat_map(|(_, prefixes)| prefixes);
        prefixes.any(|prefix| *prefix == address.subnet_prefix())
    }

    /// Whether the address is the one of the PDS, or one of its set.
    fn owns(&self, address: Locator) -> bool {
        if self.has_prefix(address) {
            self.in_set(address)
        } else {
            self.octets[16..24] == address.subnet_prefix() && self.has_hashes_of(address)
        }
    }

    fn in_set(&self, address: Locator) -> bool {
        self.has_prefix(address) && self.has_hashes_of(address)
    }

    /// Hash1 and Hash2 (RFC 3972, Section 5), with the prefix of the address in the PDS.
    fn has_hashes_of(&self, address: Locator) -> bool {
        let mut octets = self.octets.clone();
        octets[16..24].copy_from_slice(&address.subnet_prefix());
        let hash1 = Sha1::digest(&octets);
        octets[16..25].fill(0);
        let hash2 = Sha1::digest(&octets);

        let identifier = &address.octets()[8..];
        let zeros = 2 * usize::from(identifier[0] >> 5);
        (hash1[0] ^ identifier[0]) & 0x1c == 0
            && hash1[1..8] == identifier[1..]
            && zeros <= 4
            && hash2[..zeros].iter().all(|octet| *octet == 0)
    }
}
