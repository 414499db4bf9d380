//! The system paging process: its device, context, address space and paging buffers.
//!
//! Article: "System paging process".

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use wddm::*;

use super::geometry::Geometry;
use super::space::Space;
use super::{PagingError, SegmentMemory};
use crate::contract::{FenceState, calls, rules};
use crate::dxgkrnl::{Caps, Core, succeed};
use crate::host::{Event, Mutex};
use crate::memory::{PAGE, Pages};

/// Paging buffers of an adapter.
const BUFFERS: usize = 16;

/// A paging buffer, its private data, and the fence under which it was last submitted.
pub(super) struct Buffer {
    pub(super) pages: Pages,
    pub(super) private: Vec<u8>,
    pub(super) address: u64,
}

struct Slot {
    buffer: Option<Buffer>,
    fence: u32,
}

/// Handles of the driver, as numbers.
#[derive(Clone, Copy, Default)]
struct Handles {
    process: usize,
    device: usize,
    context: usize,
}

/// The paging process of one adapter.
pub(crate) struct Paging {
    pub(super) space: Space,
    pub(super) node: u32,
    pub(super) mode: DXGK_PAGETABLEUPDATEMODE,
    pub(super) memory: Arc<SegmentMemory>,
    pub(super) timeout_ns: u64,
    /// What is not submitted is cancelled: CancelCommandAware.
    pub(super) cancels: bool,
    /// BuildPagingBuffer and the submission after it are of synchronization level one: never two at a time.
    pub(crate) serial: Mutex<()>,
    slots: Mutex<Vec<Slot>>,
    handles: Handles,
    buffer_bytes: usize,
}

fn handle(number: usize) -> HANDLE {
    core::ptr::with_exposed_provenance_mut(number)
}

impl Paging {
    /// Creates process, device and context, writes the page tables, hands over the root.
    pub(crate) fn start(
        core: &Arc<Core>,
        caps: &Caps,
        memory: &Arc<SegmentMemory>,
    ) -> Result<Arc<Self>, PagingError> {
        if !caps.is_system(caps.paging_buffer.segment) {
            return Err(PagingError::Unsupported("paging buffers in local memory"));
        }
        if caps.mmu.levels.len() < 2
            || caps.mmu.levels.iter().any(|level| !caps.is_system(level.paging_segment))
        {
            return Err(PagingError::Unsupported("page tables of the paging process in local memory"));
        }
        let buffer_bytes = (caps.paging_buffer.bytes as usize).next_multiple_of(PAGE);
        let buffers = (0..BUFFERS)
            .map(|_| Pages::new(buffer_bytes, PAGE).ok_or(PagingError::NoMemory))
            .collect::<Result<Vec<_>, _>>()?;
        let space = space(core, caps, &buffers)?;
        let slots = buffers.into_iter().enumerate().map(|(index, pages)| {
            let address = space.buffer_address(index, buffer_bytes);
            let private = vec![0; caps.paging_buffer.private_bytes as usize];
            Slot { buffer: Some(Buffer { pages, private, address }), fence: 0 }
        });
        let slots = Mutex::new(slots.collect());
        let mut paging = Self {
            space,
            node: caps.paging_node,
            mode: caps.mmu.update_mode,
            memory: Arc::clone(memory),
            timeout_ns: core.options.paging_timeout_ns,
            cancels: caps.scheduling.contains(DXGK_VIDSCHCAPS::CancelCommandAware),
            serial: Mutex::new(()),
            slots,
            handles: Handles::default(),
            buffer_bytes: caps.paging_buffer.bytes as usize,
        };
        let up = paging.bring_up(core);
        if let Err(error) = up {
            paging.stop(core);
            return Err(error);
        }
        Ok(Arc::new(paging))
    }

    fn bring_up(&mut self, core: &Core) -> Result<(), PagingError> {
        self.handles.process = create_process(core, DXGK_CREATEPROCESSFLAGS::SystemProcess)?;
        self.handles.device =
            create_device(core, self.handles.process, DXGK_CREATEDEVICEFLAGS::SystemDevice)?;
        let flags = DXGK_CREATECONTEXTFLAGS::SystemContext | DXGK_CREATECONTEXTFLAGS::VirtualAddressing;
        self.handles.context = create_context(core, self.handles.device, self.node, flags)?;
        self.initialise_tables(core)?;
        let (address, entries) = self.space.root();
        set_root(
            core,
            self.handles.context,
            D3DGPU_PHYSICAL_ADDRESS { SegmentId: 0, Padding: 0, SegmentOffset: address },
            entries,
        );
        Ok(())
    }

