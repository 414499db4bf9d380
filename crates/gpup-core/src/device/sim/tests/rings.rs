//! Guests at work: commands, fences, messages, faults, and nothing of one VF's in another's.

use xxhash_rust::xxh3::xxh3_64;

use super::guest::{Guest, header};
use super::{MIB, device, regions, until};
use crate::device::abi::{
    COMPUTE_NODE, COPY_NODE, FAULT_VECTOR, FLAG_FENCE, FLAG_INTERRUPT, FaultCode, Opcode, RING_BYTES, reg,
    status,
};
use crate::device::sim::registers::node_register;
use crate::device::{Device, Region, stamp};
use crate::{Error, PAGE_SIZE};

#[test]
fn a_guest_identifies_its_device_and_uses_it() {
    let (gpu, _told) = device(1);
    let mut guest = Guest::new(&gpu, 0);
    assert_eq!((guest.bar().load(reg::MAGIC), guest.status()), (u32::from_le_bytes(*b"GPVF"), 0));
    gpu.vf_enable(0, &regions(0)).unwrap();
    (0..3).for_each(|vector| guest.mask(vector, false));
    assert_eq!((guest.bar().load(reg::VRAM_BYTES), guest.status()), (8 * MIB as u32, status::READY));
    let data: Vec<u8> = (0..8000u32).map(|n| (n % 251) as u8).collect();
    // Over the seam of the regions.
    guest.upload(2 * MIB - 4000, &data);
    assert_eq!(guest.read(2 * MIB - 4000, 8000), data);
    assert_eq!(guest.hash(2 * MIB - 4000, 8000), xxh3_64(&data));
    assert_eq!(guest.message(COPY_NODE), 0);
    guest.fill(0, 64, 0x55);
    guest.wait();
    until("the message", || guest.message(COPY_NODE) == 101);
    guest.write_pages(COMPUTE_NODE, 16, 3, 1, 9);
    guest.wait();
    let page = stamp::page(crate::device::abi::Pattern::Random, 9, 3, 16);
    assert_eq!(guest.read(PAGE_SIZE + page * PAGE_SIZE, 64), stamp::bytes(9, 3));
    assert_eq!(guest.register(COMPUTE_NODE, reg::COMMANDS), 1);
    assert!(guest.register(COPY_NODE, reg::BUSY) >= 5 * 2_000);
    until("the charge", || gpu.vf_counters(0, COMPUTE_NODE).unwrap().packets == 1);
}

