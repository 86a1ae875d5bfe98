// SPDX-License-Identifier: GPL-2.0

//! Identity files, and other files and texts with a PDS, as the `shim6` command reads them. Its
//! files are modules here, because it is a program and no library.

#![no_main]

#[path = "../../../../tools/shim6/src/abi.rs"]
#[expect(dead_code, reason = "the command uses more of it")]
mod abi;
#[path = "../../../../tools/shim6/src/error.rs"]
#[expect(dead_code, reason = "the command uses more of it")]
mod error;
#[path = "../../../../tools/shim6/src/signals.rs"]
#[expect(dead_code, reason = "the command uses more of it")]
mod signals;

#[path = "identity_file/pds.rs"]
mod pds;

use std::{
    fs,
    path::PathBuf, //
};

use libfuzzer_sys::fuzz_target;
use pds::{
    file::IdentityFile,
    key::PrivateKey,
    source::Source, //
};
use shim6_proto::pds::Pds;

thread_local! {
    /// A file in memory that only this process has.
    static FILE: PathBuf = {
        let name = format!("shim6-fuzz-{}", std::process::id());
        let shared = PathBuf::from("/dev/shm");
        match shared.is_dir() {
            true => shared.join(name),
            false => std::env::temp_dir().join(name),
        }
    };
}

fuzz_target!(|data: &[u8]| FILE.with(|path| {
    fs::write(path, data).expect("a file can be written");
    let read = IdentityFile::read(path);
    let source = Source::File(path.clone()).read();
    fs::remove_file(path).expect("a file can be removed");

    if let Ok(file) = &read {
        let pds = Pds::parse(&file.pds).expect("a PDS that makes sense");
        assert!(file.pds.len() <= abi::PDS_MAX);
        if let Some(key) = &file.private_key {
            assert_eq!(key.public_key(), pds.parameters().public_key());
            assert!(key.as_pkcs1().len() <= abi::PRIVATE_KEY_MAX);
        }
        // What is taken as an identity is also taken where a PDS is asked for.
        assert_eq!(Some(file), source.as_ref().ok());
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = PrivateKey::from_pem(text);
        if let Ok(Source::Octets(octets)) = text.parse() {
            assert_eq!(text.to_ascii_lowercase(), hex::encode(octets));
        }
    }
}));
