// SPDX-License-Identifier: GPL-2.0

//! The one place where kernel versions differ. Kbuild sets `shim6_kernel_7_3` from 7.3 on.

use kernel::ThisModule;

/// This module, as C knows it.
#[cfg(shim6_kernel_7_3)]
pub(crate) const fn this_module() -> &'static ThisModule {
    kernel::module::this_module::<crate::LocalModule>()
}

/// This module, as C knows it.
#[cfg(not(shim6_kernel_7_3))]
pub(crate) const fn this_module() -> &'static ThisModule {
    &crate::THIS_MODULE
}

/// Error codes that the kernel crate declares from 7.3 on.
#[cfg(shim6_kernel_7_3)]
pub(crate) mod errno {
    pub(crate) use kernel::error::code::{
        EADDRNOTAVAIL,
        EBADMSG,
        EHOSTUNREACH,
        EKEYREJECTED,
        ENETUNREACH,
        ENOBUFS,
        ENOPROTOOPT,
        EOPNOTSUPP,
        EPROTO,
        EPROTONOSUPPORT, //
    };
}

/// Error codes that the kernel crate declares from 7.3 on.
#[cfg(not(shim6_kernel_7_3))]
pub(crate) mod errno {
    use crate::bindings;
    use kernel::error::Error;

    macro_rules! declare {
        ($($name:ident)*) => {
            $(pub(crate) const $name: Error = error(bindings::$name);)*
        };
    }

    const fn error(errno: u32) -> Error {
        assert!(errno >= 1 && errno <= 4095);
        // SAFETY: An `Error` is a negative errno that fits the range just checked; its constructor
        // is private and this runs at build time, where a change of its size fails.
        unsafe { core::mem::transmute::<i32, Error>(-(errno as i32)) }
    }

    declare! {
        EADDRNOTAVAIL EBADMSG EHOSTUNREACH EKEYREJECTED ENETUNREACH ENOBUFS ENOPROTOOPT EOPNOTSUPP
        EPROTO EPROTONOSUPPORT
    }
}
