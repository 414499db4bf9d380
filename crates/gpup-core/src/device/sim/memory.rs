//! A VF's own memory as its commands see it: bounded, aligned, marked when written.

use core::sync::atomic::{AtomicBool, Ordering};

use super::bar::Bar;
use super::regions::Regions;
use crate::Error;
use crate::device::abi::{FaultCode, READBACK_BYTES, READBACK_OFFSET};
use crate::dirty::Writer;

/// What a command may touch while it runs.
pub(super) struct VfMemory<'a> {
    pub(super) regions: &'a Regions,
    pub(super) writer: &'a mut Writer,
    pub(super) bar: &'a Bar,
    /// The VF is being reset: the command must end.
    pub(super) abort: &'a AtomicBool,
}

impl From<Error> for FaultCode {
    /// Ranges were checked, so VRAM refuses nothing; should it, the guest learns of a bad range.
    fn from(_: Error) -> Self {
        Self::OutOfRange
    }
}

impl VfMemory<'_> {
    /// Refuses a range that is misaligned or reaches outside.
    pub(super) fn check(&self, at: u64, bytes: u64) -> Result<(), FaultCode> {
        self.regions.check(at, bytes)
    }

    /// Ends a command whose VF is being reset. Asked between pieces of some ten microseconds.
    pub(super) fn proceed(&self) -> Result<(), FaultCode> {
        if self.abort.load(Ordering::Acquire) { Err(FaultCode::Reset) } else { Ok(()) }
    }

    /// Copies out of the memory.
    pub(super) fn read(&self, at: u64, out: &mut [u8]) -> Result<(), FaultCode> {
        let bytes = out.len() as u64;
        self.regions.pieces(at, bytes, |offset, start, run| {
            let out = &mut out[start as usize..(start + run) as usize];
            self.writer.vram().read(offset, out).map_err(FaultCode::from)
        })
    }

    /// Copies into the memory.
    pub(super) fn write(&mut self, at: u64, data: &[u8]) -> Result<(), FaultCode> {
        self.regions.pieces(at, data.len() as u64, |offset, start, run| {
            let data = &data[start as usize..(start + run) as usize];
            self.writer.write(offset, data).map_err(FaultCode::from)
        })
    }

    /// Repeats a pattern over the memory.
    pub(super) fn fill(&mut self, at: u64, bytes: u64, pattern: u64) -> Result<(), FaultCode> {
        self.regions.pieces(at, bytes, |offset, _, run| {
            self.writer.fill(offset, run, pattern).map_err(FaultCode::from)
        })
    }

    /// Writes into the readback window, where [`check_window`] allowed it.
    pub(super) fn show(&self, window: u32, data: &[u8]) {
        self.bar.write(READBACK_OFFSET + window as usize, data);
    }
}

/// Refuses a range that is misaligned or reaches outside the readback window.
pub(super) fn check_window(window: u32, bytes: u64) -> Result<(), FaultCode> {
    if !(u64::from(window) | bytes).is_multiple_of(8) {
        return Err(FaultCode::Misaligned);
    }
    match u64::from(window).checked_add(bytes) {
        Some(end) if end <= READBACK_BYTES as u64 => Ok(()),
        _ => Err(FaultCode::OutOfRange),
    }
}

/// Refuses ranges that share a byte.
pub(super) fn check_disjoint(a: u64, a_bytes: u64, b: u64, b_bytes: u64) -> Result<(), FaultCode> {
    let apart = a.saturating_add(a_bytes) <= b || b.saturating_add(b_bytes) <= a;
    if apart { Ok(()) } else { Err(FaultCode::BadParameter) }
}
