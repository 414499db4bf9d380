//! An adapter from its start to its removal.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::Ordering;

use wddm::{
    DXGKARG_ESCAPE, DXGKARG_GETGPUPARTITIONINFO, DXGKARG_SETGPUPARTITIONCOUNT, STATUS_BUFFER_TOO_SMALL,
    STATUS_NOT_SUPPORTED,
};

use super::start::{bring_up, take_down};
use super::triage::TriageEvent;
use super::{Ask, Caps, Core, DdiError, Driver, Interfaces, MemoryRange, StartError, succeed};
use crate::contract::{Contract, Violation, calls, rules};
use crate::host::{Mutex, SECOND};
use crate::report::Reading;
use crate::vidmm::{self, Paging, PagingError, SegmentMemory};

/// How an adapter is started, and how its Dxgkrnl behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterOptions {
    /// DXGK_DEVICE_INFO.DeviceRegistryPath: where the driver finds its settings.
    pub registry_path: String,
    /// The device's physical device object, as a number; 0 for one that is an address and nothing more.
    pub physical_device: usize,
    /// The device has an interrupt line. Without one SynchronizeExecution fails.
    pub interrupt_connected: bool,
    /// The device's memory, its BARs in their order.
    pub memory: Vec<MemoryRange>,
    /// Bytes of system memory as the driver is told.
    pub system_memory_bytes: u64,
    /// Virtual addresses of the paging process; the article has 1 GiB.
    pub paging_va_bytes: u64,
    /// Bytes of a staging buffer and of the scratch that goes with it; a power of two.
    pub staging_bytes: usize,
    /// How long a paging operation is waited for while nothing is done on its node.
    pub paging_timeout_ns: u64,
    /// Treat dirty tracking as not performant: it starts with the migration, and everything is sent first.
    pub late_tracking: bool,
    /// Memory is short: dirty bits are asked for with buffers of so many bytes.
    pub dirty_buffer_bytes: Option<usize>,
    /// Ask for DRIVERCAPS with short buffers too.
    pub probe_short_buffers: bool,
    /// Test signing is on: the kernel-mode testing feature is used when the driver has it.
    pub kernel_mode_testing: bool,
}

impl Default for AdapterOptions {
    fn default() -> Self {
        Self {
            registry_path: String::from(
                "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Class\\{F01A9D53-3FF6-48D2-9F97-C8A7004BE10C}\\0000",
            ),
            physical_device: 0,
            interrupt_connected: true,
            memory: Vec::new(),
            system_memory_bytes: 16 << 30,
            paging_va_bytes: 1 << 30,
            staging_bytes: 1 << 20,
            paging_timeout_ns: 10 * SECOND,
            late_tracking: false,
            dirty_buffer_bytes: None,
            probe_short_buffers: true,
            kernel_mode_testing: true,
        }
    }
}

/// A started adapter.
pub struct Adapter {
    pub(crate) core: Arc<Core>,
    pub(crate) caps: Caps,
    pub(crate) interfaces: Interfaces,
    pub(crate) paging: Arc<Paging>,
    pub(crate) memory: Arc<SegmentMemory>,
    /// Virtual functions that exist, each with the driver's allocation of its memory, as a number.
    pub(crate) functions: Mutex<BTreeMap<u32, usize>>,
    partitions: Mutex<u32>,
    /// The driver stays loaded for as long as its adapter exists.
    _driver: Arc<Driver>,
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter").field("caps", &self.caps).finish_non_exhaustive()
    }
}

impl Adapter {
    /// AddDevice, StartDevice, capabilities, interfaces and the paging process.
    pub fn start(driver: &Arc<Driver>, options: AdapterOptions) -> Result<Arc<Self>, StartError> {
        let core = Core::new(driver.table(), Arc::clone(driver.contract()), options);
        let (mut caps, interfaces) = match bring_up(&core) {
            Ok(up) => up,
            Err(error) => {
                core.close();
                return Err(error);
            }
        };
        caps.partition_options = partition_options(&core, &interfaces);
        let memory = Arc::new(SegmentMemory::new(&caps));
        match Paging::start(&core, &caps, &memory) {
            Ok(paging) => Ok(Arc::new(Self {
                core,
                caps,
                interfaces,
                paging,
                memory,
                functions: Mutex::new(BTreeMap::new()),
                partitions: Mutex::new(0),
                _driver: Arc::clone(driver),
            })),
            Err(error) => {
                interfaces.release(&core);
                take_down(&core);
                core.close();
                Err(error.into())
            }
        }
    }

    /// What the driver said of itself.
    pub fn caps(&self) -> &Caps {
        &self.caps
    }

    /// How the adapter was started.
    pub fn options(&self) -> &AdapterOptions {
        &self.core.options
    }

    /// The contract with the driver.
    pub fn contract(&self) -> &Arc<Contract> {
        &self.core.contract
    }

