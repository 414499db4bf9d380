//! Kernel-mode testing, and two more DDIs that a driver may leave out: CancelCommand and ControlEtwLogging.
//!
//! Where the driver has them not, nothing here is judged.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use wddm::*;

use super::bench::{handle, read_page, skip, write_page};
use super::{Bench, Outcome, Stop, accepted, broken, declare, needed, refused, same};
use crate::contract::FenceState;
use crate::vgpu::Vgpu;
use crate::vidmm::{
    MOST_BYTES, MOST_PRIVATE, PagingError, Run, TestBuffer, TestProcess, copy, fill, testable_nodes,
};

const BUILD: &str = "DXGKDDI_BUILDTESTCOMMANDBUFFER callback function (d3dkmddi.h)";
const OPERATION: &str = "D3DDDI_TESTCOMMANDBUFFEROP enumeration (d3dukmdt.h)";
const FILL: &str = "D3DDDI_TESTCOMMANDBUFFER_FILL structure (d3dukmdt.h)";
const COPY: &str = "D3DDDI_TESTCOMMANDBUFFER_COPY structure (d3dukmdt.h)";
const FLAGS: &str = "D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS structure (d3dukmdt.h)";
const NODE: &str = "DXGK_NODEMETADATA_FLAGS structure (d3dkmdt.h)";
const CONTEXT: &str = "DXGK_CREATECONTEXTFLAGS structure (d3dkmddi.h)";
const ARTICLE: &str = "Kernel-mode testing of WDDM features";
const CANCEL: &str = "DXGKDDI_CANCELCOMMAND callback function (d3dkmddi.h)";
const ETW: &str = "DXGKDDI_CONTROL_ETW_LOGGING callback function (dispmprt.h)";

declare! {
    "testing.node" Answer NODE, "A driver with kernel-mode testing has a node that runs test buffers.", |b| {
        super::feature::supported(b)?;
        let none = testable_nodes(b.adapter.caps()).is_empty();
        if none { broken!("no node has SupportBuildTestCommandBuffer") } else { Ok(()) }
    };
    "testing.context" Answer CONTEXT,
        "On each such node a test context is made without private data.",
        context;
    "testing.size" Size BUILD,
        "Without a buffer BUFFER_OVERFLOW comes with both sizes, 4 KiB and 1 KiB at most.",
        |b| {
        let (_vgpu, process) = process(b)?;
        let mut args = process.args(fill(0, 64, 1));
        same("the status", &STATUS_BUFFER_OVERFLOW, &process.ask(&mut args))?;
        let (bytes, private) = (args.DmaBufferSize, args.DmaBufferPrivateDataSize);
        let sound = (1..=MOST_BYTES).contains(&bytes) && private <= MOST_PRIVATE;
        if sound { Ok(()) } else { broken!("a fill takes {bytes} bytes and {private} of private data") }
    };
    "testing.short" Size BUILD,
        "A buffer that lacks the last byte gets BUFFER_OVERFLOW with the size, and nothing is written.",
        short;
    "testing.operation" Handle OPERATION, "An operation that does not exist is not built.", |b| {
        let (_vgpu, process) = process(b)?;
        let mut command = fill(0, 64, 1);
        command.Operation = D3DDDI_TESTCOMMANDBUFFEROP(77);
        not_built("operation 77", process.ask(&mut process.args(command)))
    };
    "testing.bytes" Size FILL, "NumBytes that is no multiple of 4 is not built.", |b| {
        let (_vgpu, process) = process(b)?;
        not_built("a fill of 6 bytes", process.ask(&mut process.args(fill(0, 6, 1))))
    };
    "testing.queue" Handle FLAGS,
        "A context's handle is no hardware queue's, and nothing is built for one.",
        |b| {
        let (_vgpu, process) = process(b)?;
        let mut args = process.args(fill(0, 64, 1));
        args.Flags = D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS::HardwareQueue;
        not_built("HardwareQueue", process.ask(&mut args))
    };
    "testing.stale-context" Handle BUILD, "For a context that is gone nothing is built.", |b| {
        let (_vgpu, process) = process(b)?;
        let (device, context) = super::submission::context(b)?;
        needed("DestroyContext", b.core().destroy_context(handle(context)))?;
        needed("DestroyDevice", b.core().destroy_device(handle(device)))?;
        let mut args = process.args(fill(0, 64, 1));
        args.hContext = handle(context);
        not_built("a stale context", process.ask(&mut args))
    };
    "testing.fill" Answer FILL, "A fill repeats its pattern over the range and writes nothing beside it.", fills;
    "testing.copy" Answer COPY, "A copy moves the range and writes nothing beside it.", copies;
    "testing.dirty" Answer ARTICLE,
        "Pages that a test buffer writes are dirty, and no others.",
        dirty;
    "testing.altered" State ARTICLE,
        "A buffer that came back altered ends in a completion or a fault, and harms nobody else.",
        altered;
    "cancel.command" State CANCEL,
        "A buffer that was not submitted is cancelled with success, and what is submitted goes on.",
        |b| cancel(b, b.adapter.paging.context());
    "cancel.null-context" Handle CANCEL, "Paging without a context is cancelled with success.",
        |b| cancel(b, core::ptr::null_mut());
    "etw.control" State ETW, "Event logging is turned off and on at any level, and the adapter works on.", |b| {
        let turned = b.core().control_etw_logging(false, 0, 0)
            && b.core().control_etw_logging(true, u32::MAX, u8::MAX);
        if turned { super::submission::works(b, 0x44) } else { Err(skip("the driver has no ControlEtwLogging")) }
    };
}

