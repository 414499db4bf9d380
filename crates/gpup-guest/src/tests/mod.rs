//! Tests of the whole guest, on a device made of a byte vector and against plain references.

mod faults;
mod hostile;
mod kernels;
mod machine;
mod moves;
mod reference;
mod results;
mod spec;

use std::boxed::Box;

use dxgksim::guest::{Guest, Outcome, Progress};

use crate::random;
use crate::spec::Spec;
use machine::Machine;

/// An image of so many bytes.
fn image(bytes: u64) -> Vec<u8> {
    (0..bytes).map(|index| random::number(77, index) as u8).collect()
}

/// A fresh guest with its image.
fn guest(spec: &Spec) -> Box<dyn Guest> {
    spec.clone().build(Some(image(spec.image_bytes))).unwrap()
}

/// Runs a guest to its end. After each slice `between` may do to it what it likes, then the device executes
/// up to three commands a node, as `seed` has it.
fn drive(
    machine: &mut Machine,
    guest: &mut Box<dyn Guest>,
    seed: u64,
    mut between: impl FnMut(u64, &mut Machine, &mut Box<dyn Guest>),
) -> Result<Outcome, String> {
    for slice in 0..200_000 {
        match guest.run(machine) {
            Progress::Working => machine.clock += 10_000,
            Progress::Waiting(ns) => machine.wait(ns),
            Progress::Finished(outcome) => return Ok(outcome),
            Progress::Failed(words) => return Err(words),
        }
        between(slice, machine, guest);
        for node in 0..2 {
            machine.execute(node, random::number(seed, slice * 2 + node as u64) % 4);
        }
    }
    panic!("the guest does not come to an end");
}

/// The outcome of `steps` steps without a move.
fn outcome(spec: &Spec, steps: u64, seed: u64) -> Outcome {
    let mut guest = guest(spec);
    guest.finish(Some(steps));
    drive(&mut Machine::new(spec.vram_bytes), &mut guest, seed, |_, _, _| {}).unwrap()
}
