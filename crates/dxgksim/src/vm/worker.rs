//! The worker of a VM: runs the guest in slices, parks it, and tells how it ended.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use super::clock::Clock;
use super::msix::{Mailboxes, Msix};
use crate::guest::{Bar, Cpu, Guest, MsixMessage, Outcome, Progress};
use crate::host::{Event, MILLISECOND, Mutex, SECOND, now, sleep};
use crate::vgpu::VfBar;

/// What the VM is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Want {
    Run = 0,
    Pause = 1,
    Stop = 2,
}

/// The guest and its virtual processor.
pub(super) struct Machine {
    pub(super) guest: Box<dyn Guest>,
    pub(super) msix: Msix,
    pub(super) clock: Clock,
    pub(super) bar: Arc<VfBar>,
}

/// The processor as the guest sees it in one slice.
struct Slice<'a> {
    msix: &'a mut Msix,
    clock: &'a Clock,
    bar: &'a VfBar,
    trouble: Option<String>,
}

impl Cpu for Slice<'_> {
    fn bar(&self) -> &dyn Bar {
        self.bar
    }

    fn take_interrupts(&mut self) -> u32 {
        self.msix.take()
    }

    fn write_msix(&mut self, index: u16, message: MsixMessage) {
        if let Err(error) = self.msix.write(index, message) {
            self.trouble.get_or_insert(error);
        }
    }

    fn read_msix(&self, index: u16) -> MsixMessage {
        self.msix.read(index)
    }

    fn now(&self) -> u64 {
        self.clock.read()
    }
}

impl Machine {
    fn slice(&mut self) -> Progress {
        let mut cpu = Slice { msix: &mut self.msix, clock: &self.clock, bar: &self.bar, trouble: None };
        let progress = self.guest.run(&mut cpu);
        match cpu.trouble {
            Some(trouble) => Progress::Failed(trouble),
            None => progress,
        }
    }
}

/// What the VM and its worker share.
pub(super) struct Shared {
    pub(super) machine: Mutex<Machine>,
    want: AtomicU8,
    wake: Event,
    /// The processor stands still.
    pub(super) parked: AtomicBool,
    acknowledged: Event,
    pub(super) steps: AtomicU64,
    pub(super) outcome: Mutex<Option<Result<Outcome, String>>>,
    pub(super) done: Event,
    ended: AtomicBool,
}

/// Naps while a guest waits: short ones first, since most waits are for a packet that is nearly done.
const YIELDS: u32 = 8;
const NAP_NS: u64 = 50_000;

impl Shared {
    pub(super) fn new(machine: Machine, want: Want) -> Self {
        Self {
            steps: AtomicU64::new(machine.guest.steps()),
            machine: Mutex::new(machine),
            want: AtomicU8::new(want as u8),
            wake: Event::new(),
            parked: AtomicBool::new(false),
            acknowledged: Event::new(),
            outcome: Mutex::new(None),
            done: Event::new(),
            ended: AtomicBool::new(false),
        }
    }

    fn wanted(&self) -> Want {
        match self.want.load(Ordering::Acquire) {
            0 => Want::Run,
            1 => Want::Pause,
            _ => Want::Stop,
        }
    }

    /// Tells the worker; false when it has been stopped for good.
    pub(super) fn set(&self, want: Want) -> bool {
        let change = |now: u8| (now != Want::Stop as u8).then_some(want as u8);
        let changed = self.want.fetch_update(Ordering::AcqRel, Ordering::Acquire, change).is_ok();
        if want != Want::Pause {
            self.parked.store(false, Ordering::Release);
        }
        self.wake.signal();
        changed
    }

    /// Waits until the processor stands still.
    pub(super) fn await_parked(&self) {
        while !self.parked.load(Ordering::Acquire) && !self.ended.load(Ordering::Acquire) {
            self.acknowledged.wait(MILLISECOND);
        }
    }

    /// The worker's body.
    pub(super) fn run(&self) {
        let _end = End(self);
        let mailboxes = self.machine.lock().msix.mailboxes();
        let vectors = self.machine.lock().msix.vectors();
        loop {
            match self.wanted() {
                Want::Stop => break,
                Want::Pause => self.park(),
                Want::Run if self.outcome.lock().is_some() => {
                    self.wake.wait(SECOND);
                }
                Want::Run => self.step(&mailboxes, vectors),
            }
        }
        self.machine.lock().clock.stop();
    }

    fn park(&self) {
        self.machine.lock().clock.stop();
        // A resume in between has cleared the flag and must not find it set again.
        if self.wanted() == Want::Pause {
            self.parked.store(true, Ordering::Release);
            self.acknowledged.signal();
            self.wake.wait(SECOND);
        }
    }

    fn step(&self, mailboxes: &Mailboxes, vectors: usize) {
        let progress = {
            let mut machine = self.machine.lock();
            machine.clock.start();
            let progress = machine.slice();
            self.steps.store(machine.guest.steps(), Ordering::Relaxed);
            progress
        };
        match progress {
            Progress::Working => {}
            Progress::Waiting(ns) => self.idle(ns, mailboxes, vectors),
            Progress::Finished(outcome) => self.conclude(Ok(outcome)),
            Progress::Failed(why) => self.conclude(Err(why)),
        }
    }

    fn idle(&self, ns: u64, mailboxes: &Mailboxes, vectors: usize) {
        let until = now().saturating_add(ns);
        let mut naps = 0u32;
        while !mailboxes.any(vectors) && self.wanted() == Want::Run {
            let left = until.saturating_sub(now());
            if left == 0 {
                break;
            }
            sleep(if naps < YIELDS { 0 } else { NAP_NS.min(left) });
            naps += 1;
        }
    }

    fn conclude(&self, outcome: Result<Outcome, String>) {
        self.outcome.lock().get_or_insert(outcome);
        self.done.signal();
    }
}

/// Ends the worker, also when the guest panicked.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        if self.0.wanted() != Want::Stop {
            self.0.conclude(Err("the guest's driver panicked".into()));
        }
        self.0.ended.store(true, Ordering::Release);
        self.0.acknowledged.signal();
    }
}
