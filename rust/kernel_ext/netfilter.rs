// SPDX-License-Identifier: GPL-2.0

//! Netfilter hooks of the IPv6 stack.
//!
//! C header: [`include/linux/netfilter.h`](srctree/include/linux/netfilter.h)

use super::{
    drop_reason::DropReason,
    dst::Device,
    fault,
    net::{
        Net,
        PerNet, //
    },
    rcu,
    skbuff::{
        SkBuff,
        Stolen, //
    },
    sock::Sock, //
};
use crate::bindings;
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ptr, //
};
use kernel::{
    error::to_result,
    ffi::{
        c_uint,
        c_void, //
    },
    prelude::*,
    sync::rcu::Guard, //
};

/// Where in the stack a hook is.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Place {
    /// Received packets, before routing.
    PreRouting = bindings::nf_inet_hooks_NF_INET_PRE_ROUTING,
    /// Packets on their way from one interface to another.
    Forward = bindings::nf_inet_hooks_NF_INET_FORWARD,
    /// Packets that this host made.
    LocalOut = bindings::nf_inet_hooks_NF_INET_LOCAL_OUT,
}

/// What becomes of a packet, as netfilter has it. Who says so gives the packet away.
// A word: it is in a register.
pub(crate) struct Verdict(c_uint);

impl Verdict {
    /// It goes on.
    #[inline]
    pub(crate) fn accept(skb: SkBuff) -> Self {
        skb.give_back();
        Self(bindings::NF_ACCEPT)
    }

    /// It is dropped for a reason; a sender on this host gets the error.
    #[cold]
    pub(crate) fn drop(skb: SkBuff, error: Error, reason: DropReason) -> Self {
        skb.free(reason);
        Self::stolen_for(Err(error))
    }

    /// It was taken out of the stack. The sender of a packet that we sent on is told what became of it.
    #[cold]
    pub(crate) fn stolen(stolen: Stolen) -> Self {
        Self::stolen_for(stolen.result())
    }

    /// As `NF_DROP_REASON()` has it.
    fn stolen_for(result: Result) -> Self {
        let errno = result.map_or_else(|error| error.to_errno().unsigned_abs(), |()| 0);
        Self(bindings::NF_STOLEN | (errno << 16))
    }
}

/// The circumstances of a packet (`struct nf_hook_state`).
#[repr(transparent)]
pub(crate) struct State(bindings::nf_hook_state);

impl State {
    /// The namespace the packet is in.
    #[inline]
    pub(crate) fn net(&self) -> &Net {
        // SAFETY: The namespace outlives the traversal of its hooks.
        unsafe { Net::from_ptr(self.0.net) }
    }

    /// The full socket that sends the packet, the listener for a SYN-ACK; `None` for packets of
    /// the stack itself and for those of sockets in TIME_WAIT.
    pub(crate) fn sender<'a>(&self, skb: &'a SkBuff) -> Option<&'a Sock> {
        // SAFETY: The packet holds its socket, and `state.sk` lives as long as the traversal.
        let sk = unsafe { bindings::shim6_helper_skb_full_sock(skb.as_ptr(), self.0.sk) };
        // SAFETY: A full socket that lives as long as the packet is in the hook.
        (!sk.is_null()).then(|| unsafe { Sock::from_ptr(sk) })
    }

    /// Whether the sender wants an error rather than fragments (`IPV6_DONTFRAG`,
    /// `IPV6_MTU_DISCOVER`).
    pub(crate) fn sender_forbids_fragments(&self, skb: &SkBuff) -> bool {
        self.sender(skb)
            // SAFETY: The socket is a full one.
            .is_some_and(|sk| unsafe { bindings::shim6_helper_sock_forbids_fragments(sk.as_ptr()) })
    }

    /// The device that the packet leaves by, where that is known.
    pub(crate) fn out_device(&self) -> Option<&Device> {
        // SAFETY: A device lives as long as the traversal, which is in an RCU read section.
        (!self.0.out.is_null()).then(|| unsafe { Device::from_ptr(self.0.out) })
    }
}

/// A function for packets.
pub(crate) trait Hook: 'static {
    /// What the module keeps in every namespace.
    type Namespace: PerNet;

    /// Whether a packet of a namespace has to be looked at: this is all that others pay. Context as
    /// of [`Hook::handle`].
    fn concerns(skb: &SkBuff, namespace: &Self::Namespace, rcu: &Guard) -> bool;

    /// Handles a packet, whose IPv6 header is valid and linear. The RCU read lock is held; bottom
    /// halves may be enabled, and the task may be preempted.
    fn handle(skb: SkBuff, state: &State, namespace: &Self::Namespace, rcu: &Guard) -> Verdict;
}

