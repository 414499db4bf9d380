//! Counters of one adapter, for reports and benchmarks.

use core::sync::atomic::{AtomicU64, Ordering};

/// What the adapter's paging has done so far.
#[derive(Debug, Default)]
pub struct Counters {
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
    bytes_filled: AtomicU64,
    operations: AtomicU64,
    submissions: AtomicU64,
    paging_ns: AtomicU64,
    dirty_queries: AtomicU64,
}

/// A reading of [`Counters`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Bytes moved from VRAM to system memory.
    pub bytes_out: u64,
    /// Bytes moved from system memory to VRAM.
    pub bytes_in: u64,
    /// Bytes of VRAM filled.
    pub bytes_filled: u64,
    /// Transfers and fills.
    pub operations: u64,
    /// Paging buffers submitted.
    pub submissions: u64,
    /// Nanoseconds from submission to completion, summed over operations; more than the time that passed when
    /// several were in flight.
    pub paging_ns: u64,
    /// QueryDirtyBitData calls.
    pub dirty_queries: u64,
}

/// What a paging operation moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Out,
    In,
    Fill,
}

impl Counters {
    /// Reads all counters.
    pub fn read(&self) -> Reading {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Reading {
            bytes_out: get(&self.bytes_out),
            bytes_in: get(&self.bytes_in),
            bytes_filled: get(&self.bytes_filled),
            operations: get(&self.operations),
            submissions: get(&self.submissions),
            paging_ns: get(&self.paging_ns),
            dirty_queries: get(&self.dirty_queries),
        }
    }

    pub(crate) fn moved(&self, kind: Kind, bytes: u64, ns: u64) {
        let counter = match kind {
            Kind::Out => &self.bytes_out,
            Kind::In => &self.bytes_in,
            Kind::Fill => &self.bytes_filled,
        };
        counter.fetch_add(bytes, Ordering::Relaxed);
        self.operations.fetch_add(1, Ordering::Relaxed);
        self.paging_ns.fetch_add(ns, Ordering::Relaxed);
    }

    pub(crate) fn submitted(&self) {
        self.submissions.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn queried(&self) {
        self.dirty_queries.fetch_add(1, Ordering::Relaxed);
    }
}
