// SPDX-License-Identifier: GPL-2.0

//! Everything that this program reads from the kernel, as one function of octets, for those who
//! give it octets that no kernel sends.

use std::{
    io,
    time::SystemTime, //
};

use crate::{
    context::{
        show,
        Context, //
    },
    events::{
        self,
        News,
        Report, //
    },
    genl::{
        family::Family,
        reply::Reader,
        Datagram,
        Message, //
    },
    identity::{
        self,
        LocalIdentity, //
    },
    policy::{
        self,
        Policy, //
    },
};

/// Reads a datagram as the answer to each request there is, and as an event, and writes what it
/// understood to `out`, as text and as JSON. What makes no sense is left out.
pub fn read(datagram: &[u8], out: &mut dyn io::Write) -> io::Result<()> {
    let _ = Reader::<Message>::new(0, 0).read(datagram);
    for message in Datagram::<Message>::new(datagram) {
        let Ok(message) = message else {
            break;
        };
        if let netlink_packet_core::NetlinkPayload::InnerMessage(message) = message.payload {
            attributes(&message.attributes, out)?;
        }
    }
    attributes(datagram, out)
}

/// The same for the attributes of a message.
fn attributes(octets: &[u8], out: &mut dyn io::Write) -> io::Result<()> {
    let _ = Family::from_attributes(octets);
    if let Ok(context) = Context::from_attributes(octets) {
        serde_json::to_writer(&mut *out, &context)?;
        show::text(&[context], out)?;
    }
    if let Ok(identity) = LocalIdentity::from_attributes(octets) {
        serde_json::to_writer(&mut *out, &identity)?;
        identity::text(&[identity], out)?;
    }
    if let Ok(policy) = Policy::from_attributes(octets) {
        serde_json::to_writer(&mut *out, &policy)?;
        policy::text(&[policy], out)?;
    }
    if let Ok(report) = Report::from_attributes(octets) {
        let (time, news) = (SystemTime::UNIX_EPOCH, News::Report(report));
        events::json(time, &news, out)?;
        events::text(time, &news, out)?;
    }
    Ok(())
}
