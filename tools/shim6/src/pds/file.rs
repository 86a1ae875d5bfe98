// SPDX-License-Identifier: GPL-2.0

//! Identity files: a PDS, and the private key of its CGA if there is one, as PEM blocks in one file
//! that only its owner can read. openssl finds the key in it.

use std::ffi::OsString;
use std::fs::{
    self,
    File, //
};
use std::io::{
    self,
    Write, //
};
use std::net::Ipv6Addr;
use std::os::unix::fs::{
    OpenOptionsExt,
    PermissionsExt, //
};
use std::path::{
    Path,
    PathBuf, //
};

use shim6_proto::pds::Pds;

use super::generate::random;
use super::key::{
    PrivateKey,
    PKCS1, //
};
use super::structure;
use crate::abi;
use crate::error::{
    Cause,
    Error, //
};
use crate::signals::Blocked;

/// Label of the PEM block with the PDS.
pub(crate) const PARAMETERS: &str = "SHIM6 CGA PARAMETERS";

/// What an identity file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdentityFile {
    /// The PDS, of any address of a set.
    pub(crate) pds: Vec<u8>,
    pub(crate) private_key: Option<PrivateKey>,
}

impl IdentityFile {
    /// Reads the text of a file. The PDS may make no sense.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pds = None;
        let mut private_key = None;
        for block in pem::parse_many(text).map_err(|error| error.to_string())? {
            let twice = match block.tag() {
                PARAMETERS => pds.replace(block.contents().to_vec()).is_some(),
                PKCS1 => {
                    let key = PrivateKey::from_pkcs1(block.contents())
                        .map_err(|error| format!("in the block {PKCS1}: {error}"))?;
                    private_key.replace(key).is_some()
                }
                other => return Err(format!("a block {other} is not expected")),
            };
            if twice {
                return Err(format!("a second block {}", block.tag()));
            }
        }
        Ok(Self {
            pds: pds.ok_or_else(|| format!("no block {PARAMETERS}"))?,
            private_key,
        })
    }

    /// Reads an identity for the kernel: the PDS makes sense, and the key is that of the PDS.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let read = || {
            let text = fs::read_to_string(path)?;
            let file = Self::parse(&text).map_err(Cause::Input)?;
            file.check().map_err(Cause::Input)?;
            Ok(file)
        };
        let tried = format!("read an identity from {}", path.display());
        read().map_err(|cause| Error::new(tried, cause))
    }

    /// Whether the kernel would take it.
    pub(crate) fn check(&self) -> Result<(), String> {
        let pds = Pds::parse(&self.pds).map_err(structure)?;
        let parameters = pds.parameters();
        let set = parameters.multi_prefix().map_err(structure)?;
        if self.pds.len() > abi::PDS_MAX {
            return Err(format!(
                "a PDS of {} octets; the kernel takes {}",
                self.pds.len(),
                abi::PDS_MAX
            ));
        }
        let Some(key) = &self.private_key else {
            return Ok(());
        };
        if set.is_some_and(|set| !set.has_public_key()) {
            return Err("a private key, and a set that was made without one".into());
        }
        if key.public_key() != parameters.public_key() {
            return Err("the private key is not the one of the PDS".into());
        }
        Ok(())
    }

    /// The text of the file. Lines outside of the blocks are for people.
    fn text(&self, addresses: &[Ipv6Addr]) -> String {
        let mut text = String::from("Addresses to assign:\n");
        for address in addresses {
            text.push_str(&format!("    {address}\n"));
        }
        let mut block = |label: &str, contents: &[u8]| {
            let block = pem::Pem::new(label, contents);
            let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
            text.push_str(&pem::encode_config(&block, config));
        };
        block(PARAMETERS, &self.pds);
        if let Some(key) = &self.private_key {
            block(PKCS1, key.as_pkcs1());
        }
        text
    }
}

