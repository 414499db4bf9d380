//! What the test program asks over IOCTL, as xtask/cross/wine/harness.c declares it too.
//!
//! Every structure is little-endian words without gaps; every code is METHOD_BUFFERED and FILE_ANY_ACCESS of
//! FILE_DEVICE_VIDEO.

use gpup_guest::Workload;

use crate::scenario::Plan;

/// CTL_CODE of a function.
const fn code(function: u32) -> u32 {
    0x23 << 16 | function << 2
}

/// Starts a scenario between the two adapters: takes a [`Start`].
pub const IOCTL_START: u32 = code(0x801);
/// How everything stands: gives a [`Status`].
pub const IOCTL_STATUS: u32 = code(0x802);
/// The report of the last scenario or check that ended, as JSON.
pub const IOCTL_REPORT: u32 = code(0x803);
/// Starts a check of the driver against every rule, with the settings of the first device.
pub const IOCTL_CHECK: u32 = code(0x804);

/// A scenario's parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Start {
    /// VFs of each adapter.
    pub vfs: u32,
    /// The VF that moves.
    pub vf: u32,
    /// Bytes of VRAM of each VF.
    pub vf_bytes: u64,
    /// Seed of the guests' data.
    pub seed: u64,
    /// Most bytes a second between the agents; 0 is no limit.
    pub bandwidth: u64,
    /// The moving guest's work, by its place in [`Workload::ALL`].
    pub workload: u32,
    /// Percent of the VF's free memory that the guest fills with noise first.
    pub fill: u32,
    /// How long the guests work before the migration, in milliseconds.
    pub warm_up_ms: u32,
    /// How long the guest works afterwards, in milliseconds.
    pub cool_down_ms: u32,
    /// 1: the moving VF's memory lies in many pieces.
    pub scattered: u32,
    /// 0.
    pub reserved: u32,
}

/// Milliseconds in nanoseconds.
const MILLISECOND: u64 = 1_000_000;

impl Start {
    /// The plan that this asks for; none when it asks for what is not there.
    pub fn plan(&self) -> Option<Plan> {
        Some(Plan {
            vfs: self.vfs,
            vf: Some(self.vf).filter(|vf| *vf < self.vfs)?,
            vf_bytes: Some(self.vf_bytes).filter(|bytes| *bytes > 0)?,
            workload: *Workload::ALL.get(self.workload as usize)?,
            seed: self.seed,
            fill: u8::try_from(self.fill).ok().filter(|fill| *fill <= 100)?,
            warm_up_ns: u64::from(self.warm_up_ms) * MILLISECOND,
            cool_down_ns: u64::from(self.cool_down_ms) * MILLISECOND,
            bandwidth: (self.bandwidth > 0).then_some(self.bandwidth),
            scattered: self.scattered != 0,
        })
    }
}

/// How everything stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Status {
    /// Adapters that are started.
    pub adapters: u32,
    /// Adapters that were asked to start and did not.
    pub failed_starts: u32,
    /// 1 while a scenario or a check runs.
    pub running: u32,
    /// Where the migration of the scenario is: 0 before it, then the phase's place in `Phase::ALL` and one.
    pub phase: u32,
    /// Broken rules of the contract since this driver was loaded.
    pub violations: u32,
    /// Adapters that something still used when their device was removed.
    pub adapters_in_use: u32,
    /// Miniports that were unloaded since this driver was loaded.
    pub unloads: u32,
    /// 1 if the image of the miniport counts its pool.
    pub pool_known: u32,
    /// Pool blocks that it has; that it had left at its unload, when none is loaded.
    pub pool_blocks: u64,
    /// Bytes of them.
    pub pool_bytes: u64,
    /// Blocks that this driver itself has now.
    pub own_blocks: u64,
}

const _: () = assert!(size_of::<Start>() == 56 && size_of::<Status>() == 56);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_header() {
        let codes = [IOCTL_START, IOCTL_STATUS, IOCTL_REPORT, IOCTL_CHECK];
        assert_eq!(codes, [0x0023_2004, 0x0023_2008, 0x0023_200C, 0x0023_2010]);
    }

    #[test]
    fn nonsense_has_no_plan() {
        let good = Start { vfs: 2, vf: 1, vf_bytes: 1 << 20, fill: 100, ..Start::default() };
        assert_eq!(good.plan().map(|plan| plan.bandwidth), Some(None));
        for bad in [
            Start { vf: 2, ..good },
            Start { vf_bytes: 0, ..good },
            Start { workload: 5, ..good },
            Start { fill: 101, ..good },
        ] {
            assert!(bad.plan().is_none(), "{bad:?}");
        }
    }
}
