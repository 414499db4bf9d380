//! Allocations: what they need, making, opening and describing them.

use crate::base::{D3DDDI_RATIONAL, HANDLE, PVOID, SIZE_T};
use crate::format::{D3DDDI_MULTISAMPLINGMETHOD, D3DDDI_ROTATION, D3DDDIFORMAT};
use crate::hwqueue::D3DDDI_NATIVEFENCE_TYPE;
use crate::macros::{abi, bits, callbacks, open_enum};
use crate::partition::D3DKMDT_VIRTUALGPUSURFACEDATA;
use crate::segment::{D3DDDI_SEGMENTPREFERENCE, DXGK_SEGMENTBANKPREFERENCE};
use crate::status::NTSTATUS;

open_enum! {
    /// Allocations that the system itself asks for.
    pub enum D3DKMDT_STANDARDALLOCATION_TYPE {
        D3DKMDT_STANDARDALLOCATION_SHAREDPRIMARYSURFACE = 1,
        D3DKMDT_STANDARDALLOCATION_SHADOWSURFACE = 2,
        D3DKMDT_STANDARDALLOCATION_STAGINGSURFACE = 3,
        D3DKMDT_STANDARDALLOCATION_GDISURFACE = 4,
        D3DKMDT_STANDARDALLOCATION_VGPU = 5,
        D3DKMDT_STANDARDALLOCATION_FENCESTORAGE = 6,
    }

    /// What a GDI surface is for.
    pub enum D3DKMDT_GDISURFACETYPE {
        D3DKMDT_GDISURFACE_INVALID = 0,
        D3DKMDT_GDISURFACE_TEXTURE = 1,
        D3DKMDT_GDISURFACE_STAGING_CPUVISIBLE = 2,
        D3DKMDT_GDISURFACE_STAGING = 3,
        D3DKMDT_GDISURFACE_LOOKUPTABLE = 4,
        D3DKMDT_GDISURFACE_EXISTINGSYSMEM = 5,
        D3DKMDT_GDISURFACE_TEXTURE_CPUVISIBLE = 6,
        D3DKMDT_GDISURFACE_TEXTURE_CROSSADAPTER = 7,
        D3DKMDT_GDISURFACE_TEXTURE_CPUVISIBLE_CROSSADAPTER = 8,
    }

    /// Which value of a fence is stored.
    pub enum DXGKARG_FENCESTORAGEVALUETYPE {
        D3DKARG_FENCESTORAGETYPE_CURRENTVALUE = 0,
        D3DKARG_FENCESTORAGETYPE_MONITOREDVALUE = 1,
    }
}

