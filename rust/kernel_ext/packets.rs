// SPDX-License-Identifier: GPL-2.0

//! Packets that are kept, and a bounded queue of them from softirq to a worker, fair between
//! senders.
//!
//! C header: [`include/linux/skbuff.h`](srctree/include/linux/skbuff.h)

use super::{
    lock::{
        new_spinlock_bh,
        SpinLockBh, //
    },
    skbuff::{
        SkBuff,
        Stolen, //
    },
};
use crate::bindings;
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    ptr, //
};
use kernel::prelude::*;

/// A packet that belongs to this value, all of it linear. It has no route, no device, no socket and
/// no conntrack entry, so it may be kept for any time. Dropping it frees it.
pub(crate) struct Packet(SkBuff);

// SAFETY: A packet that nobody else has may be used by any thread.
unsafe impl Send for Packet {}
// SAFETY: Shared use only reads.
unsafe impl Sync for Packet {}

impl SkBuff {
    /// Keeps a packet that was handed over. Any context.
    ///
    /// # Errors
    ///
    /// The packet, if memory is too short to make it linear.
    pub(crate) fn keep(self) -> Result<(Packet, Stolen), Self> {
        // SAFETY: The packet is ours; slices from before cannot be alive.
        if !unsafe { bindings::shim6_helper_skb_linearize(self.as_ptr()) } {
            return Err(self);
        }
        // SAFETY: The packet is ours, and who handed it over is told that it is taken.
        unsafe { bindings::shim6_helper_skb_detach(self.as_ptr()) };
        Ok((Packet(self), Stolen::kept()))
    }
}

impl Packet {
    fn into_raw(self) -> *mut bindings::sk_buff {
        ManuallyDrop::new(self).as_ptr()
    }
}

impl Deref for Packet {
    type Target = SkBuff;

    fn deref(&self) -> &SkBuff {
        &self.0
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        // SAFETY: The packet belongs to this value.
        unsafe { bindings::shim6_helper_consume_skb(self.as_ptr()) };
    }
}

/// How many packets a [`PacketQueue`] holds at most.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// In one bucket.
    pub(crate) per_bucket: u32,
    /// In all of them.
    pub(crate) total: u32,
}

/// Packets of one bucket, linked by the first member of `struct sk_buff`.
///
/// # Invariants
///
/// `first` and `last` are the ends of a list of `len` packets that belong to the bucket; both are
/// null if it is empty.
struct Bucket {
    first: *mut bindings::sk_buff,
    last: *mut bindings::sk_buff,
    len: u32,
}

/// # Safety
///
/// `skb` is a live packet.
unsafe fn link(skb: *mut bindings::sk_buff) -> *mut *mut bindings::sk_buff {
    // SAFETY: The offset is that of a member of this type.
    unsafe { skb.byte_add(bindings::SHIM6_SKB_NEXT as usize) }.cast()
}

impl Bucket {
    const EMPTY: Self = Self {
        first: ptr::null_mut(),
        last: ptr::null_mut(),
        len: 0,
    };

    fn push(&mut self, packet: Packet) {
        let skb = packet.into_raw();
        // SAFETY: The packet is ours.
        unsafe { link(skb).write(ptr::null_mut()) };
        if self.last.is_null() {
            self.first = skb;
        } else {
            // SAFETY: By the type invariant the packet is live and ours.
            unsafe { link(self.last).write(skb) };
        }
        // INVARIANT: The packet was given to us, and there is one more now.
        self.last = skb;
        self.len = self.len.wrapping_add(1);
    }

    fn pop(&mut self) -> Option<Packet> {
        let skb = self.first;
        if skb.is_null() {
            return None;
        }
        // SAFETY: By the type invariant the packet is live and ours; nothing follows the last one.
        self.first = unsafe { link(skb).replace(ptr::null_mut()) };
        if self.first.is_null() {
            self.last = ptr::null_mut();
        }
        // INVARIANT: There is one less now.
        self.len = self.len.wrapping_sub(1);
        // SAFETY: As above.
        Some(Packet(unsafe { SkBuff::from_raw(skb) }))
    }
}

