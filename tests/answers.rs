//! What the adapter, its nodes, contexts and allocations say of themselves, field by field: Dxgkrnl acts on each.
//!
//! UNSAFETY: it is the other side of the DDI.
#![expect(unsafe_code)]

mod support;

use support::TestAdapter;
use support::host::{Host, MIB, call, ddi};
use wddm::DXGK_QUERYADAPTERINFOTYPE as Type;
use wddm::*;

const VRAM: u64 = 64 * MIB;

fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units).trim_end_matches('\0').to_owned()
}

#[test]
fn the_driver_s_capabilities_are_whole() {
    let adapter = TestAdapter::start(&[("VramBytes", VRAM), ("FirmwareVersion", 0x0003_0007)]);
    let caps: DXGK_DRIVERCAPS = adapter.query(Type::DXGKQAITYPE_DRIVERCAPS, &[]);
    let scheduling = DXGK_VIDSCHCAPS::MultiEngineAware
        | DXGK_VIDSCHCAPS::PreemptionAware
        | DXGK_VIDSCHCAPS::LowIrqlPreemptCommand;
    assert!(caps.SchedulingCaps.contains(scheduling), "{:?}", caps.SchedulingCaps);
    let memory = DXGK_VIDMMCAPS_VALUE::VirtualAddressingSupported | DXGK_VIDMMCAPS_VALUE::GpuMmuSupported;
    assert_eq!((caps.MemoryManagementCaps.Value, caps.MemoryManagementCaps.PagingNode), (memory, 1));
    assert_eq!((caps.SupportNonVGA, caps.SupportPerEngineTDR), (0, 1));
    assert_eq!((caps.SupportSurpriseRemoval, caps.SupportSurpriseRemovalInHibernation), (1, 1));
    assert_eq!(caps.HighestAcceptableAddress, i64::MAX);
    let version: DXGK_GPUVERSION = adapter.query(Type::DXGKQAITYPE_GPUVERSION, &[]);
    assert_eq!(text(&{ version.BiosVersion }), "3.7");
    assert_eq!(text(&{ version.GpuArchitecture }), "GPU-P simulator rev 1");
    let node: DXGK_NODE_PERFDATA = adapter.query(Type::DXGKQAITYPE_NODEPERFDATA, &[]);
    let hertz = 1_000_000_000;
    assert_eq!([{ node.Frequency }, { node.MaxFrequency }, { node.MaxFrequencyOC }], [hertz; 3]);
    let physical: DXGK_PHYSICAL_MEMORY_CAPS = adapter.query(Type::DXGKQAITYPE_PHYSICAL_MEMORY_CAPS, &[]);
    assert_eq!(physical.HighestVisibleAddress, i64::MAX);
    let bits: [u32; 2] = adapter.query(Type::DXGKQAITYPE_HISTORYBUFFERPRECISION, &[]);
    assert_eq!(bits, [0, 0]);
    let other = adapter.query_raw(Type::DXGKQAITYPE_HISTORYBUFFERPRECISION, &[9, 0, 0, 0], &mut [0; 8], 8);
    assert_eq!(other, STATUS_INVALID_PARAMETER, "there is one physical adapter");
}

#[test]
fn memory_is_described_whole() {
    let adapter = TestAdapter::start(&[("VramBytes", VRAM)]);
    let zero = 0u32.to_le_bytes();
    let mmu: DXGK_GPUMMUCAPS = adapter.query(Type::DXGKQAITYPE_GPUMMUCAPS, &zero);
    let value =
        DXGK_GPUMMUCAPS_VALUE::ReadOnlyMemorySupported | DXGK_GPUMMUCAPS_VALUE::CacheCoherentMemorySupported;
    assert_eq!(mmu.Value, value);
    let levels: u32 = (0..mmu.PageTableLevelCount)
        .map(|level| {
            let input = level.to_le_bytes();
            let desc: DXGK_PAGE_TABLE_LEVEL_DESC =
                adapter.query(Type::DXGKQAITYPE_PAGETABLELEVELDESC, &input);
            desc.PageTableIndexBitCount
        })
        .sum();
    assert_eq!(mmu.VirtualAddressBitCount, levels + 12);
    let paging: DXGK_PHYSICALADAPTERCAPS = adapter.query(Type::DXGKQAITYPE_PHYSICALADAPTERCAPS, &zero);
    assert_eq!(paging.Flags, DXGK_PHYSICALADAPTERFLAGS::GpuMmuSupported);

    let mut out = DXGK_QUERYSEGMENTOUT4::zeroed();
    let mut segment = DXGK_SEGMENTDESCRIPTOR4::zeroed();
    let mut ask = |count, place| {
        (out.NbSegment, out.pSegmentDescriptor) = (count, place);
        // SAFETY: plain data as bytes.
        let buffer =
            unsafe { core::slice::from_raw_parts_mut((&raw mut out).cast::<u8>(), size_of_val(&out)) };
        let room = buffer.len();
        adapter.query_raw(Type::DXGKQAITYPE_QUERYSEGMENT4, &zero, buffer, room)
    };
    assert_eq!(
        ask(1, std::ptr::null_mut()),
        STATUS_SUCCESS,
        "a count without a place is the count's question"
    );
    assert_eq!(ask(0, (&raw mut segment).cast()), STATUS_SUCCESS);
    assert_eq!(segment.Size, 0, "nothing is written before the count is given");
    assert_eq!(ask(1, (&raw mut segment).cast()), STATUS_SUCCESS);
    assert_eq!((segment.Size as u64, segment.CommitLimit as u64), (VRAM, VRAM));
    assert_eq!(segment.Flags, DXGK_SEGMENTFLAGS::ApplicationTarget | DXGK_SEGMENTFLAGS::LocalBudgetGroup);
}

