//! A channel moves pages of one VF's VRAM through a staging buffer in system memory.
//!
//! It owns a slice of the paging process's scratch area: scattered pages of VRAM are mapped into the lower half with
//! UPDATE_PAGE_TABLE, the staging buffer stays mapped in the upper one, and a single VIRTUAL_TRANSFER goes between
//! them. Channels are independent: while the engine works for one, another's staging buffer can be read or filled.

use alloc::sync::Arc;
use alloc::vec::Vec;

use wddm::*;

use super::batch::Batch;
use super::geometry::{PAGE, entry};
use super::paging::Paging;
use super::{PagingError, Reserve, Run};
use crate::dxgkrnl::Core;
use crate::host::{Event, now};
use crate::memory::{Idle, Pages};
use crate::report::Kind;

/// An operation the engine works on.
#[derive(Clone, Copy)]
struct Flight {
    fence: u32,
    kind: Kind,
    bytes: u64,
    begin: u64,
}

/// Entries of a page table, made movable: they hold numbers only.
struct Entries(Vec<DXGK_PTE>);

/// Moves pages of a VF between VRAM and a staging buffer, one operation at a time.
pub struct PagingChannel {
    core: Arc<Core>,
    paging: Arc<Paging>,
    reserve: Arc<Reserve>,
    /// Whatever must outlive the channel.
    _keep: Option<Arc<dyn Send + Sync>>,
    staging: Option<Pages>,
    slice: u64,
    entries: Entries,
    event: Arc<Event>,
    flight: Option<Flight>,
}

impl PagingChannel {
    pub(crate) fn new(
        core: &Arc<Core>,
        paging: &Arc<Paging>,
        reserve: &Arc<Reserve>,
        keep: Option<Arc<dyn Send + Sync>>,
    ) -> Result<Self, PagingError> {
        let bytes = paging.space.slice_bytes() / 2;
        let staging = Pages::new(bytes as usize, PAGE as usize).ok_or(PagingError::NoMemory)?;
        let slice = paging.space.take_slice().ok_or(PagingError::NoMemory)?;
        let mut channel = Self {
            core: Arc::clone(core),
            paging: Arc::clone(paging),
            reserve: Arc::clone(reserve),
            _keep: keep,
            staging: Some(staging),
            slice,
            entries: Entries(Vec::with_capacity((bytes / PAGE) as usize)),
            event: Arc::new(Event::new()),
            flight: None,
        };
        channel.map_staging()?;
        Ok(channel)
    }

    fn map_staging(&mut self) -> Result<(), PagingError> {
        let staging = self.staging.as_ref().ok_or(PagingError::NoMemory)?;
        let (address, bytes) = (staging.address(), staging.bytes() as u64);
        let system = self.paging.space.system;
        self.entries.0.clear();
        self.entries.0.extend((0..bytes / PAGE).map(|page| entry(0, address + page * PAGE, system)));
        let at = self.slice + bytes;
        self.submit(Kind::Fill, 0, |batch, entries| batch.map(at, entries))?;
        self.wait().map(|_| ())
    }

    /// Bytes of the staging buffer.
    pub fn bytes(&self) -> usize {
        self.staging.as_ref().map_or(0, Pages::bytes)
    }

    /// Whether the engine works for this channel.
    pub fn is_busy(&self) -> bool {
        self.flight.is_some()
    }

    /// Starts moving the pages of `runs` out of VRAM, one behind another into the staging buffer.
    pub fn start_out(&mut self, runs: &[Run]) -> Result<(), PagingError> {
        self.start(Kind::Out, runs)
    }

    /// Starts moving the staging buffer's bytes into the pages of `runs`.
    pub fn start_in(&mut self, runs: &[Run]) -> Result<(), PagingError> {
        self.start(Kind::In, runs)
    }

    /// Starts to write zeroes over the pages of `runs`, again and again: work that keeps the engine for a while.
    pub(crate) fn start_fills(&mut self, runs: &[Run], times: u32) -> Result<(), PagingError> {
        self.start_times(Kind::Fill, runs, times)
    }

    /// Writes zeroes over the pages of `runs`; done when it returns. The staging buffer is left alone.
    pub fn fill_zero(&mut self, runs: &[Run]) -> Result<(), PagingError> {
        self.start(Kind::Fill, runs)?;
        self.wait().map(|_| ())
    }

    /// Waits for the operation that was started: the staging buffer.
    pub fn wait(&mut self) -> Result<&[u8], PagingError> {
        if let Some(flight) = self.flight {
            let result = self.paging.wait(&self.core, flight.fence, &self.event, self.paging.timeout_ns);
            if result == Err(PagingError::Timeout) {
                return Err(PagingError::Timeout);
            }
            self.flight = None;
            self.core.counters.moved(flight.kind, flight.bytes, now() - flight.begin);
            result?;
        }
        let staging = self.staging.as_ref().ok_or(PagingError::NoMemory)?;
        Ok(staging.as_slice(&Idle::promised()))
    }

