//! VFs over the simulated GPU: their life, and migrations that succeed, fail and are cancelled.

use alloc::sync::Arc;
use std::vec::Vec;

use super::*;
use crate::adapter::{Adapter, Bounds, Profile, Settings};
use crate::device::abi;
use crate::device::sim::{SimConfig, SimGpu};
use crate::device::{Fault, InterruptSink};
use crate::dirty::{BasisHandle, Part};
use crate::migration::{Mismatch, Snapshot};
use crate::sched::Policy;

const MIB: u64 = 1 << 20;
const PAGE: u64 = 4096;
const VF_BYTES: u64 = 2 * MIB;

struct Nobody;

impl InterruptSink for Nobody {
    fn completed(&self, _: usize, _: u32) {}
    fn faulted(&self, _: usize, _: u32, _: Fault) {}
    fn preempted(&self, _: usize, _: u32, _: u32) {}
}

fn adapter_with(settings: Settings, change: impl FnOnce(&mut SimConfig)) -> Adapter {
    crate::os::host::install();
    let mut config = SimConfig::new(64 * MIB, 4);
    change(&mut config);
    let adapter = Adapter::new(SimGpu::new(config).unwrap(), settings).unwrap();
    adapter.start(Arc::new(Nobody)).unwrap();
    adapter
}

fn adapter() -> Adapter {
    adapter_with(Settings::default(), |_| {})
}

fn profile() -> Profile {
    Profile { memory: Bounds { min: VF_BYTES, max: VF_BYTES, optimal: VF_BYTES }, ..Profile::default() }
}

/// Two regions, the later one first.
fn regions(vf: VfIndex) -> [Region; 2] {
    let base = u64::from(vf) * 4 * MIB;
    [Region { offset: base + 2 * MIB, bytes: MIB }, Region { offset: base, bytes: MIB }]
}

/// A VF with memory and power.
fn running(adapter: &Adapter, vf: VfIndex) -> &Vf {
    let vf = resourced(adapter, vf);
    vf.set_power(Power::On).unwrap();
    vf
}

fn resourced(adapter: &Adapter, vf: VfIndex) -> &Vf {
    let seat = adapter.vf(vf).unwrap();
    seat.create(&profile()).unwrap();
    seat.set_resources(&regions(vf)).unwrap();
    seat
}

fn tracked(adapter: &Adapter, vf: VfIndex) -> BasisHandle {
    let basis = adapter.bases().create(&regions(vf)).unwrap();
    adapter.bases().start(basis).unwrap();
    basis
}

/// Writes a byte into a page of the VF, as an engine would.
fn dirty(adapter: &Adapter, vf: VfIndex, page: u64, byte: u8) {
    let [first, second] = regions(vf);
    let at = page * PAGE;
    let offset = if at < MIB { first.offset + at } else { second.offset + at - MIB };
    adapter.device().tracker().writer().unwrap().write(offset, &[byte; 64]).unwrap();
}

fn dirty_pages(adapter: &Adapter, basis: BasisHandle, clear: bool) -> Vec<u64> {
    let mut bits = [0u8; (VF_BYTES / PAGE / 8) as usize];
    adapter.bases().query(basis, Part::Whole, clear, &mut bits).unwrap();
    (0..VF_BYTES / PAGE).filter(|page| bits[(page / 8) as usize] >> (page % 8) & 1 == 1).collect()
}

fn byte(adapter: &Adapter, vf: VfIndex, page: u64) -> u8 {
    let mut out = [0];
    adapter.device().vf_read(vf, page * PAGE, &mut out).unwrap();
    out[0]
}

fn immutable(vf: &Vf) -> Vec<u8> {
    let mut out = vec![0; vf.immutable_size().unwrap() as usize];
    let bytes = vf.save_immutable(&mut out).unwrap();
    out.truncate(bytes);
    out
}

fn mutable(vf: &Vf) -> Vec<u8> {
    let mut out = vec![0; vf.mutable_size().unwrap() as usize];
    let bytes = vf.save_mutable(&mut out).unwrap();
    assert_eq!(bytes, out.len());
    out
}

