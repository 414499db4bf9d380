//! The adapter's events as TraceLogging events: a name and typed fields each, as docs/tracing.md lists them.
//!
//! What no session listens to costs a comparison. "EtwWriteTransfer function".

use gpup_core::os::{Trace, TraceEvent, part_fields, role_of};
use gpup_core::sched::Counters;
use gpup_core::vf::{Power, Standing};
use gpup_core::{Error, VfIndex};
use nt::print::Line;
use tracelogging::write_event;

use super::PROVIDER;

/// In the field Vf: no VF.
const NO_VF: VfIndex = VfIndex::MAX;

/// Writes an event. Any IRQL up to DISPATCH_LEVEL.
pub(super) fn write(trace: &Trace) {
    let adapter = &trace.adapter;
    match trace.event {
        TraceEvent::AdapterStarted { vfs, vram_bytes } => {
            write_event!(
                PROVIDER,
                "AdapterStarted",
                level(Informational),
                u32("Adapter", adapter),
                u32("Vfs", &vfs),
                u64("VramBytes", &vram_bytes)
            );
        }
        TraceEvent::AdapterStopped => {
            write_event!(PROVIDER, "AdapterStopped", level(Informational), u32("Adapter", adapter));
        }
        TraceEvent::Refused { vf, what, error } => refused(adapter, vf, what, error),
        TraceEvent::SubmissionRefused { node, fence, error } => {
            write_event!(
                PROVIDER,
                "SubmissionRefused",
                level(Warning),
                u32("Adapter", adapter),
                u32("Node", &node),
                u32("Fence", &fence),
                str8("Reason", Line::new(format_args!("{error}")).text())
            );
        }
        TraceEvent::Harvested { basis, part, pages } => {
            let (range, offset, bytes) = part_fields(part);
            write_event!(
                PROVIDER,
                "Harvested",
                level(Verbose),
                u32("Adapter", adapter),
                u64_hex("Basis", &basis),
                u64("Range", &range),
                u64_hex("Offset", &offset),
                u64("Bytes", &bytes),
                u64("Pages", &pages)
            );
        }
        TraceEvent::EngineReset { node, fence, vf } => {
            write_event!(
                PROVIDER,
                "EngineReset",
                level(Warning),
                u32("Adapter", adapter),
                u32("Node", &(node as u32)),
                u32("Fence", &fence),
                u32("Vf", &vf.unwrap_or(NO_VF))
            );
        }
        TraceEvent::Figures { vf, node, counters } => figures(adapter, vf, node as u32, &counters),
        _ => of_vf(trace),
    }
}

/// A change of one VF.
fn of_vf(trace: &Trace) {
    let adapter = &trace.adapter;
    match &trace.event {
        TraceEvent::VfCreated { vf, vram_bytes, weight } => {
            write_event!(
                PROVIDER,
                "VfCreated",
                level(Informational),
                u32("Adapter", adapter),
                u32("Vf", vf),
                u64("VramBytes", vram_bytes),
                u64("Weight", weight)
            );
        }
        TraceEvent::VfDestroyed { vf } => {
            write_event!(
                PROVIDER,
                "VfDestroyed",
                level(Informational),
                u32("Adapter", adapter),
                u32("Vf", vf)
            );
        }
        TraceEvent::PhaseChanged { vf, from, to } => {
            write_event!(
                PROVIDER,
                "PhaseChanged",
                level(Informational),
                u32("Adapter", adapter),
                u32("Vf", vf),
                str8("From", from.name()),
                str8("To", to.name()),
                str8("Role", role_of(*from, *to))
            );
        }
        TraceEvent::PolicyChanged { vf, from, to } => {
            write_event!(
                PROVIDER,
                "PolicyChanged",
                level(Informational),
                u32("Adapter", adapter),
                u32("Vf", vf),
                str8("From", from.name()),
                str8("To", to.name())
            );
        }
        TraceEvent::ExecutesChanged { vf, standing } => executes(adapter, vf, standing),
        TraceEvent::LatePages { vf, pages } => {
            write_event!(
                PROVIDER,
                "LatePages",
                level(Informational),
                u32("Adapter", adapter),
                u32("Vf", vf),
                u64("Pages", pages)
            );
        }
        TraceEvent::Throttled { vf, permille } => {
            write_event!(
                PROVIDER,
                "Throttled",
                level(Informational),
                u32("Adapter", adapter),
                u32("Vf", vf),
                u32("Permille", permille)
            );
        }
        TraceEvent::FunctionReset { vf } => {
            write_event!(
                PROVIDER,
                "FunctionReset",
                level(Informational),
                u32("Adapter", adapter),
                u32("Vf", vf)
            );
        }
        _ => {}
    }
}

fn executes(adapter: &u32, vf: &VfIndex, standing: &Standing) {
    write_event!(
        PROVIDER,
        "ExecutesChanged",
        level(Informational),
        u32("Adapter", adapter),
        u32("Vf", vf),
        bool32("Executes", &i32::from(standing.executes())),
        bool32("Power", &i32::from(standing.power == Power::On)),
        bool32("Paused", &i32::from(standing.paused)),
        bool32("Held", &i32::from(standing.held()))
    );
}

fn refused(adapter: &u32, vf: Option<VfIndex>, what: &str, error: Error) {
    write_event!(
        PROVIDER,
        "Refused",
        level(Warning),
        u32("Adapter", adapter),
        u32("Vf", &vf.unwrap_or(NO_VF)),
        str8("What", what),
        str8("Reason", Line::new(format_args!("{error}")).text())
    );
}

fn figures(adapter: &u32, vf: VfIndex, node: u32, counters: &Counters) {
    write_event!(
        PROVIDER,
        "Figures",
        level(Informational),
        u32("Adapter", adapter),
        u32("Vf", &vf),
        u32("Node", &node),
        u64("Packets", &counters.packets),
        u64("Busy", &counters.busy),
        u64("WaitP50", &counters.wait_p50),
        u64("WaitP99", &counters.wait_p99),
        u64("WorstWait", &counters.worst_wait),
        u64("Preemptions", &counters.preemptions),
        u64("Resets", &counters.resets),
        u64("PagingGranted", &counters.paging_granted),
        u64("PagingIdle", &counters.paging_idle)
    );
}
