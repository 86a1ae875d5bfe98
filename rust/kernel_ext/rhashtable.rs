// SPDX-License-Identifier: GPL-2.0

//! Resizable hash tables that are read under RCU and written under locks of their own.
//!
//! An object takes part in a table by an [`Entry`] (or [`ListEntry`], where several objects may
//! have the same key) among its members. A table owns one reference to each of its objects.
//!
//! C header: [`include/linux/rhashtable.h`](srctree/include/linux/rhashtable.h)

use super::{
    fault,
    rcu::RcuArc, //
};
use crate::bindings;
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ops::ControlFlow,
    ptr, //
};
use kernel::{
    error::{
        from_err_ptr,
        to_result, //
    },
    ffi::{
        c_int,
        c_uint,
        c_void, //
    },
    prelude::*,
    sync::rcu::{
        self,
        Guard, //
    },
    types::Opaque, //
};

/// What makes an object of type `T` an element of a [`Table`] with keys of `LEN` octets.
///
/// # Invariants
///
/// `object` is null, or points to the object that contains this entry.
#[repr(C)]
pub(crate) struct Entry<T, const LEN: usize> {
    node: Opaque<bindings::rhash_head>,
    key: [u8; LEN],
    object: UnsafeCell<*const T>,
}

// SAFETY: `node` belongs to the table, `object` is written before the entry is published.
unsafe impl<T: Send + Sync, const LEN: usize> Send for Entry<T, LEN> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync, const LEN: usize> Sync for Entry<T, LEN> {}

impl<T, const LEN: usize> Entry<T, LEN> {
    /// An entry that is in no table.
    pub(crate) fn new(key: [u8; LEN]) -> Self {
        Self {
            node: Opaque::zeroed(),
            key,
            object: UnsafeCell::new(ptr::null()),
        }
    }
}

/// The same for a [`ListTable`].
///
/// # Invariants
///
/// As of [`Entry`].
#[repr(C)]
pub(crate) struct ListEntry<T> {
    node: Opaque<bindings::rhlist_head>,
    key: [u8; 8],
    object: UnsafeCell<*const T>,
}

// SAFETY: `node` belongs to the table, `object` is written before the entry is published.
unsafe impl<T: Send + Sync> Send for ListEntry<T> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync> Sync for ListEntry<T> {}

impl<T> ListEntry<T> {
    /// An entry that is in no table.
    pub(crate) fn new(key: [u8; 8]) -> Self {
        Self {
            node: Opaque::zeroed(),
            key,
            object: UnsafeCell::new(ptr::null()),
        }
    }
}

/// Lengths of keys that `rust/helpers/rhashtable.c` knows.
pub(crate) trait KeyLength {
    /// # Safety
    ///
    /// `table` is an initialised table with keys of this length, `key` points to one, and the RCU
    /// read lock is held.
    unsafe fn lookup(table: *mut bindings::rhashtable, key: *const c_void) -> *mut c_void;

    /// # Safety
    ///
    /// As of `lookup` but for the lock; `node` is followed by the key and in no table.
    unsafe fn insert(table: *mut bindings::rhashtable, node: *mut bindings::rhash_head) -> c_int;

    /// # Safety
    ///
    /// As of `insert`, but `node` may be in this table.
    unsafe fn remove(table: *mut bindings::rhashtable, node: *mut bindings::rhash_head) -> c_int;
}

/// Stands for keys of `LEN` octets.
pub(crate) struct Key<const LEN: usize>;

macro_rules! key_length {
    ($len:literal, $lookup:ident, $insert:ident, $remove:ident) => {
        impl KeyLength for Key<$len> {
            #[inline]
            unsafe fn lookup(table: *mut bindings::rhashtable, key: *const c_void) -> *mut c_void {
                // SAFETY: The requirements are the caller's.
                unsafe { bindings::$lookup(table, key) }
            }
            unsafe fn insert(
                table: *mut bindings::rhashtable,
                node: *mut bindings::rhash_head,
            ) -> c_int {
                // SAFETY: The requirements are the caller's.
                unsafe { bindings::$insert(table, node) }
            }
            unsafe fn remove(
                table: *mut bindings::rhashtable,
                node: *mut bindings::rhash_head,
            ) -> c_int {
                // SAFETY: The requirements are the caller's.
                unsafe { bindings::$remove(table, node) }
            }
        }
    };
}

