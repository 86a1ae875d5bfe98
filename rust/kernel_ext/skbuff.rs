// SPDX-License-Identifier: GPL-2.0

//! Packets (`struct sk_buff`).
//!
//! Octets of a packet are seen through slices that borrow the [`SkBuff`]. What may move them takes
//! `&mut self`, so a slice from before cannot be used after.
//!
//! C header: [`include/linux/skbuff.h`](srctree/include/linux/skbuff.h)

use super::{
    address::In6Addr,
    drop_reason::DropReason,
    dst::{
        Dst,
        DstCache,
        Exit, //
    },
    inet6::KnownLocal,
    net::Net,
    percpu::Tally, //
};
use crate::bindings;
use core::{
    ptr,
    ptr::NonNull,
    slice,
    sync::atomic::{
        AtomicU32,
        Ordering::Relaxed, //
    }, //
};
use kernel::{
    error::to_result,
    ffi::{
        c_int,
        c_uint, //
    },
    prelude::*,
    sync::rcu::Guard, //
};

/// What a packet's transport checksum is, of `ip_summed`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// Nothing is known, or (outbound) it is complete.
    None,
    /// Found right.
    Unnecessary,
    /// The sum over the whole packet is known.
    Complete,
    /// The sum of the pseudo header is in its place, the rest is still to be added.
    Partial,
}

/// A flag of the IPv6 control block that the kernel does not use.
const TRANSLATED: u16 = 0x8000;

/// The flag of the IPv6 control block that says that `srhoff` is the offset of a header.
const SEGMENT_ROUTED: u16 = bindings::SHIM6_IP6SKB_SEG6;

/// The upper half of a time stamp that is a choice: no time is below zero.
const CHOICE_MAGIC: u64 = 0xa5c1_f06e;

/// The time of transmission that becomes the time stamp of a packet with this choice.
pub(super) const fn time_of(choice: u32) -> u64 {
    CHOICE_MAGIC << 32 | choice as u64
}

/// What [`SkBuff::mark_translated`] noted in a packet.
///
/// # Safety
///
/// The packet is live and has the control block of IPv6.
pub(super) unsafe fn arrival_of(skb: *mut bindings::sk_buff) -> Option<u16> {
    // SAFETY: By the safety requirement.
    let control = unsafe {
        &*skb
            .byte_add(bindings::SHIM6_SKB_CB as usize)
            .cast::<bindings::inet6_skb_parm>()
    };
    if control.flags & TRANSLATED == 0 {
        None
    } else if control.flags & SEGMENT_ROUTED == 0 {
        Some(control.srhoff)
    } else {
        Some(0)
    }
}

/// Where the fragments go that [`SkBuff::fragment`] makes.
pub(crate) trait FragmentOutput: 'static {
    /// What is to be known of the packet.
    type Data;

    /// Sends one fragment. Context as of the caller of [`SkBuff::fragment`].
    fn send(net: &Net, skb: SkBuff, data: &Self::Data) -> Outcome;
}

/// What became of a packet that is the callee's to dispose of.
pub(crate) enum Outcome {
    /// It was handed on.
    Sent(Stolen),
    /// It is dropped for a reason, and the sender gets the error.
    Failed(SkBuff, Error, DropReason),
}

/// Evidence that a packet was handed on or freed, and what that returned.
pub(crate) struct Stolen(Result);

impl Stolen {
    /// Evidence for a packet that was kept.
    pub(super) fn kept() -> Self {
        Self(Ok(()))
    }

    /// What the sender is to be told.
    pub(crate) fn result(&self) -> Result {
        self.0
    }
}

/// For whom a received packet is.
pub(crate) enum Recipient<'a> {
    /// Another host.
    Foreign,
    /// This host, which does not have the other address, though.
    Outer,
    /// This host, by both addresses.
    Ours(OpenHead<'a>),
}

