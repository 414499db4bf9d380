//! Where a VF's memory lies in the local segment, and whose a page of the segment is.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU16, Ordering};

use crate::device::Region;
use crate::device::abi::FaultCode;
use crate::{Error, PAGE_SIZE, Result, VfIndex, boxed};

/// The memory of a VF: VF addresses run over the regions in order.
pub(super) struct Regions {
    list: Box<[Region]>,
    /// VF address of each region.
    starts: Box<[u64]>,
    bytes: u64,
}

impl Regions {
    /// Checks that the regions are whole pages inside a segment of `limit` bytes. Whether they overlap is for
    /// [`Owners::claim`] to say.
    pub(super) fn new(regions: &[Region], limit: u64) -> Result<Self> {
        let mut starts = Vec::new();
        starts.try_reserve_exact(regions.len()).map_err(|_| Error::NoResources)?;
        let mut bytes = 0;
        for region in regions {
            if !(region.offset | region.bytes).is_multiple_of(PAGE_SIZE) {
                return Err(Error::Misaligned);
            }
            let end = region.offset.checked_add(region.bytes).ok_or(Error::OutOfRange)?;
            if end > limit || region.bytes == 0 {
                return Err(Error::OutOfRange);
            }
            starts.push(bytes);
            // Overlapping regions could add up to more than the segment, but not overflow before that.
            bytes += region.bytes;
            if bytes > limit {
                return Err(Error::OutOfRange);
            }
        }
        if bytes == 0 {
            return Err(Error::InvalidParameter);
        }
        Ok(Self { list: boxed::copy(regions)?, starts: starts.into_boxed_slice(), bytes })
    }

    /// Bytes of the VF's memory.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The regions.
    pub(super) fn list(&self) -> &[Region] {
        &self.list
    }

    /// Refuses a range that is misaligned or reaches outside.
    pub(super) fn check(&self, at: u64, bytes: u64) -> core::result::Result<(), FaultCode> {
        if !(at | bytes).is_multiple_of(8) {
            return Err(FaultCode::Misaligned);
        }
        match at.checked_add(bytes) {
            Some(end) if end <= self.bytes => Ok(()),
            _ => Err(FaultCode::OutOfRange),
        }
    }

    /// Cuts a range of VF addresses into runs of the segment: `piece` is told the run's offset in the segment,
    /// how far into the range it begins, and its bytes.
    pub(super) fn pieces<E: From<Error>>(
        &self,
        at: u64,
        bytes: u64,
        mut piece: impl FnMut(u64, u64, u64) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {
        match at.checked_add(bytes) {
            Some(end) if end <= self.bytes => {}
            _ => return Err(Error::OutOfRange.into()),
        }
        let mut index = self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        let mut done = 0;
        while done < bytes {
            let region = self.list[index];
            let inside = at + done - self.starts[index];
            let run = (region.bytes - inside).min(bytes - done);
            piece(region.offset + inside, done, run)?;
            done += run;
            index += 1;
        }
        Ok(())
    }
}

/// The owner of each page of the segment.
pub(super) struct Owners(Box<[AtomicU16]>);

impl Owners {
    /// A segment of `bytes` bytes that nobody owns.
    pub(super) fn new(bytes: u64) -> Result<Self> {
        let pages = usize::try_from(bytes / PAGE_SIZE).map_err(|_| Error::NoResources)?;
        let mut owners = Vec::new();
        owners.try_reserve_exact(pages).map_err(|_| Error::NoResources)?;
        owners.resize_with(pages, AtomicU16::default);
        Ok(Self(owners.into_boxed_slice()))
    }

    fn pages(&self, region: Region) -> &[AtomicU16] {
        &self.0[(region.offset / PAGE_SIZE) as usize..(region.end() / PAGE_SIZE) as usize]
    }

    /// Makes `vf` the owner of all pages, or of none when one of them has an owner.
    pub(super) fn claim(&self, vf: VfIndex, regions: &Regions) -> Result<()> {
        let owner = vf as u16 + 1;
        let wanted = || regions.list().iter().flat_map(|region| self.pages(*region));
        for (count, page) in wanted().enumerate() {
            if page.compare_exchange(0, owner, Ordering::AcqRel, Ordering::Relaxed).is_err() {
                wanted().take(count).for_each(|page| page.store(0, Ordering::Release));
                return Err(Error::Busy);
            }
        }
        Ok(())
    }

