//! What the commands do, over plain memory and as strict as a device may be.

use gpup_core::device::abi::{self, FaultCode};
use xxhash_rust::xxh3::xxh3_64;

use crate::random;

/// Writes into the readback window.
pub(super) type Window<'a> = &'a mut dyn FnMut(u32, &[u8]) -> Result<(), FaultCode>;

struct Payload<'a>(&'a [u8]);

impl Payload<'_> {
    fn u64(&mut self) -> u64 {
        let (head, rest) = self.0.split_at(8);
        self.0 = rest;
        u64::from_le_bytes(head.try_into().unwrap())
    }
    fn u32(&mut self) -> u32 {
        let (head, rest) = self.0.split_at(4);
        self.0 = rest;
        u32::from_le_bytes(head.try_into().unwrap())
    }
}

/// Executes one command.
pub(super) fn execute(
    node: usize,
    opcode: u16,
    payload: &[u8],
    vram: &mut [u8],
    window: Window<'_>,
) -> Result<(), FaultCode> {
    const LENGTHS: [usize; 10] = [0, 24, 24, 16, 16, 24, 40, 32, 32, 40];
    let length = *LENGTHS.get(usize::from(opcode)).ok_or(FaultCode::UnknownCommand)?;
    if payload.len() < length {
        return Err(FaultCode::BadLength);
    }
    if (6..=8).contains(&opcode) && node != abi::COMPUTE_NODE {
        return Err(FaultCode::UnknownCommand);
    }
    let mut p = Payload(payload);
    match opcode {
        1 => {
            let (dst, bytes, pattern) = (p.u64(), p.u64(), p.u64());
            let range = range(vram, dst, bytes)?;
            vram[range].chunks_exact_mut(8).for_each(|it| it.copy_from_slice(&pattern.to_le_bytes()));
        }
        2 => {
            let (src, dst, bytes) = (p.u64(), p.u64(), p.u64());
            let (from, to) = (range(vram, src, bytes)?, range(vram, dst, bytes)?);
            vram.copy_within(from, to.start);
        }
        3 => {
            let (dst, bytes) = (p.u64(), p.u64());
            let range = range(vram, dst, bytes)?;
            vram[range].copy_from_slice(p.0.get(..bytes as usize).ok_or(FaultCode::BadLength)?);
        }
        4 => {
            let (src, bytes, at) = (p.u64(), p.u32(), p.u32());
            window(at, &vram[range(vram, src, bytes.into())?])?;
        }
        5 => {
            let (src, bytes, at) = (p.u64(), p.u64(), p.u32());
            window(at, &xxh3_64(&vram[range(vram, src, bytes)?]).to_le_bytes())?;
        }
        6 => matmul(&mut p, vram)?,
        7 => life(&mut p, vram)?,
        8 => nbody(&mut p, vram)?,
        9 => write_pages(&mut p, vram)?,
        _ => {}
    }
    Ok(())
}

fn range(vram: &[u8], at: u64, bytes: u64) -> Result<std::ops::Range<usize>, FaultCode> {
    if !at.is_multiple_of(8) || !bytes.is_multiple_of(8) {
        return Err(FaultCode::Misaligned);
    }
    let end = at.checked_add(bytes).filter(|end| *end <= vram.len() as u64).ok_or(FaultCode::OutOfRange)?;
    if bytes == 0 { Err(FaultCode::BadParameter) } else { Ok(at as usize..end as usize) }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect()
}

fn part(first: u32, count: u32, of: u32, most: u32) -> Result<(usize, usize), FaultCode> {
    let fits = of <= most && count != 0 && first.checked_add(count).is_some_and(|end| end <= of);
    if fits { Ok((first as usize, count as usize)) } else { Err(FaultCode::BadParameter) }
}

fn matmul(p: &mut Payload<'_>, vram: &mut [u8]) -> Result<(), FaultCode> {
    let (a, b, c, n) = (p.u64(), p.u64(), p.u64(), p.u32());
    let (first, rows) = part(p.u32(), p.u32(), n, abi::MATMUL_MAX)?;
    let scale = f32::from_bits(p.u32());
    let n = n as usize;
    let bytes = n as u64 * n as u64 * 4;
    let (a, b) = (floats(&vram[range(vram, a, bytes)?]), floats(&vram[range(vram, b, bytes)?]));
    let out = range(vram, c, bytes)?;
    for row in first..first + rows {
        let mut sums = vec![0.0_f32; n];
        for (k, factors) in b.chunks_exact(n).enumerate() {
            let x = a[row * n + k];
            sums.iter_mut().zip(factors).for_each(|(sum, factor)| *sum += x * factor);
        }
        for (column, sum) in sums.into_iter().enumerate() {
            let at = out.start + (row * n + column) * 4;
            vram[at..at + 4].copy_from_slice(&(scale * sum).to_le_bytes());
        }
    }
    Ok(())
}

