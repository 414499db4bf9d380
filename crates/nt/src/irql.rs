//! The interrupt request level of the processor.
//!
//! UNSAFETY: calls the kernel.
#![expect(unsafe_code)]

use wdk_sys::ntddk::KeGetCurrentIrql;

use crate::exports::{KeLowerIrql, KfRaiseIrql};

/// PASSIVE_LEVEL.
pub const PASSIVE_LEVEL: u8 = 0;
/// APC_LEVEL.
pub const APC_LEVEL: u8 = 1;
/// DISPATCH_LEVEL.
pub const DISPATCH_LEVEL: u8 = 2;
/// The lowest level of a device's interrupts on x64: above DISPATCH_LEVEL, below every other DIRQL.
pub const LOWEST_DEVICE_LEVEL: u8 = DISPATCH_LEVEL + 1;

/// The current level.
pub fn current() -> u8 {
    // SAFETY: takes nothing.
    unsafe { KeGetCurrentIrql() }
}

/// Runs `work` at `level`, which is not below the current one. "KeRaiseIrql macro".
pub fn at(level: u8, work: &mut dyn FnMut()) {
    debug_assert!(level >= current());
    // SAFETY: the level is not below the current one.
    let before = unsafe { KfRaiseIrql(level) };
    work();
    // SAFETY: the level that was, from the raise before.
    unsafe { KeLowerIrql(before) };
}
