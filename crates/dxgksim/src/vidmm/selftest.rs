//! The self-test: data copied by a process whose page tables the paging process wrote into VRAM.
//!
//! Articles: "GPU virtual address", "Kernel-mode testing", "System paging process". The copy is a test command buffer
//! where the driver has the kernel-mode testing feature. Else it is a VIRTUAL_TRANSFER on a context of the process, as
//! a companion context would run it.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use wddm::*;

use super::feature::{Build, MOST_BYTES, MOST_PRIVATE, call_build, test_interface, testable_nodes};
use super::geometry::{PAGE, entry};
use super::memory::Range;
use super::paging::Paging;
use super::process::Process;
use super::{PagingChannel, PagingError, Reserve, Run};
use crate::contract::{FenceState, calls, rules};
use crate::dxgkrnl::{Caps, Core, Interfaces, SelfTest, succeed};
use crate::host::Event;
use crate::memory::Pages;

/// Pages copied.
const PAGES: u64 = 4;
/// Where the process sees its source, its destination and its command buffer.
const SOURCE: u64 = 0x10_0000;
const DESTINATION: u64 = 0x11_0000;
const COMMANDS: u64 = 0x12_0000;

/// Copies through a process of its own.
pub(crate) fn run(
    paging: &Arc<Paging>,
    core: &Arc<Core>,
    caps: &Caps,
    interfaces: &Interfaces,
) -> Result<SelfTest, PagingError> {
    let segment = caps.segments.iter().find(|segment| segment.is_local());
    let segment = segment.ok_or(PagingError::Unsupported("an adapter without local memory"))?.id;
    let window = Range { offset: 0, bytes: u64::MAX };
    let range = paging.memory.take(segment, 2 * PAGES * PAGE, PAGE, window).ok_or(PagingError::NoMemory)?;
    let reserve = Arc::new(Reserve::new(segment, vec![range], PAGE, core::ptr::null_mut()));
    let result = copy_through(paging, core, caps, interfaces, &reserve);
    reserve.retire();
    paging.memory.give(segment, range);
    result
}

fn copy_through(
    paging: &Arc<Paging>,
    core: &Arc<Core>,
    caps: &Caps,
    interfaces: &Interfaces,
    reserve: &Arc<Reserve>,
) -> Result<SelfTest, PagingError> {
    let mut channel = PagingChannel::new(core, paging, reserve, None)?;
    let build = test_interface(core, interfaces).zip(testable_nodes(caps).first().copied());
    let (build, node) = (build.map(|(build, _)| build), build.map_or(paging.node, |(_, node)| node));
    let flags =
        if build.is_some() { DXGK_CREATECONTEXTFLAGS::TestContext } else { DXGK_CREATECONTEXTFLAGS::empty() };
    let process = Process::new(core, caps, paging, &mut channel, node, flags)?;
    let bytes = (PAGES * PAGE) as usize;
    for (at, byte) in channel.buffer()[..bytes].iter_mut().enumerate() {
        *byte = (at * 7 + at / 251) as u8;
    }
    let expected = channel.buffer()[..bytes].to_vec();
    let (source, destination) = (Run { first: 0, count: PAGES }, Run { first: PAGES, count: PAGES });
    channel.start_in(&[source])?;
    channel.wait()?;
    let offset = reserve.ranges[0].offset;
    let vram = |first: u64| -> [DXGK_PTE; PAGES as usize] {
        core::array::from_fn(|page| {
            entry(reserve.segment, offset + (first + page as u64) * PAGE, DXGK_PTE_FLAGS::empty())
        })
    };
    let commands = Pages::new(PAGE as usize, PAGE as usize).ok_or(PagingError::NoMemory)?;
    process.map(&mut channel, SOURCE, &vram(0))?;
    process.map(&mut channel, DESTINATION, &vram(PAGES))?;
    process.map(&mut channel, COMMANDS, &[entry(0, commands.address(), paging.space.system)])?;
    let private = vec![0u64; caps.paging_buffer.private_bytes.max(1024).div_ceil(8) as usize];
    let mut buffer = CommandBuffer { pages: commands, private };
    let built = match build {
        Some(build) => build_test_copy(core, build, &process, &mut buffer)?,
        None => build_transfer(core, &process, &mut buffer)?,
    };
    if !submit(paging, core, &process, node, buffer, built)? {
        return Ok(SelfTest::TablesOnly);
    }
    channel.start_out(&[destination])?;
    let arrived = channel.wait()?[..bytes] == expected[..];
    if arrived { Ok(SelfTest::Copied) } else { Err(PagingError::Corrupt) }
}

/// The commands of one copy, and the private data beside them.
struct CommandBuffer {
    pages: Pages,
    private: Vec<u64>,
}

/// Bytes that were written: commands, private data. And who wrote them.
struct Built {
    bytes: u32,
    private: u32,
    flags: DXGK_SUBMITCOMMANDFLAGS,
}

