//! A VF: its registers, memory and interrupts, and who may touch them when.
//!
//! ```text
//!            vf_enable                 vf_pause
//!   Absent ------------> Running <---------------> Paused        a pause of an absent VF waits for it:
//!     ^                     |          vf_resume     |           enabled then means Paused
//!     +--------------- vf_disable ------------------ +
//!
//!   Running or Paused --vf_reset--> Held --> where it came from
//! ```
//! Engines take a VF only while Running. Each first says that it has the VF in flight and then looks at the
//! state; who stops a VF first changes the state and then waits until no engine has it in flight. One of the two
//! sees the other, so after the wait nothing of the VF's is written, marked or sent.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::bar::Bar;
use super::hang::Patience;
use super::msix::Msix;
use super::node::Node;
use super::regions::{Owners, Regions};
use super::registers::{Registers, node_register};
use super::ring;
use crate::device::abi::{FAULT_VECTOR, FaultCode, NODES, READBACK_OFFSET, RING_BYTES, RING_OFFSET, reg};
use crate::device::{MsixEntry, Region};
use crate::dirty::Writer;
use crate::migration::state::VfHardware;
use crate::os::{Mutex, MutexGuard, now, os};
use crate::{Error, Result, VfIndex};

const ENABLED: u32 = 1;
const PAUSED: u32 = 2;
const HELD: u32 = 4;

/// A virtual function.
pub(super) struct Vf {
    index: VfIndex,
    state: AtomicU32,
    in_flight: [AtomicBool; NODES],
    /// The command in flight must end: the VF is being reset.
    abort: AtomicBool,
    bar: Bar,
    registers: Registers,
    regions: Mutex<Option<Arc<Regions>>>,
    msix: Mutex<Msix>,
    /// Serializes what the host does to the VF, and owns what that writes with.
    control: Mutex<Writer>,
}

/// An engine's right to touch a VF, while a packet runs.
pub(super) struct Flight<'a> {
    vf: &'a Vf,
    node: usize,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.vf.in_flight[self.node].store(false, Ordering::SeqCst);
    }
}

impl Vf {
    /// An absent VF.
    pub(super) fn new(index: VfIndex, writer: Writer) -> Result<Self> {
        let vf = Self {
            index,
            state: AtomicU32::new(0),
            in_flight: Default::default(),
            abort: AtomicBool::new(false),
            bar: Bar::new()?,
            registers: Registers::default(),
            regions: Mutex::new(None),
            msix: Mutex::new(Msix::new()),
            control: Mutex::new(writer),
        };
        vf.reset_registers(0);
        Ok(vf)
    }

    /// The BAR.
    pub(super) fn bar(&self) -> &Bar {
        &self.bar
    }

    /// The registers.
    pub(super) fn registers(&self) -> &Registers {
        &self.registers
    }

    /// What ends the command in flight.
    pub(super) fn abort(&self) -> &AtomicBool {
        &self.abort
    }

    /// Whether it has memory.
    pub(super) fn is_enabled(&self) -> bool {
        self.state.load(Ordering::Relaxed) & ENABLED != 0
    }

    /// Whether it has something for a node to execute.
    pub(super) fn wants(&self, node: usize) -> bool {
        self.state.load(Ordering::Relaxed) == ENABLED
            && !self.registers.faulted()
            && ring::tail(&self.bar, node) != self.registers.nodes[node].head()
    }

    /// Whether somebody waits for its packet in flight, to pause it.
    pub(super) fn is_awaited(&self) -> bool {
        self.state.load(Ordering::Relaxed) & PAUSED != 0
    }

