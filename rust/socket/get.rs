// SPDX-License-Identifier: GPL-2.0

//! Options that are read.

use super::{
    association,
    errno,
    option::{
        record,
        Form,
        RFC_RECORD_LEN, //
    },
    set::receive_option, //
};
use crate::{
    bindings,
    context::{
        Context,
        KnownLocator,
        Listed,
        Namespace,
        Options,
        Side, //
    },
    kernel_ext::{
        address::In6Addr,
        compat::errno::EOPNOTSUPP,
        inet6,
        net::Net,
        rcu::RcuArc,
        sock::Sock,
        sockopt::Buffer, //
    },
    proto::{
        locator::{
            Locator,
            MAX_LOCATORS, //
        },
        time::Interval,
    },
};
use kernel::{
    ffi::c_int,
    prelude::*,
    sync::rcu, //
};

/// SHIM_ASSOCIATED (draft, Section 5.1).
pub(super) fn associated(sk: &Sock, buffer: &Buffer<'_>) -> Result {
    write_flag(association::context(sk).is_some(), buffer)
}

/// Options that are a bit of what the socket wants: SHIM_DONTSHIM (draft, Section 5.2),
/// SHIM_HOT_STANDBY (Section 5.3).
pub(super) fn option(sk: &Sock, option: Options, buffer: &Buffer<'_>) -> Result {
    write_flag(options(sk).contains(option), buffer)
}

/// SHIM_CONTEXT_DEFERRED_SETUP (draft, Section 5.12).
pub(super) fn deferred_setup(sk: &Sock, form: Form, buffer: &Buffer<'_>) -> Result {
    // RFC 6316 asks whether setup can be deferred (Section 6.14).
    let is_deferred = form == Form::Rfc || !options(sk).contains(Options::IMPATIENT);
    write_flag(is_deferred, buffer)
}

/// SHIM_LOC_LOCAL_RECV and SHIM_LOC_PEER_RECV (draft, Sections 5.7 and 5.8).
pub(super) fn receive(sk: &Sock, side: Side, form: Form, buffer: &Buffer<'_>) -> Result {
    // Who is not connected asks about whoever writes to it (choice A-7).
    if sk.is_connected() {
        context(sk)?;
    }
    option(sk, receive_option(side, form), buffer)
}

/// SHIM_LOC_LOCAL_PREF and SHIM_LOC_PEER_PREF: the locator in use (choice A-35).
pub(super) fn preference(sk: &Sock, side: Side, form: Form, buffer: &Buffer<'_>) -> Result {
    let context = context(sk)?;
    let locator = {
        let pair = context.pair(&rcu::read_lock());
        match side {
            Side::Local => pair.local,
            Side::Peer => pair.peer,
        }
    };
    write_locator(sk, &context, side, locator, form, buffer)
}

/// SHIM_LOC_LOCAL_SEND and SHIM_LOC_PEER_SEND as options (RFC 6316, Sections 6.8 and 6.9).
pub(super) fn sticky(sk: &Sock, side: Side, buffer: &Buffer<'_>) -> Result {
    let context = context(sk)?;
    let steering = Namespace::of(sk.net())
        .sockets
        .steering(sk, &rcu::read_lock());
    let locator = match side {
        Side::Local => steering.local,
        Side::Peer => steering.peer,
    };
    match locator {
        Some(locator) => write_locator(sk, &context, side, locator, Form::Rfc, buffer),
        None => buffer.write(&[0; RFC_RECORD_LEN]),
    }
}

/// SHIM_LOCLIST_LOCAL and SHIM_LOCLIST_PEER (draft, Sections 5.9 and 5.10).
pub(super) fn list(sk: &Sock, side: Side, form: Form, buffer: &Buffer<'_>) -> Result {
    let context = context(sk)?;
    let mut octets = KVec::with_capacity(MAX_LOCATORS * form.record_len(), GFP_KERNEL)?;
    {
        let rcu = rcu::read_lock();
        let known = context.locators(&rcu).side(side).iter();
        for known in known.filter(|known| !known.is_excluded) {
            let record = record_of(sk.net(), side, known, form);
            for octet in record.iter().take(form.record_len()) {
                octets.push_within_capacity(*octet).map_err(|_| EINVAL)?;
            }
        }
    }
    if buffer.room()? < octets.len() {
        // Choice A-20.
        buffer.set_len(octets.len())?;
        return Err(errno(bindings::ETOOMANYLOCATORS));
    }
    buffer.write(&octets)
}