key_length!(
    8,
    shim6_helper_table_lookup_8,
    shim6_helper_table_insert_8,
    shim6_helper_table_remove_8
);
key_length!(
    40,
    shim6_helper_table_lookup_40,
    shim6_helper_table_insert_40,
    shim6_helper_table_remove_40
);

/// Finds the [`Entry`] of an object that belongs to one table.
type EntryOf<T, const LEN: usize> = fn(&T) -> &Entry<T, LEN>;

/// A table of objects with distinct keys.
///
/// # Invariants
///
/// The table is initialised. Each element is an [`Entry<T, LEN>`] whose `object` points to an object
/// that the table owns a reference to.
#[pin_data(PinnedDrop)]
pub(crate) struct Table<T: Send + Sync + 'static, const LEN: usize> {
    #[pin]
    table: Opaque<bindings::rhashtable>,
    entry: EntryOf<T, LEN>,
    _owns: PhantomData<RcuArc<T>>,
}

// SAFETY: The table synchronises its users itself and gives out shared references only.
unsafe impl<T: Send + Sync, const LEN: usize> Send for Table<T, LEN> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync, const LEN: usize> Sync for Table<T, LEN> {}

impl<T: Send + Sync + 'static, const LEN: usize> Table<T, LEN>
where
    Key<LEN>: KeyLength,
{
    /// An empty table of objects that take part in it by `entry`. May sleep.
    pub(crate) fn new(entry: EntryOf<T, LEN>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // SAFETY: The slot is valid for the table that C initialises.
            table <- unsafe {
                pin_init::pin_init_from_closure(move |slot: *mut Opaque<bindings::rhashtable>| {
                    to_result(bindings::shim6_helper_table_init(
                        Opaque::cast_into(slot),
                        LEN as c_uint,
                    ))
                })
            },
            entry,
            _owns: PhantomData,
        }? Error)
    }

    /// The object with this key.
    #[inline]
    pub(crate) fn lookup<'rcu>(&'rcu self, key: &[u8; LEN], _rcu: &'rcu Guard) -> Option<&'rcu T> {
        // SAFETY: The table is initialised, the key has its length, and the guard is evidence of
        // the lock.
        let node = unsafe { Key::<LEN>::lookup(self.table.get(), key.as_ptr().cast()) };
        if node.is_null() {
            return None;
        }
        // SAFETY: By the type invariant it is an entry whose object the table held a reference to
        // when we found it, so the object lives until after the grace period.
        Some(unsafe { &**(*node.cast::<Entry<T, LEN>>()).object.get() })
    }

    /// A counted reference to the object with this key. Any context.
    pub(crate) fn get(&self, key: &[u8; LEN]) -> Option<RcuArc<T>> {
        let rcu = rcu::read_lock();
        // SAFETY: By the type invariant the table holds what came out of an `RcuArc<T>`.
        unsafe { RcuArc::try_from_borrowed(self.lookup(key, &rcu)?) }
    }

    /// Puts an object into the table. Any context.
    ///
    /// # Errors
    ///
    /// `EEXIST` if another object has the key; `ENOMEM`, `E2BIG` if the table cannot grow.
    pub(crate) fn insert(&self, object: &RcuArc<T>) -> Result {
        fault::point(fault::Point::Insertion)?;
        let entry = (self.entry)(object);
        // SAFETY: The object is not in the table yet, and all who insert it into this table have
        // the same pointer to write.
        unsafe { *entry.object.get() = &raw const **object };
        let reference = object.clone().into_raw();
        // SAFETY: The node is followed by its key and lives as long as the reference.
        to_result(unsafe { Key::<LEN>::insert(self.table.get(), entry.node.get()) }).inspect_err(
            |_| {
                // SAFETY: The table did not take the reference.
                drop(unsafe { RcuArc::from_raw(reference) });
            },
        )
    }

    /// Takes an object out of the table; false if it is not there (any more). Any context.
    pub(crate) fn remove(&self, object: &T) -> bool {
        let entry = (self.entry)(object);
        // SAFETY: The node is followed by its key; the table does not touch nodes it does not hold.
        let removed = unsafe { Key::<LEN>::remove(self.table.get(), entry.node.get()) } == 0;
        if removed {
            // SAFETY: The table held a reference, and only one caller removes an element.
            drop(unsafe { RcuArc::from_raw(*entry.object.get()) });
        }
        removed
    }

    /// Starts a walk over all objects. May sleep.
    pub(crate) fn walk(&self) -> Result<Walk<'_, T, LEN>> {
        Walk::new(self.table.get())
    }
}

