//! The driver's capabilities: DXGK_DRIVERCAPS and what it is made of.

use crate::base::{BOOLEAN, PHYSICAL_ADDRESS, SIZE_T};
use crate::macros::{abi, bits, open_enum};

open_enum! {
    /// Versions of the driver model, as capabilities state them.
    pub enum DXGK_WDDMVERSION {
        DXGKDDI_WDDMv1 = 4096,
        DXGKDDI_WDDMv1_2 = 4608,
        DXGKDDI_WDDMv1_3 = 4864,
        DXGKDDI_WDDMv2 = 8192,
        DXGKDDI_WDDMv2_1 = 8448,
        DXGKDDI_WDDMv2_1_5 = 8453,
        DXGKDDI_WDDMv2_1_6 = 8454,
        DXGKDDI_WDDMv2_2 = 8704,
        DXGKDDI_WDDMv2_3 = 8960,
        DXGKDDI_WDDMv2_4 = 9216,
        DXGKDDI_WDDMv2_5 = 9472,
        DXGKDDI_WDDMv2_6 = 9728,
        DXGKDDI_WDDMv2_7 = 9984,
        DXGKDDI_WDDMv2_8 = 10240,
        DXGKDDI_WDDMv2_9 = 10496,
        DXGKDDI_WDDMv3_0 = 12288,
        DXGKDDI_WDDMv3_1 = 12544,
        DXGKDDI_WDDMv3_2 = 12800,
        DXGKDDI_WDDM_LATEST = 12800,
    }

    /// Where graphics work can be preempted.
    pub enum D3DKMDT_GRAPHICS_PREEMPTION_GRANULARITY {
        D3DKMDT_GRAPHICS_PREEMPTION_NONE = 0,
        D3DKMDT_GRAPHICS_PREEMPTION_DMA_BUFFER_BOUNDARY = 100,
        D3DKMDT_GRAPHICS_PREEMPTION_PRIMITIVE_BOUNDARY = 200,
        D3DKMDT_GRAPHICS_PREEMPTION_TRIANGLE_BOUNDARY = 300,
        D3DKMDT_GRAPHICS_PREEMPTION_PIXEL_BOUNDARY = 400,
        D3DKMDT_GRAPHICS_PREEMPTION_SHADER_BOUNDARY = 500,
    }

    /// Where compute work can be preempted.
    pub enum D3DKMDT_COMPUTE_PREEMPTION_GRANULARITY {
        D3DKMDT_COMPUTE_PREEMPTION_NONE = 0,
        D3DKMDT_COMPUTE_PREEMPTION_DMA_BUFFER_BOUNDARY = 100,
        D3DKMDT_COMPUTE_PREEMPTION_DISPATCH_BOUNDARY = 200,
        D3DKMDT_COMPUTE_PREEMPTION_THREAD_GROUP_BOUNDARY = 300,
        D3DKMDT_COMPUTE_PREEMPTION_THREAD_BOUNDARY = 400,
        D3DKMDT_COMPUTE_PREEMPTION_SHADER_BOUNDARY = 500,
    }
}

