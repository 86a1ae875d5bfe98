// SPDX-License-Identifier: GPL-2.0

//! A PDS as it is given on the command line: in hexadecimal digits, or in a file.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use super::file::{
    IdentityFile,
    PARAMETERS, //
};
use crate::error::{
    Cause,
    Error, //
};

/// Where a PDS is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// In the argument itself.
    Octets(Vec<u8>),
    File(PathBuf),
}

/// Digits of the shortest PDS: modifier, prefix, collision count and an empty key. A file may have
/// fewer as its name.
const LEAST_DIGITS: usize = 2 * (16 + 8 + 1 + 2);

impl FromStr for Source {
    type Err = String;

    /// As many hexadecimal digits as a PDS has are one; anything else is the name of a file.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a PDS is given in hexadecimal digits or as a file".into());
        }
        let digits = text.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !digits || text.len() < LEAST_DIGITS {
            return Ok(Self::File(text.into()));
        }
        hex::decode(text).map(Self::Octets).map_err(|_| {
            format!("an odd number of hexadecimal digits; of a file of this name say ./{text}")
        })
    }
}

impl Source {
    /// The octets, and the private key that came with them in DER.
    pub(crate) fn read(self) -> Result<IdentityFile, Error> {
        match self {
            Self::Octets(pds) => Ok(IdentityFile {
                pds,
                private_key: None,
            }),
            Self::File(path) => fs::read(&path)
                .map_err(Cause::System)
                .and_then(|contents| contents_of(&contents))
                .map_err(|cause| Error::new(format!("read a PDS from {}", path.display()), cause)),
        }
    }
}

/// A PDS in an identity file, in hexadecimal digits, or as octets.
fn contents_of(contents: &[u8]) -> Result<IdentityFile, Cause> {
    let plain = |pds| IdentityFile {
        pds,
        private_key: None,
    };
    // A key has octets that no text has.
    let Ok(text) = std::str::from_utf8(contents) else {
        return Ok(plain(contents.to_vec()));
    };
    if text.contains("-----BEGIN ") {
        return IdentityFile::parse(text).map_err(Cause::Input);
    }
    let digits: String = text.split_ascii_whitespace().collect();
    match hex::decode(&digits) {
        Ok(octets) if !octets.is_empty() => Ok(plain(octets)),
        _ => Err(Cause::Input(format!(
            "neither a block {PARAMETERS} nor a PDS in octets or hexadecimal digits"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_a_pds_and_the_rest_are_files() {
        let digits = "0f".repeat(27);
        assert_eq!(digits.parse(), Ok(Source::Octets(vec![0x0f; 27])));
        let path = format!("./{digits}");
        for name in ["identity", "beef", "f", &digits[1..], &path] {
            assert_eq!(name.parse(), Ok(Source::File(name.into())));
        }
        let odd = format!("{digits}0");
        for (text, word) in [("", "or as a file"), (&odd, "an odd number")] {
            let refusal = text.parse::<Source>().unwrap_err();
            assert!(refusal.contains(word), "{text}: {refusal}");
        }
    }

    #[test]
    fn files_hold_blocks_or_digits_or_octets() {
        let pds = |contents: &[u8]| contents_of(contents).map(|file| file.pds).ok();
        assert_eq!(pds(b"00 ff\n01\n"), Some(vec![0, 255, 1]));
        assert_eq!(pds(&[0, 255, 1]), Some(vec![0, 255, 1]));
        assert_eq!(pds(b"text"), None);
        assert_eq!(pds(b""), None);
        assert_eq!(pds(b" \n"), None);
        assert_eq!(pds(b"-----BEGIN NONSENSE-----\n"), None);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let source = Source::File("/nonexistent/file".into());
        let refusal = source.read().unwrap_err().to_string();
        assert_eq!(
            refusal,
            "cannot read a PDS from /nonexistent/file: No such file or directory"
        );
    }
}
