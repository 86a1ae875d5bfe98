// SPDX-License-Identifier: GPL-2.0

//! What a PDS says about itself.

use std::fmt;
use std::io::{
    self,
    Write, //
};
use std::net::Ipv6Addr;

use serde::{
    Serialize,
    Serializer, //
};
use shim6_proto::cga;
use shim6_proto::pds::Pds;
use shim6_proto::rsa_key::RsaPublicKey;

use super::host::Host;
use super::search::largest_sec;
use super::structure;
use crate::prefix::SubnetPrefix;

/// The kinds of addresses that a PDS can be about (RFC 5535 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A public key and no set.
    Cga,
    /// A set, and random bits for a public key.
    Hba,
    /// A set with a public key.
    CgaHba,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cga => "CGA",
            Self::Hba => "HBA",
            Self::CgaHba => "CGA/HBA",
        })
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A PDS, explained. The fields are the schema of `--json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Description {
    pub(crate) kind: Kind,
    /// The largest value that Hash2 admits. A PDS does not tell for which it was made, but those of
    /// this program admit no larger one.
    pub(crate) sec: u8,
    pub(crate) collision_count: u8,
    pub(crate) modifier: String,
    /// [`None`] without a public key, and for one that is no RSA key.
    pub(crate) public_key_bits: Option<u32>,
    /// Those of the set, or the subnet prefix of a CGA.
    pub(crate) prefixes: Vec<SubnetPrefix>,
    /// The address of each prefix with this Sec value.
    pub(crate) addresses: Vec<Ipv6Addr>,
    pub(crate) pds: String,
}

impl Description {
    /// Explains a PDS, or says why it is none.
    pub(crate) fn of(octets: &[u8]) -> Result<Self, &'static str> {
        let pds = Pds::parse(octets).map_err(structure)?;
        let parameters = pds.parameters();
        let set = parameters.multi_prefix().map_err(structure)?;
        let kind = match set {
            None => Kind::Cga,
            Some(set) if set.has_public_key() => Kind::CgaHba,
            Some(_) => Kind::Hba,
        };
        let public_key_bits = match kind {
            Kind::Hba => None,
            Kind::Cga | Kind::CgaHba => RsaPublicKey::parse(parameters.public_key())
                .ok()
                .map(|key| key.bits()),
        };
        let prefixes: Vec<_> = match set {
            None => vec![pds.subnet_prefix()],
            Some(set) => set.prefixes().collect(),
        };
        let sec = largest_sec(parameters);
        let count = pds.collision_count();
        let address = |prefix: &[u8; 8]| {
            let locator = cga::address(&Host, parameters, sec, *prefix, count);
            locator.octets().into()
        };
        Ok(Self {
            kind,
            sec: sec.get(),
            collision_count: count.get(),
            modifier: hex::encode(parameters.modifier()),
            public_key_bits,
            addresses: prefixes.iter().map(address).collect(),
            prefixes: prefixes.into_iter().map(SubnetPrefix::from).collect(),
            pds: hex::encode(octets),
        })
    }

    /// Writes lines for people, indented. `signs` tells whether the private key is there, too.
    pub(crate) fn text(&self, signs: bool, out: &mut dyn Write) -> io::Result<()> {
        let Self {
            kind,
            sec,
            collision_count,
            modifier,
            ..
        } = self;
        let key = match (kind, self.public_key_bits) {
            (Kind::Hba, _) => "none".to_owned(),
            (_, None) => "not RSA".to_owned(),
            (_, Some(bits)) => format!("RSA {bits}"),
        };
        let signs = if signs { "yes" } else { "no" };
        writeln!(
            out,
            "    kind {kind} sec {sec} collision-count {collision_count}"
        )?;
        writeln!(out, "    public-key {key} signs {signs}")?;
        writeln!(out, "    modifier {modifier}")?;
        writeln!(out, "    prefix")?;
        for prefix in &self.prefixes {
            writeln!(out, "        {prefix}")?;
        }
        writeln!(out, "    address")?;
        for address in &self.addresses {
            writeln!(out, "        {address}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::vectors::{
        self,
        octets, //
    };
    use super::*;

    #[test]
    fn the_sets_of_the_vectors() {
        let vectors = vectors::file("hba.json");
        for set in vectors["sets"].as_array().unwrap() {
            let members = set["addresses"].as_array().unwrap();
            for member in members {
                let description = Description::of(&octets(&member["pds"])).unwrap();
                let kind = match set["p_flag"].as_u64().unwrap() {
                    0 => Kind::Hba,
                    _ => Kind::CgaHba,
                };
                assert_eq!(description.kind, kind, "{}", set["name"]);
                assert_eq!(u64::from(description.sec), set["sec"].as_u64().unwrap());
                for (address, member) in description.addresses.iter().zip(members) {
                    let expected = member["address"].as_str().unwrap();
                    assert_eq!(address.to_string(), expected);
                }
                assert_eq!(description.addresses.len(), members.len());
            }
        }
    }

    #[test]
    fn a_cga_has_one_address() {
        let vectors = vectors::file("cga.json");
        let example = &vectors["generation"][0];
        let description = Description::of(&octets(&example["pds"])).unwrap();
        assert_eq!(description.kind, Kind::Cga);
        assert_eq!(description.public_key_bits, Some(512));
        let mut out = Vec::new();
        description.text(false, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "    kind CGA sec 1 collision-count 0
    public-key RSA 512 signs no
    modifier 89a8a8b2e858d8b8f2633f44d2d4ce9b
    prefix
        fe80::/64
    address
        fe80::3c4a:5bf6:ffb4:ca6c
"
        );
    }

    #[test]
    fn an_object_for_programs() {
        let vectors = vectors::file("hba.json");
        let set = vectors::named(&vectors["sets"], "hostA");
        let pds = set["addresses"][0]["pds"].as_str().unwrap();
        let description = Description::of(&octets(&set["addresses"][0]["pds"])).unwrap();
        assert_eq!(
            serde_json::to_string(&description).unwrap(),
            [
                r#"{"kind":"HBA","sec":0,"collision_count":0,"#,
                r#""modifier":"559aead08264d5795d3909718cdd05ab","public_key_bits":null,"#,
                r#""prefixes":["2001:db8:a:1::/64","2001:db8:a:2::/64"],"#,
                r#""addresses":["2001:db8:a:1:87b:8895:4bd3:1492","#,
                r#""2001:db8:a:2:10c8:6551:484f:c005"],"#,
                &format!(r#""pds":"{pds}"}}"#),
            ]
            .concat()
        );
    }

    #[test]
    fn what_is_no_pds_is_not_explained() {
        assert_eq!(Description::of(&[]), Err("too short for a PDS"));
        let vectors = vectors::file("hba.json");
        let set = vectors::named(&vectors["sets"], "hostA");
        let mut pds = octets(&set["addresses"][0]["pds"]);
        pds[24] = 3;
        let refusal = Description::of(&pds).unwrap_err();
        assert!(refusal.contains("collision count"), "{refusal}");
    }
}
