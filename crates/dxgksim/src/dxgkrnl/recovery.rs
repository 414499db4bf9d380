//! Power of the adapter and recovery from a timeout, step by step as a test asks for them.
//!
//! Articles: "Timeout detection and recovery (TDR)", "TDR changes in Windows 8 and later".

use wddm::{DEVICE_POWER_STATE, DXGK_ENGINESTATUS, DXGKARG_QUERYENGINESTATUS, DXGKARG_RESETENGINE};

use super::{Adapter, DdiError, succeed};
use crate::contract::calls;

impl Adapter {
    /// DxgkDdiSetPowerState of the adapter itself.
    pub fn set_power(&self, state: DEVICE_POWER_STATE) -> Result<(), DdiError> {
        succeed(calls::SET_POWER_STATE.name, self.core.set_power_state(state))
    }

    /// DxgkDdiQueryEngineStatus: whether a node's only engine makes progress.
    pub fn is_responsive(&self, node: u32) -> Result<bool, DdiError> {
        let mut args = DXGKARG_QUERYENGINESTATUS::zeroed();
        args.NodeOrdinal = node;
        succeed(calls::QUERY_ENGINE_STATUS.name, self.core.query_engine_status(&mut args))?;
        Ok(args.EngineStatus.contains(DXGK_ENGINESTATUS::Responsive))
    }

    /// DxgkDdiResetEngine; the last fence that was aborted.
    pub fn reset_engine(&self, node: u32) -> Result<u32, DdiError> {
        let mut args = DXGKARG_RESETENGINE::zeroed();
        args.NodeOrdinal = node;
        succeed(calls::RESET_ENGINE.name, self.core.reset_engine(&mut args))?;
        Ok(args.LastAbortedFenceId)
    }

    /// DxgkDdiResetFromTimeout, then DxgkDdiRestartFromTimeout: the whole adapter. No paging may be under way.
    pub fn reset_adapter(&self) -> Result<(), DdiError> {
        let context = self.core.context();
        succeed(calls::RESET_FROM_TIMEOUT.name, self.core.reset_from_timeout(context))?;
        succeed(calls::RESTART_FROM_TIMEOUT.name, self.core.restart_from_timeout(context))
    }
}
