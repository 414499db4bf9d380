//! Arguments of Dxgkrnl's callbacks.

use crate::allocation::DXGK_ALLOCATIONINFOFLAGS;
use crate::base::{
    D3DDDIGPUVIRTUALADDRESS_PROTECTION_TYPE, D3DGPU_VIRTUAL_ADDRESS, DXGK_ADL, DXGK_MEMORY_CACHING_TYPE,
    HANDLE, LARGE_INTEGER, PHYSICAL_ADDRESS, PVOID, SIZE_T,
};
use crate::macros::{abi, bits, flag_enum, open_enum};
use crate::resources::MDL;
use crate::segment::{D3DDDI_SEGMENTPREFERENCE, DXGK_SEGMENTBANKPREFERENCE};

open_enum! {
    /// Interfaces that Dxgkrnl offers.
    pub enum DXGK_SERVICES {
        DxgkServicesAgp = 0,
        DxgkServicesDebugReport = 1,
        DxgkServicesTimedOperation = 2,
        DxgkServicesSPB = 3,
        DxgkServicesBDD = 4,
        DxgkServicesFirmwareTable = 5,
        DxgkServicesIDD = 6,
        DxgkServicesFeature = 7,
    }

    /// What a graphics handle names.
    pub enum DXGK_HANDLE_TYPE {
        DXGK_HANDLE_ALLOCATION = 1,
        DXGK_HANDLE_RESOURCE = 2,
    }

    /// What a physical memory object is made of.
    pub enum DXGK_PHYSICAL_MEMORY_TYPE {
        DXGK_PHYSICAL_MEMORY_TYPE_MDL = 0,
        DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY = 1,
        DXGK_PHYSICAL_MEMORY_TYPE_SECTION = 2,
        DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE = 3,
    }

    /// Whether a doorbell still reaches its queue.
    pub enum D3DDDI_DOORBELLSTATUS {
        D3DDDI_DOORBELLSTATUS_CONNECTED = 0,
        D3DDDI_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD = 1,
        D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY = 2,
        D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT = 3,
    }

    /// Who may use a mapping.
    pub enum DXGK_ACCESS_MODE {
        DXGK_ACCESS_MODE_KERNEL_MODE = 0,
        DXGK_ACCESS_MODE_USER_MODE = 1,
    }

    /// Whether a protected session still holds.
    pub enum DXGK_PROTECTED_SESSION_STATUS {
        DXGK_PROTECTED_SESSION_STATUS_OK = 0,
        DXGK_PROTECTED_SESSION_STATUS_INVALID = 1,
    }

    /// How content protection ends.
    pub enum DXGK_HARDWARE_CONTENT_PROTECTION_TEARDOWN_FLAGS {
        DXGK_HARDWARE_CONTENT_PROTECTION_TEARDOWN_FLAG_PREEMPTIVE = 1,
    }

    /// Versions of the display topology interface.
    pub enum DXGK_VIDPN_INTERFACE_VERSION {
        DXGK_VIDPN_INTERFACE_VERSION_UNINITIALIZED = 0,
        DXGK_VIDPN_INTERFACE_VERSION_V1 = 1,
        DXGK_VIDPN_INTERFACE_VERSION_V2 = 2,
    }

    /// Versions of the monitor interface.
    pub enum DXGK_MONITOR_INTERFACE_VERSION {
        DXGK_MONITOR_INTERFACE_VERSION_UNINITIALIZED = 0,
        DXGK_MONITOR_INTERFACE_VERSION_V1 = 1,
        DXGK_MONITOR_INTERFACE_VERSION_V2 = 2,
    }
}

flag_enum! { DXGK_HARDWARE_CONTENT_PROTECTION_TEARDOWN_FLAGS }

