// SPDX-License-Identifier: GPL-2.0

//! Who this host is: HBA sets and CGA keys, and the locator lists that follow from them and from the
//! addresses that are there (RFC 5535; RFC 5533, Sections 6.1 and 7.2).

use super::{
    crypto::{
        self,
        KernelDigests, //
    },
    Control, //
};
use crate::{
    context::{
        KnownLocator,
        Listed,
        Local,
        LocatorList,
        Namespace, //
    },
    kernel_ext::{
        local_address,
        net::Net,
        random,
        rcu::RcuArc, //
    },
    proto::{
        cga,
        crypto::SignatureVerifier,
        hba,
        locator::{
            Locator,
            LocatorRecord,
            Preference,
            PreferenceFlags,
            Ulid,
            VerificationMethod,
            MAX_LOCATORS, //
        },
        number::Generation,
        pds::Pds,
        rsa_key::RsaPublicKey,
        signature,
        verify::UlidParameters, //
    },
};
use core::ops::ControlFlow;
use kernel::{
    alloc::AllocError,
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

/// Most identities of a namespace.
const MAX_IDENTITIES: usize = 1024;

/// Why an identity is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IdentityError {
    /// The PDS is no PDS.
    Malformed,
    /// Its Multi-Prefix extension is malformed.
    Extension,
    /// It has no set of prefixes and no key: nothing but its own address could be proved.
    Useless,
    /// The private key is not the one of the public key, or of a kind that cannot sign.
    PrivateKey,
    /// There is a private key, but no public key that it could belong to.
    NoPublicKey,
    /// The public key is too small or too large to sign locators with.
    KeySize,
    /// There is an identity of this name.
    Exists,
    /// There are too many.
    Full,
    /// There is none of this name.
    NotFound,
    /// No memory.
    NoMemory,
}

impl From<AllocError> for IdentityError {
    fn from(_: AllocError) -> Self {
        Self::NoMemory
    }
}

/// An identity; immutable.
pub(crate) struct LocalIdentity {
    name: KVec<u8>,
    pds: KVec<u8>,
    private_key: KVec<u8>,
    /// The addresses that it makes: those of its set, or the one CGA.
    addresses: KVec<Locator>,
    /// Whether the addresses are a set.
    is_set: bool,
}

impl LocalIdentity {
    /// An identity of these parts. May sleep.
    pub(crate) fn new(name: &[u8], pds: &[u8], private_key: &[u8]) -> Result<Self, IdentityError> {
        let parsed = Pds::parse(pds).map_err(|_| IdentityError::Malformed)?;
        let parameters = parsed.parameters();
        let set = parameters
            .multi_prefix()
            .map_err(|_| IdentityError::Extension)?;
        // A PDS does not say for which Sec value its modifier was made. It is the largest that it
        // is good enough for: to be good enough by chance for more has one chance in 65,536.
        let mut addresses = KVec::new();
        for sec in [2, 1, 0].into_iter().filter_map(cga::Sec::new) {
            addresses = addresses_of(&parsed, sec)?;
            if addresses.first().is_some_and(|address| {
                UlidParameters::verify(&KernelDigests, address.as_ulid(), pds).is_ok()
            }) {
                break;
            }
        }

        let has_key = set.is_none_or(|set| set.has_public_key());
        if !private_key.is_empty() {
            if !has_key {
                return Err(IdentityError::NoPublicKey);
            }
            check_key(parameters.public_key(), private_key)?;
        } else if set.is_none() {
            return Err(IdentityError::Useless);
        }
        let copy = |octets: &[u8]| -> Result<KVec<u8>, AllocError> {
            let mut copy = KVec::new();
            copy.extend_from_slice(octets, GFP_KERNEL)?;
            Ok(copy)
        };
        Ok(Self {
            name: copy(name)?,
            pds: copy(pds)?,
            private_key: copy(private_key)?,
            addresses,
            is_set: set.is_some(),
        })
    }

    /// Its name, without a terminating zero.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Its PDS.
    pub(crate) fn pds(&self) -> &[u8] {
        &self.pds
    }

    /// Whether it can sign locators.
    pub(crate) fn signs(&self) -> bool {
        !self.private_key.is_empty()
    }

    /// Whether it makes this address.
    fn owns(&self, address: &Locator) -> bool {
        self.addresses.contains(address)
    }

    /// How it can prove an address of this host.
    fn method_for(&self, address: &Locator) -> Option<VerificationMethod> {
        if self.is_set && self.owns(address) {
            Some(VerificationMethod::HBA)
        } else if self.signs() {
            Some(VerificationMethod::CGA)
        } else {
            None
        }
    }

