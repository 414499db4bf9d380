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
    /// Index into the capability arrays of a virtual GPU's profile.
    pub enum DXGK_VGPU_CAPABILITY_TYPE {
        DXGK_VGPU_CAPABILITY_MEMORY = 0,
        DXGK_VGPU_CAPABILITY_ENCODE = 1,
        DXGK_VGPU_CAPABILITY_DECODE = 2,
        DXGK_VGPU_CAPABILITY_COMPUTE = 3,
        DXGK_VGPU_CAPABILITY_MAX = 4,
    }
}

bits! {
    /// What the virtual machine is.
    pub struct DXGK_VIRTUALMACHINEDATAFLAGS: u32 [Value] {
        SecureVirtualMachine = 0,
        LinuxVirtualMachine = 1,
    }
}

abi! {
    /// Argument of [`DXGKDDI_SETVIRTUALMACHINEDATA`].
    pub struct DXGKARG_SETVIRTUALMACHINEDATA {
        hKmdVmWorkerProcess: HANDLE,
        pVmGuid: *mut GUID,
        Flags: DXGK_VIRTUALMACHINEDATAFLAGS,
    }

    /// Head of the input of a driver escape on a virtual GPU.
    pub struct GPUP_DRIVER_ESCAPE_INPUT {
        vfLUID: LUID,
    }

    /// Argument of [`DXGKDDI_GETGPUPARTITIONINFO`]: into how many partitions the adapter can be cut.
    pub struct DXGKARG_GETGPUPARTITIONINFO {
        NumGpuPartitionOptions: u32,
        pGpuPartitionOptions: *mut u16,
        CurrentGpuPartitionCount: u16,
    }

    /// One resource of the adapter, in all and per partition.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_VGPU_PROFILE_CAPABILITY {
        TotalValue: u64,
        AvailableValue: u64,
        MinPartitionValue: u64,
        MaxPartitionValue: u64,
        OptimalPartitionValue: u64,
    }

    /// Argument of [`DXGKDDI_GETVIRTUALGPUPROFILE`]: what a partition may get when there are so many.
    pub struct DXGKARG_GETVIRTUALGPUPROFILE {
        PartitionCount: u32,
        /// The `DXGK_VIRTUALIZED_` bits.
        VirtualizationFlags: u32,
        /// Indexed by [`DXGK_VGPU_CAPABILITY_TYPE`].
        ProfileCapability: [DXGK_VGPU_PROFILE_CAPABILITY; 4],
    }

    /// One engine of the adapter.
    pub struct DXGK_GPUENGINE {
        EngineType: DXGK_ENGINE_TYPE,
        Name: [u16; 32],
        NumPartitionUnits: u32,
    }

    /// Argument of [`DXGKDDI_GETGPUENGINES`], of variable length.
    pub struct DXGKARG_GETGPUENGINES {
        NumEngines: u32,
        EngineInfo: [DXGK_GPUENGINE; 1],
    }

    /// Argument of [`DXGKDDI_SETGPUPARTITIONCOUNT`].
    pub struct DXGKARG_SETGPUPARTITIONCOUNT {
        PartitionCount: u32,
    }

    /// One resource that a new virtual GPU asks for.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_VIRTUALGPUCAPABILITY {
        MinValue: u64,
        MaxValue: u64,
        OptimalValue: u64,
    }

    /// What a new virtual GPU asks for, indexed by [`DXGK_VGPU_CAPABILITY_TYPE`].
    #[derive(PartialEq, Eq)]
    pub struct DXGK_VIRTUALGPUPROFILE {
        Capability: [DXGK_VIRTUALGPUCAPABILITY; 4],
    }

    /// A virtual GPU's part of one engine.
    pub struct DXGK_VIRTUALGPUENGINEINFO {
        MinPartitionUnits: u32,
        MaxPartitionUnits: u32,
        EngineId: u32,
    }

    /// Memory that a virtual GPU needs in one segment.
    pub struct DXGK_VIRTUALGPUSEGMENTINFO {
        /// From 1.
        DriverSegmentId: u32,
        /// In bytes.
        Size: u64,
        /// 0, or a multiple of 4096 bytes.
        Alignment: u32,
        MinSegmentOffset: u64,
        MaxSegmentOffset: u64,
        PrivateDriverData: u32,
    }

    /// Argument of [`DXGKDDI_CREATEVIRTUALGPU`]: the profile goes in, what the virtual GPU needs comes out.
    pub struct DXGKARG_CREATEVIRTUALGPU {
        PartitionId: u32,
        Profile: DXGK_VIRTUALGPUPROFILE,
        /// Class of the user-mode emulation DLL.
        UserModeVirtualDeviceProvider: CLSID,
        VirtualGpuLuid: LUID,
        NumMemorySegments: u32,
        SegmentInfo: [DXGK_VIRTUALGPUSEGMENTINFO; 32],
        /// 0.
        NumEngines: u32,
        EngineInfo: [DXGK_VIRTUALGPUENGINEINFO; 64],
    }

    /// One resource of a virtual GPU.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_VGPU_CAPABILITY {
        MinValue: u64,
        MaxValue: u64,
        CurrentValue: u64,
    }

    /// Argument of [`DXGKDDI_GETVIRTUALGPUINFO`].
    pub struct DXGKARG_GETVIRTUALGPUINFO {
        PartitionId: u32,
        Capability: [DXGK_VGPU_CAPABILITY; 4],
    }

    /// Argument of [`DXGKDDI_SETVIRTUALGPUVMBUS`].
    pub struct DXGKARG_SETVIRTUALGPUVMBUS {
        VirtualGpuIndex: u32,
        VmBusHandle: HANDLE,
    }

    /// An address in a memory segment.
    #[derive(PartialEq, Eq)]
    pub struct DXGK_GPU_PHYSICAL_ADDRESS {
        MemorySegmentId: u32,
        MemorySegmentOffset: u64,
    }

    /// Memory that a virtual GPU was given.
    pub struct DXGK_VIRTUALGPUMEMORYRESOURCE {
        DriverAllocationHandle: HANDLE,
        AllocationAddress: DXGK_GPU_PHYSICAL_ADDRESS,
        /// In bytes.
        AllocationSize: u64,
    }

    /// Argument of [`DXGKDDI_SETVIRTUALGPURESOURCES`], of variable length.
    pub struct DXGKARG_SETVIRTUALGPURESOURCES {
        PartitionId: u32,
        NumMemoryAllocations: u32,
        /// The first of `NumMemoryAllocations`.
        MemoryInfo: [DXGK_VIRTUALGPUMEMORYRESOURCE; 1],
    }

    /// Argument of [`DXGKDDI_DESTROYVIRTUALGPU`].
    pub struct DXGKARG_DESTROYVIRTUALGPU {
        PartitionId: u32,
    }

    /// Argument of [`DXGKDDI_SUSPENDVIRTUALGPU`].
    pub struct DXGKARG_SUSPENDVIRTUALGPU {
        PartitionId: u32,
    }

    /// Argument of [`DXGKDDI_RESUMEVIRTUALGPU`].
    pub struct DXGKARG_RESUMEVIRTUALGPU {
        PartitionId: u32,
    }

    /// Argument of [`DXGKDDI_VIRTUALGPUDRIVERESCAPE`].
    pub struct DXGK_VIRTUALGPUDRIVERESCAPE {
        PartitionId: u32,
        InputBufferSize: u32,
        OutputBufferSize: u32,
        pInputBuffer: PVOID,
        pOutputBuffer: PVOID,
    }

    /// The GPU partition interface, version 1. Every function must be there.
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

    /// A standard allocation that holds a virtual GPU's memory.
    pub struct D3DKMDT_VIRTUALGPUSURFACEDATA {
        Size: u64,
        Alignment: u32,
        DriverSegmentId: u32,
        PrivateDriverData: u32,
    }
}

