//! Buffers from user mode: any address and length, loops, and nothing that is the kernel's.

use proptest::prelude::*;

use super::guest::Guest;
use super::tables::{Pages, Process, encoded};
use super::{MIB, Told, device, hear, regions, until};
use crate::PAGE_SIZE;
use crate::device::abi::{COMPUTE_NODE, COPY_NODE, NODES};
use crate::device::page_table::Entry;
use crate::device::paging::Encoder;
use crate::device::{Author, Device, Fault, TableAddress};

/// Where the process sees its two MiB of system memory, and as many of VRAM.
const SYSTEM: u64 = 0;
const LOCAL: u64 = 2 * MIB;
/// GPU virtual address of the buffer.
const BUFFER: u64 = 1 << 30;

#[test]
fn any_address_and_length_is_copied_and_filled_and_nothing_beside_it() {
    let (gpu, told) = device(1);
    let mut process = Process::new(&gpu, 8 * MIB);
    let system = Pages::new(4);
    process.map_pages(SYSTEM, &system);
    process.map_local(LOCAL, 0, 4 * PAGE_SIZE);
    let mut model = vec![0u8; 4 * PAGE_SIZE as usize];
    let mut writer = gpu.tracker().writer().unwrap();
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let place = 0u64..2 * PAGE_SIZE;
    let process = std::cell::RefCell::new((process, &mut model, &mut writer));
    runner
        .run(
            &(place.clone(), place, 0u64..9000, any::<u32>(), any::<bool>()),
            |(from, to, bytes, pattern, fill)| {
                let (process, model, writer) = &mut *process.borrow_mut();
                let bytes = bytes.min(2 * PAGE_SIZE);
                let (first, last) = (to as usize, (to + bytes) as usize);
                for word in 0..4 * 512 {
                    system.set(word, (word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                }
                model.fill(0x5a);
                writer.write(0, model).unwrap();
                let buffer = encoded(|encoder| {
                    if fill {
                        encoder.fill(LOCAL + to, bytes, pattern).unwrap();
                    } else {
                        encoder.copy(SYSTEM + from, LOCAL + to, bytes).unwrap();
                    }
                });
                if fill {
                    let pattern = pattern.to_le_bytes();
                    model[first..last]
                        .iter_mut()
                        .zip(pattern.iter().cycle())
                        .for_each(|(to, from)| *to = *from);
                } else {
                    model[first..last].copy_from_slice(&system.bytes()[from as usize..][..bytes as usize]);
                }
                let fence = process.submit_from(Author::User, COMPUTE_NODE, &buffer);
                prop_assert_eq!(hear(&told), Told::Completed(COMPUTE_NODE, fence));
                let mut there = vec![0; model.len()];
                gpu.vram().read(0, &mut there).unwrap();
                prop_assert!(there == **model, "{} bytes to {:#x}", bytes, to);
                Ok(())
            },
        )
        .unwrap();
}

#[test]
fn system_memory_is_filled_to_the_byte() {
    let (gpu, told) = device(1);
    let mut process = Process::new(&gpu, 8 * MIB);
    let system = Pages::new(2);
    process.map_pages(SYSTEM, &system);
    for (at, bytes) in [(1, 1), (3, 12), (4, 4), (4093, 10), (12, 4084), (8, 0)] {
        (0..1024).for_each(|word| system.set(word, 0));
        let buffer = encoded(|encoder| encoder.fill(SYSTEM + at, bytes, 0xd4c3_b2a1).unwrap());
        let fence = process.submit_from(Author::User, COPY_NODE, &buffer);
        assert_eq!(hear(&told), Told::Completed(COPY_NODE, fence));
        let pattern = [0xa1, 0xb2, 0xc3, 0xd4];
        let expected: Vec<u8> = (0..2 * PAGE_SIZE)
            .map(
                |byte| if (at..at + bytes).contains(&byte) { pattern[((byte - at) % 4) as usize] } else { 0 },
            )
            .collect();
        assert!(system.bytes() == expected, "{bytes} bytes at {at}");
    }
}

#[test]
fn what_is_the_kernels_is_refused_before_it_does_anything() {
    let (gpu, told) = device(1);
    let mut process = Process::new(&gpu, 8 * MIB);
    let system = Pages::new(1);
    process.map_pages(SYSTEM, &system);
    type Encode = fn(&mut Encoder<'_>);
    let privileged: [Encode; 3] = [
        |encoder| encoder.store(SYSTEM, 7).unwrap(),
        |encoder| assert_eq!(encoder.write_entries(SYSTEM, 0, 1, |_| Entry(7)), Ok(1)),
        |encoder| encoder.flush_tlb(TableAddress::Local(0)).unwrap(),
    ];
    for encode in privileged {
        let before = gpu.shared.tlb_epoch.load(std::sync::atomic::Ordering::SeqCst);
        let buffer = encoded(|encoder| {
            encoder.fill(SYSTEM + 8, 8, 1).unwrap();
            encode(encoder);
        });
        system.set(1, 0);
        let fence = process.submit_from(Author::User, COPY_NODE, &buffer);
        assert_eq!(hear(&told), Told::Faulted(COPY_NODE, fence, Fault::Operation(BUFFER + 32)));
        assert_eq!((system.get(0), system.get(1)), (0, 0x1_0000_0001));
        assert_eq!(gpu.shared.tlb_epoch.load(std::sync::atomic::Ordering::SeqCst), before);
        // The same of the kernel's is done.
        let fence = process.submit_from(Author::Kernel, COPY_NODE, &buffer);
        assert_eq!(hear(&told), Told::Completed(COPY_NODE, fence));
        system.set(0, 0);
    }
}

#[test]
fn altered_buffers_end_and_change_only_what_the_process_maps() {
    let (gpu, told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut guest = Guest::new(&gpu, 0);
    guest.fill(0, 4 * MIB, 0x1234);
    let expected = guest.hash(0, 4 * MIB);
    let mut process = Process::new(&gpu, 8 * MIB);
    let system = Pages::new(4);
    process.map_pages(SYSTEM, &system);
    let process = std::cell::RefCell::new(process);
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let change = (0usize..32, any::<u8>());
    runner
        .run(&(proptest::collection::vec(change, 1..4), any::<bool>(), 0..NODES), |(changes, fill, node)| {
            let mut buffer = encoded(|encoder| match fill {
                true => encoder.fill(SYSTEM, 4096, 0x55aa).unwrap(),
                false => encoder.copy(SYSTEM, SYSTEM + 8192, 4096).unwrap(),
            });
            changes.iter().for_each(|(at, bits)| buffer[*at] ^= bits);
            // A loop is tried below, where it is ended.
            prop_assume!(buffer[..4] != [6, 0, 0, 0]);
            let fence = process.borrow_mut().submit_from(Author::User, node, &buffer);
            let told = hear(&told);
            let over =
                matches!(told, Told::Completed(n, f) | Told::Faulted(n, f, _) if (n, f) == (node, fence));
            prop_assert!(over, "{:?}", told);
            Ok(())
        })
        .unwrap();
    assert_eq!(guest.hash(0, 4 * MIB), expected);
}

#[test]
fn a_loop_that_may_be_preempted_lets_others_run_and_ends_by_preemption() {
    let (gpu, told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut process = Process::new(&gpu, 8 * MIB);
    process.submit_from(Author::User, COPY_NODE, &encoded(|encoder| encoder.endless(true).unwrap()));
    let mut guest = Guest::new(&gpu, 0);
    guest.fill(0, 4096, 3);
    guest.wait();
    assert!(gpu.responsive(COPY_NODE));
    assert!(told.try_recv().is_err(), "it does not end by itself");
    gpu.preempt(COPY_NODE, 9);
    assert_eq!(hear(&told), Told::Preempted(COPY_NODE, 9, 0));
    let fence = process.submit(COPY_NODE, |encoder| encoder.nop().unwrap());
    assert_eq!(hear(&told), Told::Completed(COPY_NODE, fence));
    // A reset ends it as well, and so does a stop.
    process.submit_from(Author::User, COPY_NODE, &encoded(|encoder| encoder.endless(true).unwrap()));
    gpu.reset_engine(COPY_NODE).unwrap();
    process.submit_from(Author::User, COPY_NODE, &encoded(|encoder| encoder.endless(true).unwrap()));
    gpu.stop();
    assert!(told.try_recv().is_err());
}

#[test]
fn a_loop_that_may_not_be_preempted_hangs_its_node_until_the_reset() {
    let (gpu, told) = device(1);
    let mut process = Process::new(&gpu, 8 * MIB);
    process.submit_from(Author::User, COMPUTE_NODE, &encoded(|encoder| encoder.endless(false).unwrap()));
    until("the hang is noticed", || !gpu.responsive(COMPUTE_NODE));
    gpu.preempt(COMPUTE_NODE, 5);
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(told.try_recv().is_err(), "it was preempted");
    assert!(gpu.responsive(COPY_NODE));
    gpu.reset_engine(COMPUTE_NODE).unwrap();
    let fence = process.submit(COMPUTE_NODE, |encoder| encoder.nop().unwrap());
    assert_eq!(hear(&told), Told::Completed(COMPUTE_NODE, fence));
}
