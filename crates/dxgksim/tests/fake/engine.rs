//! Paging buffers and the engine: commands of 64-bit words, executed where they are submitted.

use wddm::*;

use super::{State, fake};

const UPDATE: u64 = 1;
const COPY: u64 = 2;
const FILL: u64 = 3;

/// A byte of memory: system memory by its address, VRAM by its offset.
#[derive(Clone, Copy)]
enum Place {
    System(u64),
    Vram(u64),
}

impl State {
    fn word(&mut self, place: Place) -> *mut u64 {
        match place {
            Place::System(address) => address as *mut u64,
            Place::Vram(offset) => &raw mut self.vram[offset as usize / 8],
        }
    }

    fn load(&mut self, place: Place) -> u64 {
        // SAFETY: VRAM, or memory that Dxgkrnl mapped for the engine.
        unsafe { *self.word(place) }
    }

    fn place(segment: u32, address: u64) -> Place {
        if segment == 0 { Place::System(address) } else { Place::Vram(address) }
    }

    fn translate(&mut self, context: usize, va: u64) -> Place {
        let (segment, address) = self.roots[&context];
        let mut at = Self::place(segment, address);
        for level in (0..3).rev() {
            let index = (va >> (12 + 9 * level)) & 511;
            let slot = match at {
                Place::System(address) => Place::System(address + index * 8),
                Place::Vram(offset) => Place::Vram(offset + index * 8),
            };
            let entry = self.load(slot);
            assert_eq!(entry & 1, 1, "no entry for {va:#x} at level {level}");
            at = Self::place((entry >> 1 & 31) as u32, entry & !0xFFF);
        }
        match at {
            Place::System(address) => Place::System(address + va % 4096),
            Place::Vram(offset) => Place::Vram(offset + va % 4096),
        }
    }

    fn store(&mut self, context: usize, va: u64, value: u64) {
        let place = self.translate(context, va);
        if let Place::Vram(offset) = place {
            self.mark(offset);
        }
        // SAFETY: VRAM, or memory that Dxgkrnl mapped for the engine.
        unsafe { *self.word(place) = value };
    }

    /// Executes `bytes` of commands at `va`.
    pub fn execute(&mut self, context: usize, va: u64, bytes: u32) {
        let (mut at, end) = (va, va + u64::from(bytes));
        let mut next = |state: &mut Self| {
            let place = state.translate(context, at);
            at += 8;
            state.load(place)
        };
        let mut left = (end - va) / 8;
        while left > 0 {
            let head: [u64; 4] = std::array::from_fn(|_| next(self));
            left -= 4;
            let [opcode, target, source, count] = head;
            for index in 0..count {
                let value = match opcode {
                    UPDATE => {
                        left -= 1;
                        next(self)
                    }
                    COPY => {
                        let place = self.translate(context, source + index * 8);
                        self.load(place)
                    }
                    FILL => source,
                    other => panic!("command {other}"),
                };
                self.store(context, target + index * 8, value);
            }
        }
    }
}

fn encode(entry: &DXGK_PTE) -> u64 {
    // SAFETY: any bits are a number.
    let page = unsafe { entry.u.PageAddress };
    if entry.Flags.contains(DXGK_PTE_FLAGS::Valid) { page << 12 | entry.Flags.Segment() << 1 | 1 } else { 0 }
}

