//! A process without a user-mode driver: its command buffers are what pfnBuildTestCommandBuffer makes.
//!
//! Article: "Kernel-mode testing of WDDM features". The process sees pages of a VF's VRAM through page tables of its own,
//! so what it writes there is dirty like anything else.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use wddm::*;

use super::feature::{Build, MOST_BYTES, MOST_PRIVATE, call_build, test_interface, testable_nodes};
use super::geometry::{PAGE, entry};
use super::paging::Paging;
use super::process::Process;
use super::{PagingChannel, PagingError, Reserve, Run};
use crate::contract::FenceState;
use crate::dxgkrnl::{Adapter, Core, succeed};
use crate::host::Event;
use crate::memory::{Idle, Pages};
use crate::vgpu::Vgpu;

/// Where the process sees pages of the VF, and how many at most.
const WINDOW: u64 = 0x10_0000;
const WINDOW_PAGES: u64 = 64;
/// Where it sees its command buffer.
const COMMANDS: u64 = 0x18_0000;

/// A command buffer as the driver built it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestBuffer {
    /// The commands.
    pub commands: Vec<u8>,
    /// The private data.
    pub private: Vec<u8>,
}

/// A process with a test context on a node.
pub struct TestProcess {
    core: Arc<Core>,
    paging: Arc<Paging>,
    build: Build,
    node: u32,
    process: Process,
    channel: PagingChannel,
    reserve: Arc<Reserve>,
    /// Its command buffer. Kept for good when the engine never said that it is done with it.
    commands: Option<Pages>,
    /// The private data beside it: a packet may be submitted again.
    private: Vec<u8>,
    /// What must outlive it.
    _adapter: Arc<Adapter>,
}

/// A command that fills.
pub fn fill(to: u64, bytes: u32, pattern: u32) -> D3DDDI_TESTCOMMANDBUFFER {
    let mut command = D3DDDI_TESTCOMMANDBUFFER::zeroed();
    command.Operation = D3DDDI_TESTCOMMANDBUFFEROP::D3DDDI_TESTCOMMANDBUFFEROP_FILL;
    command.u.Fill = D3DDDI_TESTCOMMANDBUFFER_FILL { DstAddress: to, NumBytes: bytes, Pattern: pattern };
    command
}

/// A command that copies.
pub fn copy(from: u64, to: u64, bytes: u32) -> D3DDDI_TESTCOMMANDBUFFER {
    let mut command = D3DDDI_TESTCOMMANDBUFFER::zeroed();
    command.Operation = D3DDDI_TESTCOMMANDBUFFEROP::D3DDDI_TESTCOMMANDBUFFEROP_COPY;
    command.u.Copy = D3DDDI_TESTCOMMANDBUFFER_COPY { SrcAddress: from, DstAddress: to, NumBytes: bytes };
    command
}

impl Vgpu {
    /// A process on `node` that can be shown pages of this VF; none where kernel-mode testing is not to be had.
    pub fn test_process(self: &Arc<Self>, node: u32) -> Result<Option<TestProcess>, PagingError> {
        let adapter = self.adapter();
        let (core, paging) = (&adapter.core, &adapter.paging);
        let Some(build) = test_interface(core, &adapter.interfaces) else { return Ok(None) };
        if !testable_nodes(adapter.caps()).contains(&node) {
            return Ok(None);
        }
        let mut channel = PagingChannel::new(core, paging, &self.reserve, None)?;
        let flags = DXGK_CREATECONTEXTFLAGS::TestContext;
        let process = Process::new(core, adapter.caps(), paging, &mut channel, node, flags)?;
        let commands = Pages::new(PAGE as usize, PAGE as usize).ok_or(PagingError::NoMemory)?;
        process.map(&mut channel, COMMANDS, &[entry(0, commands.address(), paging.space.system)])?;
        Ok(Some(TestProcess {
            core: Arc::clone(core),
            paging: Arc::clone(paging),
            build,
            node,
            process,
            channel,
            reserve: Arc::clone(&self.reserve),
            commands: Some(commands),
            private: Vec::new(),
            _adapter: Arc::clone(adapter),
        }))
    }
}

impl TestProcess {
    /// Shows the process pages of the VF, 64 at most; the address of the first. What it was shown before is gone.
    pub fn show(&mut self, run: Run) -> Result<u64, PagingError> {
        let mut entries = Vec::new();
        let segment = self.reserve.segment;
        let limit = WINDOW_PAGES * PAGE;
        self.reserve.pieces(&[run], limit, |offset, bytes| {
            let page = |page| entry(segment, offset + page * PAGE, DXGK_PTE_FLAGS::empty());
            entries.extend((0..bytes / PAGE).map(page));
        })?;
        entries.resize(WINDOW_PAGES as usize, DXGK_PTE::zeroed());
        self.process.map(&mut self.channel, WINDOW, &entries)?;
        Ok(WINDOW)
    }

