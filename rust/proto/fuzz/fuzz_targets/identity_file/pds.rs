// SPDX-License-Identifier: GPL-2.0

//! What the reading of files needs of the module of this name.

#[path = "../../../../../tools/shim6/src/pds/file.rs"]
#[expect(dead_code, reason = "nothing is written here")]
pub(crate) mod file;
#[path = "../../../../../tools/shim6/src/pds/key.rs"]
#[expect(dead_code, reason = "nothing is generated here")]
pub(crate) mod key;
#[path = "../../../../../tools/shim6/src/pds/source.rs"]
pub(crate) mod source;

use shim6_proto::pds::PdsError;

pub(crate) mod generate {
    //! Names of files that are written.

    /// None is written here.
    pub(crate) fn random<const N: usize>() -> std::io::Result<[u8; N]> {
        Ok([0; N])
    }
}

/// The words do not matter.
pub(crate) fn structure(_: PdsError) -> &'static str {
    "no PDS"
}
