//! What is collected when something hangs: see [`crate::debug`] for the format.
//!
//! UNSAFETY: fills the report's buffer.
#![expect(unsafe_code)]

use gpup_core::Result;
use gpup_core::device::abi;
use wddm::{DXGKARG_COLLECTDBGINFO, VIDEO_ENGINE_TIMEOUT_DETECTED, VIDEO_TDR_TIMEOUT_DETECTED};

use super::edge;
use crate::debug::{Header, Node, Vf};
use crate::miniport::Started;

edge::entries! {
    /// DxgkDdiCollectDbgInfo. PASSIVE_LEVEL for reasons 0x117 and 0x141, any level for others: touches nothing
    /// pageable. "DXGKDDI_COLLECTDBGINFO callback function (d3dkmddi.h)".
    read collect_dbg_info(DXGKARG_COLLECTDBGINFO) => collect;
}

/// The nodes take no lock, the VFs a spin lock each; nobody who hangs is waited for. What does not fit is cut off, and
/// what is left over zeroed.
fn collect(started: &Started, args: &DXGKARG_COLLECTDBGINFO) -> Result<()> {
    // SAFETY: Dxgkrnl's buffer of BufferSize bytes.
    let buffer = unsafe { edge::slice_mut(args.pBuffer.cast::<u8>(), args.BufferSize) }?;
    buffer.fill(0);
    let mut out = Out { rest: buffer };
    let passive = matches!(args.Reason, VIDEO_TDR_TIMEOUT_DETECTED | VIDEO_ENGINE_TIMEOUT_DETECTED);
    let existing = || started.adapter.vfs().filter(|vf| passive && vf.glance().is_some());
    let vfs = existing().count();
    out.put(&Header::new(args.Reason, abi::NODES as u32, vfs as u32).encode());
    (0..abi::NODES).for_each(|node| out.put(&node_record(started, node).encode()));
    // As many as the head has said, even if another has come; a place that was left stays zero.
    for vf in existing().take(vfs) {
        let Some(standing) = vf.glance() else { continue };
        let device = started.adapter.device();
        let counters = |node| device.vf_counters(vf.index(), node).unwrap_or_default();
        out.put(&Vf { vf: vf.index(), standing, counters: core::array::from_fn(counters) }.encode());
    }
    Ok(())
}

fn node_record(started: &Started, node: usize) -> Node {
    let device = started.adapter.device();
    Node {
        node: node as u32,
        responsive: device.responsive(node),
        last_completed: device.last_completed_fence(node),
        running: device.running(node),
    }
}

/// Bytes that are left of a buffer.
struct Out<'a> {
    rest: &'a mut [u8],
}

impl Out<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let fit = bytes.len().min(self.rest.len());
        let (here, rest) = core::mem::take(&mut self.rest).split_at_mut(fit);
        here.copy_from_slice(&bytes[..fit]);
        self.rest = rest;
    }
}
