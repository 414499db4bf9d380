//! A VF with a guest on it.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use dxgksim::dxgkrnl::Adapter;
use dxgksim::guest::{Bar, Outcome};
use dxgksim::host::{MILLISECOND, SECOND, now, sleep};
use dxgksim::vgpu::{Vgpu, VgpuOptions};
use dxgksim::vm::Vm;
use gpup_core::device::abi;

use crate::{Problem, Work};

/// How long a guest may go without a step, in nanoseconds: far longer than any machine takes for one.
const STUCK_NS: u64 = 120 * SECOND;
/// The same for each byte of VRAM, which it uploads before its first step and hashes after its last.
const STUCK_NS_A_BYTE: u64 = 64;
/// Longest that anybody waits for a guest that goes on: a week.
const LONGEST_NS: u64 = 7 * 24 * 3600 * SECOND;
/// How long a guest's pace is looked at before it is believed.
const PACE_NS: u64 = 30 * SECOND;

/// A VF with a guest on it.
pub struct Guest {
    /// The VF.
    pub vgpu: Arc<Vgpu>,
    /// The VM.
    pub vm: Arc<Vm>,
    /// What it does.
    pub work: Work,
}

impl Guest {
    /// Makes VF `vf` with `bytes` of VRAM and boots a guest on it.
    pub fn boot(adapter: &Arc<Adapter>, vf: u32, bytes: u64, work: &Work) -> Result<Self, Problem> {
        let options = VgpuOptions { vram_bytes: bytes, ..VgpuOptions::default() };
        Self::boot_with(adapter, vf, &options, work)
    }

    /// The same on a VF that is made as `options` say.
    pub fn boot_with(
        adapter: &Arc<Adapter>,
        vf: u32,
        options: &VgpuOptions,
        work: &Work,
    ) -> Result<Self, Problem> {
        let vgpu = adapter
            .create_vgpu(vf, options)
            .map_err(|error| Problem(format!("VF {vf} cannot be made: {error}")))?;
        let failed = |error: String| Problem(format!("VF {vf}: {error}"));
        let guest = work.spec.clone().build(work.image.as_deref().cloned()).map_err(failed)?;
        let vm = Vm::boot(vgpu.clone(), guest).map_err(failed)?;
        Ok(Self { vgpu, vm, work: work.clone() })
    }

    /// Engine time the VF was granted so far on all nodes, by the device's clock.
    pub fn busy(&self) -> u64 {
        let bar = self.vgpu.bar();
        let node = |node: usize| bar.read_u64(abi::reg::NODE + node * abi::reg::NODE_STRIDE + abi::reg::BUSY);
        (0..abi::NODES).map(node).sum()
    }

    /// Waits until it has begun to work, its data uploaded, or until `stop` says so.
    pub fn wait_started(&self, mut stop: impl FnMut() -> bool) -> Result<(), Problem> {
        let deadline = now().saturating_add(stuck_ns(&self.vm));
        while self.vm.steps() == 0 {
            if let Some(error) = self.vm.failure() {
                return Err(Problem(format!("the guest's work failed: {error}")));
            }
            if stop() {
                return Ok(());
            }
            if now() > deadline {
                return Err(Problem("the guest did not begin to work in time".into()));
            }
            sleep(5 * MILLISECOND);
        }
        Ok(())
    }

    /// Makes it finish, at step `steps` or as soon as it can, and takes its outcome.
    pub fn finish(&self, steps: Option<u64>) -> Result<Outcome, Problem> {
        finish(&self.vm, steps)
    }

    /// Takes the VF away.
    pub fn destroy(self) -> Result<(), Problem> {
        self.vm.stop();
        self.vgpu.destroy().map_err(|error| Problem(format!("the VF cannot be destroyed: {error}")))
    }
}

/// How long the guest of `vm` may go without a step.
fn stuck_ns(vm: &Vm) -> u64 {
    STUCK_NS.saturating_add(vm.vgpu().vram_bytes().saturating_mul(STUCK_NS_A_BYTE))
}

/// Makes a guest finish and takes its outcome, however long it works, as long as it goes on.
pub fn finish(vm: &Vm, steps: Option<u64>) -> Result<Outcome, Problem> {
    finish_unless_stuck(vm, steps, stuck_ns(vm))
}

/// The same with a guest that is given up when it makes no step for `stuck` nanoseconds.
pub fn finish_unless_stuck(vm: &Vm, steps: Option<u64>, stuck: u64) -> Result<Outcome, Problem> {
    vm.finish(steps);
    let (begin, first) = (now(), vm.steps());
    let (mut seen, mut since) = (first, begin);
    loop {
        if let Some(outcome) = vm.wait_outcome(SECOND.min(stuck)) {
            return outcome.map_err(|error| Problem(format!("the guest's work failed: {error}")));
        }
        let (time, done) = (now(), vm.steps());
        if done != seen {
            (seen, since) = (done, time);
        } else if time.saturating_sub(since) > stuck {
            return Err(Problem(format!("the guest made no step for {} s", stuck / SECOND)));
        }
        let left = steps.unwrap_or(0).saturating_sub(done);
        if is_endless(left, done.saturating_sub(first), time.saturating_sub(begin)) {
            return Err(Problem(format!("the guest would take more than a week for the {left} steps left")));
        }
    }
}

/// Whether so many steps left take too long for anybody, after so many in so many nanoseconds.
fn is_endless(left: u64, done: u64, ns: u64) -> bool {
    let paced = done > 0 && ns > PACE_NS;
    paced && u128::from(left) * u128::from(ns) > u128::from(done) * u128::from(LONGEST_NS)
}

/// Runs `work` for exactly `steps` steps on a VF that never moves.
pub fn reference(
    adapter: &Arc<Adapter>,
    vf: u32,
    bytes: u64,
    work: &Work,
    steps: u64,
) -> Result<Outcome, Problem> {
    let guest = Guest::boot(adapter, vf, bytes, work)?;
    let outcome = guest.finish(Some(steps));
    guest.destroy()?;
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_pace_shows_to_take_weeks_is_endless() {
        let hour = 3600 * SECOND;
        assert!(!is_endless(u64::MAX, 0, hour), "no pace yet");
        assert!(!is_endless(u64::MAX, 1000, SECOND), "not looked at for long");
        assert!(!is_endless(167 * 1000, 1000, hour));
        assert!(is_endless(169 * 1000, 1000, hour));
        assert!(is_endless(u64::MAX, u64::MAX / 2, u64::MAX));
    }
}
