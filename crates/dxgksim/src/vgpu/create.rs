//! From a partition number to a VF that can run.
//!
//! Order: GetVirtualGpuProfile, CreateVirtualGpu, VidMm's reserve, SetVirtualGpuResources, the memory basis and
//! tracking, config space and BARs, D0. Articles: "GPU partitioning", "Live migration on GPU-P devices".

use alloc::collections::btree_map::Entry;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use wddm::*;

use super::{State, VfBar, Vgpu, VgpuOptions, mmio};
use crate::contract::{calls, rules};
use crate::dxgkrnl::{Adapter, Ask, DdiError, succeed};
use crate::host::Mutex;
use crate::vidmm::{Range, Reserve};

/// Name of the step that finds memory, in errors.
const RESERVE: &str = "the reserve of video memory";
/// Pieces of a scattered reserve are at least this large, and the pieces few enough for any table.
const PIECE: u64 = 1 << 20;

impl Adapter {
    /// Makes virtual function `vf`, powered and tracked.
    pub fn create_vgpu(self: &Arc<Self>, vf: u32, options: &VgpuOptions) -> Result<Arc<Vgpu>, DdiError> {
        match self.functions.lock().entry(vf) {
            Entry::Vacant(place) => drop(place.insert(0)),
            Entry::Occupied(_) => {
                let status = STATUS_INVALID_PARAMETER;
                return Err(DdiError { ddi: calls::CREATE_VIRTUAL_GPU.name, status });
            }
        }
        // From here on dropping the value undoes what has been done.
        let mut vgpu = Vgpu {
            adapter: Arc::clone(self),
            index: vf,
            reserve: Arc::new(Reserve::new(0, Vec::new(), 4096, core::ptr::null_mut())),
            bar: Arc::new(VfBar::new(Vec::new())),
            vectors: 0,
            identity: (0, 0),
            state: Mutex::new(State::default()),
        };
        let info = vgpu.create(options)?;
        let allocation = vgpu.allocate(&info)?;
        vgpu.reserve(&info, &allocation, options)?;
        let tracked = self.caps().segment(info.DriverSegmentId).is_some_and(|it| it.tracking_page.is_some());
        // SetVirtualGpuResources2 replaces the other where it is there.
        if self.caps().gpup.contains(DXGK_GPUPCAPS_CAPS::ScatterMapReserve) {
            vgpu.set_scattered_resources()?;
        } else {
            self.contract().require(
                is_contiguous(&allocation),
                &rules::CONTIGUOUS,
                format_args!("the memory of VF {vf} goes to the driver as one offset and size"),
            );
            vgpu.set_resources()?;
        }
        if tracked && !vgpu.tracks_late() {
            vgpu.begin_tracking()?;
        }
        vgpu.look_at_config();
        vgpu.bar = Arc::new(mmio::map(self, vf)?);
        vgpu.power_on()?;
        Ok(Arc::new(vgpu))
    }

    fn profile(&self, vram_bytes: u64) -> Result<DXGK_VIRTUALGPUPROFILE, DdiError> {
        let ddi = &calls::GET_VIRTUAL_GPU_PROFILE;
        let Some(it) = &self.interfaces.partition else { return Err(unsupported(ddi.name)) };
        let mut args = DXGKARG_GETVIRTUALGPUPROFILE::zeroed();
        args.PartitionCount = self.partition_count();
        succeed(ddi.name, it.DxgkDdiGetVirtualGpuProfile.ask(self.contract(), ddi, it.Context, &mut args))?;
        let mut profile = DXGK_VIRTUALGPUPROFILE::zeroed();
        for (kind, (asked, has)) in profile.Capability.iter_mut().zip(&args.ProfileCapability).enumerate() {
            self.contract().require(
                has.MinPartitionValue <= has.OptimalPartitionValue
                    && has.OptimalPartitionValue <= has.MaxPartitionValue,
                &rules::PARTITION,
                format_args!("capability {kind} of the profile: {has:?}"),
            );
            asked.MinValue = has.MinPartitionValue;
            asked.MaxValue = has.MaxPartitionValue;
            asked.OptimalValue = has.OptimalPartitionValue;
        }
        if vram_bytes != 0 {
            let memory =
                &mut profile.Capability[DXGK_VGPU_CAPABILITY_TYPE::DXGK_VGPU_CAPABILITY_MEMORY.0 as usize];
            (memory.MinValue, memory.MaxValue, memory.OptimalValue) = (vram_bytes, vram_bytes, vram_bytes);
        }
        Ok(profile)
    }
}

