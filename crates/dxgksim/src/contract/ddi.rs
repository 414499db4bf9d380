//! The DDIs that the simulated kernel calls: their IRQL and the status values their pages allow.

use wddm::{
    NTSTATUS, STATUS_GRAPHICS_ALLOCATION_BUSY, STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER,
    STATUS_INVALID_PARAMETER, STATUS_PENDING, STATUS_SUCCESS,
};

use super::{Irql, Rule, rules};

/// The status values that a DDI may return.
#[derive(Clone, Copy, Debug)]
pub enum Statuses {
    /// Any failure and success, but never STATUS_PENDING: the caller does not wait.
    Any,
    /// These only.
    Only(&'static [NTSTATUS]),
}

impl Statuses {
    /// Whether `status` is one of them.
    pub fn allow(self, status: NTSTATUS) -> bool {
        match self {
            Self::Any => status != STATUS_PENDING,
            Self::Only(list) => list.contains(&status),
        }
    }
}

/// A DDI.
#[derive(Debug)]
pub struct Ddi {
    /// Its name in the driver's table.
    pub name: &'static str,
    /// The IRQL at which it is called.
    pub irql: Irql,
    /// What it may return.
    pub statuses: Statuses,
    rule: &'static Rule,
}

impl Ddi {
    /// A call at PASSIVE_LEVEL with any status.
    pub(crate) const fn passive(name: &'static str) -> Self {
        Self { name, irql: Irql::Passive, statuses: Statuses::Any, rule: &rules::STATUS }
    }

    /// The rule that a wrong status breaks.
    pub(crate) fn status_rule(&self) -> &'static Rule {
        self.rule
    }
}

macro_rules! calls {
    ($( $id:ident $name:literal; )*) => {
        $( pub(crate) static $id: Ddi = Ddi {
            name: $name, irql: Irql::Passive, statuses: Statuses::Any, rule: &rules::STATUS,
        }; )*
    };
}

/// Every call that the simulated kernel makes.
pub(crate) mod calls {
    use super::*;

