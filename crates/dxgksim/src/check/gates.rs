//! Calls that only the checker makes. Each goes through the contract, its argument structure with a canary behind it.
//!
//! UNSAFETY: calls the driver's functions.
#![expect(unsafe_code)]

use wddm::*;

use super::Bench;
use crate::contract::Ddi;
use crate::dxgkrnl::guarded;

/// `name(member, Type)`: a DDI of the adapter with one structure.
macro_rules! with_args {
    ($( $name:ident($member:ident, $args:ty); )*) => { $(
        pub(super) fn $name(&self, args: &mut $args) -> NTSTATUS {
            static DDI: Ddi = Ddi::passive(stringify!($member));
            let core = self.core();
            let Some(ddi) = core.table.0.$member else { return STATUS_NOT_IMPLEMENTED };
            guarded(&core.contract, &DDI, args, |args| {
                core.contract.call(&DDI, || {
                    // SAFETY: the function is the driver's, its context the one it gave, the structure ours.
                    unsafe { ddi(core.context(), args) }
                })
            })
        }
    )* };
}

/// `name(member, Type)`: a DDI of a device or context with one structure.
macro_rules! with_object {
    ($( $name:ident($member:ident, $args:ty); )*) => { $(
        pub(super) fn $name(&self, object: HANDLE, args: &mut $args) -> NTSTATUS {
            static DDI: Ddi = Ddi::passive(stringify!($member));
            let core = self.core();
            let Some(ddi) = core.table.0.$member else { return STATUS_NOT_IMPLEMENTED };
            guarded(&core.contract, &DDI, args, |args| {
                core.contract.call(&DDI, || {
                    // SAFETY: the function is the driver's, the structure ours; the handle is what is tried out.
                    unsafe { ddi(object, args) }
                })
            })
        }
    )* };
}

impl Bench {
    with_args! {
        describe_allocation(DxgkDdiDescribeAllocation, DXGKARG_DESCRIBEALLOCATION);
        preempt_command(DxgkDdiPreemptCommand, DXGKARG_PREEMPTCOMMAND);
        query_engine_status(DxgkDdiQueryEngineStatus, DXGKARG_QUERYENGINESTATUS);
        query_dependents(DxgkDdiQueryDependentEngineGroup, DXGKARG_QUERYDEPENDENTENGINEGROUP);
        reset_engine(DxgkDdiResetEngine, DXGKARG_RESETENGINE);
        collect_dbg_info(DxgkDdiCollectDbgInfo, DXGKARG_COLLECTDBGINFO);
        set_virtual_machine_data(DxgkDdiSetVirtualMachineData, DXGKARG_SETVIRTUALMACHINEDATA);
    }

    with_object! {
        open_allocation(DxgkDdiOpenAllocation, DXGKARG_OPENALLOCATION);
        close_allocation(DxgkDdiCloseAllocation, DXGKARG_CLOSEALLOCATION);
        format_history(DxgkDdiFormatHistoryBuffer, DXGKARG_FORMATHISTORYBUFFER);
    }

    /// The clock of a node.
    pub(super) fn calibrate(&self, node: u32, engine: u32) -> (NTSTATUS, DXGKARG_CALIBRATEGPUCLOCK) {
        static DDI: Ddi = Ddi::passive("DxgkDdiCalibrateGpuClock");
        let core = self.core();
        let mut out = DXGKARG_CALIBRATEGPUCLOCK::zeroed();
        let Some(ddi) = core.table.0.DxgkDdiCalibrateGpuClock else { return (STATUS_NOT_IMPLEMENTED, out) };
        let status = core.contract.call(&DDI, || {
            // SAFETY: the function is the driver's and the structure ours.
            unsafe { ddi(core.context(), node, engine, &raw mut out) }
        });
        (status, out)
    }

    /// Any descriptor of a child.
    pub(super) fn device_descriptor(&self, child: u32) -> NTSTATUS {
        static DDI: Ddi = Ddi::passive("DxgkDdiQueryDeviceDescriptor");
        let core = self.core();
        let Some(ddi) = core.table.0.DxgkDdiQueryDeviceDescriptor else { return STATUS_NOT_IMPLEMENTED };
        let mut out = DXGK_DEVICE_DESCRIPTOR::zeroed();
        core.contract.call(&DDI, || {
            // SAFETY: the function is the driver's and the structure ours.
            unsafe { ddi(core.context(), child, &raw mut out) }
        })
    }