fn build_test_copy(
    core: &Core,
    build: Build,
    process: &Process,
    buffer: &mut CommandBuffer,
) -> Result<Built, PagingError> {
    let ddi = &calls::BUILD_TEST_COMMAND_BUFFER;
    let call = |args: &mut DXGKARG_BUILDTESTCOMMANDBUFFER| call_build(core, build, args);
    let mut args = DXGKARG_BUILDTESTCOMMANDBUFFER::zeroed();
    args.hContext = process.context();
    args.Command.Operation = D3DDDI_TESTCOMMANDBUFFEROP::D3DDDI_TESTCOMMANDBUFFEROP_COPY;
    args.Command.u.Copy = D3DDDI_TESTCOMMANDBUFFER_COPY {
        SrcAddress: SOURCE,
        DstAddress: DESTINATION,
        NumBytes: (PAGES * PAGE) as u32,
    };
    let asked = call(&mut args);
    let held = asked == STATUS_BUFFER_OVERFLOW
        && (1..=MOST_BYTES).contains(&args.DmaBufferSize)
        && args.DmaBufferPrivateDataSize <= MOST_PRIVATE;
    core.contract.require(
        held,
        &rules::STATUS,
        format_args!("{} without a buffer: {asked}, {} bytes", ddi.name, args.DmaBufferSize),
    );
    args.pDmaBuffer = buffer.pages.start().cast();
    args.DmaBufferSize = PAGE as u32;
    args.pDmaBufferPrivateData = buffer.private.as_mut_ptr().cast();
    args.DmaBufferPrivateDataSize = args.DmaBufferPrivateDataSize.min(MOST_PRIVATE);
    succeed(ddi.name, call(&mut args))?;
    let flags = DXGK_SUBMITCOMMANDFLAGS::empty();
    Ok(Built { bytes: args.DmaBufferSize, private: args.DmaBufferPrivateDataSize, flags })
}

fn build_transfer(core: &Core, process: &Process, buffer: &mut CommandBuffer) -> Result<Built, PagingError> {
    let mut transfer = DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL::zeroed();
    transfer.TransferSizeInBytes = PAGES * PAGE;
    transfer.SourceVirtualAddress = SOURCE;
    transfer.DestinationVirtualAddress = DESTINATION;
    transfer.TransferDirection = DXGK_MEMORY_TRANSFER_DIRECTION::DXGK_MEMORY_TRANSFER_LOCAL_TO_LOCAL;
    let (start, private) = (buffer.pages.start(), buffer.private.as_mut_ptr());
    let mut args = DXGKARG_BUILDPAGINGBUFFER::zeroed();
    args.pDmaBuffer = start.cast();
    args.DmaSize = PAGE as u32;
    args.pDmaBufferPrivateData = private.cast();
    args.DmaBufferPrivateDataSize = (buffer.private.len() * 8) as u32;
    args.Operation = DXGK_BUILDPAGINGBUFFER_OPERATION::DXGK_OPERATION_VIRTUAL_TRANSFER;
    args.u.TransferVirtual = transfer;
    args.hSystemContext = process.context();
    args.DmaBufferGpuVirtualAddress = COMMANDS;
    succeed(calls::BUILD_PAGING_BUFFER.name, core.build_paging_buffer(&mut args))?;
    let bytes = args.pDmaBuffer.addr().wrapping_sub(start.addr()) as u32;
    let private = args.pDmaBufferPrivateData.addr().wrapping_sub(private.addr()) as u32;
    Ok(Built { bytes, private, flags: DXGK_SUBMITCOMMANDFLAGS::Paging })
}

/// Runs the commands on the process's context; false when the driver does not take them there.
fn submit(
    paging: &Paging,
    core: &Core,
    process: &Process,
    node: u32,
    mut buffer: CommandBuffer,
    built: Built,
) -> Result<bool, PagingError> {
    let mut args = DXGKARG_SUBMITCOMMANDVIRTUAL::zeroed();
    args.hContext = process.context();
    args.DmaBufferVirtualAddress = COMMANDS;
    args.DmaBufferSize = built.bytes;
    args.pDmaBufferPrivateData = buffer.private.as_mut_ptr().cast();
    args.DmaBufferPrivateDataSize = built.private;
    args.DmaBufferUmdPrivateDataSize = built.private;
    args.Flags = built.flags;
    args.NodeOrdinal = node;
    let serial = paging.serial.lock();
    let fence = core.interrupts.submit(node, &mut args, |args| core.submit_command_virtual(args));
    drop(serial);
    let Ok(fence) = fence else { return Ok(false) };
    match core.interrupts.wait(node, fence, &Arc::new(Event::new()), paging.timeout_ns) {
        FenceState::Completed => Ok(true),
        FenceState::Faulted(status) => Err(PagingError::Fault(status)),
        FenceState::Aborted => Err(PagingError::Aborted),
        FenceState::Pending => {
            // The engine may still read them.
            core::mem::forget(buffer);
            Err(PagingError::Timeout)
        }
    }
}
