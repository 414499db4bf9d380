//! The kernels: what each command does to a VF's memory, a file each.
//!
//! A kernel checks all of its parameters before it writes a byte, reads VRAM into the engine's own bounded
//! buffers, computes in one fixed order, so that results are the same on every host, and writes back through the
//! engine's writer, which marks.

mod copy;
mod hash;
mod life;
mod matmul;
mod nbody;
mod write_pages;

use alloc::boxed::Box;

use super::command::Command;
use super::memory::{VfMemory, check_window};
use crate::boxed;
use crate::device::abi::{FaultCode, LIFE_MAX, NBODY_MAX, READBACK_BYTES, TRANSFER_MAX};

/// Bytes that a kernel moves between two looks at whether it must end.
const PIECE_BYTES: usize = 64 * 1024;
const SCRATCH_BYTES: usize = 4 * LIFE_MAX as usize;
/// Most elements of the rows of one MATMUL: `rows * n`, with `rows * n * n` within its limit and `rows <= n`.
const BLOCK_FLOATS: usize = 48 * 1024;
const SCRATCH_FLOATS: usize =
    NBODY_MAX as usize * nbody::BODY_FLOATS + nbody::MOST_MOVED * nbody::BODY_FLOATS;
const _: () = assert!(SCRATCH_BYTES >= PIECE_BYTES && SCRATCH_BYTES >= READBACK_BYTES);
const _: () = assert!(SCRATCH_FLOATS >= 2 * BLOCK_FLOATS + crate::device::abi::MATMUL_MAX as usize);

/// The buffers of one engine.
pub(super) struct Scratch {
    bytes: Box<[u8]>,
    floats: Box<[f32]>,
}

impl Scratch {
    /// Buffers that every kernel fits in.
    pub(super) fn new() -> crate::Result<Self> {
        Ok(Self { bytes: boxed::slice(SCRATCH_BYTES, || 0)?, floats: boxed::slice(SCRATCH_FLOATS, || 0.0)? })
    }
}

/// Executes a command.
pub(super) fn execute(
    command: &Command<'_>,
    memory: &mut VfMemory<'_>,
    scratch: &mut Scratch,
) -> Result<(), FaultCode> {
    match *command {
        Command::Nop => Ok(()),
        Command::Fill { dst, bytes, pattern } => fill(memory, dst, bytes, pattern),
        Command::Copy { src, dst, bytes } => copy::run(memory, scratch, src, dst, bytes),
        Command::Upload { dst, data } => {
            memory.check(dst, data.len() as u64)?;
            memory.write(dst, data)
        }
        Command::Readback { src, bytes, window } => {
            memory.check(src, u64::from(bytes))?;
            check_window(window, u64::from(bytes))?;
            let bytes = &mut scratch.bytes[..bytes as usize];
            memory.read(src, bytes)?;
            memory.show(window, bytes);
            Ok(())
        }
        Command::Hash { src, bytes, window } => hash::run(memory, scratch, src, bytes, window),
        Command::Matmul(ref matmul) => matmul::run(memory, scratch, matmul),
        Command::Life(ref life) => life::run(memory, scratch, life),
        Command::Nbody(ref nbody) => nbody::run(memory, scratch, nbody),
        Command::WritePages(ref write) => write_pages::run(memory, write),
    }
}

fn fill(memory: &mut VfMemory<'_>, dst: u64, bytes: u64, pattern: u64) -> Result<(), FaultCode> {
    memory.check(dst, bytes)?;
    check_transfer(bytes)?;
    let mut done = 0;
    while done < bytes {
        memory.proceed()?;
        let piece = (bytes - done).min(PIECE_BYTES as u64);
        memory.fill(dst + done, piece, pattern)?;
        done += piece;
    }
    Ok(())
}

/// Refuses more bytes than a command may move.
fn check_transfer(bytes: u64) -> Result<(), FaultCode> {
    if bytes > TRANSFER_MAX { Err(FaultCode::BadParameter) } else { Ok(()) }
}

