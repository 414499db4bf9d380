//! The gate: every call through the driver's table, with the contract on both sides of it.
//!
//! Structures that the driver writes travel with a canary behind them. A DDI that is not there answers
//! STATUS_NOT_IMPLEMENTED; that it should be there is checked at registration.
//!
//! UNSAFETY: calls the driver's functions.
#![expect(unsafe_code)]

use wddm::*;

use super::Core;
use crate::contract::{Contract, Ddi, Guarded, calls};

/// Calls a function with an argument structure, guarded, and writes the structure back.
pub(crate) fn guarded<T: Copy, R>(
    contract: &Contract,
    ddi: &'static Ddi,
    args: &mut T,
    call: impl FnOnce(&mut T) -> R,
) -> R {
    let mut copy = Guarded::new(*args);
    let result = call(&mut copy.value);
    *args = copy.checked(contract, ddi.name);
    result
}

/// `name(member, CALL, Type)`: an adapter's DDI that takes its context and one structure.
macro_rules! with_args {
    ($( $name:ident($member:ident, $call:ident, $args:ty); )*) => { $(
        pub(crate) fn $name(&self, args: &mut $args) -> NTSTATUS {
            let Some(ddi) = self.table.0.$member else { return STATUS_NOT_IMPLEMENTED };
            guarded(&self.contract, &calls::$call, args, |args| {
                self.contract.call(&calls::$call, || {
                    // SAFETY: the function is the driver's, its context the one it gave, the structure ours.
                    unsafe { ddi(self.context(), args) }
                })
            })
        }
    )* };
}

/// `name(member, CALL)`: a DDI that takes one handle.
macro_rules! with_handle {
    ($( $name:ident($member:ident, $call:ident); )*) => { $(
        pub(crate) fn $name(&self, handle: HANDLE) -> NTSTATUS {
            let Some(ddi) = self.table.0.$member else { return STATUS_NOT_IMPLEMENTED };
            self.contract.call(&calls::$call, || {
                // SAFETY: the function is the driver's and the handle one that it gave.
                unsafe { ddi(handle) }
            })
        }
    )* };
}

/// `name(member, CALL)`: a DDI that takes the adapter's context and one handle.
macro_rules! with_context_and_handle {
    ($( $name:ident($member:ident, $call:ident); )*) => { $(
        pub(crate) fn $name(&self, handle: HANDLE) -> NTSTATUS {
            let Some(ddi) = self.table.0.$member else { return STATUS_NOT_IMPLEMENTED };
            self.contract.call(&calls::$call, || {
                // SAFETY: the function is the driver's, its context and the handle those that it gave.
                unsafe { ddi(self.context(), handle) }
            })
        }
    )* };
}

