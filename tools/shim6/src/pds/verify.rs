// SPDX-License-Identifier: GPL-2.0

//! Whether addresses belong to a PDS, and why not: by HBA (RFC 5535 section 7.2) or by CGA (RFC
//! 3972 section 5).

use std::io::{
    self,
    Write, //
};
use std::net::Ipv6Addr;

use serde::Serialize;
use shim6_proto::cga::{
    self,
    CgaError, //
};
use shim6_proto::hba::{
    self,
    HbaError, //
};
use shim6_proto::locator::Locator;
use shim6_proto::pds::Pds;

use super::host::Host;
use super::structure;

/// How an address is to be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Hba,
    Cga,
}

/// What was found out about an address. The fields are the schema of `--json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Verdict {
    pub(crate) address: Ipv6Addr,
    pub(crate) verified: bool,
    /// What the address claims, 0 to 7.
    pub(crate) sec: u8,
    /// The step that failed, in a word.
    pub(crate) failed: Option<&'static str>,
    /// Why it failed.
    pub(crate) reason: Option<String>,
}

/// Verifies each address against one PDS.
pub(crate) fn verdicts(method: Method, addresses: &[Ipv6Addr], pds: &[u8]) -> Vec<Verdict> {
    let parsed = Pds::parse(pds);
    addresses
        .iter()
        .map(|address| {
            let result = match &parsed {
                Ok(pds) => verify(method, *address, pds),
                Err(error) => Err(("structure", structure(*error).to_owned())),
            };
            let (failed, reason) = result.err().unzip();
            Verdict {
                address: *address,
                verified: failed.is_none(),
                sec: sec(*address),
                failed,
                reason,
            }
        })
        .collect()
}

/// The three leftmost bits of the interface identifier.
fn sec(address: Ipv6Addr) -> u8 {
    let [_, _, _, _, _, _, _, _, octet, ..] = address.octets();
    octet >> 5
}

/// The step that failed and the reason, if one did.
fn verify(method: Method, address: Ipv6Addr, pds: &Pds<'_>) -> Result<(), (&'static str, String)> {
    let locator = Locator::new(address.octets());
    match method {
        Method::Hba => match hba::verify(&Host, locator, pds) {
            Ok(()) => Ok(()),
            Err(HbaError::NoSet) => Err((
                "structure",
                "the PDS has no Multi-Prefix extension, so it is of no HBA set".into(),
            )),
            Err(HbaError::Extension(error)) => Err(("structure", structure(error).into())),
            Err(HbaError::Prefix) => Err((
                "prefix",
                "the set has no address with the prefix of this one".into(),
            )),
            Err(HbaError::Cga(error)) => Err(hashes(error, address)),
        },
        Method::Cga => cga::verify(&Host, locator, pds).map_err(|error| hashes(error, address)),
    }
}

fn hashes(error: CgaError, address: Ipv6Addr) -> (&'static str, String) {
    let sec = sec(address);
    match error {
        CgaError::SubnetPrefix => (
            "prefix",
            "the prefix of the address is not the one in the PDS".into(),
        ),
        CgaError::Hash1 => (
            "hash1",
            "Hash1 of the PDS does not give the interface identifier".into(),
        ),
        CgaError::Sec => (
            "sec",
            format!("the address claims Sec {sec}, and 0, 1 and 2 are defined (RFC 4982)"),
        ),
        CgaError::Hash2 => (
            "hash2",
            format!("the address claims Sec {sec}, and Hash2 has not as many zeros"),
        ),
    }
}

