//! The callback table, and what the adapter says of itself.
//!
//! UNSAFETY: it is the other side of the DDI.
#![expect(unsafe_code)]

mod support;

use support::TestAdapter;
use wddm::DXGK_QUERYADAPTERINFOTYPE as Type;
use wddm::*;

/// Members that a compute-only driver with GPU virtual addresses owes, and those of GPU-P live migration.
const OWED: &str = "AddDevice StartDevice StopDevice RemoveDevice ResetDevice Unload InterruptRoutine DpcRoutine \
    QueryChildRelations QueryChildStatus QueryDeviceDescriptor SetPowerState QueryAdapterInfo CreateDevice \
    DestroyDevice CreateContext DestroyContext CreateAllocation DestroyAllocation DescribeAllocation \
    GetStandardAllocationDriverData OpenAllocation CloseAllocation BuildPagingBuffer PreemptCommand \
    QueryDependentEngineGroup QueryEngineStatus ResetEngine ResetFromTimeout RestartFromTimeout CollectDbgInfo \
    GetNodeMetadata CalibrateGpuClock FormatHistoryBuffer SetStablePowerState SetVirtualMachineData CreateProcess \
    DestroyProcess GetRootPageTableSize SetRootPageTable SubmitCommandVirtual QueryInterface \
    PrepareLiveMigration SaveImmutableMigrationData SaveMutableMigrationData EndLiveMigration \
    RestoreImmutableMigrationData RestoreMutableMigrationData WriteVirtualizedInterrupt SetVirtualGpuResources2 \
    SetVirtualFunctionPauseState CreateMemoryBasis DestroyMemoryBasis StartDirtyTracking StopDirtyTracking \
    QueryDirtyBitData";
/// Optional members that this driver has.
const OFFERED: &str = "NotifySurpriseRemoval Escape CancelCommand ControlEtwLogging";

/// Names and byte offsets of the table's members.
fn members() -> impl Iterator<Item = (&'static str, usize)> {
    let facts = include_str!("../crates/wddm/facts/driver_initialization_data.csv");
    facts.lines().skip(1).map(|line| {
        let mut columns = line.split(',');
        let offset = columns.nth(1).unwrap().parse().unwrap();
        (columns.next().unwrap(), offset)
    })
}

#[test]
fn the_table_has_what_is_owed_and_nothing_that_is_prohibited() {
    let table = support::load();
    assert_eq!(table.Version, 0x11007);
    let expected: Vec<&str> = OWED.split_whitespace().chain(OFFERED.split_whitespace()).collect();
    let mut found = 0;
    for (name, offset) in members().skip(1) {
        let slot = (&raw const table).cast::<u8>().wrapping_add(offset).cast::<usize>();
        // SAFETY: a slot of the table, which is a pointer or null.
        let filled = unsafe { slot.read() } != 0;
        let name = name.trim_start_matches("DxgkDdi");
        assert_eq!(filled, expected.contains(&name), "{name}");
        found += usize::from(filled);
    }
    assert_eq!(found, expected.len());
}

fn bytes(id: u32) -> Vec<u8> {
    id.to_le_bytes().to_vec()
}

/// Types with the input they need, the bytes of their answer, and the least buffer they take.
fn types() -> Vec<(Type, Vec<u8>, usize, usize)> {
    let whole = |kind, input: Vec<u8>, size: usize| (kind, input, size, size);
    vec![
        (Type::DXGKQAITYPE_DRIVERCAPS, vec![], 592, 580),
        whole(Type::DXGKQAITYPE_NUMPOWERCOMPONENTS, vec![], 4),
        (Type::DXGKQAITYPE_HISTORYBUFFERPRECISION, vec![], 8, 4),
        whole(Type::DXGKQAITYPE_QUERYSEGMENT4, bytes(0), 40),
        whole(Type::DXGKQAITYPE_GPUMMUCAPS, bytes(0), 24),
        whole(Type::DXGKQAITYPE_PAGETABLELEVELDESC, bytes(0), 20),
        whole(Type::DXGKQAITYPE_PHYSICALADAPTERCAPS, bytes(0), 32),
        whole(Type::DXGKQAITYPE_NODEPERFDATA, vec![], size_of::<DXGK_NODE_PERFDATA>()),
        whole(Type::DXGKQAITYPE_ADAPTERPERFDATA, vec![], size_of::<DXGK_ADAPTER_PERFDATA>()),
        whole(Type::DXGKQAITYPE_ADAPTERPERFDATA_CAPS, vec![], size_of::<DXGK_ADAPTER_PERFDATACAPS>()),
        whole(Type::DXGKQAITYPE_GPUVERSION, vec![], 128),
        whole(Type::DXGKQAITYPE_WDDMDEVICECAPS, vec![], 4),
        whole(Type::DXGKQAITYPE_GPUPCAPS, vec![], 4),
        whole(Type::DXGKQAITYPE_PHYSICAL_MEMORY_CAPS, vec![], 8),
        whole(Type::DXGKQAITYPE_IOMMU_CAPS, vec![], 4),
        whole(Type::DXGKQAITYPE_DIRTYBITTRACKINGCAPS, vec![], 4),
        whole(Type::DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS, bytes(1), 4),
        whole(Type::DXGKQAITYPE_SCATTER_RESERVE, bytes(1), 8),
    ]
}

