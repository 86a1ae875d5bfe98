// SPDX-License-Identifier: GPL-2.0

//! Objects that have something of this directory among their members: an entry of a table, a timer.
//! C hands the member back, and the object is found by where in it the member is.

use core::ptr;
use kernel::prelude::*;

/// An object with an `M` among its members, which [`has_member`] implements.
///
/// Nothing unsafe follows from a wrong answer: [`place_of`] compares both before anything relies on
/// them.
pub(crate) trait Has<M>: Send + Sync + Sized + 'static {
    /// How many octets from the start of the object the member is.
    const OFFSET: usize;

    /// The member.
    fn member(&self) -> &M;
}

/// Says which member of a type is the one that [`Has`] is about.
macro_rules! has_member {
    ($type:ty, $name:ident: $member:ty) => {
        impl $crate::kernel_ext::member::Has<$member> for $type {
            const OFFSET: usize = core::mem::offset_of!($type, $name);

            #[inline]
            fn member(&self) -> &$member {
                &self.$name
            }
        }
    };
}
pub(crate) use has_member;

/// The member of an object, from where [`object_of`] finds the object again. `None`, and a message
/// in the log, if it is not where its type says.
#[inline]
pub(super) fn place_of<T: Has<M>, M>(object: &T) -> Option<*mut M> {
    const { assert!(T::OFFSET + size_of::<M>() <= size_of::<T>()) };
    // Inside the object by the assertion.
    let place = ptr::from_ref(object)
        .wrapping_byte_add(T::OFFSET)
        .cast::<M>();
    if !ptr::eq(place, object.member()) {
        pr_err!("a member is not at its place in its object\n");
        return None;
    }
    Some(place.cast_mut())
}

/// The object of a member.
///
/// # Safety
///
/// `member` is what [`place_of`] said for an object of this type.
#[inline]
pub(super) unsafe fn object_of<T: Has<M>, M>(member: *const M) -> *const T {
    member.wrapping_byte_sub(T::OFFSET).cast()
}
