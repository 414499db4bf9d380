//! What happens to an adapter and its VFs, as events with fields: one source for the debug log and for traces.
//!
//! An event is made where the change is made, after it. Making and telling one allocates nothing and may be done at
//! any IRQL up to DISPATCH_LEVEL. The names and fields of docs/tracing.md are these.

use core::fmt;

use super::Level;
use crate::dirty::Part;
use crate::migration::{Phase, Role};
use crate::sched::{Counters, Policy};
use crate::standing::{Power, Standing};
use crate::{Error, VfIndex};

/// An event of one adapter.
#[derive(Clone, Copy, Debug)]
pub struct Trace {
    /// Which adapter: [`crate::adapter::Adapter::id`].
    pub adapter: u32,
    /// What happened.
    pub event: TraceEvent,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum TraceEvent {
    /// The adapter was started.
    AdapterStarted {
        /// Most VFs.
        vfs: u32,
        /// Bytes of VRAM.
        vram_bytes: u64,
    },
    /// The adapter was stopped.
    AdapterStopped,
    /// A VF was created.
    VfCreated {
        /// The VF.
        vf: VfIndex,
        /// Bytes of VRAM it was granted.
        vram_bytes: u64,
        /// Its weight on every engine.
        weight: u64,
    },
    /// A VF was destroyed.
    VfDestroyed {
        /// The VF.
        vf: VfIndex,
    },
    /// A VF's migration went on, or ended.
    PhaseChanged {
        /// The VF.
        vf: VfIndex,
        /// The phase before.
        from: Phase,
        /// The phase now.
        to: Phase,
    },
    /// The engines share differently between a VF and paging on its behalf.
    PolicyChanged {
        /// The VF.
        vf: VfIndex,
        /// The policy before.
        from: Policy,
        /// The policy now.
        to: Policy,
    },
    /// A VF began to execute, or stopped: then its last packet has ended.
    ExecutesChanged {
        /// The VF.
        vf: VfIndex,
        /// How it stands now.
        standing: Standing,
    },
    /// The pages a VF dirtied after the last harvest are known.
    LatePages {
        /// The VF.
        vf: VfIndex,
        /// How many there are.
        pages: u64,
    },
    /// A source was slowed down, or freed of that.
    Throttled {
        /// The VF.
        vf: VfIndex,
        /// Thousandths of its time that it may take.
        permille: u32,
    },
    /// Something was refused.
    Refused {
        /// For which VF, if it was for one.
        vf: Option<VfIndex>,
        /// What was refused.
        what: &'static str,
        /// Why.
        error: Error,
    },
    /// A submission was refused; Dxgkrnl learns no more than that.
    SubmissionRefused {
        /// The node.
        node: u32,
        /// The submission's fence.
        fence: u32,
        /// Why.
        error: Error,
    },
    /// Dirty bits were read and cleared: a piece of an iteration.
    Harvested {
        /// Handle of the memory basis.
        basis: u64,
        /// What of it.
        part: Part,
        /// Dirty pages that were found.
        pages: u64,
    },
    /// An engine was reset.
    EngineReset {
        /// Its node.
        node: usize,
        /// Last aborted fence, or the last completed one when none was aborted.
        fence: u32,
        /// The VF whose packet was cut.
        vf: Option<VfIndex>,
    },
    /// A VF went through a function level reset.
    FunctionReset {
        /// The VF.
        vf: VfIndex,
    },
    /// What a VF had of a node, at the end of its migration or its own.
    Figures {
        /// The VF.
        vf: VfIndex,
        /// The node.
        node: usize,
        /// Its figures since it got its memory.
        counters: Counters,
    },
}

impl TraceEvent {
    /// The event's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AdapterStarted { .. } => "AdapterStarted",
            Self::AdapterStopped => "AdapterStopped",
            Self::VfCreated { .. } => "VfCreated",
            Self::VfDestroyed { .. } => "VfDestroyed",
            Self::PhaseChanged { .. } => "PhaseChanged",
            Self::PolicyChanged { .. } => "PolicyChanged",
            Self::ExecutesChanged { .. } => "ExecutesChanged",
            Self::LatePages { .. } => "LatePages",
            Self::Throttled { .. } => "Throttled",
            Self::Refused { .. } => "Refused",
            Self::SubmissionRefused { .. } => "SubmissionRefused",
            Self::Harvested { .. } => "Harvested",
            Self::EngineReset { .. } => "EngineReset",
            Self::FunctionReset { .. } => "FunctionReset",
            Self::Figures { .. } => "Figures",
        }
    }

    /// The event's importance.
    pub const fn level(&self) -> Level {
        match self {
            Self::Refused { .. } | Self::SubmissionRefused { .. } | Self::EngineReset { .. } => {
                Level::Warning
            }
            Self::Harvested { .. } => Level::Debug,
            _ => Level::Info,
        }
    }
}