#[test]
fn rings_wrap_many_times() {
    let (gpu, _told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut guest = Guest::new(&gpu, 0);
    // Lengths that do not divide the ring, so that a NOP fills its end.
    for round in 0..40u32 {
        let data = vec![round as u8; 16 * 1024 - 32 + 16 * (round as usize % 5)];
        guest.upload(u64::from(round) * 32768, &data);
    }
    guest.wait();
    assert!(guest.tails[COPY_NODE] as usize > 8 * RING_BYTES);
    assert_eq!(guest.head(COPY_NODE), guest.tails[COPY_NODE]);
    for round in 0..40u32 {
        assert_eq!(guest.read(u64::from(round) * 32768, 16), [round as u8; 16]);
    }
}

#[test]
fn one_guests_fault_stops_no_other() {
    let (gpu, _told) = device(2);
    for vf in 0..2 {
        gpu.vf_enable(vf, &regions(vf)).unwrap();
    }
    let (mut bad, mut good) = (Guest::new(&gpu, 0), Guest::new(&gpu, 1));
    bad.fill(0, 64, 1);
    bad.wait();
    bad.fill(8 * MIB, 8, 1);
    until("the fault", || bad.faulted());
    let registers = [reg::FAULT_CODE, reg::FAULT_NODE, reg::FAULT_HEAD].map(|at| bad.bar().load(at));
    assert_eq!(registers, [FaultCode::OutOfRange as u32, COPY_NODE as u32, bad.head(COPY_NODE)]);
    until("the fault's message", || bad.message(FAULT_VECTOR) == 102);
    // Neither node executes anything more, and scribbling over the registers changes nothing.
    bad.bar().store(reg::STATUS, status::READY);
    bad.write_pages(COMPUTE_NODE, 16, 0, 16, 1);
    good.fill(0, 4 * MIB, 2);
    good.wait();
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_eq!((bad.fence(COMPUTE_NODE), bad.fence(COPY_NODE)), (0, 1));
    // A reset makes it new.
    gpu.vf_reset(0).unwrap();
    let mut again = Guest::new(&gpu, 0);
    assert_eq!((again.status(), again.fence(COPY_NODE)), (status::READY, 0));
    assert_eq!(again.read(0, 64), vec![0; 64]);
}

#[test]
fn guests_do_not_see_each_other() {
    let (gpu, _told) = device(3);
    let mut guests: Vec<Guest> = (0..3)
        .map(|vf| {
            gpu.vf_enable(vf, &regions(vf)).unwrap();
            Guest::new(&gpu, vf)
        })
        .collect();
    for (vf, guest) in (1..).zip(&mut guests) {
        for piece in 0..2 {
            guest.fill(piece * 4 * MIB, 4 * MIB, vf * 0x0101_0101_0101_0101);
        }
    }
    for guest in &mut guests {
        guest.wait();
    }
    let mut bytes = vec![0; MIB as usize];
    for offset in (0..32 * MIB).step_by(MIB as usize) {
        gpu.vram().read(offset, &mut bytes).unwrap();
        let owner = (offset / (8 * MIB) + 1) as u8;
        let expected = if owner <= 3 { owner } else { 0 };
        assert!(bytes.iter().all(|byte| *byte == expected), "{offset:#x}");
    }
}

#[test]
fn memory_has_one_owner_and_is_zeroed() {
    let (gpu, _told) = device(2);
    gpu.vf_enable(0, &regions(0)).unwrap();
    assert_eq!(gpu.vf_enable(0, &regions(1)), Err(Error::WrongState));
    assert_eq!(gpu.vf_enable(1, &regions(0)[..1]), Err(Error::Busy));
    assert_eq!(gpu.vf_enable(1, &[Region { offset: 100 * MIB, bytes: MIB }]), Err(Error::OutOfRange));
    assert_eq!(gpu.vf_enable(2, &regions(1)), Err(Error::UnknownVf));
    let mut guest = Guest::new(&gpu, 0);
    guest.fill(0, 4 * MIB, u64::MAX);
    guest.wait();
    gpu.vf_disable(0).unwrap();
    assert_eq!((guest.status(), gpu.vf_disable(0)), (0, Err(Error::WrongState)));
    assert_eq!(gpu.vf_read(0, 0, &mut [0; 8]), Err(Error::WrongState));
    let mut bytes = vec![1; 8 * MIB as usize];
    gpu.vram().read(0, &mut bytes).unwrap();
    assert!(bytes.iter().all(|byte| *byte == 0));
    gpu.vf_enable(1, &regions(0)).unwrap();
    assert_eq!(Guest::new(&gpu, 1).read(0, 64), vec![0; 64]);
}

#[test]
fn a_guest_that_scribbles_over_its_registers_harms_itself_only() {
    let (gpu, _told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut guest = Guest::new(&gpu, 0);
    guest.fill(0, 64, 1);
    guest.wait();
    let head = guest.head(COPY_NODE);
    guest.bar().store(node_register(COPY_NODE, reg::HEAD), 0x4000);
    guest.bar().store64(node_register(COPY_NODE, reg::FENCE), 1 << 40);
    let nop = header(Opcode::Nop as u16, FLAG_FENCE | FLAG_INTERRUPT, 16, 9);
    guest.fences[COPY_NODE] = 9;
    guest.bar().store(node_register(COPY_NODE, reg::HEAD), head);
    guest.ring(COPY_NODE, &nop);
    until("the fence, from the device's own copy", || guest.fence(COPY_NODE) == 9);
    assert_eq!(guest.head(COPY_NODE), head + 16);
    // A doorbell that cannot be true.
    guest.bar().store(node_register(COPY_NODE, reg::TAIL), head.wrapping_sub(16));
    until("the fault", || guest.faulted());
    assert_eq!(guest.bar().load(reg::FAULT_CODE), FaultCode::BadLength as u32);
}
