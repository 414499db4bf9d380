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
    /// The header's `DXGK_SERVICES`.
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

    /// The header's `DXGK_HANDLE_TYPE`.
    pub enum DXGK_HANDLE_TYPE {
        DXGK_HANDLE_ALLOCATION = 1,
        DXGK_HANDLE_RESOURCE = 2,
    }

    /// The header's `DXGK_PHYSICAL_MEMORY_TYPE`.
    pub enum DXGK_PHYSICAL_MEMORY_TYPE {
        DXGK_PHYSICAL_MEMORY_TYPE_MDL = 0,
        DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY = 1,
        DXGK_PHYSICAL_MEMORY_TYPE_SECTION = 2,
        DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE = 3,
    }

    /// The header's `D3DDDI_DOORBELLSTATUS`.
    pub enum D3DDDI_DOORBELLSTATUS {
        D3DDDI_DOORBELLSTATUS_CONNECTED = 0,
        D3DDDI_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD = 1,
        D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY = 2,
        D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT = 3,
    }

    /// The header's `DXGK_ACCESS_MODE`.
    pub enum DXGK_ACCESS_MODE {
        DXGK_ACCESS_MODE_KERNEL_MODE = 0,
        DXGK_ACCESS_MODE_USER_MODE = 1,
    }

    /// The header's `DXGK_PROTECTED_SESSION_STATUS`.
    pub enum DXGK_PROTECTED_SESSION_STATUS {
        DXGK_PROTECTED_SESSION_STATUS_OK = 0,
        DXGK_PROTECTED_SESSION_STATUS_INVALID = 1,
    }

    /// The header's `DXGK_HARDWARE_CONTENT_PROTECTION_TEARDOWN_FLAGS`.
    pub enum DXGK_HARDWARE_CONTENT_PROTECTION_TEARDOWN_FLAGS {
        DXGK_HARDWARE_CONTENT_PROTECTION_TEARDOWN_FLAG_PREEMPTIVE = 1,
    }

    /// The header's `DXGK_VIDPN_INTERFACE_VERSION`.
    pub enum DXGK_VIDPN_INTERFACE_VERSION {
        DXGK_VIDPN_INTERFACE_VERSION_UNINITIALIZED = 0,
        DXGK_VIDPN_INTERFACE_VERSION_V1 = 1,
        DXGK_VIDPN_INTERFACE_VERSION_V2 = 2,
    }

    /// The header's `DXGK_MONITOR_INTERFACE_VERSION`.
    pub enum DXGK_MONITOR_INTERFACE_VERSION {
        DXGK_MONITOR_INTERFACE_VERSION_UNINITIALIZED = 0,
        DXGK_MONITOR_INTERFACE_VERSION_V1 = 1,
        DXGK_MONITOR_INTERFACE_VERSION_V2 = 2,
    }
}

flag_enum! { DXGK_HARDWARE_CONTENT_PROTECTION_TEARDOWN_FLAGS }