#[test]
fn a_vf_lives_in_order() {
    let adapter = adapter();
    let vf = adapter.vf(0).unwrap();
    assert_eq!(vf.report().unwrap_err(), Error::UnknownVf);
    assert_eq!(vf.destroy().unwrap_err(), Error::UnknownVf);
    vf.create(&profile()).unwrap();
    assert_eq!(vf.create(&profile()).unwrap_err(), Error::WrongState);
    assert_eq!(vf.set_power(Power::On).unwrap_err(), Error::WrongState);
    vf.set_resources(&regions(0)).unwrap();
    vf.set_power(Power::On).unwrap();
    assert!(vf.report().unwrap().standing.executes());
    assert_eq!(vf.set_resources(&regions(0)).unwrap_err(), Error::WrongState);
    vf.set_paused(true).unwrap();
    assert!(!vf.report().unwrap().standing.executes());
    vf.reset().unwrap();
    vf.set_paused(false).unwrap();
    assert!(vf.report().unwrap().standing.executes());
    vf.destroy().unwrap();
    assert_eq!(adapter.shares().alive(), 0);
    assert_eq!(adapter.vf(4).err(), Some(Error::UnknownVf));
}

#[test]
fn memory_is_checked_before_it_is_given() {
    let adapter = adapter();
    let vf = resourced(&adapter, 0);
    adapter.vf(1).unwrap().create(&profile()).unwrap();
    let other = adapter.vf(1).unwrap();
    let region = |offset, bytes| Region { offset, bytes };
    for (wrong, error) in [
        (vec![], Error::InvalidParameter),
        (vec![region(1, PAGE)], Error::Misaligned),
        (vec![region(0, PAGE + 8)], Error::Misaligned),
        (vec![region(0, 0)], Error::OutOfRange),
        (vec![region(64 * MIB, PAGE)], Error::OutOfRange),
        (vec![region(u64::MAX - PAGE + 1, PAGE)], Error::OutOfRange),
    ] {
        assert_eq!(other.set_resources(&wrong).unwrap_err(), error, "{wrong:?}");
    }
    assert!(other.set_resources(&regions(0)).is_err(), "memory of VF 0");
    assert!(!other.report().unwrap().standing.resourced);
    // A VF that asks for another's memory keeps its own.
    other.set_resources(&regions(1)).unwrap();
    assert!(other.set_resources(&regions(0)).is_err());
    other.set_power(Power::On).unwrap();
    vf.set_power(Power::On).unwrap();
}

#[test]
fn memory_is_zero_whoever_had_it_before() {
    let adapter = adapter();
    let vf = running(&adapter, 0);
    dirty(&adapter, 0, 3, 0xAA);
    assert_eq!(byte(&adapter, 0, 3), 0xAA);
    vf.reset().unwrap();
    assert_eq!(byte(&adapter, 0, 3), 0);
    dirty(&adapter, 0, 3, 0xAA);
    vf.destroy().unwrap();
    resourced(&adapter, 0);
    assert_eq!(byte(&adapter, 0, 3), 0);
}

#[test]
fn a_vf_moves_with_its_late_pages() {
    let (here, there) = (adapter(), adapter());
    let source = running(&here, 0);
    let basis = tracked(&here, 0);
    dirty(&here, 0, 1, 0x11);
    source.prepare_source().unwrap();
    assert_eq!(dirty_pages(&here, basis, true), [1]);
    dirty(&here, 0, 5, 0x55);
    dirty(&here, 0, 300, 0x33);

    let target = running(&there, 2);
    target.prepare_target().unwrap();
    target.restore_immutable(&immutable(source)).unwrap();
    let state = mutable(source);
    assert!(!source.report().unwrap().standing.executes(), "the source is off its engines");
    target.restore_mutable(&state).unwrap();
    assert_eq!((byte(&there, 2, 5), byte(&there, 2, 300), byte(&there, 2, 1)), (0x55, 0x33, 0));
    assert!(!target.report().unwrap().standing.executes());
    source.set_power(Power::Off).unwrap();
    target.end().unwrap();
    assert!(target.report().unwrap().standing.executes());
    source.end().unwrap();
    assert!(!source.report().unwrap().standing.executes(), "it has no power");
}

