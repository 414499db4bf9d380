//! What the workloads must come to, without a device, a ring or a command.

use xxhash_rust::xxh3::xxh3_64;

use super::kernels::{pull, stamp};
use crate::digest::{PIECE_BYTES, fold};
use crate::spec::{Spec, Workload};
use crate::workload::{Matmul, Nbody, Stencil};
use crate::{random, workload};

/// The result of `steps` steps.
pub(super) fn result(spec: &Spec, steps: u64) -> Vec<u8> {
    let footprint = spec.fits().unwrap();
    let room = footprint.image_at;
    let (memory, sample) = match footprint.workload {
        Workload::Matmul => matmul(&Matmul::new(spec.seed, room).unwrap(), steps),
        Workload::Stencil => stencil(&Stencil::new(spec.seed, room).unwrap(), steps),
        Workload::Nbody => nbody(&Nbody::new(spec.seed, room).unwrap(), steps),
        Workload::Writer => (writer(spec, room, steps), 0),
        Workload::Idle => {
            ((0..room.min(4096) / 8).flat_map(|i| random::number(spec.seed, i).to_le_bytes()).collect(), 0)
        }
    };
    assert_eq!(memory.len() as u64, footprint.work_bytes);
    let mut image = super::image(spec.image_bytes);
    image.resize(image.len().next_multiple_of(8), 0);
    let mut out = Vec::new();
    for range in [&memory, &image] {
        let digest = range.chunks(PIECE_BYTES as usize).fold(0, |digest, piece| fold(digest, xxh3_64(piece)));
        if !range.is_empty() {
            out.extend_from_slice(&digest.to_le_bytes());
        }
    }
    let shown = if memory.is_empty() { &image } else { &memory[sample..] };
    out.extend_from_slice(&shown[..shown.len().min(64)]);
    out
}

/// Two buffers as they lie in VRAM after so many steps from `start`, and where the newer one begins.
fn in_turn<T: Clone>(start: Vec<T>, zero: T, steps: u64, step: impl Fn(&[T]) -> Vec<T>) -> (Vec<T>, usize) {
    let (mut new, mut old) = (start.clone(), vec![zero; start.len()]);
    for _ in 0..steps {
        let next = step(&new);
        old = std::mem::replace(&mut new, next);
    }
    let at = if steps.is_multiple_of(2) { 0 } else { start.len() };
    (if at == 0 { [new, old].concat() } else { [old, new].concat() }, at)
}

fn bytes(floats: &[f32]) -> Vec<u8> {
    floats.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn matmul(work: &Matmul, steps: u64) -> (Vec<u8>, usize) {
    let n = work.n as usize;
    let q: Vec<f32> = (0..n * n).map(|i| work.factor(i as u64)).collect();
    let start = (0..n * n).map(|i| work.start(i as u64)).collect();
    let product = |x: &[f32]| {
        let element = |i: usize| (0..n).fold(0.0, |sum, k| sum + x[i / n * n + k] * q[k * n + i % n]);
        (0..n * n).map(|i| element(i) / (n as f32).sqrt()).collect()
    };
    let (matrices, at) = in_turn(start, 0.0, steps, product);
    (bytes(&[matrices, q].concat()), at * 4)
}

fn stencil(work: &Stencil, steps: u64) -> (Vec<u8>, usize) {
    let side = work.side as i64;
    let mut start = vec![0; (side * side) as usize];
    work.start(0, &mut start);
    in_turn(start, 0, steps, |old| {
        let cell = |y: i64, x: i64| old[(y.rem_euclid(side) * side + x.rem_euclid(side)) as usize];
        let next = |y, x| {
            let square: u8 = (y - 1..=y + 1).map(|v| (x - 1..=x + 1).map(|u| cell(v, u)).sum::<u8>()).sum();
            u8::from(square == 3 || square == 4 && cell(y, x) == 1)
        };
        (0..side).flat_map(|y| (0..side).map(move |x| (y, x))).map(|(y, x)| next(y, x)).collect()
    })
}

fn nbody(work: &Nbody, steps: u64) -> (Vec<u8>, usize) {
    let count = work.count as usize;
    let start = (0..count as u64).flat_map(|body| work.start(body)).collect();
    let step = |all: &[f32]| (0..count).flat_map(|body| pull(all, body, 1.0 / 1024.0)).collect();
    let (bodies, at) = in_turn(start, 0.0, steps, step);
    assert!(bodies.iter().all(|value| value.is_finite()));
    (bytes(&bodies), at * 4)
}

fn writer(spec: &Spec, room: u64, steps: u64) -> Vec<u8> {
    let mut memory = vec![0; room as usize];
    let work = workload::plan(spec, room);
    for step in 0..steps {
        let workload_command = work.command(step, 0);
        let crate::command::Command::WritePages { index, count, .. } = workload_command else {
            unreachable!()
        };
        for i in index..index + u64::from(count) {
            let (page, stamp) = stamp(i, room / 4096, spec.pattern as u32, spec.seed);
            memory[page as usize * 4096..][..64].copy_from_slice(&stamp);
        }
    }
    memory
}
