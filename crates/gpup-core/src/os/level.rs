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
mod tests {
    use std::panic::catch_unwind;

    use crate::os::host::install;
    use crate::os::{Event, Mutex, SpinLock, Thread};

    use super::*;

    /// Whether `work` fails at DISPATCH_LEVEL.
    fn fails_raised(work: impl FnOnce() + core::panic::UnwindSafe) -> bool {
        catch_unwind(|| at(DISPATCH_LEVEL, work)).is_err()
    }

    #[test]
    fn what_blocks_fails_where_a_kernel_would_stop() {
        install();
        assert!(fails_raised(|| drop(Mutex::new(()).lock())));
        assert!(fails_raised(|| drop(Thread::spawn("never", || ()))));
        assert!(fails_raised(|| {
            Event::new().unwrap().wait(1);
        }));
        assert!(!fails_raised(|| {
            Event::new().unwrap().wait(0);
            drop(SpinLock::new(()).lock());
        }));
        assert!(catch_unwind(|| at(DEVICE_LEVEL, || drop(SpinLock::new(()).lock()))).is_err());
        drop(Mutex::new(()).lock());
    }

    #[test]
    fn blocking_under_a_spin_lock_fails() {
        install();
        let blocked = catch_unwind(|| {
            let spin = SpinLock::new(());
            let _held = spin.lock();
            drop(Mutex::new(()).lock());
        });
        assert!(blocked.is_err());
        drop(Mutex::new(()).lock());
    }

    #[test]
    fn spin_locks_are_given_back_in_the_reverse_order() {
        install();
        let wrong = catch_unwind(|| {
            let (first, second) = (SpinLock::new(()), SpinLock::new(()));
            let one = first.lock();
            let two = second.lock();
            drop(one);
            drop(two);
        });
        assert!(wrong.is_err());
    }
}
