//! The guest's view of its interrupts moves with it; the host's addresses never do.

use std::sync::{Arc, Mutex};

use dxgksim::guest::{Bar, Cpu, Guest, GuestLoader, MsixMessage, Outcome, Progress};
use dxgksim::vgpu::Vgpu;
use dxgksim::vm::Vm;
use gpup_core::device::abi::MSIX_VECTORS;
use gpup_guest::Workload;
use live_migration::{Event, Phase};

use crate::harness::{
    Host, How, Mode, VF_BYTES, assert_right, boot, in_every_mode, settled, stop, wait_steps, work,
};

in_every_mode!(the_guests_entries_read_back, host_addresses_do_not_travel);

/// Writes its MSI-X table once, and shows at its end how it reads.
struct Scribe {
    written: bool,
    steps: u64,
    finish: bool,
}

/// What it writes: nothing that a host would have, one entry masked.
fn entry(index: u16) -> MsixMessage {
    MsixMessage {
        address: 0xFEE0_0000 + u64::from(index) * 0x1_0000_1010,
        data: 5 + u32::from(index),
        control: u32::from(index == 1),
    }
}

fn encoded(entries: impl IntoIterator<Item = MsixMessage>) -> Vec<u8> {
    let bytes = |it: MsixMessage| {
        [&it.address.to_le_bytes()[..], &it.data.to_le_bytes(), &it.control.to_le_bytes()].concat()
    };
    entries.into_iter().flat_map(bytes).collect()
}

impl Guest for Scribe {
    fn run(&mut self, cpu: &mut dyn Cpu) -> Progress {
        let all = 0..MSIX_VECTORS as u16;
        if !self.written {
            all.clone().for_each(|index| cpu.write_msix(index, entry(index)));
            self.written = true;
        }
        self.steps += 1;
        if self.finish {
            let result = encoded(all.map(|index| cpu.read_msix(index)));
            return Progress::Finished(Outcome { steps: self.steps, result });
        }
        Progress::Waiting(1_000_000)
    }

    fn finish(&mut self, _steps: Option<u64>) {
        self.finish = true;
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn save(&self) -> Vec<u8> {
        vec![u8::from(self.written)]
    }

    fn name(&self) -> &str {
        "scribe"
    }
}

struct ScribeLoader;

impl GuestLoader for ScribeLoader {
    fn load(&self, state: &[u8]) -> Result<Box<dyn Guest>, String> {
        Ok(Box::new(Scribe { written: state == [1], steps: 0, finish: false }))
    }
}

fn the_guests_entries_read_back(mode: Mode) {
    let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
    let vgpu = here.create_vf(0, VF_BYTES).unwrap();
    let scribe = Scribe { written: false, steps: 0, finish: false };
    let vm = Vm::boot(vgpu.clone(), Box::new(scribe)).unwrap();
    wait_steps(&vm);
    let how = How { loader: Arc::new(ScribeLoader), ..How::new(mode) };
    let (_, held) = how.migrate(&vgpu, &vm, &there).arrived("a scribe");
    assert_ne!(held.vm.mailboxes(), vm.mailboxes(), "nothing is to be told apart");
    let outcome = gpup::world::finish(&held.vm, None).unwrap();
    assert_eq!(outcome.result, encoded((0..MSIX_VECTORS as u16).map(entry)));
    held.vm.stop();
    held.vgpu.destroy().unwrap();
    vgpu.destroy().unwrap();
    drop((vgpu, vm, held));
    stop([here, there]);
}

/// An address as it would lie in data: low bytes first or last, or as a varint.
fn spellings(address: u64) -> [Vec<u8>; 3] {
    let little = address.to_le_bytes();
    let digits = address.ilog2() / 7 + 1;
    let varint = (0..digits).map(|digit| {
        let more = if digit + 1 < digits { 0x80 } else { 0 };
        (address >> (7 * digit)) as u8 & 0x7F | more
    });
    [little[..6].to_vec(), address.to_be_bytes()[2..].to_vec(), varint.collect()]
}

/// Whether an address that interrupts of these mailboxes go to is anywhere in `data`.
fn mentions(data: &[u8], mailboxes: u64) -> bool {
    (0..MSIX_VECTORS as u64)
        .flat_map(|vector| spellings(mailboxes + 4 * vector))
        .any(|spelling| data.windows(spelling.len()).any(|window| window == spelling))
}

/// What a guest can read of its BAR.
fn bar(vgpu: &Vgpu) -> Vec<u8> {
    let bar = vgpu.bar();
    let page = |page: usize| {
        let mut bytes = vec![0; 4096];
        bar.read_bytes(page * 4096, &mut bytes);
        bytes
    };
    bar.readable_pages().flat_map(page).collect()
}

#[test]
fn an_address_is_found_where_there_is_one() {
    let address = 0x7F12_3456_7000;
    for spelling in spellings(address + 8) {
        assert!(mentions(&[&[1, 2, 3], &spelling[..], &[4]].concat(), address), "{spelling:x?}");
    }
    assert!(!mentions(&[0; 64], address));
}

fn host_addresses_do_not_travel(mode: Mode) {
    let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
    let guest = boot(&here, 0, &work(Workload::Nbody, 64 << 10));
    let saved = Mutex::new(Vec::new());
    let how = How::new(mode).watched(|event| {
        if event == Event::Enter(Phase::Restore) {
            let mut saved = saved.lock().unwrap();
            saved.push(guest.vgpu.save_immutable().unwrap());
            saved.push(guest.vgpu.save_mutable().unwrap());
            saved.push(guest.vm.save());
            saved.push(bar(&guest.vgpu));
        }
        std::ops::ControlFlow::Continue(())
    });
    let mut attempt = how.migrate(&guest.vgpu, &guest.vm, &there);
    let mut all = std::mem::take(&mut attempt.sent);
    all.append(&mut saved.into_inner().unwrap());
    let (_, held) = attempt.arrived("host addresses");
    all.push(bar(&held.vgpu));
    assert_eq!(all.len(), 7, "control, stream, immutable, mutable, VM, a BAR on either side");
    for (at, data) in all.iter().enumerate() {
        assert!(!data.is_empty());
        assert!(!mentions(data, guest.vm.mailboxes()), "data {at} holds an address of the host");
        assert!(!mentions(data, held.vm.mailboxes()), "data {at} holds an address of the other host");
    }
    let what = guest.work.clone();
    guest.destroy().unwrap();
    assert_right(settled(held, &what), &here, "host addresses");
    stop([here, there]);
}
