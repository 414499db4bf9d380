//! `gpup inspect`: a saved VF or a recorded stream in words, record by record; or what the driver collected of a hang.

mod debug;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use anyhow::Context;
use gpup_core::migration::describe::describe;
use gpup_kmd::debug::Report;
use live_migration::saved::{describe_pages, walk};
use live_migration::wire::frame::Kind;
use live_migration::wire::message::Hello;
use live_migration::wire::talk::decode;
use serde::Serialize;

use crate::args::Inspect;
use crate::exit::Failure;
use crate::files::channel::Reader;
use crate::json;
use crate::tell::say;
use crate::units::{Bytes, count};

/// One record.
#[derive(Debug, Serialize)]
struct Record {
    number: u32,
    kind: String,
    bytes: usize,
    text: String,
    /// The driver's own records inside.
    inside: Vec<String>,
}

/// The whole file.
#[derive(Debug, Serialize)]
struct Contents {
    records: Vec<Record>,
    /// What is wrong with it, the record named.
    damage: Option<String>,
}

/// Runs the command.
pub(crate) fn run(args: &Inspect) -> Result<(), Failure> {
    let shown = args.file.display();
    let mut input = File::open(&args.file).with_context(|| format!("cannot read {shown}"))?;
    let collected = collected(&mut input).with_context(|| format!("cannot read {shown}"))?;
    if let Some(report) = collected {
        return tell(args, &report);
    }
    let mut records = Vec::new();
    let (reader, reason) = Reader::new(input);
    let walked = walk(Box::new(reader), |number, kind, payload| {
        records.push(record(number, kind, payload));
    });
    if let Some(error) = reason.get() {
        return Err(Failure::Failed(format!("cannot read {shown}: {error}")));
    }
    let inside = records.iter().flat_map(|record| &record.inside).find(|line| line.starts_with("DAMAGED"));
    let damage = walked.err().map(|error| error.to_string()).or(inside.cloned());
    let contents = Contents { records, damage };
    json::set(&contents);
    if args.output.speaks() {
        contents.print();
    }
    match contents.damage {
        None => Ok(()),
        Some(damage) => Err(Failure::Failed(format!("{shown} is damaged: {damage}"))),
    }
}

/// What the driver collected, if the file is that. Else the file is as it was: a pipe, which cannot go back, is not
/// looked into.
fn collected(input: &mut File) -> io::Result<Option<Report>> {
    if input.stream_position().is_err() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let magic = gpup_kmd::debug::MAGIC.to_le_bytes();
    input.take(magic.len() as u64).read_to_end(&mut bytes)?;
    if bytes != magic {
        input.seek(SeekFrom::Start(0))?;
        return Ok(None);
    }
    input.take(debug::MOST_BYTES).read_to_end(&mut bytes)?;
    let what = "a debug report of another version";
    Report::decode(&bytes).map(Some).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, what))
}

/// Says what the driver collected.
fn tell(args: &Inspect, report: &Report) -> Result<(), Failure> {
    json::set(&debug::json(report));
    if args.output.speaks() {
        debug::print(report);
    }
    match debug::damage(report) {
        None => Ok(()),
        Some(damage) => Err(Failure::Failed(format!("{} is damaged: {damage}", args.file.display()))),
    }
}

impl Contents {
    /// Batches of pages are many: they share a line.
    fn print(&self) {
        let (mut batches, mut bytes) = (0u64, 0usize);
        for record in &self.records {
            if record.kind == "Pages" {
                batches += 1;
                bytes += record.bytes;
                continue;
            }
            if batches > 0 {
                say!("      Pages             {}, {}", count(batches, "record"), Bytes(bytes as u64));
                (batches, bytes) = (0, 0);
            }
            say!(
                "{:>5} {:<17} {:>10}  {}",
                record.number,
                record.kind,
                Bytes(record.bytes as u64),
                record.text
            );
            record.inside.iter().for_each(|line| say!("          {line}"));
        }
        if batches > 0 {
            say!("      Pages             {}, {}", count(batches, "record"), Bytes(bytes as u64));
        }
    }
}

fn record(number: u32, kind: Kind, payload: &[u8]) -> Record {
    let text = match kind {
        Kind::Hello => decode(payload).map(|hello: Hello| {
            format!(
                "migration {:032x}: {} of VRAM in pages of {}, workload {}",
                hello.migration,
                Bytes(hello.vf_bytes),
                Bytes(hello.page_bytes),
                hello.workload
            )
        }),
        Kind::Pages => describe_pages(payload),
        Kind::PageHashes => Ok(format!("of {} pages", payload.len() / 8)),
        _ => Ok(String::new()),
    };
    let inside = match kind {
        Kind::Immutable | Kind::Mutable => describe(payload)
            .map(|line| line.map_or_else(|broken| format!("DAMAGED {broken}"), |line| line.to_string()))
            .collect(),
        _ => Vec::new(),
    };
    let text = text.unwrap_or_else(|error| error.to_string());
    Record { number, kind: format!("{kind:?}"), bytes: payload.len(), text, inside }
}
