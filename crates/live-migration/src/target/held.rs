//! A VM that stands ready, or runs, on the host that took it in.

use alloc::sync::Arc;

use dxgksim::vgpu::Vgpu;
use dxgksim::vm::Vm;

use crate::error::Error;
use crate::wire::message::Hello;

/// A VM that stands ready, before or after the source gave up ownership.
pub struct Held {
    /// Its VF.
    pub vgpu: Arc<Vgpu>,
    /// The VM.
    pub vm: Arc<Vm>,
    /// What the source said of it.
    pub hello: Hello,
    running: bool,
}

impl Held {
    /// A VM that has been restored and does not run yet.
    pub(crate) fn new(vgpu: Arc<Vgpu>, vm: Arc<Vm>, hello: Hello) -> Self {
        Self { vgpu, vm, hello, running: false }
    }

    /// Ownership has passed: ends the migration and lets the VM run. Again is harmless.
    pub fn run(&mut self) -> Result<(), Error> {
        if !self.running {
            self.vgpu.end()?;
            self.vgpu.set_running()?;
            self.vm.resume();
            self.running = true;
        }
        Ok(())
    }

    /// The VM is not wanted: everything of it goes.
    pub fn discard(self) -> Result<(), Error> {
        self.vm.stop();
        Ok(self.vgpu.discard()?)
    }
}
