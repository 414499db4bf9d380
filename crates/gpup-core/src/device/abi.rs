//! What a guest sees of its VF: the layout of BAR 0, the register page and the commands of a ring.
//!
//! ```text
//! BAR 0, 256 KiB    page 0       registers
//!                   page 1       MSI-X table (trapped by the host: a guest's writes arrive translated)
//!                   pages 16-31  ring of the compute node
//!                   pages 32-47  ring of the copy node
//!                   pages 48-63  readback window: what READBACK and HASH write for the guest to read
//! ```
//! All values are little-endian. Addresses in commands are bytes from the start of the VF's own VRAM;
//! addresses and lengths are multiples of 8. A ring's head and tail count bytes, multiples of 16, and run on
//! past its size; the guest writes commands at `tail % RING_BYTES`, then stores the new tail, which is the
//! doorbell. A command never wraps: the guest fills the rest of the ring with a NOP.
//!
//! A command holds its engine until it ends, so each is limited to about a millisecond of work: whoever has
//! more to do sends several. A command is checked whole before it writes its first byte.

/// Bytes of BAR 0.
pub const BAR_BYTES: usize = 256 * 1024;
/// Byte offset of the MSI-X table in BAR 0.
pub const MSIX_OFFSET: usize = 0x1000;
/// Vectors in the MSI-X table: one for each node's fences, one for faults.
pub const MSIX_VECTORS: usize = 3;
/// Index of the vector that reports a fault.
pub const FAULT_VECTOR: usize = 2;
/// Byte offset of the first ring in BAR 0; ring `n` follows `n * RING_BYTES` later.
pub const RING_OFFSET: usize = 16 * 4096;
/// Bytes of a ring.
pub const RING_BYTES: usize = 64 * 1024;
/// Byte offset of the readback window in BAR 0.
pub const READBACK_OFFSET: usize = 48 * 4096;
/// Bytes of the readback window.
pub const READBACK_BYTES: usize = 64 * 1024;

/// Bytes of the PCI configuration space.
pub const CONFIG_BYTES: usize = 256;

/// Nodes (engines) of the device.
pub const NODES: usize = 2;
/// Node of the compute engine.
pub const COMPUTE_NODE: usize = 0;
/// Node of the copy engine, which also does the host's paging.
pub const COPY_NODE: usize = 1;

/// Registers in page 0, as byte offsets.
pub mod reg {
    /// u32, read only: [`super::DEVICE_MAGIC`].
    pub const MAGIC: usize = 0x00;
    /// u32, read only: version of this layout.
    pub const VERSION: usize = 0x04;
    /// u64, read only: bytes of VRAM the VF owns.
    pub const VRAM_BYTES: usize = 0x08;
    /// u32, read only: bits of [`super::status`].
    pub const STATUS: usize = 0x10;
    /// u32, read only: a [`super::FaultCode`] once STATUS has FAULT.
    pub const FAULT_CODE: usize = 0x14;
    /// u32, read only: node that faulted.
    pub const FAULT_NODE: usize = 0x18;
    /// u32, read only: head of that node's ring at the fault.
    pub const FAULT_HEAD: usize = 0x1c;
    /// Start of node 0's registers; node `n` follows `n * NODE_STRIDE` later.
    pub const NODE: usize = 0x100;
    /// Bytes between two nodes' registers.
    pub const NODE_STRIDE: usize = 0x40;
    /// u32 in a node's registers: the doorbell, written by the guest.
    pub const TAIL: usize = 0x00;
    /// u32 in a node's registers, read only: how far the engine has come.
    pub const HEAD: usize = 0x04;
    /// u64 in a node's registers, read only: value of the last fence completed.
    pub const FENCE: usize = 0x08;
    /// u64 in a node's registers, read only: engine time the VF was granted, in device ticks (nanoseconds).
    pub const BUSY: usize = 0x10;
    /// u64 in a node's registers, read only: commands executed.
    pub const COMMANDS: usize = 0x18;
}

/// What MAGIC reads: "GPVF".
pub const DEVICE_MAGIC: u32 = u32::from_le_bytes(*b"GPVF");
/// What VERSION reads.
pub const ABI_VERSION: u32 = 1;

/// Bits of the STATUS register.
pub mod status {
    /// The VF has memory, and executes its rings unless FAULT is set too.
    pub const READY: u32 = 1;
    /// A command was refused; the VF executes nothing until it is reset.
    pub const FAULT: u32 = 2;
    /// Every bit that has a meaning.
    pub const KNOWN: u32 = READY | FAULT;
}

/// Why a command was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum FaultCode {
    /// The opcode is not known, or its node does not execute it.
    UnknownCommand = 1,
    /// The command's length does not fit its opcode or the ring.
    BadLength = 2,
    /// An address or a length is not a multiple of 8, or the base of WRITE_PAGES none of the page size.
    Misaligned = 3,
    /// A range reaches outside the VF's memory or the readback window.
    OutOfRange = 4,
    /// A parameter is outside its limits, a flag is unknown, or ranges overlap that must not.
    BadParameter = 5,
    /// The engine was reset under the command.
    Reset = 6,
}

