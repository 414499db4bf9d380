//! The callbacks: one file a family. Each checks what Dxgkrnl passes, and calls the adapter.

pub(crate) mod edge;
pub(crate) mod segment;
pub(crate) mod status;
mod triage;

pub(crate) mod adapter;
pub(crate) mod allocation;
pub(crate) mod caps;
pub(crate) mod context;
pub(crate) mod debug;
pub(crate) mod dirty;
pub(crate) mod escape;
pub(crate) mod feature;
pub(crate) mod flexiov;
pub(crate) mod interface;
pub(crate) mod interrupt;
pub(crate) mod logging;
pub(crate) mod migration;
pub(crate) mod node;
pub(crate) mod paging;
pub(crate) mod partition;
pub(crate) mod power;
pub(crate) mod sriov;
pub(crate) mod submission;
pub(crate) mod testing;
pub(crate) mod timeout;
