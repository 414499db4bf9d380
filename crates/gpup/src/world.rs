//! A simulated Hyper-V host: the driver loaded, its adapter started, VFs with guests on them.
//!
//! UNSAFETY: hands the driver's entry point to the simulated Dxgkrnl.
#![expect(unsafe_code)]

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use dxgksim::contract::Violation;
use dxgksim::dxgkrnl::{Adapter, AdapterOptions, Driver};
use dxgksim::guest::{Bar, Outcome};
use dxgksim::vgpu::{Vgpu, VgpuOptions};
use dxgksim::vm::Vm;
use gpup_core::device::abi;
use gpup_guest::{Spec, Workload};
use gpup_kmd::escape::Request;

use crate::args::{GuestArgs, HostArgs};
use crate::exit::Usage;
use crate::interrupt;
use crate::units::Bytes;

/// The PF keeps this part of the VRAM for itself, and PF_LEAST at the least.
const PF_PART: u64 = 16;
const PF_LEAST: u64 = 16 << 20;
/// The adapter's VRAM is a multiple of this, a VF's of that.
const VRAM_UNIT: u64 = 2 << 20;
const VF_UNIT: u64 = 64 << 10;
/// How long a guest may take to finish, in nanoseconds.
pub const FINISH_NS: u64 = 120_000_000_000;

/// What neighbours do, one after another.
const MIXED: [Workload; 4] = [Workload::Stencil, Workload::Nbody, Workload::Matmul, Workload::Writer];

/// The driver, loaded once in this process.
fn driver() -> anyhow::Result<Arc<Driver>> {
    static DRIVER: OnceLock<Result<Arc<Driver>, String>> = OnceLock::new();
    let load = || {
        dxgksim::host::std_host::install();
        gpup_kmd::os::host::connect_dxgkrnl(dxgksim::dxgkrnl::register);
        // SAFETY: the driver is linked into this process, so its code stays where it is.
        let driver = unsafe { Driver::load(gpup_kmd::driver_entry, "gpup_kmd") };
        driver.map(Arc::new).map_err(|status| status.to_string())
    };
    DRIVER.get_or_init(load).clone().map_err(|error| anyhow!("the driver does not load: {error}"))
}

/// VRAM an adapter needs for so many VFs.
fn vram_for(vf_bytes: u64, vfs: u32) -> Option<u64> {
    let all = vf_bytes.checked_mul(u64::from(vfs)).filter(|all| *all < 1 << 50)?;
    let needed = (all + PF_LEAST).max(all + all.div_ceil(PF_PART - 1));
    Some((needed + VF_UNIT).next_multiple_of(VRAM_UNIT).max(64 << 20))
}

/// A host.
pub struct Machine {
    adapter: Arc<Adapter>,
    vf_bytes: u64,
}

impl Machine {
    /// Starts the adapter with the settings of `host`.
    pub fn start(host: &HostArgs) -> anyhow::Result<Self> {
        Self::start_with(host, &[], AdapterOptions::default())
    }

    /// The same with more of the driver's settings, under a Dxgkrnl that behaves as `options` say.
    pub fn start_with(
        host: &HostArgs,
        settings: &[(&str, u64)],
        options: AdapterOptions,
    ) -> anyhow::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let driver = driver()?;
        let path = format!(r"\Registry\Machine\System\Host{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let set = |name: &str, value: u64| gpup_kmd::os::host::set_setting(&path, name, value);
        let vf_bytes = host.vf_size.0;
        if vf_bytes == 0 || !vf_bytes.is_multiple_of(VF_UNIT) {
            bail!(Usage(format!(
                "--vf-size {} is not a multiple of 64 KiB: choose one that is",
                host.vf_size
            )));
        }
        let too_much =
            || Usage(format!("{} VFs of {} are too much: lower --vfs or --vf-size", host.vfs, host.vf_size));
        let needed = vram_for(vf_bytes, host.vfs).ok_or_else(too_much)?;
        let vram = host.vram.map_or(needed, |vram| vram.0);
        if vram < needed {
            bail!(Usage(format!(
                "--vram {} is too small: {} VFs of {} need {}",
                Bytes(vram),
                host.vfs,
                host.vf_size,
                Bytes(needed)
            )));
        }
        set("NumberOfVfs", u64::from(host.vfs));
        set("VramBytes", vram);
        set("DirtyTrackingPerformant", u64::from(host.performant_tracking.is_on()));
        for (name, value) in [("FirmwareVersion", host.firmware), ("DeviceRevision", host.revision)] {
            if let Some(value) = value {
                set(name, u64::from(value));
            }
        }
        settings.iter().for_each(|(name, value)| set(name, *value));
        let options = AdapterOptions { registry_path: path, ..options };
        let adapter = Adapter::start(&driver, options)
            .map_err(|error| anyhow!("the adapter does not start: {error}"))?;
        adapter.set_partition_count(host.vfs).map_err(|error| anyhow!("{error}"))?;
        Ok(Self { adapter, vf_bytes })
    }

