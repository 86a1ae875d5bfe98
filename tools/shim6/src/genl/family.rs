// SPDX-License-Identifier: GPL-2.0

//! What the controller says about a generic netlink family: its number and its multicast groups.

use netlink_packet_core::{
    parse_string,
    parse_u16,
    parse_u32,
    DecodeError, //
};

use super::{
    ctrl,
    for_each_attribute, //
};

/// A generic netlink family of the running kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Family {
    number: u16,
    groups: Vec<(String, u32)>,
}

impl Family {
    /// Reads the controller's answer.
    pub(crate) fn from_attributes(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut number = None;
        let mut groups = Vec::new();
        for_each_attribute(octets, |kind, value| {
            match kind {
                ctrl::ATTR_FAMILY_ID => number = Some(parse_u16(value)?),
                // An array: the type of each element is its index.
                ctrl::ATTR_MCAST_GROUPS => for_each_attribute(value, |_, group| {
                    groups.extend(read_group(group)?);
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(Self {
            number: number.ok_or_else(|| DecodeError::from("a family without a number"))?,
            groups,
        })
    }

    /// The type of the family's messages.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// The number of the multicast group with this name.
    pub(crate) fn group(&self, name: &str) -> Option<u32> {
        self.groups
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, number)| *number)
    }
}

/// Name and number of a multicast group.
fn read_group(octets: &[u8]) -> Result<Option<(String, u32)>, DecodeError> {
    let mut name = None;
    let mut number = None;
    for_each_attribute(octets, |kind, value| {
        match kind {
            ctrl::ATTR_MCAST_GRP_NAME => name = Some(parse_string(value)?),
            ctrl::ATTR_MCAST_GRP_ID => number = Some(parse_u32(value)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(name.zip(number))
}

// The octets below are those of a little-endian host.
#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    #[rustfmt::skip]
    const ANSWER: [u8; 64] = [
        10, 0, 2, 0, b's', b'h', b'i', b'm', b'6', 0, 0, 0,
        6, 0, 1, 0, 30, 0, 0, 0,
        44, 0, 7, 0x80,
            20, 0, 1, 0x80,
                8, 0, 2, 0, 9, 0, 0, 0,
                7, 0, 1, 0, b'i', b'n', 0, 0,
            20, 0, 2, 0x80,
                8, 0, 2, 0, 10, 0, 0, 0,
                8, 0, 1, 0, b'o', b'u', b't', 0,
    ];

    #[test]
    fn number_and_groups() {
        let family = Family::from_attributes(&ANSWER).unwrap();
        assert_eq!(family.number(), 30);
        assert_eq!(family.group("in"), Some(9));
        assert_eq!(family.group("out"), Some(10));
        assert_eq!(family.group("ou"), None);
    }

    #[test]
    fn a_family_has_a_number_and_need_not_have_groups() {
        let family = Family::from_attributes(&ANSWER[12..20]).unwrap();
        assert_eq!((family.number(), family.group("in")), (30, None));
        let refusal = Family::from_attributes(&ANSWER[..12]).unwrap_err();
        assert!(refusal.to_string().contains("without a number"));
    }

    #[test]
    fn a_truncated_group_is_an_error() {
        assert!(Family::from_attributes(&ANSWER[..60]).is_err());
    }
}