impl Core {
    with_args! {
        build_paging_buffer(DxgkDdiBuildPagingBuffer, BUILD_PAGING_BUFFER, DXGKARG_BUILDPAGINGBUFFER);
        submit_command_virtual(DxgkDdiSubmitCommandVirtual, SUBMIT_COMMAND_VIRTUAL, DXGKARG_SUBMITCOMMANDVIRTUAL);
        create_process(DxgkDdiCreateProcess, CREATE_PROCESS, DXGKARG_CREATEPROCESS);
        create_device(DxgkDdiCreateDevice, CREATE_DEVICE, DXGKARG_CREATEDEVICE);
        create_allocation(DxgkDdiCreateAllocation, CREATE_ALLOCATION, DXGKARG_CREATEALLOCATION);
        destroy_allocation(DxgkDdiDestroyAllocation, DESTROY_ALLOCATION, DXGKARG_DESTROYALLOCATION);
        get_standard_allocation(
            DxgkDdiGetStandardAllocationDriverData, GET_STANDARD_ALLOCATION, DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA
        );
        query_interface(DxgkDdiQueryInterface, QUERY_INTERFACE, QUERY_INTERFACE);
        query_dirty_bit_data(DxgkDdiQueryDirtyBitData, QUERY_DIRTY_BIT_DATA, DXGKARG_QUERYDIRTYBITDATA);
        prepare_live_migration(
            DxgkDdiPrepareLiveMigration, PREPARE_LIVE_MIGRATION, DXGKARG_GPUP_PREPARE_LIVE_MIGRATION
        );
        save_immutable(
            DxgkDdiSaveImmutableMigrationData, SAVE_IMMUTABLE, DXGKARG_GPUP_SAVE_IMMUTABLE_MIGRATION_DATA
        );
        save_mutable(DxgkDdiSaveMutableMigrationData, SAVE_MUTABLE, DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA);
        restore_immutable(
            DxgkDdiRestoreImmutableMigrationData, RESTORE_IMMUTABLE, DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA
        );
        restore_mutable(
            DxgkDdiRestoreMutableMigrationData, RESTORE_MUTABLE, DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA
        );
        write_virtualized_interrupt(
            DxgkDdiWriteVirtualizedInterrupt, WRITE_VIRTUALIZED_INTERRUPT, DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX
        );
        set_virtual_gpu_resources2(
            DxgkDdiSetVirtualGpuResources2, SET_VIRTUAL_GPU_RESOURCES2, DXGKARG_SETVIRTUALGPURESOURCES2
        );
        set_pause_state(
            DxgkDdiSetVirtualFunctionPauseState, SET_VIRTUAL_FUNCTION_PAUSE_STATE, DXGKARG_SETVIRTUALFUNCTIONPAUSESTATE
        );
        escape(DxgkDdiEscape, ESCAPE, DXGKARG_ESCAPE);
        query_engine_status(DxgkDdiQueryEngineStatus, QUERY_ENGINE_STATUS, DXGKARG_QUERYENGINESTATUS);
        reset_engine(DxgkDdiResetEngine, RESET_ENGINE, DXGKARG_RESETENGINE);
    }

    with_handle! {
        stop_device(DxgkDdiStopDevice, STOP_DEVICE);
        remove_device(DxgkDdiRemoveDevice, REMOVE_DEVICE);
        destroy_device(DxgkDdiDestroyDevice, DESTROY_DEVICE);
        destroy_context(DxgkDdiDestroyContext, DESTROY_CONTEXT);
        reset_from_timeout(DxgkDdiResetFromTimeout, RESET_FROM_TIMEOUT);
        restart_from_timeout(DxgkDdiRestartFromTimeout, RESTART_FROM_TIMEOUT);
    }

    with_context_and_handle! {
        destroy_process(DxgkDdiDestroyProcess, DESTROY_PROCESS);
        destroy_memory_basis(DxgkDdiDestroyMemoryBasis, DESTROY_MEMORY_BASIS);
        start_dirty_tracking(DxgkDdiStartDirtyTracking, START_DIRTY_TRACKING);
        stop_dirty_tracking(DxgkDdiStopDirtyTracking, STOP_DIRTY_TRACKING);
    }

    /// The device's context is the handle here, not the adapter's.
    pub(crate) fn create_context(&self, device: HANDLE, args: &mut DXGKARG_CREATECONTEXT) -> NTSTATUS {
        let Some(ddi) = self.table.0.DxgkDdiCreateContext else { return STATUS_NOT_IMPLEMENTED };
        guarded(&self.contract, &calls::CREATE_CONTEXT, args, |args| {
            self.contract.call(&calls::CREATE_CONTEXT, || {
                // SAFETY: the function is the driver's, the device one that it made, the structure ours.
                unsafe { ddi(device, args) }
            })
        })
    }

    /// A memory basis, NULL when it cannot be made.
    pub(crate) fn create_memory_basis(&self, args: *const DXGKARG_CREATEMEMORYBASIS) -> HANDLE {
        let Some(ddi) = self.table.0.DxgkDdiCreateMemoryBasis else { return core::ptr::null_mut() };
        let call = || {
            // SAFETY: the function is the driver's and the structure with its ranges the caller's.
            unsafe { ddi(self.context(), args) }
        };
        self.contract.run_as(&calls::CREATE_MEMORY_BASIS, call, |basis: &HANDLE| basis.is_null())
    }

