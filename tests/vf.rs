//! VFs through the interfaces of QueryInterface: making them, mapping them, moving them.
//!
//! UNSAFETY: it is the other side of the DDI.
#![expect(unsafe_code)]

mod support;

use gpup_kmd::escape::{Engine, Request, State};
use support::host::{D0, D3, Host, MIB, SOURCE, TARGET, call};
use wddm::*;

const VF_BYTES: u64 = 2 * MIB;

impl Host {
    /// Makes a VF of two megabytes and gives it power.
    fn vf(&self, vf: u32) {
        let create = self.make(vf, VF_BYTES);
        assert_eq!((create.NumMemorySegments, create.NumEngines), (1, 0));
        let segment = create.SegmentInfo[0];
        assert_eq!((segment.DriverSegmentId, segment.Size), (1, VF_BYTES));
    }
}

#[test]
fn the_escape_is_for_administrators() {
    let host = Host::start(&[]);
    host.vf(0);
    let escape = |request: Request| {
        let mut block = request.encode();
        let mut args = DXGKARG_ESCAPE::zeroed();
        args.pPrivateDriverData = block.as_mut_ptr().cast();
        args.PrivateDriverDataSize = block.len() as u32;
        // SAFETY: live arguments.
        let status = unsafe { host.adapter.table.DxgkDdiEscape.unwrap()(host.adapter.context, &args) };
        (status, block)
    };
    let turn = |quantum_us| Request::SetParameters {
        vf: 0,
        quantum_us,
        preempt_timeout_us: 0,
        priority: gpup_core::sched::Priority::Low,
    };
    assert_eq!(escape(turn(500)).0, STATUS_SUCCESS);
    gpup_kmd::os::host::set_caller_is_administrator(false);
    for request in [
        turn(100),
        Request::Throttle { vf: 0, permille: 1 },
        Request::State { vf: 0 },
        Request::Engine { node: 0 },
    ] {
        assert_eq!(escape(request).0, STATUS_ACCESS_DENIED, "{request:?}");
    }
    gpup_kmd::os::host::set_caller_is_administrator(true);
    let (status, block) = escape(Request::State { vf: 0 });
    let state = State::get(&block).unwrap();
    assert_eq!((status, state.quantum_us, state.preempt_timeout_us), (STATUS_SUCCESS, 500, 0));
    assert_eq!(state.priority, gpup_core::sched::Priority::Low);
    let (status, block) = escape(Request::Engine { node: 1 });
    assert_eq!((status, Engine::get(&block).responsive), (STATUS_SUCCESS, true));
    assert_eq!(escape(Request::Engine { node: 2 }).0, STATUS_INVALID_PARAMETER);
}

#[test]
fn partitions_are_asked_for_set_and_profiled() {
    let host = Host::start(&[("NumberOfVfs", 6)]);
    let mut args = DXGKARG_GETGPUPARTITIONINFO::zeroed();
    assert_eq!(call!(host.partition, DxgkDdiGetGpuPartitionInfo, &mut args), STATUS_BUFFER_TOO_SMALL);
    assert_eq!(args.NumGpuPartitionOptions, 4);
    let mut options = [0u16; 5];
    args.pGpuPartitionOptions = options.as_mut_ptr();
    assert_eq!(call!(host.partition, DxgkDdiGetGpuPartitionInfo, &mut args), STATUS_SUCCESS);
    assert_eq!((options, args.CurrentGpuPartitionCount), ([1, 2, 4, 6, 0], 6));
    let mut count = DXGKARG_SETGPUPARTITIONCOUNT { PartitionCount: 3 };
    assert_eq!(call!(host.partition, DxgkDdiSetGpuPartitionCount, &mut count), STATUS_INVALID_PARAMETER);
    count.PartitionCount = 2;
    assert_eq!(call!(host.partition, DxgkDdiSetGpuPartitionCount, &mut count), STATUS_SUCCESS);
    let mut profile = DXGKARG_GETVIRTUALGPUPROFILE::zeroed();
    profile.PartitionCount = 2;
    assert_eq!(call!(host.partition, DxgkDdiGetVirtualGpuProfile, &mut profile), STATUS_SUCCESS);
    assert_eq!(profile.VirtualizationFlags, DXGK_VIRTUALIZED_HOST_VIRTUAL_DEVICE);
    let memory = profile.ProfileCapability[0];
    assert_eq!((memory.TotalValue, memory.OptimalPartitionValue), (48 * MIB, 24 * MIB));
    assert_eq!(profile.ProfileCapability[1], DXGK_VGPU_PROFILE_CAPABILITY::zeroed());
    host.vf(1);
    assert_eq!(call!(host.partition, DxgkDdiSetGpuPartitionCount, &mut count), STATUS_INVALID_DEVICE_STATE);
    let mut third = DXGKARG_CREATEVIRTUALGPU::zeroed();
    third.PartitionId = 2;
    assert_eq!(call!(host.partition, DxgkDdiCreateVirtualGpu, &mut third), STATUS_INVALID_PARAMETER);
}

