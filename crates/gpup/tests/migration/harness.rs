//! Hosts, guests and attempts to move them.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use dxgksim::dxgkrnl::AdapterOptions;
use dxgksim::guest::{Bar, GuestLoader};
use dxgksim::vgpu::{Vgpu, VgpuOptions};
use dxgksim::vm::Vm;
use gpup::args::{HostArgs, Switch};
use gpup::units::Bytes;
use gpup::world::{Guest, Machine, Work};
use gpup_core::device::abi;
use gpup_guest::{Pattern, Spec, Workload};
use gpup_kmd::escape::{Request, State};
use live_migration::converge::{Limits, OnTimeout};
use live_migration::handover::Identity;
use live_migration::wire::message::Hello;
use live_migration::{
    Desk, Equipment, Error, Event, Held, Observer, Options, Outcome, Phase, Source, Target, Visit,
};

use crate::wire::{Door, Wire, accept};

/// VRAM of a VF: small, so that a migration takes milliseconds.
pub(crate) const VF_BYTES: u64 = 4 << 20;
/// A page of the dirty plane, where nothing else is set.
pub(crate) const PAGE: u64 = 4096;
/// The local segment.
const SEGMENT: u32 = 1;

/// What a Dxgkrnl may do either way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mode {
    /// SetVirtualFunctionPauseState is called.
    pub(crate) pause_vf: bool,
    /// Dirty tracking is performant, so it runs all the time.
    pub(crate) performant: bool,
}

/// Makes a test of each mode of every function named.
macro_rules! in_every_mode {
    ($($name:ident),* $(,)?) => { $(
        mod $name {
            use crate::harness::Mode;

            #[test]
            fn paused_always_tracked() {
                super::$name(Mode { pause_vf: true, performant: true });
            }

            #[test]
            fn paused_tracked_late() {
                super::$name(Mode { pause_vf: true, performant: false });
            }

            #[test]
            fn unpaused_always_tracked() {
                super::$name(Mode { pause_vf: false, performant: true });
            }

            #[test]
            fn unpaused_tracked_late() {
                super::$name(Mode { pause_vf: false, performant: false });
            }
        }
    )* };
}
pub(crate) use in_every_mode;

/// A host to be started.
#[derive(Clone)]
pub(crate) struct Host {
    vfs: u32,
    vf_bytes: u64,
    performant: bool,
    settings: Vec<(&'static str, u64)>,
    pub(crate) options: AdapterOptions,
}

impl Host {
    /// Two VFs.
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            vfs: 2,
            vf_bytes: VF_BYTES,
            performant: mode.performant,
            settings: Vec::new(),
            options: AdapterOptions::default(),
        }
    }

    /// With one of the driver's settings.
    pub(crate) fn with(mut self, name: &'static str, value: u64) -> Self {
        self.settings.push((name, value));
        self
    }

    /// With so many VFs of so many bytes.
    pub(crate) fn sized(self, vfs: u32, vf_bytes: u64) -> Self {
        Self { vfs, vf_bytes, ..self }
    }

    pub(crate) fn start(&self) -> Machine {
        let args = HostArgs {
            vfs: self.vfs,
            vf_size: Bytes(self.vf_bytes),
            vram: None,
            performant_tracking: if self.performant { Switch::On } else { Switch::Off },
            firmware: None,
            revision: None,
        };
        Machine::start_with(&args, &self.settings, self.options.clone()).unwrap()
    }
}

/// Bytes that look like nothing else.
pub(crate) fn noise(bytes: u64, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let words = (0..bytes.div_ceil(8)).flat_map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // No byte is zero, so no page is.
        (state ^ state >> 33 | 0x0101_0101_0101_0101).to_le_bytes()
    });
    words.take(bytes as usize).collect()
}

/// A workload with an image of so many bytes, in a VF of [`VF_BYTES`].
pub(crate) fn work(workload: Workload, image_bytes: u64) -> Work {
    let spec = Spec {
        seed: 7,
        dirty_rate: 20_000,
        pattern: Pattern::Random,
        image_bytes,
        ..Spec::new(workload, VF_BYTES)
    };
    Work { spec, image: (image_bytes > 0).then(|| Arc::new(noise(image_bytes, 11))) }
}

/// Boots `work` on VF `vf` and waits until it is at work.
pub(crate) fn boot(machine: &Machine, vf: u32, work: &Work) -> Guest {
    let guest = machine.boot(vf, work).unwrap();
    gpup::world::wait_started(&guest).unwrap();
    guest
}

/// The same in scattered memory.
pub(crate) fn boot_scattered(machine: &Machine, vf: u32, work: &Work) -> Guest {
    let options = VgpuOptions { vram_bytes: VF_BYTES, scattered: true };
    let vgpu = machine.adapter().create_vgpu(vf, &options).unwrap();
    assert!(vgpu.pieces() > 1, "the memory is not scattered");
    let guest = work.spec.clone().build(work.image.as_deref().cloned()).unwrap();
    let vm = Vm::boot(vgpu.clone(), guest).unwrap();
    let guest = Guest { vgpu, vm, work: work.clone() };
    gpup::world::wait_started(&guest).unwrap();
    guest
}

