// SPDX-License-Identifier: GPL-2.0

//! The numbers of `uapi/linux/shim6_netlink.h`. A test compares every one with the header.

/// `SHIM6_GENL_NAME`.
pub(crate) const GENL_NAME: &str = "shim6";
/// `SHIM6_GENL_VERSION`.
pub(crate) const GENL_VERSION: u8 = 1;

/// `enum shim6_cmd`.
pub(crate) mod cmd {
    pub(crate) const CONTEXT_GET: u8 = 1;
    pub(crate) const CONTEXT_ADD: u8 = 2;
    pub(crate) const CONTEXT_DEL: u8 = 3;
    pub(crate) const CONTEXT_SET: u8 = 4;
}

/// `enum shim6_attr`.
pub(crate) mod attr {
    pub(crate) const ULID_LOCAL: u16 = 1;
    pub(crate) const ULID_PEER: u16 = 2;
    pub(crate) const FII: u16 = 3;
    pub(crate) const TAG_LOCAL: u16 = 4;
    pub(crate) const TAG_PEER: u16 = 5;
    pub(crate) const LOCATOR_LOCAL: u16 = 6;
    pub(crate) const LOCATOR_PEER: u16 = 7;
    pub(crate) const CURRENT_LOCAL: u16 = 8;
    pub(crate) const CURRENT_PEER: u16 = 9;
    pub(crate) const STATE: u16 = 10;
    pub(crate) const LAST_TX: u16 = 11;
    pub(crate) const LAST_RX: u16 = 12;
    pub(crate) const SWITCHES: u16 = 13;
}

/// `enum shim6_locator_attr`.
pub(crate) mod locator_attr {
    pub(crate) const ADDRESS: u16 = 1;
    pub(crate) const VERIFICATION: u16 = 2;
    pub(crate) const PRIORITY: u16 = 3;
    pub(crate) const WEIGHT: u16 = 4;
    pub(crate) const FLAGS: u16 = 5;
}

/// Verification methods of `SHIM6_A_LOCATOR_VERIFICATION` (RFC 5533 section 5.15.2).
pub(crate) mod verification {
    pub(crate) const HBA: u8 = 1;
    pub(crate) const CGA: u8 = 2;
}

/// Bits of `SHIM6_A_LOCATOR_FLAGS` (RFC 5533 section 5.15.3).
pub(crate) mod locator_flag {
    pub(crate) const BROKEN: u8 = 1;
    pub(crate) const TRANSIENT: u8 = 2;
}

/// `enum shim6_state`.
pub(crate) mod state {
    pub(crate) const IDLE: u8 = 0;
    pub(crate) const I1_SENT: u8 = 1;
    pub(crate) const I2_SENT: u8 = 2;
    pub(crate) const I2BIS_SENT: u8 = 3;
    pub(crate) const ESTABLISHED: u8 = 4;
    pub(crate) const E_FAILED: u8 = 5;
    pub(crate) const NO_SUPPORT: u8 = 6;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const HEADER: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../uapi/linux/shim6_netlink.h"
    ));

    /// The enumerators of `enum name` in the header, without `prefix`, with their values. The
    /// header gives no explicit values, so each is its position.
    fn enumerators(name: &str, prefix: &str) -> BTreeMap<String, u16> {
        let start = format!("\nenum {name} {{\n");
        let (_, body) = HEADER.split_once(&start).unwrap();
        let (body, _) = body.split_once("\n};").unwrap();
        let (public, _) = body.split_once("/* private: */").unwrap_or((body, ""));
        let mut values = BTreeMap::new();
        for (position, word) in public
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .enumerate()
        {
            let word = word.strip_prefix(prefix).unwrap();
            assert!(!word.contains('='), "{word} has a value of its own");
            values.insert(word.to_owned(), u16::try_from(position).unwrap());
        }
        values
    }

    fn table(rows: &[(&str, u16)]) -> BTreeMap<String, u16> {
        rows.iter().map(|(k, v)| ((*k).to_owned(), *v)).collect()
    }

    /// Pairs each constant of a module with its own name.
    macro_rules! named {
        ($module:ident: $($name:ident)*) => {
            [$((stringify!($name), u16::from($module::$name))),*]
        };
    }

    #[test]
    fn name_and_version() {
        assert!(HEADER.contains(&format!("#define SHIM6_GENL_NAME\t\t\t\"{GENL_NAME}\"\n")));
        assert!(HEADER.contains(&format!("#define SHIM6_GENL_VERSION\t\t{GENL_VERSION}\n")));
    }

    #[test]
    fn commands() {
        let mut ours = named!(cmd: CONTEXT_GET CONTEXT_ADD CONTEXT_DEL CONTEXT_SET).to_vec();
        ours.push(("UNSPEC", 0));
        let header = enumerators("shim6_cmd", "SHIM6_CMD_");
        for (name, value) in table(&ours) {
            assert_eq!(header.get(&name), Some(&value), "{name}");
        }
    }

    #[test]
    fn attributes() {
        let ours = named!(attr: ULID_LOCAL ULID_PEER FII TAG_LOCAL TAG_PEER LOCATOR_LOCAL
            LOCATOR_PEER CURRENT_LOCAL CURRENT_PEER STATE LAST_TX LAST_RX SWITCHES);
        let header = enumerators("shim6_attr", "SHIM6_A_");
        for (name, value) in table(&ours) {
            assert_eq!(header.get(&name), Some(&value), "{name}");
        }
    }

    #[test]
    fn locator_attributes() {
        let ours = named!(locator_attr: ADDRESS VERIFICATION PRIORITY WEIGHT FLAGS);
        let header = enumerators("shim6_locator_attr", "SHIM6_A_LOCATOR_");
        for (name, value) in table(&ours) {
            assert_eq!(header.get(&name), Some(&value), "{name}");
        }
    }

    #[test]
    fn states() {
        let ours = named!(state: IDLE I1_SENT I2_SENT I2BIS_SENT ESTABLISHED E_FAILED NO_SUPPORT);
        assert_eq!(enumerators("shim6_state", "SHIM6_STATE_"), table(&ours));
    }

    #[test]
    fn values_named_in_comments() {
        assert!(HEADER.contains("u8, 1 HBA, 2 CGA"));
        assert_eq!((verification::HBA, verification::CGA), (1, 2));
        assert!(HEADER.contains("u8, 1 BROKEN, 2 TRANSIENT"));
        assert_eq!((locator_flag::BROKEN, locator_flag::TRANSIENT), (1, 2));
    }
}