#[test]
fn every_answer_keeps_to_its_buffer() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20)]);
    for (kind, input, size, least) in types() {
        for room in 0..=size + 8 {
            // A clean buffer of the size, and a canary behind it. The segment query reads its own buffer.
            let mut out = vec![0u8; room];
            out.resize(room + 16, 0xC5);
            let status = adapter.query_raw(kind, &input, &mut out, room);
            let expected = if room < least { STATUS_BUFFER_TOO_SMALL } else { STATUS_SUCCESS };
            assert_eq!(status, expected, "{kind:?} with {room} bytes");
            assert!(
                out[room.min(size).max(room)..].iter().all(|byte| *byte == 0xC5),
                "{kind:?} with {room} bytes"
            );
            let written = if room < least { 0 } else { room.min(size) };
            assert!(out[written..room].iter().all(|byte| *byte == 0), "{kind:?} with {room} bytes");
        }
        if !input.is_empty() {
            let mut out = vec![0u8; size];
            let status = adapter.query_raw(kind, &input[..1], &mut out, size);
            assert_eq!(status, STATUS_INVALID_PARAMETER, "{kind:?} with a short input");
            let status = adapter.query_raw(kind, &bytes(9), &mut out, size);
            let untracked = kind == Type::DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS;
            let refusal = if untracked { STATUS_NOT_IMPLEMENTED } else { STATUS_INVALID_PARAMETER };
            assert_eq!(status, refusal, "{kind:?} of another adapter or segment");
        }
    }
}

#[test]
fn types_of_other_drivers_are_not_supported() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20)]);
    let answered: Vec<i32> = types().iter().map(|(kind, ..)| kind.0).collect();
    for kind in (-1..64).filter(|kind| !answered.contains(kind)) {
        let mut out = [0u8; 1024];
        assert_eq!(
            adapter.query_raw(DXGK_QUERYADAPTERINFOTYPE(kind), &bytes(0), &mut out, 1024),
            STATUS_NOT_SUPPORTED
        );
        assert_eq!(out, [0; 1024]);
    }
}

#[test]
fn caps_are_those_of_a_compute_only_gpu_p_host() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20), ("DirtyPageBytes", 65536)]);
    let caps: DXGK_DRIVERCAPS = adapter.query(Type::DXGKQAITYPE_DRIVERCAPS, &[]);
    assert_eq!(caps.WDDMVersion, DXGK_WDDMVERSION::DXGKDDI_WDDMv3_2);
    assert_eq!(caps.MiscCaps, DXGK_DRIVERCAPS_MISCCAPS::ComputeOnly);
    assert_eq!(caps.GpuEngineTopology.NbAsymetricProcessingNodes, 2);
    assert!(!caps.MemoryManagementCaps.Value.contains(DXGK_VIDMMCAPS_VALUE::ParavirtualizationSupported));
    let gpup: DXGK_GPUPCAPS = adapter.query(Type::DXGKQAITYPE_GPUPCAPS, &[]);
    assert_eq!(gpup.Caps, DXGK_GPUPCAPS_CAPS::LiveMigration);
    let dirty: DXGK_DIRTY_BIT_TRACKING_CAPS = adapter.query(Type::DXGKQAITYPE_DIRTYBITTRACKINGCAPS, &[]);
    assert_eq!(dirty.bits(), 3);
    for input in [&1u16.to_le_bytes()[..], &1u32.to_le_bytes(), &1u64.to_le_bytes()] {
        let segment: DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS =
            adapter.query(Type::DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS, input);
        assert_eq!(segment.PageSize, 65536);
    }
    let paging: DXGK_PHYSICALADAPTERCAPS = adapter.query(Type::DXGKQAITYPE_PHYSICALADAPTERCAPS, &bytes(0));
    assert_eq!((paging.NumExecutionNodes, paging.PagingNodeIndex), (2, 1));
}