/// A packet whose first octets are being edited. It can only be dropped if it is not closed again.
///
/// # Invariants
///
/// `len` octets are linear and exclusively ours, and are not in the checksum of the whole packet.
pub(crate) struct OpenHead<'a> {
    skb: &'a mut SkBuff,
    len: usize,
}

impl OpenHead<'_> {
    /// Edits the octets, so that the packet begins `cut` octets later, and cuts these off;
    /// checksums of the whole packet are kept right. It counts in `tally`. The time, as
    /// [`coarse_msecs`](super::time::coarse_msecs) has it.
    ///
    /// # Errors
    ///
    /// What `edit` returns.
    #[inline]
    pub(crate) fn close<E>(
        self,
        cut: usize,
        tally: Tally<'_>,
        edit: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<u64, E> {
        let cut = cut.min(self.len);
        // SAFETY: By the type invariant.
        edit(unsafe { slice::from_raw_parts_mut(self.skb.data(), self.len) })?;
        // SAFETY: By the type invariant; `len >= cut`. The counter is there.
        Ok(unsafe {
            bindings::shim6_helper_skb_close(
                self.skb.as_ptr(),
                self.len as c_uint,
                cut as c_uint,
                tally.counters,
                tally.index,
            )
        })
    }
}

/// As [`to_result`], which is a call: for what each packet does.
#[inline]
fn checked(status: c_int) -> Result {
    if status >= 0 {
        Ok(())
    } else {
        to_result(status)
    }
}

/// How a packet leaves.
pub(crate) struct Left<'a> {
    /// The time, as [`coarse_msecs`](super::time::coarse_msecs) has it.
    pub(crate) msecs: u64,
    /// As [`Dst::has_carrier`].
    pub(crate) has_carrier: bool,
    /// The linear part for writing: the new octets first, which are undefined, then what was the
    /// packet. What is at its start now has to become an IPv6 header, or the packet can only be dropped.
    pub(crate) head: &'a mut [u8],
}

/// What became of a packet that did not leave.
#[cold]
fn not_left(status: i64) -> Result<Option<Left<'static>>> {
    match c_int::try_from(status).map(Error::from_errno) {
        Ok(EAGAIN) => Ok(None),
        Ok(error) => Err(error),
        Err(_) => Err(EINVAL),
    }
}

/// A packet that is ours to change until it is handed on.
///
/// Dropping this value does nothing: who handed the packet over takes it back with the verdict.
///
/// # Invariants
///
/// The pointer is to a live packet, which nobody else changes, with its data in the linear part
/// from the network header on as far as [`SkBuff::head`] shows.
pub(crate) struct SkBuff(NonNull<bindings::sk_buff>);

/// Reads a member of `struct sk_buff` by its offset.
macro_rules! member {
    ($skb:expr, $offset:ident, $type:ty) => {
        // SAFETY: By the type invariant the packet is live; the offset is that of a member of this
        // type.
        unsafe {
            $skb.0
                .as_ptr()
                .byte_add(bindings::$offset as usize)
                .cast::<$type>()
                .read()
        }
    };
}

impl SkBuff {
    /// Takes a packet over.
    ///
    /// # Safety
    ///
    /// `skb` is a live packet that nobody else changes until this value is given back.
    pub(crate) unsafe fn from_raw(skb: *mut bindings::sk_buff) -> Self {
        // INVARIANT: By the safety requirement.
        // SAFETY: A live packet is not null.
        Self(unsafe { NonNull::new_unchecked(skb) })
    }

    /// Gives the packet back to who handed it over.
    pub(super) fn give_back(self) {}

    /// The C pointer.
    pub(crate) fn as_ptr(&self) -> *mut bindings::sk_buff {
        self.0.as_ptr()
    }