impl Vgpu {
    /// CreateVirtualGpu: the one segment of the VF.
    fn create(&mut self, options: &VgpuOptions) -> Result<DXGK_VIRTUALGPUSEGMENTINFO, DdiError> {
        let ddi = &calls::CREATE_VIRTUAL_GPU;
        let profile = self.adapter.profile(options.vram_bytes)?;
        let Some(it) = &self.adapter.interfaces.partition else { return Err(unsupported(ddi.name)) };
        let mut args = DXGKARG_CREATEVIRTUALGPU::zeroed();
        args.PartitionId = self.index;
        args.Profile = profile;
        let contract = self.adapter.contract();
        succeed(ddi.name, it.DxgkDdiCreateVirtualGpu.ask(contract, ddi, it.Context, &mut args))?;
        self.state.lock().created = true;
        let info = args.SegmentInfo[0];
        let known =
            self.adapter.caps().segment(info.DriverSegmentId).is_some_and(|segment| segment.is_local());
        let sound = args.NumMemorySegments == 1
            && known
            && info.Size > 0
            && info.Size.is_multiple_of(4096)
            && info.Alignment.is_multiple_of(4096)
            && (options.vram_bytes == 0 || info.Size == options.vram_bytes);
        contract.require(
            sound,
            &rules::PARTITION,
            format_args!("{} memory segments, the first {info:?}", args.NumMemorySegments),
        );
        if sound { Ok(info) } else { Err(DdiError { ddi: ddi.name, status: STATUS_INVALID_PARAMETER }) }
    }

    /// The driver's allocation for the VF's memory, with what the driver asks of it.
    fn allocate(&mut self, info: &DXGK_VIRTUALGPUSEGMENTINFO) -> Result<DXGK_ALLOCATIONINFO, DdiError> {
        let core = &self.adapter.core;
        let mut surface = D3DKMDT_VIRTUALGPUSURFACEDATA::zeroed();
        surface.Size = info.Size;
        surface.Alignment = info.Alignment;
        surface.DriverSegmentId = info.DriverSegmentId;
        surface.PrivateDriverData = info.PrivateDriverData;
        let mut standard = DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA::zeroed();
        standard.StandardAllocationType = D3DKMDT_STANDARDALLOCATION_TYPE::D3DKMDT_STANDARDALLOCATION_VGPU;
        standard.u.pCreateVirtualGpuSurfaceData = &raw mut surface;
        // The first call asks for sizes, the second for data.
        succeed(calls::GET_STANDARD_ALLOCATION.name, core.get_standard_allocation(&mut standard))?;
        let mut data = vec![0u64; standard.AllocationPrivateDriverDataSize.div_ceil(8) as usize];
        let mut resource = vec![0u64; standard.ResourcePrivateDriverDataSize.div_ceil(8) as usize];
        standard.pAllocationPrivateDriverData = data.as_mut_ptr().cast();
        standard.pResourcePrivateDriverData = resource.as_mut_ptr().cast();
        succeed(calls::GET_STANDARD_ALLOCATION.name, core.get_standard_allocation(&mut standard))?;
        let mut allocation = DXGK_ALLOCATIONINFO::zeroed();
        allocation.pPrivateDriverData = data.as_mut_ptr().cast();
        allocation.PrivateDriverDataSize = standard.AllocationPrivateDriverDataSize;
        let mut args = DXGKARG_CREATEALLOCATION::zeroed();
        args.NumAllocations = 1;
        args.pAllocationInfo = &raw mut allocation;
        args.pPrivateDriverData = resource.as_mut_ptr().cast();
        args.PrivateDriverDataSize = standard.ResourcePrivateDriverDataSize;
        succeed(calls::CREATE_ALLOCATION.name, core.create_allocation(&mut args))?;
        let number = allocation.hAllocation.expose_provenance();
        self.state.lock().allocation = number;
        self.adapter.functions.lock().insert(self.index, number);
        Ok(allocation)
    }

