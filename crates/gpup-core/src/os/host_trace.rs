//! The adapter's events on a host: events of the crate `tracing`, for whatever subscriber the process has installed.
//!
//! The target is `gpup_kmd`; the message is the line of the debug log, and `event` the name of the event. Without a
//! subscriber an event costs a comparison.

use super::{Level, Trace, TraceEvent, part_fields, role_of};
use crate::VfIndex;
use crate::vf::Power;

/// One event: what must be constant of it stands here, the rest in the fields.
macro_rules! event {
    ($trace:ident, $level:ident $(, $name:ident = $value:expr)* $(,)?) => {{
        debug_assert_eq!($trace.event.level(), level::$level, "{}", $trace.event.name());
        tracing::event!(
            target: "gpup_kmd",
            tracing::Level::$level,
            event = $trace.event.name(),
            adapter = $trace.adapter,
            $($name = $value,)*
            "{}",
            $trace
        )
    }};
}

/// The driver's levels under the names of `tracing`.
mod level {
    use super::Level;

    pub(super) const WARN: Level = Level::Warning;
    pub(super) const INFO: Level = Level::Info;
    pub(super) const DEBUG: Level = Level::Debug;
}

/// Hands an event to the process's subscriber.
pub(super) fn emit(trace: &Trace) {
    match trace.event {
        TraceEvent::AdapterStarted { vfs, vram_bytes } => {
            event!(trace, INFO, vfs = vfs, vram_bytes = vram_bytes);
        }
        TraceEvent::AdapterStopped => event!(trace, INFO),
        TraceEvent::VfCreated { vf, vram_bytes, weight } => {
            event!(trace, INFO, vf = vf, vram_bytes = vram_bytes, weight = weight);
        }
        TraceEvent::VfDestroyed { vf } => event!(trace, INFO, vf = vf),
        TraceEvent::PhaseChanged { vf, from, to } => {
            event!(trace, INFO, vf = vf, from = from.name(), to = to.name(), role = role_of(from, to));
        }
        TraceEvent::PolicyChanged { vf, from, to } => {
            event!(trace, INFO, vf = vf, from = from.name(), to = to.name());
        }
        TraceEvent::ExecutesChanged { vf, standing } => event!(
            trace,
            INFO,
            vf = vf,
            executes = standing.executes(),
            power = standing.power == Power::On,
            paused = standing.paused,
            held = standing.held(),
        ),
        TraceEvent::LatePages { vf, pages } => event!(trace, INFO, vf = vf, pages = pages),
        TraceEvent::Throttled { vf, permille } => event!(trace, INFO, vf = vf, permille = permille),
        TraceEvent::Refused { vf, what, error } => {
            event!(trace, WARN, vf = vf, what = what, reason = tracing::field::display(error));
        }
        TraceEvent::SubmissionRefused { node, fence, error } => {
            event!(trace, WARN, node = node, fence = fence, reason = tracing::field::display(error));
        }
        TraceEvent::Harvested { basis, part, pages } => {
            let (range, offset, bytes) = part_fields(part);
            event!(trace, DEBUG, basis = basis, range = range, offset = offset, bytes = bytes, pages = pages);
        }
        TraceEvent::EngineReset { node, fence, vf } => {
            event!(trace, WARN, node = node, fence = fence, vf = vf);
        }
        TraceEvent::FunctionReset { vf } => event!(trace, INFO, vf = vf),
        TraceEvent::Figures { vf, node, counters } => figures(trace, vf, node, &counters),
    }
}

fn figures(trace: &Trace, vf: VfIndex, node: usize, counters: &crate::sched::Counters) {
    event!(
        trace,
        INFO,
        vf = vf,
        node = node,
        packets = counters.packets,
        busy = counters.busy,
        wait_p50 = counters.wait_p50,
        wait_p99 = counters.wait_p99,
        worst_wait = counters.worst_wait,
        preemptions = counters.preemptions,
        resets = counters.resets,
        paging_granted = counters.paging_granted,
        paging_idle = counters.paging_idle,
    );
}
