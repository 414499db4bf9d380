//! The driver behind a wrapped table: every callback, every function of its interfaces and every callback of Dxgkrnl
//! that matters goes through a function that forwards, unless a fault says otherwise.
//!
//! UNSAFETY: forwards calls of the interface's convention through slots of function pointers.
#![expect(unsafe_code)]

use std::mem::{size_of, transmute_copy};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use dxgksim::check::{self, Finding};
use dxgksim::dxgkrnl::Driver;
use wddm::*;

/// One call on its way into the driver, or out of it.
pub(crate) struct Call<'a> {
    /// The function's name in its table.
    pub(crate) name: &'static str,
    /// Its arguments, each in a word.
    pub(crate) args: &'a [usize],
    forward: &'a dyn Fn() -> usize,
}

impl Call<'_> {
    /// Lets the driver do it.
    pub(crate) fn forward(&self) -> usize {
        (self.forward)()
    }

    /// Lets the driver do it and takes the result for a status.
    pub(crate) fn status(&self) -> NTSTATUS {
        NTSTATUS(self.forward() as i32)
    }

    /// The structure that argument `index` points to.
    pub(crate) fn read<T: Copy>(&self, index: usize) -> T {
        // SAFETY: the fault names the type that this function's argument has.
        unsafe { (self.args[index] as *const T).read_unaligned() }
    }

    /// The `T` at byte `offset` of the structure that argument `index` points to.
    pub(crate) fn at<T: Copy>(&self, index: usize, offset: usize) -> T {
        // SAFETY: as above; the offset lies inside the structure.
        unsafe { ((self.args[index] + offset) as *const T).read_unaligned() }
    }

    /// Writes a `T` at byte `offset` of the structure that argument `index` points to.
    pub(crate) fn put<T>(&self, index: usize, offset: usize, value: T) {
        put(self.args[index] + offset, value);
    }
}

/// Writes to an address that a call gave.
pub(crate) fn put<T>(address: usize, value: T) {
    // SAFETY: the fault computed the address from a pointer of the call that is the driver's to write.
    unsafe { (address as *mut T).write_unaligned(value) }
}

/// Reads at an address that a call gave.
pub(crate) fn get<T: Copy>(address: usize) -> T {
    // SAFETY: the fault computed the address from a pointer of the call.
    unsafe { (address as *const T).read_unaligned() }
}

