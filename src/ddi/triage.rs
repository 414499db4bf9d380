//! The event that says, in words, why migration data was refused.

use gpup_core::os::TraceEvent;
use gpup_core::{Error, VfIndex};
use wddm::{
    DXGIDDI_PARTITIONING_EVENT_TYPE, DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION,
    GUID_DXGKDDI_AZURE_TRIAGE_EVENT,
};

use crate::miniport::Started;
use crate::text;

/// Logs GUID_DXGKDDI_AZURE_TRIAGE_EVENT when data was refused for what it says. EventData1 is the NTSTATUS the
/// call will return, 2 the firmware and 3 the ids of this device. PASSIVE_LEVEL.
pub(crate) fn refused(started: &Started, vf: VfIndex, error: Error) {
    started.adapter.trace(TraceEvent::Refused { vf: Some(vf), what: "migration data", error });
    if !matches!(error, Error::Incompatible(_) | Error::Corrupt(_)) {
        return;
    }
    let identity = started.adapter.device().identity();
    let ids =
        u64::from(identity.vendor) << 32 | u64::from(identity.device) << 16 | u64::from(identity.revision);
    let event = DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION {
        hAdapter: started.dxgkrnl.device_handle(),
        EventType: DXGIDDI_PARTITIONING_EVENT_TYPE::DXGK_PARTITION_EVENT_DRIVER_INTERNAL,
        PartitionId: vf,
        EventDescription: text::utf16(format_args!("{error}")),
        EventData1: u64::from(super::status::of_error(error).0 as u32),
        EventData2: u64::from(identity.firmware),
        EventData3: ids,
        ..DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION::zeroed()
    };
    started.dxgkrnl.log_event(&GUID_DXGKDDI_AZURE_TRIAGE_EVENT, &event);
}
