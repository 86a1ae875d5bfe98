// SPDX-License-Identifier: GPL-2.0

//! RSA private keys of CGAs: made, read from the files that openssl and ssh-keygen write, and
//! turned into the encodings that a PDS and the kernel want.

use rsa::pkcs1::{
    DecodeRsaPrivateKey,
    EncodeRsaPrivateKey, //
};
use rsa::pkcs8::{
    DecodePrivateKey,
    EncodePublicKey, //
};
use rsa::rand_core::OsRng;
use rsa::RsaPrivateKey;
use shim6_proto::rsa_key::RsaPublicKey;

use crate::abi;

/// Bits of a key that is made without further words.
pub(crate) const DEFAULT_BITS: u32 = 2048;

/// Labels of PEM blocks.
pub(crate) const PKCS1: &str = "RSA PRIVATE KEY";
const PKCS8: &str = "PRIVATE KEY";
const PKCS8_ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
const OPENSSH: &str = "OPENSSH PRIVATE KEY";

/// An RSA private key that can sign for a CGA: of 1024 to 4096 bits (RFC 5533 section 16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PrivateKey {
    /// RSAPrivateKey of PKCS #1.
    private: Vec<u8>,
    /// SubjectPublicKeyInfo.
    public: Vec<u8>,
}

impl PrivateKey {
    /// Makes a key.
    pub(crate) fn generate(bits: u32) -> Result<Self, String> {
        RsaPrivateKey::new(&mut OsRng, bits as usize)
            .map_err(|error| error.to_string())
            .and_then(|key| Self::new(&key))
    }

    /// Reads an RSAPrivateKey of PKCS #1 in DER.
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, String> {
        let key = RsaPrivateKey::from_pkcs1_der(der).map_err(|_| "it is no RSA key in PKCS #1")?;
        Self::new(&key)
    }

    /// Reads the first private key in a PEM file.
    pub(crate) fn from_pem(text: &str) -> Result<Self, String> {
        let blocks = pem::parse_many(text).map_err(|error| error.to_string())?;
        for block in blocks {
            let encrypted = block.headers().get("Proc-Type").is_some();
            match block.tag() {
                PKCS8_ENCRYPTED => return Err(ENCRYPTED.into()),
                PKCS1 | PKCS8 if encrypted => return Err(ENCRYPTED.into()),
                PKCS1 => return Self::from_pkcs1(block.contents()),
                PKCS8 => {
                    let key = RsaPrivateKey::from_pkcs8_der(block.contents())
                        .map_err(|_| "it is no RSA key in PKCS #8")?;
                    return Self::new(&key);
                }
                OPENSSH => return Err(OF_OPENSSH.into()),
                _ => {}
            }
        }
        Err(format!("it has no block {PKCS1} or {PKCS8}"))
    }

    fn new(key: &RsaPrivateKey) -> Result<Self, String> {
        let private = key.to_pkcs1_der().map_err(|error| error.to_string())?;
        let private = private.as_bytes().to_vec();
        let public = key
            .to_public_key()
            .to_public_key_der()
            .map_err(|error| error.to_string())?
            .into_vec();
        let parsed = RsaPublicKey::parse(&public)
            .map_err(|error| format!("its public key is not usable: {error:?}"))?;
        if !parsed.has_cga_size() || private.len() > abi::PRIVATE_KEY_MAX {
            return Err(format!(
                "it has {} bits; a CGA can sign with {} to {}",
                parsed.bits(),
                RsaPublicKey::MIN_CGA_BITS,
                RsaPublicKey::MAX_CGA_BITS
            ));
        }
        Ok(Self { private, public })
    }

    /// The key as RSAPrivateKey of PKCS #1, in DER.
    pub(crate) fn as_pkcs1(&self) -> &[u8] {
        &self.private
    }

    /// The public key as SubjectPublicKeyInfo, in DER: what a PDS has.
    pub(crate) fn public_key(&self) -> &[u8] {
        &self.public
    }
}

const ENCRYPTED: &str = "it is encrypted; \"openssl rsa -in FILE -traditional\" decrypts it";
const OF_OPENSSH: &str = "it is in the form of OpenSSH; \"ssh-keygen -p -m PEM -f FILE\" changes \
                          that of an RSA key";

