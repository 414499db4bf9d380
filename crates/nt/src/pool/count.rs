//! How much of something is allocated.

use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Blocks and bytes in use, and the most bytes there ever were.
#[derive(Debug, Default)]
pub struct Count {
    blocks: AtomicUsize,
    bytes: AtomicUsize,
    most: AtomicUsize,
}

impl Count {
    /// Nothing.
    pub const fn new() -> Self {
        Self { blocks: AtomicUsize::new(0), bytes: AtomicUsize::new(0), most: AtomicUsize::new(0) }
    }

    /// Blocks in use.
    pub fn blocks(&self) -> usize {
        self.blocks.load(Relaxed)
    }

    /// Bytes in use, as they were asked for.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// Most bytes in use at once.
    pub fn most_bytes(&self) -> usize {
        self.most.load(Relaxed)
    }

    /// A block was allocated.
    pub fn add(&self, bytes: usize) {
        self.blocks.fetch_add(1, Relaxed);
        let now = self.bytes.fetch_add(bytes, Relaxed) + bytes;
        self.most.fetch_max(now, Relaxed);
    }

    /// A block was freed.
    pub fn remove(&self, bytes: usize) {
        self.blocks.fetch_sub(1, Relaxed);
        self.bytes.fetch_sub(bytes, Relaxed);
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (blocks, bytes, most) = (self.blocks(), self.bytes(), self.most_bytes());
        write!(f, "{blocks} blocks, {bytes} bytes (at most {most})")
    }
}
