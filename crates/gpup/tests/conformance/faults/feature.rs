//! Faults of the feature interface, of kernel-mode testing, and of two DDIs that a driver may leave out.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, Ordering};

use wddm::*;

use super::work::operation;
use super::{Case, OK, STALE, after, fail, fault, lie, nth};
use crate::wrap::{Call, put};

const SUPPORT: &str = "QueryFeatureSupport";
const FUNCTIONS: &str = "QueryFeatureInterface";
const BUILD: &str = "pfnBuildTestCommandBuffer";

pub(super) fn cases() -> Vec<Case> {
    [features(), building(), running(), others()].into_iter().flatten().collect()
}

/// A question about functions: feature, version, room. Asked before the driver changes InterfaceSize.
fn functions(c: &Call<'_>) -> Option<(i32, u16, u16)> {
    (c.name == FUNCTIONS).then(|| {
        let args: DXGKARG_QUERYFEATUREINTERFACE = c.read(1);
        (args.FeatureId.0, args.Version, args.InterfaceSize)
    })
}

fn features() -> Vec<Case> {
    const UNKNOWN: i32 = 0x0FFF_FFFF;
    let granted =
        |when: fn((i32, u16, u16)) -> bool| fault(move |c, _| functions(c).is_some_and(when).then_some(OK));
    vec![
        ("feature.unknown", lie(SUPPORT, |c, _, _| c.at::<i32>(1, 0) == UNKNOWN)),
        (
            "feature.versions",
            after(SUPPORT, |c, _| {
                if c.at::<i32>(1, 0) == 0 {
                    c.put(1, offset_of!(DXGKARG_QUERYFEATURESUPPORT, MaxSupportedVersion), 1u16);
                }
            }),
        ),
        ("feature.functions.unknown", granted(|(feature, ..)| feature == UNKNOWN)),
        ("feature.functions.version", granted(|(_, version, _)| version == 0x100)),
        ("feature.functions.short", granted(|(_, _, room)| room == 7)),
        (
            "feature.functions.longer",
            fault(|c, _| {
                functions(c).is_some_and(|(feature, _, room)| feature == 33 && room == 64).then(|| {
                    let result = c.forward();
                    put(c.read::<DXGKARG_QUERYFEATUREINTERFACE>(1).Interface as usize + 16, 1u8);
                    result
                })
            }),
        ),
    ]
}

/// What is to be built, and the size of the buffer for it; 0 where there is none.
fn built(c: &Call<'_>) -> Option<(DXGKARG_BUILDTESTCOMMANDBUFFER, u32)> {
    (c.name == BUILD).then(|| {
        let args: DXGKARG_BUILDTESTCOMMANDBUFFER = c.read(1);
        (args, if args.pDmaBuffer.is_null() { 0 } else { args.DmaBufferSize })
    })
}

fn operation_of(c: &Call<'_>) -> i32 {
    c.read::<DXGKARG_BUILDTESTCOMMANDBUFFER>(1).Command.Operation.0
}

/// NumBytes of a fill and of a copy, as they stand in the command.
fn bytes_of(c: &Call<'_>) -> (u32, u32) {
    let command = offset_of!(DXGKARG_BUILDTESTCOMMANDBUFFER, Command);
    let fill = command + offset_of!(D3DDDI_TESTCOMMANDBUFFER_FILL, NumBytes);
    let copy = command + offset_of!(D3DDDI_TESTCOMMANDBUFFER_COPY, NumBytes);
    (c.at(1, fill), c.at(1, copy))
}

const COPY: i32 = 1;
const FILL: i32 = 2;

