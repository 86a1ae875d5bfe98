// SPDX-License-Identifier: GPL-2.0

//! Sockets: the side of the network (`struct sock`) and that of the file (`struct socket`).
//!
//! C headers: [`include/net/sock.h`](srctree/include/net/sock.h),
//! [`include/linux/net.h`](srctree/include/linux/net.h)

use super::net::Net;
use crate::bindings;
use core::{
    ops::ControlFlow,
    ptr::{
        self,
        NonNull, //
    }, //
};
use kernel::{
    error::to_result,
    ffi::{
        c_int,
        c_uint,
        c_void, //
    },
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    },
};

/// A full socket of one of the Internet families (`struct sock`): neither a connection request nor
/// what remains of a connection in TIME_WAIT.
///
/// What it tells can change at any time unless it is [locked](Self::lock).
///
/// # Invariants
///
/// References exist only while the socket does.
#[repr(transparent)]
pub(crate) struct Sock(Opaque<bindings::sock>);

// SAFETY: What is reached through a `&Sock` may be used from any context.
unsafe impl Sync for Sock {}

impl Sock {
    /// A view of a C pointer.
    ///
    /// # Safety
    ///
    /// `sk` is a full socket of family `AF_INET` or `AF_INET6` that stays alive for `'a`.
    pub(crate) unsafe fn from_ptr<'a>(sk: *const bindings::sock) -> &'a Self {
        // SAFETY: By the safety requirement; the type is transparent.
        unsafe { &*sk.cast() }
    }

    /// The C pointer.
    pub(crate) fn as_ptr(&self) -> *mut bindings::sock {
        self.0.get()
    }

    /// What tells this socket from all others that exist at the same time.
    pub(crate) fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// The network namespace.
    pub(crate) fn net(&self) -> &Net {
        // SAFETY: A socket does not outlive its namespace.
        unsafe { Net::from_ptr(bindings::shim6_helper_sock_net(self.as_ptr())) }
    }

    /// Whether the socket keeps its namespace alive. Sockets of the kernel's own do not: they can
    /// be destroyed while the namespace is being taken down.
    pub(crate) fn holds_net(&self) -> bool {
        // SAFETY: The socket is live.
        unsafe { bindings::shim6_helper_sock_holds_net(self.as_ptr()) }
    }

    /// Whether the family is `AF_INET6`. `IPV6_ADDRFORM` can turn such a socket into `AF_INET`.
    pub(crate) fn is_ipv6(&self) -> bool {
        // SAFETY: The socket is live.
        let family = unsafe { bindings::shim6_helper_sock_family(self.as_ptr()) };
        u32::from(family) == bindings::AF_INET6
    }

    /// The protocol, `IPPROTO_TCP` and the like.
    pub(crate) fn protocol(&self) -> c_int {
        // SAFETY: The socket is live.
        c_int::from(unsafe { bindings::shim6_helper_sock_protocol(self.as_ptr()) })
    }

    /// Whether its handshake, if the protocol has one, is over, and it has a peer.
    pub(crate) fn is_established(&self) -> bool {
        // SAFETY: The socket is live.
        unsafe { bindings::shim6_helper_sock_is_established(self.as_ptr()) }
    }

    /// Whether the socket has one peer: it is connected, connecting or closing. All protocols keep
    /// this in the states of TCP.
    pub(crate) fn is_connected(&self) -> bool {
        // SAFETY: The socket is live.
        unsafe { bindings::shim6_helper_sock_is_connected(self.as_ptr()) }
    }

    /// The address that `getsockname()` tells, for an IPv6 socket. An IPv4 address is mapped.
    pub(crate) fn local_address(&self) -> [u8; 16] {
        let mut address = bindings::in6_addr::default();
        // SAFETY: The socket is live, and `address` may be written.
        unsafe { bindings::shim6_helper_sock_local(self.as_ptr(), &raw mut address) };
        // SAFETY: All members of the union are 16 octets, any of which is a `u8`.
        unsafe { address.in6_u.u6_addr8 }
    }

    /// The address that `getpeername()` tells, for a connected IPv6 socket. An IPv4 address is
    /// mapped.
    pub(crate) fn peer_address(&self) -> [u8; 16] {
        let mut address = bindings::in6_addr::default();
        // SAFETY: The socket is live, and `address` may be written.
        unsafe { bindings::shim6_helper_sock_peer(self.as_ptr(), &raw mut address) };
        // SAFETY: All members of the union are 16 octets, any of which is a `u8`.
        unsafe { address.in6_u.u6_addr8 }
    }