/// # Safety
///
/// Called by netfilter only, for a hook that [`Hooks::prepare`] has filled in.
unsafe extern "C" fn call<H: Hook>(
    private: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: The type is transparent, and the state lives during the call.
    let state = unsafe { &*state.cast::<State>() };
    // SAFETY: Netfilter hands the packet over until the verdict.
    let skb = unsafe { SkBuff::from_raw(skb) };
    // SAFETY: Netfilter holds the lock while hooks run.
    let rcu = unsafe { rcu::held() };
    // SAFETY: `Hooks::prepare` has put it there, by whose requirements it is live.
    let namespace = unsafe { &*private.cast::<H::Namespace>() };
    if !H::concerns(&skb, namespace, rcu) {
        skb.give_back();
        return bindings::NF_ACCEPT;
    }
    H::handle(skb, state, namespace, rcu).0
}

/// A hook at a place, of namespaces that keep a `T`.
pub(crate) struct HookAt<T> {
    ops: bindings::nf_hook_ops,
    _namespace: PhantomData<fn(&T)>,
}

/// A hook at a place; a lower priority comes first.
pub(crate) const fn hook<H: Hook>(place: Place, priority: i32) -> HookAt<H::Namespace> {
    HookAt {
        ops: bindings::nf_hook_ops {
            hook: Some(call::<H>),
            pf: bindings::NFPROTO_IPV6 as u8,
            hooknum: place as u32,
            priority,
            ..pin_init::zeroed()
        },
        _namespace: PhantomData,
    }
}

/// Hooks that are registered together; a static that all namespaces share.
pub(crate) struct Hooks<T, const N: usize>([HookAt<T>; N]);

// SAFETY: What is in it is only read.
unsafe impl<T, const N: usize> Sync for Hooks<T, N> {}

/// The [`Hooks`] of one namespace, a member of what the module keeps there.
///
/// # Invariants
///
/// What is in it is written once, before the hooks are registered for the first time.
pub(crate) struct HooksOf<const N: usize>(UnsafeCell<[bindings::nf_hook_ops; N]>);

// SAFETY: By the type invariant it is only read when it is shared.
unsafe impl<const N: usize> Send for HooksOf<N> {}
// SAFETY: As above.
unsafe impl<const N: usize> Sync for HooksOf<N> {}

impl<const N: usize> HooksOf<N> {
    /// Those of a namespace that is not there yet.
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new([const { pin_init::zeroed() }; N]))
    }

    /// Registers the hooks. May sleep. To be undone by [`HooksOf::unregister`] in
    /// [`PerNet::pre_exit`] at the latest.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and whatever else netfilter says.
    ///
    /// # Safety
    ///
    /// [`Hooks::prepare`] was called with `self`, which is a member of what the module keeps in
    /// `net`. They are not registered.
    pub(super) unsafe fn register(&self, net: &Net) -> Result {
        fault::point(fault::Point::Hooks)?;
        // SAFETY: The array has N elements, and lives until a grace period after `pre_exit`.
        to_result(unsafe {
            bindings::nf_register_net_hooks(net.as_ptr(), self.0.get().cast(), N as c_uint)
        })
    }

    /// Undoes [`HooksOf::register`]. Hooks may still be running until a grace period later.
    ///
    /// # Safety
    ///
    /// They are registered in `net`.
    pub(super) unsafe fn unregister(&self, net: &Net) {
        // SAFETY: As above.
        unsafe {
            bindings::nf_unregister_net_hooks(net.as_ptr(), self.0.get().cast(), N as c_uint);
        }
    }
}

impl<T: PerNet, const N: usize> Hooks<T, N> {
    /// A set.
    pub(crate) const fn new(hooks: [HookAt<T>; N]) -> Self {
        Self(hooks)
    }

    /// Fills in the hooks of a namespace.
    ///
    /// # Safety
    ///
    /// The only call for `of`, which is a member of `namespace`; that stays where it is, and is
    /// dropped not before a grace period after [`PerNet::pre_exit`].
    pub(super) unsafe fn prepare(&'static self, of: &HooksOf<N>, namespace: &T) {
        // SAFETY: Nobody else has it yet, by the safety requirement.
        let ops = unsafe { &mut *of.0.get() };
        for (to, from) in ops.iter_mut().zip(&self.0) {
            *to = bindings::nf_hook_ops {
                hook: from.ops.hook,
                pf: from.ops.pf,
                hooknum: from.ops.hooknum,
                priority: from.ops.priority,
                priv_: ptr::from_ref(namespace).cast_mut().cast(),
                ..pin_init::zeroed()
            };
        }
    }
}
