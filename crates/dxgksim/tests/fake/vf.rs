//! Virtual functions: partitioning, BARs, dirty tracking, migration.

use wddm::*;

use super::{State, VF_BYTES, caps, fake};

/// A page of registers.
#[repr(align(4096))]
pub struct Registers(pub [u8; 4096]);

/// A virtual function.
pub struct Vf {
    pub registers: Box<Registers>,
    pub messages: [DXGK_INTERRUPT_TABLE_ENTRY; 3],
    pub paused: bool,
}

/// A memory basis.
pub struct Basis {
    pub ranges: Vec<DXGK_MEMORYRANGE>,
    pub dirty: Vec<Vec<bool>>,
    pub on: bool,
}

impl State {
    /// A write hit VRAM.
    pub fn mark(&mut self, offset: u64) {
        for basis in self.bases.values_mut().filter(|basis| basis.on) {
            for (range, dirty) in basis.ranges.iter().zip(&mut basis.dirty) {
                if (range.SegmentOffset..range.SegmentOffset + range.SizeInBytes).contains(&offset) {
                    dirty[((offset - range.SegmentOffset) / 4096) as usize] = true;
                }
            }
        }
    }
}

macro_rules! vf {
    ($context:ident, $vf:expr, $it:ident => $body:expr) => {{
        let mut state = fake($context).state.lock().unwrap();
        match state.vfs.get_mut(&$vf) {
            Some($it) => $body,
            None => STATUS_INVALID_PARAMETER,
        }
    }};
}