    /// The adapter's own power state; it has no children.
    pub(crate) fn set_power_state(&self, state: DEVICE_POWER_STATE) -> NTSTATUS {
        let Some(ddi) = self.table.0.DxgkDdiSetPowerState else { return STATUS_NOT_IMPLEMENTED };
        self.contract.call(&calls::SET_POWER_STATE, || {
            // SAFETY: the function is the driver's and the context the one that it gave.
            unsafe { ddi(self.context(), u32::MAX, state, POWER_ACTION::PowerActionNone) }
        })
    }

    pub(crate) fn end_live_migration(&self, vf: u32) -> NTSTATUS {
        let Some(ddi) = self.table.0.DxgkDdiEndLiveMigration else { return STATUS_NOT_IMPLEMENTED };
        self.contract.call(&calls::END_LIVE_MIGRATION, || {
            // SAFETY: the function is the driver's.
            unsafe { ddi(self.context(), vf) }
        })
    }

    pub(crate) fn root_page_table_size(&self, args: &mut DXGKARG_GETROOTPAGETABLESIZE) -> usize {
        let Some(ddi) = self.table.0.DxgkDdiGetRootPageTableSize else { return 0 };
        guarded(&self.contract, &calls::GET_ROOT_PAGE_TABLE_SIZE, args, |args| {
            self.contract.run(&calls::GET_ROOT_PAGE_TABLE_SIZE, || {
                // SAFETY: the function is the driver's and the structure ours.
                unsafe { ddi(self.context(), args) }
            })
        })
    }

    pub(crate) fn set_root_page_table(&self, args: &DXGKARG_SETROOTPAGETABLE) {
        if let Some(ddi) = self.table.0.DxgkDdiSetRootPageTable {
            self.contract.run(&calls::SET_ROOT_PAGE_TABLE, || {
                // SAFETY: the function is the driver's and the structure ours.
                unsafe { ddi(self.context(), args) }
            });
        }
    }

    pub(crate) fn query_adapter_info(&self, args: &DXGKARG_QUERYADAPTERINFO) -> NTSTATUS {
        let Some(ddi) = self.table.0.DxgkDdiQueryAdapterInfo else { return STATUS_NOT_IMPLEMENTED };
        let status = self.contract.call(&calls::QUERY_ADAPTER_INFO, || {
            // SAFETY: the function is the driver's, the structure and its buffers ours.
            unsafe { ddi(self.context(), args) }
        });
        self.contract.count_query(args.Type, status);
        status
    }

    pub(crate) fn node_metadata(&self, node: u32) -> Result<DXGK_NODEMETADATA, NTSTATUS> {
        let mut data = DXGK_NODEMETADATA::zeroed();
        let Some(ddi) = self.table.0.DxgkDdiGetNodeMetadata else { return Err(STATUS_NOT_IMPLEMENTED) };
        let status = guarded(&self.contract, &calls::GET_NODE_METADATA, &mut data, |data| {
            self.contract.call(&calls::GET_NODE_METADATA, || {
                // SAFETY: the function is the driver's and the structure ours.
                unsafe { ddi(self.context(), node, data) }
            })
        });
        if status.is_success() { Ok(data) } else { Err(status) }
    }

    /// AddDevice: the driver's context is remembered.
    pub(crate) fn add_device(&self) -> NTSTATUS {
        let Some(ddi) = self.table.0.DxgkDdiAddDevice else { return STATUS_NOT_IMPLEMENTED };
        let mut context: PVOID = core::ptr::null_mut();
        let device = self.physical_device();
        let status = self.contract.call(&calls::ADD_DEVICE, || {
            // SAFETY: the function is the driver's and the output ours.
            unsafe { ddi(device, &raw mut context) }
        });
        self.set_context(context);
        status
    }