#[test]
fn resources_are_checked() {
    let host = Host::start(&[]);
    host.vf(0);
    assert_eq!(host.resources(0, &[(8 * MIB, MIB)]), STATUS_INVALID_DEVICE_STATE, "it has power");
    assert_eq!(host.vf_power(0, DEVICE_POWER_STATE::PowerDeviceD1), STATUS_INVALID_PARAMETER);
    assert_eq!(host.vf_power(0, D3), STATUS_SUCCESS);
    let pieces = [(8 * MIB, MIB), (MIB, MIB / 2), (20 * MIB, MIB / 2)];
    assert_eq!(host.resources(0, &pieces), STATUS_SUCCESS);
    let few = [(8 * MIB, MIB)];
    let many = [(8 * MIB, 3 * MIB)];
    for wrong in
        [&[][..], &[(1, 2 * MIB)], &[(0, 1)], &[(63 * MIB, 2 * MIB)], &[(0, MIB), (0, MIB)], &few, &many]
    {
        assert_eq!(host.resources(0, wrong), STATUS_INVALID_PARAMETER, "{wrong:?}");
    }
    assert_eq!(host.resources(0, &[(0, 4096); 33]), STATUS_INVALID_PARAMETER);
    assert_eq!(host.resources(3, &[(0, MIB)]), STATUS_INVALID_PARAMETER, "VF 3 does not exist");
    assert_eq!(host.vf_power(0, D0), STATUS_SUCCESS);
    let mut destroy = DXGKARG_DESTROYVIRTUALGPU { PartitionId: 0 };
    assert_eq!(call!(host.partition, DxgkDdiDestroyVirtualGpu, &mut destroy), STATUS_SUCCESS);
    assert_eq!(call!(host.partition, DxgkDdiDestroyVirtualGpu, &mut destroy), STATUS_INVALID_PARAMETER);
}

/// SetVirtualGpuResources2 is called only where the cap says so, and does nothing elsewhere.
#[test]
fn scattered_memory_is_given_with_its_cap_only() {
    for (scatter, expected) in [(0, STATUS_NOT_SUPPORTED), (1, STATUS_SUCCESS)] {
        let host = Host::start(&[("ScatterMapReserve", scatter)]);
        host.vf(0);
        assert_eq!(host.vf_power(0, D3), STATUS_SUCCESS);
        let (table, context) = (&host.adapter.table, host.adapter.context);
        // Segment 1, two ranges.
        let basis = [1u64, 2, 9 * MIB, MIB, 5 * MIB, MIB];
        // SAFETY: the arguments with two ranges.
        let basis = unsafe { table.DxgkDdiCreateMemoryBasis.unwrap()(context, basis.as_ptr().cast()) };
        let mut args = DXGKARG_SETVIRTUALGPURESOURCES2::zeroed();
        args.SegmentCount = 1;
        args.SegmentDescriptors[0].MemoryBasis = basis;
        // SAFETY: live arguments.
        let status = unsafe { table.DxgkDdiSetVirtualGpuResources2.unwrap()(context, &args) };
        assert_eq!(status, expected);
        assert_eq!(host.vf_power(0, D0), STATUS_SUCCESS);
    }
}

