//! HASH: xxh3-64 of a range, so that a guest can check gigabytes by reading eight bytes.

use xxhash_rust::xxh3::Xxh3;

use super::{PIECE_BYTES, Scratch, check_transfer};
use crate::device::abi::FaultCode;
use crate::device::sim::memory::{VfMemory, check_window};

pub(super) fn run(
    memory: &mut VfMemory<'_>,
    scratch: &mut Scratch,
    src: u64,
    bytes: u64,
    window: u32,
) -> Result<(), FaultCode> {
    memory.check(src, bytes)?;
    check_transfer(bytes)?;
    check_window(window, 8)?;
    let mut hash = Xxh3::new();
    let mut done = 0;
    while done < bytes {
        memory.proceed()?;
        let piece = (bytes - done).min(PIECE_BYTES as u64);
        let buffer = &mut scratch.bytes[..piece as usize];
        memory.read(src + done, buffer)?;
        hash.update(buffer);
        done += piece;
    }
    memory.show(window, &hash.digest().to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use crate::device::sim::command::Command;
    use xxhash_rust::xxh3::xxh3_64;

    #[test]
    fn pieces_hash_as_the_whole() {
        let mut bench = Bench::new(64);
        let data: Vec<u8> = (0..200_000u32).map(|n| (n % 1009 * 31 % 253) as u8).collect();
        for (number, part) in (0..).zip(data.chunks(50_000)) {
            bench.write(8 + number * 50_000, part);
        }
        for bytes in [0, 8, 65_536, 200_000] {
            bench.run(&Command::Hash { src: 8, bytes: bytes as u64, window: 65_528 }).unwrap();
            assert_eq!(bench.window(65_528, 8), xxh3_64(&data[..bytes]).to_le_bytes());
        }
    }
}
