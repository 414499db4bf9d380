//! The per-VF scheduler of an engine.

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
    /// Engine resets this VF caused.
    pub resets: u64,
}
