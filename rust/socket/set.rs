// SPDX-License-Identifier: GPL-2.0

//! Options that are set.

use super::{
    ancillary,
    association,
    errno,
    lifetime,
    option::{
        Form,
        Record,
        Records,
        Switch, //
    }, //
};
use crate::{
    bindings,
    context::{
        Cause,
        Context,
        Detection,
        Listed,
        Namespace,
        Options,
        SetPairError,
        Setting,
        Side,
        Sockets,
        Steering, //
    },
    control::ConfigureError,
    kernel_ext::{
        address::In6Addr,
        compat::errno::EOPNOTSUPP,
        inet6,
        rcu::RcuArc,
        sock::{
            Locked,
            Sock, //
        }, //
    },
    proto::locator::Locator,
};
use kernel::{
    ffi::c_int,
    prelude::*,
    sync::{
        rcu,
        Arc, //
    }, //
};

/// SHIM_DONTSHIM (draft, Section 5.2, and choice A-16).
///
/// # Errors
///
/// [`EOPNOTSUPP`] for sockets whose packets are sent by other sockets, and for a TCP connection
/// that lives on locators other than its ULIDs: its packets would go where no path is.
pub(super) fn dont_shim(sk: &Sock, Switch(opt_out): Switch) -> Result {
    if opt_out {
        if association::sends_by_others(sk) {
            return Err(EOPNOTSUPP);
        }
        lifetime::observe()?;
    }
    let sk = sk.lock();
    let sockets = sockets(&sk);
    if opt_out
        && !options(&sk).contains(Options::OPT_OUT)
        && sk.protocol() == bindings::IPPROTO_TCP as c_int
        && association::of_ulids(&sk).is_some_and(|context| !context.is_at_ulids(&rcu::read_lock()))
    {
        return Err(EOPNOTSUPP);
    }
    sockets.set(&sk, Options::OPT_OUT, opt_out)
}

/// SHIM_CONTEXT_DEFERRED_SETUP (draft, Section 5.12): at 0 the context of the socket is asked for
/// with its first packet, or now if it has a peer.
///
/// # Errors
///
/// [`EOPNOTSUPP`] for sockets whose packets are sent by other sockets.
pub(super) fn deferred_setup(sk: &Sock, Switch(deferred): Switch) -> Result {
    if !deferred {
        if association::sends_by_others(sk) {
            return Err(EOPNOTSUPP);
        }
        lifetime::observe()?;
    }
    let namespace = Namespace::of(sk.net());
    let ulids = {
        let sk = sk.lock();
        namespace.sockets.set(&sk, Options::IMPATIENT, !deferred)?;
        association::ulids(&sk)
    };
    namespace.follow_wishes();
    if let (Some(ulids), false) = (ulids, deferred) {
        // That there is one, or that the peer does not answer, is no error of the option's.
        let _ = namespace.control.request(namespace, ulids, Cause::Socket);
    }
    Ok(())
}

/// SHIM_HOT_STANDBY (draft, Section 5.3). Without a context it is noted until there is one (choice
/// A-14), in RFC 6316 it is an error.
pub(super) fn hot_standby(sk: &Sock, form: Form, Switch(wanted): Switch) -> Result {
    let context = association::context(sk);
    if context.is_none() && form == Form::Rfc {
        return Err(ENOENT);
    }
    match context {
        Some(context) if wanted => keep_standby(sk, &context),
        _ if wanted => {
            lifetime::observe()?;
            {
                let sk = sk.lock();
                sockets(&sk).set(&sk, Options::HOT_STANDBY, true)?;
                sockets(&sk).set_pending(&sk);
            }
            // The context may have come just before it was noted, so that nobody saw that.
            match association::context(sk) {
                Some(context) if sockets(sk).take_pending(sk) => keep_standby(sk, &context),
                _ => Ok(()),
            }
        }
        context => drop_standby(sk, context),
    }
}

/// There is a hot standby.
fn keep_standby(sk: &Sock, context: &RcuArc<Context>) -> Result {
    let setting = Setting::HotStandby(true);
    configure(
        sk,
        context,
        &setting,
        Options::HOT_STANDBY,
        |sockets, sk| {
            sockets.take_pending(sk);
            Ok(())
        },
    )
}

