//! What callbacks, interrupts and calls of one adapter share, found by its DeviceHandle.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU64, Ordering};

use wddm::{CM_RESOURCE_LIST, DRIVER_INITIALIZATION_DATA, HANDLE};

use super::AdapterOptions;
use super::interrupts::Interrupts;
use super::resources::Resources;
use super::triage::Triage;
use crate::contract::{Contract, rules};
use crate::host::Mutex;
use crate::report::Counters;

/// The table, made movable: function pointers and reserved words that are never followed.
#[derive(Clone, Copy)]
pub(crate) struct Table(pub(crate) DRIVER_INITIALIZATION_DATA);

#[expect(unsafe_code, reason = "a table of function pointers")]
// SAFETY: the table's pointers are functions, callable from any thread, or reserved and unused.
unsafe impl Send for Table {}
#[expect(unsafe_code, reason = "a table of function pointers")]
// SAFETY: as above; the table is never written.
unsafe impl Sync for Table {}

/// The part of an adapter that its driver can reach.
pub(crate) struct Core {
    /// DXGKRNL_INTERFACE.DeviceHandle.
    pub(crate) handle: u64,
    pub(crate) table: Table,
    pub(crate) contract: Arc<Contract>,
    pub(crate) options: AdapterOptions,
    pub(crate) registry_path: Vec<u16>,
    pub(crate) interrupts: Interrupts,
    pub(crate) triage: Triage,
    pub(crate) counters: Arc<Counters>,
    /// Callbacks are allowed: between AddDevice and RemoveDevice.
    pub(crate) open: AtomicBool,
    /// Things the driver took from Dxgkrnl and has not given back.
    pub(crate) held: AtomicI64,
    resources: Resources,
    context: AtomicPtr<core::ffi::c_void>,
}

static CORES: Mutex<Vec<Arc<Core>>> = Mutex::new(Vec::new());

impl Core {
    pub(crate) fn new(table: Table, contract: Arc<Contract>, options: AdapterOptions) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // No pointer and no small number: a handle that was mixed up names nothing.
        let handle = 0x0D0C_0000_0000 | NEXT.fetch_add(1, Ordering::Relaxed) << 4;
        let core = Arc::new(Self {
            handle,
            table,
            contract,
            registry_path: options.registry_path.encode_utf16().collect(),
            interrupts: Interrupts::new(options.interrupt_connected),
            triage: Triage::default(),
            counters: Arc::default(),
            open: AtomicBool::new(true),
            held: AtomicI64::new(0),
            resources: Resources::new(&options.memory, options.interrupt_connected),
            context: AtomicPtr::new(null_mut()),
            options,
        });
        CORES.lock().push(Arc::clone(&core));
        core
    }

    /// The adapter is gone: its handle names nothing any more.
    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::Release);
        CORES.lock().retain(|core| core.handle != self.handle);
    }

    /// The physical device object. One that the options do not name is an address, and nobody may look at what is there.
    pub(crate) fn physical_device(&self) -> *mut wddm::DEVICE_OBJECT {
        match self.options.physical_device {
            0 => core::ptr::without_provenance_mut(self.handle as usize + 8),
            number => core::ptr::with_exposed_provenance_mut(number),
        }
    }

    pub(crate) fn device_handle(&self) -> HANDLE {
        core::ptr::without_provenance_mut(self.handle as usize)
    }

    /// MiniportDeviceContext.
    pub(crate) fn context(&self) -> HANDLE {
        self.context.load(Ordering::Acquire)
    }

    pub(crate) fn set_context(&self, context: HANDLE) {
        self.context.store(context, Ordering::Release);
    }

    pub(crate) fn resource_list(&self) -> *mut CM_RESOURCE_LIST {
        self.resources.list()
    }
}

/// The adapter with this DeviceHandle. A wrong one is a broken rule, and the miniport's own context is forgiven.
pub(crate) fn find(name: &'static str, handle: HANDLE) -> Option<Arc<Core>> {
    let number = handle.addr() as u64;
    // Called at DIRQL too, where nothing may be allocated.
    let found = CORES.lock().iter().find(|core| core.handle == number).map(Arc::clone);
    if found.is_some() {
        return found;
    }
    let cores = all();
    let what = format_args!("{name} got {handle:p}, which is no DeviceHandle");
    if let Some(core) = cores.iter().find(|core| !handle.is_null() && core.context() == handle) {
        core.contract.broken(&rules::DEVICE_HANDLE, what);
        return Some(Arc::clone(core));
    }
    for core in &cores {
        core.contract.broken(&rules::DEVICE_HANDLE, what);
    }
    None
}

/// The adapters that exist, for callbacks that name none.
pub(crate) fn all() -> Vec<Arc<Core>> {
    CORES.lock().clone()
}