/// Whether others than the owner may read a file with a secret in it.
pub(crate) fn is_exposed(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

/// Where an identity file is to be written.
#[derive(Debug)]
pub(crate) struct Target {
    path: PathBuf,
    replace: bool,
}

impl Target {
    /// Looks whether a file can be written there: better now than after a long search.
    pub(crate) fn new(path: PathBuf, replace: bool) -> Result<Self, Error> {
        let target = Self { path, replace };
        let try_it = || {
            if !replace && fs::symlink_metadata(&target.path).is_ok() {
                return Err(exists());
            }
            let _blocked = Blocked::new()?;
            let (temporary, _) = target.temporary()?;
            Ok(fs::remove_file(temporary)?)
        };
        try_it().map_err(|cause| target.error(cause))?;
        Ok(target)
    }

    /// Writes an identity. The file is there with all of its contents, or not at all.
    pub(crate) fn write(&self, file: &IdentityFile, addresses: &[Ipv6Addr]) -> Result<(), Error> {
        self.write_text(&file.text(addresses))
            .map_err(|cause| self.error(cause))
    }

    fn write_text(&self, text: &str) -> Result<(), Cause> {
        let _blocked = Blocked::new()?;
        let (temporary, mut file) = self.temporary()?;
        let mut write = || {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            if self.replace {
                return fs::rename(&temporary, &self.path);
            }
            // Unlike a new name, a link never takes the place of a file.
            fs::hard_link(&temporary, &self.path)?;
            fs::remove_file(&temporary)
        };
        write().map_err(|error: io::Error| {
            let _ = fs::remove_file(&temporary);
            match error.kind() {
                io::ErrorKind::AlreadyExists => exists(),
                _ => error.into(),
            }
        })
    }

    /// A new file beside the target that only its owner can read.
    fn temporary(&self) -> Result<(PathBuf, File), Cause> {
        let Some(name) = self.path.file_name() else {
            return Err(Cause::Input("it is not the name of a file".into()));
        };
        let mut temporary = OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}.tmp", hex::encode(random::<8>()?)));
        let temporary = self.path.with_file_name(temporary);
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        Ok((temporary, file))
    }

    fn error(&self, cause: Cause) -> Error {
        Error::new(format!("write {}", self.path.display()), cause)
    }
}

fn exists() -> Cause {
    Cause::Input("it exists; with --force it is replaced".into())
}

#[cfg(test)]
mod tests {
    use super::super::describe::Description;
    use super::super::key::tests::sample;
    use super::super::vectors::{
        self,
        octets, //
    };
    use super::*;
    use crate::scratch::Directory;

    /// The PDS of a set of the vectors.
    fn pds(set: &str) -> Vec<u8> {
        let vectors = vectors::file("hba.json");
        octets(&vectors::named(&vectors["sets"], set)["addresses"][0]["pds"])
    }

    fn plain() -> IdentityFile {
        IdentityFile {
            pds: pds("hostA"),
            private_key: None,
        }
    }

    fn signing() -> IdentityFile {
        IdentityFile {
            pds: pds("hostC"),
            private_key: Some(sample("rsa1024")),
        }
    }

    fn addresses(file: &IdentityFile) -> Vec<Ipv6Addr> {
        Description::of(&file.pds).unwrap().addresses
    }

