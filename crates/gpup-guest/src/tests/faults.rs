//! What a guest says when its VF does not do as it should.

use dxgksim::guest::{GuestLoader, MsixMessage, Progress};
use gpup_core::device::abi::{self, FaultCode, reg};

use super::machine::{Machine, register};
use super::{drive, guest};
use crate::spec::{Spec, Workload};
use crate::state::Loader;

fn spec() -> Spec {
    Spec::new(Workload::Stencil, 64 * 1024)
}

/// What the guest says when `break_it` happens after its tenth slice.
fn words(break_it: impl Fn(&mut Machine)) -> String {
    let mut guest = guest(&spec());
    let mut machine = Machine::new(spec().vram_bytes);
    let said = drive(&mut machine, &mut guest, 3, |slice, machine, guest| {
        if slice == 10 {
            break_it(machine);
            guest.run(machine);
        }
    })
    .unwrap_err();
    let mut moved = Loader.load(&guest.save()).unwrap();
    assert_eq!(moved.run(&mut machine), Progress::Failed(said.clone()));
    said
}

#[test]
fn a_refused_command_is_told_with_its_reason() {
    for (code, reason) in [
        (FaultCode::UnknownCommand, "unknown command"),
        (FaultCode::BadLength, "bad length"),
        (FaultCode::Misaligned, "misaligned"),
        (FaultCode::OutOfRange, "outside the VF's memory"),
        (FaultCode::BadParameter, "outside its limits"),
        (FaultCode::Reset, "reset"),
    ] {
        let said = words(|machine| machine.fault(abi::COMPUTE_NODE, code));
        assert!(said.contains(reason) && said.contains("compute"), "{said}");
    }
}

#[test]
fn a_device_that_lost_something_is_found_out() {
    let zero = |offset, bytes| move |machine: &mut Machine| machine.bar.poke(offset, &[0; 8][..bytes]);
    let said = words(zero(register(abi::COPY_NODE, reg::TAIL), 4));
    assert!(said.contains("doorbell"), "{said}");
    let said = words(zero(register(abi::COPY_NODE, reg::FENCE), 8));
    assert!(said.contains("fence"), "{said}");
    let said = words(|machine| machine.bar.poke(register(1, reg::FENCE), &u64::MAX.to_le_bytes()));
    assert!(said.contains("fence"), "{said}");
    let said = words(|machine| machine.bar.poke(register(1, reg::HEAD), &0xffff_fff0_u32.to_le_bytes()));
    assert!(said.contains("head"), "{said}");
    let said = words(|machine| machine.messages = 1 << 7);
    assert!(said.contains("0x80"), "{said}");
}

#[test]
fn a_device_it_does_not_know_is_refused() {
    let first = |prepare: &dyn Fn(&Machine)| {
        let mut machine = Machine::new(spec().vram_bytes);
        prepare(&machine);
        guest(&spec()).run(&mut machine)
    };
    for (offset, word) in [(reg::MAGIC, "magic"), (reg::VERSION, "version"), (reg::VRAM_BYTES, "VRAM")] {
        let said = first(&|machine| machine.bar.poke(offset, &0_u32.to_le_bytes()));
        assert!(matches!(&said, Progress::Failed(words) if words.contains(word)), "{said:?}");
    }
    let said = first(&|machine| machine.bar.poke(reg::STATUS, &0_u32.to_le_bytes()));
    assert!(matches!(said, Progress::Waiting(_)), "not ready is not a failure: {said:?}");
}

#[test]
fn vectors_are_enabled_once_and_must_survive_a_move() {
    let mut machine = Machine::new(spec().vram_bytes);
    let mut guest = guest(&spec());
    guest.run(&mut machine);
    for (vector, entry) in machine.msix.iter().enumerate() {
        assert_eq!((entry.data as usize, entry.control), (vector, 0));
    }
    let state = guest.save();
    assert!(matches!(Loader.load(&state).unwrap().run(&mut machine), Progress::Waiting(_)));
    machine.msix[1] = MsixMessage::default();
    let said = Loader.load(&state).unwrap().run(&mut machine);
    assert!(matches!(&said, Progress::Failed(words) if words.contains("MSI-X")), "{said:?}");
}

#[test]
fn status_is_looked_at_without_a_message() {
    let mut guest = guest(&spec());
    let mut machine = Machine::new(spec().vram_bytes);
    machine.deaf = true;
    guest.run(&mut machine);
    machine.fault(abi::COPY_NODE, FaultCode::Reset);
    assert!(matches!(guest.run(&mut machine), Progress::Failed(_)));
}
