// SPDX-License-Identifier: GPL-2.0

//! TCP connections whose retransmission timer expires, as the tracepoint `tcp_retransmit_skb` tells.
//!
//! The tracepoint costs nothing while nobody wants to hear of it: its probe is registered as long as
//! there is a [`Listener`], and the [`Registration`] is held.
//!
//! C header: [`include/linux/tracepoint.h`](srctree/include/linux/tracepoint.h)

use super::net::Net;
use crate::bindings;
use kernel::{
    c_str,
    error::to_result,
    ffi::{
        c_int,
        c_void, //
    },
    prelude::*,
    str::CStr,
    sync::{
        global_lock,
        rcu::{
            self,
            Guard, //
        }, //
    },
};

const TRACEPOINT: &CStr = c_str!("tcp_retransmit_skb");

/// A connection over IPv6 whose retransmission timer has expired.
pub(crate) struct TcpTimeout {
    /// Its own address.
    pub(crate) local: [u8; 16],
    /// The peer's address.
    pub(crate) peer: [u8; 16],
    /// How often the timer has expired since anything new was acknowledged; at least once.
    pub(crate) retransmits: u32,
    /// How long it waited this time, in milliseconds.
    pub(crate) waited: u32,
}

/// Who is told. Softirq or process context, with the lock of the socket held and preemption off;
/// must not sleep.
pub(crate) type Told = fn(&Net, &TcpTimeout, &Guard);

/// What is known of the probe.
struct State {
    /// Nobody while the module is not registered.
    told: Option<Told>,
    listeners: usize,
    is_registered: bool,
}

global_lock! {
    // SAFETY: Initialised by `register`, which the module calls before anything can listen.
    unsafe(uninit) static STATE: Mutex<State> = State {
        told: None,
        listeners: 0,
        is_registered: false,
    };
}

impl State {
    /// The probe is registered if it has to be.
    fn follow(&mut self) -> Result {
        let wanted = self.told.filter(|_| self.listeners > 0);
        match wanted {
            Some(told) if !self.is_registered => {
                // SAFETY: The probe has the type that the tracepoint asks for. It goes before
                // the module does: `Registration` waits for it.
                to_result(unsafe {
                    bindings::shim6_helper_tracepoint_register(
                        TRACEPOINT.as_char_ptr(),
                        probe as *mut c_void,
                        told as *mut c_void,
                    )
                })?;
                self.is_registered = true;
            }
            _ => (),
        }
        Ok(())
    }

    /// The probe is not registered any more. It may run still.
    fn unregister(&mut self) {
        if let (true, Some(told)) = (self.is_registered, self.told) {
            // SAFETY: It was registered with the same arguments.
            unsafe {
                bindings::shim6_helper_tracepoint_unregister(
                    TRACEPOINT.as_char_ptr(),
                    probe as *mut c_void,
                    told as *mut c_void,
                );
            }
            self.is_registered = false;
        }
    }
}

/// Somebody can be told. Dropping it ends that, and waits for what is being told.
#[must_use = "nobody is told when it is dropped"]
pub(crate) struct Registration(());

/// Says who is told when there are listeners. Process context. Called once.
pub(crate) fn register(told: Told) -> Registration {
    // SAFETY: Called once, when the module is loaded.
    unsafe { STATE.init() };
    STATE.lock().told = Some(told);
    Registration(())
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut state = STATE.lock();
        state.unregister();
        state.told = None;
        drop(state);
        // SAFETY: Process context. Nobody runs the probe after this.
        unsafe { bindings::shim6_helper_tracepoint_synchronize() };
    }
}

/// Whoever has one wants others to be told.
pub(crate) struct Listener(());

impl Listener {
    /// Begins to listen. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// [`ENOENT`] if the kernel has no such tracepoint.
    pub(crate) fn new() -> Result<Self> {
        let mut state = STATE.lock();
        state.listeners = state.listeners.saturating_add(1);
        // A failure counts the listener out again.
        let listener = Self(());
        let result = state.follow();
        drop(state);
        result.map(|()| listener)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut state = STATE.lock();
        state.listeners = state.listeners.saturating_sub(1);
        if state.listeners == 0 {
            state.unregister();
        }
    }
}

/// # Safety
///
/// Called by the tracepoint only, with a [`Told`] as `data`.
unsafe extern "C" fn probe(
    data: *mut c_void,
    sk: *const bindings::sock,
    _skb: *const bindings::sk_buff,
    error: c_int,
) {
    // The last copy has not left this host: that is no news of the path.
    if error == -(bindings::EBUSY as c_int) {
        return;
    }
    let mut timeout = bindings::shim6_helper_tcp_timeout::default();
    // SAFETY: The tracepoint gives a socket of TCP, locked.
    if !unsafe { bindings::shim6_helper_tcp_timed_out(sk, &raw mut timeout) } {
        return;
    }
    // SAFETY: By the safety requirement.
    let told = unsafe { core::mem::transmute::<*mut c_void, Told>(data) };
    let rcu = rcu::read_lock();
    // SAFETY: A socket that is in use keeps its namespace alive, or the RCU read lock does.
    let net = unsafe { Net::from_ptr(timeout.net) };
    // SAFETY: Any octets are good in all views of these unions.
    let (local, peer) = unsafe { (timeout.local.in6_u.u6_addr8, timeout.peer.in6_u.u6_addr8) };
    told(
        net,
        &TcpTimeout {
            local,
            peer,
            retransmits: timeout.retransmits,
            waited: timeout.rto_msecs,
        },
        &rcu,
    );
}
