//! From an engine's thread to Dxgkrnl: how a fence is reported.
//!
//! ```text
//! engine thread     DxgkCbSynchronizeExecution(routine)          PASSIVE_LEVEL
//!   routine           DxgkCbNotifyInterrupt(data), QueueDpc      DIRQL
//! DPC               DxgkDdiDpcRoutine -> DxgkCbNotifyDpc         DISPATCH_LEVEL
//! ```
//! Each engine thread reports its own node and waits for the routine, so a node's fences come in order.
//! QueueDpc answers FALSE when a DPC is waiting to run: that one comes after this interrupt and covers it.
//! Where no interrupt is connected, SynchronizeExecution fails; then a lock of the driver keeps reports
//! apart and the OS layer provides the level that NotifyInterrupt asks for.
//!
//! UNSAFETY: passes a context to a synchronize routine and takes it back in it.
#![expect(unsafe_code)]

use alloc::sync::Arc;
use core::ptr::from_ref;

use gpup_core::device::{Fault, InterruptSink};
use gpup_core::os::SpinLock;
use wddm::{
    BOOLEAN, DXGK_FAULT_ERROR_CODE, DXGK_GENERAL_ERROR_CODE, DXGK_INTERRUPT_TYPE, DXGK_PAGE_FAULT_FLAGS,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA, DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMACOMPLETED,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAPAGEFAULTED, DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAPREEMPTED,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_U, PVOID, TRUE,
};

use super::dxgkrnl::Dxgkrnl;
use crate::os;

/// DXGK_PRIMITIVE_API_SEQUENCE_NUMBER_UNKNOWN: engines of this device draw nothing.
const NO_PRIMITIVE: u64 = u64::MAX;
/// DXGK_BIND_TABLE_ENTRY_UNKNOWN, and bind nothing.
const NO_BINDING: u32 = u32::MAX;

/// Reports what engines finish.
pub(crate) struct Notifier {
    dxgkrnl: Arc<Dxgkrnl>,
    /// Stands in for the interrupt lock where no interrupt is connected.
    unconnected: SpinLock<()>,
}

/// What the synchronize routine works on.
struct Report<'a> {
    dxgkrnl: &'a Dxgkrnl,
    data: DXGKARGCB_NOTIFY_INTERRUPT_DATA,
}

impl Report<'_> {
    /// At DIRQL.
    fn deliver(&self) {
        self.dxgkrnl.notify_interrupt(&self.data);
        self.dxgkrnl.queue_dpc();
    }
}

wddm::ddi! {
    /// KSYNCHRONIZE_ROUTINE. DIRQL. "DXGKCB_SYNCHRONIZE_EXECUTION callback function (dispmprt.h)".
    unsafe fn deliver(context: PVOID) -> BOOLEAN {
        // SAFETY: `raise` passes a Report that lives until SynchronizeExecution returns.
        let report = unsafe { &*context.cast::<Report<'_>>() };
        report.deliver();
        TRUE
    }
}

impl Notifier {
    pub(crate) fn new(dxgkrnl: Arc<Dxgkrnl>) -> Self {
        Self { dxgkrnl, unconnected: SpinLock::new(()) }
    }

    fn raise(&self, kind: DXGK_INTERRUPT_TYPE, u: DXGKARGCB_NOTIFY_INTERRUPT_DATA_U) {
        let data = DXGKARGCB_NOTIFY_INTERRUPT_DATA {
            InterruptType: kind,
            u,
            ..DXGKARGCB_NOTIFY_INTERRUPT_DATA::zeroed()
        };
        let report = Report { dxgkrnl: &self.dxgkrnl, data };
        let context = from_ref(&report).cast_mut().cast();
        // SAFETY: `context` is the Report that `deliver` takes, and lives until the call returns.
        if !unsafe { self.dxgkrnl.synchronize(deliver, context) } {
            let _alone = self.unconnected.lock();
            os::at_device_level(&mut || report.deliver());
        }
    }
}

impl InterruptSink for Notifier {
    fn completed(&self, node: usize, fence: u32) {
        let mut u = DXGKARGCB_NOTIFY_INTERRUPT_DATA_U::zeroed();
        u.DmaCompleted = DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMACOMPLETED {
            SubmissionFenceId: fence,
            NodeOrdinal: node as u32,
            EngineOrdinal: 0,
        };
        self.raise(DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_COMPLETED, u);
    }

    fn faulted(&self, node: usize, fence: u32, fault: Fault) {
        let data = DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAPAGEFAULTED {
            FaultedFenceId: fence,
            FaultedPrimitiveAPISequenceNumber: NO_PRIMITIVE,
            FaultedBindTableEntry: NO_BINDING,
            NodeOrdinal: node as u32,
            ..DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAPAGEFAULTED::zeroed()
        };
        let data = match fault {
            Fault::Page { address, write } => DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAPAGEFAULTED {
                FaultedVirtualAddress: address,
                PageFaultFlags: if write {
                    DXGK_PAGE_FAULT_FLAGS::DXGK_PAGE_FAULT_WRITE
                } else {
                    DXGK_PAGE_FAULT_FLAGS::zeroed()
                },
                ..data
            },
            // The other interrupt, DMA_FAULTED, is the system's own. No address is at fault: D3DGPU_NULL.
            Fault::Operation(_) => DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAPAGEFAULTED {
                FaultErrorCode: DXGK_FAULT_ERROR_CODE::empty().with_GeneralErrorCode(
                    DXGK_GENERAL_ERROR_CODE::DXGK_GENERAL_ERROR_INVALID_INSTRUCTION.0 as u32,
                ),
                ..data
            },
        };
        let mut u = DXGKARGCB_NOTIFY_INTERRUPT_DATA_U::zeroed();
        u.DmaPageFaulted = data;
        self.raise(DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_PAGE_FAULTED, u);
    }

    fn preempted(&self, node: usize, preemption_fence: u32, last_completed: u32) {
        let mut u = DXGKARGCB_NOTIFY_INTERRUPT_DATA_U::zeroed();
        u.DmaPreempted = DXGKARGCB_NOTIFY_INTERRUPT_DATA_DMAPREEMPTED {
            PreemptionFenceId: preemption_fence,
            LastCompletedFenceId: last_completed,
            NodeOrdinal: node as u32,
            EngineOrdinal: 0,
        };
        self.raise(DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_DMA_PREEMPTED, u);
    }
}
