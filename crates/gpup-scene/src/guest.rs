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

/// How long a guest may take to finish, in nanoseconds.
pub const FINISH_NS: u64 = 120 * SECOND;

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
        let deadline = now().saturating_add(FINISH_NS);
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

/// Makes a guest finish and takes its outcome.
pub fn finish(vm: &Vm, steps: Option<u64>) -> Result<Outcome, Problem> {
    vm.finish(steps);
    match vm.wait_outcome(FINISH_NS) {
        None => Err(Problem("the guest did not finish in time".into())),
        Some(outcome) => outcome.map_err(|error| Problem(format!("the guest's work failed: {error}"))),
    }
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
