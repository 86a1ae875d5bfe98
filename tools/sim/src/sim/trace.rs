// SPDX-License-Identifier: GPL-2.0

//! What happens, in words.

use std::{
    fmt::Write as _,
    io::Write as _, //
};

use shim6_proto::wire::message::Message;

use super::Sim;
use crate::event::{
    Body,
    Packet, //
};

impl Sim<'_> {
    /// Tells something, if anybody wants to know.
    pub(super) fn tell(&mut self, text: impl FnOnce() -> String) {
        let age = f64::from(self.age().as_millis()) / 1000.0;
        if let Some(trace) = &mut self.trace {
            // Who does not read it does not want it.
            let _ = writeln!(trace, "{age:>10.3}  {}", text());
        }
    }

    /// A locator as "host:uplink", or as it is.
    fn locate(&self, locator: shim6_proto::locator::Locator) -> String {
        let host = self.net.host_of(locator);
        let place = host.and_then(|host| {
            let mut uplinks = self.net.uplinks(host).iter();
            let uplink = uplinks.position(|uplink| uplink.locator == locator)?;
            Some(format!("{host}:{uplink}"))
        });
        place.unwrap_or_else(|| locator.to_string())
    }

    /// A packet in words.
    pub(super) fn describe(&self, packet: &Packet) -> String {
        let from = self.locate(packet.source);
        let to = self.locate(packet.destination);
        let mut text = format!("{from} > {to}: ");
        // Writing to a string does not fail.
        let _ = match &packet.body {
            Body::Payload { tag, flow, end } => match tag {
                Some(tag) => write!(text, "payload of flow {flow} end {end}, tag {tag}"),
                None => write!(text, "payload of flow {flow} end {end}"),
            },
            Body::Icmp(icmp) => write!(text, "{icmp:?}"),
            Body::Control(octets) => match Message::parse(&packet.arrival(), octets) {
                Err(fault) => write!(text, "malformed: {}", fault.reason),
                Ok(message) => self.describe_message(&mut text, &message),
            },
        };
        text
    }

    fn describe_message(&self, text: &mut String, message: &Message<'_>) -> std::fmt::Result {
        text.push_str(message.message_type().name());
        match message {
            Message::I1(i1) => write!(text, " tag {}", i1.initiator_tag),
            Message::I2(i2) => write!(text, " tag {}", i2.initiator_tag),
            Message::I2bis(i2bis) => {
                let (tag, packet) = (i2bis.initiator_tag, i2bis.packet_tag);
                write!(text, " tag {tag} for {packet}")
            }
            Message::R2(r2) => write!(text, " tag {}", r2.responder_tag),
            Message::R1bis(r1bis) => write!(text, " for {}", r1bis.packet_tag),
            Message::UpdateRequest(request) => {
                let list = request.host.locator_list.as_ref();
                let locators = list.map_or(0, |list| list.len());
                write!(text, " to {}, {locators} locators", request.receiver_tag)
            }
            Message::UpdateAcknowledgement(ack) => write!(text, " to {}", ack.receiver_tag),
            Message::Keepalive(keepalive) => write!(text, " to {}", keepalive.receiver_tag),
            Message::Probe(probe) => {
                write!(text, " to {}, {:?}", probe.receiver_tag, probe.state)?;
                for record in probe.sent.iter().take(1) {
                    write!(text, ", nonce {:08x}", record.nonce.get())?;
                }
                text.push_str(", reports");
                for record in probe.received.iter() {
                    let (from, to) = (self.locate(record.source), self.locate(record.destination));
                    write!(text, " {from}>{to} {:08x}", record.nonce.get())?;
                }
                Ok(())
            }
            Message::Error(error) => write!(text, " code {}", error.code.get()),
            Message::R1(_) => Ok(()),
        }
    }
}
