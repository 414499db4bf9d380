//! SubmitCommandVirtual, preemption, engine status and reset, clocks.

use wddm::*;

use super::bench::{handle, read_page, write_page};
use super::{Bench, Outcome, accepted, broken, declare, needed, refused};

const SUBMIT: &str = "DXGKDDI_SUBMITCOMMANDVIRTUAL callback function (d3dkmddi.h)";
const PREEMPT: &str = "DXGKDDI_PREEMPTCOMMAND callback function (d3dkmddi.h)";
const STATUS: &str = "DXGKDDI_QUERYENGINESTATUS callback function (d3dkmddi.h)";
const DEPENDENTS: &str = "DXGKDDI_QUERYDEPENDENTENGINEGROUP callback function (d3dkmddi.h)";
const RESET: &str = "DXGKDDI_RESETENGINE callback function (d3dkmddi.h)";
const CLOCK: &str = "DXGKDDI_CALIBRATEGPUCLOCK callback function (d3dkmddi.h)";
const FORMAT: &str = "DXGKARG_FORMATHISTORYBUFFER structure (d3dkmddi.h)";
const HISTORY: &str = "DXGKDDI_FORMATHISTORYBUFFER callback function (d3dkmddi.h)";

declare! {
    "submit.stale-context" Handle SUBMIT, "A context that is gone takes no commands.", refusal;
    "submit.unknown-node" Handle SUBMIT, "A node that does not exist takes no commands.", |b| {
        let mut args = command(b);
        args.NodeOrdinal = b.adapter.caps().nodes.len() as u32;
        invalid(b, args)
    };
    "submit.wrong-node" Handle SUBMIT, "A context's commands run on its own node only.", |b| {
        let mut args = command(b);
        args.NodeOrdinal = (args.NodeOrdinal + 1) % b.adapter.caps().nodes.len() as u32;
        if args.NodeOrdinal == b.adapter.caps().paging_node { Ok(()) } else { invalid(b, args) }
    };
    "submit.no-root" State SUBMIT, "A context without a root page table takes no commands.", no_root;
    "preempt.unknown-node" Handle PREEMPT, "A node that does not exist is not preempted.", |b| {
        let mut args = DXGKARG_PREEMPTCOMMAND::zeroed();
        args.NodeOrdinal = b.adapter.caps().nodes.len() as u32;
        refused("PreemptCommand of no node", b.preempt_command(&mut args))
    };
    "preempt.idle" State PREEMPT, "An idle node can be preempted, and works on afterwards.", preempt_idle;
    "engine.status.unknown-node" Handle STATUS, "A node that does not exist has no status.", |b| {
        let mut args = DXGKARG_QUERYENGINESTATUS::zeroed();
        args.NodeOrdinal = b.adapter.caps().nodes.len() as u32;
        refused("QueryEngineStatus of no node", b.query_engine_status(&mut args))
    };
    "engine.status.idle" Answer STATUS, "An engine that has nothing to do is responsive.", responsive;
    "engine.dependents.self" Answer DEPENDENTS,
        "An engine depends on itself, and on nodes that exist.",
        dependents;
    "engine.dependents.unknown-node" Handle DEPENDENTS, "A node that does not exist has no dependents.", |b| {
        let mut args = DXGKARG_QUERYDEPENDENTENGINEGROUP::zeroed();
        args.NodeOrdinal = b.adapter.caps().nodes.len() as u32;
        refused("QueryDependentEngineGroup of no node", b.query_dependents(&mut args))
    };
    "engine.reset.unknown-node" Handle RESET, "A node that does not exist is not reset.", |b| {
        let mut args = DXGKARG_RESETENGINE::zeroed();
        args.NodeOrdinal = b.adapter.caps().nodes.len() as u32;
        refused("ResetEngine of no node", b.reset_engine(&mut args))
    };
    "engine.reset.idle" State RESET,
        "After the reset of an idle engine the node works on, and VRAM is unchanged.",
        reset_idle;
    "clock.unknown-node" Handle CLOCK, "A node that does not exist has no clock.", |b| {
        refused("CalibrateGpuClock of no node", b.calibrate(b.adapter.caps().nodes.len() as u32, 0).0)
    };
    "clock.advances" Answer CLOCK, "The clock has a frequency and never goes back.", clock;
    "history.stale-context" Handle HISTORY, "A context that is gone has no history buffer.", |b| {
        let context = context(b)?;
        needed("DestroyContext", b.core().destroy_context(handle(context.1)))?;
        needed("DestroyDevice", b.core().destroy_device(handle(context.0)))?;
        let (mut args, _words) = history(256);
        refused("FormatHistoryBuffer of a stale context", b.format_history(handle(context.1), &mut args))
    };
    "history.formatted" Answer FORMAT,
        "When all of a history buffer is formatted Offset is 0, and PrecisionBits says how many bits are valid.",
        formatted;
    "history.short" Size HISTORY, "A history buffer without room for its head is refused.", history_short;
}

