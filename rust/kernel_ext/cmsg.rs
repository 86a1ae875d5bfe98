// SPDX-License-Identifier: GPL-2.0

//! Ancillary data of a level of this module's own, for UDP and raw sockets of IPv6.
//!
//! Sending functions of these sockets hand ancillary data to `ip6_datagram_send_ctl()`, those of
//! TCP to `sock_cmsg_send()`; both skip what is not of their levels. For sockets that asked for
//! anything, the receiving function of UDP calls `ip6_datagram_recv_common_ctl()`, that of raw
//! sockets `ip6_datagram_recv_ctl()`, which does what the other one does, by a call of it or, where
//! the compiler has decided so, without. There calls are [redirected](super::ftrace): of the sending
//! ones only those that carry our level, of the others only those of sockets that
//! [asked](Sock::set_wants_ancillary).
//!
//! C header: [`include/linux/socket.h`](srctree/include/linux/socket.h)

use super::{
    ftrace::{
        Call,
        Detour,
        Entered,
        NamedRedirect,
        NamedRedirection,
        Original,
        Redirect,
        Redirection, //
    },
    sock::Sock,
};
use crate::bindings;
use core::{
    marker::PhantomData,
    slice, //
};
use kernel::{
    error::to_result,
    ffi::{
        c_int,
        c_void, //
    },
    prelude::*,
    str::CStr, //
};

/// What serves the ancillary data of a level.
///
/// The functions run in process context. The socket may be locked, so they must not lock it.
pub(crate) trait Ancillary: Send + Sync + 'static {
    /// The level's number.
    const LEVEL: c_int;

    /// A datagram is about to be sent with data of the level. What is returned comes out as the
    /// [choice](super::skbuff::SkBuff::choice) of its packets.
    fn send_datagram(message: &Message<'_>) -> Result<Option<u32>>;

    /// A message with data of the level is sent by a stream.
    fn send_stream(sk: &Sock) -> Result;

    /// A datagram is received by a socket that asked for ancillary data.
    fn receive(received: &Received<'_>);
}

/// A datagram that is about to be sent by a UDP or raw socket.
pub(crate) struct Message<'a> {
    sk: &'a Sock,
    msg: *mut bindings::msghdr,
    flow: *const bindings::flowi6,
    level: c_int,
}

impl Message<'_> {
    /// The socket.
    pub(crate) fn sk(&self) -> &Sock {
        self.sk
    }

    /// Visits the data of the level in order, each with its type; ends with the first error.
    pub(crate) fn for_each<F: FnMut(c_int, &[u8]) -> Result>(&self, mut visit: F) -> Result {
        /// # Safety
        ///
        /// `data` is an `F` that nobody else uses, and `value` points to `len` octets.
        unsafe extern "C" fn call<F: FnMut(c_int, &[u8]) -> Result>(
            data: *mut c_void,
            kind: c_int,
            value: *const c_void,
            len: usize,
        ) -> c_int {
            // SAFETY: By the safety requirement.
            let (visit, value) = unsafe {
                (
                    &mut *data.cast::<F>(),
                    slice::from_raw_parts(value.cast(), len),
                )
            };
            match visit(kind, value) {
                Ok(()) => 0,
                Err(error) => error.to_errno(),
            }
        }

        // SAFETY: The message is live, and the closure outlives the call.
        to_result(unsafe {
            bindings::shim6_helper_msg_for_each(
                self.msg,
                self.level,
                Some(call::<F>),
                (&raw mut visit).cast(),
            )
        })
    }

    /// Where it goes to; `None` if neither the message nor the socket says.
    pub(crate) fn destination(&self) -> Option<[u8; 16]> {
        let mut address = bindings::in6_addr::default();
        // SAFETY: All are live; the sending function has checked the name of the message.
        let is_known = unsafe {
            bindings::shim6_helper_msg_destination(self.sk.as_ptr(), self.msg, &raw mut address)
        };
        // SAFETY: All members of the union are 16 octets, any of which is a `u8`.
        let octets = unsafe { address.in6_u.u6_addr8 };
        is_known.then_some(octets)
    }

    /// What its source address is going to be if it goes to `destination`; `None` if there is no
    /// route. Ancillary data says, or the socket, or routing. May sleep.
    pub(crate) fn source(&self, destination: [u8; 16]) -> Option<[u8; 16]> {
        let mut to = bindings::in6_addr::default();
        to.in6_u.u6_addr8 = destination;
        let mut address = bindings::in6_addr::default();
        // SAFETY: All are live; the flow has what ancillary data says.
        let is_known = unsafe {
            bindings::shim6_helper_msg_source(
                self.sk.net().as_ptr(),
                self.sk.as_ptr(),
                self.flow,
                &raw const to,
                &raw mut address,
            )
        };
        // SAFETY: As above.
        let octets = unsafe { address.in6_u.u6_addr8 };
        is_known.then_some(octets)
    }

    /// The port that it goes to; 0 for a protocol without ports.
    pub(crate) fn port(&self) -> u16 {
        // SAFETY: Both are live; the sending function has checked the name of the message.
        unsafe { bindings::shim6_helper_msg_port(self.sk.as_ptr(), self.msg) }
    }

    /// The interface that it has to leave by; 0 for any.
    pub(crate) fn interface(&self) -> u32 {
        // SAFETY: Both are live.
        let index = unsafe { bindings::shim6_helper_sock_bound_dev(self.sk.as_ptr(), self.flow) };
        u32::try_from(index).unwrap_or(0)
    }
}

