//! The device as a whole: a guest at its BAR, a host at its queue.

mod guest;
mod host;
mod hostile;
mod pause;
mod rings;
mod state;
mod tables;
mod timeouts;
mod user;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::{SimConfig, SimGpu};
use crate::PAGE_SIZE;
use crate::device::{Device, Fault, InterruptSink, Region};
use crate::os::Mutex;

const MIB: u64 = 1 << 20;
/// What is bound to happen is waited for so long: far longer than any machine takes, so that a hang is a failure.
const FOREVER: Duration = Duration::from_secs(600);

/// What the device told the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Completed(usize, u32),
    Faulted(usize, u32, Fault),
    Preempted(usize, u32, u32),
}

struct Sink(Mutex<Sender<Told>>);

impl Sink {
    fn tell(&self, told: Told) {
        let _ = self.0.lock().send(told);
    }
}

impl InterruptSink for Sink {
    fn completed(&self, node: usize, fence: u32) {
        self.tell(Told::Completed(node, fence));
    }
    fn faulted(&self, node: usize, fence: u32, fault: Fault) {
        self.tell(Told::Faulted(node, fence, fault));
    }
    fn preempted(&self, node: usize, preemption_fence: u32, last_completed: u32) {
        self.tell(Told::Preempted(node, preemption_fence, last_completed));
    }
}

/// A kernel's stack has 24 KiB, most of them taken when StartDevice begins; a value is moved through several frames
/// while it is made.
#[test]
fn what_a_start_makes_by_value_fits_a_kernel_stack() {
    assert!(size_of::<super::Shared>() <= 2048, "{}", size_of::<super::Shared>());
    assert!(size_of::<super::engine::Engine>() <= 512, "{}", size_of::<super::engine::Engine>());
}

/// A device that runs, with 8 MiB of VRAM for each VF and 8 for the host.
fn device(vfs: u32) -> (Arc<SimGpu>, Receiver<Told>) {
    device_with(vfs, |_| {})
}

/// The same, of another kind.
fn device_with(vfs: u32, change: impl FnOnce(&mut SimConfig)) -> (Arc<SimGpu>, Receiver<Told>) {
    crate::os::host::install();
    let mut config = SimConfig::new(8 * MIB * u64::from(vfs + 1), vfs);
    change(&mut config);
    let gpu = SimGpu::new(config).unwrap();
    let (tell, told) = channel();
    gpu.start(Arc::new(Sink(Mutex::new(tell)))).unwrap();
    (gpu, told)
}

/// The memory of a VF: two regions, the upper one first.
fn regions(vf: u32) -> [Region; 2] {
    let base = 8 * MIB * u64::from(vf);
    [Region { offset: base + 6 * MIB, bytes: 2 * MIB }, Region { offset: base, bytes: 6 * MIB }]
}

/// Waits for what is bound to happen.
fn until(what: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < FOREVER, "{what} did not happen");
        std::thread::sleep(Duration::from_micros(50));
    }
}

fn hear(told: &Receiver<Told>) -> Told {
    told.recv_timeout(FOREVER).expect("the device says something")
}

/// A basis over a VF, tracked and clean; and its dirty pages when asked.
struct Watch<'a>(&'a SimGpu, crate::dirty::BasisHandle);

impl<'a> Watch<'a> {
    fn new(gpu: &'a SimGpu, regions: &[Region]) -> Self {
        let basis = gpu.tracker().create(regions).unwrap();
        gpu.tracker().start(basis).unwrap();
        Self(gpu, basis)
    }

    /// Numbers of the pages dirtied since the last time.
    fn dirty(&self) -> Vec<u64> {
        let part = crate::dirty::Part::Whole;
        let mut bits = vec![0; self.0.tracker().needed(self.1, part).unwrap()];
        self.0.tracker().query(self.1, part, true, &mut bits).unwrap();
        (0..bits.len() as u64 * 8).filter(|page| bits[(page / 8) as usize] >> (page % 8) & 1 == 1).collect()
    }
}

#[test]
fn a_device_starts_once_stops_twice_and_starts_again() {
    let (gpu, _told) = device(1);
    let (tell, _) = channel();
    let sink: Arc<dyn InterruptSink> = Arc::new(Sink(Mutex::new(tell)));
    assert_eq!(gpu.start(sink.clone()), Err(crate::Error::WrongState));
    gpu.stop();
    gpu.stop();
    assert_eq!(Arc::strong_count(&sink), 1, "engines that stopped keep nothing");
    gpu.start(sink.clone()).unwrap();
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut guest = guest::Guest::new(&gpu, 0);
    guest.fill(0, PAGE_SIZE, 7);
    guest.wait();
    drop(guest);
    drop(gpu);
    assert_eq!(Arc::strong_count(&sink), 1);
}

#[test]
fn impossible_configurations_are_refused() {
    crate::os::host::install();
    let good = SimConfig::new(MIB, 2);
    let refused = |change: fn(&mut SimConfig)| {
        let mut config = good;
        change(&mut config);
        SimGpu::new(config).is_err()
    };
    assert!(!refused(|_| ()));
    assert!(refused(|config| config.geometry.max_vfs = 0));
    assert!(refused(|config| config.geometry.vram_bytes = 4095));
    assert!(refused(|config| config.geometry.page_table_levels = 0));
    assert!(refused(|config| config.geometry.page_table_index_bits = 8));
    assert!(refused(|config| config.geometry.dirty_page_bytes = 2048));
    assert!(refused(|config| config.rates.copy = 0));
}