/// There is none any more. This is noted first, so that the worker, which gives a context what was
/// noted, sees it.
fn drop_standby(sk: &Sock, context: Option<RcuArc<Context>>) -> Result {
    let was_wanted = options(sk).contains(Options::HOT_STANDBY);
    sockets(sk).set(&sk.lock(), Options::HOT_STANDBY, false)?;
    let Some(context) = context.filter(|_| was_wanted) else {
        return Ok(());
    };
    let setting = Setting::HotStandby(false);
    let namespace = Namespace::of(sk.net());
    namespace
        .control
        .configure(namespace, sk, *context.ulids(), &context, &setting)
        .map_err(configure_error)
        .inspect_err(|_| {
            // The context still has it. If there is no memory for that either, it goes with the socket.
            let _ = sockets(sk).set(&sk.lock(), Options::HOT_STANDBY, true);
        })
}

/// SHIM_LOC_LOCAL_RECV and SHIM_LOC_PEER_RECV (draft, Sections 5.7 and 5.8).
///
/// # Errors
///
/// [`ENOENT`] for a connected socket without a context, unless the option is switched off that was
/// on; [`EOPNOTSUPP`] if this kernel cannot serve ancillary data.
pub(super) fn receive(sk: &Sock, side: Side, form: Form, Switch(wanted): Switch) -> Result {
    let option = receive_option(side, form);
    let is_off = !wanted && options(sk).contains(option);
    if !is_off && sk.is_connected() && association::context(sk).is_none() {
        return Err(ENOENT);
    }
    if wanted {
        lifetime::observe()?;
        ancillary::needed(sk)?;
    }
    let sk = sk.lock();
    sockets(&sk).set(&sk, option, wanted)?;
    sk.set_wants_ancillary(options(&sk).intersects(Options::ANY_RECV));
    Ok(())
}

/// The option of a socket that stands for SHIM_LOC_LOCAL_RECV or SHIM_LOC_PEER_RECV.
pub(super) fn receive_option(side: Side, form: Form) -> Options {
    match (side, form) {
        (Side::Local, Form::Draft) => Options::LOCAL_RECV,
        (Side::Peer, Form::Draft) => Options::PEER_RECV,
        (Side::Local, Form::Rfc) => Options::LOCAL_RECV_FILLED,
        (Side::Peer, Form::Rfc) => Options::PEER_RECV_FILLED,
    }
}

/// SHIM_LOC_LOCAL_PREF and SHIM_LOC_PEER_PREF (draft, Sections 5.5 and 5.6): the locator becomes the
/// current one of its side; `None` drops the wish, and traffic stays where it is (choice A-15).
///
/// # Errors
///
/// [`ENOENT`] without a context, if there is no wish to drop; EINVALIDLOCATOR for a locator that is
/// not in the list of its side, or a local one that no interface has; EUNREACHABLELOCATOR, in
/// RFC 6316, for one of the peer that the peer says is broken; [`ENOMEM`]. Nothing is changed then.
pub(super) fn preference(sk: &Sock, side: Side, form: Form, record: Option<Record>) -> Result {
    let option = match side {
        Side::Local => Options::LOCAL_PREFERENCE,
        Side::Peer => Options::PEER_PREFERENCE,
    };
    let note =
        |wanted: bool| move |sockets: &Sockets, sk: &Locked<'_>| sockets.set(sk, option, wanted);
    let context = association::context(sk);
    let Some(record) = record else {
        return default(
            sk,
            context,
            &Setting::Preferred(side, None),
            option,
            note(false),
        );
    };
    let context = context.ok_or(ENOENT)?;
    let wanted = match record {
        Record::Wanted(wanted) => wanted,
        Record::Unusable => return Err(invalid_locator()),
    };
    if form == Form::Rfc && side == Side::Peer {
        let rcu = rcu::read_lock();
        let known = context.locators(&rcu).peer.find(&wanted.locator);
        if known.is_some_and(|known| known.preference.flags.is_broken()) {
            return Err(errno(bindings::EUNREACHABLELOCATOR));
        }
    }
    let setting = Setting::Preferred(side, Some(wanted));
    configure(sk, &context, &setting, option, note(true))
}

