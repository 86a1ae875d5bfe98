// SPDX-License-Identifier: GPL-2.0

//! The ULID Pair option (RFC 5533, Section 5.15.6).

use super::{
    super::super::locator::{
        Ulid,
        UlidPair, //
    },
    octets, //
};

/// The ULIDs of the context that a message is about, named by the direction of the message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct UlidPairOption {
    /// Of the host that sent the message.
    pub sender: Ulid,
    /// Of the host that the message is for.
    pub receiver: Ulid,
}

impl UlidPairOption {
    /// Octets of the contents.
    pub(in super::super) const LEN: u16 = 36;

    /// Four reserved octets, then the two addresses.
    pub(super) fn parse(contents: &[u8]) -> Option<Self> {
        if contents.len() != usize::from(Self::LEN) {
            return None;
        }
        Some(Self {
            sender: Ulid::new(octets::array(contents, 4)?),
            receiver: Ulid::new(octets::array(contents, 20)?),
        })
    }

    /// The pair as the receiver of the message sees it.
    pub const fn at_receiver(self) -> UlidPair {
        UlidPair {
            local: self.receiver,
            peer: self.sender,
        }
    }
}

/// The pair as the sender of a message has it.
impl From<UlidPair> for UlidPairOption {
    fn from(pair: UlidPair) -> Self {
        Self {
            sender: pair.local,
            receiver: pair.peer,
        }
    }
}
