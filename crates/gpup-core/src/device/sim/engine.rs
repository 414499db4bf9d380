//! An engine: the thread of a node, one packet after the other.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use core::sync::atomic::Ordering;

use super::Shared;
use super::command::Command;
use super::kernels::{self, Scratch};
use super::memory::VfMemory;
use super::node::Node;
use super::ring;
use super::transfer::{Bench, Chunk, HostPacket, Step};
use super::translate::Tlb;
use super::vf::Vf;
use crate::device::InterruptSink;
use crate::device::abi::{FLAG_FENCE, FLAG_INTERRUPT, FaultCode, RING_BYTES};
use crate::dirty::Writer;
use crate::os::{Level, log, now, os};
use crate::sched::{Entity, Grant, Scheduler, Source};
use crate::{Result, VfIndex};

/// Between two looks at the doorbells while VFs exist: doorbells are plain memory and wake nobody. The longer
/// nothing happens, the longer it may take to notice.
const POLL_NS: [(u32, u64); 3] = [(64, 50_000), (512, 100_000), (u32::MAX, 500_000)];
/// The same while no VF has memory: submissions wake the engine.
const REST_NS: u64 = 50_000_000;

/// The state of an engine's thread.
pub(super) struct Engine {
    shared: Arc<Shared>,
    index: usize,
    sink: Arc<dyn InterruptSink>,
    writer: Writer,
    tlb: Tlb,
    scratch: Scratch,
    /// The command that runs, copied out of its ring.
    command: Box<[u8]>,
    /// Engine time: what packets cost and how long there was none.
    clock: u64,
    /// The VF whose context is loaded; none for the host's.
    loaded: Option<VfIndex>,
    /// The VFs that the scheduler thinks have work.
    runnable: Box<[bool]>,
    host: Option<HostPacket>,
    /// In whose name the scheduler thinks the host's packet runs.
    host_entity: Option<Entity>,
    idle_rounds: u32,
}

impl Engine {
    /// An engine that has not begun.
    pub(super) fn new(shared: Arc<Shared>, index: usize, sink: Arc<dyn InterruptSink>) -> Result<Self> {
        Ok(Self {
            writer: shared.tracker.writer()?,
            clock: shared.nodes[index].clock.load(Ordering::Relaxed),
            runnable: vec![false; shared.vfs.len()].into_boxed_slice(),
            index,
            sink,
            tlb: Tlb::new(),
            scratch: Scratch::new(),
            command: vec![0; RING_BYTES].into_boxed_slice(),
            loaded: None,
            host: None,
            host_entity: None,
            idle_rounds: 0,
            shared,
        })
    }

    /// The thread's body.
    pub(super) fn run(mut self) {
        while !self.shared.stop.load(Ordering::SeqCst) {
            self.answer_resets();
            self.answer_preemptions();
            match self.decide() {
                Some(grant) => self.turn(&grant),
                None => self.idle(),
            }
        }
        let mut scheduler = self.node().scheduler.lock();
        (0..)
            .zip(&self.runnable)
            .for_each(|(vf, _)| scheduler.set_runnable(Entity::Vf(vf), false, self.clock));
        if let Some(entity) = self.host_entity {
            scheduler.set_runnable(entity, false, self.clock);
        }
    }

    fn node(&self) -> &Node {
        &self.shared.nodes[self.index]
    }

    /// Moves engine time on.
    fn pass(&mut self, ticks: u64) {
        self.clock += ticks;
        self.node().clock.store(self.clock, Ordering::Relaxed);
    }

    /// Drops the host's packets when the node was reset. The packet that ran has ended before this.
    fn answer_resets(&mut self) {
        if !self.node().abort.load(Ordering::Acquire) {
            return;
        }
        let running = self.host.take().map(|packet| packet.fence());
        let node = self.node();
        let last = node.queue.clear().or(running).unwrap_or(node.queue.last_completed());
        node.last_aborted.store(u64::from(last), Ordering::Relaxed);
        node.abort.store(false, Ordering::Release);
        node.reset_done.signal();
    }

    /// Drops the host's packet when the node was preempted, and says so.
    fn answer_preemptions(&mut self) {
        let Some(fence) = self.node().queue.take_preemption() else {
            return;
        };
        self.host = None;
        self.sink.preempted(self.index, fence, self.node().queue.last_completed());
    }

    /// Looks who has work and asks the scheduler who runs.
    fn decide(&mut self) -> Option<Grant> {
        let entity = self.look_at_host();
        let before = core::mem::replace(&mut self.host_entity, entity);
        let node = &self.shared.nodes[self.index];
        let mut scheduler = node.scheduler.lock();
        tell_guests(&self.shared.vfs, self.index, &mut self.runnable, &mut scheduler, self.clock);
        if let Some(gone) = before.filter(|_| before != entity) {
            scheduler.set_runnable(gone, false, self.clock);
        }
        if let Some(entity) = entity {
            scheduler.set_runnable(entity, true, self.clock);
        }
        scheduler.pick(self.clock)
    }

