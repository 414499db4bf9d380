//! Bytes as text that shows where a frame's fields are.

use std::fmt::Write;

use live_migration::wire::frame::HEADER_BYTES;

/// Where the fields of a header end: magic, kind, version, sequence, length, checksum.
const FIELDS: [usize; 6] = [4, 6, 8, 12, 16, HEADER_BYTES];
/// Bytes of a payload on a line.
const LINE: usize = 32;

/// Two digits a byte.
pub(crate) fn of(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A frame: its header field by field, then its payload.
pub(crate) fn of_frame(frame: &[u8]) -> String {
    let (header, payload) = frame.split_at(HEADER_BYTES);
    let mut from = 0;
    let fields: Vec<String> =
        FIELDS.iter().map(|end| of(&header[std::mem::replace(&mut from, *end)..*end])).collect();
    let mut text = format!("  {}\n", fields.join(" "));
    payload.chunks(LINE).for_each(|line| writeln!(text, "  {}", of(line)).unwrap());
    text
}

/// The bytes that digits stand for, with any white space between them.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let (pairs, []) = digits.as_chunks::<2>() else { panic!("half a byte in {text}") };
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The named parts of a file: a line with the name and its lines below, set in.
pub(crate) fn parts(text: &str) -> Vec<(&str, Vec<u8>)> {
    let mut parts: Vec<(&str, Vec<u8>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("  "), parts.last_mut()) {
            (Some(digits), Some((_, whole))) => whole.extend(bytes(digits)),
            (Some(_), None) => panic!("bytes of nothing"),
            (None, _) => parts.push((line, Vec::new())),
        }
    }
    parts
}