/// What happens to a call: a result of the fault's own, or `None` for the driver's.
pub(crate) type Fault = Arc<dyn Fn(&Call<'_>) -> Option<usize> + Send + Sync>;

static FAULT: RwLock<Option<Fault>> = RwLock::new(None);

fn hook(slot: usize, args: &[usize], forward: &dyn Fn() -> usize) -> usize {
    let fault = FAULT.read().unwrap_or_else(PoisonError::into_inner).clone();
    let call = Call { name: NAMES[slot], args, forward };
    fault.and_then(|fault| fault(&call)).unwrap_or_else(forward)
}

static ORIGINALS: [AtomicUsize; NAMES.len()] = [const { AtomicUsize::new(0) }; NAMES.len()];

/// The driver's own function of a slot.
pub(crate) fn original(name: &str) -> usize {
    let slot = NAMES.iter().position(|known| *known == name).expect("a known function");
    ORIGINALS[slot].load(Ordering::Acquire)
}

/// A value of at most eight bytes as a word.
fn word<T: Copy>(value: T) -> usize {
    let mut word = 0usize;
    assert!(size_of::<T>() <= size_of::<usize>());
    // SAFETY: a word is no smaller than the value.
    unsafe { (&raw mut word).cast::<T>().write_unaligned(value) };
    word
}

/// A value of at most eight bytes out of a word.
fn value<T: Copy>(word: usize) -> T {
    assert!(size_of::<T>() <= size_of::<usize>());
    // SAFETY: the word holds such a value, from `word` or from a fault that knows the type.
    unsafe { (&raw const word).cast::<T>().read_unaligned() }
}

macro_rules! forwarders {
    ($( $name:ident($($arg:ident: $type:ident),*); )*) => { $(
        unsafe extern "win64" fn $name<const SLOT: usize, $($type: Copy,)* R: Copy>($($arg: $type),*) -> R {
            let forward = || {
                let function = ORIGINALS[SLOT].load(Ordering::Acquire);
                // SAFETY: the slot holds a function of this very type: `wrap` put it there.
                let function: unsafe extern "win64" fn($($type),*) -> R = unsafe { transmute_copy(&function) };
                // SAFETY: the arguments are the caller's own.
                word(unsafe { function($($arg),*) })
            };
            value(hook(SLOT, &[$(word($arg)),*], &forward))
        }
    )* };
}

forwarders! {
    forward1(a: A);
    forward2(a: A, b: B);
    forward3(a: A, b: B, c: C);
    forward4(a: A, b: B, c: C, d: D);
    forward5(a: A, b: B, c: C, d: D, e: E);
}

/// Declares the slots, and functions that replace the members of a structure by forwarders.
macro_rules! slots {
    ($( $function:ident($structure:ty) { $( $forward:ident [$($infer:tt)*]: $members:tt; )* } )*) => {
        slots! { @ names [] $($($members)*)* }

        $(
            fn $function(structure: &mut $structure) {
                $( slots! { @ wrap structure $forward [$($infer)*] $members } )*
            }
        )*
    };
    (@ names [$($name:ident)*] [$($more:ident)*] $($rest:tt)*) => {
        slots! { @ names [$($name)* $($more)*] $($rest)* }
    };
    (@ names [$($name:ident)*]) => {
        #[expect(non_camel_case_types, reason = "named like the members")]
        enum Slot { $($name),* }

        const NAMES: &[&str] = &[ $(stringify!($name)),* ];
    };
    (@ wrap $structure:ident $forward:ident $infer:tt [$($member:ident)*]) => {
        $( slots! { @ one $structure $forward $infer $member } )*
    };
    (@ one $structure:ident $forward:ident [$($infer:tt)*] $member:ident) => {
        if let Some(function) = $structure.$member {
            ORIGINALS[Slot::$member as usize].store(function as usize, Ordering::Release);
            $structure.$member = Some($forward::<{ Slot::$member as usize }, $($infer)*>);
        }
    };
}

slots! {
    wrap_table(DRIVER_INITIALIZATION_DATA) {
        forward1 [_, _]: [
            DxgkDdiStopDevice DxgkDdiRemoveDevice DxgkDdiDpcRoutine DxgkDdiDestroyDevice DxgkDdiDestroyContext
            DxgkDdiResetFromTimeout DxgkDdiRestartFromTimeout
        ];
        forward2 [_, _, _]: [
            DxgkDdiAddDevice DxgkDdiInterruptRoutine DxgkDdiQueryInterface DxgkDdiQueryAdapterInfo
            DxgkDdiNotifySurpriseRemoval DxgkDdiCreateProcess DxgkDdiDestroyProcess DxgkDdiCreateDevice
            DxgkDdiCreateContext DxgkDdiSetRootPageTable DxgkDdiGetRootPageTableSize DxgkDdiCreateAllocation
            DxgkDdiDestroyAllocation DxgkDdiDescribeAllocation DxgkDdiGetStandardAllocationDriverData
            DxgkDdiOpenAllocation DxgkDdiCloseAllocation DxgkDdiBuildPagingBuffer DxgkDdiSubmitCommandVirtual
            DxgkDdiPreemptCommand DxgkDdiQueryDependentEngineGroup DxgkDdiQueryEngineStatus DxgkDdiResetEngine
            DxgkDdiCollectDbgInfo DxgkDdiEscape DxgkDdiFormatHistoryBuffer DxgkDdiSetVirtualMachineData
            DxgkDdiCreateMemoryBasis DxgkDdiDestroyMemoryBasis DxgkDdiStartDirtyTracking DxgkDdiStopDirtyTracking
            DxgkDdiQueryDirtyBitData DxgkDdiPrepareLiveMigration DxgkDdiSaveImmutableMigrationData
            DxgkDdiSaveMutableMigrationData DxgkDdiEndLiveMigration DxgkDdiRestoreImmutableMigrationData
            DxgkDdiRestoreMutableMigrationData DxgkDdiWriteVirtualizedInterrupt DxgkDdiSetVirtualGpuResources2
            DxgkDdiSetVirtualFunctionPauseState DxgkDdiCancelCommand DxgkDdiSetStablePowerState
        ];
        forward3 [_, _, _, _]: [
            DxgkDdiGetNodeMetadata DxgkDdiQueryChildRelations DxgkDdiQueryChildStatus DxgkDdiQueryDeviceDescriptor
            DxgkDdiControlEtwLogging
        ];
        forward4 [_, _, _, _, _]: [DxgkDdiSetPowerState DxgkDdiCalibrateGpuClock];
        forward5 [_, _, _, _, _, _]: [DxgkDdiStartDevice];
    }
    wrap_partition(DXGKDDI_GPU_PARTITION_INTERFACE) {
        forward2 [_, _, _]: [
            DxgkDdiGetGpuPartitionInfo DxgkDdiSetGpuPartitionCount DxgkDdiGetVirtualGpuProfile DxgkDdiCreateVirtualGpu
            DxgkDdiGetGpuEngines
            DxgkDdiGetVirtualGpuInfo DxgkDdiSetVirtualGpuResources DxgkDdiDestroyVirtualGpu DxgkDdiSuspendVirtualGpu
            DxgkDdiResumeVirtualGpu DxgkDdiVirtualGpuDriverEscape DxgkDdiSetVirtualGpuVmBus
        ];
    }
    wrap_sriov(DXGKDDI_SRIOV_INTERFACE) {
        forward2 [_, _, _]: [
            DxgkDdiReadVirtualFunctionConfig DxgkDdiWriteVirtualFunctionConfig DxgkDdiReadVirtualFunctionConfigBlock
            DxgkDdiWriteVirtualFunctionConfigBlock DxgkDdiQueryProbedBars DxgkDdiGetVendorAndDevice
            DxgkDdiGetDeviceLocation DxgkDdiResetVirtualFunction DxgkDdiSetVirtualFunctionPowerState
            DxgkDdiGetResourceForBar DxgkDdiQueryVirtualFunctionLuid
        ];
    }
    wrap_mitigable(DXGKDDI_MITIGABLE_DEVICE_INTERFACE) {
        forward2 [_, _, _]: [DxgkDdiQueryMitigatedRangeCount DxgkDdiQueryMitigatedRanges];
    }
    wrap_flexiov(DXGKDDI_FLEXIOV_DEVICE_INTERFACE) {
        forward2 [_, _, _]: [DxgkDdiGetBackingResource DxgkDdiGetMmioRangeCount DxgkDdiGetMmioRanges];
    }
    wrap_feature(DXGKDDI_FEATURE_INTERFACE) {
        forward2 [_, _, _]: [QueryFeatureSupport QueryFeatureInterface];
    }
    wrap_testing(DXGKDDI_KERNELMODETESTINGINTERFACE) {
        forward2 [_, _, _]: [pfnBuildTestCommandBuffer];
    }
    wrap_callbacks(DXGKRNL_INTERFACE) {
        forward1 [_, _]: [DxgkCbQueueDpc DxgkCbNotifyDpc];
        forward2 [_, _, _]: [DxgkCbNotifyInterrupt];
        forward4 [_, _, _, _, _]: [DxgkCbLogEtwEvent];
        forward5 [_, _, _, _, _, _]: [DxgkCbSynchronizeExecution];
    }
    no_structure(Registration) {
        forward1 [_, _]: [table];
    }
}

/// A slot of its own for faults of the table itself: a call of the name `table` with the table as its argument.
struct Registration {
    table: Option<unsafe extern "win64" fn(usize)>,
}

unsafe extern "win64" fn registered(_table: usize) {}

wddm::ddi! {
    /// Stands between the driver and the simulated Dxgkrnl's registration.
    unsafe fn register(
        driver: *mut DRIVER_OBJECT,
        path: *mut UNICODE_STRING,
        table: *mut DRIVER_INITIALIZATION_DATA,
    ) -> NTSTATUS {
        // SAFETY: the driver's own table.
        let mut wrapped = unsafe { table.read() };
        wrap_table(&mut wrapped);
        if let Some(start) = wrapped.DxgkDdiStartDevice {
            START.store(start as usize, Ordering::Release);
            wrapped.DxgkDdiStartDevice = Some(start_device);
        }
        if let Some(query) = wrapped.DxgkDdiQueryInterface {
            QUERY.store(query as usize, Ordering::Release);
            wrapped.DxgkDdiQueryInterface = Some(query_interface);
        }
        let mut registration = Registration { table: Some(registered) };
        no_structure(&mut registration);
        let at = &raw mut wrapped;
        // SAFETY: a function of ours, and a table that lives until it returns.
        unsafe { registration.table.unwrap()(at as usize) };
        // SAFETY: the driver's own arguments, and a table like its own.
        unsafe { dxgksim::dxgkrnl::register(driver, path, at) }
    }

    /// StartDevice: Dxgkrnl's callbacks are wrapped before the driver gets them.
    unsafe fn start_device(
        context: PVOID,
        info: *mut DXGK_START_INFO,
        interface: *mut DXGKRNL_INTERFACE,
        sources: *mut u32,
        children: *mut u32,
    ) -> NTSTATUS {
        // SAFETY: the simulated Dxgkrnl's own interface, which the driver copies.
        wrap_callbacks(unsafe { &mut *interface });
        let next = START.load(Ordering::Acquire);
        // SAFETY: the forwarder of StartDevice.
        let next: DXGKDDI_START_DEVICE = unsafe { transmute_copy(&next) };
        // SAFETY: the call's own arguments.
        unsafe { next(context, info, interface, sources, children) }
    }

    /// QueryInterface: the functions of the interface are wrapped after the driver gave them.
    unsafe fn query_interface(context: PVOID, query: *mut QUERY_INTERFACE) -> NTSTATUS {
        let next = QUERY.load(Ordering::Acquire);
        // SAFETY: the forwarder of QueryInterface.
        let next: DXGKDDI_QUERY_INTERFACE = unsafe { transmute_copy(&next) };
        // SAFETY: the call's own arguments.
        let status = unsafe { next(context, query) };
        // SAFETY: as above.
        let query = unsafe { &*query };
        // SAFETY: as above.
        let kind = unsafe { *query.InterfaceType };
        if status.is_success() {
            wrap_interface(kind, query.Interface.cast());
        }
        status
    }

    /// QueryFeatureInterface: likewise.
    unsafe fn query_feature_interface(
        context: HANDLE,
        args: *mut DXGKARG_QUERYFEATUREINTERFACE,
    ) -> NTSTATUS {
        let next = FEATURE.load(Ordering::Acquire);
        // SAFETY: the forwarder of QueryFeatureInterface.
        let next: DXGKDDI_QUERYFEATUREINTERFACE = unsafe { transmute_copy(&next) };
        // SAFETY: the call's own arguments.
        let status = unsafe { next(context, args) };
        // SAFETY: as above.
        let args = unsafe { &*args };
        let testing = args.FeatureId == DXGK_FEATURE_ID::DXGK_FEATURE_KERNEL_MODE_TESTING;
        if status.is_success() && testing && usize::from(args.InterfaceSize) == size_of::<usize>() {
            let mut interface: DXGKDDI_KERNELMODETESTINGINTERFACE = get(args.Interface as usize);
            wrap_testing(&mut interface);
            put(args.Interface as usize, interface);
        }
        status
    }
}

static START: AtomicUsize = AtomicUsize::new(0);
static QUERY: AtomicUsize = AtomicUsize::new(0);
static FEATURE: AtomicUsize = AtomicUsize::new(0);

fn wrap_interface(kind: GUID, interface: *mut u8) {
    macro_rules! wrap {
        ($type:ty, $wrap:ident) => {{
            let mut copy: $type = get(interface as usize);
            $wrap(&mut copy);
            put(interface as usize, copy);
        }};
    }
    match kind {
        _ if kind == GUID_DXGKDDI_GPU_PARTITION_INTERFACE => {
            wrap!(DXGKDDI_GPU_PARTITION_INTERFACE, wrap_partition)
        }
        _ if kind == GUID_DXGKDDI_SRIOV_INTERFACE => wrap!(DXGKDDI_SRIOV_INTERFACE, wrap_sriov),
        _ if kind == GUID_DXGKDDI_MITIGABLE_DEVICE_INTERFACE => {
            wrap!(DXGKDDI_MITIGABLE_DEVICE_INTERFACE, wrap_mitigable);
        }
        _ if kind == GUID_DXGKDDI_FLEXIOV_DEVICE_INTERFACE => {
            wrap!(DXGKDDI_FLEXIOV_DEVICE_INTERFACE, wrap_flexiov)
        }
        _ if kind == GUID_WDDM_INTERFACE_FEATURE => {
            let mut copy: DXGKDDI_FEATURE_INTERFACE = get(interface as usize);
            wrap_feature(&mut copy);
            if let Some(query) = copy.QueryFeatureInterface {
                FEATURE.store(query as usize, Ordering::Release);
                copy.QueryFeatureInterface = Some(query_feature_interface);
            }
            put(interface as usize, copy);
        }
        _ => {}
    }
}

/// Callbacks without a handle concern every adapter there is, and there is one fault: one check at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The functions that the built-in driver gives, and the queries that it answers.
pub(crate) fn functions() -> Vec<&'static str> {
    let _alone = alone();
    let (driver, _) =
        gpup::check::against_built_in(|rule| rule.id == "testing.size").expect("the driver loads");
    driver.contract().calls().iter().map(|calls| calls.function).collect()
}

