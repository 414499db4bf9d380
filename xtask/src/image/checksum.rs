//! The checksum in the optional header, which the system compares before it loads a driver.

use anyhow::{Result, ensure};
use object::LittleEndian as LE;
use object::read::pe::PeFile64;

/// Where the optional header's CheckSum lies behind the PE signature: "PE Format", Optional Header Windows-Specific
/// Fields.
const FIELD: usize = 4 + 20 + 64;

pub(super) fn check(image: &PeFile64<'_>, bytes: &[u8]) -> Result<()> {
    let said = image.nt_headers().optional_header.check_sum.get(LE);
    let right = of(image, bytes);
    ensure!(said == right, "the checksum says {said:#x}, and is {right:#x}");
    Ok(())
}

/// CheckSumMappedFile: the 16-bit words added with their carries, without the field itself, and the file's length.
pub(super) fn of(image: &PeFile64<'_>, bytes: &[u8]) -> u32 {
    let field = image.dos_header().nt_headers_offset() as usize + FIELD;
    let words = bytes.chunks(2).enumerate().filter(|(index, _)| !(field..field + 4).contains(&(index * 2)));
    let sum = words.fold(0u32, |sum, (_, word)| {
        let word = u32::from(word[0]) | u32::from(word.get(1).copied().unwrap_or(0)) << 8;
        let sum = sum + word;
        (sum & 0xFFFF) + (sum >> 16)
    });
    sum.wrapping_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
}
