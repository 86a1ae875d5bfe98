// SPDX-License-Identifier: GPL-2.0

//! Sockets that come and go: what they want is inherited by accepted sockets, and forgotten when
//! they are destroyed.
//!
//! Sockets are observed from the first time that one of them wants anything until the module is
//! unloaded; before that, nobody's sockets cost anything.

use super::ancillary;
use crate::{
    context::{
        Namespace,
        Options, //
    },
    kernel_ext::{
        compat::errno::EOPNOTSUPP,
        module::OnDemand,
        sock::Sock,
        sock_events::{
            Registration,
            SockEvents, //
        },
    },
};
use kernel::prelude::*;

static OBSERVERS: OnDemand<Registration<Events>> = OnDemand::new();

/// Sees to it that sockets are observed, before one is noted to want anything. May sleep, the first
/// time for some tenths of a second.
///
/// # Errors
///
/// [`EOPNOTSUPP`] if they cannot be, [`ENOMEM`].
pub(super) fn observe() -> Result {
    OBSERVERS
        .ensure(Registration::new)
        .map_err(|error| if error == ENOMEM { ENOMEM } else { EOPNOTSUPP })
}

/// Says in the log if sockets cannot be observed.
pub(super) fn check() {
    if Registration::<Events>::check().is_err_and(|error| error != ENOMEM) {
        pr_warn!(
            "options of SOL_SHIM can only be read: this kernel's creation and destruction of sockets cannot be traced\n"
        );
    }
}

/// Ends the observation when it is dropped.
pub(super) struct Cleanup;

impl Drop for Cleanup {
    fn drop(&mut self) {
        OBSERVERS.clear();
    }
}

struct Events;

impl SockEvents for Events {
    fn accepted(listener: &Sock, child: &Sock) {
        // Only sockets that hold their namespace are noted, and the state of a namespace that
        // nobody holds may be gone.
        if listener.holds_net() {
            let inherited = Namespace::of(listener.net())
                .sockets
                .inherit(listener, child);
            if inherited.contains(Options::KNOWN) {
                ancillary::inherited();
            }
        }
    }

    fn destroyed(sk: &Sock) {
        if sk.holds_net() {
            let namespace = Namespace::of(sk.net());
            let wanted = namespace.sockets.forget(sk);
            namespace.control.socket_destroyed(namespace, sk);
            if wanted.contains(Options::KNOWN) {
                ancillary::unneeded(sk);
            }
        }
    }
}
