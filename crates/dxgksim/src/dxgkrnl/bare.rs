//! An adapter step by step, for checks of the steps themselves: nothing is asked between them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use wddm::{
    DXGK_CHILD_DESCRIPTOR, DXGK_CHILD_DEVICE_TYPE, DXGK_QUERYADAPTERINFOTYPE, DXGK_START_INFO, HANDLE, LUID,
    NTSTATUS, STATUS_NO_MEMORY,
};

use super::interrupts::Interrupts;
use super::{AdapterOptions, Core, Driver, callbacks, stubs};
use crate::contract::rules;

/// An adapter of which only AddDevice has been called.
pub(crate) struct Bare {
    pub(crate) core: Arc<Core>,
    added: bool,
}

impl Bare {
    /// AddDevice.
    pub(crate) fn add(driver: &Driver, options: &AdapterOptions) -> Result<Self, NTSTATUS> {
        let core = Core::new(driver.table(), Arc::clone(driver.contract()), options.clone());
        let mut it = Self { core, added: false };
        let status = it.core.add_device();
        if !status.is_success() {
            return Err(status);
        }
        it.added = true;
        if Interrupts::start(&it.core) { Ok(it) } else { Err(STATUS_NO_MEMORY) }
    }

    /// The driver's context.
    pub(crate) fn context(&self) -> HANDLE {
        self.core.context()
    }

    /// StartDevice, with callbacks that work or with one that does not: GetDeviceInformation.
    pub(crate) fn start(&self, working: bool) -> NTSTATUS {
        let mut start = DXGK_START_INFO::zeroed();
        start.AdapterLuid = LUID { LowPart: self.core.handle as u32, HighPart: 0 };
        let mut table = Box::new(callbacks::interface(&self.core));
        if !working {
            table.DxgkCbGetDeviceInformation = Some(stubs::none2);
        }
        self.core.start_device(&mut start, &mut table).0
    }

    /// StopDevice.
    pub(crate) fn stop(&self) -> NTSTATUS {
        self.core.stop_device(self.context())
    }

    /// NotifySurpriseRemoval.
    pub(crate) fn surprise(&self) -> NTSTATUS {
        let status = self.core.surprise_removal();
        self.core.interrupts.device_removed();
        status
    }

    /// RemoveDevice, once.
    pub(crate) fn remove(&mut self) -> NTSTATUS {
        self.core.interrupts.end();
        self.added = false;
        self.core.remove_device(self.context())
    }

    /// Whether a query with an answer of so many bytes succeeds.
    pub(crate) fn probe(&self, kind: DXGK_QUERYADAPTERINFOTYPE, bytes: usize) -> NTSTATUS {
        self.core.probe(kind, bytes)
    }

    /// QueryChildRelations: whether the array stays empty.
    pub(crate) fn has_children(&self) -> (NTSTATUS, bool) {
        let mut relations = [DXGK_CHILD_DESCRIPTOR::zeroed(); 1];
        let status = self.core.query_child_relations(&mut relations);
        (status, relations[0].ChildDeviceType != DXGK_CHILD_DEVICE_TYPE::zeroed())
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        if self.added {
            let _ = self.stop();
            let _ = self.remove();
        }
        self.core.interrupts.end();
        self.core.close();
        let held = self.core.held.load(Ordering::Acquire);
        self.core.contract.require(
            held == 0,
            &rules::LEAK,
            format_args!("{held} mappings or blocks were not given back"),
        );
    }
}
