// SPDX-License-Identifier: GPL-2.0

//! Prefixes of peers with which contexts are established on request.

use std::io::{
    self,
    Write, //
};

use netlink_packet_core::{
    parse_u8,
    DecodeError, //
};
use serde::Serialize;

use crate::abi::{
    attr,
    cmd, //
};
use crate::client::Request;
use crate::context::answer::{
    read_address,
    required, //
};
use crate::genl::for_each_attribute;
use crate::prefix::Prefix;

/// A prefix to add.
pub(crate) fn add(prefix: Prefix) -> Request {
    named(cmd::POLICY_ADD, prefix)
}

/// A prefix to delete.
pub(crate) fn del(prefix: Prefix) -> Request {
    named(cmd::POLICY_DEL, prefix)
}

fn named(cmd: u8, prefix: Prefix) -> Request {
    let mut request = Request::new(cmd);
    let attributes = &mut request.attributes;
    attributes.put(attr::PREFIX, prefix.address().octets());
    attributes.put(attr::PREFIX_LEN, [prefix.len()]);
    request
}

/// A policy as the kernel describes it. The fields are the schema of `--json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Policy {
    pub(crate) prefix: Prefix,
}

impl Policy {
    /// Reads the attributes of a policy.
    pub(crate) fn from_attributes(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut address = None;
        let mut len = None;
        for_each_attribute(octets, |kind, value| {
            match kind {
                attr::PREFIX => address = Some(read_address(value)?),
                attr::PREFIX_LEN => len = Some(parse_u8(value)?),
                _ => {}
            }
            Ok(())
        })?;
        let address = required(address, "PREFIX")?;
        let prefix = Prefix::new(address, required(len, "PREFIX_LEN")?)
            .ok_or_else(|| DecodeError::from("a prefix with bits behind it"))?;
        Ok(Self { prefix })
    }
}

/// Writes a line per prefix.
pub(crate) fn text(policies: &[Policy], out: &mut dyn Write) -> io::Result<()> {
    policies
        .iter()
        .try_for_each(|policy| writeln!(out, "{}", policy.prefix))
}

// The octets below are those of a little-endian host.
#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    const PREFIX: [u8; 28] = [
        20, 0, 20, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, //
        5, 0, 21, 0, 32, 0, 0, 0,
    ];

    fn prefix() -> Prefix {
        "2001:db8::/32".parse().unwrap()
    }

    #[test]
    fn a_prefix_on_its_way_to_the_kernel_and_back() {
        for (request, cmd) in [(add(prefix()), 11), (del(prefix()), 12)] {
            let message = request.into_message(30);
            assert_eq!((message.cmd, message.attributes), (cmd, PREFIX.to_vec()));
        }
        let policy = Policy::from_attributes(&PREFIX).unwrap();
        assert_eq!(policy.prefix, prefix());
    }

    #[test]
    fn an_answer_that_makes_no_sense() {
        let refusal = |octets: &[u8]| Policy::from_attributes(octets).unwrap_err().to_string();
        assert!(refusal(&PREFIX[..20]).contains("PREFIX_LEN is missing"));
        assert!(refusal(&PREFIX[20..]).contains("PREFIX is missing"));
        for len in [28, 129] {
            let mut octets = PREFIX;
            octets[24] = len;
            assert!(refusal(&octets).contains("bits behind it"), "{len}");
        }
    }

    #[test]
    fn a_line_for_people_and_an_object_for_programs() {
        let policies = [Policy { prefix: prefix() }];
        let mut out = Vec::new();
        text(&policies, &mut out).unwrap();
        assert_eq!(out, b"2001:db8::/32\n");
        assert_eq!(
            serde_json::to_string(&policies).unwrap(),
            r#"[{"prefix":"2001:db8::/32"}]"#
        );
    }
}