    /// Takes the host's next packet if there is none, and finds out in whose name its next chunk runs.
    fn look_at_host(&mut self) -> Option<Entity> {
        if self.host.is_none()
            && let Some(submission) = self.node().queue.pop()
        {
            let packet = HostPacket::new(submission);
            self.tlb.restart(packet.root());
            self.host = Some(packet);
        }
        let (host, mut bench) = self.host_bench()?;
        Some(host.owner(&mut bench).map_or(Entity::Pf, Entity::Paging))
    }

    /// The host's packet and what it runs with.
    fn host_bench(&mut self) -> Option<(&mut HostPacket, Bench<'_>)> {
        self.tlb.follow(self.shared.tlb_epoch.load(Ordering::Acquire));
        let bench = Bench {
            geometry: &self.shared.config.geometry,
            rates: &self.shared.config.rates,
            owners: &self.shared.owners,
            writer: &mut self.writer,
            tlb: &mut self.tlb,
        };
        Some((self.host.as_mut()?, bench))
    }

    /// Executes one packet and accounts it.
    fn turn(&mut self, grant: &Grant) {
        self.idle_rounds = 0;
        let ticks = match (grant.entity, grant.source) {
            (Entity::Vf(vf), Source::Slot) => self.keep_free(vf, grant.cap),
            (Entity::Vf(vf), _) => self.run_guest(vf, grant),
            (entity, _) if self.host_entity == Some(entity) => self.run_host(),
            _ => 0,
        };
        // A VF that was paused meanwhile has used nothing, and the scheduler learns so with the next pick.
        if ticks > 0 {
            self.pass(ticks);
            self.node().scheduler.lock().charge(grant, ticks, self.clock);
        }
    }

    /// Executes a command of a VF, if it still may.
    fn run_guest(&mut self, index: VfIndex, grant: &Grant) -> u64 {
        let shared = self.shared.clone();
        let vf = &shared.vfs[index as usize];
        let Some(_flight) = vf.enter(self.index) else {
            return 0;
        };
        self.node().begin_packet();
        let ticks = match ring::fetch(
            vf.bar(),
            self.index,
            vf.registers().nodes[self.index].head(),
            &mut self.command,
        ) {
            Ok(None) => 0,
            fetched => {
                let turn = shared.config.rates.turn(self.loaded.replace(index), Some(index));
                let (ticks, done) = match fetched {
                    Ok(Some(header)) => {
                        self.execute(vf, index, grant, turn, header.opcode, header.bytes as usize)
                    }
                    Ok(None) => (0, Ok(())),
                    Err(code) => (shared.config.rates.packet, Err(code)),
                };
                match (done, fetched) {
                    (Ok(()), Ok(Some(header))) => {
                        let fence = (header.flags & FLAG_FENCE != 0).then_some(header.fence);
                        let registers = &vf.registers().nodes[self.index];
                        registers.advance(header.bytes, ticks + turn, fence);
                        registers.publish(vf.bar(), self.index);
                        if header.flags & FLAG_INTERRUPT != 0 {
                            vf.raise(self.index);
                        }
                    }
                    (Err(code), _) => self.refuse(vf, index, code),
                    _ => {}
                }
                ticks + turn
            }
        };
        self.node().end_packet();
        ticks
    }

    /// Executes what was fetched; the ticks are without the turn.
    fn execute(
        &mut self,
        vf: &Vf,
        index: VfIndex,
        grant: &Grant,
        turn: u64,
        opcode: u16,
        bytes: usize,
    ) -> (u64, core::result::Result<(), FaultCode>) {
        let shared = self.shared.clone();
        let packet = shared.config.rates.packet;
        if self.node().take_hang(Some(index)) {
            return (self.hang(Some((vf, grant))), Err(FaultCode::Reset));
        }
        let command = match Command::decode(self.index, opcode, &self.command[..bytes]) {
            Ok(command) => command,
            Err(code) => return (packet, Err(code)),
        };
        let Some(regions) = vf.regions() else {
            return (packet, Err(FaultCode::Reset));
        };
        let ticks = shared.config.rates.command(&command);
        let node = &shared.nodes[self.index];
        let mut memory = VfMemory {
            regions: &regions,
            writer: &mut self.writer,
            bar: vf.bar(),
            aborts: [vf.abort(), &node.abort],
        };
        // The cost is known beforehand, so a packet that would be cut is not begun.
        if node.scheduler.lock().over_run(grant, ticks.saturating_add(turn)) {
            return (packet, Err(FaultCode::Reset));
        }
        match kernels::execute(&command, &mut memory, &mut self.scratch) {
            Ok(()) => (ticks, Ok(())),
            Err(code) => (packet, Err(code)),
        }
    }

