// SPDX-License-Identifier: GPL-2.0

//! Whether the locators that a message lists belong to the owner of ULID(peer) (RFC 5533,
//! Sections 7.2 and 10.4). Whether the peer can be reached there is another question.
//!
//! What costs nothing is checked first, for all locators, then hashes are made, and the one
//! signature that a message can have is verified when nothing else is left to be wrong. Nothing
//! is stored: what is verified borrows the message.

use super::{
    cga,
    counted::counted,
    crypto::{
        Digests,
        SignatureError,
        SignatureVerifier, //
    },
    hba,
    locator::{
        Locator,
        LocatorRecord,
        Ulid,
        VerificationMethod,
        MAX_LOCATORS, //
    },
    number::Generation,
    pds::{
        MultiPrefix,
        Pds, //
    },
    rsa_key::RsaPublicKey,
    signature,
    wire::{
        fault::Report,
        option::{
            HostOptions,
            LocatorList, //
        }, //
    }, //
};

counted! {
    /// Why a host's word about its locators is not taken. Every reason is a counter of its own.
    pub enum Refusal {
        /// The PDS is malformed.
        MalformedParameters = "malformed_parameters",
        /// The PDS is not the one of the ULID.
        ForeignParameters = "foreign_parameters",
        /// The list has more than [`MAX_LOCATORS`] locators.
        TooMany = "too_many",
        /// A locator is multicast, unspecified, loopback, link-local or IPv4-mapped.
        Unusable = "unusable",
        /// A locator comes twice.
        Repeated = "repeated",
        /// A verification method is neither HBA nor CGA.
        UnknownMethod = "unknown_method",
        /// There is no PDS to verify the list with.
        NoParameters = "no_parameters",
        /// A locator is to be verified by HBA, and the PDS is of no set.
        NoSet = "no_set",
        /// A locator is to be verified by CGA, and the PDS has no RSA key that may be used for it:
        /// none at all, another algorithm, a size out of bounds.
        NoKey = "no_key",
        /// A locator is to be verified by CGA, and there is no signature.
        NoSignature = "no_signature",
        /// A locator is not in the set that the PDS is about.
        NotInSet = "not_in_set",
        /// The signature is wrong.
        WrongSignature = "wrong_signature",
        /// The signature could not be verified for reasons that are not the peer's.
        Unavailable = "unavailable",
    }
}

/// A message that must not be processed, because of what it says about its sender.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rejection {
    /// Why.
    pub refusal: Refusal,
    /// The Error message to answer with, subject to the rate limit; [`None`] to drop silently.
    pub report: Option<Report>,
}

/// A rejection that is silent.
impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            report: None,
        }
    }
}

/// A CGA Parameter Data Structure that is the one of a ULID: evidence of its verification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UlidParameters<'a> {
    ulid: Ulid,
    pds: Pds<'a>,
    set: Option<MultiPrefix<'a>>,
}

impl<'a> UlidParameters<'a> {
    /// Verifies that `octets` are the PDS of `ulid`: as a member of its set if that has the
    /// prefix, otherwise as a CGA (RFC 5533, Section 7.13).
    ///
    /// # Errors
    ///
    /// [`Refusal::MalformedParameters`] and [`Refusal::ForeignParameters`], both silent.
    pub fn verify(digests: &impl Digests, ulid: Ulid, octets: &'a [u8]) -> Result<Self, Rejection> {
        let pds = Pds::parse(octets).map_err(|_| Refusal::MalformedParameters)?;
        let set = pds
            .parameters()
            .multi_prefix()
            .map_err(|_| Refusal::MalformedParameters)?;

        let is_its_own = if set.is_some_and(|set| set.contains(ulid.subnet_prefix())) {
            hba::verify(digests, ulid.as_locator(), &pds).is_ok()
        } else {
            cga::verify(digests, ulid.as_locator(), &pds).is_ok()
        };
        if !is_its_own {
            return Err(Refusal::ForeignParameters.into());
        }
        Ok(Self { ulid, pds, set })
    }

