//! Timeout detection and recovery: an engine is reset by itself, the adapter only when that fails.

use gpup_core::Result;
use gpup_core::device::abi;
use gpup_core::os::{self, Level};
use wddm::{
    DXGK_ENGINESTATUS, DXGKARG_QUERYDEPENDENTENGINEGROUP, DXGKARG_QUERYENGINESTATUS, DXGKARG_RESETENGINE,
};

use super::edge;
use crate::miniport::Started;

edge::entries! {
    /// DxgkDdiQueryDependentEngineGroup. PASSIVE_LEVEL.
    /// "DXGKDDI_QUERYDEPENDENTENGINEGROUP callback function (d3dkmddi.h)".
    write query_dependent_engine_group(DXGKARG_QUERYDEPENDENTENGINEGROUP) => dependents;

    /// DxgkDdiQueryEngineStatus. PASSIVE_LEVEL. "DXGKDDI_QUERYENGINESTATUS callback function (d3dkmddi.h)".
    write query_engine_status(DXGKARG_QUERYENGINESTATUS) => status;

    /// DxgkDdiResetEngine. PASSIVE_LEVEL, level 1. "DXGKDDI_RESETENGINE callback function (d3dkmddi.h)".
    write reset_engine(DXGKARG_RESETENGINE) => reset;

    /// DxgkDdiResetFromTimeout. PASSIVE_LEVEL, level 3. "DXGKDDI_RESETFROMTIMEOUT callback function (d3dkmddi.h)".
    adapter reset_from_timeout => reset_all;

    /// DxgkDdiRestartFromTimeout. PASSIVE_LEVEL, level 3.
    /// "DXGKDDI_RESTARTFROMTIMEOUT callback function (d3dkmddi.h)".
    adapter restart_from_timeout => restart;
}

/// An engine depends on itself alone.
fn dependents(started: &Started, args: &mut DXGKARG_QUERYDEPENDENTENGINEGROUP) -> Result<()> {
    let node = started.node(args.NodeOrdinal, args.EngineOrdinal)?;
    args.DependentNodeOrdinalMask = 1 << node;
    Ok(())
}

fn status(started: &Started, args: &mut DXGKARG_QUERYENGINESTATUS) -> Result<()> {
    let node = started.node(args.NodeOrdinal, args.EngineOrdinal)?;
    let mut status = DXGK_ENGINESTATUS::empty();
    status.set(DXGK_ENGINESTATUS::Responsive, started.adapter.device().responsive(node));
    args.EngineStatus = status;
    Ok(())
}

/// The fence that was aborted, or the last completed one when none was.
fn reset(started: &Started, args: &mut DXGKARG_RESETENGINE) -> Result<()> {
    let node = started.node(args.NodeOrdinal, args.EngineOrdinal)?;
    args.LastAbortedFenceId = started.adapter.reset_engine(node)?;
    Ok(())
}

/// Has the engines stand still: everything queued is gone, and nothing runs until the restart. VFs keep their state.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every callback's work")]
fn reset_all(started: &Started) -> Result<()> {
    for node in 0..abi::NODES {
        if let Err(error) = started.adapter.reset_engine(node) {
            os::log(Level::Error, format_args!("node {node} does not reset: {error}"));
        }
    }
    started.adapter.suspend();
    Ok(())
}

/// Nothing is made anew and nothing can fail. Where the reset never came, nothing stood still.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every callback's work")]
fn restart(started: &Started) -> Result<()> {
    started.adapter.resume();
    Ok(())
}