/// Gives back the reference that a table held for an element.
///
/// # Safety
///
/// `element` is the start of an [`Entry<T, LEN>`] that was in a table that is going away.
unsafe extern "C" fn release<T: Send + Sync + 'static, const LEN: usize>(
    element: *mut c_void,
    _table: *mut c_void,
) {
    let entry = element.cast::<Entry<T, LEN>>();
    // SAFETY: By the invariant of `Table` the object is one the table owns a reference to.
    drop(unsafe { RcuArc::from_raw(*(*entry).object.get()) });
}

#[pinned_drop]
impl<T: Send + Sync + 'static, const LEN: usize> PinnedDrop for Table<T, LEN> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Nobody else can reach the table, so no element is looked up or changed.
        unsafe {
            bindings::rhashtable_free_and_destroy(
                self.table.get(),
                Some(release::<T, LEN>),
                ptr::null_mut(),
            );
        }
    }
}

/// A walk over the objects of a [`Table`] that can be interrupted and resumed.
///
/// An object that stays in the table during the whole walk is visited at least once, unless the
/// table was resized meanwhile: then some may be missed or visited twice, and the visitor is told.
///
/// # Invariants
///
/// The iterator is entered.
pub(crate) struct Walk<'table, T: Send + Sync + 'static, const LEN: usize> {
    iter: Pin<KBox<Opaque<bindings::rhashtable_iter>>>,
    resized: u32,
    _of: PhantomData<&'table Table<T, LEN>>,
}

// SAFETY: The iterator is linked into the table under a lock of the table, not to a task.
unsafe impl<T: Send + Sync, const LEN: usize> Send for Walk<'_, T, LEN> {}

impl<T: Send + Sync + 'static, const LEN: usize> Walk<'_, T, LEN> {
    fn new(table: *mut bindings::rhashtable) -> Result<Self> {
        let iter = KBox::pin(Opaque::zeroed(), GFP_KERNEL)?;
        // SAFETY: Both are valid, and the iterator stays where it is.
        unsafe { bindings::rhashtable_walk_enter(table, iter.get()) };
        // INVARIANT: Entered just now.
        Ok(Self {
            iter,
            resized: 0,
            _of: PhantomData,
        })
    }

    /// How often the table was resized during the walk so far, when objects may have been missed or
    /// visited twice.
    pub(crate) fn resized(&self) -> u32 {
        self.resized
    }

    /// Visits objects until `visit` breaks; the object it broke at is visited first by the next
    /// call. Returns whether the end was reached. `visit` runs under the RCU read lock and gets how
    /// often the table was resized during the walk so far.
    pub(crate) fn resume(&mut self, mut visit: impl FnMut(&T, u32) -> ControlFlow<()>) -> bool {
        let iter = self.iter.get();
        // SAFETY: By the type invariant. An error means that the table was resized.
        let moved = unsafe { bindings::rhashtable_walk_start_check(iter) } != 0;
        self.resized = self.resized.saturating_add(u32::from(moved));
        // SAFETY: The walk is started.
        let mut element = unsafe { bindings::rhashtable_walk_peek(iter) };
        let end = loop {
            match from_err_ptr(element) {
                // The table is being resized: the walk goes on in the new one.
                Err(_) => self.resized = self.resized.saturating_add(1),
                Ok(found) if found.is_null() => break true,
                Ok(found) => {
                    // SAFETY: By the invariant of `Table`; the started walk holds the RCU read lock.
                    let object = unsafe { &**(*found.cast::<Entry<T, LEN>>()).object.get() };
                    if visit(object, self.resized).is_break() {
                        break false;
                    }
                }
            }
            // SAFETY: The walk is started.
            element = unsafe { bindings::rhashtable_walk_next(iter) };
        };
        // SAFETY: The walk is started.
        unsafe { bindings::rhashtable_walk_stop(iter) };
        end
    }
}

impl<T: Send + Sync, const LEN: usize> Drop for Walk<'_, T, LEN> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::rhashtable_walk_exit(self.iter.get()) };
    }
}

