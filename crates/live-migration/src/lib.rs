//! Live migration of a VF: the agents, which do what Hyper-V's worker processes do on the two hosts.
//!
//! ```text
//! source                                        target
//! Prepare(SOURCE), SaveImmutable                create the VF, Prepare(TARGET)
//!   Immutable        ------------------------>    RestoreImmutable
//!                    <------------------------  Verdict
//! brownout, the guest runs:
//!   QueryDirtyBitData(clear), VIRTUAL_TRANSFER
//!   Pages...         ------------------------>    VIRTUAL_TRANSFER
//!   IterationEnd     ------------------------>
//!                    <------------------------  IterationApplied
//! pause: the VM stops
//!   last Pages, Mutable, Guest --------------->   RestoreMutable, the VM is loaded, paused
//!                    <------------------------  Ready
//!   (proof: PageHashes ----------------------->   compared)
//!                    <------------------------  PageVerdict
//!   Commit           ------------------------>    EndLiveMigration, the VM runs
//!                    <------------------------  Running
//! EndLiveMigration, the VF goes
//! ```
//! Ownership passes with Commit. Before it, any failure leaves the VM with the source. After it the
//! source's VF never runs again without an answer; if the wire is cut before Running arrives, both sides
//! are in doubt until the source asks again ([`wire::message::Resolve`]).
//!
//! ```text
//! wire       connections, frames and messages: docs/wire.md
//! pages      sets of pages, batches on their way, the proof that they arrived
//! handover   who owns the VM: pure transition functions
//! converge   when to stop iterating
//! source     the agent that moves a VM away
//! target     the agent that takes one in
//! saved      a VM in a file
//! ```
//! Below it is the simulated Dxgkrnl, through whose VFs and VMs the agents work; it never looks up.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod converge;
mod error;
mod event;
pub mod handover;
pub mod pages;
mod phase;
pub mod saved;
mod source;
mod target;
pub mod wire;

pub use error::Error;
pub use event::{Event, Observer, Step};
pub use phase::Phase;
pub use source::{Connect, Options, Outcome, Pause, Source, put};
pub use target::{Desk, Equipment, Held, Target, Visit};
