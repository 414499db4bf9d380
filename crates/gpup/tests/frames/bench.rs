//! Two hosts, and what is on them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dxgksim::dxgkrnl::AdapterOptions;
use dxgksim::guest::GuestLoader;
use dxgksim::vgpu::{Vgpu, VgpuOptions};
use dxgksim::vm::Vm;
use gpup::args::{HostArgs, Switch};
use gpup::units::Bytes;
use gpup::world::{Guest, Machine, Work};
use gpup_guest::{Spec, Workload};
use live_migration::Equipment;

use crate::guests::{Log, logged};
use crate::time::{At, Side, Time};

/// VRAM of a VF.
const VF_BYTES: u64 = 2 << 20;
const IMAGE_BYTES: u64 = 128 << 10;
/// How long a side that says nothing at all is waited for, in seconds.
pub(crate) const SILENCE_S: u64 = 4;

/// The two hosts of a row of trials.
pub(crate) struct Bench {
    pub(crate) here: Machine,
    pub(crate) there: Machine,
    work: Work,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let spec =
            Spec { dirty_rate: 5_000, image_bytes: IMAGE_BYTES, ..Spec::new(Workload::Writer, VF_BYTES) };
        let image = (0..IMAGE_BYTES).map(|at| (at % 251) as u8 | 1).collect();
        Self { here: start(), there: start(), work: Work { spec, image: Some(Arc::new(image)) } }
    }

    /// A guest at work here, whose every slice is noted.
    pub(crate) fn boot(&self, log: &Arc<Log>) -> Guest {
        let vgpu = make_vgpu(&self.here).unwrap();
        let inner = self.work.spec.clone().build(self.work.image.as_deref().cloned()).unwrap();
        let vm = Vm::boot(vgpu.clone(), logged(inner, Side::Source, log)).unwrap();
        let guest = self.guest(vgpu, vm);
        gpup::world::wait_started(&guest).unwrap();
        guest
    }

    pub(crate) fn guest(&self, vgpu: Arc<Vgpu>, vm: Arc<Vm>) -> Guest {
        Guest { vgpu, vm, work: self.work.clone() }
    }

    /// Lets the guest work on and finish; it must show what one that never moved shows after as many steps.
    pub(crate) fn finish(&self, guest: Guest) -> Result<(), String> {
        let outcome = guest.finish(None).map_err(|error| format!("the guest does not finish: {error}"))?;
        guest.destroy().map_err(|error| error.to_string())?;
        let right = self.here.reference(0, &self.work, outcome.steps).map_err(|error| error.to_string())?;
        if outcome == right { Ok(()) } else { Err("the guest's result is wrong".into()) }
    }

    /// Nothing is left on either host.
    pub(crate) fn is_empty(&self) -> bool {
        [&self.here, &self.there]
            .into_iter()
            .all(|host| (0..host.adapter().partition_count()).all(|vf| !host.adapter().has_vgpu(vf)))
    }

    /// Stops both hosts, which kept every rule.
    pub(crate) fn stop(self) {
        [self.here, self.there].into_iter().for_each(|host| host.stop().unwrap());
    }
}

fn start() -> Machine {
    let args = HostArgs {
        vfs: 2,
        vf_size: Bytes(VF_BYTES),
        vram: None,
        performant_tracking: Switch::On,
        firmware: None,
        revision: None,
    };
    Machine::start_with(&args, &[], AdapterOptions::default()).unwrap()
}

/// A VF of any number.
pub(crate) fn make_vgpu(host: &Machine) -> Result<Arc<Vgpu>, String> {
    let options = VgpuOptions { vram_bytes: VF_BYTES, ..VgpuOptions::default() };
    let adapter = host.adapter();
    (0..adapter.partition_count())
        .filter(|vf| !adapter.has_vgpu(*vf))
        .find_map(|vf| adapter.create_vgpu(vf, &options).ok())
        .ok_or_else(|| "no VF can be made".into())
}

/// What a target is made of.
pub(crate) fn equipment(loader: Arc<dyn GuestLoader>, time: &Arc<Time>) -> Equipment {
    Equipment {
        clock: Arc::new(At(time.clone(), Side::Target)),
        silence_s: SILENCE_S,
        ..Equipment::new(loader, Arc::new(gpup::pack::AnyUnpacker))
    }
}

/// The guest goes on; only a hang is too late for it.
pub(crate) fn works_on(vm: &Vm) -> Result<(), String> {
    let (before, deadline) = (vm.steps(), Instant::now() + Duration::from_secs(60));
    while vm.steps() == before {
        if let Some(failure) = vm.failure() {
            return Err(format!("the guest failed: {failure}"));
        }
        if Instant::now() > deadline {
            return Err("the guest stands still".into());
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    Ok(())
}