    /// The adapter.
    pub fn adapter(&self) -> &Arc<Adapter> {
        &self.adapter
    }

    /// Makes VF `vf` with memory of its own.
    pub fn create_vf(&self, vf: u32, bytes: u64) -> anyhow::Result<Arc<Vgpu>> {
        let options = VgpuOptions { vram_bytes: bytes, ..VgpuOptions::default() };
        self.adapter.create_vgpu(vf, &options).map_err(|error| anyhow!("VF {vf} cannot be made: {error}"))
    }

    /// Makes the first VF that is free.
    pub fn create_any_vf(&self, bytes: u64) -> anyhow::Result<Arc<Vgpu>> {
        let free = (0..self.adapter.partition_count()).find(|vf| !self.adapter.has_vgpu(*vf));
        self.create_vf(free.context("this host has no VF free: raise its --vfs")?, bytes)
    }

    /// Makes a VF and boots a guest on it.
    pub fn boot(&self, vf: u32, work: &Work) -> anyhow::Result<Guest> {
        let vgpu = self.create_vf(vf, self.vf_bytes)?;
        let guest = work
            .spec
            .clone()
            .build(work.image.as_deref().cloned())
            .map_err(|error| anyhow!("VF {vf}: {error}"))?;
        let vm = Vm::boot(vgpu.clone(), guest).map_err(|error| anyhow!("VF {vf}: {error}"))?;
        Ok(Guest { vgpu, vm, work: work.clone() })
    }

    /// Runs `work` for exactly `steps` steps on a VF that never moves.
    pub fn reference(&self, vf: u32, work: &Work, steps: u64) -> anyhow::Result<Outcome> {
        let guest = self.boot(vf, work)?;
        let outcome = guest.finish(Some(steps));
        guest.destroy()?;
        outcome
    }

    /// Complaints of the simulated Dxgkrnl about the driver.
    pub fn violations(&self) -> Vec<String> {
        self.adapter.violations().iter().map(ToString::to_string).collect()
    }

    /// Stops the adapter and looks whether the driver kept every rule.
    pub fn stop(self) -> anyhow::Result<()> {
        let contract = self.adapter.contract().clone();
        // The last reference takes the adapter down; whoever else has one keeps it alive, which is a leak.
        if Arc::into_inner(self.adapter).is_none() {
            bail!("something still uses the adapter");
        }
        match &contract.violations()[..] {
            [] => Ok(()),
            broken => bail!("the driver broke the contract: {}", join(broken)),
        }
    }
}

