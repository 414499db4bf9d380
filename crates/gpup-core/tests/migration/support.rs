//! Sample states, and a second, independent writer of streams that also writes what the first refuses to.

use gpup_core::device::{Identity, abi};
use gpup_core::migration::codec::{FormatVersion, StreamKind, Tag};
use gpup_core::migration::state::VfHardware;
use gpup_core::migration::{DriverVersion, Immutable, PageRun, Profile, Snapshot};
use gpup_core::sched::{Priority, VfParameters};

/// Bytes of a page of the samples.
pub(crate) const PAGE: u64 = 4096;

/// CRC-32C a bit at a time.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |mut crc: u32, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
        crc
    })
}

/// A record with right checksums.
pub(crate) fn record(tag: Tag, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(tag.kind.to_le_bytes());
    out.extend(tag.version.to_le_bytes());
    out.extend(tag.flags.to_le_bytes());
    out.extend([0; 2]);
    out.extend((payload.len() as u64).to_le_bytes());
    out.extend(crc32c(payload).to_le_bytes());
    out.extend(crc32c(&out).to_le_bytes());
    out.extend(payload);
    out
}

/// A stream of these records with right checksums, whatever the records are.
pub(crate) fn stream_of(format: FormatVersion, kind: u8, records: &[(Tag, Vec<u8>)]) -> Vec<u8> {
    let body: Vec<Vec<u8>> = records.iter().map(|(tag, payload)| record(*tag, payload)).collect();
    let total = 32 + 4 + body.iter().map(Vec::len).sum::<usize>();
    let mut out = b"GPUPVFMS".to_vec();
    out.extend(format.major.to_le_bytes());
    out.extend(format.minor.to_le_bytes());
    out.extend([kind, 0, 0, 0]);
    out.extend((total as u64).to_le_bytes());
    out.extend((records.len() as u32).to_le_bytes());
    out.extend(crc32c(&out).to_le_bytes());
    let mut vouched = out.clone();
    for record in body {
        vouched.extend(&record[..24]);
        out.extend(record);
    }
    out.extend(crc32c(&vouched).to_le_bytes());
    out
}

/// A stream of this format version with right checksums.
pub(crate) fn stream(kind: StreamKind, records: &[(Tag, Vec<u8>)]) -> Vec<u8> {
    stream_of(FormatVersion::CURRENT, kind as u8, records)
}

/// Takes a valid stream apart.
pub(crate) fn records(bytes: &[u8]) -> Vec<(Tag, Vec<u8>)> {
    let mut rest = &bytes[32..bytes.len() - 4];
    let mut records = Vec::new();
    while !rest.is_empty() {
        let word = |at: usize| u16::from_le_bytes([rest[at], rest[at + 1]]);
        let length = u64::from_le_bytes(rest[8..16].try_into().unwrap()) as usize;
        let tag = Tag { kind: word(0), version: word(2), flags: word(4) };
        records.push((tag, rest[24..24 + length].to_vec()));
        rest = &rest[24 + length..];
    }
    records
}

/// Takes a payload's last byte away.
pub(crate) fn shorten(payload: &mut Vec<u8>) {
    payload.truncate(payload.len() - 1);
}

/// Little-endian values, one after the other.
pub(crate) fn u32s(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Little-endian values, one after the other.
pub(crate) fn u64s(values: &[u64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A VF of 16 MiB.
pub(crate) fn vf() -> Immutable {
    Immutable {
        format: FormatVersion::CURRENT,
        driver: DriverVersion { major: 3, minor: 1, build: 4, revision: 1 },
        identity: Identity { vendor: 0x1414, device: 0x00c3, revision: 0xa2, firmware: 0x0005_0012 },
        dirty_page_bytes: PAGE,
        vram_bytes: 16 << 20,
        profile: Profile::with_weight(1024),
    }
}

/// A busy VF: commands queued, one vector pending, bytes in rings and window.
pub(crate) fn hardware() -> VfHardware {
    let mut hardware =
        VfHardware { status: abi::status::READY, pending: 0b10, masked: 0b110, ..VfHardware::new().unwrap() };
    for (index, node) in hardware.nodes.iter_mut().enumerate() {
        let index = index as u32;
        node.head = 0x0001_0040 + index * 0x100;
        node.tail = node.head + 0x80;
        node.fence = 41 + u64::from(index);
        node.busy = 7_000_000_000 + u64::from(index);
        node.commands = 99;
        node.ring[0x40..0x50].fill(0xa0 + index as u8);
        node.ring[abi::RING_BYTES - 1] = 0xff;
    }
    hardware.readback[..8].copy_from_slice(b"readback");
    hardware
}

/// A configuration space: memory space and bus master on, BAR 0 at 0xE004_0000, MSI-X on.
pub(crate) const CONFIG: [u8; abi::CONFIG_BYTES] = {
    let mut bytes = [0; abi::CONFIG_BYTES];
    bytes[0x04] = 0x06;
    bytes[0x10] = 0x0C;
    bytes[0x12] = 0x04;
    bytes[0x13] = 0xE0;
    bytes[0x43] = 0x80;
    bytes
};

/// Scheduler parameters unlike the default.
pub(crate) fn scheduling() -> VfParameters {
    VfParameters { quantum_us: 2_500, preempt_timeout_us: 0, priority: Priority::Normal, weight: 2048 }
}

/// The sample's bytes at an offset of the VF's memory.
pub(crate) fn vram_byte(offset: u64) -> u8 {
    (offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

/// A read of the sample's memory.
pub(crate) fn read_vram(offset: u64, out: &mut [u8]) -> gpup_core::Result<()> {
    (offset..).zip(out).for_each(|(offset, byte)| *byte = vram_byte(offset));
    Ok(())
}

/// The snapshot of a VF with these late runs.
pub(crate) fn snapshot<'a>(
    hardware: &'a VfHardware,
    late: &'a [PageRun],
) -> Snapshot<'a, impl Iterator<Item = PageRun> + Clone + use<'a>> {
    Snapshot {
        hardware,
        config: &CONFIG,
        scheduling: scheduling(),
        page_bytes: PAGE,
        late: late.iter().copied(),
    }
}

/// The mutable stream of a VF with these late runs.
pub(crate) fn mutable_stream(hardware: &VfHardware, late: &[PageRun]) -> Vec<u8> {
    let snapshot = snapshot(hardware, late);
    let mut out = vec![0; snapshot.size() as usize];
    assert_eq!(snapshot.encode(&mut out, read_vram), Ok(out.len()));
    out
}

/// The immutable stream of a VF.
pub(crate) fn immutable_stream(vf: &Immutable) -> Vec<u8> {
    let mut out = vec![0; vf.size() as usize];
    assert_eq!(vf.encode(&mut out), Ok(out.len()));
    out
}

/// Sixteen bytes a line; a line like the one before it is left out.
pub(crate) fn dump(bytes: &[u8]) -> String {
    let mut out = String::new();
    let mut last: &[u8] = &[];
    for (index, line) in bytes.chunks(16).enumerate() {
        if line != last {
            let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
            out += &format!("{:05x} {}\n", index * 16, hex.join(" "));
        }
        last = line;
    }
    out
}

/// The bytes of a [`dump`].
pub(crate) fn undump(text: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    for line in text.lines() {
        let (offset, hex) = line.split_once(' ').unwrap();
        let offset = usize::from_str_radix(offset, 16).unwrap();
        while bytes.len() < offset {
            bytes.extend_from_within(bytes.len() - 16..);
        }
        bytes.extend(hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()));
    }
    bytes
}