/// SHIM_APP_TIMEOUT (draft, Section 5.11): what was set, 0 for the default.
pub(super) fn app_timeout(sk: &Sock, buffer: &Buffer<'_>) -> Result {
    context(sk)?;
    let detection = Namespace::of(sk.net())
        .sockets
        .detection(sk, &rcu::read_lock());
    buffer.write(&c_int::from(detection.send_timeout).to_ne_bytes())
}

/// SHIM_PATHEXPLORE (draft, Section 5.4): what was set, and for the rest what is in force.
pub(super) fn path_explore(sk: &Sock, form: Form, buffer: &Buffer<'_>) -> Result {
    let context = context(sk)?;
    let wanted = Namespace::of(sk.net())
        .sockets
        .detection(sk, &rcu::read_lock());
    let constants = context.lock().map_err(|_| ENOENT)?.reap_constants();
    let or = |set: u16, force: u32| match set {
        0 => u16::try_from(force).unwrap_or(u16::MAX),
        set => set,
    };
    let seconds = |interval: Interval| interval.as_millis() / 1_000;
    let probes = or(
        u16::from(wanted.probes),
        u32::from(constants.initial_probes),
    );
    let send_timeout = or(wanted.send_timeout, seconds(constants.send_timeout));
    let probe_timeout = or(
        wanted.probe_timeout,
        constants.initial_probe_timeout.as_millis(),
    );
    match form {
        Form::Draft => {
            let octet = |value: u16| value.min(255) as u8;
            let [t0, t1] = probe_timeout.to_ne_bytes();
            buffer.write(&[octet(probes), octet(send_timeout), t0, t1, 0, 0, 0, 0])
        }
        Form::Rfc => {
            let third = Interval::from_millis(constants.keepalive_timeout.as_millis() / 3);
            let interval = or(
                wanted.keepalive_interval,
                seconds(constants.keepalive_interval.unwrap_or(third)),
            );
            let [n0, n1] = probes.to_ne_bytes();
            let [s0, s1] = send_timeout.to_ne_bytes();
            let [k0, k1] = interval.to_ne_bytes();
            let [t0, t1] = probe_timeout.to_ne_bytes();
            buffer.write(&[n0, n1, s0, s1, k0, k1, t0, t1, 0, 0, 0, 0])
        }
    }
}

/// The rule of RFC 6316, Section 6.15: but for SHIM_DONTSHIM, options are about connected sockets.
pub(super) fn check_connected(sk: &Sock) -> Result {
    if sk.is_connected() {
        Ok(())
    } else {
        Err(EOPNOTSUPP)
    }
}

fn context(sk: &Sock) -> Result<RcuArc<Context>> {
    association::context(sk).ok_or(ENOENT)
}

fn options(sk: &Sock) -> Options {
    Namespace::of(sk.net())
        .sockets
        .options(sk, &rcu::read_lock())
}

fn write_locator(
    sk: &Sock,
    context: &Context,
    side: Side,
    locator: Locator,
    form: Form,
    buffer: &Buffer<'_>,
) -> Result {
    let record = {
        let rcu = rcu::read_lock();
        let unlisted = KnownLocator::new(locator);
        // The list can have been replaced since the locator was read.
        let known = context.locators(&rcu).side(side).find(&locator);
        record_of(sk.net(), side, known.unwrap_or(&unlisted), form)
    };
    buffer.write(record.get(..form.record_len()).ok_or(EINVAL)?)
}

fn record_of(net: &Net, side: Side, known: &KnownLocator, form: Form) -> [u8; RFC_RECORD_LEN] {
    let interface = match side {
        Side::Local => inet6::interface_of(net, &In6Addr::from_octets(known.locator.as_octets())),
        Side::Peer => None,
    };
    record(form, known, interface)
}

fn write_flag(flag: bool, buffer: &Buffer<'_>) -> Result {
    buffer.write(&c_int::from(flag).to_ne_bytes())
}
