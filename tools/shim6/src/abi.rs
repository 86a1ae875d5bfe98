// SPDX-License-Identifier: GPL-2.0

//! The numbers of `uapi/linux/shim6_netlink.h`. A test compares every one with the header.

/// `SHIM6_GENL_NAME`.
pub(crate) const GENL_NAME: &str = "shim6";
/// `SHIM6_GENL_VERSION`.
pub(crate) const GENL_VERSION: u8 = 1;
/// `SHIM6_GENL_MCGRP_EVENTS`.
pub(crate) const GENL_MCGRP_EVENTS: &str = "events";
/// `SHIM6_NAME_MAX`, octets.
pub(crate) const NAME_MAX: usize = 31;
/// `SHIM6_PDS_MAX`, octets.
pub(crate) const PDS_MAX: usize = 1024;
/// `SHIM6_PRIVATE_KEY_MAX`, octets.
pub(crate) const PRIVATE_KEY_MAX: usize = 2400;

/// `enum shim6_cmd`.
pub(crate) mod cmd {
    pub(crate) const CONTEXT_GET: u8 = 1;
    pub(crate) const CONTEXT_ADD: u8 = 2;
    pub(crate) const CONTEXT_DEL: u8 = 3;
    pub(crate) const CONTEXT_SET: u8 = 4;
    pub(crate) const CONTEXT_START: u8 = 5;
    pub(crate) const CONTEXT_FLUSH: u8 = 6;
    pub(crate) const IDENTITY_GET: u8 = 7;
    pub(crate) const IDENTITY_ADD: u8 = 8;
    pub(crate) const IDENTITY_DEL: u8 = 9;
    pub(crate) const POLICY_GET: u8 = 10;
    pub(crate) const POLICY_ADD: u8 = 11;
    pub(crate) const POLICY_DEL: u8 = 12;
    pub(crate) const EVENT: u8 = 13;
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
    pub(crate) const ORIGIN: u16 = 15;
    pub(crate) const NAME: u16 = 16;
    pub(crate) const PDS: u16 = 17;
    pub(crate) const PRIVATE_KEY: u16 = 18;
    pub(crate) const SIGNS: u16 = 19;
    pub(crate) const PREFIX: u16 = 20;
    pub(crate) const PREFIX_LEN: u16 = 21;
    pub(crate) const EVENT: u16 = 22;
    pub(crate) const CAUSE: u16 = 23;
    pub(crate) const ERROR_CODE: u16 = 24;
    pub(crate) const GENERATION_LOCAL: u16 = 25;
    pub(crate) const GENERATION_PEER: u16 = 26;
    pub(crate) const TIMER: u16 = 27;
    pub(crate) const RETRIES: u16 = 28;
    pub(crate) const UPDATE: u16 = 29;
    pub(crate) const PAIR_REASON: u16 = 30;
    pub(crate) const HISTORY: u16 = 31;
    pub(crate) const REAP: u16 = 32;
    pub(crate) const SEND_TIMEOUT: u16 = 33;
    pub(crate) const KEEPALIVES: u16 = 34;
    pub(crate) const INITIAL_PROBES: u16 = 35;
    pub(crate) const PROBE_TIMEOUT: u16 = 36;
    pub(crate) const HOT_STANDBY: u16 = 37;
    pub(crate) const OVERRIDDEN: u16 = 38;
    pub(crate) const RESET: u16 = 39;
    pub(crate) const STANDBY_LOCAL: u16 = 40;
    pub(crate) const STANDBY_PEER: u16 = 41;
    pub(crate) const RANKING: u16 = 42;
    pub(crate) const OWNER_COOKIE: u16 = 43;
    pub(crate) const OWNER_INODE: u16 = 44;
    pub(crate) const PROBED_LOCAL: u16 = 45;
    pub(crate) const PROBED_PEER: u16 = 46;
}

/// `enum shim6_rank_attr`.
pub(crate) mod rank_attr {
    pub(crate) const LOCAL: u16 = 1;
    pub(crate) const PEER: u16 = 2;
    pub(crate) const UNUSABLE: u16 = 3;
    pub(crate) const CRITERION: u16 = 4;
    pub(crate) const SHARED: u16 = 5;
    pub(crate) const WANTED: u16 = 6;
    pub(crate) const BROKEN: u16 = 7;
    pub(crate) const PEER_PRIORITY: u16 = 8;
    pub(crate) const LOCAL_PRIORITY: u16 = 9;
    pub(crate) const TRANSIENT: u16 = 10;
    pub(crate) const DEPRECATED: u16 = 11;
    pub(crate) const LABELS_DIFFER: u16 = 12;
    pub(crate) const PRECEDENCE: u16 = 13;
    pub(crate) const ULIDS: u16 = 14;
    pub(crate) const PREFIX: u16 = 15;
}

