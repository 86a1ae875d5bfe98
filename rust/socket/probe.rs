// SPDX-License-Identifier: GPL-2.0

//! A self-test at load: sockets of the kernels to come may take another way than those we know.

use super::Shim;
use crate::{
    bindings,
    kernel_ext::{
        sock::KernelSocket,
        sockopt::Level, //
    },
};
use kernel::{
    ffi::c_int,
    prelude::*, //
};

/// Opens a socket of each type and tries both entries; says in the log what does not reach us.
pub(super) fn run() {
    let kinds = [
        (
            "TCP",
            bindings::sock_type_SOCK_STREAM,
            bindings::IPPROTO_TCP,
        ),
        ("UDP", bindings::sock_type_SOCK_DGRAM, bindings::IPPROTO_UDP),
        (
            "raw",
            bindings::sock_type_SOCK_RAW,
            bindings::IPPROTO_ICMPV6,
        ),
    ];
    for (name, kind, protocol) in kinds {
        match try_entries(kind as c_int, protocol as c_int) {
            Ok((true, true)) => (),
            Ok((set, get)) => {
                let call = match (set, get) {
                    (false, false) => "setsockopt() and getsockopt()",
                    (false, true) => "setsockopt()",
                    _ => "getsockopt()",
                };
                pr_warn!("socket level SOL_SHIM out of reach of {call} on {name} sockets\n");
            }
            Err(error) => pr_warn!(
                "socket level SOL_SHIM not tested on {name} sockets: error {}\n",
                error.to_errno()
            ),
        }
    }
}

/// Whether `setsockopt()` and `getsockopt()` reach us. To a call that does not, the kernel answers
/// ENOPROTOOPT; ours dislikes the value, or misses the buffer.
fn try_entries(kind: c_int, protocol: c_int) -> Result<(bool, bool)> {
    const NEITHER_0_NOR_1: c_int = 2;
    let name = bindings::SHIM_DONTSHIM as c_int;
    let socket = KernelSocket::new(kind, protocol)?;
    let set = socket.setsockopt(Shim::LEVEL, name, NEITHER_0_NOR_1.to_ne_bytes());
    let get = socket.getsockopt_nowhere(Shim::LEVEL, name);
    Ok((set == Err(EINVAL), get == Err(EFAULT)))
}