    /// The local port and that of the peer, 0 for what has none.
    pub(crate) fn ports(&self) -> (u16, u16) {
        let (mut local, mut peer) = (0, 0);
        // SAFETY: The socket is live, and both may be written.
        unsafe {
            bindings::shim6_helper_sock_ports(self.as_ptr(), &raw mut local, &raw mut peer);
        }
        (local, peer)
    }

    /// By what people know the socket, and whose it is.
    pub(crate) fn owner(&self) -> SockOwner {
        let mut owner = SockOwner {
            cookie: 0,
            inode: 0,
            uid: 0,
        };
        // SAFETY: The socket is live, and all may be written.
        unsafe {
            bindings::shim6_helper_sock_owner(
                self.as_ptr(),
                &raw mut owner.cookie,
                &raw mut owner.inode,
                &raw mut owner.uid,
            );
        }
        owner
    }

    /// Whether it sends and receives datagrams of IPv6, as UDP and raw sockets do.
    pub(crate) fn is_datagram(&self) -> bool {
        // SAFETY: The socket is live.
        unsafe { bindings::shim6_helper_sock_is_datagram(self.as_ptr()) }
    }

    /// Whether a process has the socket: it was accepted, and is not closed. Any context.
    pub(crate) fn has_file(&self) -> bool {
        // SAFETY: The socket is live.
        unsafe { bindings::shim6_helper_sock_has_file(self.as_ptr()) }
    }

    /// A counted reference; [`None`] if the socket is about to be freed. Any context.
    pub(crate) fn get(&self) -> Option<SockRef> {
        // SAFETY: The socket is live.
        if unsafe { bindings::shim6_helper_sock_get(self.as_ptr()) } {
            // INVARIANT: Counted just now.
            NonNull::new(self.as_ptr()).map(SockRef)
        } else {
            None
        }
    }

    /// Waits until the socket belongs to the current task. Process context.
    pub(crate) fn lock(&self) -> Locked<'_> {
        // SAFETY: The socket is live.
        unsafe { bindings::shim6_helper_lock_sock(self.as_ptr()) };
        // INVARIANT: Locked just now.
        Locked(self, NotThreadSafe)
    }
}

/// By what people know a socket, and whose it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SockOwner {
    /// The number that `ss -e` shows as `sk`.
    pub(crate) cookie: u64,
    /// The inode, which `/proc/PID/fd` shows.
    pub(crate) inode: u64,
    /// The user who made it, as the initial user namespace has it.
    pub(crate) uid: u32,
}

/// A counted reference to a socket.
///
/// # Invariants
///
/// The pointer is a full socket of one of the Internet families, of which this holds a reference.
pub(crate) struct SockRef(NonNull<bindings::sock>);

impl core::ops::Deref for SockRef {
    type Target = Sock;

    fn deref(&self) -> &Sock {
        // SAFETY: By the type invariant.
        unsafe { Sock::from_ptr(self.0.as_ptr()) }
    }
}

impl Drop for SockRef {
    fn drop(&mut self) {
        // SAFETY: By the type invariant; the reference is given up.
        unsafe { bindings::shim6_helper_sock_put(self.0.as_ptr()) };
    }
}

/// Evidence that the current task owns a socket (`lock_sock()`): no other system call changes it
/// meanwhile.
///
/// # Invariants
///
/// The socket is locked by the current task.
pub(crate) struct Locked<'a>(&'a Sock, NotThreadSafe);

impl Locked<'_> {
    /// Whether [`super::cmsg::Ancillary::receive`] is called for what the socket receives. No
    /// effect on others than [`Sock::is_datagram`].
    pub(crate) fn set_wants_ancillary(&self, wanted: bool) {
        if self.is_datagram() {
            // SAFETY: The socket is of IPv6, and locked by the type invariant.
            unsafe { bindings::shim6_helper_sock_set_wants_ctl(self.as_ptr(), wanted) };
        }
    }
}

impl core::ops::Deref for Locked<'_> {
    type Target = Sock;

    fn deref(&self) -> &Sock {
        self.0
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::release_sock(self.0.as_ptr()) };
    }
}

/// A socket of this module's own in the initial namespace, not seen by any process.
///
/// # Invariants
///
/// The pointer is a socket that `sock_create_kern()` made.
pub(crate) struct KernelSocket(NonNull<bindings::socket>);

impl KernelSocket {
    /// A new IPv6 socket of a type (`SOCK_STREAM` and the like) and protocol. Process context.
    pub(crate) fn new(kind: c_int, protocol: c_int) -> Result<Self> {
        let mut sock = ptr::null_mut();
        // SAFETY: The initial namespace lives for ever, and `sock` may be written.
        to_result(unsafe {
            bindings::sock_create_kern(
                &raw mut bindings::init_net,
                bindings::AF_INET6 as c_int,
                kind,
                protocol,
                &raw mut sock,
            )
        })?;
        // INVARIANT: Made just now.
        NonNull::new(sock).map(Self).ok_or(ENOMEM)
    }

