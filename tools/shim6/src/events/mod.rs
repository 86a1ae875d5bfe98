// SPDX-License-Identifier: GPL-2.0

//! Events: what the kernel tells the multicast group about contexts, as it happens.

use std::io::{
    self,
    Write, //
};
use std::net::Ipv6Addr;
use std::time::SystemTime;

use netlink_packet_core::{
    parse_u32,
    parse_u8,
    DecodeError, //
};
use serde::Serialize;

use crate::abi::attr;
use crate::context::answer::{
    read_address,
    read_tag,
    required, //
};
use crate::context::words::{
    Cause,
    Event,
    State, //
};
use crate::context::{
    ContextTag,
    Identity, //
};
use crate::genl::for_each_attribute;
use crate::output;

/// An event. The fields are the schema of `--json`, behind the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    pub(crate) event: Event,
    #[serde(flatten)]
    pub(crate) identity: Identity,
    /// The state after it.
    pub(crate) state: Option<State>,
    pub(crate) cause: Option<Cause>,
    pub(crate) tag_local: Option<ContextTag>,
    pub(crate) tag_peer: Option<ContextTag>,
    /// Lp(local).
    pub(crate) current_local: Option<Ipv6Addr>,
    /// Lp(peer).
    pub(crate) current_peer: Option<Ipv6Addr>,
    /// Code of the Shim6 Error message that it is about (RFC 5533 section 5.14).
    pub(crate) error_code: Option<u8>,
    /// Local locator of the pair that a Probe is about.
    pub(crate) probed_local: Option<Ipv6Addr>,
    /// Peer locator of that pair.
    pub(crate) probed_peer: Option<Ipv6Addr>,
}