/// A datagram that a process receives from a UDP or raw socket.
pub(crate) struct Received<'a> {
    sk: &'a Sock,
    msg: *mut bindings::msghdr,
    skb: *mut bindings::sk_buff,
    level: c_int,
}

/// The octets of the header of IPv6.
const HEADER_LEN: usize = 40;

/// How much of the header of the upper layer is of use: the ports, and the flags of TCP.
pub(crate) const UPPER_HEADER_LEN: usize = 14;

impl Received<'_> {
    /// The socket.
    pub(crate) fn sk(&self) -> &Sock {
        self.sk
    }

    /// The IPv6 header of the datagram, as the socket sees it; `None` for one of IPv4.
    pub(crate) fn header(&self) -> Option<&[u8]> {
        // SAFETY: The packet is live.
        if !unsafe { bindings::shim6_helper_skb_is_ipv6(self.skb) } {
            return None;
        }
        // SAFETY: The headers of a packet in the queue of a socket are linear and nobody's to
        // change.
        Some(unsafe {
            slice::from_raw_parts(
                bindings::shim6_helper_skb_network_header(self.skb).cast(),
                HEADER_LEN,
            )
        })
    }

    /// The beginning of the header of the upper layer, as far as there is one.
    pub(crate) fn upper_header<'r>(
        &self,
        room: &'r mut [u8; UPPER_HEADER_LEN],
    ) -> Option<&'r [u8]> {
        // SAFETY: Both are live, the packet is one of the socket's, and the room is this wide.
        let len = unsafe {
            bindings::shim6_helper_skb_upper_header(
                self.sk.as_ptr(),
                self.skb,
                room.as_mut_ptr().cast(),
                room.len(),
            )
        };
        room.get(..len)
    }

    /// What [`super::skbuff::SkBuff::mark_translated`] noted, `None` if it was not called for the
    /// datagram.
    pub(crate) fn arrival(&self) -> Option<u16> {
        // SAFETY: The packet is from the queue of a UDP or raw socket, which keeps the control
        // block of IPv6.
        unsafe { super::skbuff::arrival_of(self.skb) }
    }

    /// Gives the process ancillary data of the level. Without room for it the message is marked
    /// `MSG_CTRUNC`.
    pub(crate) fn put(&self, kind: c_int, value: &[u8]) {
        let Ok(len) = c_int::try_from(value.len()) else {
            return;
        };
        // SAFETY: The message is live, and the value has this length. It fails where there is no
        // room, and says so in the message, or where the room is not the process's.
        unsafe {
            bindings::put_cmsg(
                self.msg,
                self.level,
                kind,
                len,
                value.as_ptr().cast_mut().cast(),
            );
        }
    }
}

/// The ancillary data of a level is served for datagrams; dropping this ends it.
///
/// Calls that are under way pin the module.
pub(crate) struct Datagrams<A: Ancillary> {
    _send: Redirect<SendingDatagrams<A>>,
    _receive: NamedRedirect<Receiving<A>>,
    _receive_raw: Redirect<ReceivingRaw<A>>,
}