    /// Gives all pages back.
    pub(super) fn release(&self, regions: &Regions) {
        for page in regions.list().iter().flat_map(|region| self.pages(*region)) {
            page.store(0, Ordering::Release);
        }
    }

    /// The VF that owns the page at `offset`; none outside the segment.
    pub(super) fn of(&self, offset: u64) -> Option<VfIndex> {
        let page = self.0.get(usize::try_from(offset / PAGE_SIZE).ok()?)?;
        page.load(Ordering::Relaxed).checked_sub(1).map(VfIndex::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn region(page: u64, pages: u64) -> Region {
        Region { offset: page * PAGE_SIZE, bytes: pages * PAGE_SIZE }
    }

    #[test]
    fn addresses_run_over_the_regions_in_order() {
        let regions = Regions::new(&[region(8, 1), region(2, 2), region(5, 1)], 16 * PAGE_SIZE).unwrap();
        assert_eq!(regions.bytes(), 4 * PAGE_SIZE);
        let mut pieces = Vec::new();
        regions
            .pieces(PAGE_SIZE - 8, 2 * PAGE_SIZE + 16, |offset, start, bytes| {
                pieces.push((offset, start, bytes));
                Ok::<(), Error>(())
            })
            .unwrap();
        let expected = [
            (9 * PAGE_SIZE - 8, 0, 8),
            (2 * PAGE_SIZE, 8, 2 * PAGE_SIZE),
            (5 * PAGE_SIZE, 8 + 2 * PAGE_SIZE, 8),
        ];
        assert_eq!(pieces, expected);
        let outside = regions.pieces(8, 4 * PAGE_SIZE, |_, _, _| Ok::<(), Error>(()));
        assert_eq!(outside, Err(Error::OutOfRange));
        assert_eq!(regions.check(0, 4 * PAGE_SIZE), Ok(()));
        assert_eq!(regions.check(8, 4 * PAGE_SIZE), Err(FaultCode::OutOfRange));
        assert_eq!(regions.check(u64::MAX - 7, 16), Err(FaultCode::OutOfRange));
        assert_eq!(regions.check(4, 8), Err(FaultCode::Misaligned));
    }

    #[test]
    fn impossible_regions_are_refused() {
        let refused = |regions: &[Region]| Regions::new(regions, 16 * PAGE_SIZE).err();
        assert_eq!(refused(&[]), Some(Error::InvalidParameter));
        assert_eq!(refused(&[Region { offset: 8, bytes: 4096 }]), Some(Error::Misaligned));
        assert_eq!(refused(&[region(15, 2)]), Some(Error::OutOfRange));
        assert_eq!(refused(&[region(1, 0)]), Some(Error::OutOfRange));
        let far = Region { offset: u64::MAX - 4095, bytes: 4096 };
        assert_eq!(refused(&[far]), Some(Error::OutOfRange));
        assert_eq!(refused(&[region(0, 16), region(0, 16)]), Some(Error::OutOfRange));
    }

    #[test]
    fn a_page_has_one_owner() {
        let owners = Owners::new(16 * PAGE_SIZE).unwrap();
        let set = |list: &[Region]| Regions::new(list, 16 * PAGE_SIZE).unwrap();
        let first = set(&[region(4, 4)]);
        owners.claim(0, &first).unwrap();
        assert_eq!(owners.claim(1, &set(&[region(0, 2), region(7, 2)])), Err(Error::Busy));
        assert_eq!(
            (owners.of(0), owners.of(4 * PAGE_SIZE), owners.of(99 * PAGE_SIZE)),
            (None, Some(0), None)
        );
        assert_eq!(owners.claim(1, &set(&[region(0, 1), region(0, 1)])), Err(Error::Busy));
        owners.release(&first);
        owners.claim(1, &set(&[region(7, 2)])).unwrap();
        assert_eq!(owners.of(7 * PAGE_SIZE + 5), Some(1));
    }
}
