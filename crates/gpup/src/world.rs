//! A simulated Hyper-V host: the driver loaded, its adapter started, VFs with guests on them.
//!
//! UNSAFETY: hands the driver's entry point to the simulated Dxgkrnl.
#![expect(unsafe_code)]

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, anyhow, bail};
use dxgksim::contract::Violation;
use dxgksim::dxgkrnl::{Adapter, AdapterOptions, Driver, MemoryRange};
use dxgksim::guest::Outcome;
use dxgksim::vgpu::{Vgpu, VgpuOptions};
use dxgksim::vm::Vm;
use gpup_guest::Spec;
use gpup_kmd::escape::Request;
use gpup_kmd::os::host::pci::{Bar, Location};
use gpup_scene::size::{VF_UNIT, vram_for};
pub use gpup_scene::{Guest, Work};

use crate::args::{GuestArgs, HostArgs};
use crate::exit::Usage;
use crate::interrupt;
use crate::tell;
use crate::units::Bytes;

/// The driver, loaded once in this process.
fn driver() -> anyhow::Result<Arc<Driver>> {
    static DRIVER: OnceLock<Result<Arc<Driver>, String>> = OnceLock::new();
    let load = || load().map_err(|error| error.to_string());
    DRIVER.get_or_init(load).clone().map_err(|error| anyhow!(error))
}

/// The driver, loaded anew, under a record of its own.
pub(crate) fn load() -> anyhow::Result<Arc<Driver>> {
    dxgksim::host::std_host::install();
    dxgksim::host::std_host::say_to(tell::line);
    gpup_core::os::host::say_to(tell::line);
    gpup_kmd::os::host::connect_dxgkrnl(dxgksim::dxgkrnl::register);
    // SAFETY: the driver is linked into this process, so its code stays where it is.
    let driver = unsafe { Driver::load(gpup_kmd::driver_entry, "gpup_kmd") };
    driver.map(Arc::new).map_err(|status| anyhow!("the driver does not load: {status}"))
}

/// A host.
pub struct Machine {
    adapter: Arc<Adapter>,
    vf_bytes: u64,
    /// What VRAM lies in, open until the adapter is gone: dropped after it.
    bar: Option<Bar>,
}

impl Machine {
    /// Starts the adapter with the settings of `host`.
    pub fn start(host: &HostArgs) -> anyhow::Result<Self> {
        Self::start_with(host, &[], AdapterOptions::default())
    }

    /// The same with VRAM in a PCI BAR, if one is named.
    pub fn start_in(host: &HostArgs, bar: Option<Location>) -> anyhow::Result<Self> {
        let Some(location) = bar else { return Self::start(host) };
        let bar = Bar::open(location)?;
        let (start, bytes) = bar.range();
        let needed = host.vram.map(|vram| vram.0).or_else(|| vram_for(host.vf_size.0, host.vfs));
        if needed.is_none_or(|needed| needed > bytes) {
            let needed = needed.map_or("more".into(), |needed| Bytes(needed).to_string());
            bail!(Usage(format!(
                "the BAR {bar} has {}, and {} VFs of {} need {needed}: lower --vfs or --vf-size",
                Bytes(bytes),
                host.vfs,
                host.vf_size
            )));
        }
        let memory = vec![MemoryRange { start, bytes }];
        let options = AdapterOptions { memory, ..AdapterOptions::default() };
        let mut machine = Self::start_with(host, &[("Backend", 1)], options)?;
        machine.bar = Some(bar);
        Ok(machine)
    }

    /// What VRAM is, for people.
    pub fn vram(&self) -> String {
        self.bar.as_ref().map_or("simulated".into(), |bar| {
            let (start, bytes) = bar.range();
            let cached = if bar.is_write_combined() { "write-combined" } else { "uncached" };
            format!("PCI BAR {bar} ({} at {start:#x}, {cached})", Bytes(bytes))
        })
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
        Ok(Self { adapter, vf_bytes, bar: None })
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
        Ok(Guest::boot(&self.adapter, vf, self.vf_bytes, work)?)
    }

    /// Runs `work` for exactly `steps` steps on a VF that never moves.
    pub fn reference(&self, vf: u32, work: &Work, steps: u64) -> anyhow::Result<Outcome> {
        Ok(gpup_scene::reference(&self.adapter, vf, self.vf_bytes, work, steps)?)
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

/// The moving guest's work as the command line has it.
pub fn work_of(guest: &GuestArgs, vf_bytes: u64) -> anyhow::Result<Work> {
    let spec = Spec {
        seed: guest.seed,
        dirty_rate: guest.dirty_rate,
        pattern: guest.pattern,
        ..Spec::new(guest.workload, vf_bytes)
    };
    let work = match &guest.image {
        Some(path) => {
            let image = read_image(path, spec.vram_bytes)?;
            Work::with_image(spec, Some(image))
        }
        None => Work::with_noise(spec, guest.fill),
    };
    work.map_err(|problem| anyhow!(Usage(problem.0)))
}

/// The bytes of an image, which has no more than the VF.
pub(crate) fn read_image(path: &Path, vf_bytes: u64) -> anyhow::Result<Vec<u8>> {
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

/// Slows the VF's engine work to so many thousandths of full speed.
pub fn throttle(vgpu: &Vgpu, speed: u32) -> anyhow::Result<()> {
    let mut request = Request::Throttle { vf: vgpu.index(), permille: speed }.encode();
    vgpu.adapter().escape(&mut request).map_err(|error| anyhow!("{error}"))
}

/// Waits until a guest has begun to work, or somebody pressed Ctrl-C.
pub fn wait_started(guest: &Guest) -> anyhow::Result<()> {
    Ok(guest.wait_started(interrupt::pressed)?)
}

/// Makes a guest finish and takes its outcome.
pub fn finish(vm: &Vm, steps: Option<u64>) -> anyhow::Result<Outcome> {
    Ok(gpup_scene::finish(vm, steps)?)
}
