//! DxgkDdiQueryAdapterInfo and the answers that belong to no other family.

use crate::base::{BOOLEAN, DXGK_MEMORYRANGE, HANDLE, PHYSICAL_ADDRESS, PVOID, SIZE_T};
use crate::macros::{abi, bits, callbacks, open_enum};
use crate::status::NTSTATUS;

open_enum! {
    /// Questions of DxgkDdiQueryAdapterInfo.
    pub enum DXGK_QUERYADAPTERINFOTYPE {
        DXGKQAITYPE_UMDRIVERPRIVATE = 0,
        DXGKQAITYPE_DRIVERCAPS = 1,
        DXGKQAITYPE_QUERYSEGMENT = 2,
        DXGKQAITYPE_RESERVED = 3,
        DXGKQAITYPE_QUERYSEGMENT2 = 4,
        DXGKQAITYPE_QUERYSEGMENT3 = 5,
        DXGKQAITYPE_NUMPOWERCOMPONENTS = 6,
        DXGKQAITYPE_POWERCOMPONENTINFO = 7,
        DXGKQAITYPE_PREFERREDGPUNODE = 8,
        DXGKQAITYPE_POWERCOMPONENTPSTATEINFO = 9,
        DXGKQAITYPE_HISTORYBUFFERPRECISION = 10,
        DXGKQAITYPE_QUERYSEGMENT4 = 11,
        DXGKQAITYPE_SEGMENTMEMORYSTATE = 12,
        DXGKQAITYPE_GPUMMUCAPS = 13,
        DXGKQAITYPE_PAGETABLELEVELDESC = 14,
        DXGKQAITYPE_PHYSICALADAPTERCAPS = 15,
        DXGKQAITYPE_DISPLAY_DRIVERCAPS_EXTENSION = 16,
        DXGKQAITYPE_INTEGRATED_DISPLAY_DESCRIPTOR = 17,
        DXGKQAITYPE_UEFIFRAMEBUFFERRANGES = 18,
        DXGKQAITYPE_QUERYCOLORIMETRYOVERRIDES = 19,
        DXGKQAITYPE_DISPLAYID_DESCRIPTOR = 20,
        DXGKQAITYPE_FRAMEBUFFERSAVESIZE = 21,
        DXGKQAITYPE_HARDWARERESERVEDRANGES = 22,
        DXGKQAITYPE_INTEGRATED_DISPLAY_DESCRIPTOR2 = 23,
        DXGKQAITYPE_NODEPERFDATA = 24,
        DXGKQAITYPE_ADAPTERPERFDATA = 25,
        DXGKQAITYPE_ADAPTERPERFDATA_CAPS = 26,
        DXGKQAITYPE_GPUVERSION = 27,
        DXGKQAITYPE_DEVICE_TYPE_CAPS = 28,
        DXGKQAITYPE_WDDMDEVICECAPS = 29,
        DXGKQAITYPE_GPUPCAPS = 30,
        DXGKQAITYPE_QUERYTARGETGAMMACAPS = 31,
        DXGKQAITYPE_SCANOUT_CAPS = 33,
        DXGKQAITYPE_PHYSICAL_MEMORY_CAPS = 34,
        DXGKQAITYPE_IOMMU_CAPS = 35,
        DXGKQAITYPE_HARDWARERESERVEDRANGES2 = 36,
        DXGKQAITYPE_NATIVE_FENCE_CAPS = 37,
        DXGKQAITYPE_USERMODESUBMISSION_CAPS = 38,
        DXGKQAITYPE_DIRTYBITTRACKINGCAPS = 39,
        DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS = 40,
        DXGKQAITYPE_SCATTER_RESERVE = 41,
        DXGKQAITYPE_QUERYPAGINGBUFFERINFO = 42,
        DXGKQAITYPE_QUERYSEGMENTCOUNT = 43,
        DXGKQAITYPE_QUERYSEGMENT5 = 44,
        DXGKQAITYPE_QUERYMMUCOUNT = 45,
        DXGKQAITYPE_QUERYMMUS = 46,
        DXGKQAITYPE_64BITONLYCAPS = 47,
        DXGKQAITYPE_PAGINGPROCESSGPUVASIZE = 48,
    }
}

