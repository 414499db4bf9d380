//! What the device does when a VF's standing changes.

use crate::device::Device;
use crate::os::{self, Level};
use crate::standing::Standing;
use crate::{Result, VfIndex};

/// Makes the device do what `to` asks. When the device refuses, what was done is undone.
pub(super) fn change(device: &dyn Device, vf: VfIndex, from: Standing, to: Standing) -> Result<()> {
    let (stops, starts) = (from.executes() && !to.executes(), !from.executes() && to.executes());
    if stops {
        device.vf_pause(vf)?;
    }
    let undo = || {
        if stops && let Err(error) = device.vf_resume(vf) {
            os::log(Level::Error, format_args!("VF {vf} stays off its engines: {error}"));
        }
    };
    if from.policy() != to.policy() {
        device.vf_policy(vf, to.policy()).inspect_err(|_| undo())?;
    }
    if starts && let Err(error) = device.vf_resume(vf) {
        // Back to a policy that was in force a moment ago.
        let _ = device.vf_policy(vf, from.policy());
        return Err(error);
    }
    Ok(())
}
