// SPDX-License-Identifier: GPL-2.0

//! The socket level SOL_SHIM (draft-ietf-shim6-multihome-shim-api-03), by which programs look at the
//! shim and steer it.
//!
//! A call is parsed into types (`option`), finds the context of its socket (`association`), and
//! reads it (`get`) or changes it (`set`). What a socket wants is kept with its namespace
//! (`context::sockets`) until the socket is closed (`lifetime`).

mod association;
mod get;
mod lifetime;
mod option;
mod probe;
mod set;

use self::option::{
    Name,
    PreferredLocator,
    Switch, //
};
use crate::{
    bindings,
    kernel_ext::{
        compat::errno::{
            ENOPROTOOPT,
            EOPNOTSUPP, //
        },
        sock::Sock,
        sockopt::{
            Buffer,
            Level,
            Registration,
            Value, //
        },
    },
};
use kernel::{
    ffi::c_int,
    prelude::*, //
};

/// The level is served while this exists.
///
/// It must be made as the last thing that loading the module does, and dropped first: from then on
/// calls use the module, and the kernel does not wait for them if loading fails after all.
pub(crate) struct SocketLevel {
    // Fields are dropped in this order: first no call comes in any more, then no socket.
    _entries: Option<Registration<Shim>>,
    _observers: lifetime::Cleanup,
}

impl SocketLevel {
    /// Begins to serve the level, or says in the log why it is not served. May sleep.
    pub(crate) fn register() -> Self {
        let entries = Registration::new()
            .inspect_err(|&error| complain(error))
            .ok();
        if entries.is_some() {
            lifetime::check();
            probe::run();
        }
        Self {
            _entries: entries,
            _observers: lifetime::Cleanup,
        }
    }
}

/// Says why the level is not served.
fn complain(error: Error) {
    if error == EBUSY {
        pr_err!(
            "socket level SOL_SHIM unavailable: another module or a live patch has taken over the kernel's socket options\n"
        );
    } else if error == EOPNOTSUPP {
        pr_warn!(
            "socket level SOL_SHIM unavailable: this kernel cannot trace functions with their arguments\n"
        );
    } else if error == EINVAL {
        pr_warn!(
            "socket level SOL_SHIM unavailable: this kernel's socket options cannot be traced\n"
        );
    } else {
        pr_err!(
            "socket level SOL_SHIM unavailable: error {}\n",
            error.to_errno()
        );
    }
}

/// The level.
///
/// Errors come in this order: ENOPROTOOPT for an option that is unknown, or only to be read;
/// EINVAL and EFAULT for a value that cannot be parsed; ENOENT without a context; then what is wrong
/// with the value in this context. On get, ENOPROTOOPT and ENOENT come before a look at the buffer.
struct Shim;

impl Level for Shim {
    const LEVEL: c_int = bindings::SOL_SHIM as c_int;

    fn setsockopt(sk: &Sock, name: c_int, value: &Value<'_>) -> Result {
        match Name::new(name).ok_or(ENOPROTOOPT)? {
            Name::DontShim => set::dont_shim(sk, Switch::parse(value)?),
            Name::DeferredSetup => set::deferred_setup(sk, Switch::parse(value)?),
            Name::Preference(side) => match PreferredLocator::parse(value)? {
                Some(preferred) => set::preference(sk, side, &preferred),
                None => set::no_preference(sk, side),
            },
            Name::Associated | Name::List(_) => Err(ENOPROTOOPT),
        }
    }

    fn getsockopt(sk: &Sock, name: c_int, buffer: &Buffer<'_>) -> Result {
        match Name::new(name).ok_or(ENOPROTOOPT)? {
            Name::Associated => get::associated(sk, buffer),
            Name::DontShim => get::dont_shim(sk, buffer),
            Name::DeferredSetup => get::deferred_setup(sk, buffer),
            Name::Preference(side) => get::preference(sk, side, buffer),
            Name::List(side) => get::list(sk, side, buffer),
        }
    }
}

/// An error number as a value; those that the kernel crate has no name for.
fn errno(number: u32) -> Error {
    Error::from_errno(0_i32.wrapping_sub_unsigned(number))
}