impl<A: Ancillary> Datagrams<A> {
    /// Begins to serve it. May sleep, for some tenths of a second. Errors are those of
    /// [`Redirect::register`].
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            _send: Redirect::register()?,
            _receive: NamedRedirect::register()?,
            _receive_raw: Redirect::register()?,
        })
    }

    /// Whether serving would work, with the errors of [`NamedRedirect::check`].
    pub(crate) fn check() -> Result {
        NamedRedirect::<Receiving<A>>::check()
    }
}

/// The same for streams.
pub(crate) struct Streams<A: Ancillary> {
    _send: Redirect<SendingStreams<A>>,
}

impl<A: Ancillary> Streams<A> {
    /// As [`Datagrams::new`].
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            _send: Redirect::register()?,
        })
    }
}

/// The function that sends datagrams, redirected.
struct SendingDatagrams<A>(PhantomData<A>);

// SAFETY: The target has the signature of the function, owns `Entered` as its first local variable
// and returns by itself. `takes` reads registers, fields and ancillary data that is in kernel
// memory.
unsafe impl<A: Ancillary> Redirection for SendingDatagrams<A> {
    const DETOURS: &'static [Detour] = &[Detour {
        function: bindings::ip6_datagram_send_ctl as *const c_void,
        target: send_datagram::<A> as *const c_void,
    }];

    fn takes(_function: *const c_void, call: &Call<'_>) -> bool {
        // SAFETY: The arguments are live: `(net, sk, msg, fl6, ipc6)`.
        unsafe {
            bindings::shim6_helper_is_send(call.argument(4) as *const _)
                && bindings::shim6_helper_msg_has_level(call.argument(2) as *const _, A::LEVEL)
        }
    }
}

/// The function by which streams take ancillary data, redirected.
struct SendingStreams<A>(PhantomData<A>);

// SAFETY: As of `SendingDatagrams`.
unsafe impl<A: Ancillary> Redirection for SendingStreams<A> {
    const DETOURS: &'static [Detour] = &[Detour {
        function: bindings::sock_cmsg_send as *const c_void,
        target: send_stream::<A> as *const c_void,
    }];

    fn takes(_function: *const c_void, call: &Call<'_>) -> bool {
        // SAFETY: The arguments are live: `(sk, msg, sockc)`.
        unsafe {
            bindings::shim6_helper_sock_is_inet(call.argument(0) as *const _)
                && bindings::shim6_helper_msg_has_level(call.argument(1) as *const _, A::LEVEL)
        }
    }
}

