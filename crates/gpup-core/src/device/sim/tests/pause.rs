//! After a pause nothing of the VF's happens: no write, no mark, no message.

use std::time::Duration;

use super::guest::Guest;
use super::{MIB, Watch, device, regions, until};
use crate::device::Device;
use crate::device::abi::{COMPUTE_NODE, COPY_NODE};
use crate::device::sim::hang::HANG_NS;
use crate::{Error, PAGE_SIZE};

fn snapshot(gpu: &super::SimGpu) -> Vec<u8> {
    let mut bytes = vec![0; 8 * MIB as usize];
    gpu.vf_read(0, 0, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_paused_vf_is_still() {
    let (gpu, _told) = device(2);
    for vf in 0..2 {
        gpu.vf_enable(vf, &regions(vf)).unwrap();
    }
    let (mut guest, mut other) = (Guest::new(&gpu, 0), Guest::new(&gpu, 1));
    let watch = Watch::new(&gpu, &regions(0));
    let pages = 8 * MIB / PAGE_SIZE - 1;
    for round in 0..15u64 {
        for step in 0..6 {
            let index = (round * 6 + step) * 1000;
            guest.write_pages((step % 2) as usize, pages, index, 1000, 5);
        }
        std::thread::sleep(Duration::from_micros(200 * round));
        gpu.vf_pause(0).unwrap();
        let fences = [guest.fence(0), guest.fence(1)];
        let (memory, _) = (snapshot(&gpu), watch.dirty());
        (0..3).for_each(|vector| _ = guest.message(vector));
        other.fill(0, 64, round);
        other.wait();
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!([guest.fence(0), guest.fence(1)], fences);
        assert_eq!((0..3).map(|vector| guest.message(vector)).sum::<u32>(), 0);
        assert_eq!(watch.dirty(), []);
        assert!(memory == snapshot(&gpu), "memory changed in a pause");
        gpu.vf_resume(0).unwrap();
    }
    guest.write_pages(COPY_NODE, pages, 0, 1, 5);
    guest.wait();
    assert!(!watch.dirty().is_empty());
}

/// A guest whose packet hangs with this preemption timeout, and that guest's device.
fn hanging(preempt_timeout_us: u32) -> (std::sync::Arc<super::SimGpu>, Guest) {
    let (gpu, _told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    let parameters =
        crate::sched::VfParameters { quantum_us: 1000, preempt_timeout_us, ..Default::default() };
    gpu.vf_parameters(0, parameters).unwrap();
    gpu.hang(COMPUTE_NODE, Some(0)).unwrap();
    let mut guest = Guest::new(&gpu, 0);
    guest.write_pages(COMPUTE_NODE, 16, 0, 1, 1);
    until("the hang", || gpu.shared.nodes[COMPUTE_NODE].hangs());
    (gpu, guest)
}

/// Who pauses waits as a neighbour does.
#[test]
fn a_pause_cuts_a_packet_past_its_preemption_timeout() {
    let (gpu, guest) = hanging(20_000);
    std::thread::sleep(Duration::from_millis(60));
    assert!(!guest.faulted(), "nobody waits");
    gpu.vf_pause(0).unwrap();
    assert!(guest.faulted());
    assert_eq!(gpu.vf_counters(0, COMPUTE_NODE).unwrap().resets, 1);
}

#[test]
fn a_pause_gives_up_on_a_packet_that_may_not_be_cut() {
    let (gpu, guest) = hanging(0);
    assert_eq!(gpu.vf_pause(0), Err(Error::Timeout));
    assert!(
        gpu.running(COMPUTE_NODE).unwrap().since_ns >= HANG_NS,
        "it gave up on a packet that may yet end"
    );
    assert!(!guest.faulted());
    // It was not paused: the reset of the engine ends the packet, and the next reset begins anew.
    assert_eq!(gpu.reset_engine(COMPUTE_NODE).unwrap().vf, Some(0));
    until("the fault", || guest.faulted());
    gpu.vf_pause(0).unwrap();
    gpu.vf_reset(0).unwrap();
    gpu.vf_resume(0).unwrap();
    let mut guest = Guest::new(&gpu, 0);
    guest.write_pages(COMPUTE_NODE, 16, 0, 1, 1);
    guest.wait();
}

#[test]
fn messages_wait_for_the_end_of_a_pause_and_come_once() {
    let (gpu, _told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut guest = Guest::new(&gpu, 0);
    guest.mask(COPY_NODE, true);
    guest.fill(0, 64, 1);
    guest.wait();
    gpu.vf_pause(0).unwrap();
    gpu.vf_pause(0).unwrap();
    guest.mask(COPY_NODE, false);
    assert_eq!(guest.message(COPY_NODE), 0);
    gpu.vf_resume(0).unwrap();
    assert_eq!(guest.message(COPY_NODE), 101);
    gpu.vf_resume(0).unwrap();
    guest.mask(COPY_NODE, true);
    guest.mask(COPY_NODE, false);
    assert_eq!(guest.message(COPY_NODE), 0);
}

#[test]
fn a_pause_waits_for_its_own_vf_only() {
    let (gpu, _told) = device(2);
    for vf in 0..2 {
        gpu.vf_enable(vf, &regions(vf)).unwrap();
    }
    let (mut hung, mut other) = (Guest::new(&gpu, 0), Guest::new(&gpu, 1));
    gpu.hang(COMPUTE_NODE, Some(0)).unwrap();
    hung.write_pages(COMPUTE_NODE, 16, 0, 1, 1);
    other.fill(0, 64, 1);
    other.wait();
    until("the hang", || gpu.shared.nodes[COMPUTE_NODE].hangs());
    // Had it waited for the other's packet, it would have given up.
    gpu.vf_pause(1).unwrap();
    assert!(gpu.shared.nodes[COMPUTE_NODE].hangs());
    // A function level reset ends even a packet that hangs.
    gpu.vf_reset(0).unwrap();
    let mut again = Guest::new(&gpu, 0);
    again.write_pages(COMPUTE_NODE, 16, 0, 1, 1);
    again.wait();
}

#[test]
fn a_pause_outlives_a_reset_and_may_come_before_the_memory() {
    let (gpu, _told) = device(1);
    gpu.vf_pause(0).unwrap();
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut guest = Guest::new(&gpu, 0);
    guest.fill(0, 64, 1);
    std::thread::sleep(Duration::from_millis(2));
    assert_eq!(guest.fence(COPY_NODE), 0);
    gpu.vf_reset(0).unwrap();
    let mut guest = Guest::new(&gpu, 0);
    guest.fill(0, 64, 1);
    std::thread::sleep(Duration::from_millis(2));
    assert_eq!(guest.fence(COPY_NODE), 0);
    gpu.vf_resume(0).unwrap();
    guest.wait();
    until("the message", || guest.message(COPY_NODE) == 101);
}

#[test]
fn the_host_touches_a_paused_vf_only() {
    let (gpu, _told) = device(1);
    assert_eq!(gpu.vf_write(0, 0, &[1; 8]), Err(Error::WrongState));
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut state = crate::migration::state::VfHardware::new().unwrap();
    assert_eq!(gpu.vf_write(0, 0, &[1; 8]), Err(Error::WrongState));
    assert_eq!(gpu.vf_save(0, &mut state), Err(Error::WrongState));
    assert_eq!(gpu.vf_restore(0, &state), Err(Error::WrongState));
    gpu.vf_pause(0).unwrap();
    let watch = Watch::new(&gpu, &regions(0));
    gpu.vf_write(0, 2 * MIB - 4, &[1; 8]).unwrap();
    assert_eq!(watch.dirty(), [511, 512]);
    let mut bytes = [0; 16];
    gpu.vf_read(0, 2 * MIB - 8, &mut bytes).unwrap();
    assert_eq!(bytes, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
    assert_eq!(gpu.vf_write(0, 8 * MIB - 4, &[1; 8]), Err(Error::OutOfRange));
    assert_eq!(gpu.vf_read(0, u64::MAX, &mut bytes), Err(Error::OutOfRange));
}
