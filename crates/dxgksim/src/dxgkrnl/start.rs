//! Why an adapter does not start, and the order in which it does.
//!
//! Microsoft's page: "Initializing the display miniport driver".

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use core::fmt;

use wddm::{
    DXGK_CHILD_DESCRIPTOR, DXGK_QUERYADAPTERINFOTYPE as Type, DXGK_START_INFO, DXGK_WDDMVERSION, GUID, LUID,
    NTSTATUS, STATUS_NO_MEMORY,
};

use super::interrupts::Interrupts;
use super::{Caps, Core, Interfaces, callbacks, caps};
use crate::contract::{check_caps, rules};
use crate::vidmm::PagingError;

/// Why an adapter did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// A call failed.
    Ddi(&'static str, NTSTATUS),
    /// A capability that starting depends on is wrong: see the violations.
    Capabilities,
    /// The paging process could not be set up.
    Paging(PagingError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ddi(name, status) => write!(f, "{name} failed: {status}"),
            Self::Capabilities => f.write_str("Dxgkrnl refuses the capabilities that the driver reports"),
            Self::Paging(error) => write!(f, "the paging process could not be set up: {error}"),
        }
    }
}

impl core::error::Error for StartError {}

impl From<PagingError> for StartError {
    fn from(error: PagingError) -> Self {
        Self::Paging(error)
    }
}

/// AddDevice to the capabilities.
pub(super) fn bring_up(core: &Arc<Core>) -> Result<(Caps, Interfaces), StartError> {
    let failed = |name| move |status: NTSTATUS| StartError::Ddi(name, status);
    ok(core.add_device()).map_err(failed("DxgkDdiAddDevice"))?;
    if !Interrupts::start(core) {
        remove(core);
        return Err(StartError::Ddi("the DPC thread", STATUS_NO_MEMORY));
    }
    // DMA remapping is settled before the device starts.
    let _ = core.probe(Type::DXGKQAITYPE_PHYSICAL_MEMORY_CAPS, 8);
    let _ = core.probe(Type::DXGKQAITYPE_IOMMU_CAPS, 4);
    let model = caps::model(core);
    if let Err(status) = start_device(core) {
        remove(core);
        return Err(failed("DxgkDdiStartDevice")(status));
    }
    let described = describe(core, model);
    if described.is_err() {
        take_down(core);
    }
    described
}

fn describe(core: &Core, model: Option<DXGK_WDDMVERSION>) -> Result<(Caps, Interfaces), StartError> {
    let mut caps = caps::collect(core, model).map_err(|(name, status)| StartError::Ddi(name, status))?;
    if core.options.probe_short_buffers {
        // Sizes that drivers of older versions were given; whatever the answer, it must fit.
        for bytes in [0, 4, 576] {
            let _ = core.probe(Type::DXGKQAITYPE_DRIVERCAPS, bytes);
        }
    }
    core.interrupts.set_nodes(caps.nodes.len());
    let acceptable = check_caps(&core.contract, &core.table.0, &caps, |kind, bytes| core.probe(kind, bytes));
    if !acceptable {
        return Err(StartError::Capabilities);
    }
    let interfaces = Interfaces::query(core);
    caps.interfaces = interfaces.names();
    caps.features = super::features::ask(core, &interfaces);
    Ok((caps, interfaces))
}

fn start_device(core: &Core) -> Result<(), NTSTATUS> {
    let mut start = DXGK_START_INFO::zeroed();
    start.AdapterGuid =
        GUID { Data1: core.handle as u32, ..GUID::from_u128(0xD0C5_0000_0000_0000_0000_0000_0000_0001) };
    start.AdapterLuid = LUID { LowPart: core.handle as u32, HighPart: 0 };
    // The driver copies it: the page says that the structure is gone after the call.
    let mut table = Box::new(callbacks::interface(core));
    let (status, sources, children) = core.start_device(&mut start, &mut table);
    ok(status)?;
    core.contract.require(
        sources == 0 && children == 0,
        &rules::CHILDREN,
        format_args!("{sources} video present sources and {children} children"),
    );
    let mut relations = vec![DXGK_CHILD_DESCRIPTOR::zeroed(); children as usize + 1];
    ok(core.query_child_relations(&mut relations))
}

/// StopDevice and RemoveDevice; in between the last DPC ends.
pub(super) fn take_down(core: &Core) {
    let _ = core.stop_device(core.context());
    remove(core);
}

fn remove(core: &Core) {
    core.interrupts.end();
    let _ = core.remove_device(core.context());
}

fn ok(status: NTSTATUS) -> Result<(), NTSTATUS> {
    if status.is_success() { Ok(()) } else { Err(status) }
}
