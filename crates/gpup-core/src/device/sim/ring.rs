//! Fetching commands from a ring that a guest may change at any moment.

use super::bar::Bar;
use super::command::Header;
use super::registers::node_register;
use crate::device::abi::{FaultCode, HEADER_BYTES, RING_BYTES, RING_OFFSET, reg};

/// The doorbell of a node's ring.
pub(super) fn tail(bar: &Bar, node: usize) -> u32 {
    bar.load(node_register(node, reg::TAIL))
}

/// Copies the command at `head` out, header and all, and answers its header; none when the ring is empty.
///
/// Everything is read once: the header decides how much is copied, and what is copied is what is decoded.
pub(super) fn fetch(bar: &Bar, node: usize, head: u32, out: &mut [u8]) -> Result<Option<Header>, FaultCode> {
    let size = RING_BYTES as u32;
    let waiting = tail(bar, node).wrapping_sub(head);
    if waiting == 0 {
        return Ok(None);
    }
    if waiting > size || !waiting.is_multiple_of(HEADER_BYTES as u32) {
        return Err(FaultCode::BadLength);
    }
    let place = head % size;
    let start = RING_OFFSET + node * RING_BYTES + place as usize;
    let mut raw = [0; HEADER_BYTES];
    bar.read(start, &mut raw);
    let header = Header::decode(&raw, waiting.min(size - place))?;
    let out = &mut out[..header.bytes as usize];
    bar.read(start, out);
    // The guest may have rewritten the header between the two reads: the first one counts.
    out[..HEADER_BYTES].copy_from_slice(&raw);
    Ok(Some(header))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::abi::COPY_NODE;
    use proptest::prelude::*;

    fn ring(head: u32, tail: u32, header: (u16, u32)) -> Result<Option<u32>, FaultCode> {
        crate::os::host::install();
        let bar = Bar::new().unwrap();
        let mut raw = [0; HEADER_BYTES];
        raw[0..2].copy_from_slice(&header.0.to_le_bytes());
        raw[4..8].copy_from_slice(&header.1.to_le_bytes());
        bar.write(RING_OFFSET + RING_BYTES + (head as usize % RING_BYTES), &raw);
        bar.store(node_register(COPY_NODE, reg::TAIL), tail);
        let fetched = fetch(&bar, COPY_NODE, head, &mut vec![0; RING_BYTES])?;
        Ok(fetched.map(|header| header.bytes))
    }

    #[test]
    fn commands_end_at_the_tail_and_at_the_ring() {
        let size = RING_BYTES as u32;
        assert_eq!(ring(0, 0, (0, 16)), Ok(None));
        assert_eq!(ring(0, 16, (0, 16)), Ok(Some(16)));
        assert_eq!(ring(0, size, (0, size)), Ok(Some(size)));
        assert_eq!(ring(0, 16, (0, 32)), Err(FaultCode::BadLength));
        assert_eq!(ring(size - 16, size + 16, (0, 32)), Err(FaultCode::BadLength));
        assert_eq!(ring(size - 16, size + 16, (0, 16)), Ok(Some(16)));
        assert_eq!(ring(0u32.wrapping_sub(16), 16, (0, 16)), Ok(Some(16)));
        assert_eq!(ring(0, size + 16, (0, 16)), Err(FaultCode::BadLength));
        assert_eq!(ring(16, 0, (0, 16)), Err(FaultCode::BadLength));
        assert_eq!(ring(0, 8, (0, 16)), Err(FaultCode::BadLength));
    }

    proptest! {
        #[test]
        fn hostile_doorbells_never_reach_outside(head in any::<u32>(), tail in any::<u32>(), bytes in any::<u32>()) {
            let _ = ring(head & !15, tail, (0, bytes));
        }
    }
}
