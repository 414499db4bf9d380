//! The rules of the contract, each with the title of the page or article that states it.

/// A rule of the contract.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name in reports.
    pub id: &'static str,
    /// The page or article that states it.
    pub page: &'static str,
    /// What it asks, in a sentence.
    pub text: &'static str,
}

macro_rules! rules {
    ($( $id:ident, $page:literal, $text:literal; )*) => {
        $(
            #[doc = $text]
            pub(crate) static $id: Rule = Rule { id: stringify!($id), page: $page, text: $text };
        )*

        /// All rules.
        pub static RULES: &[&Rule] = &[ $( &$id ),* ];
    };
}

rules! {
    STATUS, "the DDI's own page",
        "A DDI returns only the status values that its page lists.";
    NEVER_FAILS, "DXGKDDI_SET_POWER_STATE callback function (dispmprt.h)",
        "SetPowerState, ResetFromTimeout and RestartFromTimeout succeed, whatever there is to be had.";
    PAGING_STATUS, "DXGKDDI_BUILDPAGINGBUFFER callback function (d3dkmddi.h)",
        "BuildPagingBuffer returns success, ALLOCATION_BUSY or INSUFFICIENT_DMA_BUFFER; anything else is a bug check.";
    SUBMIT_STATUS, "DXGKDDI_SUBMITCOMMANDVIRTUAL callback function (d3dkmddi.h)",
        "SubmitCommandVirtual returns success or INVALID_PARAMETER; anything else is a bug check.";
    BASIS_DESTROY, "DXGKDDI_DESTROYMEMORYBASIS callback function (d3dkmddi.h)",
        "DestroyMemoryBasis does not fail; anything but success is catastrophic.";
    OUTPUT_OVERRUN, "DXGKARG_QUERYADAPTERINFO structure (d3dkmddi.h)",
        "No DDI writes past the size of the buffer it was given.";
    PAGING_BUFFER, "DXGKARG_BUILDPAGINGBUFFER structure (d3dkmddi.h)",
        "BuildPagingBuffer moves pDmaBuffer past what it wrote, never back and never past DmaSize.";
    PAGING_IMMEDIATE, "System paging process",
        "An update in mode CPU_VIRTUAL with no DMA buffer is done at once and in one pass.";
    MULTIPASS, "DXGKDDI_BUILDPAGINGBUFFER callback function (d3dkmddi.h)",
        "A multi-pass operation makes progress with every new DMA buffer.";
    IRQL_CHANGED, "Managing Hardware Priorities",
        "A DDI leaves the IRQL as it found it.";
    CALLBACK_IRQL, "the callback's own page",
        "A callback is called at no higher IRQL than its page allows.";
    NOTIFY_INTERRUPT_IRQL, "DXGKCB_NOTIFY_INTERRUPT (d3dkmddi.h)",
        "NotifyInterrupt is called at DIRQL: in the ISR or under SynchronizeExecution.";
    NOTIFY_REENTRANT, "DXGKCB_NOTIFY_INTERRUPT (d3dkmddi.h)",
        "NotifyInterrupt is never reentered.";
    QUEUE_DPC, "DXGKCB_NOTIFY_INTERRUPT (d3dkmddi.h)",
        "After NotifyInterrupt, QueueDpc is called before DIRQL is left.";
    NOTIFY_DPC, "DXGKCB_NOTIFY_DPC (d3dkmddi.h)",
        "DpcRoutine calls NotifyDpc, at DISPATCH_LEVEL, for what NotifyInterrupt reported.";
    INTERRUPT_TYPE, "DXGK_INTERRUPT_TYPE enumeration (d3dkmddi.h)",
        "A compute-only adapter reports no display interrupts.";
    FENCE_ORDER, "DXGKARGCB_NOTIFY_INTERRUPT_DATA structure (d3dkmddi.h)",
        "A node's fences are reported in the order of submission.";
    FENCE_ONCE, "DXGKARGCB_NOTIFY_INTERRUPT_DATA structure (d3dkmddi.h)",
        "A fence is reported once.";
    FENCE_UNKNOWN, "DXGKARGCB_NOTIFY_INTERRUPT_DATA structure (d3dkmddi.h)",
        "Only submitted fences are reported, on nodes that exist.";
    PREEMPTED_FENCE, "DXGKARGCB_NOTIFY_INTERRUPT_DATA structure (d3dkmddi.h)",
        "A preemption is answered with the fence that was completed last.";
    FAULTED_FENCE, "DXGK_PAGE_FAULT_FLAGS enumeration (d3dkmdt.h)",
        "After a page fault the faulted fence is the last completed one: a preemption or a reset is answered from there.";
    REFUSED_FENCE, "DXGKDDI_SUBMITCOMMANDVIRTUAL callback function (d3dkmddi.h)",
        "A fence whose submission was refused is completed once those before it are: a preemption or a reset is answered from there.";
    ABORTED_FENCE, "TDR changes in Windows 8",
        "ResetEngine answers a fence from the last completed one to the last submitted; any other is a bug check.";
    DEVICE_HANDLE, "DXGKRNL_INTERFACE structure (dispmprt.h)",
        "Callbacks get DXGKRNL_INTERFACE.DeviceHandle, not the miniport's own context.";
    CALLBACK_MISUSED, "Compute-only driver (MCDM) KM guidelines",
        "A compute-only driver calls no display callback and nothing it has no capability for.";
    TABLE_REQUIRED, "MCDM KM driver: required DDIs",
        "A compute-only driver supplies every required DDI.";
    TABLE_PROHIBITED, "MCDM KM driver: prohibited DDIs",
        "A compute-only driver leaves the display's DDIs empty.";
    TABLE_VERSION, "DRIVER_INITIALIZATION_DATA structure (dispmprt.h)",
        "Version is a known interface version, and agrees with DRIVERCAPS.WDDMVersion and WDDMDEVICECAPS.";
    TABLE_MIGRATION, "Live migration on GPU-P devices",
        "A driver with the LiveMigration cap supplies the migration and the dirty-tracking DDIs.";
    CAP_REQUIRED, "MCDM KM driver: required capabilities",
        "The capabilities that a compute-only driver must report are reported.";
    CAP_PROHIBITED, "MCDM KM driver: required capabilities",
        "The capabilities that a compute-only driver must not report are absent.";
    CAP_TRACKING, "Live migration on GPU-P devices",
        "LiveMigration is reported only with dirty tracking on every local segment; else the adapter does not start.";
    CAP_PAGE_SIZE, "DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS structure (d3dkmddi.h)",
        "A segment's tracking page size is a power of two of at least 4096.";
    CAP_PAGING, "DXGK_GPUMMUCAPS structure (d3dkmddi.h)",
        "Page table levels, sizes, the update mode and the paging node make sense together.";
    QUERY_UNSUPPORTED, "MCDM KM driver: DxgkDdiQueryAdapterInfo types",
        "The query types that a compute-only driver must not support are refused.";
    CHILDREN, "MCDM KM driver: required DDIs",
        "A compute-only adapter has no video present sources and no children.";
    INTERFACE_SIZE, "QUERY_INTERFACE structure (video.h)",
        "QueryInterface honours Size, fills in every function and gives the documented version.";
    PARTITION, "DXGKDDI_GPU_PARTITION_INTERFACE structure (dispmprt.h)",
        "Partition options, profiles and the segments of a virtual GPU make sense.";
    CONTIGUOUS, "DXGK_ALLOCATIONINFOFLAGS_WDDM2_0 structure (d3dkmddi.h)",
        "Memory that goes to the driver as one physical address and size is allocated AccessedPhysically.";
    TRACKING_STATUS, "DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS structure (d3dkmddi.h)",
        "A segment without dirty tracking answers STATUS_NOT_IMPLEMENTED when it is asked for its tracking page size.";
    BUSY_IDLE, "DXGKDDI_BUILDPAGINGBUFFER callback function (d3dkmddi.h)",
        "ALLOCATION_BUSY is no answer once the allocation is idle: AllocationIsIdle, or nothing under way.";
    SEGMENT_WALK, "DXGK_QUERYSEGMENTOUT4 structure (d3dkmddi.h)",
        "The second segment query reports the same segments that the first one announced.";
    SAVE_TWO_CALLS, "DXGKDDI_SAVEMUTABLEMIGRATIONDATA callback function (d3dkmddi.h)",
        "The size that the first Save call gives holds for the second.";
    RESTORE_TRIAGE, "DXGKDDI_RESTOREIMMUTABLEMIGRATIONDATA callback function (d3dkmddi.h)",
        "A refusal of immutable data is STATUS_OBJECT_TYPE_MISMATCH after a triage event that says why.";
    ETW_EVENT, "DXGKCB_LOG_ETW_EVENT (dispmprt.h)",
        "A triage event has its documented size, and names a partition.";
    DIRTY_BITS, "DXGKARG_QUERYDIRTYBITDATA structure (d3dkmddi.h)",
        "A dirty query writes ceil(bytes / page size / 8) bytes, and no bit past the last page.";
    BAR_COVERAGE, "DXGKDDI_GETMMIORANGES callback function (dispmprt.h)",
        "The MMIO ranges cover every page of a BAR exactly once, each inside its resource.";
    BAR_SIZE, "DXGKARG_QUERYPROBEDBARS structure (dispmprt.h)",
        "Probed BARs are of the form ~(size - 1), a power of two.";
    LEAK, "DXGKDDI_REMOVE_DEVICE callback function (dispmprt.h)",
        "What a driver took from Dxgkrnl it gives back before the device is removed.";
}
