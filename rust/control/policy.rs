// SPDX-License-Identifier: GPL-2.0

//! With whom contexts are established as soon as there is traffic: prefixes of peers.

use crate::{
    kernel_ext::rcu::{
        RcuArc,
        RcuPtr, //
    },
    proto::locator::Ulid,
};
use kernel::{
    alloc::AllocError,
    new_mutex,
    prelude::*,
    sync::{
        rcu::Guard,
        Mutex, //
    },
};

/// Most prefixes of a namespace: they are looked at one after the other.
const MAX_PREFIXES: usize = 64;

/// Why a prefix is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PolicyError {
    /// More than 128 bits.
    Length,
    /// There are bits behind the prefix.
    Bits,
    /// It is there already.
    Exists,
    /// There are too many.
    Full,
    /// It is not there.
    NotFound,
    /// No memory.
    NoMemory,
}

impl From<AllocError> for PolicyError {
    fn from(_: AllocError) -> Self {
        Self::NoMemory
    }
}

/// A prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Prefix {
    address: u128,
    len: u8,
}

impl Prefix {
    /// The prefix with these first bits.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Length`] and [`PolicyError::Bits`].
    pub(crate) fn new(octets: [u8; 16], len: u8) -> Result<Self, PolicyError> {
        let prefix = Self {
            address: u128::from_be_bytes(octets),
            len,
        };
        if len > 128 {
            return Err(PolicyError::Length);
        }
        if prefix.address & !prefix.mask() != 0 {
            return Err(PolicyError::Bits);
        }
        Ok(prefix)
    }

    /// Its octets, in the order of the wire.
    pub(crate) fn octets(&self) -> [u8; 16] {
        self.address.to_be_bytes()
    }

    /// Its length in bits.
    pub(crate) fn len(&self) -> u8 {
        self.len
    }

    fn mask(&self) -> u128 {
        // A shift by 128 is none.
        let host_bits = 128u32.saturating_sub(u32::from(self.len));
        u128::MAX.checked_shl(host_bits).unwrap_or(0)
    }

    fn covers(&self, address: Ulid) -> bool {
        u128::from_be_bytes(address.octets()) & self.mask() == self.address
    }
}

/// The prefixes of a namespace.
#[pin_data]
pub(crate) struct Policy {
    prefixes: RcuPtr<KVec<Prefix>>,
    #[pin]
    change: Mutex<()>,
}

impl Policy {
    /// No prefixes. May sleep.
    pub(super) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            prefixes: RcuPtr::new(publish(KVec::new())?),
            change <- new_mutex!(()),
        }? Error)
    }

    /// Whether there are none.
    #[inline]
    pub(super) fn is_empty(&self, rcu: &Guard) -> bool {
        self.prefixes.load(rcu).is_empty()
    }

    /// Whether a peer is in one of them.
    pub(super) fn covers(&self, peer: Ulid, rcu: &Guard) -> bool {
        self.prefixes
            .load(rcu)
            .iter()
            .any(|prefix| prefix.covers(peer))
    }

    /// The prefix with this index, for who looks at them one after the other.
    pub(crate) fn get(&self, index: usize, rcu: &Guard) -> Option<Prefix> {
        self.prefixes.load(rcu).get(index).copied()
    }

    /// Adds a prefix. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Exists`], [`PolicyError::Full`], [`PolicyError::NoMemory`].
    pub(crate) fn add(&self, prefix: Prefix) -> Result<(), PolicyError> {
        let _change = self.change.lock();
        let mut prefixes = self.copy()?;
        if prefixes.contains(&prefix) {
            return Err(PolicyError::Exists);
        }
        if prefixes.len() >= MAX_PREFIXES {
            return Err(PolicyError::Full);
        }
        prefixes.push(prefix, GFP_KERNEL)?;
        self.prefixes.replace(publish(prefixes)?);
        Ok(())
    }

    /// Takes a prefix out. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// [`PolicyError::NotFound`], [`PolicyError::NoMemory`].
    pub(crate) fn remove(&self, prefix: Prefix) -> Result<(), PolicyError> {
        let _change = self.change.lock();
        let mut prefixes = self.copy()?;
        let before = prefixes.len();
        prefixes.retain(|other| *other != prefix);
        if prefixes.len() == before {
            return Err(PolicyError::NotFound);
        }
        self.prefixes.replace(publish(prefixes)?);
        Ok(())
    }

    fn copy(&self) -> Result<KVec<Prefix>, AllocError> {
        let old = self.prefixes.get();
        let mut copy = KVec::with_capacity(old.len().saturating_add(1), GFP_KERNEL)?;
        for prefix in old.iter() {
            copy.push(*prefix, GFP_KERNEL)?;
        }
        Ok(copy)
    }
}

fn publish(prefixes: KVec<Prefix>) -> Result<RcuArc<KVec<Prefix>>, AllocError> {
    RcuArc::pin_init(Ok::<_, AllocError>(prefixes), GFP_KERNEL)
}