/// A table of objects whose keys of 8 octets need not be distinct.
///
/// # Invariants
///
/// As of [`Table`], with [`ListEntry<T>`].
#[pin_data(PinnedDrop)]
pub(crate) struct ListTable<T: Send + Sync + 'static> {
    #[pin]
    table: Opaque<bindings::rhltable>,
    entry: fn(&T) -> &ListEntry<T>,
    _owns: PhantomData<RcuArc<T>>,
}

// SAFETY: The table synchronises its users itself and gives out shared references only.
unsafe impl<T: Send + Sync> Send for ListTable<T> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync> Sync for ListTable<T> {}

impl<T: Send + Sync + 'static> ListTable<T> {
    /// An empty table of objects that take part in it by `entry`. May sleep.
    pub(crate) fn new(entry: fn(&T) -> &ListEntry<T>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // SAFETY: The slot is valid for the table that C initialises.
            table <- unsafe {
                pin_init::pin_init_from_closure(move |slot: *mut Opaque<bindings::rhltable>| {
                    to_result(bindings::shim6_helper_list_table_init_8(Opaque::cast_into(slot)))
                })
            },
            entry,
            _owns: PhantomData,
        }? Error)
    }

    /// The first object with this key that `accept` accepts.
    pub(crate) fn find<'rcu>(
        &'rcu self,
        key: &[u8; 8],
        _rcu: &'rcu Guard,
        mut accept: impl FnMut(&T) -> bool,
    ) -> Option<&'rcu T> {
        // SAFETY: The table is initialised; the guard is evidence of the lock.
        let mut node = unsafe {
            bindings::shim6_helper_list_table_lookup_8(self.table.get(), key.as_ptr().cast())
        };
        while !node.is_null() {
            // SAFETY: As in `Table::lookup`.
            let object: &'rcu T = unsafe { &**(*node.cast::<ListEntry<T>>()).object.get() };
            if accept(object) {
                return Some(object);
            }
            // SAFETY: The node is an element and the RCU read lock is held.
            node = unsafe { bindings::shim6_helper_list_table_next(node) };
        }
        None
    }

    /// Puts an object into the table. Any context.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, `E2BIG` if the table cannot grow.
    pub(crate) fn insert(&self, object: &RcuArc<T>) -> Result {
        fault::point(fault::Point::Insertion)?;
        let entry = (self.entry)(object);
        // SAFETY: As in `Table::insert`.
        unsafe { *entry.object.get() = &raw const **object };
        let reference = object.clone().into_raw();
        // SAFETY: The node is followed by its key and lives as long as the reference.
        to_result(unsafe {
            bindings::shim6_helper_list_table_insert_8(self.table.get(), entry.node.get())
        })
        .inspect_err(|_| {
            // SAFETY: The table did not take the reference.
            drop(unsafe { RcuArc::from_raw(reference) });
        })
    }

    /// Takes an object out of the table; false if it is not there (any more). Any context.
    pub(crate) fn remove(&self, object: &T) -> bool {
        let entry = (self.entry)(object);
        // SAFETY: As in `Table::remove`.
        let removed = unsafe {
            bindings::shim6_helper_list_table_remove_8(self.table.get(), entry.node.get())
        } == 0;
        if removed {
            // SAFETY: The table held a reference, and only one caller removes an element.
            drop(unsafe { RcuArc::from_raw(*entry.object.get()) });
        }
        removed
    }
}

/// Gives back the reference that a list table held for an element.
///
/// # Safety
///
/// `element` is the start of a [`ListEntry<T>`] that was in a table that is going away.
unsafe extern "C" fn release_listed<T: Send + Sync + 'static>(
    element: *mut c_void,
    _table: *mut c_void,
) {
    let entry = element.cast::<ListEntry<T>>();
    // SAFETY: By the invariant of `ListTable` the object is one the table owns a reference to.
    drop(unsafe { RcuArc::from_raw(*(*entry).object.get()) });
}

#[pinned_drop]
impl<T: Send + Sync + 'static> PinnedDrop for ListTable<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Nobody else can reach the table; its first member is the rhashtable.
        unsafe {
            bindings::rhashtable_free_and_destroy(
                self.table.get().cast(),
                Some(release_listed::<T>),
                ptr::null_mut(),
            );
        }
    }
}
