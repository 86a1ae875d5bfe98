// SPDX-License-Identifier: GPL-2.0

//! What TCP knows of the current pair (RFC 5534, Section 4.1). Its progress needs no words: packets
//! that are received stop the Send Timer. A connection whose retransmission timer expires again and
//! again is a reason to explore before the Send Timer does, if `net.shim6.tcp_retransmits` says so.

use super::{
    coarse_now,
    Control, //
};
use crate::{
    context::{
        default_identity,
        Counter,
        Namespace,
        Wish,
        NAMESPACES, //
    },
    kernel_ext::{
        net::Net,
        tcp_timeouts::{
            self,
            Listener,
            Registration,
            TcpTimeout, //
        },
    },
    proto::{
        locator::{
            Ulid,
            UlidPair, //
        },
        time::Interval, //
    },
};
use core::sync::atomic::{
    AtomicBool,
    Ordering, //
};
use kernel::{
    new_mutex, pr_warn_once,
    prelude::*,
    sync::{
        rcu::Guard,
        Mutex, //
    },
};

/// Timeouts of TCP can be heard of while this exists. Process context; before the first namespace's
/// worker runs.
pub(crate) fn register_feedback() -> Registration {
    tcp_timeouts::register(timed_out)
}

/// Whether a namespace hears of timeouts.
#[pin_data]
pub(super) struct Feedback {
    is_wanted: AtomicBool,
    #[pin]
    listener: Mutex<Option<Listener>>,
}

impl Feedback {
    /// It does not yet.
    pub(super) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            is_wanted: AtomicBool::new(false),
            listener <- new_mutex!(None),
        }? Error)
    }
}

impl Control {
    /// Begins or ends to listen, as the setting and the contexts want. The worker only, may sleep.
    pub(super) fn follow_feedback(&self, namespace: &Namespace) {
        let feedback = &self.feedback;
        let is_wanted = namespace.settings.tcp_retransmits() > 0 && !namespace.contexts.is_empty();
        if feedback.is_wanted.swap(is_wanted, Ordering::Relaxed) == is_wanted {
            return;
        }
        let mut listener = feedback.listener.lock();
        *listener = None;
        if is_wanted {
            match Listener::new() {
                Ok(new) => *listener = Some(new),
                Err(error) => {
                    pr_warn_once!("net.shim6.tcp_retransmits has no effect: {error:?}\n");
                }
            }
        }
    }
}

/// A retransmission timer has expired. It speaks against the current pair if all the timeouts that
/// it takes fell into the time of that pair: those before were those of another, and so was the
/// retransmission that a switch asked for.
fn timed_out(net: &Net, timeout: &TcpTimeout, rcu: &Guard) {
    let Some(namespace) = NAMESPACES.find(net, rcu) else {
        return;
    };
    let least = namespace.settings.tcp_retransmits();
    if least == 0 || timeout.retransmits < least {
        return;
    }
    let identity = default_identity(UlidPair {
        local: Ulid::new(timeout.local),
        peer: Ulid::new(timeout.peer),
    });
    let Some(context) = namespace.contexts.by_identity(&identity, rcu) else {
        return;
    };
    // Each timeout is twice as long as the one before.
    let halves = |n: u32| timeout.waited.checked_shr(n).unwrap_or(0);
    let all = (0..least).map(halves).fold(0, u32::saturating_add);
    if context.is_static() || context.path_age(coarse_now()) < Interval::from_millis(all) {
        return;
    }
    namespace.counters.count(Counter::TcpTimeout);
    context.wish(Wish::TcpTimeout);
    namespace.control.stamped(namespace, context);
}
