//! Dirty-page tracking: memory bases, tracking, and reading one bit a page.
//!
//! A memory basis is a set of ranges of one segment. A page is as large as the driver says for that segment.

use crate::base::{DXGK_MEMORYRANGE, HANDLE, PVOID, SIZE_T};
use crate::macros::{abi, bits, callbacks, flag_enum, open_enum};
use crate::status::NTSTATUS;

open_enum! {
    /// How dirty bits are read.
    pub enum DXGKARG_QUERYDIRTYBITDATAFLAGS {
        /// Read and clear in one step.
        DXGKARG_QUERYDIRTYBITDATAFLAGS_CLEARDATA = 1,
    }
}

flag_enum! { DXGKARG_QUERYDIRTYBITDATAFLAGS }

bits! {
    /// Answer to query 39, DXGKQAITYPE_DIRTYBITTRACKINGCAPS.
    pub struct DXGK_DIRTY_BIT_TRACKING_CAPS: u32 [Value] {
        DirtyBitTrackingSupported = 0,
        DirtyBitTrackingPerformant = 1,
    } reserved {
        Reserved = 2: 30,
    }
}

abi! {
    /// Argument of [`DXGKDDI_CREATEMEMORYBASIS`]: ranges of one segment, of variable length, pairwise
    /// disjoint and in no order.
    pub struct DXGKARG_CREATEMEMORYBASIS {
        SegmentId: u32,
        RangeCount: u64,
        /// The first of `RangeCount`.
        Ranges: [DXGK_MEMORYRANGE; 1],
    }

    /// Argument of [`DXGKDDI_QUERYDIRTYBITDATA`]: which pages, and where to put one bit for each.
    pub struct DXGKARG_QUERYDIRTYBITDATA {
        MemoryBasis: HANDLE,
        /// Which range of the basis; of no meaning when `SubrangeSize` is 0.
        SubrangeIndex: u64,
        /// Bytes from the start of that range, a multiple of the page.
        SubrangeOffset: u64,
        /// Bytes, a multiple of the page; 0 asks for the whole basis.
        SubrangeSize: u64,
        Buffer: PVOID,
        /// Bytes of `Buffer`, in the reading that is safe either way.
        BufferSize: SIZE_T,
        /// The header has a plain word here.
        Flags: DXGKARG_QUERYDIRTYBITDATAFLAGS,
    }

    /// Answer to query 40, DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS.
    pub struct DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS {
        /// Bytes that one bit stands for: a power of two, at least 4096.
        PageSize: u32,
    }
}

callbacks! {
    /// Makes a memory basis and gives its handle; NULL is the only sensible failure, none is documented.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_CREATEMEMORYBASIS = DXGKDDI_CREATEMEMORYBASIS(
        hAdapter: HANDLE,
        pArgs: *const DXGKARG_CREATEMEMORYBASIS,
    ) -> HANDLE;

    /// Destroys a memory basis. Anything but success is taken as catastrophic.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_DESTROYMEMORYBASIS = DXGKDDI_DESTROYMEMORYBASIS(
        hAdapter: HANDLE,
        hMemoryBasis: HANDLE,
    ) -> NTSTATUS;

    /// Starts tracking for a basis, all of it clean.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_STARTDIRTYTRACKING = DXGKDDI_STARTDIRTYTRACKING(
        hAdapter: HANDLE,
        hMemoryBasis: HANDLE,
    ) -> NTSTATUS;

    /// Stops what the matching start began; other bases go on.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_STOPDIRTYTRACKING = DXGKDDI_STOPDIRTYTRACKING(
        hAdapter: HANDLE,
        hMemoryBasis: HANDLE,
    ) -> NTSTATUS;

    /// Reads one bit a page of a basis or of part of it, and clears those bits in the same step if asked.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_QUERYDIRTYBITDATA = DXGKDDI_QUERYDIRTYBITDATA(
        hAdapter: HANDLE,
        pArgs: *mut DXGKARG_QUERYDIRTYBITDATA,
    ) -> NTSTATUS;
}
