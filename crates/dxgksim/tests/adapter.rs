//! A well-behaved driver runs from load to unload, and nothing is found wrong with it.
#![cfg(feature = "std")]

mod fake;

use std::sync::Arc;

use dxgksim::dxgkrnl::{Adapter, AdapterOptions, SelfTest};
use dxgksim::guest::{Cpu, Guest, GuestLoader, MsixMessage, Outcome, Progress};
use dxgksim::host::SECOND;
use dxgksim::vgpu::{Vgpu, VgpuOptions};
use dxgksim::vidmm::{PagingChannel, Run};
use dxgksim::vm::Vm;

fn start(options: AdapterOptions) -> Arc<Adapter> {
    let driver = fake::driver_with(|_| {});
    let adapter = Adapter::start(&driver, options).unwrap();
    adapter.set_partition_count(4).unwrap();
    adapter
}

fn clean(adapter: &Adapter) {
    assert_eq!(adapter.violations(), []);
}

fn pattern(channel: &mut PagingChannel, seed: u8) {
    for (at, byte) in channel.buffer().iter_mut().enumerate() {
        *byte = seed.wrapping_add((at / 4096 * 31 + at) as u8);
    }
}

#[test]
fn a_driver_registers_once_loaded_and_two_adapters_run_on_it() {
    assert_eq!(fake::load(fake::idle_entry).err(), Some(wddm::STATUS_UNSUCCESSFUL));
    let driver = Arc::new(fake::load(fake::driver_entry).unwrap());
    let adapters = [(), ()].map(|()| Adapter::start(&driver, AdapterOptions::default()).unwrap());
    for adapter in &adapters {
        assert_eq!(adapter.self_test(), Ok(SelfTest::Copied));
        assert!(!adapter.raise_interrupt(0));
        assert!(adapter.surprise_remove().is_err(), "the DDI is optional, and this driver lacks it");
    }
    drop(adapters);
    assert_eq!(driver.contract().violations(), []);
}

#[test]
fn an_adapter_starts_copies_and_stops_with_and_without_an_interrupt() {
    for (interrupt_connected, kernel_mode_testing) in [(true, true), (false, true), (true, false)] {
        let options =
            AdapterOptions { interrupt_connected, kernel_mode_testing, ..AdapterOptions::default() };
        let adapter = start(options);
        assert_eq!(adapter.caps().partition_options, [2, 4]);
        let free = adapter.free_bytes(1);
        assert_eq!(adapter.self_test(), Ok(SelfTest::Copied));
        assert_eq!(adapter.free_bytes(1), free);
        clean(&adapter);
    }
}

#[test]
fn scattered_pages_travel_in_one_transfer_and_mark_what_they_hit() {
    for scattered in [false, true] {
        let adapter = start(AdapterOptions { staging_bytes: 1 << 18, ..AdapterOptions::default() });
        let vgpu = adapter.create_vgpu(1, &VgpuOptions { scattered, ..VgpuOptions::default() }).unwrap();
        assert_eq!((vgpu.pages(), vgpu.pieces() > 1), (512, scattered));
        let mut channel = vgpu.paging_channel().unwrap();
        pattern(&mut channel, 3);
        let expected = channel.buffer()[..5 * 4096].to_vec();
        let runs = [Run { first: 500, count: 2 }, Run { first: 7, count: 1 }, Run { first: 255, count: 2 }];
        channel.start_in(&runs).unwrap();
        channel.wait().unwrap();
        let mut dirty = [0u64; 8];
        vgpu.query_dirty(true, &mut dirty).unwrap();
        assert_eq!(dirty, [1 << 7, 0, 0, 1 << 63, 1, 0, 0, 3 << 52]);
        vgpu.query_dirty(false, &mut dirty).unwrap();
        assert_eq!(dirty, [0; 8]);
        pattern(&mut channel, 99);
        channel.start_out(&runs).unwrap();
        assert_eq!(channel.wait().unwrap()[..5 * 4096], expected);
        channel.fill_zero(&runs[..2]).unwrap();
        channel.start_out(&runs).unwrap();
        let after = channel.wait().unwrap();
        assert!(after[..3 * 4096].iter().all(|byte| *byte == 0));
        assert_eq!(after[3 * 4096..5 * 4096], expected[3 * 4096..]);
        drop(channel);
        clean(&adapter);
    }
}

#[test]
fn dirty_bits_asked_for_in_pieces_are_those_of_one_query() {
    let adapter = start(AdapterOptions { dirty_buffer_bytes: Some(3), ..AdapterOptions::default() });
    let vgpu = adapter.create_vgpu(0, &VgpuOptions::default()).unwrap();
    let mut channel = vgpu.paging_channel().unwrap();
    channel.start_in(&[Run { first: 20, count: 10 }, Run { first: 511, count: 1 }]).unwrap();
    channel.wait().unwrap();
    let mut dirty = [0u64; 8];
    vgpu.query_dirty(true, &mut dirty).unwrap();
    assert_eq!(dirty, [0x3FF << 20, 0, 0, 0, 0, 0, 0, 1 << 63]);
    let mut part = [0u64; 2];
    vgpu.query_dirty_pages(false, 13, 70, &mut part).unwrap();
    assert_eq!(part, [0; 2]);
    drop(channel);
    clean(&adapter);
}

#[test]
fn late_tracking_begins_and_ends_with_a_migration() {
    let adapter = start(AdapterOptions { late_tracking: true, ..AdapterOptions::default() });
    let vgpu = adapter.create_vgpu(0, &VgpuOptions::default()).unwrap();
    assert!(vgpu.start_tracking().unwrap());
    assert!(!vgpu.start_tracking().unwrap());
    vgpu.end().unwrap();
    assert!(vgpu.start_tracking().unwrap());
    vgpu.end().unwrap();
    clean(&adapter);
}

