//! An engine: the thread of a node, one packet after the other.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use super::Shared;
use super::kernels::Scratch;
use super::node::Node;
use super::transfer::{Bench, HostPacket};
use super::translate::Tlb;
use super::vf::Vf;
use crate::device::InterruptSink;
use crate::device::abi::RING_BYTES;
use crate::dirty::Writer;
use crate::os::{now, os};
use crate::sched::{Entity, Grant, Scheduler, Source};
use crate::{Result, VfIndex, boxed};

/// Between two looks at the doorbells while VFs exist: doorbells are plain memory and wake nobody. The longer
/// nothing happens, the longer it may take to notice.
const POLL_NS: [(u32, u64); 3] = [(64, 50_000), (512, 100_000), (u32::MAX, 500_000)];
/// The same while no VF has memory: submissions wake the engine.
const REST_NS: u64 = 50_000_000;

/// The state of an engine's thread.
pub(super) struct Engine {
    pub(super) shared: Arc<Shared>,
    pub(super) index: usize,
    pub(super) sink: Arc<dyn InterruptSink>,
    pub(super) writer: Writer,
    tlb: Tlb,
    pub(super) scratch: Scratch,
    /// The command that runs, copied out of its ring.
    pub(super) command: Box<[u8]>,
    /// Engine time: what packets cost and how long there was none.
    clock: u64,
    /// The VF whose context is loaded; none for the host's.
    pub(super) loaded: Option<VfIndex>,
    /// The VFs that the scheduler thinks have work.
    runnable: Box<[bool]>,
    pub(super) host: Option<HostPacket>,
    /// What had begun when the engine was reset, until the host submits it again.
    parked: Option<HostPacket>,
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
            runnable: boxed::slice(shared.vfs.len(), || false)?,
            index,
            sink,
            tlb: Tlb::new()?,
            scratch: Scratch::new()?,
            command: boxed::slice(RING_BYTES, || 0)?,
            loaded: None,
            host: None,
            parked: None,
            host_entity: None,
            idle_rounds: 0,
            shared,
        })
    }

    /// The thread's body.
    pub(super) fn run(mut self) {
        while !self.shared.stop.load(Ordering::SeqCst) {
            if self.shared.suspended.load(Ordering::SeqCst) {
                self.rest();
                continue;
            }
            self.answer_resets();
            self.answer_preemptions();
            match self.decide() {
                Some(grant) => self.turn(&grant),
                None => self.idle(),
            }
        }
        self.lie_down();
    }

    /// Forgets the host's packets, which are nobody's any more, and takes part in no decision.
    fn lie_down(&mut self) {
        (self.host, self.parked) = (None, None);
        let mut scheduler = self.shared.nodes[self.index].scheduler.lock();
        for (vf, known) in (0..).zip(&mut self.runnable) {
            scheduler.set_runnable(Entity::Vf(vf), false, self.clock);
            *known = false;
        }
        if let Some(entity) = self.host_entity.take() {
            scheduler.set_runnable(entity, false, self.clock);
        }
    }

    /// Stands still until the device goes on or ends.
    fn rest(&mut self) {
        self.lie_down();
        while self.shared.suspended.load(Ordering::SeqCst) && !self.shared.stop.load(Ordering::SeqCst) {
            // Said again: the device may have gone on and been suspended anew before this looked.
            self.node().rested.signal();
            self.node().wake.wait(REST_NS);
        }
    }

    pub(super) fn node(&self) -> &Node {
        &self.shared.nodes[self.index]
    }

    /// Moves engine time on.
    fn pass(&mut self, ticks: u64) {
        self.clock += ticks;
        self.node().clock.store(self.clock, Ordering::Relaxed);
    }

    /// Drops the host's packets when the node was reset. Only one that hung was aborted; the others are submitted again,
    /// and one that had begun goes on where it was: what it has done may not be done twice.
    fn answer_resets(&mut self) {
        if !self.node().abort.load(Ordering::Acquire) {
            return;
        }
        let packet = self.host.take();
        let aborted = packet.as_ref().filter(|packet| packet.is_stuck()).map(HostPacket::fence);
        self.parked = packet.filter(|packet| packet.has_begun() && aborted.is_none());
        self.node().answer_reset(aborted);
    }

    /// Says that the node was preempted, once the host's packet has come to its end: a DMA buffer that has begun is not
    /// stopped. One that never ends is, if it lets itself be.
    fn answer_preemptions(&mut self) {
        if !self.node().queue.is_preempted() || self.runs_to_its_end() {
            return;
        }
        let Some(fence) = self.node().queue.take_preemption() else {
            return;
        };
        self.host = None;
        self.sink.preempted(self.index, fence, self.node().queue.last_completed());
    }

    /// Whether the host's packet has begun and comes to an end by itself.
    fn runs_to_its_end(&mut self) -> bool {
        self.host_bench()
            .is_some_and(|(host, mut bench)| host.has_begun() && host.looping(&mut bench).is_none())
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
            let parked = self.parked.take().filter(|parked| parked.is(&submission));
            let packet = parked.unwrap_or_else(|| HostPacket::new(submission));
            self.tlb.restart(packet.root());
            self.host = Some(packet);
        }
        let (host, mut bench) = self.host_bench()?;
        Some(host.owner(&mut bench).map_or(Entity::Pf, Entity::Paging))
    }

    /// The host's packet and what it runs with.
    pub(super) fn host_bench(&mut self) -> Option<(&mut HostPacket, Bench<'_>)> {
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

    /// A packet that does not end until it is reset; answers how long that took.
    pub(super) fn hang(&mut self, guest: Option<(&Vf, &Grant)>) -> u64 {
        let since = now();
        self.node().hang.begin();
        loop {
            let elapsed = now().saturating_sub(since);
            let node = &self.shared.nodes[self.index];
            let cut = guest.is_some_and(|(vf, grant)| {
                let mut scheduler = node.scheduler.lock();
                tell_guests(&self.shared.vfs, self.index, &mut self.runnable, &mut scheduler, self.clock);
                let awaited = vf.is_awaited() && grant.is_overdue(elapsed);
                awaited || vf.abort().load(Ordering::Acquire) || scheduler.over_run(grant, elapsed)
            });
            if cut || node.abort.load(Ordering::Acquire) || self.shared.is_still() {
                return elapsed;
            }
            node.hang.look();
            os().yield_now();
        }
    }

    /// A chunk of a loop that a preemption ends: nothing is done, and others have their turns in between.
    pub(super) fn idle_in_loop(&self) -> u64 {
        let since = now();
        self.node().wake.wait(POLL_NS[0].1);
        now().saturating_sub(since)
    }

    /// Keeps the engine free for a VF whose slot it is, until it has work.
    fn keep_free(&mut self, vf: VfIndex, cap: u64) -> u64 {
        let since = now();
        let vf = &self.shared.vfs[vf as usize];
        loop {
            let elapsed = now().saturating_sub(since);
            let asked = self.shared.is_still() || self.node().abort.load(Ordering::Acquire);
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
