// SPDX-License-Identifier: GPL-2.0

//! Birth of accepted sockets and death of all sockets, for state that a module keeps about them.
//!
//! The pointers in `struct sock` belong to others, or are copied into accepted sockets together
//! with whatever they point to. So the places where a socket is cloned and destroyed are
//! [observed](super::ftrace::Observer).

use super::{
    ftrace::{
        Call,
        Observation,
        Observer, //
    },
    sock::Sock,
};
use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    prelude::*,
    str::CStr, //
};

/// What is done when sockets come and go. Both functions run with preemption off, mostly in softirq
/// context, and may be called twice for one event.
pub(crate) trait SockEvents: Send + Sync + 'static {
    /// `child` was made for a connection that came in at `listener`; nobody else can find it yet.
    fn accepted(listener: &Sock, child: &Sock);

    /// Nobody can reach `sk` any more, and it is about to be freed.
    fn destroyed(sk: &Sock);
}

/// Sockets are observed; dropping this ends it, and no function of `E` runs any more.
pub(crate) struct Registration<E: SockEvents> {
    _accepted: Observer<Accepted<E>>,
    _destroyed: Observer<Destroyed<E>>,
}

impl<E: SockEvents> Registration<E> {
    /// Begins to observe. May sleep. Errors are those of [`Observer::register`].
    pub(crate) fn new() -> Result<Self> {
        // Who is seen to be born must also be seen to die.
        let destroyed = Observer::register()?;
        Ok(Self {
            _accepted: Observer::register()?,
            _destroyed: destroyed,
        })
    }

    /// Whether observing would work, with the errors of [`Self::new`].
    pub(crate) fn check() -> Result {
        Observer::<Accepted<E>>::check()?;
        Observer::<Destroyed<E>>::check()
    }
}

struct Accepted<E>(PhantomData<E>);

// SAFETY: `SockEvents::accepted` may not sleep by its contract.
unsafe impl<E: SockEvents> Observation for Accepted<E> {
    /// Void function `(struct sock *newsk, const struct request_sock *req)`, called for each
    /// socket that `inet_csk_clone_lock()` makes, whether a security module listens or not.
    const FUNCTION: &'static CStr = c"security_inet_csk_clone";

    unsafe fn called(call: &Call<'_>) {
        // SAFETY: The second argument is a live request, which holds its listener.
        let listener =
            unsafe { bindings::shim6_helper_request_listener(call.argument(1) as *const _) };
        if listener.is_null() {
            return;
        }
        // SAFETY: A listener is a full socket, and the request outlives the call.
        let listener = unsafe { Sock::from_ptr(listener) };
        // SAFETY: The first argument is a new full socket of the same family.
        let child = unsafe { Sock::from_ptr(call.argument(0) as *const _) };
        E::accepted(listener, child);
    }
}

struct Destroyed<E>(PhantomData<E>);

// SAFETY: `SockEvents::destroyed` may not sleep by its contract.
unsafe impl<E: SockEvents> Observation for Destroyed<E> {
    /// Void function `(struct sock *sk)`, through which all destructors of Internet sockets go.
    const FUNCTION: &'static CStr = c"inet_sock_destruct";

    unsafe fn called(call: &Call<'_>) {
        // SAFETY: The argument is a full socket that is freed after the call.
        E::destroyed(unsafe { Sock::from_ptr(call.argument(0) as *const _) });
    }
}