/// Bits `SHIM6_REAP_*`.
pub(crate) mod reap_constant {
    pub(crate) const SEND_TIMEOUT: u8 = 1;
    pub(crate) const KEEPALIVES: u8 = 2;
    pub(crate) const INITIAL_PROBES: u8 = 4;
    pub(crate) const PROBE_TIMEOUT: u8 = 8;
    pub(crate) const HOT_STANDBY: u8 = 16;
}

/// `enum shim6_unusable`.
pub(crate) mod unusable {
    pub(crate) const LOCAL_NOT_OPERATIONAL: u8 = 0;
    pub(crate) const LOCAL_NOT_ACKNOWLEDGED: u8 = 1;
    pub(crate) const PEER_NOT_VERIFIED: u8 = 2;
    pub(crate) const SCOPE: u8 = 3;
}

/// `enum shim6_criterion`.
pub(crate) mod criterion {
    pub(crate) const DISJOINT: u8 = 0;
    pub(crate) const WANTED: u8 = 1;
    pub(crate) const NOT_BROKEN: u8 = 2;
    pub(crate) const PEER_PRIORITY: u8 = 3;
    pub(crate) const LOCAL_PRIORITY: u8 = 4;
    pub(crate) const NOT_TRANSIENT: u8 = 5;
    pub(crate) const NOT_DEPRECATED: u8 = 6;
    pub(crate) const LABEL: u8 = 7;
    pub(crate) const PRECEDENCE: u8 = 8;
    pub(crate) const ULIDS: u8 = 9;
    pub(crate) const PREFIX: u8 = 10;
}

/// `enum shim6_locator_attr`.
pub(crate) mod locator_attr {
    pub(crate) const ADDRESS: u16 = 1;
    pub(crate) const VERIFICATION: u16 = 2;
    pub(crate) const PRIORITY: u16 = 3;
    pub(crate) const WEIGHT: u16 = 4;
    pub(crate) const FLAGS: u16 = 5;
    pub(crate) const STATUS: u16 = 6;
}

/// `enum shim6_history_attr`.
pub(crate) mod history_attr {
    pub(crate) const EVENT: u16 = 1;
    pub(crate) const STATE: u16 = 2;
    pub(crate) const CAUSE: u16 = 3;
    pub(crate) const AGE: u16 = 4;
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

/// Bits of `SHIM6_A_LOCATOR_STATUS`.
pub(crate) mod locator_status {
    pub(crate) const VERIFIED: u8 = 1;
    pub(crate) const REACHABLE: u8 = 2;
    pub(crate) const ACKNOWLEDGED: u8 = 4;
}

/// `enum shim6_origin`.
pub(crate) mod origin {
    pub(crate) const STATIC: u8 = 0;
    pub(crate) const INITIATOR: u8 = 1;
    pub(crate) const RESPONDER: u8 = 2;
}

/// `enum shim6_pair_reason`.
pub(crate) mod pair_reason {
    pub(crate) const ULIDS: u8 = 0;
    pub(crate) const HANDSHAKE: u8 = 1;
    pub(crate) const ADMIN: u8 = 2;
    pub(crate) const SOCKET: u8 = 3;
    pub(crate) const PROBED: u8 = 4;
    pub(crate) const STANDBY: u8 = 5;
    pub(crate) const FAILBACK: u8 = 6;
}

/// `enum shim6_reap`.
pub(crate) mod reap {
    pub(crate) const OPERATIONAL: u8 = 0;
    pub(crate) const EXPLORING: u8 = 1;
    pub(crate) const INBOUND_OK: u8 = 2;
}

/// `enum shim6_event`.
pub(crate) mod event {
    pub(crate) const ADDED: u8 = 0;
    pub(crate) const STATE: u8 = 1;
    pub(crate) const PEER: u8 = 2;
    pub(crate) const LOCAL: u8 = 3;
    pub(crate) const PAIR: u8 = 4;
    pub(crate) const ACKNOWLEDGED: u8 = 5;
    pub(crate) const REFUSED: u8 = 6;
    pub(crate) const PEER_ERROR: u8 = 7;
    pub(crate) const REMOVED: u8 = 8;
    pub(crate) const OPERATIONAL: u8 = 9;
    pub(crate) const EXPLORING: u8 = 10;
    pub(crate) const INBOUND_OK: u8 = 11;
    pub(crate) const STANDBY: u8 = 12;
    pub(crate) const PROBE_SENT: u8 = 13;
    pub(crate) const PROBE_REPORTED: u8 = 14;
}

/// `enum shim6_cause`.
pub(crate) mod cause {
    pub(crate) const NONE: u8 = 0;
    pub(crate) const TRIGGER: u8 = 1;
    pub(crate) const ADMIN: u8 = 2;
    pub(crate) const SOCKET: u8 = 3;
    pub(crate) const MESSAGE: u8 = 4;
    pub(crate) const TIMEOUT: u8 = 5;
    pub(crate) const IDLE: u8 = 6;
    pub(crate) const ULID_GONE: u8 = 7;
    pub(crate) const CONFUSION: u8 = 8;
    pub(crate) const ICMP: u8 = 9;
    pub(crate) const ADDRESS: u8 = 10;
    pub(crate) const SEND_TIMEOUT: u8 = 11;
    pub(crate) const LOCAL_LOST: u8 = 12;
    pub(crate) const PEER_BROKEN: u8 = 13;
    pub(crate) const FEEDBACK: u8 = 14;
    pub(crate) const TCP_TIMEOUT: u8 = 15;
    pub(crate) const ICMP_ERROR: u8 = 16;
    pub(crate) const PAYLOAD: u8 = 17;
    pub(crate) const KEEPALIVE: u8 = 18;
    pub(crate) const PROBE: u8 = 19;
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

