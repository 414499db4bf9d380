//! What the adapter is: DxgkDdiQueryAdapterInfo, one function a type.
//!
//! An answer is written only if the whole of it fits OutputDataSize; not a byte more than the structure is
//! ever written. A type that a compute-only driver must not or does not answer gets STATUS_NOT_SUPPORTED.
//!
//! UNSAFETY: reads and writes the buffers that the query describes.
#![expect(unsafe_code)]

mod memory;
mod overview;

use gpup_core::{Error, Result};
use wddm::{
    DXGK_QUERYADAPTERINFOTYPE as Type, DXGK_QUERYSEGMENTOUT4, DXGK_SEGMENTDESCRIPTOR4,
    DXGKARG_QUERYADAPTERINFO, HANDLE, NTSTATUS, Zeroed,
};

use super::{edge, status};
use crate::miniport::{self, Started};

wddm::ddi! {
    /// DxgkDdiQueryAdapterInfo. PASSIVE_LEVEL, level 0. "DXGKDDI_QUERYADAPTERINFO callback function (d3dkmddi.h)".
    pub(crate) unsafe fn query_adapter_info(
        adapter: HANDLE,
        args: *const DXGKARG_QUERYADAPTERINFO,
    ) -> NTSTATUS {
        // SAFETY: Dxgkrnl's own arguments.
        let args = unsafe { edge::input(args) };
        // SAFETY: within a DDI of the adapter, and the reference ends with it.
        let miniport = unsafe { miniport::find(adapter) };
        status::of(miniport.and_then(|miniport| {
            let query = Query { args: args? };
            always(&query).unwrap_or_else(|| answer(miniport.started()?, &query))
        }))
    }
}

/// What is so of every adapter is answered between AddDevice and StartDevice too.
fn always(query: &Query<'_>) -> Option<Result<()>> {
    Some(match query.args.Type {
        Type::DXGKQAITYPE_WDDMDEVICECAPS => query.answer(overview::wddm_device_caps()),
        Type::DXGKQAITYPE_PHYSICAL_MEMORY_CAPS => query.answer(overview::physical_memory_caps()),
        Type::DXGKQAITYPE_IOMMU_CAPS => query.answer(overview::iommu_caps()),
        Type::DXGKQAITYPE_DRIVERCAPS => {
            query.answer_front(overview::driver_caps(), overview::DRIVERCAPS_LEAST)
        }
        Type::DXGKQAITYPE_NUMPOWERCOMPONENTS => query.answer(0u32),
        Type::DXGKQAITYPE_HISTORYBUFFERPRECISION => overview::history_buffer_precision(query),
        Type::DXGKQAITYPE_NODEPERFDATA => query.answer(overview::node_perf_data()),
        Type::DXGKQAITYPE_ADAPTERPERFDATA => query.answer(overview::adapter_perf_data()),
        Type::DXGKQAITYPE_ADAPTERPERFDATA_CAPS => query.answer(overview::adapter_perf_data_caps()),
        _ => return None,
    })
}

fn answer(started: &Started, query: &Query<'_>) -> Result<()> {
    match query.args.Type {
        Type::DXGKQAITYPE_QUERYSEGMENT4 => memory::query_segment4(started, query),
        Type::DXGKQAITYPE_GPUMMUCAPS => query.answer(memory::gpu_mmu_caps(started, query.input()?)?),
        Type::DXGKQAITYPE_PAGETABLELEVELDESC => {
            query.answer(memory::page_table_level_desc(started, query.input()?)?)
        }
        Type::DXGKQAITYPE_PHYSICALADAPTERCAPS => {
            query.answer(overview::physical_adapter_caps(started, query.input()?)?)
        }
        Type::DXGKQAITYPE_GPUVERSION => query.answer(overview::gpu_version(started)),
        Type::DXGKQAITYPE_GPUPCAPS => query.answer(overview::gpup_caps(started)),
        Type::DXGKQAITYPE_DIRTYBITTRACKINGCAPS => query.answer(memory::dirty_tracking_caps(started)),
        Type::DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS => {
            query.answer(memory::dirty_tracking_segment_caps(started, query.segment_id()?)?)
        }
        Type::DXGKQAITYPE_SCATTER_RESERVE => query.answer(memory::scatter_reserve(started, query.input()?)?),
        _ => Err(Error::NotSupported),
    }
}

