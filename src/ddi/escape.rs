//! DxgkDdiEscape and the escape of a VM's user-mode emulation: see [`crate::escape`] for what can be asked.
//!
//! UNSAFETY: follows the escapes' buffers.
#![expect(unsafe_code)]

use gpup_core::sched::VfParameters;
use gpup_core::vf::Power;
use gpup_core::{Error, Result};
use wddm::{DXGK_VIRTUALGPUDRIVERESCAPE, DXGKARG_ESCAPE, GPUP_DRIVER_ESCAPE_INPUT};

use super::edge;
use crate::escape::{BYTES, Engine, Request, State, put_counters};
use crate::miniport::Started;
use crate::os;

edge::entries! {
    /// DxgkDdiEscape. PASSIVE_LEVEL. "DXGKDDI_ESCAPE callback function (d3dkmddi.h)".
    read escape(DXGKARG_ESCAPE) => from_host;
}

/// Any process can open the adapter, so only an administrator's is told about VMs and may slow them. The buffer comes
/// from user mode, so it is copied before it is looked at.
fn from_host(started: &Started, args: &DXGKARG_ESCAPE) -> Result<()> {
    if !os::caller_is_administrator() {
        return Err(Error::Denied);
    }
    if args.PrivateDriverDataSize as usize != BYTES {
        return Err(Error::InvalidParameter);
    }
    // SAFETY: Dxgkrnl's copy of the caller's data, of the size it says.
    let data = unsafe { edge::slice_mut(args.pPrivateDriverData.cast::<u8>(), BYTES) }?;
    let mut block = [0; BYTES];
    block.copy_from_slice(data);
    answer(started, &mut block)?;
    data.copy_from_slice(&block);
    Ok(())
}

/// From the emulation in the VM's worker process: the LUID of the VF, then a request about that VF, to read only.
pub(super) fn from_vm(started: &Started, args: &mut DXGK_VIRTUALGPUDRIVERESCAPE) -> Result<()> {
    const LUID_BYTES: usize = size_of::<GPUP_DRIVER_ESCAPE_INPUT>();
    let vf = started.adapter.vf(args.PartitionId)?;
    vf.report()?;
    if args.InputBufferSize as usize != LUID_BYTES + BYTES || (args.OutputBufferSize as usize) < BYTES {
        return Err(Error::InvalidParameter);
    }
    // SAFETY: Dxgkrnl's input buffer of the size it says.
    let input = unsafe { edge::slice(args.pInputBuffer.cast::<u8>().cast_const(), LUID_BYTES + BYTES) }?;
    let luid = *started.vf_luids[args.PartitionId as usize].lock();
    let mut named = [0; LUID_BYTES];
    named[..4].copy_from_slice(&luid.LowPart.to_le_bytes());
    named[4..].copy_from_slice(&luid.HighPart.to_le_bytes());
    let mut block = [0; BYTES];
    block.copy_from_slice(&input[LUID_BYTES..]);
    let own = matches!(
        Request::decode(&block),
        Some(Request::State { vf } | Request::Counters { vf, .. }) if vf == args.PartitionId
    );
    if input[..LUID_BYTES] != named[..] || !own {
        return Err(Error::InvalidParameter);
    }
    answer(started, &mut block)?;
    // SAFETY: Dxgkrnl's output buffer of the size it says.
    let output = unsafe { edge::slice_mut(args.pOutputBuffer.cast::<u8>(), BYTES) }?;
    output.copy_from_slice(&block);
    Ok(())
}

fn answer(started: &Started, block: &mut [u8; BYTES]) -> Result<()> {
    let adapter = &started.adapter;
    match Request::decode(block).ok_or(Error::InvalidParameter)? {
        Request::State { vf } => {
            let report = adapter.vf(vf)?.report()?;
            let state = State {
                vram_bytes: report.vram_bytes,
                weight: u64::from(report.parameters.weight),
                powered: report.standing.power == Power::On,
                paused: report.standing.paused,
                executes: report.standing.executes(),
                phase: report.standing.phase,
                quantum_us: u64::from(report.parameters.quantum_us),
                throttle: u64::from(report.throttle),
                preempt_timeout_us: u64::from(report.parameters.preempt_timeout_us),
                priority: report.parameters.priority,
            };
            state.put(block);
        }
        Request::Counters { vf, node } => {
            let node = started.node(node, 0)?;
            put_counters(&adapter.vf(vf)?.counters(node)?, block);
        }
        Request::Engine { node } => {
            let (node, device) = (started.node(node, 0)?, adapter.device());
            let engine = Engine {
                totals: device.totals(node)?,
                last_completed: device.last_completed_fence(node),
                responsive: device.responsive(node),
            };
            engine.put(block);
        }
        Request::SetParameters { vf, quantum_us, preempt_timeout_us, priority } => {
            let vf = adapter.vf(vf)?;
            let weight = vf.report()?.parameters.weight;
            vf.set_parameters(VfParameters { quantum_us, preempt_timeout_us, priority, weight })?;
        }
        Request::Throttle { vf, permille } => adapter.vf(vf)?.set_throttle(permille)?,
        #[cfg(feature = "fault-injection")]
        Request::Hang { vf, node } => adapter.device().vf_hang(vf, started.node(node, 0)?)?,
        #[cfg(not(feature = "fault-injection"))]
        Request::Hang { .. } => return Err(Error::NotSupported),
    }
    Ok(())
}
