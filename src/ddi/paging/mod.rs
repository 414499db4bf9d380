//! DxgkDdiBuildPagingBuffer: VidMm's operations as commands of the copy engine.
//!
//! An operation that outgrows the buffer answers STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER; MultipassOffset then
//! holds how much of it, in its own unit, is in buffers already, and the next call goes on from there. Only that
//! status, STATUS_GRAPHICS_ALLOCATION_BUSY and success are allowed: for VidMm anything else is a defect of the
//! driver or its own, and it says so with a bug check.
//!
//! | operation | how |
//! |---|---|
//! | VIRTUAL_TRANSFER, VIRTUAL_FILL | one command |
//! | UPDATE_PAGE_TABLE, GPU_VIRTUAL | commands that write entries, as many as fit |
//! | UPDATE_PAGE_TABLE, CPU_VIRTUAL | written at once: tables of the paging process |
//! | COPY_PAGE_TABLE_ENTRIES | a command a range |
//! | FLUSH_TLB | one command; at once when there is no buffer |
//! | SIGNAL_MONITORED_FENCE, UPDATE_CONTEXT_ALLOCATION | commands that store eight bytes |
//! | TRANSFER, FILL (physical) | at once by the CPU, when the allocation is idle |
//! | notifications, DISCARD_CONTENT, READ_ and WRITE_PHYSICAL, INIT_CONTEXT_RESOURCE | nothing to do |
//! | aperture, special lock, MMU operations | never: no such segment, swizzling or MMU was offered |
//!
//! UNSAFETY: reads the operation out of its union and follows the pointers in it.
#![expect(unsafe_code)]

mod operations;
mod physical;
mod tables;

use gpup_core::device::paging::Encoder;
use gpup_core::os::TraceEvent;
use gpup_core::{Error, Result};
use wddm::{
    DXGK_BUILDPAGINGBUFFER_OPERATION as Operation, DXGKARG_BUILDPAGINGBUFFER, HANDLE, NTSTATUS,
    STATUS_GRAPHICS_ALLOCATION_BUSY, STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER, STATUS_SUCCESS,
};

use super::{edge, status};
use crate::miniport::{self, Started};

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Built {
    /// The operation is complete.
    Done,
    /// The operation goes on in another buffer, from this MultipassOffset.
    More(u32),
    /// The allocation must be idle first.
    Busy,
}

wddm::ddi! {
    /// DxgkDdiBuildPagingBuffer. PASSIVE_LEVEL, level 0. "DXGKDDI_BUILDPAGINGBUFFER callback function (d3dkmddi.h)".
    pub(crate) unsafe fn build_paging_buffer(
        adapter: HANDLE,
        args: *mut DXGKARG_BUILDPAGINGBUFFER,
    ) -> NTSTATUS {
        // SAFETY: Dxgkrnl's own arguments.
        let args = unsafe { edge::output(args) };
        // SAFETY: within a DDI of the adapter, and the reference ends with it.
        let started = unsafe { miniport::started(adapter) };
        let built = started.and_then(|started| {
            let built = args.and_then(|args| build(started, args));
            built.inspect_err(|error| {
                let refused = TraceEvent::Refused { vf: None, what: "BuildPagingBuffer", error: *error };
                started.adapter.trace(refused);
            })
        });
        match built {
            Ok(Built::Done) => STATUS_SUCCESS,
            Ok(Built::More(_)) => STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER,
            Ok(Built::Busy) => STATUS_GRAPHICS_ALLOCATION_BUSY,
            Err(error) => status::of_error(error),
        }
    }
}

/// Encodes as much of the operation as fits, and tells VidMm how far the buffer is used.
fn build(started: &Started, args: &mut DXGKARG_BUILDPAGINGBUFFER) -> Result<Built> {
    let room = if args.pDmaBuffer.is_null() { 0 } else { args.DmaSize as usize };
    // SAFETY: VidMm's paging buffer of DmaSize bytes is the driver's alone during the call.
    let buffer = unsafe { edge::slice_mut(args.pDmaBuffer.cast::<u8>(), room) }?;
    let mut encoder = Encoder::new(buffer);
    let built = operation(started, args, &mut encoder)?;
    let used = encoder.used();
    args.pDmaBuffer = args.pDmaBuffer.wrapping_byte_add(used);
    if let Built::More(offset) = built {
        args.MultipassOffset = offset;
    }
    Ok(built)
}

/// Reads the field of the union that belongs to the operation.
macro_rules! field {
    ($args:expr, $field:ident) => {
        // SAFETY: the Operation says which field VidMm has filled in; each is plain data, valid for any bytes.
        unsafe { &$args.u.$field }
    };
}

fn operation(
    started: &Started,
    args: &DXGKARG_BUILDPAGINGBUFFER,
    encoder: &mut Encoder<'_>,
) -> Result<Built> {
    let from = args.MultipassOffset;
    match args.Operation {
        Operation::DXGK_OPERATION_VIRTUAL_TRANSFER => {
            Ok(operations::transfer(field!(args, TransferVirtual), encoder))
        }
        Operation::DXGK_OPERATION_VIRTUAL_FILL => Ok(operations::fill(field!(args, FillVirtual), encoder)),
        Operation::DXGK_OPERATION_UPDATE_PAGE_TABLE => {
            tables::update(started, field!(args, UpdatePageTable), from, encoder)
        }
        Operation::DXGK_OPERATION_COPY_PAGE_TABLE_ENTRIES => {
            tables::copy(field!(args, CopyPageTableEntries), from, encoder)
        }
        Operation::DXGK_OPERATION_FLUSH_TLB => {
            let immediate = args.pDmaBuffer.is_null();
            tables::flush(started, field!(args, FlushTlb), immediate, encoder)
        }
        Operation::DXGK_OPERATION_SIGNAL_MONITORED_FENCE => {
            Ok(operations::signal(field!(args, SignalMonitoredFence), encoder))
        }
        Operation::DXGK_OPERATION_UPDATE_CONTEXT_ALLOCATION => {
            operations::update_context(field!(args, UpdateContextAllocation), from, encoder)
        }
        Operation::DXGK_OPERATION_TRANSFER => physical::transfer(started, field!(args, Transfer)),
        Operation::DXGK_OPERATION_FILL => physical::fill(started, field!(args, Fill)),
        Operation::DXGK_OPERATION_DISCARD_CONTENT
        | Operation::DXGK_OPERATION_READ_PHYSICAL
        | Operation::DXGK_OPERATION_WRITE_PHYSICAL
        | Operation::DXGK_OPERATION_INIT_CONTEXT_RESOURCE
        | Operation::DXGK_OPERATION_NOTIFY_RESIDENCY
        | Operation::DXGK_OPERATION_NOTIFY_RESIDENCY2
        | Operation::DXGK_OPERATION_NOTIFY_FENCE_RESIDENCY
        | Operation::DXGK_OPERATION_NOTIFY_ALLOC => Ok(Built::Done),
        _ => Err(Error::NotSupported),
    }
}