driver! {
    pub unsafe fn build_paging_buffer(_context: HANDLE, args: *mut DXGKARG_BUILDPAGINGBUFFER) -> NTSTATUS {
        let args = &mut *args;
        type Operation = DXGK_BUILDPAGINGBUFFER_OPERATION;
        let mut room = args.DmaSize as usize / 8;
        let mut out = args.pDmaBuffer.cast::<u64>();
        let mut status = STATUS_SUCCESS;
        let mut put = |words: &[u64]| {
            out.copy_from_nonoverlapping(words.as_ptr(), words.len());
            out = out.add(words.len());
        };
        match args.Operation {
            Operation::DXGK_OPERATION_UPDATE_PAGE_TABLE => {
                let update = args.u.UpdatePageTable;
                let repeat = update.Flags.contains(DXGK_UPDATEPAGETABLEFLAGS::Repeat);
                let entry = |at: u32| encode(&*update.pPageTableEntries.add(if repeat { 0 } else { at as usize }));
                if args.pDmaBuffer.is_null() {
                    let table = update.PageTableAddress.u.CpuVirtual.cast::<u64>();
                    for at in 0..update.NumPageTableEntries {
                        *table.add((update.StartIndex + at) as usize) = entry(at);
                    }
                    return STATUS_SUCCESS;
                }
                if room < 5 {
                    return STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER;
                }
                room -= 4;
                let done = args.MultipassOffset;
                let here = (update.NumPageTableEntries - done).min(room as u32);
                let table = update.PageTableAddress.u.GpuVirtual + u64::from(update.StartIndex + done) * 8;
                put(&[UPDATE, table, 0, u64::from(here)]);
                for at in done..done + here {
                    put(&[entry(at)]);
                }
                args.MultipassOffset = done + here;
                if done + here < update.NumPageTableEntries {
                    status = STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER;
                }
            }
            Operation::DXGK_OPERATION_FLUSH_TLB => {}
            _ if room < 4 => return STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER,
            Operation::DXGK_OPERATION_VIRTUAL_TRANSFER => {
                let it = args.u.TransferVirtual;
                put(&[COPY, it.DestinationVirtualAddress, it.SourceVirtualAddress, it.TransferSizeInBytes / 8]);
            }
            Operation::DXGK_OPERATION_VIRTUAL_FILL => {
                let it = args.u.FillVirtual;
                let pattern = u64::from(it.FillPattern) << 32 | u64::from(it.FillPattern);
                put(&[FILL, it.DestinationVirtualAddress, pattern, it.FillSizeInBytes / 8]);
            }
            _ => return STATUS_SUCCESS,
        }
        args.pDmaBuffer = out.cast();
        status
    }

    pub unsafe fn submit_command_virtual(context: HANDLE, args: *const DXGKARG_SUBMITCOMMANDVIRTUAL) -> NTSTATUS {
        let args = &*args;
        {
            let mut state = fake(context).state.lock().unwrap();
            state.execute(args.hContext as usize, args.DmaBufferVirtualAddress, args.DmaBufferSize);
            state.done = args.SubmissionFenceId;
        }
        complete(context);
        STATUS_SUCCESS
    }

    pub unsafe fn set_root_page_table(context: HANDLE, args: *const DXGKARG_SETROOTPAGETABLE) {
        let args = &*args;
        let root = (args.Address.SegmentId, args.Address.SegmentOffset);
        fake(context).state.lock().unwrap().roots.insert(args.hContext as usize, root);
    }

    /// Under SynchronizeExecution.
    pub unsafe fn interrupt(context: PVOID) -> BOOLEAN {
        report(context);
        let callbacks = fake(context).state.lock().unwrap().callbacks;
        callbacks.DxgkCbQueueDpc.unwrap()(callbacks.DeviceHandle);
        TRUE
    }

    pub unsafe fn query_feature_support(_context: HANDLE, args: *mut DXGKARG_QUERYFEATURESUPPORT) -> NTSTATUS {
        let args = &mut *args;
        (args.MinSupportedVersion, args.MaxSupportedVersion) = (1, 1);
        (args.SupportedByDriver, args.SupportedOnCurrentConfig) = (TRUE, TRUE);
        STATUS_SUCCESS
    }

    pub unsafe fn query_feature_interface(_context: HANDLE, args: *mut DXGKARG_QUERYFEATUREINTERFACE) -> NTSTATUS {
        let mut interface = DXGKDDI_KERNELMODETESTINGINTERFACE::zeroed();
        interface.pfnBuildTestCommandBuffer = Some(build_test_command_buffer);
        std::ptr::write((*args).Interface.cast(), interface);
        STATUS_SUCCESS
    }

    pub unsafe fn build_test_command_buffer(_context: HANDLE, args: *mut DXGKARG_BUILDTESTCOMMANDBUFFER) -> NTSTATUS {
        let args = &mut *args;
        if args.pDmaBuffer.is_null() || args.DmaBufferSize < 32 {
            args.DmaBufferSize = 32;
            return STATUS_BUFFER_OVERFLOW;
        }
        let it = args.Command.u.Copy;
        args.pDmaBuffer.cast::<[u64; 4]>().write([COPY, it.DstAddress, it.SrcAddress, u64::from(it.NumBytes) / 8]);
        args.DmaBufferSize = 32;
        STATUS_SUCCESS
    }
}

/// Interrupt, DPC and all; without a line the driver goes straight to NotifyInterrupt.
pub fn complete(context: HANDLE) {
    let callbacks = fake(context).state.lock().unwrap().callbacks;
    let mut result = 0;
    let synchronize = callbacks.DxgkCbSynchronizeExecution.unwrap();
    // SAFETY: Dxgkrnl's own callback and handle, and a routine that knows its context.
    let status = unsafe { synchronize(callbacks.DeviceHandle, Some(interrupt), context, 0, &raw mut result) };
    if !status.is_success() {
        // SAFETY: the same routine and context.
        unsafe { interrupt(context) };
    }
}

/// NotifyInterrupt for the last fence.
pub fn report(context: HANDLE) {
    let (callbacks, fence) = {
        let state = fake(context).state.lock().unwrap();
        (state.callbacks, state.done)
    };
    report_fence(&callbacks, fence);
}

/// NotifyInterrupt for any fence.
pub fn report_fence(callbacks: &DXGKRNL_INTERFACE, fence: u32) {
    let mut data = DXGKARGCB_NOTIFY_INTERRUPT_DATA::zeroed();
    data.InterruptType = DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_COMPLETED;
    data.u.DmaCompleted.SubmissionFenceId = fence;
    let notify = callbacks.DxgkCbNotifyInterrupt.unwrap();
    // SAFETY: Dxgkrnl's own callback and handle; it copies the data.
    unsafe { notify(callbacks.DeviceHandle, &raw const data) };
}

pub fn feature_interface() -> DXGKDDI_FEATURE_INTERFACE {
    let mut interface = DXGKDDI_FEATURE_INTERFACE::zeroed();
    interface.QueryFeatureSupport = Some(query_feature_support);
    interface.QueryFeatureInterface = Some(query_feature_interface);
    interface
}

pub fn fill(table: &mut DRIVER_INITIALIZATION_DATA) {
    table.DxgkDdiBuildPagingBuffer = Some(build_paging_buffer);
    table.DxgkDdiSubmitCommandVirtual = Some(submit_command_virtual);
    table.DxgkDdiSetRootPageTable = Some(set_root_page_table);
}