/// A whole check of the built-in driver with settings besides the checker's.
pub(crate) fn check(settings: &[(&str, u64)]) -> Vec<Finding> {
    check_with(settings, None, gpup::check::options().paging_timeout_ns)
}

/// The same with a fault, and a patience of the paging node's that many faults use up.
pub(crate) fn check_fault(fault: Fault, paging_timeout_ns: u64) -> Vec<Finding> {
    check_with(&[], Some(fault), paging_timeout_ns)
}

fn check_with(settings: &[(&str, u64)], fault: Option<Fault>, paging_timeout_ns: u64) -> Vec<Finding> {
    let _alone = alone();
    *FAULT.write().unwrap_or_else(PoisonError::into_inner) = fault;
    // Most rules provoke what the driver warns of: a failure would be buried under it.
    gpup_core::os::host::hush();
    dxgksim::host::std_host::install();
    gpup_kmd::os::host::connect_dxgkrnl(register);
    // SAFETY: the driver is linked into this process.
    let driver = unsafe { Driver::load(gpup_kmd::driver_entry, "gpup_kmd") };
    let driver = Arc::new(driver.expect("the driver loads"));
    let options = dxgksim::dxgkrnl::AdapterOptions { paging_timeout_ns, ..gpup::check::options() };
    for (name, value) in settings {
        gpup_kmd::os::host::set_setting(&options.registry_path, name, *value);
    }
    let findings = check::run(&driver, &options, |_| true);
    drop(driver);
    gpup_kmd::os::host::clear_settings(&options.registry_path);
    *FAULT.write().unwrap_or_else(PoisonError::into_inner) = None;
    findings
}

/// Calls the driver's own function of a slot with two arguments.
pub(crate) fn direct(name: &str, first: usize, second: usize) -> usize {
    let function = original(name);
    // SAFETY: the slot holds a function of two words, and words are passed.
    let function: unsafe extern "win64" fn(usize, usize) -> usize = unsafe { transmute_copy(&function) };
    // SAFETY: the fault passes what such a call takes.
    unsafe { function(first, second) }
}

/// Calls a callback of Dxgkrnl that takes up to seven words.
pub(crate) fn callback(function: usize, args: [usize; 7]) -> usize {
    // SAFETY: a callback of Dxgkrnl; the caller cleans up, so words too many do no harm.
    let function: unsafe extern "win64" fn(usize, usize, usize, usize, usize, usize, usize) -> usize =
        unsafe { transmute_copy(&function) };
    let [a, b, c, d, e, f, g] = args;
    // SAFETY: the fault passes what such a call takes.
    unsafe { function(a, b, c, d, e, f, g) }
}
