//! Triage events: what a driver logs with DxgkCbLogEtwEvent before it refuses migration data.
//!
//! Microsoft's page: "DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION structure (d3dkmddi.h)".

use alloc::string::String;
use alloc::vec::Vec;

use wddm::DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION;

use crate::host::Mutex;

/// A triage event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriageEvent {
    /// The partition it is about; `u32::MAX` is the whole GPU, one less the physical function.
    pub partition: u32,
    /// Its words.
    pub description: String,
    /// Its numbers.
    pub data: [u64; 5],
}

impl TriageEvent {
    pub(crate) fn read(event: &DXGKDDICB_PARTITIONING_EVENT_NOTIFICATION) -> Self {
        let text = &event.EventDescription;
        let end = text.iter().position(|unit| *unit == 0).unwrap_or(text.len());
        Self {
            partition: event.PartitionId,
            description: String::from_utf16_lossy(&text[..end]),
            data: [event.EventData1, event.EventData2, event.EventData3, event.EventData4, event.EventData5],
        }
    }
}

/// Events kept until somebody asks for them.
const KEPT: usize = 64;

/// The events of one adapter that nobody has asked for yet.
#[derive(Default)]
pub(crate) struct Triage(Mutex<Vec<TriageEvent>>);

impl Triage {
    pub(crate) fn log(&self, event: TriageEvent) {
        let mut events = self.0.lock();
        if events.len() == KEPT {
            events.remove(0);
        }
        events.push(event);
    }

    /// Takes the events about a partition.
    pub(crate) fn take(&self, partition: u32) -> Vec<TriageEvent> {
        let mut events = self.0.lock();
        let (taken, left) = events.drain(..).partition(|event| event.partition == partition);
        *events = left;
        taken
    }
}
