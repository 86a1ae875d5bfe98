// SPDX-License-Identifier: GPL-2.0

//! A generic netlink socket: sends one request at a time and waits for its whole answer.

use std::io;
use std::marker::PhantomData;

use netlink_packet_core::{
    NetlinkDeserializable,
    NetlinkSerializable,
    NLM_F_ACK,
    NLM_F_DUMP,
    NLM_F_REQUEST, //
};
use netlink_sys::{
    protocols::NETLINK_GENERIC,
    Socket,
    SocketAddr, //
};

use super::family::Family;
use super::reply::{
    Reader,
    Reply, //
};
use super::{
    ctrl,
    request,
    Attributes,
    Message, //
};
use crate::error::Cause;

/// The kernel fills datagrams of a dump up to 32 KiB if the buffer of the reader allows it
/// (`netlink_dump()`), and sends no larger one unless a single object needs it.
pub(crate) const BUFFER_LEN: usize = 64 * 1024;

/// What is asked for: one action or object, or all objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The answer ends with an acknowledgement.
    One,
    /// The same, for an object to be made; flags `NLM_F_CREATE` and the like.
    Make(u16),
    /// The answer ends with `NLMSG_DONE`.
    All,
}

/// An open netlink socket, for messages of one kind.
pub(crate) struct Connection<M = Message> {
    socket: Socket,
    /// Our address, which the kernel puts into each message of the answer.
    port: u32,
    sequence: u32,
    buffer: Vec<u8>,
    messages: PhantomData<M>,
}

impl<M: NetlinkSerializable + NetlinkDeserializable> Connection<M> {
    /// Opens a socket of a protocol in the network namespace of the calling process.
    pub(crate) fn of(protocol: isize) -> Result<Self, Cause> {
        let mut socket = Socket::new(protocol)?;
        // Sentences with errors, and errors that do not repeat the request.
        socket.set_ext_ack(true)?;
        socket.set_cap_ack(true)?;
        let port = socket.bind_auto()?.port_number();
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self {
            socket,
            port,
            sequence: 0,
            buffer: Vec::with_capacity(BUFFER_LEN),
            messages: PhantomData,
        })
    }

    /// Sends a request and reads its answer to the end.
    pub(crate) fn request(&mut self, message: M, extent: Extent) -> Result<Reply<M>, Cause> {
        self.sequence = self.sequence.wrapping_add(1);
        let flags = match extent {
            Extent::One => NLM_F_REQUEST | NLM_F_ACK,
            Extent::Make(how) => NLM_F_REQUEST | NLM_F_ACK | how,
            Extent::All => NLM_F_REQUEST | NLM_F_DUMP,
        };
        self.socket
            .send(&request(message, flags, self.sequence), 0)?;
        let mut reader = Reader::new(self.port, self.sequence);
        loop {
            receive(&self.socket, &mut self.buffer)?;
            if let Some(reply) = reader.read(&self.buffer)? {
                return Ok(reply);
            }
        }
    }
}

impl Connection {
    /// Opens a socket in the network namespace of the calling process.
    pub(crate) fn open() -> Result<Self, Cause> {
        Self::of(NETLINK_GENERIC)
    }

    /// Asks the controller about a family. The kernel tries to load the module of a family that it
    /// does not know.
    pub(crate) fn family(&mut self, name: &'static str) -> Result<Family, Cause> {
        let mut attributes = Attributes::default();
        attributes.put_string(ctrl::ATTR_FAMILY_NAME, name);
        let message = Message {
            family: ctrl::FAMILY,
            cmd: ctrl::CMD_GETFAMILY,
            version: ctrl::VERSION,
            attributes: attributes.into_octets(),
        };
        let reply = self
            .request(message, Extent::One)
            .map_err(|cause| match cause {
                Cause::Kernel { errno, .. } if errno == libc::ENOENT => Cause::NoFamily(name),
                other => other,
            })?;
        match reply.messages.as_slice() {
            [message] => Ok(Family::from_attributes(&message.attributes)?),
            messages => Err(Cause::Answer(format!(
                "{} families of the name {name}",
                messages.len()
            ))),
        }
    }
}

/// Reads the next datagram of the kernel into the buffer.
pub(super) fn receive(socket: &Socket, buffer: &mut Vec<u8>) -> Result<(), Cause> {
    loop {
        buffer.clear();
        match socket.recv_from(buffer, libc::MSG_TRUNC) {
            // Anybody may send to a netlink socket whose address it guesses.
            Ok((_, sender)) if sender.port_number() != 0 => continue,
            Ok((len, _)) if len > buffer.len() => {
                return Err(Cause::Answer(format!(
                    "a datagram of {len} octets, of which {} fit",
                    buffer.len()
                )));
            }
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        }
    }
}

/// These run against the controller of the running kernel, which answers everybody.
#[cfg(test)]
mod tests {
    use super::super::for_each_attribute;
    use super::*;
    use netlink_packet_core::parse_string;

    #[test]
    fn the_controller_knows_itself() {
        let mut connection = Connection::open().unwrap();
        let family = connection.family("nlctrl").unwrap();
        assert_eq!(family.number(), ctrl::FAMILY);
        assert!(family.group("notify").is_some());
        assert_eq!(family.group("no-such-group"), None);
        // A second request on the same socket gets its own answer.
        assert_eq!(connection.family("nlctrl").unwrap(), family);
    }

    #[test]
    fn an_unknown_family_is_told_from_other_errors() {
        let cause = Connection::open().unwrap().family("no-such-family");
        assert!(
            matches!(cause, Err(Cause::NoFamily("no-such-family"))),
            "{cause:?}"
        );
    }

    #[test]
    fn a_dump_brings_all_families() {
        let request = Message {
            family: ctrl::FAMILY,
            cmd: ctrl::CMD_GETFAMILY,
            version: ctrl::VERSION,
            attributes: Vec::new(),
        };
        let mut connection = Connection::open().unwrap();
        let reply = connection.request(request, Extent::All).unwrap();
        let mut names = Vec::new();
        for message in &reply.messages {
            for_each_attribute(&message.attributes, |kind, value| {
                if kind == ctrl::ATTR_FAMILY_NAME {
                    names.push(parse_string(value)?);
                }
                Ok(())
            })
            .unwrap();
        }
        assert!(names.iter().any(|name| name == "nlctrl"), "{names:?}");
        assert_eq!(names.len(), reply.messages.len());
        assert!(!reply.interrupted);
    }

    #[test]
    fn a_refused_request_brings_the_sentence_of_the_kernel() {
        // A family number is two octets, so the policy of the controller refuses this one.
        let mut attributes = Attributes::default();
        attributes.put(ctrl::ATTR_FAMILY_ID, [1]);
        let request = Message {
            family: ctrl::FAMILY,
            cmd: ctrl::CMD_GETFAMILY,
            version: ctrl::VERSION,
            attributes: attributes.into_octets(),
        };
        let mut connection = Connection::open().unwrap();
        let refused = connection.request(request, Extent::One);
        let Err(Cause::Kernel { errno, sentence }) = refused else {
            panic!("not refused: {refused:?}");
        };
        assert_eq!(errno, libc::ERANGE);
        assert!(sentence.is_some_and(|sentence| !sentence.is_empty()));
    }
}
