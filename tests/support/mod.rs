//! The least of a Dxgkrnl: it loads the driver, starts an adapter, and records what the driver says.
//!
//! UNSAFETY: it is the other side of the DDI, so it passes pointers and follows the driver's.
#![allow(dead_code, reason = "each test takes what it needs")]
#![expect(unsafe_code)]

pub(crate) mod host;
pub(crate) mod paging;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, Once};
use std::time::{Duration, Instant};

use gpup_core::os::level;
use wddm::*;

/// What is bound to happen is waited for so long: far longer than any machine takes, so that a hang is a failure.
const FOREVER: Duration = Duration::from_secs(600);

/// Waits for what is bound to happen.
pub(crate) fn wait_until(what: &str, happened: impl Fn() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < FOREVER, "it never happened: {what}");
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// A table, to be kept for all threads.
#[derive(Clone, Copy)]
struct Shared(DRIVER_INITIALIZATION_DATA);

// SAFETY: a table is function pointers, callable from any thread.
unsafe impl Send for Shared {}

/// The table that the driver registered last.
static TABLE: Mutex<Option<Shared>> = Mutex::new(None);

/// A triage event: partition, description, the driver's status.
pub(crate) type Event = (u32, String, u64);

wddm::ddi! {
    unsafe fn initialize(
        _driver: *mut DRIVER_OBJECT,
        _path: *mut UNICODE_STRING,
        table: *mut DRIVER_INITIALIZATION_DATA,
    ) -> NTSTATUS {
        // SAFETY: the driver's own table.
        *TABLE.lock().unwrap() = Some(Shared(unsafe { *table }));
        STATUS_SUCCESS
    }
}

/// Loads the driver once and returns its table.
pub(crate) fn load() -> DRIVER_INITIALIZATION_DATA {
    static LOADED: Once = Once::new();
    LOADED.call_once(|| {
        gpup_kmd::os::host::connect_dxgkrnl(initialize);
        // SAFETY: the host's DxgkInitialize passes both pointers on unread.
        let status = unsafe { gpup_kmd::driver_entry(std::ptr::null_mut(), std::ptr::null_mut()) };
        assert_eq!(status, STATUS_SUCCESS);
    });
    TABLE.lock().unwrap().unwrap().0
}

/// What one adapter's driver reported.
#[derive(Default)]
pub(crate) struct Reports {
    interrupts: Mutex<Vec<(DXGK_INTERRUPT_TYPE, u32, u32)>>,
    changed: Condvar,
    /// FaultedVirtualAddress of the last page fault.
    faulted_at: AtomicU64,
    pub(crate) dpcs: AtomicU64,
    pub(crate) events: Mutex<Vec<Event>>,
    /// SynchronizeExecution fails: no interrupt is connected.
    pub(crate) unconnected: AtomicBool,
    /// GetDeviceInformation fails.
    pub(crate) information_fails: AtomicBool,
    /// A DPC waits to run.
    dpc_waits: AtomicBool,
    /// DXGK_DEVICE_INFO.TranslatedResourceList.
    pub(crate) resources: AtomicPtr<CM_RESOURCE_LIST>,
    path: Vec<u16>,
}

impl Reports {
    /// Waits for an interrupt of a kind with a fence on a node.
    pub(crate) fn wait(&self, kind: DXGK_INTERRUPT_TYPE, fence: u32, node: u32) {
        let seen = self.interrupts.lock().unwrap();
        let (seen, timeout) = self
            .changed
            .wait_timeout_while(seen, FOREVER, |seen| !seen.contains(&(kind, fence, node)))
            .unwrap();
        assert!(!timeout.timed_out(), "no {kind:?} of fence {fence}: {seen:?}");
    }

    /// The address of the last page fault.
    pub(crate) fn faulted_at(&self) -> u64 {
        self.faulted_at.load(Ordering::SeqCst)
    }

    /// All interrupts so far.
    pub(crate) fn interrupts(&self) -> Vec<(DXGK_INTERRUPT_TYPE, u32, u32)> {
        self.interrupts.lock().unwrap().clone()
    }
}

/// Which adapter's reports a device handle belongs to.
static REPORTS: Mutex<Option<HashMap<usize, &'static Reports>>> = Mutex::new(None);

fn reports(handle: HANDLE) -> &'static Reports {
    REPORTS.lock().unwrap().as_ref().unwrap()[&handle.addr()]
}

