//! Everything StartDevice makes: the adapter, the way to Dxgkrnl, and the objects with handles.

use alloc::sync::Arc;

use gpup_core::adapter::Adapter;
use gpup_core::device::{TableAddress, abi};
use gpup_core::os::SpinLock;
use gpup_core::{Error, Result};
use wddm::{HANDLE, LUID};

use super::bars::Bars;
use super::dxgkrnl::Dxgkrnl;
use super::handles::{Handles, Kind};
use super::notify::Notifier;
use crate::os::Location;

/// A started adapter.
pub(crate) struct Started {
    pub(crate) dxgkrnl: Arc<Dxgkrnl>,
    /// Where the physical function is.
    pub(crate) location: Location,
    pub(crate) notifier: Arc<Notifier>,
    /// Before the adapter, whose memory the lists describe: fields are dropped in their order.
    pub(crate) bars: Bars,
    pub(crate) adapter: Adapter,
    pub(crate) processes: Handles<Process>,
    pub(crate) devices: Handles<Device>,
    pub(crate) contexts: Handles<Context>,
    pub(crate) allocations: Handles<Allocation>,
    pub(crate) opened: Handles<Allocation>,
    /// The LUID of each VF that exists.
    pub(crate) vf_luids: [SpinLock<LUID>; crate::settings::MAX_VFS as usize],
}

/// A process: an address space of the GPU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process;

/// A device: what a process opened of the adapter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device;

/// A context: a queue of one node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    pub(crate) node: usize,
    /// Root of the page tables its commands run under.
    pub(crate) root: Option<TableAddress>,
    /// Whose it is.
    pub(crate) origin: Origin,
}

/// Whose a context is, as CreateContext was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// VidMm's own.
    System,
    /// A process's.
    Process,
    /// A test's.
    Test,
}

/// An allocation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allocation {
    pub(crate) bytes: u64,
}

impl Started {
    pub(crate) fn new(
        seat: usize,
        dxgkrnl: Arc<Dxgkrnl>,
        location: Location,
        adapter: Adapter,
    ) -> Result<Self> {
        let vfs = adapter.device().geometry().max_vfs;
        Ok(Self {
            notifier: Arc::new(Notifier::new(dxgkrnl.clone())),
            dxgkrnl,
            location,
            adapter,
            processes: Handles::new(Kind::Process, seat),
            devices: Handles::new(Kind::Device, seat),
            contexts: Handles::new(Kind::Context, seat),
            allocations: Handles::new(Kind::Allocation, seat),
            opened: Handles::new(Kind::Opened, seat),
            bars: Bars::new(vfs)?,
            vf_luids: core::array::from_fn(|_| SpinLock::new(LUID::zeroed())),
        })
    }

    /// Objects that Dxgkrnl has not closed.
    pub(crate) fn objects(&self) -> usize {
        self.processes.len()
            + self.devices.len()
            + self.contexts.len()
            + self.allocations.len()
            + self.opened.len()
    }

    /// A node of the device and its only engine, from the numbers Dxgkrnl gave.
    pub(crate) fn node(&self, node: u32, engine: u32) -> Result<usize> {
        match usize::try_from(node) {
            Ok(node) if node < abi::NODES && engine == 0 => Ok(node),
            _ => Err(Error::InvalidParameter),
        }
    }

    /// The context with a handle.
    pub(crate) fn context(&self, handle: HANDLE) -> Result<Context> {
        self.contexts.get(handle)
    }
}

// What StartDevice boxes without a way to fail must fit the reserve of the kernel's allocator.
const _: () = assert!(size_of::<Started>() <= 2048 && size_of::<Dxgkrnl>() <= 1024);
