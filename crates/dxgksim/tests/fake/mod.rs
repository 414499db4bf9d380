//! A tiny miniport driver in memory: enough of each DDI for the simulated Dxgkrnl to run on.
//!
//! Its one node copies on the thread that submits. Page table entries are `page << 12 | segment << 1 | valid`. A page of
//! its BAR is plain memory, and a message is sent at once for every MSI-X entry that is written unmasked.
#![allow(
    unsafe_code,
    dead_code,
    clippy::multiple_unsafe_ops_per_block,
    clippy::missing_safety_doc,
    clippy::missing_transmute_annotations,
    clippy::not_unsafe_ptr_arg_deref,
    missing_docs,
    unreachable_pub,
    unused_unsafe,
    reason = "a driver is nothing but pointers that Dxgkrnl gives it"
)]

/// Functions of the driver: all of their bodies are unsafe.
macro_rules! driver {
    ($( $(#[$meta:meta])* pub unsafe fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $ret:ty)? $body:block )*) => {
        $( wddm::ddi! { $(#[$meta])* pub unsafe fn $name($($arg: $type),*) $(-> $ret)? {
            #[allow(unused_unsafe, reason = "not every body does something unsafe")]
            // SAFETY: Dxgkrnl passes live arguments, and handles that this driver gave it.
            unsafe { $body }
        } } )*
    };
}

pub mod caps;
pub mod engine;
pub mod vf;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use dxgksim::dxgkrnl::{Driver, DriverEntry};
use wddm::*;

/// Bytes of VRAM.
pub const VRAM: usize = 16 << 20;
/// Bytes of a VF's VRAM.
pub const VF_BYTES: u64 = 2 << 20;

/// An adapter of the fake driver.
#[derive(Default)]
pub struct Fake {
    pub state: Mutex<State>,
}

#[derive(Default)]
pub struct State {
    pub callbacks: DXGKRNL_INTERFACE,
    pub vram: Vec<u64>,
    /// Root page table of each context: (segment, address).
    pub roots: BTreeMap<usize, (u32, u64)>,
    pub next: usize,
    pub vfs: BTreeMap<u32, vf::Vf>,
    pub bases: BTreeMap<usize, vf::Basis>,
    pub done: u32,
}

// SAFETY: the callback table is only copied and called.
unsafe impl Send for State {}

impl State {
    /// A fresh handle.
    pub fn handle(&mut self) -> HANDLE {
        self.next += 0x10;
        (0x1000 + self.next) as HANDLE
    }
}

/// The adapter behind a MiniportDeviceContext.
pub fn fake(context: HANDLE) -> &'static Fake {
    // SAFETY: AddDevice made it, and nobody asks after RemoveDevice.
    unsafe { &*context.cast::<Fake>() }
}

driver! {
    pub unsafe fn add_device(_device: *mut DEVICE_OBJECT, context: *mut PVOID) -> NTSTATUS {
        let fake = Box::new(Fake::default());
        fake.state.lock().unwrap().vram = vec![0; VRAM / 8];
        *context = Box::into_raw(fake).cast();
        STATUS_SUCCESS
    }

    pub unsafe fn start_device(
        context: PVOID,
        _start: *mut DXGK_START_INFO,
        interface: *mut DXGKRNL_INTERFACE,
        sources: *mut u32,
        children: *mut u32,
    ) -> NTSTATUS {
        fake(context).state.lock().unwrap().callbacks = *interface;
        *sources = 0;
        *children = 0;
        STATUS_SUCCESS
    }

    pub unsafe fn stop_device(_context: PVOID) -> NTSTATUS { STATUS_SUCCESS }

    pub unsafe fn remove_device(context: PVOID) -> NTSTATUS {
        drop(Box::from_raw(context.cast::<Fake>()));
        STATUS_SUCCESS
    }

    pub unsafe fn unload() {}

    pub unsafe fn reset_device(_context: PVOID) {}

    pub unsafe fn interrupt_routine(_context: PVOID, _message: u32) -> BOOLEAN { FALSE }

    pub unsafe fn dpc_routine(context: PVOID) {
        let callbacks = fake(context).state.lock().unwrap().callbacks;
        callbacks.DxgkCbNotifyDpc.unwrap()(callbacks.DeviceHandle);
    }

    pub unsafe fn query_child_relations(_context: PVOID, _children: *mut DXGK_CHILD_DESCRIPTOR, _size: u32) -> NTSTATUS {
        STATUS_SUCCESS
    }

    pub unsafe fn create_process(context: HANDLE, args: *mut DXGKARG_CREATEPROCESS) -> NTSTATUS {
        (*args).hKmdProcess = fake(context).state.lock().unwrap().handle();
        STATUS_SUCCESS
    }

    pub unsafe fn destroy_process(_context: HANDLE, _process: HANDLE) -> NTSTATUS { STATUS_SUCCESS }

    /// A device is its adapter.
    pub unsafe fn create_device(context: HANDLE, args: *mut DXGKARG_CREATEDEVICE) -> NTSTATUS {
        (*args).hDevice = context;
        STATUS_SUCCESS
    }

    pub unsafe fn destroy_device(_device: HANDLE) -> NTSTATUS { STATUS_SUCCESS }

    pub unsafe fn create_context(device: HANDLE, args: *mut DXGKARG_CREATECONTEXT) -> NTSTATUS {
        (*args).hContext = fake(device).state.lock().unwrap().handle();
        STATUS_SUCCESS
    }

    pub unsafe fn destroy_context(_handle: HANDLE) -> NTSTATUS { STATUS_SUCCESS }

    /// Eight bytes of private data, whatever the allocation.
    pub unsafe fn get_standard_allocation(
        _context: HANDLE,
        args: *mut DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA,
    ) -> NTSTATUS {
        (*args).AllocationPrivateDriverDataSize = 8;
        STATUS_SUCCESS
    }

    /// One allocation, of which nothing is kept.
    pub unsafe fn create_allocation(context: HANDLE, args: *mut DXGKARG_CREATEALLOCATION) -> NTSTATUS {
        let info = &mut *(*args).pAllocationInfo;
        info.hAllocation = fake(context).state.lock().unwrap().handle();
        info.AllocationPriority = 1;
        STATUS_SUCCESS
    }

    pub unsafe fn destroy_allocation(_context: HANDLE, _args: *const DXGKARG_DESTROYALLOCATION) -> NTSTATUS {
        STATUS_SUCCESS
    }

    /// DriverEntry, with what DxgkInitialize leads to.
    pub unsafe fn driver_entry(driver: *mut DRIVER_OBJECT, path: *mut UNICODE_STRING) -> NTSTATUS {
        let mut table = table();
        dxgksim::dxgkrnl::register(driver, path, &raw mut table)
    }

    /// A DriverEntry that forgets to register.
    pub unsafe fn idle_entry(_driver: *mut DRIVER_OBJECT, _path: *mut UNICODE_STRING) -> NTSTATUS {
        STATUS_SUCCESS
    }

    /// A required DDI that nobody calls here. Its other parameters are never looked at.
    pub unsafe fn unused(_context: HANDLE) -> NTSTATUS { STATUS_NOT_IMPLEMENTED }
}

/// Fills required slots that are never called, whatever their type.
macro_rules! fill {
    ($table:ident: $( $slot:ident )*) => { $(
        // SAFETY: a function pointer of the calling convention of every slot, never called.
        $table.$slot = unsafe { std::mem::transmute::<*const (), _>(unused as unsafe extern "win64" fn(HANDLE) -> NTSTATUS as *const ()) };
    )* };
}

/// The driver's table.
pub fn table() -> DRIVER_INITIALIZATION_DATA {
    let mut table = DRIVER_INITIALIZATION_DATA::zeroed();
    table.Version = DXGKDDI_INTERFACE_VERSION_WDDM3_2;
    fill!(table:
        DxgkDdiQueryChildStatus DxgkDdiQueryDeviceDescriptor DxgkDdiSetPowerState DxgkDdiDescribeAllocation
        DxgkDdiOpenAllocation DxgkDdiCloseAllocation
        DxgkDdiPreemptCommand DxgkDdiQueryDependentEngineGroup DxgkDdiQueryEngineStatus DxgkDdiResetEngine
        DxgkDdiResetFromTimeout DxgkDdiRestartFromTimeout DxgkDdiCollectDbgInfo DxgkDdiCalibrateGpuClock
        DxgkDdiFormatHistoryBuffer DxgkDdiSetStablePowerState DxgkDdiSetVirtualMachineData
    );
    table.DxgkDdiAddDevice = Some(add_device);
    table.DxgkDdiStartDevice = Some(start_device);
    table.DxgkDdiStopDevice = Some(stop_device);
    table.DxgkDdiRemoveDevice = Some(remove_device);
    table.DxgkDdiResetDevice = Some(reset_device);
    table.DxgkDdiUnload = Some(unload);
    table.DxgkDdiInterruptRoutine = Some(interrupt_routine);
    table.DxgkDdiDpcRoutine = Some(dpc_routine);
    table.DxgkDdiQueryChildRelations = Some(query_child_relations);
    table.DxgkDdiCreateProcess = Some(create_process);
    table.DxgkDdiDestroyProcess = Some(destroy_process);
    table.DxgkDdiCreateDevice = Some(create_device);
    table.DxgkDdiDestroyDevice = Some(destroy_device);
    table.DxgkDdiCreateContext = Some(create_context);
    table.DxgkDdiDestroyContext = Some(destroy_context);
    table.DxgkDdiGetStandardAllocationDriverData = Some(get_standard_allocation);
    table.DxgkDdiCreateAllocation = Some(create_allocation);
    table.DxgkDdiDestroyAllocation = Some(destroy_allocation);
    caps::fill(&mut table);
    engine::fill(&mut table);
    vf::fill(&mut table);
    table
}

/// The driver with its table changed.
pub fn driver_with(change: impl FnOnce(&mut DRIVER_INITIALIZATION_DATA)) -> Arc<Driver> {
    dxgksim::host::std_host::install();
    let mut table = table();
    change(&mut table);
    // SAFETY: the table is this driver's, whatever the test changed in it.
    Arc::new(unsafe { Driver::from_table(&table) })
}

/// The driver, loaded through its DriverEntry.
pub fn load(entry: DriverEntry) -> Result<Driver, NTSTATUS> {
    dxgksim::host::std_host::install();
    // SAFETY: one of the entries above.
    unsafe { Driver::load(entry, "fake") }
}
