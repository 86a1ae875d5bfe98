// SPDX-License-Identifier: GPL-2.0

//! Local identities: a PDS under a name, with a private key if its CGA signs. Private keys go to
//! the kernel and never come back.

use std::fmt;
use std::io::{
    self,
    Write, //
};
use std::str::FromStr;

use netlink_packet_core::{
    parse_u8,
    DecodeError, //
};
use serde::Serialize;

use crate::abi::{
    self,
    attr,
    cmd, //
};
use crate::client::Request;
use crate::context::answer::{
    read_name,
    required, //
};
use crate::genl::for_each_attribute;
use crate::pds::describe::Description;
use crate::pds::file::IdentityFile;

/// The name of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fits = (1..=abi::NAME_MAX).contains(&text.len());
        if fits && text.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Ok(Self(text.into()));
        }
        Err(format!(
            "a name has 1 to {} characters, of those in ASCII that can be seen",
            abi::NAME_MAX
        ))
    }
}

/// One identity.
pub(crate) fn get(name: &Name) -> Request {
    named(cmd::IDENTITY_GET, name)
}

/// An identity to add.
pub(crate) fn add(name: &Name, file: &IdentityFile) -> Request {
    let mut request = named(cmd::IDENTITY_ADD, name);
    request.attributes.put(attr::PDS, &file.pds);
    if let Some(key) = &file.private_key {
        request.attributes.put(attr::PRIVATE_KEY, key.as_pkcs1());
    }
    request
}

/// An identity to delete.
pub(crate) fn del(name: &Name) -> Request {
    named(cmd::IDENTITY_DEL, name)
}

fn named(cmd: u8, name: &Name) -> Request {
    let mut request = Request::new(cmd);
    request.attributes.put_string(attr::NAME, &name.0);
    request
}

/// An identity as the kernel describes it. The fields are the schema of `--json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LocalIdentity {
    pub(crate) name: String,
    /// Whether the kernel has the private key.
    pub(crate) signs: bool,
    #[serde(flatten)]
    pub(crate) description: Description,
}

impl LocalIdentity {
    /// Reads the attributes of an identity.
    pub(crate) fn from_attributes(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut name = None;
        let mut signs = false;
        let mut pds = None;
        for_each_attribute(octets, |kind, value| {
            match kind {
                attr::NAME => name = Some(read_name(value)?),
                attr::SIGNS => signs = parse_u8(value)? != 0,
                attr::PDS => pds = Some(value.to_vec()),
                _ => {}
            }
            Ok(())
        })?;
        let description = Description::of(&required(pds, "PDS")?).map_err(DecodeError::from)?;
        Ok(Self {
            name: required(name, "NAME")?,
            signs,
            description,
        })
    }
}

/// Writes a block of lines per identity.
pub(crate) fn text(identities: &[LocalIdentity], out: &mut dyn Write) -> io::Result<()> {
    for identity in identities {
        writeln!(out, "identity {}", identity.name)?;
        identity.description.text(identity.signs, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pds::key::tests::sample;
    use crate::pds::vectors::{
        self,
        octets, //
    };

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn pds() -> Vec<u8> {
        let vectors = vectors::file("hba.json");
        octets(&vectors::named(&vectors["sets"], "hostC")["addresses"][0]["pds"])
    }

    #[test]
    fn names_can_be_seen() {
        for text in ["a", "home", "x.y-z_1", &"n".repeat(31)] {
            assert_eq!(name(text).to_string(), text);
        }
        for text in ["", "two words", "tab\t", "zero\0", "größe", &"n".repeat(32)] {
            let refusal = text.parse::<Name>().unwrap_err();
            assert!(refusal.contains("1 to 31 characters"), "{text}");
        }
    }

    /// An attribute as a little-endian host has it.
    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let len = u16::try_from(4 + value.len()).unwrap();
        let mut octets = [len.to_ne_bytes(), kind.to_ne_bytes()].concat();
        octets.extend(value);
        octets.resize(octets.len().next_multiple_of(4), 0);
        octets
    }

    #[test]
    fn requests() {
        for (request, cmd) in [(get(&name("home")), 7), (del(&name("home")), 9)] {
            let message = request.into_message(30);
            assert_eq!(message.cmd, cmd);
            assert_eq!(message.attributes, attribute(16, b"home\0"));
        }
        let key = sample("rsa1024");
        let mut file = IdentityFile {
            pds: pds(),
            private_key: Some(key.clone()),
        };
        let message = add(&name("home"), &file).into_message(30);
        let plain = [attribute(16, b"home\0"), attribute(17, &pds())].concat();
        let expected = [plain.clone(), attribute(18, key.as_pkcs1())].concat();
        assert_eq!((message.cmd, message.attributes), (8, expected));

        file.private_key = None;
        let message = add(&name("home"), &file).into_message(30);
        assert_eq!(message.attributes, plain);
    }

    #[test]
    fn an_identity_from_the_kernel() {
        let octets = [
            attribute(16, b"home\0"),
            attribute(17, &pds()),
            attribute(19, &[1]),
            attribute(0x3fff, &[1, 2]),
        ]
        .concat();
        let identity = LocalIdentity::from_attributes(&octets).unwrap();
        assert_eq!((identity.name.as_str(), identity.signs), ("home", true));
        assert_eq!(identity.description, Description::of(&pds()).unwrap());

        let mut out = Vec::new();
        text(std::slice::from_ref(&identity), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.starts_with(
            "identity home
    kind CGA/HBA sec 0 collision-count 0
    public-key RSA 1024 signs yes
"
        ));
        let json = serde_json::to_string(&[identity]).unwrap();
        assert!(json.starts_with(r#"[{"name":"home","signs":true,"kind":"CGA/HBA","sec":0,"#));
    }

    #[test]
    fn an_answer_that_makes_no_sense() {
        let refusal = |octets: &[u8]| {
            let refusal = LocalIdentity::from_attributes(octets);
            refusal.unwrap_err().to_string()
        };
        assert!(refusal(&attribute(17, &pds())).contains("NAME is missing"));
        assert!(refusal(&attribute(16, b"home\0")).contains("PDS is missing"));
        let short = [attribute(16, b"home\0"), attribute(17, &[1, 2])].concat();
        assert!(refusal(&short).contains("too short for a PDS"));
    }
}