    /// Checks our share of an enumeration of which we need not know all.
    fn has(header: &BTreeMap<String, u16>, ours: &[(&str, u16)]) {
        for (name, value) in ours {
            assert_eq!(header.get(*name), Some(value), "{name}");
        }
    }

    /// Pairs each constant of a module with its own name.
    macro_rules! named {
        ($module:ident: $($name:ident)*) => {
            [$((stringify!($name), u16::from($module::$name))),*]
        };
    }

    /// The words after `#define name` in the header.
    fn defined(name: &str) -> &'static str {
        let (_, rest) = HEADER.split_once(&format!("\n#define {name}\t")).unwrap();
        let (line, _) = rest.split_once('\n').unwrap();
        let (value, _) = line.split_once("/*").unwrap_or((line, ""));
        value.trim()
    }

    #[test]
    fn names_and_limits() {
        let text = |text: &str| format!("\"{text}\"");
        assert_eq!(defined("SHIM6_GENL_NAME"), text(GENL_NAME));
        assert_eq!(defined("SHIM6_GENL_VERSION"), GENL_VERSION.to_string());
        assert_eq!(defined("SHIM6_GENL_MCGRP_EVENTS"), text(GENL_MCGRP_EVENTS));
        assert_eq!(defined("SHIM6_NAME_MAX"), NAME_MAX.to_string());
        assert_eq!(defined("SHIM6_PDS_MAX"), PDS_MAX.to_string());
        assert_eq!(
            defined("SHIM6_PRIVATE_KEY_MAX"),
            PRIVATE_KEY_MAX.to_string()
        );
    }

    #[test]
    fn status_of_locators() {
        for (name, value) in named!(locator_status: VERIFIED REACHABLE ACKNOWLEDGED) {
            assert_eq!(defined(&format!("SHIM6_LOCATOR_{name}")), value.to_string());
        }
    }

    #[test]
    fn commands() {
        let ours = named!(cmd: CONTEXT_GET CONTEXT_ADD CONTEXT_DEL CONTEXT_SET CONTEXT_START
            CONTEXT_FLUSH IDENTITY_GET IDENTITY_ADD IDENTITY_DEL POLICY_GET POLICY_ADD POLICY_DEL
            EVENT);
        has(&enumerators("shim6_cmd", "SHIM6_CMD_"), &ours);
    }

