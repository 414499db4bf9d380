//! VRAM behind a BAR, through the callback table: what is filled by the DDI lies in the device's memory.
//!
//! UNSAFETY: it is the other side of the DDI.
#![expect(unsafe_code)]

mod support;

use std::sync::atomic::Ordering;

use support::TestAdapter;
use wddm::*;

const MIB: usize = 1 << 20;
const BYTES: usize = 64 * MIB;
const LOCAL_SEGMENT: u32 = 1;

/// The device's memory, page-aligned, and the list that names it.
struct Device {
    memory: Vec<u64>,
    skip: usize,
    list: Box<CM_RESOURCE_LIST>,
}

impl Device {
    fn new() -> Self {
        let memory = vec![0u64; (BYTES + 4096) / 8];
        let skip = memory.as_ptr().align_offset(4096);
        let start = memory[skip..].as_ptr().expose_provenance() as i64;
        let mut list = Box::new(CM_RESOURCE_LIST::zeroed());
        list.Count = 1;
        list.List[0].PartialResourceList.Count = 1;
        let descriptor = &mut list.List[0].PartialResourceList.PartialDescriptors[0];
        descriptor.Type = CmResourceTypeMemory;
        descriptor.u.Memory = CM_PARTIAL_RESOURCE_DESCRIPTOR_MEMORY { Start: start, Length: BYTES as u32 };
        Self { memory, skip, list }
    }

    fn word(&self, at: usize) -> u64 {
        // SAFETY: the word lies in the memory, which the driver may write meanwhile.
        unsafe { self.memory[self.skip + at / 8..].as_ptr().read_volatile() }
    }
}

/// An adapter whose resources are `device`'s.
fn adapter(device: &Device, vram_bytes: usize) -> TestAdapter {
    let adapter = TestAdapter::add(&[("Backend", 1), ("VramBytes", vram_bytes as u64), ("NumberOfVfs", 1)]);
    adapter.reports.resources.store((&raw const *device.list).cast_mut(), Ordering::SeqCst);
    adapter
}

#[test]
fn vram_is_the_memory_of_the_first_resource() {
    let device = Device::new();
    let (status, adapter) = adapter(&device, BYTES).try_start();
    assert_eq!(status, STATUS_SUCCESS);
    let mut fill = DXGKARG_BUILDPAGINGBUFFER_FILL::zeroed();
    (fill.FillSize, fill.FillPattern) = (4096, 0x1234_5678);
    fill.Destination.SegmentId = LOCAL_SEGMENT;
    fill.Destination.SegmentAddress = 8192;
    let mut args = DXGKARG_BUILDPAGINGBUFFER::zeroed();
    args.Operation = DXGK_BUILDPAGINGBUFFER_OPERATION::DXGK_OPERATION_FILL;
    args.u.Fill = fill;
    // SAFETY: live arguments.
    let status = unsafe { adapter.table.DxgkDdiBuildPagingBuffer.unwrap()(adapter.context, &mut args) };
    assert_eq!(status, STATUS_SUCCESS);
    assert_eq!([8184, 8192, 12280, 12288].map(|at| device.word(at)), [0, PATTERN, PATTERN, 0]);
    const PATTERN: u64 = 0x1234_5678_1234_5678;
}

#[test]
fn a_device_without_enough_memory_does_not_start() {
    let device = Device::new();
    let (status, _adapter) = adapter(&device, BYTES + 2 * MIB).try_start();
    assert!(!status.is_success());
    let (status, _adapter) = TestAdapter::add(&[("Backend", 1), ("VramBytes", BYTES as u64)]).try_start();
    assert_eq!(status, STATUS_NOT_SUPPORTED);
}
