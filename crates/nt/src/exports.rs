//! Documented kernel functions that wdk-sys may lack: inline or macros in one header, absent from another.
#![expect(unsafe_code, reason = "declares functions of the kernel")]

use wdk_sys::{KIRQL, PHYSICAL_ADDRESS, PVOID, SIZE_T, ULONG, ULONG_PTR};

unsafe extern "system" {
    /// "KfRaiseIrql function": what KeRaiseIrql is on x64.
    pub(crate) fn KfRaiseIrql(new: KIRQL) -> KIRQL;
    /// "KeLowerIrql function".
    pub(crate) fn KeLowerIrql(new: KIRQL);
    /// "ExAcquirePushLockExclusive macro": the function behind it; flags 0 are the default.
    pub(crate) fn ExAcquirePushLockExclusiveEx(lock: *mut ULONG_PTR, flags: ULONG);
    /// "ExReleasePushLockExclusive macro".
    pub(crate) fn ExReleasePushLockExclusiveEx(lock: *mut ULONG_PTR, flags: ULONG);
    /// "MmAllocateContiguousNodeMemory function".
    pub(crate) fn MmAllocateContiguousNodeMemory(
        bytes: SIZE_T,
        lowest: PHYSICAL_ADDRESS,
        highest: PHYSICAL_ADDRESS,
        boundary: PHYSICAL_ADDRESS,
        protect: ULONG,
        node: ULONG,
    ) -> PVOID;
}