bits! {
    /// How allocations are made.
    pub struct DXGK_CREATEALLOCATIONFLAGS: u32 [Value] {
        Resource = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// What an allocation needs, before WDDM 2.0.
    pub struct DXGK_ALLOCATIONINFOFLAGS: u32 [Value] {
        CpuVisible = 0,
        PermanentSysMem = 1,
        Cached = 2,
        Protected = 3,
        ExistingSysMem = 4,
        ExistingKernelSysMem = 5,
        FromEndOfSegment = 6,
        Swizzled = 7,
        Overlay = 8,
        Capture = 9,
        UseAlternateVA = 10,
        SynchronousPaging = 11,
        LinkMirrored = 12,
        LinkInstanced = 13,
        HistoryBuffer = 14,
        AccessedPhysically = 15,
        ExplicitResidencyNotification = 16,
        HardwareProtected = 17,
        CpuVisibleOnDemand = 18,
    } reserved {
        DXGK_ALLOC_RESERVED16 = 19: 1,
        Reserved15 = 20: 1,
        Reserved14 = 21: 1,
        Reserved13 = 22: 1,
        Reserved12 = 23: 1,
        Reserved11 = 24: 1,
        Reserved10 = 25: 1,
        Reserved9 = 26: 1,
        Reserved4 = 27: 1,
        Reserved3 = 28: 1,
        Reserved2 = 29: 1,
        Reserved1 = 30: 1,
        Reserved0 = 31: 1,
    }

    /// What an allocation needs.
    pub struct DXGK_ALLOCATIONINFOFLAGS_WDDM2_0: u32 [Value] {
        CpuVisible = 0,
        PermanentSysMem = 1,
        Cached = 2,
        Protected = 3,
        ExistingSysMem = 4,
        ExistingKernelSysMem = 5,
        FromEndOfSegment = 6,
        DisableLargePageMapping = 7,
        Overlay = 8,
        Capture = 9,
        CreateInVpr = 10,
        MapApertureCpuVisible = 13,
        HistoryBuffer = 14,
        AccessedPhysically = 15,
        ExplicitResidencyNotification = 16,
        HardwareProtected = 17,
        CpuVisibleOnDemand = 18,
    } reserved {
        DXGK_ALLOC_RESERVED17 = 11: 1,
        Reserved02 = 12: 1,
        DXGK_ALLOC_RESERVED16 = 19: 1,
        Reserved15 = 20: 1,
        Reserved14 = 21: 1,
        Reserved13 = 22: 1,
        Reserved12 = 23: 1,
        Reserved11 = 24: 1,
        Reserved10 = 25: 1,
        Reserved9 = 26: 1,
        Reserved4 = 27: 1,
        Reserved3 = 28: 1,
        Reserved2 = 29: 1,
        Reserved1 = 30: 1,
        Reserved0 = 31: 1,
    }

    /// What an allocation needs, continued.
    pub struct DXGK_ALLOCATIONINFOFLAGS2: u32 [Value] {
        ShareBackingStoreWithKmd = 0,
        NoImplicitSynchronization = 1,
        DisablePartialResidency = 2,
        RestrictedToSingleSegment = 3,
        NotifyEviction = 4,
        NotifyIoMmuUnmap = 5,
    } reserved {
        Reserved = 6: 26,
    }

    /// `Flags` of [`DXGK_ALLOCATIONUSAGEINFO1`].
    pub struct DXGK_ALLOCATIONUSAGEINFO1_FLAGS: u32 [Value] {
        PrivateFormat = 0,
        Swizzled = 1,
        MipMap = 2,
        Cube = 3,
        Volume = 4,
        Vertex = 5,
        Index = 6,
    } reserved {
        Reserved = 7: 25,
    }

    /// What is destroyed.
    pub struct DXGK_DESTROYALLOCATIONFLAGS: u32 [Value] {
        DestroyResource = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// What the description is for.
    pub struct DXGK_DESCRIBEALLOCATIONFLAGS: u32 [Value] {
        CheckDisplayMode = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// How allocations are opened.
    pub struct DXGK_OPENALLOCATIONFLAGS: u32 [Value] {
        Create = 0,
        ReadOnly = 1,
    } reserved {
        Reserved = 2: 30,
    }

    /// Properties of an allocation.
    pub struct D3DDDI_UPDATEALLOCPROPERTY_FLAGS: u32 [Value] {
        AccessedPhysically = 0,
        Unmoveable = 1,
    } reserved {
        Reserved = 2: 30,
    }

    /// The bit-fields of [`DXGKARG_VALIDATEUPDATEALLOCPROPERTY`].
    pub struct DXGKARG_VALIDATEUPDATEALLOCPROPERTY_PROPERTYMASKVALUE: u32 [PropertyMaskValue] {
        SetAccessedPhysically = 0,
        SetSupportedSegmentSet = 1,
        SetPreferredSegment = 2,
    } reserved {
        Reserved = 3: 29,
    }

    /// Flags of a GDI surface, all reserved.
    pub struct D3DKMDT_GDISURFACEFLAGS: u32 [Value] {
    } reserved {
        Reserved = 0: 32,
    }

    /// Flags of fence storage, all reserved.
    pub struct DXGKARG_FENCESTORAGEFLAGS: u32 [Reserved] {
    }
}

abi! {
    /// Argument of [`DXGKDDI_CREATEALLOCATION`].
    pub struct DXGKARG_CREATEALLOCATION {
        pPrivateDriverData: PVOID,
        PrivateDriverDataSize: u32,
        NumAllocations: u32,
        pAllocationInfo: *mut DXGK_ALLOCATIONINFO,
        hResource: HANDLE,
        Flags: DXGK_CREATEALLOCATIONFLAGS,
    }

    /// An anonymous structure of [`DXGK_ALLOCATIONINFO_U`].
    pub struct DXGK_ALLOCATIONINFO_U_S {
        MinimumPageSize: u16,
        RecommendedPageSize: u16,
    }

    /// The anonymous union of [`DXGK_ALLOCATIONINFO`].
    pub union DXGK_ALLOCATIONINFO_U {
        Alignment: u32,
        s: DXGK_ALLOCATIONINFO_U_S,
    }

    /// The anonymous union no. 2 of [`DXGK_ALLOCATIONINFO`].
    pub union DXGK_ALLOCATIONINFO_U2 {
        SupportedReadSegmentSet: u32,
        MmuSet: u32,
    }

    /// The anonymous union no. 3 of [`DXGK_ALLOCATIONINFO`].
    pub union DXGK_ALLOCATIONINFO_U3 {
        MaximumRenamingListLength: u32,
        PhysicalAdapterIndex: u32,
    }

    /// The anonymous union no. 4 of [`DXGK_ALLOCATIONINFO`].
    pub union DXGK_ALLOCATIONINFO_U4 {
        Flags: DXGK_ALLOCATIONINFOFLAGS,
        FlagsWddm2: DXGK_ALLOCATIONINFOFLAGS_WDDM2_0,
    }

    /// One allocation: the private data goes in, what it needs comes out. `Size` in bytes; segment sets have
    /// bit 0 for segment 1.
    pub struct DXGK_ALLOCATIONINFO {
        pPrivateDriverData: PVOID,
        PrivateDriverDataSize: u32,
        u: DXGK_ALLOCATIONINFO_U,
        Size: SIZE_T,
        PitchAlignedSize: SIZE_T,
        HintedBank: DXGK_SEGMENTBANKPREFERENCE,
        PreferredSegment: D3DDDI_SEGMENTPREFERENCE,
        u2: DXGK_ALLOCATIONINFO_U2,
        SupportedWriteSegmentSet: u32,
        EvictionSegmentSet: u32,
        u3: DXGK_ALLOCATIONINFO_U3,
        hAllocation: HANDLE,
        u4: DXGK_ALLOCATIONINFO_U4,
        pAllocationUsageHint: *mut DXGK_ALLOCATIONUSAGEHINT,
        AllocationPriority: u32,
        Flags2: DXGK_ALLOCATIONINFOFLAGS2,
    }

    /// The anonymous union of [`DXGK_ALLOCATIONUSAGEINFO1`].
    pub union DXGK_ALLOCATIONUSAGEINFO1_U {
        Format: D3DDDIFORMAT,
        PrivateFormat: u32,
    }

    /// What an allocation will look like.
    pub struct DXGK_ALLOCATIONUSAGEINFO1 {
        Flags: DXGK_ALLOCATIONUSAGEINFO1_FLAGS,
        u: DXGK_ALLOCATIONUSAGEINFO1_U,
        SwizzledFormat: u32,
        ByteOffset: u32,
        Width: u32,
        Height: u32,
        Pitch: u32,
        Depth: u32,
        SlicePitch: u32,
    }

    /// What an allocation will be used for.
    pub struct DXGK_ALLOCATIONUSAGEHINT {
        Version: u32,
        v1: DXGK_ALLOCATIONUSAGEINFO1,
    }

    /// Argument of [`DXGKDDI_DESTROYALLOCATION`].
    pub struct DXGKARG_DESTROYALLOCATION {
        NumAllocations: u32,
        pAllocationList: *const HANDLE,
        hResource: HANDLE,
        Flags: DXGK_DESTROYALLOCATIONFLAGS,
    }

    /// Argument of [`DXGKDDI_DESCRIBEALLOCATION`].
    pub struct DXGKARG_DESCRIBEALLOCATION {
        hAllocation: HANDLE,
        Width: u32,
        Height: u32,
        Format: D3DDDIFORMAT,
        MultisampleMethod: D3DDDI_MULTISAMPLINGMETHOD,
        RefreshRate: D3DDDI_RATIONAL,
        PrivateDriverFormatAttribute: u32,
        Flags: DXGK_DESCRIBEALLOCATIONFLAGS,
        Rotation: D3DDDI_ROTATION,
    }

    /// Argument of [`DXGKDDI_OPENALLOCATIONINFO`].
    pub struct DXGKARG_OPENALLOCATION {
        NumAllocations: u32,
        pOpenAllocation: *mut DXGK_OPENALLOCATIONINFO,
        pPrivateDriverData: PVOID,
        PrivateDriverSize: u32,
        Flags: DXGK_OPENALLOCATIONFLAGS,
        SubresourceIndex: u32,
        SubresourceOffset: SIZE_T,
        Pitch: u32,
    }

    /// One allocation to open.
    pub struct DXGK_OPENALLOCATIONINFO {
        hAllocation: u32,
        pPrivateDriverData: PVOID,
        PrivateDriverDataSize: u32,
        hDeviceSpecificAllocation: HANDLE,
    }

    /// Argument of [`DXGKDDI_CLOSEALLOCATION`].
    pub struct DXGKARG_CLOSEALLOCATION {
        NumAllocations: u32,
        pOpenHandleList: *const HANDLE,
    }

    /// The anonymous union of [`DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA`].
    pub union DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA_U {
        pCreateSharedPrimarySurfaceData: *mut D3DKMDT_SHAREDPRIMARYSURFACEDATA,
        pCreateShadowSurfaceData: *mut D3DKMDT_SHADOWSURFACEDATA,
        pCreateStagingSurfaceData: *mut D3DKMDT_STAGINGSURFACEDATA,
        pCreateGdiSurfaceData: *mut D3DKMDT_GDISURFACEDATA,
        pCreateVirtualGpuSurfaceData: *mut D3DKMDT_VIRTUALGPUSURFACEDATA,
        pCreateFenceStorageData: *mut D3DKMDT_FENCESTORAGESURFACEDATA,
    }

    /// Argument of [`DXGKDDI_GETSTANDARDALLOCATIONDRIVERDATA`].
    pub struct DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA {
        StandardAllocationType: D3DKMDT_STANDARDALLOCATION_TYPE,
        u: DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA_U,
        pAllocationPrivateDriverData: PVOID,
        AllocationPrivateDriverDataSize: u32,
        pResourcePrivateDriverData: PVOID,
        ResourcePrivateDriverDataSize: u32,
        PhysicalAdapterIndex: u32,
    }

    /// Argument of DxgkDdiValidateUpdateAllocationProperty.
    pub struct DXGKARG_VALIDATEUPDATEALLOCPROPERTY {
        hAllocation: HANDLE,
        SupportedSegmentSet: u32,
        PreferredSegment: D3DDDI_SEGMENTPREFERENCE,
        Flags: D3DDDI_UPDATEALLOCPROPERTY_FLAGS,
        PropertyMaskValue: DXGKARG_VALIDATEUPDATEALLOCPROPERTY_PROPERTYMASKVALUE,
    }

    /// A standard allocation that is shown on a display.
    pub struct D3DKMDT_SHAREDPRIMARYSURFACEDATA {
        Width: u32,
        Height: u32,
        Format: D3DDDIFORMAT,
        RefreshRate: D3DDDI_RATIONAL,
        VidPnSourceId: u32,
    }

    /// A standard allocation that GDI draws to.
    pub struct D3DKMDT_SHADOWSURFACEDATA {
        Width: u32,
        Height: u32,
        Format: D3DDDIFORMAT,
        Pitch: u32,
    }

    /// A standard allocation between the CPU and a shadow surface.
    pub struct D3DKMDT_STAGINGSURFACEDATA {
        Width: u32,
        Height: u32,
        Pitch: u32,
    }

    /// A standard allocation of GDI's.
    pub struct D3DKMDT_GDISURFACEDATA {
        Width: u32,
        Height: u32,
        Format: D3DDDIFORMAT,
        Type: D3DKMDT_GDISURFACETYPE,
        Flags: D3DKMDT_GDISURFACEFLAGS,
        Pitch: u32,
    }

    /// A standard allocation that holds fence values.
    pub struct D3DKMDT_FENCESTORAGESURFACEDATA {
        PhysicalAdapterIndex: u32,
        FenceStorageValueType: DXGKARG_FENCESTORAGEVALUETYPE,
        FenceStorageType: D3DDDI_NATIVEFENCE_TYPE,
        PrivateDriverDataSize: u32,
        pPrivateDriverData: PVOID,
        Flags: DXGKARG_FENCESTORAGEFLAGS,
        Reserved: u32,
        AllocationInfo: DXGK_ALLOCATIONINFO,
    }
}

callbacks! {
    /// Makes allocations, and says what they need.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_CREATEALLOCATION = DXGKDDI_CREATEALLOCATION(
        hAdapter: HANDLE,
        pCreateAllocation: *mut DXGKARG_CREATEALLOCATION,
    ) -> NTSTATUS;

    /// Destroys allocations.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_DESTROYALLOCATION = DXGKDDI_DESTROYALLOCATION(
        hAdapter: HANDLE,
        pDestroyAllocation: *const DXGKARG_DESTROYALLOCATION,
    ) -> NTSTATUS;

    /// Describes an allocation.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_DESCRIBEALLOCATION = DXGKDDI_DESCRIBEALLOCATION(
        hAdapter: HANDLE,
        pDescribeAllocation: *mut DXGKARG_DESCRIBEALLOCATION,
    ) -> NTSTATUS;

    /// Gives the private data with which a standard allocation is made.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_GETSTANDARDALLOCATIONDRIVERDATA = DXGKDDI_GETSTANDARDALLOCATIONDRIVERDATA(
        hAdapter: HANDLE,
        pGetStandardAllocationDriverData: *mut DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA,
    ) -> NTSTATUS;

    /// Opens allocations for a device.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_OPENALLOCATIONINFO = DXGKDDI_OPENALLOCATIONINFO(
        hDevice: HANDLE,
        pOpenAllocation: *const DXGKARG_OPENALLOCATION,
    ) -> NTSTATUS;

    /// Closes allocations of a device.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_CLOSEALLOCATION = DXGKDDI_CLOSEALLOCATION(
        hDevice: HANDLE,
        pCloseAllocation: *const DXGKARG_CLOSEALLOCATION,
    ) -> NTSTATUS;
}