#[test]
fn nodes_and_contexts_are_described_whole() {
    let host = Host::start(&[]);
    let names = [
        ("Compute", DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_OTHER),
        ("", DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_COPY),
    ];
    for (node, (name, kind)) in (0..).zip(names) {
        let mut metadata = DXGKARG_GETNODEMETADATA::zeroed();
        assert_eq!(ddi!(host, DxgkDdiGetNodeMetadata, node, &mut metadata), STATUS_SUCCESS);
        assert_eq!((text(&{ metadata.FriendlyName }), { metadata.EngineType }), (name.to_owned(), kind));
        assert_eq!(({ metadata.GpuMmuSupported }, { metadata.IoMmuSupported }), (1, 0));
    }
    let mut device = DXGKARG_CREATEDEVICE::zeroed();
    assert_eq!(ddi!(host, DxgkDdiCreateDevice, &mut device), STATUS_SUCCESS);
    let create = |flags| {
        let mut context = DXGKARG_CREATECONTEXT::zeroed();
        context.Flags = flags;
        // SAFETY: live arguments.
        let status =
            unsafe { host.adapter.table.DxgkDdiCreateContext.unwrap()(device.hDevice, &mut context) };
        (status, context)
    };
    for flags in [DXGK_CREATECONTEXTFLAGS::HwQueueSupported, DXGK_CREATECONTEXTFLAGS::GdiContext] {
        assert_eq!(create(flags).0, STATUS_NOT_SUPPORTED, "{flags:?}");
    }
    let (status, context) = create(DXGK_CREATECONTEXTFLAGS::empty());
    assert_eq!((status, context.ContextInfo.DmaBufferSize), (STATUS_SUCCESS, 65536));
    assert_eq!(context.ContextInfo.Caps, DXGK_CONTEXTINFO_CAPS::NoPatchingRequired);
    let mut header = DXGK_HISTORY_BUFFER::zeroed();
    let mut format = DXGKARG_FORMATHISTORYBUFFER::zeroed();
    format.pHistoryBuffer = &raw mut header;
    for (bytes, expected) in [(15, STATUS_BUFFER_TOO_SMALL), (16, STATUS_SUCCESS)] {
        (format.HistoryBufferSize, format.NumTimestamps) = (bytes, 7);
        // SAFETY: live arguments, and a buffer with room for the header.
        let status =
            unsafe { host.adapter.table.DxgkDdiFormatHistoryBuffer.unwrap()(context.hContext, &mut format) };
        assert_eq!(status, expected, "{bytes} bytes");
    }
    assert_eq!(format.NumTimestamps, 0);
    // SAFETY: the driver's own handles, closed once.
    let status = unsafe { host.adapter.table.DxgkDdiDestroyContext.unwrap()(context.hContext) };
    assert_eq!(status, STATUS_SUCCESS);
    // SAFETY: as above.
    let status = unsafe { host.adapter.table.DxgkDdiDestroyDevice.unwrap()(device.hDevice) };
    assert_eq!(status, STATUS_SUCCESS);
}

/// CreateAllocation of one allocation with this private data; what came back.
fn allocate(
    host: &Host,
    bytes: u64,
    alignment: u64,
    flags: DXGK_CREATEALLOCATIONFLAGS,
) -> (NTSTATUS, DXGK_ALLOCATIONINFO, HANDLE) {
    let mut private = [bytes, alignment];
    let mut info = DXGK_ALLOCATIONINFO::zeroed();
    (info.pPrivateDriverData, info.PrivateDriverDataSize) = (private.as_mut_ptr().cast(), 16);
    let mut args = DXGKARG_CREATEALLOCATION::zeroed();
    (args.NumAllocations, args.pAllocationInfo, args.Flags) = (1, &raw mut info, flags);
    let status = ddi!(host, DxgkDdiCreateAllocation, &mut args);
    if status.is_success() {
        let list = [info.hAllocation];
        let mut destroy = DXGKARG_DESTROYALLOCATION::zeroed();
        (destroy.NumAllocations, destroy.pAllocationList) = (1, list.as_ptr());
        assert_eq!(ddi!(host, DxgkDdiDestroyAllocation, &destroy), STATUS_SUCCESS);
    }
    (status, info, args.hResource)
}

