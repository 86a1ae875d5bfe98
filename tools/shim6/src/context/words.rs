// SPDX-License-Identifier: GPL-2.0

//! Numbers that the kernel says about a context, and the words for them. A number that this version
//! does not know is written as a number.

use std::fmt;

use serde::{
    Serialize,
    Serializer, //
};

use crate::abi;

/// A type that is a number of the kernel's, with the words for the numbers that we know.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $unknown:literal: $($number:path => $word:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) u8);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    $($number => f.write_str($word),)*
                    other => write!(f, concat!($unknown, "-{}"), other),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

words! {
    /// State of a context (RFC 5533 section 6.2).
    State, "state":
    abi::state::IDLE => "IDLE",
    abi::state::I1_SENT => "I1-SENT",
    abi::state::I2_SENT => "I2-SENT",
    abi::state::I2BIS_SENT => "I2BIS-SENT",
    abi::state::ESTABLISHED => "ESTABLISHED",
    abi::state::E_FAILED => "E-FAILED",
    abi::state::NO_SUPPORT => "NO-SUPPORT",
}

words! {
    /// Who made a context.
    Origin, "origin":
    abi::origin::STATIC => "static",
    abi::origin::INITIATOR => "initiator",
    abi::origin::RESPONDER => "responder",
}

words! {
    /// Why the current locator pair is that.
    PairReason, "reason":
    abi::pair_reason::ULIDS => "ulids",
    abi::pair_reason::HANDSHAKE => "handshake",
    abi::pair_reason::ADMIN => "admin",
    abi::pair_reason::SOCKET => "socket",
    abi::pair_reason::PROBED => "probed",
    abi::pair_reason::STANDBY => "standby",
    abi::pair_reason::FAILBACK => "failback",
}

words! {
    /// What failure detection thinks of the current pair (RFC 5534 section 6).
    Reap, "reap":
    abi::reap::OPERATIONAL => "operational",
    abi::reap::EXPLORING => "exploring",
    abi::reap::INBOUND_OK => "inbound-ok",
}

words! {
    /// Why a locator pair cannot be used.
    Unusable, "unusable":
    abi::unusable::LOCAL_NOT_OPERATIONAL => "local-not-operational",
    abi::unusable::LOCAL_NOT_ACKNOWLEDGED => "local-not-acknowledged",
    abi::unusable::PEER_NOT_VERIFIED => "peer-not-verified",
    abi::unusable::SCOPE => "scope",
}

words! {
    /// In what one locator pair is better than another.
    Criterion, "criterion":
    abi::criterion::DISJOINT => "disjoint",
    abi::criterion::WANTED => "wanted",
    abi::criterion::NOT_BROKEN => "not-broken",
    abi::criterion::PEER_PRIORITY => "peer-priority",
    abi::criterion::LOCAL_PRIORITY => "local-priority",
    abi::criterion::NOT_TRANSIENT => "not-transient",
    abi::criterion::NOT_DEPRECATED => "not-deprecated",
    abi::criterion::LABEL => "label",
    abi::criterion::PRECEDENCE => "precedence",
    abi::criterion::ULIDS => "ulids",
    abi::criterion::PREFIX => "prefix",
}

words! {
    /// What happened to a context.
    Event, "event":
    abi::event::ADDED => "added",
    abi::event::STATE => "state",
    abi::event::PEER => "peer",
    abi::event::LOCAL => "local",
    abi::event::PAIR => "pair",
    abi::event::ACKNOWLEDGED => "acknowledged",
    abi::event::REFUSED => "refused",
    abi::event::PEER_ERROR => "peer-error",
    abi::event::REMOVED => "removed",
    abi::event::OPERATIONAL => "operational",
    abi::event::EXPLORING => "exploring",
    abi::event::INBOUND_OK => "inbound-ok",
    abi::event::STANDBY => "standby",
    abi::event::PROBE_SENT => "probe-sent",
    abi::event::PROBE_REPORTED => "probe-reported",
}