    /// The status of a child.
    pub(super) fn child_status(&self, child: u32) -> NTSTATUS {
        static DDI: Ddi = Ddi::passive("DxgkDdiQueryChildStatus");
        let core = self.core();
        let Some(ddi) = core.table.0.DxgkDdiQueryChildStatus else { return STATUS_NOT_IMPLEMENTED };
        let mut out = DXGK_CHILD_STATUS::zeroed();
        out.ChildUid = child;
        core.contract.call(&DDI, || {
            // SAFETY: the function is the driver's and the structure ours.
            unsafe { ddi(core.context(), &raw mut out, TRUE) }
        })
    }

    /// The power of the adapter or of a child.
    pub(super) fn set_power_state(&self, uid: u32, state: DEVICE_POWER_STATE) -> NTSTATUS {
        static DDI: Ddi = Ddi::passive("DxgkDdiSetPowerState");
        let core = self.core();
        let Some(ddi) = core.table.0.DxgkDdiSetPowerState else { return STATUS_NOT_IMPLEMENTED };
        core.contract.call(&DDI, || {
            // SAFETY: the function is the driver's.
            unsafe { ddi(core.context(), uid, state, POWER_ACTION::zeroed()) }
        })
    }

    /// Clocks that do not change, for who measures; returns nothing.
    pub(super) fn set_stable_power_state(&self, enabled: BOOL) {
        static DDI: Ddi = Ddi::passive("DxgkDdiSetStablePowerState");
        let core = self.core();
        let args = DXGKARG_SETSTABLEPOWERSTATE { Enabled: enabled };
        if let Some(ddi) = core.table.0.DxgkDdiSetStablePowerState {
            core.contract.run(&DDI, || {
                // SAFETY: the function is the driver's and the structure ours.
                unsafe { ddi(core.context(), &raw const args) }
            });
        }
    }

    /// Engine reset of the whole adapter, then its restart.
    pub(super) fn timeout(&self) -> (NTSTATUS, NTSTATUS) {
        static DDI: Ddi = Ddi::passive("DxgkDdiResetFromTimeout");
        static RESTART: Ddi = Ddi::passive("DxgkDdiRestartFromTimeout");
        let core = self.core();
        let (Some(reset), Some(restart)) =
            (core.table.0.DxgkDdiResetFromTimeout, core.table.0.DxgkDdiRestartFromTimeout)
        else {
            return (STATUS_NOT_IMPLEMENTED, STATUS_NOT_IMPLEMENTED);
        };
        let first = core.contract.call(&DDI, || {
            // SAFETY: the function is the driver's.
            unsafe { reset(core.context()) }
        });
        let second = core.contract.call(&RESTART, || {
            // SAFETY: the function is the driver's.
            unsafe { restart(core.context()) }
        });
        (first, second)
    }
}

/// SetVirtualGpuResources, whose argument structure is of variable length: `words` holds all of it.
pub(super) fn set_resources(
    contract: &crate::contract::Contract,
    function: PDXGKDDI_SETVIRTUALGPURESOURCES,
    context: HANDLE,
    words: &mut [u64],
) -> NTSTATUS {
    static DDI: Ddi = Ddi::passive("DxgkDdiSetVirtualGpuResources");
    let Some(function) = function else { return STATUS_NOT_IMPLEMENTED };
    contract.call(&DDI, || {
        // SAFETY: the function and its context come from the driver's interface; the words are ours, and as many as
        // the structure says.
        unsafe { function(context, words.as_mut_ptr().cast()) }
    })
}

/// The same of a DDI that only reads its structure.
pub(super) fn variable_in<T>(
    contract: &crate::contract::Contract,
    function: Option<wddm::ddi_type!(unsafe fn(HANDLE, *const T) -> NTSTATUS)>,
    context: HANDLE,
    words: &mut [u64],
) -> NTSTATUS {
    static DDI: Ddi = Ddi::passive("a call with a structure of variable length");
    let Some(function) = function else { return STATUS_NOT_IMPLEMENTED };
    contract.call(&DDI, || {
        // SAFETY: as above.
        unsafe { function(context, words.as_mut_ptr().cast_const().cast()) }
    })
}
