//! Compression of page batches, behind the agents' packer interface.

use std::io::{Cursor, Read, Write};

use live_migration::pages::list::{Packer, Unpacker};

/// Numbers on the wire.
const LZ4: u8 = 1;
const ZSTD: u8 = 2;
/// zstd's fastest ordinary level: above it the processor is slower than most links.
const ZSTD_LEVEL: i32 = 1;

/// Packs with lz4's block format.
pub struct Lz4;

impl Packer for Lz4 {
    fn id(&self) -> u8 {
        LZ4
    }

    fn pack(&self, data: &[&[u8]], out: &mut Vec<u8>) -> bool {
        let joined = data.concat();
        out.resize(lz4_flex::block::get_maximum_output_size(joined.len()), 0);
        let bytes = lz4_flex::block::compress_into(&joined, out).unwrap_or(usize::MAX);
        out.truncate(bytes);
        bytes < joined.len()
    }
}

/// Packs with zstd.
pub struct Zstd;

impl Packer for Zstd {
    fn id(&self) -> u8 {
        ZSTD
    }

    fn pack(&self, data: &[&[u8]], out: &mut Vec<u8>) -> bool {
        out.clear();
        let raw: usize = data.iter().map(|part| part.len()).sum();
        let encode = || -> std::io::Result<()> {
            let mut encoder = zstd::stream::write::Encoder::new(&mut *out, ZSTD_LEVEL)?;
            data.iter().try_for_each(|part| encoder.write_all(part))?;
            encoder.finish().map(drop)
        };
        let mut encode = encode;
        encode().is_ok() && out.len() < raw
    }
}

/// Unpacks both.
pub struct AnyUnpacker;

impl Unpacker for AnyUnpacker {
    fn unpack(&self, id: u8, packed: &[u8], out: &mut [u8]) -> bool {
        match id {
            LZ4 => lz4_flex::block::decompress_into(packed, out).is_ok_and(|bytes| bytes == out.len()),
            ZSTD => unzstd(packed, out).is_ok_and(|whole| whole),
            _ => false,
        }
    }
}

/// Fills `out`; true if that used up all of `packed`.
fn unzstd(packed: &[u8], out: &mut [u8]) -> std::io::Result<bool> {
    let mut decoder = zstd::stream::read::Decoder::new(Cursor::new(packed))?;
    decoder.read_exact(out)?;
    Ok(decoder.read(&mut [0])? == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(packer: &dyn Packer) {
        let page: Vec<u8> = (0..8192u32).map(|at| (at / 64) as u8).collect();
        let mut packed = Vec::new();
        assert!(packer.pack(&[&page[..100], &page[100..]], &mut packed));
        let mut out = vec![0; page.len()];
        assert!(AnyUnpacker.unpack(packer.id(), &packed, &mut out));
        assert_eq!(out, page);
        assert!(!AnyUnpacker.unpack(packer.id(), &packed, &mut vec![0; page.len() - 1]), "too much");
        assert!(!AnyUnpacker.unpack(packer.id(), &packed, &mut vec![0; page.len() + 1]), "too little");
        assert!(!AnyUnpacker.unpack(packer.id(), &packed[..packed.len() / 2], &mut out), "cut");
        assert!(!AnyUnpacker.unpack(9, &packed, &mut out), "unknown packing");
    }

    #[test]
    fn what_is_packed_comes_back() {
        round_trip(&Lz4);
        round_trip(&Zstd);
    }

    #[test]
    fn noise_is_left_as_it_is() {
        let noise: Vec<u8> =
            (0..4096u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
        let mut state = 1u64;
        let noise: Vec<u8> = noise
            .iter()
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .collect();
        assert!(!Lz4.pack(&[&noise], &mut Vec::new()));
        assert!(!Zstd.pack(&[&noise], &mut Vec::new()));
    }
}