/// Waits until `done`. The deadline is far beyond any machine: only a hang is a failure.
pub(crate) fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(600);
    while !done() {
        assert!(Instant::now() < deadline, "it never happened: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until the guest has done more steps than now.
pub(crate) fn wait_steps(vm: &Vm) {
    let before = vm.steps();
    wait_until("the guest works on", || {
        assert_eq!(vm.failure(), None);
        vm.steps() > before
    });
}

/// How the driver says a VF stands.
pub(crate) fn state(vgpu: &Vgpu) -> State {
    let mut block = Request::State { vf: vgpu.index() }.encode();
    vgpu.adapter().escape(&mut block).unwrap();
    State::get(&block).unwrap()
}

/// A register of the compute node, as the guest reads it.
pub(crate) fn compute_register(vgpu: &Vgpu, register: usize) -> u32 {
    vgpu.bar().read_u32(abi::reg::NODE + abi::COMPUTE_NODE * abi::reg::NODE_STRIDE + register)
}

/// All bytes of a VF, read through the paging node.
pub(crate) fn read_all(vgpu: &Arc<Vgpu>) -> Vec<u8> {
    use live_migration::pages::run::Run;
    let mut channel = vgpu.paging_channel().unwrap();
    let batch = channel.bytes() as u64 / vgpu.dirty_page_bytes();
    let mut bytes = Vec::with_capacity(vgpu.vram_bytes() as usize);
    for first in (0..vgpu.pages()).step_by(batch as usize) {
        let count = batch.min(vgpu.pages() - first);
        channel.start_out(&[Run { first, count }]).unwrap();
        let staging = channel.wait().unwrap();
        bytes.extend_from_slice(&staging[..(count * vgpu.dirty_page_bytes()) as usize]);
    }
    bytes
}

/// Free bytes of a host's VRAM.
pub(crate) fn free(machine: &Machine) -> u64 {
    machine.adapter().free_bytes(SEGMENT)
}

/// Whether a host has no VF.
pub(crate) fn is_empty(machine: &Machine) -> bool {
    (0..machine.adapter().partition_count()).all(|vf| !machine.adapter().has_vgpu(vf))
}

/// How to move a guest. The closures see every event of the two agents and may stop them.
pub(crate) struct How<'a> {
    pub(crate) options: Options,
    /// The target's memory is scattered.
    pub(crate) scattered: bool,
    pub(crate) loader: Arc<dyn GuestLoader>,
    pub(crate) at_source: Box<dyn FnMut(Event) -> ControlFlow<()> + 'a>,
    pub(crate) at_target: Box<dyn FnMut(Event) -> ControlFlow<()> + Send + 'a>,
}

/// Goes on, whatever happens.
fn go_on(_event: Event) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Stops where `phase` begins.
pub(crate) fn stop_at(phase: Phase) -> impl FnMut(Event) -> ControlFlow<()> + Send {
    move |event| if event == Event::Enter(phase) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

impl<'a> How<'a> {
    pub(crate) fn new(mode: Mode) -> Self {
        static ATTEMPTS: AtomicU32 = AtomicU32::new(1);
        Self {
            options: Options {
                // No machine is too slow for that: what these tests ask does not depend on speed.
                limits: Limits { pause: 1.0, grace: 600.0, time: 600.0, on_timeout: OnTimeout::Switchover },
                pause_vf: mode.pause_vf,
                ..Options::new(u128::from(ATTEMPTS.fetch_add(1, Ordering::Relaxed)))
            },
            scattered: false,
            loader: Arc::new(gpup_guest::Loader),
            at_source: Box::new(go_on),
            at_target: Box::new(go_on),
        }
    }

    /// With somebody who watches the source.
    pub(crate) fn watched(self, eye: impl FnMut(Event) -> ControlFlow<()> + 'a) -> Self {
        Self { at_source: Box::new(eye), ..self }
    }

    /// Moves `vm` on `vgpu` to `target`.
    pub(crate) fn migrate(self, vgpu: &Arc<Vgpu>, vm: &Arc<Vm>, target: &Machine) -> Attempt {
        let Self { options, scattered, loader, at_source, at_target } = self;
        let (mut wire, door) = Wire::new();
        let tap = wire.tap.clone();
        let mut watch = Watch { vgpu, eye: at_source, phases: Vec::new() };
        let source = Source::new(vgpu.clone(), vm.clone(), options);
        let receive = move || receive(target, scattered, loader, at_target, door);
        let (moved, arrived) = std::thread::scope(|scope| {
            let there = scope.spawn(receive);
            let moved = source.migrate(&mut wire, &mut watch);
            drop(wire);
            (moved.map(|(outcome, _)| outcome), there.join().unwrap())
        });
        let sent = std::mem::take(&mut *tap.lock().unwrap());
        let phases = watch.phases;
        assert!(phases.is_sorted_by(|one, next| one < next), "phases out of order: {phases:?}");
        Attempt { source: moved, target: arrived, phases, sent }
    }
}

/// The source's observer: slows the guest down as the tool does.
struct Watch<'a> {
    vgpu: &'a Vgpu,
    eye: Box<dyn FnMut(Event) -> ControlFlow<()> + 'a>,
    phases: Vec<Phase>,
}

impl Observer for Watch<'_> {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Enter(phase) => self.phases.push(phase),
            Event::Throttle(permille) => {
                let mut request = Request::Throttle { vf: self.vgpu.index(), permille }.encode();
                // Before Prepare there is nothing to slow down and nothing to undo.
                let slowed = self.vgpu.adapter().escape(&mut request);
                assert!(slowed.is_ok() || permille == 1000, "{slowed:?}");
            }
            _ => {}
        }
        (self.eye)(event)
    }
}

