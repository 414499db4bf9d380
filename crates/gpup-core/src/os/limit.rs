//! How much of what happens goes to traces: what DxgkDdiControlEtwLogging sets, for the whole image.
//!
//! The debug log is not concerned. Until somebody sets a limit there is none, and what a trace's session asks for
//! decides alone.

use core::sync::atomic::{AtomicU8, Ordering};

use super::Level;

/// Events of levels above this number are left out.
static LIMIT: AtomicU8 = AtomicU8::new(Level::Debug as u8);

/// From now on only events of `level` and more important ones go to traces.
pub fn limit_traces(level: Level) {
    LIMIT.store(level as u8, Ordering::Relaxed);
}

/// Whether an event of `level` goes to traces. Any IRQL.
pub fn is_traced(level: Level) -> bool {
    level as u8 <= LIMIT.load(Ordering::Relaxed)
}
