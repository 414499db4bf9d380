//! Migration data from somebody who wishes the host ill: every bit of it is refused, and nothing has changed.

use std::sync::Arc;

use dxgksim::guest::Bar;
use dxgksim::vgpu::{Vgpu, VgpuOptions};
use dxgksim::vm::Vm;
use gpup::world::{Guest, Machine, Work};
use gpup_core::device::abi;
use gpup_guest::Workload;
use gpup_kmd::escape::State;
use wddm::DXGK_GPUP_MIGRATIONTYPE as Role;
use wddm::{STATUS_DATA_ERROR, STATUS_INVALID_DEVICE_STATE, STATUS_OBJECT_TYPE_MISMATCH};

use crate::harness::{
    Host, How, Mode, VF_BYTES, assert_right, in_every_mode, read_all, state, stop, wait_steps, work,
};
use crate::stream::{Record, Stream, record_headers};

in_every_mode!(
    hostile_data_is_refused_and_good_data_restores,
    other_hosts_name_what_does_not_fit,
    a_refused_vm_stays_where_it_was,
);

const SOURCE: Role = Role::DXGK_GPUP_MIGRATIONTYPE_SOURCE;
const TARGET: Role = Role::DXGK_GPUP_MIGRATIONTYPE_TARGET;

/// A VM that is leaving, and the driver's data of it. Nothing was harvested, so all it wrote travels as late pages.
struct Leaving {
    guest: Guest,
    immutable: Vec<u8>,
    mutable: Vec<u8>,
}

fn new_vgpu(machine: &Machine, bytes: u64) -> Arc<Vgpu> {
    let options = VgpuOptions { vram_bytes: bytes, ..VgpuOptions::default() };
    machine.adapter().create_vgpu(0, &options).unwrap()
}

fn leaving(machine: &Machine, mode: Mode) -> Leaving {
    let work: Work = work(Workload::Nbody, 64 << 10);
    let vgpu = new_vgpu(machine, VF_BYTES);
    vgpu.start_tracking().unwrap();
    let vm =
        Vm::boot(vgpu.clone(), work.spec.clone().build(work.image.as_deref().cloned()).unwrap()).unwrap();
    let guest = Guest { vgpu, vm, work };
    gpup::world::wait_started(&guest).unwrap();
    wait_steps(&guest.vm);
    guest.vgpu.prepare(SOURCE).unwrap();
    let immutable = guest.vgpu.save_immutable().unwrap();
    guest.vm.pause();
    if mode.pause_vf {
        guest.vgpu.set_pause(true).unwrap();
    }
    let mutable = guest.vgpu.save_mutable().unwrap();
    Leaving { guest, immutable, mutable }
}

/// All there is to see of a VF.
fn look(vgpu: &Arc<Vgpu>) -> (State, Vec<u8>, Vec<u8>) {
    let mut bar = vec![0; 4096 + abi::BAR_BYTES - abi::RING_OFFSET];
    let (registers, rings) = bar.split_at_mut(4096);
    vgpu.bar().read_bytes(0, registers);
    vgpu.bar().read_bytes(abi::RING_OFFSET, rings);
    (state(vgpu), bar, read_all(vgpu))
}

/// Cut short at every length near a border, and bits flipped: all of the first bytes, of the headers, and samples.
fn damaged(good: &[u8]) -> Vec<Vec<u8>> {
    let mut places: Vec<usize> = record_headers(good).into_iter().flat_map(|at| at..at + 64).collect();
    places.extend(0..good.len().min(256));
    places.extend((0..good.len()).step_by(good.len() / 200 + 1));
    places.extend(good.len() - 8..good.len());
    places.retain(|at| *at < good.len());
    places.sort_unstable();
    places.dedup();
    let flipped = places.iter().map(|at| {
        let mut bytes = good.to_vec();
        bytes[*at] ^= 1 << (at % 8);
        bytes
    });
    let cut = places.iter().map(|at| good[..*at].to_vec());
    let longer = std::iter::once([good, &[0]].concat());
    flipped.chain(cut).chain(longer).collect()
}

/// The stream with one thing forged, its checksums right.
fn forged(good: &[u8], forge: impl FnOnce(&mut Stream)) -> Vec<u8> {
    let mut stream = Stream::parse(good);
    forge(&mut stream);
    stream.encode()
}

