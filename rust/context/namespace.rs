// SPDX-License-Identifier: GPL-2.0

//! What the module keeps in every network namespace, and when its entry points are open.

use super::{
    counters::StatFile,
    last_resort::LastResort,
    sockets::Sockets,
    table::Contexts,
    Counters, //
};
use crate::{
    datapath,
    kernel_ext::{
        net::{
            Net,
            PerNet,
            Slot, //
        },
        procfs,
        sysctl::{
            Registered,
            Setting, //
        },
    },
};
use kernel::{
    c_str,
    prelude::*, //
};

/// Where the state of a namespace is found.
pub(crate) static NAMESPACES: Slot<Namespace> = Slot::new();

/// `/proc/sys/net/shim6`.
static SETTINGS: [Setting; 1] = [Setting::number(
    c_str!("max_contexts"),
    65_536,
    0,
    i32::MAX as u32,
)];

/// Index of `max_contexts` in [`SETTINGS`].
const MAX_CONTEXTS: usize = 0;

/// The state of a namespace.
#[pin_data]
pub(crate) struct Namespace {
    /// Its contexts.
    #[pin]
    pub(crate) contexts: Contexts,
    /// What was counted in it.
    pub(crate) counters: Counters,
    /// What its sockets asked for.
    #[pin]
    pub(crate) sockets: Sockets,
    /// Routes that keep ULIDs reachable.
    #[pin]
    pub(super) last_resort: LastResort,
    settings: Registered<1>,
}

impl Namespace {
    /// The state of a namespace. See [`Slot::get`] for who may call this.
    #[inline]
    pub(crate) fn of(net: &Net) -> &Self {
        NAMESPACES.get(net)
    }

    /// Setting `net.shim6.max_contexts`.
    pub(super) fn max_contexts(&self) -> u32 {
        self.settings.get(MAX_CONTEXTS)
    }
}

impl PerNet for Namespace {
    fn slot() -> &'static Slot<Self> {
        &NAMESPACES
    }

    fn new(net: &'static Net) -> Result<Pin<KBox<Self>>> {
        KBox::try_pin_init(
            try_pin_init!(Self {
                contexts <- Contexts::new(),
                counters: Counters::new()?,
                sockets <- Sockets::new(),
                last_resort <- LastResort::new(),
                settings: Registered::new(net, c_str!("net/shim6"), &SETTINGS)?,
            }? Error),
            GFP_KERNEL,
        )
    }

    fn enter(&self, net: &'static Net) -> Result {
        procfs::create::<StatFile>(net)?;
        datapath::HOOKS
            .register(net)
            .inspect_err(|_| procfs::remove::<StatFile>(net))
    }

    fn pre_exit(&self, net: &Net) {
        datapath::HOOKS.unregister(net);
        procfs::remove::<StatFile>(net);
        self.last_resort.withdraw(net);
    }
}
