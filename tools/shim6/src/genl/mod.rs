// SPDX-License-Identifier: GPL-2.0

//! Generic netlink from user space: messages and their attributes, (in [`socket`] and [`reply`]) a
//! request and its answer, (in [`family`]) what the controller knows, and (in [`listener`]) what is
//! sent to a multicast group. Nothing here knows about Shim6.

pub(crate) mod family;
pub(crate) mod listener;
pub(crate) mod reply;
pub(crate) mod socket;

use std::marker::PhantomData;

use netlink_packet_core::{
    DecodeError,
    DefaultNla,
    Emitable,
    NetlinkBuffer,
    NetlinkDeserializable,
    NetlinkHeader,
    NetlinkMessage,
    NetlinkPayload,
    NetlinkSerializable,
    NlasIterator,
    NLA_F_NESTED, //
};

/// Octets of `struct genlmsghdr`.
const HEADER_LEN: usize = 4;
/// Boundary at which messages and attributes begin.
const ALIGNMENT: usize = 4;

/// The numbers of the controller, the family that knows the other families
/// (`include/uapi/linux/genetlink.h`).
pub(crate) mod ctrl {
    pub(crate) const FAMILY: u16 = 16;
    pub(crate) const VERSION: u8 = 2;
    pub(crate) const CMD_NEWFAMILY: u8 = 1;
    pub(crate) const CMD_GETFAMILY: u8 = 3;
    pub(crate) const ATTR_FAMILY_ID: u16 = 1;
    pub(crate) const ATTR_FAMILY_NAME: u16 = 2;
    pub(crate) const ATTR_MCAST_GROUPS: u16 = 7;
    pub(crate) const ATTR_MCAST_GRP_NAME: u16 = 1;
    pub(crate) const ATTR_MCAST_GRP_ID: u16 = 2;
}

/// A generic netlink message: `struct genlmsghdr` and the attributes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Number of the family, the type of the netlink message.
    pub(crate) family: u16,
    pub(crate) cmd: u8,
    pub(crate) version: u8,
    /// The attributes as octets.
    pub(crate) attributes: Vec<u8>,
}

impl Message {
    /// The octets of this message as a request.
    #[cfg(test)]
    pub(crate) fn into_request(self, flags: u16, sequence: u32) -> Vec<u8> {
        request(self, flags, sequence)
    }
}

/// The octets of a message as a request.
pub(crate) fn request<M: NetlinkSerializable>(message: M, flags: u16, sequence: u32) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    header.sequence_number = sequence;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
    message.finalize();
    let mut octets = vec![0; message.buffer_len()];
    message.serialize(&mut octets);
    octets
}

impl NetlinkSerializable for Message {
    fn message_type(&self) -> u16 {
        self.family
    }

    fn buffer_len(&self) -> usize {
        HEADER_LEN + self.attributes.len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        let (header, attributes) = buffer.split_at_mut(HEADER_LEN);
        header.copy_from_slice(&[self.cmd, self.version, 0, 0]);
        attributes.copy_from_slice(&self.attributes);
    }
}

impl NetlinkDeserializable for Message {
    type Error = DecodeError;

    fn deserialize(header: &NetlinkHeader, payload: &[u8]) -> Result<Self, DecodeError> {
        match payload {
            [cmd, version, _, _, attributes @ ..] => Ok(Self {
                family: header.message_type,
                cmd: *cmd,
                version: *version,
                attributes: attributes.to_vec(),
            }),
            _ => Err(DecodeError::buffer_too_small(payload.len(), HEADER_LEN)),
        }
    }
}

/// The messages of a datagram, up to the first that makes no sense.
pub(crate) struct Datagram<'a, M = Message>(&'a [u8], PhantomData<M>);

impl<'a, M> Datagram<'a, M> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self(octets, PhantomData)
    }
}

impl<M: NetlinkDeserializable> Iterator for Datagram<'_, M> {
    type Item = Result<NetlinkMessage<M>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = std::mem::take(&mut self.0);
        if rest.is_empty() {
            return None;
        }
        let mut read = || {
            let len = NetlinkBuffer::new_checked(&rest)?.length() as usize;
            let message = NetlinkMessage::deserialize(rest)?;
            self.0 = rest
                .get(len.next_multiple_of(ALIGNMENT)..)
                .unwrap_or_default();
            Ok(message)
        };
        Some(read())
    }
}