driver! {
    pub unsafe fn get_partition_info(_context: HANDLE, args: *mut DXGKARG_GETGPUPARTITIONINFO) -> NTSTATUS {
        let args = &mut *args;
        if args.pGpuPartitionOptions.is_null() || args.NumGpuPartitionOptions < 2 {
            args.NumGpuPartitionOptions = 2;
            return STATUS_BUFFER_TOO_SMALL;
        }
        args.pGpuPartitionOptions.write(2);
        args.pGpuPartitionOptions.add(1).write(4);
        STATUS_SUCCESS
    }

    pub unsafe fn set_partition_count(_context: HANDLE, _args: *mut DXGKARG_SETGPUPARTITIONCOUNT) -> NTSTATUS {
        STATUS_SUCCESS
    }

    pub unsafe fn get_gpu_engines(_context: HANDLE, _args: *mut DXGKARG_GETGPUENGINES) -> NTSTATUS { STATUS_SUCCESS }

    pub unsafe fn get_profile(_context: HANDLE, args: *mut DXGKARG_GETVIRTUALGPUPROFILE) -> NTSTATUS {
        let memory = &mut (*args).ProfileCapability[0];
        memory.MinPartitionValue = VF_BYTES;
        memory.MaxPartitionValue = VF_BYTES;
        memory.OptimalPartitionValue = VF_BYTES;
        STATUS_SUCCESS
    }

    pub unsafe fn create_virtual_gpu(context: HANDLE, args: *mut DXGKARG_CREATEVIRTUALGPU) -> NTSTATUS {
        let args = &mut *args;
        args.NumMemorySegments = 1;
        args.SegmentInfo[0] = caps::segment();
        let vf = Vf { registers: Box::new(Registers([0; 4096])), messages: Default::default(), paused: false };
        fake(context).state.lock().unwrap().vfs.insert(args.PartitionId, vf);
        STATUS_SUCCESS
    }

    pub unsafe fn get_virtual_gpu_info(_context: HANDLE, _args: *mut DXGKARG_GETVIRTUALGPUINFO) -> NTSTATUS {
        STATUS_SUCCESS
    }

    pub unsafe fn set_resources(_context: HANDLE, _args: *mut DXGKARG_SETVIRTUALGPURESOURCES) -> NTSTATUS {
        STATUS_SUCCESS
    }

    pub unsafe fn set_resources2(_context: HANDLE, _args: *const DXGKARG_SETVIRTUALGPURESOURCES2) -> NTSTATUS {
        STATUS_SUCCESS
    }

    pub unsafe fn destroy_virtual_gpu(context: HANDLE, args: *mut DXGKARG_DESTROYVIRTUALGPU) -> NTSTATUS {
        fake(context).state.lock().unwrap().vfs.remove(&(*args).PartitionId);
        STATUS_SUCCESS
    }

    pub unsafe fn suspend(_context: HANDLE, _args: *mut DXGKARG_SUSPENDVIRTUALGPU) -> NTSTATUS { STATUS_NOT_SUPPORTED }
    pub unsafe fn resume(_context: HANDLE, _args: *mut DXGKARG_RESUMEVIRTUALGPU) -> NTSTATUS { STATUS_NOT_SUPPORTED }
    pub unsafe fn escape(_context: HANDLE, _args: *mut DXGK_VIRTUALGPUDRIVERESCAPE) -> NTSTATUS { STATUS_NOT_SUPPORTED }
    pub unsafe fn set_vmbus(_context: HANDLE, _args: *mut DXGKARG_SETVIRTUALGPUVMBUS) -> NTSTATUS { STATUS_SUCCESS }

    pub unsafe fn read_config(_context: HANDLE, args: *mut DXGKARG_READVIRTUALFUNCTIONCONFIG) -> NTSTATUS {
        let args = &*args;
        let value: u32 = match args.Offset {
            0x34 => 0x40,
            0x40 => 0x0002_0011,
            _ => 0,
        };
        args.Data.cast::<u32>().write(value);
        STATUS_SUCCESS
    }

    pub unsafe fn write_config(_context: HANDLE, _args: *mut DXGKARG_WRITEVIRTUALFUNCTIONCONFIG) -> NTSTATUS {
        STATUS_SUCCESS
    }

    pub unsafe fn read_block(_context: HANDLE, _args: *mut DXGKARG_READVIRTUALFUNCTIONCONFIGBLOCK) -> NTSTATUS {
        STATUS_NOT_SUPPORTED
    }

    pub unsafe fn write_block(_context: HANDLE, _args: *mut DXGKARG_WRITEVIRTUALFUNCTIONCONFIGBLOCK) -> NTSTATUS {
        STATUS_NOT_SUPPORTED
    }

    /// Two pages: registers and the MSI-X table.
    pub unsafe fn query_probed_bars(_context: HANDLE, args: *mut DXGKARG_QUERYPROBEDBARS) {
        (*args).BaseRegisterValues.cast::<[u32; 6]>().write([!0x1FFF, 0, 0, 0, 0, 0]);
    }

    pub unsafe fn get_vendor(_context: HANDLE, _args: *mut DXGKARG_GETVENDORANDDEVICE) {}
    pub unsafe fn get_location(_context: HANDLE, _args: *mut DXGKARG_GETDEVICELOCATION) {}
    pub unsafe fn get_luid(_context: HANDLE, _args: *mut DXGKARG_QUERYVIRTUALFUNCTIONLUID) {}
    pub unsafe fn reset(_context: HANDLE, _args: *mut DXGKARG_RESETVIRTUALFUNCTION) -> NTSTATUS { STATUS_SUCCESS }

    pub unsafe fn set_power(_context: HANDLE, _args: *mut DXGKARG_SETVIRTUALFUNCTIONPOWERSTATE) -> NTSTATUS {
        STATUS_SUCCESS
    }

    pub unsafe fn get_resource(_context: HANDLE, _args: *mut DXGKARG_GETRESOURCEFORBAR) -> NTSTATUS {
        STATUS_NOT_SUPPORTED
    }

    pub unsafe fn get_backing(context: HANDLE, args: *mut DXGKARG_GETBACKINGRESOURCE) -> NTSTATUS {
        let args = &*args;
        let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR::zeroed();
        vf!(context, args.VirtualFunctionIndex, it => {
            if args.ResourceIndex == 0 {
                descriptor.Type = CmResourceTypeMemory;
                let start = it.registers.0.as_mut_ptr() as i64;
                descriptor.u.Memory = CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY { Start: start, Length: 4096 };
            }
            args.Resource.write(descriptor);
            STATUS_SUCCESS
        })
    }

    pub unsafe fn get_range_count(_context: HANDLE, args: *mut DXGKARG_GETMMIORANGECOUNT) -> NTSTATUS {
        (*args).RangeCount = [2, 0, 0, 0, 0, 0];
        STATUS_SUCCESS
    }

    pub unsafe fn get_ranges(_context: HANDLE, args: *mut DXGKARG_GETMMIORANGES) -> NTSTATUS {
        let mut range = DXGK_MMIORANGEINFO::zeroed();
        range.PageCount = 1;
        (*args).pMmioRanges.write(range);
        if (*args).NumRanges == 1 {
            return STATUS_SUCCESS;
        }
        range.BasePageNumber = 1;
        range.BasePhysicalPageNumber = DXGK_MMIO_RANGES_EMULATED_PAGE;
        (*args).pMmioRanges.add(1).write(range);
        STATUS_SUCCESS
    }

    pub unsafe fn create_basis(context: HANDLE, args: *const DXGKARG_CREATEMEMORYBASIS) -> HANDLE {
        let first = (&raw const (*args).Ranges).cast::<DXGK_MEMORYRANGE>();
        let ranges = std::slice::from_raw_parts(first, (*args).RangeCount as usize).to_vec();
        let dirty = ranges.iter().map(|range| vec![false; (range.SizeInBytes / 4096) as usize]).collect();
        let mut state = fake(context).state.lock().unwrap();
        let handle = state.handle();
        state.bases.insert(handle as usize, Basis { ranges, dirty, on: false });
        handle
    }

    pub unsafe fn destroy_basis(context: HANDLE, basis: HANDLE) -> NTSTATUS {
        let known = fake(context).state.lock().unwrap().bases.remove(&(basis as usize)).is_some();
        if known { STATUS_SUCCESS } else { STATUS_INVALID_HANDLE }
    }

    pub unsafe fn start_tracking(context: HANDLE, basis: HANDLE) -> NTSTATUS {
        let mut state = fake(context).state.lock().unwrap();
        let Some(basis) = state.bases.get_mut(&(basis as usize)) else { return STATUS_INVALID_HANDLE };
        basis.on = true;
        basis.dirty.iter_mut().for_each(|range| range.fill(false));
        STATUS_SUCCESS
    }

    pub unsafe fn stop_tracking(context: HANDLE, basis: HANDLE) -> NTSTATUS {
        let mut state = fake(context).state.lock().unwrap();
        let Some(basis) = state.bases.get_mut(&(basis as usize)) else { return STATUS_INVALID_HANDLE };
        basis.on = false;
        STATUS_SUCCESS
    }

    pub unsafe fn query_dirty(context: HANDLE, args: *mut DXGKARG_QUERYDIRTYBITDATA) -> NTSTATUS {
        let args = &*args;
        let mut state = fake(context).state.lock().unwrap();
        let Some(basis) = state.bases.get_mut(&(args.MemoryBasis as usize)) else { return STATUS_INVALID_HANDLE };
        let whole = args.SubrangeSize == 0;
        let dirty = &mut basis.dirty[if whole { 0 } else { args.SubrangeIndex as usize }];
        let first = if whole { 0 } else { (args.SubrangeOffset / 4096) as usize };
        let count = if whole { dirty.len() } else { (args.SubrangeSize / 4096) as usize };
        if args.BufferSize < count.div_ceil(8) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        let out = std::slice::from_raw_parts_mut(args.Buffer.cast::<u8>(), count.div_ceil(8));
        out.fill(0);
        for (at, bit) in dirty[first..first + count].iter_mut().enumerate() {
            out[at / 8] |= u8::from(*bit) << (at % 8);
            *bit &= args.Flags.0 & 1 == 0;
        }
        STATUS_SUCCESS
    }

    pub unsafe fn prepare(_context: HANDLE, _args: *const DXGKARG_GPUP_PREPARE_LIVE_MIGRATION) -> NTSTATUS {
        STATUS_SUCCESS
    }

    pub unsafe fn end(_context: HANDLE, _vf: u32) -> NTSTATUS { STATUS_SUCCESS }

    pub unsafe fn save_immutable(_context: HANDLE, args: *mut DXGKARG_GPUP_SAVE_IMMUTABLE_MIGRATION_DATA) -> NTSTATUS {
        let args = &*args;
        args.DataSize.write(4);
        if !args.Data.is_null() {
            args.Data.cast::<[u8; 4]>().write(*b"FAKE");
        }
        STATUS_SUCCESS
    }

    /// The registers are all the state there is.
    pub unsafe fn save_mutable(context: HANDLE, args: *mut DXGKARG_GPUP_SAVE_MUTABLE_MIGRATION_DATA) -> NTSTATUS {
        let args = &*args;
        args.DataSize.write(4096);
        vf!(context, args.vfIndex, it => {
            if !args.Data.is_null() {
                args.Data.copy_from_nonoverlapping(it.registers.0.as_ptr(), 4096);
            }
            STATUS_SUCCESS
        })
    }

    pub unsafe fn restore_immutable(context: HANDLE, args: *const DXGKARG_GPUP_RESTORE_IMMUTABLE_MIGRATION_DATA) -> NTSTATUS {
        let args = &*args;
        if std::slice::from_raw_parts(args.Data, args.DataSize as usize) == b"FAKE" {
            return STATUS_SUCCESS;
        }
        let callbacks = fake(context).state.lock().unwrap().callbacks;
        let mut event = DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION::zeroed();
        event.hAdapter = callbacks.DeviceHandle;
        event.PartitionId = args.vfIndex;
        for (unit, letter) in event.EventDescription.iter_mut().zip("not a fake".encode_utf16()) {
            *unit = letter;
        }
        let size = size_of_val(&event) as u16;
        let guid = GUID_DXGKDDI_AZURE_TRIAGE_EVENT;
        callbacks.DxgkCbLogEtwEvent.unwrap()(&raw const guid, 0, size, (&raw mut event).cast());
        STATUS_OBJECT_TYPE_MISMATCH
    }

    pub unsafe fn restore_mutable(context: HANDLE, args: *const DXGKARG_GPUP_RESTORE_MUTABLE_MIGRATION_DATA) -> NTSTATUS {
        let args = &*args;
        vf!(context, args.vfIndex, it => {
            it.registers.0.copy_from_slice(std::slice::from_raw_parts(args.Data, 4096));
            STATUS_SUCCESS
        })
    }

    pub unsafe fn write_interrupt(context: HANDLE, args: *const DXGKARG_GPUP_WRITE_VIRTUALIZED_MSIX) -> NTSTATUS {
        let args = &*args;
        vf!(context, args.vfIndex, it => {
            let entry = args.WriteValue;
            it.messages[args.InterruptTableIndex as usize] = entry;
            if entry.VectorControl & 1 == 0 {
                (*(entry.MessageAddress as *const std::sync::atomic::AtomicU32))
                    .store(entry.MessageData, std::sync::atomic::Ordering::Release);
            }
            STATUS_SUCCESS
        })
    }

    pub unsafe fn set_pause(context: HANDLE, args: *const DXGKARG_SETVIRTUALFUNCTIONPAUSESTATE) -> NTSTATUS {
        let args = &*args;
        vf!(context, args.vfIndex, it => {
            it.paused = args.bPause != 0;
            STATUS_SUCCESS
        })
    }
}

