// SPDX-License-Identifier: GPL-2.0

//! What an attribute must look like.
//!
//! C header: `include/net/netlink.h`, `struct nla_policy`.

use crate::bindings;

use core::{
    ffi::CStr,
    ptr, //
};

/// What the kernel checks of an attribute before an operation sees it.
///
/// A table of policies is indexed by the type of the attribute; entry 0 is never used.
///
/// # Invariants
///
/// The member of the union is the one that the type and the kind of validation select. What it
/// points to is static.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Policy(bindings::nla_policy);

// SAFETY: A `Policy` is never modified, and what it points to is immutable and static.
unsafe impl Sync for Policy {}

impl Policy {
    /// Refused as not supported.
    pub(crate) const UNSUPPORTED: Self = Self::plain(bindings::NLA_UNSPEC);

    /// An integer of 8 bits.
    pub(crate) const U8: Self = Self::plain(bindings::NLA_U8);

    /// An integer of 32 bits, host byte order.
    pub(crate) const U32: Self = Self::plain(bindings::NLA_U32);

    /// An integer of 64 bits, host byte order.
    pub(crate) const U64: Self = Self::plain(bindings::NLA_U64);

    /// Refused with this sentence.
    pub(crate) const fn refused(sentence: &'static CStr) -> Self {
        Self(bindings::nla_policy {
            __bindgen_anon_1: bindings::nla_policy__bindgen_ty_1 {
                reject_message: sentence.as_ptr().cast(),
            },
            ..Self::plain(bindings::NLA_REJECT).0
        })
    }

    /// Exactly `len` octets.
    pub(crate) const fn octets(len: i16) -> Self {
        Self(bindings::nla_policy {
            validation_type: bindings::nla_policy_validation_NLA_VALIDATE_RANGE as u8,
            __bindgen_anon_1: bindings::nla_policy__bindgen_ty_1 {
                __bindgen_anon_1: bindings::nla_policy__bindgen_ty_1__bindgen_ty_1 {
                    min: len,
                    max: len,
                },
            },
            ..Self::plain(bindings::NLA_BINARY).0
        })
    }

    /// A nest of attributes, each of which the table accepts.
    pub(crate) const fn nest(policies: &'static [Self]) -> Self {
        Self(bindings::nla_policy {
            len: max_type(policies),
            __bindgen_anon_1: bindings::nla_policy__bindgen_ty_1 {
                nested_policy: table(policies),
            },
            ..Self::plain(bindings::NLA_NESTED).0
        })
    }

    const fn plain(kind: u32) -> Self {
        Self(bindings::nla_policy {
            type_: kind as u8,
            validation_type: bindings::nla_policy_validation_NLA_VALIDATE_NONE as u8,
            len: 0,
            __bindgen_anon_1: bindings::nla_policy__bindgen_ty_1 { range: ptr::null() },
        })
    }
}

/// The table as the kernel wants it: null if no attribute is taken.
pub(super) const fn table(policies: &'static [Policy]) -> *const bindings::nla_policy {
    if policies.is_empty() {
        ptr::null()
    } else {
        policies.as_ptr().cast()
    }
}

/// The largest type of attribute in the table.
pub(super) const fn max_type(policies: &'static [Policy]) -> u16 {
    // 14 bits hold the type of an attribute.
    assert!(policies.len() <= 1 << 14, "too many types of attributes");
    policies.len().saturating_sub(1) as u16
}
