//! Dirty-page tracking: memory bases, tracking, and reading one bit a page.
//!
//! A memory basis is a set of ranges of one segment. A page is as large as the driver says for that segment.

use crate::base::{DXGK_MEMORYRANGE, HANDLE, PVOID, SIZE_T};
use crate::macros::{abi, bits, callbacks, flag_enum, open_enum};
use crate::status::NTSTATUS;

open_enum! {
    /// The header's `DXGKARG_QUERYDIRTYBITDATAFLAGS`.
    pub enum DXGKARG_QUERYDIRTYBITDATAFLAGS {
        DXGKARG_QUERYDIRTYBITDATAFLAGS_CLEARDATA = 1,
    }
}

flag_enum! { DXGKARG_QUERYDIRTYBITDATAFLAGS }

bits! {
    /// The header's `DXGK_DIRTY_BIT_TRACKING_CAPS`.
    pub struct DXGK_DIRTY_BIT_TRACKING_CAPS: u32 [Value] {
        DirtyBitTrackingSupported = 0,
        DirtyBitTrackingPerformant = 1,
    } reserved {
        Reserved = 2: 30,
    }
}

abi! {
    /// The header's `DXGKARG_CREATEMEMORYBASIS`.
    pub struct DXGKARG_CREATEMEMORYBASIS {
        SegmentId: u32,
        RangeCount: u64,
        Ranges: [DXGK_MEMORYRANGE; 1],
    }

    /// The header's `DXGKARG_QUERYDIRTYBITDATA`.
    pub struct DXGKARG_QUERYDIRTYBITDATA {
        MemoryBasis: HANDLE,
        SubrangeIndex: u64,
        SubrangeOffset: u64,
        SubrangeSize: u64,
        Buffer: PVOID,
        BufferSize: SIZE_T,
        Flags: DXGKARG_QUERYDIRTYBITDATAFLAGS,
    }

    /// The header's `DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS`.
    pub struct DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS {
        PageSize: u32,
    }
}

callbacks! {
    /// The header's `DXGKDDI_CREATEMEMORYBASIS`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_CREATEMEMORYBASIS = DXGKDDI_CREATEMEMORYBASIS(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_CREATEMEMORYBASIS,
    ) -> HANDLE;

    /// The header's `DXGKDDI_DESTROYMEMORYBASIS`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_DESTROYMEMORYBASIS = DXGKDDI_DESTROYMEMORYBASIS(
        hAdapter: HANDLE,
        hMemoryBasis: HANDLE,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_STARTDIRTYTRACKING`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_STARTDIRTYTRACKING = DXGKDDI_STARTDIRTYTRACKING(
        hAdapter: HANDLE,
        hMemoryBasis: HANDLE,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_STOPDIRTYTRACKING`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_STOPDIRTYTRACKING = DXGKDDI_STOPDIRTYTRACKING(
        hAdapter: HANDLE,
        hMemoryBasis: HANDLE,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_QUERYDIRTYBITDATA`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_QUERYDIRTYBITDATA = DXGKDDI_QUERYDIRTYBITDATA(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARG_QUERYDIRTYBITDATA,
    ) -> NTSTATUS;
}
