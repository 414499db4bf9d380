//! What this driver knows: the miniport, its devices, the scenario, and what is counted.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use dxgksim::dxgkrnl::{Adapter, AdapterOptions, Driver};
use dxgksim::host::{Mutex, Thread};
use live_migration::Phase;
use nt::print::{Level, line};

use super::images::{PoolCount, PoolCounter};
use crate::check;
use crate::control::Status;
use crate::scenario::{Plan, Progress, run};

/// A device of the miniport, by the addresses of its objects.
pub(super) struct Device {
    /// The functional device object that AddDevice made.
    pub(super) functional: usize,
    /// The device object it is attached to.
    pub(super) below: usize,
    /// The physical device object.
    pub(super) physical: usize,
    adapter: Option<Arc<Adapter>>,
}

impl Device {
    /// Not started yet.
    pub(super) fn new(functional: usize, below: usize, physical: usize) -> Self {
        Self { functional, below, physical, adapter: None }
    }
}

/// A scenario under way. Dropping it waits for its end.
struct Running {
    progress: Arc<Progress>,
    ended: Arc<AtomicBool>,
    _thread: Thread,
}

struct State {
    miniport: Option<Arc<Driver>>,
    /// Where the miniport's image counts its pool: as long as it is loaded.
    counter: Option<PoolCounter>,
    devices: Vec<Device>,
    scenario: Option<Running>,
    report: Option<Vec<u8>>,
    /// Broken rules of miniports that are gone.
    violations: u64,
    failed_starts: u32,
    adapters_in_use: u32,
    unloads: u32,
    /// What the last miniport had left.
    pool: Option<PoolCount>,
}

impl State {
    /// The pool of the miniport that is loaded, or what the last one left.
    #[expect(unsafe_code, reason = "reads words of another image")]
    fn pool(&self) -> Option<PoolCount> {
        match self.counter {
            // SAFETY: `unload` takes the counter before the image goes.
            Some(counter) => Some(unsafe { counter.read() }),
            None => self.pool,
        }
    }
}

static STATE: Mutex<State> = Mutex::new(State {
    miniport: None,
    counter: None,
    devices: Vec::new(),
    scenario: None,
    report: None,
    violations: 0,
    failed_starts: 0,
    adapters_in_use: 0,
    unloads: 0,
    pool: None,
});

/// A miniport has registered, whose image counts its pool there.
pub(super) fn registered(driver: Driver, counter: Option<PoolCounter>) {
    let mut state = STATE.lock();
    state.miniport = Some(Arc::new(driver));
    state.counter = counter;
}

/// AddDevice has made a device.
pub(super) fn add(device: Device) {
    STATE.lock().devices.push(device);
}

/// The device with this functional device object, without its adapter: whoever held that would keep it from going.
pub(super) fn find(functional: usize) -> Option<Device> {
    let state = STATE.lock();
    let device = state.devices.iter().find(|device| device.functional == functional)?;
    Some(Device { adapter: None, ..*device })
}

/// Its adapter, once it has started.
fn adapter(functional: usize) -> Option<Arc<Adapter>> {
    STATE.lock().devices.iter().find(|device| device.functional == functional)?.adapter.clone()
}

/// START_DEVICE. `registry_path` is the device's software key, `physical_device` the bus driver's object, as a number.
pub(super) fn start(functional: usize, physical_device: usize, registry_path: String) -> bool {
    let Some(miniport) = STATE.lock().miniport.clone() else { return false };
    // A root-enumerated device has no interrupt.
    let options = AdapterOptions {
        registry_path,
        physical_device,
        interrupt_connected: false,
        ..AdapterOptions::default()
    };
    let started = Adapter::start(&miniport, options);
    let mut state = STATE.lock();
    match (started, state.devices.iter_mut().find(|device| device.functional == functional)) {
        (Ok(adapter), Some(device)) => {
            device.adapter = Some(adapter);
            true
        }
        (Ok(_), None) => false,
        (Err(error), _) => {
            state.failed_starts += 1;
            line(Level::Error, format_args!("dxgkrnl: the adapter does not start: {error}"));
            false
        }
    }
}

/// SURPRISE_REMOVAL: the driver hears of it at once, in the middle of whatever runs, and what runs ends.
pub(super) fn surprise_remove(functional: usize) {
    if let Some(adapter) = adapter(functional)
        && let Err(error) = adapter.surprise_remove()
    {
        line(Level::Error, format_args!("dxgkrnl: {error}"));
    }
    end_scenario();
}

