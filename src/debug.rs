//! What DxgkDdiCollectDbgInfo collects: where each engine stands, and each VF. And how to read it.
//!
//! Everything is little-endian. A buffer that is too small holds the front; records that are cut off are not read.
//!
//! ```text
//! header  0 magic "GPUD"  4 version  8 reason  12 bytes of the whole  16 nodes  20 VFs  24 driver version  28 zero
//! node    0 number  4 flags  8 last completed fence  12 fence or VF that runs  16 nanoseconds it has run
//! VF      0 number  4 flags  8 phase  12 zero, then for each node:
//!         0 engine time  8 packets  16 longest wait  24 turns cut short  32 resets
//! ```
//! The driver version has a byte each for major, minor and patch, the patch lowest. The VFs are there for the reasons
//! that come at PASSIVE_LEVEL: VIDEO_TDR_TIMEOUT_DETECTED and VIDEO_ENGINE_TIMEOUT_DETECTED.

use alloc::vec::Vec;
use core::fmt;

use gpup_core::device::{Running, Whose, abi};
use gpup_core::migration::Phase;
use gpup_core::sched::Counters;
use gpup_core::vf::{Power, Standing};

/// First bytes of a report.
pub const MAGIC: u32 = u32::from_le_bytes(*b"GPUD");
/// Version of this format.
pub const VERSION: u32 = 1;
/// Bytes of the header.
pub const HEADER_BYTES: usize = 32;
/// Bytes of a node's record.
pub const NODE_BYTES: usize = 24;
/// Bytes of a VF's record.
pub const VF_BYTES: usize = 16 + abi::NODES * COUNTER_BYTES;
const COUNTER_BYTES: usize = 40;

/// Bits of a node's flags: it makes progress; the host's packet runs; a VF's packet runs.
const RESPONSIVE: u32 = 1;
const RUNS_HOST: u32 = 2;
const RUNS_VF: u32 = 4;
/// Bits of a VF's flags.
const RESOURCED: u32 = 1;
const POWERED: u32 = 2;
const PAUSED: u32 = 4;
const EXECUTES: u32 = 8;

/// The head of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Why it was collected: a bug check code.
    pub reason: u32,
    /// Bytes of the whole report, whether or not there was room.
    pub bytes: u32,
    /// Records of nodes.
    pub nodes: u32,
    /// Records of VFs.
    pub vfs: u32,
    /// The driver's version.
    pub driver: [u8; 3],
}

/// Where an engine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its number.
    pub node: u32,
    /// It makes progress, or is idle.
    pub responsive: bool,
    /// Last fence it completed for the host.
    pub last_completed: u32,
    /// What it runs.
    pub running: Option<Running>,
}

/// Where a VF stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vf {
    /// Its index.
    pub vf: u32,
    /// Memory, power, pause and phase.
    pub standing: Standing,
    /// What it had of each node; only what a record has is set.
    pub counters: [Counters; abi::NODES],
}

/// A report that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its head.
    pub header: Header,
    /// The nodes that were in the buffer.
    pub nodes: Vec<Node>,
    /// The VFs that were in the buffer.
    pub vfs: Vec<Vf>,
}

/// The version of this driver.
pub fn driver_version() -> [u8; 3] {
    let number = |text: &str| text.parse().unwrap_or(0);
    [
        number(env!("CARGO_PKG_VERSION_MAJOR")),
        number(env!("CARGO_PKG_VERSION_MINOR")),
        number(env!("CARGO_PKG_VERSION_PATCH")),
    ]
}

impl Header {
    /// The head of a report with so many records.
    pub fn new(reason: u32, nodes: u32, vfs: u32) -> Self {
        let bytes = HEADER_BYTES + nodes as usize * NODE_BYTES + vfs as usize * VF_BYTES;
        Self { reason, bytes: bytes as u32, nodes, vfs, driver: driver_version() }
    }

    /// Its bytes.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let [major, minor, patch] = self.driver;
        let driver = u32::from_le_bytes([patch, minor, major, 0]);
        let words = [MAGIC, VERSION, self.reason, self.bytes, self.nodes, self.vfs, driver, 0];
        let mut out = [0; HEADER_BYTES];
        halves(&mut out, &words);
        out
    }
}

impl Node {
    /// Its bytes.
    pub fn encode(&self) -> [u8; NODE_BYTES] {
        let (flags, who, since) = match self.running {
            None => (0, 0, 0),
            Some(Running { whose: Whose::Host(fence), since_ns }) => (RUNS_HOST, fence, since_ns),
            Some(Running { whose: Whose::Vf(vf), since_ns }) => (RUNS_VF, vf, since_ns),
        };
        let flags = flags | if self.responsive { RESPONSIVE } else { 0 };
        let mut out = [0; NODE_BYTES];
        halves(&mut out, &[self.node, flags, self.last_completed, who]);
        words(&mut out[16..], &[since]);
        out
    }