    #[test]
    fn what_is_written_is_read() {
        let directory = Directory::new();
        for (name, file) in [("plain", plain()), ("signing", signing())] {
            let path = directory.path().join(name);
            let target = Target::new(path.clone(), false).unwrap();
            target.write(&file, &addresses(&file)).unwrap();
            assert_eq!(IdentityFile::read(&path).unwrap(), file);
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o600);
            assert!(!is_exposed(&path));
        }
        assert_eq!(directory.names(), ["plain", "signing"]);
    }

    #[test]
    fn the_file_names_the_addresses_and_its_blocks() {
        let file = signing();
        let text = file.text(&addresses(&file));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "Addresses to assign:");
        assert_eq!(lines[1], format!("    {}", addresses(&file)[0]));
        for label in ["SHIM6 CGA PARAMETERS", "RSA PRIVATE KEY"] {
            assert!(lines.contains(&format!("-----BEGIN {label}-----").as_str()));
            assert!(lines.contains(&format!("-----END {label}-----").as_str()));
        }
        assert!(lines.iter().all(|line| line.len() <= 64));
        assert!(!plain().text(&[]).contains("PRIVATE KEY"));
        // openssl and our own reader of keys find the key.
        assert_eq!(PrivateKey::from_pem(&text).ok(), file.private_key);
    }

    #[test]
    fn a_file_is_replaced_only_if_asked_for() {
        let directory = Directory::new();
        let path = directory.path().join("identity");
        fs::write(&path, "mine").unwrap();
        let refusal = Target::new(path.clone(), false).unwrap_err().to_string();
        assert!(refusal.ends_with("it exists; with --force it is replaced"));

        // One that came up during the search.
        fs::remove_file(&path).unwrap();
        let target = Target::new(path.clone(), false).unwrap();
        fs::write(&path, "mine").unwrap();
        let refusal = target.write(&plain(), &[]).unwrap_err().to_string();
        assert!(refusal.ends_with("it exists; with --force it is replaced"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");

        let target = Target::new(path.clone(), true).unwrap();
        target.write(&plain(), &[]).unwrap();
        assert_eq!(IdentityFile::read(&path).unwrap(), plain());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        assert_eq!(directory.names(), ["identity"]);
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let directory = Directory::new();
        let path = directory.path().join("link");
        let other = directory.path().join("other");
        fs::write(&other, "other").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(Target::new(path.clone(), false).is_err());
        let target = Target::new(path.clone(), true).unwrap();
        target.write(&plain(), &[]).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "other");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn a_place_where_no_file_can_be_is_known_at_once() {
        let directory = Directory::new();
        for (path, word) in [
            (directory.path().join("no/such/directory"), "No such file"),
            (directory.path().join(".."), "not the name of a file"),
        ] {
            let refusal = Target::new(path, true).unwrap_err().to_string();
            assert!(refusal.contains(word), "{refusal}");
        }
        // A directory cannot be replaced, and nothing is left beside it.
        fs::create_dir(directory.path().join("identity")).unwrap();
        let target = Target::new(directory.path().join("identity"), true).unwrap();
        assert!(target.write(&plain(), &[]).is_err());
        assert_eq!(directory.names(), ["identity"]);
    }

    #[test]
    fn a_secret_that_others_can_read_is_noticed() {
        let directory = Directory::new();
        let path = directory.path().join("identity");
        fs::write(&path, "").unwrap();
        for (mode, exposed) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_exposed(&path), exposed, "{mode:o}");
        }
    }

    #[test]
    fn texts_that_are_no_identity() {
        let parse = |text: &str| IdentityFile::parse(text).unwrap_err();
        let key = sample("rsa1024");
        let key = pem::encode(&pem::Pem::new(PKCS1, key.as_pkcs1()));
        let parameters = plain().text(&[]);
        let other = pem::encode(&pem::Pem::new("CERTIFICATE", [0]));
        let bad_key = pem::encode(&pem::Pem::new(PKCS1, [0]));
        for (text, words) in [
            (String::new(), "no block SHIM6 CGA PARAMETERS"),
            (key.clone(), "no block SHIM6 CGA PARAMETERS"),
            (parameters.repeat(2), "a second block SHIM6 CGA PARAMETERS"),
            (key.repeat(2), "a second block RSA PRIVATE KEY"),
            (format!("{parameters}{other}"), "a block CERTIFICATE"),
            (
                format!("{parameters}{bad_key}"),
                "in the block RSA PRIVATE KEY",
            ),
        ] {
            let refusal = parse(&text);
            assert!(refusal.contains(words), "{text}: {refusal}");
        }
    }

    #[test]
    fn identities_that_the_kernel_would_not_take() {
        assert_eq!(plain().check(), Ok(()));
        assert_eq!(signing().check(), Ok(()));
        let refusal = |file: IdentityFile| file.check().unwrap_err();
        let with_key = |pds: Vec<u8>, key: &str| IdentityFile {
            pds,
            private_key: Some(sample(key)),
        };
        let words = "a set that was made without one";
        assert!(refusal(with_key(pds("hostA"), "rsa1024")).contains(words));
        let words = "not the one of the PDS";
        assert!(refusal(with_key(pds("hostC"), "rsa2048")).contains(words));
        let truncated = pds("hostA")[..100].to_vec();
        let without_key = |pds: Vec<u8>| IdentityFile {
            pds,
            private_key: None,
        };
        assert!(refusal(without_key(truncated)).contains("goes beyond"));
        // An extension that nobody knows makes the PDS too long.
        let mut long = pds("hostA");
        long.extend([0xff, 0xff, 0x04, 0x00]);
        long.extend([0; 1024]);
        assert!(refusal(without_key(long)).contains("the kernel takes 1024"));
    }
}
