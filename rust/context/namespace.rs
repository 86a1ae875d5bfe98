// SPDX-License-Identifier: GPL-2.0

//! What the module keeps in every network namespace, and when its entry points are open.

use super::{
    counters::StatFile,
    forks::Forks,
    hooking::Hooking,
    last_resort::LastResort,
    sockets::Sockets,
    table::Contexts,
    Counters,
    Settings, //
};
use crate::{
    control::Control,
    datapath,
    kernel_ext::{
        dst::InputRoutes,
        net::{
            Net,
            PerNet,
            Slot, //
        },
        procfs,
        work::Worker, //
    },
};
use kernel::{
    prelude::*,
    sync::rcu::Guard, //
};

/// Where the state of a namespace is found.
pub(crate) static NAMESPACES: Slot<Namespace> = Slot::new();

/// The state of a namespace. What is looked at for each packet is in as few cache lines as it takes.
#[pin_data]
#[repr(C)]
pub(crate) struct Namespace {
    /// What was counted in it.
    pub(crate) counters: Counters,
    /// Routes of packets that come to its addresses.
    pub(crate) input_routes: InputRoutes,
    /// Its contexts.
    #[pin]
    pub(crate) contexts: Contexts,
    /// What its sockets asked for.
    #[pin]
    pub(crate) sockets: Sockets,
    /// What contexts were forked for.
    #[pin]
    pub(crate) forks: Forks,
    /// Routes that keep ULIDs reachable.
    #[pin]
    pub(super) last_resort: LastResort,
    /// Its settings.
    pub(crate) settings: Settings,
    /// Its control path.
    #[pin]
    pub(crate) control: Control,
    pub(super) hooking: Hooking,
    net: &'static Net,
}

impl Namespace {
    /// The state of a namespace. See [`Slot::get`] for who may call this.
    #[inline]
    pub(crate) fn of(net: &Net) -> &Self {
        NAMESPACES.get(net)
    }

    /// The same for every packet.
    #[inline]
    pub(crate) fn of_rcu<'a>(net: &'a Net, rcu: &'a Guard) -> &'a Self {
        NAMESPACES.get_rcu(net, rcu)
    }

    /// Whether all there is to know of a packet that leaves are its addresses: there are no forks,
    /// and no socket wants anything of its own.
    #[inline]
    pub(crate) fn is_ordinary(&self) -> bool {
        !self.contexts.any_forks() && !self.sockets.any_sends_specially()
    }

    /// The namespace.
    #[inline]
    pub(crate) fn net(&self) -> &'static Net {
        self.net
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
                input_routes: InputRoutes::new()?,
                sockets <- Sockets::new(),
                forks <- Forks::new(),
                last_resort <- LastResort::new(),
                settings: Settings::new(net)?,
                control <- Control::new(),
                hooking: Hooking::new(),
                net,
            }? Error),
            GFP_KERNEL,
        )
    }

    fn worker(&self) -> Option<&Worker<Self>> {
        Some(self.control.worker())
    }

    fn enter(&self, net: &'static Net) -> Result {
        procfs::create::<StatFile>(net)?;
        datapath::HOOKS
            .enter(net)
            .inspect_err(|_| procfs::remove::<StatFile>(net))
    }

    fn pre_exit(&self, net: &Net) {
        datapath::HOOKS.leave(self, net);
        procfs::remove::<StatFile>(net);
        self.contexts.stop_timers();
        self.last_resort.withdraw(net);
    }
}