#[test]
fn a_vf_comes_and_goes_without_a_trace() {
    let adapter = start(AdapterOptions::default());
    let free = adapter.free_bytes(1);
    for _ in 0..3 {
        let vgpu = adapter.create_vgpu(2, &VgpuOptions::default()).unwrap();
        assert!(adapter.create_vgpu(2, &VgpuOptions::default()).is_err());
        assert_eq!(vgpu.vectors(), 3);
        vgpu.set_pause(true).unwrap();
        vgpu.set_running().unwrap();
        vgpu.reset().unwrap();
        let mut channel = vgpu.paging_channel().unwrap();
        vgpu.destroy().unwrap();
        assert!(channel.start_out(&[Run { first: 0, count: 1 }]).is_err());
    }
    assert_eq!(adapter.free_bytes(1), free);
    clean(&adapter);
}

#[test]
fn a_refusal_carries_the_words_of_the_triage_event() {
    let adapter = start(AdapterOptions::default());
    let vgpu = adapter.create_vgpu(0, &VgpuOptions::default()).unwrap();
    assert_eq!(vgpu.save_immutable().unwrap(), b"FAKE");
    vgpu.restore_immutable(b"FAKE").unwrap();
    let refusal = vgpu.restore_immutable(b"REAL").unwrap_err();
    assert_eq!(refusal.to_string(), "not a fake (STATUS_OBJECT_TYPE_MISMATCH)");
    clean(&adapter);
}

/// Counts in a register, a step a slice; waits for the message of its MSI-X entry first.
struct Counter {
    steps: u64,
    limit: Option<u64>,
    messages: u32,
}

impl Guest for Counter {
    fn run(&mut self, cpu: &mut dyn Cpu) -> Progress {
        if self.steps == 0 && cpu.read_msix(1).data == 0 {
            cpu.write_msix(1, MsixMessage { address: 0xFEE0_1000, data: 9, control: 0 });
        }
        self.messages |= cpu.take_interrupts();
        if self.messages != 1 << 9 {
            return Progress::Waiting(SECOND);
        }
        assert_eq!(cpu.bar().read_u64(8), self.steps);
        self.steps += 1;
        cpu.bar().write_u64(8, self.steps);
        match self.limit {
            Some(limit) if self.steps >= limit => {
                let result = cpu.read_msix(1).address.to_le_bytes().to_vec();
                Progress::Finished(Outcome { steps: self.steps, result })
            }
            _ => Progress::Waiting(10_000),
        }
    }

    fn finish(&mut self, steps: Option<u64>) {
        self.limit = steps.or(Some(0));
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn save(&self) -> Vec<u8> {
        self.steps.to_le_bytes().to_vec()
    }

    fn name(&self) -> &str {
        "counter"
    }
}

struct Loader;

impl GuestLoader for Loader {
    fn load(&self, state: &[u8]) -> Result<Box<dyn Guest>, String> {
        let steps = u64::from_le_bytes(state.try_into().map_err(|_| "not a counter")?);
        Ok(Box::new(Counter { steps, limit: None, messages: 0 }))
    }
}

fn boot(vgpu: &Arc<Vgpu>) -> Arc<Vm> {
    Vm::boot(Arc::clone(vgpu), Box::new(Counter { steps: 0, limit: None, messages: 0 })).unwrap()
}

#[test]
fn a_vm_pauses_moves_to_another_vf_and_goes_on_where_it_was() {
    let adapter = start(AdapterOptions::default());
    let source = adapter.create_vgpu(0, &VgpuOptions::default()).unwrap();
    let target = adapter.create_vgpu(1, &VgpuOptions::default()).unwrap();
    let vm = boot(&source);
    while vm.steps() < 20 {
        std::thread::yield_now();
    }
    vm.pause();
    let steps = vm.steps();
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_eq!((vm.steps(), vm.is_paused()), (steps, true));
    target.restore_mutable(&source.save_mutable().unwrap()).unwrap();
    let moved = Vm::restore(Arc::clone(&target), &Loader, &vm.save()).unwrap();
    vm.stop();
    assert!(moved.is_paused() || moved.steps() == steps);
    moved.finish(Some(steps + 5));
    moved.resume();
    let outcome = moved.wait_outcome(10 * SECOND).unwrap().unwrap();
    assert_eq!(outcome, Outcome { steps: steps + 5, result: 0xFEE0_1000u64.to_le_bytes().to_vec() });
    drop((vm, moved));
    clean(&adapter);
}

#[test]
fn a_guest_that_touches_a_trapped_page_is_reported_and_nothing_hangs() {
    struct Bad;
    impl Guest for Bad {
        fn run(&mut self, cpu: &mut dyn Cpu) -> Progress {
            cpu.bar().write_u32(4096, 1);
            Progress::Working
        }
        fn finish(&mut self, _steps: Option<u64>) {}
        fn steps(&self) -> u64 {
            0
        }
        fn save(&self) -> Vec<u8> {
            Vec::new()
        }
        fn name(&self) -> &str {
            "bad"
        }
    }
    let adapter = start(AdapterOptions::default());
    let vgpu = adapter.create_vgpu(0, &VgpuOptions::default()).unwrap();
    let vm = Vm::boot(vgpu, Box::new(Bad)).unwrap();
    assert!(vm.wait_outcome(10 * SECOND).unwrap().is_err());
    vm.pause();
    vm.resume();
}