/// SHIM_LOCLIST_LOCAL and SHIM_LOCLIST_PEER (draft, Sections 5.9 and 5.10): of this host the list
/// that the peer is told, of the peer what may be sent to (choice A-22); `None` for all there is.
///
/// # Errors
///
/// [`ENOENT`] without a context, if there is no wish to drop; EINVALIDLOCATOR if a locator is not
/// one that the side has, is there twice, or the local ULID is missing (choice A-21); [`ENOMEM`].
/// Nothing is changed then.
pub(super) fn list(sk: &Sock, side: Side, records: Option<Option<Records>>) -> Result {
    let option = match side {
        Side::Local => Options::LOCAL_LIST,
        Side::Peer => Options::PEER_LIST,
    };
    let note =
        |wanted: bool| move |sockets: &Sockets, sk: &Locked<'_>| sockets.set(sk, option, wanted);
    let context = association::context(sk);
    let Some(records) = records else {
        return default(sk, context, &Setting::List(side, None), option, note(false));
    };
    let context = context.ok_or(ENOENT)?;
    let records = records.ok_or_else(invalid_locator)?;
    let wanted = records.as_slice();
    let is_twice = wanted.iter().enumerate().any(|(index, one)| {
        wanted
            .iter()
            .skip(index.saturating_add(1))
            .any(|other| other.locator == one.locator)
    });
    if is_twice {
        return Err(invalid_locator());
    }
    let setting = Setting::List(side, Some(Arc::new(records.into_vec(), GFP_KERNEL)?));
    configure(sk, &context, &setting, option, note(true))
}

/// SHIM_APP_TIMEOUT (draft, Section 5.11) in seconds; 0 for the default.
///
/// # Errors
///
/// [`ENOENT`] without a context, if there is no wish to drop; [`ENOMEM`].
pub(super) fn app_timeout(sk: &Sock, seconds: u16) -> Result {
    let detection = sockets(sk).detection(sk, &rcu::read_lock());
    detect(
        sk,
        Detection {
            send_timeout: seconds,
            ..detection
        },
    )
}

/// SHIM_PATHEXPLORE (draft, Section 5.4); `None` for the defaults. Errors are those of
/// [`app_timeout`].
pub(super) fn path_explore(sk: &Sock, wanted: Option<Detection>) -> Result {
    detect(sk, wanted.unwrap_or_default())
}

fn detect(sk: &Sock, detection: Detection) -> Result {
    let option = Options::DETECTION;
    let note = |sockets: &Sockets, sk: &Locked<'_>| sockets.set_detection(sk, detection);
    let setting = Setting::Detection(detection);
    let context = association::context(sk);
    if detection == Detection::default() {
        return default(sk, context, &setting, option, note);
    }
    configure(sk, &context.ok_or(ENOENT)?, &setting, option, note)
}

/// SHIM_LOC_LOCAL_SEND and SHIM_LOC_PEER_SEND as options (RFC 6316, Sections 6.8 and 6.9): all
/// packets of the socket go over the locator; `None` for those of the context.
///
/// # Errors
///
/// [`ENOENT`] without a context, if there is no wish to drop; those of [`check_sendable`];
/// [`ENOMEM`].
pub(super) fn sticky(sk: &Sock, side: Side, record: Option<Record>) -> Result {
    let locator = match &record {
        None => None,
        Some(Record::Wanted(wanted)) => Some(wanted.locator),
        Some(Record::Unusable) => return Err(invalid_locator()),
    };
    let context = association::context(sk);
    match (&context, locator) {
        (Some(context), Some(locator)) => check_sendable(context, side, &locator, Form::Rfc)?,
        (None, None) if options(sk).contains(Options::STEERED) => (),
        (None, _) => return Err(ENOENT),
        (Some(_), None) => (),
    }
    lifetime::observe()?;
    let sk = sk.lock();
    let sockets = sockets(&sk);
    let mut steering: Steering = sockets.steering(&sk, &rcu::read_lock());
    match side {
        Side::Local => steering.local = locator,
        Side::Peer => steering.peer = locator,
    }
    sockets.set_steering(&sk, steering)
}

