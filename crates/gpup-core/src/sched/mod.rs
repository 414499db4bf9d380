//! The per-VF scheduler of an engine.
//!
//! [`Scheduler`] is EEVDF (earliest eligible virtual deadline first; Stoica, Abdel-Wahab 1995) with
//! reservations, in two levels. It holds no clock, thread or lock and allocates nothing once it is made.
//!
//! # Levels
//! ```text
//!   root: EEVDF ── PF's everyday work
//!      │        ── VF 0 ── guest
//!      │        ── VF m ── guest ┐ start-time fair queueing, parts by the
//!      │                └─ PF paging for m ┘ migration policy
//!      └ only when the root has nothing to run:
//!   idle class ── PF paging for each migrating VF, equal parts
//! ```
//! The root sees of node m only that it has work and what it was charged. Call each piece of paging that was
//! granted out of the share a guest's packet, and every decision about the neighbours is the same: to them a
//! migration is VF m being busy within its own share. What the idle class runs is charged to nobody.
//!
//! | policy | guest : paging in node m | ceiling on node m | idle class |
//! |---|---|---|---|
//! | normal | 1 : 0 | the profile's | off |
//! | source brownout | 1−g : g | what m used before, if below its share | on |
//! | source blackout, target | 0 : 1 | the profile's | on |
//!
//! A part of 0 runs only when its sibling wants nothing. The ceiling in a brownout keeps paging out of the time
//! that m left unused before and its neighbours had been soaking up.
//!
//! # A node's request and its bound
//! A request reserves `r = max(quantum, longest packet)`, since a packet cannot be cut: with a shorter request
//! the bound is lost. The turn lasts while the next packet is sure to fit. With φ the node's part of all
//! weights, c a chunk of the idle class and `r_max` the longest request of any node:
//! - lag (what the node should have got less what it got) of nodes that stay busy lies in `(-r, r_max)`;
//! - whatever others do, t after it became busy a node has got at least `φ·t − r_max − c`;
//! - the first request after a wake without debt is served within `r/φ + r_max + c`.
//!
//! A packet longer than any before it adds its excess once. A decision costs O(log n).
//!
//! # States of a node
//! ```text
//!              wants the engine: joins at V
//!   Absent ────────────────────────────────────────▶ Runnable ◀─┐ turn after turn
//!     ▲ ▲                                             │   │  └───┘
//!     │ └── stops wanting, or capped, with v <= V ────┘   │
//!     │     (what it was owed is forfeited)               │ the same with v > V
//!     │                                                   ▼
//!     └──────────── V reaches v ─────────────────────── Draining ──▶ Runnable when it wants again, v kept
//! ```
//! So sleeping neither saves nor sheds time, and V never goes back.
//!
//! # Use
//! The engine calls [`Scheduler::set_runnable`] as work comes and goes, [`Scheduler::pick`] for each packet
//! and [`Scheduler::charge`] when it has ended. With no grant it sleeps until
//! [`Scheduler::next_allowed`] or new work.

mod cap;
mod clock;
mod control;
mod figures;
mod heap;
mod node;
mod root;
mod scheduler;
#[cfg(any(test, feature = "std"))]
pub mod sim;
#[cfg(test)]
mod tests;
mod types;
mod waits;

pub use scheduler::Scheduler;
pub use types::{Counters, Entity, Grant, Limits, Policy, Priority, Source, Totals, VfParameters};
