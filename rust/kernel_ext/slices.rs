// SPDX-License-Identifier: GPL-2.0

//! What an object keeps of no fixed length, in one allocation and without room for more.

use core::{
    alloc::Layout,
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    alloc::{
        allocator::Kmalloc,
        AllocError,
        Allocator,
        NumaNode, //
    },
    prelude::*, //
};

/// How many elements there are, in front of them.
#[repr(C)]
struct Lengths {
    first: u16,
    second: u16,
}

/// Two slices that never change: a pointer to the octets of both and four more. Elements have no
/// alignment.
///
/// # Invariants
///
/// The pointer is to an allocation of [`Kmalloc`] with [`Slices::layout`] for these lengths; the
/// elements follow, first those of the first slice.
pub(crate) struct Slices<A: Copy, B: Copy> {
    lengths: NonNull<Lengths>,
    _owns: PhantomData<(A, B)>,
}

// SAFETY: As two boxed slices would be.
unsafe impl<A: Copy + Send, B: Copy + Send> Send for Slices<A, B> {}
// SAFETY: As above.
unsafe impl<A: Copy + Sync, B: Copy + Sync> Sync for Slices<A, B> {}

impl<A: Copy, B: Copy> Slices<A, B> {
    /// A copy of both. May sleep.
    ///
    /// # Errors
    ///
    /// [`AllocError`] also for more than 65535 elements.
    pub(crate) fn new(first: &[A], second: &[B]) -> Result<Self, AllocError> {
        const { assert!(align_of::<A>() == 1 && align_of::<B>() == 1) };
        let lengths = Lengths {
            first: u16::try_from(first.len()).map_err(|_| AllocError)?,
            second: u16::try_from(second.len()).map_err(|_| AllocError)?,
        };
        let layout = Self::layout(&lengths).ok_or(AllocError)?;
        let place = Kmalloc::alloc(layout, GFP_KERNEL, NumaNode::NO_NODE)?.cast::<Lengths>();
        // SAFETY: The allocation is as long as its layout says, and nobody else has it.
        unsafe {
            place.write(lengths);
            let elements = place.add(1).cast::<A>();
            elements.copy_from_nonoverlapping(NonNull::from(first).cast(), first.len());
            let elements = elements.add(first.len()).cast::<B>();
            elements.copy_from_nonoverlapping(NonNull::from(second).cast(), second.len());
        }
        // INVARIANT: Allocated and filled just now.
        Ok(Self {
            lengths: place,
            _owns: PhantomData,
        })
    }

    /// The first slice.
    #[inline]
    pub(crate) fn first(&self) -> &[A] {
        // SAFETY: By the type invariant.
        unsafe {
            let len = usize::from(self.lengths.as_ref().first);
            NonNull::slice_from_raw_parts(self.lengths.add(1).cast(), len).as_ref()
        }
    }

    /// The second slice.
    #[inline]
    pub(crate) fn second(&self) -> &[B] {
        let first = self.first().len();
        // SAFETY: By the type invariant.
        unsafe {
            let len = usize::from(self.lengths.as_ref().second);
            let elements = self.lengths.add(1).cast::<A>().add(first);
            NonNull::slice_from_raw_parts(elements.cast(), len).as_ref()
        }
    }

    fn layout(lengths: &Lengths) -> Option<Layout> {
        let first = size_of::<A>().checked_mul(usize::from(lengths.first))?;
        let second = size_of::<B>().checked_mul(usize::from(lengths.second))?;
        let octets = size_of::<Lengths>()
            .checked_add(first)?
            .checked_add(second)?;
        Layout::from_size_align(octets, align_of::<Lengths>()).ok()
    }
}

impl<A: Copy, B: Copy> Drop for Slices<A, B> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        if let Some(layout) = Self::layout(unsafe { self.lengths.as_ref() }) {
            // SAFETY: By the type invariant it was allocated with this layout, and it is not used
            // any more.
            unsafe { Kmalloc::free(self.lengths.cast(), layout) };
        }
    }
}