    fn decode(bytes: &[u8]) -> Self {
        let (flags, who) = (half(bytes, 4), half(bytes, 12));
        let whose = if flags & RUNS_VF != 0 { Whose::Vf(who) } else { Whose::Host(who) };
        let runs = flags & (RUNS_HOST | RUNS_VF) != 0;
        Self {
            node: half(bytes, 0),
            responsive: flags & RESPONSIVE != 0,
            last_completed: half(bytes, 8),
            running: runs.then(|| Running { whose, since_ns: word(bytes, 16) }),
        }
    }
}

impl Vf {
    /// Its bytes.
    pub fn encode(&self) -> [u8; VF_BYTES] {
        let Standing { resourced, power, paused, phase } = self.standing;
        let executes = self.standing.executes();
        let set =
            [(resourced, RESOURCED), (power == Power::On, POWERED), (paused, PAUSED), (executes, EXECUTES)];
        let flags = set.iter().filter(|(is, _)| *is).fold(0, |flags, (_, bit)| flags | bit);
        let phase = Phase::ALL.iter().position(|it| *it == phase).unwrap_or(0) as u32;
        let mut out = [0; VF_BYTES];
        halves(&mut out, &[self.vf, flags, phase]);
        for (place, it) in out[16..].chunks_exact_mut(COUNTER_BYTES).zip(&self.counters) {
            words(place, &[it.busy, it.packets, it.worst_wait, it.preemptions, it.resets]);
        }
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let flags = half(bytes, 4);
        let counters = |node: usize| {
            let at = 16 + node * COUNTER_BYTES;
            Counters {
                busy: word(bytes, at),
                packets: word(bytes, at + 8),
                worst_wait: word(bytes, at + 16),
                preemptions: word(bytes, at + 24),
                resets: word(bytes, at + 32),
                ..Counters::default()
            }
        };
        Some(Self {
            vf: half(bytes, 0),
            standing: Standing {
                resourced: flags & RESOURCED != 0,
                power: if flags & POWERED != 0 { Power::On } else { Power::Off },
                paused: flags & PAUSED != 0,
                phase: *Phase::ALL.get(half(bytes, 8) as usize)?,
            },
            counters: core::array::from_fn(counters),
        })
    }
}

impl Report {
    /// Reads a report, as much of it as there is; none when it is no report of this version.
    pub fn decode(buffer: &[u8]) -> Option<Self> {
        let head =
            buffer.get(..HEADER_BYTES).filter(|head| half(head, 0) == MAGIC && half(head, 4) == VERSION)?;
        let [patch, minor, major, _] = half(head, 24).to_le_bytes();
        let (nodes, vfs) = (half(head, 16), half(head, 20));
        let driver = [major, minor, patch];
        let header = Header { reason: half(head, 8), bytes: half(head, 12), nodes, vfs, driver };
        let rest = &buffer[HEADER_BYTES..];
        let nodes_end = (nodes as usize).saturating_mul(NODE_BYTES).min(rest.len());
        let (nodes, rest) = rest.split_at(nodes_end);
        Some(Self {
            header,
            nodes: nodes.chunks_exact(NODE_BYTES).map(Node::decode).collect(),
            vfs: rest.chunks_exact(VF_BYTES).take(vfs as usize).map(Vf::decode).collect::<Option<_>>()?,
        })
    }
}

fn halves(out: &mut [u8], values: &[u32]) {
    for (place, value) in out.chunks_exact_mut(4).zip(values) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}

fn words(out: &mut [u8], values: &[u64]) {
    for (place, value) in out.chunks_exact_mut(8).zip(values) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}

fn half(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from(half(bytes, at)) | u64::from(half(bytes, at + 4)) << 32
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, last_completed, .. } = self;
        let state = if self.responsive { "responsive" } else { "HANGS" };
        write!(f, "node {node}: {state}, last fence {last_completed}, ")?;
        match self.running {
            None => f.write_str("runs nothing"),
            Some(Running { whose: Whose::Host(fence), since_ns }) => {
                write!(f, "has run the host's fence {fence} for {} us", since_ns / 1000)
            }
            Some(Running { whose: Whose::Vf(vf), since_ns }) => {
                write!(f, "has run a packet of VF {vf} for {} us", since_ns / 1000)
            }
        }
    }
}