bits! {
    /// Who asks.
    pub struct DXGK_QUERYADAPTERINFOFLAGS: u32 [Value] {
        VirtualMachineData = 0,
        SecureVirtualMachine = 1,
    } reserved {
        Reserved = 2: 30,
    }

    /// What a physical adapter can do.
    pub struct DXGK_PHYSICALADAPTERFLAGS: u32 [Value] {
        IoMmuSupported = 0,
        GpuMmuSupported = 1,
        MovePagingSupported = 2,
        VPRPagingContextRequired = 3,
        AllowHardwareProtectedNoVpr = 4,
        VirtualCopyEngineSupported = 5,
        GpuVaIommuRequired = 6,
        GpuVaIommuGlobalRequired = 7,
        GpuVaIommuCacheCoherent = 8,
    } reserved {
        Reserved = 9: 23,
    }

    /// Answer to query 35, DXGKQAITYPE_IOMMU_CAPS.
    pub struct DXGK_IOMMU_CAPS: u32 [Value] {
        IommuIsolationSupported = 0,
        IommuIsolationRequired = 1,
        DmaRemappingSupported = 2,
        GpuVaIommuRequired = 3,
        GpuVaIommuGlobalRequired = 4,
    } reserved {
        Reserved = 5: 27,
    }

    /// Whether 32-bit processes are served.
    pub struct DXGK_64_BIT_ONLY_CAPS: u32 [Value] {
        SupportsOnly64Bit = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// `Flags` of [`DXGK_USERMODESUBMISSION_CAPS`].
    pub struct DXGK_USERMODESUBMISSION_CAPS_FLAGS: u32 [Value] {
        SecondaryDoorbellSupported = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// Answer to query 28, DXGKQAITYPE_DEVICE_TYPE_CAPS.
    pub struct DXGK_DEVICE_TYPE_CAPS: u32 [Value] {
        Discrete = 0,
        Detachable = 1,
    } reserved {
        Reserved = 2: 30,
    }
}

abi! {
    /// Argument of [`DXGKDDI_QUERYADAPTERINFO`]: the question, and buffers whose sizes (in bytes) are to be
    /// honoured.
    pub struct DXGKARG_QUERYADAPTERINFO {
        Type: DXGK_QUERYADAPTERINFOTYPE,
        pInputData: PVOID,
        InputDataSize: u32,
        pOutputData: PVOID,
        OutputDataSize: u32,
        Flags: DXGK_QUERYADAPTERINFOFLAGS,
        hKmdProcessHandle: HANDLE,
    }

    /// Input of query 15, DXGKQAITYPE_PHYSICALADAPTERCAPS.
    pub struct DXGK_QUERYPHYSICALADAPTERCAPSIN {
        PhysicalAdapterIndex: u32,
    }

    /// Answer to query 15: nodes, and the one that pages.
    pub struct DXGK_PHYSICALADAPTERCAPS {
        NumExecutionNodes: u16,
        /// The node that runs paging operations.
        PagingNodeIndex: u16,
        DxgkPhysicalAdapterHandle: PVOID,
        Flags: DXGK_PHYSICALADAPTERFLAGS,
        VPRPagingNode: u32,
        VirtualCopyNodeIndex: u32,
    }

    /// Answer to query 34, DXGKQAITYPE_PHYSICAL_MEMORY_CAPS.
    pub struct DXGK_PHYSICAL_MEMORY_CAPS {
        HighestVisibleAddress: PHYSICAL_ADDRESS,
    }

    /// Answer to query 22, DXGKQAITYPE_HARDWARERESERVEDRANGES.
    pub struct DXGK_HARDWARERESERVEDRANGES {
        NumRanges: u32,
        pPhysicalRanges: *mut DXGK_MEMORYRANGE,
    }

    /// Answer to query 21, DXGKQAITYPE_FRAMEBUFFERSAVESIZE.
    pub struct DXGK_FRAMEBUFFERSAVEAREA {
        MaximumSize: SIZE_T,
    }

    /// What native fences need.
    pub struct DXGK_NATIVE_FENCE_CAPS {
        MonitoredValueStride: u32,
        MapToGpuSystemProcess: BOOLEAN,
        MinimumAddress: u64,
        MaximumAddress: u64,
        Reserved: [u8; 28],
    }

    /// What user-mode submission needs.
    pub struct DXGK_USERMODESUBMISSION_CAPS {
        Flags: DXGK_USERMODESUBMISSION_CAPS_FLAGS,
        DoorbellSizeInBytes: u32,
        SecondaryDoorbellSizeInBytes: u32,
        Reserved: [u8; 16],
    }
}

callbacks! {
    /// Answers a question about the adapter.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: 0.
    pub type PDXGKDDI_QUERYADAPTERINFO = DXGKDDI_QUERYADAPTERINFO(
        hAdapter: HANDLE,
        pQueryAdapterInfo: *const DXGKARG_QUERYADAPTERINFO,
    ) -> NTSTATUS;
}