/// A submission that would be legal, of no commands.
fn command(b: &Bench) -> DXGKARG_SUBMITCOMMANDVIRTUAL {
    let mut args = DXGKARG_SUBMITCOMMANDVIRTUAL::zeroed();
    args.hContext = b.adapter.paging.context();
    args.DmaBufferVirtualAddress = 4096;
    args.NodeOrdinal = b.adapter.caps().paging_node;
    args.Flags = DXGK_SUBMITCOMMANDFLAGS::Paging;
    args
}

/// A submission under the node's next fence, which must be refused.
fn invalid(b: &Bench, mut args: DXGKARG_SUBMITCOMMANDVIRTUAL) -> Outcome {
    let (core, node) = (b.core(), args.NodeOrdinal);
    let submit = |args: &mut _| core.submit_command_virtual(args);
    if node as usize >= b.adapter.caps().nodes.len() {
        // Nothing has a fence there.
        args.SubmissionFenceId = 1;
        return super::same("the status", &STATUS_INVALID_PARAMETER, &submit(&mut args));
    }
    match core.interrupts.submit(node, &mut args, submit) {
        Err(status) => super::same("the status", &STATUS_INVALID_PARAMETER, &status),
        Ok(fence) => {
            core.interrupts.freeze(node);
            core.interrupts.thaw(node, fence);
            broken!("expected STATUS_INVALID_PARAMETER, but fence {fence} was taken")
        }
    }
}

/// A submission that user mode can bring about and the driver refuses: for a context that is gone.
pub(super) fn refusal(b: &Bench) -> Outcome {
    let (device, context) = context(b)?;
    needed("DestroyContext", b.core().destroy_context(handle(context)))?;
    needed("DestroyDevice", b.core().destroy_device(handle(device)))?;
    let mut args = command(b);
    args.hContext = handle(context);
    invalid(b, args)
}

/// A device and a context on node 0, without a root table.
pub(super) fn context(b: &Bench) -> Result<(usize, usize), super::Stop> {
    let mut device = DXGKARG_CREATEDEVICE::zeroed();
    device.hDevice = handle(b.core().handle as usize + 8);
    needed("CreateDevice", b.core().create_device(&mut device))?;
    let mut args = DXGKARG_CREATECONTEXT::zeroed();
    args.hContext = handle(b.core().handle as usize + 9);
    args.NodeOrdinal = b.adapter.caps().paging_node;
    args.EngineAffinity = 1;
    args.Flags = DXGK_CREATECONTEXTFLAGS::VirtualAddressing;
    needed("CreateContext", b.core().create_context(device.hDevice, &mut args))?;
    Ok((device.hDevice.expose_provenance(), args.hContext.expose_provenance()))
}

fn no_root(b: &Bench) -> Outcome {
    let (device, context) = context(b)?;
    let mut args = command(b);
    args.hContext = handle(context);
    let verdict = invalid(b, args);
    needed("DestroyContext", b.core().destroy_context(handle(context)))?;
    needed("DestroyDevice", b.core().destroy_device(handle(device)))?;
    verdict
}

