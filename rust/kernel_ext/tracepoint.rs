// SPDX-License-Identifier: GPL-2.0

//! Tracepoints of this module. They are defined in C, by `TRACE_EVENT()`; here is how they are
//! called: the static key is tested in place, so that one that nobody listens to costs an
//! instruction that does nothing.
//!
//! C header: [`include/linux/tracepoint.h`](srctree/include/linux/tracepoint.h)

use super::{
    address::In6Addr,
    net::Net, //
};
use crate::bindings;
use kernel::{
    ffi::c_char,
    prelude::*, //
};

/// What a tracepoint can be told of.
///
/// # Safety
///
/// A pointer that [`Argument::as_c`] returns is valid to be read while the value is borrowed.
pub(crate) unsafe trait Argument {
    /// The type that C knows it by.
    type C;

    /// As C takes it.
    fn as_c(&self) -> Self::C;
}

macro_rules! numbers {
    ($($type:ty)*) => {
        $(
            // SAFETY: No pointer.
            unsafe impl Argument for $type {
                type C = $type;

                #[inline]
                fn as_c(&self) -> $type {
                    *self
                }
            }
        )*
    };
}

numbers!(u8 u32 u64);

// SAFETY: A reference to a namespace is valid.
unsafe impl Argument for &Net {
    type C = *const bindings::net;

    #[inline]
    fn as_c(&self) -> Self::C {
        self.as_ptr()
    }
}

// SAFETY: The address is that of the value that is borrowed.
unsafe impl Argument for In6Addr {
    type C = *const bindings::in6_addr;

    #[inline]
    fn as_c(&self) -> Self::C {
        self.as_ptr()
    }
}

// SAFETY: A string of C is valid, and ends with a zero.
unsafe impl Argument for &CStr {
    type C = *const c_char;

    #[inline]
    fn as_c(&self) -> Self::C {
        self.as_char_ptr()
    }
}

/// Declares functions for tracepoints of the same names, with the arguments of their `TP_PROTO()`,
/// which may be called in any context, and beside each a function `NAME_is_on`. The compiler holds
/// the types against the bindings.
macro_rules! tracepoints {
    ($($(#[$doc:meta])* $vis:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?);)*) => {
        ::kernel::macros::paste! {
            $(
                $(#[$doc])*
                #[allow(unsafe_code)]
                #[allow(clippy::too_many_arguments, reason = "as many as there is to tell")]
                #[inline(always)]
                $vis fn $name($($argument: $type),*) {
                    if [<$name _is_on>]() {
                        #[cfg(CONFIG_TRACEPOINTS)]
                        // SAFETY: By `Argument` all pointers are valid during the call; C copies
                        // what they point to.
                        unsafe {
                            $crate::bindings::[<rust_do_trace_ $name>](
                                $($crate::kernel_ext::tracepoint::Argument::as_c(&$argument)),*
                            );
                        }
                    }
                    #[cfg(not(CONFIG_TRACEPOINTS))]
                    let _ = ($($argument),*);
                }

                /// Whether anybody listens to the tracepoint of this name.
                #[allow(unsafe_code)]
                #[inline(always)]
                $vis fn [<$name _is_on>]() -> bool {
                    #[cfg(CONFIG_TRACEPOINTS)]
                    // SAFETY: The key is that of a tracepoint that C defined.
                    unsafe {
                        ::kernel::jump_label::static_branch_unlikely!(
                            $crate::bindings::[<__tracepoint_ $name>],
                            $crate::bindings::tracepoint,
                            key
                        )
                    }
                    #[cfg(not(CONFIG_TRACEPOINTS))]
                    false
                }
            )*
        }
    };
}

pub(crate) use tracepoints;
