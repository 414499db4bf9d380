//! Locks that live in a word of their owner's, zero while free.
//!
//! Microsoft's pages say that ExInitializePushLock and KeInitializeSpinLock prepare such a word, not that they store
//! a zero. [`words_are_zero`] asks the running kernel; a driver refuses to load where the answer is no.
//!
//! UNSAFETY: gives the kernel words that the callers keep for nothing else.
#![expect(unsafe_code)]

use core::sync::atomic::AtomicUsize;

use wdk_sys::ULONG_PTR;
use wdk_sys::ntddk::{
    ExInitializePushLock, KeAcquireSpinLockRaiseToDpc, KeEnterCriticalRegion, KeLeaveCriticalRegion,
    KeReleaseSpinLock,
};

use crate::exports::{ExAcquirePushLockExclusiveEx, ExReleasePushLockExclusiveEx};

/// EX_DEFAULT_PUSH_LOCK_FLAGS.
const DEFAULT: u32 = 0;

const _: () = assert!(size_of::<ULONG_PTR>() == size_of::<AtomicUsize>());

fn place(word: &AtomicUsize) -> *mut ULONG_PTR {
    word.as_ptr().cast()
}

/// Whether a free push lock is a word of zero on this system. "ExInitializePushLock function".
///
/// A KSPIN_LOCK is set up by an inline function of the header, which is compiled into every driver as a store of zero.
pub fn words_are_zero() -> bool {
    let mut lock: ULONG_PTR = ULONG_PTR::MAX;
    // SAFETY: the lock is a live word that nobody else uses.
    unsafe { ExInitializePushLock((&raw mut lock).cast()) };
    lock == 0
}

/// Takes the push lock in `word`; waits for it. <= APC_LEVEL. "ExAcquirePushLockExclusive macro".
///
/// Normal kernel APCs stay off until [`release`], so the holder is not suspended.
pub fn acquire(word: &AtomicUsize) {
    // SAFETY: `release` leaves the region.
    unsafe { KeEnterCriticalRegion() };
    // SAFETY: the word is a push lock, used by this module alone.
    unsafe { ExAcquirePushLockExclusiveEx(place(word), DEFAULT) };
}

/// Gives back what this thread took by [`acquire`].
pub fn release(word: &AtomicUsize) {
    // SAFETY: the word is a push lock that the calling thread holds.
    unsafe { ExReleasePushLockExclusiveEx(place(word), DEFAULT) };
    // SAFETY: `acquire` entered the region.
    unsafe { KeLeaveCriticalRegion() };
}

/// Takes the spin lock in `word` and raises to DISPATCH_LEVEL; answers the IRQL before. <= DISPATCH_LEVEL.
/// "KeAcquireSpinLockRaiseToDpc function".
pub fn spin(word: &AtomicUsize) -> u8 {
    // SAFETY: the word is a spin lock, used by this module alone.
    unsafe { KeAcquireSpinLockRaiseToDpc(place(word).cast()) }
}

/// Gives back what this thread took by [`spin`], and the IRQL. "KeReleaseSpinLock function".
pub fn unspin(word: &AtomicUsize, irql: u8) {
    // SAFETY: the word is a spin lock that the calling thread holds since `irql`.
    unsafe { KeReleaseSpinLock(place(word).cast(), irql) };
}