fn building() -> Vec<Case> {
    vec![
        (
            "testing.node",
            after("DxgkDdiGetNodeMetadata", |c, _| {
                c.put(2, offset_of!(DXGK_NODEMETADATA, Flags), 0u32);
            }),
        ),
        (
            // The first node's serves the other rules.
            "testing.context",
            fail("DxgkDdiCreateContext", |c, _| {
                let args: DXGKARG_CREATECONTEXT = c.read(1);
                args.NodeOrdinal == 1 && args.Flags.contains(DXGK_CREATECONTEXTFLAGS::TestContext)
            }),
        ),
        (
            // The fill of 64 bytes without a buffer that is the first of all.
            "testing.size",
            {
                let first = nth(0);
                fault(move |c, _| {
                    let asks = built(c).is_some_and(|(args, room)| room == 0 && args.Flags.bits() == 0);
                    (asks && operation_of(c) == FILL && first()).then(|| {
                        let result = c.forward();
                        c.put(1, offset_of!(DXGKARG_BUILDTESTCOMMANDBUFFER, DmaBufferSize), 8192u32);
                        result
                    })
                })
            },
        ),
        ("testing.short", fault(|c, _| built(c).is_some_and(|(_, room)| room == 31).then_some(OK))),
        ("testing.operation", lie(BUILD, |c, _, _| operation_of(c) == 77)),
        ("testing.bytes", lie(BUILD, |c, _, _| operation_of(c) == FILL && bytes_of(c).0 == 6)),
        (
            "testing.queue",
            lie(BUILD, |c, _, _| c.read::<DXGKARG_BUILDTESTCOMMANDBUFFER>(1).Flags.bits() == 1),
        ),
        ("testing.stale-context", lie(BUILD, |_, _, status| status == STALE)),
    ]
}

/// A command is built with one of its numbers changed.
fn changed(wanted: i32, bytes: u32, at: usize) -> crate::wrap::Fault {
    fault(move |c, _| {
        let (fill, copy) = if c.name == BUILD { bytes_of(c) } else { return None };
        let of = if wanted == FILL { fill } else { copy };
        (operation_of(c) == wanted && of == bytes).then(|| {
            let number: u32 = c.at(1, at);
            c.put(1, at, number + 4);
            let result = c.forward();
            c.put(1, at, number);
            result
        })
    })
}

fn running() -> Vec<Case> {
    let command = offset_of!(DXGKARG_BUILDTESTCOMMANDBUFFER, Command);
    vec![
        ("testing.fill", changed(FILL, 20, command + offset_of!(D3DDDI_TESTCOMMANDBUFFER_FILL, Pattern))),
        ("testing.copy", changed(COPY, 64, command + offset_of!(D3DDDI_TESTCOMMANDBUFFER_COPY, NumBytes))),
        (
            // Seven pages from page 3 on, asked for without clearing.
            "testing.dirty",
            after("DxgkDdiQueryDirtyBitData", |c, _| {
                let args: DXGKARG_QUERYDIRTYBITDATA = c.read(1);
                let asked = (args.SubrangeOffset, args.SubrangeSize, args.Flags.0);
                if asked == (3 * 4096, 7 * 4096, 0) {
                    put(args.Buffer as usize, 0b0110_0110u8);
                }
            }),
        ),
        (
            // Made-up private data: the submission is lost.
            "testing.altered",
            fault(|c, _| {
                let lost = c.name == "DxgkDdiSubmitCommandVirtual"
                    && c.read::<DXGKARG_SUBMITCOMMANDVIRTUAL>(1).DmaBufferPrivateDataSize == 24;
                lost.then_some(OK)
            }),
        ),
    ]
}

fn others() -> Vec<Case> {
    let turned = AtomicU32::new(0);
    vec![
        ("cancel.command", fail("DxgkDdiCancelCommand", |c, _| c.at::<usize>(1, 0) != 0)),
        ("cancel.null-context", fail("DxgkDdiCancelCommand", |c, _| c.at::<usize>(1, 0) == 0)),
        (
            "etw.control",
            fault(move |c, _| {
                if c.name == "DxgkDdiControlEtwLogging" {
                    turned.store(1, Ordering::SeqCst);
                }
                // The next transfer is lost.
                let transfer = operation(c).is_some_and(|(number, args)| number == 8 && args.DmaSize > 4);
                (transfer && turned.swap(0, Ordering::SeqCst) == 1).then_some(OK)
            }),
        ),
    ]
}
