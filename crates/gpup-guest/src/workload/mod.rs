//! The workloads: each is a pure function from its place to a command, so it has no state of its own.
//!
//! | workload  | a step                           | VRAM at full size        | shrinks to  |
//! |-----------|----------------------------------|--------------------------|-------------|
//! | `matmul`  | one 256 x 256 multiply           | 768 KiB (three matrices) | 16 x 16     |
//! | `stencil` | one generation of 1024 x 1024    | 2 MiB (two grids)        | 32 x 32     |
//! | `nbody`   | one time step of 1024 bodies     | 64 KiB (two sets)        | 16 bodies   |
//! | `writer`  | one batch of pages               | all that the image leaves| one page    |
//! | `idle`    | one heartbeat (a NOP)            | 4 KiB                    | nothing     |

mod idle;
mod matmul;
mod nbody;
mod stencil;
mod writer;

use alloc::boxed::Box;
use alloc::vec;

use crate::command::{Command, UPLOAD_BYTES};
use crate::spec::{Spec, Workload};

pub(crate) use idle::Idle;
pub(crate) use matmul::Matmul;
pub(crate) use nbody::Nbody;
pub(crate) use stencil::Stencil;
pub(crate) use writer::Writer;

/// A workload in VRAM `0..extent()`.
pub(crate) trait Work: Send {
    /// Which one it is.
    fn workload(&self) -> Workload;
    /// Bytes of VRAM it uses; a multiple of 8.
    fn extent(&self) -> u64;
    /// Commands for the copy node that make its inputs.
    fn setup_len(&self) -> u64;
    /// The `index`-th of them.
    fn setup(&self, index: u64) -> Command;
    /// Commands of a step for the compute node; at least 1.
    fn step_len(&self) -> u64;
    /// The `part`-th command of the step that follows `step` steps.
    fn command(&self, step: u64, part: u64) -> Command;
    /// Nanoseconds from the begin of one step to the begin of the next; 0 = as fast as it goes.
    fn interval_ns(&self) -> u64 {
        0
    }
    /// Where what the last of `steps` steps made begins.
    fn current(&self, steps: u64) -> u64 {
        let _ = steps;
        0
    }
}

/// The workload a spec asks for in `0..room`, or a smaller one where there is no room for it.
pub(crate) fn plan(spec: &Spec, room: u64) -> Box<dyn Work> {
    let idle = || Box::new(Idle::new(spec.seed, room)) as Box<dyn Work>;
    let boxed = match spec.workload {
        Workload::Matmul => Matmul::new(spec.seed, room).map(|work| Box::new(work) as Box<dyn Work>),
        Workload::Stencil => Stencil::new(spec.seed, room).map(|work| Box::new(work) as _),
        Workload::Nbody => Nbody::new(spec.seed, room).map(|work| Box::new(work) as _),
        Workload::Writer => Writer::new(spec, room).map(|work| Box::new(work) as _),
        Workload::Idle => None,
    };
    boxed.unwrap_or_else(idle)
}

/// UPLOADs it takes for so many bytes.
const fn uploads(bytes: u64) -> u64 {
    bytes.div_ceil(UPLOAD_BYTES)
}

/// The `index`-th UPLOAD of `bytes` bytes to `base`; `make` fills a slice that begins at the given byte.
fn upload(base: u64, bytes: u64, index: u64, make: impl FnOnce(u64, &mut [u8])) -> Command {
    let offset = index * UPLOAD_BYTES;
    let mut data = vec![0; UPLOAD_BYTES.min(bytes - offset) as usize];
    make(offset, &mut data);
    Command::Upload { dst: base + offset, data }
}
