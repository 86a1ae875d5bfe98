// SPDX-License-Identifier: GPL-2.0

//! Puts the datagrams that answer a request together: multi-part messages, the end of the answer,
//! errors and extended acknowledgements (`Documentation/userspace-api/netlink/intro.rst`).

use netlink_packet_core::{
    parse_string,
    DecodeError,
    ErrorMessage,
    NetlinkBuffer,
    NetlinkDeserializable,
    NetlinkMessage,
    NetlinkPayload,
    NLM_F_ACK_TLVS,
    NLM_F_CAPPED,
    NLM_F_DUMP_INTR, //
};

use super::{
    for_each_attribute,
    Datagram,
    Message,
    ALIGNMENT, //
};
use crate::error::Cause;

/// Octets of `struct nlmsghdr`.
const NLMSG_HDRLEN: usize = 16;
/// Extended acknowledgement: the sentence (`enum nlmsgerr_attrs`).
const NLMSGERR_ATTR_MSG: u16 = 1;

/// The answer to a request that the kernel carried out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply<M = Message> {
    pub(crate) messages: Vec<M>,
    /// Objects changed while they were dumped: some may be missing or twice here.
    pub(crate) interrupted: bool,
    /// What the kernel has to say although it did what was asked.
    pub(crate) notice: Option<String>,
}

impl<M> Default for Reply<M> {
    fn default() -> Self {
        Self {
            messages: Vec::new(),
            interrupted: false,
            notice: None,
        }
    }
}

/// Collects the answer to one request.
#[derive(Debug)]
pub(crate) struct Reader<M = Message> {
    port: u32,
    sequence: u32,
    reply: Reply<M>,
}

impl<M: NetlinkDeserializable> Reader<M> {
    /// A reader for the answer to request `sequence` of the socket with address `port`.
    pub(crate) fn new(port: u32, sequence: u32) -> Self {
        Self {
            port,
            sequence,
            reply: Reply::default(),
        }
    }

    /// Takes the next datagram; gives the answer when that was its end.
    pub(crate) fn read(&mut self, datagram: &[u8]) -> Result<Option<Reply<M>>, Cause> {
        for message in Datagram::new(datagram) {
            if self.take(message?)? {
                return Ok(Some(std::mem::take(&mut self.reply)));
            }
        }
        Ok(None)
    }

    /// Takes one message; true if it ends the answer.
    fn take(&mut self, message: NetlinkMessage<M>) -> Result<bool, Cause> {
        let (header, payload) = message.into_parts();
        if header.port_number != self.port || header.sequence_number != self.sequence {
            // Left over from a request whose answer nobody waited for.
            return Ok(false);
        }
        if header.flags & NLM_F_DUMP_INTR != 0 {
            self.reply.interrupted = true;
        }
        let (code, sentence) = match payload {
            NetlinkPayload::InnerMessage(message) => {
                self.reply.messages.push(message);
                return Ok(false);
            }
            NetlinkPayload::Noop => return Ok(false),
            NetlinkPayload::Error(error) => (
                error.raw_code(),
                sentence(header.flags, after_request(header.flags, &error))?,
            ),
            NetlinkPayload::Done(done) => (done.code, sentence(header.flags, &done.extended_ack)?),
            _ => return Err(Cause::Answer("messages were lost".into())),
        };
        // NLMSG_DONE may carry a length, which is not negative.
        if code < 0 {
            return Err(Cause::Kernel {
                errno: code.wrapping_neg(),
                sentence,
            });
        }
        self.reply.notice = sentence;
        Ok(true)
    }
}

/// What follows the copy of the request in an `NLMSG_ERROR`.
fn after_request(flags: u16, error: &ErrorMessage) -> &[u8] {
    let request = match flags & NLM_F_CAPPED {
        0 => match NetlinkBuffer::new_checked(&error.header) {
            Ok(request) => (request.length() as usize).next_multiple_of(ALIGNMENT),
            Err(_) => return &[],
        },
        _ => NLMSG_HDRLEN,
    };
    error.header.get(request..).unwrap_or_default()
}