callbacks! {
    /// Tells which virtual machine a worker process serves.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETVIRTUALMACHINEDATA = DXGKDDI_SETVIRTUALMACHINEDATA(
        hAdapter: HANDLE,
        Args: *const DXGKARG_SETVIRTUALMACHINEDATA,
    ) -> NTSTATUS;

    /// Lists the partition counts on offer. STATUS_BUFFER_TOO_SMALL with the length, if the list does not
    /// fit.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETGPUPARTITIONINFO = DXGKDDI_GETGPUPARTITIONINFO(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETGPUPARTITIONINFO,
    ) -> NTSTATUS;

    /// Chooses a partition count, before the first virtual GPU.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETGPUPARTITIONCOUNT = DXGKDDI_SETGPUPARTITIONCOUNT(
        Context: HANDLE,
        pArgs: *mut DXGKARG_SETGPUPARTITIONCOUNT,
    ) -> NTSTATUS;

    /// Lists the engines. Must be there; not called.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETGPUENGINES = DXGKDDI_GETGPUENGINES(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETGPUENGINES,
    ) -> NTSTATUS;

    /// Says what a partition may get for a partition count.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETVIRTUALGPUPROFILE = DXGKDDI_GETVIRTUALGPUPROFILE(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETVIRTUALGPUPROFILE,
    ) -> NTSTATUS;

    /// Makes a virtual GPU from a profile.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_CREATEVIRTUALGPU = DXGKDDI_CREATEVIRTUALGPU(
        Context: HANDLE,
        pArgs: *mut DXGKARG_CREATEVIRTUALGPU,
    ) -> NTSTATUS;

    /// Says what a virtual GPU has.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_GETVIRTUALGPUINFO = DXGKDDI_GETVIRTUALGPUINFO(
        Context: HANDLE,
        pArgs: *mut DXGKARG_GETVIRTUALGPUINFO,
    ) -> NTSTATUS;

    /// Gives a virtual GPU its video memory, before it reaches D0.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETVIRTUALGPURESOURCES = DXGKDDI_SETVIRTUALGPURESOURCES(
        Context: HANDLE,
        pArgs: *mut DXGKARG_SETVIRTUALGPURESOURCES,
    ) -> NTSTATUS;

    /// Destroys a virtual GPU.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_DESTROYVIRTUALGPU = DXGKDDI_DESTROYVIRTUALGPU(
        Context: HANDLE,
        pArgs: *mut DXGKARG_DESTROYVIRTUALGPU,
    ) -> NTSTATUS;

    /// Suspends a virtual GPU. Must be there; not called.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SUSPENDVIRTUALGPU = DXGKDDI_SUSPENDVIRTUALGPU(
        Context: HANDLE,
        pArgs: *mut DXGKARG_SUSPENDVIRTUALGPU,
    ) -> NTSTATUS;

    /// Resumes a virtual GPU. Must be there; not called.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_RESUMEVIRTUALGPU = DXGKDDI_RESUMEVIRTUALGPU(
        Context: HANDLE,
        pArgs: *mut DXGKARG_RESUMEVIRTUALGPU,
    ) -> NTSTATUS;

    /// Hands over the VM bus channel of a virtual GPU; may be repeated.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_SETVIRTUALGPUVMBUS = DXGKDDI_SETVIRTUALGPUVMBUS(
        Context: HANDLE,
        pArgs: *mut DXGKARG_SETVIRTUALGPUVMBUS,
    ) -> NTSTATUS;

    /// Private talk between the user-mode emulation DLL and the driver about one virtual GPU.
    ///
    /// IRQL: PASSIVE_LEVEL. Synchronization level: not stated.
    pub type PDXGKDDI_VIRTUALGPUDRIVERESCAPE = DXGKDDI_VIRTUALGPUDRIVERESCAPE(
        Context: HANDLE,
        pArgs: *mut DXGK_VIRTUALGPUDRIVERESCAPE,
    ) -> NTSTATUS;
}