bits! {
    /// Pointer shapes that the hardware draws.
    pub struct DXGK_POINTERFLAGS: u32 [Value] {
        Monochrome = 0,
        Color = 1,
        MaskedColor = 2,
    } reserved {
        Reserved = 3: 29,
    }

    /// Gamma ramps that the hardware has.
    pub struct DXGK_GAMMARAMPCAPS: u32 [Value] {
        Gamma_Rgb256x3x16 = 0,
    } reserved {
        Reserved = 1: 31,
    }

    /// Color transforms that the hardware has.
    pub struct DXGK_COLORTRANSFORMCAPS: u32 [Value] {
        Gamma_Rgb256x3x16 = 0,
        Gamma_Dxgi1 = 1,
        Transform_3x4Matrix = 2,
        Transform_3x4Matrix_WideColor = 3,
        Transform_3x4Matrix_HighColor = 4,
        Transform_Matrix_V2 = 5,
    } reserved {
        Reserved = 6: 26,
    }

    /// What GDI may ask for.
    pub struct DXGK_PRESENTATIONCAPS: u32 [Value] {
        NoScreenToScreenBlt = 0,
        NoOverlapScreenBlt = 1,
        SupportKernelModeCommandBuffer = 2,
        NoSameBitmapAlphaBlend = 3,
        NoSameBitmapStretchBlt = 4,
        NoSameBitmapTransparentBlt = 5,
        NoSameBitmapOverlappedAlphaBlend = 6,
        NoSameBitmapOverlappedStretchBlt = 7,
        DriverSupportsCddDwmInterop = 8,
        SupportAllBltRops = 20,
        SupportMirrorStretchBlt = 21,
        SupportMonoStretchBltModes = 22,
        StagingRectStartPitchAligned = 23,
        NoSameBitmapBitBlt = 24,
        NoSameBitmapOverlappedBitBlt = 25,
        NoTempSurfaceForClearTypeBlend = 27,
        SupportSoftwareDeviceBitmaps = 28,
        NoCacheCoherentApertureMemory = 29,
        SupportLinearHeap = 30,
    } wide {
        AlignmentShift, with_AlignmentShift = 10: 4,
        MaxTextureWidthShift, with_MaxTextureWidthShift = 14: 3,
        MaxTextureHeightShift, with_MaxTextureHeightShift = 17: 3,
    } reserved {
        Reserved0 = 9: 1,
        Reserved1 = 26: 1,
        Reserved = 31: 1,
    }

    /// How the hardware flips.
    pub struct DXGK_FLIPCAPS: u32 [Value] {
        FlipOnVSyncWithNoWait = 0,
        FlipOnVSyncMmIo = 1,
        FlipInterval = 2,
        FlipImmediateMmIo = 3,
        FlipIndependent = 4,
        DdiPresentForIFlip = 5,
        FlipImmediateOnHSync = 6,
    } reserved {
        Reserved = 7: 25,
    }

    /// What the scheduler may count on.
    pub struct DXGK_VIDSCHCAPS: u32 [Value] {
        MultiEngineAware = 0,
        VSyncPowerSaveAware = 1,
        PreemptionAware = 2,
        NoDmaPatching = 3,
        CancelCommandAware = 4,
        No64BitAtomics = 5,
        LowIrqlPreemptCommand = 6,
        NativeGpuFence = 11,
        OptimizedNativeFenceSignaledInterrupt = 12,
    } wide {
        HwQueuePacketCap, with_HwQueuePacketCap = 7: 4,
    } reserved {
        Reserved = 13: 19,
    }

    /// What the memory manager may count on.
    pub struct DXGK_VIDMMCAPS_VALUE: u32 [Value] {
        OutOfOrderLock = 0,
        DedicatedPagingEngine = 1,
        PagingEngineCanSwizzle = 2,
        SectionBackedPrimary = 3,
        CrossAdapterResource = 4,
        VirtualAddressingSupported = 5,
        GpuMmuSupported = 6,
        IoMmuSupported = 7,
        ReplicateGdiContent = 8,
        NonCpuVisiblePrimary = 9,
        ParavirtualizationSupported = 10,
        IoMmuSecureModeSupported = 11,
        DisableSelfRefreshVRAMInS3 = 12,
        IoMmuSecureModeRequired = 13,
        MapAperture2Supported = 14,
        CrossAdapterResourceTexture = 15,
        CrossAdapterResourceScanout = 16,
        AlwaysPoweredVRAM = 17,
    } reserved {
        Reserved = 18: 14,
    }

    /// The bit-fields of [`DXGK_VIRTUALADDRESSCAPS_DEPRECATED`].
    pub struct DXGK_VIRTUALADDRESSCAPS_DEPRECATED_VALUE: u32 [Value] {
        PrivilegedMemorySupported = 0,
        ReadOnlyMemorySupported = 1,
    } reserved {
        Reserved = 2: 30,
    }

    /// What hardware flip queues can do, all reserved.
    pub struct DXGK_HWQUEUEDFLIP_CAPS: u32 [Value] {
    } reserved {
        Reserved = 0: 32,
    }

    /// `MiscCaps` of [`DXGK_DRIVERCAPS`].
    pub struct DXGK_DRIVERCAPS_MISCCAPS: u32 [Value] {
        SupportContextlessPresent = 0,
        Detachable = 1,
        VirtualGpuOnly = 2,
        ComputeOnly = 3,
        IndependentVidPnVSyncControl = 4,
        NoHybridDiscreteDListDllSupport = 5,
        DisplayableSupport = 6,
        NoHybridDiscreteDListDllMuxSupport = 7,
        CursorDoesNotSupportXorBlendWithMultiPlaneOverlay = 8,
    } reserved {
        Reserved = 9: 23,
    }
}

