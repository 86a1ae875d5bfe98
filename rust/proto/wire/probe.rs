// SPDX-License-Identifier: GPL-2.0

//! The Probe message and its records (RFC 5534, Section 5.2).

use super::{
    super::{
        locator::Locator,
        number::Nonce,
        octets,
        tag::ContextTag, //
    },
    fault::Reason,
    message_type::MessageType, //
};

/// Where Precvd and Psent are: the upper and the lower half of one octet.
pub(super) const COUNTS_AT: usize = 12;

/// Where Sta is: the upper two bits.
pub(super) const STATE_AT: usize = 13;

/// The REAP state of the sender of a Probe, as its Sta field tells it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum ProbeState {
    /// Both directions work, as far as the sender knows.
    Operational = 0,
    /// The sender does not hear the receiver.
    Exploring = 1,
    /// The sender hears the receiver, but does not know whether it is heard.
    InboundOk = 2,
}

impl ProbeState {
    /// From the octet with Sta in its upper two bits; [`None`] for the illegal value 3.
    const fn from_wire(octet: u8) -> Option<Self> {
        match octet >> 6 {
            0 => Some(Self::Operational),
            1 => Some(Self::Exploring),
            2 => Some(Self::InboundOk),
            _ => None,
        }
    }

    /// The octet with Sta in its upper two bits, the others zero.
    pub(super) const fn to_wire(self) -> u8 {
        (self as u8) << 6
    }
}

/// One probe, as it was sent or received.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ProbeRecord {
    /// Where it came from.
    pub source: Locator,
    /// Where it went to.
    pub destination: Locator,
    /// By which its sender knows it again.
    pub nonce: Nonce,
    /// No fixed meaning; copied back unchanged.
    pub data: u32,
}

impl ProbeRecord {
    /// Octets of a record.
    pub const LEN: usize = 40;

    /// Reads one record.
    fn parse(octets: &[u8]) -> Option<Self> {
        Some(Self {
            source: Locator::new(octets::array(octets, 0)?),
            destination: Locator::new(octets::array(octets, 16)?),
            nonce: Nonce::from_wire(octets::array(octets, 32)?),
            data: octets::u32_at(octets, 36)?,
        })
    }

    /// Writes the record at the start of `octets`; [`None`] if it does not fit.
    pub(super) fn put(&self, octets: &mut [u8]) -> Option<()> {
        octets::put(octets, 0, self.source.octets())?;
        octets::put(octets, 16, self.destination.octets())?;
        octets::put(octets, 32, self.nonce.to_wire())?;
        octets::put(octets, 36, self.data.to_be_bytes())
    }
}

/// The records of a received Probe: at most 15.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProbeRecords<'a>(&'a [u8]);

impl<'a> ProbeRecords<'a> {
    /// The most records that the 4-bit count can tell.
    pub const MAX: usize = 15;

    /// The records, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ProbeRecord> + Clone + 'a {
        // The chunks have the length of a record, so every one parses.
        self.0.chunks_exact(ProbeRecord::LEN).map(|octets| {
            ProbeRecord::parse(octets).unwrap_or(ProbeRecord {
                source: Locator::new([0; 16]),
                destination: Locator::new([0; 16]),
                nonce: Nonce::new(0),
                data: 0,
            })
        })
    }
}

/// Probe: tests a locator pair and reports the probes of the peer (RFC 5534, Section 5.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Probe<'a> {
    /// The tag that the receiver allocated.
    pub receiver_tag: ContextTag,
    /// The state of the sender.
    pub state: ProbeState,
    /// Probes that the sender sent; the first, which is always there, is this message itself.
    pub sent: ProbeRecords<'a>,
    /// Probes that the sender received.
    pub received: ProbeRecords<'a>,
}

impl<'a> Probe<'a> {
    /// Reads a Probe whose whole header is `header`; also says where the options begin.
    pub(super) fn parse(
        receiver_tag: ContextTag,
        header: &'a [u8],
    ) -> Result<(Self, usize), Reason> {
        let records_at = MessageType::Probe.fixed_len();
        let counts = octets::u8_at(header, COUNTS_AT).ok_or(Reason::TooShort)?;
        let sent_len = usize::from(counts & 0xf).wrapping_mul(ProbeRecord::LEN);
        let received_len = usize::from(counts >> 4).wrapping_mul(ProbeRecord::LEN);
        let received_at = records_at.wrapping_add(sent_len);

        if sent_len == 0 {
            return Err(Reason::ProbeWithoutSent);
        }
        let sent = octets::range(header, records_at, sent_len).ok_or(Reason::ProbeRecords)?;
        let received =
            octets::range(header, received_at, received_len).ok_or(Reason::ProbeRecords)?;
        let state = octets::u8_at(header, STATE_AT)
            .and_then(ProbeState::from_wire)
            .ok_or(Reason::ProbeState)?;
        let probe = Self {
            receiver_tag,
            state,
            sent: ProbeRecords(sent),
            received: ProbeRecords(received),
        };
        Ok((probe, received_at.wrapping_add(received_len)))
    }
}