    /// The process's own tables are written at once, by the CPU, without a paging buffer.
    fn initialise_tables(&self, core: &Core) -> Result<(), PagingError> {
        let mut entries = Vec::new();
        for tables in &self.space.levels {
            for table in 0..tables.count {
                self.space.initial(tables.level, table, &mut entries);
                let mut update = DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE::zeroed();
                update.PageTableLevel = tables.level;
                update.PageTableAddress.u.CpuVirtual = handle(tables.address(table) as usize);
                update.pPageTableEntries = entries.as_mut_ptr();
                update.NumPageTableEntries = entries.len() as u32;
                update.Flags = DXGK_UPDATEPAGETABLEFLAGS::InitialUpdate;
                update.hProcess = self.process();
                update.UpdateMode = DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_CPU_VIRTUAL;
                update.FirstPteVirtualAddress = table * self.space.geometry.coverage(tables.level);
                self.update_now(core, update)?;
            }
        }
        Ok(())
    }

    /// An update by the CPU: done when the call returns.
    pub(super) fn update_now(
        &self,
        core: &Core,
        update: DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE,
    ) -> Result<(), PagingError> {
        let mut args = DXGKARG_BUILDPAGINGBUFFER::zeroed();
        args.Operation = DXGK_BUILDPAGINGBUFFER_OPERATION::DXGK_OPERATION_UPDATE_PAGE_TABLE;
        args.u.UpdatePageTable = update;
        args.hSystemContext = self.context();
        let status = core.build_paging_buffer(&mut args);
        core.contract.require(
            status == STATUS_SUCCESS && args.pDmaBuffer.is_null(),
            &rules::PAGING_IMMEDIATE,
            format_args!("{}: {status}, pDmaBuffer {:p}", calls::BUILD_PAGING_BUFFER.name, args.pDmaBuffer),
        );
        Ok(succeed(calls::BUILD_PAGING_BUFFER.name, status)?)
    }

    pub(super) fn process(&self) -> HANDLE {
        handle(self.handles.process)
    }

    pub(crate) fn context(&self) -> HANDLE {
        handle(self.handles.context)
    }

    /// Bytes that the driver may use of a paging buffer.
    pub(super) fn buffer_bytes(&self) -> usize {
        self.buffer_bytes
    }

    /// Takes a paging buffer that no engine reads, waiting for one if there is none.
    pub(super) fn take_buffer(
        &self,
        core: &Core,
        event: &Arc<Event>,
    ) -> Result<(usize, Buffer), PagingError> {
        loop {
            let oldest = {
                let mut slots = self.slots.lock();
                let mut oldest = None;
                for (index, slot) in slots.iter_mut().enumerate() {
                    if slot.buffer.is_none() {
                        continue;
                    }
                    if slot.fence == 0 || core.interrupts.fence(self.node, slot.fence) != FenceState::Pending
                    {
                        let buffer = slot.buffer.take().ok_or(PagingError::NoMemory)?;
                        return Ok((index, buffer));
                    }
                    oldest = oldest.into_iter().chain([slot.fence]).min();
                }
                oldest
            };
            match oldest {
                Some(fence) => self.wait(core, fence, event, self.timeout_ns)?,
                // All are being filled by other threads this moment.
                None => crate::host::sleep(0),
            }
        }
    }

    /// Waits for what was submitted last, whoever else gave up waiting for it.
    pub(crate) fn settle(&self, core: &Core) {
        let last = self.slots.lock().iter().map(|slot| slot.fence).max();
        if let Some(fence) = last.filter(|fence| *fence > 0) {
            let _ = core.interrupts.wait(self.node, fence, &Arc::new(Event::new()), self.timeout_ns);
        }
    }

    /// Gives a paging buffer back; it is free again when `fence` is completed.
    pub(super) fn give_buffer(&self, index: usize, buffer: Buffer, fence: u32) {
        let mut slots = self.slots.lock();
        slots[index].buffer = Some(buffer);
        slots[index].fence = fence;
    }