    /// The PDS.
    pub const fn pds(&self) -> &Pds<'a> {
        &self.pds
    }

    /// Whether the locator may be in the set, as far as can be said without a hash. The ULID
    /// needs no verification (RFC 5533, Section 7.2).
    fn has_prefix_of(&self, locator: Locator) -> Result<(), Refusal> {
        let set = self.set.ok_or(Refusal::NoSet)?;
        if locator != self.ulid.as_locator() && !set.contains(locator.subnet_prefix()) {
            return Err(Refusal::NotInSet);
        }
        Ok(())
    }

    /// Whether the locator is in the set, as [`hba::verify`] says; but the extension with its prefixes
    /// has been read once for all.
    fn has_in_set(&self, digests: &impl Digests, locator: Locator) -> Result<(), Refusal> {
        self.has_prefix_of(locator)?;
        if locator == self.ulid.as_locator() {
            return Ok(());
        }
        cga::verify_hashes(digests, locator, &self.pds).map_err(|_| Refusal::NotInSet)
    }

    /// The key that locators are verified with by CGA. In an HBA-only set there is something else
    /// in its place, which is not looked at.
    fn key(&self) -> Option<RsaPublicKey<'a>> {
        if self.set.is_some_and(|set| !set.has_public_key()) {
            return None;
        }
        RsaPublicKey::parse(self.pds.parameters().public_key())
            .ok()
            .filter(RsaPublicKey::has_cga_size)
    }

    /// The key and the signature that a list with CGA locators has to have.
    fn signed(&self, signature: Option<&'a [u8]>) -> Result<(RsaPublicKey<'a>, &'a [u8]), Refusal> {
        let key = self.key().ok_or(Refusal::NoKey)?;
        let signature = signature.ok_or(Refusal::NoSignature)?;
        if !key.admits(signature) {
            return Err(Refusal::WrongSignature);
        }
        Ok((key, signature))
    }
}

/// A list whose locators have all been verified, except for the signature if they need one.
#[derive(Clone, Copy, Debug)]
pub struct CheckedList<'a> {
    list: LocatorList<'a>,
    signature: Option<SignatureCheck<'a>>,
}

/// A signature that is still to be verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignatureCheck<'a> {
    /// The key of the PDS.
    pub key: RsaPublicKey<'a>,
    /// The digest of what has to be signed.
    pub digest: [u8; 20],
    /// The signature, as long as the modulus of the key.
    pub signature: &'a [u8],
    /// The Error message if it is wrong: the RFC wants a method to be pointed at, and this is the
    /// first that the signature is for.
    report: Report,
}

impl<'a> CheckedList<'a> {
    /// Verifies everything but the signature. A list without CGA locators needs none, and one
    /// that is there nonetheless is ignored.
    ///
    /// # Errors
    ///
    /// [`Rejection`]. A list that is too long, repeats a locator or has one that is unusable is
    /// refused silently, all else with Error code 2, which points at the verification method of
    /// the first locator that could not be verified (RFC 5533, Section 7.2).
    pub fn new(
        digests: &impl Digests,
        parameters: Option<&UlidParameters<'a>>,
        list: LocatorList<'a>,
        signature: Option<&'a [u8]>,
    ) -> Result<Self, Rejection> {
        check_locators(&list)?;
        check_each(&list, |record| match record.method.is_supported() {
            true => Ok(()),
            false => Err(Refusal::UnknownMethod),
        })?;
        let Some(parameters) = parameters else {
            return Err(Rejection {
                refusal: Refusal::NoParameters,
                report: Some(list.method_report(0)),
            });
        };
        let signed = parameters.signed(signature);
        // What costs no hash, of all of them.
        check_each(&list, |record| match record.method {
            VerificationMethod::CGA => signed.map(|_| ()),
            _ => parameters.has_prefix_of(record.locator),
        })?;
        check_each(&list, |record| match record.method {
            VerificationMethod::CGA => Ok(()),
            _ => parameters.has_in_set(digests, record.locator),
        })?;

        let signature = match (first_cga(&list), signed) {
            (Some(report), Ok((key, signature))) => Some(SignatureCheck {
                key,
                digest: signature::digest(digests, list.generation(), list.iter())
                    .ok_or(Refusal::TooMany)?,
                signature,
                report,
            }),
            _ => None,
        };
        Ok(Self { list, signature })
    }

