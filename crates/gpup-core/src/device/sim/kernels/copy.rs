//! COPY: memory to memory, in pieces.

use super::{PIECE_BYTES, Scratch, check_transfer};
use crate::device::abi::FaultCode;
use crate::device::sim::memory::{VfMemory, check_disjoint};

pub(super) fn run(
    memory: &mut VfMemory<'_>,
    scratch: &mut Scratch,
    src: u64,
    dst: u64,
    bytes: u64,
) -> Result<(), FaultCode> {
    memory.check(src, bytes)?;
    memory.check(dst, bytes)?;
    check_transfer(bytes)?;
    check_disjoint(src, bytes, dst, bytes)?;
    let mut done = 0;
    while done < bytes {
        memory.proceed()?;
        let piece = (bytes - done).min(PIECE_BYTES as u64);
        let buffer = &mut scratch.bytes[..piece as usize];
        memory.read(src + done, buffer)?;
        memory.write(dst + done, buffer)?;
        done += piece;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use crate::device::abi::FaultCode;
    use crate::device::sim::command::Command;

    #[test]
    fn copies_across_regions_and_refuses_overlap() {
        let mut bench = Bench::new(64);
        let data: Vec<u8> = (0..60_000u32).map(|n| (n * 7 % 251) as u8).collect();
        bench.write(16, &data);
        bench.run(&Command::Copy { src: 16, dst: 100_000, bytes: 60_000 }).unwrap();
        assert_eq!(bench.read(100_000, 60_000), data);
        bench.run(&Command::Copy { src: 100_000, dst: 4_000, bytes: 60_000 }).unwrap();
        assert_eq!(bench.read(4_000, 60_000), data);
        let overlap = Command::Copy { src: 0, dst: 8, bytes: 16 };
        assert_eq!(bench.run(&overlap), Err(FaultCode::BadParameter));
        let adjacent = Command::Copy { src: 0, dst: 16, bytes: 16 };
        assert_eq!(bench.run(&adjacent), Ok(()));
    }
}