/// Refuses rows `first..first + rows` that are none or not among `all`.
fn check_part(first: u32, rows: u32, all: u32) -> Result<(), FaultCode> {
    match first.checked_add(rows) {
        Some(end) if rows > 0 && end <= all => Ok(()),
        _ => Err(FaultCode::BadParameter),
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! A VF's memory in two regions, out of order, for the kernels' tests.

    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::PAGE_SIZE;
    use crate::device::Region;
    use crate::device::sim::bar::Bar;
    use crate::device::sim::regions::Regions;
    use crate::dirty::{Tracker, Writer};
    use crate::vram::SimulatedVram;

    /// Everything a kernel needs, and a segment twice as large as the VF.
    pub(in crate::device::sim) struct Bench {
        pub(in crate::device::sim) writer: Writer,
        pub(in crate::device::sim) bar: Bar,
        pub(in crate::device::sim) regions: Regions,
        pub(in crate::device::sim) scratch: Scratch,
        pub(in crate::device::sim) abort: AtomicBool,
    }

    impl Bench {
        pub(in crate::device::sim) fn new(pages: u64) -> Self {
            crate::os::host::install();
            let bytes = 2 * pages * PAGE_SIZE;
            let tracker = Tracker::new(Arc::new(SimulatedVram::new(bytes).unwrap()), PAGE_SIZE, 1).unwrap();
            let first = Region { offset: (pages + 1) * PAGE_SIZE, bytes: PAGE_SIZE };
            let rest = Region { offset: PAGE_SIZE, bytes: (pages - 1) * PAGE_SIZE };
            Self {
                writer: tracker.writer().unwrap(),
                bar: Bar::new().unwrap(),
                regions: Regions::new(&[first, rest], bytes).unwrap(),
                scratch: Scratch::new().unwrap(),
                abort: AtomicBool::new(false),
            }
        }

        pub(in crate::device::sim) fn run(&mut self, command: &Command<'_>) -> Result<(), FaultCode> {
            let mut memory = VfMemory {
                regions: &self.regions,
                writer: &mut self.writer,
                bar: &self.bar,
                abort: &self.abort,
            };
            execute(command, &mut memory, &mut self.scratch)
        }

        pub(in crate::device::sim) fn write(&mut self, at: u64, data: &[u8]) {
            self.run(&Command::Upload { dst: at, data }).unwrap();
        }

        pub(in crate::device::sim) fn read(&self, at: u64, bytes: usize) -> Vec<u8> {
            let mut out = vec![0; bytes];
            self.regions
                .pieces(at, bytes as u64, |offset, start, run| {
                    self.writer.vram().read(offset, &mut out[start as usize..(start + run) as usize])
                })
                .unwrap();
            out
        }

        pub(in crate::device::sim) fn floats(&self, at: u64, count: usize) -> Vec<f32> {
            let bytes = self.read(at, count * 4);
            bytes.chunks_exact(4).map(|word| f32::from_le_bytes(word.try_into().unwrap())).collect()
        }

        pub(in crate::device::sim) fn window(&self, at: usize, bytes: usize) -> Vec<u8> {
            let mut out = vec![0; bytes];
            self.bar.read(crate::device::abi::READBACK_OFFSET + at, &mut out);
            out
        }
    }

    /// Little-endian bytes of floats.
    pub(in crate::device::sim) fn bytes_of(floats: &[f32]) -> Vec<u8> {
        floats.iter().flat_map(|float| float.to_le_bytes()).collect()
    }

    #[test]
    fn fill_upload_and_readback_cross_regions() {
        let mut bench = Bench::new(4);
        bench.run(&Command::Fill { dst: 4088, bytes: 16, pattern: 0x0807_0605_0403_0201 }).unwrap();
        assert_eq!(
            bench.read(4080, 32),
            [[0; 8], [1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8], [0; 8]].concat()
        );
        bench.run(&Command::Readback { src: 4088, bytes: 16, window: 8 }).unwrap();
        assert_eq!(bench.window(0, 16), [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        let refused = |command: Command<'_>, code| assert_eq!(Bench::new(4).run(&command), Err(code));
        refused(Command::Fill { dst: 4, bytes: 8, pattern: 0 }, FaultCode::Misaligned);
        refused(Command::Fill { dst: 16384, bytes: 8, pattern: 0 }, FaultCode::OutOfRange);
        refused(Command::Fill { dst: 8, bytes: u64::MAX - 7, pattern: 0 }, FaultCode::OutOfRange);
        refused(Command::Readback { src: 0, bytes: 16, window: 65528 }, FaultCode::OutOfRange);
        refused(Command::Readback { src: 0, bytes: 8, window: u32::MAX - 7 }, FaultCode::OutOfRange);
        let large = Command::Fill { dst: 0, bytes: TRANSFER_MAX + 8, pattern: 0 };
        assert_eq!(Bench::new(2048).run(&large), Err(FaultCode::BadParameter));
    }

    #[test]
    fn a_reset_ends_a_command() {
        let mut bench = Bench::new(4);
        bench.abort = AtomicBool::new(true);
        let fill = Command::Fill { dst: 0, bytes: 8, pattern: 1 };
        assert_eq!(bench.run(&fill), Err(FaultCode::Reset));
    }
}