impl fmt::Display for Vf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Standing { resourced, power, paused, phase } = self.standing;
        let executes = if self.standing.executes() { "executes" } else { "does not execute" };
        write!(f, "VF {}: {executes} (memory: {resourced}, power: {}, ", self.vf, power == Power::On)?;
        write!(f, "paused: {paused}), phase {phase}")?;
        for (node, it) in self.counters.iter().enumerate() {
            write!(f, "; node {node}: {} packets in {} us, ", it.packets, it.busy / 1000)?;
            write!(f, "longest wait {} us, {} turns cut short, ", it.worst_wait / 1000, it.preemptions)?;
            write!(f, "{} resets", it.resets)?;
        }
        Ok(())
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.driver;
        write!(f, "gpup_kmd {major}.{minor}.{patch}, reason {:#x}: ", self.reason)?;
        write!(f, "{} nodes, {} VFs, {} bytes", self.nodes, self.vfs, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (Header, [Node; 2], Vf) {
        let running = |whose| Some(Running { whose, since_ns: 7_000_000_000 });
        let node = Node { node: 0, responsive: false, last_completed: 7, running: running(Whose::Vf(5)) };
        let other = Node { node: 1, responsive: true, last_completed: 9, running: running(Whose::Host(10)) };
        let counters =
            Counters { busy: 1, packets: 2, worst_wait: 3, preemptions: 4, resets: 5, ..Counters::default() };
        let standing =
            Standing { resourced: true, power: Power::On, paused: true, phase: Phase::SourcePrepared };
        let vf = Vf { vf: 5, standing, counters: [Counters::default(), counters] };
        (Header::new(0x141, 2, 1), [node, other], vf)
    }

    #[test]
    fn what_is_written_is_read_and_a_cut_costs_the_records_it_hits() {
        let (header, nodes, vf) = example();
        let mut bytes = header.encode().to_vec();
        nodes.iter().for_each(|node| bytes.extend(node.encode()));
        bytes.extend(vf.encode());
        assert_eq!(bytes.len(), header.bytes as usize);
        let whole = Report::decode(&bytes).unwrap();
        assert_eq!(whole, Report { header, nodes: nodes.to_vec(), vfs: vec![vf] });
        for cut in 0..bytes.len() {
            let report = Report::decode(&bytes[..cut]);
            assert_eq!(report.is_some(), cut >= HEADER_BYTES, "{cut}");
            let records = cut.saturating_sub(HEADER_BYTES);
            let nodes = report.as_ref().map_or(0, |report| report.nodes.len());
            assert_eq!(nodes, (records / NODE_BYTES).min(2), "{cut}");
            assert!(report.is_none_or(|report| report.vfs.is_empty()), "{cut}");
        }
        for at in [0, 4] {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_eq!(Report::decode(&other), None);
        }
        // Numbers that promise more than there is.
        bytes[16..24].fill(0xFF);
        assert!(Report::decode(&bytes).is_some());
    }

    #[test]
    fn the_layout_is_the_one_that_is_written_down() {
        let (header, [node, _], vf) = example();
        assert_eq!((HEADER_BYTES, NODE_BYTES, VF_BYTES), (32, 24, 96));
        let [major, minor, patch] = header.driver;
        assert_eq!(format!("{major}.{minor}.{patch}"), env!("CARGO_PKG_VERSION"));
        assert_eq!(header.encode()[24..28], [patch, minor, major, 0]);
        assert_eq!((half(&node.encode(), 4), word(&node.encode(), 16)), (RUNS_VF, 7_000_000_000));
        assert_eq!(half(&vf.encode(), 4), RESOURCED | POWERED | PAUSED);
    }

    #[test]
    fn what_is_not_so_is_read_as_not_so() {
        let (_, [node, _], vf) = example();
        let idle = Node { running: None, ..node };
        assert_eq!(Node::decode(&idle.encode()), idle);
        for (resourced, power, paused) in
            [(false, Power::On, true), (true, Power::Off, true), (true, Power::On, false)]
        {
            let vf = Vf { standing: Standing { resourced, power, paused, ..vf.standing }, ..vf };
            assert_eq!(Vf::decode(&vf.encode()), Some(vf));
        }
    }

    #[test]
    fn a_report_names_who_hangs() {
        let (header, [node, other], vf) = example();
        let version = env!("CARGO_PKG_VERSION");
        let bytes = 32 + 2 * 24 + 96;
        assert_eq!(
            format!("{header}"),
            format!("gpup_kmd {version}, reason 0x141: 2 nodes, 1 VFs, {bytes} bytes")
        );
        assert_eq!(format!("{node}"), "node 0: HANGS, last fence 7, has run a packet of VF 5 for 7000000 us");
        assert!(format!("{other}").ends_with("has run the host's fence 10 for 7000000 us"));
        assert!(
            format!("{vf}").starts_with("VF 5: does not execute (memory: true, power: true, paused: true)")
        );
    }
}