/// Of a change of the count and the making of a VF that the new count does not have one is refused.
#[test]
fn the_count_does_not_change_under_a_vf_that_is_made() {
    let host = Host::start(&[]);
    let create = |partition: &DXGKDDI_GPU_PARTITION_INTERFACE| {
        let mut create = DXGKARG_CREATEVIRTUALGPU::zeroed();
        create.PartitionId = 3;
        call!(partition, DxgkDdiCreateVirtualGpu, &mut create)
    };
    let set = |partition: &DXGKDDI_GPU_PARTITION_INTERFACE, count| {
        let mut count = DXGKARG_SETGPUPARTITIONCOUNT { PartitionCount: count };
        call!(partition, DxgkDdiSetGpuPartitionCount, &mut count)
    };
    let (context, function) =
        (host.partition.Context.expose_provenance(), host.partition.DxgkDdiSetGpuPartitionCount.unwrap());
    let mut seen = [0; 2];
    for round in 0..4000u32 {
        let barrier = std::sync::Barrier::new(2);
        let (made, counted) = std::thread::scope(|scope| {
            let counted = scope.spawn(|| {
                let mut count = DXGKARG_SETGPUPARTITIONCOUNT { PartitionCount: 2 };
                barrier.wait();
                // SAFETY: the interface's own context, and live arguments.
                unsafe { function(std::ptr::with_exposed_provenance_mut(context), &mut count) }.is_success()
            });
            barrier.wait();
            (create(&host.partition).is_success(), counted.join().unwrap())
        });
        assert_ne!(made, counted, "round {round}: VF 3 was made: {made}; the count was set to 2: {counted}");
        seen[usize::from(made)] += 1;
        if made {
            let mut destroy = DXGKARG_DESTROYVIRTUALGPU { PartitionId: 3 };
            assert_eq!(call!(host.partition, DxgkDdiDestroyVirtualGpu, &mut destroy), STATUS_SUCCESS);
        }
        assert_eq!(set(&host.partition, 4), STATUS_SUCCESS);
    }
    assert!(seen.iter().all(|times| *times > 0), "{seen:?}: they never met");
}

#[test]
fn a_bar_is_mapped_and_its_interrupt_page_trapped() {
    let host = Host::start(&[]);
    host.vf(0);
    let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed();
    let mut args = DXGKARG_GETBACKINGRESOURCE::zeroed();
    args.Resource = &mut descriptor;
    assert_eq!(call!(host.flexiov, DxgkDdiGetBackingResource, &mut args), STATUS_SUCCESS);
    // SAFETY: the driver's list.
    let mdl = unsafe { &*args.pMdl };
    // SAFETY: the registers of a VF that exists.
    let magic = unsafe { mdl.MappedSystemVa.cast::<u32>().read_volatile() };
    assert_eq!((magic, mdl.ByteCount), (u32::from_le_bytes(*b"GPVF"), 256 * 1024));
    args.ResourceIndex = 1;
    assert_eq!(call!(host.flexiov, DxgkDdiGetBackingResource, &mut args), STATUS_SUCCESS);
    assert!(args.pMdl.is_null());
    args.ResourceIndex = 32;
    assert_eq!(call!(host.flexiov, DxgkDdiGetBackingResource, &mut args), STATUS_INVALID_PARAMETER);
    let mut count = DXGKARG_GETMMIORANGECOUNT::zeroed();
    assert_eq!(call!(host.flexiov, DxgkDdiGetMmioRangeCount, &mut count), STATUS_SUCCESS);
    let mut ranges = vec![DXGK_MMIORANGEINFO::zeroed(); count.RangeCount[0] as usize];
    let mut args = DXGKARG_GETMMIORANGES::zeroed();
    args.pMmioRanges = ranges.as_mut_ptr();
    args.NumRanges = 1;
    assert_eq!(call!(host.flexiov, DxgkDdiGetMmioRanges, &mut args), STATUS_BUFFER_TOO_SMALL);
    args.NumRanges = ranges.len() as u32;
    assert_eq!(call!(host.flexiov, DxgkDdiGetMmioRanges, &mut args), STATUS_SUCCESS);
    let trapped: Vec<u64> =
        ranges.iter().filter(|range| range.InterceptWrites != 0).map(|range| range.BasePageNumber).collect();
    assert_eq!(trapped, [1]);

    let write = |index: i16, vf: u32| {
        let mut args = DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX::zeroed();
        (args.InterruptTableIndex, args.vfIndex) = (index, vf);
        // SAFETY: live arguments.
        unsafe { host.adapter.table.DxgkDdiWriteVirtualizedInterrupt.unwrap()(host.adapter.context, &args) }
    };
    assert_eq!((write(2, 0), write(3, 0)), (STATUS_SUCCESS, STATUS_INVALID_PARAMETER));
    assert_eq!((write(-1, 0), write(0, 1)), (STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER));
}

