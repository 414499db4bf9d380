//! The wire between two agents: connections, the frames on them, the messages in those. docs/wire.md has the protocol.

pub mod channel;
pub mod frame;
pub mod framed;
pub mod message;
pub mod talk;
#[cfg(test)]
pub(crate) mod testing;
pub mod vigil;
