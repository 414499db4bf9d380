//! Dirty tracking of one VF: its memory basis, when it starts, and reading the plane.
//!
//! Microsoft's pages: "DXGKDDI_CREATEMEMORYBASIS", "DXGKDDI_QUERYDIRTYBITDATA", "DXGKARG_QUERYDIRTYBITDATA". How the
//! ranges of a basis are packed when all of it is asked for is not stated, so each range is asked for by itself.

use alloc::vec::Vec;

use wddm::*;

use super::Vgpu;
use crate::contract::{GuardedBytes, calls, rules};
use crate::dxgkrnl::{DdiError, succeed};

impl Vgpu {
    /// Whether tracking begins with a migration only, so that everything has to be sent first.
    pub fn tracks_late(&self) -> bool {
        !self.adapter.caps().tracking_performant || self.adapter.options().late_tracking
    }

    /// Makes sure that writes are tracked. True when tracking begins only now: what was written before is unknown.
    pub fn start_tracking(&self) -> Result<bool, DdiError> {
        if self.state.lock().tracking {
            return Ok(false);
        }
        self.begin_tracking()?;
        self.state.lock().for_migration = true;
        Ok(true)
    }

    /// The memory basis over the reserve, made if there is none.
    pub(super) fn create_basis(&self) -> Result<HANDLE, DdiError> {
        let mut words = Vec::from([u64::from(self.reserve.segment), self.reserve.ranges.len() as u64]);
        words.extend(self.reserve.ranges.iter().flat_map(|range| [range.offset, range.bytes]));
        let basis = self.state.lock().basis;
        let basis = match basis {
            0 => self.adapter.core.create_memory_basis(words.as_ptr().cast()).expose_provenance(),
            made => made,
        };
        if basis == 0 {
            return Err(DdiError { ddi: calls::CREATE_MEMORY_BASIS.name, status: STATUS_UNSUCCESSFUL });
        }
        self.state.lock().basis = basis;
        Ok(handle(basis))
    }

    /// Creates the memory basis and starts tracking.
    pub(super) fn begin_tracking(&self) -> Result<(), DdiError> {
        let basis = self.create_basis()?;
        let status = self.adapter.core.start_dirty_tracking(basis);
        succeed(calls::START_DIRTY_TRACKING.name, status)?;
        self.state.lock().tracking = true;
        Ok(())
    }

    /// Stops tracking and destroys the basis, if there is one.
    pub(super) fn stop_tracking(&self) -> Result<(), DdiError> {
        let (tracking, basis) = {
            let mut state = self.state.lock();
            state.for_migration = false;
            (core::mem::take(&mut state.tracking), core::mem::take(&mut state.basis))
        };
        let core = &self.adapter.core;
        let stopped = if tracking { core.stop_dirty_tracking(handle(basis)) } else { STATUS_SUCCESS };
        let destroyed = if basis != 0 { core.destroy_memory_basis(handle(basis)) } else { STATUS_SUCCESS };
        succeed(calls::STOP_DIRTY_TRACKING.name, stopped)?;
        succeed(calls::DESTROY_MEMORY_BASIS.name, destroyed)
    }

    /// Tracking that was started for a migration ends with it.
    pub(super) fn end_late_tracking(&self) -> Result<(), DdiError> {
        let late = self.state.lock().for_migration;
        if late { self.stop_tracking() } else { Ok(()) }
    }

    /// Reads the dirty bits of all pages into `words`, and clears them if `clear`.
    pub fn query_dirty(&self, clear: bool, words: &mut [u64]) -> Result<(), DdiError> {
        self.query_dirty_pages(clear, 0, self.pages(), words)
    }

    /// Reads the dirty bits of `pages` pages from `first` into `words`, bit 0 of the first word being page `first`.
    ///
    /// # Panics
    /// If `words` has fewer bits than there are pages.
    pub fn query_dirty_pages(
        &self,
        clear: bool,
        first: u64,
        pages: u64,
        words: &mut [u64],
    ) -> Result<(), DdiError> {
        assert!(words.len() as u64 * 64 >= pages, "no room for {pages} bits");
        words.fill(0);
        let page_bytes = self.reserve.page_bytes;
        let most =
            self.adapter.options().dirty_buffer_bytes.map_or(u64::MAX, |bytes| bytes.max(1) as u64 * 8);
        let (mut start, mut at) = (0, 0);
        let end = (first + pages).min(self.pages());
        for (index, range) in self.reserve.ranges.iter().enumerate() {
            let count = range.bytes / page_bytes;
            let (from, to) = (first.max(start), end.min(start + count));
            let mut page = from;
            while page < to {
                let here = (to - page).min(most);
                let whole = here == self.pages();
                self.query_piece(clear, index as u64, page - start, here, whole, |word, value| {
                    put(words, at + word * 64, value);
                })?;
                page += here;
                at += here;
            }
            start += count;
        }
        Ok(())
    }

    /// One query: `pages` pages of range `index`, from page `first` of it.
    fn query_piece(
        &self,
        clear: bool,
        index: u64,
        first: u64,
        pages: u64,
        whole: bool,
        mut word: impl FnMut(u64, u64),
    ) -> Result<(), DdiError> {
        let name = calls::QUERY_DIRTY_BIT_DATA.name;
        let contract = self.adapter.contract();
        let mut buffer = GuardedBytes::zeroed(pages.div_ceil(8) as usize);
        let mut args = DXGKARG_QUERYDIRTYBITDATA::zeroed();
        args.MemoryBasis = handle(self.state.lock().basis);
        if !whole {
            args.SubrangeIndex = index;
            args.SubrangeOffset = first * self.reserve.page_bytes;
            args.SubrangeSize = pages * self.reserve.page_bytes;
        }
        args.Buffer = buffer.as_mut_ptr();
        args.BufferSize = buffer.len();
        if clear {
            args.Flags = DXGKARG_QUERYDIRTYBITDATAFLAGS::DXGKARG_QUERYDIRTYBITDATAFLAGS_CLEARDATA;
        }
        let status = self.adapter.core.query_dirty_bit_data(&mut args);
        self.adapter.core.counters.queried();
        buffer.check(contract, name);
        succeed(name, status)?;
        let last = buffer.words().count() as u64;
        for (at, value) in (0..).zip(buffer.words()) {
            let valid =
                if at + 1 == last && !pages.is_multiple_of(64) { (1 << (pages % 64)) - 1 } else { u64::MAX };
            contract.require(
                value & !valid == 0,
                &rules::DIRTY_BITS,
                format_args!("bits past the last of {pages} pages are set"),
            );
            word(at, value & valid);
        }
        Ok(())
    }
}

/// ORs the 64 bits of `value` in at bit `at`.
fn put(words: &mut [u64], at: u64, value: u64) {
    let (index, shift) = ((at / 64) as usize, at % 64);
    if value == 0 {
        return;
    }
    words[index] |= value << shift;
    if shift > 0
        && let Some(next) = words.get_mut(index + 1)
    {
        *next |= value >> (64 - shift);
    }
}

fn handle(number: usize) -> HANDLE {
    core::ptr::with_exposed_provenance_mut(number)
}
