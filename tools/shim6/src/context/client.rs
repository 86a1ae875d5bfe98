// SPDX-License-Identifier: GPL-2.0

//! Asks the kernel about contexts, and for changes to them.

use super::message::Request;
use super::{
    Context,
    CurrentPair,
    NewContext,
    Selector, //
};
use crate::abi;
use crate::error::Cause;
use crate::genl::reply::Reply;
use crate::genl::socket::{
    Connection,
    Extent, //
};

/// How often contexts that changed while they were read are read again.
const DUMP_ATTEMPTS: u32 = 5;

/// The generic netlink family in the network namespace of this process.
pub(crate) struct Client {
    connection: Connection,
    family: u16,
}

/// All contexts, ordered by identity.
#[derive(Debug)]
pub(crate) struct Dump {
    pub(crate) contexts: Vec<Context>,
    /// Whether the contexts stood still while they were read.
    pub(crate) consistent: bool,
}

impl Client {
    /// Opens a socket and finds the family.
    pub(crate) fn connect() -> Result<Self, Cause> {
        let mut connection = Connection::open()?;
        let family = connection.family(abi::GENL_NAME)?;
        Ok(Self { connection, family })
    }

    /// Adds a static context. The kernel may have something to say all the same, here and below.
    pub(crate) fn add(&mut self, new: &NewContext) -> Result<Option<String>, Cause> {
        let reply = self.request(Request::Add(new))?;
        Ok(reply.notice)
    }

    /// Deletes a context.
    pub(crate) fn del(&mut self, selector: &Selector) -> Result<Option<String>, Cause> {
        let reply = self.request(Request::Del(selector))?;
        Ok(reply.notice)
    }

    /// Sets the current locator pair of a context.
    pub(crate) fn set(
        &mut self,
        selector: &Selector,
        current: &CurrentPair,
    ) -> Result<Option<String>, Cause> {
        let reply = self.request(Request::Set(selector, current))?;
        Ok(reply.notice)
    }

    /// One context.
    pub(crate) fn get(&mut self, selector: &Selector) -> Result<Context, Cause> {
        let reply = self.request(Request::Get(selector))?;
        match reply.messages.as_slice() {
            [message] => Ok(Context::from_attributes(&message.attributes)?),
            messages => Err(Cause::Answer(format!(
                "{} contexts instead of one",
                messages.len()
            ))),
        }
    }

    /// All contexts of the network namespace. When they change meanwhile the kernel says so, and
    /// they are read again, but not for ever.
    pub(crate) fn dump(&mut self) -> Result<Dump, Cause> {
        let reply = until_consistent(|| self.request(Request::Dump))?;
        Dump::from_reply(&reply)
    }

    fn request(&mut self, request: Request<'_>) -> Result<Reply, Cause> {
        let extent = match request {
            Request::Dump => Extent::All,
            _ => Extent::One,
        };
        self.connection
            .request(request.into_message(self.family), extent)
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

impl Dump {
    fn from_reply(reply: &Reply) -> Result<Self, Cause> {
        let mut contexts = reply
            .messages
            .iter()
            .map(|message| Context::from_attributes(&message.attributes))
            .collect::<Result<Vec<_>, _>>()?;
        // The kernel's order is that of a hash table.
        contexts.sort_unstable_by_key(|context| context.identity);
        Ok(Self {
            contexts,
            consistent: !reply.interrupted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        ContextTag,
        Identity,
        Locator, //
    };
    use super::*;
    use crate::abi::attr;
    use crate::genl::{
        Attributes,
        Message, //
    };

    /// Context number `number` as the kernel describes it, 64 locators included.
    fn message(number: u32) -> Message {
        let ulid = |host: u128| ((0x2001_0db8 << 96) | (u128::from(number) << 64) | host).into();
        let list = |host: u128| {
            (0..32)
                .map(|element| Locator::new(ulid(host + element)))
                .collect::<Vec<_>>()
        };
        let new = NewContext {
            identity: Identity {
                ulid_local: ulid(1),
                ulid_peer: ulid(1000),
                fii: 0,
            },
            tag_local: ContextTag::new(number.into()).unwrap(),
            tag_peer: ContextTag::new(number.into()).unwrap(),
            locator_local: list(1),
            locator_peer: list(1000),
            current: CurrentPair {
                local: Some(ulid(1)),
                peer: Some(ulid(1000)),
            },
        };
        let mut message = Request::Add(&new).into_message(30);
        let mut state = Attributes::default();
        state.put(attr::STATE, [abi::state::ESTABLISHED]);
        message.attributes.extend(state.into_octets());
        message
    }

    #[test]
    fn all_contexts_come_ordered_by_identity() {
        // An order like that of a hash table: multiplication by an odd number is one-to-one.
        let numbers = (0..4096_u32).map(|number| number.wrapping_mul(2_654_435_761));
        let reply = Reply {
            messages: numbers.clone().map(message).collect(),
            ..Reply::default()
        };
        let dump = Dump::from_reply(&reply).unwrap();
        let mut expected: Vec<_> = numbers.map(u64::from).collect();
        assert!(!expected.is_sorted());
        expected.sort_unstable();
        let tags: Vec<_> = dump
            .contexts
            .iter()
            .map(|context| context.tag_local.value())
            .collect();
        assert_eq!(tags, expected);
        assert!(dump.consistent);
    }

    #[test]
    fn a_context_that_makes_no_sense_fails_the_dump() {
        let mut reply = Reply {
            messages: vec![message(1), message(2)],
            ..Reply::default()
        };
        reply.messages[1].attributes.clear();
        assert!(matches!(Dump::from_reply(&reply), Err(Cause::Answer(_))));
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
        (count, Dump::from_reply(&reply).unwrap().consistent)
    }

    #[test]
    fn an_interrupted_dump_is_read_again_but_not_for_ever() {
        assert_eq!(reads(0), (1, true));
        assert_eq!(reads(1), (2, true));
        assert_eq!(reads(DUMP_ATTEMPTS - 1), (DUMP_ATTEMPTS, true));
        assert_eq!(reads(u32::MAX), (DUMP_ATTEMPTS, false));
    }
}