#[test]
fn config_space_is_a_pci_function() {
    let host = Host::start(&[("DeviceId", 0xABCD)]);
    host.vf(0);
    let mut data = [0u8; 64];
    let mut args = DXGKARG_READVIRTUALFUNCTIONCONFIG::zeroed();
    (args.Data, args.Length) = (data.as_mut_ptr().cast(), 64);
    assert_eq!(call!(host.sriov, DxgkDdiReadVirtualFunctionConfig, &mut args), STATUS_SUCCESS);
    assert_eq!(data[..4], [0x34, 0x12, 0xCD, 0xAB]);
    args.Offset = 224;
    assert_eq!(call!(host.sriov, DxgkDdiReadVirtualFunctionConfig, &mut args), STATUS_INVALID_PARAMETER);
    let mut registers = [7u32; 7];
    let mut probe =
        DXGKARG_QUERYPROBEDBARS { VirtualFunctionIndex: 0, BaseRegisterValues: registers.as_mut_ptr() };
    call!(host.sriov, DxgkDdiQueryProbedBars, &mut probe);
    assert_eq!(registers, [0xFFFC_000C, 0xFFFF_FFFF, 0, 0, 0, 0, 7]);
    let mut block = DXGKARG_READVIRTUALFUNCTIONCONFIGBLOCK::zeroed();
    assert_eq!(call!(host.sriov, DxgkDdiReadVirtualFunctionConfigBlock, &mut block), STATUS_NOT_SUPPORTED);
}

#[test]
fn what_a_guest_wrote_in_config_space_arrives_with_it() {
    let (here, there) = (Host::start(&[]), Host::start(&[]));
    here.vf(0);
    there.vf(2);
    let fresh = there.config(2);
    // Memory space, bus master and interrupt disable; BAR 0; the interrupt line; MSI-X enable.
    here.write_config(0, 0x04, &mut [0x06, 0x04]);
    here.write_config(0, 0x10, &mut [0, 0, 0x04, 0xE0, 1, 0, 0, 0]);
    here.write_config(0, 0x3C, &mut [11]);
    here.write_config(0, 0x42, &mut [0, 0x80]);
    assert_eq!((here.prepare(0, SOURCE), there.prepare(2, TARGET)), (STATUS_SUCCESS, STATUS_SUCCESS));
    assert_eq!(there.restore_immutable(2, &mut here.immutable(0)), STATUS_SUCCESS);
    let mut size = 0;
    assert_eq!(here.save_mutable(0, &mut size, std::ptr::null_mut()), STATUS_SUCCESS);
    let mut data = vec![0; size as usize];
    assert_eq!(here.save_mutable(0, &mut size, data.as_mut_ptr()), STATUS_SUCCESS);
    assert_eq!(there.restore_mutable(2, &mut data), STATUS_SUCCESS);
    assert_eq!((there.end(2), here.end(0)), (STATUS_SUCCESS, STATUS_SUCCESS));
    assert!(there.config(2) == here.config(0) && there.config(2) != fresh);
}

