// SPDX-License-Identifier: GPL-2.0

//! Generic netlink families with operations.
//!
//! A [`Family`] is a static: its name, its version and its operations are constants, and the
//! kernel refers to them for as long as the [`Registration`] lives. An operation is a type that
//! implements [`Do`] (one request, at most one reply) or [`Dump`] (one request, a reply of many
//! messages); the attributes that it takes are declared as a table of [`Policy`], which the kernel
//! checks before the operation is called. All checks are strict: unknown attributes, wrong
//! lengths, trailing octets and reserved fields are refused.
//!
//! Operations run in process context and may sleep, several of them at a time.
//!
//! C header: `include/net/genetlink.h`.

mod attribute;
mod dump;
mod group;
mod message;
mod policy;
mod request;

pub(crate) use self::{
    attribute::{
        Attribute,
        Attributes, //
    },
    dump::{
        Batch,
        Dump,
        Progress, //
    },
    message::Message,
    policy::Policy,
    request::Request, //
};

pub(crate) use self::group::Group;

use crate::{
    bindings,
    kernel_ext::fault, //
};

use core::{
    ffi::CStr,
    mem::transmute, //
};

use kernel::{
    error::to_result,
    prelude::*,
    sync::atomic::{
        ordering::Release,
        Atomic, //
    },
    types::Opaque,
    ThisModule, //
};

/// Who may ask for an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Who has `CAP_NET_ADMIN` in the user namespace that owns the network namespace.
    NetAdmin,
}

impl Permission {
    const fn flags(self) -> u8 {
        match self {
            Self::NetAdmin => bindings::GENL_UNS_ADMIN_PERM as u8,
        }
    }
}

/// An operation on one request.
pub(crate) trait Do {
    /// The number of the command.
    const COMMAND: u8;

    /// Who may ask for it.
    const PERMISSION: Permission;

    /// The attributes that it takes; the index is the type of the attribute.
    const POLICY: &'static [Policy];

    /// Does it.
    ///
    /// On [`Ok`] and on [`Err`] the kernel acknowledges the request as the sender asked. Errors
    /// are made with the methods of [`Request`], which add a sentence for the user.
    fn doit(request: &Request<'_>) -> Result;
}

/// An entry of the table of operations of a [`Family`].
#[repr(transparent)]
pub(crate) struct Operation(bindings::genl_split_ops);

// SAFETY: An `Operation` is never modified, and what it points to is immutable and static.
unsafe impl Sync for Operation {}

impl Operation {
    /// The entry for an operation on one request.
    pub(crate) const fn doit<T: Do>() -> Self {
        let callbacks = bindings::genl_split_ops__bindgen_ty_1__bindgen_ty_1 {
            pre_doit: None,
            doit: Some(doit_callback::<T>),
            post_doit: None,
        };

        Self::new(
            bindings::genl_split_ops__bindgen_ty_1 {
                __bindgen_anon_1: callbacks,
            },
            T::POLICY,
            T::COMMAND,
            T::PERMISSION.flags() | bindings::GENL_CMD_CAP_DO as u8,
        )
    }

    /// The entry for a dump. If the command also has an operation on one request, both have the
    /// same permission.
    pub(crate) const fn dump<T: Dump>() -> Self {
        Self::new(
            bindings::genl_split_ops__bindgen_ty_1 {
                __bindgen_anon_2: dump::callbacks::<T>(),
            },
            T::POLICY,
            T::COMMAND,
            T::PERMISSION.flags() | bindings::GENL_CMD_CAP_DUMP as u8,
        )
    }

    /// The place among the operations of a family.
    const fn place(&self) -> u16 {
        let dump = self.0.flags & bindings::GENL_CMD_CAP_DUMP as u8 != 0;
        self.0.cmd as u16 * 2 + dump as u16
    }

