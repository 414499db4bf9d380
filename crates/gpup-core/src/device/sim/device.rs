//! The simulated GPU as a [`Device`].

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use super::SimGpu;
use super::node::Node;
use crate::device::{
    BarPages, Device, EngineReset, Geometry, HostSubmission, Identity, InterruptSink, MsixEntry, Region,
    Running, TableAddress,
};
use crate::dirty::Tracker;
use crate::migration::state::VfHardware;
use crate::os::{Level, log, now, os};
use crate::sched::{Counters, Policy, Totals, VfParameters};
use crate::vram::Vram;
use crate::{Error, Result, VfIndex};

const TICKS_PER_SECOND: u64 = 1_000_000_000;

impl Device for SimGpu {
    fn identity(&self) -> Identity {
        self.shared.config.identity
    }

    fn geometry(&self) -> Geometry {
        self.shared.config.geometry
    }

    fn vram(&self) -> &dyn Vram {
        self.shared.vram()
    }

    fn tracker(&self) -> &Tracker {
        &self.shared.tracker
    }

    fn start(&self, sink: Arc<dyn InterruptSink>) -> Result<()> {
        let mut threads = self.threads.lock();
        if threads.is_some() {
            return Err(Error::WrongState);
        }
        self.shared.stop.store(false, Ordering::SeqCst);
        self.shared.suspended.store(false, Ordering::SeqCst);
        self.shared.nodes.iter().for_each(Node::forget_reset);
        *threads = Some(self.spawn(&sink)?);
        self.shared.vfs.iter().for_each(|vf| vf.set_silent(false));
        Ok(())
    }

    fn stop(&self) {
        let mut threads = self.threads.lock();
        if let Some(running) = threads.take() {
            self.shared.ask_to_stop();
            drop(running);
            self.shared.vfs.iter().for_each(|vf| vf.set_silent(true));
            self.shared.nodes.iter().for_each(|node| node.queue.retire());
        }
    }

    fn suspend(&self) {
        let threads = self.threads.lock();
        if threads.is_none() || self.shared.suspended.swap(true, Ordering::SeqCst) {
            return;
        }
        // What an engine says from now on it says at rest: it saw the flag, and sees it until it is cleared.
        for node in &self.shared.nodes {
            node.rested.wait(0);
        }
        self.shared.wake();
        for (index, node) in self.shared.nodes.iter().enumerate() {
            if !node.rested.wait(os().patience_ns()) {
                log(Level::Error, format_args!("node {index} does not come to rest"));
            }
        }
        self.shared.vfs.iter().for_each(|vf| vf.set_silent(true));
        self.shared.nodes.iter().for_each(|node| node.queue.retire());
    }

    fn resume(&self) {
        let threads = self.threads.lock();
        if threads.is_none() || !self.shared.suspended.load(Ordering::SeqCst) {
            return;
        }
        self.shared.nodes.iter().for_each(Node::forget_reset);
        self.shared.vfs.iter().for_each(|vf| vf.set_silent(false));
        self.shared.suspended.store(false, Ordering::SeqCst);
        self.shared.wake();
    }

    fn submit(&self, submission: HostSubmission) -> Result<()> {
        let node = self.shared.node(submission.node)?;
        if !submission.dma_address.is_multiple_of(8) {
            return Err(Error::InvalidParameter);
        }
        node.queue.push(submission)?;
        node.wake.signal();
        Ok(())
    }

    fn refuse(&self, node: usize, fence: u32) {
        if let Ok(node) = self.shared.node(node) {
            node.queue.refuse(fence);
        }
    }

    fn preempt(&self, node: usize, preemption_fence: u32) {
        if let Ok(node) = self.shared.node(node) {
            node.queue.preempt(preemption_fence);
            node.wake.signal();
        }
    }

    fn last_completed_fence(&self, node: usize) -> u32 {
        self.shared.node(node).map_or(0, |node| node.queue.last_completed())
    }

    fn responsive(&self, node: usize) -> bool {
        self.shared.node(node).is_ok_and(|node| node.is_responsive())
    }

    fn running(&self, node: usize) -> Option<Running> {
        self.shared.node(node).ok()?.running()
    }

    fn totals(&self, node: usize) -> Result<Totals> {
        Ok(self.shared.node(node)?.scheduler.lock().totals())
    }

