// SPDX-License-Identifier: GPL-2.0

//! The file `/etc/shim6/shim6.toml`: identities, prefixes of the policy, settings. [`read`] takes
//! its text apart and says all that is wrong with it, [`plan`] makes what is in force as the file
//! says, [`present`] reads what is in force and writes it in the same form, and [`settings`] knows
//! what can be set.

pub(crate) mod plan;
pub(crate) mod present;
pub(crate) mod read;
pub(crate) mod settings;

use crate::identity::Name;
use crate::pds::file::IdentityFile;
use crate::prefix::Prefix;
use settings::Values;

/// Where the file is unless another one is named.
pub(crate) const DEFAULT_FILE: &str = "/etc/shim6/shim6.toml";

/// What a file says. A part that it does not speak of is [`None`], and stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// All identities there are to be.
    pub(crate) identities: Option<Vec<Entry>>,
    /// All prefixes of the policy there are to be.
    pub(crate) policy: Option<Vec<Prefix>>,
    /// Settings that are to be other than their defaults.
    pub(crate) settings: Option<Values>,
}

/// An identity of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Name,
    pub(crate) contents: IdentityFile,
    /// The kernel has this identity already, with a private key that is not in the file.
    pub(crate) key_in_kernel: bool,
    /// Whether its addresses are to be given to the interfaces that have its prefixes.
    pub(crate) assign: bool,
}

/// Whether two PDS are of the same identity: of a set they differ in the prefix only.
pub(crate) fn same_identity(one: &[u8], other: &[u8]) -> bool {
    const PREFIX: std::ops::Range<usize> = 16..24;
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .enumerate()
            .all(|(index, (one, other))| one == other || PREFIX.contains(&index))
}