abi! {
    /// What the memory manager may count on.
    pub struct DXGK_VIDMMCAPS {
        Value: DXGK_VIDMMCAPS_VALUE,
        PagingNode: u32,
    }

    /// How many nodes the adapter has.
    pub struct DXGK_GPUENGINETOPOLOGY {
        NbAsymetricProcessingNodes: u32,
        Reserved: [u32; 64],
    }

    /// Reserved space that once held virtual addressing.
    pub struct DXGK_VIRTUALADDRESSCAPS_DEPRECATED {
        Value: DXGK_VIRTUALADDRESSCAPS_DEPRECATED_VALUE,
        VirtualAddressBitCount: u32,
        PageTableCoverageBitCount: u32,
        PageDirectoryEntrySize: u32,
        PageDirectorySegment: u32,
        PageTableSegment: u32,
        IdealGPUPageSize: u32,
    }

    /// `PresentDmaBuffer` of [`DXGK_DMABUFFERCAPS_DEPRECATED`].
    pub struct DXGK_DMABUFFERCAPS_DEPRECATED_PRESENTDMABUFFER {
        Size: u32,
        PrivateDriverDataSize: u32,
        SegmentId: u32,
        Reserved1: u32,
        Reserved: [u32; 16],
    }

    /// `PagingDmaBuffer` of [`DXGK_DMABUFFERCAPS_DEPRECATED`].
    pub struct DXGK_DMABUFFERCAPS_DEPRECATED_PAGINGDMABUFFER {
        Size: u32,
        PrivateDriverDataSize: u32,
        SegmentId: u32,
        Reserved1: u32,
        Reserved: [u32; 16],
    }

    /// Reserved space that once held DMA buffers.
    pub struct DXGK_DMABUFFERCAPS_DEPRECATED {
        PresentDmaBuffer: DXGK_DMABUFFERCAPS_DEPRECATED_PRESENTDMABUFFER,
        PagingDmaBuffer: DXGK_DMABUFFERCAPS_DEPRECATED_PAGINGDMABUFFER,
    }

    /// Where work can be preempted.
    pub struct D3DKMDT_PREEMPTION_CAPS {
        GraphicsPreemptionGranularity: D3DKMDT_GRAPHICS_PREEMPTION_GRANULARITY,
        ComputePreemptionGranularity: D3DKMDT_COMPUTE_PREEMPTION_GRANULARITY,
    }

    /// The anonymous union of [`DXGK_DRIVERCAPS`].
    pub union DXGK_DRIVERCAPS_U {
        GammaRampCaps: DXGK_GAMMARAMPCAPS,
        ColorTransformCaps: DXGK_COLORTRANSFORMCAPS,
    }

    /// Answer to query 1, DXGKQAITYPE_DRIVERCAPS. An older Dxgkrnl passes a shorter buffer: write at most
    /// `OutputDataSize`.
    pub struct DXGK_DRIVERCAPS {
        HighestAcceptableAddress: PHYSICAL_ADDRESS,
        MaxAllocationListSlotId: u32,
        ApertureSegmentCommitLimit: SIZE_T,
        MaxPointerWidth: u32,
        MaxPointerHeight: u32,
        PointerCaps: DXGK_POINTERFLAGS,
        InterruptMessageNumber: u32,
        NumberOfSwizzlingRanges: u32,
        MaxOverlays: u32,
        u: DXGK_DRIVERCAPS_U,
        PresentationCaps: DXGK_PRESENTATIONCAPS,
        MaxQueuedFlipOnVSync: u32,
        FlipCaps: DXGK_FLIPCAPS,
        SchedulingCaps: DXGK_VIDSCHCAPS,
        MemoryManagementCaps: DXGK_VIDMMCAPS,
        GpuEngineTopology: DXGK_GPUENGINETOPOLOGY,
        WDDMVersion: DXGK_WDDMVERSION,
        Reserved: DXGK_VIRTUALADDRESSCAPS_DEPRECATED,
        Reserved1: DXGK_DMABUFFERCAPS_DEPRECATED,
        PreemptionCaps: D3DKMDT_PREEMPTION_CAPS,
        SupportNonVGA: BOOLEAN,
        SupportSmoothRotation: BOOLEAN,
        SupportPerEngineTDR: BOOLEAN,
        SupportDirectFlip: BOOLEAN,
        SupportMultiPlaneOverlay: BOOLEAN,
        SupportRuntimePowerManagement: BOOLEAN,
        SupportSurpriseRemovalInHibernation: BOOLEAN,
        HybridDiscrete: BOOLEAN,
        MaxOverlayPlanes: u32,
        HybridIntegrated: BOOLEAN,
        InternalGpuVirtualAddressRangeStart: u64,
        InternalGpuVirtualAddressRangeEnd: u64,
        SupportSurpriseRemoval: BOOLEAN,
        SupportMultiPlaneOverlayImmediateFlip: BOOLEAN,
        CursorScaledWithMultiPlaneOverlayPlane0: BOOLEAN,
        HybridAcpiChainingRequired: BOOLEAN,
        MaxQueuedMultiPlaneOverlayFlipVSync: u32,
        MiscCaps: DXGK_DRIVERCAPS_MISCCAPS,
        MaxHwQueuedFlips: u32,
        HwQueuedFlipCaps: DXGK_HWQUEUEDFLIP_CAPS,
    }

    /// Answer to the device-capability query: the driver model.
    pub struct DXGK_WDDMDEVICECAPS {
        WDDMVersion: DXGK_WDDMVERSION,
    }

    /// Input of the device-capability query.
    pub struct DXGK_WDDMDEVICECAPSIN {
        DxgkrnlInterfaceVersion: u32,
    }
}
