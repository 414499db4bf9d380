//! Live migration of a virtual function: prepare, save, restore, interrupts, pausing.
//!
//! All of it at PASSIVE_LEVEL and synchronization level 0: calls for different virtual functions, and for the same one,
//! may be inside the driver at once.

use crate::base::{BOOLEAN, HANDLE};
use crate::macros::{abi, bits, callbacks, open_enum};
use crate::status::NTSTATUS;

open_enum! {
    /// Which side of a live migration this host is.
    pub enum DXGK_GPUP_MIGRATIONTYPE {
        DXGK_GPUP_MIGRATIONTYPE_SOURCE = 0,
        DXGK_GPUP_MIGRATIONTYPE_TARGET = 1,
    }

    /// What a triage record is about.
    pub enum DXGIDDI_PARTITIONING_EVENT_TYPE {
        DXGK_PARTITION_EVENT_FUNCTION_LEVEL_RESET = 0,
        DXGK_PARTITION_EVENT_FUNDAMENTAL_WARM_RESET = 1,
        DXGK_PARTITION_EVENT_DRIVER_INTERNAL = 2,
    }
}

bits! {
    /// What GPU partitions can do. LiveMigration needs dirty-bit tracking too, or the adapter does not start.
    pub struct DXGK_GPUPCAPS_CAPS: u32 [Value] {
        VirtualMachineHibernation = 0,
        HotDriverUpdate = 1,
        LiveMigration = 2,
        ScatterMapReserve = 3,
    } reserved {
        Reserved = 4: 28,
    }
}

abi! {
    /// Argument of [`DXGKDDI_PREPARELIVEMIGRATION`].
    pub struct DXGKARG_GPUP_PREPARE_LIVE_MIGRATION {
        vfIndex: u32,
        MigrationType: DXGK_GPUP_MIGRATIONTYPE,
    }

    /// Argument of [`DXGKDDI_SAVEIMMUTABLEMIGRATIONDATA`]: where to put the data, or its length.
    pub struct DXGKARG_GPUP_SAVE_IMMUTABLE_MIGRATION_DATA {
        vfIndex: u32,
        /// In bytes; 0 asks for the length.
        DataSize: *mut u64,
        /// NULL when the length is asked for.
        Data: *mut u8,
    }

    /// Argument of [`DXGKDDI_SAVEMUTABLEMIGRATIONDATA`]: where to put the data, or its length.
    pub struct DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA {
        vfIndex: u32,
        /// In bytes; 0 asks for the length.
        DataSize: *mut u64,
        /// NULL when the length is asked for.
        Data: *mut u8,
    }

    /// Argument of [`DXGKDDI_RESTOREIMMUTABLEMIGRATIONDATA`]: the bytes, from another host and not to be
    /// trusted.
    pub struct DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA {
        vfIndex: u32,
        /// In bytes.
        DataSize: u64,
        Data: *mut u8,
    }

    /// Argument of [`DXGKDDI_RESTOREMUTABLEMIGRATIONDATA`]: the bytes, from another host and not to be
    /// trusted.
    pub struct DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA {
        vfIndex: u32,
        /// In bytes.
        DataSize: u64,
        Data: *mut u8,
    }

    /// An entry of the MSI-X table, already in the host's terms.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_INTERRUPT_TABLE_ENTRY {
        MessageAddress: u64,
        MessageData: u32,
        VectorControl: u32,
    }

    /// Argument of [`DXGKDDI_WRITEVIRTUALIZEDINTERRUPT`]: one entry of a virtual function's table.
    pub struct DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX {
        vfIndex: u32,
        InterruptTableIndex: i16,
        /// Message address and data are the host's.
        WriteValue: DXGK_INTERRUPT_TABLE_ENTRY,
    }

    /// Video memory of one segment that a virtual function gets.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_GPU_PHYSICAL_RESERVE_DESCRIPTOR {
        DriverAllocationHandle: HANDLE,
        MemoryBasis: HANDLE,
    }

    /// Argument of [`DXGKDDI_SETVIRTUALGPURESOURCES2`], of variable length.
    pub struct DXGKARG_SETVIRTUALGPURESOURCES2 {
        vfIndex: u32,
        SegmentCount: u32,
        /// The first of `SegmentCount`.
        SegmentDescriptors: [DXGK_GPU_PHYSICAL_RESERVE_DESCRIPTOR; 1],
    }

    /// Argument of [`DXGKDDI_SETVIRTUALFUNCTIONPAUSESTATE`].
    pub struct DXGKARG_SETVIRTUALFUNCTIONPAUSESTATE {
        vfIndex: u32,
        /// Not zero: pause; zero: back to the natural state.
        bPause: BOOLEAN,
    }

    /// Answer to query 30, DXGKQAITYPE_GPUPCAPS: what GPU partitions can do.
    pub struct DXGK_GPUPCAPS {
        Caps: DXGK_GPUPCAPS_CAPS,
    }

    /// Input of query 41, DXGKQAITYPE_SCATTER_RESERVE.
    pub struct DXGK_QUERYSCATTERRESERVEIN {
        SegmentId: u32,
    }

    /// Answer to query 41, DXGKQAITYPE_SCATTER_RESERVE.
    pub struct DXGK_QUERYSCATTERRESERVEOUT {
        /// In bytes; ranges of SetVirtualGpuResources2 are aligned to it.
        SetVGPUResourcesPageSize: u64,
    }

    /// A triage record, sent with DxgkCbLogEtwEvent under GUID_DXGKDDI_AZURE_TRIAGE_EVENT. Longer than 256
    /// bytes, so only at PASSIVE_LEVEL.
    pub struct DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION {
        hAdapter: HANDLE,
        EventType: DXGIDDI_PARTITIONING_EVENT_TYPE,
        /// `u32::MAX` is the whole GPU, `u32::MAX - 1` the physical function.
        PartitionId: u32,
        EventDescription: [u16; 255],
        EventData1: u64,
        EventData2: u64,
        EventData3: u64,
        EventData4: u64,
        EventData5: u64,
    }
}

