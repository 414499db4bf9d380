//! The state of a VM as it travels: types of their own, in postcard's encoding behind a version.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::worker::Machine;
use crate::guest::MsixMessage;

/// Version of the encoding; another one is refused.
const VERSION: u32 = 1;

/// An MSI-X entry as the guest wrote it.
#[derive(Serialize, Deserialize)]
struct SavedMessage {
    index: u16,
    address: u64,
    data: u32,
    control: u32,
}

#[derive(Serialize, Deserialize)]
struct Encoded {
    version: u32,
    guest: Vec<u8>,
    messages: Vec<SavedMessage>,
    pending: u32,
    clock: u64,
}

/// A VM that is not running.
pub(super) struct SavedVm {
    pub(super) guest: Vec<u8>,
    pub(super) messages: Vec<(u16, MsixMessage)>,
    /// Interrupts that arrived and were not taken.
    pub(super) pending: u32,
    /// What the guest's clock shows.
    pub(super) clock: u64,
}

impl SavedVm {
    pub(super) fn of(machine: &Machine) -> Self {
        let (messages, pending) = machine.msix.save();
        Self { guest: machine.guest.save(), messages, pending, clock: machine.clock.read() }
    }

    pub(super) fn encode(self) -> Vec<u8> {
        let messages = self.messages.into_iter().map(|(index, it)| SavedMessage {
            index,
            address: it.address,
            data: it.data,
            control: it.control,
        });
        let encoded = Encoded {
            version: VERSION,
            guest: self.guest,
            messages: messages.collect(),
            pending: self.pending,
            clock: self.clock,
        };
        // Encoding into a growing vector cannot fail.
        postcard::to_allocvec(&encoded).unwrap_or_default()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let (encoded, rest): (Encoded, _) =
            postcard::take_from_bytes(bytes).map_err(|_| "the VM's state cannot be decoded".to_string())?;
        if encoded.version != VERSION || !rest.is_empty() {
            return Err(alloc::format!(
                "the VM's state is of version {}, this host knows {VERSION}",
                encoded.version
            ));
        }
        let messages = encoded
            .messages
            .iter()
            .map(|it| (it.index, MsixMessage { address: it.address, data: it.data, control: it.control }));
        Ok(Self {
            messages: messages.collect(),
            guest: encoded.guest,
            pending: encoded.pending,
            clock: encoded.clock,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn what_is_saved_comes_back_and_damage_is_refused() {
        let message = MsixMessage { address: 0xFEE0_0000, data: 3, control: 0 };
        let bytes =
            SavedVm { guest: vec![1, 2, 3], messages: vec![(1, message)], pending: 8, clock: 77 }.encode();
        let back = SavedVm::decode(&bytes).unwrap();
        assert_eq!(
            (back.guest, back.messages, back.pending, back.clock),
            (vec![1, 2, 3], vec![(1, message)], 8, 77)
        );
        assert!(SavedVm::decode(&bytes[..bytes.len() - 1]).is_err());
        assert!(SavedVm::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
        assert!(SavedVm::decode(&[2, 0, 0, 0, 0]).is_err());
    }
}