/// Whether packets may go over a locator that is not the current one.
///
/// # Errors
///
/// EINVALIDLOCATOR for a locator that is not in the list of its side, or a local one that no
/// interface has, and for one of the peer that has not proved to be there; for the last RFC 6316
/// has EUNVERIFIEDLOCATOR.
pub(super) fn check_sendable(
    context: &Context,
    side: Side,
    locator: &Locator,
    form: Form,
) -> Result {
    let rcu = rcu::read_lock();
    let pair = context.pair(&rcu);
    let known = context
        .locators(&rcu)
        .side(side)
        .find(locator)
        .ok_or_else(invalid_locator)?;
    match side {
        Side::Local => {
            let address = In6Addr::from_octets(locator.as_octets());
            if !inet6::is_local_address(context.net(), &address) {
                return Err(invalid_locator());
            }
        }
        Side::Peer if *locator == pair.peer => (),
        Side::Peer if known.is_excluded => return Err(invalid_locator()),
        Side::Peer if !context.may_send_to(known) => {
            return Err(match form {
                Form::Draft => invalid_locator(),
                Form::Rfc => errno(bindings::EUNVERIFIEDLOCATOR),
            })
        }
        Side::Peer => (),
    }
    Ok(())
}

/// Gives the context of a socket a setting, and notes that this is the socket's wish.
///
/// The wish is noted first, since that can fail and changing it back cannot. The socket is not kept
/// locked meanwhile: a change may need locks that others hold while they wait for it.
fn configure(
    sk: &Sock,
    context: &RcuArc<Context>,
    setting: &Setting,
    option: Options,
    note: impl FnOnce(&Sockets, &Locked<'_>) -> Result,
) -> Result {
    lifetime::observe()?;
    let sockets = sockets(sk);
    let wished_before = {
        let sk = sk.lock();
        let before = options(&sk).contains(option);
        sockets.set(&sk, option, true)?;
        before
    };
    let namespace = Namespace::of(sk.net());
    let configured = namespace
        .control
        .configure(namespace, sk, *context.ulids(), context, setting)
        .map_err(configure_error);
    match configured {
        Ok(()) => note(sockets, &sk.lock()),
        Err(error) => {
            if !wished_before {
                // Back to the default, which does not fail.
                let _ = sockets.set(&sk.lock(), option, false);
            }
            Err(error)
        }
    }
}

/// What the program is told.
fn configure_error(error: ConfigureError) -> Error {
    match error {
        ConfigureError::Setting(
            SetPairError::NotInList(_) | SetPairError::NotOnHost | SetPairError::NoPeer,
        ) => invalid_locator(),
        ConfigureError::Setting(SetPairError::Gone) => ENOENT,
        ConfigureError::Setting(SetPairError::NoMemory) => ENOMEM,
        // ENOBUFS if there are too many.
        ConfigureError::Fork(error) => error.into(),
    }
}

/// A wish of a socket is dropped (choice A-15), and the context set back if there is one.
///
/// # Errors
///
/// [`ENOENT`] if there is neither a wish nor a context; otherwise those of [`configure`].
fn default(
    sk: &Sock,
    context: Option<RcuArc<Context>>,
    setting: &Setting,
    option: Options,
    note: impl FnOnce(&Sockets, &Locked<'_>) -> Result,
) -> Result {
    let is_wished = options(sk).contains(option);
    match context {
        None if !is_wished => Err(ENOENT),
        // What somebody else set is not this socket's to set back.
        Some(_) if !is_wished => Ok(()),
        Some(context) => configure(sk, &context, setting, option, note),
        None => note(sockets(sk), &sk.lock()),
    }
}

fn sockets(sk: &Sock) -> &Sockets {
    &Namespace::of(sk.net()).sockets
}

fn options(sk: &Sock) -> Options {
    sockets(sk).options(sk, &rcu::read_lock())
}

/// A locator is not what it is said to be.
pub(super) fn invalid_locator() -> Error {
    errno(bindings::EINVALIDLOCATOR)
}