wddm::ddi! {
    unsafe fn get_device_information(handle: HANDLE, info: *mut DXGK_DEVICE_INFO) -> NTSTATUS {
        if reports(handle).information_fails.load(Ordering::SeqCst) {
            return STATUS_UNSUCCESSFUL;
        }
        let path = &reports(handle).path;
        let mut filled = DXGK_DEVICE_INFO::zeroed();
        filled.TranslatedResourceList = reports(handle).resources.load(Ordering::SeqCst);
        filled.DeviceRegistryPath = UNICODE_STRING {
            Length: (path.len() * 2) as u16,
            MaximumLength: (path.len() * 2) as u16,
            Buffer: path.as_ptr().cast_mut(),
        };
        // SAFETY: the driver's structure to fill.
        unsafe { *info = filled };
        STATUS_SUCCESS
    }

    unsafe fn synchronize_execution(
        handle: HANDLE,
        routine: PKSYNCHRONIZE_ROUTINE,
        context: PVOID,
        _message: u32,
        returned: *mut BOOLEAN,
    ) -> NTSTATUS {
        if reports(handle).unconnected.load(Ordering::SeqCst) {
            return STATUS_UNSUCCESSFUL;
        }
        static INTERRUPT: Mutex<()> = Mutex::new(());
        let _lock = INTERRUPT.lock().unwrap();
        // SAFETY: the driver's routine and context.
        let value = level::at(level::DEVICE_LEVEL, || unsafe { routine.unwrap()(context) });
        // SAFETY: the driver's place for the value.
        unsafe { *returned = value };
        STATUS_SUCCESS
    }

    unsafe fn notify_interrupt(handle: HANDLE, data: *const DXGKARGCB_NOTIFY_INTERRUPT_DATA) {
        // SAFETY: the driver's data.
        let data = unsafe { &*data };
        let (fence, node) = match data.InterruptType {
            DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_PREEMPTED => {
                // SAFETY: the type says which field counts.
                let it = unsafe { data.u.DmaPreempted };
                (it.PreemptionFenceId, it.NodeOrdinal)
            }
            DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_PAGE_FAULTED => {
                // SAFETY: as above.
                let it = unsafe { data.u.DmaPageFaulted };
                reports(handle).faulted_at.store(it.FaultedVirtualAddress, Ordering::SeqCst);
                (it.FaultedFenceId, it.NodeOrdinal)
            }
            DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_FAULTED => {
                // SAFETY: as above.
                let it = unsafe { data.u.DmaFaulted };
                assert!(!it.Status.is_success());
                (it.FaultedFenceId, it.NodeOrdinal)
            }
            _ => {
                // SAFETY: as above.
                let it = unsafe { data.u.DmaCompleted };
                (it.SubmissionFenceId, it.NodeOrdinal)
            }
        };
        let reports = reports(handle);
        reports.interrupts.lock().unwrap().push((data.InterruptType, fence, node));
        reports.changed.notify_all();
    }

    unsafe fn queue_dpc(handle: HANDLE) -> BOOLEAN {
        u8::from(!reports(handle).dpc_waits.swap(true, Ordering::SeqCst))
    }

    unsafe fn notify_dpc(handle: HANDLE) {
        reports(handle).dpcs.fetch_add(1, Ordering::SeqCst);
    }

    unsafe fn log_etw_event(guid: *const GUID, _kind: u8, bytes: u16, buffer: PVOID) {
        // SAFETY: the driver's GUID.
        assert_eq!(unsafe { *guid }, GUID_DXGKDDI_AZURE_TRIAGE_EVENT);
        assert_eq!(usize::from(bytes), 568);
        // SAFETY: the driver's event of that size.
        let event = unsafe { *buffer.cast::<DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION>() };
        let text: Vec<u16> = event.EventDescription.into_iter().take_while(|unit| *unit != 0).collect();
        let event_text = String::from_utf16_lossy(&text);
        reports(event.hAdapter).events.lock().unwrap().push((event.PartitionId, event_text, event.EventData1));
    }
}

/// An adapter of the driver.
pub(crate) struct TestAdapter {
    pub(crate) table: DRIVER_INITIALIZATION_DATA,
    pub(crate) context: HANDLE,
    pub(crate) reports: &'static Reports,
    running: bool,
}

impl TestAdapter {
    /// Adds and starts an adapter with settings.
    pub(crate) fn start(settings: &[(&str, u64)]) -> Self {
        let adapter = Self::add(settings);
        let (status, adapter) = adapter.try_start();
        assert_eq!(status, STATUS_SUCCESS);
        adapter
    }