    /// The signature that [`finish`](Self::finish) is going to verify, if there is one: all that
    /// is left to do, and by far the most work.
    pub const fn signature(&self) -> Option<&SignatureCheck<'a>> {
        self.signature.as_ref()
    }

    /// Verifies the signature, if one is needed.
    ///
    /// # Errors
    ///
    /// [`Refusal::WrongSignature`] and [`Refusal::NoKey`] with Error code 2, and
    /// [`Refusal::Unavailable`], which is silent.
    pub fn finish(
        self,
        verifier: &mut impl SignatureVerifier,
    ) -> Result<VerifiedList<'a>, Rejection> {
        if let Some(check) = self.signature {
            verifier
                .verify(check.key, &check.digest, check.signature)
                .map_err(|error| match error {
                    SignatureError::Wrong => Rejection {
                        refusal: Refusal::WrongSignature,
                        report: Some(check.report),
                    },
                    SignatureError::Unsupported => Rejection {
                        refusal: Refusal::NoKey,
                        report: Some(check.report),
                    },
                    SignatureError::Failed => Refusal::Unavailable.into(),
                })?;
        }
        Ok(VerifiedList(self.list))
    }
}

/// Checks the addresses of a list: not too many, all usable, all different.
fn check_locators(list: &LocatorList<'_>) -> Result<(), Refusal> {
    if list.len() > MAX_LOCATORS {
        return Err(Refusal::TooMany);
    }
    let mut rest = list.iter();
    while let Some(record) = rest.next() {
        if !record.locator.is_shimmable() {
            return Err(Refusal::Unusable);
        }
        if rest.clone().any(|other| other.locator == record.locator) {
            return Err(Refusal::Repeated);
        }
    }
    Ok(())
}

/// The locators of a list, which are at most 255, and their indices.
fn indexed<'a>(list: &LocatorList<'a>) -> impl Iterator<Item = (u8, LocatorRecord)> + 'a {
    (0..=u8::MAX).zip(list.iter())
}

/// Applies a check to each locator; the first refusal is reported with its method.
fn check_each(
    list: &LocatorList<'_>,
    mut check: impl FnMut(LocatorRecord) -> Result<(), Refusal>,
) -> Result<(), Rejection> {
    for (index, record) in indexed(list) {
        check(record).map_err(|refusal| Rejection {
            refusal,
            report: Some(list.method_report(index)),
        })?;
    }
    Ok(())
}

/// The report that points at the first CGA method; [`None`] without one.
fn first_cga(list: &LocatorList<'_>) -> Option<Report> {
    indexed(list)
        .find(|(_, record)| record.method == VerificationMethod::CGA)
        .map(|(index, _)| list.method_report(index))
}

/// A list of distinct, usable locators that all belong to the owner of the ULID: evidence of their
/// verification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VerifiedList<'a>(LocatorList<'a>);

impl<'a> VerifiedList<'a> {
    /// The number of this version of the list.
    pub const fn generation(&self) -> Generation {
        self.0.generation()
    }

    /// How many locators: 1 to [`MAX_LOCATORS`].
    #[expect(clippy::len_without_is_empty, reason = "a list is never empty")]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The locators with the methods that they were verified by, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = LocatorRecord> + Clone + 'a {
        self.0.iter()
    }

    /// Whether the locator is in the list.
    pub fn contains(&self, locator: Locator) -> bool {
        self.iter().any(|record| record.locator == locator)
    }
}

/// What a message says about its sender, as far as it has to be verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VerifiedHost<'a> {
    /// The PDS of the message, to be kept: later lists may come without it.
    pub parameters: Option<UlidParameters<'a>>,
    /// The list of the message.
    pub list: Option<VerifiedList<'a>>,
}

impl<'a> VerifiedHost<'a> {
    /// Verifies PDS, list and signature of a message from the owner of `ulid`. `stored` is the
    /// PDS that a message before had; it takes the place of a missing one.
    ///
    /// # Errors
    ///
    /// [`Rejection`]: the message is ignored as a whole.
    pub fn verify(
        digests: &impl Digests,
        verifier: &mut impl SignatureVerifier,
        ulid: Ulid,
        stored: Option<&'a [u8]>,
        host: &HostOptions<'a>,
    ) -> Result<Self, Rejection> {
        let verify = |octets| UlidParameters::verify(digests, ulid, octets);
        let parameters = host.cga_parameters.map(verify).transpose()?;
        let Some(list) = host.locator_list else {
            return Ok(Self {
                parameters,
                list: None,
            });
        };
        let known = match parameters {
            Some(_) => parameters,
            None => stored.map(verify).transpose()?,
        };
        let list = CheckedList::new(digests, known.as_ref(), list, host.cga_signature)?;

        Ok(Self {
            parameters,
            list: Some(list.finish(verifier)?),
        })
    }
}
