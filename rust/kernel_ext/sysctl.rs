// SPDX-License-Identifier: GPL-2.0

//! Settings of a namespace below `/proc/sys/net`.
//!
//! C header: [`include/linux/sysctl.h`](srctree/include/linux/sysctl.h)

use super::{
    fault,
    net::Net, //
};
use crate::bindings;
use core::{
    cell::UnsafeCell,
    ptr::{
        self,
        NonNull, //
    },
};
use kernel::{
    ffi::{
        c_char,
        c_uint, //
    },
    prelude::*,
    str::CStr, //
};

/// How many words a [`Setting::word`] may have.
const MAX_WORDS: usize = 7;

/// What one setting is.
///
/// # Invariants
///
/// `words` are static strings, of 31 octets at most, before the first null.
pub(crate) struct Setting {
    name: &'static CStr,
    default: u32,
    min: u32,
    max: u32,
    words: [*const c_char; MAX_WORDS + 1],
}

// SAFETY: What the words point to is static and immutable.
unsafe impl Sync for Setting {}

impl Setting {
    /// A number from `min` to `max`, in a file of this name, that is `default` at the start.
    pub(crate) const fn number(name: &'static CStr, default: u32, min: u32, max: u32) -> Self {
        assert!(min <= default && default <= max, "default is out of range");
        Self {
            name,
            default,
            min,
            max,
            words: [ptr::null(); MAX_WORDS + 1],
        }
    }

    /// One of some words; the value is its index. `default` is the index of that at the start.
    pub(crate) const fn word(
        name: &'static CStr,
        default: u32,
        words: &'static [&'static CStr],
    ) -> Self {
        assert!(words.len() <= MAX_WORDS, "too many words");
        assert!((default as usize) < words.len(), "default is no word");
        let mut setting = Self::number(name, default, 0, words.len() as u32 - 1);
        let mut i = 0;
        while i < words.len() {
            let word = words[i].to_bytes_with_nul();
            assert!(word.len() <= 32, "word is too long");
            setting.words[i] = word.as_ptr();
            i += 1;
        }
        setting
    }
}

/// Who is told of changes.
pub(crate) trait Observer: 'static {
    /// A setting of a namespace with [words](Setting::word) was written. Process context, may sleep.
    /// It may be that the settings are not all made yet, or going.
    fn changed(net: &Net);
}

/// # Safety
///
/// Called while settings of the namespace are visible.
unsafe extern "C" fn changed<O: Observer>(net: *mut bindings::net) {
    // SAFETY: The namespace outlives its settings.
    O::changed(unsafe { Net::from_ptr(net) });
}

/// `N` settings of one namespace, unsigned integers.
pub(crate) struct Settings<const N: usize> {
    values: [UnsafeCell<c_uint>; N],
    table: &'static [Setting; N],
}

// SAFETY: Values are read and written as whole words; C writes them with WRITE_ONCE.
unsafe impl<const N: usize> Send for Settings<N> {}
// SAFETY: As above.
unsafe impl<const N: usize> Sync for Settings<N> {}

impl<const N: usize> Settings<N> {
    /// Settings at their defaults.
    pub(crate) fn new(table: &'static [Setting; N]) -> Self {
        Self {
            values: core::array::from_fn(|i| {
                UnsafeCell::new(table.get(i).map_or(0, |setting| setting.default))
            }),
            table,
        }
    }

    /// The value in force.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> u32 {
        match self.values.get(index) {
            // SAFETY: The cell is valid; the read is of a whole word.
            Some(value) => unsafe { ptr::read_volatile(value.get()) },
            None => 0,
        }
    }

    /// Shows the settings as files below `path`. Process context.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    ///
    /// # Safety
    ///
    /// `self` does not move and outlives the registration.
    unsafe fn register<O: Observer>(
        &self,
        net: &Net,
        path: &CStr,
    ) -> Result<NonNull<bindings::ctl_table_header>> {
        let names: [*const c_char; N] = core::array::from_fn(|i| {
            self.table
                .get(i)
                .map_or(ptr::null(), |s| s.name.as_char_ptr())
        });
        let mut values: [*mut c_uint; N] =
            core::array::from_fn(|i| self.values.get(i).map_or(ptr::null_mut(), UnsafeCell::get));
        // SAFETY: The arrays have N elements; names are static, values live as long as the
        // registration by the safety requirement, and limits are static.
        let header = unsafe {
            bindings::shim6_helper_register_uint_sysctls(
                net.as_ptr(),
                path.as_char_ptr(),
                names.as_ptr(),
                values.as_mut_ptr(),
                &raw const self.table[0].min,
                &raw const self.table[0].max,
                &raw const self.table[0].words[0],
                core::mem::size_of::<Setting>() as c_uint,
                N as c_uint,
                Some(changed::<O>),
            )
        };
        NonNull::new(header).ok_or(ENOMEM)
    }
}

/// Settings that are visible; dropping it hides them.
pub(crate) struct Registered<const N: usize> {
    settings: Pin<KBox<Settings<N>>>,
    header: NonNull<bindings::ctl_table_header>,
}

// SAFETY: The header may be unregistered from any task.
unsafe impl<const N: usize> Send for Registered<N> {}
// SAFETY: Shared use reads values only.
unsafe impl<const N: usize> Sync for Registered<N> {}

impl<const N: usize> Registered<N> {
    /// Makes settings at their defaults and shows them below `path` of a namespace. `O` is told
    /// when they change.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new<O: Observer>(
        net: &Net,
        path: &CStr,
        table: &'static [Setting; N],
    ) -> Result<Self> {
        fault::point(fault::Point::Settings)?;
        let settings = KBox::pin(Settings::new(table), GFP_KERNEL)?;
        // SAFETY: The settings are pinned, and `drop` ends the registration before them.
        let header = unsafe { settings.register::<O>(net, path) }?;
        Ok(Self { settings, header })
    }

    /// The value in force.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> u32 {
        self.settings.get(index)
    }
}

impl<const N: usize> Drop for Registered<N> {
    fn drop(&mut self) {
        // SAFETY: Registered by `new`; waits for users.
        unsafe { bindings::shim6_helper_unregister_uint_sysctls(self.header.as_ptr()) };
    }
}
