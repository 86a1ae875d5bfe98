// SPDX-License-Identifier: GPL-2.0

//! The program; see the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    shim6::main()
}
