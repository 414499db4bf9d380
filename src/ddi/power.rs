//! Power of the adapter as a whole, and the virtual machine it is told about.

use gpup_core::Result;
use gpup_core::os::{self, Level};
use wddm::{
    DEVICE_POWER_STATE, DXGKARG_SETSTABLEPOWERSTATE, DXGKARG_SETVIRTUALMACHINEDATA, HANDLE, NTSTATUS,
    POWER_ACTION, PVOID, STATUS_SUCCESS,
};

use super::edge;
use crate::miniport::{self, Started};

/// DeviceUid of the adapter itself; it has no children.
const ADAPTER_UID: u32 = u32::MAX;

wddm::ddi! {
    /// DxgkDdiSetPowerState. PASSIVE_LEVEL, level 3. "DXGKDDI_SET_POWER_STATE callback function (dispmprt.h)".
    ///
    /// It never fails: whatever it is asked of a child, or of an adapter that is not started, is no matter.
    #[expect(unsafe_code, reason = "a callback takes Dxgkrnl's handle; the look-up checks it")]
    pub(crate) unsafe fn set_power_state(
        adapter: PVOID,
        device_uid: u32,
        state: DEVICE_POWER_STATE,
        _action: POWER_ACTION,
    ) -> NTSTATUS {
        // SAFETY: a callback's own handle, and the reference ends with it.
        match unsafe { miniport::started(adapter) } {
            Ok(started) if device_uid == ADAPTER_UID => set_power(started, state),
            _ => os::log(Level::Debug, format_args!("no power of {device_uid:#x} to be set to {state:?}")),
        }
        STATUS_SUCCESS
    }

    /// DxgkDdiSetStablePowerState. PASSIVE_LEVEL. "DXGKDDI_SETSTABLEPOWERSTATE callback function (d3dkmddi.h)".
    #[expect(unsafe_code, reason = "a callback takes Dxgkrnl's pointers; edge validates them")]
    pub(crate) unsafe fn set_stable_power_state(adapter: HANDLE, args: *const DXGKARG_SETSTABLEPOWERSTATE) {
        // SAFETY: a callback's own handle and arguments. The simulated clock is stable either way.
        let _ = unsafe { edge::read(adapter, args, |_, _| Ok(())) };
    }
}

edge::entries! {
    /// DxgkDdiSetVirtualMachineData. PASSIVE_LEVEL. "DXGKDDI_SETVIRTUALMACHINEDATA callback function (d3dkmddi.h)".
    read set_virtual_machine_data(DXGKARG_SETVIRTUALMACHINEDATA) => virtual_machine;
}

/// The engines stop in every state but D0, whatever VFs do. "DXGKDDI_SETVIRTUALFUNCTIONPOWERSTATE callback function
/// (dispmprt.h)": with every VF in D3 the device may go to D3cold, and at D0 the PF and its VFs must be configured as
/// before. They are: state, memory, config space and MSI-X tables stay, since the simulated VRAM loses nothing; a
/// device whose memory does must save it in its `suspend`.
fn set_power(started: &Started, state: DEVICE_POWER_STATE) {
    match state {
        // Dxgkrnl says so once more after StartDevice.
        DEVICE_POWER_STATE::PowerDeviceD0 => started.adapter.resume(),
        DEVICE_POWER_STATE::PowerDeviceD1
        | DEVICE_POWER_STATE::PowerDeviceD2
        | DEVICE_POWER_STATE::PowerDeviceD3 => started.adapter.suspend(),
        _ => os::log(Level::Warning, format_args!("{state:?} is no power state: nothing changes")),
    }
}

/// Which worker process belongs to which virtual machine: of use to a device that isolates them by process.
fn virtual_machine(started: &Started, args: &DXGKARG_SETVIRTUALMACHINEDATA) -> Result<()> {
    if !args.hKmdVmWorkerProcess.is_null() {
        started.processes.get(args.hKmdVmWorkerProcess)?;
    }
    os::log(Level::Debug, format_args!("a virtual machine was announced, flags {:#x}", args.Flags.bits()));
    Ok(())
}
