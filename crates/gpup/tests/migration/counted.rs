//! A guest that counts its interrupts: each message comes once, masked or not, however often it moves.

use std::ops::ControlFlow;
use std::sync::Arc;

use dxgksim::guest::{Cpu, Guest, GuestLoader, MsixMessage, Outcome, Progress};
use dxgksim::vm::Vm;
use gpup_core::device::abi::{
    COMPUTE_NODE, FLAG_FENCE, FLAG_INTERRUPT, HEADER_BYTES, Opcode, RING_BYTES, RING_OFFSET, reg, status,
};
use live_migration::{Event, Phase};

use crate::harness::{Host, How, Mode, VF_BYTES, in_every_mode, stop, wait_steps};

in_every_mode!(each_message_comes_once_across_moves, a_move_that_fails_sends_no_message_twice);

/// The number its message has.
const NUMBER: u32 = 3;
const TAIL: usize = reg::NODE + COMPUTE_NODE * reg::NODE_STRIDE + reg::TAIL;
const HEAD: usize = reg::NODE + COMPUTE_NODE * reg::NODE_STRIDE + reg::HEAD;
/// Slices that a message is kept behind the mask once its command is done, so that moves find it there.
const PATIENCE: u8 = 20;

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
enum Awaits {
    /// Nothing: no message may come.
    Nothing,
    /// The message of its command.
    Message,
    /// The end of its command, whose message is masked.
    Done,
}

/// Rings its doorbell once for each message it has heard, every other time behind a mask.
#[derive(Clone, Debug)]
struct Counter {
    rung: u32,
    heard: u32,
    awaits: Awaits,
    patience: u8,
    finish: bool,
}

impl Counter {
    const FRESH: Self = Self { rung: 0, heard: 0, awaits: Awaits::Nothing, patience: 0, finish: false };

    fn mask(cpu: &mut dyn Cpu, masked: bool) {
        cpu.write_msix(0, MsixMessage { address: 0xFEE0_0000, data: NUMBER, control: u32::from(masked) });
    }

    /// Rings for a command that does nothing but raise vector 0.
    fn ring(&mut self, cpu: &mut dyn Cpu) {
        let masked = self.rung % 2 == 1;
        Self::mask(cpu, masked);
        let (bar, tail) = (cpu.bar(), self.rung.wrapping_mul(HEADER_BYTES as u32));
        let word = u64::from(Opcode::Nop as u16)
            | u64::from(FLAG_FENCE | FLAG_INTERRUPT) << 16
            | (HEADER_BYTES as u64) << 32;
        let at = RING_OFFSET + tail as usize % RING_BYTES;
        bar.write_bytes(at, &word.to_le_bytes());
        self.rung += 1;
        bar.write_bytes(at + 8, &u64::from(self.rung).to_le_bytes());
        bar.write_u32(TAIL, tail.wrapping_add(HEADER_BYTES as u32));
        (self.awaits, self.patience) = (if masked { Awaits::Done } else { Awaits::Message }, PATIENCE);
    }
}

impl Guest for Counter {
    fn run(&mut self, cpu: &mut dyn Cpu) -> Progress {
        let messages = cpu.take_interrupts();
        if cpu.bar().read_u32(reg::STATUS) & status::READY == 0 {
            return Progress::Waiting(100_000);
        }
        match (self.awaits, messages) {
            (Awaits::Message, message) if message == 1 << NUMBER => {
                self.heard += 1;
                (self.awaits, self.patience) = (Awaits::Nothing, PATIENCE);
            }
            (_, 0) => {}
            (awaits, messages) => {
                return Progress::Failed(format!("{messages:#x} came, but {self:?} awaits {awaits:?}"));
            }
        }
        let done = cpu.bar().read_u32(HEAD) == self.rung.wrapping_mul(HEADER_BYTES as u32);
        if self.awaits != Awaits::Message && done {
            self.patience = self.patience.saturating_sub(1);
        }
        match self.awaits {
            Awaits::Done if self.patience == 0 => {
                self.awaits = Awaits::Message;
                Self::mask(cpu, false);
            }
            Awaits::Nothing if self.patience == 0 && self.finish => {
                let result = [self.rung.to_le_bytes(), self.heard.to_le_bytes()].concat();
                return Progress::Finished(Outcome { steps: self.steps(), result });
            }
            Awaits::Nothing if self.patience == 0 => self.ring(cpu),
            _ => {}
        }
        Progress::Waiting(100_000)
    }

    fn finish(&mut self, _steps: Option<u64>) {
        self.finish = true;
    }

    fn steps(&self) -> u64 {
        u64::from(self.heard)
    }

    fn save(&self) -> Vec<u8> {
        let tail = [self.awaits as u8, self.patience];
        [&self.rung.to_le_bytes()[..], &self.heard.to_le_bytes(), &tail].concat()
    }

    fn name(&self) -> &str {
        "counter"
    }
}

struct Loader;

impl GuestLoader for Loader {
    fn load(&self, state: &[u8]) -> Result<Box<dyn Guest>, String> {
        let word = |at: usize| u32::from_le_bytes(state[at..at + 4].try_into().unwrap());
        let awaits = [Awaits::Nothing, Awaits::Message, Awaits::Done][usize::from(state[8])];
        let (rung, heard, patience) = (word(0), word(4), state[9]);
        Ok(Box::new(Counter { rung, heard, awaits, patience, finish: false }))
    }
}

/// Every message was heard, and there were some.
fn assert_heard(vm: &Vm) {
    let outcome = gpup::world::finish(vm, None).unwrap();
    let (rung, heard) = outcome.result.split_at(4);
    assert_eq!(rung, heard, "messages are lost");
    assert!(outcome.steps > 0);
}

fn each_message_comes_once_across_moves(mode: Mode) {
    let hosts = [Host::new(mode).start(), Host::new(mode).start()];
    let mut vgpu = hosts[0].create_vf(0, VF_BYTES).unwrap();
    let mut vm = Vm::boot(vgpu.clone(), Box::new(Counter::FRESH)).unwrap();
    for round in 1..=8 {
        wait_steps(&vm);
        // Somewhere within the patience.
        std::thread::sleep(std::time::Duration::from_micros(300 * round));
        let how = How { loader: Arc::new(Loader), ..How::new(mode) };
        let there = &hosts[round as usize % 2];
        let (_, held) = how.migrate(&vgpu, &vm, there).arrived("a counter");
        vm.stop();
        vgpu.destroy().unwrap();
        (vgpu, vm) = (held.vgpu, held.vm);
    }
    wait_steps(&vm);
    assert_heard(&vm);
    vm.stop();
    vgpu.destroy().unwrap();
    drop((vgpu, vm));
    stop(hosts);
}

fn a_move_that_fails_sends_no_message_twice(mode: Mode) {
    let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
    let vgpu = here.create_vf(0, VF_BYTES).unwrap();
    let vm = Vm::boot(vgpu.clone(), Box::new(Counter::FRESH)).unwrap();
    for phase in [Phase::Brownout, Phase::LastPages, Phase::Mutable, Phase::Restore] {
        wait_steps(&vm);
        let how = How { loader: Arc::new(Loader), ..How::new(mode) };
        let how = how.watched(move |event| match event {
            Event::Enter(now) if now == phase => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        let _ = how.migrate(&vgpu, &vm, &there).refused(phase);
    }
    wait_steps(&vm);
    assert_heard(&vm);
    vm.stop();
    vgpu.destroy().unwrap();
    drop((vgpu, vm));
    stop([here, there]);
}
