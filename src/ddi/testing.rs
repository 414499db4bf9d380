//! DXGKDDI_KERNELMODETESTINGINTERFACE: command buffers that do one simple thing, for tests without a user-mode driver.
//!
//! | operation | on the engine |
//! |---|---|
//! | COPY, FILL | at any address, under the page tables of the context that runs it |
//! | INFINITE_LOOP | its node hangs until ResetEngine: what TDR is for |
//! | INFINITE_PREEMPTABLE_LOOP | others run in between, and PreemptCommand ends it |
//!
//! A buffer goes to user mode and may come back as anything. So no trust lies in it: it has no private data, and what
//! an engine takes from it, an operation at a time, is judged by the context it was submitted on
//! ([`gpup_core::device::Author`]). "Kernel-mode testing of WDDM features".
//!
//! UNSAFETY: reads the command out of its union and writes the buffer.
#![expect(unsafe_code)]

use gpup_core::device::paging::Encoder;
use gpup_core::{Error, Result};
use wddm::{
    D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS, D3DDDI_TESTCOMMANDBUFFER, D3DDDI_TESTCOMMANDBUFFEROP,
    DXGKARG_BUILDTESTCOMMANDBUFFER, DXGKDDI_KERNELMODETESTINGINTERFACE, HANDLE, NTSTATUS,
    STATUS_BUFFER_OVERFLOW, STATUS_SUCCESS,
};

use super::{edge, status};
use crate::miniport::{self, Started};

/// A command, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Copy { from: u64, to: u64, bytes: u32 },
    Fill { to: u64, bytes: u32, pattern: u32 },
    Loop { preemptible: bool },
}

/// How a call ends.
enum Built {
    Done,
    /// The buffer is missing or too small.
    Overflow,
}

wddm::ddi! {
    /// pfnBuildTestCommandBuffer. PASSIVE_LEVEL. "DXGKDDI_BUILDTESTCOMMANDBUFFER callback function (d3dkmddi.h)".
    unsafe fn build_test_command_buffer(
        adapter: HANDLE,
        args: *mut DXGKARG_BUILDTESTCOMMANDBUFFER,
    ) -> NTSTATUS {
        // SAFETY: Dxgkrnl's own arguments.
        let args = unsafe { edge::output(args) };
        // SAFETY: within a DDI of the adapter, and the reference ends with it.
        let started = unsafe { miniport::started(adapter) };
        match started.and_then(|started| build(started, args?)) {
            Ok(Built::Done) => STATUS_SUCCESS,
            Ok(Built::Overflow) => STATUS_BUFFER_OVERFLOW,
            Err(error) => status::of_error(error),
        }
    }
}

/// The interface, in its version 1.
pub(super) fn functions() -> DXGKDDI_KERNELMODETESTINGINTERFACE {
    DXGKDDI_KERNELMODETESTINGINTERFACE { pfnBuildTestCommandBuffer: Some(build_test_command_buffer) }
}

/// Every node runs every command, so the context need only be one.
fn build(started: &Started, args: &mut DXGKARG_BUILDTESTCOMMANDBUFFER) -> Result<Built> {
    if args.Flags.contains(D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS::HardwareQueue) {
        return Err(Error::NotSupported);
    }
    if args.Flags != D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS::empty() {
        return Err(Error::InvalidParameter);
    }
    started.context(args.hContext)?;
    let command = command(&args.Command)?;
    let room = if args.pDmaBuffer.is_null() { 0 } else { args.DmaBufferSize as usize };
    (args.DmaBufferSize, args.DmaBufferPrivateDataSize) = (command.bytes() as u32, 0);
    if room < command.bytes() {
        return Ok(Built::Overflow);
    }
    // SAFETY: Dxgkrnl's buffer of DmaBufferSize bytes, which are enough, is the driver's alone during the call.
    let buffer = unsafe { edge::slice_mut(args.pDmaBuffer.cast::<u8>(), command.bytes()) }?;
    command.encode(&mut Encoder::new(buffer));
    Ok(Built::Done)
}

fn command(args: &D3DDDI_TESTCOMMANDBUFFER) -> Result<Command> {
    type Operation = D3DDDI_TESTCOMMANDBUFFEROP;
    let command = match args.Operation {
        Operation::D3DDDI_TESTCOMMANDBUFFEROP_COPY => {
            // SAFETY: the operation says which field counts; it is plain data, valid for any bytes.
            let copy = unsafe { args.u.Copy };
            Command::Copy { from: copy.SrcAddress, to: copy.DstAddress, bytes: copy.NumBytes }
        }
        Operation::D3DDDI_TESTCOMMANDBUFFEROP_FILL => {
            // SAFETY: as above.
            let fill = unsafe { args.u.Fill };
            Command::Fill { to: fill.DstAddress, bytes: fill.NumBytes, pattern: fill.Pattern }
        }
        Operation::D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_LOOP => Command::Loop { preemptible: false },
        Operation::D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_PREEMPTABLE_LOOP => {
            Command::Loop { preemptible: true }
        }
        _ => return Err(Error::InvalidParameter),
    };
    if command.is_sound() { Ok(command) } else { Err(Error::InvalidParameter) }
}

impl Command {
    /// Whole words of four bytes, and no range that runs past the last address.
    fn is_sound(&self) -> bool {
        let range =
            |at: u64, bytes: u32| bytes.is_multiple_of(4) && at.checked_add(u64::from(bytes)).is_some();
        match *self {
            Self::Copy { from, to, bytes } => range(from, bytes) && range(to, bytes),
            Self::Fill { to, bytes, .. } => range(to, bytes),
            Self::Loop { .. } => true,
        }
    }

    /// Bytes of its buffer; far below the 4 KiB that Dxgkrnl allows.
    const fn bytes(&self) -> usize {
        match self {
            Self::Copy { .. } | Self::Fill { .. } => 32,
            Self::Loop { .. } => 16,
        }
    }

    /// Encodes it into a buffer of its bytes.
    fn encode(&self, encoder: &mut Encoder<'_>) {
        let encoded = match *self {
            Self::Copy { from, to, bytes } => encoder.copy(from, to, u64::from(bytes)),
            Self::Fill { to, bytes, pattern } => encoder.fill(to, u64::from(bytes), pattern),
            Self::Loop { preemptible } => encoder.endless(preemptible),
        };
        debug_assert!(encoded.is_ok() && encoder.used() == self.bytes());
    }
}
