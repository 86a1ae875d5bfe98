// SPDX-License-Identifier: GPL-2.0

//! A control message as plain owned values. Parsers are compared through it, builders are driven
//! by it, and vectors and random generators make it.

use serde_json::Value;
use shim6_proto::{
    locator::{
        Locator,
        LocatorRecord,
        Preference,
        PreferenceFlags,
        Ulid,
        VerificationMethod, //
    },
    number::{
        Fii,
        Generation,
        Nonce, //
    },
    tag::ContextTag,
    wire::{
        build::{
            self,
            kind,
            BuildError,
            Builder, //
        },
        fault::{
            ErrorCode,
            Report, //
        },
        message::Message,
        message_type::MessageType,
        option::{
            HostOptions,
            KeepaliveTimeout,
            UlidPairOption, //
        },
        probe::{
            ProbeRecord,
            ProbeState, //
        }, //
    }, //
};

use crate::support::{
    address,
    field,
    tag,
    word, //
};

/// What a host tells about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Host {
    pub(crate) list: Option<(Generation, Vec<LocatorRecord>)>,
    pub(crate) preferences: Option<(Generation, Vec<Preference>)>,
    pub(crate) pds: Option<Vec<u8>>,
    pub(crate) signature: Option<Vec<u8>>,
    pub(crate) keepalive_timeout: Option<KeepaliveTimeout>,
}

/// A control message. Fields that a message does not have are [`None`] or empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Model {
    pub(crate) message: MessageType,
    /// The tag in octets 6 to 11.
    pub(crate) tag: Option<ContextTag>,
    pub(crate) packet_tag: Option<ContextTag>,
    pub(crate) initiator_nonce: Option<Nonce>,
    pub(crate) responder_nonce: Option<Nonce>,
    pub(crate) request_nonce: Option<Nonce>,
    pub(crate) validator: Option<Vec<u8>>,
    pub(crate) ulid_pair: Option<UlidPairOption>,
    pub(crate) fii: Fii,
    pub(crate) host: Host,
    pub(crate) probe: Option<(ProbeState, Vec<ProbeRecord>, Vec<ProbeRecord>)>,
    pub(crate) error: Option<(Report, Vec<u8>)>,
}

impl Model {
    /// A message of this type with nothing in it.
    pub(crate) fn new(message: MessageType) -> Self {
        Self {
            message,
            tag: None,
            packet_tag: None,
            initiator_nonce: None,
            responder_nonce: None,
            request_nonce: None,
            validator: None,
            ulid_pair: None,
            fii: Fii::DEFAULT,
            host: Host::default(),
            probe: None,
            error: None,
        }
    }

    /// Builds the message.
    pub(crate) fn build(&self) -> Result<Vec<u8>, BuildError> {
        let mut buffer = [0xa5; 2048];
        self.build_in(&mut buffer).map(<[u8]>::to_vec)
    }

