// SPDX-License-Identifier: GPL-2.0

//! Resizable hash tables that are read under RCU and written under locks of their own.
//!
//! An object takes part in a table by an [`Entry`] (or [`ListEntry`], where several objects may
//! have the same key) [among its members](Has), which has its key. A table owns one reference to each of its objects.
//!
//! C header: [`include/linux/rhashtable.h`](srctree/include/linux/rhashtable.h)

use super::{
    fault,
    member::{
        self,
        Has, //
    },
    rcu::RcuArc, //
};
use crate::bindings;
use core::{
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

/// A type whose values are keys of tables. Their octets are compared and hashed as they are: 8 or 36
/// of them, and no padding among them. Whatever says otherwise does not compile.
pub(crate) trait Key: Copy + 'static {
    /// A value with no more of its octets in use than any other has.
    const SAMPLE: Self;
}

impl Key for u64 {
    const SAMPLE: Self = 0;
}

impl Key for usize {
    const SAMPLE: Self = 0;
}

/// Reads all octets of a key, so that the compiler refuses one of which some are padding.
const fn assert_no_padding<K: Key>() {
    let sample = K::SAMPLE;
    let octets = (&raw const sample).cast::<u8>();
    let mut index = 0;
    while index < size_of::<K>() {
        // SAFETY: The octet is one of `sample`. This is evaluated when it is compiled, which fails
        // if the octet is not initialised.
        let _ = unsafe { octets.add(index).read() };
        index += 1;
    }
}

/// What makes an object an element of a [`Table`] with keys of type `K`.
#[repr(C)]
pub(crate) struct Entry<K, N = bindings::rhash_head> {
    node: Opaque<N>,
    key: K,
}

// SAFETY: `node` belongs to the table.
unsafe impl<K: Send + Sync, N> Send for Entry<K, N> {}
// SAFETY: As above.
unsafe impl<K: Send + Sync, N> Sync for Entry<K, N> {}

impl<K: Key, N: Zeroable> Entry<K, N> {
    /// An entry that is in no table.
    pub(crate) fn new(key: K) -> Self {
        const { assert_no_padding::<K>() };
        Self {
            node: Opaque::zeroed(),
            key,
        }
    }
}

impl<K, N> Entry<K, N> {
    /// The key.
    #[inline]
    pub(crate) fn key(&self) -> &K {
        &self.key
    }
}

/// The same for a [`ListTable`], with keys of 8 octets.
pub(crate) type ListEntry<K> = Entry<K, bindings::rhlist_head>;

/// What `rust/helpers/rhashtable.c` does with keys as long as a `K`.
struct Operations<K>(PhantomData<K>);

impl<K> Operations<K> {
    /// Whether keys have 8 octets; 36 otherwise.
    const SHORT: bool = {
        assert!(size_of::<K>() == 8 || size_of::<K>() == 36);
        assert!(align_of::<K>() <= align_of::<bindings::rhash_head>());
        size_of::<K>() == 8
    };

    /// # Safety
    ///
    /// `table` is an initialised table with keys of this length, and the RCU read lock is held.
    #[inline]
    unsafe fn lookup(table: *mut bindings::shim6_helper_table, key: &K) -> *mut c_void {
        let key = ptr::from_ref(key).cast();
        // SAFETY: The requirements are the caller's, and the key is one.
        unsafe {
            if Self::SHORT {
                bindings::shim6_helper_table_lookup_8(table, key)
            } else {
                bindings::shim6_helper_table_lookup_36(table, key)
            }
        }
    }

    /// # Safety
    ///
    /// As of `lookup` but for the lock; `node` is followed by the key and in no table.
    unsafe fn insert(
        table: *mut bindings::shim6_helper_table,
        node: *mut bindings::rhash_head,
    ) -> c_int {
        // SAFETY: The requirements are the caller's.
        unsafe {
            if Self::SHORT {
                bindings::shim6_helper_table_insert_8(table, node)
            } else {
                bindings::shim6_helper_table_insert_36(table, node)
            }
        }
    }

    /// # Safety
    ///
    /// As of `insert`, but `node` may be in this table.
    unsafe fn remove(
        table: *mut bindings::shim6_helper_table,
        node: *mut bindings::rhash_head,
    ) -> c_int {
        // SAFETY: The requirements are the caller's.
        unsafe {
            if Self::SHORT {
                bindings::shim6_helper_table_remove_8(table, node)
            } else {
                bindings::shim6_helper_table_remove_36(table, node)
            }
        }
    }
}

/// A table of objects with distinct keys.
///
/// # Invariants
///
/// The table is initialised. Each element is the [`Entry<K>`] of an object that the table owns a
/// reference to, at the place where `T` has it.
#[pin_data(PinnedDrop)]
pub(crate) struct Table<T: Has<Entry<K>>, K: 'static> {
    #[pin]
    table: Opaque<bindings::shim6_helper_table>,
    _owns: PhantomData<(RcuArc<T>, K)>,
}

