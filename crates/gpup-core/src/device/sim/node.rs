//! What an engine shares with those who call the device.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::hang::Hang;
use super::host::HostQueue;
use crate::device::{EngineReset, Running, Whose};
use crate::os::{Event, SpinLock, now};
use crate::sched::{Limits, Scheduler};
use crate::{Result, VfIndex};

/// [`Node::cut_vf`]: nobody's packet.
const NO_VF: u64 = u64::MAX;
/// [`Node::to_hang`]: nobody's packet.
const NO_HANG: u64 = u64::MAX;
/// [`Node::to_hang`]: the host's next packet.
const HOST_HANG: u64 = u64::MAX - 1;

/// [`Node::packet_of`]: the host's packet, its fence in the low half; else a VF's index.
const HOST_PACKET: u64 = 1 << 63;

/// One node as all threads see it.
pub(super) struct Node {
    /// Held for a decision or a charge only.
    pub(super) scheduler: SpinLock<Scheduler>,
    pub(super) queue: HostQueue,
    /// There is something new to look at.
    pub(super) wake: Event,
    /// The engine is being reset: it must answer before the next packet.
    pub(super) abort: AtomicBool,
    /// The engine has done what `abort` asks.
    pub(super) reset_done: Event,
    /// The engine stands still.
    pub(super) rested: Event,
    /// What the last reset answered.
    last_reset: SpinLock<EngineReset>,
    /// Whose packet ended because of the reset.
    cut_vf: AtomicU64,
    /// Engine time.
    pub(super) clock: AtomicU64,
    /// When the packet that runs began, by the system's clock; 0 while none runs.
    packet_since: AtomicU64,
    /// Whose it is.
    packet_of: AtomicU64,
    /// Whether it hangs.
    pub(super) hang: Hang,
    /// Whose next packet is to hang, for tests of the ways out.
    to_hang: AtomicU64,
}

impl Node {
    /// An idle node of a device with so many VFs.
    pub(super) fn new(max_vfs: u32, limits: Limits) -> Result<Self> {
        Ok(Self {
            scheduler: SpinLock::new(Scheduler::new(max_vfs, limits)?),
            queue: HostQueue::new()?,
            wake: Event::new()?,
            abort: AtomicBool::new(false),
            reset_done: Event::new()?,
            rested: Event::new()?,
            last_reset: SpinLock::new(EngineReset { last_aborted: 0, vf: None }),
            cut_vf: AtomicU64::new(NO_VF),
            clock: AtomicU64::new(0),
            packet_since: AtomicU64::new(0),
            packet_of: AtomicU64::new(0),
            hang: Hang::default(),
            to_hang: AtomicU64::new(NO_HANG),
        })
    }

    /// Changes a setting of the scheduler; `set` is told the engine time.
    pub(super) fn control<R>(&self, set: impl FnOnce(&mut Scheduler, u64) -> R) -> R {
        let mut scheduler = self.scheduler.lock();
        set(&mut scheduler, self.clock.load(Ordering::Relaxed))
    }

    /// The engine is to be reset: it answers before the next packet.
    pub(super) fn ask_for_reset(&self) {
        // An answer that came after its caller had given up is not the answer to this.
        self.reset_done.wait(0);
        self.cut_vf.store(NO_VF, Ordering::Relaxed);
        self.abort.store(true, Ordering::Release);
        self.wake.signal();
    }

    /// Nobody waits for the reset any more: the engine is not to answer it among what comes later.
    pub(super) fn forget_reset(&self) {
        self.abort.store(false, Ordering::Release);
        self.reset_done.wait(0);
    }

    /// A VF's packet ended unfinished; whether a reset of the engine was the reason.
    pub(super) fn note_cut(&self, vf: VfIndex) {
        if self.abort.load(Ordering::Acquire) {
            self.cut_vf.store(u64::from(vf), Ordering::Relaxed);
        }
    }

    /// What the engine did, which `aborted` a packet of the host's or none: everything the host queued is dropped.
    pub(super) fn answer_reset(&self, aborted: Option<u32>) {
        let vf = VfIndex::try_from(self.cut_vf.load(Ordering::Relaxed)).ok();
        *self.last_reset.lock() = EngineReset { last_aborted: self.queue.drop_all(aborted), vf };
        self.abort.store(false, Ordering::Release);
        self.reset_done.signal();
    }

    /// The answer to the last reset.
    pub(super) fn last_reset(&self) -> EngineReset {
        *self.last_reset.lock()
    }

    /// A packet begins.
    pub(super) fn begin_packet(&self, whose: Whose) {
        let word = match whose {
            Whose::Host(fence) => HOST_PACKET | u64::from(fence),
            Whose::Vf(vf) => u64::from(vf),
        };
        self.packet_of.store(word, Ordering::Relaxed);
        self.packet_since.store(now().max(1), Ordering::Relaxed);
    }

    /// The packet has ended.
    pub(super) fn end_packet(&self) {
        self.hang.end();
        self.packet_since.store(0, Ordering::Relaxed);
    }

    /// The packet that runs, if any. Between the two loads another may begin: then it is told with a short time.
    pub(super) fn running(&self) -> Option<Running> {
        let since = self.packet_since.load(Ordering::Relaxed);
        let word = self.packet_of.load(Ordering::Relaxed);
        let whose =
            if word & HOST_PACKET != 0 { Whose::Host(word as u32) } else { Whose::Vf(word as VfIndex) };
        (since != 0).then(|| Running { whose, since_ns: now().saturating_sub(since) })
    }

    /// Whether the packet that runs, if any, has not been hanging for a while.
    pub(super) fn is_responsive(&self) -> bool {
        !self.hang.is_noticed()
    }

    /// Makes the next packet of a VF, or of the host, hang.
    pub(super) fn set_hang(&self, vf: Option<VfIndex>) {
        self.to_hang.store(vf.map_or(HOST_HANG, u64::from), Ordering::Relaxed);
    }

    /// Whether the packet that begins is the one to hang; says so once.
    pub(super) fn take_hang(&self, vf: Option<VfIndex>) -> bool {
        let who = vf.map_or(HOST_HANG, u64::from);
        self.to_hang.compare_exchange(who, NO_HANG, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Whether the packet that was to hang does.
    #[cfg(test)]
    pub(super) fn hangs(&self) -> bool {
        self.hang.has_begun()
    }
}
