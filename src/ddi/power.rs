//! Power of the adapter as a whole, and the virtual machine it is told about.

use gpup_core::os::{self, Level};
use gpup_core::{Error, Result};
use wddm::{
    DEVICE_POWER_STATE, DXGKARG_SETSTABLEPOWERSTATE, DXGKARG_SETVIRTUALMACHINEDATA, HANDLE, NTSTATUS,
    POWER_ACTION, PVOID,
};

use super::edge;
use crate::miniport::Started;

/// DeviceUid of the adapter itself; it has no children.
const ADAPTER_UID: u32 = u32::MAX;

wddm::ddi! {
    /// DxgkDdiSetPowerState. PASSIVE_LEVEL, level 2. "DXGKDDI_SET_POWER_STATE callback function (dispmprt.h)".
    #[expect(unsafe_code, reason = "a callback takes Dxgkrnl's handle; edge looks it up")]
    pub(crate) unsafe fn set_power_state(
        adapter: PVOID,
        device_uid: u32,
        state: DEVICE_POWER_STATE,
        _action: POWER_ACTION,
    ) -> NTSTATUS {
        // SAFETY: a callback's own handle.
        unsafe { edge::adapter(adapter, |started| set_power(started, device_uid, state)) }
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
/// device whose memory does must save it in its `stop`.
fn set_power(started: &Started, device_uid: u32, state: DEVICE_POWER_STATE) -> Result<()> {
    if device_uid != ADAPTER_UID {
        return Err(Error::InvalidParameter);
    }
    match state {
        DEVICE_POWER_STATE::PowerDeviceD0 => match started.adapter.start(started.notifier.clone()) {
            // It is on already: Dxgkrnl says so once more after StartDevice.
            Err(Error::WrongState) => Ok(()),
            other => other,
        },
        DEVICE_POWER_STATE::PowerDeviceD1
        | DEVICE_POWER_STATE::PowerDeviceD2
        | DEVICE_POWER_STATE::PowerDeviceD3 => {
            started.adapter.device().stop();
            Ok(())
        }
        _ => Err(Error::InvalidParameter),
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