    /// Adds an adapter.
    pub(crate) fn add(settings: &[(&str, u64)]) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let table = load();
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let path = format!("\\Registry\\Machine\\Test\\{number}");
        for (name, value) in settings {
            gpup_kmd::os::host::set_setting(&path, name, *value);
        }
        let reports: &'static Reports =
            Box::leak(Box::new(Reports { path: path.encode_utf16().collect(), ..Reports::default() }));
        let mut context = std::ptr::null_mut();
        // SAFETY: any non-null pointer serves as a device object.
        let status = unsafe { table.DxgkDdiAddDevice.unwrap()(8 as *mut DEVICE_OBJECT, &mut context) };
        assert_eq!(status, STATUS_SUCCESS);
        let device = 0xD000_0000 + number as usize;
        REPORTS.lock().unwrap().get_or_insert_default().insert(device, reports);
        DEVICES.lock().unwrap().get_or_insert_default().insert(context.addr(), device);
        Self { table, context, reports, running: false }
    }

    /// Starts it.
    pub(crate) fn try_start(mut self) -> (NTSTATUS, Self) {
        let mut interface = DXGKRNL_INTERFACE::zeroed();
        interface.Size = size_of::<DXGKRNL_INTERFACE>() as u32;
        interface.DeviceHandle = DEVICES.lock().unwrap().as_ref().unwrap()[&self.context.addr()] as HANDLE;
        interface.DxgkCbGetDeviceInformation = Some(get_device_information);
        interface.DxgkCbSynchronizeExecution = Some(synchronize_execution);
        interface.DxgkCbNotifyInterrupt = Some(notify_interrupt);
        interface.DxgkCbQueueDpc = Some(queue_dpc);
        interface.DxgkCbNotifyDpc = Some(notify_dpc);
        interface.DxgkCbLogEtwEvent = Some(log_etw_event);
        let mut info = DXGK_START_INFO::zeroed();
        let (mut sources, mut children) = (7, 7);
        // SAFETY: all of these live until the call returns.
        let status = unsafe {
            self.table.DxgkDdiStartDevice.unwrap()(
                self.context,
                &mut info,
                &mut interface,
                &mut sources,
                &mut children,
            )
        };
        if status.is_success() {
            assert_eq!((sources, children), (0, 0));
            self.running = true;
        }
        (status, self)
    }

    /// Stops it; it can be started again.
    pub(crate) fn stop(mut self) -> Self {
        self.running = false;
        // SAFETY: nothing else is inside the driver.
        assert_eq!(unsafe { self.table.DxgkDdiStopDevice.unwrap()(self.context) }, STATUS_SUCCESS);
        self
    }

    /// Asks QueryAdapterInfo with any buffers.
    pub(crate) fn query_raw(
        &self,
        kind: DXGK_QUERYADAPTERINFOTYPE,
        input: &[u8],
        output: &mut [u8],
        bytes: usize,
    ) -> NTSTATUS {
        let mut args = DXGKARG_QUERYADAPTERINFO::zeroed();
        args.Type = kind;
        args.pInputData = input.as_ptr().cast_mut().cast();
        args.InputDataSize = input.len() as u32;
        args.pOutputData = output.as_mut_ptr().cast();
        args.OutputDataSize = bytes as u32;
        // SAFETY: both buffers are as long as the arguments say.
        unsafe { self.table.DxgkDdiQueryAdapterInfo.unwrap()(self.context, &args) }
    }

    /// Asks QueryAdapterInfo for a structure.
    pub(crate) fn query<T: Zeroed>(&self, kind: DXGK_QUERYADAPTERINFOTYPE, input: &[u8]) -> T {
        let mut out = vec![0u8; size_of::<T>()];
        let bytes = out.len();
        assert_eq!(self.query_raw(kind, input, &mut out, bytes), STATUS_SUCCESS, "{kind:?}");
        // SAFETY: as many bytes as a T has, and any bytes make one.
        unsafe { out.as_ptr().cast::<T>().read_unaligned() }
    }

    /// Asks for an interface, whose GUID, version and header are the caller's.
    pub(crate) fn interface<T: Zeroed>(&self, guid: &GUID, version: u16, size: usize) -> Result<T, NTSTATUS> {
        let mut out = T::ZERO;
        let mut query = QUERY_INTERFACE::zeroed();
        query.InterfaceType = guid;
        query.Size = size as u16;
        query.Version = version;
        query.Interface = (&raw mut out).cast();
        // SAFETY: the interface is as large as its type.
        let status = unsafe { self.table.DxgkDdiQueryInterface.unwrap()(self.context, &mut query) };
        if status.is_success() { Ok(out) } else { Err(status) }
    }

    /// Lets a waiting DPC run.
    pub(crate) fn run_dpc(&self) {
        if self.reports.dpc_waits.swap(false, Ordering::SeqCst) {
            // SAFETY: the adapter is started.
            level::at(level::DISPATCH_LEVEL, || unsafe {
                self.table.DxgkDdiDpcRoutine.unwrap()(self.context)
            });
        }
    }
}

static DEVICES: Mutex<Option<HashMap<usize, usize>>> = Mutex::new(None);

impl Drop for TestAdapter {
    fn drop(&mut self) {
        if self.running {
            // SAFETY: nothing else is inside the driver.
            let status = unsafe { self.table.DxgkDdiStopDevice.unwrap()(self.context) };
            assert_eq!(status, STATUS_SUCCESS);
        }
        // SAFETY: as above.
        let status = unsafe { self.table.DxgkDdiRemoveDevice.unwrap()(self.context) };
        assert_eq!(status, STATUS_SUCCESS);
    }
}
