//! What a tracker and its writers share.

use alloc::sync::Arc;

use super::fault::Faults;
use super::map::Map;
use super::published::Published;
use crate::vram::VramStore;

/// The segment, and what a writer marks of it.
pub(super) struct Shared {
    pub(super) vram: Arc<dyn VramStore>,
    pub(super) page_shift: u32,
    pub(super) map: Published<Map>,
    pub(super) faults: Faults,
}