#[test]
fn a_target_on_another_page_size_or_size_refuses() {
    let here = adapter();
    let source = running(&here, 0);
    source.prepare_source().unwrap();
    let data = immutable(source);
    type Change = fn(&mut SimConfig);
    let changes: [(Change, Mismatch); 4] = [
        (|config| config.geometry.dirty_page_bytes = 16384, Mismatch::DirtyPageSize),
        (|config| config.identity.device += 1, Mismatch::DeviceId),
        (|config| config.identity.revision += 1, Mismatch::Revision),
        (|config| config.identity.firmware = 0, Mismatch::Firmware),
    ];
    for (change, mismatch) in changes {
        let there = adapter_with(Settings::default(), change);
        let target = resourced(&there, 0);
        target.prepare_target().unwrap();
        assert_eq!(target.restore_immutable(&data).unwrap_err(), Error::Incompatible(mismatch));
        assert_eq!(target.phase(), Phase::TargetPrepared);
        target.end().unwrap();
    }
}

/// A migration cancelled after each of its steps, then done: the source runs on as before, and the second attempt
/// says what a first one would.
#[test]
fn a_cancelled_source_is_as_before() {
    for steps in 1..=5 {
        let adapter = adapter();
        let vf = running(&adapter, 0);
        let basis = tracked(&adapter, 0);
        dirty(&adapter, 0, 1, 1);
        dirty(&adapter, 0, 400, 4);
        let before = vf.report().unwrap();
        vf.prepare_source().unwrap();
        if steps >= 2 {
            assert_eq!(dirty_pages(&adapter, basis, true), [1, 400]);
            immutable(vf);
            vf.set_throttle(500).unwrap();
        }
        if steps >= 3 {
            dirty(&adapter, 0, 7, 7);
        }
        if steps >= 4 {
            vf.mutable_size().unwrap();
        }
        if steps >= 5 {
            mutable(vf);
        }
        vf.end().unwrap();
        assert_eq!(vf.report().unwrap(), before, "after {steps} steps");
        vf.end().unwrap();
        let all: &[u64] = if steps >= 3 { &[1, 7, 400] } else { &[1, 400] };
        assert_eq!(dirty_pages(&adapter, basis, false), all, "after {steps} steps");
        vf.prepare_source().unwrap();
        assert_eq!(dirty_pages(&adapter, basis, true), all);
        let again = mutable(vf);
        assert_eq!(mutable(vf), again, "saving twice gives the same bytes");
    }
}

#[test]
fn a_host_pause_outlives_the_migration() {
    let adapter = adapter();
    let vf = running(&adapter, 0);
    vf.prepare_source().unwrap();
    assert_eq!(vf.report().unwrap().standing.policy(), Policy::SourceBrownout);
    vf.set_paused(true).unwrap();
    assert_eq!(vf.report().unwrap().standing.policy(), Policy::SourceBlackout);
    vf.end().unwrap();
    assert!(!vf.report().unwrap().standing.executes());
    vf.set_paused(false).unwrap();
    assert!(vf.report().unwrap().standing.executes());
}

#[test]
fn calls_out_of_order_are_refused() {
    let adapter = adapter();
    let vf = running(&adapter, 0);
    assert_eq!(vf.immutable_size().unwrap_err(), Error::WrongState);
    assert_eq!(vf.mutable_size().unwrap_err(), Error::WrongState);
    assert_eq!(vf.restore_immutable(&[]).unwrap_err(), Error::WrongState);
    assert_eq!(vf.set_throttle(500).unwrap_err(), Error::WrongState);
    vf.prepare_source().unwrap();
    assert_eq!(vf.prepare_source().unwrap_err(), Error::Busy);
    assert_eq!(vf.prepare_target().unwrap_err(), Error::Busy);
    assert_eq!(vf.save_mutable(&mut []).unwrap_err(), Error::WrongState);
    vf.mutable_size().unwrap();
    assert_eq!(vf.reset().unwrap_err(), Error::WrongState);
    assert_eq!(vf.set_resources(&regions(0)).unwrap_err(), Error::WrongState);
    vf.destroy().unwrap();
    assert_eq!(vf.end().unwrap_err(), Error::UnknownVf);
    let fresh = adapter.vf(1).unwrap();
    fresh.create(&profile()).unwrap();
    assert_eq!(fresh.prepare_target().unwrap_err(), Error::WrongState, "it has no memory");
}