#[test]
fn a_refusal_names_its_reason_first() {
    let (here, there) = (Host::start(&[]), Host::start(&[("FirmwareVersion", 0x0002_0000)]));
    here.vf(0);
    there.vf(1);
    assert_eq!(here.prepare(0, SOURCE), STATUS_SUCCESS);
    assert_eq!(here.prepare(0, SOURCE), STATUS_DEVICE_BUSY);
    assert_eq!(there.prepare(1, TARGET), STATUS_SUCCESS);
    let mut data = here.immutable(0);
    assert_eq!(there.restore_immutable(1, &mut data), STATUS_OBJECT_TYPE_MISMATCH);
    let events = there.adapter.reports.events.lock().unwrap().clone();
    let [(1, text, status)] = &events[..] else { panic!("{events:?}") };
    assert!(text.contains("firmware"), "{text}");
    assert_eq!(*status, 0xC000_0024);
    let half = data.len() / 2;
    assert_eq!(there.restore_immutable(1, &mut data[..half]), STATUS_DATA_ERROR);
    assert_eq!((there.end(1), there.end(1)), (STATUS_SUCCESS, STATUS_SUCCESS));
    assert_eq!(there.end(3), STATUS_INVALID_PARAMETER, "VF 3 does not exist");
}

#[test]
fn saving_takes_two_calls() {
    let host = Host::start(&[]);
    host.vf(0);
    let mut size = 0;
    assert_eq!(host.save_mutable(0, &mut size, std::ptr::null_mut()), STATUS_INVALID_DEVICE_STATE);
    assert_eq!(host.prepare(0, SOURCE), STATUS_SUCCESS);
    assert_eq!(host.save_mutable(0, &mut size, std::ptr::null_mut()), STATUS_SUCCESS);
    let needed = size;
    let mut data = vec![0xEEu8; needed as usize + 8];
    size = needed - 1;
    assert_eq!(host.save_mutable(0, &mut size, data.as_mut_ptr()), STATUS_BUFFER_TOO_SMALL);
    assert!(size == needed && data.iter().all(|byte| *byte == 0xEE));
    size = needed + 8;
    assert_eq!(host.save_mutable(0, &mut size, data.as_mut_ptr()), STATUS_SUCCESS);
    assert!(size == needed && data[needed as usize..] == [0xEE; 8]);
    assert_eq!(host.end(0), STATUS_SUCCESS);
}

/// The switches that take safeguards away count only in a driver that was built for tests.
#[test]
fn faults_are_for_tests_only() {
    let faulty = cfg!(feature = "fault-injection");
    let host = Host::start(&[("FaultNoLedger", 1), ("FaultNoLatePages", 1)]);
    host.vf(0);
    let basis = host.basis(0, VF_BYTES);
    let mut reset = DXGKARG_RESETVIRTUALFUNCTION { VirtualFunctionIndex: 0 };
    assert_eq!(call!(host.sriov, DxgkDdiResetVirtualFunction, &mut reset), STATUS_SUCCESS);
    assert_eq!(host.prepare(0, SOURCE), STATUS_SUCCESS);
    assert_eq!((host.dirty(basis, true), host.dirty(basis, false)), (512, 0));
    assert_eq!(call!(host.sriov, DxgkDdiResetVirtualFunction, &mut reset), STATUS_SUCCESS);
    let mut size = 0;
    assert_eq!(host.save_mutable(0, &mut size, std::ptr::null_mut()), STATUS_SUCCESS);
    assert_eq!(size < VF_BYTES, faulty, "late pages are in the state");
    assert_eq!(host.dirty(basis, true), 512);
    assert_eq!(host.end(0), STATUS_SUCCESS);
    assert_eq!(host.dirty(basis, false), if faulty { 0 } else { 512 }, "the ledger gives pages back");
}