    /// The list of this host for a context with this ULID, signed. May sleep.
    fn list(&self, net: &Net, ulid: Ulid) -> Result<LocatorList, AllocError> {
        let mut found: KVec<KnownLocator> = KVec::with_capacity(MAX_LOCATORS, GFP_KERNEL)?;
        // The ULID comes first and is there in any case: whether the context outlives it is
        // another question. While no packets can be sent from it, it is BROKEN (RFC 5533,
        // Section 5.15.3).
        found.push(
            KnownLocator {
                verification: self.method_for(&ulid.as_locator()),
                preference: Preference {
                    flags: PreferenceFlags::BROKEN,
                    ..Preference::default()
                },
                ..KnownLocator::new(ulid.as_locator())
            },
            GFP_KERNEL,
        )?;
        local_address::for_each(net, |address| {
            let locator = Locator::new(address.address());
            if let Some(known) = found.first_mut().filter(|known| known.locator == locator) {
                if address.is_usable() {
                    known.preference = Preference::default();
                }
            }
            let method = self
                .method_for(&locator)
                .filter(|_| address.is_usable() && locator.is_shimmable());
            let is_new = !found.iter().any(|known| known.locator == locator);
            if let (Some(method), true) = (method, is_new) {
                let known = KnownLocator {
                    verification: Some(method),
                    preference: Preference::default(),
                    ..KnownLocator::new(locator)
                };
                // There is room for as many as a list may have.
                if found.len() >= MAX_LOCATORS || found.push_within_capacity(known).is_err() {
                    return ControlFlow::Break(());
                }
                move_to_its_place(&mut found);
            }
            ControlFlow::Continue(())
        });
        LocatorList::told(found.iter().copied()).map_err(|_| AllocError)
    }
}

/// Moves the last locator of a list to where the order of addresses wants it, behind the first one,
/// which is the ULID. The order of interfaces is none of preference, and must not look like a change.
fn move_to_its_place(found: &mut [KnownLocator]) {
    let Some((_, rest)) = found.split_first_mut() else {
        return;
    };
    let Some(last) = rest.last().map(|known| known.locator) else {
        return;
    };
    let place = rest.iter().position(|known| known.locator >= last);
    if let Some(behind) = place.and_then(|place| rest.get_mut(place..)) {
        behind.rotate_right(1);
    }
}

/// The addresses that a PDS makes: those of its set, or the one CGA. May sleep.
fn addresses_of(pds: &Pds<'_>, sec: cga::Sec) -> Result<KVec<Locator>, IdentityError> {
    let parameters = *pds.parameters();
    let count = pds.collision_count();
    let mut addresses = KVec::new();

    if has_set(pds)? {
        let made = hba::addresses(&KernelDigests, parameters, sec, count)
            .map_err(|_| IdentityError::Extension)?;
        for address in made {
            addresses.push(address, GFP_KERNEL)?;
        }
    } else {
        let address = cga::address(&KernelDigests, &parameters, sec, pds.subnet_prefix(), count);
        addresses.push(address, GFP_KERNEL)?;
    }
    Ok(addresses)
}

fn has_set(pds: &Pds<'_>) -> Result<bool, IdentityError> {
    pds.parameters()
        .multi_prefix()
        .map(|set| set.is_some())
        .map_err(|_| IdentityError::Extension)
}

/// Whether the private key signs what the public key verifies. Process context, sleeps.
fn check_key(public_key: &[u8], private_key: &[u8]) -> Result<(), IdentityError> {
    let public = RsaPublicKey::parse(public_key).map_err(|_| IdentityError::NoPublicKey)?;
    if !public.has_cga_size() {
        return Err(IdentityError::KeySize);
    }
    let digest = [0; 20];
    let signature = crypto::sign(private_key, &digest).map_err(|_| IdentityError::PrivateKey)?;
    crypto::KernelVerifier
        .verify(public, &digest, &signature)
        .map_err(|_| IdentityError::PrivateKey)
}

/// What this host tells its peers in contexts with one ULID.
struct Announced {
    ulid: Ulid,
    local: RcuArc<Local>,
    /// Addresses came or went since it was made.
    is_stale: bool,
}

/// What is kept under the lock.
struct Inner {
    identities: KVec<Arc<LocalIdentity>>,
    announced: KVec<Announced>,
}

/// The identities of a namespace. Process context.
#[pin_data]
pub(crate) struct Identities {
    #[pin]
    inner: Mutex<Inner>,
}