/// The name of the side that a migration, which goes on or ends, has the VF on.
pub fn role_of(from: Phase, to: Phase) -> &'static str {
    to.role().or(from.role()).map_or("none", Role::name)
}

/// Range, first byte and bytes of a part of a basis, as QueryDirtyBitData is told; all zero for a whole basis.
pub const fn part_fields(part: Part) -> (u64, u64, u64) {
    match part {
        Part::Whole => (0, 0, 0),
        Part::Range { index, offset, bytes } => (index, offset, bytes),
    }
}

/// The line of the debug log.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.event.fmt(f)
    }
}

impl fmt::Display for TraceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AdapterStarted { vfs, vram_bytes } => {
                write!(f, "adapter started: {vfs} VFs, {vram_bytes} bytes of VRAM")
            }
            Self::AdapterStopped => f.write_str("adapter stopped"),
            Self::VfCreated { vf, vram_bytes, weight } => {
                write!(f, "VF {vf} created: {vram_bytes} bytes, weight {weight}")
            }
            Self::VfDestroyed { vf } => write!(f, "VF {vf} destroyed"),
            Self::PhaseChanged { vf, from, to } => {
                write!(f, "VF {vf} goes from {from} to {to}, role {}", role_of(from, to))
            }
            Self::PolicyChanged { vf, from, to } => {
                write!(f, "VF {vf} goes from policy {} to {}", from.name(), to.name())
            }
            Self::ExecutesChanged { vf, standing } => executes(f, vf, standing),
            Self::LatePages { vf, pages } => write!(f, "VF {vf} is off its engines with {pages} late pages"),
            Self::Throttled { vf, permille } => write!(f, "VF {vf} may take {permille}/1000 of its time"),
            Self::Refused { vf: Some(vf), what, error } => write!(f, "VF {vf}: {what} refused: {error}"),
            Self::Refused { vf: None, what, error } => write!(f, "{what} refused: {error}"),
            Self::SubmissionRefused { node, fence, error } => {
                write!(f, "node {node} refuses fence {fence}: {error}")
            }
            Self::Harvested { basis, part, pages } => {
                let (range, offset, bytes) = part_fields(part);
                write!(
                    f,
                    "{pages} dirty pages of basis {basis:#x}, range {range} at {offset:#x}, {bytes} bytes"
                )
            }
            Self::EngineReset { node, fence, vf } => {
                write!(f, "node {node} was reset; last aborted fence {fence}")?;
                vf.map_or(Ok(()), |vf| write!(f, "; a packet of VF {vf} was cut"))
            }
            Self::FunctionReset { vf } => write!(f, "VF {vf} was reset"),
            Self::Figures { vf, node, counters } => figures(f, vf, node, &counters),
        }
    }
}

fn executes(f: &mut fmt::Formatter<'_>, vf: VfIndex, standing: Standing) -> fmt::Result {
    if standing.executes() {
        return write!(f, "VF {vf} executes");
    }
    let power = if standing.power == Power::On { "on" } else { "off" };
    write!(f, "VF {vf} stopped executing: power {power}, ")?;
    write!(f, "paused: {}, held by its migration: {}", standing.paused, standing.held())
}

fn figures(f: &mut fmt::Formatter<'_>, vf: VfIndex, node: usize, counters: &Counters) -> fmt::Result {
    let Counters { packets, preemptions, resets, .. } = counters;
    let us = |ticks: u64| ticks / 1000;
    write!(f, "VF {vf} on node {node}: {packets} packets took {} us and waited ", us(counters.busy))?;
    write!(f, "{} us (half), {} us (99 of 100), ", us(counters.wait_p50), us(counters.wait_p99))?;
    write!(f, "{} us (longest); {preemptions} turns cut short, ", us(counters.worst_wait))?;
    write!(f, "{resets} resets; paging took {} us of its share ", us(counters.paging_granted))?;
    write!(f, "and {} us of idle time", us(counters.paging_idle))
}
