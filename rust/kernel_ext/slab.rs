// SPDX-License-Identifier: GPL-2.0

//! Slab caches: memory for objects of which there are many, each of exactly its size, where `kmalloc`
//! has classes of sizes. What comes from a cache is an ordinary [`KBox`].
//!
//! C header: [`include/linux/slab.h`](srctree/include/linux/slab.h)

use crate::bindings;
use core::{
    marker::PhantomData,
    mem::MaybeUninit,
    ptr, //
};
use kernel::{
    alloc::AllocError,
    ffi::c_uint,
    prelude::*,
    sync::atomic::{
        ordering::{
            Acquire,
            Full,
            Release, //
        },
        Atomic, //
    }, //
};

/// The memory of objects of one type, a static.
///
/// # Invariants
///
/// The pointer is null or a slab cache for objects with the layout of `T`.
pub(crate) struct Cache<T> {
    name: &'static CStr,
    cache: Atomic<*mut bindings::kmem_cache>,
    _of: PhantomData<fn() -> T>,
}

// SAFETY: A slab cache synchronises its users itself.
unsafe impl<T> Sync for Cache<T> {}

impl<T> Cache<T> {
    /// A cache that `/proc/slabinfo` may show under this name. There is no memory before it is
    /// registered.
    pub(crate) const fn new(name: &'static CStr) -> Self {
        // INVARIANT: Null.
        Self {
            name,
            cache: Atomic::new(ptr::null_mut()),
            _of: PhantomData,
        }
    }

    /// Makes the cache, once. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn register(&'static self) -> Result<Registration> {
        // SAFETY: The name is static; a layout has a size and an alignment that C takes.
        let cache = unsafe {
            bindings::shim6_helper_cache_create(
                self.name.as_char_ptr(),
                size_of::<T>() as c_uint,
                align_of::<T>() as c_uint,
            )
        };
        if cache.is_null() {
            return Err(ENOMEM);
        }
        // INVARIANT: Made just now, for this layout.
        self.cache.store(cache, Release);
        Ok(Registration(&self.cache))
    }

    /// Memory for one object. May sleep.
    pub(crate) fn alloc(&self) -> Result<KBox<MaybeUninit<T>>, AllocError> {
        let cache = self.cache.load(Acquire);
        if cache.is_null() {
            return Err(AllocError);
        }
        // SAFETY: By the type invariant, and a cache is destroyed when nobody wants memory any more.
        let object = unsafe { bindings::shim6_helper_cache_alloc(cache) };
        if object.is_null() {
            return Err(AllocError);
        }
        // SAFETY: The object has the layout of `T`, is ours, and may be freed by `kfree`, which is
        // what a box does (Documentation/core-api/memory-allocation.rst). A box is never grown.
        Ok(unsafe { KBox::from_raw(object.cast()) })
    }

    /// An object with this value. May sleep.
    pub(crate) fn new_box(&self, value: T) -> Result<KBox<T>, AllocError> {
        Ok(KBox::write(self.alloc()?, value))
    }
}

/// A [`Cache`] that is there; dropping it destroys the cache. What came from it has to be free then,
/// and nobody may want more: whatever makes objects is gone, and RCU callbacks have run.
#[must_use = "a cache whose registration is dropped is destroyed"]
pub(crate) struct Registration(&'static Atomic<*mut bindings::kmem_cache>);

impl Drop for Registration {
    fn drop(&mut self) {
        let cache = self.0.xchg(ptr::null_mut(), Full);
        // SAFETY: `register` made it. If objects are left in it the kernel says so, and keeps them.
        unsafe { bindings::kmem_cache_destroy(cache) };
    }
}
