// SPDX-License-Identifier: GPL-2.0

//! Contexts and addresses that several tests use.

use super::locator::{
    Locator,
    Verification, //
};
use super::{
    ContextTag,
    CurrentPair,
    Identity,
    NewContext, //
};

/// 2001:db8:1::a and so on, as octets.
pub(crate) const A1: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xa];
pub(crate) const A2: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xa];
pub(crate) const B1: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xb];
pub(crate) const B2: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xb];

pub(crate) fn identity(fii: u32) -> Identity {
    Identity {
        ulid_local: A1.into(),
        ulid_peer: B1.into(),
        fii,
    }
}

pub(crate) fn tag(value: u64) -> ContextTag {
    ContextTag::new(value).unwrap()
}

/// A context that says everything that can be said.
pub(crate) fn new_context() -> NewContext {
    NewContext {
        identity: identity(0),
        tag_local: tag(0xa1),
        tag_peer: tag(0x7fff_ffff_ffff),
        locator_local: vec![
            Locator::new(A1.into()),
            Locator {
                verification: Verification::Hba,
                priority: 3,
                weight: 255,
                broken: true,
                transient: true,
                ..Locator::new(A2.into())
            },
        ],
        locator_peer: vec![Locator {
            verification: Verification::Cga,
            transient: true,
            ..Locator::new(B1.into())
        }],
        current: CurrentPair {
            local: Some(A2.into()),
            peer: None,
        },
    }
}