    /// Stops a VF whose command was refused or cut.
    fn refuse(&self, vf: &Vf, index: VfIndex, code: FaultCode) {
        // A VF that is being reset has no one left to tell.
        if vf.abort().load(Ordering::Acquire) {
            return;
        }
        if code == FaultCode::Reset {
            let _ = self.node().scheduler.lock().count_reset(index);
        }
        log(Level::Info, format_args!("VF {index} faulted on node {}: {code:?}", self.index));
        vf.fault(self.index, code);
    }

    /// Executes a chunk of the host's packet.
    fn run_host(&mut self) -> u64 {
        self.node().begin_packet();
        if self.node().take_hang(None) {
            let ticks = self.hang(None);
            self.node().end_packet();
            return ticks.max(1);
        }
        let turn = self.shared.config.rates.turn(self.loaded.take(), None);
        let mut chunk = Chunk::default();
        let Some((host, mut bench)) = self.host_bench() else {
            return 0;
        };
        let fence = host.fence();
        let step = host.step(&mut bench, &mut chunk);
        if chunk.flush {
            self.shared.tlb_epoch.fetch_add(1, Ordering::AcqRel);
        }
        self.node().end_packet();
        match step {
            Step::More => {}
            Step::Done => {
                self.host = None;
                self.node().queue.complete(fence);
                self.sink.completed(self.index, fence);
            }
            Step::Fault(address) => {
                self.host = None;
                let node = self.index;
                log(
                    Level::Warning,
                    format_args!("host packet {fence} faulted on node {node} at {address:#x}"),
                );
                self.sink.faulted(node, fence, address);
            }
        }
        // Even a chunk that did nothing takes a tick, so that every grant is accounted.
        (chunk.ticks + turn).max(1)
    }

    /// A packet that does not end until it is reset; answers how long that took.
    fn hang(&mut self, guest: Option<(&Vf, &Grant)>) -> u64 {
        let since = now();
        loop {
            let elapsed = now().saturating_sub(since);
            let node = &self.shared.nodes[self.index];
            let cut = guest.is_some_and(|(vf, grant)| {
                let mut scheduler = node.scheduler.lock();
                tell_guests(&self.shared.vfs, self.index, &mut self.runnable, &mut scheduler, self.clock);
                vf.abort().load(Ordering::Acquire) || scheduler.over_run(grant, elapsed)
            });
            if cut || node.abort.load(Ordering::Acquire) || self.shared.stop.load(Ordering::SeqCst) {
                return elapsed;
            }
            os().yield_now();
        }
    }

    /// Keeps the engine free for a VF whose slot it is, until it has work.
    fn keep_free(&mut self, vf: VfIndex, cap: u64) -> u64 {
        let since = now();
        let vf = &self.shared.vfs[vf as usize];
        loop {
            let elapsed = now().saturating_sub(since);
            let asked = self.shared.stop.load(Ordering::SeqCst) || self.node().abort.load(Ordering::Acquire);
            if elapsed >= cap || asked || vf.wants(self.index) {
                return elapsed.clamp(1, cap.max(1));
            }
            self.node().wake.wait(POLL_NS[0].1.min(cap - elapsed));
        }
    }

    /// Waits for something to do.
    fn idle(&mut self) {
        let mut timeout = REST_NS;
        if self.shared.vfs.iter().any(Vf::is_enabled) {
            let pace = POLL_NS.iter().find(|(rounds, _)| self.idle_rounds < *rounds);
            timeout = pace.map_or(POLL_NS[0].1, |(_, ns)| *ns);
        }
        if let Some(at) = self.node().scheduler.lock().next_allowed(self.clock) {
            timeout = timeout.min(at.saturating_sub(self.clock)).max(1);
        }
        self.idle_rounds = self.idle_rounds.saturating_add(1);
        let since = now();
        if self.node().wake.wait(timeout) {
            self.idle_rounds = 0;
        }
        self.pass(now().saturating_sub(since).max(1));
    }
}

/// Tells the scheduler which VFs have work.
fn tell_guests(vfs: &[Vf], node: usize, known: &mut [bool], scheduler: &mut Scheduler, clock: u64) {
    for ((vf, known), index) in vfs.iter().zip(known).zip(0..) {
        let wants = vf.wants(node);
        // Said again while it wants: a reset of the VF in between has made the scheduler forget.
        if wants || *known {
            scheduler.set_runnable(Entity::Vf(index), wants, clock);
        }
        *known = wants;
    }
}
