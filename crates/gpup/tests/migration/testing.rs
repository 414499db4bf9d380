//! VRAM that no guest and no paging writes, but test command buffers of the driver's own: dirty like any other, and it
//! moves. "Kernel-mode testing of WDDM features".

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use dxgksim::vgpu::{Vgpu, VgpuOptions};
use dxgksim::vidmm::{TestProcess, copy, fill};
use gpup_core::device::abi::NODES;
use gpup_guest::Workload;
use live_migration::pages::run::Run;
use live_migration::{Event, Phase};

use crate::harness::{
    Host, How, Mode, PAGE, VF_BYTES, assert_right, boot, in_every_mode, read_all, settled, stop, work,
};

in_every_mode!(test_buffers_dirty_exactly_what_they_write, what_test_buffers_write_moves);

/// Pages that the process is shown, of a VF of 1024.
const SHOWN: Run = Run { first: 300, count: 40 };

fn bits(vgpu: &Vgpu) -> BTreeSet<u64> {
    let mut words = vec![0u64; vgpu.pages().div_ceil(64) as usize];
    vgpu.query_dirty(true, &mut words).unwrap();
    (0..vgpu.pages()).filter(|page| words[(page / 64) as usize] >> (page % 64) & 1 == 1).collect()
}

fn test_buffers_dirty_exactly_what_they_write(mode: Mode) {
    let machine = Host::new(mode).with("ScatterMapReserve", 1).start();
    for (scattered, node) in
        [false, true].into_iter().flat_map(|it| (0..NODES as u32).map(move |node| (it, node)))
    {
        let options = VgpuOptions { vram_bytes: VF_BYTES, scattered };
        let vgpu = machine.adapter().create_vgpu(0, &options).unwrap();
        vgpu.start_tracking().unwrap();
        let mut process = vgpu.test_process(node).unwrap().expect("the driver has kernel-mode testing");
        let at = process.show(SHOWN).unwrap();
        let mut model = read_all(&vgpu);
        bits(&vgpu);
        let first = (SHOWN.first * PAGE) as usize;
        // Four bytes, a page and two halves, over eight pages, and nothing at all.
        for (offset, bytes) in [(4, 4), (PAGE + 2048, 2 * PAGE), (20 * PAGE - 4, 8 * PAGE), (39 * PAGE, 0)] {
            let pattern = 0xC0DE_0000 | offset as u32;
            process.run(fill(at + offset, bytes as u32, pattern)).unwrap();
            let pages = if bytes == 0 { 0..0 } else { offset / PAGE..(offset + bytes).div_ceil(PAGE) };
            let expected: BTreeSet<u64> = pages.map(|page| SHOWN.first + page).collect();
            assert_eq!(bits(&vgpu), expected, "a fill of {bytes} bytes at {offset}, scattered: {scattered}");
            let filled = &mut model[first + offset as usize..][..bytes as usize];
            filled.chunks_mut(4).for_each(|word| word.copy_from_slice(&pattern.to_le_bytes()));
        }
        process.run(copy(at + 20 * PAGE - 4, at + 31 * PAGE + 12, 4 * PAGE as u32)).unwrap();
        assert_eq!(bits(&vgpu), (331..336).collect(), "a copy, scattered: {scattered}");
        let from = first + 20 * PAGE as usize - 4;
        model.copy_within(from..from + 4 * PAGE as usize, first + 31 * PAGE as usize + 12);
        assert!(read_all(&vgpu) == model, "node {node}, scattered: {scattered}");
        assert_eq!(bits(&vgpu), BTreeSet::new(), "what was read is not dirty");
        drop(process);
        vgpu.destroy().unwrap();
    }
    stop([machine]);
}

/// Writes in the brownout, and once more when everything but the last pages has moved.
fn write_twice(process: &mut TestProcess) -> impl FnMut(Event) -> ControlFlow<()> + '_ {
    move |event| {
        let (page, pattern) = match event {
            Event::Enter(Phase::Brownout) => (0, 0x1111_1111),
            Event::Enter(Phase::Pause) => (10, 0x2222_2222),
            _ => return ControlFlow::Continue(()),
        };
        let at = process.show(SHOWN).unwrap();
        process.run(fill(at + page * PAGE, 3 * PAGE as u32, pattern)).unwrap();
        process.run(copy(at + page * PAGE, at + (page + 4) * PAGE, PAGE as u32)).unwrap();
        ControlFlow::Continue(())
    }
}

fn what_test_buffers_write_moves(mode: Mode) {
    let (here, there) = (Host::new(mode).start(), Host::new(mode).start());
    let guest = boot(&here, 0, &work(Workload::Idle, 0));
    let mut process = guest.vgpu.test_process(0).unwrap().expect("the driver has kernel-mode testing");
    let how = How::new(mode).watched(write_twice(&mut process));
    let (_, held) = how.migrate(&guest.vgpu, &guest.vm, &there).arrived("written by test buffers");
    drop(process);
    let bytes = read_all(&held.vgpu);
    for (page, byte) in [(300, 0x11), (302, 0x11), (304, 0x11), (310, 0x22), (312, 0x22), (314, 0x22)] {
        let page = &bytes[page * PAGE as usize..][..PAGE as usize];
        assert!(page.iter().all(|it| *it == byte), "{:x?}", &page[..8]);
    }
    assert!(bytes[303 * PAGE as usize..][..PAGE as usize].iter().all(|byte| *byte == 0));
    let what = guest.work.clone();
    guest.destroy().unwrap();
    assert_right(settled(held, &what), &here, "written by test buffers");
    stop([here, there]);
}