#[test]
fn a_basis_is_read_and_cleared() {
    let host = Host::start(&[]);
    host.vf(0);
    let (table, context) = (&host.adapter.table, host.adapter.context);
    // Segment 1, two ranges: the VF's second and first megabyte.
    let basis = [1u64, 2, MIB, MIB, 0, MIB];
    // SAFETY: the arguments with two ranges.
    let handle = unsafe { table.DxgkDdiCreateMemoryBasis.unwrap()(context, basis.as_ptr().cast()) };
    assert!(!handle.is_null());
    // SAFETY: handles are looked up.
    assert_eq!(unsafe { table.DxgkDdiStartDirtyTracking.unwrap()(context, handle) }, STATUS_SUCCESS);
    let mut reset = DXGKARG_RESETVIRTUALFUNCTION { VirtualFunctionIndex: 0 };
    assert_eq!(call!(host.sriov, DxgkDdiResetVirtualFunction, &mut reset), STATUS_SUCCESS);
    let query = |index: u64, bytes: u64, room: usize, clear: i32, out: &mut [u8]| {
        let mut args = DXGKARG_QUERYDIRTYBITDATA::zeroed();
        (args.MemoryBasis, args.SubrangeIndex, args.SubrangeSize) = (handle, index, bytes);
        (args.Buffer, args.BufferSize) = (out.as_mut_ptr().cast(), room);
        args.Flags = DXGKARG_QUERYDIRTYBITDATAFLAGS(clear);
        // SAFETY: a buffer of that size at least.
        unsafe { table.DxgkDdiQueryDirtyBitData.unwrap()(context, &mut args) }
    };
    let mut bits = [0xC5u8; 66];
    assert_eq!(query(0, 0, 63, 1, &mut bits), STATUS_BUFFER_TOO_SMALL);
    assert_eq!(query(0, 4095, 66, 1, &mut bits), STATUS_INVALID_PARAMETER);
    assert_eq!(query(0, 0, 66, 2, &mut bits), STATUS_INVALID_PARAMETER);
    assert_eq!(bits, [0xC5; 66]);
    assert_eq!(query(1, 8 * 4096, 66, 1, &mut bits), STATUS_SUCCESS);
    assert_eq!(bits[..2], [0xFF, 0xC5], "the reset wrote every page");
    assert_eq!(query(0, 0, 66, 0, &mut bits), STATUS_SUCCESS);
    assert_eq!((bits[31], bits[32], bits[33], bits[64]), (0xFF, 0, 0xFF, 0xC5));
    // SAFETY: handles are looked up.
    assert_eq!(unsafe { table.DxgkDdiStopDirtyTracking.unwrap()(context, handle) }, STATUS_SUCCESS);
    // SAFETY: as above.
    assert_eq!(unsafe { table.DxgkDdiDestroyMemoryBasis.unwrap()(context, handle) }, STATUS_SUCCESS);
    // SAFETY: as above.
    assert_eq!(unsafe { table.DxgkDdiDestroyMemoryBasis.unwrap()(context, handle) }, STATUS_INVALID_HANDLE);
}

#[test]
fn a_vm_s_emulation_is_told_of_its_own_vf_only() {
    let host = Host::start(&[]);
    let luids = [0, 1].map(|vf| host.make(vf, VF_BYTES).VirtualGpuLuid);
    let ask = |vf: u32, luid: LUID, about: u32, more: usize, room: usize| {
        let block = Request::State { vf: about }.encode();
        let mut input = luid.LowPart.to_le_bytes().to_vec();
        input.extend(luid.HighPart.to_le_bytes());
        input.extend(block);
        let mut output = vec![0; block.len()];
        let mut args = DXGK_VIRTUALGPUDRIVERESCAPE::zeroed();
        (args.PartitionId, args.InputBufferSize) = (vf, (input.len() + more) as u32);
        input.resize(input.len() + more.min(64), 0);
        args.OutputBufferSize = (output.len() - room) as u32;
        args.pInputBuffer = input.as_mut_ptr().cast();
        args.pOutputBuffer = output.as_mut_ptr().cast();
        (call!(host.partition, DxgkDdiVirtualGpuDriverEscape, &mut args), output)
    };
    let (status, output) = ask(1, luids[1], 1, 0, 0);
    assert_eq!(status, STATUS_SUCCESS);
    let state = State::get(&output.try_into().unwrap()).unwrap();
    assert_eq!((state.vram_bytes, state.powered), (VF_BYTES, true));
    for (vf, luid, about, more, room) in [
        (1, luids[0], 1, 0, 0),
        (1, luids[1], 0, 0, 0),
        (0, luids[1], 1, 0, 0),
        (1, luids[1], 1, 1, 0),
        (1, luids[1], 1, 0, 1),
    ] {
        assert_eq!(
            ask(vf, luid, about, more, room).0,
            STATUS_INVALID_PARAMETER,
            "{vf} {about} {more} {room}"
        );
    }
    assert_eq!([0, 1].map(|vf| host.destroy(vf)), [STATUS_SUCCESS; 2]);
}
