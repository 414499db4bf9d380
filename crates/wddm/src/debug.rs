//! Debug data and escapes.

use crate::base::{HANDLE, PVOID, SIZE_T};
use crate::macros::{abi, bits, callbacks, constants};
use crate::status::NTSTATUS;
use crate::timeout::DXGK_TDR_TYPE;

constants! {
    /// Reason of a debug report: the whole adapter is reset.
    pub const VIDEO_TDR_TIMEOUT_DETECTED: u32 = 0x117;
    /// Reason of a debug report: one engine is reset.
    pub const VIDEO_ENGINE_TIMEOUT_DETECTED: u32 = 0x141;
}

bits! {
    /// How an escape runs.
    pub struct D3DDDI_ESCAPEFLAGS: u32 [Value] {
        HardwareAccess = 0,
        DeviceStatusQuery = 1,
        ChangeFrameLatency = 2,
        NoAdapterSynchronization = 3,
        VirtualMachineData = 5,
        DriverKnownEscape = 6,
        DriverCommonEscape = 7,
    } reserved {
        Reserved = 4: 1,
        Reserved2 = 8: 24,
    }
}

abi! {
    /// Argument of [`DXGKDDI_ESCAPE`].
    pub struct DXGKARG_ESCAPE {
        hDevice: HANDLE,
        Flags: D3DDDI_ESCAPEFLAGS,
        pPrivateDriverData: PVOID,
        PrivateDriverDataSize: u32,
        hContext: HANDLE,
        hKmdProcessHandle: HANDLE,
    }

    /// Argument of [`DXGKDDI_COLLECTDBGINFO`].
    pub struct DXGKARG_COLLECTDBGINFO {
        Reason: u32,
        pBuffer: PVOID,
        BufferSize: SIZE_T,
        pExtension: *mut DXGKARG_COLLECTDBGINFO_EXT,
    }

    /// Argument of [`DXGKDDI_COLLECTDBGINFO2`]: the reason, the buffer, and what led there.
    pub struct DXGKARG_COLLECTDBGINFO2 {
        Reason: u32,
        pBuffer: PVOID,
        BufferSize: SIZE_T,
        pExtension: *mut DXGKARG_COLLECTDBGINFO_EXT,
        TdrType: DXGK_TDR_TYPE,
        TdrPayloadSize: u32,
        TdrPayload: PVOID,
    }

    /// What a debug report adds for bug buckets.
    pub struct DXGKARG_COLLECTDBGINFO_EXT {
        BucketingKey: u32,
        CurrentDmaBufferOffset: u32,
        Reserved2: u32,
        Reserved3: u32,
        Reserved4: u32,
        Reserved5: u32,
        Reserved6: u32,
        Reserved7: u32,
    }
}

callbacks! {
    /// Private talk between the user-mode driver and this one.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 2 (only with HardwareAccess).
    pub type PDXGKDDI_ESCAPE = DXGKDDI_ESCAPE(hAdapter: HANDLE, pEscape: *const DXGKARG_ESCAPE) -> NTSTATUS;

    /// Fills a debug report; the IRQL depends on the reason.
    ///
    /// IRQL: PASSIVE_LEVEL per docs front matter; threading page says may be high. Synchronization level: 0.
    pub type PDXGKDDI_COLLECTDBGINFO = DXGKDDI_COLLECTDBGINFO(
        hAdapter: HANDLE,
        pCollectDbgInfo: *const DXGKARG_COLLECTDBGINFO,
    ) -> NTSTATUS;

    /// Fills a debug report.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_COLLECTDBGINFO2 = DXGKDDI_COLLECTDBGINFO2(
        hAdapter: HANDLE,
        pCollectDbgInfo2: *mut DXGKARG_COLLECTDBGINFO2,
    ) -> NTSTATUS;
}