    /// The driver's handle of its context.
    pub(crate) fn context(&self) -> HANDLE {
        self.process.context()
    }

    /// The node its commands run on.
    pub(crate) fn node(&self) -> u32 {
        self.node
    }

    /// pfnBuildTestCommandBuffer, with any arguments.
    pub(crate) fn ask(&self, args: &mut DXGKARG_BUILDTESTCOMMANDBUFFER) -> NTSTATUS {
        call_build(&self.core, self.build, args)
    }

    /// A call's arguments, without buffers.
    pub(crate) fn args(&self, command: D3DDDI_TESTCOMMANDBUFFER) -> DXGKARG_BUILDTESTCOMMANDBUFFER {
        let mut args = DXGKARG_BUILDTESTCOMMANDBUFFER::zeroed();
        (args.hContext, args.Command) = (self.context(), command);
        args
    }

    /// Has a command built, in the two calls of the page.
    pub fn build(&self, command: D3DDDI_TESTCOMMANDBUFFER) -> Result<TestBuffer, PagingError> {
        const NAME: &str = "DxgkDdiBuildTestCommandBuffer";
        let mut args = self.args(command);
        let asked = self.ask(&mut args);
        let (bytes, private_bytes) = (args.DmaBufferSize, args.DmaBufferPrivateDataSize);
        if asked != STATUS_BUFFER_OVERFLOW || bytes > MOST_BYTES || private_bytes > MOST_PRIVATE {
            return Err(PagingError::Ddi(NAME, asked));
        }
        let mut commands = vec![0u64; bytes.div_ceil(8) as usize];
        let mut private = vec![0u64; private_bytes.div_ceil(8) as usize];
        args.pDmaBuffer = commands.as_mut_ptr().cast();
        args.pDmaBufferPrivateData = private.as_mut_ptr().cast();
        succeed(NAME, self.ask(&mut args))?;
        let bytes_of = |words: &[u64], count: u32| {
            let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            bytes.truncate(count as usize);
            bytes
        };
        Ok(TestBuffer {
            commands: bytes_of(&commands, args.DmaBufferSize),
            private: bytes_of(&private, args.DmaBufferPrivateDataSize),
        })
    }

    /// Submits a buffer, altered or not, as user mode would; its fence. Nothing else is submitted before its end.
    pub fn start(&mut self, buffer: &TestBuffer) -> Result<u32, PagingError> {
        let pages = self.commands.as_mut().ok_or(PagingError::Timeout)?;
        let memory = pages.as_mut_slice(&Idle::promised());
        memory
            .get_mut(..buffer.commands.len())
            .ok_or(PagingError::OutOfRange)?
            .copy_from_slice(&buffer.commands);
        self.private.clone_from(&buffer.private);
        let mut args = DXGKARG_SUBMITCOMMANDVIRTUAL::zeroed();
        args.hContext = self.process.context();
        args.DmaBufferVirtualAddress = COMMANDS;
        args.DmaBufferSize = buffer.commands.len() as u32;
        args.pDmaBufferPrivateData = self.private.as_mut_ptr().cast();
        args.DmaBufferPrivateDataSize = self.private.len() as u32;
        args.DmaBufferUmdPrivateDataSize = self.private.len() as u32;
        args.NodeOrdinal = self.node;
        let serial = self.paging.serial.lock();
        let interrupts = &self.core.interrupts;
        let fence = interrupts
            .submit_for_process(self.node, &mut args, |args| self.core.submit_command_virtual(args));
        drop(serial);
        fence.map_err(|status| PagingError::Ddi("DxgkDdiSubmitCommandVirtual", status))
    }

    /// Submits a buffer and waits for its end.
    pub fn submit(&mut self, buffer: &TestBuffer) -> Result<FenceState, PagingError> {
        let fence = match self.start(buffer) {
            Ok(fence) => fence,
            // What is wrong with a buffer may be seen at once.
            Err(PagingError::Ddi(_, status)) => return Ok(FenceState::Faulted(status)),
            Err(error) => return Err(error),
        };
        let event = Arc::new(Event::new());
        let state = self.core.interrupts.wait(self.node, fence, &event, self.paging.timeout_ns);
        if state == FenceState::Pending {
            // The engine may still read it.
            core::mem::forget(self.commands.take());
            return Err(PagingError::Timeout);
        }
        Ok(state)
    }

    /// Has a command built and runs it to its end.
    pub fn run(&mut self, command: D3DDDI_TESTCOMMANDBUFFER) -> Result<(), PagingError> {
        let buffer = self.build(command)?;
        match self.submit(&buffer)? {
            FenceState::Faulted(status) => Err(PagingError::Fault(status)),
            FenceState::Aborted => Err(PagingError::Aborted),
            FenceState::Completed | FenceState::Pending => Ok(()),
        }
    }
}
