//! Live migration of a virtual function: prepare, save, restore, interrupts, pausing.
//!
//! All of it at PASSIVE_LEVEL and synchronization level 0: calls for different virtual functions, and for the same one,
//! may be inside the driver at once.

use crate::base::{BOOLEAN, HANDLE};
use crate::macros::{abi, bits, callbacks, open_enum};
use crate::status::NTSTATUS;

open_enum! {
    /// The header's `DXGK_GPUP_MIGRATIONTYPE`.
    pub enum DXGK_GPUP_MIGRATIONTYPE {
        DXGK_GPUP_MIGRATIONTYPE_SOURCE = 0,
        DXGK_GPUP_MIGRATIONTYPE_TARGET = 1,
    }

    /// The header's `DXGIDDI_PARTITIONING_EVENT_TYPE`.
    pub enum DXGIDDI_PARTITIONING_EVENT_TYPE {
        DXGK_PARTITION_EVENT_FUNCTION_LEVEL_RESET = 0,
        DXGK_PARTITION_EVENT_FUNDAMENTAL_WARM_RESET = 1,
        DXGK_PARTITION_EVENT_DRIVER_INTERNAL = 2,
    }
}

bits! {
    /// `Caps` of [`DXGK_GPUPCAPS`].
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
    /// The header's `DXGKARG_GPUP_PREPARE_LIVE_MIGRATION`.
    pub struct DXGKARG_GPUP_PREPARE_LIVE_MIGRATION {
        vfIndex: u32,
        MigrationType: DXGK_GPUP_MIGRATIONTYPE,
    }

    /// The header's `DXGKARG_GPUP_SAVE_IMMUTABLE_MIGRATION_DATA`.
    pub struct DXGKARG_GPUP_SAVE_IMMUTABLE_MIGRATION_DATA {
        vfIndex: u32,
        DataSize: *mut u64,
        Data: *mut u8,
    }

    /// The header's `DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA`.
    pub struct DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA {
        vfIndex: u32,
        DataSize: *mut u64,
        Data: *mut u8,
    }

    /// The header's `DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA`.
    pub struct DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA {
        vfIndex: u32,
        DataSize: u64,
        Data: *mut u8,
    }

    /// The header's `DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA`.
    pub struct DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA {
        vfIndex: u32,
        DataSize: u64,
        Data: *mut u8,
    }

    /// The header's `DXGK_INTERRUPT_TABLE_ENTRY`.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_INTERRUPT_TABLE_ENTRY {
        MessageAddress: u64,
        MessageData: u32,
        VectorControl: u32,
    }

    /// The header's `DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX`.
    pub struct DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX {
        vfIndex: u32,
        InterruptTableIndex: i16,
        WriteValue: DXGK_INTERRUPT_TABLE_ENTRY,
    }

    /// The header's `DXGK_GPU_PHYSICAL_RESERVE_DESCRIPTOR`.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_GPU_PHYSICAL_RESERVE_DESCRIPTOR {
        DriverAllocationHandle: HANDLE,
        MemoryBasis: HANDLE,
    }

    /// The header's `DXGKARG_SETVIRTUALGPURESOURCES2`.
    pub struct DXGKARG_SETVIRTUALGPURESOURCES2 {
        vfIndex: u32,
        SegmentCount: u32,
        SegmentDescriptors: [DXGK_GPU_PHYSICAL_RESERVE_DESCRIPTOR; 1],
    }

    /// The header's `DXGKARG_SETVIRTUALFUNCTIONPAUSESTATE`.
    pub struct DXGKARG_SETVIRTUALFUNCTIONPAUSESTATE {
        vfIndex: u32,
        bPause: BOOLEAN,
    }

    /// The header's `DXGK_GPUPCAPS`.
    pub struct DXGK_GPUPCAPS {
        Caps: DXGK_GPUPCAPS_CAPS,
    }

    /// The header's `DXGK_QUERYSCATTERRESERVEIN`.
    pub struct DXGK_QUERYSCATTERRESERVEIN {
        SegmentId: u32,
    }

    /// The header's `DXGK_QUERYSCATTERRESERVEOUT`.
    pub struct DXGK_QUERYSCATTERRESERVEOUT {
        SetVGPUResourcesPageSize: u64,
    }

    /// The header's `DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION`.
    pub struct DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION {
        hAdapter: HANDLE,
        EventType: DXGIDDI_PARTITIONING_EVENT_TYPE,
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
    /// The header's `DXGKDDI_PREPARELIVEMIGRATION`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_PREPARELIVEMIGRATION = DXGKDDI_PREPARELIVEMIGRATION(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_GPUP_PREPARE_LIVE_MIGRATION,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_SAVEIMMUTABLEMIGRATIONDATA`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_SAVEIMMUTABLEMIGRATIONDATA = DXGKDDI_SAVEIMMUTABLEMIGRATIONDATA(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARG_GPUP_SAVE_IMMUTABLE_MIGRATION_DATA,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_SAVEMUTABLEMIGRATIONDATA`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_SAVEMUTABLEMIGRATIONDATA = DXGKDDI_SAVEMUTABLEMIGRATIONDATA(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_ENDLIVEMIGRATION`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_ENDLIVEMIGRATION = DXGKDDI_ENDLIVEMIGRATION(hAdapter: HANDLE, vfIndex: u32) -> NTSTATUS;

    /// The header's `DXGKDDI_RESTOREIMMUTABLEMIGRATIONDATA`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_RESTOREIMMUTABLEMIGRATIONDATA = DXGKDDI_RESTOREIMMUTABLEMIGRATIONDATA(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_RESTOREMUTABLEMIGRATIONDATA`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_RESTOREMUTABLEMIGRATIONDATA = DXGKDDI_RESTOREMUTABLEMIGRATIONDATA(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_WRITEVIRTUALIZEDINTERRUPT`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_WRITEVIRTUALIZEDINTERRUPT = DXGKDDI_WRITEVIRTUALIZEDINTERRUPT(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_SETVIRTUALGPURESOURCES2`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_SETVIRTUALGPURESOURCES2 = DXGKDDI_SETVIRTUALGPURESOURCES2(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_SETVIRTUALGPURESOURCES2,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_SETVIRTUALFUNCTIONPAUSESTATE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_SETVIRTUALFUNCTIONPAUSESTATE = DXGKDDI_SETVIRTUALFUNCTIONPAUSESTATE(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_SETVIRTUALFUNCTIONPAUSESTATE,
    ) -> NTSTATUS;
}