/// All buckets.
struct Buckets {
    buckets: KVec<Bucket>,
    /// Where the next packet is looked for.
    next: usize,
    /// Packets in all buckets.
    len: u32,
}

// SAFETY: The packets in the buckets belong to them.
unsafe impl Send for Buckets {}

impl Buckets {
    /// Gives the packet back if there is no room for it.
    fn push(&mut self, packet: Packet, hash: u32, limits: &Limits) -> Result<(), Packet> {
        let index = (hash as usize).checked_rem(self.buckets.len()).unwrap_or(0);
        match self.buckets.get_mut(index) {
            Some(bucket) if self.len < limits.total && bucket.len < limits.per_bucket => {
                bucket.push(packet);
                self.len = self.len.wrapping_add(1);
                Ok(())
            }
            _ => Err(packet),
        }
    }

    fn pop(&mut self) -> Option<Packet> {
        if self.len == 0 {
            return None;
        }
        for _ in 0..self.buckets.len() {
            let index = self.next;
            self.next = index.wrapping_add(1);
            if self.next >= self.buckets.len() {
                self.next = 0;
            }
            if let Some(packet) = self.buckets.get_mut(index).and_then(Bucket::pop) {
                self.len = self.len.wrapping_sub(1);
                return Some(packet);
            }
        }
        None
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

/// A queue of packets with notes of type `N` about each. A packet goes to one of `BUCKETS` by a
/// hash that its sender cannot choose; buckets take turns, so a sender gets in the way of those few
/// only that share its bucket.
///
/// The notes, of at most 48 octets, are in the control block of the packet.
#[pin_data]
pub(crate) struct PacketQueue<N: Copy + Send + 'static, const BUCKETS: usize> {
    #[pin]
    buckets: SpinLockBh<Buckets>,
    limits: Limits,
    _notes: PhantomData<fn(N) -> N>,
}

impl<N: Copy + Send + 'static, const BUCKETS: usize> PacketQueue<N, BUCKETS> {
    /// An empty queue. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(limits: Limits) -> impl PinInit<Self, Error> {
        const {
            assert!(BUCKETS > 0, "a queue needs a bucket");
            assert!(size_of::<N>() <= 48, "notes are too long");
            assert!(align_of::<N>() <= 8, "notes are aligned too much");
        }
        try_pin_init!(Self {
            buckets <- {
                let mut buckets = KVec::with_capacity(BUCKETS, GFP_KERNEL)?;
                for _ in 0..BUCKETS {
                    buckets.push(Bucket::EMPTY, GFP_KERNEL)?;
                }
                new_spinlock_bh!(Buckets {
                    buckets,
                    next: 0,
                    len: 0,
                })
            },
            limits,
            _notes: PhantomData,
        }? Error)
    }

    /// Puts a packet at the end of its bucket. Softirq or process context.
    ///
    /// # Errors
    ///
    /// The packet, if there is no room for it.
    pub(crate) fn push(&self, packet: Packet, notes: N, hash: u32) -> Result<(), Packet> {
        // SAFETY: The control block is a member of the packet, of 48 octets aligned to eight, and
        // nobody else uses it while the packet is ours.
        unsafe { Self::notes(&packet).write(notes) };
        self.buckets.lock().push(packet, hash, &self.limits)
    }

    /// Takes the oldest packet of the bucket whose turn it is. Softirq or process context.
    pub(crate) fn pop(&self) -> Option<(Packet, N)> {
        let packet = self.buckets.lock().pop()?;
        // SAFETY: `push` wrote the notes of every packet of this queue.
        let notes = unsafe { Self::notes(&packet).read() };
        Some((packet, notes))
    }

    /// How many packets there are, at this moment.
    pub(crate) fn len(&self) -> u32 {
        self.buckets.lock().len
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the notes about a packet are.
    fn notes(packet: &Packet) -> *mut N {
        packet
            .as_ptr()
            .wrapping_byte_add(bindings::SHIM6_SKB_CB as usize)
            .cast()
    }
}
