//! The host's paging: transfers over page tables, faults, order.

use core::sync::atomic::Ordering;

use super::guest::Guest;
use super::tables::{Pages, Process};
use super::{MIB, Told, Watch, device, device_with, hear, regions, until};
use crate::PAGE_SIZE;
use crate::device::abi::{COMPUTE_NODE, COPY_NODE};
use crate::device::page_table::Entry;
use crate::device::{Device, Fault, TableAddress};
use crate::sched::Policy;

const DONE: fn(u32) -> Told = |fence| Told::Completed(COPY_NODE, fence);

#[test]
fn vram_leaves_and_enters_over_page_tables() {
    let (gpu, told) = device(2);
    for vf in 0..2 {
        gpu.vf_enable(vf, &regions(vf)).unwrap();
    }
    let mut guest = Guest::new(&gpu, 0);
    for step in 0..8 {
        guest.write_pages(COPY_NODE, 511, step * 1000, 1000, 7);
    }
    guest.wait();
    let mut source = vec![0; 2 * MIB as usize];
    gpu.vf_read(0, 0, &mut source).unwrap();

    let mut process = Process::new(&gpu, 16 * MIB);
    let system = Pages::new(512);
    process.map_pages(0, &system);
    // The VF's first region, its pages in reverse, so that nothing is contiguous.
    for page in 0..512 {
        let offset = 6 * MIB + (511 - page) * PAGE_SIZE;
        process.map(16 * MIB + page * PAGE_SIZE, TableAddress::Local(offset), false);
    }
    let fence = process.submit(COPY_NODE, |encoder| {
        for page in 0..512 {
            let (src, dst) = (16 * MIB + page * PAGE_SIZE, (511 - page) * PAGE_SIZE);
            encoder.copy(src, dst, PAGE_SIZE).unwrap_or_else(|_| panic!("page {page}"));
        }
    });
    assert_eq!(hear(&told), DONE(fence));
    assert_eq!(gpu.last_completed_fence(COPY_NODE), fence);
    assert!(system.bytes() == source);

    // Into the other VF in one operation of several chunks, and within VRAM back into the first one.
    let watch = Watch::new(&gpu, &regions(1));
    process.map_local(32 * MIB, 8 * MIB, 4 * MIB);
    let fence = process.submit(COPY_NODE, |encoder| {
        encoder.copy(0, 32 * MIB + 8 * PAGE_SIZE, 2 * MIB - 8 * PAGE_SIZE).unwrap();
        encoder.copy(32 * MIB + 8 * PAGE_SIZE, 34 * MIB, PAGE_SIZE * 17 + 8).unwrap();
        encoder.fill(32 * MIB, 8 * PAGE_SIZE, 0xabcd).unwrap();
    });
    assert_eq!(hear(&told), DONE(fence));
    let mut there = vec![0; 4 * MIB as usize];
    gpu.vram().read(8 * MIB, &mut there).unwrap();
    let edge = 8 * PAGE_SIZE as usize;
    assert!(there[edge..2 * MIB as usize] == source[..2 * MIB as usize - edge]);
    assert!(there[2 * MIB as usize..][..17 * 4096 + 8] == source[..17 * 4096 + 8]);
    assert!(there[..edge].chunks(4).all(|word| word == 0xabcdu32.to_le_bytes()));
    // The VF's second region begins the segment, so its pages come after the 512 of the first.
    let expected: Vec<u64> = (0..512 + 18).map(|page| 512 + page).collect();
    assert_eq!(watch.dirty(), expected);
}