    /// StartDevice: (status, video present sources, children).
    pub(crate) fn start_device(
        &self,
        start: &mut DXGK_START_INFO,
        table: &mut DXGKRNL_INTERFACE,
    ) -> (NTSTATUS, u32, u32) {
        let Some(ddi) = self.table.0.DxgkDdiStartDevice else { return (STATUS_NOT_IMPLEMENTED, 0, 0) };
        let (mut sources, mut children) = (0, 0);
        let status = self.contract.call(&calls::START_DEVICE, || {
            // SAFETY: the function is the driver's, all structures ours and alive for the call.
            unsafe { ddi(self.context(), start, table, &raw mut sources, &raw mut children) }
        });
        (status, sources, children)
    }

    pub(crate) fn query_child_relations(&self, relations: &mut [DXGK_CHILD_DESCRIPTOR]) -> NTSTATUS {
        let Some(ddi) = self.table.0.DxgkDdiQueryChildRelations else { return STATUS_NOT_IMPLEMENTED };
        let bytes = size_of_val(relations) as u32;
        self.contract.call(&calls::QUERY_CHILD_RELATIONS, || {
            // SAFETY: the function is the driver's, the array ours and of the size given.
            unsafe { ddi(self.context(), relations.as_mut_ptr(), bytes) }
        })
    }

    pub(crate) fn surprise_removal(&self) -> NTSTATUS {
        let Some(ddi) = self.table.0.DxgkDdiNotifySurpriseRemoval else { return STATUS_NOT_IMPLEMENTED };
        self.contract.call(&calls::SURPRISE_REMOVAL, || {
            // SAFETY: the function is the driver's.
            unsafe { ddi(self.context(), DXGK_SURPRISE_REMOVAL_TYPE::DxgkRemovalPnPNotify) }
        })
    }

    /// The DPC, at DISPATCH_LEVEL.
    pub(crate) fn dpc_routine(&self) {
        if let Some(ddi) = self.table.0.DxgkDdiDpcRoutine {
            self.contract.run(&calls::DPC_ROUTINE, || {
                // SAFETY: the function is the driver's.
                unsafe { ddi(self.context()) }
            });
        }
    }

    /// The interrupt routine, at DIRQL: whether the driver claims the interrupt.
    pub(crate) fn interrupt_routine(&self, message: u32) -> bool {
        let Some(ddi) = self.table.0.DxgkDdiInterruptRoutine else { return false };
        let claimed = self.interrupts.synchronize(&self.contract, || {
            // SAFETY: the function is the driver's.
            unsafe { ddi(self.context(), message) }
        });
        // Not called where no line is connected.
        let claimed = claimed.map(|claimed| claimed != 0);
        if let Some(claimed) = claimed {
            self.contract.count_call("DxgkDdiInterruptRoutine", !claimed);
        }
        claimed.unwrap_or(false)
    }
}

/// A function of an interface that takes the interface's context and one structure.
pub(crate) trait Ask<T> {
    /// Calls it; STATUS_NOT_IMPLEMENTED when it is not there.
    fn ask(self, contract: &Contract, ddi: &'static Ddi, context: HANDLE, args: &mut T) -> NTSTATUS;
}

impl<T: Copy> Ask<T> for Option<wddm::ddi_type!(unsafe fn(HANDLE, *mut T) -> NTSTATUS)> {
    fn ask(self, contract: &Contract, ddi: &'static Ddi, context: HANDLE, args: &mut T) -> NTSTATUS {
        let Some(function) = self else { return STATUS_NOT_IMPLEMENTED };
        guarded(contract, ddi, args, |args| {
            contract.call(ddi, || {
                // SAFETY: the function and its context come from the driver's interface, the structure is ours.
                unsafe { function(context, args) }
            })
        })
    }
}

impl<T: Copy> Ask<T> for Option<wddm::ddi_type!(unsafe fn(HANDLE, *mut T))> {
    fn ask(self, contract: &Contract, ddi: &'static Ddi, context: HANDLE, args: &mut T) -> NTSTATUS {
        let Some(function) = self else { return STATUS_NOT_IMPLEMENTED };
        guarded(contract, ddi, args, |args| {
            contract.run(ddi, || {
                // SAFETY: as above.
                unsafe { function(context, args) }
            });
            STATUS_SUCCESS
        })
    }
}