fn put_u32(record: &mut Record, at: usize, value: u32) {
    record.payload[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn put_u64(record: &mut Record, at: usize, value: u64) {
    record.payload[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

/// A record nobody knows, last in the stream.
fn unknown(flags: u16) -> Record {
    Record { kind: 0x7F00, version: 1, flags, payload: vec![1; 16] }
}

/// Forgeries of any stream.
fn misshapen(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let last = record_headers(good).len() - 1;
    vec![
        ("swapped records", forged(good, |it| it.records.swap(0, 1))),
        ("a record twice", forged(good, |it| it.records.insert(0, it.records[0].clone()))),
        ("no first record", forged(good, |it| drop(it.records.remove(0)))),
        ("no records", forged(good, |it| it.records.clear())),
        ("a record too long", forged(good, |it| it.records[last].payload.extend([0; 8]))),
        ("a record too short", forged(good, |it| it.records[0].payload.truncate(4))),
        ("version 0", forged(good, |it| it.records[0].version = 0)),
        ("a strange flag", forged(good, |it| it.records[0].flags |= 0x8000)),
        ("an unknown record that must be known", forged(good, |it| it.records.push(unknown(1)))),
        ("another major version", forged(good, |it| it.head[8] = 9)),
        ("a kind that does not exist", forged(good, |it| it.head[12] = 7)),
    ]
}

/// Forgeries of the immutable data, with the word of the reason.
fn unfitting(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let [device, driver, memory, profile] = [1, 2, 3, 4];
    vec![
        ("device id", forged(good, |it| it.record(device).payload[0] ^= 1)),
        ("device id", forged(good, |it| it.record(device).payload[2] ^= 1)),
        ("revision", forged(good, |it| it.record(device).payload[4] ^= 1)),
        ("firmware version", forged(good, |it| put_u32(it.record(device), 8, 0x0002_0000))),
        ("firmware version", forged(good, |it| put_u32(it.record(device), 8, 0x0001_0001))),
        ("driver version", forged(good, |it| it.record(driver).payload[0] ^= 1)),
        ("dirty page size", forged(good, |it| put_u64(it.record(memory), 0, 8192))),
        ("VRAM size", forged(good, |it| put_u64(it.record(memory), 8, VF_BYTES / 2))),
        ("vGPU profile", forged(good, |it| it.record(profile).payload[0] ^= 1)),
        ("vGPU profile", forged(good, |it| it.record(profile).payload[4] ^= 1)),
    ]
}

/// Forgeries of the mutable data's values.
fn impossible(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let [registers, interrupts, scheduling, node, late] = [0x10, 0x11, 0x12, 0x20, 0x40];
    vec![
        ("an unknown status bit", forged(good, |it| put_u32(it.record(registers), 0, 1 << 30))),
        ("an unknown fault", forged(good, |it| put_u32(it.record(registers), 4, 77))),
        ("a vector that does not exist", forged(good, |it| put_u32(it.record(interrupts), 0, 1 << 20))),
        ("no quantum", forged(good, |it| put_u32(it.record(scheduling), 0, 0))),
        ("an unknown priority", forged(good, |it| put_u32(it.record(scheduling), 8, 9))),
        ("an odd head", forged(good, |it| put_u32(it.record(node), 4, 3))),
        ("a larger ring", forged(good, |it| put_u32(it.record(node), 32, 1 << 20))),
        ("other late pages", forged(good, |it| put_u64(it.record(late), 0, 64 << 10))),
        ("more runs than bytes", forged(good, |it| put_u64(it.record(late), 8, u64::MAX))),
        ("runs past the end of numbers", forged(good, |it| put_u64(it.record(late), 24, u64::MAX))),
        ("late pages outside the VF", forged(good, |it| put_u64(it.record(late), 16, VF_BYTES / 4096))),
        ("a late page at the end of numbers", forged(good, |it| put_u64(it.record(late), 16, u64::MAX))),
        ("a run of no pages", forged(good, |it| put_u64(it.record(late), 24, 0))),
    ]
}

/// Whatever comes instead of the immutable data.
fn refuse_immutable(vgpu: &Arc<Vgpu>, good: &[u8], mutable: &[u8]) {
    let before = look(vgpu);
    for bytes in damaged(good) {
        let refusal = vgpu.restore_immutable(&bytes).unwrap_err();
        assert!([STATUS_DATA_ERROR, STATUS_OBJECT_TYPE_MISMATCH].contains(&refusal.status), "{refusal}");
    }
    for (what, bytes) in misshapen(good) {
        let refusal = vgpu.restore_immutable(&bytes).expect_err(what);
        assert!(refusal.reason.is_some(), "{what}: {refusal}");
    }
    for (word, bytes) in unfitting(good) {
        let refusal = vgpu.restore_immutable(&bytes).expect_err(word);
        assert_eq!(refusal.status, STATUS_OBJECT_TYPE_MISMATCH, "{refusal}");
        assert!(refusal.reason.as_ref().is_some_and(|reason| reason.contains(word)), "{word}: {refusal}");
    }
    assert!(vgpu.restore_immutable(mutable).is_err());
    assert!(look(vgpu) == before, "refused immutable data changed the VF");
}

/// Whatever comes instead of the mutable data.
fn refuse_mutable(vgpu: &Arc<Vgpu>, good: &[u8], immutable: &[u8]) {
    let before = look(vgpu);
    for bytes in damaged(good) {
        let status = vgpu.restore_mutable(&bytes).unwrap_err().status;
        assert!([STATUS_DATA_ERROR, STATUS_OBJECT_TYPE_MISMATCH].contains(&status), "{status}");
    }
    assert!(look(vgpu) == before, "damaged mutable data changed the VF");
    for (what, bytes) in misshapen(good).into_iter().chain(impossible(good)) {
        let status = vgpu.restore_mutable(&bytes).expect_err(what).status;
        assert!([STATUS_DATA_ERROR, STATUS_OBJECT_TYPE_MISMATCH].contains(&status), "{what}: {status}");
        assert!(look(vgpu) == before, "{what} changed the VF");
    }
    assert!(vgpu.restore_mutable(immutable).is_err());
}

fn hostile_data_is_refused_and_good_data_restores(mode: Mode) {
    let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
    let Leaving { guest, immutable, mutable } = leaving(&here, mode);
    assert_eq!(Stream::parse(&immutable).encode(), immutable, "the forger's tool does not know the format");
    assert_eq!(Stream::parse(&mutable).encode(), mutable, "the forger's tool does not know the format");
    let vgpu = new_vgpu(&there, VF_BYTES);
    vgpu.prepare(TARGET).unwrap();
    refuse_immutable(&vgpu, &immutable, &mutable);
    assert_eq!(vgpu.restore_mutable(&mutable).unwrap_err().status, STATUS_INVALID_DEVICE_STATE);
    vgpu.restore_immutable(&immutable).unwrap();
    refuse_mutable(&vgpu, &mutable, &immutable);
    // A source takes nothing at all, and its own data stays what it was.
    assert!(guest.vgpu.restore_immutable(&immutable).is_err());
    assert!(guest.vgpu.restore_mutable(&mutable).is_err());
    assert!(guest.vgpu.save_mutable().unwrap() == mutable, "the source's data changed");
    assert!(guest.vgpu.save_immutable().unwrap() == immutable, "the source's data changed");
    // Records that a reader may do without are no forgery.
    vgpu.restore_immutable(&forged(&immutable, |it| it.records.push(unknown(0)))).unwrap();
    vgpu.restore_mutable(&forged(&mutable, |it| it.records.push(unknown(0)))).unwrap();
    let vm = Vm::restore(vgpu.clone(), &gpup_guest::Loader, &guest.vm.save()).unwrap();
    let work = guest.work.clone();
    guest.destroy().unwrap();
    vgpu.end().unwrap();
    vgpu.set_running().unwrap();
    vm.resume();
    assert_right(Guest { vgpu, vm, work }, &here, "after all that");
    stop([here, there]);
}

fn other_hosts_name_what_does_not_fit(mode: Mode) {
    let here = Host::new(mode).start();
    let Leaving { guest, immutable, mutable } = leaving(&here, mode);
    let host = || Host::new(mode);
    let cases = [
        ("device id", host().with("VendorId", 0x1235), VF_BYTES),
        ("device id", host().with("DeviceId", 0x4757), VF_BYTES),
        ("revision", host().with("DeviceRevision", 2), VF_BYTES),
        ("firmware version", host().with("FirmwareVersion", 0x0002_0000), VF_BYTES),
        ("firmware version", host().with("FirmwareVersion", 0x0000_FFFF), VF_BYTES),
        ("dirty page size", host().with("DirtyPageBytes", 64 << 10), VF_BYTES),
        ("VRAM size", host(), VF_BYTES / 2),
        ("vGPU profile", host().sized(4, VF_BYTES), VF_BYTES),
    ];
    for (word, there, bytes) in cases {
        let there = there.start();
        let vgpu = new_vgpu(&there, bytes);
        vgpu.prepare(TARGET).unwrap();
        let refusal = vgpu.restore_immutable(&immutable).expect_err(word);
        assert_eq!(refusal.status, STATUS_OBJECT_TYPE_MISMATCH, "{word}");
        assert!(refusal.reason.as_ref().is_some_and(|reason| reason.contains(word)), "{word}: {refusal}");
        assert_eq!(vgpu.restore_mutable(&mutable).unwrap_err().status, STATUS_INVALID_DEVICE_STATE);
        vgpu.end().unwrap();
        drop(vgpu);
        stop([there]);
    }
    let newer = host().with("FirmwareVersion", 0x0001_0007).start();
    let vgpu = new_vgpu(&newer, VF_BYTES);
    vgpu.prepare(TARGET).unwrap();
    vgpu.restore_immutable(&immutable).expect("newer firmware of the same major version takes it");
    vgpu.end().unwrap();
    drop(vgpu);
    guest.destroy().unwrap();
    stop([here, newer]);
}

fn a_refused_vm_stays_where_it_was(mode: Mode) {
    let (here, there) =
        (Host::new(mode).start(), Host::new(mode).with("FirmwareVersion", 0x0002_0000).start());
    let guest = crate::harness::boot(&here, 0, &work(Workload::Stencil, 0));
    let before = state(&guest.vgpu);
    let error = How::new(mode).migrate(&guest.vgpu, &guest.vm, &there).refused("other firmware");
    assert!(error.to_string().contains("firmware version"), "{error}");
    assert_eq!(state(&guest.vgpu), before);
    assert_right(guest, &here, "it stayed");
    stop([here, there]);
}