/// Writes a line per address.
pub(crate) fn text(verdicts: &[Verdict], out: &mut dyn Write) -> io::Result<()> {
    for verdict in verdicts {
        let Verdict { address, sec, .. } = verdict;
        match &verdict.reason {
            None => writeln!(out, "{address} verified, Sec {sec}")?,
            Some(reason) => writeln!(out, "{address} not verified: {reason}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::vectors::{
        self,
        octets, //
    };
    use super::*;

    /// All verification cases of a file of vectors.
    fn agree(file: &str, method: Method, least: usize) {
        let vectors = vectors::file(file);
        let cases = vectors["verification"].as_array().unwrap();
        assert!(cases.len() >= least);
        for case in cases {
            let address = case["address"].as_str().unwrap().parse().unwrap();
            let verdicts = verdicts(method, &[address], &octets(&case["pds"]));
            assert_eq!(verdicts.len(), 1);
            let verified = case["expect"].as_bool().unwrap();
            assert_eq!(verdicts[0].verified, verified, "{}", case["name"]);
            assert_eq!(verdicts[0].failed.is_none(), verified);
            assert_eq!(verdicts[0].reason.is_none(), verified);
        }
    }

    #[test]
    fn verdicts_agree_with_the_vectors() {
        agree("hba.json", Method::Hba, 27);
        agree("cga.json", Method::Cga, 13);
    }

    fn failed(method: Method, address: &str, pds: &[u8]) -> &'static str {
        let verdicts = verdicts(method, &[address.parse().unwrap()], pds);
        verdicts[0].failed.unwrap_or("nothing")
    }

    #[test]
    fn each_step_has_its_word() {
        let sets = vectors::file("hba.json");
        let set = vectors::named(&sets["sets"], "hostB");
        let first = &set["addresses"][0];
        let pds = octets(&first["pds"]);
        let address = first["address"].as_str().unwrap();
        assert_eq!(failed(Method::Hba, address, &pds), "nothing");
        assert_eq!(failed(Method::Cga, address, &pds), "nothing");

        let other = set["addresses"][1]["address"].as_str().unwrap();
        assert_eq!(failed(Method::Hba, other, &pds), "nothing");
        assert_eq!(failed(Method::Cga, other, &pds), "prefix");
        assert_eq!(failed(Method::Hba, "2001:db8:dead::1", &pds), "prefix");
        assert_eq!(failed(Method::Hba, "2001:db8:b:1::1", &pds), "hash1");
        assert_eq!(failed(Method::Hba, address, &pds[..20]), "structure");

        // The Sec value is not among the bits that Hash1 gives.
        let bits = address.parse::<Ipv6Addr>().unwrap().to_bits();
        let claiming = |sec: u128| {
            let cleared = bits & !(7 << 61);
            Ipv6Addr::from_bits(cleared | (sec << 61)).to_string()
        };
        assert_eq!(failed(Method::Hba, &claiming(0), &pds), "nothing");
        assert_eq!(failed(Method::Hba, &claiming(2), &pds), "hash2");
        assert_eq!(failed(Method::Hba, &claiming(3), &pds), "sec");

        let cgas = vectors::file("cga.json");
        let pds = octets(&cgas["generation"][0]["pds"]);
        assert_eq!(failed(Method::Hba, address, &pds), "structure");
    }

    #[test]
    fn a_line_or_an_object_for_each_address() {
        let verdicts = [
            Verdict {
                address: "2001:db8::2000:0:0:1".parse().unwrap(),
                verified: true,
                sec: 1,
                failed: None,
                reason: None,
            },
            Verdict {
                address: "2001:db8::1".parse().unwrap(),
                verified: false,
                sec: 0,
                failed: Some("hash1"),
                reason: Some("why".into()),
            },
        ];
        let mut out = Vec::new();
        text(&verdicts, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "2001:db8::2000:0:0:1 verified, Sec 1\n2001:db8::1 not verified: why\n"
        );
        assert_eq!(
            serde_json::to_string(&verdicts).unwrap(),
            concat!(
                r#"[{"address":"2001:db8::2000:0:0:1","verified":true,"sec":1,"#,
                r#""failed":null,"reason":null},"#,
                r#"{"address":"2001:db8::1","verified":false,"sec":0,"#,
                r#""failed":"hash1","reason":"why"}]"#
            )
        );
    }
}