callbacks! {
    /// Makes ready for a live migration, on the source and on the target: from here paging for this virtual
    /// function takes time only from it or from nobody.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_PREPARELIVEMIGRATION = DXGKDDI_PREPARELIVEMIGRATION(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_GPUP_PREPARE_LIVE_MIGRATION,
    ) -> NTSTATUS;

    /// Gives what the target needs to check that it fits, while the virtual function still runs. Called
    /// twice: for the length (`*DataSize` 0, `Data` NULL), then for the bytes.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_SAVEIMMUTABLEMIGRATIONDATA = DXGKDDI_SAVEIMMUTABLEMIGRATIONDATA(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARG_GPUP_SAVE_IMMUTABLE_MIGRATION_DATA,
    ) -> NTSTATUS;

    /// Gives all state outside video memory of a paused virtual function. Called twice: for the length, then
    /// for the bytes.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_SAVEMUTABLEMIGRATIONDATA = DXGKDDI_SAVEMUTABLEMIGRATIONDATA(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA,
    ) -> NTSTATUS;

    /// Ends a live migration: back to normal scheduling.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_ENDLIVEMIGRATION = DXGKDDI_ENDLIVEMIGRATION(hAdapter: HANDLE, vfIndex: u32) -> NTSTATUS;

    /// Checks on the target whether the source's virtual function fits. If not: a triage event, then
    /// STATUS_OBJECT_TYPE_MISMATCH.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_RESTOREIMMUTABLEMIGRATIONDATA = DXGKDDI_RESTOREIMMUTABLEMIGRATIONDATA(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA,
    ) -> NTSTATUS;

    /// Rebuilds a paused virtual function's state on the target.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_RESTOREMUTABLEMIGRATIONDATA = DXGKDDI_RESTOREMUTABLEMIGRATIONDATA(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA,
    ) -> NTSTATUS;

    /// Writes one entry of a virtual function's MSI-X table, at any time in its life.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_WRITEVIRTUALIZEDINTERRUPT = DXGKDDI_WRITEVIRTUALIZEDINTERRUPT(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX,
    ) -> NTSTATUS;

    /// Gives a virtual function scattered video memory; only with the capability ScatterMapReserve.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_SETVIRTUALGPURESOURCES2 = DXGKDDI_SETVIRTUALGPURESOURCES2(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_SETVIRTUALGPURESOURCES2,
    ) -> NTSTATUS;

    /// Takes a virtual function off the engines, or puts it back.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_SETVIRTUALFUNCTIONPAUSESTATE = DXGKDDI_SETVIRTUALFUNCTIONPAUSESTATE(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_SETVIRTUALFUNCTIONPAUSESTATE,
    ) -> NTSTATUS;
}