fn life(p: &mut Payload<'_>, vram: &mut [u8]) -> Result<(), FaultCode> {
    let (src, dst, width, height) = (p.u64(), p.u64(), p.u32(), p.u32());
    let (first, rows) = part(p.u32(), p.u32(), height, abi::LIFE_MAX)?;
    let (w, h) = (width as usize, height as usize);
    let old = vram[range(vram, src, (w * h) as u64)?].to_vec();
    let out = range(vram, dst, (w * h) as u64)?.start;
    for y in first..first + rows {
        for x in 0..w {
            let mut around = 0;
            for (dy, dx) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)] {
                around += old[(y + h + dy - 1) % h * w + (x + w + dx - 1) % w];
            }
            vram[out + y * w + x] = u8::from(around == 3 || around == 2 && old[y * w + x] == 1);
        }
    }
    Ok(())
}

fn nbody(p: &mut Payload<'_>, vram: &mut [u8]) -> Result<(), FaultCode> {
    let (src, dst, count) = (p.u64(), p.u64(), p.u32());
    let (first, bodies) = part(p.u32(), p.u32(), count, abi::NBODY_MAX)?;
    let dt = f32::from_bits(p.u32());
    let bytes = u64::from(count) * 32;
    let all = floats(&vram[range(vram, src, bytes)?]);
    let out = range(vram, dst, bytes)?.start;
    for body in first..first + bodies {
        let moved = pull(&all, body, dt);
        for (lane, value) in moved.into_iter().enumerate() {
            let at = out + body * 32 + lane * 4;
            vram[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
    }
    Ok(())
}

/// One body after a time step.
pub(super) fn pull(all: &[f32], body: usize, dt: f32) -> [f32; 8] {
    let mut me: [f32; 8] = all[body * 8..body * 8 + 8].try_into().unwrap();
    let [x, y, z, ..] = me;
    let mut force = [0.0_f32; 3];
    for other in all.chunks_exact(8) {
        let (dx, dy, dz) = (other[0] - x, other[1] - y, other[2] - z);
        let square = dx * dx + dy * dy + dz * dz + 1e-3;
        let weight = other[3] / (square * square.sqrt());
        force = [force[0] + dx * weight, force[1] + dy * weight, force[2] + dz * weight];
    }
    for axis in 0..3 {
        me[4 + axis] += force[axis] * dt;
        me[axis] += me[4 + axis] * dt;
    }
    me
}

fn write_pages(p: &mut Payload<'_>, vram: &mut [u8]) -> Result<(), FaultCode> {
    let (base, pages, index, count, pattern, seed) = (p.u64(), p.u64(), p.u64(), p.u32(), p.u32(), p.u64());
    let base = range(vram, base, pages.checked_mul(4096).ok_or(FaultCode::OutOfRange)?)?.start;
    if count > abi::WRITE_PAGES_MAX || pattern > 2 {
        return Err(FaultCode::BadParameter);
    }
    for i in index..index + u64::from(count) {
        let (page, stamp) = stamp(i, pages, pattern, seed);
        let at = base + page as usize * 4096;
        vram[at..at + 64].copy_from_slice(&stamp);
    }
    Ok(())
}

/// The page of the i-th write and what is written.
pub(super) fn stamp(i: u64, pages: u64, pattern: u32, seed: u64) -> (u64, [u8; 64]) {
    let draw = random::number(seed, i);
    let page = match pattern {
        0 => i % pages,
        2 if !draw.is_multiple_of(10) => (draw >> 8) % pages.div_ceil(10),
        _ => (draw >> 8) % pages,
    };
    let mut bytes = [0; 64];
    for (lane, chunk) in bytes.chunks_exact_mut(8).enumerate() {
        chunk.copy_from_slice(&random::number(draw, lane as u64).to_le_bytes());
    }
    (page, bytes)
}