/// A refusal that is not about the size of the buffer.
fn not_built(what: &str, status: NTSTATUS) -> Outcome {
    if status == STATUS_BUFFER_OVERFLOW {
        broken!("{what} must be refused, but its size was given")
    }
    refused(what, status)
}

/// VF 0 and a process that can be shown it, on the first node that runs test buffers.
pub(super) fn process(b: &Bench) -> Result<(Arc<Vgpu>, TestProcess), Stop> {
    super::feature::supported(b)?;
    let node =
        testable_nodes(b.adapter.caps()).first().copied().ok_or_else(|| skip("no node runs test buffers"))?;
    let vgpu = b.vf(0)?;
    let process = vgpu.test_process(node)?.ok_or_else(|| skip("kernel-mode testing is not to be had"))?;
    Ok((vgpu, process))
}

fn context(b: &Bench) -> Outcome {
    super::feature::supported(b)?;
    for node in testable_nodes(b.adapter.caps()) {
        let mut device = DXGKARG_CREATEDEVICE::zeroed();
        device.hDevice = handle(b.core().handle as usize + 8);
        needed("CreateDevice", b.core().create_device(&mut device))?;
        let mut args = DXGKARG_CREATECONTEXT::zeroed();
        args.hContext = handle(b.core().handle as usize + 9);
        (args.NodeOrdinal, args.EngineAffinity) = (node, 1);
        args.Flags = DXGK_CREATECONTEXTFLAGS::VirtualAddressing | DXGK_CREATECONTEXTFLAGS::TestContext;
        accepted("CreateContext with TestContext", b.core().create_context(device.hDevice, &mut args))?;
        needed("DestroyContext", b.core().destroy_context(args.hContext))?;
        needed("DestroyDevice", b.core().destroy_device(device.hDevice))?;
    }
    Ok(())
}

fn short(b: &Bench) -> Outcome {
    let (_vgpu, process) = process(b)?;
    let whole = process.build(fill(0, 64, 1))?.commands.len() as u32;
    let mut words = vec![0u64; whole.div_ceil(8) as usize];
    let mut private = vec![0u64; MOST_PRIVATE as usize / 8];
    let mut args = process.args(fill(0, 64, 1));
    (args.pDmaBuffer, args.DmaBufferSize) = (words.as_mut_ptr().cast(), whole - 1);
    (args.pDmaBufferPrivateData, args.DmaBufferPrivateDataSize) = (private.as_mut_ptr().cast(), MOST_PRIVATE);
    same("the status", &STATUS_BUFFER_OVERFLOW, &process.ask(&mut args))?;
    same("DmaBufferSize", &whole, &args.DmaBufferSize)?;
    if words.iter().any(|word| *word != 0) { broken!("the short buffer was written") } else { Ok(()) }
}

/// What a command makes of three pages of noise of VF 0, of which the process is shown the first two.
fn ran(b: &Bench, command: impl Fn(u64) -> D3DDDI_TESTCOMMANDBUFFER) -> Result<Vec<Vec<u8>>, Stop> {
    let (vgpu, mut process) = process(b)?;
    for page in 0..3 {
        write_page(&vgpu, page, 0x30 + page as u8)?;
    }
    let at = process.show(Run { first: 0, count: 2 })?;
    match process.run(command(at)) {
        Err(PagingError::Fault(status)) => broken!("a legal command faulted: {status}"),
        other => other?,
    }
    (0..3).map(|page| read_page(&vgpu, page)).collect()
}

fn expect(pages: Vec<Vec<u8>>, changed: core::ops::Range<usize>, to: impl Fn(usize) -> u8) -> Outcome {
    let bytes = pages.first().map_or(0, Vec::len);
    for (at, byte) in pages.concat().into_iter().enumerate() {
        let right = if changed.contains(&at) { to(at - changed.start) } else { 0x30 + (at / bytes) as u8 };
        if byte != right {
            broken!("byte {at} is {byte:#x} instead of {right:#x}")
        }
    }
    Ok(())
}