#[test]
fn a_small_buffer_gets_nothing() {
    let adapter = adapter();
    let vf = running(&adapter, 0);
    tracked(&adapter, 0);
    vf.prepare_source().unwrap();
    dirty(&adapter, 0, 9, 9);
    let size = vf.mutable_size().unwrap();
    for room in [0, 1, size as usize - 1] {
        let mut out = vec![0xEE; room];
        assert_eq!(vf.save_mutable(&mut out).unwrap_err(), Error::BufferTooSmall);
        assert!(out.iter().all(|byte| *byte == 0xEE));
        assert_eq!((vf.mutable_bytes().unwrap(), vf.phase()), (size, Phase::MutableSized));
    }
    let mut out = vec![0xEE; size as usize + 3];
    assert_eq!(vf.save_mutable(&mut out).unwrap(), size as usize);
    assert_eq!(out[size as usize..], [0xEE; 3]);
}

#[test]
fn a_state_brings_no_weight_and_no_endless_turn() {
    let (here, there) = (adapter(), adapter());
    let source = running(&here, 0);
    let target = running(&there, 0);
    source.prepare_source().unwrap();
    target.prepare_target().unwrap();
    target.restore_immutable(&immutable(source)).unwrap();
    let greedy = VfParameters {
        quantum_us: u32::MAX,
        preempt_timeout_us: u32::MAX,
        priority: crate::sched::Priority::Normal,
        weight: 1 << 20,
    };
    let state = VfHardware::new().unwrap();
    let snapshot = Snapshot {
        hardware: &state,
        config: &[0; abi::CONFIG_BYTES],
        scheduling: greedy,
        page_bytes: PAGE,
        late: core::iter::empty(),
    };
    let mut stream = vec![0; snapshot.size() as usize];
    snapshot.encode(&mut stream, |_, _| Ok(())).unwrap();
    let before = target.report().unwrap().parameters;
    target.restore_mutable(&stream).unwrap();
    let after = target.report().unwrap().parameters;
    assert_eq!(after.weight, before.weight, "a share comes from the profile");
    assert_eq!((after.quantum_us, after.preempt_timeout_us), (100_000, 10_000_000));
    assert_eq!(after.priority, greedy.priority);
    target.end().unwrap();
    for wrong in [(99, 0), (100_001, 0), (4_000, 10_000_001)] {
        let parameters = VfParameters { quantum_us: wrong.0, preempt_timeout_us: wrong.1, ..before };
        assert_eq!(target.set_parameters(parameters).unwrap_err(), Error::InvalidParameter, "{wrong:?}");
    }
    assert_eq!(target.report().unwrap().parameters, after);
}

#[test]
fn a_used_vf_is_no_target() {
    let adapter = adapter();
    let vf = running(&adapter, 0);
    vf.set_paused(true).unwrap();
    let mut state = VfHardware::new().unwrap();
    adapter.device().vf_save(0, &mut state).unwrap();
    state.nodes[0].commands = 1;
    adapter.device().vf_restore(0, &state).unwrap();
    vf.set_paused(false).unwrap();
    assert_eq!(vf.prepare_target().unwrap_err(), Error::WrongState);
    assert!(vf.report().unwrap().standing.executes());
    vf.reset().unwrap();
    vf.prepare_target().unwrap();
}

