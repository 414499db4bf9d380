//! A VF's state saved and put back, here or on another device.

use std::time::Duration;

use super::guest::Guest;
use super::{MIB, device, regions};
use crate::device::Device;
use crate::device::abi::{COMPUTE_NODE, COPY_NODE, status};
use crate::migration::Damage;
use crate::migration::state::VfHardware;
use crate::{Error, PAGE_SIZE};

/// Work of which every step overwrites some of the one before, and of which each node has memory of its own.
fn work(guest: &mut Guest, steps: std::ops::Range<u64>) {
    for step in steps {
        guest.write_pages(COMPUTE_NODE, 255, step * 300, 300, 3);
        guest.fill(MIB + step % 7 * 512, 2048, step);
        guest.write_pages_at(COPY_NODE, MIB, 7 * MIB / PAGE_SIZE, step * 200, 200, step);
    }
}

fn digest(guest: &mut Guest) -> [u64; 2] {
    [0, 4 * MIB].map(|at| guest.hash(at, 4 * MIB))
}

#[test]
fn a_vf_moved_in_mid_work_ends_like_one_left_alone() {
    let alone = {
        let (gpu, _told) = device(1);
        gpu.vf_enable(0, &regions(0)).unwrap();
        let mut guest = Guest::new(&gpu, 0);
        work(&mut guest, 0..120);
        guest.wait();
        digest(&mut guest)
    };
    for after in [0, 1, 4] {
        let (source, _s) = device(1);
        let (target, _t) = device(2);
        source.vf_enable(0, &regions(0)).unwrap();
        target.vf_enable(1, &regions(1)).unwrap();
        target.vf_pause(1).unwrap();
        let mut guest = Guest::new(&source, 0);
        work(&mut guest, 0..120);
        std::thread::sleep(Duration::from_millis(after));
        source.vf_pause(0).unwrap();
        let mut state = VfHardware::new().unwrap();
        let saving = allocation_counter::measure(|| source.vf_save(0, &mut state).unwrap());
        assert_eq!(saving.count_total, 0);
        let mut memory = vec![0; 8 * MIB as usize];
        source.vf_read(0, 0, &mut memory).unwrap();
        target.vf_write(1, 0, &memory).unwrap();
        target.vf_restore(1, &state).unwrap();
        let (fences, tails) = (guest.fences, guest.tails);
        let mut guest = Guest::new(&target, 1);
        (guest.fences, guest.tails) = (fences, tails);
        target.vf_resume(1).unwrap();
        guest.wait();
        assert_eq!(digest(&mut guest), alone, "{after} ms");
        assert_eq!(guest.status(), status::READY);
    }
}

#[test]
fn saving_twice_gives_the_same_and_restoring_gives_it_back() {
    let (gpu, _told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut guest = Guest::new(&gpu, 0);
    guest.mask(2, true);
    work(&mut guest, 0..8);
    assert!(!guest.read(0, 64).is_empty());
    gpu.vf_pause(0).unwrap();
    let (mut first, mut second) = (VfHardware::new().unwrap(), VfHardware::new().unwrap());
    gpu.vf_save(0, &mut first).unwrap();
    gpu.vf_save(0, &mut second).unwrap();
    assert_eq!(first, second);
    assert_eq!(first.masked, 0b100);
    gpu.vf_reset(0).unwrap();
    gpu.vf_save(0, &mut second).unwrap();
    assert_ne!(first, second);
    gpu.vf_restore(0, &first).unwrap();
    gpu.vf_save(0, &mut second).unwrap();
    assert_eq!(first, second);
}

#[test]
fn a_hostile_state_is_refused_and_changes_nothing() {
    let (gpu, _told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut guest = Guest::new(&gpu, 0);
    work(&mut guest, 0..3);
    guest.wait();
    gpu.vf_pause(0).unwrap();
    let mut good = VfHardware::new().unwrap();
    gpu.vf_save(0, &mut good).unwrap();
    let changes: [fn(&mut VfHardware); 9] = [
        |state| state.status = 4,
        |state| state.status |= status::FAULT,
        |state| state.fault[0] = 99,
        |state| state.fault[1] = 2,
        |state| state.pending = 8,
        |state| state.masked = 1 << 31,
        |state| state.nodes[1].head += 8,
        |state| state.nodes[0].ring = Box::new([0; 16]),
        |state| state.readback = Box::new([]),
    ];
    for change in changes {
        let mut bad = good.clone();
        // What would show if it were taken over before all was checked.
        bad.nodes[0].fence = 77;
        change(&mut bad);
        let refused = gpu.vf_restore(0, &bad);
        assert!(matches!(refused, Err(Error::Corrupt(Damage::BadValue | Damage::BadLength))), "{refused:?}");
        let mut now = VfHardware::new().unwrap();
        gpu.vf_save(0, &mut now).unwrap();
        assert_eq!(now, good);
    }
    let mut short = VfHardware { readback: Box::new([]), ..VfHardware::new().unwrap() };
    assert_eq!(gpu.vf_save(0, &mut short), Err(Error::BufferTooSmall));
}

#[test]
fn a_doorbell_that_cannot_be_true_faults_where_it_arrives() {
    let (gpu, _told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    gpu.vf_pause(0).unwrap();
    let mut state = VfHardware::new().unwrap();
    state.nodes[0].tail = 0x8000_0000;
    gpu.vf_restore(0, &state).unwrap();
    gpu.vf_resume(0).unwrap();
    let guest = Guest::new(&gpu, 0);
    super::until("the fault", || guest.faulted());
}

#[test]
fn a_faulted_vf_moves_as_faulted() {
    let (gpu, _told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut guest = Guest::new(&gpu, 0);
    guest.fill(4, 8, 1);
    super::until("the fault", || guest.faulted());
    gpu.vf_pause(0).unwrap();
    let mut state = VfHardware::new().unwrap();
    gpu.vf_save(0, &mut state).unwrap();
    gpu.vf_reset(0).unwrap();
    gpu.vf_restore(0, &state).unwrap();
    gpu.vf_resume(0).unwrap();
    guest.fill(0, 8, 1);
    std::thread::sleep(Duration::from_millis(2));
    assert_eq!((guest.status(), guest.fence(COPY_NODE)), (status::READY | status::FAULT, 0));
}