    /// Waits for a fence of the paging node.
    pub(super) fn wait(
        &self,
        core: &Core,
        fence: u32,
        event: &Arc<Event>,
        timeout_ns: u64,
    ) -> Result<(), PagingError> {
        match core.interrupts.wait(self.node, fence, event, timeout_ns) {
            FenceState::Completed => Ok(()),
            FenceState::Faulted(status) => Err(PagingError::Fault(status)),
            FenceState::Aborted => Err(PagingError::Aborted),
            FenceState::Pending if core.interrupts.is_removed() => Err(PagingError::Removed),
            FenceState::Pending => Err(PagingError::Timeout),
        }
    }

    /// Destroys context, device and process.
    pub(crate) fn stop(&self, core: &Core) {
        if self.handles.context != 0 {
            let _ = core.destroy_context(self.context());
        }
        if self.handles.device != 0 {
            let _ = core.destroy_device(handle(self.handles.device));
        }
        if self.handles.process != 0 {
            let _ = core.destroy_process(self.process());
        }
    }
}

fn space(core: &Core, caps: &Caps, buffers: &[Pages]) -> Result<Space, PagingError> {
    let geometry = Geometry::new(&caps.mmu);
    let bytes = core.options.paging_va_bytes.next_multiple_of(geometry.coverage(0));
    let mut args = DXGKARG_GETROOTPAGETABLESIZE::zeroed();
    args.NumberOfPte = if geometry.root() == 1 {
        (bytes / geometry.coverage(0)) as u32
    } else {
        geometry.entries(geometry.root())
    };
    let wanted = args.NumberOfPte;
    let size = core.root_page_table_size(&mut args) as u64;
    core.contract.require(
        size > 0 && args.NumberOfPte >= wanted,
        &rules::CAP_PAGING,
        format_args!("a root table of {wanted} entries has {size} bytes and {} entries", args.NumberOfPte),
    );
    let mut system = DXGK_PTE_FLAGS::empty();
    if caps.mmu.flags.contains(DXGK_GPUMMUCAPS_VALUE::CacheCoherentMemorySupported) {
        system |= DXGK_PTE_FLAGS::CacheCoherent;
    }
    let buffers: Vec<&Pages> = buffers.iter().collect();
    let slice = 2 * core.options.staging_bytes.next_power_of_two().max(PAGE) as u64;
    Space::new(geometry, bytes, (args.NumberOfPte, size), system, &buffers, slice)
}

pub(super) fn create_process(core: &Core, flags: DXGK_CREATEPROCESSFLAGS) -> Result<usize, PagingError> {
    let mut args = DXGKARG_CREATEPROCESS::zeroed();
    args.hDxgkProcess = handle(core.handle as usize + 1);
    args.Flags = flags;
    succeed(calls::CREATE_PROCESS.name, core.create_process(&mut args))?;
    Ok(args.hKmdProcess.expose_provenance())
}

pub(super) fn create_device(
    core: &Core,
    process: usize,
    flags: DXGK_CREATEDEVICEFLAGS,
) -> Result<usize, PagingError> {
    let mut args = DXGKARG_CREATEDEVICE::zeroed();
    args.hDevice = handle(core.handle as usize + 2);
    args.u.Flags = flags;
    args.hKmdProcess = handle(process);
    succeed(calls::CREATE_DEVICE.name, core.create_device(&mut args))?;
    Ok(args.hDevice.expose_provenance())
}

pub(super) fn create_context(
    core: &Core,
    device: usize,
    node: u32,
    flags: DXGK_CREATECONTEXTFLAGS,
) -> Result<usize, PagingError> {
    let mut args = DXGKARG_CREATECONTEXT::zeroed();
    args.hContext = handle(core.handle as usize + 3);
    args.NodeOrdinal = node;
    args.EngineAffinity = 1;
    args.Flags = flags;
    succeed(calls::CREATE_CONTEXT.name, core.create_context(handle(device), &mut args))?;
    Ok(args.hContext.expose_provenance())
}

pub(super) fn set_root(core: &Core, context: usize, address: D3DGPU_PHYSICAL_ADDRESS, entries: u32) {
    core.set_root_page_table(&DXGKARG_SETROOTPAGETABLE {
        hContext: handle(context),
        Address: address,
        NumEntries: entries,
    });
}
