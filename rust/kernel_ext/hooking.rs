// SPDX-License-Identifier: GPL-2.0

//! Netfilter hooks that are there only while they are needed: what a hook looks at, all packets of
//! its namespace pay for.
//!
//! A namespace opens and closes hooks of its own. While any namespace of the machine has opened
//! its own, all of them have another set, for packets that only pass.
//!
//! C header: [`include/linux/netfilter.h`](srctree/include/linux/netfilter.h)

use super::{
    net::{
        Net,
        PerNet, //
    },
    netfilter::{
        Hooks,
        HooksOf, //
    },
};
use core::{
    ptr,
    sync::atomic::{
        fence,
        AtomicBool,
        Ordering::{
            Acquire,
            Relaxed,
            Release,
            SeqCst, //
        }, //
    },
};
use kernel::{
    prelude::*,
    sync::global_lock, //
};

/// What is known of the machine.
struct Machine {
    /// The namespaces that have entered.
    namespaces: KVec<&'static Net>,
    /// How many of them have opened their hooks.
    open: usize,
}

global_lock! {
    // SAFETY: Initialised by `HookSets::register`, which the module calls before any namespace
    // enters.
    unsafe(uninit) static MACHINE: Mutex<Machine> = Machine {
        namespaces: KVec::new(),
        open: 0,
    };
}

/// How many hooks a namespace has of its own.
const OWN: usize = 2;

/// How many there are in the other set.
const PASSING: usize = 2;

/// What a namespace keeps of its hooks. Written under the lock of the machine.
pub(crate) struct Gate {
    own: HooksOf<OWN>,
    passing: HooksOf<PASSING>,
    /// Whether the namespace has entered and not left.
    is_present: AtomicBool,
    is_open: AtomicBool,
}

impl Gate {
    /// That of a namespace which has not entered.
    pub(crate) const fn new() -> Self {
        Self {
            own: HooksOf::new(),
            passing: HooksOf::new(),
            is_present: AtomicBool::new(false),
            is_open: AtomicBool::new(false),
        }
    }

    /// Whether the hooks are there, at this moment. Any context.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Relaxed)
    }
}

/// State of a namespace with hooks.
pub(crate) trait Hooked: PerNet {
    /// Those, a member of the state and always the same. [`PerNet::enter`] calls
    /// [`HookSets::enter`], and [`PerNet::pre_exit`] calls [`HookSets::leave`].
    fn gate(&self) -> &Gate;
}

/// Hooks of namespaces; a static, and the only one of its kind.
pub(crate) struct HookSets<T> {
    own: Hooks<T, OWN>,
    passing: Hooks<T, PASSING>,
}

impl<T: Hooked> HookSets<T> {
    /// `own` are there while their namespace needs them, `passing` while any does.
    pub(crate) const fn new(own: Hooks<T, OWN>, passing: Hooks<T, PASSING>) -> Self {
        Self { own, passing }
    }

    /// Called once, when the module is loaded, before the first namespace enters.
    pub(crate) fn register(&'static self) {
        // SAFETY: The only call, by the requirement of this function.
        unsafe { MACHINE.init() };
    }

    /// A namespace comes, which needs no hooks of its own yet. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and whatever else netfilter says.
    pub(crate) fn enter(&'static self, net: &'static Net) -> Result {
        let mut machine = MACHINE.lock();
        let namespace = T::slot().get(net);
        let gate = namespace.gate();
        // SAFETY: Called by `PerNet::enter`, which is called once. The state is in its place, and
        // stays there until a grace period after `PerNet::pre_exit`.
        unsafe {
            self.own.prepare(&gate.own, namespace);
            self.passing.prepare(&gate.passing, namespace);
        }
        machine.namespaces.push(net, GFP_KERNEL)?;
        if machine.open > 0 {
            // SAFETY: They were prepared just now.
            unsafe { gate.passing.register(net) }.inspect_err(|_| machine.forget(net))?;
        }
        gate.is_present.store(true, Relaxed);
        Ok(())
    }

