//! A VM: a guest on a virtual processor, with its VF's BAR and interrupts.
//!
//! A worker thread runs the guest in slices. The MSI-X table is trapped: the guest's view is kept here, the hardware
//! gets addresses of this host. Everything the VM is can be saved and made into a VM again on another host.

mod clock;
mod msix;
mod saved;
mod worker;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::Ordering;

use crate::guest::{Guest, GuestLoader, Outcome};
use crate::host::{Mutex, Patience, Thread};
use crate::vgpu::Vgpu;
use clock::Clock;
use msix::Msix;
use saved::SavedVm;
use worker::{Machine, Shared, Want};

/// A VM with its worker.
pub struct Vm {
    shared: Arc<Shared>,
    workload: String,
    vgpu: Arc<Vgpu>,
    thread: Mutex<Option<Thread>>,
}

impl fmt::Debug for Vm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vm")
            .field("workload", &self.workload)
            .field("steps", &self.steps())
            .finish_non_exhaustive()
    }
}

impl Vm {
    /// A VM that runs `guest` at once.
    pub fn boot(vgpu: Arc<Vgpu>, guest: Box<dyn Guest>) -> Result<Arc<Self>, String> {
        Self::start(vgpu, guest, Clock::default(), |_| Ok(()), Want::Run)
    }

    /// The VM that another host saved, paused. Its interrupts are set up for this host.
    pub fn restore(vgpu: Arc<Vgpu>, loader: &dyn GuestLoader, state: &[u8]) -> Result<Arc<Self>, String> {
        let saved = SavedVm::decode(state)?;
        let guest = loader.load(&saved.guest)?;
        Self::start(
            vgpu,
            guest,
            Clock::at(saved.clock),
            |msix| msix.load(&saved.messages, saved.pending),
            Want::Pause,
        )
    }

    fn start(
        vgpu: Arc<Vgpu>,
        guest: Box<dyn Guest>,
        clock: Clock,
        load: impl FnOnce(&mut Msix) -> Result<(), String>,
        want: Want,
    ) -> Result<Arc<Self>, String> {
        let workload = String::from(guest.name());
        let mut msix = Msix::new(&vgpu).ok_or("no memory for the VM's interrupts")?;
        load(&mut msix)?;
        let shared = Arc::new(Shared::new(Machine { guest, msix, clock, bar: Arc::clone(vgpu.bar()) }, want));
        let theirs = Arc::clone(&shared);
        let thread = Thread::spawn("vm", move || theirs.run()).ok_or("no thread for the VM")?;
        Ok(Arc::new(Self { shared, workload, vgpu, thread: Mutex::new(Some(thread)) }))
    }

    /// Its VF.
    pub fn vgpu(&self) -> &Arc<Vgpu> {
        &self.vgpu
    }

    /// The workload's name.
    pub fn workload(&self) -> String {
        self.workload.clone()
    }

    /// Stops the virtual processor; it stands still when this returns.
    pub fn pause(&self) {
        if self.shared.set(Want::Pause) {
            self.shared.await_parked();
        }
    }

    /// Lets the virtual processor run again.
    pub fn resume(&self) {
        self.shared.set(Want::Run);
    }

    /// Whether the virtual processor stands still.
    pub fn is_paused(&self) -> bool {
        self.shared.parked.load(Ordering::Acquire)
    }

    /// Ends the VM: its guest never runs again.
    pub fn stop(&self) {
        self.shared.set(Want::Stop);
        let thread = self.thread.lock().take();
        drop(thread);
    }

    /// Asks the guest to finish: after `steps` steps, or as soon as it can.
    pub fn finish(&self, steps: Option<u64>) {
        self.shared.machine.lock().guest.finish(steps);
    }

    /// Waits for the guest's result or failure, until it has done no step for `timeout_ns` nanoseconds.
    pub fn wait_outcome(&self, timeout_ns: u64) -> Option<Result<Outcome, String>> {
        let mut patience = Patience::new(timeout_ns);
        loop {
            let outcome = self.shared.outcome.lock().clone();
            let nap = patience.nap(self.steps()).filter(|_| outcome.is_none());
            let Some(nap) = nap else { return outcome };
            self.shared.done.wait(nap);
        }
    }

    /// Steps the guest has done.
    pub fn steps(&self) -> u64 {
        self.shared.steps.load(Ordering::Relaxed)
    }

    /// Why the guest failed, if it did.
    pub fn failure(&self) -> Option<String> {
        self.shared.outcome.lock().clone().and_then(Result::err)
    }

    /// Where on this host its interrupts arrive: an address that no guest reads and no migration carries.
    pub fn mailboxes(&self) -> u64 {
        self.shared.machine.lock().msix.address()
    }

    /// The state of the VM, which stands still: guest, interrupts, clock.
    pub fn save(&self) -> Vec<u8> {
        let machine = self.shared.machine.lock();
        SavedVm::of(&machine).encode()
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.stop();
    }
}
