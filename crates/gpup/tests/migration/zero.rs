//! No guest reads another's bytes: VRAM is zero when it is given out, and after a reset.

use std::sync::Arc;

use dxgksim::vgpu::{Vgpu, VgpuOptions};
use live_migration::pages::run::Run;

use crate::harness::{Host, Mode, in_every_mode, noise, read_all, stop};

in_every_mode!(vram_that_another_had_reads_zero, a_reset_leaves_nothing);

/// More than half of the adapter's VRAM: two VFs one after another cannot but share most of it.
const LARGE: u64 = 40 << 20;

/// Writes noise over all of a VF, and sees that it is there.
fn scribble(vgpu: &Arc<Vgpu>) {
    let mut channel = vgpu.paging_channel().unwrap();
    let batch = channel.bytes() as u64 / vgpu.dirty_page_bytes();
    let bytes = noise(channel.bytes() as u64, 3);
    for first in (0..vgpu.pages()).step_by(batch as usize) {
        let count = batch.min(vgpu.pages() - first);
        channel.buffer().copy_from_slice(&bytes);
        channel.start_in(&[Run { first, count }]).unwrap();
        channel.wait().unwrap();
    }
    assert_eq!(zero_bytes(vgpu), 0, "the noise is not there");
}

fn zero_bytes(vgpu: &Arc<Vgpu>) -> usize {
    read_all(vgpu).iter().filter(|byte| **byte == 0).count()
}

fn vram_that_another_had_reads_zero(mode: Mode) {
    let machine = Host::new(mode).sized(1, LARGE).start();
    let options = VgpuOptions { vram_bytes: LARGE, ..VgpuOptions::default() };
    for _ in 0..2 {
        let vgpu = machine.adapter().create_vgpu(0, &options).unwrap();
        assert_eq!(zero_bytes(&vgpu), LARGE as usize, "somebody's bytes");
        scribble(&vgpu);
        vgpu.destroy().unwrap();
    }
    stop([machine]);
}

fn a_reset_leaves_nothing(mode: Mode) {
    let machine = Host::new(mode).start();
    let options = VgpuOptions { vram_bytes: 4 << 20, ..VgpuOptions::default() };
    let [one, other] = [0, 1].map(|vf| machine.adapter().create_vgpu(vf, &options).unwrap());
    scribble(&one);
    scribble(&other);
    let mut dirty = vec![0; one.pages().div_ceil(64) as usize];
    one.start_tracking().unwrap();
    one.query_dirty(true, &mut dirty).unwrap();
    one.reset().unwrap();
    assert_eq!(zero_bytes(&one), one.vram_bytes() as usize, "the reset left something");
    assert_eq!(zero_bytes(&other), 0, "the reset went too far");
    one.query_dirty(false, &mut dirty).unwrap();
    assert!(dirty.iter().all(|word| *word == u64::MAX), "a reset writes, and what is written is dirty");
    drop((one, other));
    stop([machine]);
}