/// Moves a page in and out: the paging node works.
pub(super) fn works(b: &Bench, byte: u8) -> Outcome {
    let vgpu = b.vf(0)?;
    let moved = write_page(&vgpu, 1, byte).and_then(|()| read_page(&vgpu, 1));
    match moved {
        Ok(page) if page.iter().all(|it| *it == byte) => Ok(()),
        _ => broken!("the paging node does not work afterwards"),
    }
}

fn preempt_idle(b: &Bench) -> Outcome {
    let mut args = DXGKARG_PREEMPTCOMMAND::zeroed();
    (args.NodeOrdinal, args.PreemptionFenceId) = (b.adapter.caps().paging_node, u32::MAX - 9);
    accepted("PreemptCommand of an idle node", b.preempt_command(&mut args))?;
    works(b, 0x21)
}

fn responsive(b: &Bench) -> Outcome {
    for node in 0..b.adapter.caps().nodes.len() as u32 {
        let mut args = DXGKARG_QUERYENGINESTATUS::zeroed();
        args.NodeOrdinal = node;
        accepted("QueryEngineStatus", b.query_engine_status(&mut args))?;
        if !args.EngineStatus.contains(DXGK_ENGINESTATUS::Responsive) {
            broken!("node {node} has nothing to do, but is not responsive")
        }
    }
    Ok(())
}

fn dependents(b: &Bench) -> Outcome {
    let nodes = b.adapter.caps().nodes.len() as u32;
    for node in 0..nodes {
        let mut args = DXGKARG_QUERYDEPENDENTENGINEGROUP::zeroed();
        args.NodeOrdinal = node;
        accepted("QueryDependentEngineGroup", b.query_dependents(&mut args))?;
        let mask = args.DependentNodeOrdinalMask;
        if mask >> node & 1 == 0 || mask >> nodes != 0 {
            broken!("node {node} of {nodes} depends on {mask:#b}")
        }
    }
    Ok(())
}

fn reset_idle(b: &Bench) -> Outcome {
    let vgpu = b.vf(1)?;
    write_page(&vgpu, 1, 0x66)?;
    let mut args = DXGKARG_RESETENGINE::zeroed();
    args.NodeOrdinal = b.adapter.caps().paging_node;
    accepted("ResetEngine of an idle engine", b.reset_engine(&mut args))?;
    works(b, 0x22)?;
    if read_page(&vgpu, 1)?.iter().any(|byte| *byte != 0x66) {
        broken!("VRAM has changed")
    }
    Ok(())
}

fn clock(b: &Bench) -> Outcome {
    let (status, first) = b.calibrate(0, 0);
    accepted("CalibrateGpuClock", status)?;
    let (_, second) = b.calibrate(0, 0);
    let (frequency, before, after) = (first.GpuFrequency, first.GpuClockCounter, second.GpuClockCounter);
    if frequency == 0 || after < before {
        broken!("{before}, then {after}, at {frequency} Hz")
    }
    Ok(())
}

/// A history buffer of so many bytes, in words.
fn history(bytes: u32) -> (DXGKARG_FORMATHISTORYBUFFER, alloc::boxed::Box<[u64; 64]>) {
    let mut words = alloc::boxed::Box::new([0u64; 64]);
    let mut args = DXGKARG_FORMATHISTORYBUFFER::zeroed();
    (args.pHistoryBuffer, args.HistoryBufferSize) = (words.as_mut_ptr().cast(), bytes);
    (args, words)
}

fn formatted(b: &Bench) -> Outcome {
    let (mut args, _words) = history(256);
    args.Offset = 8;
    needed("FormatHistoryBuffer", b.format_history(b.adapter.paging.context(), &mut args))?;
    let (bits, stamps, offset) = (args.Precision.PrecisionBits, args.NumTimestamps, args.Offset);
    if bits == 0 || bits > 64 || (stamps == 0 && offset != 0) {
        broken!("{bits} bits, {stamps} timestamps, and the next at {offset}")
    }
    Ok(())
}

fn history_short(b: &Bench) -> Outcome {
    let context = b.adapter.paging.context();
    let (mut args, _words) = history(256);
    needed("FormatHistoryBuffer", b.format_history(context, &mut args))?;
    let (mut args, _words) = history(1);
    refused("FormatHistoryBuffer with one byte", b.format_history(context, &mut args))
}
