//! What is collected when something hangs.
//!
//! UNSAFETY: fills the report's buffer.
#![expect(unsafe_code)]

use core::fmt::{self, Write};

use gpup_core::Result;
use gpup_core::device::abi;
use wddm::{DXGKARG_COLLECTDBGINFO, VIDEO_ENGINE_TIMEOUT_DETECTED, VIDEO_TDR_TIMEOUT_DETECTED};

use super::edge;
use crate::miniport::Started;

edge::entries! {
    /// DxgkDdiCollectDbgInfo. PASSIVE_LEVEL for reasons 0x117 and 0x141, any level for others: touches nothing
    /// pageable. "DXGKDDI_COLLECTDBGINFO callback function (d3dkmddi.h)".
    read collect_dbg_info(DXGKARG_COLLECTDBGINFO) => collect;
}

/// A text: reason, then, for the reasons that come at PASSIVE_LEVEL, each node's fence and whether it moves. What does not fit is cut off; the rest is zeroed.
fn collect(started: &Started, args: &DXGKARG_COLLECTDBGINFO) -> Result<()> {
    // SAFETY: Dxgkrnl's buffer of BufferSize bytes.
    let buffer = unsafe { edge::slice_mut(args.pBuffer.cast::<u8>(), args.BufferSize) }?;
    buffer.fill(0);
    let mut text = Text { rest: buffer };
    // The only error is that the buffer is full.
    let _ = report(started, args.Reason, &mut text);
    Ok(())
}

fn report(started: &Started, reason: u32, out: &mut impl Write) -> fmt::Result {
    writeln!(out, "gpup_kmd {} reason {reason:#x}", env!("CARGO_PKG_VERSION"))?;
    if !matches!(reason, VIDEO_TDR_TIMEOUT_DETECTED | VIDEO_ENGINE_TIMEOUT_DETECTED) {
        return Ok(());
    }
    for node in 0..abi::NODES {
        let device = started.adapter.device();
        let (fence, moves) = (device.last_completed_fence(node), device.responsive(node));
        writeln!(out, "node {node} last fence {fence} {}", if moves { "responsive" } else { "hung" })?;
    }
    Ok(())
}

/// Bytes that are left of a buffer.
struct Text<'a> {
    rest: &'a mut [u8],
}

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fit = text.len().min(self.rest.len());
        let (here, rest) = core::mem::take(&mut self.rest).split_at_mut(fit);
        here.copy_from_slice(&text.as_bytes()[..fit]);
        self.rest = rest;
        if fit < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}
