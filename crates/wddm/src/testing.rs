//! Kernel-mode testing: test command buffers that the driver builds.

use crate::base::{D3DGPU_VIRTUAL_ADDRESS, HANDLE, PVOID};
use crate::macros::{abi, bits, callbacks, open_enum};
use crate::status::NTSTATUS;

open_enum! {
    /// The header's `D3DDDI_TESTCOMMANDBUFFEROP`.
    pub enum D3DDDI_TESTCOMMANDBUFFEROP {
        D3DDDI_TESTCOMMANDBUFFEROP_INVALID = 0,
        D3DDDI_TESTCOMMANDBUFFEROP_COPY = 1,
        D3DDDI_TESTCOMMANDBUFFEROP_FILL = 2,
        D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_LOOP = 3,
        D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_PREEMPTABLE_LOOP = 4,
        D3DDDI_TESTCOMMANDBUFFEROP_MAX = 5,
    }

    /// The header's `D3DDDI_DRIVERESCAPETYPE`.
    pub enum D3DDDI_DRIVERESCAPETYPE {
        D3DDDI_DRIVERESCAPETYPE_TRANSLATEALLOCATIONHANDLE = 0,
        D3DDDI_DRIVERESCAPETYPE_TRANSLATERESOURCEHANDLE = 1,
        D3DDDI_DRIVERESCAPETYPE_CPUEVENTUSAGE = 2,
        D3DDDI_DRIVERESCAPETYPE_BUILDTESTCOMMANDBUFFER = 3,
        D3DDDI_DRIVERESCAPETYPE_MAX = 4,
    }
}

bits! {
    /// The header's `D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS`.
    pub struct D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS: u32 [Value] {
        HardwareQueue = 0,
    } reserved {
        Reserved = 1: 31,
    }
}

abi! {
    /// The header's `D3DDDI_TESTCOMMANDBUFFER_COPY`.
    pub struct D3DDDI_TESTCOMMANDBUFFER_COPY {
        SrcAddress: D3DGPU_VIRTUAL_ADDRESS,
        DstAddress: D3DGPU_VIRTUAL_ADDRESS,
        NumBytes: u32,
    }

    /// The header's `D3DDDI_TESTCOMMANDBUFFER_FILL`.
    pub struct D3DDDI_TESTCOMMANDBUFFER_FILL {
        DstAddress: D3DGPU_VIRTUAL_ADDRESS,
        NumBytes: u32,
        Pattern: u32,
    }

    /// The anonymous union of [`D3DDDI_TESTCOMMANDBUFFER`].
    pub union D3DDDI_TESTCOMMANDBUFFER_U {
        Copy: D3DDDI_TESTCOMMANDBUFFER_COPY,
        Fill: D3DDDI_TESTCOMMANDBUFFER_FILL,
        Reserved: [u8; 64],
    }

    /// The header's `D3DDDI_TESTCOMMANDBUFFER`.
    pub struct D3DDDI_TESTCOMMANDBUFFER {
        u: D3DDDI_TESTCOMMANDBUFFER_U,
        Operation: D3DDDI_TESTCOMMANDBUFFEROP,
        Reserved1: u32,
    }

    /// The header's `DXGKARG_BUILDTESTCOMMANDBUFFER`.
    pub struct DXGKARG_BUILDTESTCOMMANDBUFFER {
        hContext: HANDLE,
        Command: D3DDDI_TESTCOMMANDBUFFER,
        pDmaBuffer: PVOID,
        pDmaBufferPrivateData: PVOID,
        DmaBufferSize: u32,
        DmaBufferPrivateDataSize: u32,
        Flags: D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS,
    }

    /// The header's `D3DDDI_DRIVERESCAPE_BUILDTESTCOMMANDBUFFER`.
    pub struct D3DDDI_DRIVERESCAPE_BUILDTESTCOMMANDBUFFER {
        EscapeType: D3DDDI_DRIVERESCAPETYPE,
        hDevice: u32,
        hContext: u32,
        Flags: D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS,
        Command: D3DDDI_TESTCOMMANDBUFFER,
        pDmaBuffer: PVOID,
        pDmaBufferPrivateData: PVOID,
        DmaBufferSize: u32,
        DmaBufferPrivateDataSize: u32,
    }

    /// The header's `DXGKDDI_KERNELMODETESTINGINTERFACE`.
    pub struct DXGKDDI_KERNELMODETESTINGINTERFACE {
        pfnBuildTestCommandBuffer: PDXGKDDI_BUILDTESTCOMMANDBUFFER,
    }
}

callbacks! {
    /// The header's `DXGKDDI_BUILDTESTCOMMANDBUFFER`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_BUILDTESTCOMMANDBUFFER function (d3dkmddi.h)*.
    pub type PDXGKDDI_BUILDTESTCOMMANDBUFFER = DXGKDDI_BUILDTESTCOMMANDBUFFER(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARG_BUILDTESTCOMMANDBUFFER,
    ) -> NTSTATUS;
}