    fn reset_engine(&self, node: usize) -> Result<EngineReset> {
        let node = self.shared.node(node)?;
        // The lock keeps the engine from stopping, and two resets of one node apart.
        let threads = self.threads.lock();
        if threads.is_none() || self.shared.suspended.load(Ordering::SeqCst) {
            return Ok(EngineReset { last_aborted: node.queue.drop_all(None), vf: None });
        }
        node.ask_for_reset();
        // A packet that hangs ends with this. One that makes progress ends by itself, and its VF is none the worse for it.
        if !node.reset_done.wait(os().patience_ns()) {
            return Err(Error::Timeout);
        }
        Ok(node.last_reset())
    }

    #[cfg(feature = "fault-injection")]
    fn vf_hang(&self, vf: VfIndex, node: usize) -> Result<()> {
        self.shared.vf(vf)?;
        self.hang(node, Some(vf))
    }

    fn flush_tlb(&self, _root: TableAddress) {
        // The caches hold the translations of one submission each: forgetting all costs a few walks.
        self.shared.tlb_epoch.fetch_add(1, Ordering::AcqRel);
    }

    fn clock(&self) -> (u64, u64) {
        (now().saturating_sub(self.shared.born), TICKS_PER_SECOND)
    }

    fn vf_enable(&self, vf: VfIndex, regions: &[Region]) -> Result<()> {
        let limit = self.shared.config.geometry.vram_bytes;
        self.shared.vf(vf)?.enable(regions, &self.shared.owners, limit)?;
        self.shared.wake();
        Ok(())
    }

    fn vf_disable(&self, vf: VfIndex) -> Result<()> {
        self.shared.vf(vf)?.disable(&self.shared.owners)?;
        self.shared.nodes.iter().try_for_each(|node| node.control(|scheduler, now| scheduler.remove(vf, now)))
    }

    fn vf_reset(&self, vf: VfIndex) -> Result<()> {
        self.shared.vf(vf)?.reset()?;
        self.shared.nodes.iter().try_for_each(|node| node.control(|scheduler, now| scheduler.reset(vf, now)))
    }

    fn vf_pause(&self, vf: VfIndex) -> Result<()> {
        self.shared.vf(vf)?.pause(&self.shared.nodes)
    }

    fn vf_resume(&self, vf: VfIndex) -> Result<()> {
        self.shared.vf(vf)?.resume();
        self.shared.wake();
        Ok(())
    }

    fn vf_read(&self, vf: VfIndex, offset: u64, out: &mut [u8]) -> Result<()> {
        self.shared.vf(vf)?.read(offset, out, self.shared.vram())
    }

    fn vf_write(&self, vf: VfIndex, offset: u64, data: &[u8]) -> Result<()> {
        self.shared.vf(vf)?.write(offset, data)
    }

    fn vf_bar(&self, vf: VfIndex) -> Result<BarPages> {
        Ok(self.shared.vf(vf)?.bar().pages())
    }

    fn vf_write_msix(&self, vf: VfIndex, index: usize, entry: MsixEntry) -> Result<()> {
        self.shared.vf(vf)?.write_msix(index, entry)
    }

    fn vf_save(&self, vf: VfIndex, state: &mut VfHardware) -> Result<()> {
        self.shared.vf(vf)?.save(state)
    }

    fn vf_restore(&self, vf: VfIndex, state: &VfHardware) -> Result<()> {
        self.shared.vf(vf)?.restore(state)
    }

    fn vf_parameters(&self, vf: VfIndex, parameters: VfParameters) -> Result<()> {
        self.shared
            .nodes
            .iter()
            .try_for_each(|node| node.control(|scheduler, now| scheduler.set_parameters(vf, parameters, now)))
    }

    fn vf_max(&self, vf: VfIndex, ppm: u32) -> Result<()> {
        self.shared
            .nodes
            .iter()
            .try_for_each(|node| node.control(|scheduler, now| scheduler.set_max(vf, ppm, now)))
    }

    fn vf_policy(&self, vf: VfIndex, policy: Policy) -> Result<()> {
        self.shared
            .nodes
            .iter()
            .try_for_each(|node| node.control(|scheduler, now| scheduler.set_policy(vf, policy, now)))
    }

    fn vf_throttle(&self, vf: VfIndex, permille: u32) -> Result<()> {
        self.shared
            .nodes
            .iter()
            .try_for_each(|node| node.control(|scheduler, now| scheduler.set_throttle(vf, permille, now)))
    }

    fn vf_counters(&self, vf: VfIndex, node: usize) -> Result<Counters> {
        self.shared.node(node)?.scheduler.lock().counters(vf)
    }
}
