//! Power of the adapter and recovery from a timeout, step by step as a test asks for them.
//!
//! Articles: "Timeout detection and recovery (TDR)", "TDR changes in Windows 8".

use alloc::vec::Vec;

use wddm::{DEVICE_POWER_STATE, DXGK_ENGINESTATUS, DXGKARG_QUERYENGINESTATUS, DXGKARG_RESETENGINE};

use super::{Adapter, DdiError, succeed};
use crate::contract::{Aborted, calls, rules};
use crate::host::MutexGuard;

/// What the reset of an engine came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// What the driver answered.
    pub last_aborted: u32,
    /// Packets that were submitted again.
    pub submitted_again: usize,
    /// A paging packet was aborted, so the whole adapter was reset.
    pub adapter: bool,
}

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

    /// DxgkDdiResetEngine and what Dxgkrnl makes of its answer: packets that the reset did not abort are submitted
    /// again; when it aborted a paging packet, or failed, the whole adapter is reset.
    pub fn reset_engine(&self, node: u32) -> Result<Recovery, DdiError> {
        // Of synchronization level one, as building and submitting are.
        let serial = self.paging.serial.lock();
        let core = &self.core;
        let (completed, submitted) = core.interrupts.freeze(node);
        let mut args = DXGKARG_RESETENGINE::zeroed();
        args.NodeOrdinal = node;
        let reset = succeed(calls::RESET_ENGINE.name, core.reset_engine(&mut args));
        let last = args.LastAbortedFenceId;
        if let Err(error) = reset {
            self.reset_all(&serial)?;
            return Err(error);
        }
        let rule = if last < completed {
            core.interrupts.stale(node, &rules::ABORTED_FENCE)
        } else {
            &rules::ABORTED_FENCE
        };
        core.contract.require(
            (completed..=submitted).contains(&last),
            rule,
            format_args!("{last} was aborted, {completed} completed and {submitted} submitted last"),
        );
        let aborted = core.interrupts.thaw(node, last.clamp(completed, submitted));
        if aborted == Aborted::Paging {
            self.reset_all(&serial)?;
            return Ok(Recovery { last_aborted: last, submitted_again: 0, adapter: true });
        }
        let again = core.interrupts.submit_again(node, |args| core.submit_command_virtual(args));
        Ok(Recovery { last_aborted: last, submitted_again: again, adapter: false })
    }

    /// DxgkDdiResetFromTimeout, then DxgkDdiRestartFromTimeout: the whole adapter. What was under way on it is aborted.
    pub fn reset_adapter(&self) -> Result<(), DdiError> {
        self.reset_all(&self.paging.serial.lock())
    }

    fn reset_all(&self, _serial: &MutexGuard<'_, ()>) -> Result<(), DdiError> {
        let core = &self.core;
        let nodes = 0..self.caps.nodes.len() as u32;
        for node in nodes.clone() {
            core.interrupts.freeze(node);
        }
        let reset = succeed(calls::RESET_FROM_TIMEOUT.name, core.reset_from_timeout(core.context()));
        for node in nodes {
            let (_, submitted) = core.interrupts.freeze(node);
            core.interrupts.thaw(node, submitted);
        }
        reset?;
        let evicted: Vec<usize> = self.functions.lock().values().copied().collect();
        for allocation in evicted {
            self.paging.evict(core, ::core::ptr::with_exposed_provenance_mut(allocation));
        }
        succeed(calls::RESTART_FROM_TIMEOUT.name, core.restart_from_timeout(core.context()))
    }
}