words! {
    /// Why it happened.
    Cause, "cause":
    abi::cause::NONE => "none",
    abi::cause::TRIGGER => "trigger",
    abi::cause::ADMIN => "admin",
    abi::cause::SOCKET => "socket",
    abi::cause::MESSAGE => "message",
    abi::cause::TIMEOUT => "timeout",
    abi::cause::IDLE => "idle",
    abi::cause::ULID_GONE => "ulid-gone",
    abi::cause::CONFUSION => "confusion",
    abi::cause::ICMP => "icmp",
    abi::cause::ADDRESS => "address",
    abi::cause::SEND_TIMEOUT => "send-timeout",
    abi::cause::LOCAL_LOST => "local-lost",
    abi::cause::PEER_BROKEN => "peer-broken",
    abi::cause::FEEDBACK => "feedback",
    abi::cause::TCP_TIMEOUT => "tcp-timeout",
    abi::cause::ICMP_ERROR => "icmp-error",
    abi::cause::PAYLOAD => "payload",
    abi::cause::KEEPALIVE => "keepalive",
    abi::cause::PROBE => "probe",
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words for the numbers from 0 on, up to and with the first that has none.
    fn words<T: fmt::Display>(name: impl Fn(u8) -> T) -> String {
        let mut words = Vec::new();
        for number in 0..=u8::MAX {
            words.push(name(number).to_string());
            if words.last().unwrap().ends_with(&format!("-{number}")) {
                break;
            }
        }
        words.join(" ")
    }

    #[test]
    fn states_have_the_names_of_the_rfc() {
        assert_eq!(
            words(State),
            "IDLE I1-SENT I2-SENT I2BIS-SENT ESTABLISHED E-FAILED NO-SUPPORT state-7"
        );
    }

    #[test]
    fn origins_and_reasons() {
        assert_eq!(words(Origin), "static initiator responder origin-3");
        assert_eq!(
            words(PairReason),
            "ulids handshake admin socket probed standby failback reason-7"
        );
        assert_eq!(words(Reap), "operational exploring inbound-ok reap-3");
    }

    #[test]
    fn ranks() {
        assert_eq!(
            words(Unusable),
            "local-not-operational local-not-acknowledged peer-not-verified scope unusable-4"
        );
        assert_eq!(
            words(Criterion),
            "disjoint wanted not-broken peer-priority local-priority not-transient \
             not-deprecated label precedence ulids prefix criterion-11"
        );
    }

    #[test]
    fn events_and_causes() {
        assert_eq!(
            words(Event),
            "added state peer local pair acknowledged refused peer-error removed operational \
             exploring inbound-ok standby probe-sent probe-reported event-15"
        );
        assert_eq!(
            words(Cause),
            "none trigger admin socket message timeout idle ulid-gone confusion icmp address \
             send-timeout local-lost peer-broken feedback tcp-timeout icmp-error payload \
             keepalive probe cause-20"
        );
    }

    #[test]
    fn the_schema_has_all_words() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../Documentation/shim6.schema.json"
        );
        let schema: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for (name, words) in [
            ("state", words(State)),
            ("origin", words(Origin)),
            ("reason", words(PairReason)),
            ("reap", words(Reap)),
            ("unusable", words(Unusable)),
            ("criterion", words(Criterion)),
            ("event", words(Event)),
            ("cause", words(Cause)),
        ] {
            let choices = &schema["$defs"][name]["anyOf"];
            let listed: Vec<_> = choices[0]["enum"].as_array().unwrap().iter().collect();
            let (words, other) = words.rsplit_once(' ').unwrap();
            assert_eq!(listed, words.split(' ').collect::<Vec<_>>(), "{name}");
            let prefix = other.trim_end_matches(|it: char| it.is_ascii_digit());
            assert_eq!(choices[1]["pattern"], format!("^{prefix}[0-9]+$"), "{name}");
        }
    }

    #[test]
    fn words_are_strings_for_programs() {
        assert_eq!(
            serde_json::to_string(&(State(4), Origin(99))).unwrap(),
            r#"["ESTABLISHED","origin-99"]"#
        );
    }
}
