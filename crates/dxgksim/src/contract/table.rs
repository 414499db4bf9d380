//! What a compute-only driver must and must not put into its table.
//!
//! Microsoft's pages: "MCDM KM driver: required DDIs" and its list of DDIs that must be NULL.

use wddm::{
    DRIVER_INITIALIZATION_DATA, DXGKDDI_INTERFACE_VERSION_WDDM2_6, DXGKDDI_INTERFACE_VERSION_WDDM3_2,
};

use super::{Contract, rules};

macro_rules! names_where {
    ($table:expr, $test:ident: $( $member:ident )*) => {
        [ $( ($table.$member.$test(), stringify!($member)) ),* ]
    };
}

/// Checks a table as it is registered.
pub fn check_table(contract: &Contract, table: &DRIVER_INITIALIZATION_DATA) {
    let version = table.Version;
    contract.require(
        (DXGKDDI_INTERFACE_VERSION_WDDM2_6..=DXGKDDI_INTERFACE_VERSION_WDDM3_2).contains(&version),
        &rules::TABLE_VERSION,
        format_args!("Version {version:#x} is none of WDDM 2.6 to 3.2"),
    );
    for (missing, name) in required(table) {
        contract.require(!missing, &rules::TABLE_REQUIRED, format_args!("{name} is empty"));
    }
    for (present, name) in prohibited(table) {
        contract.require(!present, &rules::TABLE_PROHIBITED, format_args!("{name} must be empty"));
    }
}

/// The migration and dirty-tracking DDIs, for a driver that reports LiveMigration.
pub(crate) fn check_migration(contract: &Contract, table: &DRIVER_INITIALIZATION_DATA) {
    let entries = names_where!(table, is_none:
        DxgkDdiPrepareLiveMigration DxgkDdiSaveImmutableMigrationData DxgkDdiSaveMutableMigrationData
        DxgkDdiEndLiveMigration DxgkDdiRestoreImmutableMigrationData DxgkDdiRestoreMutableMigrationData
        DxgkDdiWriteVirtualizedInterrupt DxgkDdiCreateMemoryBasis DxgkDdiDestroyMemoryBasis
        DxgkDdiStartDirtyTracking DxgkDdiStopDirtyTracking DxgkDdiQueryDirtyBitData
    );
    for (missing, name) in entries {
        contract.require(!missing, &rules::TABLE_MIGRATION, format_args!("{name} is empty"));
    }
}

fn required(table: &DRIVER_INITIALIZATION_DATA) -> impl Iterator<Item = (bool, &'static str)> {
    names_where!(table, is_none:
        DxgkDdiAddDevice DxgkDdiStartDevice DxgkDdiStopDevice DxgkDdiRemoveDevice DxgkDdiResetDevice DxgkDdiUnload
        DxgkDdiInterruptRoutine DxgkDdiDpcRoutine DxgkDdiQueryChildRelations DxgkDdiQueryChildStatus
        DxgkDdiQueryDeviceDescriptor DxgkDdiSetPowerState DxgkDdiQueryAdapterInfo DxgkDdiCreateDevice
        DxgkDdiDestroyDevice DxgkDdiCreateContext DxgkDdiDestroyContext DxgkDdiCreateAllocation
        DxgkDdiDestroyAllocation DxgkDdiDescribeAllocation DxgkDdiGetStandardAllocationDriverData
        DxgkDdiOpenAllocation DxgkDdiCloseAllocation DxgkDdiBuildPagingBuffer DxgkDdiPreemptCommand
        DxgkDdiQueryDependentEngineGroup DxgkDdiQueryEngineStatus DxgkDdiResetEngine DxgkDdiResetFromTimeout
        DxgkDdiRestartFromTimeout DxgkDdiCollectDbgInfo DxgkDdiGetNodeMetadata DxgkDdiCalibrateGpuClock
        DxgkDdiFormatHistoryBuffer DxgkDdiSetStablePowerState DxgkDdiSetVirtualMachineData
        DxgkDdiCreateProcess DxgkDdiDestroyProcess DxgkDdiGetRootPageTableSize DxgkDdiSetRootPageTable
        DxgkDdiSubmitCommandVirtual DxgkDdiQueryInterface
    )
    .into_iter()
}

fn prohibited(table: &DRIVER_INITIALIZATION_DATA) -> impl Iterator<Item = (bool, &'static str)> {
    names_where!(table, is_some:
        DxgkDdiAcquireSwizzlingRange DxgkDdiReleaseSwizzlingRange DxgkDdiSetPalette DxgkDdiSetPointerPosition
        DxgkDdiSetPointerShape DxgkDdiIsSupportedVidPn DxgkDdiRecommendFunctionalVidPn
        DxgkDdiEnumVidPnCofuncModality DxgkDdiSetVidPnSourceAddress DxgkDdiSetVidPnSourceVisibility
        DxgkDdiCommitVidPn DxgkDdiUpdateActiveVidPnPresentPath DxgkDdiRecommendMonitorModes
        DxgkDdiRecommendVidPnTopology DxgkDdiGetScanLine DxgkDdiStopCapture DxgkDdiControlInterrupt
        DxgkDdiCreateOverlay DxgkDdiPresent DxgkDdiUpdateOverlay DxgkDdiFlipOverlay DxgkDdiDestroyOverlay
        DxgkDdiSetDisplayPrivateDriverFormat DxgkDdiQueryCurrentFence DxgkDdiNotifyAcpiEvent
        DxgkDdiExchangePreStartInfo DxgkDdiNotifyFocusPresent DxgkDdiControlDiagnosticReporting
        DxgkDdiCreateProtectedSession DxgkDdiDestroyProtectedSession DxgkDdiDisplayDetectControl
        DxgkDdiControlModeBehavior DxgkDdiSetVideoProtectedRegion DxgkDdiCheckMultiPlaneOverlaySupport2
        DxgkDdiCheckMultiPlaneOverlaySupport3 DxgkDdiPostMultiPlaneOverlayPresent DxgkDdiUpdateMonitorLinkInfo
        DxgkDdiSetTimingsFromVidPn DxgkDdiSetTargetGamma DxgkDdiSetTargetContentType
        DxgkDdiGetMultiPlaneOverlayCaps DxgkDdiGetPostCompositionCaps DxgkDdiPresentToHwQueue
    )
    .into_iter()
}
