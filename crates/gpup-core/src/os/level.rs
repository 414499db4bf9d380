//! The interrupt request level of a host's threads: a number, kept so that what a kernel forbids fails a test.
//!
//! Builds without debug assertions do not look at it.

extern crate std;

use core::cell::Cell;

/// PASSIVE_LEVEL.
pub const PASSIVE_LEVEL: u8 = 0;
/// APC_LEVEL, up to which a thread may block.
const APC_LEVEL: u8 = 1;
/// DISPATCH_LEVEL, up to which spin locks are taken.
pub const DISPATCH_LEVEL: u8 = 2;
/// A device's level.
pub const DEVICE_LEVEL: u8 = 3;

std::thread_local! {
    static LEVEL: Cell<u8> = const { Cell::new(PASSIVE_LEVEL) };
    /// Spin locks that the thread holds.
    static HELD: Cell<u32> = const { Cell::new(0) };
}

/// Runs `work` as a kernel would at `level`.
pub fn at<R>(level: u8, work: impl FnOnce() -> R) -> R {
    /// Puts the level back, after a panic too.
    struct Before(u8);
    impl Drop for Before {
        fn drop(&mut self) {
            LEVEL.set(self.0);
        }
    }
    let before = Before(LEVEL.get());
    assert!(level >= before.0, "a level is raised, not lowered");
    LEVEL.set(level);
    let result = work();
    drop(before);
    result
}

/// The calling thread is about to block.
pub(super) fn may_block() {
    debug_assert!(LEVEL.get() <= APC_LEVEL, "blocks at level {}", LEVEL.get());
}

/// The calling thread takes a spin lock; answers the level before.
pub(super) fn spin() -> u8 {
    let before = LEVEL.get();
    debug_assert!(before <= DISPATCH_LEVEL, "takes a spin lock at level {before}");
    LEVEL.set(DISPATCH_LEVEL);
    HELD.set(HELD.get() + 1);
    before
}

/// The calling thread gives one back, and the level with it.
pub(super) fn unspin(before: u8) {
    HELD.set(HELD.get() - 1);
    debug_assert!(
        before >= DISPATCH_LEVEL || HELD.get() == 0,
        "lowers the level while it holds another spin lock"
    );
    LEVEL.set(before);
}

// Without debug assertions nothing is looked at.
#[cfg(all(test, debug_assertions))]
mod tests;