/// Attributes on their way into a message.
#[derive(Debug, Default)]
pub(crate) struct Attributes(Vec<DefaultNla>);

impl Attributes {
    /// Adds an attribute.
    pub(crate) fn put(&mut self, kind: u16, value: impl AsRef<[u8]>) {
        self.0.push(DefaultNla::new(kind, value.as_ref().to_vec()));
    }

    /// Adds an attribute that holds a string.
    pub(crate) fn put_string(&mut self, kind: u16, text: &str) {
        self.put(kind, [text.as_bytes(), &[0]].concat());
    }

    /// Adds an attribute that holds attributes.
    pub(crate) fn put_nest(&mut self, kind: u16, inner: Self) {
        self.put(kind | NLA_F_NESTED, inner.into_octets());
    }

    /// The octets of all attributes, padded as netlink wants.
    pub(crate) fn into_octets(self) -> Vec<u8> {
        let attributes = self.0.as_slice();
        let mut octets = vec![0; attributes.buffer_len()];
        attributes.emit(&mut octets);
        octets
    }
}

/// Calls `visit` with the type and the value of each attribute in turn.
pub(crate) fn for_each_attribute(
    octets: &[u8],
    mut visit: impl FnMut(u16, &[u8]) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    NlasIterator::new(octets).try_for_each(|attribute| {
        let attribute = attribute?;
        visit(attribute.kind(), attribute.value())
    })
}

// The octets below are those of a little-endian host.
#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;
    use netlink_packet_core::{
        NLM_F_ACK,
        NLM_F_REQUEST, //
    };

    #[test]
    fn a_request_in_octets() {
        let mut attributes = Attributes::default();
        attributes.put(ctrl::ATTR_FAMILY_NAME, b"shim6\0");
        let request = Message {
            family: ctrl::FAMILY,
            cmd: ctrl::CMD_GETFAMILY,
            version: ctrl::VERSION,
            attributes: attributes.into_octets(),
        };
        #[rustfmt::skip]
        let expected = [
            32, 0, 0, 0, // nlmsg_len: 16 + 4 + 12
            16, 0, 5, 0, // GENL_ID_CTRL, NLM_F_REQUEST | NLM_F_ACK
            7, 0, 0, 0, // nlmsg_seq
            0, 0, 0, 0, // nlmsg_pid: the kernel fills it in
            3, 2, 0, 0, // CTRL_CMD_GETFAMILY, version 2
            10, 0, 2, 0, b's', b'h', b'i', b'm', b'6', 0, 0, 0, // padded to 12
        ];
        assert_eq!(request.into_request(NLM_F_REQUEST | NLM_F_ACK, 7), expected);
    }

    #[test]
    fn nests_carry_their_flag_and_their_length() {
        let mut inner = Attributes::default();
        inner.put(1, [0xaa]);
        inner.put(2, [0xbb, 0xcc, 0xdd, 0xee]);
        let mut outer = Attributes::default();
        outer.put_nest(6, inner);
        #[rustfmt::skip]
        let expected = [
            20, 0, 6, 0x80,
            5, 0, 1, 0, 0xaa, 0, 0, 0,
            8, 0, 2, 0, 0xbb, 0xcc, 0xdd, 0xee,
        ];
        assert_eq!(outer.into_octets(), expected);
    }

    #[test]
    fn attributes_come_back_without_the_flag() {
        let mut seen = Vec::new();
        for_each_attribute(&[5, 0, 6, 0x80, 1, 0, 0, 0, 4, 0, 9, 0], |kind, value| {
            seen.push((kind, value.to_vec()));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [(6, vec![1]), (9, vec![])]);
    }

    #[test]
    fn a_truncated_attribute_is_an_error() {
        for octets in [&[8, 0, 1, 0, 1][..], &[3, 0, 1, 0], &[4, 0]] {
            assert!(
                for_each_attribute(octets, |_, _| Ok(())).is_err(),
                "{octets:?}"
            );
        }
    }

    #[test]
    fn a_message_without_its_header_is_an_error() {
        let header = NetlinkHeader::default();
        assert!(Message::deserialize(&header, &[1, 1, 0]).is_err());
        let message = Message::deserialize(&header, &[3, 1, 0, 0]).unwrap();
        assert_eq!((message.cmd, message.version), (3, 1));
        assert!(message.attributes.is_empty());
    }
}