/// The sentence of an extended acknowledgement.
fn sentence(flags: u16, attributes: &[u8]) -> Result<Option<String>, DecodeError> {
    let mut sentence = None;
    if flags & NLM_F_ACK_TLVS != 0 {
        for_each_attribute(attributes, |kind, value| {
            if kind == NLMSGERR_ATTR_MSG {
                sentence = Some(parse_string(value)?);
            }
            Ok(())
        })?;
    }
    Ok(sentence)
}

// The octets below are those of a little-endian host.
#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    const PORT: u32 = 0x0102_0304;
    const SEQUENCE: u32 = 7;

    const MULTI: u16 = 2;
    const ERROR: u16 = 2;
    const DONE: u16 = 3;
    const OVERRUN: u16 = 4;
    const FAMILY: u16 = 30;

    fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let mut octets = Vec::new();
        octets.extend(u32::try_from(16 + payload.len()).unwrap().to_le_bytes());
        octets.extend(kind.to_le_bytes());
        octets.extend(flags.to_le_bytes());
        octets.extend(SEQUENCE.to_le_bytes());
        octets.extend(PORT.to_le_bytes());
        octets.extend(payload);
        octets.resize(octets.len().next_multiple_of(4), 0);
        octets
    }

    fn read(datagrams: &[Vec<u8>]) -> Result<Option<Reply>, Cause> {
        let mut reader = Reader::new(PORT, SEQUENCE);
        for datagram in datagrams {
            if let Some(reply) = reader.read(datagram)? {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    fn refused(datagrams: &[Vec<u8>]) -> (i32, Option<String>) {
        match read(datagrams) {
            Err(Cause::Kernel { errno, sentence }) => (errno, sentence),
            other => panic!("not refused: {other:?}"),
        }
    }

    /// -2 (ENOENT), a capped request and the sentence "Gone".
    #[rustfmt::skip]
    const CAPPED: [u8; 32] = [
        0xfe, 0xff, 0xff, 0xff, // error
        24, 0, 0, 0, 30, 0, 5, 0, 7, 0, 0, 0, 4, 3, 2, 1, // nlmsghdr of the request
        9, 0, 1, 0, b'G', b'o', b'n', b'e', 0, 0, 0, 0, // NLMSGERR_ATTR_MSG
    ];

    #[test]
    fn an_acknowledgement_ends_the_answer() {
        let answer = message(ERROR, NLM_F_CAPPED, &[0; 20]);
        assert_eq!(read(&[answer]).unwrap(), Some(Reply::default()));
    }

    #[test]
    fn an_object_comes_before_the_acknowledgement() {
        let object = message(FAMILY, 0, &[1, 1, 0, 0, 4, 0, 9, 0]);
        assert_eq!(read(std::slice::from_ref(&object)).unwrap(), None);
        let reply = read(&[object, message(ERROR, 0, &[0; 20])])
            .unwrap()
            .unwrap();
        assert_eq!(
            reply.messages,
            [Message {
                family: FAMILY,
                cmd: 1,
                version: 1,
                attributes: vec![4, 0, 9, 0],
            }]
        );
    }

    #[test]
    fn an_error_brings_its_sentence() {
        let answer = message(ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, &CAPPED);
        assert_eq!(refused(&[answer]), (libc::ENOENT, Some("Gone".into())));
    }

    #[test]
    fn the_sentence_is_found_behind_a_whole_request() {
        let mut payload = CAPPED[..20].to_vec();
        payload.extend([3, 1, 0, 0, 4, 0, 4, 0]);
        payload.extend(&CAPPED[20..]);
        let answer = message(ERROR, NLM_F_ACK_TLVS, &payload);
        assert_eq!(refused(&[answer]), (libc::ENOENT, Some("Gone".into())));
    }

    #[test]
    fn an_error_without_a_sentence() {
        let answer = message(ERROR, NLM_F_CAPPED, &CAPPED[..20]);
        assert_eq!(refused(&[answer]), (libc::ENOENT, None));
    }

    #[test]
    fn a_sentence_with_success_is_a_notice() {
        let mut payload = CAPPED;
        payload[..4].fill(0);
        let answer = message(ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, &payload);
        let reply = read(&[answer]).unwrap().unwrap();
        assert_eq!(reply.notice.as_deref(), Some("Gone"));
    }

    #[test]
    fn a_dump_goes_on_over_datagrams_until_done() {
        let part = message(FAMILY, MULTI, &[1, 1, 0, 0]);
        let done = message(DONE, MULTI, &[0; 4]);
        let datagrams = [part.repeat(3), part.clone(), [part, done].concat()];
        let reply = read(&datagrams).unwrap().unwrap();
        assert_eq!(reply.messages.len(), 5);
        assert!(!reply.interrupted);
        assert_eq!(read(&datagrams[..2]).unwrap(), None);
    }

    #[test]
    fn messages_begin_at_boundaries() {
        let odd = message(FAMILY, MULTI, &[1, 1, 0, 0, 5, 0, 9, 0, 1]);
        let done = message(DONE, MULTI, &[0; 4]);
        let reply = read(&[[odd.repeat(2), done].concat()]).unwrap().unwrap();
        assert_eq!(reply.messages.len(), 2);
        assert_eq!(reply.messages[1].attributes, [5, 0, 9, 0, 1]);
    }

    #[test]
    fn done_may_carry_a_length() {
        let done = message(DONE, MULTI, &32_u32.to_le_bytes());
        assert_eq!(read(&[done]).unwrap(), Some(Reply::default()));
    }

    #[test]
    fn an_interrupted_dump_says_so_in_any_part() {
        let part = |flags| message(FAMILY, flags, &[1, 1, 0, 0]);
        let done = |flags| message(DONE, flags, &[0; 4]);
        let torn = MULTI | NLM_F_DUMP_INTR;
        for datagrams in [[part(torn), done(MULTI)], [part(MULTI), done(torn)]] {
            assert!(read(&datagrams).unwrap().unwrap().interrupted);
        }
    }

    #[test]
    fn a_dump_can_fail_at_its_end() {
        let mut payload = (-libc::EINVAL).to_le_bytes().to_vec();
        payload.extend(&CAPPED[20..]);
        let done = message(DONE, MULTI | NLM_F_ACK_TLVS, &payload);
        assert_eq!(refused(&[done]), (libc::EINVAL, Some("Gone".into())));
    }

    #[test]
    fn answers_to_others_are_passed_over() {
        let mut other_sequence = message(ERROR, 0, &[0; 20]);
        other_sequence[8] ^= 1;
        let mut other_port = message(ERROR, 0, &[0; 20]);
        other_port[12] ^= 1;
        assert_eq!(read(&[other_sequence, other_port]).unwrap(), None);
    }

    #[test]
    fn garbage_is_an_error_and_no_panic() {
        let whole = message(ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, &CAPPED);
        for len in 1..whole.len() {
            assert!(read(&[whole[..len].to_vec()]).is_err(), "{len}");
        }
        let overrun = message(OVERRUN, 0, &[]);
        assert!(matches!(read(&[overrun]), Err(Cause::Answer(_))));
        // Lengths that lie: shorter than a header, longer than the datagram, the largest number.
        for len in [0_u32, 15, 5000, u32::MAX] {
            let mut lying = whole.clone();
            lying[..4].copy_from_slice(&len.to_le_bytes());
            assert!(read(&[lying]).is_err(), "{len}");
        }
    }

    #[test]
    fn an_error_with_a_lying_copy_of_the_request_keeps_its_number() {
        let mut payload = CAPPED;
        payload[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        let answer = message(ERROR, NLM_F_ACK_TLVS, &payload);
        assert_eq!(refused(&[answer]), (libc::ENOENT, None));
    }
}