pub fn partition_interface() -> DXGKDDI_GPU_PARTITION_INTERFACE {
    let mut it = DXGKDDI_GPU_PARTITION_INTERFACE::zeroed();
    it.DxgkDdiGetGpuPartitionInfo = Some(get_partition_info);
    it.DxgkDdiSetGpuPartitionCount = Some(set_partition_count);
    it.DxgkDdiGetGpuEngines = Some(get_gpu_engines);
    it.DxgkDdiGetVirtualGpuProfile = Some(get_profile);
    it.DxgkDdiCreateVirtualGpu = Some(create_virtual_gpu);
    it.DxgkDdiGetVirtualGpuInfo = Some(get_virtual_gpu_info);
    it.DxgkDdiSetVirtualGpuResources = Some(set_resources);
    it.DxgkDdiDestroyVirtualGpu = Some(destroy_virtual_gpu);
    it.DxgkDdiSuspendVirtualGpu = Some(suspend);
    it.DxgkDdiResumeVirtualGpu = Some(resume);
    it.DxgkDdiVirtualGpuDriverEscape = Some(escape);
    it.DxgkDdiSetVirtualGpuVmBus = Some(set_vmbus);
    it
}

pub fn sriov_interface() -> DXGKDDI_SRIOV_INTERFACE {
    let mut it = DXGKDDI_SRIOV_INTERFACE::zeroed();
    it.DxgkDdiReadVirtualFunctionConfig = Some(read_config);
    it.DxgkDdiWriteVirtualFunctionConfig = Some(write_config);
    it.DxgkDdiReadVirtualFunctionConfigBlock = Some(read_block);
    it.DxgkDdiWriteVirtualFunctionConfigBlock = Some(write_block);
    it.DxgkDdiQueryProbedBars = Some(query_probed_bars);
    it.DxgkDdiGetVendorAndDevice = Some(get_vendor);
    it.DxgkDdiGetDeviceLocation = Some(get_location);
    it.DxgkDdiResetVirtualFunction = Some(reset);
    it.DxgkDdiSetVirtualFunctionPowerState = Some(set_power);
    it.DxgkDdiGetResourceForBar = Some(get_resource);
    it.DxgkDdiQueryVirtualFunctionLuid = Some(get_luid);
    it
}