impl Report {
    /// Reads the attributes of an event. Of the context they say more than is reported.
    pub(crate) fn from_attributes(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut event = None;
        let mut ulid_local = None;
        let mut ulid_peer = None;
        let mut fii = 0;
        let mut state = None;
        let mut cause = None;
        let mut tag_local = None;
        let mut tag_peer = None;
        let mut current_local = None;
        let mut current_peer = None;
        let mut error_code = None;
        let mut probed_local = None;
        let mut probed_peer = None;
        for_each_attribute(octets, |kind, value| {
            match kind {
                attr::EVENT => event = Some(Event(parse_u8(value)?)),
                attr::ULID_LOCAL => ulid_local = Some(read_address(value)?),
                attr::ULID_PEER => ulid_peer = Some(read_address(value)?),
                attr::FII => fii = parse_u32(value)?,
                attr::STATE => state = Some(State(parse_u8(value)?)),
                attr::CAUSE => cause = Some(Cause(parse_u8(value)?)),
                attr::TAG_LOCAL => tag_local = Some(read_tag(value)?),
                attr::TAG_PEER => tag_peer = Some(read_tag(value)?),
                attr::CURRENT_LOCAL => current_local = Some(read_address(value)?),
                attr::CURRENT_PEER => current_peer = Some(read_address(value)?),
                attr::ERROR_CODE => error_code = Some(parse_u8(value)?),
                attr::PROBED_LOCAL => probed_local = Some(read_address(value)?),
                attr::PROBED_PEER => probed_peer = Some(read_address(value)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(Self {
            event: required(event, "EVENT")?,
            identity: Identity {
                ulid_local: required(ulid_local, "ULID_LOCAL")?,
                ulid_peer: required(ulid_peer, "ULID_PEER")?,
                fii,
            },
            state,
            cause,
            tag_local,
            tag_peer,
            current_local,
            current_peer,
            error_code,
            probed_local,
            probed_peer,
        })
    }
}

/// What a line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Report(Report),
    /// Events were dropped before they could be read.
    Lost,
}

/// Writes a line of JSON: an object.
pub(crate) fn json(time: SystemTime, news: &News, out: &mut dyn Write) -> io::Result<()> {
    /// The time comes first.
    #[derive(Serialize)]
    struct Line<'a, T> {
        time: String,
        #[serde(flatten)]
        what: &'a T,
    }

    #[derive(Serialize)]
    struct Lost {
        event: &'static str,
    }

    let time = timestamp(time);
    match news {
        News::Report(what) => output::json(&Line { time, what }, out),
        News::Lost => {
            let what = &Lost { event: "lost" };
            output::json(&Line { time, what }, out)
        }
    }
}

/// Writes a line for people.
pub(crate) fn text(time: SystemTime, news: &News, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{} ", timestamp(time))?;
    let report = match news {
        News::Report(report) => report,
        News::Lost => return writeln!(out, "lost events: they came faster than they were read"),
    };
    write!(out, "{} {}", report.event, report.identity)?;
    if let Some(state) = report.state {
        write!(out, " state {state}")?;
    }
    if let Some(cause) = report.cause {
        write!(out, " cause {cause}")?;
    }
    if let Some(tag) = report.tag_local {
        write!(out, " tag-local {tag}")?;
    }
    if let Some(tag) = report.tag_peer {
        write!(out, " tag-peer {tag}")?;
    }
    if let Some(address) = report.current_local {
        write!(out, " current-local {address}")?;
    }
    if let Some(address) = report.current_peer {
        write!(out, " current-peer {address}")?;
    }
    if let Some(code) = report.error_code {
        write!(out, " error {code} ({})", meaning(code))?;
    }
    if let Some(address) = report.probed_local {
        write!(out, " probed-local {address}")?;
    }
    if let Some(address) = report.probed_peer {
        write!(out, " probed-peer {address}")?;
    }
    writeln!(out)
}

/// What the code of a Shim6 Error message means (RFC 5533 section 5.14).
fn meaning(code: u8) -> &'static str {
    match code {
        0 => "unknown message type",
        1 => "critical option not recognized",
        2 => "locator verification method failed",
        3 => "locator list generation out of sync",
        4 => "wrong number of elements",
        120..=127 => "for debugging",
        _ => "not assigned",
    }
}

/// A time in UTC with milliseconds (RFC 3339).
fn timestamp(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

// The octets below are those of a little-endian host.
#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;
    use crate::context::samples::{
        identity,
        tag,
        A1,
        B1,
        B2, //
    };
    use std::time::Duration;

    #[rustfmt::skip]
    fn message() -> Vec<u8> {
        [
            vec![5, 0, 22, 0, 7, 0, 0, 0],
            vec![20, 0, 1, 0], A1.to_vec(),
            vec![20, 0, 2, 0], B1.to_vec(),
            vec![8, 0, 3, 0, 9, 0, 0, 0],
            vec![4, 0, 14, 0],
            vec![12, 0, 4, 0, 0xa1, 0, 0, 0, 0, 0, 0, 0],
            vec![5, 0, 10, 0, 4, 0, 0, 0],
            vec![24, 0, 6, 0x80], vec![20, 0, 1, 0], A1.to_vec(),
            vec![20, 0, 8, 0], A1.to_vec(),
            vec![20, 0, 9, 0], B2.to_vec(),
            vec![5, 0, 23, 0, 4, 0, 0, 0],
            vec![5, 0, 24, 0, 2, 0, 0, 0],
        ]
        .concat()
    }

    fn report() -> Report {
        Report {
            event: Event(7),
            identity: identity(9),
            state: Some(State(4)),
            cause: Some(Cause(4)),
            tag_local: Some(tag(0xa1)),
            tag_peer: None,
            current_local: Some(A1.into()),
            current_peer: Some(B2.into()),
            error_code: Some(2),
            probed_local: None,
            probed_peer: None,
        }
    }

    fn time() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_042)
    }

    fn line(
        how: impl Fn(SystemTime, &News, &mut dyn Write) -> io::Result<()>,
        news: &News,
    ) -> String {
        let mut out = Vec::new();
        how(time(), news, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_from_the_kernel() {
        assert_eq!(Report::from_attributes(&message()).unwrap(), report());
    }

    #[test]
    fn an_event_may_say_little() {
        let octets = &message()[..48];
        let expected = Report {
            identity: identity(0),
            state: None,
            cause: None,
            tag_local: None,
            current_local: None,
            current_peer: None,
            error_code: None,
            ..report()
        };
        assert_eq!(Report::from_attributes(octets).unwrap(), expected);
        assert_eq!(
            line(text, &News::Report(expected)),
            "2023-11-14T22:13:20.042Z peer-error ulid-local 2001:db8:1::a \
             ulid-peer 2001:db8:1::b fii 0\n"
        );
        for (octets, word) in [
            (&message()[8..], "EVENT is missing"),
            (&message()[..28], "ULID_PEER is missing"),
        ] {
            let refusal = Report::from_attributes(octets).unwrap_err().to_string();
            assert!(refusal.contains(word), "{refusal}");
        }
    }

    #[test]
    fn a_line_for_people() {
        assert_eq!(
            line(text, &News::Report(report())),
            "2023-11-14T22:13:20.042Z peer-error ulid-local 2001:db8:1::a ulid-peer 2001:db8:1::b \
             fii 9 state ESTABLISHED cause message tag-local 0000000000a1 \
             current-local 2001:db8:1::a current-peer 2001:db8:2::b \
             error 2 (locator verification method failed)\n"
        );
    }

    #[test]
    fn an_object_for_programs() {
        assert_eq!(
            line(json, &News::Report(report())),
            concat!(
                r#"{"time":"2023-11-14T22:13:20.042Z","event":"peer-error","#,
                r#""ulid_local":"2001:db8:1::a","ulid_peer":"2001:db8:1::b","fii":9,"#,
                r#""state":"ESTABLISHED","cause":"message","#,
                r#""tag_local":"0000000000a1","tag_peer":null,"#,
                r#""current_local":"2001:db8:1::a","current_peer":"2001:db8:2::b","#,
                r#""error_code":2,"probed_local":null,"probed_peer":null}"#,
                "\n"
            )
        );
    }

    #[test]
    fn lost_events_are_told_in_the_stream() {
        assert_eq!(
            line(json, &News::Lost),
            "{\"time\":\"2023-11-14T22:13:20.042Z\",\"event\":\"lost\"}\n"
        );
        assert_eq!(
            line(text, &News::Lost),
            "2023-11-14T22:13:20.042Z lost events: they came faster than they were read\n"
        );
    }

    #[test]
    fn codes_of_errors() {
        assert_eq!(meaning(0), "unknown message type");
        assert_eq!(meaning(5), "not assigned");
        assert_eq!(meaning(119), "not assigned");
        assert_eq!(meaning(120), "for debugging");
        assert_eq!(meaning(128), "not assigned");
    }
}
