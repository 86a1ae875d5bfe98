// SPDX-License-Identifier: GPL-2.0

//! Tables whose keys nobody chooses to do harm: a hash that costs little, and the same in every
//! run.

use std::{
    collections::{
        HashMap,
        HashSet, //
    },
    hash::{
        BuildHasherDefault,
        Hasher, //
    }, //
};

/// A table. Nothing may depend on the order of what is in it.
pub type Map<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;

/// The same without values.
pub type Set<K> = HashSet<K, BuildHasherDefault<Mixer>>;

/// A multiplication for every eight octets.
#[derive(Clone, Copy, Default, Debug)]
pub struct Mixer(u64);

impl Mixer {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Mixer {
    fn write(&mut self, octets: &[u8]) {
        for chunk in octets.chunks(8) {
            let word = match <[u8; 8]>::try_from(chunk) {
                Ok(word) => u64::from_le_bytes(word),
                Err(_) => chunk
                    .iter()
                    .fold(0, |word, octet| (word << 8) | u64::from(*octet)),
            };
            self.mix(word);
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.mix(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.mix(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
