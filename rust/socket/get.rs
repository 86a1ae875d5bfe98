// SPDX-License-Identifier: GPL-2.0

//! Options that are read.

use super::{
    association,
    errno,
    option::{
        record,
        RECORD_LEN, //
    }, //
};
use crate::{
    bindings,
    context::{
        KnownLocator,
        Namespace,
        Options,
        Side, //
    },
    kernel_ext::{
        address::In6Addr,
        inet6,
        net::Net,
        sock::Sock,
        sockopt::Buffer, //
    },
    proto::locator::MAX_LOCATORS, //
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

/// SHIM_DONTSHIM (draft, Section 5.2).
pub(super) fn dont_shim(sk: &Sock, buffer: &Buffer<'_>) -> Result {
    let options = Namespace::of(sk.net())
        .sockets
        .options(sk, &rcu::read_lock());
    write_flag(options.contains(Options::OPT_OUT), buffer)
}

/// SHIM_CONTEXT_DEFERRED_SETUP (draft, Section 5.12).
pub(super) fn deferred_setup(sk: &Sock, buffer: &Buffer<'_>) -> Result {
    let options = Namespace::of(sk.net())
        .sockets
        .options(sk, &rcu::read_lock());
    write_flag(!options.contains(Options::IMPATIENT), buffer)
}

/// SHIM_LOC_LOCAL_PREF and SHIM_LOC_PEER_PREF: the locator in use (choice A-35).
pub(super) fn preference(sk: &Sock, side: Side, buffer: &Buffer<'_>) -> Result {
    let context = association::context(sk).ok_or(ENOENT)?;
    let record = {
        let rcu = rcu::read_lock();
        let pair = context.pair(&rcu);
        let locator = match side {
            Side::Local => pair.local,
            Side::Peer => pair.peer,
        };
        let unlisted = KnownLocator::new(locator);
        // The list can have been replaced since the pair was read.
        let known = context.locators(&rcu).side(side).find(&locator);
        record_of(sk.net(), side, known.unwrap_or(&unlisted))
    };
    buffer.write(&record)
}

// Applications have space for that many.
const _: () = assert!(MAX_LOCATORS == bindings::SHIM_MAX_LOCATORS as usize);

/// SHIM_LOCLIST_LOCAL and SHIM_LOCLIST_PEER (draft, Sections 5.9 and 5.10).
pub(super) fn list(sk: &Sock, side: Side, buffer: &Buffer<'_>) -> Result {
    let context = association::context(sk).ok_or(ENOENT)?;
    let mut records = [[0; RECORD_LEN]; MAX_LOCATORS];
    let count = {
        let rcu = rcu::read_lock();
        let list = context.locators(&rcu).side(side).as_slice();
        for (record, known) in records.iter_mut().zip(list) {
            *record = record_of(sk.net(), side, known);
        }
        list.len()
    };
    let records = records.get(..count).ok_or(EINVAL)?.as_flattened();
    if buffer.room()? < records.len() {
        // Choice A-20.
        buffer.set_len(records.len())?;
        return Err(errno(bindings::ETOOMANYLOCATORS));
    }
    buffer.write(records)
}

fn record_of(net: &Net, side: Side, known: &KnownLocator) -> [u8; RECORD_LEN] {
    let interface = match side {
        Side::Local => inet6::interface_of(net, &In6Addr::from_octets(known.locator.as_octets())),
        Side::Peer => None,
    };
    record(known, interface)
}

fn write_flag(flag: bool, buffer: &Buffer<'_>) -> Result {
    buffer.write(&c_int::from(flag).to_ne_bytes())
}