impl Identities {
    /// None.
    pub(super) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            inner <- new_mutex!(Inner {
                identities: KVec::new(),
                announced: KVec::new(),
            }),
        }? Error)
    }

    /// Adds an identity. May sleep.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Exists`], [`IdentityError::Full`], [`IdentityError::NoMemory`].
    pub(crate) fn add(&self, identity: LocalIdentity) -> Result<(), IdentityError> {
        let identity = Arc::new(identity, GFP_KERNEL)?;
        let mut inner = self.inner.lock();
        if inner
            .identities
            .iter()
            .any(|other| other.name == identity.name)
        {
            return Err(IdentityError::Exists);
        }
        if inner.identities.len() >= MAX_IDENTITIES {
            return Err(IdentityError::Full);
        }
        inner.identities.push(identity, GFP_KERNEL)?;
        // Contexts to come have other lists; those that are there keep what they told.
        inner.announced.clear();
        Ok(())
    }

    /// Takes an identity out. Contexts go on with what they told.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NotFound`].
    pub(crate) fn remove(&self, name: &[u8]) -> Result<(), IdentityError> {
        let mut inner = self.inner.lock();
        let index = inner
            .identities
            .iter()
            .position(|identity| identity.name() == name)
            .ok_or(IdentityError::NotFound)?;
        inner
            .identities
            .remove(index)
            .map_err(|_| IdentityError::NotFound)?;
        inner.announced.clear();
        Ok(())
    }

    /// The identity of this name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<Arc<LocalIdentity>> {
        self.inner
            .lock()
            .identities
            .iter()
            .find(|identity| identity.name() == name)
            .cloned()
    }

    /// The identity with this index, for who looks at them one after the other.
    pub(crate) fn get(&self, index: usize) -> Option<Arc<LocalIdentity>> {
        self.inner.lock().identities.get(index).cloned()
    }

    /// Whether this host can prove an address.
    pub(super) fn owns(&self, address: &Locator) -> bool {
        self.inner
            .lock()
            .identities
            .iter()
            .any(|identity| identity.owns(address))
    }

    /// Addresses came or went: what is told next follows from those that are there then.
    pub(super) fn addresses_changed(&self) {
        for announced in &mut self.inner.lock().announced {
            announced.is_stale = true;
        }
    }

    /// What this host tells in contexts with a ULID. May sleep.
    fn local(&self, net: &Net, ulid: Ulid) -> Result<RcuArc<Local>> {
        let mut inner = self.inner.lock();
        let before = inner
            .announced
            .iter()
            .position(|announced| announced.ulid == ulid);
        if let Some(announced) = before.and_then(|at| inner.announced.get(at)) {
            if !announced.is_stale {
                return Ok(announced.local.clone());
            }
        }
        let identity = inner
            .identities
            .iter()
            .find(|identity| identity.owns(&ulid.as_locator()))
            .cloned();
        let Some(identity) = identity else {
            let list = LocatorList::of_ulid(ulid).map_err(|_| ENOMEM)?;
            return Ok(Local::unproved(list)?);
        };
        let list = identity.list(net, ulid)?;
        if let Some(announced) = before.and_then(|at| inner.announced.get_mut(at)) {
            if !announced.local.list.is_as(&list) {
                announced.local = signed(list, identity)?;
            }
            announced.is_stale = false;
            return Ok(announced.local.clone());
        }
        let local = signed(list, identity)?;
        inner.announced.push(
            Announced {
                ulid,
                local: local.clone(),
                is_stale: false,
            },
            GFP_KERNEL,
        )?;
        Ok(local)
    }
}

/// A list with a generation of its own and the signature that it needs. May sleep.
fn signed(list: LocatorList, identity: Arc<LocalIdentity>) -> Result<RcuArc<Local>> {
    let generation = Generation::new(random::u32());
    let records = list.iter().map(|known| LocatorRecord {
        locator: known.locator,
        method: known.verification.unwrap_or(VerificationMethod::HBA),
    });
    let needs_signature = records
        .clone()
        .any(|record| record.method == VerificationMethod::CGA);
    let signature = if needs_signature {
        let digest = signature::digest(&KernelDigests, generation, records).ok_or(EINVAL)?;
        crypto::sign(&identity.private_key, &digest)?
    } else {
        KVec::new()
    };
    Ok(Local {
        list,
        generation,
        identity: Some(identity),
        signature,
    }
    .publish()?)
}

/// What a host tells if it tells only this list, of locators that it could tell. May sleep.
pub(crate) fn local_with(full: &Local, list: LocatorList) -> Result<RcuArc<Local>> {
    match &full.identity {
        Some(identity) => signed(list, identity.clone()),
        None => Ok(Local {
            list,
            generation: Generation::new(full.generation.get().wrapping_add(1)),
            identity: None,
            signature: KVec::new(),
        }
        .publish()?),
    }
}

impl Control {
    /// What this host tells in contexts with this ULID. May sleep.
    pub(crate) fn local_for(&self, namespace: &Namespace, ulid: Ulid) -> Result<RcuArc<Local>> {
        self.identities.local(namespace.net(), ulid)
    }
}
