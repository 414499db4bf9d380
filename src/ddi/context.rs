//! Processes, devices and contexts.
//!
//! UNSAFETY: two of the callbacks have shapes of their own, and look their arguments up themselves.
#![expect(unsafe_code)]

use gpup_core::{Error, Result};
use wddm::{
    DXGK_CONTEXTINFO, DXGK_CONTEXTINFO_CAPS, DXGK_CREATECONTEXTFLAGS, DXGK_DEVICEINFO, DXGKARG_CREATECONTEXT,
    DXGKARG_CREATEDEVICE, DXGKARG_CREATEPROCESS, DXGKARG_GETROOTPAGETABLESIZE, DXGKARG_SETROOTPAGETABLE,
    HANDLE, SIZE_T,
};

use super::{edge, segment};
use crate::ddi::segment::PAGING_BUFFER_BYTES;
use crate::miniport::{self, Context, Device, Origin, Process, Started};

edge::entries! {
    /// DxgkDdiCreateProcess. PASSIVE_LEVEL. "DXGKDDI_CREATEPROCESS callback function (d3dkmddi.h)".
    write create_process(DXGKARG_CREATEPROCESS) => new_process;

    /// DxgkDdiDestroyProcess. PASSIVE_LEVEL. "DXGKDDI_DESTROYPROCESS callback function (d3dkmddi.h)".
    handle destroy_process => end_process;

    /// DxgkDdiCreateDevice. PASSIVE_LEVEL, level 1. "DXGKDDI_CREATEDEVICE callback function (d3dkmddi.h)".
    write create_device(DXGKARG_CREATEDEVICE) => new_device;

    /// DxgkDdiDestroyDevice. PASSIVE_LEVEL, level 1. "DXGKDDI_DESTROYDEVICE callback function (d3dkmddi.h)".
    close destroy_device => end_device;

    /// DxgkDdiCreateContext. PASSIVE_LEVEL, level 1. "DXGKDDI_CREATECONTEXT callback function (d3dkmddi.h)".
    object_mut create_context(DXGKARG_CREATECONTEXT) => new_context;

    /// DxgkDdiDestroyContext. PASSIVE_LEVEL, level 1. "DXGKDDI_DESTROYCONTEXT callback function (d3dkmddi.h)".
    close destroy_context => end_context;
}

wddm::ddi! {
    /// DxgkDdiSetRootPageTable. PASSIVE_LEVEL, level 1; the context is idle.
    /// "DXGKDDI_SETROOTPAGETABLE callback function (d3dkmddi.h)".
    pub(crate) unsafe fn set_root_page_table(adapter: HANDLE, args: *const DXGKARG_SETROOTPAGETABLE) {
        // SAFETY: a callback's own handle and arguments.
        let status = unsafe { edge::read(adapter, args, set_root) };
        // The callback has no way to say so: a context without a root refuses what is submitted to it.
        let _ = status;
    }

    /// DxgkDdiGetRootPageTableSize. PASSIVE_LEVEL. "DXGKDDI_GETROOTPAGETABLESIZE callback function (d3dkmddi.h)".
    pub(crate) unsafe fn get_root_page_table_size(
        adapter: HANDLE,
        args: *mut DXGKARG_GETROOTPAGETABLESIZE,
    ) -> SIZE_T {
        // SAFETY: Dxgkrnl's own arguments.
        let args = unsafe { edge::output(args) };
        // SAFETY: within a DDI of the adapter, and the reference ends with it.
        let started = unsafe { miniport::started(adapter) };
        started.and_then(|started| Ok(root_size(started, args?))).unwrap_or(0)
    }
}

fn new_process(started: &Started, args: &mut DXGKARG_CREATEPROCESS) -> Result<()> {
    args.hKmdProcess = started.processes.insert(Process)?;
    Ok(())
}

fn end_process(started: &Started, process: HANDLE) -> Result<()> {
    started.processes.remove(process).map(drop)
}

fn new_device(started: &Started, args: &mut DXGKARG_CREATEDEVICE) -> Result<()> {
    if !args.hKmdProcess.is_null() {
        started.processes.get(args.hKmdProcess)?;
    }
    args.hDevice = started.devices.insert(Device)?;
    // Contexts say what their buffers are like, so devices need not.
    args.u.pInfo = core::ptr::null_mut::<DXGK_DEVICEINFO>();
    Ok(())
}

fn end_device(started: &Started, device: HANDLE) -> Result<()> {
    started.devices.remove(device).map(drop)
}

fn new_context(started: &Started, device: HANDLE, args: &mut DXGKARG_CREATECONTEXT) -> Result<()> {
    started.devices.get(device)?;
    let node = started.node(args.NodeOrdinal, 0)?;
    if args.EngineAffinity > 1 {
        return Err(Error::InvalidParameter);
    }
    if args.Flags.intersects(DXGK_CREATECONTEXTFLAGS::HwQueueSupported | DXGK_CREATECONTEXTFLAGS::GdiContext)
    {
        return Err(Error::NotSupported);
    }
    args.hContext = started.contexts.insert(Context { node, root: None, origin: origin(args.Flags) })?;
    args.ContextInfo = DXGK_CONTEXTINFO {
        DmaBufferSize: PAGING_BUFFER_BYTES,
        Caps: DXGK_CONTEXTINFO_CAPS::NoPatchingRequired,
        ..DXGK_CONTEXTINFO::zeroed()
    };
    Ok(())
}

/// Whose a context is. One that is a test's is nothing else, whatever other flags it has. No private data is asked of
/// any, as "Kernel-mode testing of WDDM features" wants it of a test's.
fn origin(flags: DXGK_CREATECONTEXTFLAGS) -> Origin {
    if flags.contains(DXGK_CREATECONTEXTFLAGS::TestContext) {
        Origin::Test
    } else if flags.contains(DXGK_CREATECONTEXTFLAGS::SystemContext) {
        Origin::System
    } else {
        Origin::Process
    }
}

fn end_context(started: &Started, context: HANDLE) -> Result<()> {
    started.contexts.remove(context).map(drop)
}

fn set_root(started: &Started, args: &DXGKARG_SETROOTPAGETABLE) -> Result<()> {
    let root = segment::table(&args.Address);
    started.contexts.with(args.hContext, |context| context.root = root.ok())?;
    root.map(drop)
}

/// Bytes of a root table, and its entries: fixed, as with more than two levels.
fn root_size(started: &Started, args: &mut DXGKARG_GETROOTPAGETABLESIZE) -> SIZE_T {
    let bytes = started.adapter.device().geometry().table_bytes();
    args.NumberOfPte = (bytes / 8) as u32;
    bytes as SIZE_T
}
