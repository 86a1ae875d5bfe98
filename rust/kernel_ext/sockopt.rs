// SPDX-License-Identifier: GPL-2.0

//! A level of socket options, `setsockopt()` and `getsockopt()`, for all sockets of the Internet
//! families.
//!
//! The kernel has no registry of levels. Sockets of these families pass their options through
//! `sock_common_setsockopt()` and `sock_common_getsockopt()`, whatever their transport, after
//! security modules and BPF programs had their say. There calls of the level are [redirected] to
//! the code that serves it; calls of other levels never meet that code.
//!
//! [redirected]: super::ftrace::Redirect

use super::{
    ftrace::{
        Call,
        Detour,
        Entered,
        Redirect,
        Redirection, //
    },
    sock::Sock,
};
use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    ffi::{
        c_char,
        c_int,
        c_uint,
        c_void, //
    },
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

/// What serves a level of socket options.
///
/// The functions run in process context, with nothing locked.
pub(crate) trait Level: 'static {
    /// The level's number.
    const LEVEL: c_int;

    /// Sets option `name`.
    fn setsockopt(sk: &Sock, name: c_int, value: &Value<'_>) -> Result;

    /// Gets option `name`.
    fn getsockopt(sk: &Sock, name: c_int, buffer: &Buffer<'_>) -> Result;
}

/// The value that a caller of `setsockopt()` gives, in memory of a process or of the kernel.
pub(crate) struct Value<'a> {
    at: bindings::sockptr_t,
    len: usize,
    _call: PhantomData<&'a ()>,
}

impl Value<'_> {
    /// Whether the caller gave no value at all: a null pointer and the length zero.
    pub(crate) fn is_absent(&self) -> bool {
        // SAFETY: A look at the pointer, not through it.
        self.len == 0 && unsafe { bindings::shim6_helper_sockptr_is_null(&raw const self.at) }
    }

    /// Octets of the value.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The first `N` octets.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if the value is shorter, [`EFAULT`] if it cannot be read.
    pub(crate) fn read<const N: usize>(&self) -> Result<[u8; N]> {
        let mut octets = [0; N];
        self.read_to(&mut octets)?;
        Ok(octets)
    }

    /// As many octets of the value as `octets` has; errors are those of [`Self::read`].
    pub(crate) fn read_to(&self, octets: &mut [u8]) -> Result {
        if self.len < octets.len() {
            return Err(EINVAL);
        }
        // SAFETY: There is room for the octets, and a pointer into kernel memory has as many, by
        // the length that came with it; one into user memory is checked by the copy.
        let missing = unsafe {
            bindings::shim6_helper_copy_from_sockptr(
                octets.as_mut_ptr().cast(),
                &raw const self.at,
                octets.len(),
            )
        };
        if missing == 0 {
            Ok(())
        } else {
            Err(EFAULT)
        }
    }
}

/// Where a caller of `getsockopt()` wants the value to be written.
pub(crate) struct Buffer<'a> {
    at: *mut c_char,
    len_at: *mut c_int,
    _call: PhantomData<&'a ()>,
}

impl Buffer<'_> {
    /// The octets that there is room for.
    ///
    /// # Errors
    ///
    /// [`EFAULT`] if the length cannot be read, [`EINVAL`] if it is negative.
    pub(crate) fn room(&self) -> Result<usize> {
        let len: c_int = UserSlice::new(UserPtr::from_ptr(self.len_at.cast()), size_of::<c_int>())
            .reader()
            .read()?;
        usize::try_from(len).map_err(|_| EINVAL)
    }

    /// Writes the value, or as much of it as there is room for, and the length written.
    ///
    /// # Errors
    ///
    /// Those of [`Self::room`], and [`EFAULT`] if the value cannot be written.
    pub(crate) fn write(&self, value: &[u8]) -> Result {
        let len = value.len().min(self.room()?);
        let value = value.get(..len).ok_or(EINVAL)?;
        UserSlice::new(UserPtr::from_ptr(self.at.cast()), len)
            .writer()
            .write_slice(value)?;
        self.set_len(len)
    }

    /// Tells the caller the length of a value, without writing the value.
    pub(crate) fn set_len(&self, len: usize) -> Result {
        let len = c_int::try_from(len).map_err(|_| EINVAL)?;
        UserSlice::new(UserPtr::from_ptr(self.len_at.cast()), size_of::<c_int>())
            .writer()
            .write(&len)
    }
}

/// A level that is served; dropping this ends it.
///
/// Calls that are under way pin the module.
pub(crate) struct Registration<L: Level>(
    #[expect(dead_code, reason = "what matters is when it is dropped")] Redirect<Entries<L>>,
);

impl<L: Level> Registration<L> {
    /// Begins to serve the level. May sleep. Errors are those of [`Redirect::register`].
    pub(crate) fn new() -> Result<Self> {
        Redirect::register().map(Self)
    }
}

/// The two functions, redirected for level `L`.
struct Entries<L>(PhantomData<L>);

// SAFETY: The targets have the signatures of the functions, own `Entered` as their first local
// variable and return by themselves. `takes` reads registers and fields.
unsafe impl<L: Level> Redirection for Entries<L> {
    const DETOURS: &'static [Detour] = &[
        Detour {
            function: bindings::sock_common_setsockopt as *const c_void,
            target: setsockopt::<L> as *const c_void,
        },
        Detour {
            function: bindings::sock_common_getsockopt as *const c_void,
            target: getsockopt::<L> as *const c_void,
        },
    ];

    fn takes(_function: *const c_void, call: &Call<'_>) -> bool {
        // The upper half of the register of an `int` argument has no meaning.
        call.argument(1) as c_int == L::LEVEL
            // SAFETY: The first argument of both functions is the socket of a system call.
            && unsafe { bindings::shim6_helper_socket_is_inet(call.argument(0) as *const _) }
    }
}

/// # Safety
///
/// Called in the place of `sock_common_setsockopt()` only.
unsafe extern "C" fn setsockopt<L: Level>(
    sock: *mut bindings::socket,
    _level: c_int,
    name: c_int,
    at: bindings::sockptr_t,
    len: c_uint,
) -> c_int {
    // SAFETY: This is the target of a redirection.
    let _entered = unsafe { Entered::new() };
    let value = Value {
        at,
        len: len as usize,
        _call: PhantomData,
    };
    // SAFETY: The system call holds the file, the file its socket; `takes` saw the family.
    let sk = unsafe { Sock::from_ptr((*sock).sk) };
    match L::setsockopt(sk, name, &value) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// Called in the place of `sock_common_getsockopt()` only.
unsafe extern "C" fn getsockopt<L: Level>(
    sock: *mut bindings::socket,
    _level: c_int,
    name: c_int,
    at: *mut c_char,
    len_at: *mut c_int,
) -> c_int {
    // SAFETY: This is the target of a redirection.
    let _entered = unsafe { Entered::new() };
    let buffer = Buffer {
        at,
        len_at,
        _call: PhantomData,
    };
    // SAFETY: The system call holds the file, the file its socket; `takes` saw the family.
    let sk = unsafe { Sock::from_ptr((*sock).sk) };
    match L::getsockopt(sk, name, &buffer) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}