/// Bits of a key to be made.
pub(crate) fn parse_bits(text: &str) -> Result<u32, String> {
    let range = RsaPublicKey::MIN_CGA_BITS..=RsaPublicKey::MAX_CGA_BITS;
    text.parse()
        .ok()
        .filter(|bits| range.contains(bits))
        .ok_or_else(|| format!("a key has {} to {} bits", range.start(), range.end()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::vectors::{
        self,
        octets, //
    };
    use super::*;

    /// A key that protects nothing.
    pub(crate) fn sample(name: &str) -> PrivateKey {
        let keys = vectors::file("keys.json");
        PrivateKey::from_pkcs1(&octets(&keys[name]["pkcs1_private_der"])).unwrap()
    }

    fn in_pem(label: &str, contents: &[u8]) -> String {
        pem::encode(&pem::Pem::new(label, contents))
    }

    #[test]
    fn the_public_key_is_encoded_as_the_vectors_have_it() {
        let keys = vectors::file("keys.json");
        for name in ["rsa1024", "rsa2048"] {
            let key = sample(name);
            assert_eq!(key.public_key(), octets(&keys[name]["spki_der"]), "{name}");
            assert_eq!(
                key.as_pkcs1(),
                octets(&keys[name]["pkcs1_private_der"]),
                "{name}"
            );
        }
    }

    #[test]
    fn a_key_that_is_made_has_so_many_bits() {
        let key = PrivateKey::generate(1024).unwrap();
        let public = RsaPublicKey::parse(key.public_key()).unwrap();
        assert_eq!((public.bits(), public.exponent()), (1024, 65537));
        assert_eq!(PrivateKey::from_pkcs1(key.as_pkcs1()), Ok(key));
    }

    #[test]
    fn files_of_other_tools() {
        let key = sample("rsa1024");
        let pkcs1 = in_pem(PKCS1, key.as_pkcs1());
        assert_eq!(PrivateKey::from_pem(&pkcs1), Ok(key.clone()));

        // PrivateKeyInfo: version, rsaEncryption with NULL, the PKCS #1 form as OCTET STRING.
        let inner = key.as_pkcs1();
        let len = |len: usize| u16::try_from(len).unwrap().to_be_bytes();
        let pkcs8 = [
            &[0x30, 0x82][..],
            &len(3 + 15 + 4 + inner.len()),
            &[0x02, 0x01, 0x00],
            &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7],
            &[0x0d, 0x01, 0x01, 0x01, 0x05, 0x00],
            &[0x04, 0x82],
            &len(inner.len()),
            inner,
        ]
        .concat();
        let text = format!("a comment\n{}", in_pem(PKCS8, &pkcs8));
        assert_eq!(PrivateKey::from_pem(&text), Ok(key.clone()));

        // Blocks of other kinds are passed over.
        let text = format!("{}{pkcs1}", in_pem("CERTIFICATE", &[1, 2, 3]));
        assert_eq!(PrivateKey::from_pem(&text), Ok(key));
    }

    #[test]
    fn keys_that_cannot_be_used_say_why() {
        let encrypted = "-----BEGIN RSA PRIVATE KEY-----\n\
             Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n\
             -----END RSA PRIVATE KEY-----\n";
        for (text, word) in [
            (encrypted.to_owned(), "encrypted"),
            (in_pem(PKCS8_ENCRYPTED, &[0]), "encrypted"),
            (in_pem(OPENSSH, &[0]), "ssh-keygen -p -m PEM"),
            (in_pem("CERTIFICATE", &[0]), "no block RSA PRIVATE KEY"),
            (String::new(), "no block RSA PRIVATE KEY"),
            (in_pem(PKCS1, &[0x30, 0]), "no RSA key in PKCS #1"),
            (in_pem(PKCS8, &[0x30, 0]), "no RSA key in PKCS #8"),
        ] {
            let refusal = PrivateKey::from_pem(&text).unwrap_err();
            assert!(refusal.contains(word), "{text}: {refusal}");
        }
    }

    #[test]
    fn sizes_of_keys() {
        assert_eq!(parse_bits("1024"), Ok(1024));
        assert_eq!(parse_bits("4096"), Ok(4096));
        for text in ["1023", "4097", "-1", "2k", ""] {
            let refusal = parse_bits(text).unwrap_err();
            assert_eq!(refusal, "a key has 1024 to 4096 bits", "{text}");
        }
    }
}
