//! A guest is moved between slices and nothing can tell.

use std::boxed::Box;

use dxgksim::guest::{Guest, GuestLoader};
use proptest::prelude::*;

use super::machine::Machine;
use super::results::specs;
use super::{drive, guest, outcome, random};
use crate::spec::{Spec, Workload};
use crate::state::Loader;

/// Saves the guest and makes a new one of it.
fn moved(guest: &mut Box<dyn Guest>) {
    let state = guest.save();
    let other = Loader.load(&state).unwrap();
    assert_eq!(other.save(), state);
    assert_eq!((other.steps(), other.name()), (guest.steps(), guest.name()));
    *guest = other;
}

#[test]
fn moving_between_any_two_slices_changes_nothing() {
    for workload in Workload::ALL {
        let spec = Spec { image_bytes: 12_345, seed: 8, ..Spec::new(workload, 64 * 1024) };
        let mut guest = guest(&spec);
        moved(&mut guest);
        guest.finish(Some(4));
        let got = drive(&mut Machine::new(spec.vram_bytes), &mut guest, 6, |_, _, guest| moved(guest));
        assert_eq!(got.unwrap(), outcome(&spec, 4, 1), "{workload}");
        moved(&mut guest);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn moves_at_any_time_without_messages_change_nothing(spec in specs(), steps in 0..6_u64, seed: u64, deaf: bool) {
        let mut guest = guest(&spec);
        let mut machine = Machine::new(spec.vram_bytes);
        guest.finish(Some(steps));
        machine.deaf = deaf;
        let got = drive(&mut machine, &mut guest, seed, |slice, machine, guest| {
            if random::number(!seed, slice).is_multiple_of(3) {
                moved(guest);
                // What was on its way at the move is lost.
                machine.messages = 0;
            }
        });
        prop_assert_eq!(got.unwrap(), outcome(&spec, steps, !seed));
    }
}

#[test]
fn the_image_is_carried_only_until_it_is_given_to_the_device() {
    let spec = Spec { image_bytes: 100_000, ..Spec::new(Workload::Idle, 1 << 20) };
    let mut guest = guest(&spec);
    let mut last = guest.save().len();
    assert!(last > 100_000);
    guest.finish(Some(3));
    drive(&mut Machine::new(spec.vram_bytes), &mut guest, 6, |_, _, guest| {
        assert!(guest.save().len() <= last);
        last = guest.save().len();
    })
    .unwrap();
    assert!(last < 512, "{last}");
}