    #[test]
    fn attributes() {
        let ours = named!(attr: ULID_LOCAL ULID_PEER FII TAG_LOCAL TAG_PEER LOCATOR_LOCAL
            LOCATOR_PEER CURRENT_LOCAL CURRENT_PEER STATE LAST_TX LAST_RX SWITCHES ORIGIN NAME
            PDS PRIVATE_KEY SIGNS PREFIX PREFIX_LEN EVENT CAUSE ERROR_CODE GENERATION_LOCAL
            GENERATION_PEER TIMER RETRIES UPDATE PAIR_REASON HISTORY REAP SEND_TIMEOUT KEEPALIVES
            INITIAL_PROBES PROBE_TIMEOUT HOT_STANDBY OVERRIDDEN RESET STANDBY_LOCAL STANDBY_PEER
            RANKING OWNER_COOKIE OWNER_INODE PROBED_LOCAL PROBED_PEER);
        has(&enumerators("shim6_attr", "SHIM6_A_"), &ours);
    }

    #[test]
    fn ranking() {
        let ours = named!(rank_attr: LOCAL PEER UNUSABLE CRITERION SHARED WANTED BROKEN
            PEER_PRIORITY LOCAL_PRIORITY TRANSIENT DEPRECATED LABELS_DIFFER PRECEDENCE ULIDS
            PREFIX);
        has(&enumerators("shim6_rank_attr", "SHIM6_A_RANK_"), &ours);
        let ours = named!(unusable: LOCAL_NOT_OPERATIONAL LOCAL_NOT_ACKNOWLEDGED
            PEER_NOT_VERIFIED SCOPE);
        assert_eq!(
            enumerators("shim6_unusable", "SHIM6_UNUSABLE_"),
            table(&ours)
        );
        let ours = named!(criterion: DISJOINT WANTED NOT_BROKEN PEER_PRIORITY LOCAL_PRIORITY
            NOT_TRANSIENT NOT_DEPRECATED LABEL PRECEDENCE ULIDS PREFIX);
        assert_eq!(
            enumerators("shim6_criterion", "SHIM6_CRITERION_"),
            table(&ours)
        );
        let ours = named!(reap_constant: SEND_TIMEOUT KEEPALIVES INITIAL_PROBES PROBE_TIMEOUT
            HOT_STANDBY);
        for (name, value) in ours {
            assert_eq!(defined(&format!("SHIM6_REAP_{name}")), value.to_string());
        }
    }

    #[test]
    fn locator_attributes() {
        let ours = named!(locator_attr: ADDRESS VERIFICATION PRIORITY WEIGHT FLAGS STATUS);
        has(
            &enumerators("shim6_locator_attr", "SHIM6_A_LOCATOR_"),
            &ours,
        );
    }

    #[test]
    fn history_attributes() {
        let ours = named!(history_attr: EVENT STATE CAUSE AGE);
        has(
            &enumerators("shim6_history_attr", "SHIM6_A_HISTORY_"),
            &ours,
        );
    }

    #[test]
    fn origins() {
        let ours = named!(origin: STATIC INITIATOR RESPONDER);
        assert_eq!(enumerators("shim6_origin", "SHIM6_ORIGIN_"), table(&ours));
    }

    #[test]
    fn pair_reasons() {
        let ours = named!(pair_reason: ULIDS HANDSHAKE ADMIN SOCKET PROBED STANDBY FAILBACK);
        assert_eq!(
            enumerators("shim6_pair_reason", "SHIM6_PAIR_"),
            table(&ours)
        );
    }

    #[test]
    fn reap_states() {
        let ours = named!(reap: OPERATIONAL EXPLORING INBOUND_OK);
        assert_eq!(enumerators("shim6_reap", "SHIM6_REAP_"), table(&ours));
    }

    #[test]
    fn events() {
        let ours = named!(event: ADDED STATE PEER LOCAL PAIR ACKNOWLEDGED REFUSED PEER_ERROR
            REMOVED OPERATIONAL EXPLORING INBOUND_OK STANDBY PROBE_SENT PROBE_REPORTED);
        assert_eq!(enumerators("shim6_event", "SHIM6_EVENT_"), table(&ours));
    }

    #[test]
    fn causes() {
        let ours = named!(cause: NONE TRIGGER ADMIN SOCKET MESSAGE TIMEOUT IDLE ULID_GONE
            CONFUSION ICMP ADDRESS SEND_TIMEOUT LOCAL_LOST PEER_BROKEN FEEDBACK TCP_TIMEOUT
            ICMP_ERROR PAYLOAD KEEPALIVE PROBE);
        assert_eq!(enumerators("shim6_cause", "SHIM6_CAUSE_"), table(&ours));
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