// SAFETY: The table synchronises its users itself and gives out shared references only.
unsafe impl<T: Has<Entry<K>>, K: Send + Sync> Send for Table<T, K> {}
// SAFETY: As above.
unsafe impl<T: Has<Entry<K>>, K: Send + Sync> Sync for Table<T, K> {}

impl<T: Has<Entry<K>>, K> Table<T, K> {
    /// An empty table. May sleep.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        Self::make(false)
    }

    /// The same, in which each processor finds what it found last without looking for it: a cache
    /// line of each. For what is looked up for packets. May sleep.
    pub(crate) fn new_for_packets() -> impl PinInit<Self, Error> {
        Self::make(true)
    }

    fn make(keeps_recent: bool) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // SAFETY: The slot is valid for the table that C initialises.
            table <- unsafe {
                pin_init::pin_init_from_closure(
                    move |slot: *mut Opaque<bindings::shim6_helper_table>| {
                        if keeps_recent {
                            fault::point(fault::Point::PerCpu)?;
                        }
                        to_result(bindings::shim6_helper_table_init(
                            Opaque::cast_into(slot),
                            size_of::<K>() as c_uint,
                            keeps_recent,
                        ))
                    },
                )
            },
            _owns: PhantomData,
        }? Error)
    }

    /// The object with this key.
    #[inline]
    pub(crate) fn lookup<'rcu>(&'rcu self, key: &K, _rcu: &'rcu Guard) -> Option<&'rcu T> {
        // SAFETY: The table is initialised, and the guard is evidence of the lock.
        let entry = unsafe { Operations::<K>::lookup(self.table.get(), key) };
        if entry.is_null() {
            return None;
        }
        // SAFETY: By the type invariant it is an entry at its place.
        let object = unsafe { member::object_of(entry.cast::<Entry<K>>()) };
        // SAFETY: The table held a reference to the object when we found it, so it lives until
        // after the grace period.
        Some(unsafe { &*object })
    }

    /// A counted reference to the object with this key. Any context.
    pub(crate) fn get(&self, key: &K) -> Option<RcuArc<T>> {
        let rcu = rcu::read_lock();
        // SAFETY: By the type invariant the table holds what came out of an `RcuArc<T>`.
        unsafe { RcuArc::try_from_borrowed(self.lookup(key, &rcu)?) }
    }

    /// Puts an object into the table. Any context.
    ///
    /// # Errors
    ///
    /// `EEXIST` if another object has the key; `ENOMEM`, `E2BIG`, `EBUSY` if the table cannot grow.
    pub(crate) fn insert(&self, object: &RcuArc<T>) -> Result {
        fault::point(fault::Point::Insertion)?;
        let entry: *mut Entry<K> = member::place_of::<T, _>(object).ok_or(EINVAL)?;
        let reference = object.clone().into_raw();
        // INVARIANT: The entry is at its place.
        // SAFETY: The node is followed by its key and lives as long as the reference.
        to_result(unsafe { Operations::<K>::insert(self.table.get(), entry.cast()) }).inspect_err(
            |_| {
                // SAFETY: The table did not take the reference.
                drop(unsafe { RcuArc::from_raw(reference) });
            },
        )
    }

    /// Takes an object out of the table; false if it is not there (any more). Any context.
    pub(crate) fn remove(&self, object: &T) -> bool {
        let Some(entry) = member::place_of::<T, Entry<K>>(object) else {
            return false;
        };
        // SAFETY: The node is followed by its key; the table does not touch nodes it does not hold.
        let removed = unsafe { Operations::<K>::remove(self.table.get(), entry.cast()) } == 0;
        if removed {
            // SAFETY: The table held a reference, and only one caller removes an element.
            drop(unsafe { RcuArc::from_raw(object) });
        }
        removed
    }

    /// Starts a walk over all objects. May sleep.
    pub(crate) fn walk(&self) -> Result<Walk<'_, T, K>> {
        // SAFETY: The table is valid, and what is inside it is initialised.
        Walk::new(unsafe { &raw mut (*self.table.get()).table })
    }
}

/// Gives back the reference that a table held for an element.
///
/// # Safety
///
/// `entry` is an `E` that was in a table of `T` that is going away.
unsafe extern "C" fn release<T: Has<E>, E>(entry: *mut c_void, _table: *mut c_void) {
    // SAFETY: By the invariant of the table the entry is at its place.
    let object = unsafe { member::object_of::<T, E>(entry.cast_const().cast()) };
    // SAFETY: As above, the object is one that the table owns a reference to.
    drop(unsafe { RcuArc::from_raw(object) });
}

