// SPDX-License-Identifier: GPL-2.0

//! The addresses of the hosts: HBA sets from the test vectors of the protocol crate.

use serde_json::Value;
use shim6_proto::locator::{
    Locator,
    LocatorRecord,
    Ulid,
    VerificationMethod, //
};

/// The addresses of a host, and the proof that they belong together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HbaSet {
    /// The letter of the host.
    pub name: char,
    /// Its locators; each can be a ULID.
    pub locators: Vec<LocatorRecord>,
    /// The CGA Parameter Data Structure of the first of them, which is good for all.
    pub parameters: Vec<u8>,
}

impl HbaSet {
    /// The sets of three hosts: A with two locators, B with three, C with two.
    ///
    /// # Panics
    ///
    /// If the vectors are not as they should be.
    pub fn of_vectors() -> Vec<Self> {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../rust/proto/tests/vectors/hba.json"))
                .expect("the vectors are JSON");
        let sets = vectors.get("sets").and_then(Value::as_array);

        [('A', "hostA"), ('B', "hostB"), ('C', "hostC")]
            .into_iter()
            .map(|(name, set)| {
                let set = sets
                    .into_iter()
                    .flatten()
                    .find(|candidate| text(candidate, "name") == set)
                    .expect("the vectors have the set");
                Self::of_vector(name, set)
            })
            .collect()
    }

    fn of_vector(name: char, set: &Value) -> Self {
        let members = set
            .get("addresses")
            .and_then(Value::as_array)
            .expect("a set has addresses");
        let record = |member| LocatorRecord {
            locator: Locator::from(
                text(member, "address")
                    .parse::<std::net::Ipv6Addr>()
                    .expect("an address"),
            ),
            method: VerificationMethod::HBA,
        };
        let first = members.first().expect("a set is not empty");

        Self {
            name,
            locators: members.iter().map(record).collect(),
            parameters: hex::decode(text(first, "pds")).expect("hexadecimal digits"),
        }
    }

    /// Whether an address is one of this host.
    pub fn has(&self, locator: Locator) -> bool {
        self.locators.iter().any(|record| record.locator == locator)
    }

    /// The address with this index, or the last, as a ULID.
    pub fn ulid(&self, index: usize) -> Ulid {
        let record = self.locators.get(index).or(self.locators.last());
        record.map_or(Ulid::new([0; 16]), |record| record.locator.as_ulid())
    }
}

/// A text in a vector.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value
        .get(key)
        .and_then(Value::as_str)
        .expect("the vector has this text")
}
