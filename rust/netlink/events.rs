// SPDX-License-Identifier: GPL-2.0

//! Events of contexts, for those who listen.

use super::{
    show,
    uapi::CMD_EVENT,
    EVENTS,
    FAMILY, //
};
use crate::{
    context::{
        Cause,
        Context,
        Event, //
    },
    kernel_ext::net::Net,
    proto::locator::LocatorPair,
};

/// What an event is about.
pub(crate) enum About {
    /// The context as it is now.
    Context,
    /// An Error message with this code.
    Error(u8),
    /// A Probe over this pair.
    Probe(LocatorPair),
}

/// Tells those who listen that something happened to a context. Any context.
pub(crate) fn announce(net: &Net, context: &Context, event: Event, cause: Cause, about: &About) {
    if !FAMILY.has_listeners(net, EVENTS) {
        return;
    }
    // A listener whose buffer is full is told that it missed something, and all others are not
    // worth more than that.
    let _ = FAMILY.multicast(net, EVENTS, CMD_EVENT, show::LARGEST_EVENT, |message| {
        show::event(message, context, event, cause, about)
    });
}