    /// VidMm's reserve: in one piece, or in many where the driver lets an allocation be scattered.
    fn reserve(
        &mut self,
        info: &DXGK_VIRTUALGPUSEGMENTINFO,
        allocation: &DXGK_ALLOCATIONINFO,
        options: &VgpuOptions,
    ) -> Result<(), DdiError> {
        let failed = |status| DdiError { ddi: RESERVE, status };
        let caps = self.adapter.caps();
        let segment = caps.segment(info.DriverSegmentId).ok_or(failed(STATUS_INVALID_PARAMETER))?;
        let page = u64::from(segment.tracking_page.unwrap_or(4096));
        let end =
            if info.MaxSegmentOffset == 0 { segment.bytes } else { info.MaxSegmentOffset.min(segment.bytes) };
        let window =
            Range { offset: info.MinSegmentOffset, bytes: end.saturating_sub(info.MinSegmentOffset) };
        let align = u64::from(info.Alignment).max(u64::from(alignment(allocation))).max(page);
        let memory = &self.adapter.memory;
        let ranges = if options.scattered && !is_contiguous(allocation) {
            let granule = caps.scatter_page.ok_or(failed(STATUS_NOT_SUPPORTED))?;
            let piece = PIECE.max(granule).max(page).max(info.Size / 64).next_multiple_of(granule.max(page));
            memory.take_scattered(info.DriverSegmentId, info.Size, piece, window)
        } else {
            memory.take(info.DriverSegmentId, info.Size, align, window).map(|range| vec![range])
        };
        let ranges = ranges.ok_or(failed(STATUS_GRAPHICS_NO_VIDEO_MEMORY))?;
        let allocation = core::ptr::with_exposed_provenance_mut(self.state.lock().allocation);
        self.reserve = Arc::new(Reserve::new(info.DriverSegmentId, ranges, page, allocation));
        Ok(())
    }

    /// SetVirtualGpuResources.
    fn set_resources(&self) -> Result<(), DdiError> {
        let ddi = &calls::SET_VIRTUAL_GPU_RESOURCES;
        let Some(it) = &self.adapter.interfaces.partition else { return Err(unsupported(ddi.name)) };
        let range = self.reserve.ranges[0];
        let mut args = DXGKARG_SETVIRTUALGPURESOURCES::zeroed();
        args.PartitionId = self.index;
        args.NumMemoryAllocations = 1;
        args.MemoryInfo[0].DriverAllocationHandle = self.reserve.allocation();
        args.MemoryInfo[0].AllocationAddress = DXGK_GPU_PHYSICAL_ADDRESS {
            MemorySegmentId: self.reserve.segment,
            MemorySegmentOffset: range.offset,
        };
        args.MemoryInfo[0].AllocationSize = range.bytes;
        let contract = self.adapter.contract();
        succeed(ddi.name, it.DxgkDdiSetVirtualGpuResources.ask(contract, ddi, it.Context, &mut args))
    }

    /// SetVirtualGpuResources2: the memory is described by a memory basis.
    fn set_scattered_resources(&self) -> Result<(), DdiError> {
        let basis = self.create_basis()?;
        let mut args = DXGKARG_SETVIRTUALGPURESOURCES2::zeroed();
        args.vfIndex = self.index;
        args.SegmentCount = 1;
        args.SegmentDescriptors[0] = DXGK_GPU_PHYSICAL_RESERVE_DESCRIPTOR {
            DriverAllocationHandle: self.reserve.allocation(),
            MemoryBasis: basis,
        };
        let status = self.adapter.core.set_virtual_gpu_resources2(&mut args);
        succeed(calls::SET_VIRTUAL_GPU_RESOURCES2.name, status)
    }

