//! Paging operations packed into paging buffers and submitted.
//!
//! Microsoft's pages: "DXGKDDI_BUILDPAGINGBUFFER", "DXGKARG_BUILDPAGINGBUFFER", "DXGKDDI_SUBMITCOMMANDVIRTUAL". A
//! driver that runs out of buffer says INSUFFICIENT_DMA_BUFFER: what there is goes, and it is called again with a new
//! buffer and the MultipassOffset it left.

use alloc::sync::Arc;

use wddm::*;

use super::paging::{Buffer, Paging};
use super::{PagingError, geometry};
use crate::contract::{calls, rules};
use crate::dxgkrnl::{Core, succeed};
use crate::host::Event;

/// Operations on their way into paging buffers.
pub(super) struct Batch<'a> {
    paging: &'a Paging,
    core: &'a Core,
    event: &'a Arc<Event>,
    index: usize,
    buffer: Option<Buffer>,
    used: usize,
    private_used: usize,
    last: u32,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        paging: &'a Paging,
        core: &'a Core,
        event: &'a Arc<Event>,
    ) -> Result<Self, PagingError> {
        let (index, buffer) = paging.take_buffer(core, event)?;
        Ok(Self { paging, core, event, index, buffer: Some(buffer), used: 0, private_used: 0, last: 0 })
    }

    /// Adds one operation.
    pub(super) fn add(
        &mut self,
        operation: DXGK_BUILDPAGINGBUFFER_OPERATION,
        u: DXGKARG_BUILDPAGINGBUFFER_U,
    ) -> Result<(), PagingError> {
        let (mut multipass, mut idle) = (0, false);
        loop {
            let fresh = self.used == 0;
            let before = (self.used, multipass);
            let status = self.build(operation, u, &mut multipass)?;
            match status {
                STATUS_SUCCESS => return Ok(()),
                STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER => {
                    if fresh && before == (self.used, multipass) {
                        self.core.contract.broken(
                            &rules::MULTIPASS,
                            format_args!("{operation:?} does not fit an empty buffer and does not advance"),
                        );
                        return Err(PagingError::Ddi(calls::BUILD_PAGING_BUFFER.name, status));
                    }
                    self.next_buffer()?;
                }
                // Waits until nothing refers to the allocation any more, and asks again.
                STATUS_GRAPHICS_ALLOCATION_BUSY if !idle => {
                    self.next_buffer()?;
                    self.paging.settle(self.core);
                    idle = true;
                }
                STATUS_GRAPHICS_ALLOCATION_BUSY => {
                    let what = format_args!("{operation:?}, with nothing under way");
                    self.core.contract.broken(&rules::BUSY_IDLE, what);
                    return Err(PagingError::Ddi(calls::BUILD_PAGING_BUFFER.name, status));
                }
                status => return Err(PagingError::Ddi(calls::BUILD_PAGING_BUFFER.name, status)),
            }
        }
    }

    fn build(
        &mut self,
        operation: DXGK_BUILDPAGINGBUFFER_OPERATION,
        u: DXGKARG_BUILDPAGINGBUFFER_U,
        multipass: &mut u32,
    ) -> Result<NTSTATUS, PagingError> {
        let room = self.paging.buffer_bytes();
        let buffer = self.buffer.as_mut().ok_or(PagingError::NoMemory)?;
        let start = buffer.pages.start();
        let private = buffer.private.as_mut_ptr();
        let mut args = DXGKARG_BUILDPAGINGBUFFER::zeroed();
        args.pDmaBuffer = start.wrapping_add(self.used).cast();
        args.DmaSize = (room - self.used) as u32;
        args.pDmaBufferPrivateData = private.wrapping_add(self.private_used).cast();
        args.DmaBufferPrivateDataSize = (buffer.private.len() - self.private_used) as u32;
        args.Operation = operation;
        args.MultipassOffset = *multipass;
        args.u = u;
        args.hSystemContext = self.paging.context();
        args.DmaBufferGpuVirtualAddress = buffer.address;
        args.DmaBufferWriteOffset = self.used as u32;
        let status = self.core.build_paging_buffer(&mut args);
        let used = args.pDmaBuffer.addr().wrapping_sub(start.addr());
        let private_used = args.pDmaBufferPrivateData.addr().wrapping_sub(private.addr());
        let held = (self.used..=room).contains(&used)
            && (self.private_used..=buffer.private.len()).contains(&private_used);
        self.core.contract.require(
            held,
            &rules::PAGING_BUFFER,
            format_args!(
                "{operation:?} left pDmaBuffer at {used} of {room} bytes, the private data at {private_used}"
            ),
        );
        if held {
            (self.used, self.private_used) = (used, private_used);
        }
        *multipass = args.MultipassOffset;
        Ok(status)
    }

    /// Submits what there is and goes on in another buffer.
    fn next_buffer(&mut self) -> Result<(), PagingError> {
        self.flush()?;
        let (index, buffer) = self.paging.take_buffer(self.core, self.event)?;
        (self.index, self.buffer, self.used, self.private_used) = (index, Some(buffer), 0, 0);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), PagingError> {
        let Some(mut buffer) = self.buffer.take() else { return Ok(()) };
        if self.used == 0 {
            self.paging.give_buffer(self.index, buffer, 0);
            return Ok(());
        }
        let mut args = DXGKARG_SUBMITCOMMANDVIRTUAL::zeroed();
        args.hContext = self.paging.context();
        args.DmaBufferVirtualAddress = buffer.address;
        args.DmaBufferSize = self.used as u32;
        args.pDmaBufferPrivateData = buffer.private.as_mut_ptr().cast();
        args.DmaBufferPrivateDataSize = self.private_used as u32;
        args.Flags = DXGK_SUBMITCOMMANDFLAGS::Paging;
        args.NodeOrdinal = self.paging.node;
        let submitted = self
            .core
            .interrupts
            .submit(self.paging.node, &mut args, |args| self.core.submit_command_virtual(args));
        match submitted {
            Ok(fence) => {
                self.last = fence;
                self.core.counters.submitted();
                self.paging.give_buffer(self.index, buffer, fence);
                Ok(())
            }
            Err(status) => {
                if self.core.interrupts.is_removed() && self.paging.cancels {
                    self.cancel(&args);
                }
                self.paging.give_buffer(self.index, buffer, 0);
                Ok(succeed(calls::SUBMIT_COMMAND_VIRTUAL.name, status)?)
            }
        }
    }

    /// What was built never reaches the device: whatever the driver keeps with it is the driver's to free.
    fn cancel(&self, submission: &DXGKARG_SUBMITCOMMANDVIRTUAL) {
        let mut args = DXGKARG_CANCELCOMMAND::zeroed();
        args.hContext = submission.hContext;
        args.DmaBufferVirtualAddress = submission.DmaBufferVirtualAddress;
        args.DmaBufferSize = submission.DmaBufferSize;
        args.DmaBufferSubmissionEndOffset = submission.DmaBufferSize;
        args.pDmaBufferPrivateData = submission.pDmaBufferPrivateData;
        args.DmaBufferPrivateDataSize = submission.DmaBufferPrivateDataSize;
        let status = self.core.cancel_command(&mut args);
        self.core.contract.require(
            status == STATUS_SUCCESS,
            &rules::STATUS,
            format_args!("{}: {status}, which is a bug check", calls::CANCEL_COMMAND.name),
        );
    }

    /// Submits what is left: the fence that is last.
    pub(super) fn submit(mut self) -> Result<u32, PagingError> {
        self.flush()?;
        Ok(self.last)
    }

    /// Maps `entries` at `address` of the paging process and makes the GPU forget what was there.
    pub(super) fn map(&mut self, address: u64, entries: &mut [DXGK_PTE]) -> Result<(), PagingError> {
        let space = &self.paging.space;
        let length = entries.len() as u64 * geometry::PAGE;
        let (mut at, mut rest) = (address, entries);
        while !rest.is_empty() {
            let (table, index, table_address) = space.leaf(at);
            let here = rest.len().min((space.geometry.entries(0) - index) as usize);
            let (now, later) = rest.split_at_mut(here);
            let mut update = DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE::zeroed();
            update.pPageTableEntries = now.as_mut_ptr();
            update.StartIndex = index;
            update.NumPageTableEntries = here as u32;
            update.hProcess = self.paging.process();
            update.FirstPteVirtualAddress = at;
            self.update(update, 0, space.levels[0].address(table), table_address)?;
            at += here as u64 * geometry::PAGE;
            rest = later;
        }
        self.flush_tlb(address, address + length)
    }

    /// One page table update in the driver's mode; the table lies in `segment` at `physical`, mapped at `address`.
    pub(super) fn update(
        &mut self,
        mut update: DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE,
        segment: u32,
        physical: u64,
        address: u64,
    ) -> Result<(), PagingError> {
        update.UpdateMode = self.paging.mode;
        match self.paging.mode {
            DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_CPU_VIRTUAL => {
                update.PageTableAddress.u.CpuVirtual =
                    core::ptr::with_exposed_provenance_mut(physical as usize);
                return self.paging.update_now(self.core, update);
            }
            DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_PHYSICAL => {
                update.PageTableAddress.u.GpuPhysical =
                    D3DGPU_PHYSICAL_ADDRESS { SegmentId: segment, Padding: 0, SegmentOffset: physical };
            }
            _ => update.PageTableAddress.u.GpuVirtual = address,
        }
        let u = DXGKARG_BUILDPAGINGBUFFER_U { UpdatePageTable: update };
        self.add(DXGK_BUILDPAGINGBUFFER_OPERATION::DXGK_OPERATION_UPDATE_PAGE_TABLE, u)
    }

    fn flush_tlb(&mut self, start: u64, end: u64) -> Result<(), PagingError> {
        let mut flush = DXGK_BUILDPAGINGBUFFER_FLUSHTLB::zeroed();
        flush.RootPageTableAddress =
            D3DGPU_PHYSICAL_ADDRESS { SegmentId: 0, Padding: 0, SegmentOffset: self.paging.space.root().0 };
        flush.hProcess = self.paging.process();
        flush.StartVirtualAddress = start;
        flush.EndVirtualAddress = end;
        let u = DXGKARG_BUILDPAGINGBUFFER_U { FlushTlb: flush };
        self.add(DXGK_BUILDPAGINGBUFFER_OPERATION::DXGK_OPERATION_FLUSH_TLB, u)
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            // An operation failed; what was built before it is thrown away.
            self.paging.give_buffer(self.index, buffer, self.last);
        }
    }
}
