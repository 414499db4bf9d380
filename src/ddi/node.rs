//! The engines as nodes: what they are, their clock, their history buffers.
//!
//! UNSAFETY: follows the buffers of FormatHistoryBuffer.
#![expect(unsafe_code)]

use core::mem::offset_of;

use gpup_core::device::abi;
use gpup_core::{Error, Result};
use wddm::{
    DXGK_ENGINE_TYPE, DXGK_GPUCLOCKDATA_FLAGS, DXGK_HISTORY_BUFFER, DXGK_NODEMETADATA_FLAGS,
    DXGKARG_CALIBRATEGPUCLOCK, DXGKARG_FORMATHISTORYBUFFER, DXGKARG_GETNODEMETADATA,
    DXGKARG_HISTORYBUFFERPRECISION, FALSE, HANDLE, NTSTATUS, TRUE,
};

use super::edge;
use crate::miniport::Started;
use crate::{os, text};

wddm::ddi! {
    /// DxgkDdiGetNodeMetadata. PASSIVE_LEVEL. "DXGKDDI_GETNODEMETADATA callback function (d3dkmddi.h)".
    pub(crate) unsafe fn get_node_metadata(
        adapter: HANDLE,
        node_and_adapter: u32,
        out: *mut DXGKARG_GETNODEMETADATA,
    ) -> NTSTATUS {
        // SAFETY: a callback's own handle and arguments.
        unsafe { edge::write(adapter, out, |started, out| metadata(started, node_and_adapter, out)) }
    }

    /// DxgkDdiCalibrateGpuClock. DISPATCH_LEVEL. "DXGKDDI_CALIBRATEGPUCLOCK callback function (d3dkmddi.h)".
    pub(crate) unsafe fn calibrate_gpu_clock(
        adapter: HANDLE,
        node: u32,
        engine: u32,
        out: *mut DXGKARG_CALIBRATEGPUCLOCK,
    ) -> NTSTATUS {
        // SAFETY: a callback's own handle and arguments.
        unsafe { edge::write(adapter, out, |started, out| clock(started, node, engine, out)) }
    }
}

edge::entries! {
    /// DxgkDdiFormatHistoryBuffer. DISPATCH_LEVEL. "DXGKDDI_FORMATHISTORYBUFFER callback function (d3dkmddi.h)".
    object_mut format_history_buffer(DXGKARG_FORMATHISTORYBUFFER) => format_history;
}

/// The low half names the node, the high half the physical adapter.
fn metadata(started: &Started, node_and_adapter: u32, out: &mut DXGKARG_GETNODEMETADATA) -> Result<()> {
    if node_and_adapter >> 16 != 0 {
        return Err(Error::InvalidParameter);
    }
    let (kind, name) = match started.node(node_and_adapter & 0xFFFF, 0)? {
        // Only an engine of no other type needs a name.
        abi::COPY_NODE => (DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_COPY, ""),
        _ => (DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_OTHER, "Compute"),
    };
    *out = DXGKARG_GETNODEMETADATA {
        EngineType: kind,
        FriendlyName: text::utf16(format_args!("{name}")),
        Flags: DXGK_NODEMETADATA_FLAGS::SupportBuildTestCommandBuffer,
        GpuMmuSupported: TRUE,
        IoMmuSupported: FALSE,
    };
    Ok(())
}

fn clock(started: &Started, node: u32, engine: u32, out: &mut DXGKARG_CALIBRATEGPUCLOCK) -> Result<()> {
    started.node(node, engine)?;
    let (ticks, per_second) = started.adapter.device().clock();
    *out = DXGKARG_CALIBRATEGPUCLOCK {
        GpuFrequency: per_second,
        GpuClockCounter: ticks,
        CpuClockCounter: os::performance_counter(),
        Flags: DXGK_GPUCLOCKDATA_FLAGS::empty(),
    };
    Ok(())
}

/// The engines write no timestamps, so every history buffer is empty.
fn format_history(started: &Started, context: HANDLE, args: &mut DXGKARG_FORMATHISTORYBUFFER) -> Result<()> {
    started.context(context)?;
    if (args.HistoryBufferSize as usize) < offset_of!(DXGK_HISTORY_BUFFER, DriverPrivateData) {
        return Err(Error::BufferTooSmall);
    }
    // SAFETY: Dxgkrnl's buffer, of the size it says, holds the header at least.
    unsafe { edge::output(args.pHistoryBuffer) }?;
    args.NumTimestamps = 0;
    args.Precision = DXGKARG_HISTORYBUFFERPRECISION { PrecisionBits: u64::BITS };
    // All is formatted; anything else would be where the next call goes on.
    args.Offset = 0;
    Ok(())
}
