//! What a kernel forbids fails.

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