/// Over the end of a page, from an address that is a multiple of 4 only.
fn fills(b: &Bench) -> Outcome {
    let pages = ran(b, |at| fill(at + 4092, 20, 0xD4C3_B2A1))?;
    expect(pages, 4092..4112, |at| [0xA1, 0xB2, 0xC3, 0xD4][at % 4])
}

fn copies(b: &Bench) -> Outcome {
    let pages = ran(b, |at| copy(at + 4, at + 4096 + 12, 64))?;
    expect(pages, 4108..4172, |_| 0x30)
}

fn dirty(b: &Bench) -> Outcome {
    let (vgpu, mut process) = process(b)?;
    vgpu.start_tracking()?;
    let pages = vgpu.dirty_page_bytes() / 4096;
    if vgpu.pages() < 12 || pages * 8 > 64 {
        return Err(skip("the VF has too few pages for this"));
    }
    let mut words = vec![0u64; vgpu.pages().div_ceil(64) as usize];
    vgpu.query_dirty(true, &mut words)?;
    let at = process.show(Run { first: 3, count: 8 })?;
    let page = vgpu.dirty_page_bytes();
    // Pages 4 and 5, and the last four bytes of 8.
    process.run(fill(at + 2 * page - 4, 8, 1))?;
    process.run(copy(at, at + 6 * page - 4, 4))?;
    vgpu.query_dirty_pages(false, 3, 7, &mut words)?;
    same("the dirty pages from page 3 on", &0b0010_0110, &(words[0] & 0x7F))
}

/// A word after the other is turned over, private data is made up, and the buffer is cut.
fn altered(b: &Bench) -> Outcome {
    let (vgpu, mut process) = process(b)?;
    let other = b.vf(1)?;
    write_page(&other, 1, 0x5C)?;
    let at = process.show(Run { first: 0, count: 2 })?;
    let sound = process.build(fill(at, 64, 7))?;
    let made_up = vec![0xEE; sound.private.len().max(24)];
    let mut buffers = vec![TestBuffer { private: made_up, ..sound.clone() }];
    for word in 0..sound.commands.len() / 4 {
        let mut commands = sound.commands.clone();
        commands[4 * word..4 * word + 4].iter_mut().for_each(|byte| *byte ^= 0xFF);
        buffers.push(TestBuffer { commands, ..sound.clone() });
    }
    buffers
        .push(TestBuffer { commands: sound.commands[..sound.commands.len() - 1].to_vec(), ..sound.clone() });
    for buffer in &buffers {
        match process.submit(buffer) {
            Ok(FenceState::Completed | FenceState::Faulted(_)) => {}
            Ok(FenceState::Pending | FenceState::Aborted) | Err(_) => {
                broken!("an altered buffer did not end: {:x?}", buffer.commands)
            }
        }
    }
    needed_run(&mut process, &sound)?;
    if read_page(&other, 1)?.iter().any(|byte| *byte != 0x5C) {
        broken!("another VF's memory has changed")
    }
    let front = read_page(&vgpu, 0)?;
    if front[..64].chunks(4).any(|word| word != 7u32.to_le_bytes()) {
        broken!("a sound buffer does nothing afterwards")
    }
    Ok(())
}

/// The sound buffer runs after the altered ones.
fn needed_run(process: &mut TestProcess, sound: &TestBuffer) -> Outcome {
    match process.submit(sound) {
        Ok(FenceState::Completed) => Ok(()),
        other => broken!("a sound buffer after altered ones: {other:?}"),
    }
}

fn cancel(b: &Bench, context: HANDLE) -> Outcome {
    if !b.adapter.caps().scheduling.contains(DXGK_VIDSCHCAPS::CancelCommandAware) {
        return Err(skip("the driver does not report CancelCommandAware"));
    }
    let vgpu = b.vf(0)?;
    let mut channel = vgpu.paging_channel()?;
    channel.buffer()[..4096].fill(0x7A);
    channel.start_in(&[Run { first: 1, count: 1 }])?;
    let mut args = DXGKARG_CANCELCOMMAND::zeroed();
    args.hContext = context;
    (args.DmaBufferVirtualAddress, args.DmaBufferSize) = (1 << 20, 64);
    args.DmaBufferSubmissionEndOffset = 64;
    accepted("CancelCommand", b.core().cancel_command(&mut args))?;
    channel.wait()?;
    drop(channel);
    match read_page(&vgpu, 1)?[..4096].iter().all(|byte| *byte == 0x7A) {
        true => Ok(()),
        false => broken!("what was submitted was cancelled as well"),
    }
}
