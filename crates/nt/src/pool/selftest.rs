//! A check of an allocator that runs on the host, in Wine and in a kernel alike.
//!
//! UNSAFETY: calls an allocator by hand.
#![expect(unsafe_code)]

use core::alloc::{GlobalAlloc, Layout};

/// Alignments that are tried, and sizes round each of them.
const ALIGNMENTS: [usize; 8] = [1, 8, 16, 32, 64, 256, 4096, 8192];

/// Allocates, fills, checks and frees blocks of many sizes and alignments, several at a time; the error says what
/// was wrong. <= DISPATCH_LEVEL. It needs a few hundred KiB.
pub fn self_test(allocator: &dyn GlobalAlloc) -> Result<(), &'static str> {
    for align in ALIGNMENTS {
        for size in [1, align - 1, align, align + 1, 3 * align, 5000] {
            let Ok(layout) = Layout::from_size_align(size.max(1), align) else { return Err("bad layout") };
            round(allocator, layout)?;
        }
    }
    Ok(())
}

/// Four blocks live at once, each with bytes of its own.
fn round(allocator: &dyn GlobalAlloc, layout: Layout) -> Result<(), &'static str> {
    // SAFETY: the layout is not empty.
    let blocks = [(); 4].map(|()| unsafe { allocator.alloc(layout) });
    let mut result = Ok(());
    for (block, byte) in blocks.iter().zip(1u8..) {
        if block.is_null() {
            result = Err("no memory");
        } else if !block.addr().is_multiple_of(layout.align()) {
            result = Err("a block is not aligned");
        } else {
            // SAFETY: the block has as many bytes.
            unsafe { block.write_bytes(byte, layout.size()) };
        }
    }
    for (block, byte) in blocks.iter().zip(1u8..).filter(|(block, _)| !block.is_null()) {
        // SAFETY: the block has as many bytes, written above.
        let bytes = unsafe { core::slice::from_raw_parts(*block, layout.size()) };
        if result.is_ok() && bytes.iter().any(|found| *found != byte) {
            result = Err("blocks overlap");
        }
        // SAFETY: it came from `alloc` with this layout, and the slice is no longer used.
        unsafe { allocator.dealloc(*block, layout) };
    }
    result
}