pub fn flexiov_interface() -> DXGKDDI_FLEXIOV_DEVICE_INTERFACE {
    let mut it = DXGKDDI_FLEXIOV_DEVICE_INTERFACE::zeroed();
    it.DxgkDdiGetBackingResource = Some(get_backing);
    it.DxgkDdiGetMmioRangeCount = Some(get_range_count);
    it.DxgkDdiGetMmioRanges = Some(get_ranges);
    it
}

pub fn fill(table: &mut DRIVER_INITIALIZATION_DATA) {
    table.DxgkDdiCreateMemoryBasis = Some(create_basis);
    table.DxgkDdiDestroyMemoryBasis = Some(destroy_basis);
    table.DxgkDdiStartDirtyTracking = Some(start_tracking);
    table.DxgkDdiStopDirtyTracking = Some(stop_tracking);
    table.DxgkDdiQueryDirtyBitData = Some(query_dirty);
    table.DxgkDdiPrepareLiveMigration = Some(prepare);
    table.DxgkDdiEndLiveMigration = Some(end);
    table.DxgkDdiSaveImmutableMigrationData = Some(save_immutable);
    table.DxgkDdiSaveMutableMigrationData = Some(save_mutable);
    table.DxgkDdiRestoreImmutableMigrationData = Some(restore_immutable);
    table.DxgkDdiRestoreMutableMigrationData = Some(restore_mutable);
    table.DxgkDdiWriteVirtualizedInterrupt = Some(write_interrupt);
    table.DxgkDdiSetVirtualGpuResources2 = Some(set_resources2);
    table.DxgkDdiSetVirtualFunctionPauseState = Some(set_pause);
}