    /// `setsockopt()` the way a system call takes.
    pub(crate) fn setsockopt(&self, level: c_int, name: c_int, mut value: [u8; 4]) -> Result {
        // SAFETY: By the type invariant; `value` is in kernel memory and of this length.
        to_result(unsafe {
            bindings::shim6_helper_setsockopt(
                self.0.as_ptr(),
                level,
                name,
                value.as_mut_ptr().cast(),
                value.len() as c_int,
            )
        })
    }

    /// `getsockopt()` the way a system call takes, with null pointers for the answer and its
    /// length. An option that exists answers [`EFAULT`].
    pub(crate) fn getsockopt_nowhere(&self, level: c_int, name: c_int) -> Result {
        // SAFETY: By the type invariant.
        to_result(unsafe {
            bindings::shim6_helper_getsockopt_nowhere(self.0.as_ptr(), level, name)
        })
    }
}

impl Drop for KernelSocket {
    fn drop(&mut self) {
        // SAFETY: By the type invariant; nobody else has the socket.
        unsafe { bindings::sock_release(self.0.as_ptr()) };
    }
}

/// Visits all IPv6 sockets of TCP and UDP in a namespace that have a peer, until `visit` breaks.
/// Process context, sleeps; `visit` must not. What sockets tell can change meanwhile.
pub(crate) fn for_each_connected<F: FnMut(&Sock) -> ControlFlow<()>>(net: &Net, mut visit: F) {
    /// # Safety
    ///
    /// `data` is a `*mut F` that nobody else uses; the socket is a full one of IPv6.
    unsafe extern "C" fn call<F: FnMut(&Sock) -> ControlFlow<()>>(
        sk: *mut bindings::sock,
        data: *mut c_void,
    ) -> bool {
        // SAFETY: By the safety requirement.
        let visit = unsafe { &mut *data.cast::<F>() };
        // SAFETY: By the safety requirement; the lock of its table keeps the socket there.
        visit(unsafe { Sock::from_ptr(sk) }).is_break()
    }

    // SAFETY: The namespace is live, and the closure outlives the call.
    unsafe {
        bindings::shim6_helper_for_each_connected(
            net.as_ptr(),
            Some(call::<F>),
            (&raw mut visit).cast(),
        );
    }
}

/// How connections go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Resume {
    /// Over another path than before: earlier timeouts do not count as congestion.
    pub(crate) is_other_path: bool,
    /// They were told before: only those that heard of nothing since their last timeout go on.
    pub(crate) is_again: bool,
}

impl Resume {
    /// What comes of two reasons.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            is_other_path: self.is_other_path || other.is_other_path,
            is_again: self.is_again && other.is_again,
        }
    }
}

/// Lets TCP connections send again at once what they wait to retransmit, rather than when their
/// timers expire, which are backed off: those between a local address and one of the peer of which
/// `how` says so. Process context, sleeps; `how` must not.
pub(crate) fn resume<F>(net: &Net, mut how: F)
where
    F: FnMut([u8; 16], [u8; 16]) -> Option<Resume>,
{
    /// # Safety
    ///
    /// `data` is a `*mut F` that nobody else uses; both addresses are valid.
    unsafe extern "C" fn call<F>(
        local: *const bindings::in6_addr,
        peer: *const bindings::in6_addr,
        data: *mut c_void,
    ) -> c_uint
    where
        F: FnMut([u8; 16], [u8; 16]) -> Option<Resume>,
    {
        // SAFETY: By the safety requirement.
        let how = unsafe { &mut *data.cast::<F>() };
        // SAFETY: By the safety requirement; all members of the union are 16 octets.
        let octets = |address: *const bindings::in6_addr| unsafe { (*address).in6_u.u6_addr8 };
        how(octets(local), octets(peer)).map_or(0, |resume| {
            let mut flags = bindings::SHIM6_RESUME;
            if resume.is_other_path {
                flags |= bindings::SHIM6_RESUME_OTHER_PATH;
            }
            if resume.is_again {
                flags |= bindings::SHIM6_RESUME_AGAIN;
            }
            flags
        })
    }

    // SAFETY: The namespace is live, and the closure outlives the call.
    unsafe {
        bindings::shim6_helper_tcp_resume(net.as_ptr(), Some(call::<F>), (&raw mut how).cast());
    }
}
