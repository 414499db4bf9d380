//! A stream in words, record by record, for `gpup inspect`; of a damaged one what comes before the damage.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::codec::{HEADER_BYTES, Header, MANDATORY, Reader, Record, StreamKind};
use super::immutable;
use super::mutable::{self, LatePages};
use crate::device::abi;
use crate::{Error, Result};

/// Name and value of one field.
pub type Field = (&'static str, String);

/// The header or one record of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Name of the record; "header" for the first line.
    pub name: String,
    /// Type of the record; 0 for the header.
    pub kind: u16,
    /// Version of the record; 0 for the header.
    pub version: u16,
    /// Flags of the record.
    pub flags: u16,
    /// Bytes of the payload; of the header itself in its line.
    pub bytes: u64,
    /// Its fields in the order they travel; blocks of memory as their sizes. None if the type is unknown.
    pub fields: Vec<Field>,
}

impl Line {
    /// Whether a reader that does not know the record must refuse the stream.
    pub fn mandatory(&self) -> bool {
        self.flags & MANDATORY != 0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} v{}", self.name, self.version)?;
        f.write_str(if self.mandatory() { " mandatory" } else { "" })?;
        write!(f, " {} bytes:", self.bytes)?;
        self.fields.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

/// Where a stream is damaged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// "header", "record 3 (scheduling)", or "behind record 7" past the last.
    pub place: String,
    /// What is wrong there.
    pub error: Error,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.error)
    }
}

impl core::error::Error for Broken {}

/// The header, then the records of `bytes`.
///
/// A wrong checksum, order or length ends it: what lies beyond cannot be trusted. A record whose checksum
/// is right and whose fields make no sense is told as [`Broken`] too, and the next ones still follow.
pub fn describe(bytes: &[u8]) -> Description<'_> {
    Description { bytes, state: State::Header }
}

/// The lines of [`describe`].
#[derive(Clone)]
pub struct Description<'a> {
    bytes: &'a [u8],
    state: State<'a>,
}

#[derive(Clone)]
enum State<'a> {
    Header,
    Records(Reader<'a>),
    Over,
}

impl Iterator for Description<'_> {
    type Item = core::result::Result<Line, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.state {
            State::Header => Some(match Header::parse(self.bytes) {
                Ok(header) => {
                    self.state = State::Records(Reader::new(self.bytes, header));
                    Ok(header_line(&header))
                }
                Err(error) => {
                    self.state = State::Over;
                    Err(Broken { place: "header".to_string(), error })
                }
            }),
            State::Records(reader) => {
                let kind = reader.header().kind;
                let place = place(kind, reader.upcoming());
                let record = reader.next()?;
                Some(match record {
                    Ok(record) => record_line(kind, &record).map_err(|error| Broken { place, error }),
                    Err(damage) => Err(Broken { place, error: damage.into() }),
                })
            }
            State::Over => None,
        }
    }
}

/// Names the record that comes next.
fn place(kind: StreamKind, (index, record): (u32, Option<u16>)) -> String {
    match record {
        Some(record) => format!("record {} ({})", index + 1, name(kind, record)),
        None => format!("behind record {index}"),
    }
}

fn header_line(header: &Header) -> Line {
    let fields = vec![
        ("kind", header.kind.to_string()),
        ("format", header.format.to_string()),
        ("bytes", header.bytes.to_string()),
        ("records", header.records.to_string()),
    ];
    Line { name: "header".to_string(), kind: 0, version: 0, flags: 0, bytes: HEADER_BYTES as u64, fields }
}

fn record_line(kind: StreamKind, record: &Record<'_>) -> Result<Line> {
    let fields = match kind {
        StreamKind::Immutable => immutable_fields(record),
        StreamKind::Mutable => mutable_fields(record),
    };
    Ok(Line {
        name: name(kind, record.tag.kind),
        kind: record.tag.kind,
        version: record.tag.version,
        flags: record.tag.flags,
        bytes: record.payload.len() as u64,
        fields: fields?,
    })
}

