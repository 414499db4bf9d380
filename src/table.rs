//! DRIVER_INITIALIZATION_DATA: every callback the driver has, one line each.
//!
//! What is not here stays NULL: everything of displays, and the optional sets the driver does not offer. A
//! compute-only driver must leave the display callbacks empty.

use wddm::{DRIVER_INITIALIZATION_DATA, DXGKDDI_INTERFACE_VERSION_WDDM3_2};

use crate::ddi::{
    adapter, allocation, caps, context, debug, dirty, escape, interface, interrupt, logging, migration, node,
    paging, power, sriov, submission, timeout,
};

/// The table that DxgkInitialize gets.
pub(crate) fn table() -> DRIVER_INITIALIZATION_DATA {
    DRIVER_INITIALIZATION_DATA {
        Version: DXGKDDI_INTERFACE_VERSION_WDDM3_2,

        DxgkDdiAddDevice: Some(adapter::add_device),
        DxgkDdiStartDevice: Some(adapter::start_device),
        DxgkDdiStopDevice: Some(adapter::stop_device),
        DxgkDdiRemoveDevice: Some(adapter::remove_device),
        DxgkDdiResetDevice: Some(adapter::reset_device),
        DxgkDdiUnload: Some(crate::unload),
        DxgkDdiNotifySurpriseRemoval: Some(adapter::notify_surprise_removal),
        DxgkDdiQueryChildRelations: Some(adapter::query_child_relations),
        DxgkDdiQueryChildStatus: Some(adapter::query_child_status),
        DxgkDdiQueryDeviceDescriptor: Some(adapter::query_device_descriptor),
        DxgkDdiQueryInterface: Some(interface::query_interface),
        DxgkDdiQueryAdapterInfo: Some(caps::query_adapter_info),

        DxgkDdiInterruptRoutine: Some(interrupt::interrupt_routine),
        DxgkDdiDpcRoutine: Some(interrupt::dpc_routine),
        DxgkDdiSetPowerState: Some(power::set_power_state),
        DxgkDdiSetStablePowerState: Some(power::set_stable_power_state),
        DxgkDdiSetVirtualMachineData: Some(power::set_virtual_machine_data),

        DxgkDdiCreateProcess: Some(context::create_process),
        DxgkDdiDestroyProcess: Some(context::destroy_process),
        DxgkDdiCreateDevice: Some(context::create_device),
        DxgkDdiDestroyDevice: Some(context::destroy_device),
        DxgkDdiCreateContext: Some(context::create_context),
        DxgkDdiDestroyContext: Some(context::destroy_context),
        DxgkDdiSetRootPageTable: Some(context::set_root_page_table),
        DxgkDdiGetRootPageTableSize: Some(context::get_root_page_table_size),

        DxgkDdiCreateAllocation: Some(allocation::create_allocation),
        DxgkDdiDestroyAllocation: Some(allocation::destroy_allocation),
        DxgkDdiDescribeAllocation: Some(allocation::describe_allocation),
        DxgkDdiGetStandardAllocationDriverData: Some(allocation::get_standard_allocation_driver_data),
        DxgkDdiOpenAllocation: Some(allocation::open_allocation),
        DxgkDdiCloseAllocation: Some(allocation::close_allocation),

        DxgkDdiBuildPagingBuffer: Some(paging::build_paging_buffer),
        DxgkDdiSubmitCommandVirtual: Some(submission::submit_command_virtual),
        DxgkDdiPreemptCommand: Some(submission::preempt_command),
        DxgkDdiCancelCommand: Some(submission::cancel_command),

        DxgkDdiQueryDependentEngineGroup: Some(timeout::query_dependent_engine_group),
        DxgkDdiQueryEngineStatus: Some(timeout::query_engine_status),
        DxgkDdiResetEngine: Some(timeout::reset_engine),
        DxgkDdiResetFromTimeout: Some(timeout::reset_from_timeout),
        DxgkDdiRestartFromTimeout: Some(timeout::restart_from_timeout),
        DxgkDdiCollectDbgInfo: Some(debug::collect_dbg_info),
        DxgkDdiEscape: Some(escape::escape),
        DxgkDdiControlEtwLogging: Some(logging::control_etw_logging),

        DxgkDdiGetNodeMetadata: Some(node::get_node_metadata),
        DxgkDdiCalibrateGpuClock: Some(node::calibrate_gpu_clock),
        DxgkDdiFormatHistoryBuffer: Some(node::format_history_buffer),

        DxgkDdiCreateMemoryBasis: Some(dirty::create_memory_basis),
        DxgkDdiDestroyMemoryBasis: Some(dirty::destroy_memory_basis),
        DxgkDdiStartDirtyTracking: Some(dirty::start_dirty_tracking),
        DxgkDdiStopDirtyTracking: Some(dirty::stop_dirty_tracking),
        DxgkDdiQueryDirtyBitData: Some(dirty::query_dirty_bit_data),

        DxgkDdiPrepareLiveMigration: Some(migration::prepare_live_migration),
        DxgkDdiSaveImmutableMigrationData: Some(migration::save_immutable_migration_data),
        DxgkDdiSaveMutableMigrationData: Some(migration::save_mutable_migration_data),
        DxgkDdiEndLiveMigration: Some(migration::end_live_migration),
        DxgkDdiRestoreImmutableMigrationData: Some(migration::restore_immutable_migration_data),
        DxgkDdiRestoreMutableMigrationData: Some(migration::restore_mutable_migration_data),
        DxgkDdiWriteVirtualizedInterrupt: Some(sriov::write_virtualized_interrupt),
        DxgkDdiSetVirtualGpuResources2: Some(sriov::set_virtual_gpu_resources2),
        DxgkDdiSetVirtualFunctionPauseState: Some(sriov::set_virtual_function_pause_state),

        ..DRIVER_INITIALIZATION_DATA::zeroed()
    }
}
