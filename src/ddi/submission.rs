//! Submission and preemption. Written for any IRQL up to DISPATCH_LEVEL: spin locks only, nothing pageable.

use gpup_core::device::HostSubmission;
use gpup_core::os::TraceEvent;
use gpup_core::{Error, Result};
use wddm::{
    DXGKARG_PREEMPTCOMMAND, DXGKARG_SUBMITCOMMANDVIRTUAL, HANDLE, NTSTATUS, STATUS_INVALID_PARAMETER,
};

use super::edge;
use crate::miniport::Started;

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
}

fn submit(started: &Started, args: &DXGKARG_SUBMITCOMMANDVIRTUAL) -> Result<()> {
    queue(started, args).inspect_err(|error| {
        let (node, fence) = (args.NodeOrdinal, args.SubmissionFenceId);
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
    })
}

fn preempt(started: &Started, args: &DXGKARG_PREEMPTCOMMAND) -> Result<()> {
    let node = started.node(args.NodeOrdinal, args.EngineOrdinal)?;
    started.adapter.device().preempt(node, args.PreemptionFenceId);
    Ok(())
}
