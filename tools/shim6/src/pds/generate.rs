// SPDX-License-Identifier: GPL-2.0

//! Makes CGAs (RFC 3972 section 4) and HBA sets (RFC 5535 section 6).

use std::net::Ipv6Addr;

use rsa::rand_core::{
    OsRng,
    RngCore, //
};
use shim6_proto::cga::{
    self,
    Sec, //
};
use shim6_proto::hba::{
    ExtendedModifier,
    MultiPrefixExtension,
    PrefixesError, //
};
use shim6_proto::pds::{
    CollisionCount,
    Parameters, //
};

use super::host::Host;
use super::structure;
use super::verify::Method;
use crate::error::Cause;
use crate::prefix::SubnetPrefix;

/// What is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// A set, or addresses that have nothing but their public key in common.
    pub(crate) method: Method,
    pub(crate) prefixes: Prefixes,
    pub(crate) sec: Sec,
    pub(crate) collision_count: CollisionCount,
}

/// Distinct prefixes, 1 to 32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefixes {
    first: [u8; 8],
    all: Vec<[u8; 8]>,
}

impl Prefixes {
    /// One prefix.
    pub(crate) fn one(prefix: SubnetPrefix) -> Self {
        let first = prefix.octets();
        Self {
            first,
            all: vec![first],
        }
    }

    /// Checks the number and the distinctness of prefixes.
    pub(crate) fn new(prefixes: &[SubnetPrefix]) -> Result<Self, &'static str> {
        let all: Vec<_> = prefixes.iter().map(|prefix| prefix.octets()).collect();
        match (all.first().copied(), MultiPrefixExtension::new(&all, false)) {
            (Some(first), Ok(_)) => Ok(Self { first, all }),
            (None, _) | (_, Err(PrefixesError::Empty)) => Err("a set needs a prefix"),
            (_, Err(PrefixesError::TooMany)) => Err("a set has at most 32 prefixes"),
            (_, Err(PrefixesError::Repeated)) => Err("a prefix is given twice"),
        }
    }
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// The PDS of the first address.
    pub(crate) pds: Vec<u8>,
    /// In the order of the prefixes.
    pub(crate) addresses: Vec<Ipv6Addr>,
}

/// Makes what is planned. `search` finds a modifier for a Sec value. Without a public key the PDS
/// gets random bits in its place.
pub(crate) fn make(
    plan: &Plan,
    public_key: Option<&[u8]>,
    search: impl FnOnce(Parameters<'_>, Sec) -> Option<[u8; 16]>,
) -> Result<Made, Cause> {
    let Plan {
        method,
        prefixes: Prefixes { first, all },
        sec,
        collision_count,
    } = plan;
    let extended_modifier = ExtendedModifier::new(random()?);
    let key = public_key.unwrap_or(extended_modifier.as_octets());
    let extension = match method {
        Method::Hba => MultiPrefixExtension::new(all, public_key.is_some()).ok(),
        Method::Cga => None,
    };
    let extensions = extension.as_ref().map_or(&[][..], |it| it.as_octets());
    let start = Parameters::new(random()?, key, extensions)
        .map_err(|error| Cause::Input(structure(error).into()))?;
    let modifier = search(start, *sec)
        .ok_or_else(|| Cause::Input("the search for a modifier ended without one".into()))?;

    let parameters = start.with_modifier(modifier);
    let mut pds = vec![0; parameters.pds_len()];
    parameters.write(*first, *collision_count, &mut pds);
    let address = |prefix: &[u8; 8]| {
        let locator = cga::address(&Host, &parameters, *sec, *prefix, *collision_count);
        locator.octets().into()
    };
    Ok(Made {
        pds,
        addresses: all.iter().map(address).collect(),
    })
}

/// Random octets from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Cause> {
    let mut octets = [0; N];
    OsRng
        .try_fill_bytes(&mut octets)
        .map_err(|error| Cause::Input(format!("no random numbers: {error}")))?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::super::describe::Description;
    use super::super::key::tests::sample;
    use super::super::search::{
        processors,
        search, //
    };
    use super::super::verify::verdicts;
    use super::*;

    fn prefixes(number: u8) -> Vec<SubnetPrefix> {
        (0..number)
            .map(|last| [0x20, 1, 0xd, 0xb8, 0, 0xa, 0, last].into())
            .collect()
    }

    fn plan(method: Method, number: u8, sec: u8, count: u8) -> Plan {
        Plan {
            method,
            prefixes: Prefixes::new(&prefixes(number)).unwrap(),
            sec: Sec::new(sec).unwrap(),
            collision_count: CollisionCount::new(count).unwrap(),
        }
    }

    fn made(plan: &Plan, public_key: Option<&[u8]>) -> Made {
        make(plan, public_key, |start, sec| {
            search(start, sec, processors(), |_| ())
        })
        .unwrap()
    }

    #[test]
    fn what_is_made_verifies_and_describes_itself() {
        let key = sample("rsa1024");
        let key = Some(key.public_key());
        for (method, number, sec, count, key, kind) in [
            (Method::Hba, 1, 0, 0, None, "HBA"),
            (Method::Hba, 32, 0, 2, None, "HBA"),
            (Method::Hba, 3, 1, 1, None, "HBA"),
            (Method::Hba, 2, 0, 0, key, "CGA/HBA"),
            (Method::Cga, 1, 0, 0, key, "CGA"),
            (Method::Cga, 1, 1, 2, key, "CGA"),
        ] {
            let made = made(&plan(method, number, sec, count), key);
            assert_eq!(made.addresses.len(), usize::from(number));
            for verdict in verdicts(method, &made.addresses, &made.pds) {
                assert!(verdict.verified, "{kind}: {verdict:?}");
                assert_eq!(verdict.sec, sec);
            }
            let description = Description::of(&made.pds).unwrap();
            assert_eq!(description.kind.to_string(), kind);
            assert_eq!(description.addresses, made.addresses);
            assert_eq!((description.sec, description.collision_count), (sec, count));
            assert_eq!(description.prefixes, prefixes(number));
            assert_eq!(description.public_key_bits, key.map(|_| 1024));
        }
    }

    #[test]
    fn the_collision_count_changes_every_address() {
        let modifier = random().unwrap();
        let made = |count| {
            let plan = plan(Method::Cga, 2, 0, count);
            let key = sample("rsa1024");
            make(&plan, Some(key.public_key()), |_, _| Some(modifier)).unwrap()
        };
        let (first, second) = (made(0), made(1));
        for (before, after) in first.addresses.iter().zip(&second.addresses) {
            assert_ne!(before, after);
        }
    }

    #[test]
    fn no_two_sets_are_the_same() {
        let plan = plan(Method::Hba, 2, 0, 0);
        assert_ne!(made(&plan, None).pds, made(&plan, None).pds);
    }

    #[test]
    fn prefixes_that_make_no_set() {
        let refusal = |prefixes: &[SubnetPrefix]| Prefixes::new(prefixes).unwrap_err();
        assert_eq!(refusal(&[]), "a set needs a prefix");
        assert_eq!(refusal(&prefixes(33)), "a set has at most 32 prefixes");
        let twice = [prefixes(3), prefixes(1)].concat();
        assert_eq!(refusal(&twice), "a prefix is given twice");
    }

    #[test]
    fn a_search_without_result_is_an_error() {
        let refusal = make(&plan(Method::Hba, 1, 0, 0), None, |_, _| None).unwrap_err();
        assert!(refusal.to_string().contains("without one"), "{refusal}");
    }
}