/// A query, with its buffers.
pub(super) struct Query<'a> {
    args: &'a DXGKARG_QUERYADAPTERINFO,
}

impl Query<'_> {
    /// Writes the whole answer.
    fn answer<T: Zeroed>(&self, value: T) -> Result<()> {
        self.answer_front(value, size_of::<T>())
    }

    /// Writes as much of the answer as there is room for, but `least` bytes: Dxgkrnl sizes some buffers by the
    /// version it knows.
    fn answer_front<T: Zeroed>(&self, value: T, least: usize) -> Result<()> {
        let room = self.args.OutputDataSize as usize;
        if room < least {
            return Err(Error::BufferTooSmall);
        }
        let bytes = room.min(size_of::<T>());
        let out = self.args.pOutputData.cast::<u8>();
        // SAFETY: Dxgkrnl's output buffer of OutputDataSize bytes is the driver's alone during the call.
        let out = unsafe { edge::slice_mut(out, bytes) }?;
        put(&value, out);
        Ok(())
    }

    /// What the output buffer holds before it is answered: Dxgkrnl fills in parts of some structures.
    fn filled<T: Zeroed>(&self) -> Result<T> {
        if (self.args.OutputDataSize as usize) < size_of::<T>() {
            return Err(Error::BufferTooSmall);
        }
        // SAFETY: Dxgkrnl's output buffer, large enough, is the driver's alone during the call.
        let bytes = unsafe { edge::slice(self.args.pOutputData.cast::<u8>().cast_const(), size_of::<T>()) }?;
        // SAFETY: as many bytes as a T has; every type of the interface is valid for any bytes.
        Ok(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
    }

    /// Writes the first, and only, segment descriptor. Descriptors lie SegmentDescriptorStride bytes apart, which is
    /// also as large as each may be; without a stride, as large as the structure.
    fn segment_descriptor(
        &self,
        out: &DXGK_QUERYSEGMENTOUT4,
        segment: DXGK_SEGMENTDESCRIPTOR4,
    ) -> Result<()> {
        let whole = size_of::<DXGK_SEGMENTDESCRIPTOR4>();
        let bytes = match out.SegmentDescriptorStride {
            0 => whole,
            stride => stride.min(whole),
        };
        // SAFETY: Dxgkrnl's array of NbSegment descriptors, one at least, of that many bytes each.
        let place = unsafe { edge::slice_mut(out.pSegmentDescriptor.cast::<u8>(), bytes) }?;
        put(&segment, place);
        Ok(())
    }

    /// What the query asks about.
    fn input<T: Zeroed>(&self) -> Result<T> {
        if (self.args.InputDataSize as usize) < size_of::<T>() {
            return Err(Error::InvalidParameter);
        }
        // SAFETY: Dxgkrnl's input buffer of InputDataSize bytes.
        let bytes = unsafe { edge::slice(self.args.pInputData.cast::<u8>(), size_of::<T>()) }?;
        // SAFETY: as many bytes as a T has; every type of the interface is valid for any bytes.
        Ok(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
    }

    /// A segment id. Its width is documented nowhere, so the input's size says it.
    fn segment_id(&self) -> Result<u32> {
        match self.args.InputDataSize {
            2 => self.input::<u16>().map(u32::from),
            4 => self.input::<u32>(),
            8 => self.input::<u64>().and_then(|id| u32::try_from(id).map_err(|_| Error::InvalidParameter)),
            _ => Err(Error::InvalidParameter),
        }
    }
}

/// Writes the front of a value, as much as there is room for. Its padding holds what the stack held, so zeroes go in its
/// place.
fn put<T: Zeroed>(value: &T, out: &mut [u8]) {
    out.fill(0);
    let room = out.len();
    T::spans(0, &mut |at, bytes| {
        let end = (at + bytes).min(room);
        if at < end {
            let from = (&raw const *value).cast::<u8>().wrapping_add(at);
            // SAFETY: the span lies within the value, and none of it is padding.
            let bytes = unsafe { core::slice::from_raw_parts(from, end - at) };
            out[at..end].copy_from_slice(bytes);
        }
    });
}