#[test]
fn a_target_that_ends_early_is_new_again() {
    let (here, there) = (adapter(), adapter());
    let source = running(&here, 0);
    tracked(&here, 0);
    source.prepare_source().unwrap();
    dirty(&here, 0, 2, 2);
    let target = running(&there, 0);
    let before = target.report().unwrap();
    target.prepare_target().unwrap();
    target.restore_immutable(&immutable(source)).unwrap();
    dirty(&there, 0, 1, 1);
    let mut damaged = mutable(source);
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert!(matches!(target.restore_mutable(&damaged), Err(Error::Corrupt(_))));
    assert_eq!((byte(&there, 0, 1), byte(&there, 0, 2)), (1, 0), "a refused state changes nothing");
    target.end().unwrap();
    assert_eq!(target.report().unwrap(), before);
    assert_eq!(byte(&there, 0, 1), 0);
}

#[test]
fn without_late_pages_a_write_is_lost() {
    let settings = Settings { lose_late_pages: true, ..Settings::default() };
    let (here, there) = (adapter_with(settings, |_| {}), adapter());
    let source = running(&here, 0);
    tracked(&here, 0);
    source.prepare_source().unwrap();
    dirty(&here, 0, 2, 2);
    let target = resourced(&there, 0);
    target.prepare_target().unwrap();
    target.restore_immutable(&immutable(source)).unwrap();
    target.restore_mutable(&mutable(source)).unwrap();
    assert_eq!(byte(&there, 0, 2), 0);
}

#[test]
fn stopping_ends_everything() {
    let adapter = adapter();
    let basis = tracked(&adapter, 0);
    running(&adapter, 0).prepare_source().unwrap();
    running(&adapter, 1).prepare_target().unwrap();
    adapter.stop();
    assert_eq!((adapter.shares().alive(), adapter.device().tracker().leaked()), (0, 0));
    assert_eq!(adapter.bases().start(basis).unwrap_err(), Error::StaleHandle);
}

#[test]
fn vfs_do_not_wait_for_each_other() {
    let adapter = adapter();
    let vf = running(&adapter, 0);
    running(&adapter, 1);
    let held = vf.partition.lock();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let vf = adapter.vf(1).unwrap();
            vf.prepare_source().unwrap();
            vf.mutable_size().unwrap();
            vf.end().unwrap();
            adapter.vf(2).unwrap().create(&profile()).unwrap();
        });
        other.join().unwrap();
    });
    drop(held);
}

/// Pool is short when a host is busy, and a pause is no time to ask for it.
#[test]
fn nothing_in_the_pause_allocates() {
    let (here, there) = (adapter(), adapter());
    let source = running(&here, 0);
    tracked(&here, 0);
    source.prepare_source().unwrap();
    dirty(&here, 0, 5, 0x55);
    dirty(&here, 0, 7, 0x77);
    let target = running(&there, 0);
    target.prepare_target().unwrap();
    target.restore_immutable(&immutable(source)).unwrap();
    // What the log reads from its environment, it reads once.
    crate::os::log(crate::os::Level::Info, format_args!("a line"));
    let mut data = vec![0; MIB as usize];
    let pause = allocation_counter::measure(|| {
        source.set_paused(true).unwrap();
        let size = source.mutable_size().unwrap() as usize;
        source.save_mutable(&mut data[..size]).unwrap();
        target.restore_mutable(&data[..size]).unwrap();
    });
    assert_eq!(pause.count_total, 0);
    assert_eq!(byte(&there, 0, 7), 0x77);
}

/// A running VF is never above the maximum of its profile, even alone on the device.
#[test]
fn a_profiles_maximum_is_the_engines_ceiling() {
    crate::os::host::install();
    let gpu = SimGpu::new(SimConfig::new(64 * MIB, 4)).unwrap();
    let adapter = Adapter::new(gpu.clone(), Settings::default()).unwrap();
    let compute = Bounds { min: 1, optimal: 1024, max: 1024 };
    let most = |vf: VfIndex, profile: &Profile| {
        adapter.vf(vf).unwrap().create(profile).unwrap();
        adapter.vf(vf).unwrap().set_resources(&regions(vf)).unwrap();
        [0, 1].map(|node| gpu.with_scheduler(node, |scheduler| scheduler.max(vf).unwrap()))
    };
    assert_eq!(most(0, &Profile { compute, ..profile() }), [62_500; 2]);
    assert_eq!(most(1, &profile()), [1_000_000; 2], "by default there is none");
}
