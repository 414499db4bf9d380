//! Submission and preemption. Written for any IRQL up to DISPATCH_LEVEL: spin locks only, nothing pageable.

use gpup_core::device::{Author, HostSubmission};
use gpup_core::os::{self, Level, TraceEvent};
use gpup_core::{Error, Result};
use wddm::{
    DXGK_SUBMITCOMMANDFLAGS, DXGKARG_CANCELCOMMAND, DXGKARG_PREEMPTCOMMAND, DXGKARG_SUBMITCOMMANDVIRTUAL,
    HANDLE, NTSTATUS, STATUS_INVALID_PARAMETER,
};

use super::edge;
use crate::miniport::{Origin, Started};

wddm::ddi! {
    /// DxgkDdiSubmitCommandVirtual. At or below DISPATCH_LEVEL. "DXGKDDI_SUBMITCOMMANDVIRTUAL callback function
    /// (d3dkmddi.h)".
    ///
    /// Success and STATUS_INVALID_PARAMETER are all that Dxgkrnl takes.
    #[expect(unsafe_code, reason = "a callback takes Dxgkrnl's pointers; edge validates them")]
    pub(crate) unsafe fn submit_command_virtual(
        adapter: HANDLE,
        args: *const DXGKARG_SUBMITCOMMANDVIRTUAL,
    ) -> NTSTATUS {
        // SAFETY: a callback's own handle and arguments.
        let status = unsafe { edge::read(adapter, args, submit) };
        if status.is_success() { status } else { STATUS_INVALID_PARAMETER }
    }
}

edge::entries! {
    /// DxgkDdiPreemptCommand. At or below DISPATCH_LEVEL. "DXGKDDI_PREEMPTCOMMAND callback function (d3dkmddi.h)".
    read preempt_command(DXGKARG_PREEMPTCOMMAND) => preempt;

    /// DxgkDdiCancelCommand. PASSIVE_LEVEL. "DXGKDDI_CANCELCOMMAND callback function (d3dkmddi.h)".
    read cancel_command(DXGKARG_CANCELCOMMAND) => cancel;
}

/// A fence whose buffer is refused counts as completed in its turn: Dxgkrnl waits for no report of it.
fn submit(started: &Started, args: &DXGKARG_SUBMITCOMMANDVIRTUAL) -> Result<()> {
    queue(started, args).inspect_err(|error| {
        let (node, fence) = (args.NodeOrdinal, args.SubmissionFenceId);
        started.adapter.device().refuse(node as usize, fence);
        started.adapter.trace(TraceEvent::SubmissionRefused { node, fence, error: *error });
    })
}

fn queue(started: &Started, args: &DXGKARG_SUBMITCOMMANDVIRTUAL) -> Result<()> {
    let node = started.node(args.NodeOrdinal, args.EngineOrdinal)?;
    let context = started.context(args.hContext)?;
    if context.node != node {
        return Err(Error::InvalidParameter);
    }
    let root = context.root.ok_or(Error::WrongState)?;
    started.adapter.device().submit(HostSubmission {
        node,
        root,
        dma_address: args.DmaBufferVirtualAddress,
        dma_bytes: args.DmaBufferSize,
        fence: args.SubmissionFenceId,
        author: author(context.origin, args.Flags),
    })
}

/// Who wrote a buffer: VidMm what runs on its own context, and what it says is paging on a process's. Anything else
/// comes from user mode, and so does all that runs on a test's context. Private data is not looked at: no buffer of this
/// driver has any.
fn author(origin: Origin, flags: DXGK_SUBMITCOMMANDFLAGS) -> Author {
    match origin {
        Origin::System => Author::Kernel,
        Origin::Process if flags.contains(DXGK_SUBMITCOMMANDFLAGS::Paging) => Author::Kernel,
        Origin::Process | Origin::Test => Author::User,
    }
}

/// A buffer that the scheduler gives up before it was submitted, since its device is in an error state. Nothing of the
/// driver's goes with a buffer: what it says lies in the buffer, its owner's memory, and a fence is owed only once
/// submitted. So there is nothing to free, no fence to report, and what was submitted goes on. Any failure would be a
/// bug check, and the context may be gone or, for paging, missing, so it is not asked for.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every callback's work")]
fn cancel(_started: &Started, args: &DXGKARG_CANCELCOMMAND) -> Result<()> {
    let DXGKARG_CANCELCOMMAND { DmaBufferVirtualAddress: address, DmaBufferSize: bytes, .. } = *args;
    os::log(Level::Info, format_args!("{bytes} bytes of commands at {address:#x} were cancelled"));
    Ok(())
}

fn preempt(started: &Started, args: &DXGKARG_PREEMPTCOMMAND) -> Result<()> {
    let node = started.node(args.NodeOrdinal, args.EngineOrdinal)?;
    started.adapter.device().preempt(node, args.PreemptionFenceId);
    Ok(())
}
