// SPDX-License-Identifier: GPL-2.0

//! Who a host is: the HBA set that its locators are from (RFC 5535), made as the tool makes it.

use std::rc::Rc;

use shim6_model::crypto::Hashes;
use shim6_proto::{
    cga::{
        Search,
        Sec, //
    },
    hba::{
        self,
        ExtendedModifier,
        MultiPrefixExtension, //
    },
    locator::Locator,
    pds::{
        CollisionCount,
        Parameters, //
    },
    random::Random, //
};

use crate::dice::Dice;

/// The addresses of a set and what proves that they belong together.
#[derive(Clone, Debug)]
pub struct HbaSet {
    /// In the order of the prefixes.
    pub addresses: Vec<Locator>,
    /// The CGA Parameter Data Structure of the first, which is good for all.
    pub parameters: Rc<[u8]>,
}

impl HbaSet {
    /// A set for these prefixes, which are different and not too many.
    pub fn new(prefixes: &[[u8; 8]], dice: &mut Dice) -> Self {
        let mut random = [0; 48];
        for octets in random.chunks_exact_mut(8) {
            octets.copy_from_slice(&dice.u64().to_ne_bytes());
        }
        let key = ExtendedModifier::new(random);
        let extension = MultiPrefixExtension::new(prefixes, false).expect("different prefixes");
        let sec = Sec::new(0).expect("a defined value");
        let count = CollisionCount::default();
        let mut modifier = [0; 16];
        modifier.copy_from_slice(random.first_chunk::<16>().expect("48 octets"));
        let start = Parameters::new(modifier, key.as_octets(), extension.as_octets())
            .expect("they are well-formed");
        let parameters = Search::new(start, sec)
            .step(&Hashes, 1)
            .expect("Sec 0 asks for nothing");
        let addresses = hba::addresses(&Hashes, parameters, sec, count).expect("it has a set");
        let first = *prefixes.first().expect("there is one");
        let mut octets = vec![0; parameters.pds_len()];
        parameters
            .write(first, count, &mut octets)
            .expect("there is room");
        Self {
            addresses: addresses.collect(),
            parameters: octets.into(),
        }
    }
}
