//! States that no guest saved.

use dxgksim::guest::{GuestLoader, Progress};
use proptest::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::machine::Machine;
use super::{drive, guest};
use crate::spec::{Spec, Workload};
use crate::state::Loader;

/// The state of a guest after so many slices.
fn state(workload: Workload, slices: u64) -> Vec<u8> {
    let spec = Spec { image_bytes: 9_000, ..Spec::new(workload, 64 * 1024) };
    let mut guest = guest(&spec);
    guest.finish(Some(2));
    let mut state = guest.save();
    let _ = drive(&mut Machine::new(spec.vram_bytes), &mut guest, 1, |slice, _, guest| {
        if slice == slices {
            state = guest.save();
        }
    });
    state
}

/// Makes the envelope whole again.
fn seal(state: &mut [u8]) {
    let body = state.len() - 32;
    state[16..24].copy_from_slice(&(body as u64).to_le_bytes());
    let hash = xxh3_64(&state[..body + 24]);
    state[body + 24..].copy_from_slice(&hash.to_le_bytes());
}

/// Loads a state and, where that works, runs it for a while: anything but a panic is right.
fn survives(state: &[u8]) {
    let Ok(mut guest) = Loader.load(state) else { return };
    let mut machine = Machine::new(16 * 1024);
    guest.finish(None);
    for _ in 0..20 {
        if let Progress::Failed(_) | Progress::Finished(_) = guest.run(&mut machine) {
            break;
        }
        machine.execute(0, 3);
        machine.execute(1, 3);
    }
    assert!(Loader.load(&guest.save()).is_ok());
}

proptest! {
    #[test]
    fn damage_is_refused(slices in 0..40_u64, at: prop::sample::Index, bit in 0..8) {
        let mut state = state(Workload::Idle, slices);
        let at = at.index(state.len());
        state[at] ^= 1_u8 << bit;
        prop_assert!(Loader.load(&state).is_err());
        prop_assert!(Loader.load(&state[..at]).is_err());
    }

    #[test]
    fn a_sealed_lie_does_no_harm(
        workload in prop::sample::select(Workload::ALL.to_vec()),
        slices in 0..40_u64,
        lies in prop::collection::vec((0..64_usize, prop_oneof![any::<u32>(), 0..3_u32, Just(u32::MAX)]), 1..4),
        cut in 0..3_usize,
    ) {
        let mut state = state(workload, slices);
        for (word, lie) in lies {
            if let Some(bytes) = state.get_mut(24 + word * 4..28 + word * 4) {
                bytes.copy_from_slice(&lie.to_le_bytes());
            }
        }
        state.truncate(state.len() - cut * 4);
        seal(&mut state);
        survives(&state);
    }

    #[test]
    fn noise_is_refused(noise in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Loader.load(&noise).is_err());
    }
}

#[test]
fn every_word_may_be_the_largest_or_zero() {
    for workload in Workload::ALL {
        for slices in [0, 12, 10_000] {
            let state = state(workload, slices);
            for at in (24..state.len().min(280) - 8).step_by(4) {
                for lie in [[0; 8], [0xff; 8], 1_u64.to_le_bytes(), (1_u64 << 47).to_le_bytes()] {
                    let mut state = state.clone();
                    state[at..at + 8].copy_from_slice(&lie);
                    seal(&mut state);
                    survives(&state);
                }
            }
        }
    }
}

#[test]
fn another_version_is_named() {
    let mut state = state(Workload::Idle, 3);
    state[8] = 2;
    seal(&mut state);
    let said = Loader.load(&state).map(|_| ()).unwrap_err();
    assert!(said.contains("version 2"), "{said}");
}