fn join(broken: &[Violation]) -> String {
    broken.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What a guest is to do.
#[derive(Clone)]
pub struct Work {
    /// The workload and its parameters.
    pub spec: Spec,
    /// Bytes to be uploaded first.
    pub image: Option<Arc<Vec<u8>>>,
}

impl Work {
    /// The moving guest's work as the command line has it.
    pub fn of(guest: &GuestArgs, vf_bytes: u64) -> anyhow::Result<Self> {
        let spec = Spec {
            seed: guest.seed,
            dirty_rate: guest.dirty_rate,
            pattern: guest.pattern,
            ..Spec::new(guest.workload, vf_bytes)
        };
        Self::with_image(spec, guest.image.as_deref(), guest.fill)
    }

    /// `spec` with an image of its own, or with noise in so many percent of the memory the workload leaves.
    pub fn with_image(mut spec: Spec, image: Option<&Path>, fill: u8) -> anyhow::Result<Self> {
        let image = match image {
            Some(path) => Some(read_image(path, spec.vram_bytes)?),
            None if fill > 0 => Some(noise(free_bytes(&spec)? / 100 * u64::from(fill), spec.seed)),
            None => None,
        };
        spec.image_bytes = image.as_ref().map_or(0, |image| image.len() as u64);
        spec.fits().map_err(Usage)?;
        Ok(Self { spec, image: image.map(Arc::new) })
    }

    /// A neighbour's work.
    pub fn neighbour(vf: u32, guest: &GuestArgs, vf_bytes: u64) -> Self {
        let workload = if guest.quiet_neighbours { Workload::Idle } else { MIXED[vf as usize % MIXED.len()] };
        let spec = Spec {
            seed: guest.seed + 1 + u64::from(vf),
            dirty_rate: 5_000,
            pattern: gpup_guest::Pattern::Hot,
            ..Spec::new(workload, vf_bytes)
        };
        Self { spec, image: None }
    }
}

fn read_image(path: &Path, vf_bytes: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // Never more than fits: the file may be a device without an end.
    let read = File::open(path).and_then(|file| file.take(vf_bytes + 1).read_to_end(&mut bytes));
    read.with_context(|| format!("cannot read the image {}", path.display()))?;
    if bytes.len() as u64 > vf_bytes {
        bail!(Usage(format!(
            "the image {} has more than the VF's {}: choose a smaller file or a larger --vf-size",
            path.display(),
            Bytes(vf_bytes)
        )));
    }
    Ok(bytes)
}

/// Bytes of the VF that the workload leaves. The writer takes whatever there is, and is left a quarter.
fn free_bytes(spec: &Spec) -> anyhow::Result<u64> {
    let footprint = spec.fits().map_err(|error| anyhow!(error))?;
    let work = match spec.workload {
        Workload::Writer => spec.vram_bytes / 4,
        _ => footprint.work_bytes,
    };
    Ok(spec.vram_bytes.saturating_sub(work.next_multiple_of(gpup_core::PAGE_SIZE)))
}

/// Bytes that no compression shrinks.
fn noise(bytes: u64, seed: u64) -> Vec<u8> {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    let words = (0..bytes.div_ceil(8)).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(bytes as usize).collect()
}

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
    /// Engine time the VF was granted so far on all nodes, by the device's clock.
    pub fn busy(&self) -> u64 {
        let bar = self.vgpu.bar();
        let node = |node: usize| bar.read_u64(abi::reg::NODE + node * abi::reg::NODE_STRIDE + abi::reg::BUSY);
        (0..abi::NODES).map(node).sum()
    }

    /// Waits until it has begun to work: its data is uploaded.
    pub fn wait_started(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_nanos(FINISH_NS);
        while self.vm.steps() == 0 {
            if let Some(error) = self.vm.failure() {
                bail!("the guest's work failed: {error}");
            }
            if interrupt::pressed() {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the guest did not begin to work in time");
            }
            sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Slows the VF's engine work to so many thousandths of full speed.
    pub fn throttle(&self, speed: u32) -> anyhow::Result<()> {
        let mut request = Request::Throttle { vf: self.vgpu.index(), permille: speed }.encode();
        self.vgpu.adapter().escape(&mut request).map_err(|error| anyhow!("{error}"))
    }

    /// Makes it finish, at step `steps` or as soon as it can, and takes its outcome.
    pub fn finish(&self, steps: Option<u64>) -> anyhow::Result<Outcome> {
        finish(&self.vm, steps)
    }

    /// Takes the VF away.
    pub fn destroy(self) -> anyhow::Result<()> {
        self.vm.stop();
        self.vgpu.destroy().map_err(|error| anyhow!("the VF cannot be destroyed: {error}"))
    }
}

/// Makes a guest finish and takes its outcome.
pub fn finish(vm: &Vm, steps: Option<u64>) -> anyhow::Result<Outcome> {
    vm.finish(steps);
    vm.wait_outcome(FINISH_NS)
        .context("the guest did not finish in time")?
        .map_err(|error| anyhow!("the guest's work failed: {error}"))
}