    calls! {
        DRIVER_ENTRY "DriverEntry";
        UNLOAD "DxgkDdiUnload";
        ADD_DEVICE "DxgkDdiAddDevice";
        START_DEVICE "DxgkDdiStartDevice";
        STOP_DEVICE "DxgkDdiStopDevice";
        REMOVE_DEVICE "DxgkDdiRemoveDevice";
        SURPRISE_REMOVAL "DxgkDdiNotifySurpriseRemoval";
        QUERY_CHILD_RELATIONS "DxgkDdiQueryChildRelations";
        QUERY_INTERFACE "DxgkDdiQueryInterface";
        QUERY_ADAPTER_INFO "DxgkDdiQueryAdapterInfo";
        GET_NODE_METADATA "DxgkDdiGetNodeMetadata";
        CREATE_PROCESS "DxgkDdiCreateProcess";
        DESTROY_PROCESS "DxgkDdiDestroyProcess";
        CREATE_DEVICE "DxgkDdiCreateDevice";
        DESTROY_DEVICE "DxgkDdiDestroyDevice";
        CREATE_CONTEXT "DxgkDdiCreateContext";
        DESTROY_CONTEXT "DxgkDdiDestroyContext";
        GET_STANDARD_ALLOCATION "DxgkDdiGetStandardAllocationDriverData";
        CREATE_ALLOCATION "DxgkDdiCreateAllocation";
        DESTROY_ALLOCATION "DxgkDdiDestroyAllocation";
        GET_ROOT_PAGE_TABLE_SIZE "DxgkDdiGetRootPageTableSize";
        SET_ROOT_PAGE_TABLE "DxgkDdiSetRootPageTable";
        QUERY_FEATURE_SUPPORT "DxgkDdiQueryFeatureSupport";
        QUERY_FEATURE_INTERFACE "DxgkDdiQueryFeatureInterface";
        BUILD_TEST_COMMAND_BUFFER "DxgkDdiBuildTestCommandBuffer";
        GET_GPU_PARTITION_INFO "DxgkDdiGetGpuPartitionInfo";
        SET_GPU_PARTITION_COUNT "DxgkDdiSetGpuPartitionCount";
        GET_VIRTUAL_GPU_PROFILE "DxgkDdiGetVirtualGpuProfile";
        CREATE_VIRTUAL_GPU "DxgkDdiCreateVirtualGpu";
        SET_VIRTUAL_GPU_RESOURCES "DxgkDdiSetVirtualGpuResources";
        SET_VIRTUAL_GPU_RESOURCES2 "DxgkDdiSetVirtualGpuResources2";
        DESTROY_VIRTUAL_GPU "DxgkDdiDestroyVirtualGpu";
        READ_CONFIG "DxgkDdiReadVirtualFunctionConfig";
        QUERY_PROBED_BARS "DxgkDdiQueryProbedBars";
        GET_VENDOR_AND_DEVICE "DxgkDdiGetVendorAndDevice";
        RESET_VIRTUAL_FUNCTION "DxgkDdiResetVirtualFunction";
        SET_VIRTUAL_FUNCTION_POWER_STATE "DxgkDdiSetVirtualFunctionPowerState";
        GET_RESOURCE_FOR_BAR "DxgkDdiGetResourceForBar";
        QUERY_MITIGATED_RANGE_COUNT "DxgkDdiQueryMitigatedRangeCount";
        QUERY_MITIGATED_RANGES "DxgkDdiQueryMitigatedRanges";
        GET_BACKING_RESOURCE "DxgkDdiGetBackingResource";
        GET_MMIO_RANGE_COUNT "DxgkDdiGetMmioRangeCount";
        GET_MMIO_RANGES "DxgkDdiGetMmioRanges";
        CREATE_MEMORY_BASIS "DxgkDdiCreateMemoryBasis";
        START_DIRTY_TRACKING "DxgkDdiStartDirtyTracking";
        STOP_DIRTY_TRACKING "DxgkDdiStopDirtyTracking";
        QUERY_DIRTY_BIT_DATA "DxgkDdiQueryDirtyBitData";
        PREPARE_LIVE_MIGRATION "DxgkDdiPrepareLiveMigration";
        SAVE_IMMUTABLE "DxgkDdiSaveImmutableMigrationData";
        SAVE_MUTABLE "DxgkDdiSaveMutableMigrationData";
        END_LIVE_MIGRATION "DxgkDdiEndLiveMigration";
        RESTORE_IMMUTABLE "DxgkDdiRestoreImmutableMigrationData";
        RESTORE_MUTABLE "DxgkDdiRestoreMutableMigrationData";
        WRITE_VIRTUALIZED_INTERRUPT "DxgkDdiWriteVirtualizedInterrupt";
        SET_VIRTUAL_FUNCTION_PAUSE_STATE "DxgkDdiSetVirtualFunctionPauseState";
        ESCAPE "DxgkDdiEscape";
        QUERY_ENGINE_STATUS "DxgkDdiQueryEngineStatus";
        RESET_ENGINE "DxgkDdiResetEngine";
        COLLECT_DBG_INFO "DxgkDdiCollectDbgInfo";
        CANCEL_COMMAND "DxgkDdiCancelCommand";
        CONTROL_ETW_LOGGING "DxgkDdiControlEtwLogging";
    }

    macro_rules! never_fail {
        ($( $id:ident $name:literal; )*) => {
            $( pub(crate) static $id: Ddi = Ddi {
                name: $name,
                irql: Irql::Passive,
                statuses: Statuses::Only(&[STATUS_SUCCESS]),
                rule: &rules::NEVER_FAILS,
            }; )*
        };
    }

    never_fail! {
        SET_POWER_STATE "DxgkDdiSetPowerState";
        RESET_FROM_TIMEOUT "DxgkDdiResetFromTimeout";
        RESTART_FROM_TIMEOUT "DxgkDdiRestartFromTimeout";
    }

    /// DISPATCH_LEVEL, nothing returned.
    pub(crate) static DPC_ROUTINE: Ddi = Ddi {
        name: "DxgkDdiDpcRoutine",
        irql: Irql::Dispatch,
        statuses: Statuses::Any,
        rule: &rules::STATUS,
    };

    pub(crate) static BUILD_PAGING_BUFFER: Ddi = Ddi {
        name: "DxgkDdiBuildPagingBuffer",
        irql: Irql::Passive,
        statuses: Statuses::Only(&[
            STATUS_SUCCESS,
            STATUS_GRAPHICS_ALLOCATION_BUSY,
            STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER,
        ]),
        rule: &rules::PAGING_STATUS,
    };

    pub(crate) static SUBMIT_COMMAND_VIRTUAL: Ddi = Ddi {
        name: "DxgkDdiSubmitCommandVirtual",
        irql: Irql::Passive,
        statuses: Statuses::Only(&[STATUS_SUCCESS, STATUS_INVALID_PARAMETER]),
        rule: &rules::SUBMIT_STATUS,
    };

    pub(crate) static DESTROY_MEMORY_BASIS: Ddi = Ddi {
        name: "DxgkDdiDestroyMemoryBasis",
        irql: Irql::Passive,
        statuses: Statuses::Only(&[STATUS_SUCCESS]),
        rule: &rules::BASIS_DESTROY,
    };
}