/// Name of a record of either stream.
fn name(kind: StreamKind, record: u16) -> String {
    match (kind, record) {
        (StreamKind::Immutable, immutable::DEVICE) => "device".to_string(),
        (StreamKind::Immutable, immutable::DRIVER) => "driver".to_string(),
        (StreamKind::Immutable, immutable::MEMORY) => "memory".to_string(),
        (StreamKind::Immutable, immutable::PROFILE) => "profile".to_string(),
        (StreamKind::Mutable, mutable::VF_REGISTERS) => "vf-registers".to_string(),
        (StreamKind::Mutable, mutable::INTERRUPTS) => "interrupts".to_string(),
        (StreamKind::Mutable, mutable::SCHEDULING) => "scheduling".to_string(),
        (StreamKind::Mutable, mutable::READBACK) => "readback".to_string(),
        (StreamKind::Mutable, mutable::CONFIG) => "config".to_string(),
        (StreamKind::Mutable, mutable::LATE_PAGES) => "late-pages".to_string(),
        (StreamKind::Mutable, mutable::NODE..=mutable::NODE_LAST) => {
            format!("node {}", record - mutable::NODE)
        }
        _ => format!("unknown {record:#x}"),
    }
}

fn immutable_fields(record: &Record<'_>) -> Result<Vec<Field>> {
    Ok(match record.tag.kind {
        immutable::DEVICE => {
            let id = immutable::decode_device(record)?;
            vec![
                ("vendor", format!("{:#06x}", id.vendor)),
                ("device", format!("{:#06x}", id.device)),
                ("revision", format!("{:#04x}", id.revision)),
                ("firmware", format!("{}.{}", id.firmware >> 16, id.firmware & 0xffff)),
            ]
        }
        immutable::DRIVER => vec![("version", immutable::decode_driver(record)?.to_string())],
        immutable::MEMORY => {
            let (page, vram) = immutable::decode_memory(record)?;
            vec![("dirty_page_bytes", page.to_string()), ("vram_bytes", vram.to_string())]
        }
        immutable::PROFILE => {
            let profile = immutable::decode_profile(record)?;
            vec![
                ("weight", profile.weight.to_string()),
                ("nodes", profile.nodes.to_string()),
                ("ring_bytes", profile.ring_bytes.to_string()),
                ("msix_vectors", profile.msix_vectors.to_string()),
            ]
        }
        _ => Vec::new(),
    })
}

fn mutable_fields(record: &Record<'_>) -> Result<Vec<Field>> {
    Ok(match record.tag.kind {
        mutable::VF_REGISTERS => {
            let (status, [code, node, head]) = mutable::decode_registers(record)?;
            vec![
                ("status", format!("{status:#x}")),
                ("fault_code", code.to_string()),
                ("fault_node", node.to_string()),
                ("fault_head", head.to_string()),
            ]
        }
        mutable::INTERRUPTS => {
            let (pending, masked) = mutable::decode_interrupts(record)?;
            vec![("pending", format!("{pending:#b}")), ("masked", format!("{masked:#b}"))]
        }
        mutable::SCHEDULING => {
            let parameters = mutable::decode_scheduling(record)?;
            vec![
                ("quantum_us", parameters.quantum_us.to_string()),
                ("preempt_timeout_us", parameters.preempt_timeout_us.to_string()),
                ("priority", format!("{:?}", parameters.priority).to_ascii_lowercase()),
                ("weight", parameters.weight.to_string()),
            ]
        }
        mutable::READBACK => vec![("window_bytes", mutable::decode_readback(record)?.len().to_string())],
        mutable::CONFIG => config_fields(mutable::decode_config(record)?),
        mutable::NODE..=mutable::NODE_LAST => {
            let (node, ring) = mutable::decode_node(record)?;
            vec![
                ("tail", node.tail.to_string()),
                ("head", node.head.to_string()),
                ("fence", node.fence.to_string()),
                ("busy", node.busy.to_string()),
                ("commands", node.commands.to_string()),
                ("ring_bytes", ring.len().to_string()),
            ]
        }
        mutable::LATE_PAGES => {
            let late = LatePages::decode(record)?;
            let (runs, pages) = late.counts();
            vec![
                ("page_bytes", late.page_bytes().to_string()),
                ("runs", runs.to_string()),
                ("pages", pages.to_string()),
            ]
        }
        _ => Vec::new(),
    })
}

/// What of a configuration space tells how the guest uses its VF.
fn config_fields(config: &[u8; abi::CONFIG_BYTES]) -> Vec<Field> {
    let word = |at: usize| u16::from_le_bytes([config[at], config[at + 1]]);
    vec![
        ("config_bytes", config.len().to_string()),
        ("command", format!("{:#06x}", word(0x04))),
        ("bar0", format!("{:#x}", u64::from_le_bytes(core::array::from_fn(|at| config[0x10 + at])) & !0xF)),
        ("msix_control", format!("{:#06x}", word(0x42))),
    ]
}