    /// Builds the message in `buffer`.
    pub(crate) fn build_in<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], BuildError> {
        let tag = || self.tag.expect("a tag");
        let initiator_nonce = || self.initiator_nonce.expect("an Initiator Nonce");
        let responder_nonce = || self.responder_nonce.expect("a Responder Nonce");
        let request_nonce = || self.request_nonce.expect("a Request Nonce");
        let packet_tag = || self.packet_tag.expect("a Packet Context Tag");
        let validator = || self.validator.as_deref().expect("a validator");

        match self.message {
            MessageType::I1 => self
                .name_context(build::i1(buffer, tag(), initiator_nonce())?)?
                .finish(),
            MessageType::R1 => {
                build::r1(buffer, initiator_nonce(), responder_nonce(), validator())?.finish()
            }
            MessageType::I2 => {
                let (inonce, rnonce) = (initiator_nonce(), responder_nonce());
                let builder = build::i2(buffer, tag(), inonce, rnonce, validator())?;
                self.describe_host(self.name_context(builder)?)?.finish()
            }
            MessageType::R2 => self
                .describe_host(build::r2(buffer, tag(), initiator_nonce())?)?
                .finish(),
            MessageType::R1bis => {
                build::r1bis(buffer, tag(), responder_nonce(), validator())?.finish()
            }
            MessageType::I2bis => {
                let builder = build::i2bis(
                    buffer,
                    tag(),
                    initiator_nonce(),
                    responder_nonce(),
                    packet_tag(),
                    validator(),
                )?;
                self.describe_host(self.name_context(builder)?)?.finish()
            }
            MessageType::UpdateRequest => self
                .describe_host(build::update_request(buffer, tag(), request_nonce())?)?
                .finish(),
            MessageType::UpdateAcknowledgement => {
                build::update_acknowledgement(buffer, tag(), request_nonce())?.finish()
            }
            MessageType::Keepalive => build::keepalive(buffer, tag())?.finish(),
            MessageType::Probe => {
                let (state, sent, received) = self.probe.clone().expect("records");
                build::probe(buffer, tag(), state, sent, received)?.finish()
            }
            MessageType::Error => {
                let (report, packet) = self.error.clone().expect("a packet in error");
                build::error(buffer, report, &packet)?.finish()
            }
        }
    }

    fn name_context<'b, K: kind::NamesContext>(
        &self,
        mut builder: Builder<'b, K>,
    ) -> Result<Builder<'b, K>, BuildError> {
        if let Some(pair) = self.ulid_pair {
            builder = builder.ulid_pair(pair)?;
        }
        if self.fii != Fii::DEFAULT {
            builder = builder.fii(self.fii)?;
        }
        Ok(builder)
    }

    fn describe_host<'b, K: kind::DescribesHost>(
        &self,
        mut builder: Builder<'b, K>,
    ) -> Result<Builder<'b, K>, BuildError> {
        if let Some((generation, list)) = &self.host.list {
            builder = builder.locator_list(*generation, list.iter().copied())?;
        }
        if let Some((generation, list)) = &self.host.preferences {
            builder = builder.locator_preferences(*generation, list.iter().copied())?;
        }
        if let Some(pds) = &self.host.pds {
            builder = builder.cga_parameters(pds)?;
        }
        if let Some(signature) = &self.host.signature {
            builder = builder.cga_signature(signature)?;
        }
        if let Some(timeout) = self.host.keepalive_timeout {
            builder = builder.keepalive_timeout(timeout)?;
        }
        Ok(builder)
    }

    /// The message of a vector: its type and what its `fields` say.
    pub(crate) fn from_vector(vector: &Value) -> Self {
        let fields = &vector["fields"];
        let code = u8::try_from(vector["type"].as_u64().expect("a type")).expect("7 bits");
        let tag_of = |name: &str| fields.get(name).map(tag);
        let nonce_of = |name: &str| fields.get(name).map(word).map(Nonce::new);
        let mut model = Self::new(MessageType::from_wire(code).expect("a known type"));

        model.tag = tag_of("initiator_tag")
            .or(tag_of("responder_tag"))
            .or(tag_of("receiver_tag"));
        match model.message {
            MessageType::R1bis => model.tag = tag_of("packet_tag"),
            _ => model.packet_tag = tag_of("packet_tag"),
        }
        model.initiator_nonce = nonce_of("initiator_nonce");
        model.responder_nonce = nonce_of("responder_nonce");
        model.request_nonce = nonce_of("request_nonce");
        model.validator = fields.get("validator").map(field);
        model.ulid_pair = fields.get("sender_ulid").map(|sender| UlidPairOption {
            sender: address(sender).into(),
            receiver: address(&fields["receiver_ulid"]).into(),
        });
        if let Some(fii) = fields.get("fii").and_then(Value::as_u64) {
            model.fii = Fii::new(fii as u32);
        }
        model.host = Host::from_vector(fields);
        if let Some(sta) = fields.get("sta").and_then(Value::as_u64) {
            model.probe = Some((
                [
                    ProbeState::Operational,
                    ProbeState::Exploring,
                    ProbeState::InboundOk,
                ][sta as usize],
                records(&fields["sent"]),
                records(&fields["received"]),
            ));
        }
        if let Some(code) = fields.get("code").and_then(Value::as_u64) {
            let report = Report {
                code: ErrorCode::new(code as u8).expect("7 bits"),
                pointer: fields["pointer"].as_u64().expect("a pointer") as u16,
            };
            model.error = Some((report, Vec::new()));
        }
        model
    }
}

impl Host {
    fn from_vector(fields: &Value) -> Self {
        let generation = fields.get("generation").map(word).map(Generation::new);
        let list = fields["locators"].as_array().map(|locators| {
            let methods = fields["methods"].as_array().expect("methods");
            let records = locators.iter().zip(methods).map(|(locator, method)| {
                let code = method.as_u64().expect("a method") as u8;
                LocatorRecord {
                    locator: address(locator).into(),
                    method: VerificationMethod::new(code),
                }
            });
            (generation.expect("a generation"), records.collect())
        });
        let preferences = fields["preferences"].as_array().map(|elements| {
            let elements = elements.iter().map(|element| {
                let octet = |i| element.get(i).and_then(Value::as_u64).map(|v| v as u8);
                Preference {
                    flags: PreferenceFlags::new(octet(0).expect("flags")),
                    priority: octet(1),
                    weight: octet(2),
                }
            });
            (generation.expect("a generation"), elements.collect())
        });
        let timeout = fields["keepalive_timeout"].as_u64();

        Self {
            list,
            preferences,
            pds: fields.get("pds").map(field),
            signature: fields.get("signature").map(field),
            keepalive_timeout: timeout.and_then(|s| KeepaliveTimeout::new(s as u16)),
        }
    }
}

