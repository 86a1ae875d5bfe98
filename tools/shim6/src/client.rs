// SPDX-License-Identifier: GPL-2.0

//! The family "shim6" in the network namespace of this process: requests, and how their answers are
//! counted. What is asked, each room adds for its own objects.

use crate::abi;
use crate::error::Cause;
use crate::genl::family::Family;
use crate::genl::listener::Listener;
use crate::genl::reply::Reply;
use crate::genl::socket::{
    Connection,
    Extent, //
};
use crate::genl::{
    Attributes,
    Message, //
};

/// How often objects that changed while they were read are read again.
const DUMP_ATTEMPTS: u32 = 5;

/// A request to the family.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) cmd: u8,
    pub(crate) attributes: Attributes,
}

impl Request {
    /// A request without attributes.
    pub(crate) fn new(cmd: u8) -> Self {
        Self {
            cmd,
            attributes: Attributes::default(),
        }
    }

    /// The message that asks family number `family`.
    pub(crate) fn into_message(self, family: u16) -> Message {
        Message {
            family,
            cmd: self.cmd,
            version: abi::GENL_VERSION,
            attributes: self.attributes.into_octets(),
        }
    }
}

/// All objects of a kind, as the kernel describes them.
#[derive(Debug)]
pub(crate) struct Dump<T> {
    pub(crate) objects: Vec<T>,
    /// Whether the objects stood still while they were read.
    pub(crate) consistent: bool,
}

/// The generic netlink family in the network namespace of this process.
pub(crate) struct Client {
    connection: Connection,
    family: Family,
}

impl Client {
    /// Opens a socket and finds the family.
    pub(crate) fn connect() -> Result<Self, Cause> {
        let mut connection = Connection::open()?;
        let family = connection.family(abi::GENL_NAME)?;
        Ok(Self { connection, family })
    }

    /// Has something done. The kernel may have something to say all the same.
    pub(crate) fn act(&mut self, request: Request) -> Result<Option<String>, Cause> {
        Ok(self.request(request, Extent::One)?.notice)
    }

    /// Asks for one object.
    pub(crate) fn one<T, E>(
        &mut self,
        request: Request,
        read: impl FnOnce(&[u8]) -> Result<T, E>,
    ) -> Result<T, Cause>
    where
        Cause: From<E>,
    {
        let reply = self.request(request, Extent::One)?;
        match reply.messages.as_slice() {
            [message] => Ok(read(&message.attributes)?),
            messages => Err(Cause::Answer(format!(
                "{} objects instead of one",
                messages.len()
            ))),
        }
    }

    /// Asks for all objects of a kind, ordered by `key`: the kernel's order is that of a hash
    /// table. When they change meanwhile the kernel says so, and they are read again, but not for
    /// ever.
    pub(crate) fn all<T, E, K: Ord>(
        &mut self,
        cmd: u8,
        read: impl Fn(&[u8]) -> Result<T, E>,
        key: impl Fn(&T) -> K,
    ) -> Result<Dump<T>, Cause>
    where
        Cause: From<E>,
    {
        let reply = until_consistent(|| self.request(Request::new(cmd), Extent::All))?;
        Dump::from_reply(&reply, read, key)
    }

    /// Joins a multicast group of the family.
    pub(crate) fn listen(&self, group: &str) -> Result<Listener, Cause> {
        Listener::join(&self.family, group)
    }

    fn request(&mut self, request: Request, extent: Extent) -> Result<Reply, Cause> {
        self.connection
            .request(request.into_message(self.family.number()), extent)
    }
}

/// Reads until nothing changed meanwhile, or for the last time.
fn until_consistent(mut read: impl FnMut() -> Result<Reply, Cause>) -> Result<Reply, Cause> {
    let mut reply = read()?;
    for _ in 1..DUMP_ATTEMPTS {
        if !reply.interrupted {
            break;
        }
        reply = read()?;
    }
    Ok(reply)
}

impl<T> Dump<T> {
    fn from_reply<E, K: Ord>(
        reply: &Reply,
        read: impl Fn(&[u8]) -> Result<T, E>,
        key: impl Fn(&T) -> K,
    ) -> Result<Self, Cause>
    where
        Cause: From<E>,
    {
        let mut objects = reply
            .messages
            .iter()
            .map(|message| read(&message.attributes))
            .collect::<Result<Vec<_>, _>>()?;
        objects.sort_by_key(key);
        Ok(Self {
            objects,
            consistent: !reply.interrupted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_core::DecodeError;

    /// The messages of a dump, each with one number for attributes.
    fn reply(numbers: impl IntoIterator<Item = u32>) -> Reply {
        let message = |number: u32| Message {
            family: 30,
            cmd: 1,
            version: 1,
            attributes: number.to_be_bytes().to_vec(),
        };
        Reply {
            messages: numbers.into_iter().map(message).collect(),
            ..Reply::default()
        }
    }

    fn read(octets: &[u8]) -> Result<u32, DecodeError> {
        octets
            .try_into()
            .map(u32::from_be_bytes)
            .map_err(|_| DecodeError::from("no number"))
    }

    fn dump(reply: &Reply) -> Result<Dump<u32>, Cause> {
        Dump::from_reply(reply, read, |number| *number)
    }

    #[test]
    fn a_request_has_the_version_of_the_family() {
        let message = Request::new(7).into_message(30);
        assert_eq!((message.family, message.cmd), (30, 7));
        assert_eq!(message.version, abi::GENL_VERSION);
        assert!(message.attributes.is_empty());
    }

    #[test]
    fn all_objects_come_in_order() {
        // An order like that of a hash table: multiplication by an odd number is one-to-one.
        let numbers: Vec<_> = (0..4096_u32)
            .map(|number| number.wrapping_mul(2_654_435_761))
            .collect();
        let dump = dump(&reply(numbers.clone())).unwrap();
        let mut expected = numbers;
        assert!(!expected.is_sorted());
        expected.sort_unstable();
        assert_eq!(dump.objects, expected);
        assert!(dump.consistent);
    }

    #[test]
    fn an_object_that_makes_no_sense_fails_the_dump() {
        let mut reply = reply([1, 2]);
        reply.messages[1].attributes.clear();
        assert!(matches!(dump(&reply), Err(Cause::Answer(_))));
    }

    /// How often is read when the first `torn` dumps are interrupted, and what the last one says.
    fn reads(torn: u32) -> (u32, bool) {
        let mut count = 0;
        let reply = until_consistent(|| {
            count += 1;
            Ok(Reply {
                interrupted: count <= torn,
                ..Reply::default()
            })
        })
        .unwrap();
        (count, dump(&reply).unwrap().consistent)
    }

    #[test]
    fn an_interrupted_dump_is_read_again_but_not_for_ever() {
        assert_eq!(reads(0), (1, true));
        assert_eq!(reads(1), (2, true));
        assert_eq!(reads(DUMP_ATTEMPTS - 1), (DUMP_ATTEMPTS, true));
        assert_eq!(reads(u32::MAX), (DUMP_ATTEMPTS, false));
    }
}
