//! The atomics of the lock-free parts, replaced by loom's when it explores their interleavings.

#[cfg(not(loom))]
pub(crate) use core::sync::atomic;
#[cfg(loom)]
pub(crate) use loom::sync::atomic;
