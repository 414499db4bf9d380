//! GPU partitioning: the interface through which virtual GPUs are described, made and taken down.

use crate::base::{CLSID, GUID, HANDLE, LUID, PVOID};
use crate::macros::{abi, bits, callbacks, constants, open_enum};
use crate::node::DXGK_ENGINE_TYPE;
use crate::startup::{PINTERFACE_DEREFERENCE, PINTERFACE_REFERENCE};
use crate::status::NTSTATUS;

constants! {
    /// Version of the interface.
    pub const DXGKDDI_GPU_PARTITION_INTERFACE_VERSION: u16 = 1;
    /// Most memory segments of one virtual GPU.
    pub const DXGK_MAX_VIRTUAL_GPU_ALLOCATIONS: u32 = 32;
    /// Virtualization flag: the device isolates its functions with PCI access control services.
    pub const DXGK_VIRTUALIZED_ACS_CAPABLE: u32 = 128;
    /// Virtualization flag: each virtual function has a requester id of its own.
    pub const DXGK_VIRTUALIZED_UNIQUE_RID: u32 = 0x100;
    /// Virtualization flag: partitions are paravirtualized.
    pub const DXGK_VIRTUALIZED_PARAVIRTUALIZED: u32 = 0x400;
    /// Virtualization flag: the partition is a device that the host makes up.
    pub const DXGK_VIRTUALIZED_HOST_VIRTUAL_DEVICE: u32 = 0x800;
}

open_enum! {
    /// The header's `DXGK_VGPU_CAPABILITY_TYPE`.
    pub enum DXGK_VGPU_CAPABILITY_TYPE {
        DXGK_VGPU_CAPABILITY_MEMORY = 0,
        DXGK_VGPU_CAPABILITY_ENCODE = 1,
        DXGK_VGPU_CAPABILITY_DECODE = 2,
        DXGK_VGPU_CAPABILITY_COMPUTE = 3,
        DXGK_VGPU_CAPABILITY_MAX = 4,
    }
}

bits! {
    /// The header's `DXGK_VIRTUALMACHINEDATAFLAGS`.
    pub struct DXGK_VIRTUALMACHINEDATAFLAGS: u32 [Value] {
        SecureVirtualMachine = 0,
        LinuxVirtualMachine = 1,
    }
}

