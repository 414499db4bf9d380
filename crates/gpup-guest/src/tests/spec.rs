//! Names, and what fits.

use proptest::prelude::*;

use super::image;
use crate::spec::{Pattern, Spec, Workload};

#[test]
fn names_are_read_as_they_are_written() {
    for workload in Workload::ALL {
        assert_eq!(workload.to_string().parse(), Ok(workload));
    }
    for pattern in Pattern::ALL {
        assert_eq!(pattern.to_string().parse(), Ok(pattern));
    }
    let said = "chess".parse::<Workload>().unwrap_err();
    assert!(said.contains("chess") && said.contains("stencil"), "{said}");
    assert!("cold".parse::<Pattern>().unwrap_err().contains("hot"));
}

#[test]
fn what_cannot_be_is_refused_up_front() {
    let spec = |vram_bytes, image_bytes| Spec { image_bytes, ..Spec::new(Workload::Matmul, vram_bytes) };
    for (vram, bytes) in [(0, 0), (4097, 0), (u64::MAX, 0), (8192, 8193), (4096, u64::MAX)] {
        assert!(spec(vram, bytes).fits().is_err(), "{vram} {bytes}");
    }
    let said = spec(8192, 8193).fits().unwrap_err();
    assert!(said.contains("8193") && said.contains("8192"), "{said}");
    assert!(spec(8192, 8192).fits().is_ok());
    assert!(spec(8192, 5).build(None).is_err());
    assert!(spec(8192, 5).build(Some(image(6))).is_err());
    assert!(spec(8192, 5).build(Some(image(5))).is_ok());
}

proptest! {
    #[test]
    fn work_and_image_share_the_vf(
        workload in prop::sample::select(Workload::ALL.to_vec()),
        pages in 1..2000_u64,
        share in 0.0..=1.0_f64,
    ) {
        let vram = pages * 4096;
        let image_bytes = (vram as f64 * share) as u64;
        let footprint = Spec { image_bytes, ..Spec::new(workload, vram) }.fits().unwrap();
        prop_assert!(footprint.work_bytes <= footprint.image_at);
        prop_assert!(footprint.image_at + footprint.image_bytes <= vram);
        prop_assert!(footprint.image_at.is_multiple_of(4096) && footprint.work_bytes.is_multiple_of(8));
        prop_assert!((image_bytes..image_bytes + 8).contains(&footprint.image_bytes));
        prop_assert!(footprint.workload == workload || footprint.image_at < 4096);
    }
}