    /// Takes the VF in flight; none when it is not running.
    pub(super) fn enter(&self, node: usize) -> Option<Flight<'_>> {
        self.in_flight[node].store(true, Ordering::SeqCst);
        let flight = Flight { vf: self, node };
        let runs = self.state.load(Ordering::SeqCst) == ENABLED && !self.registers.faulted();
        runs.then_some(flight)
    }

    /// Its memory; none when absent.
    pub(super) fn regions(&self) -> Option<Arc<Regions>> {
        self.regions.lock().clone()
    }

    /// Gives it memory, zeroed.
    pub(super) fn enable(&self, regions: &[Region], owners: &Owners, limit: u64) -> Result<()> {
        let mut writer = self.control.lock();
        if self.is_enabled() {
            return Err(Error::WrongState);
        }
        let regions = Arc::new(Regions::new(regions, limit)?);
        owners.claim(self.index, &regions)?;
        if let Err(error) = zero(&mut writer, &regions) {
            owners.release(&regions);
            return Err(error);
        }
        self.reset_registers(regions.bytes());
        *self.regions.lock() = Some(regions);
        self.state.fetch_or(ENABLED, Ordering::SeqCst);
        Ok(())
    }

    /// Stops it and takes its memory away, zeroed. A pause ends with it.
    pub(super) fn disable(&self, owners: &Owners) -> Result<()> {
        let mut writer = self.control.lock();
        let regions = self.hold()?;
        let zeroed = zero(&mut writer, &regions);
        *self.regions.lock() = None;
        self.reset_registers(0);
        owners.release(&regions);
        self.state.store(0, Ordering::SeqCst);
        zeroed
    }

    /// Function level reset.
    pub(super) fn reset(&self) -> Result<()> {
        let mut writer = self.control.lock();
        let regions = self.hold()?;
        let zeroed = zero(&mut writer, &regions);
        self.reset_registers(regions.bytes());
        self.state.fetch_and(!HELD, Ordering::SeqCst);
        zeroed
    }

    /// Takes it off every engine and waits for its packet in flight, which has about a millisecond of work. One that
    /// hangs is cut at its preemption timeout, by the engine; without one it is not, and nor is the VF paused.
    pub(super) fn pause(&self, nodes: &[Node; NODES]) -> Result<()> {
        let _control = self.control.lock();
        if self.state.fetch_or(PAUSED, Ordering::SeqCst) & PAUSED != 0 {
            return Ok(());
        }
        let mut patience = nodes.each_ref().map(|_| Patience::new());
        self.wait(|node| patience[node].is_over(&nodes[node].hang)).inspect_err(|_| {
            self.state.fetch_and(!PAUSED, Ordering::SeqCst);
        })
    }

    /// Lets it run again, and delivers what became pending meanwhile.
    pub(super) fn resume(&self) {
        let _control = self.control.lock();
        self.state.fetch_and(!PAUSED, Ordering::SeqCst);
        if self.is_enabled() {
            self.msix.lock().flush();
        }
    }

    /// Copies out of its memory.
    pub(super) fn read(&self, offset: u64, out: &mut [u8], vram: &dyn crate::vram::Vram) -> Result<()> {
        let regions = self.regions().ok_or(Error::WrongState)?;
        regions.pieces(offset, out.len() as u64, |at, start, run| {
            vram.read(at, &mut out[start as usize..(start + run) as usize])
        })
    }

    /// Copies into its memory, marking it.
    pub(super) fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let (mut writer, regions) = self.paused()?;
        regions.pieces(offset, data.len() as u64, |at, start, run| {
            writer.write(at, &data[start as usize..(start + run) as usize])
        })
    }

    /// Writes an entry of the MSI-X table; a message that it lets through goes now, or with the end of a pause.
    pub(super) fn write_msix(&self, index: usize, entry: MsixEntry) -> Result<()> {
        let _control = self.control.lock();
        let mut msix = self.msix.lock();
        msix.write(index, entry)?;
        if self.state.load(Ordering::SeqCst) & PAUSED == 0 {
            msix.flush();
        }
        Ok(())
    }

    /// Keeps its messages while the device is stopped, and sends what waited when it is started again.
    pub(super) fn set_silent(&self, silent: bool) {
        let _control = self.control.lock();
        let mut msix = self.msix.lock();
        msix.set_silent(silent);
        if self.state.load(Ordering::SeqCst) & PAUSED == 0 {
            msix.flush();
        }
    }

    /// Raises a vector. For an engine that has the VF in flight.
    pub(super) fn raise(&self, vector: usize) {
        self.msix.lock().raise(vector);
    }

    /// Stops it for a refused command. For an engine that has the VF in flight.
    pub(super) fn fault(&self, node: usize, code: FaultCode) {
        if self.registers.set_fault(node, code) {
            self.registers.publish(&self.bar);
            self.raise(FAULT_VECTOR);
        }
    }

    /// Copies its state out. Allocates nothing.
    pub(super) fn save(&self, state: &mut VfHardware) -> Result<()> {
        let (_writer, _regions) = self.paused()?;
        if state.validate() == Err(crate::migration::Damage::BadLength) {
            return Err(Error::BufferTooSmall);
        }
        self.registers.save(state);
        for (node, saved) in state.nodes.iter_mut().enumerate() {
            saved.tail = ring::tail(&self.bar, node);
            self.bar.read(RING_OFFSET + node * RING_BYTES, &mut saved.ring);
        }
        self.bar.read(READBACK_OFFSET, &mut state.readback);
        (state.pending, state.masked) = self.msix.lock().bits();
        Ok(())
    }

    /// Puts a state back, once all of it has been checked.
    pub(super) fn restore(&self, state: &VfHardware) -> Result<()> {
        let (_writer, _regions) = self.paused()?;
        state.validate()?;
        self.registers.restore(state);
        for (node, saved) in state.nodes.iter().enumerate() {
            self.bar.write(RING_OFFSET + node * RING_BYTES, &saved.ring);
            self.bar.store(node_register(node, reg::TAIL), saved.tail);
        }
        self.bar.write(READBACK_OFFSET, &state.readback);
        self.msix.lock().restore(state.pending, state.masked);
        self.publish();
        Ok(())
    }

    /// The right to touch a paused VF, and its memory.
    fn paused(&self) -> Result<(MutexGuard<'_, Writer>, Arc<Regions>)> {
        let writer = self.control.lock();
        if self.state.load(Ordering::SeqCst) & PAUSED == 0 {
            return Err(Error::WrongState);
        }
        let regions = self.regions().ok_or(Error::WrongState)?;
        Ok((writer, regions))
    }

    /// Takes a VF that has memory off every engine, ending its commands in flight, until HELD is taken back.
    fn hold(&self) -> Result<Arc<Regions>> {
        let regions = self.regions().ok_or(Error::WrongState)?;
        self.state.fetch_or(HELD, Ordering::SeqCst);
        self.abort.store(true, Ordering::SeqCst);
        let begun = now();
        let waited = self.wait(|_| now().saturating_sub(begun) > os().patience_ns());
        self.abort.store(false, Ordering::SeqCst);
        if let Err(error) = waited {
            self.state.fetch_and(!HELD, Ordering::SeqCst);
            return Err(error);
        }
        Ok(regions)
    }

    /// Waits until no engine has the VF in flight, unless `give_up` says of one that has that it need not go on.
    fn wait(&self, mut give_up: impl FnMut(usize) -> bool) -> Result<()> {
        while let Some(node) = self.in_flight.iter().position(|flight| flight.load(Ordering::SeqCst)) {
            if give_up(node) {
                return Err(Error::Timeout);
            }
            os().yield_now();
        }
        Ok(())
    }

    /// Registers, rings and interrupts as after a reset, of a VF with so much memory.
    fn reset_registers(&self, vram_bytes: u64) {
        self.registers.reset(vram_bytes);
        self.msix.lock().reset();
        self.bar.clear();
        self.publish();
    }

    fn publish(&self) {
        for (node, registers) in self.registers.nodes.iter().enumerate() {
            registers.publish(&self.bar, node);
        }
        self.registers.publish(&self.bar);
    }
}

/// Zeroes a VF's memory, marking it.
fn zero(writer: &mut Writer, regions: &Regions) -> Result<()> {
    regions.list().iter().try_for_each(|region| writer.fill(region.offset, region.bytes, 0))
}
