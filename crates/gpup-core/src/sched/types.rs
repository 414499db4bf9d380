//! What an administrator sets, what an engine is granted, and what is counted.

use core::ops::RangeInclusive;

use crate::VfIndex;

/// How eagerly a VF is scheduled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// Runs only when it has work.
    #[default]
    Low,
    /// Always gets its slot, with or without work.
    Normal,
}

/// What an administrator sets for a VF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VfParameters {
    /// Engine time of a turn, in microseconds.
    pub quantum_us: u32,
    /// How far a packet may run past its turn while another waits, in microseconds; 0 = without limit.
    pub preempt_timeout_us: u32,
    /// How eagerly it is scheduled.
    pub priority: Priority,
    /// Relative weight, from the vGPU profile's compute capability.
    pub weight: u32,
}

impl VfParameters {
    /// Turns that a VF may be given: short enough that its neighbours' come, long enough to be worth a switch.
    pub const QUANTUM_US: RangeInclusive<u32> = 100..=100_000;
    /// Longest preemption timeout that a VF may be given.
    pub const MOST_PREEMPT_TIMEOUT_US: u32 = 10_000_000;
    /// Largest weight that takes effect.
    pub const MOST_WEIGHT: u32 = 1 << 20;

    /// The nearest parameters that a VF may be given.
    pub fn within_limits(self) -> Self {
        Self {
            quantum_us: self.quantum_us.clamp(*Self::QUANTUM_US.start(), *Self::QUANTUM_US.end()),
            preempt_timeout_us: self.preempt_timeout_us.min(Self::MOST_PREEMPT_TIMEOUT_US),
            ..self
        }
    }
}

impl Default for VfParameters {
    fn default() -> Self {
        Self { quantum_us: 4_000, preempt_timeout_us: 640_000, priority: Priority::Low, weight: 1024 }
    }
}

/// How a VF and the PF's paging on its behalf share the VF's part of an engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// No migration: paging has no part in the VF's share.
    #[default]
    Normal,
    /// Source, VF running: paging takes unassigned time and a set part of the VF's share.
    SourceBrownout,
    /// Source, VF paused: paging takes the VF's whole share.
    SourceBlackout,
    /// Target, VF paused until the end: as the source's blackout.
    Target,
}

impl Policy {
    /// The name that traces carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::SourceBrownout => "source-brownout",
            Self::SourceBlackout => "source-blackout",
            Self::Target => "target",
        }
    }
}

/// A VF's figures on one engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Engine time the VF's own packets took, in device ticks.
    pub busy: u64,
    /// Engine time the PF's paging for this VF took out of the VF's share, in device ticks.
    pub paging_granted: u64,
    /// Engine time the PF's paging for this VF took while nobody else wanted the engine, in device ticks.
    pub paging_idle: u64,
    /// Packets executed.
    pub packets: u64,
    /// Longest wait of a packet between becoming runnable and being picked, in device ticks.
    pub worst_wait: u64,
    /// Half of its packets waited no longer than this, in device ticks; an eighth too long at most.
    pub wait_p50: u64,
    /// 99 of 100 of its packets waited no longer than this; as above.
    pub wait_p99: u64,
    /// Turns that ended at a packet boundary with work left while another VF waited.
    pub preemptions: u64,
    /// Engine resets this VF caused.
    pub resets: u64,
}

/// An engine's figures. `busy` is the sum of what its VFs, the PF and the idle class took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Engine time charged for packets, in device ticks.
    pub busy: u64,
    /// Engine time of the PF's own work, part of `busy`.
    pub pf: u64,
    /// Engine time of the idle class, part of `busy`.
    pub idle_class: u64,
    /// Engine time kept free for VFs of [`Priority::Normal`] that had no work; not part of `busy`.
    pub held: u64,
}

/// Who may have work for an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entity {
    /// The PF's everyday work.
    Pf,
    /// A VF's guest.
    Vf(VfIndex),
    /// The PF's paging on behalf of a VF. While the VF's policy is [`Policy::Normal`] it is served as the
    /// PF's everyday work.
    Paging(VfIndex),
}

/// Out of whose time a turn is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The share of the VF, or of the PF.
    Share,
    /// Time that nobody with a share wants.
    Idle,
    /// The slot of a VF of [`Priority::Normal`] that has no work: keep the engine free for at most `cap`
    /// ticks, or until the VF has work, then charge what passed.
    Slot,
}

/// Leave to run one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose packet.
    pub entity: Entity,
    /// Out of whose time.
    pub source: Source,
    /// Ticks it may take: what is left of the reservation, for paging at most a chunk.
    pub cap: u64,
    /// Ticks after which [`Scheduler::over_run`](super::Scheduler::over_run) speaks, the rest of the quantum and the
    /// preemption timeout; 0 = never.
    pub(super) overdue: u64,
    /// Tells this grant from older ones.
    pub(super) serial: u64,
}

impl Grant {
    /// Whether a packet that has run for `elapsed` keeps whoever waits for it too long.
    pub fn is_overdue(&self, elapsed: u64) -> bool {
        self.overdue != 0 && elapsed > self.overdue
    }
}

/// What holds for an engine as a whole. Times are device ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest packet a VF is taken to have until its packets have been measured.
    pub packet: u64,
    /// Longest piece of PF paging, and so the most a neighbour waits for the idle class.
    pub chunk: u64,
    /// Part of a migrating VF's share that paging takes while the VF runs, in thousandths. 0 on an engine that does no
    /// paging: there a brownout puts no ceiling on the VF.
    pub paging_permille: u32,
    /// Most of the engine that the paging for one migrating VF takes, in millionths: what bandwidth it is given
    /// of what the engine could copy. 1 000 000 = no limit.
    pub paging_ppm: u32,
    /// Weight of the PF's everyday work.
    pub pf_weight: u32,
    /// Turn of the PF's everyday work.
    pub pf_quantum: u64,
    /// Longest time a packet may wait and run under a cap: a quarter of the guest's TDR delay of 2 s. The turns of
    /// all VFs together are no longer, so a quantum counts as at most this by the number of VFs.
    pub patience: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            packet: 4_000_000,
            chunk: 250_000,
            paging_permille: 250,
            paging_ppm: 1_000_000,
            pf_weight: 1024,
            pf_quantum: 4_000_000,
            patience: 500_000_000,
        }
    }
}
