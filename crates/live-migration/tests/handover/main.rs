//! A model checker over the hand-over: every order of faults, within bounds, against the step functions that run.
//!
//! # What is modelled
//!
//! The model runs `live_migration::handover`'s `Source::step` and `Target::step` themselves; round them it has what the
//! agents and the tool are to them:
//!
//! - **The control connection**, two directions, each in order. A word may take as long as it likes; from any point on
//!   everything may be lost; each side notices the end of it, or loses its patience, on its own and at any time.
//! - **Questions**, each a connection of its own: Ask, Commit again and Discard, of the source, of a restore and of an
//!   operator. One may be lost before or after it has had its effect, arrive twice, or arrive when whoever asked has long
//!   asked again or crashed, in any order. It may reach the target, the target's successor at the same address, or any
//!   other process there, which may say anything in its own name.
//! - **Deadlines**: of the pause, of the answer to Commit, of settling, of the target's patience; cancellations before and
//!   after Commit.
//! - **Processes**: the source, two target hosts and the restore of a file each crash at any point, within the bound;
//!   what is in memory is gone. A target that is started again bears a new name and knows nothing. A file outlives all.
//!   Saving to it fails, or succeeds and the source crashes before it knows.
//! - **The target's own failures**: while it takes the VM in, when it stands ready, when it is to run it.
//! - **Two migrations of one VM**, one after another, to the same host, to its successor or to the other host, while
//!   words of the first are on their way and its target may be in doubt.
//! - **An operator** who looks, says Run or Discard, restores a file, and forces that; a careful one, who knows what the
//!   reports say (`rules`).
//!
//! # What is shown
//!
//! Safety and liveness in `properties`; liveness is judged from every world, by letting a fair wire finish it
//! (`fair`). `real` lists which rows of the machines' tables are reached, so that a world that is forgotten here shows.
//! `near_misses` breaks one rule at a time and asserts the shortest way to the harm.
//!
//! `cargo test -p live-migration --test handover -- --nocapture` says how many worlds there are; with `GPUP_MODEL=wide`
//! the bounds are wider.
//!
//! # What is not
//!
//! - The VM itself, its pages, its proof and the streams: all that came or failed is one word.
//! - Time. A deadline passes whenever it likes, which is more than happens; nothing is said of how long anything takes.
//! - Threads of one process: a machine's step, and what is done on it, is one move. Whoever runs a machine must take
//!   steps under one lock, as `live_migration::handover` says.
//! - Identities that collide, processes that lie in another's name, files that change or are read before the source has
//!   said that it saved them, a disk that loses what it called durable.
//! - Further migrations of a VM that was restored or that a target runs: they begin like the first.
//! - What the operator hears: a careful one acts on what is so. Two restores of one file at once are a near miss, as
//!   nothing in the hand-over forbids them.

mod apply;
mod asker;
mod enabled;
mod explore;
mod fair;
mod host;
mod model;
mod moves;
mod near_misses;
mod properties;
mod real;
mod rules;
mod seen;
mod wire;
mod world;