#[test]
fn segments_are_asked_for_twice() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20)]);
    let mut out: DXGK_QUERYSEGMENTOUT4 = adapter.query(Type::DXGKQAITYPE_QUERYSEGMENT4, &bytes(0));
    assert_eq!((out.NbSegment, out.PagingBufferSegmentId), (1, 0));
    let mut descriptors = [0xC5u8; 256];
    out.pSegmentDescriptor = descriptors.as_mut_ptr().cast();
    out.SegmentDescriptorStride = 128;
    // SAFETY: plain data as bytes.
    let buffer = unsafe { core::slice::from_raw_parts_mut((&raw mut out).cast::<u8>(), 40) };
    assert_eq!(adapter.query_raw(Type::DXGKQAITYPE_QUERYSEGMENT4, &bytes(0), buffer, 40), STATUS_SUCCESS);
    // SAFETY: the driver filled the descriptor in.
    let segment = unsafe { descriptors.as_ptr().cast::<DXGK_SEGMENTDESCRIPTOR4>().read_unaligned() };
    assert_eq!(segment.Size, 64 << 20);
    assert!(descriptors[96..].iter().all(|byte| *byte == 0xC5));
}

#[test]
fn settings_out_of_limits_fail_the_start() {
    for (name, value) in [("NumberOfVfs", 65), ("VramBytes", 1), ("DirtyPageBytes", 5000), ("DeviceId", 0)] {
        let (status, _adapter) = TestAdapter::add(&[(name, value)]).try_start();
        assert_eq!(status, STATUS_INVALID_PARAMETER, "{name}");
    }
}

#[test]
fn wrong_handles_are_refused() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20)]);
    let table = &adapter.table;
    let removed = TestAdapter::add(&[]).context;
    // Seats that are taken and not started: a number that is no object's must not lead to them.
    let _waiting: Vec<_> = (0..2).map(|_| TestAdapter::add(&[])).collect();
    let seats = (0..16).map(|seat| 1 << 32 | seat << 28);
    for bits in [0, 1, usize::MAX, removed.addr(), adapter.context.addr() ^ 1 << 33].into_iter().chain(seats)
    {
        let wrong: HANDLE = std::ptr::without_provenance_mut(bits);
        let mut args = DXGKARG_GPUP_PREPARE_LIVE_MIGRATION::zeroed();
        // SAFETY: live arguments; handles are looked up, never followed.
        let status = unsafe { table.DxgkDdiPrepareLiveMigration.unwrap()(wrong, &args) };
        assert_eq!(status, STATUS_INVALID_HANDLE);
        args.vfIndex = 99;
        // SAFETY: as above.
        let status = unsafe { table.DxgkDdiPrepareLiveMigration.unwrap()(adapter.context, &args) };
        assert_eq!(status, STATUS_INVALID_PARAMETER, "unknown VF");
        // SAFETY: as above.
        let status = unsafe { table.DxgkDdiEndLiveMigration.unwrap()(wrong, 0) };
        assert_eq!(status, STATUS_INVALID_HANDLE);
        // SAFETY: as above.
        let status = unsafe { table.DxgkDdiDestroyDevice.unwrap()(wrong) };
        assert_eq!(status, STATUS_INVALID_HANDLE);
        // SAFETY: as above.
        let status = unsafe { table.DxgkDdiDestroyMemoryBasis.unwrap()(adapter.context, wrong) };
        assert_eq!(status, STATUS_INVALID_HANDLE);
    }
    // SAFETY: a null argument is refused before it is followed.
    let status = unsafe { table.DxgkDdiPrepareLiveMigration.unwrap()(adapter.context, std::ptr::null()) };
    assert_eq!(status, STATUS_INVALID_PARAMETER);
}

#[test]
fn interfaces_honour_version_and_size() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20)]);
    let guid = &GUID_DXGKDDI_GPU_PARTITION_INTERFACE;
    let interface: DXGKDDI_GPU_PARTITION_INTERFACE = adapter.interface(guid, 1, 128).unwrap();
    assert_eq!((interface.Size, interface.Version, interface.Context), (128, 1, adapter.context));
    assert!(interface.DxgkDdiSetVirtualGpuVmBus.is_some());
    let refused = |guid, version, size| {
        adapter.interface::<DXGKDDI_GPU_PARTITION_INTERFACE>(guid, version, size).unwrap_err()
    };
    assert_eq!(refused(guid, 1, 127), STATUS_BUFFER_TOO_SMALL);
    assert_eq!(refused(guid, 2, 128), STATUS_NOT_SUPPORTED);
    let unknown = GUID::from_u128(0x5A5A);
    assert_eq!(refused(&unknown, 1, 128), STATUS_NOT_SUPPORTED);
    let sriov: DXGKDDI_SRIOV_INTERFACE = adapter.interface(&GUID_DXGKDDI_SRIOV_INTERFACE, 1, 120).unwrap();
    assert!(sriov.DxgkDdiQueryVirtualFunctionLuid.is_some());
}
