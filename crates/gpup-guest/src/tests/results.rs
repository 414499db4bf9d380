//! Results equal the references; guests stop where they are told to.

use std::cell::Cell;

use gpup_core::device::abi::{COPY_NODE, RING_BYTES, reg};
use proptest::prelude::*;

use super::machine::Machine;
use super::{drive, guest, outcome, reference};
use crate::guest::STEP_WINDOW;
use crate::spec::{Pattern, Spec, Workload};

const KIB: u64 = 1024;

pub(super) fn specs() -> impl Strategy<Value = Spec> {
    let image = prop_oneof![Just(0), 1..300_u64, Just(12 * KIB - 3), 0..=16 * KIB];
    let workload = proptest::sample::select(Workload::ALL.to_vec());
    let pattern = proptest::sample::select(Pattern::ALL.to_vec());
    (workload, any::<u64>(), prop_oneof![Just(0), 1..3_000_000_u64], pattern, image).prop_map(
        |(workload, seed, dirty_rate, pattern, image_bytes)| Spec {
            seed,
            dirty_rate,
            pattern,
            image_bytes,
            ..Spec::new(workload, 16 * KIB)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_spec_gives_what_the_reference_gives(spec in specs(), steps in 0..4_u64, seed: u64) {
        let got = outcome(&spec, steps, seed);
        prop_assert_eq!(got.steps, steps);
        prop_assert_eq!(got.result, reference::result(&spec, steps));
    }

    #[test]
    fn stopping_at_once_ends_with_a_whole_step(spec in specs(), seed: u64, at in 0..40_u64) {
        let mut guest = guest(&spec);
        let asked = Cell::new(0);
        let got = drive(&mut Machine::new(spec.vram_bytes), &mut guest, seed, |slice, _, guest| {
            if slice == at {
                guest.finish(None);
                asked.set(guest.steps());
            }
        }).unwrap();
        prop_assert!((asked.get()..=asked.get() + STEP_WINDOW).contains(&got.steps));
        prop_assert_eq!(got.result, reference::result(&spec, got.steps));
    }
}

#[test]
fn full_sizes_give_what_the_references_give() {
    for (workload, bytes) in [
        (Workload::Matmul, 768 * KIB),
        (Workload::Stencil, 2048 * KIB),
        (Workload::Nbody, 64 * KIB),
        (Workload::Writer, 4096 * KIB),
        (Workload::Idle, 4 * KIB),
    ] {
        let spec = Spec { seed: 3, ..Spec::new(workload, 4096 * KIB) };
        assert_eq!(spec.fits().unwrap().work_bytes, bytes);
        assert_eq!(outcome(&spec, 1, 9).result, reference::result(&spec, 1), "{workload}");
    }
}

#[test]
fn matmul_neither_grows_nor_fades() {
    let spec = Spec::new(Workload::Matmul, 4 * KIB);
    let norm = |steps| {
        let mut machine = Machine::new(spec.vram_bytes);
        let mut guest = guest(&spec);
        guest.finish(Some(steps));
        drive(&mut machine, &mut guest, 1, |_, _, _| {}).unwrap();
        let x = &machine.vram[steps as usize % 2 * 1024..][..1024];
        x.chunks_exact(4).map(|it| f64::from(f32::from_le_bytes(it.try_into().unwrap())).powi(2)).sum::<f64>()
    };
    let (start, end) = (norm(0), norm(5000));
    assert!(start > 10.0 && (end / start - 1.0).abs() < 1e-4, "{start} {end}");
}

#[test]
fn an_image_of_the_whole_vf_fits_and_goes_round_the_ring() {
    let spec = Spec { image_bytes: 512 * KIB, ..Spec::new(Workload::Matmul, 512 * KIB) };
    let mut machine = Machine::new(spec.vram_bytes);
    let mut guest = guest(&spec);
    assert_eq!(guest.name(), "idle");
    guest.finish(Some(2));
    let got = drive(&mut machine, &mut guest, 4, |_, _, _| {}).unwrap();
    assert_eq!(machine.vram, super::image(512 * KIB));
    assert!(machine.node_u32(COPY_NODE, reg::TAIL) as usize > 7 * RING_BYTES);
    assert_eq!(got.result, reference::result(&spec, 2));
}

#[test]
fn the_goal_holds_whenever_it_is_set() {
    for workload in Workload::ALL {
        let spec = Spec::new(workload, 16 * KIB);
        let mut guest = guest(&spec);
        let goal = Cell::new(0);
        let got = drive(&mut Machine::new(spec.vram_bytes), &mut guest, 2, |slice, _, guest| {
            if slice == 40 {
                goal.set(guest.steps() + STEP_WINDOW + 20);
                guest.finish(Some(goal.get()));
            }
        });
        assert_eq!(got.unwrap().steps, goal.get(), "{workload}");
        let mut again = Machine::new(spec.vram_bytes);
        assert_eq!(guest.run(&mut again), guest.run(&mut again), "an end is an end");
    }
}

#[test]
fn the_writer_keeps_its_rate_by_the_guests_clock() {
    let spec = Spec { dirty_rate: 50_000, ..Spec::new(Workload::Writer, 64 * KIB) };
    let mut machine = Machine::new(spec.vram_bytes);
    let mut guest = guest(&spec);
    guest.finish(Some(1000));
    let got = drive(&mut machine, &mut guest, 5, |_, machine, _| machine.execute(0, 8)).unwrap();
    let rate = (got.steps * 100) as f64 / (machine.clock as f64 / 1e9);
    assert!((45_000.0..=50_500.0).contains(&rate), "{rate}");
}