bits! {
    /// The header's `DXGKCB_GETHANDLEDATAFLAGS`.
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

    /// The header's `DXGK_CREATECONTEXTALLOCATIONFLAGS`.
    pub struct DXGK_CREATECONTEXTALLOCATIONFLAGS: u32 [Value] {
        SharedAcrossContexts = 0,
        MapGpuVirtualAddress = 1,
    } reserved {
        Reserved = 2: 30,
    }

    /// The header's `DXGKARGCB_DISCONNECTDOORBELL_FLAGS`.
    pub struct DXGKARGCB_DISCONNECTDOORBELL_FLAGS: u32 [Reserved, Value] {
    }

    /// The header's `DXGK_INVALIDATEHWCONTEXTFLAGS`.
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
    /// The header's `DXGKARGCB_GETHANDLEDATA`.
    pub struct DXGKARGCB_GETHANDLEDATA {
        hObject: u32,
        Type: DXGK_HANDLE_TYPE,
        Flags: DXGKCB_GETHANDLEDATAFLAGS,
    }

    /// The header's `DXGKARGCB_ALLOCATEPAGESFORMDL`.
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

    /// The header's `DXGKARGCB_FREEPAGESFROMMDL`.
    pub struct DXGKARGCB_FREEPAGESFROMMDL {
        hMemoryHandle: HANDLE,
    }

    /// The header's `DXGKARGCB_PINFRAMEBUFFERFORSAVE`.
    pub struct DXGKARGCB_PINFRAMEBUFFERFORSAVE {
        PhysicalAdapterIndex: u32,
        CommitSize: SIZE_T,
        pMdl: *mut MDL,
    }

    /// The header's `DXGKARGCB_UNPINFRAMEBUFFERFORSAVE`.
    pub struct DXGKARGCB_UNPINFRAMEBUFFERFORSAVE {
        PhysicalAdapterIndex: u32,
    }

    /// The header's `DXGKARGCB_MAPFRAMEBUFFERPOINTER`.
    pub struct DXGKARGCB_MAPFRAMEBUFFERPOINTER {
        PhysicalAdapterIndex: u32,
        Size: SIZE_T,
        Offset: SIZE_T,
        pBaseAddress: PVOID,
    }

    /// The header's `DXGKARGCB_UNMAPFRAMEBUFFERPOINTER`.
    pub struct DXGKARGCB_UNMAPFRAMEBUFFERPOINTER {
        PhysicalAdapterIndex: u32,
        pBaseAddress: PVOID,
    }

    /// The header's `DXGKARGCB_ALLOCATECONTIGUOUSMEMORY`.
    pub struct DXGKARGCB_ALLOCATECONTIGUOUSMEMORY {
        NumberOfBytes: SIZE_T,
        LowestAcceptableAddress: PHYSICAL_ADDRESS,
        HighestAcceptableAddress: PHYSICAL_ADDRESS,
        BoundaryAddressMultiple: PHYSICAL_ADDRESS,
        CacheType: DXGK_MEMORY_CACHING_TYPE,
        hMemoryHandle: HANDLE,
        pMemory: PVOID,
    }

    /// The header's `DXGKARGCB_ALLOCATE_ADL`.
    pub struct DXGKARGCB_ALLOCATE_ADL {
        hAdapterMemoryObject: HANDLE,
        Offset: SIZE_T,
        Size: SIZE_T,
        Flags: DXGKARGCB_ALLOCATE_ADL_FLAGS,
        pAdl: *mut DXGK_ADL,
    }

    /// The header's `DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT`.
    pub struct DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT {
        hAdapterMemoryObject: HANDLE,
    }

    /// The header's `DXGKARGCB_CREATECONTEXTALLOCATION`.
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

    /// The header's `DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`.
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

    /// The header's `DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT`.
    pub struct DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT {
        hPhysicalMemoryObject: HANDLE,
        hAdapterMemoryObject: HANDLE,
    }

    /// The header's `DXGKARGCB_DISCONNECTDOORBELL`.
    pub struct DXGKARGCB_DISCONNECTDOORBELL {
        hHwQueue: HANDLE,
        hDoorbell: HANDLE,
        Flags: DXGKARGCB_DISCONNECTDOORBELL_FLAGS,
        DisconnectReason: D3DDDI_DOORBELLSTATUS,
    }

    /// The header's `DXGKARGCB_ENUMHANDLECHILDREN`.
    pub struct DXGKARGCB_ENUMHANDLECHILDREN {
        hObject: u32,
        Index: u32,
    }

    /// The header's `DXGKARGCB_FREECONTIGUOUSMEMORY`.
    pub struct DXGKARGCB_FREECONTIGUOUSMEMORY {
        hMemoryHandle: HANDLE,
    }

    /// The header's `DXGKARGCB_FREE_ADL`.
    pub struct DXGKARGCB_FREE_ADL {
        hAdapterMemoryObject: HANDLE,
        pAdl: *mut DXGK_ADL,
    }

    /// The header's `DXGKARGCB_GETCAPTUREADDRESS`.
    pub struct DXGKARGCB_GETCAPTUREADDRESS {
        hAllocation: u32,
        SegmentId: u32,
        PhysicalAddress: PHYSICAL_ADDRESS,
    }

    /// The header's `DXGKARGCB_INVALIDATEHWCONTEXT`.
    pub struct DXGKARGCB_INVALIDATEHWCONTEXT {
        hAdapter: HANDLE,
        hHwContext: HANDLE,
        Flags: DXGK_INVALIDATEHWCONTEXTFLAGS,
    }

    /// The header's `DXGKARGCB_MAPCONTEXTALLOCATION`.
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

    /// The header's `DXGKARGCB_MAPMDLTOIOMMU`.
    pub struct DXGKARGCB_MAPMDLTOIOMMU {
        pMdl: *mut MDL,
        hMemoryHandle: HANDLE,
    }

    /// The header's `DXGKARGCB_MAP_PHYSICAL_MEMORY`.
    pub struct DXGKARGCB_MAP_PHYSICAL_MEMORY {
        hPhysicalMemoryObject: HANDLE,
        AccessMode: DXGK_ACCESS_MODE,
        Offset: SIZE_T,
        Size: SIZE_T,
        pMappedAddress: PVOID,
    }

    /// The header's `DXGKARGCB_NOTIFYCURSORSUPPORTCHANGE`.
    pub struct DXGKARGCB_NOTIFYCURSORSUPPORTCHANGE {
        DeviceHandle: PVOID,
        VidPnSourceId: u32,
    }

    /// The header's `DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT`.
    pub struct DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT {
        hPhysicalMemoryObject: HANDLE,
        hAdapter: HANDLE,
        hAdapterMemoryObject: HANDLE,
    }

    /// The header's `DXGKARGCB_PINFRAMEBUFFERFORSAVE2`.
    pub struct DXGKARGCB_PINFRAMEBUFFERFORSAVE2 {
        PhysicalAdapterIndex: u32,
        CommitSize: SIZE_T,
        Flags: DXGKARGCB_PINFRAMEBUFFERFORSAVE2_FLAGS,
        pAdl: *mut DXGK_ADL,
    }

    /// The header's `DXGKARGCB_PROTECTEDSESSIONSTATUS`.
    pub struct DXGKARGCB_PROTECTEDSESSIONSTATUS {
        hProtectedSession: HANDLE,
        Status: DXGK_PROTECTED_SESSION_STATUS,
    }

    /// The header's `DXGKARGCB_RELEASEHANDLEDATA`.
    pub struct DXGKARGCB_RELEASEHANDLEDATA {
        ReleaseHandle: PVOID,
        Type: DXGK_HANDLE_TYPE,
    }

    /// The header's `DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE`.
    pub struct DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE {
        hDxgkProcess: HANDLE,
        SizeInBytes: u64,
        Alignment: u32,
        StartVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
        BaseAddress: D3DGPU_VIRTUAL_ADDRESS,
        Flags: DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE_FLAGS,
    }

    /// The header's `DXGKARGCB_SIGNALEVENT`.
    pub struct DXGKARGCB_SIGNALEVENT {
        hDxgkProcess: HANDLE,
        hEvent: HANDLE,
        Flags: DXGKARGCB_SIGNALEVENT_FLAGS,
    }

    /// The header's `DXGKARGCB_UNMAPMDLFROMIOMMU`.
    pub struct DXGKARGCB_UNMAPMDLFROMIOMMU {
        hMemoryHandle: HANDLE,
    }

    /// The header's `DXGKARGCB_UNMAP_PHYSICAL_MEMORY`.
    pub struct DXGKARGCB_UNMAP_PHYSICAL_MEMORY {
        hPhysicalMemoryObject: HANDLE,
        pBaseAddress: PVOID,
        Size: SIZE_T,
    }

    /// The header's `DXGKARGCB_UPDATECONTEXTALLOCATION`.
    pub struct DXGKARGCB_UPDATECONTEXTALLOCATION {
        hAllocation: HANDLE,
        pPrivateDriverData: PVOID,
        PrivateDriverDataSize: u32,
    }
}