    /// Octets from the current start of data to the end of the packet.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        member!(self, SHIM6_SKB_LEN, c_uint) as usize
    }

    /// Octets of the linear part.
    #[inline]
    fn linear_len(&self) -> usize {
        let paged = member!(self, SHIM6_SKB_DATA_LEN, c_uint) as usize;
        self.len().saturating_sub(paged)
    }

    #[inline]
    fn data(&self) -> *mut u8 {
        member!(self, SHIM6_SKB_DATA, *mut u8)
    }

    /// Offset of the transport header from the start of data.
    pub(crate) fn transport_offset(&self) -> usize {
        let head = member!(self, SHIM6_SKB_HEAD, *mut u8);
        let offset = usize::from(member!(self, SHIM6_SKB_TRANSPORT_HEADER, u16));
        // SAFETY: As above.
        let data = unsafe { self.data().offset_from(head) } as usize;
        offset.saturating_sub(data)
    }

    /// Puts the transport header at an offset from the start of data.
    pub(crate) fn set_transport_offset(&mut self, offset: usize) {
        let head = member!(self, SHIM6_SKB_HEAD, *mut u8);
        // SAFETY: As above.
        let data = unsafe { self.data().offset_from(head) } as usize;
        // SAFETY: The member is this wide, and the packet is ours to change.
        unsafe {
            self.as_ptr()
                .byte_add(bindings::SHIM6_SKB_TRANSPORT_HEADER as usize)
                .cast::<u16>()
                .write(data.wrapping_add(offset) as u16);
        }
    }

    /// The packet's mark (`SO_MARK`, nftables).
    #[inline]
    pub(crate) fn mark(&self) -> u32 {
        member!(self, SHIM6_SKB_MARK, u32)
    }

    /// The linear part, from the start of data, which in hooks is the IPv6 header.
    #[inline]
    pub(crate) fn head(&self) -> &[u8] {
        // SAFETY: By the type invariant; the slice borrows `self`.
        unsafe { slice::from_raw_parts(self.data(), self.linear_len()) }
    }

    /// The linear part for writing.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if the first `len` octets are shared or paged and cannot be copied; `EINVAL` if the
    /// packet is shorter.
    pub(crate) fn head_mut(&mut self, len: usize) -> Result<&mut [u8]> {
        if len > self.len() {
            return Err(EINVAL);
        }
        // SAFETY: The packet is ours; slices from before cannot be alive.
        to_result(unsafe { bindings::skb_ensure_writable(self.as_ptr(), len as c_uint) })?;
        // SAFETY: `len` octets of the linear part are exclusively ours now.
        Ok(unsafe { slice::from_raw_parts_mut(self.data(), len) })
    }

    /// Makes sure that `len` octets from the network header on are linear; false if the packet is
    /// shorter or memory is short.
    #[inline]
    pub(crate) fn pull_head(&mut self, len: usize) -> bool {
        if len <= self.linear_len() {
            return true;
        }
        let Ok(len) = c_uint::try_from(len) else {
            return false;
        };
        // SAFETY: The packet is ours; slices from before cannot be alive.
        unsafe { bindings::shim6_helper_skb_network_may_pull(self.as_ptr(), len) }
    }

    /// Grows the packet at its start by `len` octets, which are undefined, and gives the linear
    /// part for writing, the new octets first. `edit` moves headers into place; afterwards the IPv6
    /// header is at the start of data. The packet leaves by `exit`: the route is attached, there is
    /// room for the headers of its device, what the device would get wrong is finished in software,
    /// and conntrack is done with it as after [`SkBuff::confirm_untrack`].
    ///
    /// It counts in `tally`, a super-packet in `gso_tally` instead.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EPERM` if conntrack refuses the flow; `EHOSTUNREACH` if the route went just now. The
    /// packet can only be dropped then.
    // What `edit` knows is in registers.
    #[inline(always)]
    pub(crate) fn grow_head<R>(
        &mut self,
        len: usize,
        exit: &Exit<'_>,
        tally: Tally<'_>,
        gso_tally: Tally<'_>,
        edit: impl FnOnce(&mut [u8]) -> R,
    ) -> Result<R> {
        // SAFETY: The packet is ours; slices from before cannot be alive. The counters are there, and
        // the route lives as long as `exit`.
        checked(unsafe {
            bindings::shim6_helper_exit_push(
                self.as_ptr(),
                len as c_uint,
                exit.as_raw(),
                tally.counters,
                tally.index,
                gso_tally.index,
            )
        })?;
        // SAFETY: The linear part up to the transport header is ours to write now.
        Ok(edit(unsafe {
            slice::from_raw_parts_mut(self.data(), self.linear_len())
        }))
    }

    /// Whether the first `len` octets are linear and exclusively ours, and nothing is known of the
    /// sum over the whole packet. There may be more of which that is true.
    #[inline]
    fn is_writable(&self, len: usize) -> bool {
        let is_cloned =
            u32::from(member!(self, SHIM6_SKB_CLONED, u8)) & bindings::SHIM6_SKB_CLONED_MASK != 0;
        let summed =
            u32::from(member!(self, SHIM6_SKB_IP_SUMMED, u8)) & bindings::SHIM6_SKB_SUMMED_MASK;
        len <= self.linear_len()
            && (!is_cloned || self.is_clone_writable(len))
            && summed != bindings::SHIM6_SKB_SUMMED_COMPLETE
    }

    /// Whether the first `len` octets are headers that no other clone of the packet has, as
    /// `skb_clone_writable()` has it: what TCP keeps for retransmission is without them.
    #[inline]
    fn is_clone_writable(&self, len: usize) -> bool {
        if bindings::SHIM6_SKB_HAS_OFFSETS == 0 {
            return false;
        }
        let head = member!(self, SHIM6_SKB_HEAD, *mut u8);
        let end = member!(self, SHIM6_SKB_END, c_uint);
        // SAFETY: The shared info is at the end of the buffer, which lives as long as the packet. The
        // member is an aligned word that others change at the same time.
        let references = unsafe {
            let place = head
                .byte_add(end as usize)
                .byte_add(bindings::SHIM6_SHINFO_DATAREF as usize);
            AtomicU32::from_ptr(place.cast()).load(Relaxed)
        };
        let (all, without) = (
            references & bindings::SHIM6_DATAREF_MASK,
            references >> bindings::SHIM6_DATAREF_SHIFT,
        );
        // SAFETY: Data is in the buffer that begins at its head.
        let headroom = unsafe { self.data().offset_from(head) } as usize;
        all.wrapping_sub(without) == 1
            && headroom.wrapping_add(len) <= usize::from(member!(self, SHIM6_SKB_HDR_LEN, u16))
    }

    /// [`SkBuff::grow_head`] for most packets: by the route that `cache` remembers, if it is a good one
    /// and the packet fits. [`None`] if not, and nothing is done. It counts in the first of `tallies`;
    /// a super-packet in the second instead if it stays in this kernel's memory, else in the third.
    ///
    /// # Errors
    ///
    /// As of [`SkBuff::grow_head`].
    #[inline(always)]
    pub(crate) fn leave(
        &mut self,
        len: usize,
        cache: &DstCache,
        [tally, whole_tally, software_tally]: [Tally<'_>; 3],
        _rcu: &Guard,
    ) -> Result<Option<Left<'_>>> {
        if self.mark() != 0 {
            // Rules may look at the mark; the cache knows one route.
            return Ok(None);
        }
        // SAFETY: The packet is ours; slices from before cannot be alive. The cache and the counters
        // are there. RCU read lock held.
        let answer = unsafe {
            bindings::shim6_helper_exit_leave(
                self.as_ptr(),
                cache.as_ptr(),
                len as c_uint,
                tally.counters,
                tally.index,
                whole_tally.index,
                software_tally.index,
            )
        };
        let Ok(answer) = u64::try_from(answer) else {
            return not_left(answer);
        };
        Ok(Some(Left {
            msecs: answer >> 1,
            has_carrier: answer & 1 != 0,
            // SAFETY: The linear part up to the transport header is ours to write now.
            head: unsafe { slice::from_raw_parts_mut(self.data(), self.linear_len()) },
        }))
    }

    /// Lets the first `len` octets be edited.
    ///
    /// # Errors
    ///
    /// As of [`SkBuff::head_mut`]; the packet is unchanged then.
    pub(crate) fn open_head(&mut self, len: usize) -> Result<OpenHead<'_>> {
        if len > self.len() {
            return Err(EINVAL);
        }
        // SAFETY: The packet is ours and has `len` octets; slices from before cannot be alive.
        to_result(unsafe { bindings::shim6_helper_skb_open(self.as_ptr(), len as c_uint) })?;
        // INVARIANT: The call did that.
        Ok(OpenHead { skb: self, len })
    }

    /// The same for a packet in PRE_ROUTING that is for this host both by its destination and by
    /// another address that is going to be it, as of
    /// [`is_local_address`](super::inet6::is_local_address), of which `known` remembers that.
    /// `is_ours`: its destination is known to be this host.
    ///
    /// # Errors
    ///
    /// As of [`SkBuff::open_head`].
    #[inline]
    pub(crate) fn enter(
        &mut self,
        net: &Net,
        inner: &[u8; 16],
        known: &KnownLocal,
        is_ours: bool,
        len: usize,
    ) -> Result<Recipient<'_>> {
        if is_ours && known.is_current(net) && self.is_writable(len) {
            // INVARIANT: By `is_writable`.
            Ok(Recipient::Ours(OpenHead { skb: self, len }))
        } else {
            self.find_recipient(net, inner, known, is_ours, len)
        }
    }

    /// [`SkBuff::enter`] for any packet.
    #[cold]
    fn find_recipient(
        &mut self,
        net: &Net,
        inner: &[u8; 16],
        known: &KnownLocal,
        is_ours: bool,
        len: usize,
    ) -> Result<Recipient<'_>> {
        if len > self.len() {
            return Err(EINVAL);
        }
        let inner = In6Addr::from_octets(inner);
        // SAFETY: All are valid, and the IPv6 header is in its place. For the rest see `open_head`.
        let answer = unsafe {
            bindings::shim6_helper_skb_enter(
                net.as_ptr(),
                self.as_ptr(),
                inner.as_ptr(),
                known.as_ptr(),
                is_ours,
                len as c_uint,
            )
        };
        checked(answer)?;
        Ok(match answer.unsigned_abs() {
            // INVARIANT: The call did that.
            bindings::shim6_helper_recipient_SHIM6_HELPER_RECIPIENT_OURS => {
                Recipient::Ours(OpenHead { skb: self, len })
            }
            bindings::shim6_helper_recipient_SHIM6_HELPER_RECIPIENT_OUTER => Recipient::Outer,
            _ => Recipient::Foreign,
        })
    }

    /// Edits the whole packet, made linear and ours. The caller says afterwards what is known of
    /// the checksum.
    ///
    /// # Errors
    ///
    /// As of [`SkBuff::head_mut`].
    pub(crate) fn rewrite_all<R>(&mut self, edit: impl FnOnce(&mut [u8]) -> R) -> Result<R> {
        let len = self.len();
        self.head_mut(len).map(edit)
    }

    /// Cuts the packet to `len` octets.
    pub(crate) fn trim(&mut self, len: usize) -> Result {
        // SAFETY: The packet is ours; slices from before cannot be alive.
        to_result(unsafe { bindings::shim6_helper_skb_trim(self.as_ptr(), len as c_uint) })
    }

    /// What is known of the transport checksum.
    pub(crate) fn checksum(&self) -> Checksum {
        // SAFETY: The packet is live.
        match unsafe { bindings::shim6_helper_skb_ip_summed(self.as_ptr()) } {
            1 => Checksum::Unnecessary,
            2 => Checksum::Complete,
            3 => Checksum::Partial,
            _ => Checksum::None,
        }
    }

    /// Declares the transport checksum right.
    pub(crate) fn set_checksum_unnecessary(&mut self) {
        // SAFETY: The packet is ours.
        unsafe { bindings::shim6_helper_skb_set_checksum_unnecessary(self.as_ptr()) };
    }

    /// Completes a partial checksum in software.
    pub(crate) fn complete_checksum(&mut self) -> Result {
        // SAFETY: The packet is ours; slices from before cannot be alive.
        to_result(unsafe { bindings::skb_checksum_help(self.as_ptr()) })
    }

    // --- Segmentation -------------------------------------------------------------------------

    fn shared_info(&self) -> *mut bindings::skb_shared_info {
        // SAFETY: The packet is live, and its shared info lives as long.
        unsafe { bindings::shim6_helper_skb_shinfo(self.as_ptr()) }
    }

    /// Whether this is a super-packet, to be segmented further down.
    #[inline]
    pub(crate) fn is_gso(&self) -> bool {
        // SAFETY: The shared info is valid.
        unsafe { (*self.shared_info()).gso_size != 0 }
    }

    /// Makes a TCP packet a super-packet whose segments, with `header` octets from the network
    /// header to the end of the TCP header, fit into `mtu` octets.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EINVAL` if the checksum is not partial or no payload would fit.
    pub(crate) fn resegment_tcp(&mut self, mtu: u32) -> Result {
        if self.checksum() != Checksum::Partial {
            return Err(EINVAL);
        }
        // SAFETY: The packet is ours; the shared info is no longer shared afterwards.
        to_result(unsafe { bindings::shim6_helper_skb_unclone(self.as_ptr()) })?;
        // SAFETY: The transport header of a TCP packet with partial checksum is set and linear.
        let tcp = unsafe { bindings::shim6_helper_skb_transport_size(self.as_ptr()) };
        let header = (self.transport_offset() as u32)
            .checked_add(tcp)
            .ok_or(EINVAL)?;
        let size = mtu
            .checked_sub(header)
            .filter(|&size| size > 0)
            .ok_or(EINVAL)?;
        let payload = (self.len() as u32).checked_sub(header).ok_or(EINVAL)?;
        let segments = payload
            .saturating_add(size)
            .saturating_sub(1)
            .checked_div(size)
            .and_then(|segments| u16::try_from(segments).ok())
            .ok_or(EINVAL)?;
        let size = u16::try_from(size).map_err(|_| EINVAL)?;
        let info = self.shared_info();
        // SAFETY: The shared info is ours after `skb_unclone`.
        unsafe {
            (*info).gso_size = size;
            (*info).gso_segs = segments;
            if (*info).gso_type & bindings::SKB_GSO_TCPV6 as u32 == 0 {
                (*info).gso_type = bindings::SKB_GSO_TCPV6 as u32;
            }
        }
        Ok(())
    }

    /// Marks a super-packet so that no device segments it: the stack does, just before the device.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn force_software_segmentation(&mut self) -> Result {
        // SAFETY: The packet is ours; the shared info is no longer shared afterwards.
        to_result(unsafe { bindings::shim6_helper_skb_unclone(self.as_ptr()) })?;
        // SAFETY: As above. No device announces this kind of segmentation.
        unsafe { (*self.shared_info()).gso_type |= bindings::SKB_GSO_TUNNEL_REMCSUM as u32 };
        Ok(())
    }

    /// Takes back [`SkBuff::force_software_segmentation`].
    pub(crate) fn clear_software_segmentation(&mut self) {
        // SAFETY: The shared info is valid; the caller segments the packet and owns it.
        unsafe { (*self.shared_info()).gso_type &= !(bindings::SKB_GSO_TUNNEL_REMCSUM as u32) };
    }

    // --- Routes --------------------------------------------------------------------------------

    /// The route attached to the packet.
    #[inline]
    pub(crate) fn dst(&self) -> Option<&Dst> {
        let noref = bindings::SHIM6_SKB_DST_NOREF as usize;
        let bits = member!(self, SHIM6_SKB_REFDST, usize) & !noref;
        // SAFETY: The route lives as long as the packet has it, and the result borrows the packet.
        (bits != 0).then(|| unsafe { Dst::from_ptr(ptr::with_exposed_provenance_mut(bits)) })
    }

    /// Takes the route off.
    pub(crate) fn drop_dst(&mut self) {
        // SAFETY: The packet is ours.
        unsafe { bindings::shim6_helper_skb_dst_drop(self.as_ptr()) };
    }

    /// Looks up the route of a received packet and attaches it; whether it leads to this host.
    ///
    /// A batch of received packets may lend the route of one to the next with the same
    /// destination; that is prevented for this packet, whose addresses are going to change.
    pub(crate) fn route_input(&mut self) -> bool {
        // SAFETY: The packet is ours, in PRE_ROUTING: device, IPv6 header and control block are set.
        unsafe { bindings::ip6_route_input(self.as_ptr()) };
        // SAFETY: The control block of IPv6 is in place in the hooks of IPv6.
        unsafe {
            (*self.control()).flags |= bindings::SHIM6_IP6SKB_MULTIPATH;
        }
        self.dst().is_some_and(Dst::is_local_input)
    }

    fn control(&self) -> *mut bindings::inet6_skb_parm {
        // SAFETY: The control block is a member of the packet.
        unsafe { self.as_ptr().byte_add(bindings::SHIM6_SKB_CB as usize) }.cast()
    }

    /// Marks a received packet whose addresses were changed on this host, and notes how it came.
    #[inline]
    pub(crate) fn mark_translated(&mut self, arrival: u16) {
        // SAFETY: The control block of IPv6 is in place in its input path.
        let control = unsafe { &mut *self.control() };
        control.flags |= TRANSLATED;
        if control.flags & SEGMENT_ROUTED == 0 {
            // Of meaning with that flag only, and kept by reassembly and IPsec.
            control.srhoff = arrival;
        }
    }

    /// The choice that a packet on its way out carries, by ancillary data of its message.
    #[inline]
    pub(crate) fn choice(&self) -> Option<u32> {
        let time = member!(self, SHIM6_SKB_TSTAMP, u64);
        (time >> 32 == CHOICE_MAGIC).then_some(time as u32)
    }

    /// Makes the packet carry a choice.
    pub(crate) fn set_choice(&mut self, choice: u32) {
        // SAFETY: The member is this wide, and the packet is ours to change.
        unsafe {
            self.as_ptr()
                .byte_add(bindings::SHIM6_SKB_TSTAMP as usize)
                .cast::<u64>()
                .write(time_of(choice));
        }
    }

    /// Takes the choice off.
    pub(crate) fn clear_choice(&mut self) {
        // SAFETY: The packet is ours.
        unsafe { bindings::shim6_helper_skb_clear_tstamp(self.as_ptr()) };
    }

    /// Whether [`SkBuff::mark_translated`] was called since the packet was received.
    #[inline]
    pub(crate) fn is_marked_translated(&self) -> bool {
        // SAFETY: As above.
        unsafe { (*self.control()).flags & TRANSLATED != 0 }
    }

    /// Whether the packet passes PRE_ROUTING once more, as one of the VRF that its device belongs to.
    #[inline]
    pub(crate) fn is_in_vrf(&self) -> bool {
        // SAFETY: As above.
        unsafe { (*self.control()).flags & bindings::SHIM6_IP6SKB_L3SLAVE != 0 }
    }

    /// Tells the attached route, and by it the sender, that the path takes `mtu` octets only.
    pub(crate) fn update_pmtu(&mut self, mtu: u32) {
        // SAFETY: The packet is live and starts with its IPv6 header.
        unsafe { bindings::shim6_helper_skb_dst_update_pmtu(self.as_ptr(), mtu) };
    }

    /// Records a path MTU for the addresses of the IPv6 header that an error quotes at `offset`.
    pub(crate) fn update_quoted_pmtu(&mut self, net: &Net, offset: usize, mtu: u32) {
        if offset.saturating_add(40) > self.linear_len() {
            return;
        }
        // SAFETY: The quoted header is linear.
        unsafe {
            bindings::shim6_helper_ip6_update_pmtu(
                self.as_ptr(),
                net.as_ptr(),
                offset as c_uint,
                mtu,
            );
        }
    }

    // --- Neighbours ----------------------------------------------------------------------------

    /// Confirms the conntrack entry of the packet and untracks the packet, so that nothing behind
    /// takes our headers for those of the flow. False if conntrack refuses the flow.
    #[inline]
    pub(crate) fn confirm_untrack(&mut self) -> bool {
        // SAFETY: The packet is ours, in an RCU read section.
        unsafe { bindings::shim6_helper_skb_confirm_untrack(self.as_ptr()) }
    }

    /// Fragments a packet to at most `mtu` octets (not below 1280) and gives each fragment to `O`,
    /// with `data`.
    pub(crate) fn fragment<O: FragmentOutput>(self, net: &Net, mtu: u32, data: &O::Data) -> Stolen {
        // SAFETY: As above.
        unsafe {
            (*self.control()).frag_max_size = mtu.min(u32::from(u16::MAX)) as u16;
            bindings::shim6_helper_skb_set_ignore_df(self.as_ptr());
        }
        // SAFETY: The packet has a route and a valid header; `ip6_fragment` takes it over. The socket
        // it does not look at: it only hands it to the function, which takes it for what it is, and
        // calls that before it returns, while `data` lives.
        let error = unsafe {
            bindings::ip6_fragment(
                net.as_ptr(),
                core::ptr::from_ref(data).cast_mut().cast(),
                self.as_ptr(),
                Some(fragment_output::<O>),
            )
        };
        Stolen(to_result(error))
    }

    /// Lets lower layers fragment the packet whatever its sender said.
    pub(crate) fn allow_fragments(&mut self) {
        // SAFETY: The packet is ours.
        unsafe { bindings::shim6_helper_skb_set_ignore_df(self.as_ptr()) };
    }

    /// Says that what follows is no fragment to its lower layers, which may fragment it again.
    pub(crate) fn clear_fragment_limit(&mut self) {
        // SAFETY: The control block of IPv6 is in place.
        unsafe { (*self.control()).frag_max_size = 0 };
    }

    /// Sends the packet by its route.
    pub(crate) fn output(self, net: &Net) -> Stolen {
        // SAFETY: The packet has a route; the call takes it over.
        Stolen(to_result(unsafe {
            bindings::shim6_helper_dst_output(net.as_ptr(), core::ptr::null_mut(), self.as_ptr())
        }))
    }
}

/// # Safety
///
/// Called by `ip6_fragment`, which [`SkBuff::fragment`] called, with a packet that it hands over.
unsafe extern "C" fn fragment_output<O: FragmentOutput>(
    net: *mut bindings::net,
    data: *mut bindings::sock,
    skb: *mut bindings::sk_buff,
) -> c_int {
    // SAFETY: The namespace lives during the call.
    let net = unsafe { Net::from_ptr(net) };
    // SAFETY: The packet is handed over.
    let skb = unsafe { SkBuff::from_raw(skb) };
    // SAFETY: This is what `SkBuff::fragment` gave, which lives until that returns.
    let data = unsafe { &*data.cast::<O::Data>() };
    match O::send(net, skb, data) {
        Outcome::Sent(stolen) => match stolen.result() {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        },
        Outcome::Failed(skb, error, reason) => {
            skb.free(reason);
            error.to_errno()
        }
    }
}