abi! {
    /// The header's `DXGKARG_SETVIRTUALMACHINEDATA`.
    pub struct DXGKARG_SETVIRTUALMACHINEDATA {
        hKmdVmWorkerProcess: HANDLE,
        pVmGuid: *mut GUID,
        Flags: DXGK_VIRTUALMACHINEDATAFLAGS,
    }

    /// The header's `GPUP_DRIVER_ESCAPE_INPUT`.
    pub struct GPUP_DRIVER_ESCAPE_INPUT {
        vfLUID: LUID,
    }

    /// The header's `DXGKARG_GETGPUPARTITIONINFO`.
    pub struct DXGKARG_GETGPUPARTITIONINFO {
        NumGpuPartitionOptions: u32,
        pGpuPartitionOptions: *mut u16,
        CurrentGpuPartitionCount: u16,
    }

    /// The header's `DXGK_VGPU_PROFILE_CAPABILITY`.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_VGPU_PROFILE_CAPABILITY {
        TotalValue: u64,
        AvailableValue: u64,
        MinPartitionValue: u64,
        MaxPartitionValue: u64,
        OptimalPartitionValue: u64,
    }

    /// The header's `DXGKARG_GETVIRTUALGPUPROFILE`.
    pub struct DXGKARG_GETVIRTUALGPUPROFILE {
        PartitionCount: u32,
        VirtualizationFlags: u32,
        ProfileCapability: [DXGK_VGPU_PROFILE_CAPABILITY; 4],
    }

    /// The header's `DXGK_GPUENGINE`.
    pub struct DXGK_GPUENGINE {
        EngineType: DXGK_ENGINE_TYPE,
        Name: [u16; 32],
        NumPartitionUnits: u32,
    }

    /// The header's `DXGKARG_GETGPUENGINES`.
    pub struct DXGKARG_GETGPUENGINES {
        NumEngines: u32,
        EngineInfo: [DXGK_GPUENGINE; 1],
    }

    /// The header's `DXGKARG_SETGPUPARTITIONCOUNT`.
    pub struct DXGKARG_SETGPUPARTITIONCOUNT {
        PartitionCount: u32,
    }

    /// The header's `DXGK_VIRTUALGPUCAPABILITY`.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_VIRTUALGPUCAPABILITY {
        MinValue: u64,
        MaxValue: u64,
        OptimalValue: u64,
    }

    /// The header's `DXGK_VIRTUALGPUPROFILE`.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_VIRTUALGPUPROFILE {
        Capability: [DXGK_VIRTUALGPUCAPABILITY; 4],
    }

    /// The header's `DXGK_VIRTUALGPUENGINEINFO`.
    pub struct DXGK_VIRTUALGPUENGINEINFO {
        MinPartitionUnits: u32,
        MaxPartitionUnits: u32,
        EngineId: u32,
    }

    /// The header's `DXGK_VIRTUALGPUSEGMENTINFO`.
    pub struct DXGK_VIRTUALGPUSEGMENTINFO {
        DriverSegmentId: u32,
        Size: u64,
        Alignment: u32,
        MinSegmentOffset: u64,
        MaxSegmentOffset: u64,
        PrivateDriverData: u32,
    }

    /// The header's `DXGKARG_CREATEVIRTUALGPU`.
    pub struct DXGKARG_CREATEVIRTUALGPU {
        PartitionId: u32,
        Profile: DXGK_VIRTUALGPUPROFILE,
        UserModeVirtualDeviceProvider: CLSID,
        VirtualGpuLuid: LUID,
        NumMemorySegments: u32,
        SegmentInfo: [DXGK_VIRTUALGPUSEGMENTINFO; 32],
        NumEngines: u32,
        EngineInfo: [DXGK_VIRTUALGPUENGINEINFO; 64],
    }

    /// The header's `DXGK_VGPU_CAPABILITY`.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_VGPU_CAPABILITY {
        MinValue: u64,
        MaxValue: u64,
        CurrentValue: u64,
    }

    /// The header's `DXGKARG_GETVIRTUALGPUINFO`.
    pub struct DXGKARG_GETVIRTUALGPUINFO {
        PartitionId: u32,
        Capability: [DXGK_VGPU_CAPABILITY; 4],
    }

    /// The header's `DXGKARG_SETVIRTUALGPUVMBUS`.
    pub struct DXGKARG_SETVIRTUALGPUVMBUS {
        VirtualGpuIndex: u32,
        VmBusHandle: HANDLE,
    }

    /// The header's `DXGK_GPU_PHYSICAL_ADDRESS`.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_GPU_PHYSICAL_ADDRESS {
        MemorySegmentId: u32,
        MemorySegmentOffset: u64,
    }

    /// The header's `DXGK_VIRTUALGPUMEMORYRESOURCE`.
    pub struct DXGK_VIRTUALGPUMEMORYRESOURCE {
        DriverAllocationHandle: HANDLE,
        AllocationAddress: DXGK_GPU_PHYSICAL_ADDRESS,
        AllocationSize: u64,
    }

    /// The header's `DXGKARG_SETVIRTUALGPURESOURCES`.
    pub struct DXGKARG_SETVIRTUALGPURESOURCES {
        PartitionId: u32,
        NumMemoryAllocations: u32,
        MemoryInfo: [DXGK_VIRTUALGPUMEMORYRESOURCE; 1],
    }

    /// The header's `DXGKARG_DESTROYVIRTUALGPU`.
    pub struct DXGKARG_DESTROYVIRTUALGPU {
        PartitionId: u32,
    }

    /// The header's `DXGKARG_SUSPENDVIRTUALGPU`.
    pub struct DXGKARG_SUSPENDVIRTUALGPU {
        PartitionId: u32,
    }

    /// The header's `DXGKARG_RESUMEVIRTUALGPU`.
    pub struct DXGKARG_RESUMEVIRTUALGPU {
        PartitionId: u32,
    }

    /// The header's `DXGK_VIRTUALGPUDRIVERESCAPE`.
    pub struct DXGK_VIRTUALGPUDRIVERESCAPE {
        PartitionId: u32,
        InputBufferSize: u32,
        OutputBufferSize: u32,
        pInputBuffer: PVOID,
        pOutputBuffer: PVOID,
    }

    /// The header's `DXGKDDI_GPU_PARTITION_INTERFACE`.
    pub struct DXGKDDI_GPU_PARTITION_INTERFACE {
        Size: u16,
        Version: u16,
        Context: PVOID,
        InterfaceReference: PINTERFACE_REFERENCE,
        InterfaceDereference: PINTERFACE_DEREFERENCE,
        DxgkDdiGetGpuPartitionInfo: PDXGKDDI_GETGPUPARTITIONINFO,
        DxgkDdiSetGpuPartitionCount: PDXGKDDI_SETGPUPARTITIONCOUNT,
        DxgkDdiGetGpuEngines: PDXGKDDI_GETGPUENGINES,
        DxgkDdiGetVirtualGpuProfile: PDXGKDDI_GETVIRTUALGPUPROFILE,
        DxgkDdiCreateVirtualGpu: PDXGKDDI_CREATEVIRTUALGPU,
        DxgkDdiGetVirtualGpuInfo: PDXGKDDI_GETVIRTUALGPUINFO,
        DxgkDdiSetVirtualGpuResources: PDXGKDDI_SETVIRTUALGPURESOURCES,
        DxgkDdiDestroyVirtualGpu: PDXGKDDI_DESTROYVIRTUALGPU,
        DxgkDdiSuspendVirtualGpu: PDXGKDDI_SUSPENDVIRTUALGPU,
        DxgkDdiResumeVirtualGpu: PDXGKDDI_RESUMEVIRTUALGPU,
        DxgkDdiVirtualGpuDriverEscape: PDXGKDDI_VIRTUALGPUDRIVERESCAPE,
        DxgkDdiSetVirtualGpuVmBus: PDXGKDDI_SETVIRTUALGPUVMBUS,
    }

    /// The header's `D3DKMDT_VIRTUALGPUSURFACEDATA`.
    pub struct D3DKMDT_VIRTUALGPUSURFACEDATA {
        Size: u64,
        Alignment: u32,
        DriverSegmentId: u32,
        PrivateDriverData: u32,
    }
}

