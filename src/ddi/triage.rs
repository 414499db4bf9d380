//! The event that says, in words, why migration data was refused.

use gpup_core::device::Identity;
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
    let mut event = event(started.adapter.device().identity(), vf, error);
    event.hAdapter = started.dxgkrnl.device_handle();
    started.dxgkrnl.log_event(&GUID_DXGKDDI_AZURE_TRIAGE_EVENT, &event);
}

fn event(identity: Identity, vf: VfIndex, error: Error) -> DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION {
    let ids =
        u64::from(identity.vendor) << 32 | u64::from(identity.device) << 16 | u64::from(identity.revision);
    DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION {
        EventType: DXGIDDI_PARTITIONING_EVENT_TYPE::DXGK_PARTITION_EVENT_DRIVER_INTERNAL,
        PartitionId: vf,
        EventDescription: text::utf16(format_args!("{error}")),
        EventData1: u64::from(super::status::of_error(error).0 as u32),
        EventData2: u64::from(identity.firmware),
        EventData3: ids,
        ..DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION::zeroed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_the_device_and_the_status() {
        let identity = Identity { vendor: 0x1234, device: 0x4756, revision: 9, firmware: 0x0003_0001 };
        let event = event(identity, 5, Error::Misaligned);
        assert_eq!(event.EventType, DXGIDDI_PARTITIONING_EVENT_TYPE::DXGK_PARTITION_EVENT_DRIVER_INTERNAL);
        assert_eq!((event.PartitionId, event.EventData2), (5, 0x0003_0001));
        assert_eq!(event.EventData3, 0x1234_4756_0009);
        assert_eq!(event.EventData1, u64::from(crate::ddi::status::of_error(Error::Misaligned).0 as u32));
    }
}