    const fn new(
        callbacks: bindings::genl_split_ops__bindgen_ty_1,
        policy: &'static [Policy],
        cmd: u8,
        flags: u8,
    ) -> Self {
        Self(bindings::genl_split_ops {
            __bindgen_anon_1: callbacks,
            policy: policy::table(policy),
            maxattr: policy::max_type(policy) as u32,
            cmd,
            internal_flags: 0,
            flags,
            validate: 0,
        })
    }
}

/// # Safety
///
/// Called by generic netlink only: `info` is valid and describes a request that the policy of `T`
/// has accepted.
unsafe extern "C" fn doit_callback<T: Do>(
    _skb: *mut bindings::sk_buff,
    info: *mut bindings::genl_info,
) -> c_int {
    // SAFETY: `info` and what it refers to stay as they are until this function returns.
    let request = unsafe { Request::from_raw(info) };

    match T::doit(&request) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// A generic netlink family.
pub(crate) struct Family {
    family: Opaque<bindings::genl_family>,
    /// Whether its groups are its own: from after its registration until before the end of that.
    is_registered: Atomic<bool>,
}

// SAFETY: Only the kernel modifies a family, under its own locks.
unsafe impl Sync for Family {}

impl Family {
    /// A family of the given name in every network namespace. To be used in constants only: a
    /// name or a table that is too long does not compile. The name ends with an octet of zero, as
    /// bindgen gives the strings of a header.
    ///
    /// `operations` are ordered by command; of a command that has both, the operation on one
    /// request comes before the dump.
    pub(crate) const fn new(
        module: &'static ThisModule,
        name: &[u8],
        version: u32,
        operations: &'static [Operation],
    ) -> Self {
        let mut family: bindings::genl_family = pin_init::zeroed();

        assert!(CStr::from_bytes_with_nul(name).is_ok(), "name is no string");
        assert!(name.len() <= family.name.len(), "name is too long");
        let mut i = 0;
        while i < name.len() {
            family.name[i] = name[i];
            i += 1;
        }

        assert!(operations.len() <= u8::MAX as usize, "too many operations");
        let mut i = 1;
        while i < operations.len() {
            assert!(
                operations[i - 1].place() < operations[i].place(),
                "operations are not in order"
            );
            i += 1;
        }
        family.n_split_ops = operations.len() as u8;
        family.split_ops = operations.as_ptr().cast();
        family.version = version;
        family.module = module.as_ptr();

        // `netnsok` and `parallel_ops`, the first and the second bit; the accessors of bindgen
        // are no constant functions.
        const FLAGS: u8 = if cfg!(target_endian = "little") {
            0b0000_0011
        } else {
            0b1100_0000
        };
        family._bitfield_1 =
            // SAFETY: A bit field of eight bits is one octet.
            unsafe { transmute::<u8, bindings::__BindgenBitfieldUnit<[u8; 1]>>(FLAGS) };

        Self {
            family: Opaque::new(family),
            is_registered: Atomic::new(false),
        }
    }

    /// Announces the family to user space. Requests can arrive from here on.
    ///
    /// # Errors
    ///
    /// `EEXIST` if a family of this name is there already, `ENOMEM`.
    pub(crate) fn register(&'static self) -> Result<Registration> {
        fault::point(fault::Point::Family)?;
        // SAFETY: The family is static, hence valid for as long as it is registered. A second
        // registration is refused by its name, before anything is written to it.
        to_result(unsafe { bindings::genl_register_family(self.family.get()) })?;
        self.is_registered.store(true, Release);

        Ok(Registration { family: self })
    }
}

/// A registered [`Family`]; dropping it takes the family away.
///
/// # Invariants
///
/// `family` is registered.
#[must_use = "a family that is dropped is unregistered"]
pub(crate) struct Registration {
    family: &'static Family,
}

impl Drop for Registration {
    /// Waits for requests in progress. Dumps in progress hold a reference to the module, so none
    /// is left when the module goes.
    fn drop(&mut self) {
        self.family.is_registered.store(false, Release);
        // Who found it registered and is about to send is waited for.
        // SAFETY: Process context.
        unsafe { bindings::synchronize_rcu() };
        // SAFETY: By the type invariant the family is registered.
        unsafe { bindings::genl_unregister_family(self.family.family.get()) };
    }
}