    /// Vendor, device and the number of MSI-X vectors, from config space. Nothing here is needed to run.
    fn look_at_config(&mut self) {
        let Some(it) = &self.adapter.interfaces.sriov else { return };
        let (contract, index) = (self.adapter.contract(), self.index);
        let mut args = DXGKARG_GETVENDORANDDEVICE::zeroed();
        args.VirtualFunctionIndex = index;
        let _ =
            it.DxgkDdiGetVendorAndDevice.ask(contract, &calls::GET_VENDOR_AND_DEVICE, it.Context, &mut args);
        let read = |offset: u32| {
            let mut data = [0u32, 0x5A5A_5A5A];
            let mut args = DXGKARG_READVIRTUALFUNCTIONCONFIG {
                Data: data.as_mut_ptr().cast(),
                VirtualFunctionIndex: index,
                Offset: offset,
                Length: 4,
            };
            let status =
                it.DxgkDdiReadVirtualFunctionConfig.ask(contract, &calls::READ_CONFIG, it.Context, &mut args);
            contract.require(
                data[1] == 0x5A5A_5A5A,
                &rules::OUTPUT_OVERRUN,
                format_args!("{} wrote more than 4 bytes", calls::READ_CONFIG.name),
            );
            status.is_success().then_some(data[0])
        };
        let vectors = msix_vectors(read).unwrap_or(MAX_VECTORS);
        (self.identity, self.vectors) = ((args.VendorId, args.DeviceId), vectors);
    }

    /// DestroyVirtualGpu.
    pub(super) fn destroy_virtual_gpu(&self) -> Result<(), DdiError> {
        let ddi = &calls::DESTROY_VIRTUAL_GPU;
        let Some(it) = &self.adapter.interfaces.partition else { return Ok(()) };
        let mut args = DXGKARG_DESTROYVIRTUALGPU { PartitionId: self.index };
        let contract = self.adapter.contract();
        succeed(ddi.name, it.DxgkDdiDestroyVirtualGpu.ask(contract, ddi, it.Context, &mut args))
    }

    /// DestroyAllocation, if the driver made one.
    pub(super) fn free_allocation(&self) {
        let number = core::mem::take(&mut self.state.lock().allocation);
        if number == 0 {
            return;
        }
        let list: [HANDLE; 1] = [core::ptr::with_exposed_provenance_mut(number)];
        let mut args = DXGKARG_DESTROYALLOCATION::zeroed();
        args.NumAllocations = 1;
        args.pAllocationList = list.as_ptr();
        let _ = self.adapter.core.destroy_allocation(&mut args);
    }
}

/// Vectors when config space does not tell.
const MAX_VECTORS: u16 = 32;

/// Follows the capability list to the MSI-X capability.
fn msix_vectors(read: impl Fn(u32) -> Option<u32>) -> Option<u16> {
    let mut at = read(0x34)? & 0xFC;
    for _ in 0..48 {
        if at < 0x40 {
            break;
        }
        let header = read(at)?;
        if header & 0xFF == 0x11 {
            return Some((header >> 16 & 0x7FF) as u16 + 1);
        }
        at = header >> 8 & 0xFC;
    }
    None
}

fn unsupported(ddi: &'static str) -> DdiError {
    DdiError { ddi, status: STATUS_NOT_SUPPORTED }
}

/// Whether VidMm has to place it in one piece.
fn is_contiguous(allocation: &DXGK_ALLOCATIONINFO) -> bool {
    #[expect(unsafe_code, reason = "the flags of two driver models")]
    // SAFETY: a driver of WDDM 2.0 or later fills in FlagsWddm2; both are a word of bits, valid for any bytes.
    let flags = unsafe { allocation.u4.FlagsWddm2 };
    flags.contains(DXGK_ALLOCATIONINFOFLAGS_WDDM2_0::AccessedPhysically)
}

fn alignment(allocation: &DXGK_ALLOCATIONINFO) -> u32 {
    #[expect(unsafe_code, reason = "a number, or its halves")]
    // SAFETY: plain data, valid for any bytes.
    unsafe {
        allocation.u.Alignment
    }
}

#[cfg(test)]
mod tests {
    use super::msix_vectors;

    #[test]
    fn the_msix_capability_is_found_and_a_loop_is_left() {
        let config = |offset: u32| match offset {
            0x34 => Some(0x40),
            0x40 => Some(0x0000_5010),
            0x50 => Some(0x0002_0011),
            _ => Some(0),
        };
        assert_eq!(msix_vectors(config), Some(3));
        assert_eq!(msix_vectors(|offset| Some(if offset == 0x34 { 0x40 } else { 0x4005 })), None);
        assert_eq!(msix_vectors(|_| None), None);
    }
}