/// Serves whoever comes until nobody can come any more; what became of the first.
fn receive<'a>(
    machine: &Machine,
    scattered: bool,
    loader: Arc<dyn GuestLoader>,
    eye: Box<dyn FnMut(Event) -> ControlFlow<()> + Send + 'a>,
    door: Door,
) -> Option<Visit> {
    let first = accept(&door)?;
    let target = Target::new(Identity(1), Equipment::new(loader, Arc::new(gpup::pack::AnyUnpacker)));
    let target = &target;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while let Some(next) = accept(&door) {
                scope.spawn(move || {
                    drop(target.welcome(next, &mut Reception { machine, scattered, eye: Box::new(go_on) }))
                });
            }
        });
        Some(target.welcome(first, &mut Reception { machine, scattered, eye }))
    })
}

struct Reception<'a> {
    machine: &'a Machine,
    scattered: bool,
    eye: Box<dyn FnMut(Event) -> ControlFlow<()> + Send + 'a>,
}

impl Observer for Reception<'_> {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        (self.eye)(event)
    }
}

impl Desk for Reception<'_> {
    fn make_vgpu(&mut self, hello: &Hello) -> Result<Arc<Vgpu>, String> {
        let adapter = self.machine.adapter();
        let options = VgpuOptions { vram_bytes: hello.vf_bytes, scattered: self.scattered };
        // Somebody else may take a number in between.
        (0..adapter.partition_count())
            .filter(|vf| !adapter.has_vgpu(*vf))
            .find_map(|vf| adapter.create_vgpu(vf, &options).ok())
            .ok_or_else(|| "no VF can be made".into())
    }
}

/// What became of an attempt.
pub(crate) struct Attempt {
    pub(crate) source: Result<Outcome, Error>,
    /// None: nobody came.
    pub(crate) target: Option<Visit>,
    /// The phases that the source entered.
    pub(crate) phases: Vec<Phase>,
    /// What the source sent, by connection: the control channel, then the streams.
    pub(crate) sent: Vec<Vec<u8>>,
}

impl Attempt {
    /// The VM runs on the target, every page the same.
    pub(crate) fn arrived(self, case: impl fmt::Display) -> (Outcome, Held) {
        let outcome = self.source.unwrap_or_else(|error| panic!("{case}: {error}"));
        let pages = outcome.pages.unwrap_or_else(|| panic!("{case}: nothing was proved"));
        assert_eq!(pages.different, 0, "{case}: {pages:?}");
        assert_eq!(self.phases, Phase::ALL, "{case}");
        match self.target {
            Some(Visit::Running(held, _)) => {
                assert_eq!(pages.compared, held.vgpu.pages(), "{case}");
                (outcome, held)
            }
            Some(Visit::InDoubt(_)) => panic!("{case}: in doubt"),
            Some(Visit::Discarded(_, error)) => panic!("{case}: the target says {error}"),
            Some(_) => panic!("{case}: no VM came"),
            None => panic!("{case}: nobody came"),
        }
    }

    /// The source's error; nothing is left on the target.
    pub(crate) fn refused(self, case: impl fmt::Display) -> Error {
        let taken = matches!(self.target, Some(Visit::Running(..) | Visit::Settled(..) | Visit::InDoubt(_)));
        assert!(!taken, "{case}: the target took it");
        self.source.err().unwrap_or_else(|| panic!("{case}: it moved"))
    }
}

/// A VM that arrived, as a guest that can move on.
pub(crate) fn settled(held: Held, work: &Work) -> Guest {
    Guest { vgpu: held.vgpu, vm: held.vm, work: work.clone() }
}

/// Lets the guest work on and finish; it must show what one that never moved shows after as many steps.
pub(crate) fn assert_right(guest: Guest, elsewhere: &Machine, case: impl fmt::Display) {
    wait_steps(&guest.vm);
    let outcome = guest.finish(None).unwrap_or_else(|error| panic!("{case}: {error}"));
    let work = guest.work.clone();
    guest.destroy().unwrap();
    let vf = (0..).find(|vf| !elsewhere.adapter().has_vgpu(*vf)).unwrap();
    assert_eq!(outcome, elsewhere.reference(vf, &work, outcome.steps).unwrap(), "{case}");
}

/// Stops hosts on which nothing is left, and which kept every rule.
pub(crate) fn stop(machines: impl IntoIterator<Item = Machine>) {
    for machine in machines {
        assert!(is_empty(&machine), "a VF is left");
        machine.stop().unwrap();
    }
}