bits! {
    /// Which private data of a handle is asked for.
    pub struct DXGKCB_GETHANDLEDATAFLAGS: u32 [Value] {
        DeviceSpecific = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// `Flags` of [`DXGKARGCB_ALLOCATE_ADL`].
    pub struct DXGKARGCB_ALLOCATE_ADL_FLAGS: u32 [Value] {
        RequireContiguous = 0,
        PreferContiguous = 1,
    } reserved {
        Reserved = 2: 30,
    }

    /// How a context allocation is made.
    pub struct DXGK_CREATECONTEXTALLOCATIONFLAGS: u32 [Value] {
        SharedAcrossContexts = 0,
        MapGpuVirtualAddress = 1,
    } reserved {
        Reserved = 2: 30,
    }

    /// Flags of a disconnected doorbell, all reserved.
    pub struct DXGKARGCB_DISCONNECTDOORBELL_FLAGS: u32 [Value] {
    } reserved {
        Reserved = 0: 32,
    }

    /// Why a hardware context is lost.
    pub struct DXGK_INVALIDATEHWCONTEXTFLAGS: u32 [Value] {
        CollateralDamage = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// `Flags` of [`DXGKARGCB_PINFRAMEBUFFERFORSAVE2`].
    pub struct DXGKARGCB_PINFRAMEBUFFERFORSAVE2_FLAGS: u32 [Value] {
        PreferContiguous = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// The bit-fields of [`DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE`].
    pub struct DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE_FLAGS: u32 [Flags] {
        AllowUserModeMapping = 0,
    }

    /// The bit-fields of [`DXGKARGCB_SIGNALEVENT`].
    pub struct DXGKARGCB_SIGNALEVENT_FLAGS: u32 [Flags] {
        CpuEventObject = 0,
    } reserved {
        Reserved = 1: 31,
    }
}

abi! {
    /// Argument of DxgkCbGetHandleData and DxgkCbAcquireHandleData.
    pub struct DXGKARGCB_GETHANDLEDATA {
        hObject: u32,
        Type: DXGK_HANDLE_TYPE,
        Flags: DXGKCB_GETHANDLEDATAFLAGS,
    }

    /// Argument of [`DXGKCB_ALLOCATEPAGESFORMDL`](crate::DXGKCB_ALLOCATEPAGESFORMDL).
    pub struct DXGKARGCB_ALLOCATEPAGESFORMDL {
        LowAddress: PHYSICAL_ADDRESS,
        HighAddress: PHYSICAL_ADDRESS,
        SkipBytes: LARGE_INTEGER,
        TotalBytes: SIZE_T,
        CacheType: DXGK_MEMORY_CACHING_TYPE,
        Flags: u32,
        hMemoryHandle: HANDLE,
        pMdl: *mut MDL,
    }

    /// Argument of [`DXGKCB_FREEPAGESFROMMDL`](crate::DXGKCB_FREEPAGESFROMMDL).
    pub struct DXGKARGCB_FREEPAGESFROMMDL {
        hMemoryHandle: HANDLE,
    }

    /// Argument of [`DXGKCB_PINFRAMEBUFFERFORSAVE`](crate::DXGKCB_PINFRAMEBUFFERFORSAVE).
    pub struct DXGKARGCB_PINFRAMEBUFFERFORSAVE {
        PhysicalAdapterIndex: u32,
        CommitSize: SIZE_T,
        pMdl: *mut MDL,
    }

    /// Argument of [`DXGKCB_UNPINFRAMEBUFFERFORSAVE`](crate::DXGKCB_UNPINFRAMEBUFFERFORSAVE).
    pub struct DXGKARGCB_UNPINFRAMEBUFFERFORSAVE {
        PhysicalAdapterIndex: u32,
    }

    /// Argument of [`DXGKCB_MAPFRAMEBUFFERPOINTER`](crate::DXGKCB_MAPFRAMEBUFFERPOINTER).
    pub struct DXGKARGCB_MAPFRAMEBUFFERPOINTER {
        PhysicalAdapterIndex: u32,
        Size: SIZE_T,
        Offset: SIZE_T,
        pBaseAddress: PVOID,
    }

    /// Argument of [`DXGKCB_UNMAPFRAMEBUFFERPOINTER`](crate::DXGKCB_UNMAPFRAMEBUFFERPOINTER).
    pub struct DXGKARGCB_UNMAPFRAMEBUFFERPOINTER {
        PhysicalAdapterIndex: u32,
        pBaseAddress: PVOID,
    }

    /// Argument of [`DXGKCB_ALLOCATECONTIGUOUSMEMORY`](crate::DXGKCB_ALLOCATECONTIGUOUSMEMORY).
    pub struct DXGKARGCB_ALLOCATECONTIGUOUSMEMORY {
        NumberOfBytes: SIZE_T,
        LowestAcceptableAddress: PHYSICAL_ADDRESS,
        HighestAcceptableAddress: PHYSICAL_ADDRESS,
        BoundaryAddressMultiple: PHYSICAL_ADDRESS,
        CacheType: DXGK_MEMORY_CACHING_TYPE,
        hMemoryHandle: HANDLE,
        pMemory: PVOID,
    }

    /// Argument of [`DXGKCB_ALLOCATEADL`](crate::DXGKCB_ALLOCATEADL).
    pub struct DXGKARGCB_ALLOCATE_ADL {
        hAdapterMemoryObject: HANDLE,
        Offset: SIZE_T,
        Size: SIZE_T,
        Flags: DXGKARGCB_ALLOCATE_ADL_FLAGS,
        pAdl: *mut DXGK_ADL,
    }

    /// Argument of [`DXGKCB_CLOSEPHYSICALMEMORYOBJECT`](crate::DXGKCB_CLOSEPHYSICALMEMORYOBJECT).
    pub struct DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT {
        hAdapterMemoryObject: HANDLE,
    }

    /// Argument of [`DXGKCB_CREATECONTEXTALLOCATION`](crate::DXGKCB_CREATECONTEXTALLOCATION).
    pub struct DXGKARGCB_CREATECONTEXTALLOCATION {
        ContextAllocationFlags: DXGK_CREATECONTEXTALLOCATIONFLAGS,
        hAdapter: HANDLE,
        hDevice: HANDLE,
        hContext: HANDLE,
        hDriverAllocation: HANDLE,
        Size: SIZE_T,
        Alignment: u32,
        SupportedSegmentSet: u32,
        EvictionSegmentSet: u32,
        PreferredSegment: D3DDDI_SEGMENTPREFERENCE,
        HintedBank: DXGK_SEGMENTBANKPREFERENCE,
        Flags: DXGK_ALLOCATIONINFOFLAGS,
        hAllocation: HANDLE,
        PhysicalAdapterIndex: u32,
    }

    /// `Mdl` of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`].
    pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_MDL {
        LowAddress: PHYSICAL_ADDRESS,
        HighAddress: PHYSICAL_ADDRESS,
        SkipBytes: LARGE_INTEGER,
        Flags: u32,
    }

    /// `ContiguousMemory` of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`].
    pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_CONTIGUOUSMEMORY {
        LowestAcceptableAddress: PHYSICAL_ADDRESS,
        HighestAcceptableAddress: PHYSICAL_ADDRESS,
        BoundaryAddressMultiple: PHYSICAL_ADDRESS,
    }

    /// `Section` of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`].
    pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_SECTION {
        DesiredAccess: u32,
        ObjectAttributes: PVOID,
        PageProtection: u32,
        AllocationAttributes: u32,
    }

    /// `IOSpace` of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`].
    pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_IOSPACE {
        BaseAddress: PHYSICAL_ADDRESS,
    }

    /// The anonymous union of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`].
    pub union DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_U {
        Mdl: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_MDL,
        ContiguousMemory: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_CONTIGUOUSMEMORY,
        Section: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_SECTION,
        IOSpace: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_IOSPACE,
    }

    /// Argument of [`DXGKCB_CREATEPHYSICALMEMORYOBJECT`](crate::DXGKCB_CREATEPHYSICALMEMORYOBJECT).
    pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT {
        hAdapter: HANDLE,
        Size: SIZE_T,
        Context: PVOID,
        Type: DXGK_PHYSICAL_MEMORY_TYPE,
        CacheType: DXGK_MEMORY_CACHING_TYPE,
        u: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_U,
        hPhysicalMemoryObject: HANDLE,
        hAdapterMemoryObject: HANDLE,
    }

    /// Argument of [`DXGKCB_DESTROYPHYSICALMEMORYOBJECT`](crate::DXGKCB_DESTROYPHYSICALMEMORYOBJECT).
    pub struct DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT {
        hPhysicalMemoryObject: HANDLE,
        hAdapterMemoryObject: HANDLE,
    }

    /// Argument of [`DXGKCB_DISCONNECTDOORBELL`](crate::DXGKCB_DISCONNECTDOORBELL).
    pub struct DXGKARGCB_DISCONNECTDOORBELL {
        hHwQueue: HANDLE,
        hDoorbell: HANDLE,
        Flags: DXGKARGCB_DISCONNECTDOORBELL_FLAGS,
        DisconnectReason: D3DDDI_DOORBELLSTATUS,
    }

    /// Argument of [`DXGKCB_ENUMHANDLECHILDREN`](crate::DXGKCB_ENUMHANDLECHILDREN).
    pub struct DXGKARGCB_ENUMHANDLECHILDREN {
        hObject: u32,
        Index: u32,
    }

    /// Argument of [`DXGKCB_FREECONTIGUOUSMEMORY`](crate::DXGKCB_FREECONTIGUOUSMEMORY).
    pub struct DXGKARGCB_FREECONTIGUOUSMEMORY {
        hMemoryHandle: HANDLE,
    }

    /// Argument of [`DXGKCB_FREEADL`](crate::DXGKCB_FREEADL).
    pub struct DXGKARGCB_FREE_ADL {
        hAdapterMemoryObject: HANDLE,
        pAdl: *mut DXGK_ADL,
    }

    /// Argument of [`DXGKCB_GETCAPTUREADDRESS`](crate::DXGKCB_GETCAPTUREADDRESS).
    pub struct DXGKARGCB_GETCAPTUREADDRESS {
        hAllocation: u32,
        SegmentId: u32,
        PhysicalAddress: PHYSICAL_ADDRESS,
    }

    /// Argument of [`DXGKCB_INVALIDATEHWCONTEXT`](crate::DXGKCB_INVALIDATEHWCONTEXT).
    pub struct DXGKARGCB_INVALIDATEHWCONTEXT {
        hAdapter: HANDLE,
        hHwContext: HANDLE,
        Flags: DXGK_INVALIDATEHWCONTEXTFLAGS,
    }

    /// Argument of [`DXGKCB_MAPCONTEXTALLOCATION`](crate::DXGKCB_MAPCONTEXTALLOCATION).
    pub struct DXGKARGCB_MAPCONTEXTALLOCATION {
        BaseAddress: D3DGPU_VIRTUAL_ADDRESS,
        MinimumAddress: D3DGPU_VIRTUAL_ADDRESS,
        MaximumAddress: D3DGPU_VIRTUAL_ADDRESS,
        hAllocation: HANDLE,
        OffsetInPages: u64,
        SizeInPages: u64,
        Protection: D3DDDIGPUVIRTUALADDRESS_PROTECTION_TYPE,
        DriverProtection: u64,
    }

    /// Argument of [`DXGKCB_MAPMDLTOIOMMU`](crate::DXGKCB_MAPMDLTOIOMMU).
    pub struct DXGKARGCB_MAPMDLTOIOMMU {
        pMdl: *mut MDL,
        hMemoryHandle: HANDLE,
    }

    /// Argument of [`DXGKCB_MAPPHYSICALMEMORY`](crate::DXGKCB_MAPPHYSICALMEMORY).
    pub struct DXGKARGCB_MAP_PHYSICAL_MEMORY {
        hPhysicalMemoryObject: HANDLE,
        AccessMode: DXGK_ACCESS_MODE,
        Offset: SIZE_T,
        Size: SIZE_T,
        pMappedAddress: PVOID,
    }

    /// Argument of [`DXGKCB_NOTIFYCURSORSUPPORTCHANGE`](crate::DXGKCB_NOTIFYCURSORSUPPORTCHANGE).
    pub struct DXGKARGCB_NOTIFYCURSORSUPPORTCHANGE {
        DeviceHandle: PVOID,
        VidPnSourceId: u32,
    }

    /// Argument of [`DXGKCB_OPENPHYSICALMEMORYOBJECT`](crate::DXGKCB_OPENPHYSICALMEMORYOBJECT).
    pub struct DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT {
        hPhysicalMemoryObject: HANDLE,
        hAdapter: HANDLE,
        hAdapterMemoryObject: HANDLE,
    }

    /// Argument of [`DXGKCB_PINFRAMEBUFFERFORSAVE2`](crate::DXGKCB_PINFRAMEBUFFERFORSAVE2).
    pub struct DXGKARGCB_PINFRAMEBUFFERFORSAVE2 {
        PhysicalAdapterIndex: u32,
        CommitSize: SIZE_T,
        Flags: DXGKARGCB_PINFRAMEBUFFERFORSAVE2_FLAGS,
        pAdl: *mut DXGK_ADL,
    }

    /// Argument of [`DXGKCB_SETPROTECTEDSESSIONSTATUS`](crate::DXGKCB_SETPROTECTEDSESSIONSTATUS).
    pub struct DXGKARGCB_PROTECTEDSESSIONSTATUS {
        hProtectedSession: HANDLE,
        Status: DXGK_PROTECTED_SESSION_STATUS,
    }

    /// Argument of [`DXGKCB_RELEASEHANDLEDATA`](crate::DXGKCB_RELEASEHANDLEDATA).
    pub struct DXGKARGCB_RELEASEHANDLEDATA {
        ReleaseHandle: PVOID,
        Type: DXGK_HANDLE_TYPE,
    }

    /// Argument of [`DXGKCB_RESERVEGPUVIRTUALADDRESSRANGE`](crate::DXGKCB_RESERVEGPUVIRTUALADDRESSRANGE).
    pub struct DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE {
        hDxgkProcess: HANDLE,
        SizeInBytes: u64,
        Alignment: u32,
        StartVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        BaseAddress: D3DGPU_VIRTUAL_ADDRESS,
        Flags: DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE_FLAGS,
    }

    /// Argument of [`DXGKCB_SIGNALEVENT`](crate::DXGKCB_SIGNALEVENT).
    pub struct DXGKARGCB_SIGNALEVENT {
        hDxgkProcess: HANDLE,
        hEvent: HANDLE,
        Flags: DXGKARGCB_SIGNALEVENT_FLAGS,
    }

    /// Argument of [`DXGKCB_UNMAPMDLFROMIOMMU`](crate::DXGKCB_UNMAPMDLFROMIOMMU).
    pub struct DXGKARGCB_UNMAPMDLFROMIOMMU {
        hMemoryHandle: HANDLE,
    }

    /// Argument of [`DXGKCB_UNMAPPHYSICALMEMORY`](crate::DXGKCB_UNMAPPHYSICALMEMORY).
    pub struct DXGKARGCB_UNMAP_PHYSICAL_MEMORY {
        hPhysicalMemoryObject: HANDLE,
        pBaseAddress: PVOID,
        Size: SIZE_T,
    }

    /// Argument of [`DXGKCB_UPDATECONTEXTALLOCATION`](crate::DXGKCB_UPDATECONTEXTALLOCATION).
    pub struct DXGKARGCB_UPDATECONTEXTALLOCATION {
        hAllocation: HANDLE,
        pPrivateDriverData: PVOID,
        PrivateDriverDataSize: u32,
    }
}
