//! The MSI-X table of a VM: the guest's entries, and what the hardware is given instead.
//!
//! Article: "Live migration on GPU-P devices" (virtualized interrupts). The host's translation of an entry is the
//! address of a mailbox word and a number to store there; neither ever appears in what the guest reads.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use wddm::DXGK_INTERRUPT_TABLE_ENTRY;

use crate::guest::MsixMessage;
use crate::memory::{PAGE, Pages};
use crate::vgpu::Vgpu;

/// The number stored in a mailbox, above the entry's index.
const MESSAGE: u32 = 0x4D58_0000;

/// The mailboxes of a VM, one word a vector.
#[derive(Clone)]
pub(super) struct Mailboxes(Arc<Pages>);

impl Mailboxes {
    /// Whether a message waits.
    pub(super) fn any(&self, vectors: usize) -> bool {
        (0..vectors).any(|index| self.0.word(index * 4).load(Ordering::Acquire) != 0)
    }
}

/// The MSI-X table of one VM.
pub(super) struct Msix {
    vgpu: Arc<Vgpu>,
    mailboxes: Mailboxes,
    messages: Vec<Option<MsixMessage>>,
    /// Messages that arrived and have not been taken.
    pending: u32,
}

impl Msix {
    pub(super) fn new(vgpu: &Arc<Vgpu>) -> Option<Self> {
        let vectors = usize::from(vgpu.vectors()).clamp(1, PAGE / 4);
        Some(Self {
            vgpu: Arc::clone(vgpu),
            mailboxes: Mailboxes(Arc::new(Pages::new(PAGE, PAGE)?)),
            messages: vec![None; vectors],
            pending: 0,
        })
    }

    pub(super) fn vectors(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn mailboxes(&self) -> Mailboxes {
        self.mailboxes.clone()
    }

    /// Where the messages arrive; entry `n` of the hardware's table has the word `n` there.
    pub(super) fn address(&self) -> u64 {
        self.mailboxes.0.address()
    }

    /// The guest writes an entry: its view is kept, the hardware gets this host's.
    pub(super) fn write(&mut self, index: u16, message: MsixMessage) -> Result<(), String> {
        let Some(slot) = self.messages.get_mut(usize::from(index)) else {
            return Err(format!("the guest wrote MSI-X entry {index}, which does not exist"));
        };
        *slot = Some(message);
        let entry = DXGK_INTERRUPT_TABLE_ENTRY {
            MessageAddress: self.address() + u64::from(index) * 4,
            MessageData: MESSAGE | u32::from(index),
            VectorControl: message.control,
        };
        self.vgpu.write_interrupt(index, entry).map_err(|error| error.to_string())
    }

    /// What the guest wrote.
    pub(super) fn read(&self, index: u16) -> MsixMessage {
        // Bit 0 of control: a vector is masked until it has been written.
        let fresh = MsixMessage { control: 1, ..MsixMessage::default() };
        self.messages.get(usize::from(index)).copied().flatten().unwrap_or(fresh)
    }

    /// Takes the messages that arrived: a bit for each number.
    pub(super) fn take(&mut self) -> u32 {
        self.collect();
        core::mem::take(&mut self.pending)
    }

    fn collect(&mut self) {
        for (index, message) in self.messages.iter().enumerate() {
            let arrived = self.mailboxes.0.word(index * 4).swap(0, Ordering::AcqRel) != 0;
            if let (true, Some(message)) = (arrived, message) {
                self.pending |= 1 << (message.data & 31);
            }
        }
    }

    /// The entries that were written, and the messages on their way to the guest.
    pub(super) fn save(&self) -> (Vec<(u16, MsixMessage)>, u32) {
        let mut pending = self.pending;
        for (index, message) in self.messages.iter().enumerate() {
            let arrived = self.mailboxes.0.word(index * 4).load(Ordering::Acquire) != 0;
            if let (true, Some(message)) = (arrived, message) {
                pending |= 1 << (message.data & 31);
            }
        }
        let written =
            self.messages.iter().zip(0..).filter_map(|(message, index)| message.map(|it| (index, it)));
        (written.collect(), pending)
    }

    /// Writes the entries that another host saved, translated for this one.
    pub(super) fn load(&mut self, messages: &[(u16, MsixMessage)], pending: u32) -> Result<(), String> {
        for (index, message) in messages {
            self.write(*index, *message)?;
        }
        self.pending = pending;
        Ok(())
    }
}

impl Drop for Msix {
    fn drop(&mut self) {
        // The mailboxes go with the VM: no vector may point at them any more.
        let mask = DXGK_INTERRUPT_TABLE_ENTRY { MessageAddress: 0, MessageData: 0, VectorControl: 1 };
        for (index, _) in
            self.messages.iter().zip(0..).filter(|(message, _)| message.is_some()).map(|(it, at)| (at, it))
        {
            let _ = self.vgpu.write_interrupt(index, mask);
        }
    }
}