#[pinned_drop]
impl<T: Has<Entry<K>>, K> PinnedDrop for Table<T, K> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Nobody else can reach the table, so no element is looked up or changed.
        unsafe {
            bindings::shim6_helper_table_destroy(self.table.get(), Some(release::<T, Entry<K>>));
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
pub(crate) struct Walk<'table, T: Has<Entry<K>>, K: 'static> {
    iter: Pin<KBox<Opaque<bindings::rhashtable_iter>>>,
    resized: u32,
    _of: PhantomData<&'table Table<T, K>>,
}

// SAFETY: The iterator is linked into the table under a lock of the table, not to a task.
unsafe impl<T: Has<Entry<K>>, K: Send + Sync> Send for Walk<'_, T, K> {}

impl<T: Has<Entry<K>>, K> Walk<'_, T, K> {
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
                    // SAFETY: By the invariant of `Table` it is an entry at its place.
                    let object = unsafe { member::object_of(found.cast::<Entry<K>>()) };
                    // SAFETY: As above; the started walk holds the RCU read lock.
                    if visit(unsafe { &*object }, self.resized).is_break() {
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

impl<T: Has<Entry<K>>, K> Drop for Walk<'_, T, K> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::rhashtable_walk_exit(self.iter.get()) };
    }
}

/// A table of objects whose keys of 8 octets need not be distinct.
///
/// # Invariants
///
/// As of [`Table`], with [`ListEntry<K>`].
#[pin_data(PinnedDrop)]
pub(crate) struct ListTable<T: Has<ListEntry<K>>, K: 'static> {
    #[pin]
    table: Opaque<bindings::rhltable>,
    _owns: PhantomData<(RcuArc<T>, K)>,
}

// SAFETY: The table synchronises its users itself and gives out shared references only.
unsafe impl<T: Has<ListEntry<K>>, K: Send + Sync> Send for ListTable<T, K> {}
// SAFETY: As above.
unsafe impl<T: Has<ListEntry<K>>, K: Send + Sync> Sync for ListTable<T, K> {}

impl<T: Has<ListEntry<K>>, K> ListTable<T, K> {
    /// An empty table. May sleep.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        const { assert!(size_of::<K>() == 8 && align_of::<K>() <= 8) };
        try_pin_init!(Self {
            // SAFETY: The slot is valid for the table that C initialises.
            table <- unsafe {
                pin_init::pin_init_from_closure(move |slot: *mut Opaque<bindings::rhltable>| {
                    to_result(bindings::shim6_helper_list_table_init_8(Opaque::cast_into(slot)))
                })
            },
            _owns: PhantomData,
        }? Error)
    }

    /// The first object with this key that `accept` accepts.
    pub(crate) fn find<'rcu>(
        &'rcu self,
        key: &K,
        _rcu: &'rcu Guard,
        mut accept: impl FnMut(&T) -> bool,
    ) -> Option<&'rcu T> {
        // SAFETY: The table is initialised; the guard is evidence of the lock.
        let mut node = unsafe {
            bindings::shim6_helper_list_table_lookup_8(self.table.get(), ptr::from_ref(key).cast())
        };
        while !node.is_null() {
            // SAFETY: As in `Table::lookup`.
            let object = unsafe { member::object_of(node.cast::<ListEntry<K>>()) };
            // SAFETY: As in `Table::lookup`.
            let object: &'rcu T = unsafe { &*object };
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
    /// `ENOMEM`, `E2BIG`, `EBUSY` if the table cannot grow.
    pub(crate) fn insert(&self, object: &RcuArc<T>) -> Result {
        fault::point(fault::Point::Insertion)?;
        let entry: *mut ListEntry<K> = member::place_of::<T, _>(object).ok_or(EINVAL)?;
        let reference = object.clone().into_raw();
        // INVARIANT: The entry is at its place.
        // SAFETY: The node is followed by its key and lives as long as the reference.
        to_result(unsafe {
            bindings::shim6_helper_list_table_insert_8(self.table.get(), entry.cast())
        })
        .inspect_err(|_| {
            // SAFETY: The table did not take the reference.
            drop(unsafe { RcuArc::from_raw(reference) });
        })
    }

    /// Takes an object out of the table; false if it is not there (any more). Any context.
    pub(crate) fn remove(&self, object: &T) -> bool {
        let Some(entry) = member::place_of::<T, ListEntry<K>>(object) else {
            return false;
        };
        let (table, node) = (self.table.get(), entry.cast());
        // SAFETY: As in `Table::remove`.
        let removed = unsafe { bindings::shim6_helper_list_table_remove_8(table, node) } == 0;
        if removed {
            // SAFETY: The table held a reference, and only one caller removes an element.
            drop(unsafe { RcuArc::from_raw(object) });
        }
        removed
    }
}

#[pinned_drop]
impl<T: Has<ListEntry<K>>, K> PinnedDrop for ListTable<T, K> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Nobody else can reach the table; its first member is the rhashtable.
        unsafe {
            bindings::rhashtable_free_and_destroy(
                self.table.get().cast(),
                Some(release::<T, ListEntry<K>>),
                ptr::null_mut(),
            );
        }
    }
}