    /// The staging buffer, to be filled before [`start_in`](Self::start_in).
    ///
    /// # Panics
    /// If the engine works for this channel.
    pub fn buffer(&mut self) -> &mut [u8] {
        assert!(self.flight.is_none(), "the staging buffer belongs to the engine until wait()");
        match &mut self.staging {
            Some(staging) => staging.as_mut_slice(&Idle::promised()),
            None => &mut [],
        }
    }

    fn start(&mut self, kind: Kind, runs: &[Run]) -> Result<(), PagingError> {
        self.start_times(kind, runs, 1)
    }

    fn start_times(&mut self, kind: Kind, runs: &[Run], times: u32) -> Result<(), PagingError> {
        if self.flight.is_some() {
            return Err(PagingError::Busy);
        }
        let (entries, segment) = (&mut self.entries.0, self.reserve.segment);
        entries.clear();
        let limit = self.staging.as_ref().map_or(0, Pages::bytes) as u64;
        let bytes = self.reserve.pieces(runs, limit, |offset, bytes| {
            let first = entry(segment, offset, DXGK_PTE_FLAGS::empty());
            let page = offset / PAGE;
            entries.extend((0..bytes / PAGE).map(|at| {
                let mut entry = first;
                entry.u.PageAddress = page + at;
                entry
            }));
        })?;
        if bytes == 0 {
            return Ok(());
        }
        let (slice, half) = (self.slice, limit);
        let reserve = Arc::clone(&self.reserve);
        self.submit(kind, bytes, |batch, entries| {
            batch.map(slice, entries)?;
            (0..times).try_for_each(|_| {
                let (operation, u) = transfer(kind, &reserve, bytes, slice, slice + half);
                batch.add(operation, u)
            })
        })
    }

    fn submit(
        &mut self,
        kind: Kind,
        bytes: u64,
        build: impl FnOnce(&mut Batch<'_>, &mut [DXGK_PTE]) -> Result<(), PagingError>,
    ) -> Result<(), PagingError> {
        let begin = now();
        let serial = self.paging.serial.lock();
        let mut batch = Batch::new(&self.paging, &self.core, &self.event)?;
        build(&mut batch, &mut self.entries.0)?;
        let fence = batch.submit()?;
        drop(serial);
        self.flight = Some(Flight { fence, kind, bytes, begin });
        Ok(())
    }

    /// Runs a batch of the caller's own and waits for it. `scratch` is the lower half of the channel's slice.
    pub(super) fn run(
        &mut self,
        build: impl FnOnce(&mut Batch<'_>, u64) -> Result<(), PagingError>,
    ) -> Result<(), PagingError> {
        let slice = self.slice;
        self.submit(Kind::Fill, 0, |batch, _| build(batch, slice))?;
        self.wait().map(|_| ())
    }
}

fn transfer(
    kind: Kind,
    reserve: &Reserve,
    bytes: u64,
    vram: u64,
    staging: u64,
) -> (DXGK_BUILDPAGINGBUFFER_OPERATION, DXGKARG_BUILDPAGINGBUFFER_U) {
    if kind == Kind::Fill {
        let mut fill = DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL::zeroed();
        fill.hAllocation = reserve.allocation();
        fill.FillSizeInBytes = bytes;
        fill.DestinationVirtualAddress = vram;
        let operation = DXGK_BUILDPAGINGBUFFER_OPERATION::DXGK_OPERATION_VIRTUAL_FILL;
        return (operation, DXGKARG_BUILDPAGINGBUFFER_U { FillVirtual: fill });
    }
    let mut transfer = DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL::zeroed();
    transfer.hAllocation = reserve.allocation();
    transfer.TransferSizeInBytes = bytes;
    if kind == Kind::Out {
        transfer.TransferDirection = DXGK_MEMORY_TRANSFER_DIRECTION::DXGK_MEMORY_TRANSFER_LOCAL_TO_SYSTEM;
        (transfer.SourceVirtualAddress, transfer.DestinationVirtualAddress) = (vram, staging);
    } else {
        transfer.TransferDirection = DXGK_MEMORY_TRANSFER_DIRECTION::DXGK_MEMORY_TRANSFER_SYSTEM_TO_LOCAL;
        (transfer.SourceVirtualAddress, transfer.DestinationVirtualAddress) = (staging, vram);
    }
    let operation = DXGK_BUILDPAGINGBUFFER_OPERATION::DXGK_OPERATION_VIRTUAL_TRANSFER;
    (operation, DXGKARG_BUILDPAGINGBUFFER_U { TransferVirtual: transfer })
}

impl Drop for PagingChannel {
    fn drop(&mut self) {
        let settled = self.wait().is_ok() || self.flight.is_none();
        if settled {
            self.paging.space.give_slice(self.slice);
        } else {
            // The engine may still write it: better lost than written after it was freed.
            core::mem::forget(self.staging.take());
        }
    }
}