    /// What broke the contract so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.core.contract.violations()
    }

    /// What paging has done so far.
    pub fn counters(&self) -> Reading {
        self.core.counters.read()
    }

    /// Triage events about a partition that nobody has taken yet.
    pub fn take_triage_events(&self, partition: u32) -> Vec<TriageEvent> {
        self.core.triage.take(partition)
    }

    /// Sets the number of partitions, before the first virtual GPU.
    pub fn set_partition_count(&self, partitions: u32) -> Result<(), DdiError> {
        let name = calls::SET_GPU_PARTITION_COUNT.name;
        let mut args = DXGKARG_SETGPUPARTITIONCOUNT { PartitionCount: partitions };
        let status = match &self.interfaces.partition {
            Some(it) => it.DxgkDdiSetGpuPartitionCount.ask(
                &self.core.contract,
                &calls::SET_GPU_PARTITION_COUNT,
                it.Context,
                &mut args,
            ),
            None => wddm::STATUS_NOT_SUPPORTED,
        };
        succeed(name, status)?;
        *self.partitions.lock() = partitions;
        Ok(())
    }

    /// The number of partitions that was set.
    pub fn partition_count(&self) -> u32 {
        *self.partitions.lock()
    }

    /// Free bytes of a local segment.
    pub fn free_bytes(&self, segment: u32) -> u64 {
        self.memory.free_bytes(segment)
    }

    /// The device's line is asserted: whether the driver's ISR claims the interrupt.
    pub fn raise_interrupt(&self, message: u32) -> bool {
        self.core.interrupt_routine(message)
    }

    /// Copies through a process of its own, whose page tables the paging process writes into VRAM.
    ///
    /// With the kernel-mode testing feature the copy is a test command; else a paging transfer on that process's
    /// context.
    pub fn self_test(&self) -> Result<SelfTest, PagingError> {
        vidmm::self_test(&self.paging, &self.core, &self.caps, &self.interfaces)
    }

    /// Whether a virtual function exists.
    pub fn has_vgpu(&self, vf: u32) -> bool {
        self.functions.lock().contains_key(&vf)
    }

    /// Sends a tool's private data to the driver, which answers in its place.
    pub fn escape(&self, data: &mut [u8]) -> Result<(), DdiError> {
        let mut args = DXGKARG_ESCAPE::zeroed();
        args.pPrivateDriverData = data.as_mut_ptr().cast();
        args.PrivateDriverDataSize = data.len() as u32;
        succeed(calls::ESCAPE.name, self.core.escape(&mut args))
    }

    /// Whether the device is gone.
    pub fn is_removed(&self) -> bool {
        self.core.interrupts.is_removed()
    }

    /// The device is gone: the driver hears of it before the adapter is dropped.
    ///
    /// What was under way on the paging node fails with [`PagingError::Removed`](crate::vidmm::PagingError::Removed).
    /// A driver that does not report SupportSurpriseRemovalInHibernation is never told: no call is made to it any more,
    /// and the system goes down.
    pub fn surprise_remove(&self) -> Result<(), DdiError> {
        let told = self.caps.surprise_removal_in_hibernation;
        let status = if told { self.core.surprise_removal() } else { STATUS_NOT_SUPPORTED };
        // After the call the hardware reaches no memory, so what it was given may be freed.
        self.core.interrupts.device_removed();
        succeed(calls::SURPRISE_REMOVAL.name, status)
    }
}

/// What [`Adapter::self_test`] could show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTest {
    /// Data went through a process's own page tables and arrived.
    Copied,
    /// The page tables were written; the driver takes no commands that use them.
    TablesOnly,
}

impl Drop for Adapter {
    fn drop(&mut self) {
        self.paging.stop(&self.core);
        self.interfaces.release(&self.core);
        take_down(&self.core);
        self.core.close();
        let held = self.core.held.load(Ordering::Acquire);
        self.core.contract.require(
            held == 0,
            &rules::LEAK,
            format_args!("{held} mappings or blocks were not given back"),
        );
    }
}

fn partition_options(core: &Core, interfaces: &Interfaces) -> Vec<u16> {
    let Some(it) = &interfaces.partition else { return Vec::new() };
    let ask = |args: &mut DXGKARG_GETGPUPARTITIONINFO| {
        it.DxgkDdiGetGpuPartitionInfo.ask(&core.contract, &calls::GET_GPU_PARTITION_INFO, it.Context, args)
    };
    let mut args = DXGKARG_GETGPUPARTITIONINFO::zeroed();
    let status = ask(&mut args);
    let count = args.NumGpuPartitionOptions as usize;
    if (status != STATUS_BUFFER_TOO_SMALL && !status.is_success()) || count == 0 || count > 1024 {
        core.contract.broken(&rules::PARTITION, format_args!("{count} partition options, {status}"));
        return Vec::new();
    }
    let mut options = vec![0u16; count + 1];
    options[count] = 0x5A5A;
    args.pGpuPartitionOptions = options.as_mut_ptr();
    let status = ask(&mut args);
    let alive = options.pop() == Some(0x5A5A);
    core.contract.require(
        alive,
        &rules::OUTPUT_OVERRUN,
        format_args!("{} wrote more options than it announced", calls::GET_GPU_PARTITION_INFO.name),
    );
    core.contract.require(
        status.is_success() && options.iter().all(|option| *option > 0),
        &rules::PARTITION,
        format_args!("partition options {options:?}, {status}"),
    );
    options
}
