//! Who calls, and names that nobody else has.
//!
//! UNSAFETY: calls the kernel.
#![expect(unsafe_code)]

use wdk_sys::ntddk::{
    SeCaptureSubjectContext, SeLockSubjectContext, SeReleaseSubjectContext, SeTokenIsAdmin,
    SeUnlockSubjectContext, ZwAllocateLocallyUniqueId,
};
use wdk_sys::{LUID, NTSTATUS, SECURITY_SUBJECT_CONTEXT};

use crate::check;

/// Whether the calling thread acts for a member of the local Administrators group. PASSIVE_LEVEL.
/// "SeTokenIsAdmin function", "SeCaptureSubjectContext function".
pub fn caller_is_administrator() -> bool {
    let mut subject = SECURITY_SUBJECT_CONTEXT::default();
    // SAFETY: the context is a live variable.
    unsafe { SeCaptureSubjectContext(&mut subject) };
    // SAFETY: it was captured above.
    unsafe { SeLockSubjectContext(&mut subject) };
    // What SeQuerySubjectContextToken, a macro, means: the one who is impersonated, if anyone is.
    let client = !subject.ClientToken.is_null();
    let token = if client { subject.ClientToken } else { subject.PrimaryToken };
    // SAFETY: the token is referenced by the captured context.
    let administrator = unsafe { SeTokenIsAdmin(token) } != 0;
    // SAFETY: it was locked above.
    unsafe { SeUnlockSubjectContext(&mut subject) };
    // SAFETY: it was captured above, and is used no more.
    unsafe { SeReleaseSubjectContext(&mut subject) };
    administrator
}

/// A LUID that nothing else has until the system restarts. PASSIVE_LEVEL. "ZwAllocateLocallyUniqueId function".
pub fn unique_id() -> Result<LUID, NTSTATUS> {
    let mut id = LUID::default();
    // SAFETY: the id is a live variable.
    check(unsafe { ZwAllocateLocallyUniqueId(&mut id) })?;
    Ok(id)
}