    /// A namespace goes, or the module: none of the hooks stays. They may still be running until a
    /// grace period later. May sleep.
    pub(crate) fn leave(&self, namespace: &T, net: &Net) {
        let mut machine = MACHINE.lock();
        let gate = namespace.gate();
        gate.is_present.store(false, Relaxed);
        if gate.is_open.swap(false, Relaxed) {
            Self::close(&mut machine, gate, net);
        }
        if machine.open > 0 {
            // SAFETY: They are registered where a namespace is present while any is open.
            unsafe { gate.passing.unregister(net) };
        }
        machine.forget(net);
    }

    /// The hooks of a namespace are there from now on, if `is_needed` says so. What makes it say so
    /// came before this call. True if they were not there. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and whatever else netfilter says; `ENODEV` if the namespace is not there any more.
    pub(crate) fn open_if(
        &self,
        namespace: &T,
        net: &Net,
        is_needed: impl FnOnce() -> bool,
    ) -> Result<bool> {
        let gate = namespace.gate();
        // What needs them was written before the gate is read here, and `close_unless` writes the
        // gate before it asks what needs them, with a barrier between on both sides. So either they
        // are needed there and stay, or the gate is closed here and the lock is waited for.
        fence(SeqCst);
        if gate.is_open.load(Acquire) {
            return Ok(false);
        }
        let mut machine = MACHINE.lock();
        if gate.is_open() || !is_needed() {
            return Ok(false);
        }
        if !gate.is_present.load(Relaxed) {
            return Err(ENODEV);
        }
        if machine.open == 0 {
            Self::open_passing(&machine)?;
        }
        // SAFETY: `enter` has prepared them, and they are not open.
        unsafe { gate.own.register(net) }.inspect_err(|_| {
            if machine.open == 0 {
                Self::close_passing(&machine.namespaces);
            }
        })?;
        machine.open = machine.open.saturating_add(1);
        gate.is_open.store(true, Release);
        Ok(true)
    }

    /// The hooks of a namespace go, unless `is_needed` says no. They may still be running until a
    /// grace period later. May sleep.
    ///
    /// Netfilter drops what waits for a program (NFQUEUE) in a namespace that loses a hook.
    pub(crate) fn close_unless(&self, namespace: &T, net: &Net, is_needed: impl FnOnce() -> bool) {
        let mut machine = MACHINE.lock();
        let gate = namespace.gate();
        if !gate.is_open() {
            return;
        }
        gate.is_open.store(false, Relaxed);
        // See `open_if`.
        fence(SeqCst);
        if is_needed() {
            gate.is_open.store(true, Relaxed);
        } else {
            Self::close(&mut machine, gate, net);
        }
    }

    /// Hooks that were open go; whoever looks finds the gate closed already.
    fn close(machine: &mut Machine, gate: &Gate, net: &Net) {
        // SAFETY: They were open.
        unsafe { gate.own.unregister(net) };
        machine.open = machine.open.saturating_sub(1);
        if machine.open == 0 {
            Self::close_passing(&machine.namespaces);
        }
    }

    /// All or none.
    fn open_passing(machine: &Machine) -> Result {
        for (index, net) in machine.namespaces.iter().enumerate() {
            let gate = T::slot().get(net).gate();
            // SAFETY: The namespace has entered, and none is open.
            unsafe { gate.passing.register(net) }.inspect_err(|_| {
                Self::close_passing(machine.namespaces.get(..index).unwrap_or_default());
            })?;
        }
        Ok(())
    }

    fn close_passing(namespaces: &[&'static Net]) {
        for net in namespaces {
            let gate = T::slot().get(net).gate();
            // SAFETY: They are registered in all these namespaces.
            unsafe { gate.passing.unregister(net) };
        }
    }
}

impl Machine {
    fn forget(&mut self, net: &Net) {
        self.namespaces.retain(|other| !ptr::eq(*other, net));
        if self.namespaces.is_empty() {
            // A static is not dropped when the module goes.
            self.namespaces = KVec::new();
        }
    }
}
