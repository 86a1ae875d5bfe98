// SPDX-License-Identifier: GPL-2.0

//! What an attribute must look like.
//!
//! C header: `include/net/netlink.h`, `struct nla_policy`.

use crate::bindings;

use core::{
    ffi::CStr,
    mem::offset_of,
    ptr, //
};

use kernel::prelude::*;

/// What the kernel checks of an attribute before an operation sees it.
///
/// A table of policies is indexed by the type of the attribute; entry 0 is never used.
///
/// This is `struct nla_policy`, spelled out because what bindgen makes of the union in it differs
/// from kernel to kernel.
///
/// # Invariants
///
/// The member of the union is the one that `kind` and `validation` select. What it points to is
/// static.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Policy {
    kind: u8,
    validation: u8,
    len: u16,
    check: Check,
}

#[derive(Clone, Copy)]
#[repr(C)]
union Check {
    none: *const c_void,
    limits: [i16; 2],
    sentence: *const c_char,
    nest: *const bindings::nla_policy,
}

const _: () = {
    assert!(size_of::<Policy>() == size_of::<bindings::nla_policy>());
    assert!(align_of::<Policy>() == align_of::<bindings::nla_policy>());
    assert!(offset_of!(Policy, kind) == offset_of!(bindings::nla_policy, type_));
    assert!(offset_of!(Policy, validation) == offset_of!(bindings::nla_policy, validation_type));
    assert!(offset_of!(Policy, len) == offset_of!(bindings::nla_policy, len));
    assert!(offset_of!(Policy, check) == offset_of!(bindings::nla_policy, __bindgen_anon_1));
};

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
        Self {
            check: Check {
                sentence: sentence.to_bytes_with_nul().as_ptr(),
            },
            ..Self::plain(bindings::NLA_REJECT)
        }
    }

    /// Exactly `len` octets.
    pub(crate) const fn octets(len: i16) -> Self {
        Self {
            validation: bindings::nla_policy_validation_NLA_VALIDATE_RANGE as u8,
            check: Check { limits: [len, len] },
            ..Self::plain(bindings::NLA_BINARY)
        }
    }

    /// At least `min` and at most `max` octets.
    pub(crate) const fn binary(min: i16, max: i16) -> Self {
        Self {
            validation: bindings::nla_policy_validation_NLA_VALIDATE_RANGE as u8,
            check: Check { limits: [min, max] },
            ..Self::plain(bindings::NLA_BINARY)
        }
    }

    /// A text of at most `max` octets, which may end with a zero.
    pub(crate) const fn text(max: u16) -> Self {
        Self {
            len: max,
            ..Self::plain(bindings::NLA_STRING)
        }
    }

    /// A nest of attributes, each of which the table accepts.
    pub(crate) const fn nest(policies: &'static [Self]) -> Self {
        Self {
            len: max_type(policies),
            check: Check {
                nest: table(policies),
            },
            ..Self::plain(bindings::NLA_NESTED)
        }
    }

    const fn plain(kind: u32) -> Self {
        Self {
            kind: kind as u8,
            validation: bindings::nla_policy_validation_NLA_VALIDATE_NONE as u8,
            len: 0,
            check: Check { none: ptr::null() },
        }
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
