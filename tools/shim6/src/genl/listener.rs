// SPDX-License-Identifier: GPL-2.0

//! A generic netlink socket that hears what the kernel sends to a multicast group.

use std::io;
use std::os::fd::{
    AsFd,
    BorrowedFd, //
};

use netlink_packet_core::NetlinkPayload;
use netlink_sys::{
    protocols::NETLINK_GENERIC,
    Socket,
    SocketAddr, //
};

use super::family::Family;
use super::socket::{
    receive,
    BUFFER_LEN, //
};
use super::{
    Datagram,
    Message, //
};
use crate::error::Cause;

/// What the kernel may keep for us until we read it. It takes the smaller of this and
/// `net.core.rmem_max`.
const QUEUE_LEN: usize = 1024 * 1024;

/// What is heard.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Messages of the family.
    Messages(Vec<Message>),
    /// The kernel had no room for at least one message, and dropped it.
    Lost,
    /// Nothing more for now.
    Silence,
}

/// A member of a multicast group.
pub(crate) struct Listener {
    socket: Socket,
    family: u16,
    buffer: Vec<u8>,
}

impl Listener {
    /// Joins a group of `family` in the network namespace of the calling process.
    pub(crate) fn join(family: &Family, group: &str) -> Result<Self, Cause> {
        let number = family
            .group(group)
            .ok_or_else(|| Cause::Answer(format!("it knows no multicast group {group}")))?;
        let mut socket = Socket::new(NETLINK_GENERIC)?;
        socket.set_rx_buf_sz(QUEUE_LEN as libc::c_int)?;
        socket.set_non_blocking(true)?;
        socket.bind_auto()?;
        // From now on the kernel refuses what other processes send here.
        socket.connect(&SocketAddr::new(0, 0))?;
        socket
            .add_membership(number)
            .map_err(|error| match error.raw_os_error() {
                // Said by the kernel about the group, not by the system about the socket.
                Some(errno) => Cause::Kernel {
                    errno,
                    sentence: None,
                },
                None => error.into(),
            })?;
        Ok(Self {
            socket,
            family: family.number(),
            buffer: Vec::with_capacity(BUFFER_LEN),
        })
    }

    /// What has arrived. Does not wait.
    pub(crate) fn hear(&mut self) -> Result<Heard, Cause> {
        match receive(&self.socket, &mut self.buffer) {
            Ok(()) => messages(&self.buffer, self.family),
            Err(Cause::System(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                Ok(Heard::Silence)
            }
            Err(Cause::System(error)) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                Ok(Heard::Lost)
            }
            Err(cause) => Err(cause),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The messages of `family` in a datagram.
fn messages(datagram: &[u8], family: u16) -> Result<Heard, Cause> {
    let mut messages = Vec::new();
    for message in Datagram::<Message>::new(datagram) {
        if let NetlinkPayload::InnerMessage(message) = message?.payload {
            if message.family == family {
                messages.push(message);
            }
        }
    }
    Ok(Heard::Messages(messages))
}

#[cfg(test)]
mod tests {
    use super::super::socket::Connection;
    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn messages_of_other_families_are_passed_over() {
        let ours = Message {
            family: 30,
            cmd: 13,
            version: 1,
            attributes: vec![4, 0, 9, 0],
        };
        let other = Message {
            family: 31,
            ..ours.clone()
        };
        let acknowledgement = [36, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            .into_iter()
            .chain([0; 20])
            .collect();
        let datagram = [
            other.into_request(0, 0),
            ours.clone().into_request(0, 0),
            acknowledgement,
            ours.clone().into_request(0, 0),
        ]
        .concat();
        assert_eq!(
            messages(&datagram, 30).unwrap(),
            Heard::Messages(vec![ours.clone(), ours])
        );
        assert!(messages(&datagram[..30], 30).is_err());
    }

    // These run against the controller of the running kernel, whose group everybody may join.
    #[test]
    fn a_group_without_news_is_silent() {
        let family = Connection::open().unwrap().family("nlctrl").unwrap();
        let mut listener = Listener::join(&family, "notify").unwrap();
        // Families may come and go meanwhile, on another machine's schedule.
        while listener.hear().unwrap() != Heard::Silence {}
    }

    #[test]
    fn a_group_that_does_not_exist_is_named() {
        let family = Connection::open().unwrap().family("nlctrl").unwrap();
        let refused = Listener::join(&family, "no-such-group");
        let Err(Cause::Answer(what)) = refused.map(|_| ()) else {
            panic!("joined");
        };
        assert!(what.contains("no-such-group"), "{what}");
    }
}
