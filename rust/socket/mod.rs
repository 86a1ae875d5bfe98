// SPDX-License-Identifier: GPL-2.0

//! The socket level SOL_SHIM (draft-ietf-shim6-multihome-shim-api-03), by which programs look at the
//! shim and steer it.
//!
//! A call is parsed into types (`option`), finds the context of its socket (`association`), and
//! reads it (`get`) or changes it (`set`). What a socket wants is kept with its namespace
//! (`context::sockets`) until the socket is closed (`lifetime`). Datagrams carry ancillary data
//! (`ancillary`). RFC 6316 has the same options with other structures and some other rules; they
//! have numbers of their own.

mod ancillary;
mod association;
mod get;
mod lifetime;
mod option;
mod probe;
mod set;

use self::option::{
    parse_app_timeout,
    parse_path_explore,
    Form,
    Name,
    Record,
    Records,
    Switch, //
};
use crate::{
    bindings,
    context::Options,
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
    // Fields are dropped in this order: first no call comes in any more, then no socket goes, then
    // nothing is sent or received with ancillary data.
    _entries: Option<Registration<Shim>>,
    _observers: lifetime::Cleanup,
    _ancillary: ancillary::Opened,
}

impl SocketLevel {
    /// Begins to serve the level, or says in the log why it is not served. May sleep.
    pub(crate) fn register() -> Self {
        let ancillary = ancillary::open();
        let entries = Registration::new()
            .inspect_err(|&error| complain(error))
            .ok();
        if entries.is_some() {
            lifetime::check();
            ancillary::check();
            probe::run();
        }
        Self {
            _entries: entries,
            _observers: lifetime::Cleanup,
            _ancillary: ancillary,
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
/// Errors come in this order: ENOPROTOOPT for an option that is unknown, or only to be read; of
/// RFC 6316's options, EOPNOTSUPP for a socket that is not connected; EINVAL and EFAULT for a value
/// that cannot be parsed; ENOENT without a context; then what is wrong with the value in this
/// context. On get, these and ENOENT come before a look at the buffer.
struct Shim;

impl Level for Shim {
    const LEVEL: c_int = bindings::SOL_SHIM as c_int;

    fn setsockopt(sk: &Sock, name: c_int, value: &Value<'_>) -> Result {
        let (name, form) = Name::new(name).ok_or(ENOPROTOOPT)?;
        let is_written = match name {
            Name::Associated => false,
            Name::DeferredSetup => form == Form::Draft,
            _ => true,
        };
        if !is_written {
            return Err(ENOPROTOOPT);
        }
        if form == Form::Rfc {
            match name {
                // RFC 6316, Section 6.2.
                Name::DontShim if sk.is_connected() => return Err(EOPNOTSUPP),
                Name::DontShim => (),
                _ => get::check_connected(sk)?,
            }
        }
        ancillary::asked(sk);
        match name {
            Name::DontShim => set::dont_shim(sk, Switch::parse(value)?),
            Name::DeferredSetup => set::deferred_setup(sk, Switch::parse(value)?),
            Name::HotStandby => set::hot_standby(sk, form, Switch::parse(value)?),
            Name::Receive(side) => set::receive(sk, side, form, Switch::parse(value)?),
            Name::Preference(side) => {
                set::preference(sk, side, form, Record::parse_one(form, value)?)
            }
            Name::List(side) => set::list(sk, side, Records::parse(form, value)?),
            Name::AppTimeout => set::app_timeout(sk, parse_app_timeout(value)?),
            Name::PathExplore => set::path_explore(sk, parse_path_explore(form, value)?),
            Name::Send(side) => set::sticky(sk, side, Record::parse_sticky(value)?),
            Name::Associated => Err(ENOPROTOOPT),
        }
    }

    fn getsockopt(sk: &Sock, name: c_int, buffer: &Buffer<'_>) -> Result {
        let (name, form) = Name::new(name).ok_or(ENOPROTOOPT)?;
        if form == Form::Rfc && name != Name::DontShim {
            get::check_connected(sk)?;
        }
        ancillary::asked(sk);
        match name {
            Name::Associated => get::associated(sk, buffer),
            Name::DontShim => get::option(sk, Options::OPT_OUT, buffer),
            Name::HotStandby => get::option(sk, Options::HOT_STANDBY, buffer),
            Name::DeferredSetup => get::deferred_setup(sk, form, buffer),
            Name::Receive(side) => get::receive(sk, side, form, buffer),
            Name::Preference(side) => get::preference(sk, side, form, buffer),
            Name::List(side) => get::list(sk, side, form, buffer),
            Name::AppTimeout => get::app_timeout(sk, buffer),
            Name::PathExplore => get::path_explore(sk, form, buffer),
            Name::Send(side) => get::sticky(sk, side, buffer),
        }
    }
}

/// An error number as a value; those that the kernel crate has no name for.
fn errno(number: u32) -> Error {
    Error::from_errno(0_i32.wrapping_sub_unsigned(number))
}