callbacks! {
    /// The header's `DXGKDDI_SETVIRTUALMACHINEDATA`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETVIRTUALMACHINEDATA = DXGKDDI_SETVIRTUALMACHINEDATA(
        hAdapter: HANDLE,
        Args: *const DXGKARG_SETVIRTUALMACHINEDATA,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_GETGPUPARTITIONINFO`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETGPUPARTITIONINFO = DXGKDDI_GETGPUPARTITIONINFO(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETGPUPARTITIONINFO,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_SETGPUPARTITIONCOUNT`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETGPUPARTITIONCOUNT = DXGKDDI_SETGPUPARTITIONCOUNT(
        Context: HANDLE,
        pArgs: *mut DXGKARG_SETGPUPARTITIONCOUNT,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_GETGPUENGINES`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETGPUENGINES = DXGKDDI_GETGPUENGINES(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETGPUENGINES,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_GETVIRTUALGPUPROFILE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETVIRTUALGPUPROFILE = DXGKDDI_GETVIRTUALGPUPROFILE(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETVIRTUALGPUPROFILE,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_CREATEVIRTUALGPU`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_CREATEVIRTUALGPU = DXGKDDI_CREATEVIRTUALGPU(
        Context: HANDLE,
        pArgs: *mut DXGKARG_CREATEVIRTUALGPU,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_GETVIRTUALGPUINFO`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETVIRTUALGPUINFO = DXGKDDI_GETVIRTUALGPUINFO(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETVIRTUALGPUINFO,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_SETVIRTUALGPURESOURCES`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETVIRTUALGPURESOURCES = DXGKDDI_SETVIRTUALGPURESOURCES(
        Context: HANDLE,
        pArgs: *mut DXGKARG_SETVIRTUALGPURESOURCES,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_DESTROYVIRTUALGPU`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_DESTROYVIRTUALGPU = DXGKDDI_DESTROYVIRTUALGPU(
        Context: HANDLE,
        pArgs: *mut DXGKARG_DESTROYVIRTUALGPU,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_SUSPENDVIRTUALGPU`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SUSPENDVIRTUALGPU = DXGKDDI_SUSPENDVIRTUALGPU(
        Context: HANDLE,
        pArgs: *mut DXGKARG_SUSPENDVIRTUALGPU,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_RESUMEVIRTUALGPU`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_RESUMEVIRTUALGPU = DXGKDDI_RESUMEVIRTUALGPU(
        Context: HANDLE,
        pArgs: *mut DXGKARG_RESUMEVIRTUALGPU,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_SETVIRTUALGPUVMBUS`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETVIRTUALGPUVMBUS = DXGKDDI_SETVIRTUALGPUVMBUS(
        Context: HANDLE,
        pArgs: *mut DXGKARG_SETVIRTUALGPUVMBUS,
    ) -> NTSTATUS;

    /// The header's `DXGKDDI_VIRTUALGPUDRIVERESCAPE`.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_VIRTUALGPUDRIVERESCAPE = DXGKDDI_VIRTUALGPUDRIVERESCAPE(
        Context: HANDLE,
        pArgs: *mut DXGK_VIRTUALGPUDRIVERESCAPE,
    ) -> NTSTATUS;
}