/// REMOVE_DEVICE: stops the adapter and forgets the device.
pub(super) fn remove(functional: usize) {
    end_scenario();
    let mut state = STATE.lock();
    let Some(at) = state.devices.iter().position(|device| device.functional == functional) else { return };
    let device = state.devices.remove(at);
    drop(state);
    let Some(adapter) = device.adapter else { return };
    if Arc::into_inner(adapter).is_none() {
        line(Level::Error, format_args!("dxgkrnl: something still uses a removed adapter"));
        STATE.lock().adapters_in_use += 1;
    }
}

/// The miniport is to be unloaded: DxgkDdiUnload, and what its image has left after that.
pub(super) fn unload() {
    let Some(miniport) = STATE.lock().miniport.take() else { return };
    let contract = miniport.contract().clone();
    let unloaded = Arc::into_inner(miniport).map(drop).is_some();
    if !unloaded {
        line(Level::Error, format_args!("dxgkrnl: an adapter still uses the miniport that is unloaded"));
    }
    let mut state = STATE.lock();
    state.violations += contract.count();
    state.adapters_in_use += u32::from(!unloaded);
    state.unloads += 1;
    state.pool = state.pool();
    state.counter = None;
}

/// Starts a scenario between the first two adapters; false when that cannot be.
pub(super) fn begin(plan: Plan) -> bool {
    end_scenario();
    let adapters: Vec<Arc<Adapter>> =
        STATE.lock().devices.iter().filter_map(|device| device.adapter.clone()).collect();
    let Ok([source, target]) = <[Arc<Adapter>; 2]>::try_from(adapters) else { return false };
    in_background(move |progress| serde_json::to_vec(&run(&source, &target, &plan, progress)).ok())
}

/// Starts a check of the miniport with the settings of its first device; false when that cannot be.
pub(super) fn begin_check() -> bool {
    end_scenario();
    let (miniport, settings) = {
        let state = STATE.lock();
        let adapter = state.devices.iter().find_map(|device| device.adapter.as_ref());
        (state.miniport.clone(), adapter.map(|adapter| adapter.options().clone()))
    };
    let (Some(miniport), Some(settings)) = (miniport, settings) else { return false };
    in_background(move |_| serde_json::to_vec(&check::run(&miniport, settings)).ok())
}

/// Runs `work` on a thread of its own, which leaves the report; `end_scenario` waits for it.
fn in_background(work: impl FnOnce(&Progress) -> Option<Vec<u8>> + Send + 'static) -> bool {
    let (progress, ended) = (Arc::new(Progress::default()), Arc::new(AtomicBool::new(false)));
    let (theirs, over) = (progress.clone(), ended.clone());
    let body = move || {
        // What the work holds of the driver goes before its end is told.
        let report = work(&theirs);
        STATE.lock().report = report;
        over.store(true, Ordering::Release);
    };
    let mut state = STATE.lock();
    state.report = None;
    let Some(thread) = Thread::spawn("scenario", body) else { return false };
    state.scenario = Some(Running { progress, ended, _thread: thread });
    true
}

/// Cancels the scenario, if one is under way, and waits for its end.
fn end_scenario() {
    let scenario = STATE.lock().scenario.take();
    if let Some(scenario) = &scenario {
        scenario.progress.cancel();
    }
    drop(scenario);
}

/// The report of the last scenario that ended.
pub(super) fn report() -> Option<Vec<u8>> {
    STATE.lock().report.clone()
}

/// How everything stands.
pub(super) fn status() -> Status {
    let state = STATE.lock();
    let now = state.miniport.as_ref().map_or(0, |miniport| miniport.contract().count());
    let running = state.scenario.as_ref().filter(|scenario| !scenario.ended.load(Ordering::Acquire));
    let phase = running.and_then(|scenario| scenario.progress.phase());
    let place = phase.and_then(|phase| Phase::ALL.iter().position(|known| *known == phase));
    let pool = state.pool();
    Status {
        adapters: state.devices.iter().filter(|device| device.adapter.is_some()).count() as u32,
        failed_starts: state.failed_starts,
        running: u32::from(running.is_some()),
        phase: place.map_or(0, |place| place as u32 + 1),
        violations: u32::try_from(state.violations + now).unwrap_or(u32::MAX),
        adapters_in_use: state.adapters_in_use,
        unloads: state.unloads,
        pool_known: u32::from(pool.is_some()),
        pool_blocks: pool.unwrap_or_default().blocks,
        pool_bytes: pool.unwrap_or_default().bytes,
        own_blocks: super::ALLOCATOR.count().blocks() as u64,
    }
}