#[test]
fn an_allocation_is_no_larger_than_memory_and_aligned() {
    let host = Host::start(&[]);
    let none = DXGK_CREATEALLOCATIONFLAGS::empty();
    let size = |bytes, alignment| {
        let (status, info, _) = allocate(&host, bytes, alignment, none);
        status.is_success().then_some(info.Size as u64)
    };
    assert_eq!(
        [0, 1, 4096, VRAM, VRAM + 1].map(|bytes| size(bytes, 4096)),
        [None, Some(4096), Some(4096), Some(VRAM), None]
    );
    assert_eq!(
        [0, 4095, 8192, 1 << 32].map(|alignment| size(4096, alignment)),
        [None, None, Some(4096), None]
    );
    let (_, info, resource) = allocate(&host, 4096, 4096, none);
    // SAFETY: plain data, whichever field it is.
    assert_eq!((unsafe { info.u2.SupportedReadSegmentSet }, info.SupportedWriteSegmentSet), (1, 1));
    assert!(resource.is_null(), "no resource was asked for");
    let (status, info, resource) = allocate(&host, 4096, 4096, DXGK_CREATEALLOCATIONFLAGS::Resource);
    assert_eq!((status, resource), (STATUS_SUCCESS, info.hAllocation));
}

#[test]
fn a_partition_is_described_whole() {
    let host = Host::start(&[]);
    let mut engines = DXGKARG_GETGPUENGINES::zeroed();
    assert_eq!(call!(host.partition, DxgkDdiGetGpuEngines, &mut engines), STATUS_SUCCESS);
    assert_eq!((engines.NumEngines, engines.EngineInfo[0].NumPartitionUnits), (1, 2));
    for video in [1, 2] {
        let mut create = DXGKARG_CREATEVIRTUALGPU::zeroed();
        create.Profile.Capability[0] =
            DXGK_VIRTUALGPUCAPABILITY { MinValue: MIB, MaxValue: MIB, OptimalValue: MIB };
        create.Profile.Capability[video].MinValue = 1;
        let status = call!(host.partition, DxgkDdiCreateVirtualGpu, &mut create);
        assert_eq!(status, STATUS_INVALID_PARAMETER, "there is no video engine");
    }
    host.make(1, 2 * MIB);
    let most = u64::from(DXGK_MAX_VIRTUAL_GPU_ALLOCATIONS);
    let mut create = DXGKARG_CREATEVIRTUALGPU::zeroed();
    let bytes = most * MIB;
    create.Profile.Capability[0] =
        DXGK_VIRTUALGPUCAPABILITY { MinValue: bytes, MaxValue: bytes, OptimalValue: bytes };
    assert_eq!(call!(host.partition, DxgkDdiCreateVirtualGpu, &mut create), STATUS_SUCCESS);
    let pieces = |count: u64| (0..count).map(|piece| (16 * MIB + piece * MIB, MIB)).collect::<Vec<_>>();
    assert_eq!(host.resources(0, &pieces(most + 1)), STATUS_INVALID_PARAMETER);
    assert_eq!(host.resources(0, &pieces(most)), STATUS_SUCCESS);
    assert_eq!(host.destroy(0), STATUS_SUCCESS);
    let mut location = DXGKARG_GETDEVICELOCATION::zeroed();
    location.VirtualFunctionIndex = 1;
    call!(host.sriov, DxgkDdiGetDeviceLocation, &mut location);
    assert_eq!((location.SegmentNumber, location.BusNumber, location.FunctionNumber), (0, 0, 0));
    let mut resource = CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed();
    let mut args =
        DXGKARG_GETRESOURCEFORBAR { VirtualFunctionIndex: 1, BarIndex: 0, pResource: &raw mut resource };
    assert_eq!(call!(host.sriov, DxgkDdiGetResourceForBar, &mut args), STATUS_SUCCESS);
    // SAFETY: the type says that it is memory.
    let memory = unsafe { resource.u.Memory };
    assert_eq!({ resource.Type }, CmResourceTypeMemory);
    assert!({ memory.Start } != 0 && { memory.Length } >= 4096);
    let mut backing = CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed();
    let lists = [&raw mut backing, std::ptr::null_mut()].map(|place| {
        let mut args = DXGKARG_GETBACKINGRESOURCE::zeroed();
        (args.VirtualFunctionIndex, args.Resource) = (1, place);
        assert_eq!(call!(host.flexiov, DxgkDdiGetBackingResource, &mut args), STATUS_SUCCESS);
        args.pMdl
    });
    assert!(!lists[0].is_null() && lists[0] == lists[1]);
    // SAFETY: as above.
    let same = unsafe { backing.u.Memory };
    assert_eq!(({ backing.Type }, { same.Start }), (CmResourceTypeMemory, { memory.Start }));
    assert_eq!(host.destroy(1), STATUS_SUCCESS);
}
