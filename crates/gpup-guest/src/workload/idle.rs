//! Uploads a small buffer and then waits, with a heartbeat now and then that touches no memory.

use super::{Work, upload, uploads};
use crate::command::Command;
use crate::random;
use crate::spec::Workload;

/// Bytes of the buffer where there is room.
const BUFFER_BYTES: u64 = 4096;
/// Nanoseconds between two heartbeats.
const HEARTBEAT_NS: u64 = 20_000_000;

/// A buffer and a heartbeat.
pub(crate) struct Idle {
    seed: u64,
    bytes: u64,
}

impl Idle {
    /// In whatever there is room for.
    pub(crate) fn new(seed: u64, room: u64) -> Self {
        Self { seed, bytes: BUFFER_BYTES.min(room) & !7 }
    }
}

impl Work for Idle {
    fn workload(&self) -> Workload {
        Workload::Idle
    }

    fn extent(&self) -> u64 {
        self.bytes
    }

    fn setup_len(&self) -> u64 {
        uploads(self.bytes)
    }

    fn setup(&self, index: u64) -> Command {
        upload(0, self.bytes, index, |offset, data| {
            for (index, bytes) in (offset / 8..).zip(data.chunks_exact_mut(8)) {
                bytes.copy_from_slice(&random::number(self.seed, index).to_le_bytes());
            }
        })
    }

    fn step_len(&self) -> u64 {
        1
    }

    fn command(&self, _step: u64, _part: u64) -> Command {
        Command::Nop
    }

    fn interval_ns(&self) -> u64 {
        HEARTBEAT_NS
    }
}
