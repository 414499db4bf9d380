//! Kernel-mode testing: test command buffers that the driver builds.

use crate::base::{D3DGPU_VIRTUAL_ADDRESS, HANDLE, PVOID};
use crate::macros::{abi, bits, callbacks, open_enum};
use crate::status::NTSTATUS;

open_enum! {
    /// What a test command buffer does.
    pub enum D3DDDI_TESTCOMMANDBUFFEROP {
        D3DDDI_TESTCOMMANDBUFFEROP_INVALID = 0,
        D3DDDI_TESTCOMMANDBUFFEROP_COPY = 1,
        D3DDDI_TESTCOMMANDBUFFEROP_FILL = 2,
        D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_LOOP = 3,
        D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_PREEMPTABLE_LOOP = 4,
        D3DDDI_TESTCOMMANDBUFFEROP_MAX = 5,
    }

    /// Escapes that every driver knows.
    pub enum D3DDDI_DRIVERESCAPETYPE {
        D3DDDI_DRIVERESCAPETYPE_TRANSLATEALLOCATIONHANDLE = 0,
        D3DDDI_DRIVERESCAPETYPE_TRANSLATERESOURCEHANDLE = 1,
        D3DDDI_DRIVERESCAPETYPE_CPUEVENTUSAGE = 2,
        D3DDDI_DRIVERESCAPETYPE_BUILDTESTCOMMANDBUFFER = 3,
        D3DDDI_DRIVERESCAPETYPE_MAX = 4,
    }
}

bits! {
    /// Where a test command buffer will be submitted.
    pub struct D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS: u32 [Value] {
        HardwareQueue = 0,
    } reserved {
        Reserved = 1: 31,
    }
}

abi! {
    /// A copy between GPU virtual addresses.
    pub struct D3DDDI_TESTCOMMANDBUFFER_COPY {
        SrcAddress: D3DGPU_VIRTUAL_ADDRESS,
        DstAddress: D3DGPU_VIRTUAL_ADDRESS,
        NumBytes: u32,
    }

    /// A fill with a repeating 4-byte pattern.
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

    /// The command that a test command buffer is to carry.
    pub struct D3DDDI_TESTCOMMANDBUFFER {
        u: D3DDDI_TESTCOMMANDBUFFER_U,
        Operation: D3DDDI_TESTCOMMANDBUFFEROP,
        Reserved1: u32,
    }

    /// Argument of [`DXGKDDI_BUILDTESTCOMMANDBUFFER`].
    pub struct DXGKARG_BUILDTESTCOMMANDBUFFER {
        hContext: HANDLE,
        Command: D3DDDI_TESTCOMMANDBUFFER,
        pDmaBuffer: PVOID,
        pDmaBufferPrivateData: PVOID,
        DmaBufferSize: u32,
        DmaBufferPrivateDataSize: u32,
        Flags: D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS,
    }

    /// The same as an escape from user mode.
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

    /// The kernel-mode testing feature's interface.
    pub struct DXGKDDI_KERNELMODETESTINGINTERFACE {
        pfnBuildTestCommandBuffer: PDXGKDDI_BUILDTESTCOMMANDBUFFER,
    }
}

callbacks! {
    /// Builds a command buffer that does one simple thing. STATUS_BUFFER_OVERFLOW, with both sizes, if a
    /// buffer is missing or too small.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated. Confidence: docs. Page:
    /// *DXGKDDI_BUILDTESTCOMMANDBUFFER function (d3dkmddi.h)*.
    pub type PDXGKDDI_BUILDTESTCOMMANDBUFFER = DXGKDDI_BUILDTESTCOMMANDBUFFER(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARG_BUILDTESTCOMMANDBUFFER,
    ) -> NTSTATUS;
}