/// # Safety
///
/// Called in the place of `ip6_datagram_send_ctl()` only.
unsafe extern "C" fn send_datagram<A: Ancillary>(
    net: *mut bindings::net,
    sk: *mut bindings::sock,
    msg: *mut bindings::msghdr,
    flow: *mut bindings::flowi6,
    cookie: *mut bindings::ipcm6_cookie,
) -> c_int {
    // SAFETY: This is the target of a redirection.
    let _entered = unsafe { Entered::new() };
    // SAFETY: The arguments are passed on. What they mean besides has to be known first.
    let error = unsafe { bindings::ip6_datagram_send_ctl(net, sk, msg, flow, cookie) };
    if error != 0 {
        return error;
    }
    let message = Message {
        // SAFETY: A full socket of IPv6 that sends.
        sk: unsafe { Sock::from_ptr(sk) },
        msg,
        flow,
        level: A::LEVEL,
    };
    match A::send_datagram(&message) {
        Ok(None) => 0,
        // SAFETY: The socket is live.
        Ok(Some(_)) if unsafe { bindings::shim6_helper_sock_has_txtime(sk) } => {
            // The time stamp is the program's.
            EINVAL.to_errno()
        }
        Ok(Some(choice)) => {
            // SAFETY: The cookie is the sending function's, which has not used it yet.
            unsafe {
                bindings::shim6_helper_set_transmit_time(cookie, super::skbuff::time_of(choice));
            };
            0
        }
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// Called in the place of `sock_cmsg_send()` only.
unsafe extern "C" fn send_stream<A: Ancillary>(
    sk: *mut bindings::sock,
    msg: *mut bindings::msghdr,
    cookie: *mut bindings::sockcm_cookie,
) -> c_int {
    // SAFETY: This is the target of a redirection.
    let _entered = unsafe { Entered::new() };
    // SAFETY: `takes` saw the family; it is a full socket that sends.
    if let Err(error) = A::send_stream(unsafe { Sock::from_ptr(sk) }) {
        return error.to_errno();
    }
    // SAFETY: The arguments are passed on.
    let error = unsafe { bindings::sock_cmsg_send(sk, msg, cookie) };
    // Not in tail position: `_entered` is dropped after the call.
    if error == 0 {
        0
    } else {
        error
    }
}

/// Whether a call `(sk, msg, skb)` is of a socket that asked, of this kind. What comes from the
/// error queue was not received.
///
/// # Safety
///
/// These are the arguments of the call.
unsafe fn receives(call: &Call<'_>, is_raw: bool) -> bool {
    // SAFETY: The arguments are live; nothing but fields is read.
    unsafe {
        bindings::shim6_helper_sock_wants_ctl(call.argument(0) as *const _)
            && bindings::shim6_helper_sock_is_raw(call.argument(0) as *const _) == is_raw
            && !bindings::shim6_helper_skb_is_error(call.argument(2) as *const _)
    }
}

/// The function that receives datagrams of UDP, redirected.
struct Receiving<A>(PhantomData<A>);

/// `void ip6_datagram_recv_common_ctl(struct sock *, struct msghdr *, struct sk_buff *)`.
static RECEIVE: Original = Original::new();

// SAFETY: The target has the signature of the function, owns `Entered` as its first local variable
// and returns by itself. `takes` reads registers and fields.
unsafe impl<A: Ancillary> NamedRedirection for Receiving<A> {
    const FUNCTION: &'static CStr = c"ip6_datagram_recv_common_ctl";
    const TARGET: *const c_void = receive::<A> as *const c_void;

    fn original() -> &'static Original {
        &RECEIVE
    }

    fn takes(call: &Call<'_>) -> bool {
        // SAFETY: The signature of the function.
        unsafe { receives(call, false) }
    }
}

/// The function that receives those of raw sockets, redirected.
struct ReceivingRaw<A>(PhantomData<A>);

// SAFETY: As of `Receiving`.
unsafe impl<A: Ancillary> Redirection for ReceivingRaw<A> {
    const DETOURS: &'static [Detour] = &[Detour {
        function: bindings::ip6_datagram_recv_ctl as *const c_void,
        target: receive_raw::<A> as *const c_void,
    }];

    fn takes(_function: *const c_void, call: &Call<'_>) -> bool {
        // SAFETY: The signature of the function.
        unsafe { receives(call, true) }
    }
}

/// # Safety
///
/// Called in the place of `ip6_datagram_recv_common_ctl()` only.
unsafe extern "C" fn receive<A: Ancillary>(
    sk: *mut bindings::sock,
    msg: *mut bindings::msghdr,
    skb: *mut bindings::sk_buff,
) {
    // SAFETY: This is the target of a redirection.
    let _entered = unsafe { Entered::new() };
    // SAFETY: The arguments are those of the call.
    unsafe { serve::<A>(sk, msg, skb) };
    // SAFETY: The call that was redirected found out the address; the arguments are passed on.
    unsafe { bindings::shim6_helper_call_recv_ctl(RECEIVE.get(), sk, msg, skb) };
}

/// # Safety
///
/// Called in the place of `ip6_datagram_recv_ctl()` only.
unsafe extern "C" fn receive_raw<A: Ancillary>(
    sk: *mut bindings::sock,
    msg: *mut bindings::msghdr,
    skb: *mut bindings::sk_buff,
) {
    // SAFETY: This is the target of a redirection.
    let _entered = unsafe { Entered::new() };
    // SAFETY: The arguments are those of the call.
    unsafe { serve::<A>(sk, msg, skb) };
    // SAFETY: The arguments are passed on; if this calls the other function, that is for a raw
    // socket and not taken over.
    unsafe { bindings::ip6_datagram_recv_ctl(sk, msg, skb) };
}

/// # Safety
///
/// The arguments are a full socket of IPv6 that receives, the message, and what it receives.
unsafe fn serve<A: Ancillary>(
    sk: *mut bindings::sock,
    msg: *mut bindings::msghdr,
    skb: *mut bindings::sk_buff,
) {
    A::receive(&Received {
        // SAFETY: By the safety requirement.
        sk: unsafe { Sock::from_ptr(sk) },
        msg,
        skb,
        level: A::LEVEL,
    });
}