impl FaultCode {
    /// The code with this number.
    pub const fn from_u32(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::UnknownCommand,
            2 => Self::BadLength,
            3 => Self::Misaligned,
            4 => Self::OutOfRange,
            5 => Self::BadParameter,
            6 => Self::Reset,
            _ => return None,
        })
    }
}

/// Bytes of the header every command begins with:
/// `opcode: u16, flags: u16, bytes: u32` (all of the command, a multiple of 16), `fence: u64`.
pub const HEADER_BYTES: usize = 16;
/// Header flag: store `fence` in the node's FENCE register when the command is done.
pub const FLAG_FENCE: u16 = 1;
/// Header flag: raise the node's interrupt when the command is done.
pub const FLAG_INTERRUPT: u16 = 2;

/// Most bytes of one FILL, COPY or HASH.
pub const TRANSFER_MAX: u64 = 4 << 20;
/// Largest matrix of a MATMUL, in rows.
pub const MATMUL_MAX: u32 = 1024;
/// Most multiply-adds of one MATMUL: `rows * n * n`.
pub const MATMUL_WORK_MAX: u64 = 1 << 23;
/// Largest side of a LIFE grid, in cells.
pub const LIFE_MAX: u32 = 32768;
/// Most cells of one LIFE: `rows * width`.
pub const LIFE_WORK_MAX: u64 = 1 << 20;
/// Most bodies of an NBODY.
pub const NBODY_MAX: u32 = 16384;
/// Most pairs of one NBODY: `bodies * count`.
pub const NBODY_WORK_MAX: u64 = 1 << 18;
/// Added to the square of a distance, so that two bodies in one place do not tear apart.
pub const NBODY_SOFTENING: f32 = 1.0 / 1024.0;
/// Most stamps of one WRITE_PAGES.
pub const WRITE_PAGES_MAX: u32 = 4096;

/// A command's opcode. The comment gives the payload after the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Opcode {
    /// Nothing. Any payload.
    Nop = 0,
    /// `dst: u64, bytes: u64, pattern: u64`. Either node.
    Fill = 1,
    /// `src: u64, dst: u64, bytes: u64`: ranges must not overlap. Either node.
    Copy = 2,
    /// `dst: u64, bytes: u64, data`. Either node.
    Upload = 3,
    /// `src: u64, bytes: u32, window: u32`: VRAM to the readback window. Either node.
    Readback = 4,
    /// `src: u64, bytes: u64, window: u32, zero: u32`: xxh3-64 of the range, 8 bytes to the window. Either node.
    Hash = 5,
    /// `a: u64, b: u64, c: u64, n: u32, first_row: u32, rows: u32, scale: f32`: rows of
    /// c = scale * (a x b), f32, n x n, row-major; c overlaps neither a nor b. Compute node.
    Matmul = 6,
    /// `src: u64, dst: u64, width: u32, height: u32, first_row: u32, rows: u32`: a step of Conway's Life on a
    /// torus, a byte a cell of which bit 0 counts, width a multiple of 8; the grids must not overlap. Compute node.
    Life = 7,
    /// `src: u64, dst: u64, count: u32, first: u32, bodies: u32, dt: f32`: bodies `first..first + bodies` of
    /// `count` moved by one step under the others' gravity; a body is 8 f32: x y z mass, vx vy vz pad; the
    /// sets must not overlap. Compute node.
    Nbody = 8,
    /// `base: u64, pages: u64, index: u64, count: u32, pattern: u32, seed: u64`: for i in index..index + count
    /// writes one 64-byte [stamp](super::stamp) at the start of the page that the [`Pattern`] picks for i. Either
    /// node.
    WritePages = 9,
}

impl Opcode {
    /// The opcode with this number.
    pub const fn from_u16(number: u16) -> Option<Self> {
        Some(match number {
            0 => Self::Nop,
            1 => Self::Fill,
            2 => Self::Copy,
            3 => Self::Upload,
            4 => Self::Readback,
            5 => Self::Hash,
            6 => Self::Matmul,
            7 => Self::Life,
            8 => Self::Nbody,
            9 => Self::WritePages,
            _ => return None,
        })
    }
}

/// Which page the i-th write of WRITE_PAGES hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Pattern {
    /// Page i modulo the number of pages.
    Sequential = 0,
    /// A page drawn from all pages.
    Random = 1,
    /// Nine of ten writes in the first tenth of the pages, the others anywhere.
    Hot = 2,
}

impl Pattern {
    /// The pattern with this number.
    pub const fn from_u32(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Sequential,
            1 => Self::Random,
            2 => Self::Hot,
            _ => return None,
        })
    }
}