/// The probe records of a vector.
fn records(value: &Value) -> Vec<ProbeRecord> {
    let records = value.as_array().expect("records").iter();
    records
        .map(|record| ProbeRecord {
            source: address(&record["src"]).into(),
            destination: address(&record["dst"]).into(),
            nonce: Nonce::new(word(&record["nonce"])),
            data: word(&record["data"]),
        })
        .collect()
}

impl From<&HostOptions<'_>> for Host {
    fn from(host: &HostOptions<'_>) -> Self {
        Self {
            list: host
                .locator_list
                .map(|list| (list.generation(), list.iter().collect())),
            preferences: host
                .locator_preferences
                .map(|list| (list.generation(), list.iter().collect())),
            pds: host.cga_parameters.map(<[u8]>::to_vec),
            signature: host.cga_signature.map(<[u8]>::to_vec),
            keepalive_timeout: host.keepalive_timeout,
        }
    }
}

impl From<&Message<'_>> for Model {
    fn from(message: &Message<'_>) -> Self {
        let mut model = Self::new(message.message_type());
        match message {
            Message::I1(i1) => {
                model.tag = Some(i1.initiator_tag);
                model.initiator_nonce = Some(i1.initiator_nonce);
                model.ulid_pair = i1.ulid_pair;
                model.fii = i1.fii;
            }
            Message::R1(r1) => {
                model.initiator_nonce = Some(r1.initiator_nonce);
                model.responder_nonce = Some(r1.responder_nonce);
                model.validator = Some(r1.validator.to_vec());
            }
            Message::I2(i2) => {
                model.tag = Some(i2.initiator_tag);
                model.initiator_nonce = Some(i2.initiator_nonce);
                model.responder_nonce = Some(i2.responder_nonce);
                model.validator = Some(i2.validator.to_vec());
                model.ulid_pair = i2.ulid_pair;
                model.fii = i2.fii;
                model.host = Host::from(&i2.host);
            }
            Message::R2(r2) => {
                model.tag = Some(r2.responder_tag);
                model.initiator_nonce = Some(r2.initiator_nonce);
                model.host = Host::from(&r2.host);
            }
            Message::R1bis(r1bis) => {
                model.tag = Some(r1bis.packet_tag);
                model.responder_nonce = Some(r1bis.responder_nonce);
                model.validator = Some(r1bis.validator.to_vec());
            }
            Message::I2bis(i2bis) => {
                model.tag = Some(i2bis.initiator_tag);
                model.packet_tag = Some(i2bis.packet_tag);
                model.initiator_nonce = Some(i2bis.initiator_nonce);
                model.responder_nonce = Some(i2bis.responder_nonce);
                model.validator = Some(i2bis.validator.to_vec());
                model.ulid_pair = i2bis.ulid_pair;
                model.fii = i2bis.fii;
                model.host = Host::from(&i2bis.host);
            }
            Message::UpdateRequest(request) => {
                model.tag = Some(request.receiver_tag);
                model.request_nonce = Some(request.request_nonce);
                model.host = Host::from(&request.host);
            }
            Message::UpdateAcknowledgement(ack) => {
                model.tag = Some(ack.receiver_tag);
                model.request_nonce = Some(ack.request_nonce);
            }
            Message::Keepalive(keepalive) => model.tag = Some(keepalive.receiver_tag),
            Message::Probe(probe) => {
                model.tag = Some(probe.receiver_tag);
                model.probe = Some((
                    probe.state,
                    probe.sent.iter().collect(),
                    probe.received.iter().collect(),
                ));
            }
            Message::Error(error) => {
                let report = Report {
                    code: error.code,
                    pointer: error.pointer,
                };
                model.error = Some((report, error.packet.to_vec()));
            }
        }
        model
    }
}

/// A locator record, verified by HBA.
pub(crate) fn hba(octets: [u8; 16]) -> LocatorRecord {
    LocatorRecord {
        locator: Locator::new(octets),
        method: VerificationMethod::HBA,
    }
}

/// A ULID Pair option.
pub(crate) fn pair(sender: [u8; 16], receiver: [u8; 16]) -> UlidPairOption {
    UlidPairOption {
        sender: Ulid::new(sender),
        receiver: Ulid::new(receiver),
    }
}