#[test]
fn paging_is_accounted_to_the_vf_whose_memory_it_touches() {
    let (gpu, told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut process = Process::new(&gpu, 8 * MIB);
    let system = Pages::new(512);
    process.map_pages(0, &system);
    process.map_local(16 * MIB, 0, 2 * MIB);
    let mut copy = |policy| {
        gpu.vf_policy(0, policy).unwrap();
        let fence = process.submit(COPY_NODE, |encoder| encoder.copy(16 * MIB, 0, 2 * MIB).unwrap());
        assert_eq!(hear(&told), DONE(fence));
    };
    let paged = || {
        let counters = gpu.vf_counters(0, COPY_NODE).unwrap();
        counters.paging_granted + counters.paging_idle
    };
    copy(Policy::Normal);
    std::thread::sleep(std::time::Duration::from_millis(2));
    assert_eq!(paged(), 0);
    copy(Policy::SourceBlackout);
    // The last chunk is charged after its completion. Above the bytes there are packets and turns only.
    let least = 2 * MIB * 1000 / crate::device::sim::Rates::USUAL.copy;
    until("the charge", || paged() >= least);
    std::thread::sleep(std::time::Duration::from_millis(2));
    assert!(paged() < least + 50_000, "{}", paged());
}

#[test]
fn paging_for_a_migrating_vf_keeps_its_bandwidth() {
    const RATE: u64 = 400 * MIB;
    let (gpu, told) = device_with(1, |config| config.paging_bytes_per_second = RATE);
    gpu.vf_enable(0, &regions(0)).unwrap();
    let mut process = Process::new(&gpu, 8 * MIB);
    let system = Pages::new(512);
    process.map_pages(0, &system);
    process.map_local(16 * MIB, 0, 2 * MIB);
    gpu.vf_policy(0, Policy::SourceBlackout).unwrap();
    let clock = || gpu.shared.nodes[COPY_NODE].clock.load(Ordering::Relaxed);
    let before = clock();
    for _ in 0..16 {
        let fence = process.submit(COPY_NODE, |encoder| encoder.copy(16 * MIB, 0, 2 * MIB).unwrap());
        assert_eq!(hear(&told), DONE(fence));
    }
    // The first chunk waits for nothing, a chunk and a half was saved up before, and the last one's wait is not seen.
    let least = (32 * MIB - 4 * MIB) * 1_000_000_000 / RATE;
    assert!(clock() - before >= least, "{} of {least}", clock() - before);
}

#[test]
fn a_vf_alone_stays_under_its_maximum() {
    let (gpu, _told) = device(1);
    gpu.vf_enable(0, &regions(0)).unwrap();
    gpu.vf_max(0, 100_000).unwrap();
    let clock = || gpu.shared.nodes[COPY_NODE].clock.load(Ordering::Relaxed);
    let before = clock();
    let mut guest = Guest::new(&gpu, 0);
    for _ in 0..40 {
        guest.fill(0, 4 * MIB, 7);
    }
    guest.wait();
    let busy = gpu.vf_counters(0, COPY_NODE).unwrap().busy;
    // A turn's worth was saved up before, and the last packets' wait is not seen.
    let least = busy.saturating_sub(4_000_000 + 2_000_000) * 10;
    assert!(busy > 10_000_000 && clock() - before >= least, "{} in {}", busy, clock() - before);
}

#[test]
fn page_tables_are_data_and_take_effect_in_the_same_packet() {
    let (gpu, told) = device(1);
    let mut process = Process::new(&gpu, 8 * MIB);
    let system = Pages::new(2);
    system.set(0, 0x1111);
    system.set(512, 0x2222);
    process.map(0, system.at(0), true);
    process.map(8 * PAGE_SIZE, system.at(0), true);
    // The last table of the first 2 MiB, mapped where the packet can write it.
    let leaf = process.leaf(0);
    process.map(4 * MIB, TableAddress::Local(leaf), true);
    process.map_local(6 * MIB, 9 * MIB, PAGE_SIZE);
    let second = Entry::new(system.at(1), true);
    let fence = process.submit(COPY_NODE, |encoder| {
        encoder.copy(0, 6 * MIB, 8).unwrap();
        assert_eq!(encoder.write_entries(4 * MIB, 0, 1, |_| second), Ok(1));
        encoder.copy(0, 6 * MIB + 8, 8).unwrap();
        encoder.store(8 * PAGE_SIZE + 64, 0x77).unwrap();
    });
    assert_eq!(hear(&told), DONE(fence));
    let mut words = [0; 16];
    gpu.vram().read(9 * MIB, &mut words).unwrap();
    assert_eq!(words[..8], 0x1111u64.to_le_bytes());
    assert_eq!(words[8..], 0x2222u64.to_le_bytes());
    assert_eq!(system.get(8), 0x77);
    // Many entries, over the end of a page of the buffer and in several steps.
    let fence = process.submit(COPY_NODE, |encoder| {
        let wrote = encoder.write_entries(4 * MIB + 8 * 16, 0, 496, |number| {
            Entry::new(TableAddress::Local(u64::from(number) * PAGE_SIZE), number % 2 == 0)
        });
        assert_eq!(wrote, Ok(496));
        encoder.nop().unwrap();
        encoder.flush_tlb(TableAddress::Local(0)).unwrap();
    });
    assert_eq!(hear(&told), DONE(fence));
    let mut word = [0; 8];
    gpu.vram().read(leaf + 511 * 8, &mut word).unwrap();
    let last = Entry(u64::from_le_bytes(word));
    assert_eq!((last.target(), last.writable()), (Some(TableAddress::Local(495 * PAGE_SIZE)), false));
}

#[test]
fn faults_name_the_address_and_the_node_goes_on() {
    let (gpu, told) = device(1);
    let mut process = Process::new(&gpu, 8 * MIB);
    let system = Pages::new(4);
    process.map_pages(0, &system);
    process.map(5 * PAGE_SIZE, system.at(0), false);
    process.map(6 * PAGE_SIZE, TableAddress::Local(1 << 40), true);
    let faults: [(&str, u64, u64); 5] = [
        ("read", 4 * PAGE_SIZE, 0),
        ("beyond the tables", 1 << 45, 0),
        ("write to read-only", 0, 5 * PAGE_SIZE),
        ("beyond the VRAM", 6 * PAGE_SIZE, 0),
        ("beyond the VRAM", 0, 6 * PAGE_SIZE),
    ];
    for (what, src, dst) in faults {
        let fence = process.submit(COPY_NODE, |encoder| encoder.copy(src, dst, 8).unwrap());
        let address = if src != 0 && what != "beyond the VRAM" { src } else { dst };
        let fault = Fault::Page { address, write: address == dst };
        assert_eq!(hear(&told), Told::Faulted(COPY_NODE, fence, fault), "{what}");
    }
    // What came before the fault on the way is done.
    system.set(0, 0x99);
    let fence =
        process.submit(COPY_NODE, |encoder| encoder.copy(PAGE_SIZE, 3 * PAGE_SIZE, 3 * PAGE_SIZE).unwrap());
    assert_eq!(
        hear(&told),
        Told::Faulted(COPY_NODE, fence, Fault::Page { address: 4 * PAGE_SIZE, write: true })
    );
    // Malformed, and a buffer that is not mapped.
    let fence = process.submit_bytes(COMPUTE_NODE, &[0xff; 64]);
    assert_eq!(hear(&told), Told::Faulted(COMPUTE_NODE, fence, Fault::Operation(1 << 30)));
    let fence = process.submit(COPY_NODE, |encoder| encoder.copy(0, PAGE_SIZE, 8).unwrap());
    assert_eq!(hear(&told), DONE(fence));
    assert_eq!(system.get(512), 0x99);
    let fence = process.submit_bytes(COPY_NODE, &[]);
    assert_eq!(hear(&told), DONE(fence));
}

#[test]
fn entries_changed_by_the_processor_are_seen_after_a_flush() {
    let (gpu, told) = device(1);
    let mut process = Process::new(&gpu, 8 * MIB);
    let system = Pages::new(2);
    process.map_pages(0, &system);
    for value in 1..20 {
        let fence = process.submit(COPY_NODE, |encoder| encoder.store(0, value).unwrap());
        assert_eq!(hear(&told), DONE(fence));
        assert_eq!(system.get(if value % 2 == 1 { 0 } else { 512 }), value);
        process.map(0, system.at((value % 2) as usize), true);
        gpu.flush_tlb(process.root());
    }
}

#[test]
fn completions_come_in_order() {
    let (gpu, told) = device(1);
    let mut process = Process::new(&gpu, 8 * MIB);
    process.map_local(0, 0, 4 * MIB);
    for _ in 0..200 {
        process.submit(COPY_NODE, |encoder| encoder.fill(0, 8 * PAGE_SIZE, 5).unwrap());
    }
    // The buffer was overwritten by the same bytes each time.
    for fence in 1..=200 {
        assert_eq!(hear(&told), DONE(fence));
    }
}
