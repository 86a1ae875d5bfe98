// SPDX-License-Identifier: GPL-2.0

//! Reading and writing of fixed-size fields in slices, without indexing.
//!
//! Everything on the wire is big-endian (RFC 5533, Section 5).

/// The `N` octets at `offset`, if the slice has them.
pub(super) fn array<const N: usize>(octets: &[u8], offset: usize) -> Option<[u8; N]> {
    octets.get(offset..)?.first_chunk().copied()
}

/// The octet at `offset`.
pub(super) fn u8_at(octets: &[u8], offset: usize) -> Option<u8> {
    octets.get(offset).copied()
}

/// The 16-bit integer at `offset`.
pub(super) fn u16_at(octets: &[u8], offset: usize) -> Option<u16> {
    array(octets, offset).map(u16::from_be_bytes)
}

/// The 32-bit integer at `offset`.
pub(super) fn u32_at(octets: &[u8], offset: usize) -> Option<u32> {
    array(octets, offset).map(u32::from_be_bytes)
}

/// The `length` octets from `offset` on.
pub(super) fn range(octets: &[u8], offset: usize, length: usize) -> Option<&[u8]> {
    octets.get(offset..)?.get(..length)
}

/// Writes `field` at `offset`; [`None`] and nothing written if it does not fit.
pub(super) fn put<const N: usize>(octets: &mut [u8], offset: usize, field: [u8; N]) -> Option<()> {
    *octets.get_mut(offset..)?.first_chunk_mut()? = field;
    Some(())
}

/// Removes the first `count` octets of the slice: the others move up, zeros follow them.
/// [`None`] and nothing changed if it has fewer.
pub(super) fn cut(octets: &mut [u8], count: usize) -> Option<()> {
    let kept = octets.len().checked_sub(count)?;
    octets.copy_within(count.., 0);
    octets.get_mut(kept..)?.fill(0);
    Some(())
}

/// The parts, one behind the other, as far as there is room; zeros follow them.
pub(super) fn joined<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut octets = [0; N];
    let mut rest = octets.as_mut_slice();
    for part in parts {
        let Some((place, behind)) = rest.split_at_mut_checked(part.len()) else {
            break;
        };
        place.copy_from_slice(part);
        rest = behind;
    }
    octets
}
